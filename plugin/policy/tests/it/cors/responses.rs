//! Actual requests and their responses, one decision at a time: who may read what, and what caches are told.

use std::rc::Rc;

use portcullis_policy::Policy;

use super::fetch::{Answer, Wish, judge_response};
use super::{
    cors, cors_names, exchanged, preflighted, request, responded, upstream, value, varies_by,
};
use crate::policy;

const APP: &str = "https://app.example.com";
const ACAO: &str = "access-control-allow-origin";

fn strip() -> Rc<Policy> {
    cors(
        r#"{"origins":["https://app.example.com"],"credentials":true,"expose_headers":["X-Total","etag"]}"#,
    )
}

fn get(policy: &Rc<Policy>, origin: Option<&str>, from: &[(&str, &str)]) -> Answer {
    let lines: Vec<(&str, &str)> = origin.iter().map(|origin| ("origin", *origin)).collect();
    let seen = exchanged(policy, &upstream(from), &request("GET", &lines));
    assert!(seen.forwarded);
    seen.answer
}

#[test]
fn an_allowed_page_reads_with_credentials_and_what_is_exposed() {
    let answer = get(&strip(), Some(APP), &[("x-total", "5"), ("x-secret", "1")]);
    assert_eq!(value(&answer, ACAO).as_deref(), Some(APP));
    assert_eq!(
        value(&answer, "access-control-allow-credentials").as_deref(),
        Some("true")
    );
    assert_eq!(varies_by(&answer), ["origin"]);
    assert_eq!(value(&answer, "access-control-allow-methods"), None);
    assert_eq!(value(&answer, "access-control-allow-headers"), None);
    assert_eq!(value(&answer, "access-control-max-age"), None);
    let wish = Wish {
        origin: APP.to_owned(),
        method: "GET".to_owned(),
        headers: Vec::new(),
        credentials: true,
        upload: false,
    };
    let names = judge_response(&wish, &answer).unwrap().names;
    assert!(
        names.contains("x-total") && !names.contains("x-secret"),
        "{names:?}"
    );
}

#[test]
fn what_is_readable_anyway_is_not_exposed_again() {
    let check = |listed: &str, exposed: Option<&str>| {
        let section =
            format!(r#"{{"origins":["https://app.example.com"],"expose_headers":{listed}}}"#);
        let answer = get(&cors(&section), Some(APP), &[]);
        let names = value(&answer, "access-control-expose-headers");
        assert_eq!(
            names.map(|names| names.to_lowercase()).as_deref(),
            exposed,
            "{listed}"
        );
    };
    check(r#"["Content-Type","X-Total","expires"]"#, Some("x-total"));
    check(r#"["cache-control","pragma"]"#, None);
    check(r#"["*"]"#, Some("*"));
}

#[test]
fn nobody_else_gets_a_cors_header_and_the_request_goes_on() {
    for origin in [None, Some("https://evil.net"), Some("null"), Some("")] {
        let answer = get(&strip(), origin, &[("content-type", "text/plain")]);
        assert_eq!(cors_names(&answer), [""; 0], "{origin:?}");
        assert_eq!(varies_by(&answer), ["origin"], "{origin:?}");
    }
}

#[test]
fn the_method_of_an_actual_request_is_no_matter() {
    for method in ["DELETE", "PATCH", "patch", "OPTIONS", "Foo"] {
        let seen = exchanged(
            &strip(),
            &upstream(&[]),
            &request(method, &[("origin", APP)]),
        );
        assert!(seen.forwarded);
        assert_eq!(value(&seen.answer, ACAO).as_deref(), Some(APP), "{method}");
    }
}

#[test]
fn the_upstreams_cors_headers_are_replaced_and_nothing_else_is() {
    let from = [
        ("Access-Control-Allow-Origin", "*"),
        ("access-control-allow-origin", "https://evil.net"),
        ("ACCESS-CONTROL-ALLOW-CREDENTIALS", "true"),
        ("access-control-allow-methods", "TRACE"),
        ("access-control-allow-headers", "*"),
        ("access-control-expose-headers", "x-secret"),
        ("access-control-max-age", "86400"),
        ("access-control-allow-private-network", "true"),
        ("access-controls", "kept"),
        ("x-access-control-allow-origin", "kept"),
        ("content-type", "text/plain"),
    ];
    let kept = [
        "access-controls",
        "x-access-control-allow-origin",
        "content-type",
    ];
    let check = |origin: &str, expected: &[&str]| {
        let answer = get(&strip(), Some(origin), &from);
        let mut names = cors_names(&answer);
        names.sort();
        assert_eq!(names, expected, "{origin}");
        for name in kept {
            assert!(value(&answer, name).is_some(), "{name}");
        }
    };
    check("https://evil.net", &[]);
    check(
        APP,
        &[
            "access-control-allow-credentials",
            ACAO,
            "access-control-expose-headers",
        ],
    );
    let answer = get(&strip(), Some(APP), &from);
    assert_eq!(value(&answer, ACAO).as_deref(), Some(APP));
}

#[test]
fn vary_is_merged_and_never_lost() {
    let check = |from: &[&str], expected: &[&str]| {
        let lines: Vec<(&str, &str)> = from.iter().map(|value| ("Vary", *value)).collect();
        for origin in [None, Some(APP), Some("https://evil.net")] {
            let answer = get(&strip(), origin, &lines);
            let vary = answer
                .headers
                .iter()
                .filter(|(name, _)| name.eq_ignore_ascii_case(b"vary"));
            let vary: Vec<&str> = vary
                .map(|(_, value)| std::str::from_utf8(value).unwrap())
                .collect();
            assert_eq!(vary, expected, "{from:?}");
        }
    };
    check(&[], &["Origin"]);
    check(&["Accept-Encoding"], &["Accept-Encoding, Origin"]);
    check(
        &["Accept-Encoding, Accept"],
        &["Accept-Encoding, Accept, Origin"],
    );
    check(
        &["Accept-Encoding", "Accept"],
        &["Accept-Encoding, Accept, Origin"],
    );
    check(&["Origin"], &["Origin"]);
    check(&["accept,ORIGIN"], &["accept,ORIGIN"]);
    check(&["accept", "origin"], &["accept", "origin"]);
    check(&["*"], &["*"]);
    check(&["accept", "*"], &["accept", "*"]);
    check(&["X-Origin"], &["X-Origin, Origin"]);
    check(&["Originator"], &["Originator, Origin"]);
}

#[test]
fn vary_stands_on_every_kind_of_response() {
    for status in [200, 204, 301, 304, 404, 429, 500, 503] {
        let from = Answer {
            status,
            headers: Vec::new(),
        };
        for lines in [
            &[][..],
            &[("origin", APP)],
            &[("origin", "https://evil.net")],
        ] {
            let answer = exchanged(&strip(), &from, &request("GET", lines)).answer;
            assert_eq!(
                (answer.status, varies_by(&answer)),
                (status, vec!["origin".to_owned()])
            );
        }
    }
    // What the gateway says by itself.
    let text = r#"{"version":1,"cors":{"origins":["https://app.example.com"]},"request":{"methods":["GET"]}}"#;
    for lines in [
        &[][..],
        &[("origin", APP)],
        &[("origin", "https://evil.net")],
    ] {
        let seen = exchanged(&policy(text), &upstream(&[]), &request("PUT", lines));
        assert_eq!((seen.answer.status, seen.forwarded), (405, false));
        assert_eq!(varies_by(&seen.answer), ["origin"]);
    }
}

#[test]
fn a_public_policy_says_the_same_to_everybody() {
    let public = cors(r#"{"origins":["*"],"expose_headers":["x-total"],"on_disallowed":"reject"}"#);
    for origin in [None, Some(APP), Some("null"), Some("https://evil.net")] {
        let answer = get(
            &public,
            origin,
            &[
                (ACAO, "https://evil.net"),
                ("access-control-allow-credentials", "true"),
            ],
        );
        assert_eq!(value(&answer, ACAO).as_deref(), Some("*"), "{origin:?}");
        assert_eq!(value(&answer, "access-control-allow-credentials"), None);
        assert_eq!(
            value(&answer, "access-control-expose-headers")
                .map(|names| names.to_lowercase())
                .as_deref(),
            Some("x-total")
        );
        assert_eq!(varies_by(&answer), [""; 0], "{origin:?}");
    }
    let answer = get(&public, Some(APP), &[("vary", "accept")]);
    assert_eq!(value(&answer, "vary").as_deref(), Some("accept"));
}

#[test]
fn off_and_report_pass_every_byte() {
    let from = upstream(&[
        (ACAO, "*"),
        ("Access-Control-Allow-Origin", "x"),
        ("vary", "accept"),
    ]);
    for mode in ["off", "report"] {
        let policy = cors(&format!(
            r#"{{"mode":"{mode}","origins":["https://app.example.com"],"on_disallowed":"reject"}}"#
        ));
        for origin in [APP, "https://evil.net"] {
            let asked = [("origin", origin), ("access-control-request-method", "PUT")];
            for lines in [request("OPTIONS", &asked), request("POST", &asked)] {
                let seen = exchanged(&policy, &from, &lines);
                assert!(seen.forwarded, "{mode} {origin}");
                assert_eq!(responded(&seen.exchange, &from.headers), from.headers);
                let found = seen
                    .exchange
                    .finish(&crate::Gateway::default())
                    .map_or(0, |record| record.findings.len());
                let refused = mode == "report" && (origin != APP || lines[0].1 == b"OPTIONS");
                assert_eq!(
                    found,
                    usize::from(refused),
                    "{mode} {origin} {:?}",
                    lines[0]
                );
            }
        }
    }
}

#[test]
fn the_operators_headers_have_no_say_in_what_cors_writes() {
    let text = r#"{"version":1,"cors":{"origins":["https://app.example.com"]},"headers":{"set":{"vary":"Accept","x-a":"1"}}}"#;
    for origin in [APP, "https://evil.net"] {
        let answer = exchanged(
            &policy(text),
            &upstream(&[]),
            &request("GET", &[("origin", origin)]),
        )
        .answer;
        assert_eq!(varies_by(&answer), ["accept", "origin"]);
        assert_eq!(value(&answer, ACAO).is_some(), origin == APP);
    }
    let removes = r#"{"version":1,"cors":{"origins":["https://app.example.com"]},"headers":{"remove":["vary"]}}"#;
    let answer = exchanged(
        &policy(removes),
        &upstream(&[("Vary", "Accept")]),
        &request("GET", &[]),
    )
    .answer;
    assert_eq!(varies_by(&answer), ["origin"]);
}

#[test]
fn a_route_may_have_a_section_of_its_own() {
    let text = r#"{"version":1,"cors":{"origins":["https://app.example.com"],"methods":["PUT"]},"routes":[
        {"name":"put","path":"/a","methods":["PUT"],"cors":{"origins":["https://put.test"]}},
        {"name":"b","path":"/b","cors":{"origins":["*"],"methods":[]}},
        {"name":"c","path":"/c","mode":"off"}]}"#;
    let text = text.replace(r#","methods":[]"#, "");
    let policy = policy(&text);
    let asked = |origin: &'static str, method: &'static str| {
        let lines = [
            ("origin", origin),
            ("access-control-request-method", method),
        ];
        value(&preflighted(&policy, &lines), ACAO)
    };
    // A preflight finds the route of the request that it asks for.
    assert_eq!(
        asked("https://put.test", "PUT").as_deref(),
        Some("https://put.test")
    );
    assert_eq!(asked(APP, "PUT"), None);
    assert_eq!(asked(APP, "GET").as_deref(), Some(APP));
    assert_eq!(asked("https://put.test", "GET"), None);
    let at = |path: &str| {
        let mut lines = request("GET", &[("origin", "https://evil.net")]);
        lines[1].1 = path.into();
        exchanged(&policy, &upstream(&[]), &lines).answer
    };
    assert_eq!(value(&at("/b"), ACAO).as_deref(), Some("*"));
    assert_eq!(varies_by(&at("/b")), [""; 0]);
    assert_eq!(varies_by(&at("/a")), ["origin"]);
    assert_eq!(varies_by(&at("/c")), [""; 0]);
}
