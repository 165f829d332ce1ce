//! VMs: modules that cannot be loaded, guests that misbehave, reload and restart.

use std::time::{Duration, Instant};

use portcullis_host_test::message::Response;
use portcullis_host_test::module::Module;
use portcullis_host_test::stream::{Peer, Stream};
use portcullis_host_test::vm::Vm;

use crate::guest::{config, get, host, messages, module, run, start, text};

#[test]
fn what_is_no_filter_is_refused_with_the_reason() {
    fn check(text: &str, expected: &str) {
        let error = Module::from_bytes(text.as_bytes())
            .expect_err(expected)
            .to_string();
        assert!(
            error.contains(expected),
            "{error:?} does not say {expected:?}"
        );
    }
    check("no wasm", "cannot load the module");
    check("(module)", "none of `proxy_abi_version_0_1_0`");
    let marker = r#"(func (export "proxy_abi_version_0_2_1"))"#;
    let memory = r#"(memory (export "memory") 1)"#;
    check(&format!("(module {marker})"), "no 32-bit memory");
    check(
        &format!("(module {marker} {memory})"),
        "no `proxy_on_memory_allocate`",
    );
    check(
        r#"(module (import "env" "proxy_teleport" (func)) (import "wasi_snapshot_preview1" "beam" (func))
            (memory (export "memory") 1)
            (func (export "proxy_abi_version_0_2_1"))
            (func (export "malloc") (param i32) (result i32) unreachable))"#,
        "`env.proxy_teleport`, `wasi_snapshot_preview1.beam`",
    );
    check(
        r#"(module (import "env" "proxy_log" (func (param i64) (result i32)))
            (memory (export "memory") 1)
            (func (export "proxy_abi_version_0_2_1"))
            (func (export "malloc") (param i32) (result i32) unreachable))"#,
        "proxy_log",
    );
    let wrong =
        text(r#"(func (export "proxy_on_request_headers") (param i32) (result i32) unreachable)"#);
    check(
        &wrong,
        "`proxy_on_request_headers` is not a function of 3 parameters and 1 results",
    );
    let wrong = text(r#"(func (export "proxy_on_tick") (param i64))"#);
    check(&wrong, "`proxy_on_tick` is not a function");
}

#[test]
fn the_older_abis_run_too() {
    for (version, signature) in [("0_2_0", "i32 i32 i32"), ("0_1_0", "i32 i32")] {
        let text = format!(
            r#"(module (import "env" "proxy_continue_stream" (func $resume (param i32) (result i32)))
                (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
                (memory (export "memory") 1)
                (data (i32.const 0) "here")
                (func (export "proxy_abi_version_{version}"))
                (func (export "malloc") (param i32) (result i32) (i32.const 64))
                (func (export "proxy_on_request_headers") (param {signature}) (result i32)
                    (call $log (i32.const 2) (i32.const 0) (i32.const 4))))"#
        );
        let module = Module::from_bytes(text.as_bytes()).unwrap();
        let mut vm = Vm::start(&module, host(), config()).unwrap();
        assert_eq!(vm.configure(b""), Ok(true));
        let exchanged = run(&mut vm, &get());
        assert_eq!(messages(&exchanged.logs), ["here"], "{version}");
        assert_eq!(
            exchanged.response,
            Some(Response::new(200, "hello")),
            "{version}"
        );
    }
}

#[test]
fn a_trap_is_reported_with_its_callback_and_its_functions() {
    /// A guest that traps in that callback of a stream.
    fn check(callback: &str, parameters: &str, result: &str, status: u16) {
        let functions = format!(
            r#"(func $deep_inside unreachable)
            (func $on_the_way (call $deep_inside))
            (func (export "{callback}") {parameters} {result} (call $on_the_way) unreachable)"#
        );
        let mut vm = start(&functions, "");
        let mut request = get().with_body("body");
        request.trailers = Some([("a", "b")].into());
        let upstream = Response {
            trailers: Some([("c", "d")].into()),
            ..Response::new(200, "hello")
        };
        for round in 0..2 {
            let exchanged =
                portcullis_host_test::exchange::run(&mut vm, &request, &mut |_| upstream.clone());
            let trap = exchanged
                .trap
                .as_ref()
                .unwrap_or_else(|| panic!("no trap in {callback}"));
            assert_eq!(trap.callback, callback);
            assert!(trap.message.contains("unreachable"), "{}", trap.message);
            assert_eq!(
                trap.backtrace.get(..2).unwrap(),
                ["deep_inside", "on_the_way"],
                "{callback}"
            );
            assert_eq!(
                exchanged.response.unwrap().status(),
                Some(status),
                "{callback}, round {round}"
            );
        }
    }
    check(
        "proxy_on_request_headers",
        "(param i32 i32 i32)",
        "(result i32)",
        503,
    );
    check(
        "proxy_on_request_body",
        "(param i32 i32 i32)",
        "(result i32)",
        503,
    );
    check(
        "proxy_on_request_trailers",
        "(param i32 i32)",
        "(result i32)",
        503,
    );
    check(
        "proxy_on_response_headers",
        "(param i32 i32 i32)",
        "(result i32)",
        503,
    );
    // The response's head is out by then.
    check(
        "proxy_on_response_body",
        "(param i32 i32 i32)",
        "(result i32)",
        200,
    );
    check(
        "proxy_on_response_trailers",
        "(param i32 i32)",
        "(result i32)",
        200,
    );
    check("proxy_on_log", "(param i32)", "", 200);
    check("proxy_on_done", "(param i32)", "(result i32)", 200);
    check("proxy_on_delete", "(param i32)", "", 200);
}

#[test]
fn a_trap_outside_of_requests_fails_the_vm() {
    fn check(callback: &str, signature: &str, trapped: impl FnOnce(&mut Vm) -> Option<String>) {
        let functions = format!(r#"(func (export "{callback}") {signature} unreachable)"#);
        let mut vm = Vm::start(&module(&functions), host(), config()).unwrap();
        assert_eq!(trapped(&mut vm).as_deref(), Some(callback));
        assert!(vm.failed());
    }
    let configure = |vm: &mut Vm| vm.configure(b"").err().map(|trap| trap.callback);
    check("proxy_on_context_create", "(param i32 i32)", configure);
    check(
        "proxy_on_vm_start",
        "(param i32 i32) (result i32)",
        configure,
    );
    check(
        "proxy_on_configure",
        "(param i32 i32) (result i32)",
        configure,
    );
    let ticking = r#"(param i32) unreachable)
        (func (export "proxy_on_configure") (param i32 i32) (result i32)
            (drop (call $set_tick (i32.const 5))) (i32.const 1)"#;
    let functions = format!(r#"(func (export "proxy_on_tick") {ticking})"#);
    let mut vm = start(&functions, "");
    assert_eq!(vm.tick_period(), Some(Duration::from_millis(5)));
    assert_eq!(
        vm.tick().map_err(|trap| trap.callback),
        Err("proxy_on_tick".to_owned())
    );
    assert!(vm.failed());

    let starting = module(r#"(func (export "_initialize") unreachable)"#);
    let error = Vm::start(&starting, host(), config())
        .expect_err("it traps")
        .to_string();
    assert!(error.contains("stopped in start"), "{error}");
}

#[test]
fn a_guest_cannot_take_more_than_its_share() {
    fn check(functions: &str, expected: &str) {
        let mut vm = start(functions, "");
        let started = Instant::now();
        let trap = run(&mut vm, &get()).trap.expect(expected);
        assert!(
            trap.message.contains(expected),
            "{:?} does not say {expected:?}",
            trap.message
        );
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "{expected}: {:?}",
            started.elapsed()
        );
        assert!(vm.memory_bytes() <= 4 * 1024 * 1024);
    }
    let callback = r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)"#;
    check(
        &format!("{callback} (loop $again (br $again)) unreachable)"),
        "time limit",
    );
    check(
        &format!(
            "{callback} (loop $again
                (global.set $free (i32.const 65536))
                (drop (call $get_pairs (i32.const 0) (i32.const 0) (i32.const 4)))
                (br $again)) unreachable)"
        ),
        "time limit",
    );
    check(
        &format!(
            "{callback} (loop $again (drop (memory.grow (i32.const 1))) (br $again)) unreachable)"
        ),
        "memory",
    );
    check(
        &format!("(func $deeper (call $deeper)) {callback} (call $deeper) unreachable)"),
        "stack",
    );
    check(
        &format!("{callback} (call $exit (i32.const 7)) unreachable)"),
        "exit with code 7",
    );
    check(
        &format!("{callback} (i32.load (i32.const -4)))"),
        "out of bounds",
    );
}

#[test]
fn a_policy_that_is_refused_leaves_the_old_one_serving() {
    let reloading = include_str!("guests/reloading.wat");
    let mut vm = start(reloading, "first");
    assert_eq!(messages(&run(&mut vm, &get()).logs), ["r 1", "d 2"]);

    assert_eq!(vm.configure(b""), Ok(false));
    assert_eq!(
        messages(&vm.take_logs()),
        ["v 0", "c 3", "d 3"],
        "the refused one's context goes"
    );
    assert_eq!(messages(&run(&mut vm, &get()).logs), ["r 1", "d 4"]);

    assert_eq!(vm.configure(b"second"), Ok(true));
    assert_eq!(
        messages(&vm.take_logs()),
        ["v 0", "c 5", "d 1"],
        "the old one's context goes"
    );
    assert_eq!(messages(&run(&mut vm, &get()).logs), ["r 5", "d 6"]);
}

#[test]
fn a_restarted_vm_serves_the_last_accepted_policy() {
    let mut vm = start(include_str!("guests/reloading.wat"), "first");
    assert_eq!(vm.configure(b"second"), Ok(true));
    assert_eq!(vm.configure(b""), Ok(false));
    vm.take_logs();
    assert!(vm.restart().unwrap());
    assert_eq!(messages(&vm.take_logs()), ["v 0", "c 4"]);
    assert_eq!(messages(&run(&mut vm, &get()).logs), ["r 4", "d 5"]);
}

#[test]
fn a_stream_that_outlived_its_vm_touches_no_other() {
    let mut vm = start(include_str!("guests/scripted.wat"), "000000");
    let old = Stream::open(&mut vm, Peer::default()).unwrap();
    old.request_headers(&mut vm, &get().headers, false).unwrap();
    assert!(vm.restart().unwrap());
    let new = Stream::open(&mut vm, Peer::default()).unwrap();
    vm.take_logs();
    assert!(old.is_reset(&mut vm) && !new.is_reset(&mut vm));
    old.request_body(&mut vm, b"late", true).unwrap();
    old.close(&mut vm).unwrap();
    assert!(vm.take_logs().is_empty(), "no callback");
    assert_eq!(
        messages(&new.close(&mut vm).unwrap().logs),
        ["L 0 0 2222", "D", "X"]
    );
}

#[test]
fn without_a_policy_a_request_gets_a_503_and_a_reason() {
    let mut vm = Vm::start(&module(""), host(), config()).unwrap();
    let exchanged = run(&mut vm, &get());
    assert_eq!(exchanged.response.unwrap().status(), Some(503));
    assert_eq!(exchanged.trap.unwrap().message, "the VM has no policy");
}
