//! Message heads as borrowed bytes: what the host gave, duplicates and all, looked at without copying.

use std::cmp::Ordering;

/// One header line: name and value as bytes. The name's case is the host's; a value may hold any byte.
pub type Line<'a> = (&'a [u8], &'a [u8]);

/// A request's head: its header lines, pseudo-headers among them, as the proxy-wasm ABI hands them over.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    lines: &'a [Line<'a>],
    method: &'a [u8],
    path: &'a [u8],
    /// Whether nothing follows, where the host tells.
    end: Option<bool>,
}

impl<'a> RequestHead<'a> {
    /// Wraps the lines; a missing `:method` or `:path` reads as empty.
    pub fn new(lines: &'a [Line<'a>]) -> Self {
        Self {
            lines,
            method: first(lines, ":method").unwrap_or_default(),
            path: first(lines, ":path").unwrap_or_default(),
            end: None,
        }
    }

    /// With what a host knows that tells the end of a message: whether nothing follows this head.
    pub fn with_end(self, end: bool) -> Self {
        Self {
            end: Some(end),
            ..self
        }
    }

    /// The lines in their order.
    pub fn lines(&self) -> &'a [Line<'a>] {
        self.lines
    }

    /// The method as sent. Methods are case-sensitive (RFC 9110 section 9.1).
    pub fn method(&self) -> &'a [u8] {
        self.method
    }

    /// The request target with its query, as sent.
    pub fn path(&self) -> &'a [u8] {
        self.path
    }

    /// The host asked for, port and all. Envoy gives it as `:authority`; nginx fills that from its configuration and
    /// keeps the client's in `host`, so `host` wins where both stand.
    pub fn authority(&self) -> Option<&'a [u8]> {
        self.get("host").or_else(|| self.get(":authority"))
    }

    /// The announced length of the body. One past 2^64 is that long at least.
    pub(crate) fn content_length(&self) -> Option<u64> {
        let digits = std::str::from_utf8(self.get("content-length")?).ok()?;
        Some(digits.parse().unwrap_or(u64::MAX))
    }

    /// Whether what follows is a tunnel and no body: an upgrade (RFC 9110 section 7.8) that is not framed as one.
    pub(crate) fn is_tunnel(&self) -> bool {
        self.get("upgrade").is_some()
            && self.get("transfer-encoding").is_none()
            && self.content_length().is_none_or(|length| length == 0)
    }

    /// Whether a body follows: as the host says, or as the message is framed (RFC 9112 section 6.3).
    pub(crate) fn has_body(&self) -> bool {
        if self.is_tunnel() {
            return false;
        }
        match self.end {
            Some(end) => !end,
            None => {
                self.get("transfer-encoding").is_some()
                    || self.content_length().is_some_and(|length| length > 0)
            }
        }
    }

    /// Whether something may follow, as far as the host tells.
    pub(crate) fn is_open(&self) -> bool {
        self.end != Some(true)
    }

    /// Whether a body may follow all the same: HTTP/2 needs no header for that (RFC 9113 section 8.1.1).
    pub(crate) fn may_have_body(&self) -> bool {
        self.has_body() || (self.end.is_none() && !self.is_tunnel())
    }

    /// Whether the connection to the gateway itself is encrypted.
    pub fn is_https(&self) -> bool {
        self.get(":scheme")
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"https"))
    }

    /// Whether the request is a CORS preflight (Fetch standard, "CORS-preflight request"): OPTIONS with `Origin` and an
    /// `Access-Control-Request-Method` that says something. Gives the method that is asked for.
    pub fn preflight(&self) -> Option<&'a [u8]> {
        if self.method != b"OPTIONS" {
            return None;
        }
        self.get("origin")?;
        self.all("access-control-request-method")
            .find(|method| !method.is_empty())
    }

    /// The value of a header that stands on exactly one line; `name` is lower case.
    pub fn only(&self, name: &'a str) -> Option<&'a [u8]> {
        let mut values = self.all(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// Whether the request is gRPC, by the same test that Envoy makes before it turns a reply into a gRPC status.
    pub fn is_grpc(&self) -> bool {
        self.get("content-type")
            .and_then(|value| value.strip_prefix(b"application/grpc"))
            .is_some_and(|rest| matches!(rest.first(), None | Some(b'+')))
    }

    /// The first value of a header; `name` is lower case.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        first(self.lines, name)
    }

    /// Every value of a header in order; `name` is lower case.
    pub fn all(&self, name: &'a str) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        self.lines
            .iter()
            .filter(move |(other, _)| is(other, name))
            .map(|(_, value)| *value)
    }
}

/// A response's head: its header lines, `:status` among them.
#[derive(Clone, Copy, Debug)]
pub struct ResponseHead<'a> {
    lines: &'a [Line<'a>],
}

impl<'a> ResponseHead<'a> {
    /// Wraps the lines.
    pub fn new(lines: &'a [Line<'a>]) -> Self {
        Self { lines }
    }

    /// The status, if there is one that is a number.
    pub fn status(&self) -> Option<u16> {
        str::from_utf8(self.get(":status")?).ok()?.parse().ok()
    }

    /// The first value of a header; `name` is lower case.
    pub(crate) fn get(&self, name: &str) -> Option<&'a [u8]> {
        first(self.lines, name)
    }

    /// The lines in their order.
    pub fn lines(&self) -> &'a [Line<'a>] {
        self.lines
    }
}

/// Orders a lower-case name and one of any case as if both were lower case.
pub(crate) fn compare_names(lower: &str, name: &[u8]) -> Ordering {
    lower.bytes().cmp(name.iter().map(u8::to_ascii_lowercase))
}

/// Whether a header has this name, in any case.
pub(crate) fn is(name: &[u8], wanted: &str) -> bool {
    name.eq_ignore_ascii_case(wanted.as_bytes())
}

/// Whether a header's name begins so, in any case.
pub(crate) fn begins(name: &[u8], prefix: &str) -> bool {
    name.get(..prefix.len())
        .is_some_and(|front| front.eq_ignore_ascii_case(prefix.as_bytes()))
}

fn first<'a>(lines: &'a [Line<'a>], name: &str) -> Option<&'a [u8]> {
    lines
        .iter()
        .find(|(other, _)| is(other, name))
        .map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preflight_has_an_origin_and_a_method() {
        let check = |lines: &[Line<'_>], expected: Option<&[u8]>| {
            assert_eq!(RequestHead::new(lines).preflight(), expected, "{lines:?}");
        };
        let asked: Line<'_> = (b"Access-Control-Request-Method", b"PUT");
        check(
            &[(b":method", b"OPTIONS"), (b"origin", b"null"), asked],
            Some(b"PUT"),
        );
        check(&[(b":method", b"OPTIONS"), asked], None);
        check(&[(b":method", b"OPTIONS"), (b"origin", b"null")], None);
        check(&[(b":method", b"GET"), (b"origin", b"null"), asked], None);
        check(
            &[(b":method", b"options"), (b"origin", b"null"), asked],
            None,
        );
        let nothing: Line<'_> = (b"access-control-request-method", b"");
        check(
            &[(b":method", b"OPTIONS"), (b"origin", b"null"), nothing],
            None,
        );
        check(
            &[(b":method", b"OPTIONS"), (b"origin", b""), nothing, asked],
            Some(b"PUT"),
        );
    }

    #[test]
    fn grpc_is_known_by_its_content_type() {
        let check = |value: &[u8], expected: bool| {
            assert_eq!(
                RequestHead::new(&[(b"content-type", value)]).is_grpc(),
                expected
            );
        };
        check(b"application/grpc", true);
        check(b"application/grpc+proto", true);
        check(b"application/grpc-web", false);
        check(b"application/json", false);
        check(b"", false);
    }
}
