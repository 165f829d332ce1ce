//! Paths, servers and operations as routes.

use portcullis_config::Unmatched;
use portcullis_host_test::openapi::Options;
use serde_json::{Value, json};

use super::{import, imported, policy, told, with_paths};

/// Each route as `name: METHOD path`.
fn routes(policy: &Value) -> Vec<String> {
    let shown = |route: &Value| {
        let word = |key: &str| route[key].as_str().unwrap().to_owned();
        let methods: Vec<&str> = route["methods"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| m.as_str().unwrap())
            .collect();
        format!("{}: {} {}", word("name"), methods.join(","), word("path"))
    };
    policy["routes"]
        .as_array()
        .unwrap()
        .iter()
        .map(shown)
        .collect()
}

#[track_caller]
fn check(document: &Value, expected: &[&str], gaps: &[&str]) {
    check_with(document, &Options::default(), expected, gaps);
}

#[track_caller]
fn check_with(document: &Value, options: &Options, expected: &[&str], gaps: &[&str]) {
    let import = import(document, options).unwrap();
    assert_eq!(routes(&policy(&import)), expected);
    told(&import.not_enforced, gaps);
}

#[test]
fn each_operation_is_a_route() {
    let paths = json!({
        "/users": {"get": {"operationId": "list users"}, "post": {"operationId": "list users"}, "options": {}, "summary": "s", "x-a": 1},
        "/users/{id}": {"get": {}, "head": {}, "trace": {}},
        "x-extension": {"get": {}},
    });
    check(
        &with_paths("3.1.0", paths),
        &[
            "list-users: GET /users",
            "options-users: OPTIONS /users",
            "list-users-2: POST /users",
            // Before GET, which would take its requests.
            "head-users-id: HEAD /users/{id}",
            "get-users-id: GET /users/{id}",
            "trace-users-id: TRACE /users/{id}",
        ],
        &[],
    );
}

#[test]
fn templates_of_one_place_may_have_several_names() {
    let paths = json!({"/users/{id}": {"get": {}}, "/users/{name}/posts": {"get": {}}, "/users/me": {"get": {}}});
    check(
        &with_paths("3.1.0", paths),
        &[
            "get-users-me: GET /users/me",
            "get-users-id: GET /users/{id}",
            "get-users-name-posts: GET /users/{name}/posts",
        ],
        &[],
    );
}

#[test]
fn paths_that_no_request_can_tell_apart_are_told() {
    let paths = json!({"/Users/{id}": {"get": {}}, "/a": {"get": {}}, "/a/": {"get": {}, "post": {}}, "/users/{name}": {"get": {}}});
    check(
        &with_paths("3.1.0", paths),
        &[
            "get-Users-id: GET /Users/{id}",
            "get-a: GET /a",
            "post-a: POST /a",
        ],
        &[
            "/~1a~1/get: tell it from `/paths/~1a/get`",
            "/~1users~1{name}/get: tell it from",
        ],
    );
}

#[test]
fn paths_that_a_policy_has_no_word_for_are_told() {
    let paths = json!({
        "/a b": {"get": {}}, "/c?d=1": {"get": {}}, "/e//f": {"get": {}}, "g": {"get": {}}, "/{h": {"get": {}},
        "/ok": {"get": {}, "query": {}},
    });
    check(
        &with_paths("3.1.0", paths.clone()),
        &["get-ok: GET /ok"],
        &[
            "/~1a b/get: pass unjudged",
            "/~1c?d=1/get: no route is made",
            "/~1e~1~1f/get: a segment is empty",
            "/~1ok/query: no operation",
            "/~1{h/get: braces",
            "/g/get: begins with `/`",
        ],
    );
    let options = Options {
        unmatched: Unmatched::Reject,
        ..Options::default()
    };
    let import = import(&with_paths("3.1.0", paths), &options).unwrap();
    assert_eq!(policy(&import)["unmatched"], "reject");
    assert!(
        import
            .not_enforced
            .iter()
            .any(|gap| gap.message.ends_with("requests to it are refused"))
    );
}

#[test]
fn a_template_within_a_segment_is_held_by_a_pattern() {
    let parameter = json!({"in": "path", "name": "name", "required": true, "schema": {"type": "string", "maxLength": 9}});
    let paths = json!({"/files/{name}.json": {"get": {"parameters": [parameter]}}});
    let import = imported(&with_paths("3.1.0", paths));
    let policy = policy(&import);
    assert_eq!(routes(&policy), ["get-files-name-json: GET /files/{name}"]);
    assert_eq!(
        policy["routes"][0]["validate"],
        json!({"path": {"name": {"schema": {"type": "string", "pattern": "^.+\\.json$"}}}})
    );
    told(
        &import.not_enforced,
        &["/parameters/0: a part of a segment"],
    );
}

#[test]
fn parameters_that_hold_slashes_end_a_path() {
    let parameter =
        json!({"in": "path", "name": "file_path", "required": true, "schema": {"type": "string"}});
    let document = |path: &str| {
        with_paths(
            "3.1.0",
            json!({path: {"parameters": [parameter], "get": {}}}),
        )
    };
    let gaps = &["/parameters/0: may hold slashes"];
    check(
        &document("/files/{file_path:path}"),
        &["get-files-file_path-path: GET /files/*"],
        gaps,
    );
    let tails = Options {
        tails: vec!["file_path".to_owned()],
        ..Options::default()
    };
    check_with(
        &document("/files/{file_path}"),
        &tails,
        &["get-files-file_path: GET /files/*"],
        gaps,
    );
    // Nothing in FastAPI's document says which it is.
    let plain = imported(&document("/files/{file_path}"));
    told(&plain.notes, &["/get: takes one segment"]);
    assert_eq!(
        plain
            .notes
            .first()
            .unwrap()
            .help
            .as_deref()
            .unwrap()
            .split("--tail")
            .nth(1),
        Some(" file_path`")
    );
}

#[test]
fn templates_are_renamed_where_a_policy_has_no_such_name() {
    let parameter =
        json!({"in": "path", "name": "user id", "required": true, "schema": {"type": "integer"}});
    let paths = json!({"/users/{user id}": {"get": {"parameters": [parameter]}}});
    let policy = policy(&imported(&with_paths("3.1.0", paths)));
    assert_eq!(policy["routes"][0]["path"], "/users/{user-id}");
    assert_eq!(
        policy["routes"][0]["validate"],
        json!({"path": {"user-id": {"schema": {"type": "integer"}}}})
    );
}

#[test]
fn the_first_server_says_where_paths_begin() {
    let check = |servers: Value, expected: &str, gaps: &[&str]| {
        let mut document = with_paths("3.1.0", json!({"/a": {"get": {}}}));
        document["servers"] = servers;
        check(&document, &[&format!("get-a: GET {expected}")], gaps);
    };
    check(json!([]), "/a", &[]);
    check(json!([{"url": "/"}]), "/a", &[]);
    check(json!([{"url": "https://api.example.com"}]), "/a", &[]);
    check(
        json!([{"url": "https://api.example.com/v1/"}]),
        "/v1/a",
        &[],
    );
    check(json!([{"url": "//api.example.com/v1"}]), "/v1/a", &[]);
    check(json!([{"url": "/v1"}]), "/v1/a", &[]);
    check(
        json!([{"url": "/{stage}/v1", "variables": {"stage": {"default": "prod"}}}]),
        "/prod/v1/a",
        &[],
    );
    check(json!([{"url": "/{tenant}"}]), "/{tenant}/a", &[]);
    check(
        json!([{"url": "https://a.example.com/v1"}, {"url": "https://b.example.com/v1"}]),
        "/v1/a",
        &[],
    );
    check(
        json!([{"url": "/v1"}, {"url": "/v2"}]),
        "/v1/a",
        &["/servers: the base path `/v2`"],
    );
    check(json!([{"url": "v1"}]), "/a", &["/servers/0: relative"]);
}

#[test]
fn the_nearest_servers_count_and_an_option_before_them() {
    let mut document = with_paths(
        "3.1.0",
        json!({
            "/a": {"servers": [{"url": "/path"}], "get": {}, "put": {"servers": [{"url": "/own"}]}},
            "/b": {"get": {}},
        }),
    );
    document["servers"] = json!([{"url": "/all"}]);
    check(
        &document,
        &[
            "get-a: GET /path/a",
            "put-a: PUT /own/a",
            "get-b: GET /all/b",
        ],
        &[],
    );
    let options = Options {
        base_path: Some("/edge/".to_owned()),
        ..Options::default()
    };
    check_with(
        &document,
        &options,
        &[
            "get-a: GET /edge/a",
            "put-a: PUT /edge/a",
            "get-b: GET /edge/b",
        ],
        &[],
    );
}

#[test]
fn path_items_are_found_through_references() {
    let mut document = with_paths(
        "3.1.0",
        json!({
            "/a": {"$ref": "#/components/pathItems/A", "get": {}},
            "/b": {"$ref": "b.yaml"},
        }),
    );
    document["components"] = json!({"pathItems": {"A": {"post": {}}}});
    check(
        &document,
        &["post-a: POST /a"],
        &["/~1a/get: beside a `$ref`", "/~1b: another document"],
    );
}

#[test]
fn what_is_no_document_is_an_error() {
    let check = |document: Value, expected: &str| {
        let errors = import(&document, &Options::default()).unwrap_err();
        let text: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert!(text.join("\n").contains(expected), "{text:?}");
    };
    check(json!({"swagger": "2.0"}), "Swagger 2.0");
    check(json!({"openapi": "3.2.0"}), "`3.2.0` is not read");
    check(json!({"openapi": "4"}), "`4` is not read");
    check(json!({"openapi": 3.1}), "must be text");
    check(json!({"info": {}}), "no `openapi`");
    check(with_paths("3.1.0", json!({})), "no operation");
    check(
        with_paths("3.1.0", json!({"/a b": {"get": {}}})),
        "no route is made of `/a b`",
    );
    let named = |options: Options| {
        import(&with_paths("3.1.0", json!({"/a": {"get": {}}})), &options).unwrap_err()
    };
    let bad = named(Options {
        name: Some("My API".to_owned()),
        ..Options::default()
    });
    assert!(
        bad.first()
            .unwrap()
            .message
            .contains("`My API` is not a name"),
        "{bad:?}"
    );
    let bad = named(Options {
        base_path: Some("api".to_owned()),
        ..Options::default()
    });
    assert!(
        bad.iter()
            .any(|error| error.message.contains("begins with `/`")),
        "{bad:?}"
    );
}
