//! Profanity: where it is looked for, and what is done about it. What counts is the matcher's to test; here it is an
//! operator's own word.

use std::rc::Rc;

use portcullis_policy::{Policy, load};

use super::policy;
use super::sent::{Judged, sent};

const JSON: (&str, &str) = ("content-type", "application/json");

/// A policy whose one route has this `profanity` beside the word, and whatever else.
fn route(profanity: &str, rest: &str) -> Rc<Policy> {
    policy(&written(profanity, rest))
}

fn written(profanity: &str, rest: &str) -> String {
    format!(
        r#"{{"version":1,"profanity":{{"words":["grobnik"],"allow":["grobniket"]}},
            "routes":[{{"name":"a","path":"/a/{{id}}","profanity":{profanity}{rest}}}]}}"#
    )
}

fn post(policy: &Rc<Policy>, path: &str, lines: &[(&str, &str)], body: &[u8]) -> Judged {
    let mut head = vec![
        (":method", "POST"),
        (":path", path),
        (":authority", "a.test"),
    ];
    head.extend(lines);
    let pieces: &[&[u8]] = if body.is_empty() { &[] } else { &[body] };
    sent(policy, &head, pieces)
}

#[test]
fn each_place_is_looked_at_and_no_other() {
    let check = |profanity: &str, path: &str, lines: &[(&str, &str)], body: &str, told: &str| {
        let policy = route(profanity, "");
        let judged = post(&policy, path, lines, body.as_bytes());
        let pointers: Vec<String> = serde_json::from_str::<serde_json::Value>(&judged.reply)
            .ok()
            .and_then(|reply| Some(reply.get("errors")?.as_array()?.clone()))
            .unwrap_or_default()
            .iter()
            .map(|e| format!("{} {}", e["in"], e["pointer"]).replace('"', ""))
            .collect();
        assert_eq!(pointers.join(", "), told, "{profanity} {path} {body}");
        assert_eq!(judged.status, if told.is_empty() { 0 } else { 422 });
        assert!(
            !judged.reply.to_lowercase().contains("grobnik"),
            "{}",
            judged.reply
        );
        assert!(
            !judged.log.to_lowercase().contains("\"body /name grobnik"),
            "{}",
            judged.log
        );
    };
    let bad = r#"{"name":"a Grobnik","list":["x",{"name":"grobnik!"}],"grobnik":1}"#;
    check(
        r#"{"fields":["/name"]}"#,
        "/a/1",
        &[JSON],
        bad,
        "body /name",
    );
    check(
        r#"{"fields":["/list/*/name"]}"#,
        "/a/1",
        &[JSON],
        bad,
        "body /list/1/name",
    );
    check(
        r#"{"fields":["/list"]}"#,
        "/a/1",
        &[JSON],
        bad,
        "body /list/1/name",
    );
    check(
        r#"{"fields":"all"}"#,
        "/a/1",
        &[JSON],
        bad,
        "body /list/1/name, body /name",
    );
    check(
        r#"{"fields":["/list","/name","/*"]}"#,
        "/a/1",
        &[JSON],
        bad,
        "body /list/1/name, body /name",
    );
    check(r#"{"fields":["/other"]}"#, "/a/1", &[JSON], bad, "");
    check(
        r#"{"fields":"all"}"#,
        "/a/1",
        &[JSON],
        r#"{"grobnik":"grobniket"}"#,
        "",
    );
    check(
        r#"{"fields":"all"}"#,
        "/a/1",
        &[JSON],
        r#"{"mail":"grobnik@a.test","url":"https://a.test/grobnik"}"#,
        "",
    );
    check(
        r#"{"fields":["/mail"]}"#,
        "/a/1",
        &[JSON],
        r#"{"mail":"grobnik b"}"#,
        "body /mail",
    );
    check(
        r#"{"fields":["/name"]}"#,
        "/a/1",
        &[JSON],
        r#"{"name":"\u0067robnik"}"#,
        "body /name",
    );
    check(
        r#"{"query":["q"]}"#,
        "/a/grobnik?q=a&p=grobnik&q=x+%67robnik",
        &[],
        "",
        "query /q",
    );
    check(
        r#"{"query":["q"]}"#,
        "/a/1?%71=grobnik",
        &[],
        "",
        "query /q",
    );
    check(r#"{"path":["id"]}"#, "/a/Grobnik", &[], "", "path /id");
    check(
        r#"{"path":["id"]}"#,
        "/a/%47robnik;v=1",
        &[],
        "",
        "path /id",
    );
    check(
        r#"{"headers":["x-name"]}"#,
        "/a/1",
        &[("x-name", "a"), ("X-Name", "grobnik")],
        "",
        "header /x-name",
    );
    check(
        r#"{"query":["q"],"headers":["x-name"]}"#,
        "/a/1?q=grobnik",
        &[("x-name", "grobnik")],
        "",
        "query /q, header /x-name",
    );
    // What is no text cannot be looked at.
    check(r#"{"query":["q"]}"#, "/a/1?q=%ff", &[], "", "query /q");
    check(r#"{"query":["q"]}"#, "/a/1?q=%g0", &[], "", "query /q");
}

#[test]
fn the_log_names_the_entry_and_never_the_word() {
    let judged = post(
        &route(r#"{"fields":["/name"]}"#, ""),
        "/a/1",
        &[JSON],
        br#"{"name":"grobnik"}"#,
    );
    assert!(judged.log.contains(r#""rule":"profanity","code":"profanity-found","input":["body /name profanity words/0"]"#), "{}", judged.log);
    assert!(!judged.log.contains("grobnik"), "{}", judged.log);
}

#[test]
fn neither_the_log_nor_the_answer_holds_a_word_from_wherever_it_stood() {
    let everywhere = r#""fields":"all","path":["id"],"query":["q"]"#;
    for (mode, action) in [
        ("enforce", "reject"),
        ("report", "reject"),
        ("enforce", "tag"),
        ("report", "tag"),
    ] {
        let with = format!(r#"{{"mode":"{mode}","action":"{action}",{everywhere}}}"#);
        let policy = route(&with, "");
        for (path, body, logged) in [
            ("/a/x?n=1&q=a+grobnik&m=2", "", "/a/x"),
            ("//a/%47robnik;v=1/?q=ok&q=grobnik", "", "//a/*/"),
            ("/a/grobnik", "", "/a/*"),
            ("/a/1", r#"{"a Grobnik":"grobnik"}"#, "/a/1"),
        ] {
            let judged = post(&policy, path, &[JSON], body.as_bytes());
            let line: serde_json::Value = serde_json::from_str(&judged.log).unwrap();
            assert_eq!(line["path"], logged, "{mode} {action}");
            for told in [&judged.log, &judged.reply] {
                let told = told.to_lowercase();
                assert!(!told.contains("robnik"), "{mode} {action} {told}");
            }
        }
    }
}

#[test]
fn the_log_line_is_about_what_was_done() {
    let validate = r#","validate":{"mode":"report","body":{"schema":{"required":["b"]}}}"#;
    for (profanity, path, body, decision) in [
        (
            r#"{"action":"mask","fields":["/a"]}"#,
            "/a/1",
            r#"{"a":"grobnik"}"#,
            "masked",
        ),
        (
            r#"{"action":"tag","fields":["/a"]}"#,
            "/a/1",
            r#"{"a":"grobnik"}"#,
            "tagged",
        ),
        (
            r#"{"action":"tag","query":["q"]}"#,
            "/a/1?q=grobnik",
            "{}",
            "tagged",
        ),
        (
            r#"{"fields":["/a"]}"#,
            "/a/1",
            r#"{"a":"grobnik"}"#,
            "refused",
        ),
    ] {
        let judged = post(&route(profanity, validate), path, &[JSON], body.as_bytes());
        let line: serde_json::Value = serde_json::from_str(&judged.log).unwrap();
        assert_eq!(line["decision"], decision, "{line}");
        assert_eq!(line["would_refuse"], serde_json::json!(["input-invalid"]));
    }
    // Being told is no refusal that might have been.
    let both = r#"{"action":"tag","fields":["/a"],"query":["q"]}"#;
    let judged = post(&route(both, ""), "/a/1?q=grobnik", &[JSON], b"{");
    let line: serde_json::Value = serde_json::from_str(&judged.log).unwrap();
    assert_eq!(line["code"], "body-malformed");
    assert_eq!(line.get("would_refuse"), None);
}

#[test]
fn masking_changes_the_word_and_nothing_else() {
    let fields = r#"{"action":"mask","fields":["/name","/list/*"]}"#;
    let plain = route(fields, "");
    let check = |policy: &Rc<Policy>, lines, body: &str, expected: Option<&str>| {
        let judged = post(policy, "/a/1", lines, body.as_bytes());
        assert_eq!(judged.status, 0, "{judged:?}");
        let replaced = judged
            .replaced
            .map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(replaced.as_deref(), expected, "{body}");
        let said = if expected.is_some_and(|body| body.contains('*')) {
            r#""decision":"masked""#
        } else {
            ""
        };
        assert!(judged.log.contains(said), "{}", judged.log);
        assert!(!judged.log.contains("\"status\""), "{}", judged.log);
    };
    let json = &[JSON][..];
    check(&plain, json, r#"{"name":"ok","n":1.50}"#, None);
    check(
        &plain,
        json,
        "{ \"n\" : 1.50 ,\n\"name\":\t\"a \\u0047robnik, \\u00e9\" }",
        Some("{ \"n\" : 1.50 ,\n\"name\":\t\"a *******, é\" }"),
    );
    check(
        &plain,
        json,
        r#"{"list":["grobnik",1,["x grobnik"]],"other":"grobnik"}"#,
        Some(r#"{"list":["*******",1,["x *******"]],"other":"grobnik"}"#),
    );
    // As it is normalised, and then masked; what the schema judges is what goes on.
    let normal = route(
        fields,
        r#","validate":{"body":{"normalize":{"/name":["trim"]},"schema":{"properties":{"name":{"pattern":"^[a-z* ]*$"}}}}}"#,
    );
    check(
        &normal,
        json,
        r#"{"name":" a grobnik "}"#,
        Some(r#"{"name":"a *******"}"#),
    );
    check(
        &normal,
        json,
        r#"{"name":" a b "}"#,
        Some(r#"{"name":"a b"}"#),
    );
    check(
        &normal,
        json,
        r#"{"name":"grobnik"}"#,
        Some(r#"{"name":"*******"}"#),
    );
    let strict = route(
        fields,
        r#","validate":{"body":{"schema":{"properties":{"name":{"pattern":"^[a-z]*$"}}}}}"#,
    );
    assert_eq!(
        post(&strict, "/a/1", json, br#"{"name":"grobnik"}"#).codes(),
        ["input-invalid"]
    );
    let form = route(
        fields,
        r#","validate":{"body":{"content_types":["application/x-www-form-urlencoded"]}}"#,
    );
    let urlencoded = &[("content-type", "application/x-www-form-urlencoded")][..];
    check(
        &form,
        urlencoded,
        "b=%41&name=a+grobnik&c=d",
        Some("b=%41&name=a+*******&c=d"),
    );
    check(&form, urlencoded, "name=a%20b", None);
}

#[test]
fn tags_tell_the_upstream_and_nobody_else_does() {
    let check =
        |profanity: &str, path: &str, lines: &[(&str, &str)], body: &str, edits: &[&str]| {
            let judged = post(&route(profanity, ""), path, lines, body.as_bytes());
            assert_eq!(judged.status, 0, "{judged:?}");
            assert_eq!(judged.edits, edits, "{profanity} {path}");
        };
    let body = r#"{"action":"tag","fields":["/a","/b"]}"#;
    let own = [JSON, ("X-Profanity", "severity=0"), ("x_profanity", "none")];
    check(body, "/a/1", &[JSON], r#"{"a":"x"}"#, &[]);
    check(
        body,
        "/a/1",
        &own,
        r#"{"a":"x"}"#,
        &["-X-Profanity", "-x_profanity"],
    );
    check(
        body,
        "/a/1",
        &own[..2],
        r#"{"a":"grobnik","b":["grobnik"]}"#,
        &["-X-Profanity", "+x-profanity: severity=3;fields=2"],
    );
    // However many pointers lead to it.
    check(
        r#"{"action":"tag","fields":["/a","/*","/a/0"]}"#,
        "/a/1",
        &[JSON],
        r#"{"a":["grobnik"],"b":"grobnik"}"#,
        &["+x-profanity: severity=3;fields=2"],
    );
    let query = r#"{"action":"tag","fields":["/a"],"query":["q"]}"#;
    check(
        query,
        "/a/1?q=grobnik",
        &[],
        "",
        &["+x-profanity: severity=3;fields=1"],
    );
    check(
        query,
        "/a/1?q=grobnik",
        &[JSON],
        r#"{"a":"x"}"#,
        &["+x-profanity: severity=3;fields=1"],
    );
    check(
        query,
        "/a/1?q=grobnik&q=grobnik",
        &[JSON],
        r#"{"a":"grobnik"}"#,
        &["+x-profanity: severity=3;fields=3"],
    );
    // Only what is enforced speaks.
    let report = r#"{"action":"tag","mode":"report","query":["q"]}"#;
    check(
        report,
        "/a/1?q=grobnik",
        &[("x-profanity", "mine")],
        "",
        &[],
    );
    // What cannot be looked at is refused all the same.
    let judged = post(&route(query, ""), "/a/1?q=%ff", &[], b"");
    assert_eq!(judged.codes(), ["profanity-found"]);
}

#[test]
fn a_body_that_is_looked_at_is_read_whole_or_refused() {
    let policy = route(r#"{"fields":["/a"]}"#, "");
    let check = |lines: &[(&str, &str)], body: &str, codes: &[&str]| {
        let judged = post(&policy, "/a/1", lines, body.as_bytes());
        assert_eq!(judged.codes(), codes, "{body}");
        assert_eq!(judged.status == 0, codes.is_empty(), "{judged:?}");
    };
    check(&[], "", &[]);
    check(&[JSON], "{}", &[]);
    check(&[JSON], "{", &["body-malformed"]);
    check(&[JSON], r#"{"a":1,"a":1}"#, &["body-duplicate-key"]);
    check(
        &[("content-type", "text/plain")],
        "grobnik",
        &["content-type-not-allowed"],
    );
    check(
        &[JSON, ("content-length", "65537")],
        "",
        &["body-too-large"],
    );
    check(
        &[JSON, ("content-encoding", "gzip")],
        "{}",
        &["content-encoding-not-allowed"],
    );
}

#[test]
fn modes_are_each_their_own() {
    let of = |profanity: &str, validate: &str| {
        let fields = format!(r#"{{"mode":"{profanity}","fields":["/a"]}}"#);
        let validate = format!(
            r#","validate":{{"mode":"{validate}","body":{{"normalize":{{"/a":["trim"]}},"schema":{{"required":["b"]}}}}}}"#
        );
        post(
            &route(&fields, &validate),
            "/a/1",
            &[JSON],
            br#"{"a":" grobnik"}"#,
        )
    };
    let check = |profanity: &str,
                 validate: &str,
                 status: u16,
                 held: bool,
                 codes: &[&str],
                 replaced: bool| {
        let judged = of(profanity, validate);
        assert_eq!(judged.codes(), codes, "{profanity} {validate}");
        assert_eq!(
            (judged.status, judged.held),
            (status, held),
            "{profanity} {validate}"
        );
        assert_eq!(
            judged.replaced.is_some(),
            replaced,
            "{profanity} {validate}"
        );
    };
    check("enforce", "enforce", 422, true, &["input-invalid"], false);
    check("report", "enforce", 422, true, &["input-invalid"], false);
    check(
        "enforce",
        "report",
        422,
        true,
        &["input-invalid", "profanity-found"],
        false,
    );
    check("enforce", "off", 422, true, &["profanity-found"], false);
    check("off", "enforce", 422, true, &["input-invalid"], false);
    check("report", "report", 0, false, &["input-invalid"], false);
    check("report", "off", 0, false, &["profanity-found"], false);
    check("off", "off", 0, false, &[], false);
    // Each as if it were alone: what is masked where it is enforced is not trimmed where that is not.
    let masked = post(
        &route(
            r#"{"action":"mask","fields":["/a"]}"#,
            r#","validate":{"mode":"report","body":{"normalize":{"/a":["trim"]},"schema":{"required":["b"]}}}"#,
        ),
        "/a/1",
        &[JSON],
        br#"{"a":" grobnik"}"#,
    );
    assert_eq!(
        masked.replaced.as_deref(),
        Some(&br#"{"a":" *******"}"#[..])
    );
    assert_eq!(masked.codes(), ["input-invalid", "profanity-found"]);
}

#[test]
fn paths_that_no_route_matches_pass_unjudged_and_that_is_told() {
    let check = |profanity: &str, rest: &str, expected: &[&str]| {
        let text = written(profanity, "").replace("\"routes\"", &format!("{rest}\"routes\""));
        let found = load(text.as_bytes()).diagnostics;
        let found = found
            .iter()
            .filter(|found| found.code == "unmatched-allowed");
        let found: Vec<&str> = found.map(|found| found.pointer.as_str()).collect();
        assert_eq!(found, expected, "{text}");
    };
    let at = &["/routes/0/profanity"][..];
    check(r#"{"query":["q"]}"#, "", at);
    check(r#"{"mode":"report","fields":"all"}"#, "", at);
    check(r#"{"mode":"off","fields":"all"}"#, "", &[]);
    check(r#"{"fields":"all"}"#, r#""mode":"off","#, &[]);
    check(r#"{"fields":"all"}"#, r#""unmatched":"reject","#, &[]);
}

#[test]
fn what_is_wrong_is_told_at_once() {
    let check = |text: &str, expected: &[&str]| {
        let found = load(text.as_bytes()).diagnostics;
        let found: Vec<String> = found
            .iter()
            .filter(|found| found.code != "unmatched-allowed")
            .map(|found| format!("{} {}", found.code, found.pointer))
            .collect();
        assert_eq!(found, expected, "{text}");
    };
    check(
        r#"{"version":1,"profanity":{"lists":["en","english"],"words":["a1b","--"],"allow":["!"]},
            "routes":[{"name":"a","path":"/a/{id}","profanity":{"query":["q"]}}]}"#,
        &[
            "profanity-list /profanity/lists/1",
            "profanity-word /profanity/words/1",
            "profanity-word /profanity/allow/0",
        ],
    );
    check(
        &written(r#"{"path":["ID","id"]}"#, ""),
        &["profanity-path-parameter /routes/0/profanity/path/0"],
    );
    check(
        &written(
            r#"{"action":"mask","fields":["/a"],"query":["q"],"headers":["x-a"]}"#,
            "",
        ),
        &[
            "profanity-mask /routes/0/profanity/query",
            "profanity-mask /routes/0/profanity/headers",
        ],
    );
    check(
        &written(
            r#"{"action":"mask","fields":["/a"]}"#,
            r#","validate":{"body":{"content_types":["multipart/form-data"]}}"#,
        ),
        &["profanity-mask /routes/0/profanity/action"],
    );
    check(
        &written("{}", ""),
        &["profanity-nowhere /routes/0/profanity"],
    );
    check(
        r#"{"version":1,"headers":{},"profanity":{}}"#,
        &["profanity-nowhere /profanity"],
    );
    let long = "x".repeat(65);
    check(
        &written(&format!(r#"{{"fields":"all","words":["{long}"]}}"#), ""),
        &["profanity-words /routes/0/profanity/words/0"],
    );
}
