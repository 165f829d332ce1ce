//! The policy file's JSON Schema says what the module's reader does: the same keys, words and bounds at every place.

mod cors;
mod limits;
mod walk;

use std::path::{Path, PathBuf};

use boon::{Compiler, SchemaIndex, Schemas};
use portcullis_config::{POLICY_SCHEMA, code};
use portcullis_host_test::document::Document;
use portcullis_host_test::scenario::corpus::Corpus;
use portcullis_policy::{Diagnostic, Severity, load};
use serde_json::{Value, json};

use self::walk::Walk;
use crate::check::{run, text};

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

    /// Who takes what stands at a place of a policy.
    fn takes(&self, policy: &Value, pointer: &str) -> Takes {
        let schema = self.judge(policy);
        match (&schema, errors_within(policy, pointer).is_empty()) {
            (Ok(()), true) => Takes::Both,
            (Err(_), false) => Takes::Neither,
            (Ok(()), false) => Takes::SchemaAlone,
            (Err(error), true) => panic!("the schema alone refuses {policy} at {pointer}: {error}"),
        }
    }
}

/// Who takes what a policy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    Both,
    Neither,
    /// What a schema would have to compute.
    SchemaAlone,
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
        .filter(|d| {
            d.severity == Severity::Error
                && d.code != code::NOT_SUPPORTED
                && d.code != code::VALIDATE_STYLE
        })
        .filter(|d| within(&d.pointer))
        .collect()
}

#[test]
fn the_schema_and_the_reader_know_the_same() {
    let root = schema();
    let mut walk = Walk::new(root.clone());
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
