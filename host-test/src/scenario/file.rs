//! A scenario file: title, policy, workers, steps.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use portcullis_config::{Diagnostic, code};
use serde_json::Value;

use super::expect::{Expect, expect};
use super::message::{duration, request, respond, signed_duration};
use super::target::{ClockKind, Request, Respond, Runner};
use super::walk::{Node, Object, Walk};
use crate::document::{Document, Place, ReadError};

/// The keys at the top of a scenario.
pub const SCENARIO_KEYS: &[&str] = &["title", "policy", "workers", "skip", "steps"];
/// The keys of a step.
pub const STEP_KEYS: &[&str] = &[
    "request",
    "respond",
    "expect",
    "repeat",
    "advance",
    "reload",
    "accepted",
    "restart_worker",
    "clock",
    "monotonic_clock",
    "cas_conflict",
    "host_status",
];
/// What a step can do: it has one of these.
const VERBS: &[&str] = &[
    "request",
    "advance",
    "reload",
    "restart_worker",
    "clock",
    "monotonic_clock",
    "cas_conflict",
    "host_status",
];

/// The most repetitions of a step.
const MOST_REPETITIONS: i64 = 10_000;
/// The most workers.
const MOST_WORKERS: i64 = 16;
/// The most writes at which somebody else is faster.
const MOST_CONFLICTS: i64 = 10_000;
/// The highest number that a call can be made to answer; the ABI's go to 12.
const HIGHEST_STATUS: i64 = 255;

/// One scenario, ready to run.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The file, as it was given.
    pub path: PathBuf,
    /// What the file shows, in a sentence.
    pub title: String,
    /// The policy under which it runs.
    pub policy: Value,
    /// How many VMs share the requests.
    pub workers: usize,
    /// The runners that cannot run it, and why.
    pub skip: BTreeMap<Runner, String>,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// One step and where it stands.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its place in the file.
    pub place: Place,
    /// What happens.
    pub action: Action,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Action {
    /// Sends a request, so many times, and judges each answer.
    Exchange(Box<Exchange>),
    /// Offers a new policy; `accepted` is what is expected of that.
    Reload {
        /// The policy.
        policy: Value,
        /// Whether it must be taken.
        accepted: bool,
    },
    /// Lets something happen to the gateway.
    Happen(Event),
}

/// What happens to a gateway between requests.
#[derive(Clone, Debug)]
pub enum Event {
    /// Virtual time passes.
    Advance(Duration),
    /// One worker is replaced by a fresh one.
    RestartWorker(usize),
    /// A clock is set forward or back, by milliseconds.
    StepClock(ClockKind, i64),
    /// Somebody else is faster at so many of the next writes to shared data.
    CasConflict(u32),
    /// Calls of the host answer these statuses and do nothing, and all others what they really answer.
    HostStatus(BTreeMap<String, u32>),
}

/// A request, its answer, and what must come of it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What the client sends.
    pub request: Request,
    /// What the upstream answers.
    pub respond: Respond,
    /// What must be true.
    pub expect: Expect,
    /// How many times.
    pub repeat: u32,
}

/// Why a file is no scenario.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// It, or the policy that it names, cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It says what a scenario cannot say.
    #[error("`{}` is not a scenario", document.source.name())]
    Refused {
        /// The file.
        document: Box<Document>,
        /// Every mistake in it.
        diagnostics: Vec<Diagnostic>,
    },
}

impl Scenario {
    /// Reads a scenario, and the policy that it names, relative to its own place.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn read_file(path: &Path) -> Result<Self, ScenarioError> {
        Self::from_document(path, Document::read_file(path)?)
    }

    /// Reads a scenario from a document; policies that it names are relative to `path`.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn from_document(path: &Path, document: Document) -> Result<Self, ScenarioError> {
        let mut walk = Walk::default();
        let scenario = scenario(&mut walk, path, &document);
        match scenario {
            Some(scenario) if !walk.diagnostics.has_errors() => Ok(scenario),
            _ => Err(ScenarioError::Refused {
                document: Box::new(document),
                diagnostics: walk.diagnostics.into_list(),
            }),
        }
    }
}

fn scenario(walk: &mut Walk, path: &Path, document: &Document) -> Option<Scenario> {
    let root = Node::root(&document.value);
    let object = walk.object(&root, SCENARIO_KEYS)?;
    let title = walk.required(&root, &object, "title");
    let title = title.and_then(|node| walk.text(&node).map(str::to_owned));
    let policy = walk.required(&root, &object, "policy");
    let policy = policy.and_then(|node| read_policy(walk, path, &node));
    let workers = match object.get("workers") {
        Some(node) => walk.integer(&node, 1, MOST_WORKERS),
        None => Some(1),
    };
    let skip = object
        .get("skip")
        .map(|node| read_skip(walk, &node))
        .unwrap_or_default();
    let steps = walk
        .required(&root, &object, "steps")
        .map(|node| walk.list(&node));
    let steps = steps.unwrap_or_default();
    if object.has("steps") && steps.is_empty() {
        walk.error(code::EMPTY_LIST, &root, "a scenario without steps", None);
    }
    let steps: Vec<Option<Step>> = steps
        .iter()
        .map(|node| {
            Some(Step {
                place: document
                    .source
                    .place(document.spans.at(&node.pointer).head().start),
                action: read_step(walk, path, node)?,
            })
        })
        .collect();
    Some(Scenario {
        path: path.to_owned(),
        title: title?,
        policy: policy?,
        workers: usize::try_from(workers?).ok()?,
        skip,
        steps: steps.into_iter().collect::<Option<_>>()?,
    })
}

/// A policy itself, or the name of its file.
fn read_policy(walk: &mut Walk, path: &Path, node: &Node<'_>) -> Option<Value> {
    match node.value {
        Value::Object(_) => Some(node.value.clone()),
        Value::String(name) => {
            let file = path.parent().unwrap_or(Path::new("")).join(name);
            match Document::read_file(&file) {
                Ok(document) => Some(document.value),
                Err(error) => {
                    walk.error("policy-unreadable", node, error.to_string(), None);
                    None
                }
            }
        }
        _ => {
            walk.wrong_type(node, "a policy, or the name of its file as text");
            None
        }
    }
}

fn read_skip(walk: &mut Walk, node: &Node<'_>) -> BTreeMap<Runner, String> {
    let names = Runner::ALL.map(Runner::name);
    let Some(object) = walk.object(node, &names) else {
        return BTreeMap::new();
    };
    Runner::ALL
        .into_iter()
        .filter_map(|runner| {
            let node = object.get(runner.name())?;
            let reason = walk.text(&node)?;
            if reason.trim().is_empty() {
                walk.error(code::MISSING_KEY, &node, "a skip without a reason", None);
            }
            Some((runner, reason.to_owned()))
        })
        .collect()
}

fn read_step(walk: &mut Walk, path: &Path, node: &Node<'_>) -> Option<Action> {
    let object = walk.object(node, STEP_KEYS)?;
    let verbs: Vec<&&str> = VERBS.iter().filter(|verb| object.has(verb)).collect();
    let [verb] = verbs.as_slice() else {
        let help = format!("a step has one of `{}`", VERBS.join("`, `"));
        walk.error(
            code::MISSING_KEY,
            node,
            "what this step does is not clear",
            Some(&help),
        );
        return None;
    };
    let belongs: &[&str] = match **verb {
        "request" => &["respond", "expect", "repeat"],
        "reload" => &["accepted"],
        _ => &[],
    };
    for (key, member) in object.members() {
        if STEP_KEYS.contains(&key) && key != **verb && !belongs.contains(&key) {
            walk.error(
                code::UNKNOWN_KEY,
                &member,
                format!("`{key}` does not go with `{verb}`"),
                None,
            );
        }
    }
    let subject = object.get(verb)?;
    let event = match **verb {
        "request" => return read_exchange(walk, node, &object, &subject),
        "reload" => return read_reload(walk, path, &object, &subject),
        "advance" => Event::Advance(duration(walk, &subject)?),
        "clock" => Event::StepClock(ClockKind::Wall, signed_duration(walk, &subject)?),
        "monotonic_clock" => {
            Event::StepClock(ClockKind::Monotonic, signed_duration(walk, &subject)?)
        }
        "cas_conflict" => {
            let writes = walk.integer(&subject, 1, MOST_CONFLICTS)?;
            Event::CasConflict(u32::try_from(writes).ok()?)
        }
        "host_status" => Event::HostStatus(read_statuses(walk, &subject)?),
        _ => {
            let worker = walk.integer(&subject, 0, MOST_WORKERS - 1)?;
            Event::RestartWorker(usize::try_from(worker).ok()?)
        }
    };
    Some(Action::Happen(event))
}

fn read_exchange(
    walk: &mut Walk,
    node: &Node<'_>,
    object: &Object<'_>,
    subject: &Node<'_>,
) -> Option<Action> {
    let request = request(walk, subject);
    let respond = respond(walk, object.get("respond").as_ref());
    let expect = walk
        .required(node, object, "expect")
        .and_then(|node| expect(walk, &node));
    let repeat = match object.get("repeat") {
        Some(node) => walk.integer(&node, 1, MOST_REPETITIONS),
        None => Some(1),
    };
    Some(Action::Exchange(Box::new(Exchange {
        request: request?,
        respond,
        expect: expect?,
        repeat: u32::try_from(repeat?).ok()?,
    })))
}

fn read_reload(
    walk: &mut Walk,
    path: &Path,
    object: &Object<'_>,
    subject: &Node<'_>,
) -> Option<Action> {
    let accepted = match object.get("accepted") {
        Some(node) => walk.truth(&node),
        None => Some(true),
    };
    Some(Action::Reload {
        policy: read_policy(walk, path, subject)?,
        accepted: accepted?,
    })
}

/// Statuses by call.
fn read_statuses(walk: &mut Walk, node: &Node<'_>) -> Option<BTreeMap<String, u32>> {
    let object = walk.map(node)?;
    let status = |(call, node): (&str, Node<'_>)| {
        let status = walk.integer(&node, 1, HIGHEST_STATUS)?;
        Some((call.to_owned(), u32::try_from(status).ok()?))
    };
    object.members().map(status).collect()
}
