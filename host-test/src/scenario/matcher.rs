//! One expectation about a text, about header lines, or about a JSON value.

use std::fmt;

use portcullis_config::code;
use regex::bytes::Regex;
use serde_json::Value;

use super::walk::{Node, Walk};

/// The keys of a matcher written as an object.
pub const MATCHER_KEYS: &[&str] = &[
    "equals", "lines", "absent", "matches", "contains", "range", "one_line",
];

/// A pattern larger than this when compiled is refused.
const PATTERN_BYTES: usize = 1 << 20;

#[derive(Clone, Debug)]
enum Test {
    /// Exactly these lines, in this order; one line for a plain text.
    Lines(Vec<Vec<u8>>),
    Absent,
    Matches(Regex),
    Contains(Vec<u8>),
    Range(i64, i64),
    OneLine,
    /// Only about JSON values.
    Json(Value),
}

impl Test {
    fn holds(&self, found: &[&[u8]]) -> bool {
        match self {
            Self::Lines(lines) => lines.iter().map(Vec::as_slice).eq(found.iter().copied()),
            Self::Absent => found.is_empty(),
            Self::Matches(pattern) => found.iter().any(|line| pattern.is_match(line)),
            Self::Contains(part) => found.iter().any(|line| contains(line, part)),
            Self::Range(from, to) => found.iter().any(|line| {
                let number = std::str::from_utf8(line)
                    .ok()
                    .and_then(|text| text.parse().ok());
                number.is_some_and(|number: i64| (*from..=*to).contains(&number))
            }),
            Self::OneLine => found.len() == 1,
            Self::Json(_) => false,
        }
    }
}

/// What must be true of a value; every part of it.
#[derive(Clone, Debug)]
pub struct Matcher {
    tests: Vec<Test>,
}

impl Matcher {
    /// Is this what is found? No line: the value is not there. Patterns and ranges hold if one of the lines fits.
    pub fn fits(&self, found: &[&[u8]]) -> bool {
        self.tests.iter().all(|test| test.holds(found))
    }

    /// Is this what is found in a JSON document? Patterns look at texts without their quotes, at everything else as JSON
    /// text.
    pub fn fits_json(&self, found: Option<&Value>) -> bool {
        let text = found.map(|value| match value {
            Value::String(text) => text.clone().into_bytes(),
            other => other.to_string().into_bytes(),
        });
        let lines: Vec<&[u8]> = text.iter().map(Vec::as_slice).collect();
        self.tests.iter().all(|test| match test {
            Test::Json(value) => found.is_some_and(|found| same_json(value, found)),
            test => test.holds(&lines),
        })
    }

    /// The value, if the matcher allows one alone.
    pub(super) fn exact(&self) -> Option<&[Vec<u8>]> {
        match self.tests.as_slice() {
            [Test::Lines(lines)] => Some(lines),
            _ => None,
        }
    }
}

impl fmt::Display for Matcher {
    /// As one would say it: `"nosniff"`, `absent`, `matches /r=0/`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, test) in self.tests.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            match test {
                Test::Lines(lines) => {
                    let lines: Vec<String> = lines
                        .iter()
                        .map(|line| format!("\"{}\"", show(line)))
                        .collect();
                    f.write_str(&lines.join(", then a second line "))?;
                }
                Test::Absent => f.write_str("absent")?,
                Test::Matches(pattern) => write!(f, "matches /{pattern}/")?,
                Test::Contains(part) => write!(f, "contains \"{}\"", show(part))?,
                Test::Range(from, to) => write!(f, "from {from} to {to}")?,
                Test::OneLine => f.write_str("on one line")?,
                Test::Json(value) => write!(f, "{value}")?,
            }
        }
        Ok(())
    }
}

/// Bytes for a person: text as it is, control characters and what is not UTF-8 escaped.
pub fn show(bytes: &[u8]) -> String {
    let mut shown = String::new();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() && c != '\n' {
                shown.extend(c.escape_default());
            } else {
                shown.push(c);
            }
        }
        for byte in chunk.invalid() {
            shown.push_str(&format!("\\x{byte:02x}"));
        }
    }
    shown
}

/// A text (equals), a list of texts (these lines), or an object of tests.
pub(super) fn text_matcher(walk: &mut Walk, node: &Node<'_>) -> Option<Matcher> {
    let tests = match node.value {
        Value::String(text) => vec![Test::Lines(vec![text.clone().into_bytes()])],
        Value::Array(_) => vec![Test::Lines(texts(walk, node))],
        Value::Object(_) => tests(walk, node, false)?,
        _ => {
            walk.wrong_type(node, "a text, a list of texts, or an object of tests");
            return None;
        }
    };
    Some(Matcher { tests })
}

/// Like [`text_matcher`], but a plain text is a part of what is found.
pub(super) fn part_matcher(walk: &mut Walk, node: &Node<'_>) -> Option<Matcher> {
    match node.value {
        Value::String(text) => Some(Matcher {
            tests: vec![Test::Contains(text.clone().into_bytes())],
        }),
        _ => text_matcher(walk, node),
    }
}

/// A JSON value (equals), or an object of tests; an object is expected with `equals`.
pub(super) fn json_matcher(walk: &mut Walk, node: &Node<'_>) -> Option<Matcher> {
    let tests = match node.value {
        Value::Object(_) => tests(walk, node, true)?,
        value => vec![Test::Json(value.clone())],
    };
    Some(Matcher { tests })
}

fn tests(walk: &mut Walk, node: &Node<'_>, json: bool) -> Option<Vec<Test>> {
    let object = walk.object(node, MATCHER_KEYS)?;
    let mut tests = Vec::new();
    if let Some(node) = object.get("equals") {
        tests.push(match node.value {
            value if json => Test::Json(value.clone()),
            _ => Test::Lines(vec![walk.bytes(&node)?.into_owned()]),
        });
    }
    if let Some(node) = object.get("lines") {
        tests.push(Test::Lines(texts(walk, &node)));
    }
    if let Some(node) = object.get("matches") {
        let pattern = walk.text(&node)?;
        match regex::bytes::RegexBuilder::new(pattern)
            .size_limit(PATTERN_BYTES)
            .build()
        {
            Ok(pattern) => tests.push(Test::Matches(pattern)),
            Err(error) => {
                let reason = error.to_string();
                let reason = reason.lines().last().unwrap_or_default();
                let message = format!("`{pattern}` is not a regular expression: {reason}");
                walk.error("pattern-syntax", &node, message, None);
            }
        }
    }
    if let Some(node) = object.get("contains") {
        tests.push(Test::Contains(walk.bytes(&node)?.into_owned()));
    }
    if let Some(node) = object.get("range") {
        match walk.list(&node).as_slice() {
            [from, to] => {
                let from = walk.integer(from, i64::MIN, i64::MAX);
                let to = walk.integer(to, i64::MIN, i64::MAX);
                tests.push(Test::Range(from?, to?));
            }
            _ => walk.wrong_type(&node, "a list of two whole numbers"),
        }
    }
    for (key, test) in [("absent", Test::Absent), ("one_line", Test::OneLine)] {
        if let Some(node) = object.get(key)
            && walk.truth(&node)?
        {
            tests.push(test);
        }
    }
    if object.is_empty() {
        walk.error(
            code::MISSING_KEY,
            node,
            "an expectation that expects nothing",
            None,
        );
    }
    Some(tests)
}

fn texts(walk: &mut Walk, node: &Node<'_>) -> Vec<Vec<u8>> {
    walk.list(node)
        .iter()
        .filter_map(|item| walk.bytes(item).map(std::borrow::Cow::into_owned))
        .collect()
}

fn contains(line: &[u8], part: &[u8]) -> bool {
    part.is_empty() || line.windows(part.len()).any(|window| window == part)
}

/// Equality that takes `1` and `1.0` for one number.
fn same_json(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_json(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| same_json(a, b)))
        }
        _ => a == b,
    }
}
