//! Hosts: the one a request names, and the sets that policies make of them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use portcullis_config::HostPattern;

/// The host of an authority (RFC 3986 section 3.2): lower case, without port and trailing dot, an IPv6 address in its
/// canonical form. `None` if it is none: empty, with user info, a list, or with a byte that no host has.
pub(crate) fn host_of(authority: &[u8]) -> Option<Cow<'_, str>> {
    let text = std::str::from_utf8(authority).ok()?;
    if let Some(inner) = text.strip_prefix('[') {
        let (address, rest) = inner.split_once(']')?;
        let port = rest.strip_prefix(':').unwrap_or(rest);
        let address: Ipv6Addr = address.parse().ok()?;
        return (is_port(port) && (rest.is_empty() || rest.len() > port.len()))
            .then(|| Cow::Owned(format!("[{address}]")));
    }
    let (host, port) = text.split_once(':').unwrap_or((text, ""));
    let host = host.strip_suffix('.').unwrap_or(host);
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if host.is_empty() || host.len() > 253 || !host.bytes().all(legal) || !is_port(port) {
        return None;
    }
    if host.split('.').any(str::is_empty) {
        return None;
    }
    Some(if host.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(host.to_ascii_lowercase())
    } else {
        Cow::Borrowed(host)
    })
}

/// Digits, or nothing.
fn is_port(text: &str) -> bool {
    text.len() <= 5 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Something for each host pattern: found for a host by binary search, the exact pattern first, then the longest
/// suffix that ends at a label's boundary.
#[derive(Clone, Debug)]
pub(crate) struct HostMap<T> {
    exact: Vec<(String, T)>,
    below: Vec<(String, T)>,
}

impl<T> HostMap<T> {
    /// Collects the entries of equal patterns under one key with `join`.
    pub(crate) fn new<I>(
        entries: impl IntoIterator<Item = (HostPattern, I)>,
        empty: impl Fn() -> T,
        join: impl Fn(&mut T, I),
    ) -> Self {
        let mut exact = BTreeMap::new();
        let mut below = BTreeMap::new();
        for (pattern, item) in entries {
            let (map, key) = match pattern {
                HostPattern::Exact(host) => (&mut exact, host),
                HostPattern::Below(suffix) => (&mut below, suffix),
            };
            join(map.entry(key).or_insert_with(&empty), item);
        }
        Self {
            exact: exact.into_iter().collect(),
            below: below.into_iter().collect(),
        }
    }

    /// What stands for `host`: the exact pattern, then suffixes from the longest to the shortest.
    pub(crate) fn get<'a>(&'a self, host: &'a str) -> impl Iterator<Item = &'a T> {
        let suffixes = host
            .match_indices('.')
            .filter_map(|(at, _)| host.get(at..))
            .filter_map(|suffix| find(&self.below, suffix));
        find(&self.exact, host).into_iter().chain(suffixes)
    }
}

fn find<'a, T>(list: &'a [(String, T)], key: &str) -> Option<&'a T> {
    let at = list
        .binary_search_by(|(other, _)| other.as_str().cmp(key))
        .ok()?;
    list.get(at).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        let check = |authority: &[u8], expected: Option<&str>| {
            let host = host_of(authority);
            assert_eq!(host.as_deref(), expected, "{}", authority.escape_ascii());
        };
        check(b"api.example.com", Some("api.example.com"));
        check(b"API.Example.com:8443", Some("api.example.com"));
        check(b"api.example.com.", Some("api.example.com"));
        check(b"api.example.com.:80", Some("api.example.com"));
        check(b"127.0.0.1:80", Some("127.0.0.1"));
        check(b"[::1]:8080", Some("[::1]"));
        check(b"[2001:DB8:0:0::1]", Some("[2001:db8::1]"));
        check(b"host_name:", Some("host_name"));
        check(b"", None);
        check(b".", None);
        check(b":80", None);
        check(b"a..b", None);
        check(b"a.test,b.test", None);
        check(b"a.test@evil.test", None);
        check(b"a.test:80:80", None);
        check(b"a.test:8o", None);
        check(b"a.test:123456", None);
        check(b"a test", None);
        check(b"a.test\xff", None);
        check(b"a%2etest", None);
        check(b"[::1", None);
        check(b"[::1]8080", None);
        check(b"[::1]x", None);
        check(b"[fe80::1%25eth0]", None);
    }

    #[test]
    fn the_exact_host_comes_before_the_longest_suffix() {
        let pattern = |text: &str| match text.strip_prefix('*') {
            Some(suffix) => HostPattern::Below(suffix.to_owned()),
            None => HostPattern::Exact(text.to_owned()),
        };
        let names = ["*.example.com", "*.b.example.com", "a.b.example.com"];
        let map = HostMap::new(
            names.map(|name| (pattern(name), name)),
            String::new,
            |all, name| all.push_str(name),
        );
        let check = |host: &str, expected: &[&str]| {
            assert_eq!(map.get(host).collect::<Vec<_>>(), expected, "{host}");
        };
        check(
            "a.b.example.com",
            &["a.b.example.com", "*.b.example.com", "*.example.com"],
        );
        check("c.b.example.com", &["*.b.example.com", "*.example.com"]);
        check("b.example.com", &["*.example.com"]);
        check("example.com", &[]);
        check("evilexample.com", &[]);
        check("a.example.com.evil.net", &[]);
    }
}
