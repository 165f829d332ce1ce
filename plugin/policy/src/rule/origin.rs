//! Origins: the set that a policy lets read, and the one that a request comes from.
//!
//! An origin that a browser sends has one spelling, so a listed one is found byte for byte. Only where a pattern leaves
//! something open is an origin taken apart, and what is no origin then matches nothing.

use portcullis_config::{HostPattern, OriginPattern, OriginPort, Origins, written_port};

use crate::host::HostMap;
use crate::message::RequestHead;

/// A scheme of 64 bytes, a host of 253, a port, and what stands between them: no browser sends a longer one.
const LONGEST: usize = 326;

/// The origins of a policy.
#[derive(Clone, Debug)]
pub(crate) enum OriginSet {
    /// All of them, `null` too.
    Any,
    Listed(Listed),
}

#[derive(Clone, Debug)]
pub(crate) struct Listed {
    /// Sorted.
    exact: Vec<String>,
    /// What a host's origins may have for a scheme and a port.
    patterns: HostMap<Vec<(String, OriginPort)>>,
}

impl OriginSet {
    pub(crate) fn compile(origins: &Origins) -> Self {
        let Origins::Listed(patterns) = origins else {
            return Self::Any;
        };
        let mut exact: Vec<String> = patterns.iter().filter_map(OriginPattern::exact).collect();
        exact.sort_unstable();
        exact.dedup();
        let open = patterns.iter().filter(|pattern| pattern.exact().is_none());
        let open = open.map(|pattern| {
            let host: HostPattern = pattern.host.clone();
            (host, (pattern.scheme.clone(), pattern.port))
        });
        Self::Listed(Listed {
            exact,
            patterns: HostMap::new(open, Vec::new, |all, one| all.push(one)),
        })
    }

    /// Whether pages of this origin may read.
    pub(crate) fn has(&self, origin: &[u8]) -> bool {
        let Self::Listed(listed) = self else {
            return true;
        };
        let is_listed = || {
            listed
                .exact
                .binary_search_by(|one| one.as_bytes().cmp(origin))
                .is_ok()
        };
        origin.len() <= LONGEST && (is_listed() || listed.has_pattern_for(origin))
    }
}

impl Listed {
    fn has_pattern_for(&self, origin: &[u8]) -> bool {
        let Some((scheme, host, port)) = parts(origin) else {
            return false;
        };
        self.patterns.get(host).flatten().any(|(one, ports)| {
            let open = match ports {
                OriginPort::Any => true,
                OriginPort::Default => port.is_none(),
                OriginPort::Number(number) => port == Some(*number),
            };
            open && one == scheme
        })
    }
}

/// Scheme, host and port of an origin as browsers serialise it; `None` if it is none, or one like `null` that has no
/// parts.
fn parts(origin: &[u8]) -> Option<(&str, &str, Option<u16>)> {
    let text = std::str::from_utf8(origin).ok()?;
    let (scheme, authority) = text.split_once("://")?;
    let (host, port) = match authority.rsplit_once(':') {
        // The last colon of an IPv6 address is not that of a port.
        Some((host, port)) if !port.ends_with(']') => (host, Some(written_port(scheme, port)?)),
        _ => (authority, None),
    };
    let is_name = |host: &str| {
        let label = |label: &str| {
            let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b);
            !label.is_empty() && label.bytes().all(legal)
        };
        host.len() <= 253 && host.split('.').all(label)
    };
    // An address in brackets is compared as a whole.
    (host.starts_with('[') || is_name(host)).then_some((scheme, host, port))
}

/// Whether a request comes from a page of its own origin: the origin is that of the host it asks for, or the browser
/// says so. It says so where a page with `Referrer-Policy: no-referrer` hides its origin from its own forms (Fetch
/// standard, "append a request `Origin` header"; Fetch Metadata, `Sec-Fetch-Site`), and pages cannot say it themselves.
pub(crate) fn is_own(head: &RequestHead<'_>, https: bool) -> bool {
    if head.only("sec-fetch-site") == Some(b"same-origin") {
        return true;
    }
    let (scheme, port): (&[u8], &[u8]) = if https {
        (b"https://", b":443")
    } else {
        (b"http://", b":80")
    };
    let host = head
        .only("origin")
        .and_then(|origin| origin.strip_prefix(scheme));
    let own = head
        .authority()
        .map(|authority| authority.strip_suffix(port).unwrap_or(authority));
    match (host, own) {
        (Some(host), Some(own)) => !own.is_empty() && host.eq_ignore_ascii_case(own),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::cors::tests::section;

    fn check(origins: &[&str], allowed: &[&str], others: &[&str]) {
        let text = serde_json::to_string(origins).unwrap();
        let set = OriginSet::compile(&section(&format!(r#"{{"origins":{text}}}"#)).origins);
        for origin in allowed {
            assert!(set.has(origin.as_bytes()), "{origins:?} lacks {origin}");
        }
        for origin in others {
            assert!(!set.has(origin.as_bytes()), "{origins:?} has {origin}");
        }
    }

    #[test]
    fn exact_origins() {
        check(
            &[
                "https://foo.com",
                "https://bar.com",
                "http://localhost:3000",
            ],
            &[
                "https://foo.com",
                "https://bar.com",
                "http://localhost:3000",
            ],
            &[
                "",
                "null",
                "https://barfoo.com",
                "http://foo.com",
                "https://foo.com:443",
                "https://foo.com:8443",
                "https://foo.com.",
                "https://foo.com/",
                "https://FOO.com",
                "HTTPS://foo.com",
                "https://foo.com.evil.test",
                "https://foo.com,https://bar.com",
                "http://localhost",
                "http://localhost:30000",
            ],
        );
    }

    #[test]
    fn hosts_below() {
        check(
            &[
                "https://*.example.com",
                "https://*.b.test:*",
                "http://*.c.test:81",
            ],
            &[
                "https://a.example.com",
                "https://a.b.example.com",
                "https://a-_0.example.com",
                "https://x.b.test",
                "https://x.b.test:8443",
                "http://x.c.test:81",
            ],
            &[
                "https://example.com",
                "https://.example.com",
                "https://a..example.com",
                "https://evilexample.com",
                "https://a.example.com.evil.test",
                "https://a.example.com:8443",
                "https://a.example.com:443",
                "http://a.example.com",
                "https://evil.test/.example.com",
                "https://evil.test?.example.com",
                "https://u@a.example.com",
                "https://a.example.com.",
                "https://A.example.com",
                "https://é.example.com",
                "https://b.test",
                "https://x.b.test:",
                "https://x.b.test:0",
                "https://x.b.test:01",
                "https://x.b.test:443",
                "https://x.b.test:65536",
                "https://x.b.test:99999",
                "https://x.b.test:+1",
                "http://x.c.test",
                "http://x.c.test:80",
            ],
        );
    }

    #[test]
    fn any_port() {
        check(
            &["http://localhost:*", "http://[::1]:*", "http://192.0.2.1:*"],
            &[
                "http://localhost",
                "http://localhost:1",
                "http://localhost:65535",
                "http://[::1]",
                "http://[::1]:3000",
                "http://192.0.2.1:8000",
            ],
            &[
                "https://localhost",
                "http://localhost:80",
                "http://localhost:a",
                "http://a.localhost",
                "http://[::1]3000",
                "http://[::2]",
                "http://::1",
                "http://192.0.2.10",
            ],
        );
    }

    #[test]
    fn length_is_bounded() {
        let longest = format!("https://{}.example.com", "a.".repeat(153) + "a");
        assert_eq!(longest.len(), 327);
        check(&["https://*.example.com"], &[], &[&longest]);
    }

    #[test]
    fn own_origin() {
        let check = |origin: &str, host: &str, https: bool, site: &[&str], expected: bool| {
            let mut lines = vec![
                (&b"origin"[..], origin.as_bytes()),
                (b":authority", host.as_bytes()),
            ];
            lines.extend(
                site.iter()
                    .map(|site| (&b"Sec-Fetch-Site"[..], site.as_bytes())),
            );
            assert_eq!(
                is_own(&RequestHead::new(&lines), https),
                expected,
                "{lines:?}"
            );
        };
        check("https://a.test", "a.test", true, &[], true);
        check("https://a.test", "A.test:443", true, &[], true);
        check("https://a.test:8443", "a.test:8443", true, &[], true);
        check("http://a.test", "a.test:80", false, &[], true);
        check("http://a.test", "a.test", true, &[], false);
        check("https://a.test", "a.test", false, &[], false);
        check("https://a.test", "b.test", true, &["cross-site"], false);
        check("https://a.test", "", true, &[], false);
        check("https://", "", true, &[], false);
        check("null", "a.test", true, &[], false);
        check("null", "a.test", true, &["same-origin"], true);
        check("null", "a.test", true, &["same-site"], false);
        check("null", "a.test", true, &["none"], false);
        check(
            "null",
            "a.test",
            true,
            &["cross-site", "same-origin"],
            false,
        );
        check("null", "a.test", true, &["cross-site,same-origin"], false);
    }
}
