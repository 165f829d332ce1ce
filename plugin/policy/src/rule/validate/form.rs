//! `application/x-www-form-urlencoded` bodies (WHATWG URL standard, section 5), and named texts as an object's members.
//!
//! A form is judged as the object that frameworks make of it: names that stand twice are arrays where the schema lets
//! them be, and texts are the values that it asks for. Where normalisation changes a text, that text alone is written
//! anew: the others keep the spelling in which they came.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use portcullis_config::Strictness;
use serde_json::map::Entry;
use serde_json::{Map, Value};

use super::body::Trouble;
use super::coerce;
use super::query::{self, Misread, Spelling};
use super::shape::{Shape, Types};
use super::violation::{Place, Token, Violation, Violations};
use crate::json::{FaultKind, Limits};

/// One name with its text, both decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) text: Cow<'a, str>,
    /// Where the pair begins in the body.
    pub(crate) at: usize,
    /// Where its text stands there, encoded.
    span: Range<usize>,
}

/// Reads a form. What is empty between two `&` is no pair, and a name alone has an empty text.
///
/// # Errors
/// The first name or text that is malformed or past a limit, and where it begins.
pub(crate) fn read<'a>(body: &'a [u8], limits: &Limits) -> Result<Vec<Pair<'a>>, Trouble> {
    let mut pairs = Vec::new();
    let mut next = 0;
    for piece in body.split(|b| *b == b'&') {
        let at = next;
        next += piece.len() + 1;
        if piece.is_empty() {
            continue;
        }
        // The object is a value too.
        if pairs.len() + 1 >= limits.nodes {
            return Err(Trouble::too_complex(FaultKind::Nodes.text(), at));
        }
        let query::Pair { name, value } = query::pair(piece);
        let end = at + piece.len();
        let span = end - value.len()..end;
        pairs.push(Pair {
            name: decoded(name, at, limits.key_bytes, FaultKind::KeyBytes)?,
            text: decoded(
                value,
                span.start,
                limits.string_bytes,
                FaultKind::StringBytes,
            )?,
            at,
            span,
        });
    }
    Ok(pairs)
}

/// Decodes a name or a text that begins at `at`.
fn decoded(
    bytes: &[u8],
    at: usize,
    most: usize,
    excess: FaultKind,
) -> Result<Cow<'_, str>, Trouble> {
    let text = query::text(bytes, Spelling::Form).map_err(|misread| {
        let what = match misread {
            Misread::Escape => "is not a valid form: it has a `%` without two hexadecimal digits",
            Misread::Unicode => FaultKind::NotUtf8.text(),
        };
        Trouble::malformed(what, at)
    })?;
    if text.len() > most {
        return Err(Trouble::too_complex(excess.text(), at));
    }
    Ok(text)
}

/// How often a name may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arity {
    /// Its schema has no place for an array.
    One,
    /// It has no place for anything else: one item is an array too.
    Many,
    /// An array where the name stands twice.
    Any,
}

impl Arity {
    pub(crate) fn of(shape: &Shape) -> Self {
        let scalars = Types::STRING | Types::NUMBER | Types::BOOLEAN;
        if !shape.reads().has(Types::ARRAY) {
            // What is not allowed at all is the schema's to refuse.
            let free = shape.takes_many() || shape.allowed() == Types::NONE;
            return if free { Self::Any } else { Self::One };
        }
        match shape.reads().has(scalars) {
            true => Self::Any,
            false => Self::Many,
        }
    }
}

/// The object of named values, each with the byte where its field begins. A name that stands twice and must not is
/// a violation.
///
/// # Errors
/// More names, or more values of one name, than `limits` allow.
pub(crate) fn object<'a>(
    fields: impl IntoIterator<Item = (&'a str, Value, usize)>,
    shape: &Shape,
    limits: &Limits,
    found: &mut Violations,
) -> Result<Value, Trouble> {
    let mut members: Map<String, Value> = Map::new();
    for (name, value, at) in fields {
        let arity = Arity::of(shape.member(name));
        let names = members.len();
        match members.entry(name) {
            Entry::Vacant(_) if names == limits.keys => {
                return Err(Trouble::too_complex(FaultKind::Keys.text(), at));
            }
            Entry::Vacant(vacant) => {
                vacant.insert(match arity {
                    Arity::Many => Value::Array(vec![value]),
                    Arity::One | Arity::Any => value,
                });
            }
            Entry::Occupied(mut taken) => match (arity, taken.get_mut()) {
                (Arity::One, _) => found.push(Violation {
                    place: Place::Body,
                    path: vec![Token::Name(name.to_owned())],
                    keyword: "type",
                    kind: "repeated",
                    message: "must be given once".to_owned(),
                }),
                (_, Value::Array(items)) if items.len() == limits.items => {
                    return Err(Trouble::too_complex(FaultKind::Items.text(), at));
                }
                (_, Value::Array(items)) => items.push(value),
                (_, first) => *first = Value::Array(vec![first.take(), value]),
            },
        }
    }
    // An array that came whole, in one part of JSON, is not an array's only item.
    for value in members.values_mut() {
        if let Value::Array(items) = value
            && let [Value::Array(_)] = items.as_slice()
        {
            *value = items.pop().unwrap_or_default();
        }
    }
    Ok(Value::Object(members))
}

/// Reads the texts of a form's object as the values that the schema asks for.
pub(crate) fn coerce(
    object: &mut Value,
    shape: &Shape,
    strictness: Strictness,
    found: &mut Violations,
) {
    let members = object.as_object_mut().into_iter().flatten();
    for (name, value) in members {
        let shape = shape.member(name);
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    let path = || vec![Token::Name(name.clone()), Token::Index(index)];
                    text(item, shape.item(index), strictness, path, found);
                }
            }
            value => {
                let path = || vec![Token::Name(name.clone())];
                text(value, shape, strictness, path, found);
            }
        }
    }
}

/// Reads one text as its schema asks; anything but a text stays.
pub(crate) fn text(
    value: &mut Value,
    shape: &Shape,
    strictness: Strictness,
    path: impl FnOnce() -> Vec<Token>,
    found: &mut Violations,
) {
    let Value::String(text) = value else {
        return;
    };
    match coerce::read(Cow::Borrowed(text), shape.reads(), strictness) {
        Ok(Value::String(_)) => {}
        Ok(read) => *value = read,
        Err(unread) => found.push(Violation {
            place: Place::Body,
            path: path(),
            keyword: "type",
            kind: unread.kind,
            message: unread.message.to_owned(),
        }),
    }
}

/// The form with its texts as `object` has them; `None` if they are those that came.
pub(crate) fn rewritten(body: &[u8], pairs: &[Pair<'_>], object: &Value) -> Option<Vec<u8>> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut out = Vec::new();
    let mut kept = 0;
    for pair in pairs {
        let count = seen.entry(&pair.name).or_default();
        let value = match object.get(pair.name.as_ref()) {
            Some(Value::Array(items)) => items.get(*count),
            value => value,
        };
        *count += 1;
        let Some(Value::String(text)) = value else {
            continue;
        };
        if *text == pair.text {
            continue;
        }
        out.extend_from_slice(body.get(kept..pair.span.start).unwrap_or_default());
        encode(text, &mut out);
        kept = pair.span.end;
    }
    (kept > 0).then(|| {
        out.extend_from_slice(body.get(kept..).unwrap_or_default());
        out
    })
}

/// Writes a text as browsers do.
fn encode(text: &str, out: &mut Vec<u8>) {
    const HEX: [u8; 16] = *b"0123456789ABCDEF";
    let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or_default();
    for byte in text.bytes() {
        match byte {
            b' ' => out.push(b'+'),
            b'*' | b'-' | b'.' | b'_' => out.push(byte),
            _ if byte.is_ascii_alphanumeric() => out.push(byte),
            _ => out.extend([b'%', digit(byte >> 4), digit(byte & 15)]),
        }
    }
}

#[cfg(test)]
mod tests {
    use portcullis_config::{Document, DuplicateKeys};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::rule::validate::shape;

    const LIMITS: Limits = Limits {
        depth: 4,
        keys: 3,
        items: 3,
        nodes: 7,
        key_bytes: 8,
        string_bytes: 8,
        duplicate_keys: DuplicateKeys::Reject,
    };

    fn shape_of(schema: &Value) -> std::rc::Rc<Shape> {
        let schema = Document::from_bytes(schema.to_string().as_bytes()).unwrap();
        shape::compile(&schema, &[])
    }

    /// The object of a form, and the kinds and ways of what is wrong with it.
    fn judged(body: &str, schema: &Value, strictness: Strictness) -> (Value, Vec<String>) {
        let shape = shape_of(schema);
        let pairs = read(body.as_bytes(), &LIMITS).unwrap();
        let mut found = Violations::default();
        let fields = pairs
            .iter()
            .map(|pair| (pair.name.as_ref(), Value::from(pair.text.as_ref()), pair.at));
        let mut value = object(fields, &shape, &LIMITS, &mut found).unwrap();
        coerce(&mut value, &shape, strictness, &mut found);
        let found = found.as_slice().iter();
        let found = found.map(|v| format!("{} {}", v.kind, v.pointer()));
        (value, found.collect())
    }

    #[test]
    fn a_form_is_the_object_that_its_schema_asks_for() {
        let schema = json!({"properties": {
            "n": {"type": "integer"}, "s": {"type": "string"}, "b": {"type": "boolean"},
            "list": {"type": "array", "items": {"type": "integer"}},
            "maybe": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]},
            "either": {"type": ["string", "array"]},
            "o": {"type": "object"},
        }});
        let check = |body: &str, expected: Value, found: &[&str]| {
            let judged = judged(body, &schema, Strictness::Schema);
            assert_eq!(
                judged,
                (expected, found.iter().map(|&f| f.to_owned()).collect()),
                "{body}"
            );
        };
        check("", json!({}), &[]);
        check("&&", json!({}), &[]);
        check("n=5&s=5&b=true", json!({"n": 5, "s": "5", "b": true}), &[]);
        check("n=%35&s=a+b%2B", json!({"n": 5, "s": "a b+"}), &[]);
        check("s", json!({"s": ""}), &[]);
        check("=x", json!({"": "x"}), &[]);
        check("s=a=b", json!({"s": "a=b"}), &[]);
        check("list=1", json!({"list": [1]}), &[]);
        check("list=1&s=x&list=2", json!({"list": [1, 2], "s": "x"}), &[]);
        check(
            "list=1&list=x",
            json!({"list": [1, "x"]}),
            &["int_parsing /list/1"],
        );
        check("maybe=x", json!({"maybe": ["x"]}), &[]);
        check("either=x", json!({"either": "x"}), &[]);
        check("either=x&either=y", json!({"either": ["x", "y"]}), &[]);
        check("new=1&new=2", json!({"new": ["1", "2"]}), &[]);
        check("new=1", json!({"new": "1"}), &[]);
        check("s=x&s=y", json!({"s": "x"}), &["repeated /s"]);
        check("n=5&n=5", json!({"n": 5}), &["repeated /n"]);
        check("n=5.5", json!({"n": "5.5"}), &["int_parsing /n"]);
        check("b=yes", json!({"b": "yes"}), &["bool_parsing /b"]);
        check("o=%7B%7D", json!({"o": "{}"}), &["dict_type /o"]);
        let lax = judged("b=yes&n=5.0", &schema, Strictness::Pydantic);
        assert_eq!(lax, (json!({"b": true, "n": 5}), vec![]));
        let closed =
            json!({"properties": {"a": {"type": "string"}}, "additionalProperties": false});
        let extra = judged("x=1&x=2", &closed, Strictness::Schema);
        assert_eq!(extra, (json!({"x": ["1", "2"]}), vec![]));
    }

    #[test]
    fn what_is_no_form_is_told_with_its_byte() {
        let check = |body: &[u8], expected: &str| {
            let trouble = match read(body, &LIMITS) {
                Ok(pairs) => {
                    let fields = pairs
                        .iter()
                        .map(|pair| (pair.name.as_ref(), Value::Null, pair.at));
                    object(fields, Shape::ANY, &LIMITS, &mut Violations::default()).map(drop)
                }
                Err(trouble) => Err(trouble),
            };
            let told = match trouble {
                Ok(()) => "fine".to_owned(),
                Err(Trouble::Malformed(said)) => format!("malformed: {said}"),
                Err(Trouble::TooComplex(said)) => format!("too complex: {said}"),
                Err(other) => panic!("{other:?}"),
            };
            assert_eq!(told, expected, "{}", String::from_utf8_lossy(body));
        };
        let escape = "malformed: the body is not a valid form: it has a `%` without two hexadecimal digits, at byte";
        check(b"a=%4", &format!("{escape} 2"));
        check(b"a=1&b%zz=2", &format!("{escape} 4"));
        check(
            b"a=1&b=\xff",
            "malformed: the body is not valid UTF-8, at byte 6",
        );
        check(
            b"%C0%AF=1",
            "malformed: the body is not valid UTF-8, at byte 0",
        );
        check(b"a=12345678&12345678=a&c=%30%31%32%33%34%35%36%37", "fine");
        check(
            b"a=1&b=123456789",
            "too complex: the body has a string that is too long, at byte 6",
        );
        check(
            b"a=1&123456789=1",
            "too complex: the body has a member with too long a name, at byte 4",
        );
        check(b"a&b&c&a&b&c", "fine");
        check(
            b"a&b&c&a&b&c&a",
            "too complex: the body has too many values, at byte 12",
        );
        check(
            b"a&b&c&d",
            "too complex: the body has an object with too many members, at byte 6",
        );
        check(
            b"a&a&a&a",
            "too complex: the body has an array with too many items, at byte 6",
        );
    }

    #[test]
    fn only_what_changed_is_written_anew() {
        let check = |body: &str, object: Value, expected: Option<&str>| {
            let pairs = read(body.as_bytes(), &LIMITS).unwrap();
            let rewritten = rewritten(body.as_bytes(), &pairs, &object);
            let rewritten = rewritten.map(|body| String::from_utf8(body).unwrap());
            assert_eq!(rewritten.as_deref(), expected, "{body} {object}");
        };
        check("a=%61&b=x", json!({"a": "a", "b": "x"}), None);
        check(
            "&%61=+X+&b=%78&",
            json!({"a": "X", "b": "x"}),
            Some("&%61=X&b=%78&"),
        );
        check(
            "a=+X&a=%78&b=1&a=Z",
            json!({"a": ["x y", "x", "&"], "b": "1"}),
            Some("a=x+y&a=%78&b=1&a=%26"),
        );
        check(
            "a=X",
            json!({"a": ["\u{e4}*-._~"]}),
            Some("a=%C3%A4*-._%7E"),
        );
        check("a=x&b", json!({"a": "", "b": ""}), Some("a=&b"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(texts in prop::collection::vec(any::<String>(), 1..9)) {
            let limits = Limits { nodes: 100, items: 100, string_bytes: 10_000, ..LIMITS };
            let body = vec!["a=!"; texts.len()].join("&");
            let pairs = read(body.as_bytes(), &limits).unwrap();
            let body = rewritten(body.as_bytes(), &pairs, &json!({"a": texts}));
            let body = body.unwrap_or_default();
            let read = read(&body, &limits).unwrap();
            let read: Vec<&str> = read.iter().map(|pair| pair.text.as_ref()).collect();
            prop_assert!(read == texts || texts.contains(&"!".to_owned()));
        }

        #[test]
        fn no_bytes_break_it(body: Vec<u8>, ascii in "[a%&=+0-9]{0,40}") {
            for body in [body.as_slice(), ascii.as_bytes()] {
                if let Ok(pairs) = read(body, &LIMITS) {
                    for pair in &pairs {
                        let again = query::text(&body[pair.span.clone()], Spelling::Form).unwrap();
                        prop_assert_eq!(&pair.text, &again);
                    }
                }
            }
        }
    }
}
