//! The shipped module in a real Envoy: the whole corpus over HTTP, and what only a real gateway can show.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use portcullis_host_test::document::Document;
use portcullis_host_test::envoy::{self, Configuration, Envoy, Filter, Listener};
use portcullis_host_test::header_map::HeaderMap;
use portcullis_host_test::scenario::corpus::Corpus;
use portcullis_host_test::scenario::file::{Action, Scenario};
use portcullis_host_test::scenario::http::{HttpTarget, as_deployed};
use portcullis_host_test::scenario::run::skip_reason;
use portcullis_host_test::scenario::target::{
    HttpVersion, Observed, Request, Respond, Runner, Scheme, Target, UpstreamSeen,
};
use portcullis_host_test::shipped;
use portcullis_host_test::upstream::Upstream;
use serde_json::{Value, json};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The policy that stands in `envoy/`.
pub(crate) fn example() -> Value {
    Document::read_file(&root().join("envoy/policy.yaml"))
        .unwrap()
        .value
}

fn filter(configuration: Configuration) -> Filter {
    Filter {
        module: shipped::build().unwrap(),
        configuration,
        vm_id: "test".into(),
        hold_headers: true,
        reloadable: false,
    }
}

pub(crate) fn text(policy: &Value) -> Configuration {
    Configuration::Text(policy.to_string())
}

pub(crate) fn listener(name: &str, configuration: Configuration, upstream: &Upstream) -> Listener {
    Listener {
        name: name.into(),
        filter: Some(filter(configuration)),
        upstream: upstream.address(),
        gzip: true,
    }
}

/// A GET of a path that the example policy lets through.
pub(crate) fn get(path: &str) -> Request {
    Request {
        method: "GET".into(),
        path: path.into(),
        host: "api.example.com".into(),
        scheme: Scheme::Http,
        client: "203.0.113.7".parse().unwrap(),
        http_version: HttpVersion::Http11,
        headers: HeaderMap::new(),
        body: Vec::new(),
        trailers: HeaderMap::new(),
    }
}

pub(crate) fn ok(body: &str) -> Respond {
    Respond {
        status: 200,
        headers: HeaderMap::from([
            ("content-type", "application/json"),
            ("x-powered-by", "demo"),
        ]),
        body: body.into(),
        delay: Duration::ZERO,
    }
}

#[test]
fn the_corpus_holds_in_a_real_envoy() {
    if !envoy::wanted("the corpus in a real Envoy") {
        return;
    }
    let corpus = Corpus::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")).unwrap();
    // A listener for each policy; one of its own for a scenario that changes it.
    let key = |name: &str, scenario: &Scenario| {
        let changes = scenario
            .steps
            .iter()
            .any(|step| matches!(step.action, Action::Reload { .. }));
        (
            as_deployed(&scenario.policy),
            changes.then(|| name.to_owned()),
        )
    };
    let mut keys = Vec::new();
    for (name, scenario) in &corpus.scenarios {
        let key = key(name, scenario);
        if skip_reason(scenario, Runner::Http).is_none() && !keys.contains(&key) {
            keys.push(key);
        }
    }
    let upstream = Upstream::start().unwrap();
    let name = |index: usize| format!("policy-{index}");
    let listeners: Vec<Listener> = keys
        .iter()
        .enumerate()
        .map(|(index, (policy, changes))| Listener {
            name: name(index),
            filter: Some(Filter {
                reloadable: changes.is_some(),
                ..filter(text(policy))
            }),
            upstream: upstream.address(),
            gzip: false,
        })
        .collect();
    let envoy = Envoy::start(&listeners).unwrap();
    let tally = corpus.run(Runner::Http, |scenario_name, scenario| {
        let key = key(scenario_name, scenario);
        let index = keys.iter().position(|known| *known == key).unwrap();
        Ok(Box::new(HttpTarget::behind(
            &envoy,
            &name(index),
            &upstream,
        )?))
    });
    let _ = writeln!(
        io::stderr(),
        "envoy: {} listeners, ready after {} ms\n{tally}",
        listeners.len(),
        envoy.ready_after().as_millis()
    );
    tally.verdict().unwrap();
    assert_unhurt(&envoy);
}

/// No VM has failed since the start.
fn assert_unhurt(envoy: &Envoy) {
    for (name, value) in envoy.stats("vm_reload").unwrap() {
        assert_eq!(value, 0, "{name}; the log:\n{}", envoy.log());
    }
    let log = envoy.log();
    for sign in [
        "panicked",
        "Proxy-Wasm plugin in-VM backtrace",
        "wasm failed",
        "Function: proxy_on",
    ] {
        assert!(!log.contains(sign), "`{sign}` in the log:\n{log}");
    }
}

#[test]
fn a_vm_survives_what_clients_do_to_it() {
    if !envoy::wanted("hostile clients in a real Envoy") {
        return;
    }
    let upstream = Upstream::start().unwrap();
    let envoy = Envoy::start(&[listener("example", text(&example()), &upstream)]).unwrap();
    let mut target = HttpTarget::behind(&envoy, "example", &upstream).unwrap();
    let address = envoy.address("example").unwrap();

    let every_byte: Vec<u8> = (0x80..=0xff).collect();
    let mut odd = get("/players/7");
    for name in [
        "host-like",
        "origin",
        "x-request-id",
        "authorization",
        "x-forwarded-proto",
        "content-type",
    ] {
        odd.headers.push(name, every_byte.clone());
    }
    let mut many = get("/players/7");
    for index in 0..1_500 {
        many.headers.push(format!("x-{index}"), "v");
    }
    let mut long = get("/players/7");
    for _ in 0..20 {
        long.headers.push("x-long", vec![b'a'; 8_000]);
    }
    let mut path = get("/players/7");
    path.path = format!("/players/{}", "a/../%2e%2e//%ff".repeat(500));
    let mut trailers = get("/match/create");
    trailers.method = "POST".into();
    trailers.http_version = HttpVersion::Http2;
    trailers.body = vec![b"{".to_vec(), b"}".to_vec()];
    trailers.trailers.push("x-last", &b"\xff\xfe"[..]);

    let hostile = [
        ("bytes past ASCII", odd),
        ("1500 header lines", many),
        ("160 KB of header lines", long),
        ("a long odd path", path),
        ("trailers", trailers),
    ];
    for (what, request) in hostile {
        for http_version in [HttpVersion::Http11, HttpVersion::Http2] {
            let request = Request {
                http_version,
                ..request.clone()
            };
            let observed = target.exchange(&request, &ok("{}"));
            assert!(
                observed.is_ok_and(|observed| observed.status < 500),
                "{what} over {http_version:?}"
            );
            assert_serves(&mut target, what);
        }
    }
    for (what, gone) in [
        (
            "a client that leaves within the header",
            "POST /match/create HTTP/1.1\r\nhost: api.exa",
        ),
        (
            "a client that leaves within the body",
            "POST /match/create HTTP/1.1\r\nhost: api.example.com\r\ncontent-length: 100\r\n\r\n{\"a\":",
        ),
        (
            "a client that leaves within a chunk",
            "POST /match/create HTTP/1.1\r\nhost: api.example.com\r\ntransfer-encoding: chunked\r\n\r\n40\r\n{\"a\":",
        ),
        (
            "a client that leaves before the answer",
            "GET /players/7 HTTP/1.1\r\nhost: api.example.com\r\n\r\n",
        ),
    ] {
        upstream.respond(Respond {
            delay: Duration::from_millis(200),
            ..ok("{}")
        });
        send_and_leave(address, gone.as_bytes());
        assert_serves(&mut target, what);
    }
    assert_unhurt(&envoy);
}

/// Writes the bytes, gives the gateway a moment to take them in, and goes away.
fn send_and_leave(to: SocketAddr, bytes: &[u8]) {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.write_all(bytes).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    // Nothing comes, since the request or its answer is not complete: the wait is all that is wanted.
    assert!(stream.read(&mut [0; 1]).is_err());
}

/// The next request, like any other, gets its answer through the filter.
fn assert_serves(target: &mut HttpTarget<'_>, after: &str) {
    let observed = target
        .exchange(&get("/players/7"), &ok("{\"player\":7}"))
        .unwrap();
    assert_eq!(observed.status, 200, "after {after}");
    assert_eq!(observed.body, b"{\"player\":7}", "after {after}");
    assert!(
        !observed.headers.contains("x-powered-by"),
        "the filter is not in the path after {after}"
    );
}

#[test]
fn a_struct_and_a_text_are_one_policy() {
    if !envoy::wanted("a policy as `Struct` in a real Envoy") {
        return;
    }
    let upstream = Upstream::start().unwrap();
    let envoy = Envoy::start(&[
        listener("text", text(&example()), &upstream),
        listener("struct", Configuration::Struct(example()), &upstream),
    ])
    .unwrap();
    let mut elsewhere = get("/players/7");
    elsewhere.host = "evil.test".into();
    let mut patch = get("/players/7");
    patch.method = "PATCH".into();
    let mut wrong_method = get("/match/create");
    wrong_method.method = "DELETE".into();
    for (request, status) in [
        (get("/players/7"), 200),
        (get("/docs/start"), 200),
        (get("/admin"), 404),
        (elsewhere, 421),
        (patch, 405),
        (wrong_method, 405),
    ] {
        let observe = |name: &str| -> Observed {
            let mut target = HttpTarget::behind(&envoy, name, &upstream).unwrap();
            target.exchange(&request, &ok("{}")).unwrap()
        };
        let (one, other) = (observe("text"), observe("struct"));
        assert_eq!(one.status, status, "{request:?}");
        assert_eq!(other.status, status, "{request:?}");
        assert_eq!(comparable(&one), comparable(&other), "{request:?}");
    }
}

/// What must not depend on the time or on the request's number.
fn comparable(observed: &Observed) -> (Vec<String>, Value, bool) {
    let mut headers: Vec<String> = observed
        .headers
        .iter()
        .filter(|(name, _)| *name != b"date" && *name != b"x-request-id")
        .map(|(name, value)| format!("{}: {}", name.escape_ascii(), value.escape_ascii()))
        .collect();
    headers.sort();
    let mut body: Value = serde_json::from_slice(&observed.body).unwrap();
    if let Some(members) = body.as_object_mut() {
        members.remove("request_id");
    }
    (
        headers,
        body,
        matches!(observed.upstream, UpstreamSeen::Called(_)),
    )
}

#[test]
fn an_invalid_policy_keeps_envoy_from_starting() {
    if !envoy::wanted("an invalid policy in a real Envoy") {
        return;
    }
    let upstream = Upstream::start().unwrap();
    let policy = json!({"version": 1, "request": {"hots": ["api.example.com"]}, "headers": {"preset": "apy"}});
    for configuration in [
        text(&policy),
        Configuration::Struct(policy.clone()),
        Configuration::Text("{".into()),
    ] {
        let broken = matches!(&configuration, Configuration::Text(text) if text == "{");
        let Err(error) = Envoy::start(&[listener("wrong", configuration, &upstream)]) else {
            panic!("envoy has started under {policy}");
        };
        let said = format!("{error:#}");
        assert!(said.contains("stopped while it was starting"), "{said}");
        let expected: &[&str] = if broken {
            &["portcullis"]
        } else {
            &["/request/hots", "did you mean `hosts`", "/headers/preset"]
        };
        for part in expected {
            assert!(said.contains(part), "no `{part}` in: {said}");
        }
    }
}

#[test]
fn long_responses_are_compressed_after_the_filter() {
    if !envoy::wanted("compression in a real Envoy") {
        return;
    }
    let upstream = Upstream::start().unwrap();
    let envoy = Envoy::start(&[listener("example", text(&example()), &upstream)]).unwrap();
    let mut target = HttpTarget::behind(&envoy, "example", &upstream).unwrap();
    let mut request = get("/players/7");
    request.headers.push("accept-encoding", "gzip");
    for (length, compressed) in [(999, false), (1_000, true), (100_000, true)] {
        let body = format!("\"{}\"", "a".repeat(length - 2));
        let observed = target.exchange(&request, &ok(&body)).unwrap();
        let encoding = observed.headers.get_text("content-encoding");
        assert_eq!(
            encoding.as_deref(),
            compressed.then_some("gzip"),
            "{length} bytes"
        );
        let mut plain = String::new();
        if compressed {
            flate2::read::GzDecoder::new(observed.body.as_slice())
                .read_to_string(&mut plain)
                .unwrap();
        } else {
            plain = String::from_utf8(observed.body).unwrap();
        }
        assert_eq!(plain, body, "{length} bytes");
        assert_eq!(
            observed
                .headers
                .get_text("x-content-type-options")
                .as_deref(),
            Some("nosniff")
        );
        assert!(!observed.headers.contains("x-powered-by"));
    }
}

#[test]
fn the_configuration_to_copy_is_valid_and_carries_the_example_policy() {
    let file = root().join("envoy/envoy.yaml");
    let written = Document::read_file(&file).unwrap().value;
    let policy = written
        .pointer(
            "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters/1",
        )
        .and_then(|filter| filter.pointer("/typed_config/config/configuration/value"))
        .and_then(Value::as_str)
        .expect("envoy.yaml has no policy where it is looked for");
    assert_eq!(serde_json::from_str::<Value>(policy).unwrap(), example());

    if !envoy::wanted("envoy.yaml in a real Envoy") {
        return;
    }
    let module = shipped::build().unwrap();
    let here = std::fs::read_to_string(&file)
        .unwrap()
        .replace("/etc/envoy/portcullis.wasm", module.to_str().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let placed = directory.path().join("envoy.yaml");
    std::fs::write(&placed, here).unwrap();
    let output = std::process::Command::new(envoy::install().unwrap())
        .args([
            "--disable-hot-restart",
            "--mode",
            "validate",
            "--log-level",
            "warning",
            "--config-path",
        ])
        .arg(&placed)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("eprecated"), "{said}");
}
