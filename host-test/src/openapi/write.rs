//! A policy as text: YAML that a person reads and edits, or JSON.
//!
//! What is long stands in blocks, what fits on a line stands on a line. Nothing is written plain that any reader of YAML
//! could take for something else than text.

use std::fmt::Write as _;

use portcullis_config::Document as Tree;
use serde_json::{Number, Value};

use crate::document::{MAX_INTEGER, is_plain_text};

/// A collection that ends within so many columns stands on one line.
const WIDTH: usize = 110;
/// What people look for: each member of these has a line of its own.
const ALWAYS_OPEN: &[&str] = &["schemas", "routes", "validate"];

/// In which notation a policy is written. Both are read by everything that reads policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    /// With blocks, and room for comments.
    Yaml,
    /// RFC 8259.
    Json,
}

/// The policy in lines, the last one ended.
pub fn text(policy: &Tree, notation: Notation) -> String {
    let mut lines = Lines {
        notation,
        text: String::new(),
    };
    match policy {
        Tree::Object(members) if notation == Notation::Yaml => lines.block(members, 0, true),
        _ => lines.value(policy, "routes", 0, false),
    }
    lines.text.push('\n');
    lines.text
}

struct Lines {
    notation: Notation,
    text: String,
}

impl Lines {
    /// A value behind its key or its dash; what is in it stands at `indent`.
    fn value(&mut self, value: &Tree, key: &str, indent: usize, is_item: bool) {
        let is_yaml = self.notation == Notation::Yaml;
        let room = WIDTH.saturating_sub(self.column());
        let line = match value {
            Tree::Object(_) | Tree::Array(_) if ALWAYS_OPEN.contains(&key) => None,
            Tree::String(text) if is_yaml && is_plain_path(text) => Some(text.clone()),
            Tree::Object(_) | Tree::Array(_) => flow(value, self.notation, room),
            _ => flow(value, self.notation, usize::MAX),
        };
        match (value, line) {
            (Tree::Object(members), None) if !members.is_empty() => {
                if is_yaml {
                    self.block(members, indent, is_item);
                } else {
                    let members = members.iter().map(|(name, value)| (Some(&**name), value));
                    self.brackets('{', members, '}', key, indent);
                }
            }
            (Tree::Array(items), None) if !items.is_empty() => {
                if is_yaml {
                    for item in items {
                        self.line(indent);
                        self.text.push('-');
                        self.value(item, key, indent + 2, true);
                    }
                } else {
                    let items = items.iter().map(|item| (None, item));
                    self.brackets('[', items, ']', key, indent);
                }
            }
            (empty, line) => {
                if is_yaml {
                    self.text.push(' ');
                }
                let line = line.or_else(|| flow(empty, self.notation, usize::MAX));
                self.text.push_str(&line.unwrap_or_default());
            }
        }
    }

    /// The members of an object of YAML, the first one on this line if it stands behind a dash.
    fn block(&mut self, members: &[(String, Tree)], indent: usize, mut on_this_line: bool) {
        for (name, value) in members {
            if !on_this_line {
                self.line(indent);
            } else if indent > 0 {
                self.text.push(' ');
            }
            on_this_line = false;
            self.text.push_str(&scalar(name, self.notation));
            self.text.push(':');
            self.value(value, name, indent + 2, false);
        }
    }

    fn brackets<'t>(
        &mut self,
        open: char,
        values: impl Iterator<Item = (Option<&'t str>, &'t Tree)>,
        close: char,
        key: &str,
        indent: usize,
    ) {
        self.text.push(open);
        for (index, (name, value)) in values.enumerate() {
            if index > 0 {
                self.text.push(',');
            }
            self.line(indent + 2);
            if let Some(name) = name {
                self.text.push_str(&quoted(name));
                self.text.push_str(": ");
            }
            self.value(value, name.unwrap_or(key), indent + 2, false);
        }
        self.line(indent);
        self.text.push(close);
    }

    fn line(&mut self, indent: usize) {
        // Writing to a string cannot fail.
        let _ = write!(self.text, "\n{:indent$}", "");
    }

    fn column(&self) -> usize {
        self.text
            .rsplit('\n')
            .next()
            .map_or(0, |line| line.chars().count())
    }
}

/// A path with templates, which may stand plain where no braces have a meaning.
fn is_plain_path(text: &str) -> bool {
    text.starts_with('/') && is_plain_text(&text.replace(['{', '}'], "x"))
}

/// A value on one line, if a collection has room there.
fn flow(value: &Tree, notation: Notation, room: usize) -> Option<String> {
    let mut line = String::new();
    flow_into(value, notation, room, &mut line).then_some(line)
}

fn flow_into(value: &Tree, notation: Notation, room: usize, line: &mut String) -> bool {
    match value {
        Tree::Null => line.push_str("null"),
        Tree::Bool(flag) => line.push_str(if *flag { "true" } else { "false" }),
        Tree::Number(value) => line.push_str(&number(*value)),
        Tree::String(text) => line.push_str(&scalar(text, notation)),
        Tree::Array(items) => {
            line.push('[');
            for (index, item) in items.iter().enumerate() {
                line.push_str(if index > 0 { ", " } else { "" });
                if !flow_into(item, notation, room, line) {
                    return false;
                }
            }
            line.push(']');
        }
        Tree::Object(members) => {
            line.push('{');
            for (index, (name, member)) in members.iter().enumerate() {
                line.push_str(if index > 0 { ", " } else { "" });
                line.push_str(&scalar(name, notation));
                line.push_str(": ");
                if !flow_into(member, notation, room, line) {
                    return false;
                }
            }
            line.push('}');
        }
    }
    line.len() <= room
}

fn number(value: f64) -> String {
    // The whole numbers that every reader keeps: a cast of these is exact.
    if value.fract() == 0.0 && value.abs() <= MAX_INTEGER as f64 {
        return (value as i64).to_string();
    }
    Number::from_f64(value).map_or_else(|| "0".to_owned(), |number| number.to_string())
}

/// A text, plain where that is safe.
fn scalar(text: &str, notation: Notation) -> String {
    let is_plain = || is_plain_text(text) || text.strip_prefix('$').is_some_and(is_plain_text);
    if notation == Notation::Yaml && is_plain() {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// A string of JSON, in which what is neither ASCII nor a letter is an escape: readers of YAML disagree about more than
/// one of those.
fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    for c in Value::from(text).to_string().chars() {
        let is_letter = c.is_alphanumeric() && c.len_utf16() == 1;
        if (' '..='~').contains(&c) || is_letter {
            quoted.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(quoted, "\\u{unit:04x}");
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::document::Document;
    use crate::openapi::read::in_order;

    fn tree(value: &Value) -> Tree {
        in_order(&Document::read("x", value.to_string().as_bytes()).unwrap())
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let long: Vec<String> = (0..30).map(|n| format!("entry {n}")).collect();
        let value = json!({
            "a": {"b": [1, 2.5, -0.25, null, true, 1e300, 9_007_199_254_740_992_i64], "é": "ü 🂡 \u{85}\u{2028}\t\"\\"},
            "c": long,
            "routes": [{"path": "/a/{b}", "e": {}, "f": []}, {"path": "/é/{x}"}, [[]], [["x"]], {}],
            "no": "no", "1": "1", "mode": "off", "": "", "$ref": "#/x", "validate": {}, "d": {"long": long},
            "schemas": {"x": true, "y": {"z": "a: b # c"}},
        });
        for notation in [Notation::Yaml, Notation::Json] {
            let text = text(&tree(&value), notation);
            let read = Document::read("x", text.as_bytes());
            let read = read.unwrap_or_else(|error| panic!("{error}\n{text}"));
            assert_eq!(tree(&read.value), tree(&value), "{text}");
        }
    }
}
