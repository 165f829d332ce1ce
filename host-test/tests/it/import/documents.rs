//! Whole documents that others wrote, and the policies that they become. `PORTCULLIS_BLESS=1` writes those anew.
//!
//! `petstore.json` is the example of swagger-api/swagger-petstore, `uspto.json` one of OAI/OpenAPI-Specification; both
//! under the Apache licence 2.0.

use std::path::Path;

use portcullis_host_test::document::Document;

use crate::check::{run, text};

fn check(folder: &str, document: &str, policy: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let output = run(&folder, &["import", document]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let printed = text(&output.stdout);
    let file = folder.join(policy);
    if std::env::var_os("PORTCULLIS_BLESS").is_some() {
        std::fs::write(&file, &printed).unwrap();
    }
    let blessed = std::fs::read_to_string(&file).unwrap_or_default();
    let difference = similar::TextDiff::from_lines(&blessed, &printed);
    assert!(
        blessed == printed,
        "{} is not what is imported: `PORTCULLIS_BLESS=1 cargo test -p portcullis-host-test --test it import` writes it anew\n{}",
        file.display(),
        difference.unified_diff()
    );
    Document::read("policy.yaml", printed.as_bytes()).unwrap();
}

#[test]
fn petstore() {
    check("openapi", "petstore.json", "petstore.policy.yaml");
}

#[test]
fn uspto() {
    check("openapi", "uspto.json", "uspto.policy.yaml");
}

#[test]
fn the_example_service() {
    check("../envoy/game", "openapi.json", "policy.yaml");
}
