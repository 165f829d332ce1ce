//! `portcullis test` as people and machines meet it: what a failure shows, what a skip says, the exit codes, the formats.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::check::{run, text};

/// Runs scenarios, given as (file, text), in a folder of their own.
fn test(files: &[(&str, &str)], arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    run(folder.path(), &[&["test"], arguments].concat())
}

const GOOD: &str = "\
title: a listed host passes
policy: {version: 1, request: {hosts: [api.example.com]}}
steps:
  - request: {path: /a}
    expect: {status: 200, upstream: {path: /a}}
";

/// Everything that can be expected of a refusal, all of it wrong.
const WRONG: &str = r#"
title: this is not what happens
policy: {version: 1, request: {hosts: [api.example.com]}}
steps:
  - request: {path: /a}
    expect: {upstream: called}
  - request: {host: evil.example}
    repeat: 3
    expect:
      status: 200
      headers: {cache-control: public, x-missing: {matches: .}, content-type: {absent: true}}
      headers_exactly: [[cache-control, no-store], [x-more, "1"]]
      body: other
      json: {/code: other, /status: {range: [1, 2]}, /title: {contains: zzz}, /nothing: 1}
      upstream: called
      logs: [nothing like this, {no_line: decision}, {json: {/code: other}}]
      guest: {max_host_calls: 0, max_memory: 1}
"#;

#[test]
fn a_failure_shows_what_was_expected_and_what_came() {
    let output = test(&[("bad.yaml", WRONG)], &["bad.yaml", "--format", "json"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let scenario = &document["scenarios"][0];
    assert_eq!(
        (&scenario["verdict"], &document["failed"]),
        (&"failed".into(), &1.into())
    );
    let failure = &scenario["failures"][0];
    assert_eq!(
        (&failure["line"], &failure["repetition"]),
        (&7.into(), &1.into())
    );
    let shown: Vec<String> = failure["mismatches"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| {
            let word = |key: &str| {
                m[key]
                    .as_str()
                    .unwrap()
                    .chars()
                    .take(40)
                    .collect::<String>()
            };
            format!(
                "{}: {} / {}",
                word("what"),
                word("expected"),
                word("observed")
            )
        })
        .collect();
    let starts = [
        "status: 200 / 421",
        "header cache-control: \"public\" / \"no-store\"",
        "header content-type: absent / \"application/problem+json\"",
        "header x-missing: matches /./ / absent",
        "header x-more: \"1\" / absent",
        "header content-type: absent / \"application/problem+json\"",
        "body: \"other\" / \"{\"type\":\"about:blank\"",
        "body /code: \"other\" / \"host-not-allowed\"",
        "body /nothing: 1 / absent",
        "body /status: from 1 to 2 / 421",
        "body /title: contains \"zzz\" / \"Misdirected Request\"",
        "upstream: called / not-called",
        "log: contains \"nothing like this\" / {\"portcullis\":\"decision\"",
        "log: no line that contains \"decision\" / {\"portcullis\":\"decision\"",
        "log: a line with /code: \"other\" / {\"portcullis\":\"decision\"",
        "host calls: at most 0 / ",
        "guest memory: at most 1 / ",
    ];
    assert_eq!(shown.len(), starts.len(), "{shown:#?}");
    for (shown, start) in shown.iter().zip(starts) {
        assert!(
            shown.starts_with(start),
            "{shown} does not start with {start}"
        );
    }
}

#[test]
fn a_failure_names_the_command_that_runs_it_alone() {
    let output = test(
        &[("all/bad.yaml", WRONG), ("all/good.yaml", GOOD)],
        &["all"],
    );
    assert_eq!(output.status.code(), Some(2));
    let shown = text(&output.stdout);
    for part in [
        "FAIL all/bad.yaml  this is not what happens\n",
        "all/bad.yaml:7 this is not what happens (repetition 1 of 3) [wasm]\n  status\n    - 200\n    + 421\n",
        "alone: portcullis test all/bad.yaml\n",
        "ok   all/good.yaml  a listed host passes\n",
        "1 passed, 1 failed, 0 skipped; ",
    ] {
        assert!(shown.contains(part), "{part:?} is not in {shown}");
    }
    assert!(
        !shown.contains('\x1b'),
        "colour where there is no terminal: {shown}"
    );
}

#[test]
fn exit_codes() {
    let expect = |files: &[(&str, &str)], arguments: &[&str], code: i32, said: &str| {
        let output = test(files, arguments);
        let all = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{all}");
        assert!(all.contains(said), "{said} is not in {all}");
    };
    expect(
        &[("a.yaml", GOOD)],
        &["a.yaml"],
        0,
        "1 passed, 0 failed, 0 skipped; 3 expectations judged",
    );
    let skipped = GOOD.replace("steps:", "skip: {wasm: because}\nsteps:");
    expect(
        &[("a.yaml", &skipped)],
        &["."],
        0,
        "skip ./a.yaml  a listed host passes (because)",
    );
    expect(
        &[("a.yaml", "title: x\n")],
        &["."],
        1,
        "error[missing-key]: missing key `policy`",
    );
    expect(
        &[("a.yaml", GOOD), ("b.yaml", "title: no\n")],
        &["."],
        1,
        "1 passed, 0 failed, 0 skipped, 1 unreadable",
    );
    expect(
        &[("a.yaml", WRONG), ("b.yaml", "title: no\n")],
        &["."],
        2,
        "1 failed",
    );
    expect(&[("a.txt", "")], &["."], 1, "there is no scenario");
    expect(&[], &["nosuch"], 1, "cannot read `nosuch`");
    expect(&[("a.yaml", GOOD)], &[".", " --no-such-option"], 1, "error");
    // A policy that the module refuses is a scenario that fails, with what the module says.
    let refused = GOOD.replace("hosts:", "hots:");
    expect(&[("a.yaml", &refused)], &["."], 2, "unknown-key");
}

#[test]
fn mistakes_in_a_scenario_are_shown_all_at_once_where_they_stand() {
    let scenario = r#"
titel: x
policy: 5
workers: 0
skip: {htpp: no reason}
steps:
  - request: {method: GET, hots: a, headers: {host: b, x: 1}, client: here, body: a, json: b}
    expect: {statuss: 200, json: {code: x}, upstream: caled}
  - advance: 5 minutes
    expect: {status: 200}
  - request: {path: /}
    expect: {}
  - request: {path: /}
  - request: {body: abcdef, chunks: [1, 9]}
    expect: {headers: {a: {matches: "("}}}
  - {repeat: 3}
"#
    .replace("no reason", "\"no reason\"");
    let output = test(&[("a.yaml", &scenario)], &["a.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    let shown = text(&output.stdout);
    for part in [
        "unknown key `titel`\n --> a.yaml:2:1",
        "did you mean `title`?",
        "missing key `title`",
        "expected a policy, or the name of its file as text, found a number\n --> a.yaml:3:9",
        "`0` is outside 1 to 16\n --> a.yaml:4:10",
        "did you mean `http`?",
        "did you mean `host`?",
        "`host` is not a header line",
        "expected a text, or `{hex: ..}`, found a number",
        "`here` is not an IP address",
        "`body`, `json` all give the body",
        "did you mean `status`?",
        "did you mean `/code`?",
        "did you mean `called`?",
        "`5 minutes` is not a duration",
        "`expect` does not go with `advance`",
        "a step that expects nothing cannot fail",
        "missing key `expect`",
        "only 5 bytes of the body are left here",
        "`(` is not a regular expression",
        "what this step does is not clear",
    ] {
        assert!(shown.contains(part), "{part:?} is not in {shown}");
    }
}

#[test]
fn policies_are_found_beside_their_scenario() {
    let policy = "version: 1\nrequest: {hosts: [api.example.com]}\n";
    let scenario = GOOD.replace(
        "{version: 1, request: {hosts: [api.example.com]}}",
        "../policies/p.yaml",
    );
    let files = [
        ("policies/p.yaml", policy),
        ("scenarios/a.yaml", scenario.as_str()),
    ];
    assert_eq!(test(&files, &["scenarios"]).status.code(), Some(0));
    let output = test(&files[1..], &["scenarios"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stdout).contains("cannot read `scenarios/../policies/p.yaml`"),
        "{output:?}"
    );
}

#[test]
fn junit_is_well_formed_and_counts() {
    let evil = GOOD.replace("a listed host passes", "\"<&\\\"\\e]]>\"");
    let skipped = GOOD.replace("steps:", "skip: {wasm: because}\nsteps:");
    let files = [
        ("a.yaml", WRONG),
        ("b.yaml", &evil),
        ("c.yaml", "title: no\n"),
        ("d.yaml", &skipped),
    ];
    let output = test(&files, &[".", "--format", "junit"]);
    assert_eq!(output.status.code(), Some(2));
    let xml = text(&output.stdout);
    assert!(
        xml.contains("tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\""),
        "{xml}"
    );
    assert!(
        xml.contains("name=\"&lt;&amp;&quot;\u{fffd}]]&gt;\""),
        "{xml}"
    );
    assert!(xml.contains("<skipped message=\"because\"/>"), "{xml}");
    assert_eq!(
        xml.matches("<testcase").count(),
        xml.matches("</testcase>").count()
    );
    assert!(!xml.contains('\x1b'), "{xml}");
    let shown = text(&test(&files, &["."]).stdout);
    assert!(shown.contains("<&\"\\u{1b}]]>"), "{shown}");
    assert!(!shown.contains('\x1b'), "{shown}");
}

#[test]
fn the_schema_for_editors_has_the_keys_of_the_reader() {
    use portcullis_host_test::scenario::{expect, file, matcher, message};

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenario.schema.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let check = |pointer: &str, keys: &[&str]| {
        let object = schema
            .pointer(pointer)
            .unwrap_or_else(|| panic!("{pointer}"));
        assert_eq!(object["additionalProperties"], false, "{pointer}");
        let mut written: Vec<&str> = object["properties"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let mut read = keys.to_vec();
        written.sort_unstable();
        read.sort_unstable();
        assert_eq!(written, read, "{pointer}");
    };
    check("", file::SCENARIO_KEYS);
    check("/$defs/step", file::STEP_KEYS);
    check("/$defs/request", message::REQUEST_KEYS);
    check("/$defs/respond", message::RESPOND_KEYS);
    check("/$defs/expect", expect::EXPECT_KEYS);
    check(
        "/$defs/expect/properties/upstream/oneOf/1",
        expect::UPSTREAM_KEYS,
    );
    check("/$defs/tests", matcher::MATCHER_KEYS);
}

/// Blesses one scenario: what became of the file, and what the command said.
fn bless(scenario: &str) -> (String, Output) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.yaml");
    std::fs::write(&path, scenario).unwrap();
    let output = run(folder.path(), &["test", "--bless", "a.yaml"]);
    (std::fs::read_to_string(path).unwrap(), output)
}

#[test]
fn blessing_rewrites_header_lists_and_bodies_and_nothing_else() {
    let scenario = "\
title: refused   # a comment
policy: {version: 1, request: {hosts: [api.example.com]}, headers: {preset: none, set: {x-a: \"a: b\", x-b: \"no\"}}}
steps:
  - request: {host: evil.example}
    expect:
      status: 421
      headers_exactly:
        - [content-type, {matches: problem}]
        - [x-gone, old]

      # another
      upstream: not-called
  - request: {path: /}
    respond: {body: \"say \\\"hi\\\"\"}
    expect: {headers_exactly: [], body: wrong, status: 200}
  - request: {path: /}
    expect:
      headers_exactly: []
      status: 200
";
    let expected = "\
title: refused   # a comment
policy: {version: 1, request: {hosts: [api.example.com]}, headers: {preset: none, set: {x-a: \"a: b\", x-b: \"no\"}}}
steps:
  - request: {host: evil.example}
    expect:
      status: 421
      headers_exactly:
        - [content-type, {matches: problem}]
        - [cache-control, no-store]
        - [x-a, \"a: b\"]
        - [x-b, \"no\"]

      # another
      upstream: not-called
  - request: {path: /}
    respond: {body: \"say \\\"hi\\\"\"}
    expect: {headers_exactly: [[x-a, \"a: b\"], [x-b, \"no\"]], body: \"say \\\"hi\\\"\", status: 200}
  - request: {path: /}
    expect:
      headers_exactly:
        - [x-a, \"a: b\"]
        - [x-b, \"no\"]
      status: 200
";
    let (blessed, output) = bless(scenario);
    assert_eq!(blessed, expected);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(
        text(&output.stderr).contains("blessed a.yaml"),
        "{output:?}"
    );
    let (again, output) = bless(&blessed);
    assert_eq!(again, blessed);
    assert!(text(&output.stderr).is_empty(), "{output:?}");
}

#[test]
fn what_cannot_be_blessed_safely_is_left_alone() {
    let check = |expect: &str, said: &str| {
        let scenario = format!(
            "{}{expect}",
            GOOD.replace("    expect: {status: 200, upstream: {path: /a}}\n", "")
        );
        let (after, output) = bless(&scenario);
        assert_eq!(after, scenario);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(text(&output.stderr).contains(said), "{said}: {output:?}");
    };
    check(
        "    expect:\n      headers_exactly:\n        - [a, b] # why\n        - [c, d]\n",
        "comments",
    );
    check(
        "    expect:\n      headers_exactly:\n        - - a\n          - b\n",
        "`[name, value]`",
    );
    check(
        "    expect:\n      body: |\n        two\n        lines\n",
        "several lines",
    );
    // What is wrong beside lists and bodies stays wrong.
    let scenario = GOOD.replace("status: 200", "status: 404");
    let (after, output) = bless(&scenario);
    assert_eq!((after, output.status.code()), (scenario, Some(2)));
}

#[test]
fn against_a_live_server_only_the_answer_is_judged() {
    use portcullis_host_test::upstream::Upstream;

    let server = Upstream::start().unwrap();
    let url = format!("http://{}", server.address());
    let judge = |scenario: &str| {
        let output = test(&[("a.yaml", scenario)], &["a.yaml", "--against", &url]);
        (
            output.status.code(),
            text(&output.stdout) + &text(&output.stderr),
        )
    };
    let (code, shown) = judge(GOOD);
    assert_eq!(code, Some(0), "{shown}");
    assert!(
        shown.contains("not judged: upstream") && shown.contains("1 expectations judged, 1 not"),
        "{shown}"
    );
    let (code, shown) = judge(&GOOD.replace("status: 200", "status: 421"));
    assert_eq!(code, Some(2), "{shown}");
    let later = format!("{GOOD}  - advance: 1m\n  - request: {{}}\n    expect: {{status: 500}}\n");
    let (code, shown) = judge(&later);
    assert_eq!(code, Some(0), "{shown}");
    assert!(
        shown.contains("not judged: from line 6 on: http has no virtual clock"),
        "{shown}"
    );
    let (code, shown) = judge(&GOOD.replace("steps:", "skip: {http: because}\nsteps:"));
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("(because)"), "{shown}");
    let output = test(
        &[("a.yaml", GOOD)],
        &["a.yaml", "--against", "ftp://localhost"],
    );
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}
