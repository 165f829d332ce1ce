//! References between schemas, and the named schemas that they become.

use serde_json::{Map, Value, json};

use super::schemas::{SCHEMA, document};
use super::{at, imported, policy, told};

/// Holds what becomes of components: the body's schema is the first of them.
#[track_caller]
fn check_named(version: &str, named: Value, expected: Value, gaps: &[&str]) {
    let import = imported(&document(
        version,
        json!({"$ref": "#/components/schemas/A"}),
        named,
    ));
    let policy = policy(&import);
    assert_eq!(
        policy.pointer(SCHEMA),
        Some(&json!({"$ref": "#/schemas/A"}))
    );
    assert_eq!(at(&policy, "/schemas"), expected);
    told(&import.not_enforced, gaps);
}

#[test]
fn what_stands_beside_a_reference_counts_in_3_1_alone() {
    let named = |version, expected: Value, gaps: &[&str]| {
        let schema = json!({"properties": {"a": {"$ref": "#/components/schemas/B", "maxLength": 3, "description": "d"}}});
        check_named(
            version,
            json!({"A": schema, "B": {"type": "string"}}),
            expected,
            gaps,
        );
    };
    let reference = json!({"$ref": "#/schemas/B"});
    let both = json!({"$ref": "#/schemas/B", "maxLength": 3});
    let schemas = |a: &Value| json!({"A": {"properties": {"a": a}}, "B": {"type": "string"}});
    named("3.1.0", schemas(&both), &[]);
    named(
        "3.0.0",
        schemas(&reference),
        &["/a/maxLength: ignores what stands beside"],
    );
}

#[test]
fn references_become_named_schemas() {
    // Recursion, a name that no policy takes, a place within a schema, a schema within a schema.
    check_named(
        "3.1.0",
        json!({
            "A": {"properties": {
                "self": {"$ref": "#/components/schemas/A"},
                "page": {"$ref": "#/components/schemas/Page%5BA%5D"},
                "inner": {"$ref": "#/components/schemas/Page[A]/properties/a~1b"},
                "def": {"$ref": "#/components/schemas/A/$defs/D"},
            }, "$defs": {"D": {"type": "string"}}},
            "Page[A]": {"properties": {"a/b": {"type": "integer"}}},
            "Unused": {"type": "string"},
        }),
        json!({
            "A": {"properties": {
                "self": {"$ref": "#/schemas/A"},
                "page": {"$ref": "#/schemas/Page-A-"},
                "inner": {"$ref": "#/schemas/Page-A-.properties.a-b"},
                "def": {"$ref": "#/schemas/A.-defs.D"},
            }},
            "Page-A-": {"properties": {"a/b": {"type": "integer"}}},
            "Page-A-.properties.a-b": {"type": "integer"},
            "A.-defs.D": {"type": "string"},
        }),
        &[],
    );
}

#[test]
fn references_begin_in_the_schema_that_has_an_id() {
    check_named(
        "3.1.0",
        json!({"A": {"$id": "https://example.com/a", "properties": {"x": {"$ref": "#/$defs/X"}}, "$defs": {"X": {"type": "string"}}}}),
        json!({"A": {"properties": {"x": {"$ref": "#/schemas/A.-defs.X"}}}, "A.-defs.X": {"type": "string"}}),
        &[],
    );
}

#[test]
fn references_that_lead_nowhere_are_told() {
    let check = |reference: &str, expected: &str| {
        check_named(
            "3.1.0",
            json!({"A": {"properties": {"x": {"$ref": reference}}}}),
            json!({"A": {"properties": {"x": {}}}}),
            &[&format!("/x/$ref: {expected}")],
        );
    };
    check("#/components/schemas/Nobody", "leads nowhere");
    check("other.yaml#/A", "another document");
    check("https://example.com/schema.json", "another document");
    check("#anchor", "an anchor");
    check("#", "names no schema");
    check("#/info/title", "names no schema");
    check("#/%zz", "escapes");
}

#[test]
fn references_that_never_reach_another_value_are_told() {
    let to = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let kept = |name: &str| json!({"$ref": format!("#/schemas/{name}")});
    check_named(
        "3.1.0",
        json!({"A": {"properties": {"x": to("B")}}, "B": to("B")}),
        json!({"A": {"properties": {"x": kept("B")}}, "B": {}}),
        &["/B/$ref: leads back"],
    );
    // How a family of types is often written: the base lists its kinds, and each kind begins with the base.
    check_named(
        "3.0.0",
        json!({
            "A": {"type": "object", "oneOf": [to("Cat"), to("Dog")]},
            "Cat": {"allOf": [to("A"), {"required": ["lives"]}]},
            "Dog": {"allOf": [to("A"), {"required": ["bark"], "properties": {"next": to("A")}}]},
        }),
        json!({
            "A": {"type": "object", "anyOf": [kept("Cat"), kept("Dog")]},
            "Cat": {"allOf": [{}, {"required": ["lives"]}]},
            "Dog": {"allOf": [{}, {"required": ["bark"], "properties": {"next": kept("A")}}]},
        }),
        &[
            "/A/oneOf: as `anyOf`",
            "/Cat/allOf/0/$ref: leads back",
            "/Dog/allOf/0/$ref: leads back",
        ],
    );
}

#[test]
fn long_chains_of_references_settle() {
    let mut named: Map<String, Value> = (1..60)
        .map(|n| {
            (
                format!("S{n}"),
                json!({"properties": {"x": {"$ref": format!("#/components/schemas/S{}", n + 1)}}}),
            )
        })
        .collect();
    named.insert(
        "A".to_owned(),
        json!({"not": {"$ref": "#/components/schemas/S1"}}),
    );
    named.insert("S60".to_owned(), json!({"pattern": "(?=a)"}));
    let import = imported(&document(
        "3.1.0",
        json!({"$ref": "#/components/schemas/A"}),
        Value::Object(named),
    ));
    assert_eq!(at(&policy(&import), "/schemas/A"), json!({}));
    told(
        &import.not_enforced,
        &["/A/not: is left out", "/S60/pattern: looks around"],
    );
}

#[test]
fn a_named_schema_is_wider_wherever_it_is_used() {
    check_named(
        "3.1.0",
        json!({
            "A": {"not": {"$ref": "#/components/schemas/B"}},
            "B": {"properties": {"x": {"$ref": "#/components/schemas/C"}}},
            "C": {"pattern": "(?=a)"},
        }),
        json!({
            "A": {},
            "B": {"properties": {"x": {"$ref": "#/schemas/C"}}},
            "C": {},
        }),
        &["/A/not: is left out", "/C/pattern: looks around"],
    );
}
