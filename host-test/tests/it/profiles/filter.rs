//! The shipped filter in each gateway: what it has to do otherwise there.

use portcullis_host_test::exchange::{self, Exchanged};
use portcullis_host_test::host::Host;
use portcullis_host_test::host::clock::Clock;
use portcullis_host_test::message::{Request, Response};
use portcullis_host_test::module::Module;
use portcullis_host_test::profile::Profile;
use portcullis_host_test::vm::{Vm, VmConfig};

fn serving(profile: &Profile, policy: &str) -> Vm {
    let host = Host::new(profile.clone(), Clock::system());
    let mut vm = Vm::start(&Module::embedded().unwrap(), host, VmConfig::default()).unwrap();
    assert!(vm.configure(policy.as_bytes()).unwrap(), "{}", profile.name);
    vm
}

fn ask(vm: &mut Vm, request: &Request) -> Exchanged {
    let exchanged = exchange::run(vm, request, &mut |_| {
        let body = "Traceback: s3cret at line 7, and much more of that";
        Response::new(500, body)
            .with_header("content-length", body.len().to_string())
            .with_header("x-debug", "s3cret")
            .with_header("content-encoding", "identity")
    });
    assert_eq!(exchanged.trap, None);
    exchanged
}

fn status(exchanged: &Exchanged) -> Option<u16> {
    exchanged.response.as_ref().and_then(Response::status)
}

#[test]
fn routes_are_found_by_the_target_that_was_sent() {
    let policy = r#"{"version":1,"unmatched":"reject","request":{"hosts":["a.test"]},"routes":[{"name":"a","path":"/a/{id}"}]}"#;
    for profile in &Profile::ALL {
        let mut vm = serving(profile, policy);
        let mut check = |target: &str, expected: u16| {
            let status = status(&ask(&mut vm, &Request::new("GET", "a.test", target)));
            assert_eq!(status, Some(expected), "{}: {target}", profile.name);
        };
        check("/a/1", 500);
        check("/a/b%2F..%2F..%2Fadmin", 400);
        check("/a/../a/1", 400);
        let elsewhere = ask(
            &mut vm,
            &Request::new("GET", "gateway.internal:8000", "/a/1"),
        );
        assert_eq!(status(&elsewhere), Some(421), "{}", profile.name);
    }
}

#[test]
fn a_body_that_is_not_shown_does_not_pass() {
    let policy = r#"{"version":1,"routes":[{"name":"a","path":"/*","validate":{"body":{"schema":{"type":"object"}}}}]}"#;
    let body = |length: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(length - 8));
    for (profile, expected) in Profile::ALL.iter().zip([500, 413, 500]) {
        let mut vm = serving(profile, policy);
        for (length, expected) in [(16 * 1024, 500), (16 * 1024 + 1, expected)] {
            let request = Request::new("POST", "a.test", "/a")
                .with_header("content-type", "application/json")
                .with_header("content-length", length.to_string())
                .with_body(body(length));
            let asked = ask(&mut vm, &request);
            assert_eq!(status(&asked), Some(expected), "{}: {length}", profile.name);
            assert_eq!(
                asked.upstream.is_some(),
                expected == 500,
                "{}",
                profile.name
            );
        }
        // What a gateway does not take, it refuses itself, and the filter's headers are on that too.
        let large = Request::new("POST", "a.test", "/a")
            .with_header("content-type", "application/json")
            .with_header("content-length", (3 << 20).to_string())
            .with_body(body(3 << 20));
        assert_eq!(status(&ask(&mut vm, &large)), Some(413), "{}", profile.name);
    }
}

#[test]
fn what_upstreams_say_of_their_failures_is_masked_where_it_can_be() {
    let policy = r#"{"version":1,"errors":{"mask_upstream":true},"headers":{}}"#;
    for (profile, masks) in Profile::ALL.iter().zip([true, true, false]) {
        let mut vm = serving(profile, policy);
        let name = profile.name;
        for method in ["GET", "HEAD"] {
            let asked = ask(&mut vm, &Request::new(method, "a.test", "/"));
            assert!(!asked.reset, "{name}: the client waits for the rest");
            let response = asked.response.unwrap();
            assert_eq!(response.status(), Some(500), "{name}");
            assert_eq!(
                response.headers.get("x-content-type-options"),
                Some(&b"nosniff"[..]),
                "{name}"
            );
            assert_eq!(response.headers.contains("x-debug"), !masks, "{name}");
            let body = String::from_utf8(response.body).unwrap();
            assert_eq!(
                body.contains("s3cret"),
                !masks && method == "GET",
                "{name}: {body}"
            );
            assert_eq!(
                body.contains("upstream-failed"),
                masks && method == "GET",
                "{name}: {body}"
            );
        }
        let told = vm
            .take_logs()
            .into_iter()
            .filter(|log| log.message.contains("is not masked"));
        assert!(told.count() <= 1, "{name}: once");
    }
}

#[test]
fn a_header_that_cannot_be_taken_away_is_overwritten_or_refused() {
    let policy = r#"{"version":1,"request":{"strip":["x-user-id"]}}"#;
    for (profile, (once, twice)) in Profile::ALL.iter().zip([
        (vec![], Some(500)),
        (vec![""], Some(503)),
        (vec![], Some(500)),
    ]) {
        let mut vm = serving(profile, policy);
        let request = Request::new("GET", "a.test", "/").with_header("X-User-Id", "admin");
        let upstream = ask(&mut vm, &request).upstream.unwrap();
        let values: Vec<&[u8]> = upstream.headers.get_all(b"x-user-id").collect();
        let expected: Vec<&[u8]> = once.iter().map(|value: &&str| value.as_bytes()).collect();
        assert_eq!(values, expected, "{}", profile.name);
        let again = ask(&mut vm, &request.with_header("x-user-id", "root"));
        assert_eq!(status(&again), twice, "{}", profile.name);
        assert_eq!(
            again.upstream.is_some(),
            twice == Some(500),
            "{}",
            profile.name
        );
    }
}

#[test]
fn long_names_of_metrics_stop_nobody() {
    let name = "n".repeat(32);
    let policy = format!(
        r#"{{"version":1,"routes":[{{"name":"{name}","path":"/*","rate_limits":[{{"name":"{name}","quota":"1/1h"}}]}}]}}"#
    );
    for profile in &Profile::ALL {
        let mut vm = serving(profile, &policy);
        let first = ask(&mut vm, &Request::new("GET", "a.test", "/a"));
        let second = ask(&mut vm, &Request::new("GET", "a.test", "/a"));
        assert_eq!(
            (status(&first), status(&second)),
            (Some(500), Some(429)),
            "{}",
            profile.name
        );
    }
}

#[test]
fn without_a_zone_kong_serves_what_has_no_limits_and_nothing_else() {
    let mut vm = serving(&Profile::KONG_WITHOUT_ZONE, r#"{"version":1,"headers":{}}"#);
    assert_eq!(
        status(&ask(&mut vm, &Request::new("GET", "a.test", "/"))),
        Some(500)
    );
    let host = Host::new(Profile::KONG_WITHOUT_ZONE, Clock::system());
    let mut vm = Vm::start(&Module::embedded().unwrap(), host, VmConfig::default()).unwrap();
    let limited = r#"{"version":1,"rate_limits":[{"name":"a","quota":"1/1h"}]}"#;
    let trap = vm.configure(limited.as_bytes()).unwrap_err();
    assert!(trap.message.contains("_shared_data"), "{trap}");
}
