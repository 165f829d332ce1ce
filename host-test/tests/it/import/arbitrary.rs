//! Documents, schemas and values that nobody would write.

use portcullis_host_test::openapi::{Options, ReadOnly};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

/// A number that no policy holds: a schema with it is wider there.
const LOST: u64 = (1 << 60) + 1;

/// Any value, and often one that counts in a schema.
pub(super) fn value() -> impl Strategy<Value = Value> {
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
pub(super) fn schema(components: &'static [&'static str]) -> impl Strategy<Value = Value> {
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

/// What a person may choose.
pub(super) fn options() -> impl Strategy<Value = Options> {
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
pub(super) fn mutated(mut document: Value, mutations: &[(Index, Index, Option<Value>)]) -> Value {
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

/// Documents to begin with.
pub(super) fn examples() -> Vec<Value> {
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
