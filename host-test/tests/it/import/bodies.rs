//! Request bodies as those of a route.

use serde_json::{Value, json};

use super::{imported, policy, told, with_operation};

fn document(body: Value) -> Value {
    with_operation("3.0.3", json!({"requestBody": body}))
}

/// Holds what the route's body is for this `content`, and what is told.
#[track_caller]
fn check(content: Value, expected: Value, gaps: &[&str]) {
    let import = imported(&document(json!({"required": true, "content": content})));
    assert_eq!(
        policy(&import)
            .pointer("/routes/0/validate/body")
            .unwrap_or(&Value::Null),
        &expected
    );
    told(&import.not_enforced, gaps);
}

fn object() -> Value {
    json!({"type": "object"})
}

#[test]
fn json_is_the_default() {
    check(
        json!({"application/json": {"schema": object()}}),
        json!({"schema": object()}),
        &[],
    );
    check(
        json!({"Application/JSON; charset=utf-8": {"schema": object()}}),
        json!({"schema": object()}),
        &[],
    );
    check(
        json!({"application/json": {}}),
        json!({"schema": true}),
        &[],
    );
}

#[test]
fn a_body_is_optional_unless_it_is_required() {
    let import = imported(&document(
        json!({"content": {"application/json": {"schema": object()}}}),
    ));
    let body = &policy(&import)["routes"][0]["validate"]["body"];
    assert_eq!(*body, json!({"required": false, "schema": object()}));
}

#[test]
fn types_that_share_a_schema_pass_together() {
    check(
        json!({
            "application/json": {"schema": object()},
            "application/*+json": {"schema": object()},
            "application/x-www-form-urlencoded": {"schema": object()},
            "text/json": {"schema": object()},
        }),
        json!({"content_types": ["+json", "application/json", "application/x-www-form-urlencoded", "text/json"], "schema": object()}),
        &[],
    );
    check(
        json!({"application/merge-patch+json": {"schema": object()}}),
        json!({"content_types": ["application/merge-patch+json"], "schema": object()}),
        &[],
    );
}

#[test]
fn types_that_do_not_are_refused_and_told() {
    check(
        json!({
            "application/json": {"schema": object()},
            "application/vnd.api+json": {"schema": {"type": "array"}},
            "application/xml": {"schema": object()},
            "multipart/form-data": {"schema": {"type": "object", "properties": {"f": {"type": "string", "format": "binary"}}}},
            "*/*": {},
        }),
        json!({"schema": object()}),
        &[
            "/*~1*: bodies of `*/*` are refused",
            "/application~1vnd.api+json: are refused",
            "/application~1xml: here that of `application/json`",
            "/multipart~1form-data: are refused",
        ],
    );
}

#[test]
fn forms_and_texts_are_read() {
    check(
        json!({"application/x-www-form-urlencoded": {"schema": object()}}),
        json!({"content_types": ["application/x-www-form-urlencoded"], "schema": object()}),
        &[],
    );
    check(
        json!({"multipart/form-data": {"schema": object(), "encoding": {"a": {"contentType": "image/png"}}}}),
        json!({"content_types": ["multipart/form-data"], "schema": object()}),
        &["/encoding/a: is not judged"],
    );
    check(
        json!({"text/plain": {"schema": {"type": "string", "maxLength": 9}}}),
        json!({"content_types": ["text/plain"], "schema": {"type": "string", "maxLength": 9}}),
        &[],
    );
    let import = imported(&document(
        json!({"content": {"multipart/form-data": {"schema": object()}}}),
    ));
    told(&import.notes, &["/multipart~1form-data: more than 64 KiB"]);
}

#[test]
fn a_body_that_cannot_be_read_is_told() {
    let gaps = &["/content: is not judged, whatever its type"];
    for kind in [
        "application/xml",
        "application/octet-stream",
        "image/*",
        "*/*",
        "application/*",
    ] {
        check(
            json!({kind: {"schema": {"type": "string", "format": "binary"}}}),
            Value::Null,
            gaps,
        );
    }
    // A text that is an object is written in a way that is not read.
    check(json!({"text/xml": {"schema": object()}}), Value::Null, gaps);
    check(json!({}), Value::Null, gaps);
    let import = imported(&document(json!({"description": "none"})));
    told(&import.not_enforced, &["/requestBody: no `content`"]);
}

#[test]
fn request_bodies_are_found_through_references() {
    let mut document = document(json!({"$ref": "#/components/requestBodies/Thing"}));
    document["components"] = json!({"requestBodies": {"Thing": {"required": true, "content": {"application/json": {"schema": object()}}}}});
    let import = imported(&document);
    assert_eq!(
        policy(&import).pointer("/routes/0/validate/body"),
        Some(&json!({"schema": object()}))
    );
}
