//! `portcullis check`: the module's own verdict on policies, shown where the mistakes stand.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use portcullis_config::Severity;
use portcullis_host_test::document::{Document, ReadError};
use portcullis_host_test::module::Module;
use portcullis_host_test::profile::Profile;
use portcullis_host_test::report;
use portcullis_host_test::verdict::verdict;
use serde_json::{Value, json};

use super::{Exit, module};

/// The module's own verdict on a policy: every mistake at once, with its place and what to do about it
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Policy files, YAML or JSON
    #[arg(required = true, value_name = "POLICY")]
    policies: Vec<PathBuf>,
    /// The gateway that is to run the policy; shows what is known of it
    #[arg(long, value_name = "HOST")]
    profile: Option<Gateway>,
    /// How to show it
    #[arg(long, default_value = "human")]
    format: Format,
    /// Another module than the one built with this command
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// One JSON document
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Gateway {
    Envoy,
    Istio,
    Kong,
    Apisix,
}

impl Gateway {
    /// What is known to go wrong on this gateway with what this version can do, whatever the policy says.
    fn notes(self) -> &'static [&'static str] {
        match self {
            Self::Envoy => &[
                "envoy adds its own `server` header after the filter: set `server_header_transformation: PASS_THROUGH` to be rid of it",
            ],
            Self::Istio => &[
                "istio's WasmPlugin cannot hold request headers until the verdict: that needs an EnvoyFilter",
                "envoy adds its own `server` header after the filter",
            ],
            Self::Kong => &[
                "the verdict is the module's under envoy's rules: this command has no kong host yet",
                "a worker that is given a bad policy ends: kong does not keep the old policy",
                "a request header that the filter removes still reaches the upstream",
            ],
            Self::Apisix => &[
                "the verdict is the module's under envoy's rules: this command has no apisix host yet",
                "a bad policy is answered with 503 on its route: apisix does not keep the old policy",
                "no metrics, and nothing shared between workers",
            ],
        }
    }
}

/// What was found in one file.
struct Checked {
    name: String,
    policy: Option<String>,
    findings: Value,
    text: String,
    errors: usize,
    warnings: usize,
}

impl Check {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let module = module(self.wasm.as_deref())?;
        let mut checked = Vec::new();
        for path in &self.policies {
            checked.push(check(&module, path)?);
        }
        match self.format {
            Format::Human => self.print_human(&checked),
            Format::Json => self.print_json(&checked)?,
        }
        let valid = checked.iter().all(|file| file.errors == 0);
        Ok(if valid { Exit::Ok } else { Exit::PolicyInvalid })
    }

    fn print_human(&self, checked: &[Checked]) {
        for file in checked {
            anstream::print!("{}", file.text);
            let policy = file
                .policy
                .as_ref()
                .map(|name| format!(" (policy `{name}`)"))
                .unwrap_or_default();
            let verdict = if file.errors == 0 { "valid" } else { "invalid" };
            anstream::println!(
                "{}{policy}: {verdict}, {}, {}",
                file.name,
                count(file.errors, "error"),
                count(file.warnings, "warning"),
            );
        }
        for note in self.profile.map(Gateway::notes).unwrap_or_default() {
            anstream::println!("note: {note}");
        }
    }

    fn print_json(&self, checked: &[Checked]) -> anyhow::Result<()> {
        let files: Vec<Value> = checked
            .iter()
            .map(|file| {
                json!({
                    "file": file.name,
                    "ok": file.errors == 0,
                    "policy": file.policy,
                    "diagnostics": file.findings,
                })
            })
            .collect();
        let document = json!({
            "ok": checked.iter().all(|file| file.errors == 0),
            "files": files,
            "notes": self.profile.map(Gateway::notes).unwrap_or_default(),
        });
        anstream::println!("{}", serde_json::to_string_pretty(&document)?);
        Ok(())
    }
}

fn check(module: &Module, path: &Path) -> anyhow::Result<Checked> {
    let document = match Document::read_file(path) {
        Ok(document) => document,
        Err(ReadError::Unreadable(unreadable)) => {
            return Ok(Checked {
                name: unreadable.source.name().to_owned(),
                policy: None,
                findings: report::unreadable_json(&unreadable),
                text: report::unreadable(&unreadable, true),
                errors: unreadable.flaws.len(),
                warnings: 0,
            });
        }
        Err(error) => return Err(error.into()),
    };
    let mut verdict = verdict(module, Profile::ENVOY, &document.value)?;
    report::sort(&document, &mut verdict.diagnostics);
    let errors = verdict
        .diagnostics
        .iter()
        .filter(|d| d.severity == Severity::Error)
        .count();
    Ok(Checked {
        name: document.source.name().to_owned(),
        policy: verdict.policy,
        findings: report::diagnostics_json(&document, &verdict.diagnostics),
        text: report::diagnostics(&document, &verdict.diagnostics, true),
        errors,
        warnings: verdict.diagnostics.len() - errors,
    })
}

fn count(number: usize, what: &str) -> String {
    if number == 1 {
        format!("1 {what}")
    } else {
        format!("{number} {what}s")
    }
}
