//! What is counted, in the gateway's own metrics.
//!
//! A metric's labels stand in its name, `NAME;LABEL=VALUE;…`: gateways have no others, and Envoy's `stats_tags` make
//! labels of them again. A name is defined once in the life of a VM, whatever policies come and go, as hosts keep every
//! definition; and a VM defines no more than [`MOST`].

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use portcullis_policy::{Finding, Policy, Tally};

use crate::host::{self, Metric};

/// Series that one VM defines.
const MOST: usize = 500;
/// Those of them that are kept for what has no route.
const KEPT: usize = 80;
/// Bytes of a name. Kong stops a filter that defines one of more than 256, with what it puts before it.
const LONGEST: usize = 200;

thread_local! {
    /// What this VM has defined, by name.
    static DEFINED: RefCell<BTreeMap<String, Option<u32>>> = const { RefCell::new(BTreeMap::new()) };
}

const RETRIES: &str = "portcullis_limit_retries_total";
const EXHAUSTED: &str = "portcullis_limit_exhausted_total";
const EVICTIONS: &str = "portcullis_limit_evictions_total";
const REJECTED: &str = "portcullis_config_rejected_total";
const FAILURES: &str = "portcullis_failures_total";

/// The metrics of one policy: the ids of those that each request counts, once they are known.
pub(crate) struct Metrics {
    /// By route, and after those for what none matches; by the status' first digit, 0 for none.
    requests: Vec<[Cell<Option<Request>>; 6]>,
    memory: Cell<usize>,
}

#[derive(Clone, Copy)]
struct Request {
    total: Option<u32>,
    duration: Option<u32>,
}

impl Metrics {
    /// Tells which policy serves.
    pub(crate) fn start(policy: &Policy) -> Self {
        count("portcullis_config_loaded_total", 1);
        // Seen to be 0 before they are counted: a counter that begins at 1 has not risen, and no alert of it fires.
        for rare in [RETRIES, EXHAUSTED, EVICTIONS, REJECTED, FAILURES] {
            define(Metric::Counter, None, |_| rare.to_owned());
        }
        // 48 bits of it: a gauge is a number, and dashboards read it as a double.
        let hash = policy.hash().get(..12).unwrap_or_default();
        let hash = u64::from_str_radix(hash, 16).unwrap_or_default();
        set("portcullis_policy_hash", hash);
        let metrics = Self {
            requests: (0..=policy.routes()).map(|_| Default::default()).collect(),
            memory: Cell::new(0),
        };
        metrics.memory();
        metrics
    }

    /// Counts one exchange.
    pub(crate) fn count(&self, tally: &Tally<'_>) {
        let class = usize::from(tally.status.unwrap_or(0) / 100).min(5);
        let route = tally.route.map(|(_, name)| name);
        let requests = match tally.route {
            Some((at, _)) => self.requests.get(at),
            None => self.requests.last(),
        };
        if let Some(cell) = requests.and_then(|classes| classes.get(class)) {
            let request = cell.get().unwrap_or_else(|| {
                let request = defined(route, class);
                cell.set(Some(request));
                request
            });
            increment(request.total, 1);
            record(request.duration, tally.duration / 1000);
        }
        for finding in tally.findings {
            decision(route, finding);
        }
        let contention = tally.contention;
        for (name, found) in [
            (RETRIES, contention.retries),
            (EXHAUSTED, contention.exhausted),
            (EVICTIONS, contention.evictions),
        ] {
            if found > 0 {
                count(name, i64::from(found));
            }
        }
        self.memory();
    }

    /// Tells how much memory the VM has, where that is news.
    fn memory(&self) {
        let bytes = host::memory();
        if self.memory.replace(bytes) != bytes {
            set("portcullis_guest_memory_bytes", bytes as u64);
        }
    }
}

/// Counts a configuration that was not taken.
pub(crate) fn count_rejected() {
    count(REJECTED, 1);
}

/// Counts a request that could not be looked at.
pub(crate) fn count_failure() {
    count(FAILURES, 1);
}

fn defined(route: Option<&str>, class: usize) -> Request {
    const CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];
    let class = CLASSES.get(class).copied().unwrap_or("none");
    let name = |what: &str, route: &str| format!("portcullis_{what};route={route};status={class}");
    let total = define(Metric::Counter, route, |route| {
        name("requests_total", route)
    });
    let duration = define(Metric::Histogram, route, |route| {
        name("request_duration_us", route)
    });
    Request { total, duration }
}

fn decision(route: Option<&str>, finding: &Finding) {
    let rule = finding.limit.as_deref().unwrap_or(finding.refusal.rule);
    let (protection, mode) = (finding.protection(), finding.mode.as_str());
    let outcome = finding.outcome();
    let id = define(Metric::Counter, route, |route| {
        format!(
            "portcullis_decisions_total;protection={protection};rule={rule};route={route};mode={mode};outcome={outcome}"
        )
    });
    increment(id, 1);
    for keyword in &finding.keywords {
        count(&format!("portcullis_violations_total;keyword={keyword}"), 1);
    }
}

fn count(name: &str, by: i64) {
    increment(define(Metric::Counter, None, |_| name.to_owned()), by);
}

fn set(name: &str, value: u64) {
    record(define(Metric::Gauge, None, |_| name.to_owned()), value);
}

/// An id that is none is fatal to some hosts.
fn increment(id: Option<u32>, by: i64) {
    if let Some(id) = id {
        host::increment(id, by);
    }
}

fn record(id: Option<u32>, value: u64) {
    if let Some(id) = id {
        host::record(id, value);
    }
}

/// The id of a metric. What a route would have too many of is counted as `other`'s; what has no route is `none`'s.
/// `None` on a gateway that has no metrics.
fn define(kind: Metric, route: Option<&str>, name: impl Fn(&str) -> String) -> Option<u32> {
    DEFINED.with_borrow_mut(|defined| {
        let mut wanted = name(route.unwrap_or("none"));
        let full = defined.len() >= MOST - KEPT;
        let long = wanted.len() > LONGEST;
        if long || (full && route.is_some() && !defined.contains_key(&wanted)) {
            wanted = name("other");
        }
        if let Some(id) = defined.get(&wanted) {
            return *id;
        }
        if defined.len() >= MOST || wanted.len() > LONGEST {
            return None;
        }
        // wasm-nginx-module says ok and gives none.
        let id = host::define_metric(kind, &wanted)
            .ok()
            .filter(|id| *id != 0);
        defined.insert(wanted, id);
        id
    })
}
