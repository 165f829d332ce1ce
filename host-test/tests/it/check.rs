//! `portcullis check` as people and machines meet it: the process, its output, its exit code.

mod cors;
mod limits;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// Runs the command in a folder of its own with one file in it.
fn check(name: &str, policy: &str, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), policy).unwrap();
    run(folder.path(), &[&["check", name], arguments].concat())
}

pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// Every finding as `line:column severity[code] pointer | help`, in the order of the file.
fn findings(policy: &str) -> Vec<String> {
    let document = json(&check("policy.yaml", policy, &["--format", "json"]));
    let list = list_of(&document, "diagnostics");
    list.iter().map(shown).collect()
}

/// What the command says of the one file, under this key.
fn list_of<'a>(document: &'a Value, key: &str) -> &'a [Value] {
    let list = document.pointer(&format!("/files/0/{key}"));
    list.and_then(Value::as_array).unwrap()
}

fn shown(finding: &Value) -> String {
    let word = |key: &str| finding[key].as_str().unwrap_or("none");
    format!(
        "{}:{} {}[{}] {} | {}",
        finding["line"],
        finding["column"],
        word("severity"),
        word("code"),
        word("pointer"),
        word("help"),
    )
}

fn found(policy: &str, expected: &[&str]) {
    assert_eq!(findings(policy), expected, "{policy}");
}

fn notes(policy: &str, arguments: &[&str]) -> Vec<String> {
    let arguments = [&["--format", "json"], arguments].concat();
    let document = json(&check("policy.yaml", policy, &arguments));
    let notes = list_of(&document, "notes");
    let text = |note: &Value| note.as_str().unwrap().to_owned();
    notes.iter().map(text).collect()
}

/// One mistake in each of eight sections.
const EIGHT: &str = "\
version: 1
name: Game API
mode: sometimes
client: {trusted_proxies: [10.0.0.0/99]}
request:
  hots: [api.example.com]
headers:
  set: {x-frame-options: SAMEORIGIN}
  remove: [X-Frame-Options]
errors: {format: html}
unmatched: maybe
routes:
  - {name: a, path: nowhere}
";

#[test]
fn eight_mistakes_in_eight_sections_are_eight_findings_with_eight_places() {
    let output = check("policy.yaml", EIGHT, &["--format", "json"]);
    assert_eq!(output.status.code(), Some(3));
    let document = json(&output);
    assert_eq!(document["ok"], false);
    let findings: Vec<String> = document["files"][0]["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| {
            assert_eq!(d["severity"], "error", "{d}");
            assert!(d["message"].is_string() && d["help"].is_string(), "{d}");
            let word = |key: &str| d[key].as_str().unwrap().to_owned();
            format!(
                "{}:{} {} {}",
                d["line"],
                d["column"],
                word("code"),
                word("pointer")
            )
        })
        .collect();
    let expected = [
        "2:7 name-syntax /name",
        "3:7 unknown-value /mode",
        "4:28 network-syntax /client/trusted_proxies/0",
        "6:3 unknown-key /request/hots",
        "8:9 headers-set-and-removed /headers/set/x-frame-options",
        "10:18 unknown-value /errors/format",
        "11:12 unknown-value /unmatched",
        "13:21 path-pattern /routes/0/path",
    ];
    assert_eq!(findings, expected);
}

#[test]
fn a_finding_shows_the_line_of_the_file() {
    let output = check("policy.yaml", EIGHT, &[]);
    assert_eq!(output.status.code(), Some(3));
    let shown = text(&output.stdout);
    let expected = "\
error[unknown-key]: unknown key `hots`
 --> policy.yaml:6:3
  |
6 |   hots: [api.example.com]
  |   ^^^^
  |
  = help: did you mean `hosts`?
";
    assert!(shown.contains(expected), "{shown}");
    assert!(
        shown.ends_with("invalid, 8 errors, 0 warnings\n"),
        "{shown}"
    );
    assert!(
        !shown.contains('\x1b'),
        "colour where there is no terminal: {shown}"
    );
}

#[test]
fn json_policies_have_places_too() {
    let policy = "{\n  \"version\": 1,\n  \"request\": {\"hots\": [\"a.example\"]}\n}\n";
    let output = check("policy.json", policy, &["--format", "json"]);
    assert_eq!(output.status.code(), Some(3));
    let finding = &json(&output)["files"][0]["diagnostics"][0];
    assert_eq!(
        (&finding["line"], &finding["column"]),
        (&3.into(), &15.into()),
        "{finding}"
    );
    assert_eq!(finding["code"], "unknown-key");
}

#[test]
fn a_file_that_is_no_document_is_an_invalid_policy() {
    let output = check(
        "policy.yaml",
        "version: 1\nname: no\nname: 007\n",
        &["--format", "json"],
    );
    assert_eq!(output.status.code(), Some(3));
    let places: Vec<String> = json(&output)["files"][0]["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| format!("{}:{} {}", d["line"], d["column"], d["code"]))
        .collect();
    assert_eq!(
        places,
        ["2:7 \"syntax\"", "3:1 \"syntax\"", "3:7 \"syntax\""]
    );
}

#[test]
fn exit_codes() {
    let expect = |output: &Output, code: i32, said: &str| {
        let all = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{all}");
        assert!(all.contains(said), "{all}");
    };
    let good = "version: 1\nname: game\nrequest: {hosts: [api.example.com]}\n";
    expect(
        &check("policy.yaml", good, &[]),
        0,
        "(policy `game`): valid, 0 errors, 0 warnings",
    );
    // A warning is no error.
    expect(&check("policy.yaml", "version: 1\n", &[]), 0, "warning[");
    expect(&check("policy.yaml", "version: 2\n", &[]), 3, "error[");
    // Not built yet is refused, not ignored.
    let later = "version: 1\nlimiter: {protocol: rls-grpc, upstream: limits}\n";
    expect(&check("policy.yaml", later, &[]), 3, "error[not-supported]");
    expect(
        &check("policy.yaml", good, &["--wasm", "missing.wasm"]),
        1,
        "missing.wasm",
    );
    expect(
        &check("policy.yaml", good, &["--wasm", "policy.yaml"]),
        1,
        "cannot load the module",
    );
    let folder = tempfile::tempdir().unwrap();
    expect(
        &run(folder.path(), &["check", "nosuch.yaml"]),
        1,
        "cannot read `nosuch.yaml`",
    );
}

#[test]
fn a_module_that_gives_no_verdict_is_not_taken_for_one_that_agrees() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("policy.yaml"),
        "version: 1\nrequest: {}\n",
    )
    .unwrap();
    // Takes everything and says nothing.
    let module = r#"(module
        (memory (export "memory") 1)
        (func (export "_initialize"))
        (func (export "proxy_abi_version_0_2_1"))
        (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 1024))
        (func (export "proxy_on_context_create") (param i32 i32))
        (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (i32.const 1))
        (func (export "proxy_on_configure") (param i32 i32) (result i32) (i32.const 1)))"#;
    std::fs::write(folder.path().join("silent.wat"), module).unwrap();
    let output = run(
        folder.path(),
        &["check", "policy.yaml", "--wasm", "silent.wat"],
    );
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        text(&output.stderr).contains("gives no verdict"),
        "{output:?}"
    );
}

#[test]
fn a_profile_says_what_the_gateway_does_to_this_policy() {
    let shown = |policy: &str, profile: &str| {
        text(&check("policy.yaml", policy, &["--profile", profile]).stdout)
    };
    let hygiene = "version: 1\nrequest: {}\n";
    let headers = "version: 1\nheaders: {}\n";
    for profile in ["kong", "apisix"] {
        let said = shown(hygiene, profile);
        let kept = format!("note: {profile} does not keep the old policy");
        assert!(said.contains(&kept), "{said}");
    }
    assert!(shown(hygiene, "kong").contains("note: kong passes on request headers"));
    assert!(!shown(headers, "kong").contains("passes on"));
    assert!(shown(headers, "envoy").contains("server_header_transformation"));
    assert!(!shown(hygiene, "envoy").contains("note:"));
    assert!(shown(headers, "istio").contains("EnvoyFilter"));

    let arguments = ["--profile", "envoy", "--format", "json"];
    let files = json(&check("policy.yaml", headers, &arguments));
    assert_eq!(
        files["files"][0]["notes"].as_array().unwrap().len(),
        1,
        "{files}"
    );
    let without = json(&check("policy.yaml", headers, &["--format", "json"]));
    assert_eq!(without["files"][0]["notes"], serde_json::json!([]));
    assert_eq!(
        check("policy.yaml", hygiene, &["--profile", "nginx"])
            .status
            .code(),
        Some(1)
    );
}

#[test]
fn control_characters_of_a_file_do_not_reach_the_terminal() {
    let policy = "version: 1\n\"\\e[31mred\": 1\n\"\u{9b}31m\": 1\n";
    let output = check("policy.yaml", policy, &[]);
    assert_eq!(output.status.code(), Some(3));
    let shown = text(&output.stdout);
    assert!(
        shown.contains("^") && !shown.chars().any(|c| c.is_control() && c != '\n'),
        "{shown:?}"
    );
}
