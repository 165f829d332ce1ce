//! `portcullis test`: scenarios in wasmtime, or over HTTP at a live gateway.

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
use portcullis_host_test::scenario::wasm::{WasmTarget, runner};

use super::results::{Ran, as_json, as_junit, print_one, summary};
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
    /// Kong 3.4 to 3.9
    Kong,
    Apisix,
}

impl Habits {
    fn profile(self) -> Profile {
        match self {
            Self::Envoy => Profile::ENVOY,
            Self::Kong => Profile::KONG,
            Self::Apisix => Profile::APISIX,
        }
    }
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
            runner(&self.profile.profile())
        };
        if let Some(reason) = skip_reason(scenario, runner) {
            return Opened::Skipped(skipped(runner, reason));
        }
        let profile = self.profile.profile();
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
