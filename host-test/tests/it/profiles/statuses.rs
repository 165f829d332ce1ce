//! What a call answers, by the callback that it is made in.

use portcullis_host_test::message::Request;
use portcullis_host_test::profile::Profile;

use super::{said, start};
use crate::guest::{module, run};

/// A guest that makes one call in one callback and logs what it answers. A text between single quotes stands for its
/// pointer and its length.
fn guest(callback: &str, call: &str) -> String {
    let (mut data, mut code, mut at) = (String::new(), String::new(), 2048);
    for (odd, part) in call
        .split('\'')
        .enumerate()
        .map(|(n, part)| (n % 2 == 1, part))
    {
        if odd {
            let length = part.replace("\\00", "0").len();
            data += &format!("(data (i32.const {at}) \"{part}\")\n");
            code += &format!("(i32.const {at}) (i32.const {length})");
            at += 512;
        } else {
            code += part;
        }
    }
    let asks = |name: &str, at: u32| {
        format!(
            "(drop (call $set_property (i32.const {at}) (i32.const {}) (i32.const 1500) (i32.const 1)))",
            name.len()
        )
    };
    let (request, response) = ("wasm_process_req_body", "wasm_process_resp_body");
    let mut text = format!(
        "{data}(data (i32.const 1500) \"1\")(data (i32.const 1504) \"{request}\")(data (i32.const 1540) \"{response}\")"
    );
    for (name, parameters) in [
        ("configure", "i32 i32"),
        ("request_headers", "i32 i32 i32"),
        ("request_body", "i32 i32 i32"),
        ("response_headers", "i32 i32 i32"),
        ("response_body", "i32 i32 i32"),
    ] {
        let before = match name {
            "request_headers" => asks(request, 1504),
            "response_headers" => asks(response, 1540),
            _ => String::new(),
        };
        let made = match (name == callback, name) {
            (true, "request_body" | "response_body") => {
                format!(
                    "(if (i32.ne (local.get 1) (i32.const 0)) (then (call $say_number {code})))"
                )
            }
            (true, _) => format!("(call $say_number {code})"),
            (false, _) => String::new(),
        };
        let result = if name == "configure" { 1 } else { 0 };
        text += &format!(
            "(func (export \"proxy_on_{name}\") (param {parameters}) (result i32) {before} {made} (i32.const {result}))\n"
        );
    }
    text
}

#[track_caller]
fn check(callback: &str, call: &str, expected: [&str; 3]) {
    for (profile, expected) in Profile::ALL.iter().zip(expected) {
        let found = match start(profile, &guest(callback, call), "x") {
            Err(_) => "trap".to_owned(),
            Ok(mut vm) => {
                let request = Request::new("POST", "api.example", "/")
                    .with_header("content-length", "5")
                    .with_body("hello");
                let found = said(&run(&mut vm, &request));
                let early = vm.take_logs();
                let early: Vec<&str> = early.iter().map(|log| log.message.as_str()).collect();
                format!("{}{found}", early.join(", "))
            }
        };
        assert_eq!(found, expected, "{}: {callback}: {call}", profile.name);
    }
}

const OUT: &str = "(i32.const 500) (i32.const 504)";

#[test]
fn calls_that_a_gateway_does_not_have() {
    let check = |call: &str, expected| check("request_headers", call, expected);
    check("(call $now (i32.const 500))", ["0", "0", "12"]);
    check(
        "(call $set_shared 'key' 'value' (i32.const 0))",
        ["0", "0", "12"],
    );
    check(
        "(call $get_shared 'key' (i32.const 500) (i32.const 504) (i32.const 508))",
        ["1", "1", "12"],
    );
    check("(call $set_tick (i32.const 1000))", ["0", "0", "12"]);
    let twice = "(i32.add (call $set_tick (i32.const 9)) (call $set_tick (i32.const 9)))";
    check(twice, ["0", "trap", "24"]);
    let anew = "(i32.add (i32.add (call $set_tick (i32.const 9)) (call $set_tick (i32.const 0))) (call $set_tick (i32.const 9)))";
    check(anew, ["0", "0", "36"]);
    check(
        &format!("(call $foreign 'any' 'thing' {OUT})"),
        ["1", "trap", "12"],
    );
    check(
        "(call $register_queue 'queue' (i32.const 500))",
        ["0", "trap", "12"],
    );
    check(
        "(call $resolve_queue 'vm' 'queue' (i32.const 500))",
        ["1", "trap", "12"],
    );
    check("(call $close (i32.const 9))", ["2", "trap", "0"]);
}

#[test]
fn metrics() {
    let check = |call: &str, expected| check("request_headers", call, expected);
    let defined = |kind: u32, name: &str| {
        format!("(call $define_metric (i32.const {kind}) '{name}' (i32.const 500))")
    };
    let then = |kind: u32| {
        format!(
            "(i32.add {} (call $increment_metric (i32.load (i32.const 500)) (i64.const 1)))",
            defined(kind, "a")
        )
    };
    check(&then(0), ["0", "0", "0"]);
    check(&then(1), ["0", "trap", "0"]);
    check(
        "(call $increment_metric (i32.const 999) (i64.const 1))",
        ["2", "trap", "0"],
    );
    check(&defined(0, &"n".repeat(252)), ["0", "0", "0"]);
    check(&defined(0, &"n".repeat(253)), ["0", "trap", "0"]);
    // One that is not defined has no id.
    let id = |kind: u32| {
        format!(
            "(i32.add {} (i32.ne (i32.load (i32.const 500)) (i32.const 0)))",
            defined(kind, "a")
        )
    };
    check(&id(0), ["1", "1", "0"]);
}

#[test]
fn header_maps_by_phase() {
    let add = |map: u32| format!("(call $add_header (i32.const {map}) 'x-a' '1')");
    let read = |map: u32| format!("(call $get_pairs (i32.const {map}) {OUT})");
    check("request_headers", &add(0), ["0", "0", "0"]);
    check("request_body", &add(0), ["2", "0", "0"]);
    check("request_headers", &add(2), ["2", "0", "0"]);
    check("response_headers", &read(0), ["2", "0", "0"]);
    check("response_headers", &add(2), ["0", "0", "0"]);
}

#[test]
fn buffers_by_phase() {
    let read = |start: u32, length: u32| {
        format!("(call $get_buffer (i32.const 0) (i32.const {start}) (i32.const {length}) {OUT})")
    };
    check("request_headers", &read(0, 9), ["0", "1", "1"]);
    check("request_body", &read(0, 9), ["0", "0", "0"]);
    check("response_headers", &read(0, 9), ["0", "trap", "1"]);
    // The first byte of what was asked for: `l` or `h`.
    let byte = format!(
        "(i32.add {} (i32.load8_u (i32.load (i32.const 500))))",
        read(2, 2)
    );
    check("request_body", &byte, ["108", "104", "108"]);
    let write = |buffer: u32| {
        format!("(call $set_buffer (i32.const {buffer}) (i32.const 0) (i32.const 5) 'other')")
    };
    check("request_body", &write(0), ["0", "0", "12"]);
    check("response_body", &write(1), ["0", "0", "12"]);
}

#[test]
fn properties() {
    let get = |path: &str| format!("(call $get_property '{path}' {OUT})");
    let set = |path: &str| format!("(call $set_property '{path}' '1')");
    let first = |path: &str| {
        format!(
            "(i32.add {} (i32.load8_u (i32.load (i32.const 500))))",
            get(path)
        )
    };
    let here = "request_headers";
    check(here, &get("source\\00address"), ["0", "0", "1"]);
    check(here, &get("remote_addr"), ["1", "1", "0"]);
    check(here, &get("ngx\\00nginx_version"), ["1", "0", "1"]);
    check(here, &get("nginx_version"), ["1", "1", "0"]);
    check(here, &get("plugin_vm_id"), ["0", "1", "1"]);
    check(here, &get("route_name"), ["1", "1", "1"]);
    check(here, &get("ngx\\00http_content_length"), ["1", "0", "1"]);
    check(here, &get("http_content_length"), ["1", "1", "0"]);
    // Whether the filter asks the right question: a number, or its digits.
    check(
        "response_headers",
        &first("response\\00code"),
        ["200", "50", ""].map(|it| if it.is_empty() { "1" } else { it }),
    );
    check("response_headers", &first("status"), ["1", "1", "50"]);
    check(here, &set("x"), ["0", "1", "1"]);
    check(here, &set("wasm_process_req_body"), ["0", "1", "0"]);
    check("configure", &get("plugin_root_id"), ["0", "0", "2"]);
    check("configure", &get("plugin_name"), ["0", "trap", "2"]);
    check("configure", &get("source\\00address"), ["1", "10", "2"]);
}

#[test]
fn calls_to_others_are_made_in_requests() {
    // One header line each of `:method`, `:path` and `:authority` would be needed to make it: this is refused before that.
    let call = "(call $http_call 'a.test:80' '' '' '' (i32.const 100) (i32.const 500))";
    check("request_headers", call, ["2", "2", "2"]);
    check("configure", call, ["2", "2", "2"]);
}

#[test]
fn a_module_that_asks_for_what_is_not_there_does_not_load() {
    for (profile, loads) in Profile::ALL.iter().zip([true, true, false]) {
        let host = portcullis_host_test::host::Host::new(
            profile.clone(),
            portcullis_host_test::host::clock::Clock::system(),
        );
        let started =
            portcullis_host_test::vm::Vm::start(&module(""), host, crate::guest::config());
        assert_eq!(started.is_ok(), loads, "{}", profile.name);
    }
}
