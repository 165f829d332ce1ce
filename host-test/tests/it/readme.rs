//! The README: what it shows is what happens.

use std::path::{Path, PathBuf};
use std::process::Command;

use portcullis_host_test::document::Document;
use portcullis_host_test::exchange;
use portcullis_host_test::host::Host;
use portcullis_host_test::host::clock::Clock;
use portcullis_host_test::message::{Request, Response};
use portcullis_host_test::module::Module;
use portcullis_host_test::profile::Profile;
use portcullis_host_test::scenario::file::Scenario;
use portcullis_host_test::scenario::run::{Verdict, run};
use portcullis_host_test::scenario::wasm::WasmTarget;
use portcullis_host_test::verdict::verdict;
use portcullis_host_test::vm::{Vm, VmConfig};
use portcullis_policy::REFUSALS;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).unwrap()
}

/// The code blocks of that language.
fn blocks(language: &str) -> Vec<String> {
    let readme = readme();
    let blocks = readme.split("```").skip(1).step_by(2);
    let body = |block: &str| {
        block
            .strip_prefix(&format!("{language}\n"))
            .map(str::to_owned)
    };
    blocks.filter_map(body).collect()
}

fn block(language: &str, holds: &str) -> String {
    let found = blocks(language)
        .into_iter()
        .find(|block| block.contains(holds));
    found.unwrap_or_else(|| panic!("the README has no {language} block with `{holds}`"))
}

#[test]
fn its_policies_are_the_files_that_it_names_and_valid() {
    let check = |holds: &str, file: &str| {
        let path = root().join(file);
        assert_eq!(
            block("yaml", holds),
            std::fs::read_to_string(&path).unwrap()
        );
        let document = Document::read_file(&path).unwrap();
        let verdict = verdict(
            &Module::embedded().unwrap(),
            Profile::ENVOY,
            &document.value,
        )
        .unwrap();
        assert!(
            verdict.ok && verdict.diagnostics.is_empty(),
            "{:?}",
            verdict.diagnostics
        );
    };
    check("name: game-api", "envoy/readme.yaml");
    check("words: [grobnik]", "envoy/profanity.yaml");
}

#[test]
fn its_profanity_is_masked_as_it_says() {
    let policy = Document::read_file(&root().join("envoy/profanity.yaml")).unwrap();
    let host = Host::new(Profile::ENVOY, Clock::system());
    let mut vm = Vm::start(&Module::embedded().unwrap(), host, VmConfig::default()).unwrap();
    assert!(vm.configure(policy.value.to_string().as_bytes()).unwrap());
    let mut sent = |path: &str, body: &str| {
        let request = Request::new("POST", "a.test", path)
            .with_header("content-type", "application/json")
            .with_body(body);
        let mut seen = Vec::new();
        let exchanged = exchange::run(&mut vm, &request, &mut |request| {
            seen.clone_from(&request.chunks);
            Response::new(200, "")
        });
        let status = exchanged.response.unwrap().status();
        (status, String::from_utf8(seen.concat()).unwrap())
    };
    let masked = (Some(200), r#"{"text":"you *******"}"#.to_owned());
    assert_eq!(sent("/comments", r#"{"text":"you f.u.c.k"}"#), masked);
    let refused = (Some(422), String::new());
    assert_eq!(sent("/players", r#"{"name":"a$$hole"}"#), refused);
    let passed = r#"{"name":"Scunthorpe"}"#;
    assert_eq!(sent("/players", passed), (Some(200), passed.to_owned()));
}

#[test]
fn its_scenario_passes() {
    let text = block("yaml", "title: ");
    let document = Document::read("README.md", text.as_bytes()).unwrap();
    let scenario = Scenario::from_document(Path::new("README.md"), document).unwrap();
    let module = Module::embedded().unwrap();
    let mut target = WasmTarget::open(&module, Profile::ENVOY, &scenario.policy, 1).unwrap();
    let outcome = run(&scenario, &mut target);
    assert!(matches!(outcome.verdict, Verdict::Passed), "{outcome:?}");
}

#[test]
fn check_prints_what_it_shows() {
    let output = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(["check", "policy.yaml"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/readme"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    let printed = [output.stdout, output.stderr].concat();
    let shown = block("console", "portcullis check policy.yaml");
    let shown = shown.split_once('\n').unwrap().1;
    assert_eq!(String::from_utf8(printed).unwrap(), shown);
}

#[test]
fn its_table_has_every_refusal() {
    let readme = readme();
    for refusal in REFUSALS {
        let row = format!("| {} | `{}` |", refusal.status, refusal.code);
        assert!(readme.contains(&row), "{row}");
    }
    let rows = readme.lines().filter(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        cells
            .get(1)
            .is_some_and(|status| status.parse::<u16>().is_ok())
    });
    assert_eq!(rows.count(), REFUSALS.len(), "a code that is no more");
}

#[test]
fn its_links_lead_somewhere() {
    let readme = readme();
    for link in readme
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
    {
        if !link.starts_with("http") {
            assert!(root().join(link).exists(), "{link}");
        }
    }
}

#[test]
fn its_violation_is_what_the_game_answers() {
    let shown = block("json", "date_parsing");
    let policy = Document::read_file(&root().join("envoy/game/policy.yaml")).unwrap();
    let host = Host::new(Profile::ENVOY, Clock::system());
    let mut vm = Vm::start(&Module::embedded().unwrap(), host, VmConfig::default()).unwrap();
    assert!(vm.configure(policy.value.to_string().as_bytes()).unwrap());
    let body = r#"{"name":"x","born":"2001-02-30","address":{"city":"Bern","country":"CH"}}"#;
    let request = Request::new("POST", "a.test", "/players")
        .with_header("content-type", "application/json")
        .with_body(body);
    let response = exchange::run(&mut vm, &request, &mut |_| Response::new(200, "")).response;
    let response = response.unwrap();
    assert_eq!(response.status(), Some(422));
    let told = String::from_utf8(response.body).unwrap();
    assert!(told.contains(shown.trim()), "{told}");
}
