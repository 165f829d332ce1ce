//! What validation costs, on bodies that applications get and on those of an attacker.
//!
//! The first table has the bodies of `module/bodies.rs` through the engine, beside what the same parsing and the same judgement cost
//! in other people's libraries. The second has each kind of hostile request in three sizes, and ends with an error if a kind costs
//! more than in proportion to its size.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a bench that measures the wrong thing must stop"
)]

mod best;
#[path = "../module/bodies.rs"]
mod bodies;
mod body;
mod hostile_bodies;
#[expect(dead_code, reason = "no response is judged here")]
mod traffic;

use std::hint::black_box;

use best::measure;
use bodies::{Sample, policy, samples, section};
use body::{Outcome, ask, head};
use criterion::Criterion;
use hostile_bodies::{ALL, STEPS};
use jsonschema::PatternOptions;
use serde_json::{Value, json};
use traffic::{Lines, borrowed, compiled, request};

/// Four times the size may cost so many times as much. More than four, as what fits into a cache at first may not in the end; and less
/// than the sixteen of what grows with the square.
const MOST_GROWTH: f64 = 12.0;

/// A line of the first table: what, and nanoseconds.
type Row = (String, f64);

fn judge(
    criterion: &mut Criterion,
    label: String,
    validate: &Value,
    (head, body): (&Lines, &[u8]),
    outcome: Outcome,
) -> Row {
    let policy = compiled(&policy(validate));
    let head = borrowed(head);
    assert_eq!(ask(&policy, &head, body), outcome, "{label}");
    let best = measure(criterion, &label, || {
        ask(&policy, black_box(&head), black_box(body))
    });
    (label, best)
}

const INVALID: Outcome = Outcome::Refused(422);

/// A size of body: through the engine, and through the libraries.
fn sample(criterion: &mut Criterion, sample: &Sample, rows: &mut Vec<Row>) {
    let Sample {
        name,
        schema,
        normalize,
        ..
    } = sample;
    let judged = section(&json!({"schema": schema}));
    let tidied = section(&json!({"schema": schema, "normalize": normalize}));
    for (what, body, section, outcome) in [
        (
            "streamed",
            &sample.valid,
            section(&json!({})),
            Outcome::Passed,
        ),
        (
            "parsed",
            &sample.valid,
            section(&json!({"schema": true})),
            Outcome::Passed,
        ),
        (
            "judged, valid",
            &sample.valid,
            judged.clone(),
            Outcome::Passed,
        ),
        ("judged, all that is wrong", &sample.bad, judged, INVALID),
        (
            "normalised, tidy",
            &sample.valid,
            tidied.clone(),
            Outcome::Passed,
        ),
        (
            "normalised, untidy",
            &sample.untidy,
            tidied,
            Outcome::Rewritten,
        ),
    ] {
        rows.push(judge(
            criterion,
            format!("{name}/{what}"),
            &json!({"body": section}),
            (&head("application/json", body.len()), body.as_bytes()),
            outcome,
        ));
    }

    let (valid, bad) = (sample.valid.as_bytes(), sample.bad.as_bytes());
    let parse = |body| serde_json::from_slice::<Value>(black_box(body)).expect("JSON");
    let peer = jsonschema::options()
        .with_pattern_options(PatternOptions::regex())
        .should_validate_formats(true)
        .build(schema)
        .expect("a schema");
    assert!(
        peer.is_valid(&parse(valid)) && !peer.is_valid(&parse(bad)),
        "{name}"
    );
    let mut beside = |what: &str, best: &mut dyn FnMut(&mut Criterion, &str) -> f64| {
        let label = format!("{name}/{what}");
        rows.push((label.clone(), best(criterion, &label)));
    };
    beside("serde_json, parsed", &mut |criterion, label| {
        measure(criterion, label, || parse(valid))
    });
    beside("jsonschema, valid", &mut |criterion, label| {
        measure(criterion, label, || peer.is_valid(&parse(valid)))
    });
    beside("jsonschema, all that is wrong", &mut |criterion, label| {
        measure(criterion, label, || peer.iter_errors(&parse(bad)).count())
    });
}

/// What is judged without a body of JSON.
fn others(criterion: &mut Criterion, rows: &mut Vec<Row>) {
    let fields = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["player_name", "round"],
        "properties": {
            "player_name": {"type": "string", "minLength": 1, "maxLength": 40},
            "round": {"type": "integer", "minimum": 1, "maximum": 20},
            "tags": {"type": "array", "items": {"type": "string"}},
            "note": {"type": "string", "maxLength": 140},
        },
    });
    let content_type = "application/x-www-form-urlencoded";
    let body = "player_name=Ada%20Lovelace&round=3&tags=a&tags=b&note=so+it+is+written&";
    let section = section(&json!({"schema": fields, "content_types": [content_type]}));
    for (name, body, outcome) in [
        ("a form, valid", body, Outcome::Passed),
        (
            "a form, all that is wrong",
            "player_name=&round=x&tags=a&more=1",
            INVALID,
        ),
    ] {
        rows.push(judge(
            criterion,
            name.to_owned(),
            &json!({"body": section}),
            (&head(content_type, body.len()), body.as_bytes()),
            outcome,
        ));
    }

    let parameters = json!({
        "query": {
            "limit": {"schema": {"type": "integer", "minimum": 1, "maximum": 100}},
            "sort": {"schema": {"enum": ["name", "score"]}},
            "ids": {"schema": {"type": "array", "items": {"type": "string", "format": "uuid"}}},
        },
        "headers": {"accept-language": {"schema": {"type": "string", "maxLength": 100}, "required": true}},
        "cookies": {"session": {"schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"}}},
        "unknown_query": "reject",
    });
    for (name, query, outcome) in [
        (
            "parameters, valid",
            "?limit=10&sort=name&ids=3f2b8c1e-9a4d-4e6f-8b7a-1c2d3e4f5a6b",
            Outcome::Passed,
        ),
        (
            "parameters, all that is wrong",
            "?limit=x&sort=age&ids=1&more=1",
            INVALID,
        ),
    ] {
        let mut lines = request("GET", &format!("/asked{query}"));
        lines.push((
            "cookie".to_owned(),
            "session=b1946ac92492d2347c6235b4d2611184".to_owned(),
        ));
        rows.push(judge(
            criterion,
            name.to_owned(),
            &parameters,
            (&lines, b""),
            outcome,
        ));
    }
}

fn main() {
    let criterion = &mut best::criterion();
    let mut rows = Vec::new();
    let plain = request("POST", "/asked");
    rows.push(judge(
        criterion,
        "a route without validate".to_owned(),
        &json!({"mode": "off"}),
        (&plain, b""),
        Outcome::Passed,
    ));
    for (one, bytes) in samples().iter().zip([126, 1_823, 92_250]) {
        assert_eq!(one.valid.len(), bytes, "{}", one.name);
        sample(criterion, one, &mut rows);
    }
    others(criterion, &mut rows);

    let mut growths = Vec::new();
    for kind in ALL {
        let best = STEPS.map(|step| {
            let size = kind.most / 4 * step;
            let traffic = (kind.make)(size);
            let label = format!("{size} {}", kind.name);
            let asked = (&traffic.head, traffic.body.as_slice());
            judge(criterion, label, &traffic.validate, asked, kind.outcome).1
        });
        growths.push((format!("{} {}", kind.most, kind.name), best));
    }
    print(&rows, &growths);
}

fn print(rows: &[Row], growths: &[(String, [f64; 3])]) {
    let plain = rows.first().map_or(f64::NAN, |(_, best)| *best);
    println!("\n{:<62}{:>12}{:>12}", "one request", "µs", "added");
    for (name, best) in rows {
        let added = match name.contains("serde_json") || name.contains("jsonschema") {
            true => String::new(),
            false => format!("{:.2}", (best - plain) / 1e3),
        };
        println!("{name:<62}{:>12.2}{added:>12}", best / 1e3);
    }
    println!(
        "\n{:<62}{:>12}{:>12}{:>12}{:>9}",
        "of size 4n", "n, µs", "2n, µs", "4n, µs", "4n/n"
    );
    let mut steep = Vec::new();
    for (name, [one, two, four]) in growths {
        println!(
            "{name:<62}{:>12.1}{:>12.1}{:>12.1}{:>9.1}",
            one / 1e3,
            two / 1e3,
            four / 1e3,
            four / one
        );
        if four / one > MOST_GROWTH {
            steep.push(name.as_str());
        }
    }
    assert!(
        steep.is_empty(),
        "these cost more than in proportion to their size: {}",
        steep.join("; ")
    );
}
