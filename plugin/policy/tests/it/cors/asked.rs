//! What preflights ask for, one decision at a time: methods, header names, and how much of them.

use std::rc::Rc;

use portcullis_policy::Policy;

use super::preflights::{ACRM, APP, asked, is_granted, strict};
use super::{cors, preflighted, value};

#[test]
fn methods_are_compared_byte_for_byte() {
    let listed =
        cors(r#"{"origins":["https://app.example.com"],"methods":["put","PATCH","X-FOO"]}"#);
    let any = cors(r#"{"origins":["https://app.example.com"],"methods":["*"]}"#);
    let check = |policy: &Rc<Policy>, method: &str, granted: bool| {
        let answer = preflighted(policy, &asked(method, &[]));
        assert_eq!(is_granted(&answer), granted, "{method}");
    };
    // `put` in a policy is what browsers make of it; `put` on the wire is nothing that a browser sends.
    check(&listed, "PUT", true);
    check(&listed, "put", false);
    check(&listed, "PATCH", true);
    check(&listed, "patch", false);
    check(&listed, "X-FOO", true);
    check(&listed, "X-Foo", false);
    check(&listed, "PUT,PATCH", false);
    check(&listed, "PUT ", false);
    check(&listed, "*", false);
    check(&any, "patch", true);
    check(&any, "X!#$%&'*+-.^_`|~9", true);
    check(&any, "a b", false);
    check(&any, "a/b", false);
    check(&any, "é", false);
    // Safelisted is the exact name only.
    check(&listed, "GET", true);
    check(&listed, "get", false);
}

#[test]
fn forbidden_methods_are_never_granted() {
    let any = cors(r#"{"origins":["https://app.example.com"],"methods":["*"]}"#);
    for method in ["CONNECT", "TRACE", "TRACK", "trace", "Connect", "tRACK"] {
        assert!(
            !is_granted(&preflighted(&any, &asked(method, &[]))),
            "{method}"
        );
    }
}

#[test]
fn two_methods_asked_for_are_none() {
    let any = cors(r#"{"origins":["https://app.example.com"],"methods":["*"]}"#);
    let check = |first: &str, second: &str| {
        let answer = preflighted(&any, &[("origin", APP), (ACRM, first), (ACRM, second)]);
        assert!(!is_granted(&answer), "{first} {second}");
    };
    check("PUT", "PUT");
    check("PUT", "DELETE");
    check("GET", "");
}

#[test]
fn header_names_are_tokens_in_any_case_and_none_is_implied() {
    let policy = strict();
    let check = |names: &[&str], granted: bool| {
        let answer = preflighted(&policy, &asked("PUT", names));
        assert_eq!(is_granted(&answer), granted, "{names:?}");
    };
    check(&["content-type,x-api-key"], true);
    check(&["X-API-KEY", "Content-Type"], true);
    check(&["x-api-key,content-type"], true);
    check(&["x-api-key,x-api-key"], true);
    check(&["x-api-key ,\tcontent-type  "], true);
    check(&["x-api-key,", ",content-type"], true);
    check(&["x-api-ke"], false);
    check(&["x-api-keys"], false);
    check(&["x-api-key", "x-other"], false);
    check(&["accept"], false);
    check(&["authorization"], false);
    check(&["*"], false);
    check(&["x-api-key content-type"], false);
    check(&["x-api-key;content-type"], false);
    check(&["x-api-key\r\n"], false);
    check(&["x-api-key\u{b}"], false);
    check(&["\u{a0}x-api-key"], false);
    check(&["\"x-api-key\""], false);
    let bare = cors(r#"{"origins":["https://app.example.com"]}"#);
    assert!(!is_granted(&preflighted(
        &bare,
        &asked("POST", &["content-type"])
    )));
}

#[test]
fn a_wildcard_of_header_names_does_not_cover_authorization() {
    let check = |listed: &str, credentials: bool, names: &str, granted: bool| {
        let section = format!(
            r#"{{"origins":["https://app.example.com"],"request_headers":{listed},"credentials":{credentials}}}"#
        );
        let answer = preflighted(&cors(&section), &asked("GET", &[names]));
        assert_eq!(
            is_granted(&answer),
            granted,
            "{listed} {credentials} {names}"
        );
        if granted {
            // With credentials a `*` would be a name like any other.
            let echoed = value(&answer, "access-control-allow-headers");
            assert_eq!(echoed.as_deref(), Some(names));
        }
    };
    for credentials in [false, true] {
        check(r#"["*"]"#, credentials, "x-a,x-b", true);
        check(r#"["*"]"#, credentials, "authorization", false);
        check(r#"["*"]"#, credentials, "x-a,Authorization", false);
        check(
            r#"["*","Authorization"]"#,
            credentials,
            "authorization,x-a",
            true,
        );
    }
    // Nor does the policy that lets in everybody.
    let public = cors(r#"{"origins":["*"],"request_headers":["*"]}"#);
    assert!(!is_granted(&preflighted(
        &public,
        &asked("GET", &["authorization"])
    )));
}

#[test]
fn what_is_asked_in_headers_is_bounded() {
    let any = cors(r#"{"origins":["https://app.example.com"],"request_headers":["*"]}"#);
    let check = |lines: &[String], granted: bool| {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let answer = preflighted(&any, &asked("GET", &lines));
        let bytes: usize = lines.iter().map(|line| line.len()).sum();
        assert_eq!(
            is_granted(&answer),
            granted,
            "{} lines, {bytes} bytes",
            lines.len()
        );
    };
    let names = |count: usize| vec!["x"; count].join(",");
    // Bytes, on one line and on two.
    check(&["x".repeat(4096)], true);
    check(&["x".repeat(4097)], false);
    check(&["x".repeat(2048), "y".repeat(2048)], true);
    check(&["x".repeat(2048), "y".repeat(2049)], false);
    check(&[format!("x{}", " ".repeat(4095))], true);
    check(&[format!("x{}", " ".repeat(4096))], false);
    // Names.
    check(&[names(128)], true);
    check(&[names(129)], false);
    check(&[names(64), names(64)], true);
    check(&[names(64), names(65)], false);
    check(&vec!["x".to_owned(); 128], true);
    check(&vec!["x".to_owned(); 129], false);
    // Empty elements: so many commas make one more of them.
    check(&[",".repeat(15)], true);
    check(&[",".repeat(16)], false);
    check(&[format!("x{}", ",".repeat(16))], true);
    check(&[format!("x{}", ",".repeat(17))], false);
    check(&[format!("x{}", ", ".repeat(16))], true);
    check(&[format!("x{}", ",\t".repeat(17))], false);
    check(
        &[format!("x{}", ",".repeat(8)), format!("x{}", ",".repeat(8))],
        true,
    );
    check(
        &[format!("x{}", ",".repeat(8)), format!("x{}", ",".repeat(9))],
        false,
    );
    check(&vec![String::new(); 16], true);
    check(&vec![String::new(); 17], false);
    check(&[",".repeat(1 << 20)], false);
}
