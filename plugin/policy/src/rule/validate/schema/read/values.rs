//! The keywords that hold values: patterns, formats, data, numbers, types and names.

use std::collections::BTreeSet;

use portcullis_config::{Document, code, pointer_child, suggest};
use serde_json::{Map, Number, Value};

use super::{Half, INEXACT, Reader, shown};
use crate::rule::validate::schema::Formats;
use crate::rule::validate::schema::format::{self, Known};

impl Reader<'_> {
    pub(super) fn pattern(&mut self, text: &str, local: &str) -> Option<String> {
        match self.patterns.translate(text) {
            Ok(pattern) => Some(pattern.clone()),
            Err(fault) => {
                let code = if fault.size {
                    code::SCHEMA_PATTERN_SIZE
                } else {
                    code::SCHEMA_PATTERN
                };
                let (message, help) = (fault.message.clone(), fault.help.map(str::to_owned));
                self.error(code, local, message, help);
                None
            }
        }
    }

    pub(super) fn format(&mut self, text: &str, local: &str, half: &mut Half) {
        if self.formats == Formats::Annotate {
            return;
        }
        let help = match format::known(text) {
            Some(Known::Checked(check)) => {
                half.rules.formats.push(check);
                return;
            }
            Some(Known::Noted) => return,
            Some(Known::Ascii(check)) => {
                half.rules.formats.push(check);
                "only names in ASCII pass: others are refused, whatever their alphabet".to_owned()
            }
            None => match suggest(text, format::names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "write a `pattern` for what has to be checked".to_owned(),
            },
        };
        let message = if format::known(text).is_some() {
            format!("the format `{text}` is checked in part")
        } else {
            format!("the format `{}` is not known, and not checked", shown(text))
        };
        self.diagnostics.warning(
            code::SCHEMA_FORMAT,
            format!("{}{local}", self.base),
            message,
            Some(help),
        );
    }

    /// A value that inputs are compared with.
    pub(super) fn data(&mut self, value: &Document, local: &str) -> Value {
        match value {
            Document::Null => Value::Null,
            Document::Bool(on) => Value::Bool(*on),
            Document::Number(n) => {
                if n.fract() == 0.0 && n.abs() >= INEXACT {
                    self.error(
                        code::SCHEMA_NUMBER,
                        local,
                        "an integer from 2^53 cannot be compared exactly".to_owned(),
                        Some(
                            "let it be a string, or bound it with `minimum` and `maximum`"
                                .to_owned(),
                        ),
                    );
                }
                Value::Number(number(*n))
            }
            Document::String(text) => Value::String(text.clone()),
            Document::Array(list) => list
                .iter()
                .enumerate()
                .map(|(index, value)| self.data(value, &pointer_child(local, &index.to_string())))
                .collect(),
            Document::Object(members) => {
                let mut map = Map::new();
                for (name, value) in self.distinct(members, local) {
                    let value = self.data(value, &pointer_child(local, name));
                    map.insert(name.to_owned(), value);
                }
                Value::Object(map)
            }
        }
    }
}

/// Whether a type is asked for that integers have, and numbers with a fraction do not.
pub(super) fn wants_integers(plain: &Map<String, Value>) -> bool {
    let has = |word: &str| match plain.get("type") {
        Some(Value::String(one)) => one == word,
        Some(Value::Array(list)) => list.iter().any(|one| one == word),
        _ => false,
    };
    has("integer") && !has("number")
}

pub(super) fn number(n: f64) -> Number {
    if n.fract() == 0.0 && (-INEXACT..format::WIDEST).contains(&n) {
        if n < 0.0 {
            return Number::from(n as i64);
        }
        return Number::from(n as u64);
    }
    // A document's numbers are finite.
    Number::from_f64(n).unwrap_or_else(|| Number::from(0))
}

pub(super) fn types(value: &Document) -> Option<Value> {
    let known = |text: &String| {
        matches!(
            text.as_str(),
            "null" | "boolean" | "integer" | "number" | "string" | "array" | "object"
        )
    };
    match value {
        Document::String(text) => known(text).then(|| Value::String(text.clone())),
        Document::Array(list) if !list.is_empty() => {
            let list = names(value).filter(|_| {
                list.iter()
                    .all(|one| matches!(one, Document::String(text) if known(text)))
            })?;
            Some(list)
        }
        _ => None,
    }
}

/// A list of distinct strings.
pub(super) fn names(value: &Document) -> Option<Value> {
    let Document::Array(list) = value else {
        return None;
    };
    let mut seen = BTreeSet::new();
    list.iter()
        .map(|one| match one {
            Document::String(text) if seen.insert(text) => Some(Value::String(text.clone())),
            _ => None,
        })
        .collect()
}
