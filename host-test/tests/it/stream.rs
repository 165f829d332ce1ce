//! Streams: which callbacks come when, with what sizes, and what the guest may touch in them.

use portcullis_host_test::exchange::{self, Exchanged};
use portcullis_host_test::header_map::HeaderMap;
use portcullis_host_test::message::{Protocol, Request, Response};
use portcullis_host_test::stream::{Part, Peer, Stream};
use portcullis_host_test::vm::{Vm, VmConfig};

use crate::guest::{config, get, host, messages, run, start, start_in};

const SCRIPTED: &str = include_str!("guests/scripted.wat");

fn post(chunks: &[&str]) -> Request {
    let mut request = Request::new("POST", "api.example", "/");
    request.chunks = chunks
        .iter()
        .map(|chunk| chunk.as_bytes().to_vec())
        .collect();
    request
}

fn with_trailers(mut request: Request) -> Request {
    request.trailers = Some(HeaderMap::from([("x-sum", "1")]));
    request
}

fn over_http2(mut request: Request) -> Request {
    request.protocol = Protocol::Http2;
    request
}

fn script(letters: &str) -> Vm {
    start(SCRIPTED, letters)
}

fn holding(letters: &str) -> Vm {
    start_in(
        host(),
        VmConfig {
            allow_on_headers_stop_iteration: true,
            ..config()
        },
        SCRIPTED,
        letters,
    )
}

#[track_caller]
fn expect(vm: &mut Vm, request: &Request, callbacks: &[&str]) -> Exchanged {
    let exchanged = run(vm, request);
    assert_eq!(messages(&exchanged.logs), callbacks);
    assert_eq!(exchanged.trap, None);
    exchanged
}

#[test]
fn a_request_without_a_body_ends_with_its_headers() {
    let exchanged = expect(
        &mut script("000000"),
        &get(),
        &[
            "H 4 1 0022",
            "h 1 0 2200",
            "b 5 0 2222",
            "b 0 1 2222",
            "L 0 0 0202",
            "D",
            "X",
        ],
    );
    assert_eq!(exchanged.response, Some(Response::new(200, "hello")));
    assert_eq!(exchanged.upstream, Some(get()));
    assert!(exchanged.upstream_complete && !exchanged.local_reply && !exchanged.reset);
}

#[test]
fn pieces_of_a_body_come_one_by_one_and_http1_tells_of_the_end_in_another() {
    let exchanged = expect(
        &mut script("000000"),
        &post(&["ab", "c"]),
        &[
            "H 4 0 0022",
            "B 2 0 2222",
            "B 1 0 2222",
            "B 0 1 2222",
            "h 1 0 2200",
            "b 5 0 2222",
            "b 0 1 2222",
            "L 0 0 0202",
            "D",
            "X",
        ],
    );
    assert_eq!(
        exchanged.upstream.unwrap().chunks,
        [b"ab".to_vec(), b"c".to_vec()]
    );
    expect(
        &mut script("000000"),
        &over_http2(post(&["ab", "c"])),
        &[
            "H 4 0 0022",
            "B 2 0 2222",
            "B 1 1 2222",
            "h 1 0 2200",
            "b 5 0 2222",
            "b 0 1 2222",
            "L 0 0 0202",
            "D",
            "X",
        ],
    );
}

#[test]
fn a_paused_body_is_shown_whole_each_time() {
    let exchanged = expect(
        &mut script("0e0000"),
        &post(&["ab", "c"]),
        &[
            "H 4 0 0022",
            "B 2 0 2222",
            "B 3 0 2222",
            "B 3 1 2222",
            "h 1 0 2200",
            "b 5 0 2222",
            "b 0 1 2222",
            "L 0 0 0202",
            "D",
            "X",
        ],
    );
    assert_eq!(exchanged.upstream.unwrap().chunks, [b"abc".to_vec()]);
}

#[test]
fn trailers_end_a_body_in_place_of_its_end() {
    // The hole that a filter must know of: it pauses until an end that never comes, and trailers let everything go on.
    let exchanged = expect(
        &mut script("0e0000"),
        &with_trailers(post(&["ab"])),
        &[
            "H 4 0 0022",
            "B 2 0 2222",
            "T 1 1 2222",
            "h 1 0 2200",
            "b 5 0 2222",
            "b 0 1 2222",
            "L 0 0 0202",
            "D",
            "X",
        ],
    );
    let upstream = exchanged.upstream.unwrap();
    assert_eq!(
        (upstream.body(), upstream.trailers),
        (b"ab".to_vec(), Some(HeaderMap::from([("x-sum", "1")])))
    );

    let refused = run(&mut script("0er000"), &with_trailers(post(&["ab"])));
    assert_eq!(refused.response.unwrap().status(), Some(403));
    let upstream = refused.upstream.unwrap();
    assert_eq!(
        upstream.body(),
        b"",
        "its headers had gone on, its body had not"
    );
    assert!(!refused.upstream_complete);
}

#[test]
fn trailers_of_a_response_are_shown() {
    let upstream = Response {
        trailers: Some(HeaderMap::from([("x-sum", "1")])),
        ..Response::new(200, "hello")
    };
    let exchanged = exchange::run(&mut script("000000"), &get(), &mut |_| upstream.clone());
    assert_eq!(
        messages(&exchanged.logs),
        [
            "H 4 1 0022",
            "h 1 0 2200",
            "b 5 0 2222",
            "t 1 1 2222",
            "L 0 0 0202",
            "D",
            "X"
        ]
    );
    assert_eq!(exchanged.response, Some(upstream));
}

#[test]
fn a_pause_on_headers_stops_everything_unless_the_gateway_allows_it() {
    let hung = expect(
        &mut script("100000"),
        &post(&["ab"]),
        &["H 4 0 0022", "L 0 0 0022", "D", "X"],
    );
    assert_eq!((hung.response, hung.upstream), (None, None));

    let exchanged = expect(
        &mut holding("1e0000"),
        &post(&["ab", "c"]),
        &[
            "H 4 0 0022",
            "B 2 0 0022",
            "B 3 0 0022",
            "B 3 1 0022",
            "h 1 0 2200",
            "b 5 0 2222",
            "b 0 1 2222",
            "L 0 0 0202",
            "D",
            "X",
        ],
    );
    assert_eq!(exchanged.upstream.unwrap().body(), b"abc");
}

#[test]
fn held_headers_keep_a_refused_body_from_the_upstream() {
    let refused = run(&mut holding("1r0000"), &post(&["ab"]));
    assert_eq!(refused.upstream, None);
    assert_eq!(refused.response.unwrap().status(), Some(403));
    let let_on = run(&mut script("0r0000"), &post(&["ab"]));
    assert_eq!(
        let_on.upstream.map(|request| request.body()),
        Some(Vec::new()),
        "without holding the headers are out"
    );
}

#[test]
fn an_answer_goes_through_the_response_callbacks() {
    fn check(letters: &str, request: &Request, callbacks: &[&str]) {
        let exchanged = expect(&mut script(letters), request, callbacks);
        let expected = [
            (":status", "403"),
            ("x-reply", "1"),
            ("content-length", "2"),
            ("content-type", "text/plain"),
        ];
        let response = exchanged.response.unwrap();
        assert_eq!(response.headers, HeaderMap::from(expected), "{letters}");
        assert_eq!(response.body, b"no", "{letters}");
        assert!(
            exchanged.local_reply && !exchanged.reset && !exchanged.upstream_complete,
            "{letters}"
        );
    }
    // Headers that were never let go on stay readable.
    let from_headers = [
        "H 4 1 0022",
        "h 4 0 0000",
        "b 2 1 0022",
        "L 0 0 0002",
        "D",
        "X",
    ];
    check("r00000", &get(), &from_headers);
    check("R00000", &get(), &from_headers);
    let from_body = [
        "H 4 0 0022",
        "B 2 0 2222",
        "h 4 0 2200",
        "b 2 1 2222",
        "L 0 0 0202",
        "D",
        "X",
    ];
    check("0r0000", &post(&["ab"]), &from_body);
}

#[test]
fn an_answer_to_head_has_no_body_and_one_to_grpc_speaks_grpc() {
    let response = run(
        &mut script("r00000"),
        &Request::new("HEAD", "api.example", "/"),
    )
    .response
    .unwrap();
    assert_eq!((response.status(), response.body.len()), (Some(403), 0));
    assert_eq!(response.headers.get("content-length"), Some(&b"2"[..]));

    let grpc = Request::new("POST", "api.example", "/a.B/C")
        .with_header("content-type", "application/grpc");
    let response = run(&mut script("r00000"), &grpc).response.unwrap();
    let expected = [
        (":status", "200"),
        ("x-reply", "1"),
        ("content-type", "application/grpc"),
        ("grpc-status", "7"),
        ("grpc-message", "no"),
    ];
    assert_eq!(
        (response.headers, response.body.len()),
        (HeaderMap::from(expected), 0)
    );
    let response = run(&mut script("g00000"), &grpc).response.unwrap();
    assert_eq!(response.headers.get("grpc-status"), Some(&b"9"[..]));
}

#[test]
fn an_answer_in_the_response_phase_goes_past_the_filter() {
    let exchanged = expect(
        &mut script("000r00"),
        &get(),
        &["H 4 1 0022", "h 1 0 2200", "L 0 0 0202", "D", "X"],
    );
    assert_eq!(exchanged.response.unwrap().status(), Some(403));
    assert!(exchanged.local_reply && exchanged.upstream_complete);

    let cut_off = run(&mut script("0000r0"), &get());
    assert!(cut_off.reset, "the head was out: the stream is cut off");
    let response = cut_off.response.unwrap();
    assert_eq!((response.status(), response.body.len()), (Some(200), 0));
}

#[test]
fn a_body_past_the_limit_is_the_hosts_to_refuse() {
    const MIB: usize = 1024 * 1024;
    let big = "x".repeat(MIB);
    let exchanged = run(&mut script("0e0000"), &post(&[&big, "y"]));
    let response = exchanged.response.unwrap();
    assert_eq!(
        (response.status(), response.body.as_slice()),
        (Some(413), &b"Payload Too Large"[..])
    );
    assert!(
        messages(&exchanged.logs).contains(&"h 3 0 2200"),
        "the response callbacks run on it"
    );
    assert!(!exchanged.upstream_complete);

    let exchanged = run(&mut script("0e0000"), &post(&[&big]));
    assert_eq!(
        exchanged.upstream.unwrap().body().len(),
        MIB,
        "the limit itself fits"
    );
    let streamed = run(&mut script("000000"), &post(&[&big, &big]));
    assert_eq!(
        streamed.upstream.unwrap().body().len(),
        2 * MIB,
        "what is not held has no limit"
    );

    let answered = |letters: &str| {
        exchange::run(&mut script(letters), &get(), &mut |_| {
            Response::new(200, "z".repeat(MIB + 1))
        })
    };
    assert!(answered("0000e0").reset, "too late for another answer");
}

#[test]
fn a_guest_can_rewrite_bodies() {
    let exchanged = run(&mut script("0w00w0"), &over_http2(post(&["old"])));
    assert_eq!(exchanged.upstream.unwrap().body(), b"new");
    assert_eq!(
        exchanged.response.unwrap().body,
        b"newnew",
        "the last, empty piece of the response is rewritten too"
    );
    let exchanged = run(&mut script("0a0000"), &over_http2(post(&["old"])));
    assert_eq!(exchanged.upstream.unwrap().body(), b"old+");
}

#[test]
fn a_guest_can_cut_a_stream_off() {
    for letters in ["x00000", "000x00"] {
        let exchanged = run(&mut script(letters), &get());
        assert!(exchanged.reset, "{letters}");
        assert_eq!(exchanged.response, None, "{letters}");
    }
}

#[test]
fn a_resumed_request_shows_what_has_come_meanwhile() {
    let exchanged = expect(
        &mut script("c00000"),
        &post(&["ab"]),
        &[
            "H 4 0 0022",
            "B 2 0 2222",
            "B 0 1 2222",
            "h 1 0 2200",
            "b 5 0 2222",
            "b 0 1 2222",
            "L 0 0 0202",
            "D",
            "X",
        ],
    );
    assert_eq!(exchanged.upstream.unwrap().body(), b"ab");
    let exchanged = run(&mut script("0c0000"), &over_http2(post(&["ab"])));
    assert_eq!(exchanged.upstream.unwrap().body(), b"ab");
}

#[test]
fn many_streams_are_under_way_in_one_vm() {
    let mut vm = script("0e0000");
    let streams: Vec<Stream> = (0..3)
        .map(|_| Stream::open(&mut vm, Peer::default()).unwrap())
        .collect();
    for stream in &streams {
        stream
            .request_headers(&mut vm, &get().headers, false)
            .unwrap();
    }
    for (bytes, end) in [(&b"a"[..], false), (b"b", true)] {
        for stream in &streams {
            stream.request_body(&mut vm, bytes, end).unwrap();
        }
    }
    for stream in &streams {
        let parts = stream.to_upstream(&mut vm);
        assert_eq!(
            parts.last(),
            Some(&Part::Body {
                bytes: b"ab".to_vec(),
                end: true
            })
        );
    }
    // One client goes away; the others do not feel it.
    let mut streams = streams.into_iter();
    let gone = streams.next().unwrap().close(&mut vm).unwrap();
    assert_eq!(
        messages(&gone.logs),
        [
            "H 4 0 0022",
            "B 1 0 2222",
            "B 2 1 2222",
            "L 0 0 0222",
            "D",
            "X"
        ]
    );
    for stream in streams {
        stream
            .response_headers(&mut vm, &Response::new(204, "").headers, true)
            .unwrap();
        assert_eq!(
            stream.to_client(&mut vm),
            [Part::Headers {
                headers: [(":status", "204")].into(),
                end: true
            }]
        );
        stream.close(&mut vm).unwrap();
    }
    assert!(!vm.failed());
}

#[test]
fn an_answer_of_the_gateway_goes_through_the_response_callbacks() {
    let mut vm = script("000000");
    let stream = Stream::open(&mut vm, Peer::default()).unwrap();
    stream
        .request_headers(&mut vm, &get().headers, true)
        .unwrap();
    stream.reply(&mut vm, 503, "no upstream").unwrap();
    assert!(stream.replied(&mut vm));
    let parts = stream.to_client(&mut vm);
    assert_eq!(
        parts.last(),
        Some(&Part::Body {
            bytes: b"no upstream".to_vec(),
            end: true
        })
    );
    let ended = stream.close(&mut vm).unwrap();
    assert_eq!(
        messages(&ended.logs),
        [
            "H 4 1 0022",
            "h 3 0 2200",
            "b 11 1 2222",
            "L 0 0 0202",
            "D",
            "X"
        ]
    );
}

#[test]
fn names_are_shown_in_lower_case_with_duplicates_and_any_bytes() {
    let request = get()
        .with_header("X-Bin", b"a\xff".to_vec())
        .with_header("x-bin", "2");
    let upstream = run(&mut script("000000"), &request).upstream.unwrap();
    let shown: Vec<_> = upstream.headers.iter().skip(4).collect();
    assert_eq!(shown, [(&b"x-bin"[..], &b"a\xff"[..]), (b"x-bin", b"2")]);
}

#[test]
fn host_calls_are_counted_for_their_stream() {
    let calls = run(&mut script("000000"), &get()).host_calls;
    assert_eq!(
        calls.get("proxy_get_header_map_pairs"),
        Some(&10),
        "{calls:?}"
    );
    assert_eq!(calls.get("proxy_log"), Some(&7), "{calls:?}");
}
