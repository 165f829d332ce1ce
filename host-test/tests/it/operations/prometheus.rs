//! A real Prometheus over a real Envoy, with the files in `envoy/` as they stand: every alert and every query of the dashboard can be
//! evaluated, and what goes wrong fires.

use std::fs::File;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use portcullis_host_test::document::Document;
use portcullis_host_test::envoy::{self, Envoy};
use portcullis_host_test::scenario::http::HttpTarget;
use portcullis_host_test::scenario::target::{Respond, Target};
use portcullis_host_test::upstream::Upstream;
use portcullis_host_test::wire::Outgoing;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::super::envoy::{get, ok, root, text};
use super::{reloadable, trap, wait};

/// A running Prometheus; it stops with this.
struct Prometheus {
    child: Child,
    address: SocketAddr,
    directory: TempDir,
}

/// The path of its binary; out of Debian's package if it is not installed. `None` where it is not wanted, and says so.
fn installed() -> Option<PathBuf> {
    let unwanted = std::env::var_os("PORTCULLIS_NO_PROMETHEUS");
    if unwanted.is_some_and(|value| !value.is_empty() && value != "0") {
        let _ = writeln!(
            io::stderr(),
            "PORTCULLIS_NO_PROMETHEUS is set: skipped what it would say"
        );
        return None;
    }
    let script = root().join("envoy/install-prometheus");
    let output = Command::new(script).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    Some(PathBuf::from(
        String::from_utf8(output.stdout).unwrap().trim(),
    ))
}

impl Prometheus {
    /// With `envoy/prometheus.yml`, but for its target and its pace.
    fn start(binary: &PathBuf, envoy: SocketAddr) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let written = std::fs::read_to_string(root().join("envoy/prometheus.yml")).unwrap();
        let placed = written
            .replace("127.0.0.1:9901", &envoy.to_string())
            .replace(": 15s", ": 1s");
        std::fs::write(directory.path().join("prometheus.yml"), &placed).unwrap();
        std::fs::copy(
            root().join("envoy/alerts.yml"),
            directory.path().join("alerts.yml"),
        )
        .unwrap();
        let log = File::create(directory.path().join("log")).unwrap();
        let child = Command::new(binary)
            .arg(format!(
                "--config.file={}",
                directory.path().join("prometheus.yml").display()
            ))
            .arg(format!(
                "--storage.tsdb.path={}",
                directory.path().join("data").display()
            ))
            .arg("--web.listen-address=127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut prometheus = Self {
            child,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            directory,
        };
        prometheus.address = wait("prometheus", || {
            let log = prometheus.log();
            let line = log
                .lines()
                .find(|line| line.contains("msg=\"Listening on\""))?;
            line.rsplit_once("address=")?.1.trim().parse().ok()
        });
        wait("prometheus to be ready", || {
            prometheus.log().contains("Server is ready").then_some(())
        });
        prometheus
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// What its HTTP API answers, an error too.
    fn ask(&self, path: &str) -> Value {
        let mut request = get(path);
        request.host = self.address.to_string();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let answer = runtime
            .block_on(Outgoing::new(&request).unwrap().send(self.address))
            .unwrap();
        serde_json::from_slice(&answer.body).unwrap()
    }

    fn query(&self, expression: &str) -> Value {
        let encoded: String = expression
            .bytes()
            .map(|byte| format!("%{byte:02X}"))
            .collect();
        let answer = self.ask(&format!("/api/v1/query?query={encoded}"));
        let result = answer.pointer("/data/result");
        result
            .unwrap_or_else(|| panic!("{expression}: {answer}"))
            .clone()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The expressions of all alerts.
fn alerts() -> Vec<String> {
    let file = Document::read_file(&root().join("envoy/alerts.yml")).unwrap();
    let rules = list(&file.value, "/groups/0/rules");
    rules.iter().map(expression).collect()
}

/// The expressions of the dashboard, with what Grafana puts in for its variables.
fn queries() -> Vec<String> {
    let file = std::fs::read(root().join("envoy/grafana.json")).unwrap();
    let dashboard: Value = serde_json::from_slice(&file).unwrap();
    let panels = list(&dashboard, "/panels");
    let targets = panels.iter().flat_map(|panel| list(panel, "/targets"));
    let targets = targets.chain(list(&dashboard, "/annotations/list"));
    let written = targets.map(|target| expression(&target));
    written
        .map(|written| {
            written
                .replace("$__rate_interval", "1m")
                .replace("$route", ".*")
        })
        .collect()
}

fn list(value: &Value, place: &str) -> Vec<Value> {
    let found = value.pointer(place).and_then(Value::as_array);
    found
        .unwrap_or_else(|| panic!("no list at {place}"))
        .clone()
}

fn expression(value: &Value) -> String {
    let found = value.get("expr").and_then(Value::as_str);
    found
        .unwrap_or_else(|| panic!("no expression in {value}"))
        .to_owned()
}

/// The metrics that an expression names.
fn metrics(expression: &str) -> Vec<&str> {
    let word = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    let words = expression.split(word);
    words
        .filter(|word| word.starts_with("portcullis_") || word.starts_with("envoy_"))
        .collect()
}

fn policy(version: u64) -> Value {
    json!({
        "version": version,
        "name": "watched",
        "client": {"forwarded": "host"},
        "request": {"hosts": ["api.example.com"]},
        "rate_limits": [{"name": "trial", "quota": "5/1h", "mode": "report"}],
        "routes": [{"name": "moves", "path": "/moves", "validate": {"body": {"schema": {"type": "object"}}}}],
        "errors": {"mask_upstream": true},
    })
}

/// What passes, what is refused or would be, and an upstream that fails.
fn mixture(target: &mut HttpTarget<'_>) {
    let ill = Respond {
        status: 500,
        ..ok("<h1>Traceback</h1>")
    };
    for turn in 0..20 {
        let mut request = get("/moves");
        request.method = "POST".into();
        request.headers.push("content-type", "application/json");
        request.body = vec![if turn % 2 == 0 { "{}" } else { "[]" }.into()];
        let respond = if turn % 4 == 0 { &ill } else { &ok("{}") };
        target.exchange(&request, respond).unwrap();
    }
}

#[test]
fn alerts_and_the_dashboard_stand_on_what_is_really_there() {
    if !envoy::wanted("a real Prometheus over a real Envoy") {
        return;
    }
    let Some(binary) = installed() else { return };
    let upstream = Upstream::start().unwrap();
    let mut listener = reloadable("watched", &policy(1), &upstream);
    if let Some(filter) = &mut listener.filter {
        filter.module = trap::module();
    }
    let envoy = Envoy::start(&[listener]).unwrap();
    let prometheus = Prometheus::start(&binary, envoy.admin());
    let up = || {
        prometheus
            .query("up == 1")
            .as_array()
            .is_some_and(|found| !found.is_empty())
    };
    wait("the first scrape", || up().then_some(()));
    wait("the counters at 0", || {
        let found = prometheus.query(
            "portcullis_config_rejected_total == 0 and on() envoy_wasm_vm_reload_success == 0",
        );
        (!found.as_array()?.is_empty()).then_some(())
    });

    let mut target = HttpTarget::behind(&envoy, "watched", &upstream).unwrap();
    let well = ok("{}");
    mixture(&mut target);
    let mut request = get("/moves");
    request.headers.push("x-portcullis-trap", "1");
    assert_eq!(target.exchange(&request, &well).unwrap().status, 503);
    // The next request is what makes Envoy start another VM.
    target.exchange(&get("/moves"), &well).unwrap();
    assert!(!envoy.reconfigure("watched", text(&policy(2))).unwrap());

    let expected = [
        "PortcullisVmFailed",
        "PortcullisConfigRejected",
        "PortcullisWouldRefuse",
    ];
    let firing = wait("the alerts", || {
        let answer = prometheus.ask("/api/v1/alerts");
        let alerts = answer["data"]["alerts"].as_array()?;
        let mut names: Vec<&str> = alerts
            .iter()
            .filter(|alert| alert["state"] == "firing")
            .filter_map(|alert| alert["labels"]["alertname"].as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        expected
            .iter()
            .all(|name| names.contains(name))
            .then(|| names.join(", "))
    });
    println!("firing: {firing}");
    for calm in [
        "PortcullisUnchecked",
        "PortcullisLimitsExhausted",
        "PortcullisSeesNoRequests",
    ] {
        assert!(!firing.contains(calm), "{firing}");
    }

    // Every expression: it is evaluated, and every metric in it is one that is there.
    let alerts = alerts();
    let queries = queries();
    assert!(
        alerts.len() >= 10 && queries.len() >= 15,
        "{} and {}",
        alerts.len(),
        queries.len()
    );
    wait("the histogram", || {
        let found = prometheus.query("portcullis_request_duration_us_bucket");
        (!found.as_array()?.is_empty()).then_some(())
    });
    for expression in alerts.iter().chain(&queries) {
        prometheus.query(expression);
        let named = metrics(expression);
        assert!(!named.is_empty(), "{expression}");
        for metric in named {
            let found = prometheus.query(metric);
            assert!(
                !found.as_array().unwrap().is_empty(),
                "no `{metric}`: {expression}"
            );
        }
    }
    // As its own rule manager has seen them.
    let answer = prometheus.ask("/api/v1/rules");
    let rules = answer["data"]["groups"][0]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), alerts.len());
    for rule in rules {
        assert_eq!(rule["health"], "ok", "{rule}");
    }
    // And with traffic that goes on, the dashboard shows it: all but what takes a worse night than this.
    let empty = |query: &&String| prometheus.query(query).as_array().is_none_or(Vec::is_empty);
    wait("the dashboard", || {
        mixture(&mut target);
        let empty: Vec<&String> = queries.iter().filter(empty).collect();
        (empty.len() <= 2).then_some(())
    });
}
