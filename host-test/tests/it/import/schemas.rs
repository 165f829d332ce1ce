//! Schemas of OpenAPI 3.0 and 3.1 as schemas of a policy.

use portcullis_host_test::openapi::{Options, ReadOnly};
use serde_json::{Value, json};

use super::{import, imported, policy, told, with_operation};

/// A document whose one body has this schema; `more` are its components.
pub(super) fn document(version: &str, schema: Value, more: Value) -> Value {
    let body = json!({"content": {"application/json": {"schema": schema}}, "required": true});
    let mut document = with_operation(version, json!({"requestBody": body}));
    let members = document.as_object_mut().unwrap();
    members.insert("components".to_owned(), json!({"schemas": more}));
    document
}

/// Where that schema stands in the policy.
pub(super) const SCHEMA: &str = "/routes/0/validate/body/schema";

#[track_caller]
fn check(version: &str, schema: Value, expected: Value, gaps: &[&str]) {
    let import = imported(&document(version, schema, json!({})));
    assert_eq!(policy(&import).pointer(SCHEMA), Some(&expected));
    told(&import.not_enforced, gaps);
}

#[test]
fn assertions_stay_and_annotations_go() {
    let schema = json!({
        "title": "T", "description": "d", "example": {}, "deprecated": true, "x-go-name": "N", "externalDocs": {}, "xml": {},
        "type": "object", "required": ["a", "a"], "minProperties": 1, "maxProperties": 9,
        "properties": {
            "a": {"type": "string", "format": "uuid", "minLength": 1, "maxLength": 10, "pattern": "^a", "default": "a"},
            "b": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 10.5, "multipleOf": 0.5},
            "title": {"type": "array", "items": {"enum": [1, "x", null]}, "minItems": 1, "maxItems": 3, "uniqueItems": true},
        },
        "additionalProperties": {"type": "boolean"},
        "not": {"required": ["c"]},
    });
    let expected = json!({
        "type": "object", "required": ["a"], "minProperties": 1, "maxProperties": 9,
        "properties": {
            "a": {"type": "string", "format": "uuid", "minLength": 1, "maxLength": 10, "pattern": "^a"},
            "b": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 10.5, "multipleOf": 0.5},
            "title": {"type": "array", "items": {"enum": [1, "x", null]}, "minItems": 1, "maxItems": 3, "uniqueItems": true},
        },
        "additionalProperties": {"type": "boolean"},
        "not": {"required": ["c"]},
    });
    for version in ["3.0.4", "3.1.1"] {
        check(version, schema.clone(), expected.clone(), &[]);
    }
}

#[test]
fn the_words_of_3_0_become_json_schema() {
    let check = |schema: Value, expected: Value| check("3.0.3", schema, expected, &[]);
    check(
        json!({"type": "string", "nullable": true}),
        json!({"type": ["string", "null"]}),
    );
    check(
        json!({"type": "string", "nullable": false}),
        json!({"type": "string"}),
    );
    check(
        json!({"type": "string", "enum": ["a"], "nullable": true}),
        json!({"type": ["string", "null"], "enum": ["a", null]}),
    );
    check(
        json!({"enum": ["a", null], "nullable": true}),
        json!({"enum": ["a", null]}),
    );
    check(
        json!({"allOf": [{"type": "string"}], "nullable": true}),
        json!({"anyOf": [{"allOf": [{"type": "string"}]}, {"type": "null"}]}),
    );
    check(
        json!({"type": "object", "oneOf": [{"required": ["a"]}], "nullable": true}),
        json!({"anyOf": [{"type": "object", "oneOf": [{"required": ["a"]}]}, {"type": "null"}]}),
    );
    check(
        json!({"minimum": 1, "exclusiveMinimum": true}),
        json!({"exclusiveMinimum": 1}),
    );
    check(
        json!({"exclusiveMaximum": true, "maximum": 1.5}),
        json!({"exclusiveMaximum": 1.5}),
    );
    check(
        json!({"minimum": 1, "exclusiveMinimum": false}),
        json!({"minimum": 1}),
    );
    check(json!({"exclusiveMaximum": true}), json!({}));
    // The draft's own spelling, which generators put into 3.0 too.
    check(
        json!({"exclusiveMinimum": 3}),
        json!({"exclusiveMinimum": 3}),
    );
}

#[test]
fn what_pydantic_writes_passes() {
    check(
        "3.1.0",
        json!({
            "properties": {
                "a": {"anyOf": [{"type": "integer", "exclusiveMinimum": 0}, {"type": "null"}], "title": "A"},
                "b": {"prefixItems": [{"type": "integer"}, {"type": "string"}], "type": "array", "minItems": 2, "maxItems": 2},
                "c": {"const": "x", "type": "string"},
                "d": {"additionalProperties": {"type": "number"}, "propertyNames": {"pattern": "^[a-z]+$"}, "type": "object"},
                "e": {"type": "string", "contentMediaType": "application/octet-stream"},
            },
            "$defs": {"Unused": {"type": "string"}},
        }),
        json!({
            "properties": {
                "a": {"anyOf": [{"type": "integer", "exclusiveMinimum": 0}, {"type": "null"}]},
                "b": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "minItems": 2, "maxItems": 2},
                "c": {"type": "string", "const": "x"},
                "d": {"type": "object", "propertyNames": {"pattern": "^[a-z]+$"}, "additionalProperties": {"type": "number"}},
                "e": {"type": "string", "contentMediaType": "application/octet-stream"},
            },
        }),
        &[],
    );
}

#[test]
fn patterns_that_are_not_linear_are_told() {
    let check =
        |schema: Value, expected: Value, gaps: &[&str]| check("3.1.0", schema, expected, gaps);
    check(
        json!({"pattern": "^(?!a)"}),
        json!({}),
        &["/schema/pattern: looks around"],
    );
    check(
        json!({"pattern": "(a)\\1"}),
        json!({}),
        &["/schema/pattern: refers back"],
    );
    check(
        json!({"patternProperties": {"(?=a)": {}, "^b": {}}, "additionalProperties": false}),
        json!({"patternProperties": {"^b": {}}}),
        &["/additionalProperties: is left out", "/(?=a): looks around"],
    );
}

#[test]
fn values_that_no_keyword_has_are_told() {
    for (keyword, value) in [
        ("maxLength", json!("10")),
        ("maxLength", json!(-1)),
        ("maxItems", json!(1.5)),
        ("minimum", json!("1")),
        ("multipleOf", json!(0)),
        ("uniqueItems", json!("yes")),
        ("type", json!("int")),
        ("type", json!([])),
        ("type", json!(["string", "file"])),
        ("required", json!(true)),
        ("required", json!([1])),
        ("enum", json!("a")),
        ("format", json!(1)),
        ("allOf", json!([])),
        ("allOf", json!({})),
        ("properties", json!([])),
        ("patternProperties", json!(1)),
        ("dependentSchemas", json!(1)),
        ("dependentRequired", json!({"a": true})),
        ("pattern", json!(1)),
        ("exclusiveMinimum", json!("1")),
        ("$ref", json!(1)),
    ] {
        let place = format!("/schema/{keyword}: cannot have this value");
        check("3.1.0", json!({keyword: value}), json!({}), &[&place]);
    }
    for (keyword, said) in [
        ("mimimum", "no keyword"),
        ("$dynamicRef", "who asks"),
        ("dependencies", "dependentRequired"),
        ("additionalItems", "prefixItems"),
        ("contentSchema", "inside a text"),
    ] {
        let place = format!("/schema/{keyword}: {said}");
        check("3.1.0", json!({keyword: 1}), json!({}), &[&place]);
    }
    check(
        "3.1.0",
        json!({"items": [{}]}),
        json!({"items": true}),
        &["/schema/items: is an object or a boolean"],
    );
    check(
        "3.1.0",
        json!(1),
        json!(true),
        &["/schema: is an object or a boolean"],
    );
    check("3.1.0", json!(false), json!(false), &[]);
}

#[test]
fn large_integers_are_rounded_in_bounds_and_nowhere_else() {
    let large = 9_223_372_036_854_775_807_i64;
    check(
        "3.0.0",
        json!({"type": "integer", "format": "int64", "minimum": -large - 1, "maximum": large}),
        json!({"type": "integer", "format": "int64"}),
        &[],
    );
    let import = imported(&document("3.0.0", json!({"maximum": large}), json!({})));
    assert_eq!(
        policy(&import).pointer(SCHEMA),
        Some(&json!({"maximum": 9_223_372_036_854_775_808.0}))
    );
    told(&import.notes, &["/maximum: is rounded"]);
    check(
        "3.1.0",
        json!({"const": large}),
        json!({}),
        &["/schema/const: past 2^53"],
    );
    check(
        "3.1.0",
        json!({"enum": [1, [large]]}),
        json!({}),
        &["/schema/enum: past 2^53"],
    );
}

#[test]
fn a_wider_part_makes_nothing_narrower() {
    let lost = json!({"pattern": "^(?!a)"});
    let told = "/pattern: looks around";
    let check =
        |schema: Value, expected: Value, gaps: &[&str]| check("3.1.0", schema, expected, gaps);
    check(
        json!({"not": lost, "type": "string"}),
        json!({"type": "string"}),
        &["/schema/not: is left out", told],
    );
    check(
        json!({"oneOf": [lost, {"type": "null"}]}),
        json!({"anyOf": [{}, {"type": "null"}]}),
        &["/oneOf: as `anyOf`", told],
    );
    check(
        json!({"oneOf": [lost], "anyOf": [{"type": "string"}]}),
        json!({"anyOf": [{"type": "string"}], "allOf": [{"anyOf": [{}]}]}),
        &["/oneOf: as `anyOf`", told],
    );
    check(
        json!({"if": lost, "then": {"minLength": 1}, "else": {"maxLength": 1}}),
        json!({}),
        &[
            "/schema/else: is left out",
            "/schema/if: is left out",
            told,
            "/schema/then: is left out",
        ],
    );
    check(
        json!({"contains": lost, "maxContains": 1}),
        json!({"contains": {}}),
        &[told, "/schema/maxContains: is left out"],
    );
    check(
        json!({"properties": {"a": lost}, "unevaluatedProperties": false}),
        json!({"properties": {"a": {}}}),
        &[told, "/schema/unevaluatedProperties: is left out"],
    );
    // Wider is what was told, and nothing else has to be.
    check(
        json!({"anyOf": [lost, false]}),
        json!({"anyOf": [{}, false]}),
        &[told],
    );
}

#[test]
fn read_only_properties_are_not_asked_for() {
    let named = json!({
        "A": {
            "required": ["id", "name", "at", "ref"],
            "properties": {
                "id": {"type": "string", "readOnly": true},
                "name": {"type": "string", "writeOnly": true},
                "ref": {"$ref": "#/components/schemas/B"},
                "inner": {"required": ["id"], "properties": {"id": {"type": "string"}}},
            },
            "allOf": [{"required": ["id"], "properties": {"at": {"type": "string", "readOnly": true}}}],
        },
        "B": {"type": "string", "readOnly": true},
    });
    let expected = |at: Value, id: Value, reference: Value| {
        json!({
            "required": ["name"],
            "properties": {
                "id": id,
                "name": {"type": "string"},
                "ref": reference,
                "inner": {"required": ["id"], "properties": {"id": {"type": "string"}}},
            },
            "allOf": [{"properties": {"at": at}}],
        })
    };
    let document = document("3.0.0", json!({"$ref": "#/components/schemas/A"}), named);
    let text = || json!({"type": "string"});
    let ignored = policy(&imported(&document));
    assert_eq!(
        ignored["schemas"]["A"],
        expected(text(), text(), json!({"$ref": "#/schemas/B"}))
    );
    let options = Options {
        read_only: ReadOnly::Reject,
        ..Options::default()
    };
    let rejected = policy(&import(&document, &options).unwrap());
    assert_eq!(
        rejected["schemas"],
        json!({"A": expected(json!(false), json!(false), json!(false))})
    );
}

#[test]
fn discriminators_are_hints() {
    let hint = json!({"propertyName": "kind", "mapping": {"a": "#/components/schemas/A"}});
    let import = imported(&document(
        "3.1.0",
        json!({"oneOf": [{"type": "null"}], "discriminator": hint}),
        json!({}),
    ));
    told(&import.not_enforced, &[]);
    told(&import.notes, &["/discriminator: nothing is lost"]);
    check(
        "3.1.0",
        json!({"discriminator": hint}),
        json!({}),
        &["/discriminator: which schema is meant"],
    );
}

#[test]
fn dialects_are_told() {
    check(
        "3.1.0",
        json!({"$schema": "https://json-schema.org/draft/2020-12/schema#"}),
        json!({}),
        &[],
    );
    check(
        "3.1.0",
        json!({"$schema": "http://json-schema.org/draft-04/schema#"}),
        json!({}),
        &["/$schema: 2020-12"],
    );
    let mut document = document("3.1.0", json!({}), json!({}));
    document["jsonSchemaDialect"] = json!("https://example.com/mine");
    told(
        &imported(&document).not_enforced,
        &["/jsonSchemaDialect: 2020-12"],
    );
    let import = imported(&self::document(
        "3.1.0",
        json!({"type": "string", "nullable": true}),
        json!({}),
    ));
    told(&import.notes, &["/nullable: `null` is refused"]);
}
