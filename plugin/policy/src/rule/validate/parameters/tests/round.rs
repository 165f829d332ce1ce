//! Whatever a client spreads as OpenAPI says is put together again, and whatever else is sent panics nobody.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

/// A scalar that one member or element may be.
fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        (-1e9..1e9f64).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ]
}

/// The type that a scalar is declared to be.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        _ => "string",
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// What OpenAPI's `style` and `explode` make of a parameter `p`: the pairs, or the one text, of `value`.
fn spread(value: &Value, style: &str, explode: bool, encode: impl Fn(&str) -> String) -> String {
    let own = |value: &Value| encode(&text_of(value));
    let joined = |parts: Vec<String>| match style {
        "form" => format!("p={}", parts.join(",")),
        _ => parts.join(","),
    };
    let pair = |name: &str, value: &Value| format!("{}={}", encode(name), own(value));
    match (value, style, explode) {
        (Value::Array(items), "form", true) => {
            let items = items.iter().map(|item| pair("p", item));
            items.collect::<Vec<_>>().join("&")
        }
        (Value::Array(items), ..) => joined(items.iter().map(own).collect()),
        (Value::Object(members), "deepObject", _) => {
            let members = members.iter();
            let members = members.map(|(name, value)| pair(&format!("p[{name}]"), value));
            members.collect::<Vec<_>>().join("&")
        }
        (Value::Object(members), _, true) => {
            let members = members.iter().map(|(name, value)| pair(name, value));
            let by = if style == "form" { "&" } else { "," };
            members.collect::<Vec<_>>().join(by)
        }
        (Value::Object(members), ..) => {
            let members = members.iter();
            let parts = members.flat_map(|(name, value)| [encode(name), own(value)]);
            joined(parts.collect())
        }
        (scalar, ..) => joined(vec![own(scalar)]),
    }
}

fn schema_of(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let kind = items.first().map_or("string", type_of);
            json!({"type": "array", "items": {"type": kind}})
        }
        Value::Object(members) => {
            let members = members.iter();
            let members: Map<String, Value> = members
                .map(|(name, value)| (name.clone(), json!({"type": type_of(value)})))
                .collect();
            json!({"type": "object", "properties": members})
        }
        scalar => json!({"type": type_of(scalar)}),
    }
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        scalar(),
        prop_oneof![
            prop::collection::vec(any::<i64>(), 1..5).prop_map(Value::from),
            prop::collection::vec(any::<String>(), 1..5).prop_map(Value::from),
            prop::collection::vec(any::<bool>(), 1..5).prop_map(Value::from),
        ],
        prop::collection::btree_map("[a-z&=+% ä]{1,6}", scalar(), 1..5)
            .prop_map(|members| members.into_iter().collect::<Map<_, _>>().into()),
    ]
}

/// The value with characters replaced that its texts cannot have: servers decode before they split, so no encoding
/// saves a separator.
fn without(value: Value, odd: &dyn Fn(char) -> bool) -> Value {
    let clean = |text: String| text.replace(odd, "x");
    match value {
        Value::String(text) => clean(text).into(),
        Value::Array(items) => items.into_iter().map(|item| without(item, odd)).collect(),
        Value::Object(members) => {
            let members = members.into_iter();
            let members = members.map(|(name, value)| (clean(name), without(value, odd)));
            members.collect::<Map<_, _>>().into()
        }
        other => other,
    }
}

fn parameter(value: &Value, style: &str, explode: bool) -> String {
    let mut parameter = json!({"schema": schema_of(value), "style": style});
    if style != "deepObject" {
        parameter["explode"] = json!(explode);
    }
    parameter.to_string()
}

proptest! {
    #[test]
    fn queries(value in value(), explode: bool, deep: bool) {
        let style = if deep && value.is_object() { "deepObject" } else { "form" };
        let splits = !explode && !value.is_string();
        let value = without(value, &|c| match style {
            "form" => splits && c == ',',
            _ => c == '[' || c == ']',
        });
        let sent = spread(&value, style, explode, encoded);
        prop_assert_eq!(query(&parameter(&value, style, explode), &sent), is(value), "{}", sent);
    }

    #[test]
    fn paths(value in value(), explode: bool) {
        let (one, object) = (value.is_string(), value.is_object());
        let value = without(value, &|c| {
            "/;".contains(c) || (!one && c == ',') || (object && c == '=')
        });
        let sent = spread(&value, "simple", explode, encoded);
        prop_assume!(!sent.is_empty());
        let target = format!("/a/{sent}/b");
        prop_assert_eq!(path(&parameter(&value, "simple", explode), &target), is(value), "{}", target);
    }

    #[test]
    fn headers(value in value(), explode: bool) {
        let (one, object) = (value.is_string(), value.is_object());
        let value = without(value, &|c| {
            c.is_whitespace() || (!one && c == ',') || (object && c == '=')
        });
        let sent = spread(&value, "simple", explode, str::to_owned);
        prop_assert_eq!(header(&parameter(&value, "simple", explode), &[&sent]), is(value), "{}", sent);
    }

    /// Bytes that nobody meant: an answer for each, and none is a panic.
    #[test]
    fn no_request_panics(
        target in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'%'), Just(b'&'), Just(b'='), Just(b'p'), Just(b'['), Just(b']'), Just(b','), Just(b'/'), Just(b'?'), Just(b';')], 0..64),
        cookie: Vec<u8>,
        header: Vec<u8>,
        pydantic: bool,
    ) {
        let strictness = if pydantic { "pydantic" } else { "schema" };
        let schemas = [
            r#"{"type":"integer"}"#,
            r#"{"type":"array","items":{"type":"number"}}"#,
            r#"{"type":"object","properties":{"a":{"type":"boolean"}}}"#,
            "{}",
        ];
        for schema in schemas {
            for explode in [true, false] {
                let one = format!(r#"{{"p":{{"explode":{explode},"schema":{schema}}}}}"#);
                let validate = format!(
                    r#"{{"strictness":"{strictness}","unknown_query":"reject","path":{one},"query":{one},"headers":{one},"cookies":{one}}}"#
                );
                let tested = compile("/a/{p}", &validate);
                let (_, found) = tested.judge(&[
                    (b":path", &target),
                    (b"p", &header),
                    (b"cookie", &cookie),
                    (b"cookie", &target),
                ]);
                prop_assert!(found.len() <= 20);
            }
        }
        let deep = r#"{"query":{"p":{"style":"deepObject","schema":{"type":"object"}}}}"#;
        compile("/", deep).judge(&[(b":path", &[b"/?", &target[..]].concat())]);
    }
}
