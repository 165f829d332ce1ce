//! The checks that readiness asks about: made by each worker, one call to the host each time that one is due.

use std::collections::BTreeMap;
use std::time::Duration;

use portcullis_policy::{Checked, HealthCheck, Policy};

use crate::host::{self, Level, Map};
use crate::wire;
use crate::worker::Worker;

/// The checks of one policy.
#[derive(Default)]
pub(crate) struct Checks {
    list: Vec<Check>,
    /// Which check a call of the host's was for.
    calls: BTreeMap<u32, usize>,
}

struct Check {
    wanted: HealthCheck,
    /// When it is made next, in nanoseconds.
    due: u64,
    waits: bool,
}

impl Checks {
    /// Has the host come back as often as the checks of a policy are made. A host that never does makes none.
    pub(crate) fn start(policy: &Policy, worker: &Worker) -> Self {
        let wanted = policy.checks();
        let often = wanted.iter().map(|check| check.every_ms).min();
        let Some(often) = often else {
            return Self::default();
        };
        let period = u32::try_from(often.clamp(100, 1000)).unwrap_or(1000);
        if host::tick(period) != 0 {
            host::log(
                Level::Warn,
                "portcullis: this gateway makes no calls of its own: readiness has no checks here",
            );
            return Self::default();
        }
        *worker.checks.borrow_mut() = vec![Checked::NotYet; wanted.len()];
        let list = wanted.iter().map(|wanted| Check {
            wanted: wanted.clone(),
            due: 0,
            waits: false,
        });
        Self {
            list: list.collect(),
            calls: BTreeMap::new(),
        }
    }

    /// Makes those that are due.
    pub(crate) fn make(&mut self, worker: &Worker) {
        let now = host::now();
        for (at, check) in self.list.iter_mut().enumerate() {
            if check.waits || now < check.due {
                continue;
            }
            let wanted = &check.wanted;
            check.due = now.saturating_add(wanted.every_ms.saturating_mul(1_000_000));
            let headers = vec![
                (":method", "GET"),
                (":path", wanted.path.as_str()),
                (":authority", wanted.upstream.as_str()),
                ("user-agent", "portcullis"),
            ];
            let timeout = Duration::from_millis(wanted.timeout_ms);
            // The SDK's own call, as its dispatcher has to know of it.
            let call = proxy_wasm::hostcalls::dispatch_http_call(
                &wanted.upstream,
                headers,
                None,
                Vec::new(),
                timeout,
            );
            match call {
                Ok(token) => {
                    check.waits = true;
                    self.calls.insert(token, at);
                }
                Err(_) => tell(
                    worker,
                    at,
                    &wanted.name,
                    "the gateway cannot call it",
                    false,
                ),
            }
        }
    }

    /// Takes the answer to a call, which has no headers where there was none.
    pub(crate) fn answered(&mut self, token: u32, worker: &Worker) {
        let Some(at) = self.calls.remove(&token) else {
            return;
        };
        let Some(check) = self.list.get_mut(at) else {
            return;
        };
        check.waits = false;
        let bytes = host::header_map(Map::CallResponse).unwrap_or_default();
        let lines = wire::lines(&bytes).unwrap_or_default();
        let status = lines
            .iter()
            .find(|(name, _)| *name == b":status")
            .map(|(_, value)| String::from_utf8_lossy(value));
        match status {
            Some(status) => {
                let ok = status.starts_with('2');
                let why = format!("it answered {}", status.escape_debug());
                tell(worker, at, &check.wanted.name, &why, ok);
            }
            None => tell(worker, at, &check.wanted.name, "it did not answer", false),
        }
    }
}

/// Keeps what a check has come to, and says so where that is news.
fn tell(worker: &Worker, at: usize, name: &str, why: &str, ok: bool) {
    let now = if ok { Checked::Ok } else { Checked::Failed };
    let mut checks = worker.checks.borrow_mut();
    let Some(before) = checks.get_mut(at) else {
        return;
    };
    if std::mem::replace(before, now) == now {
        return;
    }
    let (level, said) = match ok {
        true => (Level::Info, "is well"),
        false => (Level::Warn, "failed"),
    };
    host::log(level, &format!("portcullis: check `{name}` {said}: {why}"));
}
