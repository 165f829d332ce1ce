//! `portcullis check`: the module's own verdict on policies, shown where the mistakes stand.

mod cors;
mod limits;
mod notes;
pub(super) mod when;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use portcullis_config::{Config, Document as Policy, Severity, read};
use portcullis_host_test::document::{Document, ReadError};
use portcullis_host_test::module::Module;
use portcullis_host_test::profile::Profile;
use portcullis_host_test::report;
use portcullis_host_test::verdict::verdict;
use serde_json::{Value, json};

use self::limits::Tables;
use self::notes::{Gateway, notes};
use super::{Exit, module};

/// The module's own verdict on a policy: every mistake at once, with its place and what to do about it
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Policy files, YAML or JSON
    #[arg(required = true, value_name = "POLICY")]
    policies: Vec<PathBuf>,
    /// The gateway that is to run the policy: shows what it does to this policy
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

/// What was found in one file.
pub(super) struct Checked {
    pub(super) name: String,
    policy: Option<String>,
    /// What the file says, if it can be read.
    pub(super) value: Option<Value>,
    findings: Value,
    /// The findings for people.
    pub(super) text: String,
    pub(super) errors: usize,
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
            Format::Human => self.print_human(&module, &checked),
            Format::Json => self.print_json(&module, &checked)?,
        }
        let valid = checked.iter().all(|file| file.errors == 0);
        Ok(if valid { Exit::Ok } else { Exit::PolicyInvalid })
    }

    fn print_human(&self, module: &Module, checked: &[Checked]) {
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
            for note in self.notes(module, file) {
                anstream::println!("note: {note}");
            }
        }
    }

    /// What there is to know of this policy, and what the gateway does to it, as far as it is legible.
    fn notes(&self, module: &Module, file: &Checked) -> Vec<String> {
        let Some((value, config)) = file.value.as_ref().and_then(|v| Some((v, config_of(v)?)))
        else {
            return Vec::new();
        };
        let gateways = self.profile.map(|gateway| notes(gateway, &config));
        let told = cors::note(&config).into_iter();
        let told = told.chain(gateways.into_iter().flatten());
        let limited = when::limits(&config).next().is_some();
        let tables = Some(value).filter(|_| limited && file.errors == 0);
        let tables = tables.and_then(|policy| Tables::of(module, policy));
        let limits = tables.map(|tables| limits::notes(self.profile, &config, tables));
        told.map(str::to_owned)
            .chain(limits.into_iter().flatten())
            .collect()
    }

    fn print_json(&self, module: &Module, checked: &[Checked]) -> anyhow::Result<()> {
        let files: Vec<Value> = checked
            .iter()
            .map(|file| {
                json!({
                    "file": file.name,
                    "ok": file.errors == 0,
                    "policy": file.policy,
                    "diagnostics": file.findings,
                    "notes": self.notes(module, file),
                })
            })
            .collect();
        let document = json!({
            "ok": checked.iter().all(|file| file.errors == 0),
            "files": files,
        });
        anstream::println!("{}", serde_json::to_string_pretty(&document)?);
        Ok(())
    }
}

/// The policy as the module reads it, as far as it is legible.
pub(super) fn config_of(value: &Value) -> Option<Config> {
    let policy = Policy::from_bytes(value.to_string().as_bytes()).ok()?;
    read(&policy).0
}

/// MiB of a zone of nginx' that the limits of a policy need; `None` without limits.
pub(super) fn zone(policy: &Value) -> anyhow::Result<Option<u64>> {
    Ok(Tables::of(&module(None)?, policy).map(Tables::zone))
}

/// Asks the module about the policy in a file.
pub(super) fn check(module: &Module, path: &Path) -> anyhow::Result<Checked> {
    let document = match Document::read_file(path) {
        Ok(document) => document,
        Err(ReadError::Unreadable(unreadable)) => {
            return Ok(Checked {
                name: unreadable.source.name().to_owned(),
                policy: None,
                value: None,
                findings: unreadable.findings(),
                text: report::unreadable(&unreadable, true),
                errors: unreadable.flaws.len(),
                warnings: 0,
            });
        }
        Err(error) => return Err(error.into()),
    };
    let mut verdict = verdict(module, Profile::ENVOY, &document.value)?;
    verdict.diagnostics.extend(cors::warnings(&document.value));
    document.sort(&mut verdict.diagnostics);
    let errors = verdict
        .diagnostics
        .iter()
        .filter(|d| d.severity == Severity::Error)
        .count();
    Ok(Checked {
        name: document.source.name().to_owned(),
        policy: verdict.policy,
        findings: document.findings(&verdict.diagnostics),
        text: report::diagnostics(&document, &verdict.diagnostics, true),
        value: Some(document.value),
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
