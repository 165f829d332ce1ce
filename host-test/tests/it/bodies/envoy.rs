//! What a raw upstream behind a real Envoy gets to see of requests whose bodies are judged: nothing of those that are
//! refused, and of each other one request of its own length, byte for byte.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use portcullis_host_test::envoy::{self, Envoy, Filter, Listener};
use portcullis_host_test::upstream::Upstream;
use serde_json::json;

use super::super::envoy::{listener, text};

/// An upstream that keeps whatever arrives on a connection and answers it once nothing more comes.
pub(super) struct Raw {
    address: SocketAddr,
    arrived: Receiver<Vec<u8>>,
}

/// So long nothing comes before an upstream takes a request for complete.
const QUIET: Duration = Duration::from_millis(150);

impl Raw {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, arrived) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let sender = sender.clone();
                std::thread::spawn(move || keep(stream, &sender));
            }
        });
        Self { address, arrived }
    }

    /// All that has come since the last call, until nothing does.
    pub(super) fn take(&self) -> String {
        let mut all = Vec::new();
        while let Ok(bytes) = self.arrived.recv_timeout(QUIET * 2) {
            all.extend(bytes);
        }
        String::from_utf8(all).unwrap()
    }
}

fn keep(mut stream: TcpStream, to: &Sender<Vec<u8>>) {
    stream.set_read_timeout(Some(QUIET)).unwrap();
    let mut owed = false;
    let mut piece = [0; 4096];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return,
            Ok(size) => {
                owed = true;
                if to.send(piece.iter().take(size).copied().collect()).is_err() {
                    return;
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                if std::mem::take(&mut owed) && stream.write_all(answer).is_err() {
                    return;
                }
            }
            Err(_) => return,
        }
    }
}

/// A client that writes bytes piece by piece and gives the statuses that come back before the gateway closes.
pub(super) fn send(to: SocketAddr, pieces: &[&str]) -> Vec<String> {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_nodelay(true).unwrap();
    for piece in pieces {
        stream.write_all(piece.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(size) = stream.read(&mut piece)
        && size > 0
    {
        answer.extend(piece.iter().take(size));
    }
    let answer = String::from_utf8(answer).unwrap();
    let status = |line: &str| {
        line.strip_prefix("HTTP/1.1 ")
            .map(|rest| rest[..3].to_owned())
    };
    answer.lines().filter_map(status).collect()
}

fn policy() -> serde_json::Value {
    json!({"version": 1, "client": {"forwarded": "host"}, "routes": [{"name": "a", "path": "/a", "validate": {"body": {
        "normalize": {"/token": ["uppercase"]},
        "schema": {"type": "object", "properties": {"token": {"type": "string", "maxLength": 60}}},
    }}}]})
}

fn start(raw: &Raw, hold_headers: bool) -> Envoy {
    in_front_of(raw, &policy(), hold_headers)
}

/// An Envoy whose listener `bodies` runs this policy.
pub(super) fn in_front_of(raw: &Raw, policy: &serde_json::Value, hold_headers: bool) -> Envoy {
    let unused = Upstream::start().unwrap();
    let listener = listener("bodies", text(policy), &unused);
    let filter = listener.filter.map(|filter| Filter {
        hold_headers,
        ..filter
    });
    let listener = Listener {
        filter,
        upstream: raw.address,
        gzip: false,
        ..listener
    };
    Envoy::start(&[listener]).unwrap()
}

const HEAD: &str = "POST /a HTTP/1.1\r\nhost: api.example.com\r\ncontent-type: application/json\r\nconnection: close\r\n";

pub(super) fn sized(body: &str) -> String {
    format!("{HEAD}content-length: {}\r\n\r\n{body}", body.len())
}

/// The body as chunks of one byte, with this behind the last.
pub(super) fn chunks(body: &str, end: &str) -> Vec<String> {
    let head = format!("{HEAD}transfer-encoding: chunked\r\n\r\n");
    let pieces = body
        .chars()
        .map(|c| format!("{:x}\r\n{c}\r\n", c.len_utf8()));
    [head]
        .into_iter()
        .chain(pieces)
        .chain([format!("0\r\n{end}\r\n")])
        .collect()
}

/// Head and body of the one request that there is.
pub(super) fn one_request(arrived: &str) -> (&str, &str) {
    assert_eq!(arrived.matches("HTTP/1.1\r\n").count(), 1, "{arrived:?}");
    assert!(arrived.starts_with("POST /a HTTP/1.1\r\n"), "{arrived:?}");
    arrived.split_once("\r\n\r\n").unwrap()
}

#[test]
fn an_upstream_sees_nothing_of_what_is_refused() {
    if !envoy::wanted("held requests in front of a raw upstream") {
        return;
    }
    let raw = Raw::start();
    let envoy = start(&raw, true);
    let address = envoy.address("bodies").unwrap();
    let refused = |pieces: &[&str], statuses: &[&str]| {
        assert_eq!(send(address, pieces), statuses, "{pieces:?}");
        assert_eq!(raw.take(), "", "{pieces:?}");
    };
    let bad = r#"{"token": 5}"#;
    refused(&[&sized(bad)], &["422"]);
    refused(&[&sized(r#"{"token": "#)], &["400"]);
    let (head, body) = (sized(bad), bad.len());
    let (head, body) = head.split_at(head.len() - body);
    refused(&[head, &body[..3], &body[3..]], &["422"]);
    fn parts(pieces: &[String]) -> Vec<&str> {
        pieces.iter().map(String::as_str).collect()
    }
    refused(&parts(&chunks(bad, "")), &["422"]);
    refused(&parts(&chunks(bad, "x-last: 1\r\n")), &["422"]);
    refused(&parts(&chunks("", "x-last: 1\r\n")), &["422"]);
    let expecting = head.replace("\r\n\r\n", "\r\nexpect: 100-continue\r\n\r\n");
    refused(&[&expecting, body], &["100", "422"]);
    // Refused by the head alone.
    let text = sized(bad).replace("application/json", "text/plain");
    refused(&[&text], &["415"]);
    // Clients that go away before the end: there was no verdict.
    let mut gone = TcpStream::connect(address).unwrap();
    gone.write_all(head.as_bytes()).unwrap();
    drop(gone);
    assert_eq!(raw.take(), "");
}

#[test]
fn an_upstream_sees_one_whole_request_of_what_passes() {
    if !envoy::wanted("judged requests in front of a raw upstream") {
        return;
    }
    let raw = Raw::start();
    let envoy = start(&raw, true);
    let address = envoy.address("bodies").unwrap();
    let check = |pieces: &[String], expected: &str, has_length: bool| {
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        assert_eq!(send(address, &pieces), ["200"]);
        let arrived = raw.take();
        let (head, body) = one_request(&arrived);
        let length = format!("\r\ncontent-length: {}\r\n", expected.len());
        assert_eq!(
            format!("{head}\r\n").contains(&length),
            has_length,
            "{head}"
        );
        assert_eq!(
            head.contains("transfer-encoding: chunked"),
            !has_length,
            "{head}"
        );
        if has_length {
            assert_eq!(body, expected);
        } else {
            assert_eq!(dechunked(body), expected);
        }
    };
    let good = r#"{"token": "ABC"}"#;
    check(&[sized(good)], good, true);
    check(&chunks(good, ""), good, false);
    // The body grows: what would be left over behind a stale length reads as a request of the client's choice.
    let loose = format!(
        r#"{{"token": "{}", "x": "POST /a HTTP/1.0\r\n\r\n"}}"#,
        "ŉ".repeat(20)
    );
    let grown = loose.replace('ŉ', "ʼN");
    assert!(grown.len() > loose.len());
    check(&[sized(&loose)], &grown, true);
    check(&chunks(&loose, ""), &grown, true);
    // It shrinks: what would be missing in front of a stale length is the next request.
    let long = r#"{"token": "ﬁﬁﬁ"}"#;
    let short = long.replace('ﬁ', "FI");
    assert!(short.len() < long.len());
    check(&[sized(long)], &short, true);
    // Two requests over one connection stay two.
    let first = sized(&loose).replace("connection: close\r\n", "");
    assert_eq!(send(address, &[&first, &sized(good)]), ["200", "200"]);
    let arrived = raw.take();
    assert_eq!(arrived.matches(" HTTP/1.1\r\n").count(), 2, "{arrived}");
}

#[test]
fn without_held_headers_no_length_is_stale() {
    if !envoy::wanted("bodies behind headers that have gone on") {
        return;
    }
    let raw = Raw::start();
    let envoy = start(&raw, false);
    let address = envoy.address("bodies").unwrap();
    let loose = r#"{"token": "ŉŉŉ"}"#;
    for (body, expected) in [
        (loose, loose.replace('ŉ', "ʼN")),
        (r#"{"token": "A"}"#, r#"{"token": "A"}"#.into()),
    ] {
        assert_eq!(send(address, &[&sized(body)]), ["200"]);
        let arrived = raw.take();
        let (head, rest) = one_request(&arrived);
        assert!(!head.contains("content-length"), "{head}");
        assert!(head.contains("transfer-encoding: chunked"), "{head}");
        assert_eq!(dechunked(rest), expected);
    }
    // Its head has gone on; its body never does.
    assert_eq!(send(address, &[&sized(r#"{"token": 5}"#)]), ["422"]);
    assert!(!raw.take().contains("token"));
}

/// What chunks hold (RFC 9112 section 7.1).
pub(super) fn dechunked(body: &str) -> String {
    let mut rest = body;
    let mut whole = String::new();
    loop {
        let (size, after) = rest.split_once("\r\n").unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            assert_eq!(after, "\r\n", "{body:?}");
            return whole;
        }
        whole.push_str(&after[..size]);
        rest = after[size..].strip_prefix("\r\n").unwrap();
    }
}
