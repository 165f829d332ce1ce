//! Content types (RFC 9110 section 8.3.1), and what a body of one is read as.
//!
//! Readers that disagree on a content type read different bodies. So it is taken in its strict form only: one value,
//! no comma (which is how hosts join two lines), no parameter that decides anything written twice.

use portcullis_config::{Diagnostics, code, is_token_byte};

/// Longer boundaries are none (RFC 2046 section 5.1.1).
const MAX_BOUNDARY: usize = 70;

/// What a body is read as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// `application/json`, `text/json` and `…+json`.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `multipart/form-data`.
    Multipart {
        /// What stands between the parts, after two hyphens.
        boundary: String,
    },
    /// Any other `text/…`: one string.
    Text,
}

/// The content types that a route takes.
#[derive(Clone, Debug)]
pub(crate) struct MediaTypes(Vec<Pattern>);

/// One of them, in lower case.
#[derive(Clone, Debug)]
enum Pattern {
    Exact(String),
    /// What stands before and after a `*`: `text/*`, `application/*+json`. `+json` is `*+json`.
    Around(String, String),
}

impl MediaTypes {
    /// Compiles what the policy lists. `judged` says that bodies are read: then each must be of a kind that can be.
    pub(crate) fn compile(
        written: &[String],
        judged: bool,
        pointer: &str,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let patterns = written.iter().enumerate().map(|(index, name)| {
            let pattern = Pattern::new(name);
            if judged && !pattern.may_be_read() {
                diagnostics.error(
                    code::VALIDATE_CONTENT_TYPE,
                    format!("{pointer}/{index}"),
                    format!("a body of type `{name}` cannot be read to be judged"),
                    Some(
                        "JSON, `application/x-www-form-urlencoded`, `multipart/form-data` and `text/*` can be"
                            .to_owned(),
                    ),
                );
            }
            pattern
        });
        Self(patterns.collect())
    }

    /// Reads a content type. `None` is one that is not allowed, or none at all.
    pub(crate) fn admit(&self, value: &[u8]) -> Option<MediaType> {
        let media_type = MediaType::parse(value)?;
        self.0
            .iter()
            .any(|pattern| pattern.matches(&media_type.name))
            .then_some(media_type)
    }

    /// Whether a body may be of the type `name`, in lower case.
    pub(crate) fn allow(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(name))
    }
}

impl Pattern {
    fn new(written: &str) -> Self {
        match written.split_once('*') {
            Some((front, back)) => Self::Around(front.to_owned(), back.to_owned()),
            None if written.starts_with('+') => Self::Around(String::new(), written.to_owned()),
            None => Self::Exact(written.to_owned()),
        }
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(exact) => name == exact,
            Self::Around(front, back) => name
                .strip_prefix(front.as_str())
                .and_then(|rest| rest.strip_suffix(back.as_str()))
                .is_some_and(|rest| !rest.is_empty()),
        }
    }

    /// Whether a type that it matches can be read. Of `application/*` some can: the others are refused as they come.
    fn may_be_read(&self) -> bool {
        match self {
            Self::Exact(name) => Kind::of(name).is_some(),
            Self::Around(front, back) => {
                back == "+json"
                    || front == "text/"
                    || (back.is_empty() && matches!(front.as_str(), "application/" | "multipart/"))
            }
        }
    }
}

/// How bodies of a type are written.
#[derive(Clone, Copy)]
enum Kind {
    Json,
    Form,
    Multipart,
    Text,
}

impl Kind {
    fn of(name: &str) -> Option<Self> {
        match name {
            "application/json" | "text/json" => Some(Self::Json),
            "application/x-www-form-urlencoded" => Some(Self::Form),
            "multipart/form-data" => Some(Self::Multipart),
            _ if name.ends_with("+json") => Some(Self::Json),
            _ if name.starts_with("text/") => Some(Self::Text),
            _ => None,
        }
    }
}

/// A content type, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MediaType {
    /// `type/subtype` in lower case.
    pub(crate) name: String,
    boundary: Option<String>,
}

impl MediaType {
    /// Parses a header's value. `None` is one that is malformed, or whose charset is not UTF-8.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        // A content type is ASCII. A comma is how hosts join two lines to one.
        let text = std::str::from_utf8(value).ok()?;
        let legal = |b: u8| matches!(b, b'\t' | b' '..=b'~') && b != b',';
        if !text.bytes().all(legal) {
            return None;
        }
        let (name, mut rest) = match text.split_once(';') {
            Some((name, rest)) => (name, Some(rest)),
            None => (text, None),
        };
        let name = name.trim_matches(WHITE);
        let (kind, subtype) = name.split_once('/')?;
        (is_token(kind) && is_token(subtype)).then_some(())?;
        let mut charset = false;
        let mut boundary = None;
        while let Some(text) = rest {
            let text = text.trim_start_matches(WHITE);
            // RFC 9110 section 5.6.6 has parameters that are nothing at all.
            if text.is_empty() || text.starts_with(';') {
                rest = text.strip_prefix(';');
                continue;
            }
            let (key, value, after) = parameter(text)?;
            rest = after;
            if key.eq_ignore_ascii_case("charset") {
                if charset || !value.eq_ignore_ascii_case("utf-8") {
                    return None;
                }
                charset = true;
            } else if key.eq_ignore_ascii_case("boundary") && boundary.replace(value).is_some() {
                return None;
            }
        }
        Some(Self {
            name: name.to_ascii_lowercase(),
            boundary,
        })
    }

    /// What the body is read as. `None` is a type that cannot be read, or a multipart one without a legal boundary.
    pub(crate) fn read(self) -> Option<Read> {
        Some(match Kind::of(&self.name)? {
            Kind::Json => Read::Json,
            Kind::Form => Read::Form,
            Kind::Text => Read::Text,
            Kind::Multipart => Read::Multipart {
                boundary: self.boundary.filter(|boundary| is_boundary(boundary))?,
            },
        })
    }
}

/// Optional white space (RFC 9110 section 5.6.3).
const WHITE: [char; 2] = [' ', '\t'];

/// The first parameter's name and value, and what follows the `;` after it.
fn parameter(text: &str) -> Option<(&str, String, Option<&str>)> {
    let (key, text) = text.split_once('=')?;
    is_token(key).then_some(())?;
    let (value, rest) = match text.strip_prefix('"') {
        Some(quoted) => unquote(quoted)?,
        None => {
            let end = text.find([';', ' ', '\t']).unwrap_or(text.len());
            let (value, rest) = text.split_at_checked(end)?;
            is_token(value).then(|| (value.to_owned(), rest))?
        }
    };
    let rest = rest.trim_start_matches(WHITE);
    match rest.strip_prefix(';') {
        Some(after) => Some((key, value, Some(after))),
        None => rest.is_empty().then_some((key, value, None)),
    }
}

/// A quoted string (RFC 9110 section 5.6.4) after its opening quote, and what follows the closing one.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            '"' => return Some((value, chars.as_str())),
            '\\' => value.push(chars.next()?),
            plain => value.push(plain),
        }
    }
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// RFC 2046 section 5.1.1, without the comma.
fn is_boundary(text: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"'()+_-./:=? ".contains(&b);
    (1..=MAX_BOUNDARY).contains(&text.len()) && text.bytes().all(legal) && !text.ends_with(' ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn types(written: &[&str]) -> MediaTypes {
        let written: Vec<String> = written.iter().map(|&name| name.to_owned()).collect();
        MediaTypes::compile(&written, false, "", &mut Diagnostics::default())
    }

    #[test]
    fn content_types_are_read_strictly() {
        let check = |value: &str, expected: Option<Read>| {
            let read = MediaType::parse(value.as_bytes()).and_then(MediaType::read);
            assert_eq!(read, expected, "{value}");
        };
        let parts = |boundary: &str| {
            Some(Read::Multipart {
                boundary: boundary.to_owned(),
            })
        };
        check("application/json", Some(Read::Json));
        check(" Application/JSON\t", Some(Read::Json));
        check("text/json", Some(Read::Json));
        check("application/vnd.x+json;v=1", Some(Read::Json));
        check("application/json;charset=utf-8", Some(Read::Json));
        check("application/json ; charset=\"UTF-8\" ;", Some(Read::Json));
        check("application/json;;; charset=\"ut\\f-8\"", Some(Read::Json));
        check("application/json; charset=utf-16", None);
        check("application/json; charset=latin1", None);
        check("application/json; charset=utf8", None);
        check("application/json; charset=utf-8; charset=utf-8", None);
        check("application/json; charset=utf-8; Charset=utf-16", None);
        check("application/json; charset", None);
        check("application/json; charset =utf-8", None);
        check("application/json; charset= utf-8", None);
        check("application/json; charset=\"utf-8", None);
        check("application/json; charset=\"utf-8\\", None);
        check("application/json; charset=\"utf-8\"x", None);
        check("application/json; charset=utf-8 x", None);
        check("application/json; =utf-8", None);
        check("application/json, text/plain", None);
        check("application/json; a=\"b,c\"", None);
        check("application/json; a=\"b;c\"", Some(Read::Json));
        check("application/json; a=\"\u{e4}\"", None);
        check("application/json; a=\"\u{0}\"", None);
        check("application", None);
        check("application/", None);
        check("/json", None);
        check("application / json", None);
        check("application/json/x", None);
        check("", None);
        check("application/xml", None);
        check("application/x-www-form-urlencoded", Some(Read::Form));
        check("text/plain; charset=utf-8", Some(Read::Text));
        check("multipart/form-data; boundary=abc", parts("abc"));
        check("multipart/form-data; Boundary=\"a b?c\"", parts("a b?c"));
        check("multipart/form-data", None);
        check("multipart/form-data; boundary=", None);
        check("multipart/form-data; boundary=\"\"", None);
        check("multipart/form-data; boundary=\"a \"", None);
        check("multipart/form-data; boundary=a; boundary=b", None);
        check("multipart/form-data; boundary=a*", None);
        check("multipart/form-data; boundary=\"a\\\"b\"", None);
        check("multipart/mixed; boundary=a", None);
        let long = "x".repeat(70);
        check(
            &format!("multipart/form-data; boundary={long}"),
            parts(&long),
        );
        check(&format!("multipart/form-data; boundary={long}x"), None);
    }

    #[test]
    fn types_are_matched_without_their_parameters() {
        let check = |written: &[&str], value: &str, expected: bool| {
            let admitted = types(written).admit(value.as_bytes());
            assert_eq!(admitted.is_some(), expected, "{written:?} {value}");
        };
        check(&["application/json"], "application/json; v=1", true);
        check(&["application/json"], "application/jsonx", false);
        check(&["application/json"], "application/x+json", false);
        check(&["text/plain", "text/json"], "Text/JSON", true);
        check(&["text/*"], "text/csv", true);
        check(&["text/*"], "application/text", false);
        check(&["+json"], "application/vnd.x+json", true);
        check(&["+json"], "application/json", false);
        check(&["application/*+json"], "application/x+json", true);
        check(&["application/*+json"], "application/+json", false);
        check(&["application/*+json"], "image/x+json", false);
    }

    #[test]
    fn what_cannot_be_read_cannot_be_listed_for_a_schema() {
        let check = |name: &str, judged: bool, expected: bool| {
            let mut diagnostics = Diagnostics::default();
            let written = ["application/json".to_owned(), name.to_owned()];
            let _types = MediaTypes::compile(&written, judged, "/types", &mut diagnostics);
            assert_eq!(!diagnostics.error_within("/types/1"), expected, "{name}");
            assert!(!diagnostics.error_within("/types/0"));
        };
        check("application/xml", true, false);
        check("application/xml", false, true);
        check("image/*", true, false);
        check("+xml", true, false);
        check("application/*+xml", true, false);
        check("multipart/mixed", true, false);
        check("application/*", true, true);
        check("text/*", true, true);
        check("text/csv", true, true);
        check("+json", true, true);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_type_or_none(value: Vec<u8>) {
            let _ = MediaType::parse(&value).and_then(MediaType::read);
        }

        #[test]
        fn a_quoted_boundary_is_what_was_quoted(boundary in "[0-9A-Za-z'()+_./:=? -]{0,69}[0-9A-Za-z]") {
            let value = format!("multipart/form-data; a=\"\\\";boundary=x\"; boundary=\"{boundary}\"; b=c");
            let read = MediaType::parse(value.as_bytes()).and_then(MediaType::read);
            prop_assert_eq!(read, Some(Read::Multipart { boundary }));
        }
    }
}
