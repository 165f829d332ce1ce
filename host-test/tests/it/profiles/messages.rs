//! Which callbacks come, what they are told, and what becomes of the filter's own answers.

use portcullis_host_test::exchange::Exchanged;
use portcullis_host_test::header_map::HeaderMap;
use portcullis_host_test::message::{Protocol, Request, Response};
use portcullis_host_test::profile::Profile;

use super::{said, start};
use crate::guest::{get, run};

const SCRIPTED: &str = include_str!("../guests/scripted.wat");

fn script(profile: &Profile, letters: &str, request: &Request) -> Exchanged {
    run(&mut start(profile, SCRIPTED, letters).unwrap(), request)
}

fn post(chunks: &[&str]) -> Request {
    let mut request = Request::new("POST", "api.example", "/");
    let chunks = chunks.iter().map(|chunk| chunk.as_bytes().to_vec());
    request.chunks = chunks.collect();
    request.protocol = Protocol::Http2;
    request
}

/// The callbacks: letter, size, end.
#[track_caller]
fn check(letters: &str, request: &Request, expected: [&str; 3]) {
    for (profile, expected) in Profile::ALL.iter().zip(expected) {
        let found = said(&script(profile, letters, request));
        let lines = found.split(", ").map(|line| {
            let words: Vec<&str> = line.split(' ').take(3).collect();
            words.join(" ")
        });
        assert_eq!(
            lines.collect::<Vec<_>>().join(", "),
            expected,
            "{}",
            profile.name
        );
    }
}

#[test]
fn callbacks_and_what_they_are_told() {
    check(
        "000000",
        &get(),
        [
            "H 4 1, h 1 0, b 5 0, b 0 1, L 0 0, D, X",
            "H 5 0, h 1 0, b 5 0, b 0 1, D, L 0 0, X",
            "H 0 1, h 0 1, D, X",
        ],
    );
    check(
        "000000",
        &post(&["ab", "c"]),
        [
            "H 4 0, B 2 0, B 1 1, h 1 0, b 5 0, b 0 1, L 0 0, D, X",
            "H 5 0, B 3 1, h 1 0, b 5 0, b 0 1, D, L 0 0, X",
            "H 0 1, h 0 1, D, X",
        ],
    );
    let mut trailers = post(&["abc"]);
    trailers.trailers = Some(HeaderMap::from([("x-sum", "1")]));
    check(
        "000000",
        &trailers,
        [
            "H 4 0, B 3 0, T 1 1, h 1 0, b 5 0, b 0 1, L 0 0, D, X",
            "H 5 0, B 3 1, h 1 0, b 5 0, b 0 1, D, L 0 0, X",
            "H 0 1, h 0 1, D, X",
        ],
    );
    // A pause of the response's headers; only one of them waits.
    check(
        "000100",
        &get(),
        [
            "H 4 1, h 1 0, L 0 0, D, X",
            "H 5 0, h 1 0, b 5 0, b 0 1, D, L 0 0, X",
            "H 0 1, h 0 1, D, X",
        ],
    );
    // A pause of the request's headers without a call to anybody is one worker's end.
    check(
        "100000",
        &get(),
        ["H 4 1, L 0 0, D, X", "H 5 0, D, L 0 0, X", "trap"],
    );
}

fn lines(exchanged: &Exchanged) -> String {
    let Some(response) = &exchanged.response else {
        return "nothing".to_owned();
    };
    let lines = response.headers.iter().map(|(name, value)| {
        format!(
            "{}={}",
            String::from_utf8_lossy(name),
            String::from_utf8_lossy(value)
        )
    });
    let body = String::from_utf8_lossy(&response.body);
    let body = match body.contains("<hr><center>nginx</center>") {
        true => "page".into(),
        false => body,
    };
    let reset = if exchanged.reset { " RESET" } else { "" };
    format!("{} {body:?}{reset}", lines.collect::<Vec<_>>().join(" "))
}

#[track_caller]
fn check_answers(letters: &str, expected: [&str; 3]) {
    for (profile, expected) in Profile::ALL.iter().zip(expected) {
        let mut vm = start(profile, SCRIPTED, letters).unwrap();
        let exchanged = portcullis_host_test::exchange::run(&mut vm, &get(), &mut |_| {
            Response::new(200, "hello").with_header("content-length", "5")
        });
        assert_eq!(lines(&exchanged), expected, "{} {letters}", profile.name);
    }
}

#[test]
fn answers_by_phase() {
    check_answers(
        "r00000",
        [
            r#":status=403 x-reply=1 content-length=2 content-type=text/plain "no""#,
            r#":status=403 x-reply=1 content-length=3 content-type=text/plain "no\n""#,
            r#":status=403 x-reply=1 content-type=text/plain "no""#,
        ],
    );
    // Nothing but a status.
    check_answers(
        "g00000",
        [
            r#":status=403 "#,
            r#":status=403 "#,
            r#":status=403 content-type=text/html "page""#,
        ]
        .map(|it| {
            if it.ends_with(' ') {
                ":status=403 \"\""
            } else {
                it
            }
        }),
    );
    check_answers(
        "000r00",
        [
            r#":status=403 x-reply=1 content-length=2 content-type=text/plain "no""#,
            r#":status=403 content-length=5 "no\n" RESET"#,
            r#":status=200 content-length=5 x-reply=1 content-type=text/plain "hello""#,
        ],
    );
    check_answers(
        "0000r0",
        [
            "nothing",
            "nothing",
            r#":status=200 content-length=5 "hello""#,
        ]
        .map(|it| {
            if it == "nothing" {
                r#":status=200 content-length=5 "" RESET"#
            } else {
                it
            }
        }),
    );
}

#[test]
fn a_request_goes_on_whole_in_nginx() {
    for (profile, expected) in Profile::ALL.iter().zip([None, Some("3"), Some("3")]) {
        let request = post(&["ab", "c"]);
        let upstream = script(profile, "000000", &request).upstream.unwrap();
        let length = upstream.headers.get_text("content-length");
        assert_eq!(length.as_deref(), expected, "{}", profile.name);
        assert_eq!(
            upstream.chunks.len(),
            if expected.is_some() { 1 } else { 2 }
        );
    }
}

#[test]
fn what_a_trap_leaves() {
    for (profile, (status, next, response)) in Profile::ALL.iter().zip([
        (503, 200, 503),
        (500, 200, 200),
        // The guest is as it was: what is not borrowed for good goes on.
        (503, 200, 200),
    ]) {
        let mut vm = start(profile, SCRIPTED, "t00000").unwrap();
        let trapped = run(&mut vm, &get());
        assert!(trapped.trap.is_some());
        assert_eq!(
            trapped.response.unwrap().status(),
            Some(status),
            "{}",
            profile.name
        );
        let again = run(&mut vm, &get());
        assert!(again.trap.is_some(), "{}: it traps each time", profile.name);
        vm.restart().unwrap();
        vm.configure(b"000000").unwrap();
        assert_eq!(run(&mut vm, &get()).response.unwrap().status(), Some(next));
        let late = script(profile, "000t00", &get());
        assert!(late.trap.is_some());
        assert_eq!(
            late.response.unwrap().status(),
            Some(response),
            "{}",
            profile.name
        );
    }
}

#[test]
fn when_a_filter_is_started_and_configured() {
    const COUNTING: &str = r#"
        (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (call $put (i32.const 83)) (call $say) (i32.const 1))
        (func (export "proxy_on_configure") (param i32 i32) (result i32) (call $put (i32.const 67)) (call $say) (i32.const 1))
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
            (if (i32.eq (call $get_property (i32.const 0) (i32.const 1) (i32.const 500) (i32.const 504)) (i32.const 99)) (then unreachable))
            (call $put (i32.const 72)) (call $say) (i32.const 0))"#;
    for (profile, (at_once, later, again)) in
        Profile::ALL
            .iter()
            .zip([("SC", "", "SC"), ("SC", "", "SC"), ("", "C", "C")])
    {
        let mut vm = start(profile, COUNTING, "x").unwrap();
        let told = |vm: &mut portcullis_host_test::vm::Vm| -> String {
            vm.take_root_logs()
                .into_iter()
                .map(|log| log.message)
                .collect()
        };
        assert_eq!(told(&mut vm), at_once, "{}", profile.name);
        run(&mut vm, &get());
        assert_eq!(told(&mut vm), later, "{}", profile.name);
        vm.configure(b"y").unwrap();
        run(&mut vm, &get());
        assert_eq!(told(&mut vm), again, "{}", profile.name);
    }
}

#[test]
fn what_is_shown_of_a_target_and_a_host() {
    const ECHO: &str = r#"
        (data (i32.const 0) ":path:authorityhost")
        (func $show (param i32 i32)
            (if (i32.eqz (call $get_header (i32.const 0) (local.get 0) (local.get 1) (i32.const 500) (i32.const 504)))
                (then (drop (call $log (i32.const 2) (i32.load (i32.const 500)) (i32.load (i32.const 504)))))))
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
            (call $show (i32.const 0) (i32.const 5))
            (call $show (i32.const 5) (i32.const 10))
            (call $show (i32.const 15) (i32.const 4))
            (i32.const 0))"#;
    let request = Request::new("GET", "evil.example:99", "/a%2Fb/../c//d;x?q=%20a&b");
    for (profile, expected) in Profile::ALL.iter().zip([
        "/a%2Fb/../c//d;x?q=%20a&b, evil.example:99, evil.example:99",
        "/a/c/d;x?q=%20a&b, gateway.internal:8000, evil.example:99",
        "/a%2Fb/../c//d;x?q=%20a&b, evil.example:99, evil.example:99",
    ]) {
        let exchanged = run(&mut start(profile, ECHO, "").unwrap(), &request);
        assert_eq!(said(&exchanged), expected, "{}", profile.name);
        let upstream = exchanged.upstream.unwrap();
        assert_eq!(upstream.path(), request.path(), "{}", profile.name);
        assert_eq!(
            upstream.headers.get(":authority"),
            Some(&b"evil.example:99"[..])
        );
    }
}

#[test]
fn changes_to_request_headers_as_the_upstream_sees_them() {
    const CHANGING: &str = r#"
        (data (i32.const 0) "x-delx-duponly\0d\0a")
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
            (drop (call $remove_header (i32.const 0) (i32.const 0) (i32.const 5)))
            (drop (call $replace_header (i32.const 0) (i32.const 5) (i32.const 5) (i32.const 10) (i32.const 6)))
            (i32.const 0))"#;
    let request = get()
        .with_header("x-del", "spoofed")
        .with_header("X-Dup", "a")
        .with_header("X-Dup", "b");
    for (profile, expected) in Profile::ALL.iter().zip([
        (vec![], vec!["only\r\n"]),
        (vec!["spoofed"], vec!["only%0D%0A", "b"]),
        (vec![], vec!["only%0D%0A"]),
    ]) {
        let upstream = run(&mut start(profile, CHANGING, "").unwrap(), &request)
            .upstream
            .unwrap();
        let values = |name: &str| -> Vec<String> {
            let values = upstream.headers.get_all(name.as_bytes());
            values
                .map(|value| String::from_utf8_lossy(value).into_owned())
                .collect()
        };
        assert_eq!(values("x-del"), expected.0, "{}", profile.name);
        assert_eq!(values("x-dup"), expected.1, "{}", profile.name);
    }
}
