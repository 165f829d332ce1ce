//! Origin patterns: the origins whose pages may read, as `cors.origins` writes them.
//!
//! A browser sends an origin in one serialised form (HTML standard, "serialization of an origin"), and it is compared
//! byte for byte: an entry in any other form would never match. So it is refused, with the form that was meant.

use std::net::{IpAddr, Ipv6Addr};

use crate::diagnostic::code;
use crate::host_pattern::HostPattern;
use crate::walk::{Node, shown};

/// One entry of `cors.origins` that is not `*`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OriginPattern {
    /// Lower case, without `://`.
    pub scheme: String,
    /// The host, or every host below one; an IPv6 address as browsers write it.
    pub host: HostPattern,
    /// The ports.
    pub port: OriginPort,
}

/// Which ports an [`OriginPattern`] takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OriginPort {
    /// The scheme's own, which an origin does not write.
    Default,
    /// This one alone.
    Number(u16),
    /// Any, written or not: `:*`.
    Any,
}

/// What is wrong with an entry: its code, what to say of it, what to do.
type Fault = (&'static str, &'static str, String);

impl OriginPattern {
    pub(crate) fn read(node: &Node<'_>) -> Option<Self> {
        let text = node.string()?;
        match Self::parse(text) {
            Ok(pattern) => Some(pattern),
            Err((code, what, help)) => {
                let help = match repaired(text) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => help,
                };
                node.error(code, format!("`{}` {what}", shown(text)), Some(&help));
                None
            }
        }
    }

    fn parse(text: &str) -> Result<Self, Fault> {
        let malformed = |help: &str| {
            let what = "is not an origin";
            Err((code::CORS_ORIGIN_SYNTAX, what, help.to_owned()))
        };
        let misplaced = |help: &str| {
            let what = "has a wildcard where none can stand";
            Err((code::CORS_ORIGIN_WILDCARD, what, help.to_owned()))
        };
        if text == "null" {
            return Err((
                code::CORS_ORIGIN_PROHIBITED,
                "is the origin of every sandboxed frame and local file",
                "only `[\"*\"]` without credentials lets it in, as it lets in everybody".to_owned(),
            ));
        }
        if text == "*" {
            return misplaced("`*` stands alone: with it, the other entries say nothing");
        }
        if !text.is_ascii() {
            return malformed("write an international name in its ASCII form, `xn--…`");
        }
        if text.contains([',', ' ', '\t']) {
            return malformed("one origin an entry, without white space");
        }
        if text.contains(['\\', '^', '$', '(', '|']) {
            return malformed(
                "no regular expressions: `https://*.example.com` is every host below",
            );
        }
        let Some((scheme, authority)) = text.split_once("://") else {
            return malformed(
                "an origin is scheme, host and port, as in `https://app.example.com`",
            );
        };
        if scheme == "file" {
            return Err((
                code::CORS_ORIGIN_PROHIBITED,
                "is no origin: pages from files have the origin `null`",
                "serve the page over http on localhost".to_owned(),
            ));
        }
        if !is_scheme(scheme) || text.bytes().any(|b| b.is_ascii_uppercase()) {
            return malformed("scheme and host in lower case, as browsers send them");
        }
        if authority.contains(['/', '?', '#', '@']) {
            return malformed("scheme, host and port alone: no path, query or user");
        }
        let (host, port) = split_port(authority);
        let port = match port {
            None => OriginPort::Default,
            Some("*") => OriginPort::Any,
            Some(digits) => OriginPort::Number(number(scheme, digits)?),
        };
        if host.contains('*') && !host.starts_with("*.") || host.starts_with("*.*") {
            return misplaced(
                "`*` is the whole first label or the whole port, as in `https://*.example.com:*`",
            );
        }
        if host.ends_with('.') {
            return malformed("leave out the dot at the end: with it, it is another origin");
        }
        let read = HostPattern::parse(host).map(|host| match host {
            HostPattern::Exact(canonical) => HostPattern::Exact(serialized(canonical)),
            below @ HostPattern::Below(_) => below,
        });
        match read {
            Ok(HostPattern::Exact(canonical)) if canonical != host => {
                malformed("an address in its canonical form")
            }
            Ok(host) => Ok(Self {
                scheme: scheme.to_owned(),
                host,
                port,
            }),
            Err(_) if host.starts_with("*.") && HostPattern::parse(after_star(host)).is_ok() => {
                misplaced("an address has no names below it")
            }
            Err(help) => malformed(help),
        }
    }

    /// Whether what is sent to and from pages of this origin can be read and changed on the way: plain http, beyond
    /// the machine itself (Secure Contexts, section 3.1).
    pub fn is_insecure(&self) -> bool {
        let name = match &self.host {
            HostPattern::Exact(host) => host.as_str(),
            HostPattern::Below(suffix) => suffix.as_str(),
        };
        let address = name.trim_start_matches('[').trim_end_matches(']');
        let local = name == "localhost"
            || name.ends_with(".localhost")
            || address
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        self.scheme == "http" && !local
    }

    /// The one origin that it takes, as browsers send it; `None` if it takes several.
    pub fn exact(&self) -> Option<String> {
        let HostPattern::Exact(host) = &self.host else {
            return None;
        };
        let scheme = &self.scheme;
        match self.port {
            OriginPort::Default => Some(format!("{scheme}://{host}")),
            OriginPort::Number(port) => Some(format!("{scheme}://{host}:{port}")),
            OriginPort::Any => None,
        }
    }
}

/// The port that a scheme's origins do not write.
fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// The port that an origin of this scheme writes so; `None` if no browser writes it.
pub fn written_port(scheme: &str, digits: &str) -> Option<u16> {
    let canonical = !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
    let port = digits.parse().ok().filter(|_| canonical);
    port.filter(|port| default_port(scheme) != Some(*port))
}

fn number(scheme: &str, digits: &str) -> Result<u16, Fault> {
    let wrong = |help: &str| {
        let what = "has a port that no browser sends";
        Err((code::CORS_ORIGIN_PORT, what, help.to_owned()))
    };
    match written_port(scheme, digits) {
        Some(port) => Ok(port),
        None if digits.parse().ok() == default_port(scheme) && !digits.starts_with('0') => {
            wrong("browsers leave the scheme's own port out")
        }
        None => wrong("a port is 1 to 65535, or `*` for any"),
    }
}

/// `host:port` in two; the colons of an IPv6 address stand in brackets.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    let end = match authority.rfind(']') {
        Some(at) => at + 1,
        None if authority.starts_with('[') => return (authority, None),
        None => 0,
    };
    let split = authority
        .split_at_checked(end)
        .and_then(|(_, rest)| rest.find(':'))
        .and_then(|at| authority.split_at_checked(end + at));
    match split {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => (authority, None),
    }
}

fn after_star(host: &str) -> &str {
    host.strip_prefix("*.").unwrap_or(host)
}

/// RFC 3986 section 3.1, in lower case.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.len() <= 64
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-.".contains(&b))
}

/// A host as browsers write it: they know no dotted form within an IPv6 address (URL standard, "IPv6 serializer").
fn serialized(host: String) -> String {
    let mapped = host
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'))
        .and_then(|inner| inner.parse::<Ipv6Addr>().ok())
        .and_then(|address| address.to_ipv4_mapped());
    match mapped.map(|address| address.octets()) {
        Some([a, b, c, d]) => {
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            format!("[::ffff:{high:x}:{low:x}]")
        }
        None => host,
    }
}

/// The entry that was probably meant, if it would be one.
fn repaired(text: &str) -> Option<String> {
    if text.len() > 512 || text == "null" {
        return None;
    }
    let plain = text
        .trim()
        .trim_start_matches('^')
        .trim_end_matches('$')
        .replace(".*", "*")
        .replace('\\', "")
        .to_ascii_lowercase();
    let (scheme, rest) = match plain.split_once("://") {
        Some((scheme, rest)) => (scheme.to_owned(), rest),
        None => (String::new(), plain.as_str()),
    };
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit('@').next()?;
    let (host, port) = split_port(authority);
    let host = host.strip_suffix('.').unwrap_or(host);
    let host = match host.strip_prefix('*') {
        Some(rest) if !rest.starts_with('.') && !rest.is_empty() => format!("*.{rest}"),
        _ => host.to_owned(),
    };
    let host = match HostPattern::parse(&host) {
        Ok(HostPattern::Exact(canonical)) => serialized(canonical),
        _ => host,
    };
    let local = host == "localhost" || host == "[::1]" || host.starts_with("127.");
    let scheme = match scheme.as_str() {
        "" if local => "http".to_owned(),
        "" => "https".to_owned(),
        _ => scheme,
    };
    let own = default_port(&scheme).map(|port| port.to_string());
    let port = port.filter(|port| !port.is_empty() && Some(*port) != own.as_deref());
    let port = port.map_or_else(String::new, |port| format!(":{port}"));
    let meant = format!("{scheme}://{host}{port}");
    (meant != text && OriginPattern::parse(&meant).is_ok()).then_some(meant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_read() {
        let check = |text: &str, exact: Option<&str>| {
            let pattern = OriginPattern::parse(text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
            assert_eq!(pattern.exact().as_deref(), exact, "{text}");
        };
        let same = |text: &str| check(text, Some(text));
        same("https://app.example.com");
        same("https://app.example.com:8443");
        same("http://localhost:3000");
        same("http://192.0.2.1:1");
        same("http://[::1]:65535");
        same("https://[2001:db8::1]");
        same("https://[::ffff:c000:201]");
        same("https://a_b.example.com");
        same("https://xn--mnchen-3ya.example");
        same("http://app.example.com:443");
        same("capacitor://localhost");
        same("chrome-extension://abcdefghijklmnop");
        check("https://*.example.com", None);
        check("https://*.example.com:8443", None);
        check("https://*.example.com:*", None);
        check("http://localhost:*", None);
        check("http://[::1]:*", None);
    }

    #[test]
    fn what_is_no_origin_is_refused_with_what_was_meant() {
        let check = |text: &str, code: &str, meant: Option<&str>| {
            let fault = OriginPattern::parse(text).expect_err(text);
            assert_eq!(fault.0, code, "{text}");
            assert_eq!(repaired(text).as_deref(), meant, "{text}");
        };
        let syntax = "cors-origin-syntax";
        check("example.com", syntax, Some("https://example.com"));
        check("localhost:3000", syntax, Some("http://localhost:3000"));
        check("127.0.0.1", syntax, Some("http://127.0.0.1"));
        check("*.example.com", syntax, Some("https://*.example.com"));
        check("https://example.com/", syntax, Some("https://example.com"));
        check(
            "https://example.com/a?b#c",
            syntax,
            Some("https://example.com"),
        );
        check(
            "https://u:p@example.com",
            syntax,
            Some("https://example.com"),
        );
        check("https://Example.com", syntax, Some("https://example.com"));
        check("HTTPS://example.com", syntax, Some("https://example.com"));
        check(" https://example.com", syntax, Some("https://example.com"));
        check("https://example.com.", syntax, Some("https://example.com"));
        check("https://a.test,https://b.test", syntax, None);
        check("https://a.test https://b.test", syntax, None);
        check("https://münchen.example", syntax, None);
        check("https://", syntax, None);
        check("https://a..b", syntax, None);
        check("https://1.2.3", syntax, None);
        check("https://0x7f.0x1", syntax, None);
        check("http://[::1", syntax, None);
        check("http://[2001:DB8::1]", syntax, Some("http://[2001:db8::1]"));
        check(
            "http://[2001:db8:0::1]",
            syntax,
            Some("http://[2001:db8::1]"),
        );
        check(
            "http://[::ffff:1.2.3.4]",
            syntax,
            Some("http://[::ffff:102:304]"),
        );
        check(
            "https://example.com/(a|b)",
            syntax,
            Some("https://example.com"),
        );
        check("", syntax, None);
        let prohibited = "cors-origin-prohibited";
        check("null", prohibited, None);
        check("file:///home", prohibited, None);
        let port = "cors-origin-port";
        check("https://example.com:443", port, Some("https://example.com"));
        check("http://example.com:80", port, Some("http://example.com"));
        check("https://example.com:", port, Some("https://example.com"));
        check("https://example.com:0", port, None);
        check("https://example.com:08443", port, None);
        check("https://example.com:65536", port, None);
        check("https://example.com:84a", port, None);
        let wildcard = "cors-origin-wildcard";
        check("*", wildcard, None);
        check("https://*", wildcard, None);
        check(
            "https://*example.com",
            wildcard,
            Some("https://*.example.com"),
        );
        check("https://a.*.example.com", wildcard, None);
        check("https://*.*.example.com", wildcard, None);
        check("https://*.192.0.2.1", wildcard, None);
        check("https://example.*", wildcard, None);
        check("https://exam*ple.com", wildcard, None);
        check(
            "https://.*\\.example\\.com",
            syntax,
            Some("https://*.example.com"),
        );
        check(
            "^https://.*\\.example\\.com$",
            syntax,
            Some("https://*.example.com"),
        );
    }

    #[test]
    fn hosts_below_are_insecure_as_their_suffix_is() {
        let check = |text: &str, insecure: bool| {
            assert_eq!(
                OriginPattern::parse(text).unwrap().is_insecure(),
                insecure,
                "{text}"
            );
        };
        check("http://example.com", true);
        check("http://*.example.com", true);
        check("http://10.0.0.1", true);
        check("https://example.com", false);
        check("http://localhost:*", false);
        check("http://a.localhost", false);
        check("http://*.localhost", false);
        check("http://127.1.2.3", false);
        check("http://[::1]", false);
        check("capacitor://localhost", false);
        check("http://notlocalhost", true);
        check("http://localhost.evil.test", true);
    }
}
