//! Runs a scenario against a target, step by step.

use super::file::{Action, Event, Exchange, Scenario, Step};
use super::judge::{Mismatch, judge};
use super::target::{Reloaded, Runner, Support, Target};
use crate::document::Place;

/// A step that did not go as expected.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The step's place in the file.
    pub place: Place,
    /// Which repetition, from 1, and of how many.
    pub repetition: (u32, u32),
    /// What differs; if the target itself failed, that.
    pub mismatches: Vec<Mismatch>,
}

/// How a scenario ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything that could be judged was as expected, and something could.
    Passed,
    /// See [`Outcome::failures`].
    Failed,
    /// Nothing was judged, for this reason.
    Skipped(String),
}

/// What came of running a scenario.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The runner.
    pub runner: Runner,
    /// The end.
    pub verdict: Verdict,
    /// The steps that failed, in order; the first ends the scenario, since what follows may depend on it.
    pub failures: Vec<Failure>,
    /// How many expectations were judged.
    pub judged: usize,
    /// Parts of expectations that this target cannot show, each once, and steps that it cannot do.
    pub not_judged: Vec<String>,
}

impl Outcome {
    /// The outcome of a scenario whose target could not be opened.
    pub fn could_not_open(runner: Runner, error: &anyhow::Error) -> Self {
        Self {
            verdict: Verdict::Failed,
            failures: vec![Failure {
                place: Place { line: 1, column: 1 },
                repetition: (1, 1),
                mismatches: vec![Mismatch {
                    what: "the start".to_owned(),
                    expected: "a target under this policy".to_owned(),
                    observed: format!("{error:#}"),
                }],
            }],
            ..skipped(runner, "")
        }
    }
}

/// Whether, and why, `runner` does not run this scenario.
pub fn skip_reason(scenario: &Scenario, runner: Runner) -> Option<&str> {
    let reason = scenario.skip.get(&runner);
    // What no host of this crate can run, none with other habits can.
    let reason = match runner {
        Runner::Kong | Runner::Apisix => reason.or_else(|| scenario.skip.get(&Runner::Wasm)),
        Runner::Engine | Runner::Wasm | Runner::Http => reason,
    };
    reason.map(String::as_str)
}

/// The outcome of a scenario that was not run.
pub fn skipped(runner: Runner, reason: impl Into<String>) -> Outcome {
    Outcome {
        runner,
        verdict: Verdict::Skipped(reason.into()),
        failures: Vec::new(),
        judged: 0,
        not_judged: Vec::new(),
    }
}

/// Runs a scenario against a target that was opened for it. A step that the target cannot do ends it: what follows was
/// written for what that step does.
pub fn run(scenario: &Scenario, target: &mut dyn Target) -> Outcome {
    let runner = target.runner();
    if let Some(reason) = skip_reason(scenario, runner) {
        return skipped(runner, reason);
    }
    let mut outcome = skipped(runner, "nothing in it can be judged here");
    for step in &scenario.steps {
        match run_step(step, target, &mut outcome) {
            Ok(()) => {}
            Err(Stop::Failed(failure)) => {
                outcome.failures.push(failure);
                outcome.verdict = Verdict::Failed;
                return outcome;
            }
            Err(Stop::Unsupported(reason)) => {
                let place = step.place;
                outcome
                    .not_judged
                    .push(format!("from line {} on: {reason}", place.line));
                if outcome.judged == 0 {
                    outcome.verdict = Verdict::Skipped(reason);
                }
                break;
            }
        }
    }
    if outcome.judged > 0 {
        outcome.verdict = Verdict::Passed;
    }
    outcome
}

enum Stop {
    Failed(Failure),
    Unsupported(String),
}

fn run_step(step: &Step, target: &mut dyn Target, outcome: &mut Outcome) -> Result<(), Stop> {
    let failed = |repetition: (u32, u32), mismatches: Vec<Mismatch>| {
        Stop::Failed(Failure {
            place: step.place,
            repetition,
            mismatches,
        })
    };
    let broken = |error: anyhow::Error| failed((1, 1), vec![target_failed(&error)]);
    match &step.action {
        Action::Exchange(exchange) => {
            for count in 1..=exchange.repeat {
                let mismatches = run_exchange(exchange, target, outcome);
                if !mismatches.is_empty() {
                    return Err(failed((count, exchange.repeat), mismatches));
                }
            }
            Ok(())
        }
        Action::Happen(event) => supported(happen(event, target).map_err(broken)?),
        Action::Reload { policy, accepted } => {
            let word = |accepted: bool| if accepted { "accepted" } else { "refused" };
            let taken = match target.reload(policy).map_err(broken)? {
                Reloaded::Accepted => true,
                Reloaded::Refused => false,
                Reloaded::Unsupported(reason) => return Err(Stop::Unsupported(reason)),
            };
            outcome.judged += 1;
            if taken == *accepted {
                return Ok(());
            }
            let mismatch = Mismatch {
                what: "the new policy".to_owned(),
                expected: word(*accepted).to_owned(),
                observed: word(taken).to_owned(),
            };
            Err(failed((1, 1), vec![mismatch]))
        }
    }
}

/// Does what nothing is expected of.
///
/// # Errors
/// If the target failed.
pub fn happen(event: &Event, target: &mut dyn Target) -> anyhow::Result<Support> {
    match event {
        Event::Advance(by) => target.advance(*by),
        Event::RestartWorker(worker) => target.restart_worker(*worker),
        Event::StepClock(clock, by) => target.step_clock(*clock, *by),
        Event::CasConflict(writes) => target.conflict(*writes),
        Event::HostStatus(statuses) => target.set_statuses(statuses),
    }
}

fn run_exchange(
    exchange: &Exchange,
    target: &mut dyn Target,
    outcome: &mut Outcome,
) -> Vec<Mismatch> {
    let observed = match target.exchange(&exchange.request, &exchange.respond) {
        Ok(observed) => observed,
        Err(error) => return vec![target_failed(&error)],
    };
    let judgement = judge(&exchange.expect, &observed, &mut |name| target.metric(name));
    outcome.judged += judgement.judged;
    for part in judgement.not_judged {
        if !outcome.not_judged.iter().any(|known| known == part) {
            outcome.not_judged.push(part.to_owned());
        }
    }
    judgement.mismatches
}

fn supported(support: Support) -> Result<(), Stop> {
    match support {
        Support::Done => Ok(()),
        Support::Unsupported(reason) => Err(Stop::Unsupported(reason)),
    }
}

fn target_failed(error: &anyhow::Error) -> Mismatch {
    Mismatch {
        what: "the exchange".to_owned(),
        expected: "an answer".to_owned(),
        observed: format!("{error:#}"),
    }
}
