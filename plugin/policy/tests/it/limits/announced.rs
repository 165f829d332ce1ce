//! What clients are told.

use serde_json::Value;

use super::{Clocked, Outcome, ROOT, SECOND, limits, policy};

fn told(outcome: &Outcome) -> Vec<(&str, &str)> {
    let names = |name: &str| name.contains("ratelimit") || name == "retry-after";
    let headers = outcome.headers.iter().filter(|(name, _)| names(name));
    headers
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

fn styled(style: &str) -> String {
    format!(
        r#"{{"version":1,"rate_limit_headers":"{style}","rate_limits":[
            {{"name":"per-client","quota":"3/30s"}},{{"name":"everybody","quota":"100/1m","key":["all"]}}]}}"#
    )
}

#[test]
fn each_style_says_how_the_limits_stand() {
    let check = |style: &str, first: &[(&str, &str)], refused: &[(&str, &str)]| {
        let policy = policy(&styled(style));
        let here = Clocked::default();
        assert_eq!(told(&here.send(&policy, &ROOT)), first, "{style}");
        here.admitted(&policy, &ROOT, 2);
        assert_eq!(told(&here.send(&policy, &ROOT)), refused, "{style}");
    };
    let policies = r#""per-client";q=3;w=30, "everybody";q=100;w=60"#;
    check(
        "draft",
        &[
            (
                "ratelimit",
                r#""per-client";r=2;t=10, "everybody";r=99;t=1"#,
            ),
            ("ratelimit-policy", policies),
        ],
        &[
            (
                "ratelimit",
                r#""per-client";r=0;t=10, "everybody";r=97;t=1"#,
            ),
            ("ratelimit-policy", policies),
            ("retry-after", "10"),
        ],
    );
    let x = [
        ("x-ratelimit-limit", "3"),
        ("x-ratelimit-remaining", "2"),
        ("x-ratelimit-reset", "10"),
    ];
    let none_left = [
        ("retry-after", "10"),
        ("x-ratelimit-limit", "3"),
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", "10"),
    ];
    check("x", &x, &none_left);
    check("none", &[], &[("retry-after", "10")]);
}

#[test]
fn nobody_is_told_to_come_back_too_early() {
    for quota in ["7/1s", "3/1m", "1000/1s", "5/300s"] {
        for algorithm in ["gcra", "fixed-window"] {
            let policy = limits(&format!(
                r#"[{{"name":"a","quota":"{quota}","algorithm":"{algorithm}"}}]"#
            ));
            let here = Clocked::default();
            here.pass(SECOND / 3);
            let refused = loop {
                here.pass(1_000);
                let outcome = here.send(&policy, &ROOT);
                if outcome.status != 0 {
                    break outcome;
                }
            };
            let seconds: u64 = refused.headers["retry-after"].parse().unwrap();
            assert!(seconds >= 1, "{quota} {algorithm}");
            here.pass(seconds * SECOND);
            assert_eq!(here.admitted(&policy, &ROOT, 1), 1, "{quota} {algorithm}");
        }
    }
}

#[test]
fn the_limit_with_the_longest_wait_is_named() {
    let policy = limits(
        r#"[{"name":"short","quota":"1/10s"},{"name":"long","quota":"1/1h","key":["all"]}]"#,
    );
    let here = Clocked::default();
    here.send(&policy, &ROOT);
    let refused = here.send(&policy, &ROOT);
    assert_eq!(refused.status, 429);
    assert_eq!(refused.headers["retry-after"], "3600");
    let body: Value = serde_json::from_str(&refused.body).unwrap();
    assert_eq!(body["code"], "rate-limit-exceeded");
    assert_eq!(body["violated-policies"][0], "long");
    assert_eq!(
        body["type"],
        "https://iana.org/assignments/http-problem-types#quota-exceeded"
    );
}

#[test]
fn the_form_of_errors_is_the_policys() {
    let policy = policy(
        r#"{"version":1,"errors":{"format":"fastapi"},"rate_limits":[{"name":"a","quota":"1/1h"}]}"#,
    );
    let here = Clocked::default();
    here.send(&policy, &ROOT);
    let body: Value = serde_json::from_str(&here.send(&policy, &ROOT).body).unwrap();
    assert_eq!(body["code"], "rate-limit-exceeded");
    assert!(
        body["detail"]
            .as_str()
            .unwrap()
            .contains("too many requests")
    );
}

#[test]
fn what_is_known_already_costs_the_store_nothing_and_says_the_same() {
    let policy = limits(r#"[{"name":"a","quota":"1/10s"}]"#);
    let mut here = Clocked::default();
    here.send(&policy, &ROOT);
    let first = here.send(&policy, &ROOT);
    here.gateway.is_broken = true;
    here.pass(SECOND - 1);
    let again = here.send(&policy, &ROOT);
    assert_eq!(again.status, 429);
    assert_eq!(first.headers["retry-after"], "10");
    assert_eq!(again.headers["retry-after"], "10");
    here.pass(10 * SECOND);
    assert_eq!(
        here.send(&policy, &ROOT).findings,
        ["enforce rate-limit-unchecked "]
    );
    here.gateway.is_broken = false;
    assert_eq!(here.send(&policy, &ROOT).status, 0);
}
