//! Bodies that a route reads, under a host that fails it and from clients that mean harm: nothing passes unjudged, and
//! the VM lives.

mod envoy;
mod profanity;

use portcullis_host_test::exchange::{self, Exchanged};
use portcullis_host_test::header_map::HeaderMap;
use portcullis_host_test::host::Host;
use portcullis_host_test::host::clock::Clock;
use portcullis_host_test::message::{Protocol, Request, Response};
use portcullis_host_test::module::Module;
use portcullis_host_test::profile::Profile;
use portcullis_host_test::vm::{Vm, VmConfig};

/// `/json` is put in order and judged, `/form` and `/parts` are judged, `/packed` is opened.
const POLICY: &str = r##"{
    "version": 1, "routes": [
        {"name": "json", "path": "/json", "validate": {"body": {"max_bytes": "1MiB", "max_string_bytes": "1MiB",
            "normalize": {"/token": ["trim"]}, "schema": {"$ref": "#/schemas/Token"}}}},
        {"name": "form", "path": "/form", "validate": {"body": {"max_bytes": "1MiB", "schema": {"$ref": "#/schemas/Token"},
            "content_types": ["application/x-www-form-urlencoded"]}}},
        {"name": "parts", "path": "/parts", "validate": {"body": {"max_bytes": "1MiB", "schema": {"$ref": "#/schemas/Token"},
            "content_types": ["multipart/form-data"]}}},
        {"name": "packed", "path": "/packed", "validate": {"body": {"max_bytes": "1MiB", "schema": true,
            "encodings": ["gzip", "deflate"]}}},
        {"name": "report", "path": "/report", "mode": "report", "validate": {"body": {"schema": {"$ref": "#/schemas/Token"}}}}
    ],
    "schemas": {"Token": {"type": "object", "properties": {"token": {"type": "string", "maxLength": 5}}}}
}"##;

const GOOD: &str = r#"{"token": "abc"}"#;
const BAD: &str = r#"{"token": "abcdef"}"#;
/// Good once it is put in order.
const LOOSE: &str = r#"{"token": "  abc  "}"#;

fn serving(holds_headers: bool) -> Vm {
    serving_in(Profile::ENVOY, holds_headers)
}

fn serving_in(profile: Profile, holds_headers: bool) -> Vm {
    let mut config = VmConfig::default();
    if holds_headers {
        config.allow_on_headers_stop_iteration = true;
        config
            .environment
            .insert("PORTCULLIS_HOLD_HEADERS".into(), "1".into());
    }
    let host = Host::new(profile, Clock::system());
    let mut vm = Vm::start(&Module::embedded().unwrap(), host, config).unwrap();
    assert!(vm.configure(POLICY.as_bytes()).unwrap());
    vm
}

fn post(path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Request {
    let body = body.into();
    Request::new("POST", "a.test", path)
        .with_header("content-type", content_type)
        .with_header("content-length", body.len().to_string())
        .with_body(body)
}

fn json(body: impl Into<Vec<u8>>) -> Request {
    post("/json", "application/json", body)
}

fn ask(vm: &mut Vm, request: &Request) -> Exchanged {
    let exchanged = exchange::run(vm, request, &mut |_| Response::new(200, "hello"));
    assert!(exchanged.trap.is_none(), "{:?}", exchanged.trap);
    exchanged
}

/// The status, and the code that a refusal has.
fn answer(exchanged: &Exchanged) -> (u16, String) {
    let response = exchanged.response.as_ref().unwrap();
    let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let code = body.get("code").and_then(|code| code.as_str());
    (response.status().unwrap(), code.unwrap_or_default().into())
}

/// What came to the upstream as a whole request.
fn arrived(exchanged: &Exchanged) -> Option<Vec<u8>> {
    let upstream = exchanged.upstream.as_ref();
    upstream
        .filter(|_| exchanged.upstream_complete)
        .map(Request::body)
}

fn check_alive(vm: &mut Vm) {
    let good = ask(vm, &json(GOOD));
    assert_eq!(arrived(&good).as_deref(), Some(GOOD.as_bytes()));
    let bad = ask(vm, &json(BAD));
    assert_eq!(answer(&bad), (422, "input-invalid".into()));
    assert_eq!(arrived(&bad), None);
}

#[test]
fn a_body_that_the_host_does_not_show_is_refused() {
    for holds_headers in [true, false] {
        let mut vm = serving(holds_headers);
        // 0 is a host that says that all is well and gives nothing, as Kong does with a body on its disk.
        for status in [0, 1, 2, 10, 12, 255] {
            vm.set_fault("proxy_get_buffer_bytes", Some(status));
            for body in [GOOD, BAD, LOOSE] {
                let unseen = ask(&mut vm, &json(body));
                assert_eq!(answer(&unseen), (413, "body-unreadable".into()), "{status}");
                assert_eq!(arrived(&unseen), None);
                assert!(!holds_headers || unseen.upstream.is_none());
            }
            // What is only reported on passes all the same.
            let report = ask(&mut vm, &post("/report", "application/json", BAD));
            assert_eq!(arrived(&report).as_deref(), Some(BAD.as_bytes()));
            vm.set_fault("proxy_get_buffer_bytes", None);
            check_alive(&mut vm);
        }
    }
}

#[test]
fn a_body_that_the_host_does_not_replace_is_refused() {
    for holds_headers in [true, false] {
        let mut vm = serving(holds_headers);
        for status in [1, 2, 10, 12, 255] {
            vm.set_fault("proxy_set_buffer_bytes", Some(status));
            let kept = ask(&mut vm, &json(LOOSE));
            assert_eq!(answer(&kept), (422, "body-not-normalized".into()));
            assert_eq!(arrived(&kept), None);
            // Where nothing has to be replaced, nothing is missed.
            check_alive(&mut vm);
            vm.set_fault("proxy_set_buffer_bytes", None);
        }
        let replaced = ask(&mut vm, &json(LOOSE));
        assert_eq!(arrived(&replaced).as_deref(), Some(GOOD.as_bytes()));
    }
}

#[test]
fn a_length_that_the_host_does_not_change_is_refused() {
    for (holds_headers, expected) in [
        (true, (422, "body-not-normalized")),
        (false, (503, "unchecked")),
    ] {
        let mut vm = serving(holds_headers);
        vm.set_fault("proxy_remove_header_map_value", Some(2));
        let stale = ask(&mut vm, &json(LOOSE));
        assert_eq!(answer(&stale), (expected.0, expected.1.to_owned()));
        assert_eq!(arrived(&stale), None);
        vm.set_fault("proxy_remove_header_map_value", None);
        check_alive(&mut vm);
    }
    let mut vm = serving(true);
    vm.set_fault("proxy_add_header_map_value", Some(2));
    let stale = ask(&mut vm, &json(LOOSE));
    assert_eq!(answer(&stale), (422, "body-not-normalized".into()));
    assert_eq!(arrived(&stale), None);
}

#[test]
fn what_is_said_of_other_bytes_goes_on_with_none_that_are_new() {
    // Its request headers cannot be taken back.
    let mut vm = serving_in(Profile::KONG, false);
    let request = post("/packed", "application/json", packed(GOOD.as_bytes()));
    let opened = ask(&mut vm, &request.with_header("content-encoding", "gzip"));
    assert_eq!(answer(&opened), (422, "body-not-normalized".into()));
    assert_eq!(arrived(&opened), None);
    let digested = json(LOOSE).with_header("content-digest", "sha-256=:AA==:");
    let digested = ask(&mut vm, &digested);
    assert_eq!(answer(&digested), (422, "body-not-normalized".into()));
    let replaced = ask(&mut vm, &json(LOOSE));
    assert_eq!(arrived(&replaced).as_deref(), Some(GOOD.as_bytes()));
    check_alive(&mut vm);
}

#[test]
fn a_replaced_body_has_its_own_length_or_none() {
    let lengths = |holds_headers: bool, body: &str| -> Vec<String> {
        let exchanged = ask(&mut serving(holds_headers), &json(body));
        let headers = exchanged.upstream.unwrap().headers;
        headers
            .get_all(b"content-length")
            .map(|length| String::from_utf8_lossy(length).into_owned())
            .collect()
    };
    assert_eq!(lengths(true, LOOSE), [GOOD.len().to_string()]);
    assert_eq!(lengths(true, GOOD), [GOOD.len().to_string()]);
    // The headers have gone on before anybody knows: without a length the host cuts the body into chunks.
    assert_eq!(lengths(false, LOOSE), [""; 0]);
    assert_eq!(lengths(false, GOOD), [""; 0]);
}

#[test]
fn held_headers_go_on_with_their_body_or_not_at_all() {
    let mut vm = serving(true);
    for protocol in [Protocol::Http1, Protocol::Http2] {
        for trailers in [None, Some(HeaderMap::from([("x-sum", "1")]))] {
            for cut in 0..=BAD.len() {
                let request = |body: &str| {
                    let (front, back) = body.as_bytes().split_at(cut.min(body.len()));
                    Request {
                        chunks: vec![front.to_vec(), back.to_vec()],
                        trailers: trailers.clone(),
                        protocol,
                        ..Request::new("POST", "a.test", "/json")
                            .with_header("content-type", "application/json")
                    }
                };
                let bad = ask(&mut vm, &request(BAD));
                assert_eq!(answer(&bad), (422, "input-invalid".into()));
                assert!(bad.upstream.is_none(), "{protocol:?} {trailers:?} {cut}");
                for body in [GOOD, LOOSE] {
                    let good = ask(&mut vm, &request(body));
                    assert_eq!(arrived(&good).as_deref(), Some(GOOD.as_bytes()));
                    assert_eq!(good.upstream.unwrap().trailers, trailers);
                }
            }
        }
    }
}

/// A request of each kind that is read.
fn kinds() -> [Request; 5] {
    [
        json(LOOSE),
        post(
            "/form",
            "application/x-www-form-urlencoded",
            "token=a%20b&x=1&x=2",
        ),
        post(
            "/parts",
            "multipart/form-data; boundary=b",
            "--b\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nabc\r\n--b--\r\n",
        ),
        post("/packed", "application/json", packed(GOOD.as_bytes()))
            .with_header("content-encoding", "gzip"),
        post("/report", "application/json", GOOD),
    ]
}

fn packed(body: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(body).unwrap();
    packed.finish().unwrap()
}

#[test]
fn no_byte_of_a_body_takes_the_vm_down() {
    let mut vm = serving(true);
    for request in kinds() {
        let whole = request.body();
        assert_eq!(answer(&ask(&mut vm, &request)).0, 200);
        let with = |body: Vec<u8>| {
            let mut request = request.clone().with_body(body.clone());
            request
                .headers
                .set("content-length", body.len().to_string());
            request
        };
        for byte in 0..=255u8 {
            ask(&mut vm, &with(vec![byte]));
            ask(&mut vm, &with([&whole[..], &[byte]].concat()));
            ask(&mut vm, &with([&[byte], &whole[..]].concat()));
        }
        for end in 0..whole.len() {
            ask(&mut vm, &with(whole.get(..end).unwrap().to_vec()));
        }
        // Two or three bytes anywhere, and pieces of it put together anew; the same on every run.
        let mut state = 6u64;
        let mut random = |below: usize| {
            // Knuth's MMIX generator; its low bits repeat soon.
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % below
        };
        for _ in 0..1_000 {
            let mut body = whole.clone();
            for _ in 0..=random(3) {
                let at = random(body.len());
                let byte = [u8::try_from(random(256)).unwrap()];
                match random(3) {
                    0 => body.splice(at..=at, byte).for_each(drop),
                    1 => body.splice(at..at, byte).for_each(drop),
                    _ => body.splice(at..at, whole.clone()).for_each(drop),
                }
            }
            ask(&mut vm, &with(body));
        }
    }
    check_alive(&mut vm);
}

#[test]
fn large_bodies_are_judged_and_leave_the_vm_as_it_was() {
    let mut vm = serving(true);
    let most = 1 << 20;
    let string = format!(r#"{{"x": "{}"}}"#, "a".repeat(most - 9));
    assert_eq!(string.len(), most);
    assert_eq!(answer(&ask(&mut vm, &json(string.as_str()))).0, 200);
    let deep = "[".repeat(most);
    assert_eq!(
        answer(&ask(&mut vm, &json(deep.as_str()))),
        (400, "body-too-complex".into())
    );
    let items = format!("[{}0]", "0,".repeat(most / 2 - 2));
    assert_eq!(
        answer(&ask(&mut vm, &json(items.as_str()))),
        (400, "body-too-complex".into())
    );
    let spaces = " ".repeat(most);
    assert_eq!(
        answer(&ask(&mut vm, &json(spaces.as_str()))),
        (400, "body-malformed".into())
    );
    let pairs = "a=1&".repeat(most / 4);
    let form = post("/form", "application/x-www-form-urlencoded", pairs.as_str());
    assert_eq!(
        answer(&ask(&mut vm, &form)),
        (400, "body-too-complex".into())
    );
    let lines = post(
        "/parts",
        "multipart/form-data; boundary=b",
        "--b\r\n".repeat(most / 5),
    );
    assert_eq!(
        answer(&ask(&mut vm, &lines)),
        (400, "body-malformed".into())
    );
    let bomb = post("/packed", "application/json", packed(&vec![b' '; 64 << 20]))
        .with_header("content-encoding", "gzip");
    assert_eq!(answer(&ask(&mut vm, &bomb)), (413, "body-too-large".into()));
    // One byte more than the host keeps.
    let over = json(vec![b' '; most + 1]);
    assert_eq!(answer(&ask(&mut vm, &over)), (413, "body-too-large".into()));
    check_alive(&mut vm);
}

#[test]
fn many_bodies_take_no_more_memory_than_few() {
    let mut vm = serving(true);
    let mut requests: Vec<Request> = kinds().into();
    requests.extend([json(BAD), json(&b"{\"token\": \xff"[..]), json("[[[[")]);
    let round = |vm: &mut Vm, times: usize| {
        for request in requests.iter().cycle().take(times) {
            ask(vm, request);
        }
        vm.memory_bytes()
    };
    let warm = round(&mut vm, 1_000);
    assert_eq!(round(&mut vm, 100_000), warm);
}
