//! `portcullis import` as a process: what it writes where, and how it ends.

use std::path::Path;

use portcullis_host_test::document::Document;
use serde_json::Value;
use tempfile::TempDir;

use crate::check::{run, text};

const FINE: &str = "
openapi: 3.1.0
info: {title: Game API, version: 1.2.0}
paths:
  /players/{id}:
    get:
      operationId: show
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer, maximum: 9223372036854775807}}
";

const LACKING: &str = "
openapi: 3.0.3
info: {title: Game, version: '1'}
paths:
  /players:
    get:
      parameters:
        - {name: q, in: query, schema: {type: string, pattern: '^(?!a)'}}
";

fn folder(document: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("openapi.yaml"), document).unwrap();
    folder
}

/// Runs the command, and gives its exit code, stdout and stderr.
fn import(folder: &Path, options: &[&str]) -> (Option<i32>, String, String) {
    let output = run(folder, &[&["import", "openapi.yaml"], options].concat());
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[test]
fn the_policy_goes_to_stdout_and_the_findings_to_stderr() {
    let (code, policy, told) = import(folder(LACKING).path(), &[]);
    assert_eq!(code, Some(0), "{told}");
    assert!(
        policy.contains("\n# Not enforced (1):\n#   openapi.yaml:8:"),
        "{policy}"
    );
    assert!(policy.contains("\nunmatched: reject\n"), "{policy}");
    assert!(
        told.contains("warning[import-not-enforced]: the pattern `^(?!a)` is left out"),
        "{told}"
    );
    assert!(told.contains("--> openapi.yaml:8:"), "{told}");
    assert!(
        told.ends_with("openapi.yaml: 1 route, 1 thing not enforced\n"),
        "{told}"
    );
    let policy = Document::read("policy.yaml", policy.as_bytes())
        .unwrap()
        .value;
    assert_eq!(policy["routes"][0]["path"], "/players");
}

#[test]
fn comments_say_where_the_policy_comes_from_and_how_to_go_on() {
    let folder = folder(FINE);
    let (code, printed, told) = import(folder.path(), &["-o", "game.yaml"]);
    assert_eq!((code, printed.as_str()), (Some(0), ""), "{told}");
    let policy = std::fs::read_to_string(folder.path().join("game.yaml")).unwrap();
    let comments: Vec<&str> = policy
        .lines()
        .take_while(|line| line.starts_with('#'))
        .collect();
    assert_eq!(
        comments,
        [
            "# Game API 1.2.0, as `portcullis import openapi.yaml` read it. It is yours to edit; then:",
            "#   portcullis check game.yaml",
            "#   portcullis serve game.yaml --upstream http://127.0.0.1:8000",
        ]
    );
}

#[test]
fn a_title_cannot_leave_its_comment() {
    let document = FINE.replace("Game API", "\"A\\nname: evil\\u2028x\\u0085y\\e[31m\"");
    let (code, policy, told) = import(folder(&document).path(), &[]);
    assert_eq!(code, Some(0), "{told}");
    assert!(
        policy.starts_with("# A?name: evil?x?y?[31m 1.2.0, as"),
        "{policy}"
    );
    assert!(!told.contains('\u{1b}'), "{told}");
}

#[test]
fn an_edited_policy_is_not_replaced_unless_asked() {
    let folder = folder(FINE);
    std::fs::write(folder.path().join("policy.yaml"), "edited").unwrap();
    let (code, _, told) = import(folder.path(), &["-o", "policy.yaml"]);
    assert_eq!(code, Some(1));
    assert!(told.contains("`policy.yaml` is there already"), "{told}");
    assert_eq!(
        std::fs::read_to_string(folder.path().join("policy.yaml")).unwrap(),
        "edited"
    );
    let (code, _, told) = import(folder.path(), &["-o", "policy.yaml", "--force"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(
        std::fs::read_to_string(folder.path().join("policy.yaml"))
            .unwrap()
            .contains("version: 1")
    );
}

#[test]
fn the_file_or_an_option_says_json() {
    let folder = folder(FINE);
    let (code, printed, told) = import(folder.path(), &["--format", "json"]);
    assert_eq!(code, Some(0), "{told}");
    let (code, _, told) = import(folder.path(), &["-o", "policy.json"]);
    assert_eq!(code, Some(0), "{told}");
    let written = std::fs::read_to_string(folder.path().join("policy.json")).unwrap();
    assert_eq!(written, printed);
    let policy: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(policy["name"], "game-api");
}

#[test]
fn strict_takes_nothing_that_is_not_enforced() {
    let (code, policy, told) = import(folder(LACKING).path(), &["--strict"]);
    assert_eq!((code, policy.as_str()), (Some(3), ""), "{told}");
    assert!(told.contains("no policy is written"), "{told}");
    let (code, ..) = import(folder(FINE).path(), &["--strict"]);
    assert_eq!(code, Some(0));
}

#[test]
fn options_reach_the_policy() {
    let folder = folder(FINE);
    let options = [
        "--name",
        "mine",
        "--base-path",
        "/v1",
        "--unmatched",
        "allow",
        "--strictness",
        "pydantic",
        "--format",
        "json",
    ];
    let (code, printed, told) = import(folder.path(), &options);
    assert_eq!(code, Some(0), "{told}");
    let policy: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(policy["name"], "mine");
    assert_eq!(policy["routes"][0]["path"], "/v1/players/{id}");
    assert_eq!(policy["routes"][0]["validate"]["strictness"], "pydantic");
    assert_eq!(policy.get("unmatched"), None);
}

#[test]
fn what_cannot_be_imported_ends_with_1() {
    let check = |document: &str, expected: &str| {
        let (code, policy, told) = import(folder(document).path(), &[]);
        assert_eq!((code, policy.as_str()), (Some(1), ""), "{told}");
        assert!(told.contains(expected), "{told}");
    };
    check("swagger: '2.0'\n", "this is Swagger 2.0");
    check("openapi: 3.2.0\n", "OpenAPI `3.2.0` is not read");
    check(
        "openapi: 3.1.0\npaths: {/a: {get: {summary: yes}}}\n",
        "`yes` is a boolean to some readers",
    );
    check("{\"openapi\": ", "EOF");
    let nowhere = tempfile::tempdir().unwrap();
    let (code, _, told) = import(nowhere.path(), &[]);
    assert_eq!(code, Some(1));
    assert!(told.contains("cannot read `openapi.yaml`"), "{told}");
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes =
        b"{\"openapi\": \"3.1.0\", \"x\": 9223372036854775807, \"info\": {\"title\": \"".to_vec();
    bytes.extend(b"\xff\"}, \"paths\": {\"/a\": {\"get\": {}}}}");
    std::fs::write(folder.path().join("openapi.yaml"), bytes).unwrap();
    let (code, _, told) = import(folder.path(), &[]);
    assert_eq!(code, Some(1));
    assert!(told.contains("not UTF-8"), "{told}");
}

#[test]
fn what_no_gateway_takes_is_written_and_ends_with_3() {
    let mut document = String::from(
        "openapi: 3.1.0\ninfo: {title: Wide, version: '1'}\npaths:\n  /a:\n    post:\n      requestBody:\n        content: {application/json: {schema: {$ref: '#/components/schemas/S0'}}}\ncomponents:\n  schemas:\n    S9: {type: string}\n",
    );
    for level in 0..9 {
        let next = format!("{{$ref: '#/components/schemas/S{}'}}", level + 1);
        document.push_str(&format!(
            "    S{level}: {{allOf: [{}]}}\n",
            [next.as_str(); 10].join(", ")
        ));
    }
    let (code, policy, told) = import(folder(&document).path(), &[]);
    assert_eq!(code, Some(3), "{told}");
    assert!(policy.contains("\n  S9: {type: string}\n"), "{policy}");
    assert!(told.contains("error[schema-size]"), "{told}");
    assert!(
        told.ends_with("no gateway takes this policy until it is edited\n"),
        "{told}"
    );
}
