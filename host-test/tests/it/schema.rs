//! The policy file's JSON Schema says what the module's reader does: the same keys, words and bounds at every place.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use boon::{Compiler, SchemaIndex, Schemas};
use portcullis_config::{POLICY_SCHEMA, code, pointer_child};
use portcullis_host_test::document::Document;
use portcullis_host_test::scenario::corpus::Corpus;
use portcullis_policy::{Diagnostic, Severity, load};
use serde_json::{Map, Value, json};

use crate::check::{run, text};

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
];

struct Validator {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Validator {
    fn new() -> Self {
        let place = "http://localhost/policy.schema.json";
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource(place, schema()).unwrap();
        let index = compiler.compile(place, &mut schemas).unwrap();
        Self { schemas, index }
    }

    fn judge(&self, policy: &Value) -> Result<(), String> {
        self.schemas
            .validate(policy, self.index)
            .map_err(|error| format!("{error:#}"))
    }
}

fn schema() -> Value {
    serde_json::from_str(POLICY_SCHEMA).unwrap()
}

/// What the reader finds at a place and below it, apart from what is only not enforced yet.
fn errors_within(policy: &Value, pointer: &str) -> Vec<Diagnostic> {
    let verdict = load(policy.to_string().as_bytes());
    let within = |at: &str| {
        at.strip_prefix(pointer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    verdict
        .diagnostics
        .into_iter()
        .filter(|d| d.severity == Severity::Error && d.code != code::NOT_SUPPORTED)
        .filter(|d| within(&d.pointer))
        .collect()
}

/// A walk over the schema with a policy that has just enough in it to bring the reader to the same place.
struct Walk {
    root: Value,
    validator: Validator,
    objects: usize,
    words: usize,
    bounds: usize,
    strings: usize,
    referred: BTreeSet<String>,
}

impl Walk {
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
    fn visit(&mut self, node: &Value, policy: &Value, pointer: &str) {
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

#[test]
fn the_schema_and_the_reader_know_the_same() {
    let root = schema();
    let mut walk = Walk {
        root: root.clone(),
        validator: Validator::new(),
        objects: 0,
        words: 0,
        bounds: 0,
        strings: 0,
        referred: BTreeSet::new(),
    };
    walk.visit(&root, &json!({}), "");
    // Every definition is in use, so every one was held against the reader.
    for name in root["$defs"].as_object().unwrap().keys() {
        let reference = format!("#/$defs/{name}");
        assert!(walk.referred.contains(&reference), "{reference}");
    }
    // Nor did the walk end early.
    let seen = [walk.objects, walk.words, walk.bounds, walk.strings];
    let least = [25, 40, 20, 2_000];
    let enough = seen.iter().zip(least).all(|(seen, least)| *seen >= least);

    assert!(enough, "{seen:?}");
}

#[test]
fn null_stands_in_a_routes_patch_and_nowhere_else() {
    let validator = Validator::new();
    let root = schema();
    let mut seen = 0;
    for section in ["cors", "headers", "profanity"] {
        let keys = &root["$defs"][format!("{section}_patch")]["properties"];
        for key in keys.as_object().unwrap().keys() {
            let patch = json!({key: null});
            let route = json!({"name": "a", "path": "/", section: patch});
            let policy = json!({"version": 1, section: {"origins": ["*"]}, "routes": [route]});
            let mut policy = policy;
            if section != "cors" {
                policy[section] = json!({});
            }
            validator.judge(&policy).unwrap();
            let pointer = format!("/routes/0/{section}/{key}");
            assert_eq!(errors_within(&policy, &pointer), [], "{policy}");
            let shared = json!({"version": 1, section: patch});
            assert!(validator.judge(&shared).is_err(), "{shared}");
            seen += 1;
        }
    }
    assert!(seen >= 25, "{seen}");
    for patch in [
        json!({"set": {"x-a": null}}),
        json!({"cookies": {"secure": null}}),
    ] {
        let route = json!({"name": "a", "path": "/", "headers": patch});
        let policy = json!({"version": 1, "headers": {}, "routes": [route]});
        validator.judge(&policy).unwrap();
        assert_eq!(errors_within(&policy, "/routes"), [], "{policy}");
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn every_policy_that_is_there_is_valid() {
    let validator = Validator::new();
    let mut policies: Vec<(String, Value)> = Vec::new();
    let corpus = Corpus::read(&root().join("host-test/scenarios")).unwrap();
    for (name, scenario) in &corpus.scenarios {
        policies.push((name.clone(), scenario.policy.clone()));
    }
    let files = [
        "envoy/policy.yaml",
        "envoy/readme.yaml",
        "host-test/policies/game.yaml",
        "host-test/src/command/demo/policy.yaml",
    ];
    for file in files {
        let document = Document::read_file(&root().join(file)).unwrap();
        policies.push((file.to_owned(), document.value));
    }
    assert!(policies.len() > 60, "{}", policies.len());
    for (name, policy) in policies {
        assert_eq!(errors_within(&policy, ""), [], "{name}");
        if let Err(error) = validator.judge(&policy) {
            panic!("{name}: {error}");
        }
    }
}

#[test]
fn what_the_reader_refuses_the_schema_refuses() {
    let validator = Validator::new();
    let refused = |policy: Value| {
        assert!(validator.judge(&policy).is_err(), "{policy}");
        assert!(!errors_within(&policy, "").is_empty(), "{policy}");
    };
    refused(json!([]));
    refused(json!({}));
    refused(json!({"version": 2}));
    refused(json!({"version": "1"}));
    for (section, wrong) in [
        ("name", json!("Game API")),
        ("mode", json!("on")),
        ("mode", json!(true)),
        ("mode", json!(null)),
        ("client", json!([])),
        ("client", json!({"trusted_proxies": ["10.0.0"]})),
        ("client", json!({"trusted_proxies": ["example.com"]})),
        ("client", json!({"ipv6_prefix": 0})),
        ("request", json!({"hots": ["a.example"]})),
        ("request", json!({"hosts": []})),
        ("request", json!({"hosts": ["a.example", "a.example"]})),
        ("request", json!({"hosts": ["https://a.example"]})),
        ("request", json!({"hosts": ["a.example:80"]})),
        ("request", json!({"hosts": "a.example"})),
        ("request", json!({"methods": ["get"]})),
        ("request", json!({"max_body_bytes": 1024})),
        ("request", json!({"max_body_bytes": "1MB"})),
        ("request", json!({"max_headers": 1.5})),
        ("request", json!({"https": {"redirect": 303}})),
        ("request", json!({"https": {"exempt": {"paths": ["/{a}"]}}})),
        ("request", json!({"strip": ["a b"]})),
        ("headers", json!({"preset": "apy"})),
        ("headers", json!({"set": {"x-a": "a\nb"}})),
        ("headers", json!({"set": {"x-a": " a"}})),
        ("headers", json!({"set": {"x a": "a"}})),
        ("headers", json!({"set": {"x-a": 1}})),
        ("headers", json!({"remove": ["*"]})),
        ("headers", json!({"cookies": {"same_site": "Lax"}})),
        ("cors", json!({})),
        ("cors", json!({"origins": ["*"], "max_age": "10"})),
        ("cors", json!({"origins": ["*"], "preflight_status": 404})),
        ("rate_limits", json!({})),
        ("rate_limits", json!([{"name": "a"}])),
        ("rate_limits", json!([{"name": "a", "quota": "5/minute"}])),
        (
            "rate_limits",
            json!([{"name": "a", "quota": "5/1m", "key": ["ua"]}]),
        ),
        (
            "rate_limits",
            json!([{"name": "a", "quota": "5/1m", "key": ["header:"]}]),
        ),
        (
            "rate_limits",
            json!([{"name": "a", "quota": "5/1m", "ban": {}}]),
        ),
        ("schemas", json!({"A": []})),
        ("schemas", json!({"a b": {}})),
        ("routes", json!([{"name": "a"}])),
        ("routes", json!([{"name": "a", "path": "a"}])),
        ("routes", json!([{"name": "a b", "path": "/"}])),
        (
            "routes",
            json!([{"name": "a", "path": "/", "headers": null}]),
        ),
        (
            "routes",
            json!([{"name": "a", "path": "/", "headers": {"presets": null}}]),
        ),
        (
            "routes",
            json!([{"name": "a", "path": "/", "profanity": {"fields": "some"}}]),
        ),
        (
            "routes",
            json!([{"name": "a", "path": "/", "profanity": {"fields": ["a"]}}]),
        ),
        ("unmatched", json!("maybe")),
        ("errors", json!({"format": "html"})),
        ("observe", json!({"metrics": "yes"})),
        ("health", json!({"live": "livez"})),
    ] {
        refused(json!({"version": 1, section: wrong}));
    }
}

#[test]
fn the_command_prints_the_schema() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["schema"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(text(&output.stdout), POLICY_SCHEMA);
    let help = text(&run(folder.path(), &["schema", "--help"]).stdout);
    let line = "# yaml-language-server: $schema=policy.schema.json";
    assert!(help.contains(line), "{help}");
}
