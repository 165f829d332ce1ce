//! `mode: report` at the top: whatever the policy, clients and upstreams see what they would see without any.

use std::collections::BTreeSet;

use portcullis_host_test::envoy::{self, Envoy};
use portcullis_host_test::header_map::HeaderMap;
use portcullis_host_test::module::Module;
use portcullis_host_test::profile::Profile;
use portcullis_host_test::scenario::file::{Action, Event, Scenario};
use portcullis_host_test::scenario::http::HttpTarget;
use portcullis_host_test::scenario::run::happen;
use portcullis_host_test::scenario::target::{Observed, Reloaded, Target, UpstreamSeen};
use portcullis_host_test::scenario::wasm::WasmTarget;
use portcullis_host_test::upstream::Upstream;
use serde_json::{Value, json};

use super::super::envoy::{get, listener, ok, text};
use super::super::scenarios::corpus;
use super::{decisions, series};

/// The policy in report, and without the paths that it answers in every mode.
fn reported(policy: &Value) -> Value {
    let mut policy = policy.clone();
    let Some(members) = policy.as_object_mut() else {
        return policy;
    };
    if members.get("mode").is_none_or(|mode| mode == "enforce") {
        members.insert("mode".into(), "report".into());
    }
    if let Some(health) = members.get_mut("health").and_then(Value::as_object_mut) {
        health.remove("live");
        health.remove("ready");
    }
    policy
}

/// The headers that `observe` writes in every mode.
fn observed(policy: &Value) -> BTreeSet<Vec<u8>> {
    let names = ["/observe/request_id", "/observe/timing"];
    let names = names
        .iter()
        .filter_map(|place| policy.pointer(place)?.as_str());
    names
        .map(|name| name.to_ascii_lowercase().into_bytes())
        .collect()
}

fn without(headers: &HeaderMap, names: &BTreeSet<Vec<u8>>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let lines = headers.iter();
    let lines = lines.filter(|(name, _)| !names.contains(&name.to_ascii_lowercase()));
    lines
        .map(|(name, value)| (name.to_vec(), value.to_vec()))
        .collect()
}

/// What the client and the upstream saw, all of it.
fn views(observed: &Observed, names: &BTreeSet<Vec<u8>>) -> String {
    let upstream = match &observed.upstream {
        UpstreamSeen::Called(seen) => format!(
            "{} {} {} {:?} {:?}",
            seen.method,
            seen.path,
            seen.host,
            without(&seen.headers, names),
            seen.body
        ),
        UpstreamSeen::NotCalled => "not called".into(),
        UpstreamSeen::Unknown => "unknown".into(),
    };
    format!(
        "{} {:?} {:?} | {upstream}",
        observed.status,
        without(&observed.headers, names),
        observed.body
    )
}

/// The codes that a log names as refused, and as what would be.
fn codes(observed: &Observed) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut refused, mut would) = (BTreeSet::new(), BTreeSet::new());
    for line in decisions(&observed.logs.as_deref().unwrap_or_default().join("\n")) {
        let text = |key: &str| line.get(key).and_then(Value::as_str).unwrap_or_default();
        match text("decision") {
            "refused" => refused.insert(text("code").to_owned()),
            "would-refuse" | "unjudged" => would.insert(text("code").to_owned()),
            _ => false,
        };
        let more = line.get("would_refuse").and_then(Value::as_array);
        let more = more.into_iter().flatten().filter_map(Value::as_str);
        would.extend(more.map(str::to_owned));
    }
    (refused, would)
}

#[derive(Default)]
struct Compared {
    exchanges: usize,
    refused: usize,
    differences: Vec<String>,
    unsaid: Vec<String>,
}

fn compare(module: &Module, name: &str, scenario: &Scenario, compared: &mut Compared) {
    let open = |policy: &Value| {
        WasmTarget::open(module, Profile::ENVOY, policy, scenario.workers).unwrap()
    };
    let mut enforced = open(&scenario.policy);
    let mut reporting = open(&reported(&scenario.policy));
    let mut bare = open(&json!({"version": 1, "observe": {"metrics": false}}));
    let mut names = observed(&scenario.policy);
    // Limits count what they would have refused: from the first refusal on the two may say different things.
    let mut in_step = true;
    for step in &scenario.steps {
        match &step.action {
            Action::Exchange(exchange) => {
                for _ in 0..exchange.repeat {
                    let place = format!("{name}:{}", step.place.line);
                    let (request, respond) = (&exchange.request, &exchange.respond);
                    let report = reporting.exchange(request, respond).unwrap();
                    let without = bare.exchange(request, respond).unwrap();
                    let (told, expected) = (views(&report, &names), views(&without, &names));
                    if told != expected {
                        compared
                            .differences
                            .push(format!("{place}:\n  {told}\n  {expected}"));
                    }
                    let (mut refused, _) = codes(&enforced.exchange(request, respond).unwrap());
                    // In report nobody is banned: the limit itself goes on to speak.
                    if refused.remove("rate-limit-banned") {
                        refused.insert("rate-limit-exceeded".into());
                    }
                    let (none, would) = codes(&report);
                    assert!(none.is_empty(), "{place}: {none:?}");
                    compared.exchanges += 1;
                    compared.refused += refused.len();
                    if in_step && !refused.is_subset(&would) {
                        compared
                            .unsaid
                            .push(format!("{place}: {refused:?} and not {would:?}"));
                    }
                    in_step &= refused.is_empty();
                }
            }
            Action::Happen(Event::HostStatus(_)) => return,
            Action::Happen(event) => {
                for target in [&mut enforced, &mut reporting, &mut bare] {
                    happen(event, target).unwrap();
                }
            }
            Action::Reload { policy, .. } => {
                enforced.reload(policy).unwrap();
                if matches!(
                    reporting.reload(&reported(policy)).unwrap(),
                    Reloaded::Accepted
                ) {
                    names.extend(observed(policy));
                }
            }
        }
    }
}

#[test]
fn the_corpus_in_report_changes_nothing() {
    let module = Module::embedded().unwrap();
    let mut compared = Compared::default();
    for (name, scenario) in &corpus().scenarios {
        compare(&module, name, scenario, &mut compared);
    }
    println!(
        "report: {} exchanges, {} refusals in enforce, {} differences",
        compared.exchanges,
        compared.refused,
        compared.differences.len()
    );
    assert!(compared.exchanges >= 1000 && compared.refused >= 300);
    assert!(
        compared.differences.is_empty(),
        "{}",
        compared.differences.join("\n")
    );
    assert!(compared.unsaid.is_empty(), "{}", compared.unsaid.join("\n"));
}

#[test]
fn a_large_body_passes_what_only_reports() {
    if !envoy::wanted("a large body in a real Envoy") {
        return;
    }
    let upstream = Upstream::start().unwrap();
    let policy = json!({
        "version": 1,
        "mode": "report",
        "client": {"forwarded": "host"},
        "request": {"max_body_bytes": "1KiB"},
        "routes": [{"name": "upload", "path": "/upload", "validate": {"body": {"max_bytes": "64KiB", "schema": {"type": "object"}}}}],
    });
    let envoy = Envoy::start(&[listener("large", text(&policy), &upstream)]).unwrap();
    let mut target = HttpTarget::behind(&envoy, "large", &upstream).unwrap();
    let body = format!("[{}1]", "1,".repeat(3 << 19));
    assert!(body.len() > 3 << 20);
    for pieces in [
        vec![body.clone().into_bytes()],
        body.as_bytes()
            .chunks(100_000)
            .map(<[u8]>::to_vec)
            .collect(),
    ] {
        let mut request = get("/upload");
        request.method = "POST".into();
        request.headers.push("content-type", "application/json");
        request.body = pieces;
        let observed = target.exchange(&request, &ok("{}")).unwrap();
        assert_eq!(observed.status, 200);
        let UpstreamSeen::Called(seen) = &observed.upstream else {
            panic!("the upstream is not called");
        };
        assert!(seen.body == body.as_bytes());
        let (_, would) = codes(&observed);
        assert!(!would.is_empty(), "{:?}", observed.logs);
    }
    let found = series(&envoy, "portcullis_decisions_total");
    let unjudged: f64 = found
        .iter()
        .filter(|(labels, _)| labels.contains(r#"mode="report""#))
        .map(|(_, count)| count)
        .sum();
    assert!(unjudged >= 2.0, "{found:?}");
}
