//! The policy document before it means anything: a JSON tree that keeps what a map would lose.
//!
//! Members keep their order, and a name that stands twice stands twice here, because a policy in which the second
//! `methods` silently wins is a policy that was not read.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::protobuf;

/// A JSON value as written, duplicate names included.
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number; integers up to 2^53 are exact.
    Number(f64),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Document>),
    /// An object's members in their order.
    Object(Vec<(String, Document)>),
}

impl Document {
    /// Reads a policy as gateways deliver it: JSON text (RFC 8259), or the bytes of a `google.protobuf.Struct`, which
    /// is what Envoy hands over when the policy stands as YAML inside its own configuration.
    ///
    /// # Errors
    /// A sentence that says what is wrong and where.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let first = text
            .iter()
            .find(|b| !matches!(b, b' ' | b'\t' | b'\r' | b'\n'));
        match first {
            None => Err("the policy is empty".to_owned()),
            // The first field of a Struct is 0x0a, a length, 0x0a, and a shorter length: `{` cannot follow white
            // space there, so the two forms are never mistaken for each other.
            Some(b'{' | b'[' | b'"') => {
                serde_json::from_slice(text).map_err(|e| format!("the policy is not JSON: {e}"))
            }
            Some(_) if bytes.first() == Some(&protobuf::STRUCT_FIRST_BYTE) => {
                protobuf::read_struct(bytes)
                    .ok_or_else(|| "the policy is neither JSON nor a protobuf Struct".to_owned())
            }
            Some(_) => Err("the policy is not a JSON object".to_owned()),
        }
    }

    /// What the value is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Builder)
    }
}

struct Builder;

impl<'de> Visitor<'de> for Builder {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Document, E> {
        Ok(Document::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Document, E> {
        Ok(Document::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Document, E> {
        Ok(Document::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Document, E> {
        Ok(Document::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Document, E> {
        Ok(Document::Number(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Document, E> {
        Ok(Document::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Document, E> {
        Ok(Document::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Document, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Document::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Document, A::Error> {
        let mut list = Vec::new();
        while let Some(member) = members.next_entry()? {
            list.push(member);
        }
        Ok(Document::Object(list))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicates_and_order_are_kept() {
        let document = Document::from_bytes(br#" {"b":1,"a":[null,true],"b":"x"}"#).unwrap();
        assert_eq!(
            document,
            Document::Object(vec![
                ("b".into(), Document::Number(1.0)),
                (
                    "a".into(),
                    Document::Array(vec![Document::Null, Document::Bool(true)])
                ),
                ("b".into(), Document::String("x".into())),
            ])
        );
    }

    #[test]
    fn what_is_no_document_is_said() {
        let check = |bytes: &[u8], expected: &str| {
            let error = Document::from_bytes(bytes).unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        check(b"", "empty");
        check(b" \n\t", "empty");
        check(b"version: 1", "not a JSON object");
        check(b"{\"version\": 1", "not JSON");
        check(b"{\"version\": 1} x", "not JSON");
        check(b"\n\xff\xff", "neither JSON nor");
        check("[".repeat(100_000).as_bytes(), "not JSON");
    }
}
