//! `portcullis explain` as people and machines meet it: each rule's word on one request, from the module itself.

use std::process::Output;

use serde_json::Value;

use crate::check::{run, text};

/// Every rule that there is.
const POLICY: &str = "\
version: 1
name: p
MODE
client: {trusted_proxies: [10.0.0.0/8]}
request:
  hosts: [a.test]
  https: {}
  methods: [GET, POST]
  max_headers: 5
  max_header_bytes: 200B
  max_path_bytes: 40B
  max_query_params: 2
  max_body_bytes: 10B
headers: {}
routes: [{name: r, path: '/r/{x}', methods: [GET, POST]}]
unmatched: reject
";

fn explain(policy: &str, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("policy.yaml"), policy).unwrap();
    run(
        folder.path(),
        &[&["explain", "policy.yaml"], arguments].concat(),
    )
}

fn json(policy: &str, arguments: &[&str]) -> Value {
    let output = explain(policy, &[arguments, &["--format", "json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

const GOOD: &str = "https://a.test/r/1?a&b";

#[test]
fn each_rule_passes_one_request_and_refuses_another() {
    let enforce = POLICY.replace("MODE\n", "");
    let report = POLICY.replace("MODE", "mode: report");
    let passed = json(&enforce, &[GOOD]);
    assert_eq!(passed["decision"], "passed");
    let check = |arguments: &[&str], rule: &str, code: &str| {
        for (policy, decision, whole) in [
            (&enforce, "refused", "refused"),
            (&report, "would-refuse", "passed"),
        ] {
            let found = json(policy, arguments);
            assert_eq!(found["decision"], whole, "{code}: {found}");
            let against: Vec<&Value> = found["rules"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|one| one["decision"] == decision)
                .collect();
            assert_eq!(against[0]["rule"], rule, "{code}: {found}");
            assert_eq!(against[0]["code"], code, "{code}: {found}");
        }
        let good = passed["rules"].as_array().unwrap();
        let good = good.iter().filter(|one| one["rule"] == rule);
        assert!(good.clone().count() > 0, "{rule} is not there");
        for one in good {
            assert_eq!(one["decision"], "passed", "{rule}");
        }
    };
    let long = format!("x: {}", "x".repeat(200));
    check(
        &[GOOD, "-H", "content-type: a", "-H", "content-type: b"],
        "request",
        "header-repeated",
    );
    check(
        &[
            GOOD, "-H", "a: 1", "-H", "b: 1", "-H", "c: 1", "-H", "d: 1", "-H", "e: 1", "-H",
            "f: 1",
        ],
        "request.max_headers",
        "headers-too-many",
    );
    check(
        &[GOOD, "-H", &long],
        "request.max_header_bytes",
        "headers-too-large",
    );
    check(
        &["https://a.test/r/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"],
        "request.max_path_bytes",
        "path-too-long",
    );
    check(
        &["/r/%zz", "--scheme", "https", "-H", "host: a.test"],
        "request",
        "path-malformed",
    );
    check(
        &["/r/../x", "--scheme", "https", "-H", "host: a.test"],
        "request.ambiguous",
        "path-ambiguous",
    );
    check(
        &["https://a.test/r/1?a&b&c"],
        "request.max_query_params",
        "query-too-many",
    );
    check(
        &[GOOD, "-d", "more than ten"],
        "request.max_body_bytes",
        "body-too-large",
    );
    check(
        &[
            GOOD,
            "-d",
            "more than ten",
            "-H",
            "transfer-encoding: chunked",
        ],
        "request.max_body_bytes",
        "body-too-large",
    );
    check(&["https://b.test/r/1"], "request.hosts", "host-not-allowed");
    check(&["http://a.test/r/1"], "request.https", "https-redirect");
    check(
        &[GOOD, "-X", "DELETE"],
        "request.methods",
        "method-not-allowed",
    );
    check(&["https://a.test/s"], "unmatched", "route-not-found");
}

#[test]
fn who_asks_and_what_is_changed() {
    let policy = POLICY.replace("MODE\n", "");
    let arguments = [
        "http://a.test/r/1",
        "--client",
        "10.0.0.1",
        "-H",
        "x-forwarded-for: 203.0.113.7",
        "-H",
        "x-forwarded-proto: https",
        "-H",
        "x-original-url: /admin",
        "--respond-header",
        "server: uvicorn",
    ];
    let found = json(&policy, &arguments);
    assert_eq!(found["client"]["address"], "203.0.113.7");
    assert_eq!(found["client"]["header"], "x-forwarded-for");
    assert_eq!(found["scheme"]["name"], "https");
    assert_eq!(found["scheme"]["header"], "x-forwarded-proto");
    assert_eq!(
        (&found["host"], &found["route"]),
        (&"a.test".into(), &"r".into())
    );
    let changed = |which: &str, change: &str, name: &str| {
        let list = found[which].as_array().unwrap();
        list.iter()
            .any(|one| one["change"] == change && one["name"] == name)
    };
    assert!(changed("request_changes", "remove", "x-original-url"));
    assert!(changed("response_changes", "remove", "server"));
    assert!(changed(
        "response_changes",
        "add",
        "strict-transport-security"
    ));
}

#[test]
fn people_read_lines_without_colours_in_a_pipe() {
    let policy = POLICY.replace("MODE\n", "");
    let output = explain(&policy, &["https://b.test/r/1\u{7f}"]);
    assert_eq!(output.status.code(), Some(1), "no URL: {output:?}");
    let output = explain(&policy, &["https://B.test:443/r/1", "-H", "x-a: \u{1b}[2J"]);
    assert_eq!(output.status.code(), Some(0));
    let shown = text(&output.stdout);
    assert!(!shown.contains('\u{1b}'), "{shown}");
    for expected in [
        "host     b.test",
        "client   127.0.0.1  the other end of the connection, which is no trusted proxy",
        "request.hosts             enforce  not reached   421 host-not-allowed: ",
        "to the client, from the gateway itself",
        "policy `p`: refused, 400 header-malformed",
    ] {
        assert!(shown.contains(expected), "{expected}\n{shown}");
    }
}

#[test]
fn a_bad_policy_explains_nothing() {
    let output = explain("version: 1\nrequest: {hots: [a.test]}\n", &["/"]);
    assert_eq!(output.status.code(), Some(3));
    let shown = text(&output.stdout);
    assert!(
        shown.contains("policy.yaml:2:11") && shown.contains("did you mean `hosts`"),
        "{shown}"
    );
    let output = explain(
        "version: 1\nrequest: {hots: [a.test]}\n",
        &["/", "--format", "json"],
    );
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["diagnostics"][0]["code"], "unknown-key");
}

/// Each way in which words can be looked for; `reject` and the others at `/r/{x}`.
fn profane(mode: &str, action: &str, places: &str) -> String {
    format!(
        "\
version: 1
profanity: {{words: [grobnik, flarnix]}}
routes: [{{name: r, path: '/r/{{x}}', profanity: {{mode: {mode}, action: {action}, {places}}}}}]
unmatched: reject
"
    )
}

#[test]
fn the_person_who_asks_sees_which_word_stands_where() {
    let body = r#"{"name": "a Gr\u006fbnik", "list": ["x", "flarnix"]}"#;
    let asked = ["/r/1", "-H", "content-type: application/json", "-d", body];
    let why = "body /name profanity words/0 `grobnik`; body /list/1 profanity words/1 `flarnix`";
    for (mode, action, decision, shown, whole) in [
        ("enforce", "reject", "refused", "refused", "refused"),
        ("enforce", "mask", "masked", "masked", "passed"),
        ("enforce", "tag", "tagged", "tagged", "passed"),
        ("report", "reject", "would-refuse", "would refuse", "passed"),
        ("report", "mask", "would-mask", "would mask", "passed"),
        ("report", "tag", "would-tag", "would tag", "passed"),
    ] {
        let policy = profane(mode, action, "fields: [/name, /list]");
        let found = json(&policy, &asked);
        assert_eq!(found["decision"], whole, "{found}");
        let rules = found["rules"].as_array().unwrap();
        let said: Vec<&Value> = rules
            .iter()
            .filter(|one| one["rule"] == "profanity")
            .collect();
        assert_eq!(said.len(), 1, "{found}");
        assert_eq!(said[0]["decision"], decision);
        assert_eq!(said[0]["mode"], mode);
        assert_eq!(said[0]["why"], why);
        let refuses = action == "reject";
        let code = if refuses {
            "profanity-found".into()
        } else {
            Value::Null
        };
        assert_eq!(said[0]["code"], code, "{found}");
        let told = found["request_changes"].as_array().unwrap();
        let told = told.iter().any(|one| one["name"] == "x-profanity");
        assert_eq!(told, (mode, action) == ("enforce", "tag"), "{found}");
        let output = text(&explain(&policy, &asked).stdout);
        let line = output.lines().find(|line| line.starts_with("profanity"));
        let line = line.unwrap();
        assert!(line.contains(&format!(" {mode}")), "{line}");
        assert!(line.contains(&format!(" {shown} ")), "{line}");
        assert!(line.ends_with(why), "{line}");
    }
}

#[test]
fn what_is_not_logged_is_explained_all_the_same() {
    let policy = profane("enforce", "reject", "fields: [/name]") + "observe: {log: none}\n";
    let json_body = [
        "-H",
        "content-type: application/json",
        "-d",
        r#"{"name": "grobnik"}"#,
    ];
    let found = json(&policy, &[&["/r/1"][..], &json_body].concat());
    assert_eq!(found["code"], "profanity-found", "{found}");
}

#[test]
fn what_could_not_be_looked_at_takes_no_other_word() {
    let policy = profane("enforce", "reject", "query: [q, p], headers: [x-name]");
    let found = json(
        &policy,
        &["/r/1?q=%ff&p=a+grobnik", "-H", "x-name: flarnix"],
    );
    let rules = found["rules"].as_array().unwrap();
    let said = rules.iter().find(|one| one["rule"] == "profanity").unwrap();
    assert_eq!(
        said["why"],
        "query /q type; query /p profanity words/0 `grobnik`; header /x-name profanity words/1 `flarnix`"
    );
    let passed = json(&policy, &["/r/1?q=a"]);
    let rules = passed["rules"].as_array().unwrap();
    let said = rules.iter().find(|one| one["rule"] == "profanity").unwrap();
    assert_eq!(
        (&said["decision"], &said["code"]),
        (&"passed".into(), &Value::Null)
    );
}
