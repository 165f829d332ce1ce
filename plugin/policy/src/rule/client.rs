//! Who is asking, and over which scheme, behind proxies that are trusted or not.
//!
//! A forwarded header is a claim. It is believed only from a peer that the policy trusts, and only so far: the
//! addresses are walked from the right, past trusted proxies, to the first one that is not (RFC 7239 section 7.4 has
//! the reason: everything further left was written by somebody unknown).

use std::net::{IpAddr, SocketAddr};

use portcullis_config::{Client, Forwarded, Network};

use crate::ambient::Ambient;
use crate::message::RequestHead;

/// No chain of proxies is as long; a longer one is cut here, from the right.
const MAX_HOPS: usize = 64;

/// The compiled `client` section.
#[derive(Clone, Debug)]
pub(crate) struct ClientRule {
    trusted: Vec<Network>,
    forwarded: Forwarded,
}

/// Who is asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// `None` if it cannot be told.
    pub(crate) address: Option<IpAddr>,
    /// Whether the client's own connection is encrypted, as far as is known.
    pub(crate) https: bool,
    /// Whether the peer is one whose forwarded headers are believed.
    pub(crate) trusted: bool,
    /// Whether the gateway showed an address that it took from a header.
    pub(crate) hidden: bool,
}

/// One hop: who it was spoken for, and over which scheme, if it says so.
struct Hop {
    address: Option<IpAddr>,
    https: Option<bool>,
}

impl ClientRule {
    pub(crate) fn compile(client: &Client) -> Self {
        Self {
            trusted: client.trusted_proxies.clone(),
            forwarded: client.forwarded.clone(),
        }
    }

    /// Whether the scheme can be told without asking for the peer's address.
    pub(crate) fn https_without_source(&self, head: &RequestHead<'_>) -> Option<bool> {
        self.trusted.is_empty().then(|| head.is_https())
    }

    /// Resolves the client of a request.
    pub(crate) fn resolve(&self, head: &RequestHead<'_>, ambient: &dyn Ambient) -> Caller {
        let source = ambient.source();
        let source = source.as_deref().and_then(address_and_port);
        let direct = Caller {
            address: source.map(|(address, _)| address),
            https: head.is_https(),
            trusted: false,
            hidden: false,
        };
        // Envoy shows port 0 where it took the address from a header: believed only if the policy says so.
        match (&self.forwarded, source) {
            (Forwarded::Host, _) | (_, None) => direct,
            (_, Some((_, Some(0)))) => Caller {
                address: None,
                hidden: true,
                ..direct
            },
            (_, Some((peer, _))) if self.trusts(peer) => self.behind(head, direct),
            _ => direct,
        }
    }

    /// The client behind a trusted peer.
    fn behind(&self, head: &RequestHead<'_>, peer: Caller) -> Caller {
        let mut client = Caller {
            trusted: true,
            ..peer
        };
        let https = forwarded_proto(head).unwrap_or(peer.https);
        match &self.forwarded {
            Forwarded::Host => {}
            Forwarded::Header(name) => {
                let mut values = head.all(name.as_str());
                client.https = https;
                client.address = match (values.next(), values.next()) {
                    (Some(value), None) => address_and_port(value).map(|(address, _)| address),
                    (None, _) => peer.address,
                    // Two claims are none.
                    (Some(_), Some(_)) => None,
                };
            }
            Forwarded::XForwardedFor => {
                client.https = https;
                let hops = head
                    .all("x-forwarded-for")
                    .rev()
                    .flat_map(|line| line.rsplit(|b| *b == b','))
                    // An empty element of a list is none (RFC 9110 section 5.6.1).
                    .filter(|text| !text.trim_ascii().is_empty())
                    .map(|text| Hop {
                        address: address_and_port(text).map(|(address, _)| address),
                        https: None,
                    });
                self.walk(hops, &mut client);
            }
            Forwarded::Forwarded => {
                let hops = head
                    .all("forwarded")
                    .rev()
                    .flat_map(|line| elements(line).into_iter().rev())
                    .map(hop);
                self.walk(hops, &mut client);
            }
        }
        client
    }

    fn walk(&self, hops: impl Iterator<Item = Hop>, client: &mut Caller) {
        for hop in hops.take(MAX_HOPS) {
            client.address = hop.address;
            client.https = hop.https.unwrap_or(client.https);
            if !hop.address.is_some_and(|address| self.trusts(address)) {
                return;
            }
        }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(address))
    }
}

/// `X-Forwarded-Proto`: https only if every value of every line says so.
fn forwarded_proto(head: &RequestHead<'_>) -> Option<bool> {
    head.all("x-forwarded-proto")
        .flat_map(|line| line.split(|b| *b == b','))
        .map(|value| value.trim_ascii().eq_ignore_ascii_case(b"https"))
        .reduce(|all, one| all && one)
}

/// The elements of a `Forwarded` line (RFC 7239 section 4), at most 64 of them, the last ones. A quote that nobody closes
/// would hide what a proxy wrote behind it: such a line is one element, which says nothing.
fn elements(line: &[u8]) -> Vec<&[u8]> {
    if is_open(line) {
        return vec![b""];
    }
    let mut elements: Vec<&[u8]> = split_unquoted(line, b',').collect();
    let surplus = elements.len().saturating_sub(MAX_HOPS);
    elements.drain(..surplus);
    elements
}

fn hop(element: &[u8]) -> Hop {
    let mut hop = Hop {
        address: None,
        https: None,
    };
    let mut is_claimed = false;
    for pair in split_unquoted(element, b';') {
        let mut halves = pair.splitn(2, |b| *b == b'=');
        let (Some(name), Some(value)) = (halves.next(), halves.next()) else {
            continue;
        };
        let value = value.trim_ascii();
        let value = value
            .strip_prefix(b"\"")
            .and_then(|v| v.strip_suffix(b"\""))
            .unwrap_or(value);
        if name.trim_ascii().eq_ignore_ascii_case(b"for") {
            // Two claims are none.
            let address = address_and_port(value).filter(|_| !is_claimed);
            hop.address = address.map(|(address, _)| address);
            is_claimed = true;
        } else if name.trim_ascii().eq_ignore_ascii_case(b"proto") {
            hop.https = Some(value.eq_ignore_ascii_case(b"https"));
        }
    }
    hop
}

/// Whether a quoted string is begun and not ended.
fn is_open(text: &[u8]) -> bool {
    let mut bytes = text.iter();
    let mut quoted = false;
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => quoted = !quoted,
            b'\\' if quoted => {
                bytes.next();
            }
            _ => {}
        }
    }
    quoted
}

/// Splits at a byte that stands outside quoted strings (RFC 9110 section 5.6.4).
fn split_unquoted(text: &[u8], at: u8) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(move |b| {
        if escaped {
            escaped = false;
        } else if quoted && *b == b'\\' {
            escaped = true;
        } else if *b == b'"' {
            quoted = !quoted;
        } else {
            return !quoted && *b == at;
        }
        false
    })
}

/// An address with or without a port, IPv6 with or without brackets. An IPv4 address in IPv6's clothes is the IPv4
/// address (RFC 4291 section 2.5.5.2).
fn address_and_port(text: &[u8]) -> Option<(IpAddr, Option<u16>)> {
    let text = std::str::from_utf8(text).ok()?.trim();
    // A zone is a name of the sender's own network card (RFC 4007 section 11): here it says nothing.
    let zoned = text
        .split_once('%')
        .filter(|(front, _)| front.contains(':'));
    let unzoned = zoned.map(|(front, zone)| {
        let rest = zone.find(']').and_then(|at| zone.get(at..)).unwrap_or("");
        format!("{front}{rest}")
    });
    let text = unzoned.as_deref().unwrap_or(text);
    let bracketed = || {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        inner.parse::<IpAddr>().ok()
    };
    let (address, port) = match text.parse::<SocketAddr>() {
        Ok(socket) => (socket.ip(), Some(socket.port())),
        Err(_) => (text.parse().ok().or_else(bracketed)?, None),
    };
    Some((address.to_canonical(), port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Line;
    use crate::store::{NoStore, Store};

    struct From(Option<&'static str>);

    impl Ambient for From {
        fn source(&self) -> Option<Vec<u8>> {
            self.0.map(|text| text.as_bytes().to_vec())
        }
        fn fresh_id(&self) -> u128 {
            0
        }
        fn now(&self) -> u64 {
            0
        }
        fn store(&self) -> &dyn Store {
            &NoStore
        }
    }

    fn rule(client: &str) -> ClientRule {
        let text = format!(r#"{{"version":1,"client":{client}}}"#);
        let document = portcullis_config::Document::from_bytes(text.as_bytes()).unwrap();
        let (config, diagnostics) = portcullis_config::read(&document);
        assert!(!diagnostics.has_errors(), "{diagnostics:?}");
        ClientRule::compile(&config.unwrap().client)
    }

    fn check(
        client: &str,
        source: &'static str,
        lines: &[(&'static str, &'static str)],
        expected: Option<&str>,
        https: bool,
    ) {
        let lines: Vec<Line<'_>> = lines
            .iter()
            .map(|(n, v)| (n.as_bytes(), v.as_bytes()))
            .collect();
        let caller = rule(client).resolve(&RequestHead::new(&lines), &From(Some(source)));
        let expected = Caller {
            address: expected.map(|text| text.parse().unwrap()),
            https,
            trusted: caller.trusted,
            hidden: caller.hidden,
        };
        assert_eq!(caller, expected, "{client} {source} {lines:?}");
    }

    const XFF: &str = "x-forwarded-for";
    const XFP: &str = "x-forwarded-proto";

    #[test]
    fn nobody_is_trusted_by_default() {
        check(
            "{}",
            "203.0.113.7:4711",
            &[(XFF, "1.2.3.4"), (XFP, "https")],
            Some("203.0.113.7"),
            false,
        );
        check(
            "{}",
            "[2001:db8::7]:4711",
            &[(":scheme", "https")],
            Some("2001:db8::7"),
            true,
        );
        check("{}", "203.0.113.7", &[], Some("203.0.113.7"), false);
        check(
            "{}",
            "[::ffff:203.0.113.7]:1",
            &[],
            Some("203.0.113.7"),
            false,
        );
        check("{}", "[fe80::1%eth0]:80", &[], Some("fe80::1"), false);
        check("{}", "fe80::1%eth0", &[], Some("fe80::1"), false);
        check("{}", "203.0.113.7%evil", &[], None, false);
        check("{}", "garbage", &[], None, false);
        check("{}", "203.0.113.7:0", &[], None, false);
        check(
            r#"{"forwarded":"host"}"#,
            "203.0.113.7:0",
            &[],
            Some("203.0.113.7"),
            false,
        );
    }

    #[test]
    fn the_walk_stops_at_the_first_that_is_not_trusted() {
        let client = r#"{"trusted_proxies":["10.0.0.0/8"]}"#;
        let peer = "10.0.0.1:1";
        check(
            client,
            peer,
            &[(XFF, "203.0.113.7")],
            Some("203.0.113.7"),
            false,
        );
        check(
            client,
            peer,
            &[(XFF, "6.6.6.6, 203.0.113.7 , 10.9.9.9")],
            Some("203.0.113.7"),
            false,
        );
        check(
            client,
            peer,
            &[(XFF, "6.6.6.6"), (XFF, "203.0.113.7")],
            Some("203.0.113.7"),
            false,
        );
        check(
            client,
            peer,
            &[(XFF, "203.0.113.7:99, [::ffff:10.0.0.2]:80")],
            Some("203.0.113.7"),
            false,
        );
        check(
            client,
            peer,
            &[(XFF, "10.0.0.3, 10.0.0.2")],
            Some("10.0.0.3"),
            false,
        );
        check(client, peer, &[(XFF, "203.0.113.7, unknown")], None, false);
        check(client, peer, &[], Some("10.0.0.1"), false);
        check(
            client,
            "11.0.0.1:1",
            &[(XFF, "203.0.113.7"), (XFP, "https")],
            Some("11.0.0.1"),
            false,
        );
    }

    #[test]
    fn the_scheme_is_https_only_if_every_value_says_so() {
        let client = r#"{"trusted_proxies":["10.0.0.0/8"]}"#;
        let peer = "10.0.0.1:1";
        check(client, peer, &[(XFP, "HTTPS")], Some("10.0.0.1"), true);
        check(
            client,
            peer,
            &[(XFP, "https, http")],
            Some("10.0.0.1"),
            false,
        );
        check(
            client,
            peer,
            &[(XFP, "https"), (XFP, "https")],
            Some("10.0.0.1"),
            true,
        );
        check(
            client,
            peer,
            &[(XFP, "http"), (":scheme", "https")],
            Some("10.0.0.1"),
            false,
        );
    }

    #[test]
    fn forwarded_and_single_headers() {
        let client = r#"{"trusted_proxies":["10.0.0.0/8"],"forwarded":"forwarded"}"#;
        let peer = "10.0.0.1:1";
        let forwarded = |value| [("forwarded", value)];
        check(
            client,
            peer,
            &forwarded("for=6.6.6.6, For=\"[2001:db8::7]:4711\";proto=https"),
            Some("2001:db8::7"),
            true,
        );
        check(
            client,
            peer,
            &forwarded("for=203.0.113.7;proto=https, for=10.0.0.2;proto=http"),
            Some("203.0.113.7"),
            true,
        );
        check(
            client,
            peer,
            &forwarded("for=\"a,b;c\", for=203.0.113.7"),
            Some("203.0.113.7"),
            false,
        );
        check(client, peer, &forwarded("for=_hidden"), None, false);
        let client = r#"{"trusted_proxies":["10.0.0.0/8"],"forwarded":"X-Real-IP"}"#;
        check(
            client,
            peer,
            &[("X-Real-Ip", "203.0.113.7")],
            Some("203.0.113.7"),
            false,
        );
        check(
            client,
            peer,
            &[("x-real-ip", "1.1.1.1"), ("x-real-ip", "203.0.113.7")],
            None,
            false,
        );
    }
}
