//! What the host gives its guests: shared data, queues, metrics, time, properties, calls to others.

use std::sync::Arc;
use std::time::Duration;

use portcullis_host_test::header_map::HeaderMap;
use portcullis_host_test::host::Host;
use portcullis_host_test::host::callout::{Callouts, HttpCall, HttpCallResult};
use portcullis_host_test::host::clock::Clock;
use portcullis_host_test::host::log::Level;
use portcullis_host_test::host::metric::Value;
use portcullis_host_test::message::{Protocol, Request};
use portcullis_host_test::profile::Profile;
use portcullis_host_test::vm::VmConfig;

use crate::guest::{config, get, host, messages, run, start, start_in};

#[test]
fn compare_and_swap_is_exact_over_vms_on_threads() {
    let host = host();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let counter = include_str!("guests/counter.wat");
                let mut vm = start_in(Arc::clone(&host), config(), counter, "");
                vm.tick().unwrap();
            });
        }
    });
    assert_eq!(
        host.shared_value("readers", b"visits"),
        Some(1_200_u32.to_le_bytes().to_vec())
    );
    assert_eq!(host.shared_value("others", b"visits"), None);
    assert!(host.metrics().number("retries").is_some());
}

#[test]
fn a_queue_reaches_the_vm_that_registered_it() {
    let host = host();
    let queue = include_str!("guests/queue.wat");
    let mut reader = start_in(Arc::clone(&host), config(), queue, "reader");
    let mut writer = start_in(host, config(), queue, "");
    writer.tick().unwrap();
    assert_eq!(messages(&writer.take_logs()), ["00"]);
    assert!(reader.take_logs().is_empty());
    reader.deliver().unwrap();
    let logs = reader.take_logs();
    assert_eq!(messages(&logs), ["0", "hello", "7"]);
    assert_eq!(logs[1].level, Level::Warn);
}

#[test]
fn metrics_are_the_same_for_all_vms() {
    let counting = r#"
        (data (i32.const 0) "seen")
        (func (export "proxy_on_configure") (param i32 i32) (result i32)
            (i32.eqz (call $define_metric (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 16))))
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
            (call $put_number (call $increment_metric (i32.load (i32.const 16)) (i64.const 2)))
            (call $put_number (call $increment_metric (i32.const 3) (i64.const 2)))
            (call $put_number (call $get_metric (i32.load (i32.const 16)) (i32.const 24)))
            (call $put_number (i32.load (i32.const 24)))
            (call $say)
            (i32.const 0))"#;
    let host = host();
    let mut vms = [0, 1].map(|_| start_in(Arc::clone(&host), config(), counting, ""));
    let logs = vms.each_mut().map(|vm| run(vm, &get()).logs);
    assert_eq!(
        logs.each_ref().map(|logs| messages(logs)),
        [["0202"], ["0204"]]
    );
    assert_eq!(
        host.metrics().all(),
        [("seen".to_owned(), Value::Counter(4))].into()
    );
}

#[test]
fn time_environment_output_and_chance() {
    let host = host();
    let environment = [("PORTCULLIS_HOLD_HEADERS", "1"), ("B", "2")];
    let environment = environment
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let config = VmConfig {
        environment,
        ..config()
    };
    let mut vm = start_in(
        Arc::clone(&host),
        config,
        include_str!("guests/time.wat"),
        "",
    );
    let logs = run(&mut vm, &get()).logs;
    let environment = "B=2\0PORTCULLIS_HOLD_HEADERS=1\0";
    assert_eq!(messages(&logs), ["1000 1000 0", environment, "print", "01"]);
    assert_eq!(logs[2].level, Level::Error, "standard error");
    host.clock().advance(Duration::from_secs(60));
    assert_eq!(messages(&run(&mut vm, &get()).logs)[0], "1060 1060 60");
    assert!(host.clock().step_wall(-100_000_000_000));
    assert_eq!(messages(&run(&mut vm, &get()).logs)[0], "960 960 60");
}

#[test]
fn no_pointer_and_no_list_takes_the_host_down() {
    let mut vm = start(include_str!("guests/pointers.wat"), "policy");
    let exchanged = run(&mut vm, &get());
    assert_eq!(exchanged.trap, None);
    let expected = [
        "6",
        "6",
        "2",
        "6",
        "6",
        "6",
        "2",
        "1",
        "6",
        "6",
        "2",
        "6",
        "6",
        "6",
        "6",
        "6",
        "6",
        "6",
        "6",
        "6",
        "6",
        "1",
        "2",
        "2",
        "10",
        "21",
        "21",
        "21",
        "host: a list of header lines is malformed and was taken as empty",
        "0",
        "0",
    ];
    assert_eq!(messages(&exchanged.logs), expected);
    assert_eq!(
        exchanged.upstream.unwrap().headers,
        HeaderMap::from([("name", "name")])
    );
}

#[test]
fn properties_are_envoys() {
    /// The value at a path, as the guest gets it in the header phase; `Err` is the status.
    #[track_caller]
    fn check(path: &str, expected: Result<&[u8], &str>) {
        let escaped: String = path.bytes().map(|byte| format!("\\{byte:02x}")).collect();
        let length = path.len();
        let functions = format!(
            r#"(data (i32.const 0) "{escaped}")
            (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (local $status i32)
                (local.set $status
                    (call $get_property (i32.const 0) (i32.const {length}) (i32.const 200) (i32.const 204)))
                (if (local.get $status)
                    (then (call $say_number (local.get $status)))
                    (else (drop (call $set_shared
                        (i32.const 0) (i32.const 1) (i32.load (i32.const 200)) (i32.load (i32.const 204)) (i32.const 0)))))
                (i32.const 0))"#
        );
        let config = VmConfig {
            plugin_name: "gate".to_owned(),
            root_id: "root".to_owned(),
            ..config()
        };
        let mut vm = start_in(host(), config, &functions, "");
        let mut request =
            Request::new("GET", "api.example", "/a%20b?q=1&r").with_header("X-Some", "thing");
        request.peer = Some("[2001:db8::1]:4711".parse().unwrap());
        request.protocol = Protocol::Http2;
        let exchanged = run(&mut vm, &request);
        let value = vm.host().shared_value("readers", &path.as_bytes()[..1]);
        let found = value
            .as_deref()
            .ok_or_else(|| messages(&exchanged.logs).first().copied().unwrap_or("?"));
        assert_eq!(found, expected, "{path:?}");
    }
    check("source\0address", Ok(b"[2001:db8::1]:4711"));
    check("source\0port", Ok(&4711_u64.to_le_bytes()));
    check("request\0path", Ok(b"/a%20b?q=1&r"));
    check("request\0url_path", Ok(b"/a%20b"));
    check("request\0query", Ok(b"q=1&r"));
    check("request\0host", Ok(b"api.example"));
    check("request\0method", Ok(b"GET"));
    check("request\0scheme", Ok(b"http"));
    check("request\0protocol", Ok(b"HTTP/2"));
    check("request\0headers\0x-some", Ok(b"thing"));
    check("request\0headers\0x-other", Err("1"));
    check("request\0time", Ok(&1_000_000_000_000_u64.to_le_bytes()));
    check("request\0id", Err("1"));
    check("response\0code", Err("1"));
    check("connection\0mtls", Ok(&[0]));
    check("plugin_name", Ok(b"gate"));
    check("plugin_root_id", Ok(b"root"));
    check("plugin_vm_id", Ok(b"readers"));
    check("nginx_version", Err("1"));
    check("ngx\0nginx_version", Err("1"));
}

/// Answers each call with what it was made with.
#[derive(Debug)]
struct Mock(Option<HttpCallResult>);

impl Callouts for Mock {
    fn http_call(&self, call: &HttpCall) -> Option<HttpCallResult> {
        assert_eq!(
            (call.upstream.as_str(), call.timeout),
            ("auth", Duration::from_millis(100))
        );
        assert_eq!(
            call.headers,
            HeaderMap::from([(":method", "GET"), (":path", "/"), (":authority", "auth")])
        );
        self.0.clone()
    }
}

#[test]
fn a_call_to_another_server_is_answered_after_the_callback() {
    fn check(result: Option<HttpCallResult>, logs: &[&str], status: Option<u16>) {
        check_in(Profile::ENVOY, result, logs, status);
    }
    fn check_in(
        profile: Profile,
        result: Option<HttpCallResult>,
        logs: &[&str],
        status: Option<u16>,
    ) {
        let host = Host::with_callouts(profile, Clock::system(), Box::new(Mock(result)));
        let mut vm = start_in(host, config(), include_str!("guests/caller.wat"), "");
        let exchanged = run(&mut vm, &get());
        assert_eq!(messages(&exchanged.logs), logs);
        assert_eq!(
            exchanged.response.and_then(|response| response.status()),
            status
        );
    }
    let answered = |status: &str| HttpCallResult::Answered {
        headers: HeaderMap::from([(":status", status)]),
        body: b"ok".to_vec(),
        trailers: HeaderMap::new(),
    };
    check(Some(answered("200")), &["0", "1 2 0"], Some(200));
    check(Some(answered("500")), &["0", "1 2 0"], Some(403));
    check(Some(HttpCallResult::TimedOut), &["0", "3 24 0"], Some(403));
    check(
        Some(HttpCallResult::Unreachable),
        &["0", "3 95 0"],
        Some(403),
    );
    check(Some(HttpCallResult::Broken), &["0", "0 0 1"], Some(403));
    check(None, &["2"], None);
    let answer = Some(answered("200"));
    check_in(Profile::KONG, answer, &["0", "1 2 0"], Some(200));
    let late = Some(HttpCallResult::TimedOut);
    check_in(Profile::KONG, late, &["0", "0 0 1"], Some(403));
}

#[test]
fn a_fault_is_what_an_import_answers() {
    let asking = r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
        (call $say_number (call $now (i32.const 0)))
        (i32.const 0))"#;
    let mut vm = start(asking, "");
    vm.set_fault("proxy_get_current_time_nanoseconds", Some(12));
    assert_eq!(messages(&run(&mut vm, &get()).logs), ["12"]);
    vm.set_fault("proxy_get_current_time_nanoseconds", None);
    assert_eq!(messages(&run(&mut vm, &get()).logs), ["0"]);
}
