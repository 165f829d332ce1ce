//! Rate limits: what is admitted, against a model that counts exactly.

mod announced;
mod corners;
mod hostile;
mod model;
mod overload;
mod races;
mod stale;
mod structured;
mod undone;
mod verdicts;

use std::collections::BTreeMap;
use std::rc::Rc;

use portcullis_policy::{Decision, Exchange, Line, Policy, RequestHead, ResponseHead};

use super::{Gateway, policy};

pub(crate) const SECOND: u64 = 1_000_000_000;

/// A gateway whose clock the test moves.
#[derive(Default)]
struct Clocked {
    gateway: Gateway,
}

/// What became of a request.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    /// 0 if it went on.
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
    /// `mode code limit` of each finding.
    findings: Vec<String>,
}

impl Clocked {
    fn pass(&self, nanoseconds: u64) {
        let now = &self.gateway.now;
        now.set(now.get() + nanoseconds);
    }

    fn send(&self, policy: &Rc<Policy>, lines: &[(&str, &str)]) -> Outcome {
        let lines: Vec<Line<'_>> = [(":method", "GET"), (":authority", "a.test")]
            .iter()
            .chain(lines)
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .collect();
        let mut exchange = policy.begin();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (status, headers, body) = match exchange
            .on_request_head(&RequestHead::new(&lines), &self.gateway)
        {
            Decision::Reply(reply) => {
                let headers = reply.headers.iter();
                let headers = headers.map(|(name, value)| (text(name), text(value)));
                (reply.status, headers.collect(), reply.body)
            }
            Decision::Continue(_) | Decision::NeedBody(_) => (0, added(&exchange), String::new()),
        };
        let record = exchange.finish(&Gateway::default()).into_iter();
        let findings = record.flat_map(|record| record.findings).map(|finding| {
            let limit = finding.limit.unwrap_or_default();
            format!("{} {} {limit}", finding.mode.as_str(), finding.refusal.code)
        });
        Outcome {
            status,
            headers,
            body,
            findings: findings.collect(),
        }
    }

    /// Sends so many requests, and says how many went on.
    fn admitted(&self, policy: &Rc<Policy>, lines: &[(&str, &str)], requests: usize) -> usize {
        let sent = (0..requests).filter(|_| self.send(policy, lines).status == 0);
        sent.count()
    }
}

/// What is added to a bare response.
fn added(exchange: &Exchange) -> BTreeMap<String, String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let edits = exchange.on_response_head(&ResponseHead::new(&[]), &Gateway::default());
    let added = edits.into_iter().filter_map(|edit| match edit {
        portcullis_policy::Edit::Add(name, value) => Some((text(&name), text(&value))),
        _ => None,
    });
    added.collect()
}

fn limits(limits: &str) -> Rc<Policy> {
    policy(&format!(r#"{{"version":1,"rate_limits":{limits}}}"#))
}

const ROOT: [(&str, &str); 1] = [(":path", "/")];

#[test]
fn a_burst_and_then_one_by_one() {
    let policy = limits(r#"[{"name":"a","quota":"5/50s"}]"#);
    let here = Clocked::default();
    assert_eq!(here.admitted(&policy, &ROOT, 20), 5);
    here.pass(10 * SECOND - 1);
    assert_eq!(here.admitted(&policy, &ROOT, 5), 0);
    here.pass(1);
    assert_eq!(here.admitted(&policy, &ROOT, 5), 1);
    here.pass(1000 * SECOND);
    assert_eq!(here.admitted(&policy, &ROOT, 20), 5);
}

#[test]
fn a_fixed_window_is_a_hard_count() {
    let policy = limits(r#"[{"name":"a","quota":"5/50s","algorithm":"fixed-window"}]"#);
    let here = Clocked::default();
    here.pass(SECOND);
    assert_eq!(here.admitted(&policy, &ROOT, 20), 5);
    here.pass(50 * SECOND - 1);
    assert_eq!(here.admitted(&policy, &ROOT, 5), 0);
    here.pass(1);
    assert_eq!(here.admitted(&policy, &ROOT, 20), 5);
}

#[test]
fn several_limits_charge_all_or_nothing() {
    let policy = limits(
        r#"[{"name":"narrow","quota":"2/1h"},{"name":"wide","quota":"4/1h","key":["all"]}]"#,
    );
    let here = Clocked::default();
    assert_eq!(here.admitted(&policy, &ROOT, 2), 2);
    let refused = here.send(&policy, &ROOT);
    assert_eq!(refused.findings, ["enforce rate-limit-exceeded narrow"]);
    assert_eq!(here.admitted(&policy, &ROOT, 10), 0);
    // The refused ones took nothing of the other: another client finds what is left of it.
    let remaining = |outcome: &Outcome| outcome.headers["ratelimit"].clone();
    assert_eq!(
        remaining(&refused),
        r#""narrow";r=0;t=1800, "wide";r=2;t=900"#
    );
}

#[test]
fn a_cost_takes_more_than_one() {
    let policy = limits(r#"[{"name":"a","quota":"10/100s","cost":4}]"#);
    let here = Clocked::default();
    assert_eq!(here.admitted(&policy, &ROOT, 5), 2);
    let refused = here.send(&policy, &ROOT);
    assert_eq!(refused.headers["retry-after"], "20");
    here.pass(20 * SECOND);
    assert_eq!(here.admitted(&policy, &ROOT, 5), 1);
}

#[test]
fn report_spends_its_own_and_stops_nobody() {
    let policy =
        limits(r#"[{"name":"new","quota":"1/1h","mode":"report"},{"name":"old","quota":"3/1h"}]"#);
    let here = Clocked::default();
    let first = here.send(&policy, &ROOT);
    assert_eq!((first.status, first.findings.len()), (0, 0));
    let would = "report rate-limit-exceeded new";
    for _ in 0..2 {
        let next = here.send(&policy, &ROOT);
        assert_eq!((next.status, next.findings), (0, vec![would.to_owned()]));
        assert!(!next.headers["ratelimit"].contains("new"));
    }
    let last = here.send(&policy, &ROOT);
    assert_eq!(last.status, 429);
    assert_eq!(last.findings, [would, "enforce rate-limit-exceeded old"]);
}

#[test]
fn off_counts_nothing() {
    let policy =
        policy(r#"{"version":1,"mode":"off","rate_limits":[{"name":"a","quota":"1/1h"}]}"#);
    let here = Clocked::default();
    let outcomes: Vec<Outcome> = (0..3).map(|_| here.send(&policy, &ROOT)).collect();
    assert!(
        outcomes
            .iter()
            .all(|one| one.status == 0 && one.headers.is_empty())
    );
}

#[test]
fn what_is_exempt_never_counts() {
    let policy = limits(
        r#"[{"name":"a","quota":"1/1h","methods":["GET"],"exempt":{"paths":["/health","/docs/*"],"clients":["192.0.2.0/24"]}}]"#,
    );
    let here = Clocked::default();
    for path in ["/health", "/health?x=1", "/docs/a"] {
        assert_eq!(here.admitted(&policy, &[(":path", path)], 3), 3, "{path}");
    }
    assert_eq!(here.admitted(&policy, &[(":path", "/Health")], 3), 1);
    let policy = limits(r#"[{"name":"b","quota":"1/1h","exempt":{"clients":["203.0.113.0/24"]}}]"#);
    assert_eq!(here.admitted(&policy, &ROOT, 3), 3);
}

#[test]
fn a_route_has_its_own_and_shares_what_it_names() {
    let policy = policy(
        r#"{"version":1,
            "rate_limits":[{"name":"all","quota":"5/1h"}],
            "routes":[
                {"name":"a","path":"/a","rate_limits":[{"name":"cards","quota":"2/1h"}]},
                {"name":"b","path":"/b","rate_limits":[{"name":"cards","quota":"2/1h"}]},
                {"name":"c","path":"/c","mode":"report","rate_limits":[{"name":"other","quota":"1/1h"}]}
            ]}"#,
    );
    let here = Clocked::default();
    let to = |path| [(":path", path)];
    assert_eq!(here.admitted(&policy, &to("/a"), 1), 1);
    assert_eq!(here.admitted(&policy, &to("/b"), 3), 1);
    // `all` has two left of five, and the route's own is only reported.
    assert_eq!(here.admitted(&policy, &to("/c"), 9), 3);
}

#[test]
fn keys_tell_clients_apart_and_nobody_chooses_a_bucket() {
    let admitted = |key: &str, requests: &[&[(&str, &str)]]| {
        let policy = limits(&format!(r#"[{{"name":"a","quota":"1/1h","key":{key}}}]"#));
        let here = Clocked::default();
        let sent = requests.iter().map(|lines| {
            let path = lines.iter().any(|(name, _)| *name == ":path");
            let lines = if path {
                lines.to_vec()
            } else {
                [&ROOT, *lines].concat()
            };
            here.send(&policy, &lines).status == 0
        });
        sent.collect::<Vec<bool>>()
    };
    let header = r#"["header:x-api-key"]"#;
    let one: &[(&str, &str)] = &[("x-api-key", "1")];
    let two: &[(&str, &str)] = &[("X-Api-Key", "2")];
    let none: &[(&str, &str)] = &[];
    assert_eq!(
        admitted(header, &[one, two, one, none, none]),
        [true, true, false, true, false]
    );
    // Two lines are no key: the client is.
    let both: &[(&str, &str)] = &[("x-api-key", "3"), ("x-api-key", "4")];
    let empty: &[(&str, &str)] = &[("x-api-key", "")];
    assert_eq!(admitted(header, &[none, both, empty]), [true, false, false]);
    let cookie = r#"["cookie:sid"]"#;
    let a: &[(&str, &str)] = &[("cookie", "x=1; sid=a")];
    let b: &[(&str, &str)] = &[("cookie", "sid=b"), ("cookie", "y=2")];
    let twice: &[(&str, &str)] = &[("cookie", "sid=c; sid=d")];
    assert_eq!(
        admitted(cookie, &[a, b, a, b, none, twice]),
        [true, true, false, false, true, false]
    );
    let query = r#"["query:q"]"#;
    let q1: &[(&str, &str)] = &[(":path", "/?q=a%62")];
    let q2: &[(&str, &str)] = &[(":path", "/?x=1&%71=ab")];
    let spaces: [&[(&str, &str)]; 2] = [&[(":path", "/?q=a+b")], &[(":path", "/?q=a%20b")]];
    assert_eq!(admitted(query, &spaces), [true, false]);
    let q3: &[(&str, &str)] = &[(":path", "/?q=ab&q=c")];
    assert_eq!(
        admitted(query, &[q1, q2, none, q3]),
        [true, false, true, false]
    );
    let path = r#"["path"]"#;
    let p = |path| -> [(&str, &str); 1] { [(":path", path)] };
    assert_eq!(
        admitted(
            path,
            &[&p("/a/b"), &p("//A/%62/?x"), &p("/a/b;v=1"), &p("/ab")]
        ),
        [true, false, false, true]
    );
    // What is joined is not what is joined otherwise.
    let composite = r#"["header:x-a","header:x-b"]"#;
    let left: &[(&str, &str)] = &[("x-a", "a|b"), ("x-b", "c")];
    let right: &[(&str, &str)] = &[("x-a", "a"), ("x-b", "b|c")];
    assert_eq!(
        admitted(composite, &[left, right, left]),
        [true, true, false]
    );
}

#[test]
fn refusals_lead_to_a_ban_that_ends() {
    for algorithm in ["gcra", "fixed-window"] {
        let policy = limits(&format!(
            r#"[{{"name":"a","quota":"1/10s","algorithm":"{algorithm}","ban":{{"after":3,"within":"5s","for":"1m"}}}}]"#
        ));
        let here = Clocked::default();
        here.pass(SECOND);
        let statuses: Vec<String> = (0..5)
            .map(|_| here.send(&policy, &ROOT).findings.concat())
            .collect();
        let (refused, banned) = (
            "enforce rate-limit-exceeded a",
            "enforce rate-limit-banned a",
        );
        assert_eq!(
            statuses,
            ["", refused, refused, banned, banned],
            "{algorithm}"
        );
        here.pass(59 * SECOND);
        let still = here.send(&policy, &ROOT);
        assert_eq!(still.headers["retry-after"], "1", "{algorithm}");
        here.pass(SECOND);
        assert_eq!(here.admitted(&policy, &ROOT, 1), 1, "{algorithm}");
        // Slow refusals are none too many.
        for _ in 0..3 {
            let refused_again = here.send(&policy, &ROOT);
            assert_eq!(refused_again.findings, [refused], "{algorithm}");
            here.pass(3 * SECOND);
        }
    }
}

#[test]
fn a_ban_survives_a_reload_and_a_denial_a_lower_quota() {
    let text = r#"[{"name":"a","quota":"1/10s","ban":{"after":1,"within":"5s","for":"1m"}}]"#;
    let here = Clocked::default();
    assert_eq!(here.admitted(&limits(text), &ROOT, 5), 1);
    let found = here.send(&limits(text), &ROOT);
    assert_eq!(found.findings, ["enforce rate-limit-banned a"]);
}

#[test]
fn a_reload_keeps_the_counters() {
    let here = Clocked::default();
    let quota = |quota: &str| limits(&format!(r#"[{{"name":"a","quota":"{quota}"}}]"#));
    assert_eq!(here.admitted(&quota("10/100s"), &ROOT, 8), 8);
    assert_eq!(here.admitted(&quota("10/100s"), &ROOT, 8), 2);
    // A changed quota: what is owed is cut to what the new one can owe.
    assert_eq!(here.admitted(&quota("1/1s"), &ROOT, 1), 0);
    here.pass(SECOND);
    assert_eq!(here.admitted(&quota("1/1s"), &ROOT, 2), 1);
    let renamed = limits(r#"[{"name":"b","quota":"10/100s"}]"#);
    assert_eq!(here.admitted(&renamed, &ROOT, 20), 10);
}

#[test]
fn a_clock_that_is_set_back_locks_nobody_out() {
    for algorithm in ["gcra", "fixed-window"] {
        let policy = limits(&format!(
            r#"[{{"name":"a","quota":"2/10s","algorithm":"{algorithm}"}}]"#
        ));
        let here = Clocked::default();
        here.pass(7200 * SECOND);
        assert_eq!(here.admitted(&policy, &ROOT, 5), 2);
        here.gateway.now.set(3600 * SECOND);
        // Whoever was at the limit waits as long as the limit says, and no hour.
        here.send(&policy, &ROOT);
        here.pass(10 * SECOND);
        assert_eq!(here.admitted(&policy, &ROOT, 5), 2, "{algorithm}");
        here.gateway.now.set(7200 * SECOND);
        assert_eq!(here.admitted(&policy, &ROOT, 5), 2, "{algorithm}");
    }
}
