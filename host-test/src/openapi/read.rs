//! The document as it was written: members in their order, and the large integers that generators love.

use std::ops::Range;
use std::path::Path;

use portcullis_config::{Document as Tree, pointer_child};
use serde_json::Value;

use crate::document::{Document, MAX_INTEGER, ReadError, Spans, Unreadable};

/// The reader of YAML names so many flaws and no more; a file with more of them than this many readings name is refused.
const MAX_READINGS: usize = 20;

/// Reads an OpenAPI document from a file, JSON or YAML, in which integers past 2^53 are rounded.
///
/// `maximum: 9223372036854775807` is what generators write for every 64-bit integer. In a policy such a number is a
/// mistake; in somebody's generated document it cannot be mended by hand, and a bound may be rounded.
///
/// # Errors
/// If there is no such file, or it is not one document.
pub fn read_file(path: &Path) -> Result<Document, ReadError> {
    match Document::read_file(path) {
        Err(ReadError::Unreadable(unreadable)) => Ok(mended(unreadable)?),
        other => other,
    }
}

/// Reads a text as [`read_file`] reads a file; `name` is what messages call it.
///
/// # Errors
/// All that is wrong with it, as far as the parser got.
pub fn read(name: &str, bytes: &[u8]) -> Result<Document, Box<Unreadable>> {
    Document::read(name, bytes).or_else(mended)
}

/// What a text is once its large integers are rounded.
fn mended(mut unreadable: Box<Unreadable>) -> Result<Document, Box<Unreadable>> {
    for _ in 0..MAX_READINGS {
        let Some(text) = rounded(&unreadable) else {
            break;
        };
        match Document::read(unreadable.source.name(), text.as_bytes()) {
            Ok(document) => return Ok(document),
            Err(again) => unreadable = again,
        }
    }
    Err(unreadable)
}

/// The text with an exponent behind every integer that was refused, which makes a rounded number of it.
fn rounded(unreadable: &Unreadable) -> Option<String> {
    let text = unreadable.source.text();
    let is_large = |range: &Range<usize>| {
        let written = text.get(range.clone()).unwrap_or_default();
        let digits = written.strip_prefix('-').unwrap_or(written);
        !digits.is_empty()
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0')
            && digits
                .parse()
                .map_or(true, |number: u64| number > MAX_INTEGER)
    };
    let mut ends: Vec<usize> = unreadable
        .flaws
        .iter()
        .map(|flaw| &flaw.range)
        .filter(|range| is_large(range))
        .map(|range| range.end)
        .collect();
    ends.sort_unstable();
    ends.dedup();
    if ends.is_empty() {
        return None;
    }
    let mut rounded = String::with_capacity(text.len() + 2 * ends.len());
    let mut from = 0;
    for end in ends {
        rounded.push_str(text.get(from..end)?);
        rounded.push_str("e0");
        from = end;
    }
    rounded.push_str(text.get(from..)?);
    Some(rounded)
}

/// The document with the members of each object in the order of the file; inside an alias, in that of the alphabet.
pub(super) fn in_order(document: &Document) -> Tree {
    ordered(&document.value, "", &document.spans)
}

fn ordered(value: &Value, pointer: &str, spans: &Spans) -> Tree {
    match value {
        Value::Null => Tree::Null,
        Value::Bool(flag) => Tree::Bool(*flag),
        Value::Number(number) => Tree::Number(number.as_f64().unwrap_or_default()),
        Value::String(text) => Tree::String(text.clone()),
        Value::Array(items) => {
            let item = |(index, item)| ordered(item, &format!("{pointer}/{index}"), spans);
            Tree::Array(items.iter().enumerate().map(item).collect())
        }
        Value::Object(members) => {
            let mut list: Vec<(usize, &String, Tree)> = members
                .iter()
                .map(|(name, value)| {
                    let child = pointer_child(pointer, name);
                    let place = spans.at(&child).key_or_head().start;
                    (place, name, ordered(value, &child, spans))
                })
                .collect();
            list.sort_by_key(|(place, ..)| *place);
            let member = |(_, name, value): (usize, &String, Tree)| (name.clone(), value);
            Tree::Object(list.into_iter().map(member).collect())
        }
    }
}
