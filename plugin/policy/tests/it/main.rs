//! The engine from outside: policies in, verdicts and decisions out.

#![expect(clippy::panic, reason = "a test fails by panicking")]

mod cors;
mod decisions;
mod inputs;
mod limits;
mod oddities;
mod operations;
mod profanity;
mod routing;
mod sent;
mod verdicts;

use std::cell::Cell;
use std::rc::Rc;

use portcullis_policy::{
    Ambient, Decision, Edit, Exchange, Line, LocalStore, Policy, Record, Reply, RequestHead, Store,
    Unavailable, Versioned, load,
};

#[derive(Default)]
struct Gateway {
    store: LocalStore,
    /// The store does not answer.
    is_broken: bool,
    now: Cell<u64>,
}

struct Broken;

impl Store for Broken {
    fn get(&self, _: &[u8]) -> Result<Option<Versioned>, Unavailable> {
        Err(Unavailable(10))
    }

    fn set(&self, _: &[u8], _: &[u8], _: Option<u32>) -> Result<bool, Unavailable> {
        Err(Unavailable(10))
    }
}

impl Ambient for Gateway {
    fn source(&self) -> Option<Vec<u8>> {
        Some(b"203.0.113.7:4711".to_vec())
    }
    fn fresh_id(&self) -> u128 {
        0xabc
    }
    fn now(&self) -> u64 {
        self.now.get()
    }
    fn store(&self) -> &dyn Store {
        if self.is_broken { &Broken } else { &self.store }
    }
}

fn policy(text: &str) -> Rc<Policy> {
    let verdict = load(text.as_bytes());
    let errors = verdict.diagnostics;
    Rc::new(
        verdict
            .policy
            .unwrap_or_else(|| panic!("{text}: {errors:?}")),
    )
}

/// What is seen of a decision: the reply, or the edits in words.
#[derive(Debug, PartialEq)]
enum Seen {
    Continue(Vec<String>),
    Reply(Reply),
}

fn judged(policy: &Rc<Policy>, lines: &[(&str, &str)]) -> (Seen, Exchange) {
    let lines: Vec<Line<'_>> = lines
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect();
    let mut exchange = policy.begin();
    let seen = match exchange.on_request_head(&RequestHead::new(&lines), &Gateway::default()) {
        Decision::Reply(reply) => Seen::Reply(reply),
        Decision::Continue(edits) | Decision::NeedBody(edits) => {
            Seen::Continue(edits.iter().map(shown).collect())
        }
    };
    (seen, exchange)
}

fn shown(edit: &Edit<'_>) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match edit {
        Edit::Add(name, value) => format!("+{}: {}", text(name), text(value)),
        Edit::Replace(name, value) => format!("={}: {}", text(name), text(value)),
        Edit::Remove(name) => format!("-{}", text(name)),
    }
}

/// The status of the reply, 0 if the request goes on; and the codes that were recorded.
fn outcome(policy: &Rc<Policy>, lines: &[(&str, &str)]) -> (u16, Vec<&'static str>) {
    let (decision, exchange) = judged(policy, lines);
    let status = match decision {
        Seen::Continue(_) => 0,
        Seen::Reply(reply) => reply.status,
    };
    let findings = exchange
        .finish(&Gateway::default())
        .map(|record: Record| record.findings);
    let codes = findings.iter().flatten().map(|f| f.refusal.code).collect();
    (status, codes)
}

fn get(path: &str) -> [(&str, &str); 3] {
    [
        (":method", "GET"),
        (":path", path),
        (":authority", "api.example.com"),
    ]
}
