//! Preflights, one decision at a time: what is one, and what is said to those that are granted and to those refused.

use std::rc::Rc;

use portcullis_policy::Policy;

use super::fetch::{Answer, Wish, fetch};
use super::{URL, cors, cors_names, exchanged, preflighted, request, upstream, value, varies_by};
use crate::policy;

pub(super) const APP: &str = "https://app.example.com";
pub(super) const ACRM: &str = "access-control-request-method";
pub(super) const ACRH: &str = "access-control-request-headers";

pub(super) fn strict() -> Rc<Policy> {
    cors(
        r#"{"origins":["https://app.example.com"],"methods":["PUT","DELETE"],"request_headers":["content-type","X-Api-Key"],
            "credentials":true,"expose_headers":["x-total"],"max_age":"10m"}"#,
    )
}

pub(super) fn asked<'a>(method: &'a str, names: &'a [&'a str]) -> Vec<(&'static str, &'a str)> {
    let mut lines = vec![("origin", APP), (ACRM, method)];
    lines.extend(names.iter().map(|names| (ACRH, *names)));
    lines
}

/// Granted is 204 with an origin; refused is 403 with nothing of the sort.
pub(super) fn is_granted(answer: &Answer) -> bool {
    match answer.status {
        204 => {
            assert!(value(answer, "access-control-allow-origin").is_some());
            true
        }
        403 => {
            assert_eq!(cors_names(answer), [""; 0]);
            false
        }
        _ => panic!("neither granted nor refused: {answer:?}"),
    }
}

#[test]
fn only_options_with_an_origin_and_a_method_asked_for_is_a_preflight() {
    let policy = strict();
    let check = |method: &str, lines: &[(&str, &str)], forwarded: bool| {
        let seen = exchanged(&policy, &upstream(&[]), &request(method, lines));
        assert_eq!(seen.forwarded, forwarded, "{method} {lines:?}");
    };
    check("OPTIONS", &asked("PUT", &[]), false);
    check("OPTIONS", &[("origin", ""), (ACRM, "PUT")], false);
    check(
        "OPTIONS",
        &[
            ("Origin", "https://evil.net"),
            ("Access-Control-Request-Method", "PUT"),
        ],
        false,
    );
    check("OPTIONS", &[("origin", APP)], true);
    check("OPTIONS", &[("origin", APP), (ACRM, "")], true);
    check("OPTIONS", &[(ACRM, "PUT")], true);
    check("OPTIONS", &[("origin", APP), (ACRH, "content-type")], true);
    check("options", &asked("PUT", &[]), true);
    check("GET", &asked("PUT", &[]), true);
    check("POST", &asked("PUT", &[]), true);
}

#[test]
fn a_preflight_is_answered_before_everything_that_could_turn_it_away() {
    let text = r#"{"version":1,"cors":{"origins":["https://app.example.com"],"methods":["*"]},
        "request":{"hosts":["api.example.com"],"https":{},"methods":["GET"]},
        "routes":[{"name":"a","path":"/other"}],"unmatched":"reject"}"#;
    let mut lines = request("OPTIONS", &asked("PUT", &[]));
    lines.retain(|(name, _)| name != b":scheme");
    let seen = exchanged(&policy(text), &upstream(&[]), &lines);
    assert_eq!((seen.forwarded, seen.answer.status), (false, 204));
    // The same over https: neither the method's rule nor the missing route has a say.
    assert!(is_granted(&preflighted(&policy(text), &asked("PUT", &[]))));
    let refused = preflighted(
        &policy(text),
        &[("origin", "https://evil.net"), (ACRM, "PUT")],
    );
    assert!(!is_granted(&refused));
}

#[test]
fn a_preflight_that_is_forwarded_is_not_redirected_either() {
    for cors in [
        "",
        r#","cors":{"origins":["*"],"mode":"report"}"#,
        r#","cors":{"origins":["*"],"mode":"off"}"#,
    ] {
        let text = format!(
            r#"{{"version":1,"request":{{"hosts":["api.example.com"],"https":{{}}}}{cors}}}"#
        );
        let mut lines = request("OPTIONS", &asked("GET", &[]));
        lines.retain(|(name, _)| name != b":scheme");
        assert!(
            exchanged(&policy(&text), &upstream(&[]), &lines).forwarded,
            "{text}"
        );
    }
}

#[test]
fn a_grant_says_what_was_asked_and_no_more() {
    let policy = strict();
    let check = |method: &str, names: &[&str], methods: Option<&str>, headers: Option<&str>| {
        let answer = preflighted(&policy, &asked(method, names));
        assert!(is_granted(&answer), "{method} {names:?}");
        let of = |name: &str| value(&answer, name);
        assert_eq!(of("access-control-allow-origin").as_deref(), Some(APP));
        assert_eq!(
            of("access-control-allow-credentials").as_deref(),
            Some("true")
        );
        assert_eq!(of("access-control-allow-methods").as_deref(), methods);
        assert_eq!(of("access-control-allow-headers").as_deref(), headers);
        assert_eq!(of("access-control-max-age").as_deref(), Some("600"));
        assert_eq!(of("access-control-expose-headers"), None);
        assert_eq!(of("content-type"), None);
        assert_eq!(varies_by(&answer), ["origin", ACRM, ACRH]);
    };
    check("PUT", &[], Some("PUT"), None);
    check("DELETE", &["x-api-key"], Some("DELETE"), Some("x-api-key"));
    check(
        "POST",
        &["content-type,x-api-key"],
        None,
        Some("content-type,x-api-key"),
    );
    check("GET", &["content-type"], None, Some("content-type"));
    check("HEAD", &[], None, None);
    check("PUT", &[""], Some("PUT"), None);
}

#[test]
fn the_status_and_the_age_of_a_grant_are_the_policys() {
    let check = |section: &str, status: u16, age: Option<&str>| {
        let text = format!(r#"{{"origins":["https://app.example.com"]{section}}}"#);
        let answer = preflighted(&cors(&text), &asked("GET", &[]));
        assert_eq!(answer.status, status, "{section}");
        assert_eq!(
            value(&answer, "access-control-max-age").as_deref(),
            age,
            "{section}"
        );
    };
    check("", 204, None);
    check(r#","preflight_status":200"#, 200, None);
    check(r#","preflight_status":299"#, 299, None);
    check(r#","max_age":-1"#, 204, Some("0"));
    check(r#","max_age":0"#, 204, Some("0"));
    check(r#","max_age":86400"#, 204, Some("86400"));
    check(r#","max_age":"2h""#, 204, Some("7200"));
}

#[test]
fn a_refusal_is_a_403_that_grants_nothing_and_still_varies() {
    let policy = strict();
    let check = |lines: &[(&str, &str)]| {
        let answer = preflighted(&policy, lines);
        assert!(!is_granted(&answer), "{lines:?}");
        assert_eq!(
            value(&answer, "content-type").as_deref(),
            Some("application/problem+json")
        );
        assert_eq!(varies_by(&answer), ["origin", ACRM, ACRH]);
    };
    check(&[("origin", "https://evil.net"), (ACRM, "PUT")]);
    check(&asked("PATCH", &[]));
    check(&asked("PUT", &["x-other"]));
}

#[test]
fn the_step_that_fails_is_the_first_one_in_the_order_of_the_standard() {
    let steps = |lines: &[(&str, &str)]| {
        let seen = exchanged(&strict(), &upstream(&[]), &request("OPTIONS", lines));
        let record = seen.exchange.finish(&crate::Gateway::default()).unwrap();
        let line: serde_json::Value = serde_json::from_str(&record.log_line().unwrap()).unwrap();
        assert_eq!(line["code"], "cors-preflight-not-allowed");
        line["rule"].as_str().unwrap().to_owned()
    };
    let all = [
        ("origin", "https://evil.net"),
        (ACRM, "PATCH"),
        (ACRH, "x-other"),
    ];
    assert_eq!(steps(&all), "cors.origins");
    assert_eq!(steps(&asked("PATCH", &["x-other"])), "cors.methods");
    assert_eq!(steps(&asked("PUT", &["x-other"])), "cors.request_headers");
}

#[test]
fn an_upload_listener_needs_no_method_and_no_header_listed() {
    let bare = cors(r#"{"origins":["https://app.example.com"]}"#);
    for method in ["GET", "HEAD", "POST"] {
        let wish = Wish {
            origin: APP.to_owned(),
            method: method.to_owned(),
            headers: Vec::new(),
            credentials: false,
            upload: true,
        };
        let got = fetch(&wish, &URL, &mut |lines| {
            exchanged(&bare, &upstream(&[]), lines).answer
        });
        assert_eq!(got.unwrap().status, 200, "{method}");
    }
}

#[test]
fn debug_lets_the_browser_say_which_step_failed() {
    let policy = cors(
        r#"{"origins":["https://app.example.com"],"methods":["PUT"],"request_headers":["x-a"],"credentials":true,"debug":true,"max_age":60}"#,
    );
    let check = |lines: &[(&str, &str)], step: &str, names: &[&str]| {
        let answer = preflighted(&policy, lines);
        assert_eq!(answer.status, 200);
        assert_eq!(value(&answer, "x-cors-refused-by").as_deref(), Some(step));
        let mut found = cors_names(&answer);
        found.sort();
        assert_eq!(found, names, "{lines:?}");
        assert_eq!(varies_by(&answer), ["origin", ACRM, ACRH]);
    };
    let credentials = "access-control-allow-credentials";
    let origin = "access-control-allow-origin";
    check(
        &[("origin", "https://evil.net"), (ACRM, "PUT")],
        "cors.origins",
        &[],
    );
    check(&asked("PATCH", &[]), "cors.methods", &[credentials, origin]);
    let methods = "access-control-allow-methods";
    check(
        &asked("PUT", &["x-b"]),
        "cors.request_headers",
        &[credentials, methods, origin],
    );
    // What is granted is granted as ever.
    let answer = preflighted(&policy, &asked("PUT", &["x-a"]));
    assert_eq!(
        (answer.status, value(&answer, "x-cors-refused-by")),
        (204, None)
    );
    // And what is refused is still blocked by every browser.
    for (method, header) in [("PATCH", "x-a"), ("PUT", "x-b")] {
        let wish = Wish {
            origin: APP.to_owned(),
            method: method.to_owned(),
            headers: vec![header.to_owned()],
            credentials: true,
            upload: true,
        };
        assert!(
            fetch(&wish, &URL, &mut |lines| exchanged(
                &policy,
                &upstream(&[]),
                lines
            )
            .answer)
            .is_err()
        );
    }
}
