//! The JSON-Schema-Test-Suite: every required test of both drafts.
//!
//! Each test runs twice: as a policy would have it, unless policies refuse its schema, and as the suite means it, with
//! the addresses and the remote documents that policies refuse made into places of one document (`bundle`).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use referencing::Draft;
use serde_json::{Map, Value};

use super::super::Formats;
use super::bundle::bundled;
use super::{compiled, violations};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/json-schema-test-suite")
}

/// Every JSON file of a folder, by its path in it.
fn files(root: &Path, below: bool) -> BTreeMap<String, Value> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.extend(below.then_some(path));
                continue;
            }
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            let text = fs::read_to_string(&path).unwrap();
            files.insert(name.to_owned(), serde_json::from_str(&text).unwrap());
        }
    }
    files
}

/// As a policy would write it: with the draft, if that is not the default.
fn native(schema: &Value, draft: Draft) -> Value {
    match schema {
        Value::Object(members) if draft == Draft::Draft7 => {
            let mut all = Map::new();
            all.insert(
                "$schema".into(),
                "http://json-schema.org/draft-07/schema#".into(),
            );
            all.extend(members.clone());
            Value::Object(all)
        }
        schema => schema.clone(),
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    tests: usize,
    /// Of these, as a policy has them.
    native: usize,
}

fn run(name: &str, draft: Draft) -> Count {
    let remotes = files(&folder().join("remotes"), true);
    let mut count = Count::default();
    let mut failed = Vec::new();
    for (file, groups) in files(&folder().join(name), false) {
        for group in groups.as_array().unwrap() {
            let schema = &group["schema"];
            let bundled = bundled(schema, draft, &remotes);
            let foreign = compiled(&bundled, Formats::Annotate);
            let foreign = foreign.unwrap_or_else(|found| panic!("{schema} {bundled} {found:?}"));
            let native = compiled(&native(schema, draft), Formats::Annotate);
            for test in group["tests"].as_array().unwrap() {
                let valid = test["valid"].as_bool().unwrap();
                let of = format!("{file}: {}: {}", group["description"], test["description"]);
                count.tests += 1;
                if violations(&*foreign, &test["data"]).is_empty() != valid {
                    failed.push(format!("as the suite means it: {of}"));
                }
                let Ok(native) = &native else {
                    continue;
                };
                count.native += 1;
                if violations(&**native, &test["data"]).is_empty() != valid {
                    failed.push(format!("as a policy has it: {of}"));
                }
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    count
}

#[test]
fn every_required_test_of_2020_12_passes() {
    assert_eq!(
        run("draft2020-12", Draft::Draft202012),
        Count {
            tests: 1299,
            native: 1157
        }
    );
}

#[test]
fn every_required_test_of_draft_07_passes() {
    assert_eq!(
        run("draft7", Draft::Draft7),
        Count {
            tests: 927,
            native: 852
        }
    );
}

/// How many tests of formats there are, and by file how many of them go another way.
fn formats(name: &str, draft: Draft) -> (usize, Vec<(String, usize)>) {
    let (mut tests, mut missed) = (0, Vec::new());
    for (file, groups) in files(&folder().join(name).join("optional/format"), false) {
        let mut misses = 0;
        for group in groups.as_array().unwrap() {
            let schema = native(&group["schema"], draft);
            let schema = compiled(&schema, Formats::Assert).unwrap();
            for test in group["tests"].as_array().unwrap() {
                let found = violations(&*schema, &test["data"]);
                misses += usize::from(found.is_empty() != test["valid"].as_bool().unwrap());
                tests += 1;
            }
        }
        if misses > 0 {
            missed.push((file, misses));
        }
    }
    (tests, missed)
}

#[test]
fn formats_are_as_strict_as_known() {
    // Patterns with look-around and back-references, which do not run here; those of Python, which do; host names and
    // addresses in other alphabets, which takes tables.
    let missed = [
        ("ecmascript-regex.json", 4),
        ("hostname.json", 23),
        ("idn-email.json", 8),
        ("idn-hostname.json", 27),
    ]
    .map(|(file, missed)| (file.to_owned(), missed));
    assert_eq!(
        formats("draft2020-12", Draft::Draft202012),
        (764, missed.to_vec())
    );
    assert_eq!(formats("draft7", Draft::Draft7), (676, missed.to_vec()));
}
