//! `portcullis test`: scenarios in wasmtime, or over HTTP at a live gateway.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use portcullis_host_test::document::Document;
use portcullis_host_test::module::Module;
use portcullis_host_test::profile::Profile;
use portcullis_host_test::report;
use portcullis_host_test::scenario::bless::bless;
use portcullis_host_test::scenario::corpus;
use portcullis_host_test::scenario::file::Scenario;
use portcullis_host_test::scenario::http::HttpTarget;
use portcullis_host_test::scenario::run::{Outcome, Verdict, run, skip_reason, skipped};
use portcullis_host_test::scenario::target::{Runner, Target};
use portcullis_host_test::scenario::wasm::WasmTarget;
use serde_json::{Value, json};

use super::{Exit, module};

/// Run scenarios: in this command's own host, or over HTTP at a live gateway
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Scenario files, and folders of them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A live gateway to send the requests to; its policy is its own, the scenarios' are not loaded
    #[arg(long, value_name = "URL", conflicts_with_all = ["wasm", "profile"])]
    against: Option<String>,
    /// The gateway whose habits the host has
    #[arg(long, default_value = "envoy", value_name = "HOST")]
    profile: Habits,
    /// Rewrite the `headers_exactly` and `body` of each scenario to what really came, before it is run
    #[arg(long, conflicts_with = "against")]
    bless: bool,
    /// How to show it
    #[arg(long, default_value = "human")]
    format: Format,
    /// Another module than the one built with this command
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Habits {
    Envoy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, as it happens
    Human,
    /// One JSON document
    Json,
    /// JUnit's XML, for continuous integration
    Junit,
}

/// What came of one file.
struct Ran {
    file: String,
    title: String,
    result: Result<Outcome, String>,
    /// Why it failed, for people.
    text: String,
}

impl Test {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let mut files = Vec::new();
        for path in &self.paths {
            files.extend(corpus::find(path)?);
        }
        if files.is_empty() {
            bail!("there is no scenario below these paths");
        }
        let module = match &self.against {
            // A URL that is none is one mistake, not one in each scenario.
            Some(url) => HttpTarget::against(url).map(|_| None)?,
            None => Some(module(self.wasm.as_deref())?),
        };
        let color = self.format == Format::Human;
        let mut all = Vec::new();
        for file in files {
            if let (true, Some(module)) = (self.bless, &module) {
                bless_file(&file, module)?;
            }
            let ran = self.one(&file, module.as_ref(), color)?;
            if self.format == Format::Human {
                print_one(&ran);
            }
            all.push(ran);
        }
        match self.format {
            Format::Human => anstream::println!("{}", summary(&all)),
            Format::Json => anstream::println!("{}", serde_json::to_string_pretty(&as_json(&all))?),
            Format::Junit => anstream::println!("{}", as_junit(&all)),
        }
        Ok(exit(&all))
    }

    fn one(&self, file: &Path, module: Option<&Module>, color: bool) -> anyhow::Result<Ran> {
        let name = file.display().to_string();
        let scenario = match Scenario::read_file(file) {
            Ok(scenario) => scenario,
            Err(error) => {
                return Ok(Ran {
                    file: name,
                    title: String::new(),
                    result: Err(error.to_string()),
                    text: report::scenario_error(&error, color),
                });
            }
        };
        let outcome = match self.open(&scenario, module) {
            Opened::Target(mut target) => run(&scenario, target.as_mut()),
            Opened::Skipped(outcome) => outcome,
            Opened::Failed(runner, error) => Outcome::could_not_open(runner, &error),
        };
        Ok(Ran {
            file: name,
            title: scenario.title.clone(),
            text: report::failures(&scenario, &outcome, color),
            result: Ok(outcome),
        })
    }

    fn open(&self, scenario: &Scenario, module: Option<&Module>) -> Opened {
        let runner = if self.against.is_some() {
            Runner::Http
        } else {
            Runner::Wasm
        };
        if let Some(reason) = skip_reason(scenario, runner) {
            return Opened::Skipped(skipped(runner, reason));
        }
        let profile = match self.profile {
            Habits::Envoy => Profile::ENVOY,
        };
        let opened: anyhow::Result<Box<dyn Target>> = match (&self.against, module) {
            (Some(url), _) => HttpTarget::against(url).map(|target| Box::new(target) as _),
            (None, Some(module)) => {
                WasmTarget::open(module, profile, &scenario.policy, scenario.workers)
                    .map(|target| Box::new(target) as _)
            }
            (None, None) => Err(anyhow::anyhow!("there is no module")),
        };
        match opened {
            Ok(target) => Opened::Target(target),
            Err(error) => Opened::Failed(runner, error),
        }
    }
}

/// Files that are no scenarios, are skipped, or whose policy is refused are left to the run that follows, which says so.
fn bless_file(file: &Path, module: &Module) -> anyhow::Result<()> {
    let Ok(document) = Document::read_file(file) else {
        return Ok(());
    };
    let Ok(scenario) = Scenario::from_document(file, document.clone()) else {
        return Ok(());
    };
    if skip_reason(&scenario, Runner::Wasm).is_some() {
        return Ok(());
    }
    let opened = WasmTarget::open(module, Profile::ENVOY, &scenario.policy, scenario.workers);
    let Ok(mut target) = opened else {
        return Ok(());
    };
    let cannot = || format!("cannot bless `{}`", file.display());
    if let Some(text) = bless(&document, &scenario, &mut target).with_context(cannot)? {
        std::fs::write(file, text).with_context(cannot)?;
        anstream::eprintln!("blessed {}", file.display());
    }
    Ok(())
}

enum Opened {
    Target(Box<dyn Target>),
    Skipped(Outcome),
    Failed(Runner, anyhow::Error),
}

fn exit(all: &[Ran]) -> Exit {
    let failed = |ran: &Ran| {
        ran.result
            .as_ref()
            .is_ok_and(|o| o.verdict == Verdict::Failed)
    };
    if all.iter().any(failed) {
        Exit::ScenarioFailed
    } else if all.iter().any(|ran| ran.result.is_err()) {
        Exit::CouldNotRun
    } else {
        Exit::Ok
    }
}

fn print_one(ran: &Ran) {
    let (word, color, why) = match &ran.result {
        Err(_) => ("bad ", "\x1b[31m", String::new()),
        Ok(outcome) => match &outcome.verdict {
            Verdict::Passed => ("ok  ", "\x1b[32m", String::new()),
            Verdict::Failed => ("FAIL", "\x1b[31m", String::new()),
            Verdict::Skipped(reason) => ("skip", "\x1b[33m", format!(" ({reason})")),
        },
    };
    anstream::println!(
        "{color}{word}\x1b[0m {}  \x1b[2m{}{why}\x1b[0m",
        ran.file,
        ran.title
    );
    anstream::print!("{}", ran.text);
    for part in ran.result.iter().flat_map(|outcome| &outcome.not_judged) {
        anstream::println!("  \x1b[2mnot judged: {part}\x1b[0m");
    }
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

fn summary(all: &[Ran]) -> String {
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

fn as_json(all: &[Ran]) -> Value {
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

fn as_junit(all: &[Ran]) -> String {
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
