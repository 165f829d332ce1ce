//! The keywords that hold values: patterns, formats, data, numbers, types and names.

use std::collections::BTreeSet;
use std::rc::Rc;

use portcullis_config::{Document, code, pointer_child, suggest};
use serde_json::{Map, Number, Value};

use super::{Half, Reader, shown};
use crate::rule::validate::schema::Formats;
use crate::rule::validate::schema::arena::Assert;
use crate::rule::validate::schema::format::{self, Known};
use crate::rule::validate::schema::number::{INEXACT, WIDEST};
use crate::rule::validate::schema::pattern::Pattern;
use crate::rule::validate::schema::types::{Type, Types};

impl Reader<'_> {
    pub(super) fn pattern(&mut self, text: &str, local: &str) -> Option<Rc<Pattern>> {
        match self.patterns.compiled(text) {
            Ok(pattern) => Some(Rc::clone(pattern)),
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
                half.rules.asserts.push(Assert::Format(check));
                return;
            }
            Some(Known::Noted) => return,
            Some(Known::Ascii(check)) => {
                half.rules.asserts.push(Assert::Format(check));
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

    /// Values that inputs are compared with.
    pub(super) fn values(&mut self, list: &[Document], local: &str) -> Vec<Value> {
        let list = list.iter().enumerate();
        list.map(|(index, value)| self.data(value, &pointer_child(local, &index.to_string())))
            .collect()
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
            Document::Array(list) => Value::Array(self.values(list, local)),
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

pub(super) fn number(n: f64) -> Number {
    if n.fract() == 0.0 && (-INEXACT..WIDEST).contains(&n) {
        if n < 0.0 {
            return Number::from(n as i64);
        }
        return Number::from(n as u64);
    }
    // A document's numbers are finite.
    Number::from_f64(n).unwrap_or_else(|| Number::from(0))
}

/// `type`: one, or a list of at least one, none of them twice.
pub(super) fn types(value: &Document) -> Option<Types> {
    match value {
        Document::String(text) => Some(Types::NONE.with(Type::named(text)?)),
        Document::Array(list) if !list.is_empty() => {
            let distinct = names(value)?;
            distinct.iter().try_fold(Types::NONE, |types, name| {
                Type::named(name).map(|one| types.with(one))
            })
        }
        _ => None,
    }
}

/// A list of distinct strings.
pub(super) fn names(value: &Document) -> Option<Vec<String>> {
    let Document::Array(list) = value else {
        return None;
    };
    let mut seen = BTreeSet::new();
    list.iter()
        .map(|one| match one {
            Document::String(text) if seen.insert(text) => Some(text.clone()),
            _ => None,
        })
        .collect()
}
