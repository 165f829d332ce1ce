//! Corners: bans beside limits, what a worker knows beside what is stored, one limit beside another.

use super::{Clocked, ROOT, SECOND, limits, policy};

#[test]
fn a_ban_never_lets_in_earlier_than_the_limit() {
    for algorithm in ["gcra", "fixed-window"] {
        let policy = limits(&format!(
            r#"[{{"name":"a","quota":"1/1h","algorithm":"{algorithm}","ban":{{"after":1,"within":"5s","for":"1m"}}}}]"#
        ));
        let here = Clocked::default();
        here.pass(SECOND);
        let mut admitted = 0;
        for _ in 0..55 {
            admitted += here.admitted(&policy, &ROOT, 3);
            here.pass(61 * SECOND);
        }
        assert_eq!(admitted, 1, "{algorithm}");
    }
}

#[test]
fn a_ban_that_another_worker_finds_is_a_ban() {
    for (quota, lasting) in [
        ("1/10s", "5s"),
        ("1/10s", "10s"),
        ("1/1h", "1m"),
        ("1/10s", "1m"),
    ] {
        let text = format!(
            r#"[{{"name":"a","quota":"{quota}","ban":{{"after":2,"within":"5s","for":"{lasting}"}}}}]"#
        );
        let here = Clocked::default();
        here.pass(SECOND);
        let policy = limits(&text);
        here.admitted(&policy, &ROOT, 3);
        let found = here.send(&limits(&text), &ROOT);
        assert_eq!(
            found.findings,
            ["enforce rate-limit-banned a"],
            "{quota} {lasting}"
        );
    }
}

#[test]
fn the_end_of_a_ban_is_still_the_ban() {
    let text = r#"[{"name":"a","quota":"1/10s","ban":{"after":2,"within":"5s","for":"1m"}}]"#;
    let here = Clocked::default();
    here.admitted(&limits(text), &ROOT, 3);
    here.pass(55 * SECOND);
    let found = here.send(&limits(text), &ROOT);
    assert_eq!(found.findings, ["enforce rate-limit-banned a"]);
    assert_eq!(found.headers["retry-after"], "5");
}

#[test]
fn t_in_a_ban_is_the_bans() {
    let text = r#"[{"name":"a","quota":"5/50s","ban":{"after":1,"within":"5s","for":"1h"}}]"#;
    let here = Clocked::default();
    here.admitted(&limits(text), &ROOT, 6);
    let found = here.send(&limits(text), &ROOT);
    assert_eq!(found.headers["retry-after"], "3600");
    assert_eq!(found.headers["ratelimit"], r#""a";r=0;t=3600"#);
}

#[test]
fn a_cost_in_a_ban() {
    let text =
        r#"[{"name":"a","quota":"6/60s","cost":3,"ban":{"after":1,"within":"5s","for":"1h"}}]"#;
    let here = Clocked::default();
    let policy = limits(text);
    here.admitted(&policy, &ROOT, 2);
    let first = here.send(&policy, &ROOT);
    let found = here.send(&limits(text), &ROOT);
    assert_eq!(first.headers["retry-after"], "3600");
    assert_eq!(found.headers["retry-after"], "3600");
}

#[test]
fn a_known_denial_of_one_limit_hides_no_refusal_from_the_ban_of_another() {
    let policy = limits(
        r#"[{"name":"plain","quota":"1/1h"},
            {"name":"strict","quota":"1/1h","ban":{"after":3,"within":"1m","for":"1d"}}]"#,
    );
    let here = Clocked::default();
    here.admitted(&policy, &ROOT, 10);
    let last = here.send(&policy, &ROOT);
    assert_eq!(last.findings, ["enforce rate-limit-banned strict"]);
}

#[test]
fn a_report_is_mended_too() {
    for algorithm in ["gcra", "fixed-window"] {
        let policy = limits(&format!(
            r#"[{{"name":"a","quota":"2/10s","algorithm":"{algorithm}","mode":"report"}}]"#
        ));
        let here = Clocked::default();
        here.pass(7200 * SECOND);
        for _ in 0..3 {
            here.send(&policy, &ROOT);
        }
        here.gateway.now.set(3600 * SECOND);
        here.send(&policy, &ROOT);
        here.pass(30 * SECOND);
        assert!(here.send(&policy, &ROOT).findings.is_empty(), "{algorithm}");
    }
}

#[test]
fn hosts_are_told_apart() {
    let policy = limits(r#"[{"name":"a","quota":"1/1h","key":["host"]}]"#);
    let here = Clocked::default();
    let to = |host| [(":path", "/"), ("host", host)];
    assert_eq!(here.admitted(&policy, &to("a.test"), 2), 1);
    assert_eq!(here.admitted(&policy, &to("b.test"), 2), 1);
}

#[test]
fn a_report_that_cannot_be_checked_stops_nobody() {
    let policy = limits(
        r#"[{"name":"posts","quota":"1/1h","methods":["POST"]},{"name":"new","quota":"1/1h","mode":"report"}]"#,
    );
    let mut here = Clocked::default();
    here.gateway.is_broken = true;
    let found = here.send(&policy, &ROOT);
    assert_eq!(
        (found.status, found.findings),
        (0, vec!["report rate-limit-unchecked ".to_owned()])
    );
}

#[test]
fn a_limit_with_a_ban_takes_a_new_quota_on() {
    let here = Clocked::default();
    here.admitted(&limits(r#"[{"name":"a","quota":"1/1h"}]"#), &ROOT, 2);
    let text = r#"[{"name":"a","quota":"1/1s","ban":{"after":100,"within":"1m","for":"1d"}}]"#;
    let policy = limits(text);
    let found = here.send(&policy, &ROOT);
    assert_eq!(found.findings, ["enforce rate-limit-exceeded a"]);
    here.pass(SECOND);
    assert_eq!(here.admitted(&policy, &ROOT, 1), 1);
}

#[test]
fn headers_list_every_enforced_limit_on_every_refusal() {
    let policy =
        limits(r#"[{"name":"a","quota":"1/1h"},{"name":"b","quota":"5/1h","key":["all"]}]"#);
    let here = Clocked::default();
    here.send(&policy, &ROOT);
    let first = here.send(&policy, &ROOT);
    let second = here.send(&policy, &ROOT);
    assert_eq!(
        first.headers["ratelimit-policy"],
        second.headers["ratelimit-policy"]
    );
    assert_eq!(first.headers["ratelimit"], second.headers["ratelimit"]);
}

#[test]
fn what_is_known_says_the_same_of_a_cost() {
    let policy = limits(r#"[{"name":"a","quota":"10/100s","cost":4}]"#);
    let here = Clocked::default();
    here.admitted(&policy, &ROOT, 2);
    let first = here.send(&policy, &ROOT);
    let second = here.send(&policy, &ROOT);
    assert_eq!(first.headers["ratelimit"], second.headers["ratelimit"]);
}

#[test]
fn what_is_known_reports_the_same() {
    let policy =
        limits(r#"[{"name":"new","quota":"1/1h","mode":"report"},{"name":"old","quota":"1/1h"}]"#);
    let here = Clocked::default();
    here.send(&policy, &ROOT);
    let first = here.send(&policy, &ROOT);
    let second = here.send(&policy, &ROOT);
    assert_eq!(first.findings, second.findings);
}

#[test]
fn the_longest_wait_is_named_although_a_shorter_one_is_known() {
    let policy = limits(
        r#"[{"name":"short","quota":"1/10s"},{"name":"long","quota":"2/1h","key":["all"]}]"#,
    );
    let here = Clocked::default();
    here.admitted(&policy, &ROOT, 2);
    // Another worker, another client.
    let all = limits(r#"[{"name":"long","quota":"2/1h","key":["all"]}]"#);
    here.admitted(&all, &ROOT, 1);
    // What is known is believed for a second.
    here.pass(SECOND);
    let found = here.send(&policy, &ROOT);
    assert_eq!(found.headers["retry-after"], "1799");
}

#[test]
fn a_limit_twice_on_a_route() {
    let text = r#"{"version":1,"routes":[{"name":"r","path":"/","rate_limits":[{"name":"a","quota":"4/1h"},{"name":"a","quota":"4/1h"}]}]}"#;
    let verdict = portcullis_policy::load(text.as_bytes());
    let here = Clocked::default();
    if let Some(_policy) = verdict.policy {
        assert_eq!(here.admitted(&policy(text), &ROOT, 10), 4);
    }
}

#[test]
fn a_clock_at_its_end() {
    for algorithm in ["gcra", "fixed-window"] {
        for ban in ["", r#","ban":{"after":1,"within":"5s","for":"1m"}"#] {
            let policy = limits(&format!(
                r#"[{{"name":"a","quota":"2/10s","algorithm":"{algorithm}"{ban}}}]"#
            ));
            let here = Clocked::default();
            for now in [0, u64::MAX - 1, u64::MAX, 0, u64::MAX] {
                here.gateway.now.set(now);
                here.admitted(&policy, &ROOT, 4);
            }
        }
    }
}

#[test]
fn a_ban_counts_afresh_after_a_lower_number() {
    let text = |after| {
        format!(
            r#"[{{"name":"a","quota":"1/1s","ban":{{"after":{after},"within":"1h","for":"2s"}}}}]"#
        )
    };
    let here = Clocked::default();
    here.admitted(&limits(&text(100)), &ROOT, 21);
    let policy = limits(&text(3));
    assert_eq!(
        here.send(&policy, &ROOT).findings,
        ["enforce rate-limit-banned a"]
    );
    here.pass(10 * SECOND);
    here.send(&policy, &ROOT);
    assert_eq!(
        here.send(&policy, &ROOT).findings,
        ["enforce rate-limit-exceeded a"]
    );
}

#[test]
fn a_key_that_cannot_be_read_is_not_warned_of() {
    for key in ["jwt:sub", "cookie:"] {
        let text = format!(
            r#"{{"version":1,"rate_limits":[{{"name":"a","quota":"5/1m","key":["{key}"]}}]}}"#
        );
        let list = portcullis_policy::load(text.as_bytes()).diagnostics;
        let codes: Vec<&str> = list.iter().map(|d| d.code.as_ref()).collect();
        assert_eq!(codes, ["unknown-value"]);
    }
}

/// A store that fails once, at its n-th call.
struct FailsOnce {
    store: portcullis_policy::LocalStore,
    at: std::cell::Cell<usize>,
}

impl FailsOnce {
    fn call(&self) -> Result<(), portcullis_policy::Unavailable> {
        let at = self.at.get();
        self.at.set(at.wrapping_sub(1));
        if at == 0 {
            return Err(portcullis_policy::Unavailable(10));
        }
        Ok(())
    }
}

impl portcullis_policy::Store for FailsOnce {
    fn get(
        &self,
        key: &[u8],
    ) -> Result<Option<portcullis_policy::Versioned>, portcullis_policy::Unavailable> {
        self.call()?;
        self.store.get(key)
    }

    fn set(
        &self,
        key: &[u8],
        value: &[u8],
        version: Option<u32>,
    ) -> Result<bool, portcullis_policy::Unavailable> {
        self.call()?;
        self.store.set(key, value, version)
    }
}

impl portcullis_policy::Ambient for FailsOnce {
    fn source(&self) -> Option<Vec<u8>> {
        None
    }

    fn fresh_id(&self) -> u128 {
        0
    }

    fn now(&self) -> u64 {
        7
    }

    fn store(&self) -> &dyn portcullis_policy::Store {
        self
    }
}

#[test]
fn who_cannot_be_checked_is_charged_nothing() {
    use portcullis_policy::{Decision, Line, RequestHead};
    for at in 0..4 {
        let policy =
            limits(r#"[{"name":"a","quota":"3/1h"},{"name":"b","quota":"3/1h","key":["all"]}]"#);
        let here = FailsOnce {
            store: Default::default(),
            at: at.into(),
        };
        let head: [Line<'_>; 2] = [(b":method", b"GET"), (b":path", b"/")];
        let admitted = || {
            let mut exchange = policy.begin();
            let decision = exchange.on_request_head(&RequestHead::new(&head), &here);
            matches!(decision, Decision::Continue(_))
        };
        assert!(!admitted());
        let sent = (0..5).filter(|_| admitted()).count();
        assert_eq!(sent, 3, "call {at} failed");
    }
}
