//! The names and values of a query string, and of bodies of the same form.
//!
//! Pairs stand between `&` alone, as the URL standard ("application/x-www-form-urlencoded parsing") and today's servers
//! have it. Nothing is decoded until somebody asks: what no parameter takes is not worth the work. Decoding is strict
//! where the matching of routes is lenient, because a value that servers read differently cannot be judged.

use std::borrow::Cow;

use crate::path::{byte_of, path_of, percent_decoded};

/// A name and its value as sent. A pair without `=` has the value "".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) value: &'a [u8],
}

/// How bytes spell text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// Percent-encoded, `+` is a space: queries and form bodies.
    Form,
    /// Percent-encoded (RFC 3986 section 2.1): paths.
    Percent,
    /// As it is: headers, cookies (RFC 6265 gives `%` no meaning), parts of a multipart body.
    Plain,
}

/// Why bytes are no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misread {
    /// A `%` that no two hexadecimal digits follow.
    Escape,
    /// Not UTF-8.
    Unicode,
}

impl Misread {
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Escape => "must have two hexadecimal digits after each `%`",
            Self::Unicode => "must be UTF-8",
        }
    }
}

/// The query of a request target; empty if it has none.
pub(crate) fn query_of(target: &[u8]) -> &[u8] {
    let query = target.get(path_of(target).len() + 1..);
    query.unwrap_or_default()
}

/// The pairs of a query, in their order; what is empty between two `&` is none.
pub(crate) fn pairs(query: &[u8]) -> impl Iterator<Item = Pair<'_>> {
    let parts = query.split(|b| *b == b'&').filter(|part| !part.is_empty());
    parts.map(pair)
}

/// Splits at the first `=`.
pub(crate) fn pair(text: &[u8]) -> Pair<'_> {
    let mut parts = text.splitn(2, |b| *b == b'=');
    Pair {
        name: parts.next().unwrap_or_default(),
        value: parts.next().unwrap_or_default(),
    }
}

/// Bytes as text, decoded once. Allocates only if something is to be decoded.
pub(crate) fn text(bytes: &[u8], spelling: Spelling) -> Result<Cow<'_, str>, Misread> {
    let escaped = spelling != Spelling::Plain && bytes.contains(&b'%');
    if escaped && has_bad_escape(bytes) {
        return Err(Misread::Escape);
    }
    let decoded = if spelling == Spelling::Form && bytes.contains(&b'+') {
        let spaced = bytes.iter().map(|b| if *b == b'+' { b' ' } else { *b });
        let spaced: Vec<u8> = spaced.collect();
        Cow::Owned(percent_decoded(&spaced).into_owned())
    } else if escaped {
        percent_decoded(bytes)
    } else {
        Cow::Borrowed(bytes)
    };
    let text = match decoded {
        Cow::Borrowed(bytes) => str::from_utf8(bytes).map(Cow::Borrowed).ok(),
        Cow::Owned(bytes) => String::from_utf8(bytes).map(Cow::Owned).ok(),
    };
    text.ok_or(Misread::Unicode)
}

/// A name as servers that forgive everything read it.
pub(crate) fn lenient(name: &[u8]) -> Cow<'_, str> {
    text(name, Spelling::Form).unwrap_or_else(|_| {
        String::from_utf8_lossy(&percent_decoded(name))
            .into_owned()
            .into()
    })
}

fn has_bad_escape(text: &[u8]) -> bool {
    let mut behind = text.split(|b| *b == b'%').skip(1);
    behind.any(|rest| byte_of(rest).is_none())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pairs_stand_between_ampersands() {
        let check = |query: &str, expected: &[(&str, &str)]| {
            let pairs: Vec<(&str, &str)> = pairs(query.as_bytes())
                .map(|pair| {
                    let text = |bytes| str::from_utf8(bytes).unwrap();
                    (text(pair.name), text(pair.value))
                })
                .collect();
            assert_eq!(pairs, expected, "{query}");
        };
        check("", &[]);
        check("&&", &[]);
        check("a", &[("a", "")]);
        check("a=", &[("a", "")]);
        check("=", &[("", "")]);
        check("=a", &[("", "a")]);
        check("a=1&b=2", &[("a", "1"), ("b", "2")]);
        check("a=1;b=2", &[("a", "1;b=2")]);
        check("a=b=c&a==", &[("a", "b=c"), ("a", "=")]);
        check("a=1&&a=1", &[("a", "1"), ("a", "1")]);
    }

    #[test]
    fn a_query_stands_behind_the_first_question_mark() {
        let check = |target: &str, expected: &str| {
            assert_eq!(query_of(target.as_bytes()), expected.as_bytes(), "{target}");
        };
        check("", "");
        check("/a", "");
        check("/a?", "");
        check("/a?b?c", "b?c");
        check("?b", "b");
    }

    #[test]
    fn text_is_decoded_once() {
        let check = |bytes: &[u8], spelling, expected: Result<&str, Misread>| {
            let read = text(bytes, spelling);
            assert_eq!(read.as_deref().map_err(|e| *e), expected, "{bytes:?}");
            if !bytes.contains(&b'%') && !bytes.contains(&b'+') {
                assert!(!matches!(read, Ok(Cow::Owned(_))), "{bytes:?}");
            }
        };
        use Spelling::{Form, Percent, Plain};
        check(b"", Form, Ok(""));
        check(b"a b", Form, Ok("a b"));
        check(b"a+b%2B%20", Form, Ok("a b+ "));
        check(b"a+b%2B%20", Percent, Ok("a+b+ "));
        check(b"a+b%2B%20", Plain, Ok("a+b%2B%20"));
        check(b"%2541", Form, Ok("%41"));
        check(b"%C3%A4\xc3\xa4", Percent, Ok("ää"));
        check(b"%00", Percent, Ok("\0"));
        for spelling in [Form, Percent] {
            for bad in [&b"%"[..], b"%4", b"%zz", b"%4g", b"%%41", b"%2%35", b"a%"] {
                check(bad, spelling, Err(Misread::Escape));
            }
            for bad in [&b"%ff"[..], b"\xff", b"%C3", b"%C0%AF", b"%ED%A0%80"] {
                check(bad, spelling, Err(Misread::Unicode));
            }
        }
        check(b"100%", Plain, Ok("100%"));
        check(b"\xe9", Plain, Err(Misread::Unicode));
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back(chars: String, every in 0..3u8) {
            let encoded: String = chars
                .bytes()
                .map(|byte| match byte {
                    b' ' if every == 0 => "+".to_owned(),
                    b'a'..=b'z' if every < 2 => char::from(byte).to_string(),
                    _ => format!("%{byte:02X}"),
                })
                .collect();
            prop_assert_eq!(text(encoded.as_bytes(), Spelling::Form).unwrap(), &*chars);
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            for pair in pairs(&bytes) {
                let _ = text(pair.name, Spelling::Form);
                let _ = text(pair.value, Spelling::Percent);
                let _ = text(pair.value, Spelling::Plain);
            }
        }
    }
}
