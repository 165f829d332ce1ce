//! What came of a run of scenarios, as lines for people, as one JSON document, and as JUnit's XML.

use std::fmt::Write;

use portcullis_host_test::scenario::matcher::show;
use portcullis_host_test::scenario::run::{Outcome, Verdict};
use serde_json::{Value, json};

/// What came of one file.
pub(super) struct Ran {
    pub(super) file: String,
    pub(super) title: String,
    pub(super) result: Result<Outcome, String>,
    /// Why it failed, for people.
    pub(super) text: String,
}

pub(super) fn print_one(ran: &Ran) {
    let (word, color, why) = match &ran.result {
        Err(_) => ("bad ", "\x1b[31m", String::new()),
        Ok(outcome) => match &outcome.verdict {
            Verdict::Passed => ("ok  ", "\x1b[32m", String::new()),
            Verdict::Failed => ("FAIL", "\x1b[31m", String::new()),
            Verdict::Skipped(reason) => ("skip", "\x1b[33m", format!(" ({reason})")),
        },
    };
    anstream::println!(
        "{color}{word}\x1b[0m {}  \x1b[2m{}{}\x1b[0m",
        line(&ran.file),
        line(&ran.title),
        line(&why)
    );
    anstream::print!("{}", ran.text);
    for part in ran.result.iter().flat_map(|outcome| &outcome.not_judged) {
        anstream::println!("  \x1b[2mnot judged: {}\x1b[0m", line(part));
    }
}

/// What a file says, on one line and without anything that a terminal would obey.
fn line(text: &str) -> String {
    show(text.as_bytes()).replace('\n', " ")
}

#[derive(Default)]
struct Counts {
    passed: usize,
    failed: usize,
    skipped: usize,
    unreadable: usize,
    judged: usize,
    not_judged: usize,
}

fn counts(all: &[Ran]) -> Counts {
    let mut counts = Counts::default();
    for ran in all {
        let Ok(outcome) = &ran.result else {
            counts.unreadable += 1;
            continue;
        };
        counts.judged += outcome.judged;
        counts.not_judged += outcome.not_judged.len();
        match outcome.verdict {
            Verdict::Passed => counts.passed += 1,
            Verdict::Failed => counts.failed += 1,
            Verdict::Skipped(_) => counts.skipped += 1,
        }
    }
    counts
}

pub(super) fn summary(all: &[Ran]) -> String {
    let counts = counts(all);
    let mut text = format!(
        "{} passed, {} failed, {} skipped",
        counts.passed, counts.failed, counts.skipped
    );
    if counts.unreadable > 0 {
        // Writing to a string cannot fail.
        let _ = write!(text, ", {} unreadable", counts.unreadable);
    }
    let _ = write!(text, "; {} expectations judged", counts.judged);
    if counts.not_judged > 0 {
        let _ = write!(text, ", {} not", counts.not_judged);
    }
    text
}

pub(super) fn as_json(all: &[Ran]) -> Value {
    let counts = counts(all);
    let scenarios: Vec<Value> = all
        .iter()
        .map(|ran| {
            let mut value = json!({"file": ran.file, "title": ran.title});
            let more = match &ran.result {
                Err(error) => json!({"verdict": "unreadable", "reason": error, "text": ran.text}),
                Ok(outcome) => outcome_json(outcome),
            };
            if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
                value.extend(more);
            }
            value
        })
        .collect();
    json!({
        "passed": counts.passed,
        "failed": counts.failed,
        "skipped": counts.skipped,
        "unreadable": counts.unreadable,
        "judged": counts.judged,
        "not_judged": counts.not_judged,
        "scenarios": scenarios,
    })
}

fn outcome_json(outcome: &Outcome) -> Value {
    let (verdict, reason) = match &outcome.verdict {
        Verdict::Passed => ("passed", None),
        Verdict::Failed => ("failed", None),
        Verdict::Skipped(reason) => ("skipped", Some(reason)),
    };
    let failures: Vec<Value> = outcome
        .failures
        .iter()
        .map(|failure| {
            let mismatches: Vec<Value> = failure
                .mismatches
                .iter()
                .map(|m| json!({"what": m.what, "expected": m.expected, "observed": m.observed}))
                .collect();
            json!({
                "line": failure.place.line,
                "repetition": failure.repetition.0,
                "mismatches": mismatches,
            })
        })
        .collect();
    json!({
        "runner": outcome.runner.name(),
        "verdict": verdict,
        "reason": reason,
        "judged": outcome.judged,
        "not_judged": outcome.not_judged,
        "failures": failures,
    })
}

pub(super) fn as_junit(all: &[Ran]) -> String {
    let counts = counts(all);
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a string cannot fail.
    let _ = writeln!(
        xml,
        "<testsuite name=\"portcullis\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
        all.len(),
        counts.failed,
        counts.unreadable,
        counts.skipped,
    );
    for ran in all {
        let _ = write!(
            xml,
            "  <testcase classname=\"{}\" name=\"{}\">",
            escape(&ran.file),
            escape(&ran.title)
        );
        let _ = match &ran.result {
            Err(error) => write!(
                xml,
                "<error message=\"{}\">{}</error>",
                escape(error),
                escape(&ran.text)
            ),
            Ok(outcome) => match &outcome.verdict {
                Verdict::Passed => Ok(()),
                Verdict::Failed => {
                    write!(
                        xml,
                        "<failure message=\"not as expected\">{}</failure>",
                        escape(&ran.text)
                    )
                }
                Verdict::Skipped(reason) => {
                    write!(xml, "<skipped message=\"{}\"/>", escape(reason))
                }
            },
        };
        xml.push_str("</testcase>\n");
    }
    xml.push_str("</testsuite>");
    xml
}

/// Text in XML 1.0, which has no control characters but the three that count as white space.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => escaped.push(c),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
