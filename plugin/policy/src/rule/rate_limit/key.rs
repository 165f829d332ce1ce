//! The key of a bucket: what a limit tells clients apart by, under a hash that nobody outside can compute.

use std::borrow::Cow;
use std::hash::Hasher;
use std::net::IpAddr;

use portcullis_config::{KeyPart, Mode};
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::message::RequestHead;
use crate::path::{next_segment, path_of, percent_decoded};
use crate::rule::client::Caller;

/// A secret of the deployment: without it a client could choose keys that share a bucket, or a slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seed(pub(super) u64, pub(super) u64);

/// A bucket's key: raw keys are neither kept nor logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// Chooses the slot.
    pub(super) slot: u64,
    /// Tells the bucket from others in its slot.
    pub(super) fingerprint: u64,
}

/// What a request gives keys to be made of.
#[derive(Clone, Copy)]
pub(crate) struct Asker<'r, 'a> {
    pub(crate) head: &'r RequestHead<'a>,
    pub(crate) caller: &'r Caller,
    /// How many bits of an IPv4 and of an IPv6 address make one client.
    pub(crate) prefixes: (u8, u8),
    pub(crate) host: Option<&'r str>,
    pub(crate) route: Option<&'r str>,
}

impl Key {
    /// The keys of several limits, each in a mode, as one.
    pub(super) fn of_all(keys: impl Iterator<Item = (Mode, Self)>) -> Self {
        let nothing = Self {
            slot: 0,
            fingerprint: 0,
        };
        keys.fold(nothing, |all, (mode, one)| Self {
            slot: all.slot.rotate_left(7) ^ one.slot ^ u64::from(mode == Mode::Report),
            fingerprint: all.fingerprint.rotate_left(11) ^ one.fingerprint,
        })
    }
}

impl Seed {
    /// A hash over the parts, in which no two lists of parts are written alike.
    pub(super) fn key(self, identity: u64, parts: &[KeyPart], asker: &Asker<'_, '_>) -> Key {
        let mut hasher = Parts(SipHasher13::new_with_keys(self.0, self.1));
        hasher.0.write_u64(identity);
        for part in parts {
            asker.write(part, &mut hasher);
        }
        let hash = hasher.0.finish128();
        Key {
            slot: hash.h1,
            // Neither half is zero: that is what an empty bucket has.
            fingerprint: hash.h2 | 1 << 32 | 1,
        }
    }
}

/// A hash that does not depend on the deployment, for names that all workers must agree on.
pub(super) fn identity(parts: &[&str]) -> u64 {
    let mut hasher = Parts(SipHasher13::new());
    for part in parts {
        hasher.part(0, part.as_bytes());
    }
    hasher.0.finish128().h1
}

struct Parts(SipHasher13);

impl Parts {
    fn part(&mut self, kind: u8, bytes: &[u8]) {
        self.0.write_u8(kind);
        self.0.write_u64(bytes.len() as u64);
        self.0.write(bytes);
    }
}

impl Asker<'_, '_> {
    fn write(&self, part: &KeyPart, hasher: &mut Parts) {
        let chosen = match part {
            KeyPart::Ip => None,
            KeyPart::Header(name) => {
                let value = self
                    .head
                    .only(name.as_str())
                    .filter(|value| !value.is_empty());
                value.map(|value| (1, value.into()))
            }
            KeyPart::Cookie(name) => self.cookie(name.as_bytes()).map(|value| (2, value.into())),
            KeyPart::Query(name) => self.query(name.as_bytes()).map(|value| (3, value)),
            KeyPart::Host => Some((4, self.host.unwrap_or_default().as_bytes().into())),
            KeyPart::Path => return self.path(hasher),
            KeyPart::Route => Some((6, self.route.unwrap_or_default().as_bytes().into())),
            KeyPart::All => return hasher.part(7, b""),
        };
        match chosen {
            Some((kind, value)) => hasher.part(kind, &value),
            // What a client leaves out, or says twice, must not put it into a bucket of its choice.
            None => self.address(hasher),
        }
    }

    fn address(&self, hasher: &mut Parts) {
        let (v4, v6) = self.prefixes;
        match self.caller.address {
            None => hasher.part(8, b"unknown"),
            Some(IpAddr::V4(address)) => {
                let mask = u32::MAX
                    .checked_shl(32 - u32::from(v4.min(32)))
                    .unwrap_or(0);
                hasher.part(8, &(address.to_bits() & mask).to_be_bytes());
            }
            Some(IpAddr::V6(address)) => {
                let mask = u128::MAX
                    .checked_shl(128 - u32::from(v6.min(128)))
                    .unwrap_or(0);
                hasher.part(8, &(address.to_bits() & mask).to_be_bytes());
            }
        }
    }

    /// The value of a cookie that is sent once (RFC 6265 section 4.2.1).
    fn cookie(&self, name: &[u8]) -> Option<&[u8]> {
        let lines = self.head.all("cookie");
        let mut values = lines
            .flat_map(|line| line.split(|b| *b == b';'))
            .filter_map(|pair| {
                let at = pair.iter().position(|b| *b == b'=')?;
                let (own, value) = pair.split_at_checked(at)?;
                (own.trim_ascii() == name).then(|| value.get(1..).unwrap_or_default().trim_ascii())
            });
        let value = values.next().filter(|value| !value.is_empty());
        value.filter(|_| values.next().is_none())
    }

    /// The value of a query parameter that is sent once, decoded: however it is spelled, it is one value.
    fn query(&self, name: &[u8]) -> Option<Cow<'_, [u8]>> {
        let target = self.head.path();
        let query = target.get(path_of(target).len() + 1..)?;
        let mut values = query.split(|b| *b == b'&').filter_map(|pair| {
            let at = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
            let (own, value) = pair.split_at_checked(at)?;
            (*form_decoded(own) == *name).then(|| value.get(1..).unwrap_or_default())
        });
        let value = values.next().filter(|value| !value.is_empty())?;
        values.next().is_none().then(|| form_decoded(value))
    }

    /// The path as routes match it: another spelling is no other bucket.
    fn path(&self, hasher: &mut Parts) {
        let path = percent_decoded(path_of(self.head.path()));
        let mut rest: &[u8] = &path;
        while let Some((segment, after)) = next_segment(rest) {
            hasher.part(5, &segment.to_ascii_lowercase());
            rest = after;
        }
        hasher.part(5, b"");
    }
}

/// A form's text decoded: `+` is a space there (URL standard, "application/x-www-form-urlencoded").
fn form_decoded(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'+') {
        return percent_decoded(text);
    }
    let spaced = text.iter().map(|b| if *b == b'+' { b' ' } else { *b });
    let spaced: Vec<u8> = spaced.collect();
    Cow::Owned(percent_decoded(&spaced).into_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use portcullis_config::{Config, Document, read};
    use proptest::prelude::*;

    use super::*;
    use crate::message::Line;

    const SEED: Seed = Seed(1, 2);

    fn parts(keys: &str) -> Vec<KeyPart> {
        let text = format!(
            r#"{{"version":1,"rate_limits":[{{"name":"a","quota":"1/1s","key":{keys}}}]}}"#
        );
        let config = Document::from_bytes(text.as_bytes()).map(|document| read(&document).0);
        let limits = config
            .ok()
            .flatten()
            .and_then(|config: Config| config.rate_limits);
        limits.map_or_else(Vec::new, |limits| limits[0].key.clone())
    }

    fn caller(address: Option<IpAddr>) -> Caller {
        Caller {
            address,
            https: false,
            trusted: false,
            hidden: false,
        }
    }

    fn key_of(parts: &[KeyPart], lines: &[Line<'_>], caller: &Caller, prefixes: (u8, u8)) -> Key {
        let asker = Asker {
            head: &RequestHead::new(lines),
            caller,
            prefixes,
            host: None,
            route: None,
        };
        SEED.key(7, parts, &asker)
    }

    fn of(parts: &[KeyPart], lines: &[Line<'_>]) -> Key {
        key_of(parts, lines, &caller("192.0.2.1".parse().ok()), (32, 64))
    }

    #[test]
    fn addresses_are_one_client_within_the_prefix() {
        let ip = parts(r#"["ip"]"#);
        let v4 = |bits: u32, prefix| {
            key_of(
                &ip,
                &[],
                &caller(Some(IpAddr::V4(bits.into()))),
                (prefix, 64),
            )
        };
        let v6 = |bits: u128, prefix| {
            key_of(
                &ip,
                &[],
                &caller(Some(IpAddr::V6(bits.into()))),
                (32, prefix),
            )
        };
        let base = 0xc000_0281u32;
        for prefix in 0..=32u8 {
            for bit in 0..32u8 {
                let same = v4(base, prefix) == v4(base ^ 1 << (31 - bit), prefix);
                assert_eq!(same, bit >= prefix, "/{prefix}, bit {bit}");
            }
        }
        let base = 0x2001_0db8_0000_0001_8000_0000_0000_0001u128;
        for prefix in 0..=128u8 {
            for bit in 0..128u8 {
                let same = v6(base, prefix) == v6(base ^ 1 << (127 - bit), prefix);
                assert_eq!(same, bit >= prefix, "/{prefix}, bit {bit}");
            }
        }
        // One family's everybody is not the other's, and neither is nobody.
        let nobody = key_of(&ip, &[], &caller(None), (0, 0));
        assert_ne!(v4(base as u32, 0), v6(base, 0));
        assert_ne!(v4(base as u32, 0), nobody);
        assert_ne!(v6(base, 0), nobody);
        // A prefix that no policy has is the longest.
        assert_eq!(v4(5, 255), v4(5, 32));
        assert_eq!(v6(5, 255), v6(5, 128));
    }

    #[test]
    fn lists_of_names_are_told_apart() {
        let lists: [&[&str]; 9] = [
            &[],
            &[""],
            &["", ""],
            &["ab", "c"],
            &["a", "bc"],
            &["abc"],
            &["abc", ""],
            &["", "abc"],
            &["a", "b", "c"],
        ];
        let all: std::collections::BTreeSet<u64> =
            lists.iter().map(|parts| identity(parts)).collect();
        assert_eq!(all.len(), lists.len());
        // Names are the same on every worker, and in every version that reads the tables of another.
        assert_eq!(identity(&["default", "a"]), identity(&["default", "a"]));
    }

    #[test]
    fn no_two_lists_of_parts_are_written_alike() {
        // Values that look like the ends and beginnings of parts: a kind, a length in eight bytes, other values.
        let length = |n: u64| n.to_le_bytes().to_vec();
        let big_length = |n: u64| n.to_be_bytes().to_vec();
        let mut values: Vec<Vec<u8>> = [
            &b"a"[..],
            b"b",
            b"ab",
            b"a|b",
            b"a,b",
            b"\0",
            b"\x01",
            b"\x08",
        ]
        .iter()
        .map(|value| value.to_vec())
        .collect();
        for kind in 0..=8u8 {
            for encoded in [length(1), big_length(1), length(0)] {
                values.push([b"a", &[kind][..], &encoded, b"b"].concat());
                values.push([&[kind][..], &encoded, b"a"].concat());
            }
        }
        values.push(192u32.to_be_bytes().to_vec());
        values.push(vec![192, 0, 2, 1]);
        values.push(b"unknown".to_vec());
        let kinds = [
            "header:x-a",
            "header:x-b",
            "cookie:a",
            "ip",
            "path",
            "all",
            "route",
            "host",
        ];
        let mut seen: HashMap<(u64, u64), String> = HashMap::new();
        for (at, first) in kinds.iter().enumerate() {
            for second in kinds.iter().skip(at + 1) {
                let parts = parts(&format!(r#"["{first}","{second}"]"#));
                assert_eq!(parts.len(), 2, "{first} {second}");
                for a in &values {
                    for b in &values {
                        let is_asked = |name| [*first, *second].contains(&name);
                        if !is_asked("header:x-b") && b != &values[0] {
                            continue;
                        }
                        let lines: [Line<'_>; 2] = [(b"x-a", a), (b"x-b", b)];
                        let key = of(&parts, &lines);
                        // What tells two requests apart for these parts.
                        let told = [*first, *second]
                            .map(|part| match part {
                                "header:x-a" => format!("header {}", a.escape_ascii()),
                                "header:x-b" => format!("header {}", b.escape_ascii()),
                                // A cookie that is not there.
                                "cookie:a" => "ip".to_owned(),
                                _ => part.to_owned(),
                            })
                            .join(" + ");
                        let told_first = seen
                            .entry((key.slot, key.fingerprint))
                            .or_insert_with(|| told.clone());
                        assert_eq!(*told_first, told);
                    }
                }
            }
        }
        assert!(seen.len() > 3000, "{}", seen.len());
    }

    #[test]
    fn what_is_missing_empty_or_said_twice_is_the_address() {
        let ip = of(&parts(r#"["ip"]"#), &[]);
        let check = |keys: &str, lines: &[Line<'_>], is_address: bool| {
            assert_eq!(
                of(&parts(keys), lines) == ip,
                is_address,
                "{keys} {lines:?}"
            );
        };
        check(r#"["header:x"]"#, &[], true);
        check(r#"["header:x"]"#, &[(b"x", b"")], true);
        check(r#"["header:x"]"#, &[(b"x", b"a"), (b"X", b"a")], true);
        check(r#"["header:x"]"#, &[(b"x", b"a"), (b"x", b"")], true);
        check(r#"["header:x"]"#, &[(b"x", b"a")], false);
        check(r#"["cookie:s"]"#, &[(b"cookie", b"s=")], true);
        check(r#"["cookie:s"]"#, &[(b"cookie", b"s")], true);
        check(r#"["cookie:s"]"#, &[(b"cookie", b"S=a")], true);
        check(
            r#"["cookie:s"]"#,
            &[(b"cookie", b"s=a"), (b"cookie", b"s=a")],
            true,
        );
        check(r#"["cookie:s"]"#, &[(b"cookie", b"; ;s = a;")], false);
        check(r#"["query:q"]"#, &[(b":path", b"/?q")], true);
        check(r#"["query:q"]"#, &[(b":path", b"/?q=")], true);
        check(r#"["query:q"]"#, &[(b":path", b"/q=a")], true);
        check(r#"["query:q"]"#, &[(b":path", b"/?q=a&%71=a")], true);
        check(r#"["query:q"]"#, &[(b":path", b"?q=a")], false);
        check(r#"["query:q"]"#, &[(b":path", b"/??q=a")], true);
        check(r#"["query:q"]"#, &[(b":path", b"/?&&q=a&&")], false);
        check(r#"["ip"]"#, &[(b":path", b"/"), (b"x", b"y")], true);
    }

    #[test]
    fn a_path_is_one_bucket_however_it_is_spelled() {
        let path = parts(r#"["path","header:x"]"#);
        let of_path = |target: &[u8], x: &[u8]| of(&path, &[(b":path", target), (b"x", x)]);
        let base = of_path(b"/a/b", b"c");
        for same in [
            &b"/a/b/"[..],
            b"//A//b?x=1",
            b"/a;v=1/%62",
            b"a/b",
            b"/%41/B;",
        ] {
            assert_eq!(of_path(same, b"c"), base, "{}", same.escape_ascii());
        }
        for other in [
            &b"/ab"[..],
            b"/a",
            b"/a/b/c",
            b"/b/a",
            b"/a/%2562",
            b"",
            b"/",
        ] {
            assert_ne!(of_path(other, b"c"), base, "{}", other.escape_ascii());
        }
        assert_eq!(of_path(b"", b"c"), of_path(b"/", b"c"));
    }

    proptest! {
        /// Neither half of a fingerprint is zero, so no key is taken for an empty bucket under any mask; and both halves
        /// of the hash depend on the seed.
        #[test]
        fn a_fingerprint_is_never_an_empty_bucket(
            seed: (u64, u64),
            identity: u64,
            value in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let lines: [Line<'_>; 1] = [(b"x", &value)];
            let head = RequestHead::new(&lines);
            let asker = Asker {
                head: &head,
                caller: &caller(None),
                prefixes: (32, 64),
                host: None,
                route: None,
            };
            let parts = parts(r#"["header:x"]"#);
            let key = Seed(seed.0, seed.1).key(identity, &parts, &asker);
            prop_assert!(key.fingerprint as u32 != 0 && key.fingerprint >> 32 != 0);
            prop_assert_eq!(key, Seed(seed.0, seed.1).key(identity, &parts, &asker));
            let other = Seed(seed.0 ^ 1, seed.1).key(identity, &parts, &asker);
            prop_assert!(other.slot != key.slot && other.fingerprint != key.fingerprint);
            let other = Seed(seed.0, seed.1).key(identity ^ 1, &parts, &asker);
            prop_assert!(other.slot != key.slot && other.fingerprint != key.fingerprint);
        }

        /// Any bytes make a key, and the same bytes the same one.
        #[test]
        fn any_bytes_make_a_key(
            path in prop::collection::vec(any::<u8>(), 0..60),
            header in prop::collection::vec(any::<u8>(), 0..60),
            cookies in prop::collection::vec(
                prop::collection::vec(prop::sample::select(b"s=;, \"\xff\0a".to_vec()), 0..20),
                0..3,
            ),
        ) {
            let mut lines: Vec<Line<'_>> = vec![(b":path", &path), (b"x", &header)];
            lines.extend(cookies.iter().map(|line| (&b"cookie"[..], line.as_slice())));
            for keys in [r#"["path","ip"]"#, r#"["query:q"]"#, r#"["query:é"]"#, r#"["cookie:s"]"#, r#"["header:x","cookie:\"s\"","all"]"#] {
                let parts = parts(keys);
                prop_assert!(!parts.is_empty());
                prop_assert_eq!(of(&parts, &lines), of(&parts, &lines));
            }
        }
    }
}
