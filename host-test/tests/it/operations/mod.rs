//! What operators rely on at night: metrics that agree with what happened, modes that can be flipped under load, and the files in
//! `envoy/` that watch over all of it, in the programs that they are for.

mod deployment;
mod flips;
mod health;
mod prometheus;
mod report;
mod scrape;
mod trap;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use portcullis_host_test::envoy::{Envoy, Listener};
use portcullis_host_test::upstream::Upstream;
use serde_json::Value;

use super::envoy::{listener, text};

/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A listener whose policy can be changed.
fn reloadable(name: &str, policy: &Value, upstream: &Upstream) -> Listener {
    let mut listener = listener(name, text(policy), upstream);
    if let Some(filter) = &mut listener.filter {
        filter.reloadable = true;
    }
    listener
}

/// Waits until there is something.
fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The series of one metric, each by its labels in the order of their names.
fn series(envoy: &Envoy, metric: &str) -> BTreeMap<String, f64> {
    read(&envoy.prometheus().unwrap(), metric)
}

/// The series of one metric in the text that Prometheus reads.
fn read(text: &str, metric: &str) -> BTreeMap<String, f64> {
    let of = |line: &str| {
        let rest = line.strip_prefix(metric)?.strip_prefix('{')?;
        let (labels, value) = rest.rsplit_once("} ")?;
        let mut labels: Vec<&str> = labels
            .split(',')
            .filter(|label| !label.is_empty())
            .collect();
        labels.sort_unstable();
        Some((labels.join(","), value.parse().ok()?))
    };
    text.lines().filter_map(of).collect()
}

/// The one series of a metric without labels, or 0.
fn number(envoy: &Envoy, metric: &str) -> f64 {
    series(envoy, metric).get("").copied().unwrap_or(0.0)
}

/// The log lines of a filter that are its decisions.
fn decisions(log: &str) -> Vec<Value> {
    let line = |line: &str| {
        let at = line.find(r#"{"portcullis":"decision""#)?;
        serde_json::from_str(line.get(at..)?).ok()
    };
    log.lines().filter_map(line).collect()
}

/// Clients that ask until they are told to stop.
#[derive(Default)]
struct Load {
    stopped: AtomicBool,
    asked: AtomicU64,
}

impl Load {
    fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    fn next(&self) -> Option<Ipv4Addr> {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        (!self.stopped.load(Ordering::Relaxed))
            .then(|| Ipv4Addr::from(0xCB00_7100 | (number % 256) as u32))
    }
}
