//! `multipart/form-data` bodies (RFC 7578), judged as the objects that frameworks make of them.

mod fault;
mod files;
mod read;

use std::collections::BTreeMap;

use portcullis_config::Strictness;
use serde_json::Value;

pub(crate) use self::fault::Fault;
use self::fault::Flaw;
pub(crate) use self::files::Files;
use self::read::Part;
pub(crate) use self::read::read;
use super::body::Trouble;
use super::coerce::lax;
use super::form::{self, Arity};
use super::media_type::{MediaType, Read};
use super::shape::{Shape, Types};
use super::violation::{Place, Token, Violation, Violations};
use crate::json::{self, FaultKind, Limits};
use crate::path::percent_decoded;

/// What is asked of the parts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) shape: &'a Shape,
    pub(crate) files: &'a Files,
    pub(crate) strictness: Strictness,
    pub(crate) limits: &'a Limits,
}

impl Asked<'_> {
    /// The object that the parts are: texts as in a form, JSON where an array or an object is asked for and the part
    /// says that it is JSON, files as strings.
    ///
    /// # Errors
    /// A part that is not what it has to be to be read, or past a limit.
    pub(crate) fn object(
        self,
        parts: &[Part<'_>],
        found: &mut Violations,
    ) -> Result<Value, Trouble> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for part in parts {
            *counts.entry(part.name).or_default() += 1;
        }
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        let mut nodes = self.limits.nodes.saturating_sub(1);
        let mut fields = Vec::with_capacity(parts.len());
        for part in parts {
            if part.name.len() > self.limits.key_bytes {
                return Err(Trouble::too_complex(FaultKind::KeyBytes.text(), part.at));
            }
            if self.is_alias(part.name) {
                let (at, flaw) = (part.at, Flaw::Escape);
                return Err(Fault { at, flaw }.into());
            }
            let index = seen.entry(part.name).or_default();
            let property = self.shape.member(part.name);
            let many = match Arity::of(property) {
                Arity::One => false,
                Arity::Many => true,
                Arity::Any => counts.get(part.name).is_some_and(|count| *count > 1),
            };
            let field = Field {
                whole: property,
                shape: if many {
                    property.item(*index)
                } else {
                    property
                },
                index: many.then_some(*index),
                part,
            };
            *index += 1;
            let value = self.value(&field, nodes, found)?;
            nodes = nodes
                .checked_sub(count(&value))
                .ok_or_else(|| Trouble::too_complex(FaultKind::Nodes.text(), part.at))?;
            fields.push((part.name, value, part.at));
        }
        form::object(fields, self.shape, self.limits, found)
    }

    /// Whether a name is none of the schema's, and would be one to a reader that undoes escapes, drops control
    /// characters or stops at a NUL.
    fn is_alias(self, name: &str) -> bool {
        let declares = |name: &[u8]| self.shape.names().any(|other| other.as_bytes() == name);
        let is_odd = |c: char| c == '\\' || c.is_control();
        if !name.contains(|c| c == '%' || is_odd(c)) || declares(name.as_bytes()) {
            return false;
        }
        let (cut, _) = name.split_once('\0').unwrap_or((name, ""));
        let plain = name.replace(is_odd, "");
        declares(cut.as_bytes())
            || declares(plain.as_bytes())
            || declares(&percent_decoded(name.as_bytes()))
    }

    /// One part, as it is asked for. `nodes` is how many values it may be.
    fn value(
        self,
        field: &Field<'_>,
        nodes: usize,
        found: &mut Violations,
    ) -> Result<Value, Trouble> {
        let part = field.part;
        if let Some(wanted) = self.files.wanted(part.name) {
            field.judge_type(wanted, found);
        }
        if part.is_file || self.files.wanted(part.name).is_some() {
            // A file has a length and nothing else that a schema could speak of.
            return Ok(Value::from(String::from_utf8_lossy(part.bytes)));
        }
        let asked = field.whole.reads() | field.shape.reads();
        let is_json = part.content_type.clone().and_then(MediaType::read) == Some(Read::Json);
        if is_json && asked.has(Types::ARRAY | Types::OBJECT) {
            let limits = Limits {
                depth: self.limits.depth.saturating_sub(1),
                nodes,
                ..*self.limits
            };
            let mut value = json::read(part.bytes, &limits).map_err(|mut fault| {
                fault.at += part.at;
                fault
            })?;
            if value.is_array() || value.is_object() {
                if self.strictness == Strictness::Pydantic {
                    let list = value.is_array() && field.whole.reads().has(Types::ARRAY);
                    lax(&mut value, if list { field.whole } else { field.shape });
                }
                return Ok(value);
            }
        }
        if part.bytes.len() > self.limits.string_bytes {
            return Err(Trouble::too_complex(FaultKind::StringBytes.text(), part.at));
        }
        let text = std::str::from_utf8(part.bytes).map_err(|error| {
            Trouble::malformed(FaultKind::NotUtf8.text(), part.at + error.valid_up_to())
        })?;
        let mut value = Value::from(text);
        form::text(
            &mut value,
            field.shape,
            self.strictness,
            || field.path(),
            found,
        );
        Ok(value)
    }
}

/// A part with what is asked of it.
struct Field<'a> {
    /// Of all parts of this name.
    whole: &'a Shape,
    /// Of this one.
    shape: &'a Shape,
    /// Which item of an array it is.
    index: Option<usize>,
    part: &'a Part<'a>,
}

impl Field<'_> {
    fn path(&self) -> Vec<Token> {
        let name = Token::Name(self.part.name.to_owned());
        let index = self.index.map(Token::Index);
        std::iter::once(name).chain(index).collect()
    }

    /// `wanted` are the types of which the part has to be one, unless there are none.
    fn judge_type(&self, wanted: &[String], found: &mut Violations) {
        // What names no type is plain text (RFC 7578 section 4.4).
        let given = self
            .part
            .content_type
            .as_ref()
            .map_or("text/plain", |t| &t.name);
        if !wanted.is_empty() && !wanted.iter().any(|one| one == given) {
            found.push(Violation {
                place: Place::Body,
                path: self.path(),
                keyword: "contentMediaType",
                kind: "content_type",
                message: format!("must be of type {}", wanted.join(" or ")),
            });
        }
    }
}

/// The values that a value is.
fn count(value: &Value) -> usize {
    let below: usize = match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    };
    below + 1
}

#[cfg(test)]
mod tests {
    use portcullis_config::{Document, DuplicateKeys};
    use serde_json::json;

    use super::*;
    use crate::rule::validate::shape;

    const LIMITS: Limits = Limits {
        depth: 3,
        keys: 3,
        items: 3,
        nodes: 6,
        key_bytes: 8,
        string_bytes: 8,
        duplicate_keys: DuplicateKeys::Reject,
    };

    /// The object, and the kinds and ways of what is wrong with it; or what is told of a body that is none.
    fn judged(
        parts: &[(&str, &str, &[u8])],
        strictness: Strictness,
    ) -> Result<(Value, Vec<String>), String> {
        let schema = json!({
            "$ref": "#/$defs/Form",
            "$defs": {
                "Form": {"properties": {
                    "n": {"type": "integer"}, "s": {"type": "string"},
                    "list": {"type": "array", "items": {"type": "integer"}},
                    "o": {"$ref": "#/$defs/Player"},
                    "players": {"type": "array", "items": {"$ref": "#/$defs/Player"}},
                    "picture": {"type": "string", "contentMediaType": "image/png"},
                    "raw": {"type": "array", "items": {"type": "string", "format": "binary"}},
                }},
                "Player": {"type": "object", "properties": {"age": {"type": "integer"}}},
            },
        });
        let schema = Document::from_bytes(schema.to_string().as_bytes()).unwrap();
        let mut body = Vec::new();
        for (name, more, bytes) in parts {
            let head =
                format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"{more}\r\n\r\n");
            body.extend(head.bytes());
            body.extend(*bytes);
            body.extend(b"\r\n");
        }
        body.extend(b"--b--");
        let parts = read(&body, "b", 9).unwrap();
        let mut found = Violations::default();
        let asked = Asked {
            shape: &shape::compile(&schema, &[]),
            files: &Files::compile(&schema, &[]),
            strictness,
            limits: &LIMITS,
        };
        let value = asked
            .object(&parts, &mut found)
            .map_err(|trouble| match trouble {
                Trouble::Malformed(said) => {
                    let rest = String::from_utf8_lossy(&body[said.at..]).into_owned();
                    format!("malformed: {said} {rest:?}")
                }
                other => format!("{other:?}"),
            })?;
        let found = found.as_slice().iter();
        Ok((
            value,
            found
                .map(|v| format!("{} {}", v.kind, v.pointer()))
                .collect(),
        ))
    }

    const JSON: &str = "\r\ncontent-type: application/json";

    #[test]
    fn parts_are_the_object_that_the_schema_asks_for() {
        let check = |parts: &[(&str, &str, &[u8])], expected: Value, found: &[&str]| {
            let found = found.iter().map(|&f| f.to_owned()).collect();
            assert_eq!(judged(parts, Strictness::Schema), Ok((expected, found)));
        };
        check(&[], json!({}), &[]);
        check(
            &[("n", "", b"5"), ("s", "", b"5")],
            json!({"n": 5, "s": "5"}),
            &[],
        );
        check(&[("n", "", b"x")], json!({"n": "x"}), &["int_parsing /n"]);
        check(
            &[("n", "", b"5"), ("n", "", b"5")],
            json!({"n": 5}),
            &["repeated /n"],
        );
        check(&[("list", "", b"1")], json!({"list": [1]}), &[]);
        check(
            &[("list", "", b"1"), ("list", "", b"x")],
            json!({"list": [1, "x"]}),
            &["int_parsing /list/1"],
        );
        check(
            &[("list", JSON, b"[1, \"2\"]")],
            json!({"list": [1, "2"]}),
            &[],
        );
        check(&[("new", JSON, b"[1]")], json!({"new": "[1]"}), &[]);
        check(
            &[("o", JSON, b"{\"age\": 5}")],
            json!({"o": {"age": 5}}),
            &[],
        );
        check(&[("o", "", b"{}")], json!({"o": "{}"}), &["dict_type /o"]);
        check(&[("o", JSON, b"5")], json!({"o": "5"}), &["dict_type /o"]);
        check(&[("s", JSON, b"{}")], json!({"s": "{}"}), &[]);
        check(
            &[("players", JSON, b"{}"), ("players", JSON, b"{}")],
            json!({"players": [{}, {}]}),
            &[],
        );
        check(&[("players", JSON, b"[{}]")], json!({"players": [{}]}), &[]);
        let png = "; filename=\"a\"\r\ncontent-type: image/png";
        check(
            &[("picture", png, b"\xff123456789")],
            json!({"picture": "\u{fffd}123456789"}),
            &[],
        );
        check(
            &[("picture", "", b"x")],
            json!({"picture": "x"}),
            &["content_type /picture"],
        );
        check(
            &[("raw", "", b"\xff"), ("raw", png, b"x")],
            json!({"raw": ["\u{fffd}", "x"]}),
            &[],
        );
        let lax: &[(&str, &str, &[u8])] = &[
            ("n", "", b"5.0"),
            ("list", JSON, b"[\"2\"]"),
            ("o", JSON, b"{\"age\": \"5\"}"),
        ];
        let lax = judged(&lax[..2], Strictness::Pydantic)
            .and_then(|(first, _)| Ok((first, judged(&lax[2..], Strictness::Pydantic)?.0)));
        assert_eq!(
            lax,
            Ok((json!({"n": 5, "list": [2]}), json!({"o": {"age": 5}})))
        );
    }

    #[test]
    fn parts_that_cannot_be_read_are_told_with_their_byte() {
        let check = |parts: &[(&str, &str, &[u8])], expected: &str| {
            let told = judged(parts, Strictness::Schema).unwrap_err();
            assert!(told.contains(expected), "{told}");
        };
        check(
            &[("n", "", b"5"), ("s", "", b"a\xffb")],
            "not valid UTF-8, at byte 102 \"\u{fffd}b",
        );
        check(&[("o", JSON, b"{]")], " \"]\\r\\n--b--\"");
        check(&[("o", JSON, b"{\"age\": 1, \"age\": 2}")], "DuplicateKey");
        check(&[("o", JSON, b"{\"a\": {\"b\": {}}}")], "nested too deep");
        check(&[("s", "", b"123456789")], "string that is too long");
        check(&[("123456789", "", b"")], "too long a name");
        check(
            &[
                ("list", JSON, b"[1, 2, 3]"),
                ("s", "", b""),
                ("n", "", b"1"),
            ],
            "too many values",
        );
        let one = ("a", "", b"".as_slice());
        check(&[one, one, one, one], "too many items");
        let named = ["a", "b", "c", "d"].map(|name| (name, "", b"".as_slice()));
        check(&named, "too many members");
    }

    #[test]
    fn a_name_that_is_another_once_its_escapes_are_undone_is_refused() {
        let check = |name: &str, refused: bool| {
            let judged = judged(&[(name, "", b"x")], Strictness::Schema);
            assert_eq!(judged.is_err(), refused, "{name}: {judged:?}");
        };
        check("\\s", true);
        check("s\0x", true);
        check("s\u{b}", true);
        check("x\0", false);
        check("x\\", false);
        check("%73", true);
        check("pict%75re", true);
        check("\\x", false);
        check("%73%73", false);
        check("100%", false);
        check("", false);
    }
}
