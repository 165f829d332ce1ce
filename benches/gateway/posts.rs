//! Requests with a body: what a schema costs them.
//!
//! Beside Envoy's CPU time there is the time that one client waits, with one connection and nothing else asked: the cases take turns
//! of a few requests, and each is compared with the same request through no filter at all.

use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use portcullis_host_test::envoy::Envoy;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::bodies::{policy, samples, section};
use crate::cpu;
use crate::load::{self, Load, Message};
use crate::spread::{median, quantile};

/// The turns of each case.
const TURNS: u32 = 100;

/// The listener with the schema of the small body.
pub(crate) const SMALL: &str = "small-schema";
/// The listener with the schema of the large body.
const LARGE: &str = "large-schema";

/// The listeners that validate, and their policies.
pub(crate) fn policies() -> [(&'static str, Value); 2] {
    let [small, _, large] = samples();
    let judging = |schema| policy(&json!({"body": section(&json!({"schema": schema}))}));
    [
        (SMALL, judging(small.schema)),
        (LARGE, judging(large.schema)),
    ]
}

/// One line of the table.
pub(crate) struct Case {
    name: &'static str,
    listener: &'static str,
    /// Whether the case is compared with the one before that is not.
    is_base: bool,
    message: Message,
    status: u16,
    /// µs of Envoy's CPU a request, of each turn under load.
    costs: Vec<f64>,
    /// µs that one client waited, of each request.
    waits: Vec<f64>,
}

fn cases() -> Vec<Case> {
    let [small, _, large] = samples();
    let case = |name, listener, body: &str, status| Case {
        name,
        listener,
        is_base: listener == "bare",
        message: Message {
            path: "/asked",
            body: Some(Bytes::copy_from_slice(body.as_bytes())),
        },
        status,
        costs: Vec::new(),
        waits: Vec::new(),
    };
    vec![
        case("126 bytes, no filter", "bare", &small.valid, 200),
        case(
            "126 bytes, an empty wasm filter",
            "empty-wasm",
            &small.valid,
            200,
        ),
        case(
            "126 bytes, portcullis, empty policy",
            "empty-policy",
            &small.valid,
            200,
        ),
        case("126 bytes, portcullis, schema", SMALL, &small.valid, 200),
        case(
            "126 bytes, portcullis, refused by schema",
            SMALL,
            &small.bad,
            422,
        ),
        case("92 KB, no filter", "bare", &large.valid, 200),
        case(
            "92 KB, an empty wasm filter",
            "empty-wasm",
            &large.valid,
            200,
        ),
        case("92 KB, portcullis, schema", LARGE, &large.valid, 200),
        case(
            "92 KB, portcullis, refused by schema",
            LARGE,
            &large.bad,
            422,
        ),
    ]
}

/// Sends all cases, in turns.
pub(crate) fn measure(envoy: &Envoy, runtime: &Runtime, load: Load) -> anyhow::Result<Vec<Case>> {
    eprintln!("requests with a body");
    let mut cases = cases();
    for turn in 0..=TURNS {
        for case in &mut cases {
            let to = envoy.address(case.listener)?;
            let send = |load| {
                let sent = load::send(load, to, &case.message, case.status);
                runtime.block_on(sent).context(case.name)
            };
            let loaded = Load {
                requests: load.connections * 8,
                ..load
            };
            let before = cpu::spent(envoy.pid())?;
            send(loaded)?;
            let spent = cpu::spent(envoy.pid())?.saturating_sub(before);
            let waited = send(Load {
                connections: 1,
                rate: 1_000_000,
                requests: 50,
            })?;
            // The first turn is for warmth, and the first request of a connection makes one to the upstream.
            if turn > 0 {
                case.costs.push(micros(spent) / f64::from(loaded.requests));
                case.waits.extend(waited.into_iter().skip(1).map(micros));
            }
        }
    }
    Ok(cases)
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Each case by itself, and what it adds to the same request without a filter.
pub(crate) fn print(cases: &[Case]) {
    println!(
        "\nrequests with a body: µs of Envoy's CPU under that load (median of {TURNS} turns), and µs that one client waits (median, 99 of 100)\n"
    );
    println!(
        "{:<42}{:>8}{:>9}{:>9}{:>9}{:>9}",
        "", "CPU", "added", "p50", "added", "p99"
    );
    let mut base: Option<(f64, f64)> = None;
    for case in cases {
        let (cost, wait) = (median(&case.costs), median(&case.waits));
        if case.is_base {
            base = Some((cost, wait));
        }
        let (base_cost, base_wait) = base.unwrap_or((f64::NAN, f64::NAN));
        println!(
            "{:<42}{cost:>8.1}{:>9.1}{wait:>9.1}{:>9.1}{:>9.1}",
            case.name,
            cost - base_cost,
            wait - base_wait,
            quantile(&case.waits, 0.99)
        );
    }
}
