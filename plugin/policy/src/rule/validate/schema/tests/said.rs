//! What is said of values: where, by which keyword, under pydantic's name, in which words.

use serde_json::{Value, json};

use super::super::Formats;
use super::{compiled, violations};

/// Each violation as `pointer keyword kind: message`.
fn said(schema: &Value, value: &Value) -> Vec<String> {
    let schema = compiled(schema, Formats::Assert).unwrap_or_else(|found| panic!("{found:?}"));
    violations(&*schema, value)
        .iter()
        .map(|v| format!("{} {} {}: {}", v.pointer(), v.keyword, v.kind, v.message))
        .collect()
}

fn check(schema: Value, value: Value, expected: &[&str]) {
    assert_eq!(said(&schema, &value), expected, "{schema} {value}");
}

#[test]
fn types() {
    for (kind, expected) in [
        ("null", "none_required: must be null"),
        ("boolean", "bool_type: must be a boolean"),
        ("integer", "int_type: must be an integer"),
        ("number", "float_type: must be a number"),
        ("string", "string_type: must be a string"),
        ("array", "list_type: must be a list"),
        ("object", "dict_type: must be an object"),
    ] {
        let wrong = if kind == "array" {
            json!({})
        } else {
            json!([])
        };
        check(
            json!({ "type": kind }),
            wrong,
            &[&format!(" type {expected}")],
        );
    }
    check(
        json!({"type": ["null", "string"]}),
        json!(1),
        &[" type string_type: must be a string or null"],
    );
    check(
        json!({"type": ["integer", "number"]}),
        json!(""),
        &[" type float_type: must be a number"],
    );
    check(
        json!({"type": "integer"}),
        json!(1.5),
        &[" type int_type: must be an integer"],
    );
    check(json!({"type": "integer"}), json!(1.0), &[]);
    let wide = " type int_type: must be an integer of at most 64 bits";
    check(json!({"type": "integer"}), json!(1e30), &[wide]);
    check(
        json!({"type": ["integer", "null"], "minimum": 3}),
        json!(-1e30),
        &[wide, " minimum greater_than_equal: must be at least 3"],
    );
    check(json!({"type": "integer"}), json!(u64::MAX), &[]);
    check(json!({"type": "number"}), json!(1e300), &[]);
}

#[test]
fn texts() {
    check(
        json!({"minLength": 1}),
        json!(""),
        &[" minLength string_too_short: must be at least 1 character"],
    );
    check(
        json!({"minLength": 2.0}),
        json!("é"),
        &[" minLength string_too_short: must be at least 2 characters"],
    );
    check(
        json!({"maxLength": 20}),
        json!("x".repeat(21)),
        &[" maxLength string_too_long: must be at most 20 characters"],
    );
    check(json!({"maxLength": 4_294_967_296_u64}), json!("x"), &[]);
    check(
        json!({"pattern": "^\\d+$"}),
        json!("\u{661}"),
        &[" pattern string_pattern_mismatch: must match the pattern `^\\d+$`"],
    );
    check(
        json!({"pattern": "^[a-z]+$"}),
        json!("a\n"),
        &[" pattern string_pattern_mismatch: must match the pattern `^[a-z]+$`"],
    );
}

#[test]
fn formats() {
    for (format, wrong, expected) in [
        ("uuid", json!("x"), "uuid_parsing: must be a UUID"),
        (
            "uuid4",
            json!("123e4567-e89b-12d3-a456-426614174000"),
            "uuid_version: must be a UUID of the version asked for",
        ),
        (
            "date-time",
            json!("2024-05-31 09:30"),
            "datetime_parsing: must be a date and time such as 2024-05-31T09:30:00Z",
        ),
        (
            "date",
            json!("+024-01-01"),
            "date_parsing: must be a date such as 2024-05-31",
        ),
        (
            "time",
            json!("9:30"),
            "time_parsing: must be a time such as 09:30:00Z",
        ),
        (
            "duration",
            json!("1h"),
            "time_delta_parsing: must be a duration such as P1DT12H",
        ),
        (
            "email",
            json!("@b"),
            "value_error: must be an e-mail address",
        ),
        (
            "idn-email",
            json!("ä@b"),
            "value_error: must be an e-mail address",
        ),
        ("hostname", json!("a_b"), "value_error: must be a host name"),
        (
            "ipv4",
            json!("01.2.3.4"),
            "ip_v4_address: must be an IPv4 address",
        ),
        (
            "ipv6",
            json!("1.2.3.4"),
            "ip_v6_address: must be an IPv6 address",
        ),
        (
            "uri",
            json!("/a"),
            "url_parsing: must be a URL with its scheme",
        ),
        (
            "uri-reference",
            json!("\\"),
            "url_parsing: must be a URL or a part of one",
        ),
        (
            "uri-template",
            json!("{"),
            "value_error: must be a URI template",
        ),
        (
            "json-pointer",
            json!("a"),
            "value_error: must be a JSON Pointer",
        ),
        (
            "relative-json-pointer",
            json!("/a"),
            "value_error: must be a relative JSON Pointer",
        ),
        (
            "regex",
            json!("["),
            "value_error: must be a regular expression",
        ),
        ("byte", json!("QQ="), "value_error: must be base64"),
        (
            "int32",
            json!(2_147_483_648_u64),
            "value_error: must be an integer of 32 bits",
        ),
        (
            "int64",
            json!(9_223_372_036_854_775_808_u64),
            "value_error: must be an integer of 64 bits",
        ),
    ] {
        check(
            json!({ "format": format }),
            wrong,
            &[&format!(" format {expected}")],
        );
        check(json!({ "format": format }), json!(null), &[]);
    }
    for noted in ["float", "double", "binary", "password", "none-of-these"] {
        check(json!({ "format": noted }), json!(1e300), &[]);
    }
}

#[test]
fn numbers() {
    check(
        json!({"minimum": 1}),
        json!(0),
        &[" minimum greater_than_equal: must be at least 1"],
    );
    check(
        json!({"maximum": 0.5}),
        json!(1),
        &[" maximum less_than_equal: must be at most 0.5"],
    );
    check(
        json!({"exclusiveMinimum": -1}),
        json!(-1),
        &[" exclusiveMinimum greater_than: must be greater than -1"],
    );
    check(
        json!({"exclusiveMaximum": 10}),
        json!(10),
        &[" exclusiveMaximum less_than: must be less than 10"],
    );
    check(json!({"multipleOf": 0.01}), json!(19.99), &[]);
    check(
        json!({"multipleOf": 0.01}),
        json!(19.999),
        &[" multipleOf multiple_of: must be a multiple of 0.01"],
    );
    check(
        json!({"multipleOf": 2}),
        json!(9_007_199_254_740_993_u64),
        &[" multipleOf multiple_of: must be a multiple of 2"],
    );
    check(
        json!({"multipleOf": 2, "format": "int32"}),
        json!(3e9 + 1.0),
        &[
            " format value_error: must be an integer of 32 bits",
            " multipleOf multiple_of: must be a multiple of 2",
        ],
    );
}

#[test]
fn chosen_values() {
    check(
        json!({"const": {"a": 1}}),
        json!(1),
        &[r#" const literal_error: must be {"a":1}"#],
    );
    check(
        json!({"enum": ["a", "b", 3, null]}),
        json!("c"),
        &[r#" enum literal_error: must be one of "a", "b", 3, null"#],
    );
    check(
        json!({"enum": [1, 2, 3, 4, 5, 6, 7, 8, 9]}),
        json!(0),
        &[" enum literal_error: must be one of 9 values"],
    );
    check(
        json!({"const": "x".repeat(300)}),
        json!(0),
        &[" const literal_error: must be the one value that is allowed"],
    );
    check(json!({"enum": [1]}), json!(1.0), &[]);
}

#[test]
fn arrays() {
    check(
        json!({"minItems": 1}),
        json!([]),
        &[" minItems too_short: must have at least 1 item"],
    );
    check(
        json!({"maxItems": 2}),
        json!([1, 2, 3]),
        &[" maxItems too_long: must have at most 2 items"],
    );
    check(
        json!({"uniqueItems": true}),
        json!([{"a": 1}, 2, {"a": 1.0}]),
        &[" uniqueItems list_unique: must not have two equal items"],
    );
    check(
        json!({"items": {"type": "string"}}),
        json!(["", 1, "", 2]),
        &[
            "/1 type string_type: must be a string",
            "/3 type string_type: must be a string",
        ],
    );
    check(
        json!({"prefixItems": [{"type": "string"}], "items": {"type": "null"}}),
        json!([1, 2, null, 3]),
        &[
            "/0 type string_type: must be a string",
            "/1 type none_required: must be null",
            "/3 type none_required: must be null",
        ],
    );
    check(
        json!({"prefixItems": [true], "items": false}),
        json!([1, 2, 3]),
        &[" maxItems too_long: must have at most 1 item"],
    );
    check(
        json!({"items": false}),
        json!([1]),
        &["/0 items extra_forbidden: is not allowed"],
    );
    check(
        json!({"contains": {"type": "null"}}),
        json!([1]),
        &[" contains value_error: must have an item as `contains` describes it"],
    );
    check(
        json!({"contains": {"type": "null"}, "minContains": 2}),
        json!([null]),
        &[" minContains too_short: must have at least 2 items as `contains` describes them"],
    );
    check(
        json!({"contains": {"type": "null"}, "maxContains": 1}),
        json!([null, null]),
        &[" maxContains too_long: must have at most 1 item as `contains` describes them"],
    );
    check(
        json!({"prefixItems": [true], "unevaluatedItems": false}),
        json!([1, 2]),
        &["/1 unevaluatedItems extra_forbidden: is not allowed"],
    );
    let seven = json!({"$schema": "http://json-schema.org/draft-07/schema#", "items": [true, {"type": "string"}], "additionalItems": {"type": "null"}});
    check(
        seven,
        json!([1, 2, 3]),
        &[
            "/1 type string_type: must be a string",
            "/2 type none_required: must be null",
        ],
    );
}

#[test]
fn objects() {
    check(
        json!({"required": ["b", "a", "c"]}),
        json!({"c": 1}),
        &[
            "/a required missing: is required",
            "/b required missing: is required",
        ],
    );
    check(
        json!({"properties": {"a/b~": true}, "additionalProperties": false}),
        json!({"a/b~": 1, "x": 1, "e/~": 2}),
        &[
            "/e~1~0 additionalProperties extra_forbidden: is not allowed",
            "/x additionalProperties extra_forbidden: is not allowed",
        ],
    );
    check(
        json!({"properties": {"a": false, "else": false}}),
        json!({"a": 1, "else": 1}),
        &[
            "/a properties extra_forbidden: is not allowed",
            "/else properties extra_forbidden: is not allowed",
        ],
    );
    check(
        json!({"patternProperties": {"\\d": {"type": "null"}, "[0-9]": {"const": 1}}}),
        json!({"x1": 2}),
        &[
            "/x1 const literal_error: must be 1",
            "/x1 type none_required: must be null",
        ],
    );
    check(
        json!({"unevaluatedProperties": false, "allOf": [{"properties": {"a": true}}]}),
        json!({"a": 1, "b": 1}),
        &["/b unevaluatedProperties extra_forbidden: is not allowed"],
    );
    check(
        json!({"minProperties": 1}),
        json!({}),
        &[" minProperties too_short: must have at least 1 member"],
    );
    check(
        json!({"maxProperties": 1}),
        json!({"a": 1, "b": 1}),
        &[" maxProperties too_long: must have at most 1 member"],
    );
    check(
        json!({"dependentRequired": {"a": ["b"]}}),
        json!({"a": 1}),
        &["/b dependentRequired dependent_required: is required beside `a`"],
    );
    check(
        json!({"$schema": "http://json-schema.org/draft-07/schema", "dependencies": {"a": ["b"], "c": {"required": ["d"]}}}),
        json!({"a": 1, "c": 1}),
        &[
            "/b dependentRequired dependent_required: is required beside `a`",
            "/d required missing: is required",
        ],
    );
    let names = json!({"properties": {"a": {"items": {"propertyNames": {"maxLength": 2}}}}});
    check(
        names,
        json!({"a": [{"xy": 1}, {"ok": 2, "xyz": 3}]}),
        &["/a/1/xyz propertyNames string_too_long: the name must be at most 2 characters"],
    );
}

#[test]
fn unions() {
    let pet = json!({"oneOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}, {"type": "null"}], "$defs": {
        "Cat": {"type": "object", "properties": {"kind": {"const": "cat"}, "lives": {"type": "integer"}}, "required": ["kind", "lives"]},
        "Dog": {"type": "object", "properties": {"kind": {"enum": ["dog", "wolf"]}, "name": {"type": "string"}}, "required": ["kind", "name"]},
    }});
    check(pet.clone(), json!({"kind": "cat", "lives": 9}), &[]);
    check(
        pet.clone(),
        json!({"kind": "cat", "lives": "9"}),
        &["/lives type int_type: must be an integer"],
    );
    check(
        pet.clone(),
        json!({"kind": "wolf", "lives": 9}),
        &["/name required missing: is required"],
    );
    check(
        pet.clone(),
        json!({"kind": "bird"}),
        &[" oneOf union_error: must match one of 3 alternatives"],
    );
    check(
        pet,
        json!("cat"),
        &[" type dict_type: must be an object or null"],
    );
    let optional = json!({"anyOf": [{"type": "string", "maxLength": 3}, {"type": "null"}]});
    check(
        optional.clone(),
        json!(1),
        &[" type string_type: must be a string or null"],
    );
    check(
        optional,
        json!("abcd"),
        &[" maxLength string_too_long: must be at most 3 characters"],
    );
    check(
        json!({"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        json!([]),
        &[" anyOf union_error: must be an integer or a string"],
    );
    check(
        json!({"anyOf": [{"minimum": 3}, {"multipleOf": 2}]}),
        json!(1),
        &[" anyOf union_error: must match one of 2 alternatives"],
    );
    check(
        json!({"oneOf": [{"minimum": 3}, {"multipleOf": 2}]}),
        json!(4),
        &[" oneOf union_ambiguous: must match only one of the alternatives"],
    );
    let fields = json!({"anyOf": [{"type": "object", "required": ["a"], "properties": {"a": {"type": "null"}}}, {"type": "object", "required": ["b"]}]});
    check(
        fields,
        json!({"a": 1}),
        &["/a type none_required: must be null"],
    );
}

#[test]
fn conditions() {
    check(
        json!({"not": {"type": "null"}}),
        json!(null),
        &[" not value_error: must not be what the schema rules out"],
    );
    check(
        json!({"if": {"type": "string"}, "then": {"minLength": 1}, "else": false}),
        json!(""),
        &[" minLength string_too_short: must be at least 1 character"],
    );
    check(
        json!({"if": {"type": "string"}, "else": false}),
        json!(1),
        &[" if value_error: must meet a condition of its schema"],
    );
    check(
        json!(false),
        json!(1),
        &[" additionalProperties extra_forbidden: is not allowed"],
    );
    check(json!(true), json!(1), &[]);
}

#[test]
fn the_order_is_that_of_the_input_and_nothing_is_said_twice() {
    let schema = json!({
        "required": ["z"],
        "properties": {"b": {"items": {"type": "null"}}, "a": {"allOf": [{"minLength": 2}, {"minLength": 2}], "pattern": "x"}},
        "minProperties": 9,
    });
    check(
        schema,
        json!({"a": "", "b": [null, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]}),
        &[
            " minProperties too_short: must have at least 9 members",
            "/a pattern string_pattern_mismatch: must match the pattern `x`",
            "/a minLength string_too_short: must be at least 2 characters",
            "/b/1 type none_required: must be null",
            "/b/2 type none_required: must be null",
            "/b/3 type none_required: must be null",
            "/b/4 type none_required: must be null",
            "/b/5 type none_required: must be null",
            "/b/6 type none_required: must be null",
            "/b/7 type none_required: must be null",
            "/b/8 type none_required: must be null",
            "/b/9 type none_required: must be null",
            "/b/10 type none_required: must be null",
            "/b/11 type none_required: must be null",
            "/z required missing: is required",
        ],
    );
}

#[test]
fn what_was_sent_is_never_said() {
    let secret = "hunter2-hunter2";
    for schema in [
        json!({"type": "null"}),
        json!({"const": 1}),
        json!({"enum": [1, 2]}),
        json!({"pattern": "^[0-9]$"}),
        json!({"format": "uuid"}),
        json!({"maxLength": 3}),
        json!({"not": {"type": "string"}}),
        json!({"anyOf": [{"type": "null"}, {"maxLength": 1}]}),
    ] {
        let found = said(&schema, &json!(secret)).concat();
        assert!(!found.is_empty() && !found.contains("hunter2"), "{found}");
    }
}
