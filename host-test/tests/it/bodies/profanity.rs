//! Bodies that are masked, or that the upstream is told of: one request of its own length, however it came, and nothing
//! of what is refused.

use portcullis_host_test::envoy;
use portcullis_host_test::exchange::Exchanged;
use portcullis_host_test::header_map::HeaderMap;
use portcullis_host_test::host::Host;
use portcullis_host_test::host::clock::Clock;
use portcullis_host_test::message::{Protocol, Request};
use portcullis_host_test::module::Module;
use portcullis_host_test::profile::Profile;
use portcullis_host_test::vm::{Vm, VmConfig};
use serde_json::{Value, json};

use super::envoy::{Raw, chunks, dechunked, in_front_of, one_request, send, sized};
use super::{answer, arrived, ask};

/// What is done about `grobnik` in the member `a`.
fn policy(action: &str) -> Value {
    json!({"version": 1, "client": {"forwarded": "host"}, "profanity": {"words": ["grobnik"]},
        "routes": [{"name": "a", "path": "/a", "profanity": {"action": action, "fields": ["/a"]}}]})
}

/// With a word that is shorter once it is masked, as its escape is gone; characters of several bytes stand beside it.
const PROFANE: &str = r#"{"x":"grobnik","a":"é gr\u006fbnik 😀"}"#;
const MASKED: &str = r#"{"x":"grobnik","a":"é ******* 😀"}"#;
const CLEAN: &str = r#"{"x":"grobnik","a":"é \u006f 😀"}"#;

fn serving(action: &str, holds_headers: bool) -> Vm {
    let mut config = VmConfig::default();
    if holds_headers {
        config.allow_on_headers_stop_iteration = true;
        config
            .environment
            .insert("PORTCULLIS_HOLD_HEADERS".into(), "1".into());
    }
    let host = Host::new(Profile::ENVOY, Clock::system());
    let mut vm = Vm::start(&Module::embedded().unwrap(), host, config).unwrap();
    assert!(vm.configure(policy(action).to_string().as_bytes()).unwrap());
    vm
}

fn post(body: &str) -> Request {
    Request::new("POST", "a.test", "/a")
        .with_header("content-type", "application/json")
        .with_header("content-length", body.len().to_string())
        .with_body(body)
}

/// The lines of that name that the upstream got.
fn lines(exchanged: &Exchanged, name: &str) -> Vec<String> {
    let upstream = exchanged.upstream.as_ref().unwrap();
    let lines = upstream.headers.get_all(name.as_bytes());
    lines
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect()
}

#[test]
fn how_a_body_is_cut_never_matters() {
    let mut masking = serving("mask", true);
    let mut rejecting = serving("reject", true);
    let mut tagging = serving("tag", true);
    let mut passing = serving("mask", false);
    let length = PROFANE.len();
    for (protocol, trailers) in [
        (Protocol::Http1, None),
        (Protocol::Http2, None),
        (Protocol::Http2, Some(HeaderMap::from([("x-sum", "1")]))),
    ] {
        for first in 0..=length {
            for second in first..=length {
                let cut = |at: std::ops::Range<usize>| PROFANE.as_bytes().get(at).unwrap().to_vec();
                let request = Request {
                    chunks: vec![cut(0..first), cut(first..second), cut(second..length)],
                    trailers: trailers.clone(),
                    protocol,
                    ..Request::new("POST", "a.test", "/a")
                        .with_header("content-type", "application/json")
                };
                for vm in [&mut masking, &mut passing] {
                    let masked = ask(vm, &request);
                    let body = arrived(&masked);
                    assert_eq!(
                        body.as_deref(),
                        Some(MASKED.as_bytes()),
                        "{first} {second} {protocol:?}"
                    );
                }
                let tagged = ask(&mut tagging, &request);
                assert_eq!(arrived(&tagged).as_deref(), Some(PROFANE.as_bytes()));
                assert_eq!(lines(&tagged, "x-profanity"), ["severity=3;fields=1"]);
                let refused = ask(&mut rejecting, &request);
                assert_eq!(answer(&refused), (422, "profanity-found".into()));
                assert!(refused.upstream.is_none());
            }
        }
    }
}

#[test]
fn a_masked_body_has_its_own_length_or_none() {
    let (held, passed) = (
        ask(&mut serving("mask", true), &post(PROFANE)),
        ask(&mut serving("mask", false), &post(PROFANE)),
    );
    assert!(MASKED.len() < PROFANE.len());
    assert_eq!(lines(&held, "content-length"), [MASKED.len().to_string()]);
    assert_eq!(lines(&passed, "content-length"), [""; 0]);
}

#[test]
fn a_host_that_cannot_mask_refuses_what_it_would_have_to() {
    let refused = |vm: &mut Vm| {
        let kept = ask(vm, &post(PROFANE));
        assert_eq!(answer(&kept), (422, "body-not-normalized".into()));
        assert_eq!(arrived(&kept), None);
        let clean = ask(vm, &post(CLEAN));
        assert_eq!(arrived(&clean).as_deref(), Some(CLEAN.as_bytes()));
    };
    for holds_headers in [true, false] {
        let mut vm = serving("mask", holds_headers);
        for status in [1, 2, 10, 12, 255] {
            vm.set_fault("proxy_set_buffer_bytes", Some(status));
            refused(&mut vm);
        }
        vm.set_fault("proxy_set_buffer_bytes", None);
        let masked = ask(&mut vm, &post(PROFANE));
        assert_eq!(arrived(&masked).as_deref(), Some(MASKED.as_bytes()));
    }
}

#[test]
fn an_upstream_that_cannot_be_told_does_not_get_it() {
    let refused = |vm: &mut Vm| {
        let untold = ask(vm, &post(PROFANE));
        assert_eq!(answer(&untold), (422, "profanity-found".into()));
        assert_eq!(arrived(&untold), None);
        let response = String::from_utf8(untold.response.unwrap().body).unwrap();
        assert!(!response.contains("grobnik"), "{response}");
        let clean = ask(vm, &post(CLEAN));
        assert_eq!(arrived(&clean).as_deref(), Some(CLEAN.as_bytes()));
        assert_eq!(lines(&clean, "x-profanity"), [""; 0]);
    };
    // Its headers have gone on.
    refused(&mut serving("tag", false));
    let mut vm = serving("tag", true);
    for status in [1, 2, 10, 12, 255] {
        vm.set_fault("proxy_add_header_map_value", Some(status));
        refused(&mut vm);
    }
    vm.set_fault("proxy_add_header_map_value", None);
    let told = ask(&mut vm, &post(PROFANE));
    assert_eq!(lines(&told, "x-profanity"), ["severity=3;fields=1"]);
}

fn pieces(of: &[String]) -> Vec<&str> {
    of.iter().map(String::as_str).collect()
}

#[test]
fn an_upstream_sees_one_whole_masked_request() {
    if !envoy::wanted("masked requests in front of a raw upstream") {
        return;
    }
    let raw = Raw::start();
    let envoy = in_front_of(&raw, &policy("mask"), true);
    let address = envoy.address("bodies").unwrap();
    for (sent, expected) in [(PROFANE, MASKED), (CLEAN, CLEAN)] {
        assert_eq!(send(address, &[&sized(sent)]), ["200"]);
        let arrived = raw.take();
        let (head, body) = one_request(&arrived);
        let length = format!("content-length: {}", expected.len());
        assert!(head.lines().any(|line| line == length), "{head}");
        assert_eq!(head.matches("content-length").count(), 1, "{head}");
        assert!(!head.contains("transfer-encoding"), "{head}");
        assert_eq!(body, expected);
        for end in ["", "x-last: 1\r\n"] {
            assert_eq!(send(address, &pieces(&chunks(sent, end))), ["200"]);
            let arrived = raw.take();
            let (head, body) = one_request(&arrived);
            match head.contains("transfer-encoding: chunked") {
                true => assert_eq!(dechunked(&body.replace(end, "")), expected),
                false => assert_eq!(body, expected, "{head}"),
            }
        }
    }
    // What is missing in front of a stale length would be the next request.
    let first = sized(PROFANE).replace("connection: close\r\n", "");
    assert_eq!(send(address, &[&first, &sized(CLEAN)]), ["200", "200"]);
    let arrived = raw.take();
    assert_eq!(arrived.matches(" HTTP/1.1\r\n").count(), 2, "{arrived}");
    assert!(arrived.contains(MASKED) && arrived.contains(CLEAN));
}

#[test]
fn an_upstream_sees_nothing_of_profanity_that_is_refused() {
    if !envoy::wanted("profanity in front of a raw upstream") {
        return;
    }
    let raw = Raw::start();
    let envoy = in_front_of(&raw, &policy("reject"), true);
    let address = envoy.address("bodies").unwrap();
    for request in [
        vec![sized(PROFANE)],
        chunks(PROFANE, ""),
        chunks(PROFANE, "x-last: 1\r\n"),
    ] {
        assert_eq!(send(address, &pieces(&request)), ["422"]);
        assert_eq!(raw.take(), "", "{request:?}");
    }
    assert_eq!(send(address, &[&sized(CLEAN)]), ["200"]);
    assert!(raw.take().ends_with(CLEAN));
}

#[test]
fn an_upstream_is_told_only_where_headers_are_held() {
    if !envoy::wanted("an upstream that is told of profanity") {
        return;
    }
    let raw = Raw::start();
    let held = in_front_of(&raw, &policy("tag"), true);
    let address = held.address("bodies").unwrap();
    let own = |body: &str| sized(body).replace("\r\nhost", "\r\nX-Profanity: none\r\nhost");
    for (body, told) in [
        (PROFANE, Some("x-profanity: severity=3;fields=1")),
        (CLEAN, None),
    ] {
        assert_eq!(send(address, &[&own(body)]), ["200"]);
        let arrived = raw.take();
        let (head, rest) = one_request(&arrived);
        let lines: Vec<&str> = head
            .lines()
            .filter(|line| line.starts_with("x-profanity"))
            .collect();
        assert_eq!(lines, told.as_slice(), "{head}");
        assert_eq!(rest, body);
    }
    drop(held);
    let passed = in_front_of(&raw, &policy("tag"), false);
    let address = passed.address("bodies").unwrap();
    assert_eq!(send(address, &[&own(PROFANE)]), ["422"]);
    // Its head has gone on; its body never does.
    assert!(!raw.take().contains("grobnik"));
    assert_eq!(send(address, &[&own(CLEAN)]), ["200"]);
    let arrived = raw.take();
    assert!(arrived.contains(CLEAN) && !arrived.contains("x-profanity"));
}
