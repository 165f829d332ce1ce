//! Another library as an oracle: schemas and values at random, and the same verdict.

use std::collections::BTreeSet;

use jsonschema::PatternOptions;
use serde_json::Value;

use super::super::Formats;
use super::super::keyword::{self, Draft};
use super::generate::{Dice, Generator};
use super::{compiled, violations};

/// Schemas of each draft, and values for each.
const SCHEMAS: usize = 1_000;
const VALUES: usize = 10;

/// Keywords that no schema of a policy may have.
const NOT_HERE: &[&str] = &["$id", "$dynamicRef", "$recursiveRef"];

fn oracle(schema: &Value, draft: Draft) -> jsonschema::Validator {
    jsonschema::options()
        .with_draft(match draft {
            Draft::Seven => jsonschema::Draft::Draft7,
            Draft::Latest => jsonschema::Draft::Draft202012,
        })
        .should_validate_formats(true)
        .with_pattern_options(PatternOptions::regex())
        .build(schema)
        .unwrap_or_else(|error| panic!("{schema}: {error}"))
}

fn words(value: &Value, seen: &mut BTreeSet<String>) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| words(value, seen)),
        Value::Object(members) => {
            for (name, value) in members {
                seen.insert(name.clone());
                words(value, seen);
            }
        }
        _ => {}
    }
}

fn compare(draft: Draft, seed: u64) {
    let mut dice = Dice::new(seed);
    let mut seen = BTreeSet::new();
    let (mut valid, mut pairs, mut schemas) = (0, 0, 0);
    while schemas < SCHEMAS {
        let mut generator = Generator::new(&mut dice, draft);
        let schema = generator.document();
        // The oracle would follow such references without end.
        let ours = match compiled(&schema, Formats::Assert) {
            Ok(ours) => ours,
            Err(refused) => {
                assert!(
                    refused.iter().any(|d| d.code == "schema-ref-cycle"),
                    "{schema} {refused:?}"
                );
                continue;
            }
        };
        let theirs = oracle(&schema, draft);
        schemas += 1;
        words(&schema, &mut seen);
        let mut value = Value::Null;
        for index in 0..VALUES {
            value = match index % 3 {
                2 => generator.spoilt(&value),
                _ => generator.fitting(&schema, &schema, 6),
            };
            let found = violations(&*ours, &value);
            let is_valid = theirs.is_valid(&value);
            assert_eq!(
                found.is_empty(),
                is_valid,
                "{schema}\n{value}\n{found:?}\n{:?}",
                theirs.validate(&value)
            );
            // What the first pass refuses, the second finds.
            let unexplained = found.iter().any(|v| v.message == "must match its schema");
            assert!(!unexplained, "{schema}\n{value}\n{found:?}");
            pairs += 1;
            valid += usize::from(is_valid);
        }
    }
    let share = valid * 100 / pairs;
    assert!(
        pairs >= 10_000 && (30..=70).contains(&share),
        "{pairs} pairs, {share} % valid"
    );
    for name in keyword::names(draft).filter(|name| !NOT_HERE.contains(name)) {
        // The default draft is not named; its old `dependencies` are enforced here, and ignored by the oracle.
        let written = draft == Draft::Seven || !matches!(name, "$schema" | "dependencies");
        assert_eq!(seen.contains(name), written, "{name}");
    }
}

#[test]
fn verdicts_are_those_of_another_library_in_2020_12() {
    compare(Draft::Latest, 1);
}

#[test]
fn verdicts_are_those_of_another_library_in_draft_07() {
    compare(Draft::Seven, 2);
}
