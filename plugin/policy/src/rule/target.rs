//! The request target: its length, its spelling, the number of its query parameters.
//!
//! Two parties that read the same target differently are two parties that can be played off against each other. What
//! no reading agrees on is refused as malformed; what readings differ on is refused as ambiguous.

use crate::path::{byte_of, path_of};
use crate::refusal::{self, Refusal};

/// Whether some backend would take the path for another one: encoded slashes and backslashes, dot segments, path
/// parameters, double encoding (RFC 3986 section 6.2 leaves each of them to the server).
pub(crate) fn is_ambiguous(target: &[u8]) -> bool {
    let path = path_of(target);
    if path.iter().any(|b| matches!(b, b'\\' | b';')) {
        return true;
    }
    let encoded = escapes(path).any(|escape| match escape {
        // `%25` is a percent sign: what follows it, decoded too, may become an escape of its own.
        Some((b'%', rest)) => decodes_to_digits(rest),
        Some((byte, _)) => matches!(byte, b'/' | b'\\' | b';'),
        None => false,
    });
    encoded || path.split(|b| *b == b'/').any(is_dot_segment)
}

/// Refuses bytes that no target has (RFC 9112 section 3.2), escapes that are none, and encoded control characters
/// where they end strings or lines elsewhere.
pub(crate) fn refuse_malformed(target: &[u8]) -> Option<&'static Refusal> {
    let form = target.first() == Some(&b'/') || target == b"*";
    let plain = !target.iter().any(|b| matches!(b, 0..=b' ' | b'#' | 0x7f));
    let in_path = path_of(target).len();
    let mut read = 0;
    let escaped = escapes(target).all(|escape| match escape {
        Some((byte, rest)) => {
            read = target.len() - rest.len();
            // A line break may be a form's text in the query; in a path it is nothing but an attack.
            byte != 0 && (read > in_path || !byte.is_ascii_control())
        }
        None => false,
    });
    (!(form && plain && escaped)).then_some(&refusal::PATH_MALFORMED)
}

/// How many parameters the query has: its parts between `&`, empty ones not counted.
pub(crate) fn query_parameters(target: &[u8]) -> usize {
    let query = target.get(path_of(target).len()..).and_then(|q| q.get(1..));
    query.map_or(0, |query| {
        query
            .split(|b| *b == b'&')
            .filter(|part| !part.is_empty())
            .count()
    })
}

/// Each `%` in turn: the byte that it encodes and what follows, or `None` if it encodes none.
fn escapes(text: &[u8]) -> impl Iterator<Item = Option<(u8, &[u8])>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let at = rest.iter().position(|b| *b == b'%')?;
        let after = rest.get(at + 1..)?;
        let escape = byte_of(after);
        rest = escape.map_or(after, |(_, after)| after);
        Some(escape)
    })
}

/// Whether two hexadecimal digits come next, each as it is or encoded.
fn decodes_to_digits(text: &[u8]) -> bool {
    let digit = |text| match next_decoded(text) {
        Some((byte, rest)) if byte.is_ascii_hexdigit() => Some(rest),
        _ => None,
    };
    digit(text).and_then(digit).is_some()
}

/// The first byte, decoded once, and what follows it.
fn next_decoded(text: &[u8]) -> Option<(u8, &[u8])> {
    let (byte, rest) = text.split_first()?;
    match byte {
        b'%' => byte_of(rest),
        plain => Some((*plain, rest)),
    }
}

/// `.` or `..`, each dot plain or encoded.
fn is_dot_segment(segment: &[u8]) -> bool {
    let mut rest = segment;
    let mut dots = 0;
    while let Some((b'.', after)) = next_decoded(rest) {
        rest = after;
        dots += 1;
    }
    rest.is_empty() && matches!(dots, 1 | 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ambiguous_paths() {
        let check = |target: &str, expected: bool| {
            assert_eq!(is_ambiguous(target.as_bytes()), expected, "{target}");
        };
        check("/a/b", false);
        check("/a//b/", false);
        check("/a.b/..c/...", false);
        check("/%61/%C3%A4", false);
        check("/100%25", false);
        check("/a?b=../%2f;\\%252f", false);
        check("*", false);
        check("/a%2Fb", true);
        check("/a%5cb", true);
        check("/a\\b", true);
        check("/a/../b", true);
        check("/a/.", true);
        check("/a/%2e%2E/b", true);
        check("/.%2e", true);
        check("/a;v=1", true);
        check("/a%3bv", true);
        check("/a%252fb", true);
        check("/a%2561", true);
        check("/a%252%66b", true);
        check("/a%25%32fb", true);
        check("/a%25%32%46b", true);
        check("/a%25%32", false);
        check("/a%25%20b", false);
    }

    #[test]
    fn malformed_targets() {
        let check = |target: &[u8], malformed: bool| {
            let refused = refuse_malformed(target).is_some();
            assert_eq!(refused, malformed, "{}", target.escape_ascii());
        };
        check(b"/", false);
        check(b"*", false);
        check(b"/a%20b?c=%0a&d=%C3%A4", false);
        check(b"/caf\xc3\xa9", false);
        check(b"/100%25", false);
        check(b"", true);
        check(b"a", true);
        check(b"http://evil.test/", true);
        check(b"/a b", true);
        check(b"/a\0", true);
        check(b"/a\x7f", true);
        check(b"/a#b", true);
        check(b"/%00", true);
        check(b"/a?b=%00", true);
        check(b"/a%0d%0ab", true);
        check(b"/a%7F", true);
        check(b"/%", true);
        check(b"/%4", true);
        check(b"/%zz", true);
        check(b"/a?b=100%", true);
    }

    #[test]
    fn query_parameters_are_counted() {
        let check = |target: &str, expected: usize| {
            assert_eq!(query_parameters(target.as_bytes()), expected, "{target}");
        };
        check("/a", 0);
        check("/a?", 0);
        check("/a?b", 1);
        check("/a?b=1&c=2&&d", 3);
        check("/a&b?c?d&e", 2);
    }
}
