//! Parameters and credentials as those of a route.

use portcullis_host_test::openapi::Options;
use serde_json::{Value, json};

use super::{at, import, imported, policy, told, with_paths};

fn document(path: &str, above: Value, own: Value) -> Value {
    with_paths(
        "3.1.0",
        json!({path: {"parameters": above, "get": {"parameters": own}}}),
    )
}

/// Holds what `validate` of the one route is, and what is told.
#[track_caller]
fn check(path: &str, own: Value, expected: Value, gaps: &[&str]) {
    let import = imported(&document(path, json!([]), own));
    assert_eq!(at(&policy(&import), "/routes/0/validate"), expected);
    told(&import.not_enforced, gaps);
}

#[test]
fn each_place_has_its_section() {
    check(
        "/a/{id}",
        json!([
            {"in": "query", "name": "limit", "schema": {"type": "integer"}, "required": true},
            {"in": "cookie", "name": "Session", "schema": {"type": "string"}},
            {"in": "header", "name": "X-Key", "schema": {"type": "string"}, "required": false},
            {"in": "path", "name": "id", "schema": {"type": "string"}, "required": true},
        ]),
        json!({
            "path": {"id": {"schema": {"type": "string"}}},
            "query": {"limit": {"schema": {"type": "integer"}, "required": true}},
            "headers": {"x-key": {"schema": {"type": "string"}}},
            "cookies": {"Session": {"schema": {"type": "string"}}},
        }),
        &[],
    );
}

#[test]
fn an_operation_replaces_what_its_path_declares() {
    let one = |place: &str, name: &str, kind: &str| json!({"in": place, "name": name, "schema": {"type": kind}});
    let above = json!([
        one("query", "a", "string"),
        one("query", "b", "string"),
        one("header", "X-A", "string")
    ]);
    let own = json!([
        one("query", "b", "integer"),
        one("header", "x-a", "integer"),
        one("query", "c", "integer")
    ]);
    let import = imported(&document("/a", above, own));
    assert_eq!(
        policy(&import)["routes"][0]["validate"],
        json!({
            "query": {
                "a": {"schema": {"type": "string"}},
                "b": {"schema": {"type": "integer"}},
                "c": {"schema": {"type": "integer"}},
            },
            "headers": {"x-a": {"schema": {"type": "integer"}}},
        })
    );
    told(&import.not_enforced, &[]);
    check(
        "/a",
        json!([one("query", "b", "integer"), one("query", "b", "string")]),
        json!({"query": {"b": {"schema": {"type": "integer"}}}}),
        &["/parameters/1: stands twice"],
    );
}

#[test]
fn style_and_explode_stand_where_they_change_something() {
    let list = json!({"type": "array", "items": {"type": "string"}});
    let one = |place: &str, schema: &Value, rest: Value| {
        let mut parameter = json!({"in": place, "name": "x", "schema": schema});
        parameter
            .as_object_mut()
            .unwrap()
            .extend(rest.as_object().unwrap().clone());
        parameter
    };
    let check = |place: &str, rest: Value, section: &str, expected: Value| {
        let path = if place == "path" { "/a/{x}" } else { "/a" };
        check(
            path,
            json!([one(place, &list, rest)]),
            json!({section: {"x": expected}}),
            &[],
        );
    };
    let plain = || json!({"schema": list});
    check(
        "query",
        json!({"style": "form", "explode": true}),
        "query",
        plain(),
    );
    check(
        "query",
        json!({"explode": false}),
        "query",
        json!({"schema": list, "explode": false}),
    );
    check(
        "path",
        json!({"style": "simple", "explode": false}),
        "path",
        plain(),
    );
    check(
        "header",
        json!({"explode": true}),
        "headers",
        json!({"schema": list, "explode": true}),
    );
    check(
        "cookie",
        json!({"explode": false}),
        "cookies",
        json!({"schema": list, "explode": false}),
    );
    let object = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let deep = json!({"style": "deepObject", "explode": true});
    self::check(
        "/a",
        json!([one("query", &object, deep)]),
        json!({"query": {"x": {"schema": object, "style": "deepObject"}}}),
        &[],
    );
    // Of a single value neither says anything.
    let text = json!({"type": ["string", "null"]});
    self::check(
        "/a",
        json!([one(
            "query",
            &text,
            json!({"style": "pipeDelimited", "explode": false})
        )]),
        json!({"query": {"x": {"schema": text}}}),
        &[],
    );
}

#[test]
fn what_is_not_judged_is_told_and_still_asked_for() {
    let list = json!({"type": "array", "items": {"type": "string"}});
    let wide = || json!({"query": {"x": {"schema": true, "required": true}}});
    let query = |rest: Value| {
        let mut parameter = json!({"in": "query", "name": "x", "required": true});
        parameter
            .as_object_mut()
            .unwrap()
            .extend(rest.as_object().unwrap().clone());
        json!([parameter])
    };
    check(
        "/a",
        query(json!({"style": "pipeDelimited", "schema": list})),
        wide(),
        &["/0/style: `pipeDelimited`"],
    );
    check(
        "/a",
        query(json!({"style": "spaceDelimited", "schema": list})),
        wide(),
        &["/0/style: `spaceDelimited`"],
    );
    check(
        "/a",
        query(json!({"style": "odd", "schema": {}})),
        wide(),
        &["/0/style: `odd`"],
    );
    check(
        "/a",
        query(json!({"content": {"application/json": {"schema": {}}}})),
        wide(),
        &["/0: holds a document"],
    );
    check("/a", query(json!({})), wide(), &["/0: has no schema"]);
    let matrix =
        json!([{"in": "path", "name": "x", "style": "matrix", "schema": {"type": "string"}}]);
    check("/a/{x}", matrix, Value::Null, &["/0/style: `matrix`"]);
}

#[test]
fn the_members_of_exploded_objects_are_claimed_once() {
    let object = |name: &str, member: &str| json!({"in": "query", "name": name, "schema": {"type": "object", "properties": {member: {"type": "string"}}}});
    let text = json!({"in": "query", "name": "a", "schema": {"type": "string"}});
    let check = |own: Value, names: &[&str], gaps: &[&str]| {
        let import = imported(&document("/x", json!([]), own));
        let query = policy(&import)["routes"][0]["validate"]["query"].clone();
        assert_eq!(query.as_object().unwrap().keys().collect::<Vec<_>>(), names);
        told(&import.not_enforced, gaps);
    };
    check(json!([object("o", "b"), text]), &["a", "o"], &[]);
    check(
        json!([object("o", "a"), text]),
        &["a"],
        &["/parameters/0: the names of its members"],
    );
    check(
        json!([object("o", "b"), object("p", "c")]),
        &["o"],
        &["/parameters/1: the names of its members"],
    );
}

#[test]
fn parameters_that_no_request_can_have_are_told() {
    let schema = json!({"type": "string"});
    let check = |own: Value, gap: &str| check("/a", json!([own]), Value::Null, &[gap]);
    check(
        json!({"in": "path", "name": "id", "schema": schema}),
        "/0: the path has no `{id}`",
    );
    check(
        json!({"in": "header", "name": "a b", "schema": schema}),
        "/0: no name that a request can have",
    );
    check(
        json!({"in": "query", "name": "", "schema": schema}),
        "/0: no name that a request can have",
    );
    check(
        json!({"in": "body", "name": "b", "schema": schema}),
        "/0: no parameter",
    );
    check(json!({"in": "query", "schema": schema}), "/0: no parameter");
    check(
        json!({"$ref": "#/components/parameters/Nobody"}),
        "/0: leads nowhere",
    );
    check(
        json!({"$ref": "params.yaml#/Limit"}),
        "/0: another document",
    );
    for name in ["Accept", "content-type", "Authorization"] {
        let import = imported(&document(
            "/a",
            json!([]),
            json!([{"in": "header", "name": name, "schema": schema}]),
        ));
        assert_eq!(policy(&import)["routes"][0].get("validate"), None);
        told(&import.notes, &["/0: OpenAPI ignores"]);
    }
}

#[test]
fn components_are_found_through_references() {
    let mut document = document(
        "/a",
        json!([]),
        json!([{"$ref": "#/components/parameters/Outer"}, {"$ref": "#/components/parameters/Loop"}]),
    );
    document["components"] = json!({"parameters": {
        "Outer": {"$ref": "#/components/parameters/Inner"},
        "Inner": {"in": "query", "name": "q", "schema": {"$ref": "#/components/schemas/Q"}},
        "Loop": {"$ref": "#/components/parameters/Loop"},
    }, "schemas": {"Q": {"type": "string"}}});
    let import = imported(&document);
    let policy = policy(&import);
    assert_eq!(
        policy["routes"][0]["validate"],
        json!({"query": {"q": {"schema": {"$ref": "#/schemas/Q"}}}})
    );
    assert_eq!(policy["schemas"], json!({"Q": {"type": "string"}}));
    told(&import.not_enforced, &["/Loop: in a circle"]);
}

#[test]
fn asides_are_noted() {
    let parameter = json!({"in": "query", "name": "q", "schema": {}, "allowEmptyValue": true, "allowReserved": true});
    let import = imported(&document("/a/{id}", json!([]), json!([parameter])));
    told(
        &import.notes,
        &[
            "/get: no parameter declares `{id}`",
            "/allowEmptyValue: by its schema",
            "/allowReserved: changes nothing",
        ],
    );
}

#[test]
fn credentials_are_asked_for_if_they_are_wanted() {
    let check = |security: Value, own: Option<Value>, expected: Value, gaps: &[&str]| {
        let mut document = document(
            "/a",
            json!([]),
            json!([{"in": "query", "name": "key", "schema": {"minLength": 9}}]),
        );
        document["security"] = security;
        if let Some(own) = own {
            document["paths"]["/a"]["get"]["security"] = own;
        }
        document["components"] = json!({"securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer"},
            "oauth": {"type": "oauth2", "flows": {}},
            "header": {"type": "apiKey", "in": "header", "name": "X-Key"},
            "query": {"type": "apiKey", "in": "query", "name": "key"},
            "cookie": {"type": "apiKey", "in": "cookie", "name": "sid"},
            "tls": {"type": "mutualTLS"},
        }});
        let options = Options {
            require_security: true,
            ..Options::default()
        };
        let import = import(&document, &options).unwrap();
        let mut validate = policy(&import)["routes"][0]["validate"].clone();
        let key = validate["query"]
            .as_object_mut()
            .unwrap()
            .remove("key")
            .unwrap();
        let is_required = key.get("required").is_some();
        validate.as_object_mut().unwrap().remove("query");
        assert_eq!(json!([validate, is_required]), expected);
        told(&import.not_enforced, gaps);
    };
    let some = json!({"schema": {"type": "string", "minLength": 1}, "required": true});
    let bearer = json!({"headers": {"authorization": some}});
    check(json!([{"bearer": []}]), None, json!([bearer, false]), &[]);
    check(json!([{"oauth": ["a"]}]), None, json!([bearer, false]), &[]);
    check(
        json!([{"header": [], "cookie": []}]),
        None,
        json!([{"headers": {"x-key": some}, "cookies": {"sid": some}}, false]),
        &[],
    );
    check(json!([{"query": []}]), None, json!([{}, true]), &[]);
    check(
        json!([{"query": []}]),
        Some(json!([])),
        json!([{}, false]),
        &[],
    );
    check(
        json!([{"query": []}]),
        Some(json!([{"bearer": []}])),
        json!([bearer, false]),
        &[],
    );
    check(json!([{"query": []}, {}]), None, json!([{}, false]), &[]);
    // What all alternatives have in common.
    check(
        json!([{"bearer": []}, {"oauth": [], "query": []}]),
        None,
        json!([bearer, false]),
        &[],
    );
    check(
        json!([{"bearer": []}, {"query": []}]),
        None,
        json!([{}, false]),
        &["/security: none in common"],
    );
    check(
        json!([{"tls": []}]),
        None,
        json!([{}, false]),
        &[
            "/securitySchemes/tls: no parameter",
            "/security: none in common",
        ],
    );
    check(
        json!([{"nobody": []}]),
        None,
        json!([{}, false]),
        &["/security: none in common", "/0/nobody: no security scheme"],
    );
}
