//! The module under a host that fails it: whatever a call answers and whatever a client sends, the VM lives, and nothing
//! passes unchecked.

use portcullis_host_test::exchange::{self, Exchanged};
use portcullis_host_test::host::Host;
use portcullis_host_test::host::clock::Clock;
use portcullis_host_test::message::{Request, Response};
use portcullis_host_test::module::Module;
use portcullis_host_test::profile::Profile;
use portcullis_host_test::stream::{Peer, Stream};
use portcullis_host_test::vm::{Vm, VmConfig};

const POLICY: &str = r#"{
    "version": 1, "name": "edge", "client": {"trusted_proxies": ["10.0.0.0/8"]}, "headers": {"remove": ["x-leak"]},
    "request": {"hosts": ["a.test"]}, "routes": [{"name": "all", "path": "/*"}], "unmatched": "reject"
}"#;

/// Every call that the filter makes while it serves.
const CALLS: [&str; 12] = [
    "proxy_log",
    "proxy_get_buffer_bytes",
    "proxy_get_header_map_pairs",
    "proxy_set_header_map_pairs",
    "proxy_add_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_remove_header_map_value",
    "proxy_get_property",
    "proxy_send_local_response",
    "proxy_define_metric",
    "proxy_increment_metric",
    "proxy_record_metric",
];

fn start(policy: &str) -> (Vm, bool) {
    start_in(Profile::ENVOY, policy)
}

fn start_in(profile: Profile, policy: &str) -> (Vm, bool) {
    let host = Host::new(profile, Clock::system());
    let mut vm = Vm::start(&Module::embedded().unwrap(), host, VmConfig::default()).unwrap();
    let accepted = vm.configure(policy.as_bytes()).unwrap();
    (vm, accepted)
}

fn serving() -> Vm {
    let (vm, accepted) = start(POLICY);
    assert!(accepted);
    vm
}

fn ask(vm: &mut Vm, request: &Request) -> Exchanged {
    let exchanged = exchange::run(vm, request, &mut |_| {
        Response::new(200, "hello")
            .with_header("server", "leaky")
            .with_header("x-frame-options", "ALLOW")
            .with_header("x-leak", "1")
            .with_header("x-leak", "2")
    });
    assert!(exchanged.trap.is_none(), "{:?}", exchanged.trap);
    exchanged
}

fn status(exchanged: &Exchanged) -> Option<u16> {
    exchanged.response.as_ref().and_then(Response::status)
}

fn check_alive(vm: &mut Vm) {
    let passed = ask(vm, &Request::new("GET", "a.test", "/x"));
    assert_eq!(status(&passed), Some(200));
    assert!(passed.upstream.is_some());
    let headers = passed.response.unwrap().headers;
    assert!(!headers.contains("server") && !headers.contains("x-leak"));
    assert_eq!(headers.get("x-frame-options"), Some(&b"DENY"[..]));
    let refused = ask(vm, &Request::new("GET", "b.test", "/x"));
    assert_eq!(status(&refused), Some(421));
    assert!(refused.upstream.is_none());
}

#[test]
fn no_status_of_any_call_takes_the_vm_down() {
    let mut vm = serving();
    for call in CALLS {
        for fault in (1..=16).chain([255, u32::MAX]) {
            vm.set_fault(call, Some(fault));
            let passed = ask(&mut vm, &Request::new("GET", "a.test", "/x"));
            let refused = ask(&mut vm, &Request::new("GET", "b.test", "/x"));
            assert!(
                refused.upstream.is_none(),
                "{call} {fault}: it went through"
            );
            match call {
                // What cannot be looked at does not pass.
                "proxy_get_header_map_pairs" => {
                    assert_eq!((status(&passed), status(&refused)), (Some(503), Some(503)));
                    assert!(passed.upstream.is_none());
                }
                // What must be changed before it goes on and cannot be does not go on.
                "proxy_add_header_map_value" => {
                    assert_eq!((status(&passed), status(&refused)), (Some(503), Some(421)));
                    assert!(passed.upstream.is_none());
                }
                // What cannot be answered waits for the gateway's own timeout.
                "proxy_send_local_response" => assert_eq!(status(&refused), None),
                _ => assert_eq!((status(&passed), status(&refused)), (Some(200), Some(421))),
            }
            vm.set_fault(call, None);
        }
        check_alive(&mut vm);
    }
}

#[test]
fn a_configuration_that_cannot_be_read_is_refused() {
    let mut vm = serving();
    for fault in [1, 2, 12, 255] {
        vm.set_fault("proxy_get_buffer_bytes", Some(fault));
        assert!(!vm.configure(POLICY.as_bytes()).unwrap());
        vm.set_fault("proxy_get_buffer_bytes", None);
        check_alive(&mut vm);
    }
}

#[test]
fn no_byte_of_a_request_takes_the_vm_down() {
    let mut vm = serving();
    for byte in 0..=255u8 {
        let request = Request::new("GET", "a.test", "/x")
            .with_header("x-bin", vec![b'a', byte])
            .with_header("x-forwarded-for", vec![byte; 3]);
        let control = byte != b'\t' && byte.is_ascii_control();
        let expected = if control { 400 } else { 200 };
        assert_eq!(status(&ask(&mut vm, &request)), Some(expected), "{byte:#x}");
        let mut odd = Request::new("GET", "a.test", "/x");
        for name in [":path", ":method", ":authority", ":scheme"] {
            odd.headers.set(name, vec![byte]);
        }
        let odd = ask(&mut vm, &odd);
        assert!(
            odd.upstream.is_none() || byte.is_ascii_alphanumeric(),
            "{byte:#x}"
        );
    }
    let mut bare = Request::new("GET", "a.test", "/x");
    for name in [":path", ":method", ":authority", ":scheme"] {
        bare.headers.remove(name);
        ask(&mut vm, &bare);
    }
    let many = (0..5000).fold(Request::new("GET", "a.test", "/x"), |request, n| {
        request.with_header("x-many", n.to_string())
    });
    assert_eq!(status(&ask(&mut vm, &many)), Some(431));
    let long = Request::new("GET", "a.test", &format!("/{}", "%2f;/".repeat(100_000)));
    assert_eq!(status(&ask(&mut vm, &long)), Some(414));
    check_alive(&mut vm);
}

#[test]
fn clients_that_go_away_leave_nothing_behind() {
    let mut vm = serving();
    let request = Request::new("POST", "a.test", "/x");
    for phase in 0..4 {
        let peer = Peer {
            address: request.peer,
            protocol: request.protocol,
            tls: false,
        };
        let stream = Stream::open(&mut vm, peer).unwrap();
        if phase > 0 {
            stream
                .request_headers(&mut vm, &request.headers, false)
                .unwrap();
        }
        if phase > 1 {
            stream.request_body(&mut vm, b"half of", false).unwrap();
        }
        if phase > 2 {
            let headers = Response::new(200, "").headers;
            stream.response_headers(&mut vm, &headers, false).unwrap();
        }
        stream.close(&mut vm).unwrap();
        check_alive(&mut vm);
    }
}

#[test]
fn many_requests_take_no_more_memory_than_few() {
    let mut vm = serving();
    for _ in 0..200 {
        check_alive(&mut vm);
    }
    let warm = vm.memory_bytes();
    for _ in 0..5_000 {
        check_alive(&mut vm);
    }
    assert_eq!(vm.memory_bytes(), warm);
}

#[test]
fn a_clean_request_costs_few_host_calls() {
    let clean = || {
        Request::new("GET", "a.test", "/x")
            .with_header("x-forwarded-for", "127.0.0.1")
            .with_header("x-forwarded-proto", "http")
    };
    let check = |policy: &str, expected: &[(&str, u64)]| {
        let (mut vm, accepted) = start(policy);
        assert!(accepted, "{policy}");
        // Which gateway this is, is asked once.
        ask(&mut vm, &clean());
        let calls = ask(&mut vm, &clean()).host_calls;
        let calls: Vec<(&str, u64)> = calls.into_iter().collect();
        assert_eq!(calls, expected, "{policy}");
    };
    let headers = ("proxy_get_header_map_pairs", 1);
    check(r#"{"version":1,"observe":{"metrics":false}}"#, &[headers]);
    check(
        r#"{"version":1,"observe":{"metrics":false},"unmatched":"reject","routes":[{"name":"a","path":"/*"}]}"#,
        &[headers],
    );
    // The peer's address, to hold X-Forwarded-For against.
    let request = r#"{"version":1,"observe":{"metrics":false},"request":{"hosts":["a.test"]}}"#;
    check(request, &[headers, ("proxy_get_property", 1)]);
    // Metrics: when it began and ended, what the status was, one more of these and how long it took.
    let metrics = [
        ("clock_time_get", 2),
        headers,
        ("proxy_get_header_map_value", 1),
        ("proxy_increment_metric", 1),
        ("proxy_record_metric", 1),
    ];
    check(r#"{"version":1}"#, &metrics);
    // A line for each request: the time of day, the client, the line.
    let logged = [
        ("clock_time_get", 3),
        headers,
        ("proxy_get_header_map_value", 1),
        ("proxy_get_property", 1),
        ("proxy_log", 1),
    ];
    check(
        r#"{"version":1,"observe":{"metrics":false,"log":"all"}}"#,
        &logged,
    );
}

#[test]
fn log_lines_have_the_time_where_the_abi_has_none() {
    for profile in [Profile::ENVOY, Profile::KONG, Profile::APISIX] {
        let name = profile.name;
        let (mut vm, accepted) = start_in(profile, POLICY);
        assert!(accepted);
        let refused = ask(&mut vm, &Request::new("GET", "b.test", "/x"));
        let line = refused.logs.first().unwrap();
        assert!(line.message.contains(r#""time":"20"#), "{name}: {line:?}");
    }
}

#[test]
fn many_changes_to_a_response_cost_one_call_and_leave_what_single_ones_leave() {
    let ask_hardened = |fault: Option<u32>| {
        let (mut vm, accepted) = start(r#"{"version":1,"headers":{}}"#);
        assert!(accepted);
        vm.set_fault("proxy_set_header_map_pairs", fault);
        ask(&mut vm, &Request::new("GET", "a.test", "/x"))
    };
    let sorted = |exchanged: &Exchanged| {
        let headers = &exchanged.response.as_ref().unwrap().headers;
        let mut lines: Vec<(Vec<u8>, Vec<u8>)> = headers
            .iter()
            .map(|(name, value)| (name.to_vec(), value.to_vec()))
            .collect();
        lines.sort();
        lines
    };
    let (at_once, one_by_one) = (ask_hardened(None), ask_hardened(Some(12)));
    assert_eq!(sorted(&at_once), sorted(&one_by_one));
    let single = |exchanged: &Exchanged| {
        let changes =
            ["add", "replace", "remove"].map(|what| format!("proxy_{what}_header_map_value"));
        let calls = exchanged.host_calls.iter();
        calls
            .filter(|(name, _)| changes.iter().any(|change| change == *name))
            .map(|(_, count)| count)
            .sum::<u64>()
    };
    assert_eq!(at_once.host_calls["proxy_set_header_map_pairs"], 1);
    assert_eq!(single(&at_once), 0);
    assert!(single(&one_by_one) > 3);
}
