//! Host patterns: an exact host, or every host below one.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::diagnostic::code;
use crate::walk::{Node, shown};

/// A host as the policy names it, lower case, without port and trailing dot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostPattern {
    /// `api.example.com`, `192.0.2.1`, `[2001:db8::1]`
    Exact(String),
    /// `*.example.com` as `.example.com`: every host that ends so, at any depth, but not `example.com` itself.
    Below(String),
}

impl HostPattern {
    /// Reads a pattern; `Err` is the help line.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if text == "*" {
            return Err("leave the key out to allow any host");
        }
        if text.contains("://") || text.contains('/') {
            return Err("a host alone: no scheme and no path");
        }
        if !text.is_ascii() {
            return Err("write an international name in its ASCII form, `xn--…`");
        }
        let text = text.to_ascii_lowercase();
        if let Some(inner) = text.strip_prefix('[') {
            let address = inner
                .strip_suffix(']')
                .and_then(|i| i.parse::<Ipv6Addr>().ok());
            return address
                .map(|address| Self::Exact(format!("[{address}]")))
                .ok_or("an IPv6 address stands in brackets, without a port");
        }
        if text.contains(':') {
            return Err("leave the port out: every port of the host matches");
        }
        let text = text.strip_suffix('.').unwrap_or(&text);
        let (below, name) = match text.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, text),
        };
        if name.contains('*') {
            return Err("`*` stands only at the front, as in `*.example.com`");
        }
        if !is_host_name(name) {
            return Err("labels of a-z, 0-9, `-` and `_`, up to 63 bytes each, 253 in all");
        }
        let numeric = name
            .rsplit('.')
            .next()
            .is_some_and(|last| last.starts_with("0x") || last.bytes().all(|b| b.is_ascii_digit()));
        if numeric && (below || name.parse::<Ipv4Addr>().is_err()) {
            return Err("a name that ends in a number must be an IPv4 address");
        }
        Ok(if below {
            Self::Below(format!(".{name}"))
        } else {
            Self::Exact(name.to_owned())
        })
    }

    pub(crate) fn read(node: &Node<'_>) -> Option<Self> {
        let text = node.string()?;
        match Self::parse(text) {
            Ok(pattern) => Some(pattern),
            Err(help) => {
                node.error(
                    code::HOST_PATTERN,
                    format!("`{}` is not a host pattern", shown(text)),
                    Some(help),
                );
                None
            }
        }
    }
}

fn is_host_name(name: &str) -> bool {
    name.len() <= 253
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let exact = |text: &str, host: &str| {
            assert_eq!(
                HostPattern::parse(text),
                Ok(HostPattern::Exact(host.into()))
            );
        };
        let below = |text: &str, suffix: &str| {
            assert_eq!(
                HostPattern::parse(text),
                Ok(HostPattern::Below(suffix.into()))
            );
        };
        let refused = |text: &str| assert!(HostPattern::parse(text).is_err(), "{text}");
        exact("API.example.com", "api.example.com");
        exact("example.com.", "example.com");
        exact("192.0.2.1", "192.0.2.1");
        exact("[2001:DB8:0::1]", "[2001:db8::1]");
        exact("localhost", "localhost");
        below("*.example.com", ".example.com");
        refused("");
        refused("*");
        refused("*.");
        refused("*example.com");
        refused("a.*.example.com");
        refused("https://example.com");
        refused("example.com:8080");
        refused("example.com/x");
        refused("exa mple.com");
        refused("a..b");
        refused("münchen.example");
        refused("1.2.3");
        refused("0x7f.0x1");
        refused("*.1.2.3.4");
        refused("[::1");
        refused("2001:db8::1");
    }
}
