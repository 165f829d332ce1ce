//! Each rule explained, and the engine deciding as explained.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::store::NoStore;
use crate::{Decision, load};

struct From(&'static str);

impl Ambient for From {
    fn source(&self) -> Option<Vec<u8>> {
        Some(self.0.into())
    }

    fn fresh_id(&self) -> u128 {
        0
    }

    fn now(&self) -> u64 {
        0
    }

    fn store(&self) -> &dyn Store {
        &NoStore
    }
}

const PEER: From = From("203.0.113.7:4711");

fn policy(text: &str) -> Rc<Policy> {
    let verdict = load(text.as_bytes());
    Rc::new(
        verdict
            .policy
            .unwrap_or_else(|| panic!("{:?}", verdict.diagnostics)),
    )
}

fn explained(policy: &Rc<Policy>, lines: &[(&str, &str)], from: &From, body: usize) -> Value {
    let lines: Vec<Line<'_>> = lines
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect();
    let head = RequestHead::new(&lines);
    let explanation = policy.explain(&head, from);
    let mut exchange = policy.begin();
    if !matches!(exchange.on_request_head(&head, from), Decision::Reply(_)) {
        exchange.on_request_body(body, &PEER);
    }
    let findings = exchange.finish(&PEER).map(|record| record.findings);
    serde_json::from_str(&explanation.log_line(&findings.unwrap_or_default())).unwrap()
}

/// `rule decision code` of each rule that has something to say against the request.
fn against(explanation: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("null").to_owned();
    let rules = explanation["rules"].as_array().unwrap().iter();
    rules
        .filter(|rule| !rule["code"].is_null())
        .map(|rule| {
            [&rule["rule"], &rule["decision"], &rule["code"]]
                .map(text)
                .join(" ")
        })
        .collect()
}

const STRICT: &str = r#"{
    "version": 1, "name": "p", MODE
    "client": {"trusted_proxies": ["10.0.0.0/8"]},
    "request": {
        "hosts": ["a.test"], "https": {"exempt": {"paths": ["/live"]}}, "methods": ["GET", "POST"],
        "max_headers": 4, "max_header_bytes": "200B", "max_path_bytes": "40B", "max_query_params": 2,
        "max_body_bytes": "10B"
    },
    CORS
    "routes": [{"name": "r", "path": "/r/{x}", "methods": ["GET"]}, {"name": "live", "path": "/live"}],
    "unmatched": "reject"
}"#;

fn strict(mode: &str, cors: &str) -> String {
    STRICT.replace("MODE", mode).replace("CORS", cors)
}

const CORS: &str =
    r#""cors": {"origins": ["http://x.test"], "methods": ["PUT"], "on_disallowed": "reject"},"#;

const GOOD: [(&str, &str); 5] = [
    (":method", "GET"),
    (":path", "/r/1?a&b"),
    (":authority", "A.test:443"),
    (":scheme", "https"),
    ("x-a", "1"),
];

/// The good request with these lines for those of their names, or beside them.
fn with<'a>(lines: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = GOOD
        .into_iter()
        .filter(|(name, _)| lines.iter().all(|(n, _)| n != name));
    kept.chain(lines.iter().copied()).collect()
}

#[test]
fn each_rule_says_what_it_finds_and_hides_no_other() {
    let enforce = policy(&strict("", ""));
    let report = policy(&strict(r#""mode": "report","#, ""));
    let check = |lines: &[(&str, &str)], body: usize, expected: &[&str]| {
        let lines = with(lines);
        let found = explained(&enforce, &lines, &PEER, body);
        let code = |line: &str| line.rsplit(' ').next().unwrap_or_default().to_owned();
        let mut decisions = expected.iter().enumerate().map(|(at, line)| {
            let decision = if at == 0 { "refused" } else { "not-reached" };
            line.replacen(' ', &format!(" {decision} "), 1)
        });
        assert_eq!(
            against(&found),
            decisions.by_ref().collect::<Vec<_>>(),
            "{lines:?}"
        );
        let first = expected.first().map(|line| code(line));
        assert_eq!(found["code"].as_str(), first.as_deref(), "{lines:?}");
        assert_eq!(found["decision"] == "passed", expected.is_empty());

        let found = explained(&report, &lines, &PEER, body);
        let would = expected
            .iter()
            .map(|line| line.replacen(' ', " would-refuse ", 1));
        assert_eq!(
            against(&found),
            would.collect::<Vec<_>>(),
            "report: {lines:?}"
        );
        assert_eq!(found["decision"], "passed");
    };
    let long = "x".repeat(201);
    check(&[], 10, &[]);
    check(&[("x-b", "\0")], 0, &["request header-malformed"]);
    check(
        &[("host", "a.test"), ("Host", "a.test")],
        0,
        &["request header-repeated"],
    );
    check(
        &[("a", ""), ("b", ""), ("c", ""), ("d", "")],
        0,
        &["request.max_headers headers-too-many"],
    );
    check(
        &[("x-a", &long)],
        0,
        &["request.max_header_bytes headers-too-large"],
    );
    check(
        &[(":path", "/live/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")],
        0,
        &[
            "request.max_path_bytes path-too-long",
            "unmatched route-not-found",
        ],
    );
    check(&[(":path", "/r/%zz")], 0, &["request path-malformed"]);
    check(
        &[(":path", "/r/a%2fb")],
        0,
        &[
            "request.ambiguous path-ambiguous",
            "unmatched route-not-found",
        ],
    );
    check(
        &[(":path", "/r/1?a&b&c")],
        0,
        &["request.max_query_params query-too-many"],
    );
    check(
        &[("content-length", "11")],
        0,
        &["request.max_body_bytes body-too-large"],
    );
    check(&[("content-length", "10")], 0, &[]);
    check(&[], 11, &["request.max_body_bytes body-too-large"]);
    check(
        &[(":authority", "a b")],
        0,
        &["request.hosts host-malformed"],
    );
    check(
        &[(":authority", "b.test")],
        0,
        &["request.hosts host-not-allowed"],
    );
    check(&[(":scheme", "http")], 0, &["request.https https-redirect"]);
    check(&[(":scheme", "http"), (":path", "/live")], 0, &[]);
    check(
        &[(":method", "PUT")],
        0,
        &[
            "request.methods method-not-allowed",
            "unmatched route-method-not-allowed",
        ],
    );
    check(&[(":path", "/s")], 0, &["unmatched route-not-found"]);
    check(
        &[(":method", "POST")],
        0,
        &["unmatched route-method-not-allowed"],
    );
    // All at once: no rule waits for another.
    check(
        &[
            ("x-b", "\0"),
            ("c", &long),
            ("d", ""),
            ("content-length", "99"),
            ("e", ""),
            (
                ":path",
                "/../aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa%0a?a&b&c",
            ),
            (":method", "PUT"),
            (":authority", "b.test"),
            (":scheme", "http"),
        ],
        0,
        &[
            "request header-malformed",
            "request.max_headers headers-too-many",
            "request.max_header_bytes headers-too-large",
            "request.max_path_bytes path-too-long",
            "request path-malformed",
            "request.ambiguous path-ambiguous",
            "request.max_query_params query-too-many",
            "request.max_body_bytes body-too-large",
            "request.hosts host-not-allowed",
            "request.https https-required",
            "request.methods method-not-allowed",
            "unmatched route-not-found",
        ],
    );
}

#[test]
fn what_is_not_written_is_off() {
    let bare = policy(r#"{"version": 1, "headers": {}}"#);
    let found = explained(&bare, &GOOD, &PEER, 0);
    let rules: Vec<&Value> = found["rules"].as_array().unwrap().iter().collect();
    assert!(
        rules.iter().all(|rule| rule["decision"] == "off"),
        "{rules:?}"
    );
    let open = policy(r#"{"version": 1, "request": {"ambiguous": "allow"}}"#);
    let found = explained(&open, &with(&[(":path", "/a/../b;c")]), &PEER, 0);
    let off: Vec<&str> = found["rules"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|rule| rule["decision"] == "off")
        .map(|rule| rule["rule"].as_str().unwrap())
        .collect();
    let expected = [
        "request.ambiguous",
        "request.max_body_bytes",
        "request.hosts",
        "cors",
        "request.https",
        "unmatched",
        "validate",
        "profanity",
    ];
    assert_eq!(off, expected);
    assert_eq!(against(&found), Vec::<String>::new());
    let joined = explained(&open, &with(&[(":authority", "a.test,b.test")]), &PEER, 0);
    assert_eq!(against(&joined), ["request refused header-repeated"]);
}

#[test]
fn what_cors_says() {
    let check = |mode: &str, lines: &[(&str, &str)], decision: &str, expected: &[&str]| {
        let policy = policy(&strict(
            "",
            &CORS.replacen('{', &format!(r#"{{"mode": "{mode}", "#), 1),
        ));
        let found = explained(&policy, &with(lines), &PEER, 0);
        assert_eq!(found["decision"], decision, "{lines:?}");
        assert_eq!(against(&found), expected, "{lines:?}");
        found
    };
    let listed = ("origin", "http://x.test");
    let other = ("origin", "http://y.test");
    let preflight = |origin, method| {
        [
            (":method", "OPTIONS"),
            origin,
            ("access-control-request-method", method),
        ]
    };
    let answered = check(
        "enforce",
        &preflight(listed, "PUT"),
        "answered",
        &[
            "request.methods not-reached method-not-allowed",
            "unmatched not-reached route-method-not-allowed",
        ],
    );
    assert_eq!(answered["status"], 204);
    check(
        "enforce",
        &preflight(other, "GET"),
        "refused",
        &["cors.origins refused cors-preflight-not-allowed"],
    );
    check(
        "report",
        &preflight(other, "GET"),
        "passed",
        &["cors.origins would-refuse cors-preflight-not-allowed"],
    );
    check("report", &preflight(listed, "GET"), "passed", &[]);
    check("enforce", &[listed], "passed", &[]);
    check(
        "enforce",
        &[other],
        "refused",
        &["cors.on_disallowed refused cors-origin-not-allowed"],
    );
    check(
        "enforce",
        &[other, ("sec-fetch-site", "same-origin")],
        "passed",
        &[],
    );
    check(
        "report",
        &[other],
        "passed",
        &["cors.on_disallowed would-refuse cors-origin-not-allowed"],
    );
    check("off", &[other], "passed", &[]);
}

#[test]
fn a_query_that_never_fits_is_not_counted() {
    let tight =
        policy(r#"{"version": 1, "request": {"max_path_bytes": "9B", "max_query_params": 8}}"#);
    let found = explained(&tight, &with(&[(":path", "/?a&a&a&a&a")]), &PEER, 0);
    let rules = found["rules"].as_array().unwrap();
    let rule = rules
        .iter()
        .find(|rule| rule["rule"] == "request.max_query_params");
    assert_eq!(rule.unwrap()["decision"], "not-reached");
}

#[test]
fn who_asks_and_why() {
    let check = |client: &str, from: From, lines: &[(&str, &str)], expected: [&str; 6]| {
        let policy = policy(&format!(
            r#"{{"version": 1, "client": {client}, "request": {{}}}}"#
        ));
        let found = explained(&policy, &with(lines), &from, 0);
        let text = |value: &Value| value.as_str().unwrap_or("null").to_owned();
        let (client, scheme) = (&found["client"], &found["scheme"]);
        let found = [
            &client["address"],
            &client["because"],
            &client["header"],
            &scheme["name"],
            &scheme["because"],
            &scheme["header"],
        ];
        assert_eq!(found.map(text), expected, "{lines:?}");
    };
    let proxies = r#"{"trusted_proxies": ["10.0.0.0/8"]}"#;
    let both = [
        ("x-forwarded-for", "203.0.113.9"),
        ("X-Forwarded-Proto", "http"),
    ];
    let direct = ["connection", "null"];
    let of = |address, because, header, scheme, [how, by]: [&'static str; 2]| {
        [address, because, header, scheme, how, by]
    };
    check(
        "{}",
        PEER,
        &both,
        of("203.0.113.7", "peer", "null", "https", direct),
    );
    check(
        proxies,
        PEER,
        &both,
        of("203.0.113.7", "peer", "null", "https", direct),
    );
    let proxy = || From("10.0.0.1:80");
    let header = ["header", "x-forwarded-proto"];
    let expected = of("203.0.113.9", "header", "x-forwarded-for", "http", header);
    check(proxies, proxy(), &both, expected);
    check(
        proxies,
        proxy(),
        &[],
        of("10.0.0.1", "trusted-peer", "null", "https", direct),
    );
    let named = r#"{"trusted_proxies": ["10.0.0.0/8"], "forwarded": "X-Real-IP"}"#;
    let expected = of("203.0.113.9", "header", "x-real-ip", "https", direct);
    check(named, proxy(), &[("x-real-ip", "203.0.113.9")], expected);
    let expected = of("null", "header", "x-forwarded-for", "https", direct);
    check(
        proxies,
        proxy(),
        &[("x-forwarded-for", "garbage")],
        expected,
    );
    let zero = || From("203.0.113.7:0");
    check(
        "{}",
        zero(),
        &[],
        of("null", "hidden", "null", "https", direct),
    );
    let host = r#"{"forwarded": "host"}"#;
    check(
        host,
        zero(),
        &[],
        of("203.0.113.7", "host", "null", "https", direct),
    );
}

proptest! {
    /// What is explained is what happens.
    #[test]
    fn the_engine_decides_as_explained(
        method in prop::sample::select(vec!["GET", "POST", "OPTIONS", "PUT"]),
        path in "(/r/1|/live|/[a-z]{0,30}|/\\.\\./[%;a]{0,4})(\\?(a&?){0,4}|%zz|\u{1})?",
        host in prop::sample::select(vec!["a.test", "b.test", "a.test,b.test", ""]),
        scheme in prop::sample::select(vec!["http", "https"]),
        lines in prop::collection::vec(
            (
                prop::sample::select(vec!["x", "content-length", "origin", "access-control-request-method", "x-forwarded-proto"]),
                "[0-9]{1,3}|GET|https|http://x.test|x{0,90}|\0"
            ),
            0..7
        ),
        body in 0usize..20,
        report in any::<bool>(),
        hosts in any::<bool>(),
        cors in any::<bool>(),
    ) {
        let mode = if report { r#""mode": "report","# } else { "" };
        let text = strict(mode, if cors { CORS } else { "" });
        let text = if hosts { text } else { text.replace(r#""hosts": ["a.test"],"#, "") };
        let policy = policy(&text);
        let head = [(":method", method), (":path", &path), (":authority", host), (":scheme", scheme)];
        let named = lines.iter().map(|(name, value)| (*name, value.as_str()));
        let all: Vec<(&str, &str)> = head.into_iter().chain(named).collect();
        let bytes: Vec<Line<'_>> = all.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes())).collect();
        let mut exchange = policy.begin();
        let reply = match exchange.on_request_head(&RequestHead::new(&bytes), &PEER) {
            Decision::Reply(reply) => Some(reply),
            Decision::Continue(_) | Decision::NeedBody(_) => exchange.on_request_body(body, &PEER),
        };
        let found = explained(&policy, &all, &PEER, body);
        prop_assert_eq!(found["status"].as_u64(), reply.as_ref().map(|reply| reply.status.into()));
        let record = exchange.finish(&PEER);
        let findings = record.map(|record| record.findings).unwrap_or_default();
        let refused = findings.iter().find(|finding| finding.mode == Mode::Enforce);
        prop_assert_eq!(found["code"].as_str(), refused.map(|finding| finding.refusal.code));
        // Of what would refuse, the engine stops at the first in the form of the head: no more than is explained.
        for finding in findings {
            let code = finding.refusal.code;
            prop_assert!(against(&found).iter().any(|line| line.ends_with(code)), "{}", code);
        }
    }
}
