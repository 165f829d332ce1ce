//! A folder of scenarios that several runners must agree on, and the list of those that they are known not to.
//!
//! A difference between runners is a failure. One that is understood and accepted stands in `differences.yaml`, with its
//! reason; it must then really differ, so that the list cannot outlive what it lists.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::file::{Scenario, ScenarioError};
use super::run::{Outcome, Verdict, run, skip_reason, skipped};
use super::target::{Runner, Target};
use super::walk::{Node, Walk};
use crate::document::{Document, ReadError};
use crate::report;

/// The list of known differences, at the top of a corpus.
pub const DIFFERENCES: &str = "differences.yaml";
/// A runner may skip one scenario in this many.
pub const MOST_SKIPPED: usize = 5;

/// A scenario that one runner is known to fail.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The scenario, relative to the corpus.
    pub scenario: String,
    /// Who fails it.
    pub runner: Runner,
    /// Why that is accepted.
    pub reason: String,
    /// What differs, in a word or two, where several scenarios differ for one reason.
    pub class: Option<String>,
}

/// All scenarios below a folder.
#[derive(Clone, Debug)]
pub struct Corpus {
    /// By the file's path relative to the folder, sorted.
    pub scenarios: Vec<(String, Scenario)>,
    /// Those that a runner is known to fail.
    pub differences: Vec<Difference>,
}

impl Corpus {
    /// Reads every scenario below `root`, and the list of differences if there is one.
    ///
    /// # Errors
    /// If one of them cannot be read, with all that is wrong with it.
    pub fn read(root: &Path) -> anyhow::Result<Self> {
        let mut scenarios = Vec::new();
        for path in find(root)? {
            let name = path
                .strip_prefix(root)
                .unwrap_or(&path)
                .display()
                .to_string();
            match Scenario::read_file(&path) {
                Ok(scenario) => scenarios.push((name, scenario)),
                Err(error) => bail!("{}", report::scenario_error(&error, false)),
            }
        }
        let list = root.join(DIFFERENCES);
        let differences = if list.exists() {
            read_differences(&list)?
        } else {
            Vec::new()
        };
        for difference in &differences {
            if !scenarios
                .iter()
                .any(|(name, _)| *name == difference.scenario)
            {
                bail!(
                    "{}: there is no scenario `{}`",
                    list.display(),
                    difference.scenario
                );
            }
        }
        Ok(Self {
            scenarios,
            differences,
        })
    }

    /// Runs every scenario against a target that `open` makes for it.
    pub fn run<'t>(
        &self,
        runner: Runner,
        mut open: impl FnMut(&str, &Scenario) -> anyhow::Result<Box<dyn Target + 't>>,
    ) -> Tally {
        let mut tally = Tally::new(runner);
        for (name, scenario) in &self.scenarios {
            let outcome = match skip_reason(scenario, runner) {
                Some(reason) => skipped(runner, reason),
                None => match open(name, scenario) {
                    Ok(mut target) => run(scenario, target.as_mut()),
                    Err(error) => Outcome::could_not_open(runner, &error),
                },
            };
            let known = self
                .differences
                .iter()
                .find(|known| known.runner == runner && known.scenario == *name);
            tally.add(name, scenario, &outcome, known);
        }
        tally
    }
}

/// What came of running a corpus.
#[derive(Clone, Debug)]
pub struct Tally {
    /// The runner.
    pub runner: Runner,
    /// How many passed.
    pub passed: usize,
    /// How many expectations were judged.
    pub judged: usize,
    /// The known differences that showed.
    pub differed: Vec<String>,
    /// Scenarios and why they were skipped.
    pub skipped: Vec<(String, String)>,
    /// Scenarios and what parts of them were not judged.
    pub not_judged: Vec<(String, String)>,
    /// What is wrong, for people.
    pub complaints: Vec<String>,
}

impl Tally {
    fn new(runner: Runner) -> Self {
        Self {
            runner,
            passed: 0,
            judged: 0,
            differed: Vec::new(),
            skipped: Vec::new(),
            not_judged: Vec::new(),
            complaints: Vec::new(),
        }
    }

    fn add(
        &mut self,
        name: &str,
        scenario: &Scenario,
        outcome: &Outcome,
        known: Option<&Difference>,
    ) {
        self.judged += outcome.judged;
        self.not_judged.extend(
            outcome
                .not_judged
                .iter()
                .map(|part| (name.to_owned(), part.clone())),
        );
        match (&outcome.verdict, known) {
            (Verdict::Passed, None) => self.passed += 1,
            (Verdict::Failed, Some(known)) => {
                self.differed.push(format!("{name}: {}", known.reason))
            }
            (Verdict::Failed, None) => self
                .complaints
                .push(report::failures(scenario, outcome, false)),
            (Verdict::Skipped(reason), None) => {
                self.skipped.push((name.to_owned(), reason.clone()))
            }
            (Verdict::Passed | Verdict::Skipped(_), Some(_)) => self.complaints.push(format!(
                "{name} is listed in {DIFFERENCES} for {} and does not differ",
                self.runner.name()
            )),
        }
    }

    /// How many scenarios there were.
    pub fn total(&self) -> usize {
        self.passed + self.differed.len() + self.skipped.len() + self.complaints.len()
    }

    /// Is everything as it must be: all passed, known differences differed, at most a fifth skipped?
    ///
    /// # Errors
    /// All that is not, for people.
    pub fn verdict(&self) -> Result<(), String> {
        let mut complaints = self.complaints.clone();
        if self.skipped.len() * MOST_SKIPPED > self.total() {
            complaints.push(format!(
                "{} of {} scenarios were skipped; at most a fifth may be",
                self.skipped.len(),
                self.total()
            ));
        }
        if complaints.is_empty() {
            Ok(())
        } else {
            Err(format!("{}\n{self}", complaints.join("\n")))
        }
    }
}

impl fmt::Display for Tally {
    /// The counts on a line, then each skip with its reason.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} scenarios, {} passed, {} wrong, {} known differences, {} skipped; {} expectations judged",
            self.runner.name(),
            self.total(),
            self.passed,
            self.complaints.len(),
            self.differed.len(),
            self.skipped.len(),
            self.judged,
        )?;
        for (name, reason) in &self.skipped {
            write!(f, "\n  skipped {name}: {reason}")?;
        }
        for line in &self.differed {
            write!(f, "\n  differs {line}")?;
        }
        for (name, part) in &self.not_judged {
            write!(f, "\n  not judged in {name}: {part}")?;
        }
        Ok(())
    }
}

/// Every YAML and JSON file at or below `path`, sorted, without the list of differences.
///
/// # Errors
/// If there is no such file or folder.
pub fn find(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let cannot = || format!("cannot read `{}`", path.display());
    if !std::fs::metadata(path).with_context(cannot)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let entries: Result<Vec<_>, _> = std::fs::read_dir(path).with_context(cannot)?.collect();
    for entry in entries.with_context(cannot)? {
        let path = entry.path();
        // A link to a folder is not followed: it may lead back up.
        let is_dir = entry.file_type().with_context(cannot)?.is_dir();
        let is_scenario = path
            .extension()
            .is_some_and(|e| e == "yaml" || e == "yml" || e == "json")
            && path.file_name().is_none_or(|name| name != DIFFERENCES);
        if is_dir {
            found.extend(find(&path)?);
        } else if is_scenario {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn read_differences(path: &Path) -> anyhow::Result<Vec<Difference>> {
    let document = match Document::read_file(path) {
        Ok(document) => document,
        Err(ReadError::Unreadable(unreadable)) => {
            bail!("{}", report::unreadable(&unreadable, false))
        }
        Err(error) => return Err(error.into()),
    };
    let mut walk = Walk::default();
    let mut differences = Vec::new();
    for node in walk.list(&Node::root(&document.value)) {
        const KEYS: [&str; 5] = ["scenario", "scenarios", "runner", "class", "reason"];
        let Some(object) = walk.object(&node, &KEYS) else {
            continue;
        };
        let mut text = |key: &str| {
            let node = walk.required(&node, &object, key)?;
            walk.text(&node).map(str::to_owned)
        };
        let reason = text("reason");
        let scenarios = match object.has("scenarios") {
            false => text("scenario").into_iter().collect(),
            true => {
                let listed = walk.required(&node, &object, "scenarios");
                let listed = listed.map(|node| walk.list(&node)).unwrap_or_default();
                let names = listed.iter().map(|node| walk.text(node).map(str::to_owned));
                names.collect::<Option<Vec<String>>>().unwrap_or_default()
            }
        };
        let class = object
            .get("class")
            .and_then(|node| walk.text(&node).map(str::to_owned));
        let words = Runner::ALL.map(|runner| (runner.name(), runner));
        let runner = walk.required(&node, &object, "runner");
        let runner = runner.and_then(|node| walk.word(&node, &words));
        if let (Some(runner), Some(reason)) = (runner, reason) {
            differences.extend(scenarios.into_iter().map(|scenario| Difference {
                scenario,
                runner,
                reason: reason.clone(),
                class: class.clone(),
            }));
        }
    }
    if walk.diagnostics.has_errors() {
        let error = ScenarioError::Refused {
            document: Box::new(document),
            diagnostics: walk.diagnostics.into_list(),
        };
        bail!("{}", report::scenario_error(&error, false));
    }
    Ok(differences)
}
