//! A walk over the whole schema that brings the reader to the same places, and holds the two against each other.

use std::collections::BTreeSet;

use portcullis_config::{code, pointer_child};
use serde_json::{Map, Value, json};

use super::{Validator, errors_within};

/// No key, no word and no scalar of any kind.
const NOTHING: &str = "zz qq xx";

/// Strings that are something to some key.
const STRINGS: &[&str] = &[
    "",
    NOTHING,
    "a",
    "ä",
    "A.b",
    "10s",
    "1.5s",
    "10 s",
    "64KiB",
    "64kb",
    "60/1m",
    "5/minute",
    "10.0.0.0/8",
    "10.0.0.1",
    "::1",
    "/a/b",
    "/a/{b}",
    "/a/*",
    "/a b",
    "/a%20b",
    "/~0",
    "/~2",
    "x-y",
    "x-y*",
    "*",
    "**",
    ":path",
    "*.example.com",
    "example.com:80",
    "[::1]",
    "GET",
    "get",
    "+json",
    "text/*",
    "text/html; charset=utf-8",
    "header:x-y",
    "header:",
    "cookie:a b",
    "query:q",
    "ip",
    "all",
    " a",
    "a\n",
    "https://example.com",
    "https://*.example.com:*",
    "http://[::1]:65535",
    "https://example.com/",
    "capacitor://localhost",
    "null",
    "put",
    "CONNECT",
    "cookie",
    "600s",
    "5000ms",
    "0500ms",
    "0ms",
];

/// A walk over the schema with a policy that has just enough in it to bring the reader to the same place.
pub(super) struct Walk {
    root: Value,
    validator: Validator,
    pub(super) objects: usize,
    pub(super) words: usize,
    pub(super) bounds: usize,
    pub(super) strings: usize,
    pub(super) referred: BTreeSet<String>,
}

impl Walk {
    pub(super) fn new(root: Value) -> Self {
        Self {
            root,
            validator: Validator::new(),
            objects: 0,
            words: 0,
            bounds: 0,
            strings: 0,
            referred: BTreeSet::new(),
        }
    }

    /// A node with what it refers to; its own words win.
    fn resolved(&mut self, node: &Value) -> Map<String, Value> {
        let mut own = node.as_object().unwrap().clone();
        let Some(Value::String(reference)) = own.remove("$ref") else {
            return own;
        };
        self.referred.insert(reference.clone());
        let target = self.root.pointer(&reference[1..]).unwrap().clone();
        let mut merged = self.resolved(&target);
        merged.extend(own);
        merged
    }

    /// A value that the node takes.
    fn sample(&mut self, node: &Value) -> Value {
        let node = self.resolved(node);
        if let Some(value) = ["const", "default"].iter().find_map(|key| node.get(*key)) {
            return value.clone();
        }
        if let Some(Value::Array(values)) = node.get("examples").or_else(|| node.get("enum")) {
            return values.first().unwrap().clone();
        }
        match node.get("type").and_then(Value::as_str) {
            Some("object") => {
                let required: Vec<Value> = list(&node, "required").to_vec();
                required
                    .iter()
                    .map(|key| key.as_str().unwrap())
                    .map(|key| {
                        (
                            key.to_owned(),
                            self.sample(node.get("properties").unwrap().get(key).unwrap()),
                        )
                    })
                    .collect()
            }
            Some("array") => json!([self.sample(node.get("items").unwrap())]),
            Some("boolean") => json!(false),
            Some("string") => json!("x"),
            other => panic!("no sample for {other:?}: {node:?}"),
        }
    }

    /// Holds the node at `pointer` against the reader, and all that is below it.
    pub(super) fn visit(&mut self, node: &Value, policy: &Value, pointer: &str) {
        let node = self.resolved(node);
        for branch in list(&node, "anyOf") {
            self.visit(branch, policy, pointer);
        }
        let at = |value: Value| {
            let mut policy = policy.clone();
            *policy.pointer_mut(pointer).unwrap() = value;
            policy
        };
        let given = node.get("default").into_iter();
        let given = given
            .chain(list(&node, "examples"))
            .chain(list(&node, "enum"));
        for value in given {
            let policy = at(value.clone());
            assert_eq!(errors_within(&policy, pointer), [], "{value} at {pointer}");
            self.validator.judge(&policy).unwrap();
        }
        self.visit_words(&node, &at(json!(NOTHING)), pointer);
        self.visit_bounds(&node, &at, pointer);
        if node.contains_key("pattern") {
            for probe in STRINGS {
                let policy = at(json!(probe));
                let taken = errors_within(&policy, pointer).is_empty();
                let judged = self.validator.judge(&policy);
                assert!(
                    !taken || judged.is_ok(),
                    "the reader takes `{probe}` at {pointer}: {judged:?}"
                );
                self.strings += 1;
            }
        }
        if let Some(items) = node.get("items") {
            let policy = at(json!([null]));
            self.visit(items, &policy, &pointer_child(pointer, "0"));
        }
        if let Some(Value::Object(properties)) = node.get("properties") {
            self.visit_keys(&node, properties, &at, pointer);
        } else if let Some(member @ Value::Object(_)) = node.get("additionalProperties") {
            let name = match node.get("propertyNames") {
                Some(names) => self.sample(names).as_str().unwrap().to_owned(),
                None => "x".to_owned(),
            };
            let policy = at(json!({&name: null}));
            self.visit(member, &policy, &pointer_child(pointer, &name));
        }
    }

    /// The reader's own list of keys is the schema's.
    fn visit_keys(
        &mut self,
        node: &Map<String, Value>,
        properties: &Map<String, Value>,
        at: &dyn Fn(Value) -> Value,
        pointer: &str,
    ) {
        self.objects += 1;
        assert_eq!(node["additionalProperties"], false, "{pointer}");
        let required: Map<String, Value> = list(node, "required")
            .iter()
            .map(|key| key.as_str().unwrap())
            .map(|key| (key.to_owned(), self.sample(&properties[key])))
            .collect();
        let with = |key: &str, value: Value| {
            let mut object = required.clone();
            object.insert(key.to_owned(), value);
            at(Value::Object(object))
        };
        let policy = with(NOTHING, json!(1));
        assert!(self.validator.judge(&policy).is_err(), "{policy}");
        let help = help(&policy, &pointer_child(pointer, NOTHING), code::UNKNOWN_KEY);
        let known: BTreeSet<&str> = quoted(&help, "known here: ");
        let schemas: BTreeSet<&str> = properties.keys().map(String::as_str).collect();
        assert_eq!(known, schemas, "the keys at `{pointer}`");
        for key in required.keys() {
            let mut object = required.clone();
            object.remove(key);
            let policy = at(Value::Object(object));
            assert!(self.validator.judge(&policy).is_err(), "{policy}");
            let missing = errors_within(&policy, pointer);
            assert!(
                missing.iter().any(|d| d.code == code::MISSING_KEY),
                "`{key}` at `{pointer}`: {missing:?}"
            );
        }
        for (key, property) in properties {
            let words = self.resolved(property);
            let documented = ["title", "description", "anyOf"]
                .iter()
                .any(|key| words.contains_key(*key));
            assert!(documented, "`{key}` at `{pointer}` is not described");
            self.visit(
                property,
                &with(key, Value::Null),
                &pointer_child(pointer, key),
            );
        }
    }

    /// The reader's own list of words is the schema's.
    fn visit_words(&mut self, node: &Map<String, Value>, policy: &Value, pointer: &str) {
        let words: BTreeSet<&str> = list(node, "enum")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        if words.is_empty() {
            return;
        }
        self.words += 1;
        let help = help(policy, pointer, code::UNKNOWN_VALUE);
        assert_eq!(quoted(&help, "one of "), words, "the words at `{pointer}`");
    }

    /// The reader's bounds of a number are the schema's.
    fn visit_bounds(
        &mut self,
        node: &Map<String, Value>,
        at: &dyn Fn(Value) -> Value,
        pointer: &str,
    ) {
        let bound = |key: &str| node.get(key).and_then(Value::as_i64);
        let (Some(low), Some(high)) = (bound("minimum"), bound("maximum")) else {
            let number = node.get("type").is_some_and(|kind| kind == "integer");
            assert!(!number, "a number without bounds at `{pointer}`");
            return;
        };
        self.bounds += 1;
        for (number, legal) in [
            (low - 1, false),
            (low, true),
            (high, true),
            (high + 1, false),
        ] {
            let policy = at(json!(number));
            let found = errors_within(&policy, pointer);
            assert_eq!(
                found.is_empty(),
                legal,
                "{number} at `{pointer}`: {found:?}"
            );
            assert_eq!(self.validator.judge(&policy).is_ok(), legal, "{policy}");
        }
    }
}

fn list<'a>(node: &'a Map<String, Value>, key: &str) -> &'a [Value] {
    node.get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The help of the one finding of this code at this place.
fn help(policy: &Value, pointer: &str, code: &str) -> String {
    let found = errors_within(policy, pointer);
    let finding = found
        .iter()
        .find(|d| d.code == code && d.pointer == pointer);
    let help = finding.and_then(|d| d.help.clone());
    help.unwrap_or_else(|| panic!("no {code} with help at `{pointer}` in {policy}: {found:?}"))
}

/// The words in backticks behind `start`.
fn quoted<'a>(help: &'a str, start: &str) -> BTreeSet<&'a str> {
    let list = help.strip_prefix(start).unwrap_or_else(|| panic!("{help}"));
    list.split(", ")
        .map(|word| word.trim_matches('`'))
        .collect()
}
