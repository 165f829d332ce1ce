//! What holds for every document: it becomes a policy or an error, and the policy is as wide as the document or wider.
//!
//! boon compiles the schemas on both sides, whole: a policy is a document of its own, in which `#/schemas/NAME` leads
//! somewhere.

use boon::{Compiler, Draft, SchemaIndex, Schemas};
use portcullis_config::{Diagnostic, Document as Policy, Severity};
use portcullis_host_test::document::Document;
use portcullis_host_test::openapi::{self, Import, Notation, Options};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

use super::arbitrary::{examples, mutated, options, schema, value};
use super::policy;

fn with_schemas(version: &str, [body, a, b, c]: [Value; 4]) -> Value {
    let body = json!({"required": true, "content": {"application/json": {"schema": body}}});
    json!({
        "openapi": version,
        "info": {"title": "Any", "version": "1"},
        "paths": {"/a": {"post": {"requestBody": body}}},
        "components": {"schemas": {"A": a, "B": b, "C": c}},
    })
}

const IN_DOCUMENT: &str = "/paths/~1a/post/requestBody/content/application~1json/schema";
const IN_POLICY: &str = "/routes/0/validate/body/schema";

/// The schema at a place of a document, if boon takes it.
fn compiled(document: &Value, pointer: &str) -> Result<(Schemas, SchemaIndex), String> {
    let mut schemas = Schemas::new();
    let mut compiler = Compiler::new();
    compiler.set_default_draft(Draft::V2020_12);
    let url = "http://localhost/document.json";
    compiler
        .add_resource(url, document.clone())
        .map_err(|error| error.to_string())?;
    let index = compiler
        .compile(&format!("{url}#{pointer}"), &mut schemas)
        .map_err(|error| format!("{error:#}"))?;
    Ok((schemas, index))
}

/// Holds that a policy reads as itself in both notations, and that the engine takes it. Two parameters that claim one name
/// are the one thing that is left to the engine to refuse: the command asks it, and says so.
fn is_a_policy(import: &Import) {
    let found = portcullis_config::read(&import.policy).1;
    assert!(!found.has_errors(), "{found:?}");
    for notation in [Notation::Yaml, Notation::Json] {
        let text = openapi::text(&import.policy, notation);
        let read = Document::read("policy", text.as_bytes());
        let read = read.unwrap_or_else(|error| panic!("{error}\n{text}")).value;
        let read = Policy::from_bytes(read.to_string().as_bytes()).unwrap();
        assert_eq!(sorted(&read), sorted(&import.policy), "{text}");
    }
    let policy = policy(import).to_string();
    let verdict = portcullis_policy::load(policy.as_bytes());
    let claimed_twice = |found: &Diagnostic| found.message.starts_with("another parameter takes");
    let mut errors = verdict.diagnostics.iter();
    let refused = errors.any(|found| found.severity == Severity::Error && !claimed_twice(found));
    assert!(!refused, "{:?}\n{policy}", verdict.diagnostics);
}

/// Without the order of members, which JSON does not keep.
fn sorted(policy: &Policy) -> Policy {
    match policy {
        Policy::Object(members) => {
            let mut members: Vec<_> = members
                .iter()
                .map(|(name, value)| (name.clone(), sorted(value)))
                .collect();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            Policy::Object(members)
        }
        Policy::Array(items) => Policy::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

/// Reads and imports; an error must be about the document, never about the policy that was made.
fn import(document: &Value, options: &Options) -> Option<Import> {
    let document = openapi::read("openapi.json", document.to_string().as_bytes()).ok()?;
    match openapi::import(&document, options) {
        Ok(import) => Some(import),
        Err(errors) => {
            for error in errors {
                assert!(
                    !error.message.contains("in the policy"),
                    "{error}\n{}",
                    document.source.text()
                );
            }
            None
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_policy_is_as_wide_as_the_document_or_wider(
        schemas in (schema(&["A", "B", "C"]), schema(&["B", "C"]), schema(&["C"]), schema(&[])),
        values in vec(value(), 1..12),
    ) {
        let (body, a, b, c) = schemas;
        let document = with_schemas("3.1.0", [body, a, b, c]);
        let import = import(&document, &Options::default()).unwrap();
        is_a_policy(&import);
        let policy = policy(&import);
        let (before, schema) = compiled(&document, IN_DOCUMENT).unwrap();
        let (after, imported) = compiled(&policy, IN_POLICY).unwrap();
        for value in &values {
            let passed = before.validate(value, schema).is_ok();
            let passes = after.validate(value, imported).is_ok();
            let is_as_told = if import.not_enforced.is_empty() { passes == passed } else { passes || !passed };
            prop_assert!(is_as_told, "{value}: {passed} then {passes}\n{document:#}\n{policy:#}\n{:#?}", import.not_enforced);
        }
    }

    #[test]
    fn every_mutated_document_is_a_policy_or_an_error(
        example in 0..3_usize,
        mutations in vec((any::<Index>(), any::<Index>(), proptest::option::of(value())), 1..8),
        options in options(),
    ) {
        let document = mutated(examples().swap_remove(example), &mutations);
        if let Some(import) = import(&document, &options) {
            is_a_policy(&import);
        }
    }

    #[test]
    fn every_pattern_that_is_kept_is_one_of_the_module(
        pieces in vec(select(vec![
            "a", "é", "-", "^", "$", "|", ".", "*", "+", "?", "{", "}", "{2}", "{2,}", "{2,3}", "[", "]", "[^", "(", ")", "(?:", "(?<n>",
            "(?P<n>", "(?i)", "(?=", "(?<!", "\\", "\\d", "\\w", "\\S", "\\b", "\\B", "\\p{L}", "\\p{Letter}", "\\pL", "\\x4", "\\x41",
            "\\u0041", "\\u{41}", "\\ud83d", "\\cA", "\\0", "\\1", "\\k<n>", "\\A", "\\z", "\\-", "\\/", "\\<", "&&", "--", "~", "[:alpha:]", "#", " ", "\n",
        ]), 0..8),
    ) {
        let pattern = pieces.concat();
        let document = with_schemas("3.1.0", [json!({"pattern": pattern}), json!(true), json!(true), json!(true)]);
        is_a_policy(&import(&document, &Options::default()).unwrap());
    }

    #[test]
    fn every_mutated_text_is_a_policy_or_an_error(
        example in 0..3_usize,
        cuts in vec((any::<Index>(), 0..6_usize, select(vec!["", "\"", "{", "}", "$ref", "null", "9223372036854775807", "~1", "é", "\\u0000", ","])), 1..6),
    ) {
        let mut text: Vec<char> = examples().swap_remove(example).to_string().chars().collect();
        for (at, length, instead) in cuts {
            let at = at.index(text.len());
            let end = text.len().min(at + length);
            text.splice(at..end, instead.chars());
        }
        let text: String = text.into_iter().collect();
        if let Ok(document) = openapi::read("openapi.json", text.as_bytes())
            && let Ok(import) = openapi::import(&document, &Options::default())
        {
            is_a_policy(&import);
        }
    }
}

#[test]
fn examples_become_policies() {
    for example in examples() {
        is_a_policy(&import(&example, &Options::default()).unwrap());
    }
}

#[test]
fn documents_that_would_grow_without_end_are_refused() {
    let wide: Map<String, Value> = (0..2_000)
        .map(|n| (format!("p{n}"), json!({"type": "string"})))
        .collect();
    let parameter = json!({"in": "query", "name": "q", "schema": {"properties": wide}});
    let paths: Map<String, Value> = (0..200)
        .map(|n| {
            (
                format!("/{n}"),
                json!({"get": {"parameters": [{"$ref": "#/components/parameters/P"}]}}),
            )
        })
        .collect();
    let document = json!({
        "openapi": "3.1.0", "info": {"title": "Bomb", "version": "1"}, "paths": paths,
        "components": {"parameters": {"P": parameter}},
    });
    let document = openapi::read("openapi.json", document.to_string().as_bytes()).unwrap();
    let errors = openapi::import(&document, &Options::default()).unwrap_err();
    assert!(
        errors
            .first()
            .unwrap()
            .message
            .contains("more than 200000 values"),
        "{errors:?}"
    );
}

#[test]
fn schemas_that_refer_to_each_other_many_times_are_named_once() {
    let level = |n: usize| {
        let all: Vec<Value> = (0..10)
            .map(|_| json!({"$ref": format!("#/components/schemas/S{}", n + 1)}))
            .collect();
        (format!("S{n}"), json!({"allOf": all}))
    };
    let mut schemas: Map<String, Value> = (0..30).map(level).collect();
    schemas.insert("S30".to_owned(), json!({"type": "string"}));
    let mut document = with_schemas(
        "3.1.0",
        [
            json!({"$ref": "#/components/schemas/S0"}),
            json!(true),
            json!(true),
            json!(true),
        ],
    );
    document["components"]["schemas"] = Value::Object(schemas);
    let import = import(&document, &Options::default()).unwrap();
    assert_eq!(policy(&import)["schemas"].as_object().unwrap().len(), 31);
}

#[test]
fn deep_schemas_are_told() {
    let mut schema = json!({"type": "string"});
    for _ in 0..44 {
        schema = json!({"properties": {"a": schema}});
    }
    let document = with_schemas("3.1.0", [schema, json!(true), json!(true), json!(true)]);
    let import = import(&document, &Options::default()).unwrap();
    is_a_policy(&import);
    super::told(&import.not_enforced, &["/properties/a: nested too deeply"]);
}
