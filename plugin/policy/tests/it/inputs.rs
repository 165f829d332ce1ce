//! Parameters and bodies: what is refused, what goes on, and that neither depends on how a body comes.

use std::rc::Rc;

use portcullis_policy::{Mode, Policy, load};
use proptest::prelude::*;

use super::policy;
use super::sent::{Judged, sent};

fn route(validate: &str, rest: &str) -> Rc<Policy> {
    policy(&format!(
        r#"{{"version":1{rest},"routes":[{{"name":"a","path":"/a/{{id}}","validate":{validate}}}]}}"#
    ))
}

const JSON: (&str, &str) = ("content-type", "application/json");

fn post(body: &[u8], lines: &[(&'static str, &'static str)], policy: &Rc<Policy>) -> Judged {
    let mut head = vec![
        (":method", "POST"),
        (":path", "/a/7?limit=5"),
        (":authority", "a.test"),
    ];
    head.extend(lines);
    let pieces: &[&[u8]] = if body.is_empty() { &[] } else { &[body] };
    sent(policy, &head, pieces)
}

const SMALL: &str =
    r#"{"body":{"schema":{"type":"object","required":["a"],"properties":{"a":{"maxLength":3}}}}}"#;

#[test]
fn a_body_is_held_judged_and_goes_on_as_it_came() {
    let policy = route(SMALL, "");
    let passed = post(br#"{"a": "xyz"}"#, &[JSON], &policy);
    assert_eq!((passed.status, passed.held), (0, true));
    assert_eq!((passed.replaced, passed.findings), (None, vec![]));
    let check = |body: &[u8], lines: &[(&'static str, &'static str)], status, code, told: &str| {
        let judged = post(body, lines, &policy);
        assert_eq!(judged.status, status, "{judged:?}");
        assert_eq!(judged.codes(), [code]);
        assert!(judged.reply.contains(told), "{}", judged.reply);
    };
    check(
        br#"{"a":"xyz!"}"#,
        &[JSON],
        422,
        "input-invalid",
        r#""pointer":"/a","loc":["body","a"],"type":"string_too_long","keyword":"maxLength""#,
    );
    check(b"{}", &[JSON], 422, "input-invalid", r#""type":"missing""#);
    check(b"", &[JSON], 422, "input-invalid", r#""loc":["body"]"#);
    check(b"{", &[JSON], 400, "body-malformed", "at byte 1");
    check(b"{}", &[], 415, "content-type-not-allowed", "415");
    check(
        b"{}",
        &[JSON, ("content-encoding", "gzip")],
        415,
        "content-encoding-not-allowed",
        "415",
    );
    let announced = [JSON, ("content-length", "65537")];
    check(b"{}", &announced, 413, "body-too-large", "413");
    check(&[b' '; 65537], &[JSON], 413, "body-too-large", "413");
}

#[test]
fn the_value_is_never_told() {
    let policy = route(
        r#"{"query":{"limit":{"schema":{"type":"integer","maximum":9}}},"headers":{"x-key":{"schema":{"pattern":"^k"}}},
            "body":{"schema":{"type":"object","additionalProperties":{"type":"integer","enum":[1]}}}}"#,
        "",
    );
    let key = ("x-key", "s3cret");
    let judged = post(br#"{"a":"s3cret"}"#, &[JSON, key], &policy);
    assert_eq!(judged.status, 422);
    assert!(!judged.reply.contains("s3cret"), "{}", judged.reply);
    assert_eq!(judged.findings[0].input, ["header /x-key pattern"]);
    let judged = post(br#"{"a":"s3cret"}"#, &[JSON, ("x-key", "k")], &policy);
    assert_eq!(judged.findings[0].input[0], "body /a type");
    assert!(!judged.reply.contains("s3cret"), "{}", judged.reply);
}

#[test]
fn a_report_looks_on_and_changes_nothing() {
    let schema = r#"{"mode":"report","query":{"limit":{"schema":{"type":"boolean"}}},"body":{"normalize":{"/a":["trim"]},"max_bytes":"20B","schema":{"required":["b"]}}}"#;
    let policy = route(schema, r#","request":{"max_body_bytes":"40B"}"#);
    let judged = post(br#"{"a":" x"}"#, &[JSON], &policy);
    assert_eq!((judged.status, judged.held), (0, false));
    assert_eq!(judged.replaced, None);
    assert_eq!(judged.codes(), ["input-invalid", "input-invalid"]);
    assert!(judged.findings.iter().all(|f| f.mode == Mode::Report));
    let typed = post(b"<a/>", &[("content-type", "text/xml")], &policy);
    assert_eq!(
        (typed.status, typed.codes()),
        (0, vec!["input-invalid", "content-type-not-allowed"])
    );
    // What is too long to be judged is not judged, and that is told; the shared limit still stands.
    let long = post(&[b' '; 30], &[JSON], &policy);
    assert_eq!(
        (long.status, long.codes()),
        (0, vec!["input-invalid", "body-too-large"])
    );
    assert!(
        long.log.contains(r#""decision":"unjudged""#),
        "{}",
        long.log
    );
    assert_eq!(post(&[b' '; 41], &[JSON], &policy).status, 413);
}

#[test]
fn an_outer_mode_caps_it_and_off_is_off() {
    let off = route(SMALL, r#","mode":"off""#);
    assert_eq!(post(b"{", &[JSON], &off), Judged::default());
    let report = post(b"{", &[JSON], &route(SMALL, r#","mode":"report""#));
    assert_eq!((report.status, report.codes()), (0, vec!["body-malformed"]));
}

#[test]
fn a_routes_own_limit_stands_in_place_of_the_shared_one() {
    let shared = r#","request":{"max_body_bytes":"4B"}"#;
    let policy = route(SMALL, shared);
    let length = ("content-length", "12");
    assert_eq!(post(br#"{"a": "xyz"}"#, &[JSON, length], &policy).status, 0);
    // A body that is not read is only counted.
    let counted = route(r#"{"body":{"max_bytes":"8B"}}"#, shared);
    let judged = post(b"12345678", &[], &counted);
    assert_eq!((judged.status, judged.held), (0, false));
    let judged = post(b"123456789", &[], &counted);
    assert_eq!(
        (judged.status, judged.codes()),
        (413, vec!["body-too-large"])
    );
    assert_eq!(
        judged.findings[0].refusal.rule, "validate.body.max_bytes",
        "the log says which limit it was"
    );
}

#[test]
fn no_body_is_waited_for_where_none_comes() {
    let policy = route(SMALL, "");
    // What follows an upgrade is no body, and might be read as one.
    let head = [
        (":method", "GET"),
        (":path", "/a/7"),
        ("upgrade", "websocket"),
    ];
    let optional = SMALL.replace(r#"{"body":{"#, r#"{"body":{"required":false,"#);
    for policy in [&policy, &route(&optional, "")] {
        let judged = sent(policy, &head, &[b"\x81"]);
        assert_eq!((judged.status, judged.held), (413, false));
        assert_eq!(judged.codes(), ["body-unreadable"]);
    }
    assert_eq!(sent(&route(&optional, ""), &head, &[]).status, 0);
    assert_eq!(post(b"", &[], &route(&optional, "")).status, 0);
    // Preflights are judged by what they ask for, and bring nothing.
    let preflight = [
        (":method", "OPTIONS"),
        (":path", "/a/7"),
        ("origin", "https://x.test"),
        ("access-control-request-method", "POST"),
    ];
    assert_eq!(sent(&policy, &preflight, &[]), Judged::default());
}

#[test]
fn what_is_normalized_goes_on_normalized() {
    let policy = route(
        r#"{"body":{"normalize":{"/a":["trim","lowercase"]},"schema":{"properties":{"a":{"const":"x\u00e9"}}}}}"#,
        "",
    );
    let sent = "{ \"n\": 1.50, \"a\" : \" X\u{c9} \", \"a2\":\"\\u0041\" }";
    let judged = post(sent.as_bytes(), &[JSON], &policy);
    assert_eq!(judged.status, 0, "{judged:?}");
    let replaced = String::from_utf8(judged.replaced.unwrap()).unwrap();
    assert_eq!(
        replaced,
        "{ \"n\": 1.50, \"a\" : \"x\u{e9}\", \"a2\":\"\\u0041\" }"
    );
    let same = post(replaced.as_bytes(), &[JSON], &policy);
    assert_eq!((same.status, same.replaced), (0, None));
}

#[test]
fn a_schema_that_cannot_be_enforced_loads_no_policy() {
    let check = |schema: &str, code: &str| {
        let text = format!(
            r#"{{"version":1,"routes":[{{"name":"a","path":"/","validate":{{"mode":"off","body":{{"schema":{schema}}}}}}}]}}"#
        );
        let verdict = load(text.as_bytes());
        assert!(verdict.policy.is_none(), "{schema}");
        let codes: Vec<String> = verdict
            .diagnostics
            .iter()
            .map(|d| format!("{} {}", d.code, d.pointer))
            .collect();
        let expected = format!("{code} /routes/0/validate/body/schema");
        assert!(
            codes.iter().any(|found| found.starts_with(&expected)),
            "{codes:?}"
        );
    };
    check(r##"{"$ref":"#/$defs/nowhere"}"##, "schema-ref");
    check(r#"{"pattern":"(?=a)"}"#, "schema-pattern");
    check(r#"{"type":"strnig"}"#, "schema-invalid");
}

/// Bodies that pass and bodies that are refused, each for another reason.
const BODIES: [&[u8]; 7] = [
    br#"{"a":"xyz"}"#,
    br#"{"a":"wxyz"}"#,
    b"{\"a\":\"\xc3\xa9\"}",
    br#"{"a":" "#,
    br#"{"a":1,"\u0061":2}"#,
    b"[]",
    b" ",
];

proptest! {
    #[test]
    fn how_a_body_is_cut_changes_nothing(
        body in proptest::sample::select(BODIES.to_vec()),
        cuts in proptest::collection::vec(0usize..12, 0..6),
        report in any::<bool>(),
    ) {
        let mode = if report { r#","mode":"report""# } else { "" };
        let policy = route(SMALL, mode);
        let head = [(":method", "POST"), (":path", "/a/7"), JSON];
        let whole = sent(&policy, &head, &[body]);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(body.len())).collect();
        cuts.extend([0, body.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect();
        prop_assert_eq!(sent(&policy, &head, &pieces), whole);
    }
}
