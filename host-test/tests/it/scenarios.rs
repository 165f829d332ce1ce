//! The corpus in wasmtime, what its scenarios must say, and how a corpus is judged.

mod protections;

use std::path::Path;

use portcullis_host_test::module::Module;
use portcullis_host_test::profile::Profile;
use portcullis_host_test::scenario::corpus::{Corpus, Tally};
use portcullis_host_test::scenario::expect::ExpectUpstream;
use portcullis_host_test::scenario::file::{Action, Scenario};
use portcullis_host_test::scenario::wasm::{WasmTarget, runner};

/// The corpus; other runners' tests read it from here too.
pub(crate) fn corpus() -> Corpus {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    Corpus::read(&root).unwrap_or_else(|error| panic!("{error:#}"))
}

fn target(module: &Module, scenario: &Scenario) -> anyhow::Result<WasmTarget> {
    WasmTarget::open(module, Profile::ENVOY, &scenario.policy, scenario.workers)
}

fn in_wasm(corpus: &Corpus) -> Tally {
    in_wasm_as(&Profile::ENVOY, corpus)
}

pub(crate) fn in_wasm_as(profile: &Profile, corpus: &Corpus) -> Tally {
    let module = Module::embedded().unwrap();
    corpus.run(runner(profile), |_, scenario| {
        let (profile, policy) = (profile.clone(), &scenario.policy);
        let target = WasmTarget::open(&module, profile, policy, scenario.workers)?;
        Ok(Box::new(target))
    })
}

#[test]
fn the_corpus_holds_in_wasmtime() {
    let corpus = corpus();
    assert!(
        corpus.scenarios.len() >= 200,
        "only {} scenarios",
        corpus.scenarios.len()
    );
    let tally = in_wasm(&corpus);
    println!("{tally}");
    tally
        .verdict()
        .unwrap_or_else(|complaints| panic!("{complaints}"));
}

#[test]
fn every_refusal_asserts_code_upstream_and_all_headers() {
    for (name, scenario) in corpus().scenarios {
        for step in &scenario.steps {
            let Action::Exchange(exchange) = &step.action else {
                continue;
            };
            let expect = &exchange.expect;
            // What the upstream answers is no refusal, and an answer to HEAD has no body.
            let ours = expect.status.is_some_and(|status| status >= 300)
                && expect.status != Some(exchange.respond.status);
            if !ours {
                continue;
            }
            let place = format!("{name}:{}", step.place.line);
            // A body of unknown length is refused when the upstream may have seen the head already.
            let in_the_body = expect.status == Some(413)
                && (exchange.request.body.len() > 1 || !exchange.request.trailers.is_empty());
            assert_eq!(
                matches!(expect.upstream, Some(ExpectUpstream::NotCalled)),
                !in_the_body,
                "{place} does not say that the upstream is not called"
            );
            assert!(
                expect.headers_exactly.is_some(),
                "{place} does not give all headers"
            );
            let codes = expect
                .json
                .iter()
                .filter(|(pointer, _)| pointer == "/code")
                .count();
            assert_eq!(
                codes == 1,
                exchange.request.method != "HEAD",
                "{place} does not give the code"
            );
        }
    }
}

/// What a corpus of these files comes to in wasmtime.
fn verdict_on(files: &[(&str, String)]) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let corpus = Corpus::read(folder.path()).map_err(|error| format!("{error:#}"))?;
    in_wasm(&corpus).verdict()
}

#[test]
fn a_corpus_is_judged_with_its_differences_and_skips() {
    let scenario = |status: u16, more: &str| {
        format!(
            "title: x\npolicy: {{version: 1, request: {{}}}}\n{more}steps:\n  - request: {{}}\n    expect: {{status: {status}}}\n"
        )
    };
    let listed =
        |runner: &str| format!("- {{scenario: a.yaml, runner: {runner}, reason: it is so}}\n");
    let check =
        |files: &[(&str, String)], complaint: Option<&str>| match (verdict_on(files), complaint) {
            (Ok(()), None) => {}
            (Err(text), Some(part)) => assert!(text.contains(part), "{part} is not in {text}"),
            (result, _) => panic!("{complaint:?} expected, got {result:?}"),
        };
    let (good, bad) = (scenario(200, ""), scenario(404, ""));
    let list = "differences.yaml";
    check(&[("a.yaml", good.clone())], None);
    check(&[("a.yaml", bad.clone())], Some("status"));
    check(&[("a.yaml", bad.clone()), (list, listed("wasm"))], None);
    check(&[("a.yaml", bad), (list, listed("http"))], Some("status"));
    check(&[("a.yaml", good.clone()), (list, listed("http"))], None);
    check(
        &[("a.yaml", good.clone()), (list, listed("wasm"))],
        Some("does not differ"),
    );
    check(
        &[("b.yaml", good.clone()), (list, listed("wasm"))],
        Some("there is no scenario `a.yaml`"),
    );
    check(
        &[
            ("a.yaml", good.clone()),
            (list, "- {scenario: a.yaml, runer: wasm}\n".into()),
        ],
        Some("did you mean `runner`?"),
    );
    let skipped = scenario(200, "skip: {wasm: because}\n");
    let four = ["b.yaml", "c.yaml", "d.yaml", "e.yaml"].map(|name| (name, good.clone()));
    let with = |skips: &[(&'static str, String)]| [four.as_slice(), skips].concat();
    check(&with(&[("a.yaml", skipped.clone())]), None);
    let two = [("a.yaml", skipped.clone()), ("f.yaml", skipped)];
    check(&with(&two), Some("at most a fifth"));
}

/// A scenario under a limit of three, of which one has been used.
fn limited(steps: &str) -> String {
    format!(
        "title: x
policy: {{version: 1, client: {{forwarded: host}}, rate_limits: [{{name: a, quota: 3/1h, capacity: 8}}]}}
workers: 2
steps:
  - request: {{}}
    expect: {{status: 200, headers: {{ratelimit: {{contains: r=2}}}}}}
{steps}"
    )
}

#[test]
fn faults_and_clocks_are_steps() {
    let check = |steps: &str, complaint: Option<&str>| match (
        verdict_on(&[("a.yaml", limited(steps))]),
        complaint,
    ) {
        (Ok(()), None) => {}
        (Err(text), Some(part)) => assert!(text.contains(part), "{part} is not in {text}"),
        (result, _) => panic!("{complaint:?} expected, got {result:?}: {steps}"),
    };
    let request = |left: &str| {
        format!(
            "  - request: {{}}\n    expect: {{status: 200, headers: {{ratelimit: {{contains: r={left}}}}}}}\n"
        )
    };
    let refused = |status: u16| format!("  - request: {{}}\n    expect: {{status: {status}}}\n");
    check(&request("1"), None);
    check(&request("2"), Some("header ratelimit"));

    check(&format!("  - cas_conflict: 15\n{}", request("1")), None);
    check(
        &format!("  - cas_conflict: 16\n{}{}", refused(429), request("1")),
        None,
    );

    let both = "  - host_status: {proxy_get_shared_data: 10, proxy_set_shared_data: 10}\n";
    let none = "  - host_status: {}\n";
    check(
        &format!(
            "{both}{}{}{none}{}",
            refused(503),
            refused(503),
            request("1")
        ),
        None,
    );
    check(
        "  - host_status: {proxy_teleport: 10}\n",
        Some("proxy_teleport"),
    );

    // Limits do not count by the clock that people set.
    for by in ["-1h", "1h"] {
        check(&format!("  - clock: {by}\n{}", request("1")), None);
    }
    // All of it has come back after an hour.
    check(&format!("  - monotonic_clock: 1h\n{}", request("2")), None);
    let back = format!(
        "  - advance: 2h\n  - monotonic_clock: -1h\n{}",
        request("2")
    );
    check(&back, None);
    check("  - monotonic_clock: -1ms\n", Some("before its beginning"));
}

#[test]
fn what_is_no_fault_and_no_step_of_a_clock_is_refused() {
    let check = |step: &str, complaint: &str| {
        let text = match verdict_on(&[("a.yaml", limited(&format!("  - {step}\n")))]) {
            Ok(()) => panic!("{step} is taken"),
            Err(text) => text,
        };
        assert!(text.contains(complaint), "{complaint} is not in {text}");
    };
    check("clock: 1", "expected a text");
    check("clock: +1h", "`+1h` is no step of a clock");
    check("monotonic_clock: --1h", "`--1h` is no step of a clock");
    check("clock: 400d", "`400d` is no step of a clock");
    check("cas_conflict: 0", "`0` is outside 1 to 10000");
    check("host_status: 12", "expected an object");
    check("host_status: {proxy_log: 0}", "`0` is outside 1 to 255");
    check(
        "{cas_conflict: 1, repeat: 2}",
        "`repeat` does not go with `cas_conflict`",
    );
    check(
        "{clock: 1h, monotonic_clock: 1h}",
        "what this step does is not clear",
    );
    check("cas_conflicts: 1", "did you mean `cas_conflict`?");
}
