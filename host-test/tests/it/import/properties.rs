//! What holds for every document: it becomes a policy or an error, and the policy is as wide as the document or wider.
//!
//! boon compiles the schemas on both sides, whole: a policy is a document of its own, in which `#/schemas/NAME` leads
//! somewhere.

use boon::{Compiler, Draft, SchemaIndex, Schemas};
use portcullis_config::Document as Policy;
use portcullis_host_test::document::Document;
use portcullis_host_test::openapi::{self, Import, Notation, Options, ReadOnly};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

use super::policy;

/// A number that no policy holds: a schema with it is wider there.
const LOST: u64 = (1 << 60) + 1;

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3..4_i64).prop_map(Value::from),
        Just(json!(0.5)),
        Just(json!(LOST)),
        select(vec![
            "",
            "a",
            "ab",
            "b",
            "string",
            "/",
            "#/components/schemas/A",
            "query",
            "{id}"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            members(
                select(vec!["a", "b", "type", "$ref", "schema", "nullable"]),
                inner
            ),
        ]
    })
}

fn members(
    names: impl Strategy<Value = &'static str>,
    values: impl Strategy<Value = Value>,
) -> impl Strategy<Value = Value> {
    vec((names, values), 0..4).prop_map(|list| {
        let members = list
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        Value::Object(members.collect())
    })
}

/// A schema that may refer to these components.
fn schema(components: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let lost = || select(vec![json!({"const": LOST}), json!({"enum": ["a", LOST]})]).boxed();
    let references = components
        .iter()
        .map(|name| json!({"$ref": format!("#/components/schemas/{name}")}));
    let references = match references.collect::<Vec<Value>>() {
        none if none.is_empty() => lost(),
        some => select(some).boxed(),
    };
    let leaf = prop_oneof![
        1 => any::<bool>().prop_map(Value::from),
        2 => select(vec![
            "null", "boolean", "integer", "number", "string", "array", "object"
        ])
        .prop_map(|kind| json!({"type": kind})),
        3 => select(vec![
            json!({"minLength": 1}),
            json!({"maxLength": 1}),
            json!({"pattern": "^a"}),
            json!({"minimum": 0}),
            json!({"exclusiveMaximum": 2}),
            json!({"multipleOf": 2}),
            json!({"enum": ["a", 1, null]}),
            json!({"const": "a"}),
            json!({"required": ["a"]}),
            json!({"minItems": 1}),
            json!({"uniqueItems": true}),
            json!({"maxProperties": 1}),
        ]),
        3 => lost(),
        4 => references,
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let one = |name: &'static str| inner.clone().prop_map(move |schema| json!({name: schema}));
        let list = |name: &'static str| vec(inner.clone(), 1..3).prop_map(move |schemas| json!({name: schemas}));
        let pair = || (inner.clone(), inner.clone());
        prop_oneof![
            list("allOf"), list("anyOf"), list("oneOf"), list("prefixItems"),
            one("not"), one("items"), one("additionalProperties"), one("propertyNames"),
            pair().prop_map(|(a, b)| json!({"properties": {"a": a}, "additionalProperties": b})),
            pair().prop_map(|(a, b)| json!({"patternProperties": {"^a": a}, "allOf": [b], "unevaluatedProperties": false})),
            pair().prop_map(|(a, b)| json!({"prefixItems": [a], "anyOf": [b, true], "unevaluatedItems": false})),
            pair().prop_map(|(a, b)| json!({"oneOf": [a, b], "anyOf": [a, b]})),
            inner.clone().prop_map(|a| json!({"contains": a, "maxContains": 1})),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| json!({"if": a, "then": b, "else": c})),
            inner.clone().prop_map(|a| json!({"dependentSchemas": {"a": a}})),
        ]
    })
}

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
        .compile(
            &format!(
                "{url}#{}",
                pointer
                    .replace('{', "%7B")
                    .replace('}', "%7D")
                    .replace('^', "%5E")
            ),
            &mut schemas,
        )
        .map_err(|error| format!("{error:#}"))?;
    Ok((schemas, index))
}

/// Holds that a policy reads as itself in both notations and that all its schemas are schemas.
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
    let policy = policy(import);
    for pointer in schemas_of(&policy) {
        if let Err(error) = compiled(&policy, &pointer) {
            panic!("{pointer}: {error}\n{policy:#}");
        }
    }
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

/// Where a policy has schemas.
fn schemas_of(policy: &Value) -> Vec<String> {
    let keys = |pointer: &str| -> Vec<String> {
        let members = policy.pointer(pointer).and_then(Value::as_object);
        let escaped = |name: &String| name.replace('~', "~0").replace('/', "~1");
        members
            .map(|members| members.keys().map(escaped).collect())
            .unwrap_or_default()
    };
    let mut pointers: Vec<String> = keys("/schemas")
        .iter()
        .map(|name| format!("/schemas/{name}"))
        .collect();
    for route in 0..policy["routes"].as_array().unwrap().len() {
        let validate = format!("/routes/{route}/validate");
        for section in ["path", "query", "headers", "cookies"] {
            let section = format!("{validate}/{section}");
            // A name may have any character, of which a URL takes few.
            let plain = |name: &String| {
                name.bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
            };
            pointers.extend(
                keys(&section)
                    .iter()
                    .filter(|name| plain(name))
                    .map(|name| format!("{section}/{name}/schema")),
            );
        }
        let body = format!("{validate}/body/schema");
        pointers.extend(policy.pointer(&body).map(|_| body));
    }
    pointers
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

fn options() -> impl Strategy<Value = Options> {
    (any::<bool>(), any::<bool>()).prop_map(|(reject, require_security)| Options {
        read_only: if reject {
            ReadOnly::Reject
        } else {
            ReadOnly::Ignore
        },
        require_security,
        tails: vec!["a".to_owned()],
        ..Options::default()
    })
}

/// Every value of a document, by pointer.
fn places(value: &Value, pointer: &str, places: &mut Vec<String>) {
    places.push(pointer.to_owned());
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                self::places(item, &format!("{pointer}/{index}"), places);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                self::places(member, &format!("{pointer}/{name}"), places);
            }
        }
        _ => {}
    }
}

/// A document with a value somewhere replaced, or moved there from somewhere else, or given to a neighbour's name.
fn mutated(mut document: Value, mutations: &[(Index, Index, Option<Value>)]) -> Value {
    for (at, from, value) in mutations {
        let mut places = Vec::new();
        self::places(&document, "", &mut places);
        let value = match value {
            Some(value) => value.clone(),
            None => document
                .pointer(from.get::<String>(&places))
                .cloned()
                .unwrap_or_default(),
        };
        let at = at.get::<String>(&places);
        // The top stays an OpenAPI document, or nothing would be tried.
        if at.matches('/').count() > 1
            && let Some(place) = document.pointer_mut(at)
        {
            match (place, value) {
                (Value::Object(members), Value::Object(more)) => members.extend(more),
                (place, value) => *place = value,
            }
        }
    }
    document
}

fn examples() -> Vec<Value> {
    let read = |name: &str| {
        let path = format!("{}/{name}", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    vec![
        read("openapi/petstore.json"),
        read("openapi/uspto.json"),
        everything(),
    ]
}

/// A document with something of each kind.
fn everything() -> Value {
    let parameter = |place: &str, name: &str, style: &str| json!({"in": place, "name": name, "style": style, "explode": true, "required": true, "schema": {"type": ["array", "object"], "items": {"$ref": "#/components/schemas/A"}}});
    json!({
        "openapi": "3.1.0", "info": {"title": "All", "version": "1"}, "servers": [{"url": "https://x/{v}", "variables": {"v": {"default": "v1"}}}],
        "security": [{"key": [], "bearer": []}],
        "paths": {
            "/{a}/{b}.json/{c}": {
                "parameters": [parameter("path", "a", "simple"), parameter("path", "b", "label"), {"$ref": "#/components/parameters/P"}],
                "get": {"parameters": [parameter("query", "q", "deepObject"), parameter("cookie", "k", "form"), parameter("header", "H", "simple")]},
                "post": {"requestBody": {"$ref": "#/components/requestBodies/B"}, "security": []},
            },
            "/p": {"$ref": "#/components/pathItems/I"},
        },
        "components": {
            "parameters": {"P": parameter("path", "c", "simple")},
            "pathItems": {"I": {"put": {"operationId": "x y", "requestBody": {"content": {"multipart/form-data": {"schema": {"$ref": "#/components/schemas/B"}}}}}}},
            "requestBodies": {"B": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}},
            "securitySchemes": {"key": {"type": "apiKey", "in": "query", "name": "key"}, "bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                "A": {"$id": "https://x/a", "type": "object", "required": ["i", "j"], "properties": {"i": {"readOnly": true}, "j": {"$ref": "#/$defs/D"}}, "$defs": {"D": {"maximum": 9, "exclusiveMaximum": true}}},
                "B": {"oneOf": [{"pattern": "(?!a)"}, {"$ref": "#/components/schemas/B"}], "discriminator": {"propertyName": "x"}, "nullable": true, "patternProperties": {"^x": {}}, "unevaluatedProperties": false},
            },
        },
    })
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
