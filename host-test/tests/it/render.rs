//! `portcullis render`: what it prints is what stands in `envoy/`, and what a real Envoy takes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use portcullis_host_test::document::Document;
use portcullis_host_test::{envoy, shipped};
use serde_json::{Value, json};

use crate::check::{run, text};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../envoy")
}

fn example() -> Value {
    Document::read_file(&folder().join("policy.yaml"))
        .unwrap()
        .value
}

/// What the command prints for a policy.
fn rendered(policy: &Value, arguments: &[&str]) -> String {
    let output = render(policy, arguments);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    text(&output.stdout)
}

fn render(policy: &Value, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("policy.json"), policy.to_string()).unwrap();
    let (gateway, options) = arguments.split_first().unwrap();
    run(
        folder.path(),
        &[&["render", gateway, "policy.json"], options].concat(),
    )
}

fn yaml(text: &str) -> Value {
    Document::read("rendered", text.as_bytes()).unwrap().value
}

const CONNECTION_MANAGER: &str =
    "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
const FILTER: &str = "/http_filters/1/typed_config/config";

/// An Envoy configuration without its policy, and the policy.
fn apart(mut configuration: Value) -> (Value, Value) {
    let place = format!("{CONNECTION_MANAGER}{FILTER}/configuration/value");
    let policy = configuration.pointer_mut(&place).unwrap().take();
    (
        configuration,
        serde_json::from_str(policy.as_str().unwrap()).unwrap(),
    )
}

/// Holds a configuration, as printed, against a real Envoy; the shipped module takes the place of the one that it names.
fn validate(printed: &str, module: &str) {
    let shipped = json!(shipped::build().unwrap()).to_string();
    let module = json!(module).to_string();
    assert!(printed.contains(&module), "no {module} in:\n{printed}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("envoy.yaml");
    std::fs::write(&file, printed.replace(&module, &shipped)).unwrap();
    let output = Command::new(envoy::install().unwrap())
        .args([
            "--disable-hot-restart",
            "--mode",
            "validate",
            "--config-path",
        ])
        .arg(&file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn the_configuration_to_copy_is_what_is_rendered() {
    let written = Document::read_file(&folder().join("envoy.yaml"))
        .unwrap()
        .value;
    let rendered = rendered(&example(), &["envoy"]);
    assert_eq!(apart(yaml(&rendered)), apart(written));
    for part in [
        "PORTCULLIS_HOLD_HEADERS",
        "allow_on_headers_stop_iteration: true",
        "FAIL_RELOAD",
    ] {
        assert!(rendered.contains(part), "no `{part}` in:\n{rendered}");
    }
    if envoy::wanted("a rendered configuration in a real Envoy") {
        validate(&rendered, "/etc/envoy/portcullis.wasm");
    }
}

/// A policy and options that change all that can change, with text that YAML might trip over.
fn odd() -> (Value, [&'static str; 5]) {
    let policy = json!({
        "version": 1,
        "name": "odd-one",
        "request": {"hosts": ["api.example.com"], "max_headers": 500, "max_header_bytes": "100KiB"},
        "headers": {"set": {"x-a": "a: #b {c} 'd' \"e\" \\n | > & * !"}},
        "routes": [{"name": "a", "path": "/münchen/\u{2028}\u{1f0a1}", "headers": {"set": {"x-a": null}}}],
    });
    let options = [
        "envoy",
        "--upstream",
        "backend.internal:9000",
        "--wasm",
        "/opt/a b/'m': #.wasm",
    ];
    (policy, options)
}

#[test]
fn everything_that_depends_on_the_policy_and_the_place_is_written_anew() {
    let (policy, options) = odd();
    let printed = rendered(&policy, &options);
    assert!(printed.contains("for the policy `odd-one`"), "{printed}");
    let (configuration, carried) = apart(yaml(&printed));
    assert_eq!(carried, policy);
    let manager = configuration.pointer(CONNECTION_MANAGER).unwrap();
    let module = manager.pointer(&format!("{FILTER}/vm_config/code/local/filename"));
    assert_eq!(module, Some(&json!("/opt/a b/'m': #.wasm")));
    let lines = manager.pointer("/common_http_protocol_options/max_headers_count");
    assert_eq!(lines, Some(&json!(500)));
    assert_eq!(manager["max_request_headers_kb"], 100);
    let cluster = &configuration["static_resources"]["clusters"][0];
    assert_eq!(cluster["type"], "STRICT_DNS");
    let address = cluster
        .pointer("/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address");
    assert_eq!(
        address,
        Some(&json!({"address": "backend.internal", "port_value": 9000}))
    );
    if envoy::wanted("an odd rendered configuration in a real Envoy") {
        validate(&printed, "/opt/a b/'m': #.wasm");
    }
}

#[test]
fn upstreams() {
    let check = |upstream: &str, expected: Option<(&str, &str)>| {
        let output = render(&example(), &["envoy", "--upstream", upstream]);
        let Some((kind, address)) = expected else {
            assert_eq!(output.status.code(), Some(1), "{upstream}");
            return;
        };
        let cluster = yaml(&text(&output.stdout))["static_resources"]["clusters"][0].clone();
        let place =
            "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address/address";
        assert_eq!(
            (&cluster["type"], cluster.pointer(place)),
            (&json!(kind), Some(&json!(address)))
        );
    };
    check("10.0.0.7:80", Some(("STATIC", "10.0.0.7")));
    check("[2001:db8::1]:80", Some(("STATIC", "2001:db8::1")));
    check("localhost:80", Some(("STRICT_DNS", "localhost")));
    check("localhost", None);
    check("http://localhost:80", None);
    check("localhost:0", None);
    check(":80", None);
    check("a b:80", None);
    check("2001:db8::1:80", None);
    check("a}, x: {b:80", None);
}

#[test]
fn istio() {
    let written = std::fs::read_to_string(folder().join("istio.yaml")).unwrap();
    assert_eq!(rendered(&example(), &["istio"]), written);

    let (policy, _) = odd();
    let printed = rendered(&policy, &["istio", "--wasm", "/opt/portcullis.wasm"]);
    let (plugin, filter) = printed.split_once("\n---\n").unwrap();
    let (plugin, filter) = (yaml(plugin), yaml(filter));
    assert_eq!(plugin["spec"]["pluginConfig"], policy);
    assert_eq!(plugin["spec"]["url"], "file:///opt/portcullis.wasm");
    assert_eq!(plugin["spec"]["failStrategy"], "FAIL_RELOAD");
    assert_eq!(
        plugin["spec"]["selector"]["matchLabels"],
        filter["spec"]["workloadSelector"]["labels"]
    );
    // What requests would hang on, without its counterpart.
    assert_eq!(plugin["spec"].get("vmConfig"), None);

    // The patch, where a real Envoy can judge it.
    let patch = &filter["spec"]["configPatches"][0]["patch"]["value"]["typed_config"];
    assert_eq!(patch["server_header_transformation"], "PASS_THROUGH");
    assert_eq!(
        patch["common_http_protocol_options"]["max_headers_count"],
        500
    );
    let mut configuration = yaml(&rendered(&example(), &["envoy"]));
    let bootstrap = &filter["spec"]["configPatches"][1]["patch"]["value"];
    assert_eq!(bootstrap["stats_config"], configuration["stats_config"]);
    if envoy::wanted("the patch for Istio in a real Envoy") {
        let manager = configuration.pointer_mut(CONNECTION_MANAGER).unwrap();
        let manager = manager.as_object_mut().unwrap();
        manager.extend(patch.as_object().unwrap().clone());
        validate(&configuration.to_string(), "/etc/envoy/portcullis.wasm");
    }
}

/// A policy with limits of every kind that nginx has an opinion of.
fn large() -> Value {
    json!({
        "version": 1,
        "name": "large",
        "request": {"max_body_bytes": "8MiB", "max_header_bytes": "48KiB"},
        "rate_limits": [
            {"name": "each", "quota": "10/1s", "capacity": 1_000_000},
        ],
        "routes": [
            {"name": "a", "path": "/a", "validate": {"body": {"schema": true, "max_bytes": "2MiB"}}},
            {"name": "b", "path": "/b", "validate": {"body": {"max_bytes": "4MiB"}}},
        ],
    })
}

#[test]
fn kong() {
    let written = std::fs::read_to_string(folder().join("kong.yml")).unwrap();
    assert_eq!(rendered(&example(), &["kong"]), written);
    let filter = |text: &str| {
        let service = yaml(text)["services"][0].clone();
        let filter = service["filter_chains"][0]["filters"][0].clone();
        assert_eq!(filter["name"], "portcullis");
        let policy: Value = serde_json::from_str(filter["config"].as_str().unwrap()).unwrap();
        (service["url"].clone(), policy)
    };
    assert_eq!(
        filter(&written),
        (json!("http://127.0.0.1:8000"), example())
    );

    let options = [
        "kong",
        "--upstream",
        "[::1]:9000",
        "--filters",
        "/opt/filters",
    ];
    let printed = rendered(&large(), &options);
    assert_eq!(filter(&printed), (json!("http://[::1]:9000"), large()));
    for line in [
        "wasm_filters_path = /opt/filters ",
        // As `check --profile kong` says it.
        "nginx_wasm_shm_kv = 63m ",
        "nginx_http_client_body_buffer_size = 2m ",
        "nginx_http_client_max_body_size = 8193k ",
        "nginx_http_large_client_header_buffers = 8 48k ",
    ] {
        assert!(
            printed.contains(&format!("#   {line}")),
            "{line}: {printed}"
        );
    }
    let checked = checked_for("kong", &large());
    assert!(checked.contains("nginx_wasm_shm_kv = 63m"), "{checked}");
}

#[test]
fn apisix() {
    let written = std::fs::read_to_string(folder().join("apisix.yaml")).unwrap();
    assert_eq!(rendered(&example(), &["apisix"]), written);
    assert!(
        written.ends_with("\n#END\n"),
        "without it APISIX waits for the rest"
    );
    let route = |text: &str| {
        let route = yaml(text)["routes"][0].clone();
        let conf = route["plugins"]["portcullis"]["conf"].as_str().unwrap();
        (
            route["upstream"]["nodes"].clone(),
            serde_json::from_str::<Value>(conf).unwrap(),
        )
    };
    assert_eq!(route(&written), (json!({"127.0.0.1:8000": 1}), example()));

    let options = ["apisix", "--upstream", "api:9000", "--wasm", "/opt/p.wasm"];
    let printed = rendered(&large(), &options);
    assert_eq!(route(&printed), (json!({"api:9000": 1}), large()));
    // What goes into config.yaml is YAML too.
    let comments = printed.lines().filter_map(|line| line.strip_prefix("#   "));
    let settings = yaml(&comments.map(|line| format!("{line}\n")).collect::<String>());
    assert_eq!(settings["wasm"]["plugins"][0]["file"], "/opt/p.wasm");
    assert_eq!(
        settings["nginx_config"]["http"]["client_max_body_size"],
        "8193k"
    );
    let snippet = &settings["nginx_config"]["http_configuration_snippet"];
    assert_eq!(snippet, "large_client_header_buffers 8 48k;\n");
}

/// What `check` says of a policy for a gateway.
fn checked_for(gateway: &str, policy: &Value) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("policy.json"), policy.to_string()).unwrap();
    let output = run(
        folder.path(),
        &["check", "policy.json", "--profile", gateway],
    );
    text(&output.stdout) + &text(&output.stderr)
}

#[test]
fn an_invalid_policy_is_not_rendered() {
    let policy = json!({"version": 1, "request": {"hots": ["api.example.com"]}});
    for gateway in ["envoy", "istio", "kong", "apisix"] {
        let output = render(&policy, &[gateway]);
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        assert_eq!(text(&output.stdout), "");
        assert!(
            text(&output.stderr).contains("did you mean `hosts`?"),
            "{output:?}"
        );
    }
    let output = render(
        &example(),
        &["envoy", "--wasm", "oci://registry.example.com/portcullis"],
    );
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        text(&output.stderr).contains("takes the module from a file"),
        "{output:?}"
    );
}
