//! The deployment to copy: its files are there and say what the command makes, and the runbook's way from report to enforce and back is
//! gone in a real Envoy with those files.

use std::path::Path;
use std::process::Command;

use portcullis_host_test::document::Document;
use portcullis_host_test::envoy::{self, Envoy};
use portcullis_host_test::scenario::target::Request;
use portcullis_host_test::shipped;
use portcullis_host_test::upstream::Upstream;
use portcullis_host_test::wire::{Answer, Outgoing};
use serde_json::Value;

use super::super::envoy::{get, ok, root};
use super::{decisions, wait};

fn written(file: &str) -> String {
    let path = root().join("envoy").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What the command prints, which has to succeed.
fn portcullis(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn everything_that_the_compose_file_names_is_there() {
    let file = Document::read_file(&root().join("envoy/compose.yaml"))
        .unwrap()
        .value;
    let services = file["services"].as_object().unwrap();
    let names: Vec<&str> = services.keys().map(String::as_str).collect();
    assert_eq!(names.len(), 5, "{names:?}");
    let volumes = file["volumes"].as_object().unwrap();
    for (name, service) in services {
        let image = service["image"].as_str().unwrap();
        assert!(
            image.contains(':') && !image.ends_with(":latest"),
            "{name}: {image} is not pinned"
        );
        for mount in service["volumes"].as_array().into_iter().flatten() {
            let mount = mount.as_str().unwrap();
            let (source, inside) = mount.split_once(':').unwrap();
            if volumes.contains_key(source) {
                continue;
            }
            assert!(inside.ends_with(":ro"), "{name}: {mount}");
            // The one that is built.
            if source == "../target/wasm32-wasip1/shipped/portcullis.wasm" {
                assert!(
                    shipped::build()
                        .unwrap()
                        .ends_with("wasm32-wasip1/shipped/portcullis.wasm")
                );
                continue;
            }
            let path = root().join("envoy").join(source);
            assert!(path.exists(), "{name}: there is no {}", path.display());
        }
        for other in service["depends_on"].as_array().into_iter().flatten() {
            assert!(
                services.contains_key(other.as_str().unwrap()),
                "{name}: {other}"
            );
        }
    }
    // What Envoy is given leads to what is mounted.
    let live = written("live/envoy.yaml");
    for part in [
        "/etc/envoy/live/filter.yaml",
        "port_value: 9901",
        "port_value: 8000",
    ] {
        assert!(live.contains(part), "no {part}");
    }
    assert!(written("live/filter.yaml").contains("/etc/envoy/portcullis.wasm"));
    assert!(written("prometheus.yml").contains("127.0.0.1:9901"));
    assert!(written("grafana/datasource.yaml").contains("127.0.0.1:9090"));
}

#[test]
fn what_is_live_is_what_the_command_makes() {
    let first = "envoy/rollout/1-report.yaml";
    let from = ["--filter-from", "/etc/envoy/live/filter.yaml"];
    let envoy = portcullis(&[&["render", "envoy", first], &from[..]].concat());
    assert_eq!(envoy, written("live/envoy.yaml"));
    assert_eq!(
        portcullis(&["render", "envoy-filter", first]),
        written("live/filter.yaml")
    );
    // The same filter, either way.
    let inline = Document::read("inline", portcullis(&["render", "envoy", first]).as_bytes())
        .unwrap()
        .value;
    let filters =
        "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters";
    let watched = Document::read("filter", written("live/filter.yaml").as_bytes())
        .unwrap()
        .value;
    assert_eq!(
        inline
            .pointer(&format!("{filters}/1/typed_config"))
            .unwrap(),
        watched.pointer("/resources/0/typed_config").unwrap()
    );
}

/// The runbook's code blocks of that language.
fn blocks(language: &str) -> Vec<String> {
    let runbook = written("runbook.md");
    let blocks = runbook.split("```").skip(1).step_by(2);
    let body = |block: &str| {
        block
            .strip_prefix(&format!("{language}\n"))
            .map(str::to_owned)
    };
    blocks.filter_map(body).collect()
}

#[test]
fn every_command_of_the_runbook_does_what_it_should() {
    let mut ran = 0;
    for block in blocks("console") {
        for line in block.lines() {
            let Some(command) = line.strip_prefix("$ portcullis ") else {
                continue;
            };
            // Where its output goes to is the reader's.
            let command = command.split(" > ").next().unwrap_or_default();
            portcullis(&command.split_whitespace().collect::<Vec<_>>());
            ran += 1;
        }
    }
    assert!(ran >= 6, "{ran} commands");
    // Every file that it speaks of is there.
    let runbook = written("runbook.md");
    for (_, rest) in runbook
        .match_indices("](")
        .map(|(at, mark)| runbook.split_at(at + mark.len()))
    {
        let link = rest.split(')').next().unwrap_or_default();
        if !link.starts_with("http") && !link.starts_with('#') {
            assert!(root().join("envoy").join(link).exists(), "{link}");
        }
    }
}

/// Envoy with the files in `envoy/live`, on ports of its own.
struct Deployed {
    envoy: Envoy,
    upstream: Upstream,
    directory: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
}

impl Deployed {
    fn start() -> Self {
        let upstream = Upstream::start().unwrap();
        upstream.respond(ok("{}"));
        let directory = tempfile::tempdir().unwrap();
        let placed = written("live/envoy.yaml")
            .replace("/etc/envoy/live", directory.path().to_str().unwrap())
            .replace(
                "port_value: 8000",
                &format!("port_value: {}", upstream.address().port()),
            )
            .replace("port_value: 8080", "port_value: 0")
            .replace("port_value: 9901", "port_value: 0");
        let configuration = Document::read("envoy.yaml", placed.as_bytes())
            .unwrap()
            .value;
        put(directory.path(), &written("live/filter.yaml"));
        let envoy = Envoy::start_configured(&configuration, 2).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        Self {
            envoy,
            upstream,
            directory,
            runtime,
        }
    }

    /// Rolls a policy out, and waits until it serves.
    fn roll(&self, policy: &str) {
        let place = self.envoy.log_end();
        put(
            self.directory.path(),
            &portcullis(&["render", "envoy-filter", policy]),
        );
        // Once on each worker, and once more to try it.
        wait("the policy", || {
            let said = self.envoy.log_since(place);
            (said.matches("` (").count() >= 3 && said.contains(" is serving")).then_some(())
        });
    }

    fn ask(&self, request: &Request) -> Answer {
        let to = self.envoy.address("ingress").unwrap();
        self.runtime
            .block_on(Outgoing::new(request).unwrap().send(to))
            .unwrap()
    }

    fn statuses(&self) -> [u16; 4] {
        let passes = get("/players/7");
        let mut elsewhere = get("/players/7");
        elsewhere.host = "evil.example".into();
        let mut ill = get("/match/create");
        ill.method = "POST".into();
        ill.headers.push("content-type", "application/json");
        ill.body = vec![br#"{"name": "A"}"#.to_vec()];
        let nowhere = get("/nowhere");
        [passes, elsewhere, ill, nowhere].map(|request| self.ask(&request).status)
    }
}

/// Where the filter is looked for, by a rename, with the module where it is here.
fn put(directory: &Path, filter: &str) {
    let module = shipped::build().unwrap();
    let filter = filter.replace("/etc/envoy/portcullis.wasm", module.to_str().unwrap());
    std::fs::write(directory.join("new.yaml"), filter).unwrap();
    std::fs::rename(directory.join("new.yaml"), directory.join("filter.yaml")).unwrap();
}

#[test]
fn from_report_to_enforce_and_back() {
    if !envoy::wanted("the runbook's way in a real Envoy") {
        return;
    }
    let deployed = Deployed::start();
    assert_eq!(deployed.statuses(), [200, 200, 200, 200]);
    let lines = wait("the lines of the report", || {
        let lines = decisions(&deployed.envoy.log());
        (lines.len() >= 3).then_some(lines)
    });
    for line in &lines {
        assert_eq!(line["decision"], "would-refuse", "{line}");
    }
    let ready = deployed.ask(&get("/readyz"));
    assert_eq!(
        serde_json::from_slice::<Value>(&ready.body).unwrap()["policy"],
        "game-api"
    );

    deployed.roll("envoy/rollout/2-limits.yaml");
    assert_eq!(deployed.statuses(), [200, 200, 200, 200]);
    assert!(
        deployed
            .ask(&get("/players/7"))
            .headers
            .contains("x-content-type-options")
    );
    deployed.roll("envoy/rollout/3-enforce.yaml");
    assert_eq!(deployed.statuses(), [200, 421, 422, 404]);

    // The line that the runbook reads has what such lines have.
    let sample: Value = blocks("json")
        .iter()
        .find_map(|block| serde_json::from_str(block).ok())
        .unwrap();
    let real = wait("the line of a refusal", || {
        let lines = decisions(&deployed.envoy.log());
        lines
            .into_iter()
            .find(|line| line["code"] == sample["code"] && line["decision"] == "refused")
    });
    let keys = |line: &Value| {
        line.as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(keys(&sample), keys(&real));
    for key in [
        "rule", "code", "mode", "status", "route", "template", "input", "method", "path",
    ] {
        assert_eq!(sample[key], real[key], "{key}");
    }

    // 3 a.m.
    deployed.roll("envoy/rollout/1-report.yaml");
    assert_eq!(deployed.statuses(), [200, 200, 200, 200]);
    // A masked failure is one of the things that report shows.
    deployed
        .upstream
        .respond(portcullis_host_test::scenario::target::Respond {
            status: 500,
            ..ok("<h1>Traceback</h1>")
        });
    let failed = deployed.ask(&get("/players/7"));
    assert_eq!(
        (failed.status, failed.body.as_slice()),
        (500, &b"<h1>Traceback</h1>"[..])
    );
}
