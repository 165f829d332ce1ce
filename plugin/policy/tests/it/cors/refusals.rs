//! Every reply that the gateway makes by itself can be read by the pages that the policy names.
//!
//! The table is over all refusals that there are: a new one without a row fails, and so does one that a page sees as
//! a network error only.

use std::collections::BTreeSet;
use std::rc::Rc;

use portcullis_policy::{BodyDecision, BodyNeed, Exchange, Policy, REFUSALS, Reply};

use super::fetch::{Answer, Lines, Wish, judge_response};
use super::provoked::{ROWS, Row, Unable, row};
use super::{Exchanged, answer, exchanged, exchanged_in, owned, upstream, value, varies_by};
use crate::{Gateway, policy};

const APP: &str = "https://app.example.com";

/// Headers that tell a client when to come back and what to quote.
const TELLING: [&str; 7] = [
    "retry-after",
    "ratelimit",
    "ratelimit-policy",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-request-id",
];

/// Refusals that no page of a named origin is given, and why.
const NOT_FOR_PAGES: [(&str, &str); 2] = [
    (
        "cors-preflight-not-allowed",
        "answers a preflight, which no page reads",
    ),
    (
        "cors-origin-not-allowed",
        "answers pages of origins that are not named",
    ),
];

impl Row {
    /// The policy with this `cors` section, and with every telling header in its replies.
    fn document(&self, cors: &str) -> String {
        let telling: serde_json::Map<String, serde_json::Value> = TELLING
            .iter()
            .map(|name| ((*name).to_owned(), "1".into()))
            .collect();
        let set = serde_json::json!({"preset": "none", "set": telling});
        format!(
            r#"{{"version":1,"cors":{cors},"headers":{set},{}}}"#,
            self.policy
        )
    }

    fn request(&self, origin: &str) -> Lines {
        let mut lines = owned(&[
            (":method", self.method),
            (":path", self.path),
            (":authority", self.host),
            (":scheme", "http"),
            ("origin", origin),
        ]);
        lines.extend(owned(self.lines));
        lines
    }

    fn exchanged(&self, policy: &Rc<Policy>, origin: &str) -> Exchanged {
        let gateway = Gateway {
            is_broken: self.uncounted,
            ..Gateway::default()
        };
        let send = || {
            let mut seen = exchanged_in(&gateway, policy, &upstream(&[]), &self.request(origin));
            if let Some(reply) = self.refused_body(&mut seen.exchange) {
                seen.answer = answer(&reply);
                seen.forwarded = false;
            }
            seen
        };
        for _ in 0..self.after {
            send();
        }
        send()
    }

    /// The reply to the body, where one is asked for.
    fn refused_body(&self, exchange: &mut Exchange) -> Option<Reply> {
        if exchange.body_need() != BodyNeed::Whole {
            return None;
        }
        if self.unable == Unable::ShowBody {
            return Some(exchange.unreadable(&Gateway::default()));
        }
        match exchange.on_request_whole(self.body.as_bytes(), &Gateway::default()) {
            BodyDecision::Continue => None,
            BodyDecision::Reply(reply) => Some(reply),
            BodyDecision::Replace(_) => {
                assert!(self.unable == Unable::ReplaceBody);
                Some(exchange.unreplaced(&Gateway::default()))
            }
        }
    }
}

/// The page reads the reply: its status and body, and every header that tells it what to do.
fn check_readable(what: &str, origin: &str, credentials: bool, answer: &Answer) {
    let wish = Wish {
        origin: origin.to_owned(),
        method: "GET".to_owned(),
        headers: Vec::new(),
        credentials,
        upload: false,
    };
    let readable = judge_response(&wish, answer).unwrap_or_else(|e| panic!("{what}: {e:?}"));
    for name in TELLING {
        assert!(value(answer, name).is_some(), "{what}: no {name} to read");
        assert!(
            readable.names.contains(name),
            "{what}: {name} is not exposed"
        );
    }
    assert!(readable.names.contains("content-type"), "{what}");
}

#[test]
fn every_refusal_has_a_row_or_a_reason() {
    let rows: BTreeSet<(&str, u16)> = ROWS.iter().map(|row| (row.code, row.status)).collect();
    assert_eq!(rows.len(), ROWS.len(), "a row stands twice");
    // No policy provokes `unchecked`: a test of its own asks for it.
    let excepted =
        |code: &str| NOT_FOR_PAGES.iter().any(|(other, _)| *other == code) || code == "unchecked";
    for refusal in REFUSALS {
        let listed = rows.contains(&(refusal.code, refusal.status));
        assert_ne!(
            listed,
            excepted(refusal.code),
            "{} {}",
            refusal.code,
            refusal.status
        );
    }
    for code in rows
        .iter()
        .map(|(code, _)| code)
        .chain(NOT_FOR_PAGES.iter().map(|(code, _)| code))
    {
        assert!(
            REFUSALS.iter().any(|refusal| refusal.code == *code),
            "{code} is no refusal"
        );
    }
}

#[test]
fn a_named_page_reads_every_refusal() {
    let sections = [
        (
            r#"{"origins":["https://app.example.com"],"credentials":true}"#,
            true,
        ),
        (
            r#"{"origins":["https://*.example.com"],"expose_headers":["x-total"]}"#,
            false,
        ),
        (r#"{"origins":["*"]}"#, false),
        (r#"{"origins":["*"],"expose_headers":["*"]}"#, false),
        (
            r#"{"origins":["https://app.example.com"],"on_disallowed":"reject"}"#,
            false,
        ),
    ];
    for row in ROWS {
        for (section, credentials) in sections {
            let what = format!("{} {} with {section}", row.code, row.status);
            let policy = policy(&row.document(section));
            let seen = row.exchanged(&policy, APP);
            assert!(!seen.forwarded, "{what}");
            let codes: Vec<&str> = seen
                .exchange
                .finish(&Gateway::default())
                .iter()
                .flat_map(|r| &r.findings)
                .map(|f| f.refusal.code)
                .collect();
            assert_eq!(
                (codes, seen.answer.status),
                (vec![row.code], row.status),
                "{what}"
            );
            check_readable(&what, APP, credentials, &seen.answer);
            let vary = if section.contains(r#"["*"]"#) && !section.contains("https") {
                vec![]
            } else {
                vec!["origin".to_owned()]
            };
            assert_eq!(varies_by(&seen.answer), vary, "{what}");
        }
    }
}

#[test]
fn a_page_that_is_not_named_reads_no_refusal() {
    for row in ROWS {
        let policy = policy(&row.document(r#"{"origins":["https://app.example.com"]}"#));
        for origin in ["https://evil.net", "null"] {
            let seen = row.exchanged(&policy, origin);
            assert_eq!(super::cors_names(&seen.answer), [""; 0], "{}", row.code);
            assert_eq!(varies_by(&seen.answer), ["origin"], "{}", row.code);
        }
    }
}

#[test]
fn a_request_that_cannot_be_checked_is_refused_readably() {
    let row = row("unchecked", 503, r#""request":{}"#);
    let unchecked = |section: &str, lines: &[(&str, &str)]| {
        let policy = policy(&row.document(section));
        let mut seen = exchanged(&policy, &upstream(&[]), &super::request("GET", lines));
        answer(&seen.exchange.unchecked(&Gateway::default()))
    };
    let named = r#"{"origins":["https://app.example.com"],"credentials":true}"#;
    let reply = unchecked(named, &[("origin", APP)]);
    assert_eq!(reply.status, 503);
    check_readable("unchecked", APP, true, &reply);
    let reply = unchecked(named, &[("origin", "https://evil.net")]);
    assert_eq!(super::cors_names(&reply), [""; 0]);
    assert_eq!(varies_by(&reply), ["origin"]);
    check_readable(
        "unchecked",
        APP,
        false,
        &unchecked(r#"{"origins":["*"]}"#, &[]),
    );
    // Where not even the head could be read, nobody is named, and caches are told so.
    let mut unread = policy(&row.document(named)).begin();
    let reply = answer(&unread.unchecked(&Gateway::default()));
    assert_eq!(
        (super::cors_names(&reply), varies_by(&reply)),
        (vec![], vec!["origin".to_owned()])
    );
    let mut unread = policy(&row.document(r#"{"origins":["*"]}"#)).begin();
    check_readable(
        "unchecked",
        APP,
        false,
        &answer(&unread.unchecked(&Gateway::default())),
    );
}

#[test]
fn what_a_reply_does_not_have_is_not_exposed() {
    let text = r#"{"version":1,"cors":{"origins":["https://app.example.com"],"expose_headers":["x-total"]},"request":{"methods":["GET"]}}"#;
    let seen = exchanged(
        &policy(text),
        &upstream(&[]),
        &super::request("PUT", &[("origin", APP)]),
    );
    let exposed = value(&seen.answer, "access-control-expose-headers").unwrap();
    assert_eq!(exposed.to_lowercase(), "x-total");
}

#[test]
fn a_refused_body_is_as_readable_as_a_refused_head() {
    let row = row(
        "body-too-large",
        413,
        r#""request":{"max_body_bytes":"1B"}"#,
    );
    let policy =
        policy(&row.document(r#"{"origins":["https://app.example.com"],"credentials":true}"#));
    let mut seen = exchanged(
        &policy,
        &upstream(&[]),
        &super::request("POST", &[("origin", APP)]),
    );
    let reply = seen
        .exchange
        .on_request_body(2, &Gateway::default())
        .unwrap();
    assert_eq!(reply.status, 413);
    check_readable("body-too-large", APP, true, &answer(&reply));
}

#[test]
fn the_route_that_was_asked_for_says_who_reads_its_refusals() {
    let check = |request: &str, scheme: &str, host: &str, code: &str| {
        let text = format!(
            r#"{{"version":1,"cors":{{"origins":["https://other.test"]}},"request":{request},
            "routes":[{{"name":"a","path":"/a","cors":{{"origins":["https://app.example.com"]}}}}]}}"#
        );
        let mut lines = super::request("POST", &[]);
        lines[2].1 = host.into();
        lines[3].1 = scheme.into();
        let ask = |origin: &str| {
            let mut lines = lines.clone();
            lines.push((b"origin".to_vec(), origin.into()));
            let seen = exchanged(&policy(&text), &upstream(&[]), &lines);
            let found = seen.exchange.finish(&Gateway::default()).unwrap().findings[0]
                .refusal
                .code;
            assert_eq!(found, code);
            value(&seen.answer, "access-control-allow-origin")
        };
        assert_eq!(ask(APP).as_deref(), Some(APP), "{code}");
        assert_eq!(ask("https://other.test"), None, "{code}");
    };
    check(
        r#"{"max_header_bytes":"1B"}"#,
        "https",
        "api.example.com",
        "headers-too-large",
    );
    check(
        r#"{"hosts":["api.example.com"]}"#,
        "https",
        "evil.net",
        "host-not-allowed",
    );
    check(
        r#"{"hosts":["api.example.com"],"https":{}}"#,
        "http",
        "api.example.com",
        "https-required",
    );
    check(
        r#"{"methods":["GET"]}"#,
        "https",
        "api.example.com",
        "method-not-allowed",
    );
}
