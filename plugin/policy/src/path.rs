//! A path in segments, as routes match it.
//!
//! Backends differ in what they take for the same path, so a route matches every spelling that some backend would:
//! once-decoded, repeated slashes and one at the end ignored, `;…` in a segment dropped. Case is ignored where
//! literals are compared.

use std::borrow::Cow;

/// The path of a request target, without its query, percent-decoded.
pub(crate) fn decoded(target: &[u8]) -> Cow<'_, [u8]> {
    percent_decoded(path_of(target))
}

/// Text percent-decoded once (RFC 3986 section 2.1). A `%` that no two hexadecimal digits follow stands for itself.
/// Allocates only if something is to be decoded.
pub(crate) fn percent_decoded(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'%') {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = if byte == b'%' { byte_of(after) } else { None };
        let (byte, after) = escaped.unwrap_or((byte, after));
        out.push(byte);
        rest = after;
    }
    Cow::Owned(out)
}

/// The target in front of its query.
pub(crate) fn path_of(target: &[u8]) -> &[u8] {
    let end = target
        .iter()
        .position(|b| *b == b'?')
        .unwrap_or(target.len());
    target.get(..end).unwrap_or(target)
}

/// The byte that two hexadecimal digits stand for, and what follows them.
pub(crate) fn byte_of(text: &[u8]) -> Option<(u8, &[u8])> {
    let ([high, low], rest) = text.split_first_chunk::<2>()?;
    let digit = |b: u8| {
        char::from(b)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    Some((digit(*high)? << 4 | digit(*low)?, rest))
}

/// The first segment that is not empty, and what follows it; `None` at the end.
pub(crate) fn next_segment(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = path;
    while !rest.is_empty() {
        let end = rest.iter().position(|b| *b == b'/').unwrap_or(rest.len());
        let (segment, after) = rest.split_at_checked(end)?;
        rest = after.get(1..).unwrap_or_default();
        let end = segment
            .iter()
            .position(|b| *b == b';')
            .unwrap_or(segment.len());
        match segment.get(..end) {
            Some(segment) if !segment.is_empty() => return Some((segment, rest)),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        let check = |target: &str, expected: &[&str]| {
            let path = decoded(target.as_bytes());
            let mut rest: &[u8] = &path;
            let mut segments = Vec::new();
            while let Some((segment, after)) = next_segment(rest) {
                segments.push(String::from_utf8_lossy(segment).into_owned());
                rest = after;
            }
            assert_eq!(segments, expected, "{target}");
        };
        check("", &[]);
        check("/", &[]);
        check("//", &[]);
        check("/a/b", &["a", "b"]);
        check("/a/b/", &["a", "b"]);
        check("//a///b//", &["a", "b"]);
        check("/a;v=1/b;x", &["a", "b"]);
        check("/;x/a", &["a"]);
        check("/a%2Fb%3Bc", &["a", "b"]);
        check("/%6D%61tch", &["match"]);
        check("/%256d", &["%6d"]);
        check("/a?b=/c", &["a"]);
        check("/a%3Fb", &["a?b"]);
        check("/%", &["%"]);
        check("/%4", &["%4"]);
        check("/%zz", &["%zz"]);
        check("/a/../b", &["a", "..", "b"]);
    }
}
