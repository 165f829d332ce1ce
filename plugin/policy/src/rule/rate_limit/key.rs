//! The key of a bucket: what a limit tells clients apart by, under a hash that nobody outside can compute.

use std::hash::Hasher;
use std::net::IpAddr;

use portcullis_config::KeyPart;
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
    fn query(&self, name: &[u8]) -> Option<std::borrow::Cow<'_, [u8]>> {
        let target = self.head.path();
        let query = target.get(path_of(target).len() + 1..)?;
        let mut values = query.split(|b| *b == b'&').filter_map(|pair| {
            let at = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
            let (own, value) = pair.split_at_checked(at)?;
            (*percent_decoded(own) == *name).then(|| value.get(1..).unwrap_or_default())
        });
        let value = values.next().filter(|value| !value.is_empty())?;
        values.next().is_none().then(|| percent_decoded(value))
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
