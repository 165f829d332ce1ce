//! The collecting walk over a scenario file: every mistake with its pointer, not only the first.

use std::borrow::Cow;

use portcullis_config::{Diagnostics, code, pointer_child, suggest};
use serde_json::{Map, Value};

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    pub(super) value: &'a Value,
    pub(super) pointer: String,
}

impl<'a> Node<'a> {
    pub(super) fn root(value: &'a Value) -> Self {
        Self {
            value,
            pointer: String::new(),
        }
    }

    fn child(&self, key: &str, value: &'a Value) -> Self {
        Self {
            value,
            pointer: pointer_child(&self.pointer, key),
        }
    }
}

/// An object whose keys are known to be allowed.
pub(super) struct Object<'a> {
    node: Node<'a>,
    members: &'a Map<String, Value>,
}

impl<'a> Object<'a> {
    pub(super) fn get(&self, key: &str) -> Option<Node<'a>> {
        self.members
            .get(key)
            .map(|value| self.node.child(key, value))
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.members.contains_key(key)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(super) fn members(&self) -> impl Iterator<Item = (&'a str, Node<'a>)> {
        self.members
            .iter()
            .map(|(key, value)| (key.as_str(), self.node.child(key, value)))
    }
}

/// What the walk found wrong so far. Each reading method records its complaint and gives `None`.
#[derive(Debug, Default)]
pub(super) struct Walk {
    pub(super) diagnostics: Diagnostics,
}

impl Walk {
    pub(super) fn error(
        &mut self,
        code: &'static str,
        node: &Node<'_>,
        message: impl Into<String>,
        help: Option<&str>,
    ) {
        self.diagnostics
            .error(code, node.pointer.clone(), message, help.map(str::to_owned));
    }

    pub(super) fn wrong_type(&mut self, node: &Node<'_>, wanted: &str) {
        let help = match node.value {
            Value::Bool(_) | Value::Number(_) if wanted.contains("text") => Some("quote it"),
            _ => None,
        };
        let found = kind(node.value);
        self.error(
            code::WRONG_TYPE,
            node,
            format!("expected {wanted}, found {found}"),
            help,
        );
    }

    /// An object with no other keys than these.
    pub(super) fn object<'a>(&mut self, node: &Node<'a>, keys: &[&str]) -> Option<Object<'a>> {
        let object = self.map(node)?;
        for (key, member) in object.members() {
            if keys.contains(&key) {
                continue;
            }
            let help = match suggest(key, keys.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the keys here are `{}`", keys.join("`, `")),
            };
            self.error(
                code::UNKNOWN_KEY,
                &member,
                format!("unknown key `{key}`"),
                Some(&help),
            );
        }
        Some(object)
    }

    /// An object whose keys are the writer's own, as header names are.
    pub(super) fn map<'a>(&mut self, node: &Node<'a>) -> Option<Object<'a>> {
        match node.value {
            Value::Object(members) => Some(Object {
                node: node.clone(),
                members,
            }),
            _ => {
                self.wrong_type(node, "an object");
                None
            }
        }
    }

    pub(super) fn list<'a>(&mut self, node: &Node<'a>) -> Vec<Node<'a>> {
        match node.value {
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| node.child(&index.to_string(), item))
                .collect(),
            _ => {
                self.wrong_type(node, "a list");
                Vec::new()
            }
        }
    }

    pub(super) fn text<'a>(&mut self, node: &Node<'a>) -> Option<&'a str> {
        let text = node.value.as_str();
        if text.is_none() {
            self.wrong_type(node, "a text");
        }
        text
    }

    pub(super) fn truth(&mut self, node: &Node<'_>) -> Option<bool> {
        let truth = node.value.as_bool();
        if truth.is_none() {
            self.wrong_type(node, "`true` or `false`");
        }
        truth
    }

    /// A whole number within `from..=to`.
    pub(super) fn integer(&mut self, node: &Node<'_>, from: i64, to: i64) -> Option<i64> {
        let number = node.value.as_i64();
        match number {
            Some(number) if (from..=to).contains(&number) => Some(number),
            Some(number) => {
                let message = format!("`{number}` is outside {from} to {to}");
                self.error(code::NUMBER_RANGE, node, message, None);
                None
            }
            None => {
                self.wrong_type(node, "a whole number");
                None
            }
        }
    }

    /// Bytes: a text, or `{hex: 61ff}` for what no text can hold.
    pub(super) fn bytes<'a>(&mut self, node: &Node<'a>) -> Option<Cow<'a, [u8]>> {
        match node.value {
            Value::String(text) => Some(Cow::Borrowed(text.as_bytes())),
            Value::Object(_) => {
                let object = self.object(node, &["hex"])?;
                let hex = self.required(node, &object, "hex")?;
                self.hex(&hex).map(Cow::Owned)
            }
            _ => {
                self.wrong_type(node, "a text, or `{hex: ..}`");
                None
            }
        }
    }

    /// Bytes in hexadecimal, two digits each.
    pub(super) fn hex(&mut self, node: &Node<'_>) -> Option<Vec<u8>> {
        let text = self.text(node)?;
        let digits: Option<Vec<u8>> = text
            .chars()
            .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
            .collect();
        let bytes = digits.filter(|digits| digits.len() % 2 == 0).map(|digits| {
            digits
                .chunks(2)
                .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
                .collect()
        });
        if bytes.is_none() {
            let message = format!("`{text}` is not hexadecimal");
            self.error(
                code::UNKNOWN_VALUE,
                node,
                message,
                Some("two digits a byte, such as `61ff`"),
            );
        }
        bytes
    }

    /// A member that must be there.
    pub(super) fn required<'a>(
        &mut self,
        node: &Node<'a>,
        object: &Object<'a>,
        key: &str,
    ) -> Option<Node<'a>> {
        let member = object.get(key);
        if member.is_none() {
            self.error(
                code::MISSING_KEY,
                node,
                format!("missing key `{key}`"),
                None,
            );
        }
        member
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&mut self, node: &Node<'_>, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(node)?;
        let found = words
            .iter()
            .find(|(word, _)| *word == text)
            .map(|(_, meaning)| *meaning);
        if found.is_none() {
            let help = match suggest(text, words.iter().map(|(word, _)| *word)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                    format!("one of `{}`", words.join("`, `"))
                }
            };
            self.error(
                code::UNKNOWN_VALUE,
                node,
                format!("unknown value `{text}`"),
                Some(&help),
            );
        }
        found
    }
}

/// What a value is, for messages.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
