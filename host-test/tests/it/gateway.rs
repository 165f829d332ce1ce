//! The local gateway over real sockets, and the demo as a user meets it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use portcullis_host_test::gateway::{Event, Gateway, GatewayConfig, GatewayError, Served};
use portcullis_host_test::header_map::HeaderMap;
use portcullis_host_test::host::Host;
use portcullis_host_test::host::clock::Clock;
use portcullis_host_test::profile::Profile;
use portcullis_host_test::scenario::target::Respond;
use portcullis_host_test::upstream::Upstream;

use crate::guest::{config, messages, module};

const SCRIPTED: &str = include_str!("guests/scripted.wat");
const PATIENCE: Duration = Duration::from_secs(20);

/// A gateway before an upstream that answers 200 `hello` with headers that are nobody else's business.
struct Setup {
    gateway: Gateway,
    upstream: Upstream,
    events: Receiver<Event>,
}

fn setup(functions: &str, policy: &str) -> Setup {
    let upstream = Upstream::start().unwrap();
    upstream.respond(Respond {
        status: 200,
        headers: HeaderMap::from([("x-from", "upstream"), ("keep-alive", "timeout=5")]),
        body: b"hello".to_vec(),
        delay: Duration::ZERO,
    });
    let (gateway, events) = start(functions, policy, upstream.address());
    Setup {
        gateway,
        upstream,
        events,
    }
}

fn start(functions: &str, policy: &str, upstream: SocketAddr) -> (Gateway, Receiver<Event>) {
    let (sender, events) = mpsc::channel();
    let gateway = Gateway::start(GatewayConfig {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        upstream: upstream.to_string().parse().unwrap(),
        workers: 1,
        module: module(functions),
        host: Host::new(Profile::ENVOY, Clock::system()),
        vm: config(),
        policy: policy.as_bytes().to_vec(),
        report: Arc::new(move |event| {
            // The test may have seen enough.
            let _ = sender.send(event);
        }),
    })
    .unwrap();
    (gateway, events)
}

impl Setup {
    fn send(&self, bytes: &[u8]) -> String {
        send(self.gateway.address(), bytes)
    }

    fn served(&self) -> Served {
        served(&self.events)
    }
}

/// The next request that has come to its end.
fn served(events: &Receiver<Event>) -> Served {
    loop {
        if let Event::Served(served) = events.recv_timeout(PATIENCE).expect("a request ends") {
            return served;
        }
    }
}

/// What comes back on a connection of its own until the other end closes it.
fn send(to: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    // A connection that is cut off has said what it had to.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

const GET: &[u8] = b"GET /a%20b//c?d HTTP/1.1\r\nHost: api.example\r\nX-Two: 1\r\nX-Two: 2\r\nConnection: close\r\n\r\n";

#[test]
fn a_request_goes_to_the_upstream_and_back() {
    let setup = setup(SCRIPTED, "000000");
    let answer = setup.send(GET);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(
        answer.contains("\r\nx-from: upstream\r\n") && answer.ends_with("\r\n\r\nhello"),
        "{answer}"
    );
    assert!(!answer.contains("keep-alive"), "{answer}");
    let seen = setup.upstream.take().unwrap().request;
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str(), seen.host.as_str()),
        ("GET", "/a%20b//c?d", "api.example")
    );
    assert_eq!(
        seen.headers.get_all(b"x-two").collect::<Vec<_>>(),
        [b"1", b"2"]
    );
    assert_eq!(seen.headers.get("x-forwarded-for"), Some(&b"127.0.0.1"[..]));
    let served = setup.served();
    assert_eq!(
        (served.method.as_str(), served.path.as_str(), served.status),
        ("GET", "/a%20b//c?d", Some(200))
    );
    assert!(served.upstream);
    assert_eq!(messages(&served.logs).last(), Some(&"X"));
}

#[test]
fn a_refused_request_does_not_reach_the_upstream() {
    let setup = setup(SCRIPTED, "r00000");
    let answer = setup.send(GET);
    assert_eq!(status(&answer), "403", "{answer}");
    assert!(
        answer.contains("\r\nx-reply: 1\r\n") && answer.ends_with("\r\n\r\nno"),
        "{answer}"
    );
    assert!(setup.upstream.take().is_none());
    assert!(!setup.served().upstream);
}

#[test]
fn bodies_are_streamed_and_bounded_only_where_they_are_held() {
    const MIB: usize = 1024 * 1024;
    let body = "x".repeat(2 * MIB);
    let mut chunked =
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            .to_vec();
    for chunk in body.as_bytes().chunks(100_000) {
        chunked.extend(format!("{:x}\r\n", chunk.len()).bytes());
        chunked.extend(chunk);
        chunked.extend(b"\r\n");
    }
    chunked.extend(b"0\r\n\r\n");
    let sized = format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    for request in [&chunked, sized.as_bytes()] {
        let setup = setup(SCRIPTED, "000000");
        assert_eq!(status(&setup.send(request)), "200");
        assert_eq!(
            setup.upstream.take().unwrap().request.body.len(),
            body.len()
        );
    }
    let held = setup(SCRIPTED, "0e0000");
    assert_eq!(status(&held.send(&chunked)), "413");
    assert_eq!(held.served().status, Some(413));
}

#[test]
fn a_response_is_streamed() {
    let setup = setup(SCRIPTED, "000000");
    setup.upstream.respond(Respond {
        status: 200,
        headers: HeaderMap::new(),
        body: vec![b'y'; 5_000_000],
        delay: Duration::ZERO,
    });
    let answer = setup.send(GET);
    assert_eq!(answer.matches('y').count(), 5_000_000);
}

#[test]
fn a_trap_costs_one_request_its_answer() {
    let trapping = r#"
        (func $deep_inside unreachable)
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
            (if (i32.gt_u (local.get 1) (i32.const 7)) (then (call $deep_inside)))
            (i32.const 0))"#;
    let setup = setup(trapping, "");
    for _ in 0..3 {
        assert_eq!(status(&setup.send(GET)), "503", "eight lines and more");
        assert!(setup.upstream.take().is_none());
        let Event::Trapped(trap) = setup.events.recv_timeout(PATIENCE).unwrap() else {
            panic!("no trap")
        };
        assert_eq!(
            (trap.callback.as_str(), trap.backtrace[0].as_str()),
            ("proxy_on_request_headers", "deep_inside")
        );
        assert_eq!(setup.served().status, Some(503));
        assert_eq!(
            status(&setup.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")),
            "200"
        );
        assert!(setup.upstream.take().is_some());
        assert_eq!(setup.served().status, Some(200));
    }
}

#[test]
fn an_upstream_that_is_down_is_a_503_that_the_filter_sees() {
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let (gateway, events) = start(SCRIPTED, "000000", nobody);
    let answer = send(gateway.address(), GET);
    assert_eq!(status(&answer), "503");
    assert!(
        answer.ends_with("upstream connect error or disconnect/reset before headers"),
        "{answer}"
    );
    let served = served(&events);
    assert!(
        messages(&served.logs).contains(&"h 3 0 2200"),
        "{:?}",
        served.logs
    );
}

#[test]
fn an_ambiguous_request_is_refused_before_the_filter() {
    let setup = setup(SCRIPTED, "000000");
    for (request, expected) in [
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\n\r\n", "400"),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            "400",
        ),
        ("GET / HTTP/1.1\r\nHost: a\r\nX-Bad : 1\r\n\r\n", "400"),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "400"),
    ] {
        let answer = setup.send(request.as_bytes());
        assert_eq!(status(&answer), expected, "{request:?}: {answer}");
        assert_eq!(
            answer.matches("HTTP/1.1 ").count(),
            1,
            "{request:?}: {answer}"
        );
    }
    assert!(setup.upstream.take().is_none());
}

#[test]
fn a_length_beside_chunks_smuggles_nothing() {
    let setup = setup(SCRIPTED, "000000");
    let inner = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    let outer = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n";
    let answer = setup.send(format!("{outer}{inner}").as_bytes());
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    let seen = setup.upstream.take().unwrap().request;
    assert_eq!((seen.path.as_str(), seen.body.len()), ("/", 0));
    assert_eq!(seen.headers.get("content-length"), None);
}

#[test]
fn a_connection_serves_many_requests_over_http1_and_http2() {
    let setup = setup(SCRIPTED, "000000");
    let two = b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert_eq!(setup.send(two).matches("HTTP/1.1 200 OK").count(), 2);

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let statuses = runtime.block_on(async {
        use hyper_util::rt::{TokioExecutor, TokioIo};
        let stream = tokio::net::TcpStream::connect(setup.gateway.address())
            .await
            .unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                .await
                .unwrap();
        tokio::spawn(connection);
        let mut statuses = Vec::new();
        for body in ["", "some body"] {
            let request = http::Request::post("http://api.example/h2")
                .body(body.to_owned())
                .unwrap();
            statuses.push(
                sender
                    .send_request(request)
                    .await
                    .unwrap()
                    .status()
                    .as_u16(),
            );
        }
        statuses
    });
    assert_eq!(statuses, [200, 200]);
    let seen = setup.upstream.take().unwrap().request;
    assert_eq!(
        (seen.host.as_str(), seen.body.as_slice()),
        ("api.example", &b"some body"[..])
    );
    for _ in 0..3 {
        setup.served();
    }
    let last = setup.served();
    assert!(
        messages(&last.logs).contains(&"B 9 1 2222"),
        "the last piece carries the end: {:?}",
        last.logs
    );
}

#[test]
fn a_client_that_goes_away_ends_its_stream() {
    let setup = setup(SCRIPTED, "100000");
    let mut stream = TcpStream::connect(setup.gateway.address()).unwrap();
    stream
        .write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
        .unwrap();
    // The filter holds the request and never answers.
    std::thread::sleep(Duration::from_millis(200));
    drop(stream);
    let served = setup.served();
    assert_eq!(served.status, None);
    assert_eq!(
        messages(&served.logs),
        ["H 7 0 0022", "L 0 0 0022", "D", "X"]
    );
}

#[test]
fn what_cannot_start_says_why() {
    let upstream = Upstream::start().unwrap();
    let gateway = |listen: SocketAddr, functions: &str| {
        Gateway::start(GatewayConfig {
            listen,
            upstream: upstream.address().to_string().parse().unwrap(),
            workers: 1,
            module: module(functions),
            host: Host::new(Profile::ENVOY, Clock::system()),
            vm: config(),
            policy: Vec::new(),
            report: Arc::new(|_| {}),
        })
    };
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    let first = gateway(free, "").unwrap();
    assert!(matches!(
        gateway(first.address(), ""),
        Err(GatewayError::Listen { .. })
    ));
    let refusing = r#"(func (export "proxy_on_configure") (param i32 i32) (result i32)
        (call $say_number (i32.const 42)) (i32.const 0))"#;
    let error = gateway(free, refusing)
        .err()
        .expect("it refuses")
        .to_string();
    assert_eq!(error, "the filter refuses the policy\n  42");
}

#[test]
fn the_demo_does_what_its_curl_lines_say() {
    let mut demo = Running(
        Command::new(env!("CARGO_BIN_EXE_portcullis"))
            .args(["demo", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut lines = BufReader::new(demo.0.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let shown: Vec<String> = lines
        .by_ref()
        .take_while(|line| !line.contains("ctrl-c stops"))
        .collect();
    let told = |at: usize| {
        shown[at - 1]
            .trim_end_matches(':')
            .rsplit(' ')
            .next()
            .unwrap()
            .to_owned()
    };
    let commands: Vec<(usize, &String)> = shown
        .iter()
        .enumerate()
        .filter(|(_, line)| line.starts_with("  curl "))
        .collect();
    assert_eq!(commands.len(), 8, "{shown:?}");
    for (at, command) in &commands {
        let (to, request) = http_of(command);
        let answer = send(to, request.as_bytes());
        let expected = match told(*at).as_str() {
            status @ ("404" | "405" | "421" | "429") => status.to_owned(),
            "body" | "again" => "201".to_owned(),
            _ => "200".to_owned(),
        };
        assert_eq!(status(&answer), expected, "{command}: {answer}");
        let past_the_gate = to != http_of(commands[0].1).0;
        assert_eq!(
            answer.contains("x-content-type-options: nosniff"),
            past_the_gate,
            "{command}: {answer}"
        );
        assert_eq!(
            !answer.contains("x-powered-by"),
            past_the_gate,
            "{command}: {answer}"
        );
    }
    let requests: Vec<String> = lines.filter(|line| !line.is_empty()).take(7).collect();
    let expected = [
        "200 GET /health  passed",
        "201 POST /match/create  passed",
        "201 POST /match/create  passed",
        "429 POST /match/create  refused: rate-limit-exceeded",
        "421 GET /health  refused: host-not-allowed",
        "405 DELETE /match/1  refused: method-not-allowed",
        "404 GET /admin/players  refused: route-not-found",
    ];
    for (line, expected) in requests.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line}");
    }
}

/// Ends with the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where a curl line goes, and what curl would send.
fn http_of(command: &str) -> (SocketAddr, String) {
    let mut words = Vec::new();
    for (number, part) in command.trim().split('\'').enumerate() {
        // Every second part stood between quotes.
        if number % 2 == 1 {
            words.push(part)
        } else {
            words.extend(part.split_whitespace())
        }
    }
    let (mut method, mut target, mut lines, mut body) = ("GET", "", Vec::new(), "");
    let mut words = words.into_iter().skip(1);
    while let Some(word) = words.next() {
        match word {
            "-i" => {}
            "-X" => method = words.next().unwrap(),
            "-H" => lines.push(words.next().unwrap()),
            "-d" => (method, body) = ("POST", words.next().unwrap()),
            url => target = url.strip_prefix("http://").unwrap(),
        }
    }
    let (host, path) = target.split_once('/').unwrap();
    let has_host = lines.iter().any(|line| line.starts_with("host:"));
    let host_line = if has_host {
        String::new()
    } else {
        format!("host: {host}\r\n")
    };
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    let request = format!(
        "{method} /{path} HTTP/1.1\r\n{host_line}{lines}connection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    (host.parse().unwrap(), request)
}
