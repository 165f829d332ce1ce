//! `portcullis import`: what becomes of an OpenAPI document, and what is told of what does not.

mod arbitrary;
mod bodies;
mod command;
mod documents;
mod parameters;
mod paths;
mod properties;
mod references;
mod schemas;

use portcullis_config::Diagnostic;
use portcullis_host_test::openapi::{self, Import, Notation, Options};
use serde_json::{Value, json};

/// What is imported from a document.
fn import(document: &Value, options: &Options) -> Result<Import, Vec<Diagnostic>> {
    let document = openapi::read("openapi.json", document.to_string().as_bytes()).unwrap();
    openapi::import(&document, options)
}

/// What is imported with nothing chosen; the document is one that can be.
fn imported(document: &Value) -> Import {
    import(document, &Options::default()).unwrap()
}

/// The policy as JSON.
fn policy(import: &Import) -> Value {
    serde_json::from_str(&openapi::text(&import.policy, Notation::Json)).unwrap()
}

/// What stands at a pointer; null if nothing does.
fn at(document: &Value, pointer: &str) -> Value {
    document.pointer(pointer).cloned().unwrap_or_default()
}

/// A document of one operation, `POST /things`.
fn with_operation(version: &str, operation: Value) -> Value {
    with_paths(version, json!({"/things": {"post": operation}}))
}

fn with_paths(version: &str, paths: Value) -> Value {
    json!({"openapi": version, "info": {"title": "Things", "version": "1"}, "paths": paths})
}

/// Holds that exactly these things are told: `pointer's end: part of the message`.
#[track_caller]
fn told(findings: &[Diagnostic], expected: &[&str]) {
    let lines: Vec<String> = findings
        .iter()
        .map(|finding| format!("{}: {}", finding.pointer, finding.message))
        .collect();
    assert_eq!(lines.len(), expected.len(), "told: {lines:#?}");
    for (line, expected) in lines.iter().zip(expected) {
        let (place, message) = expected.split_once(": ").unwrap();
        let (pointer, said) = line.split_once(": ").unwrap();
        assert!(
            pointer.ends_with(place) && said.contains(message),
            "{line}\nis not\n{expected}"
        );
    }
}
