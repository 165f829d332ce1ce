//! What a real Envoy answers by itself: the filter's response headers are on it where filters run at all, and what no
//! filter gets to see reaches no upstream either.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use portcullis_host_test::envoy::{self, Envoy, Listener};
use portcullis_host_test::header_map::HeaderMap;
use portcullis_host_test::scenario::http::HttpTarget;
use portcullis_host_test::scenario::target::Target;
use portcullis_host_test::upstream::Upstream;

use super::envoy::{example, get, listener, ok, text};

#[test]
fn an_upstream_that_is_down_is_a_hardened_503() {
    if !envoy::wanted("an upstream that is down behind a real Envoy") {
        return;
    }
    let upstream = Upstream::start().unwrap();
    // A port that nobody listens on: it was free a moment ago.
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let down = Listener {
        upstream: nobody,
        ..listener("down", text(&example()), &upstream)
    };
    let envoy = Envoy::start(&[down]).unwrap();
    let mut target = HttpTarget::behind(&envoy, "down", &upstream).unwrap();
    let mut from_a_page = get("/players/7");
    from_a_page.headers = HeaderMap::from([("origin", "https://play.example.com")]);
    let observed = target.exchange(&from_a_page, &ok("{}")).unwrap();
    assert_eq!(observed.status, 503);
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("cache-control", "no-store"),
        ("access-control-allow-origin", "https://play.example.com"),
        ("access-control-allow-credentials", "true"),
        ("vary", "Origin"),
    ] {
        assert_eq!(observed.headers.get(name), Some(value.as_bytes()), "{name}");
    }
}

/// The status line that Envoy answers these bytes with.
fn status(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[9..]).into_owned()
}

#[test]
fn smuggled_requests_reach_nobody() {
    if !envoy::wanted("smuggled requests at a real Envoy") {
        return;
    }
    let upstream = Upstream::start().unwrap();
    let envoy = Envoy::start(&[listener("example", text(&example()), &upstream)]).unwrap();
    let address = envoy.address("example").unwrap();
    let check = |lines: &str, expected: &str| {
        let request =
            format!("POST /match/create HTTP/1.1\r\nhost: api.example.com\r\n{lines}\r\n");
        assert_eq!(status(address, &request), expected, "{lines:?}");
        assert!(upstream.take().is_none(), "{lines:?} reached the upstream");
    };
    check("content-length: 5\r\ntransfer-encoding: chunked\r\n", "400");
    check("content-length: 5\r\ncontent-length: 5\r\n", "400");
    check("content-length: 5\r\ncontent-length: 6\r\n", "400");
    check("content-length: +5\r\n", "400");
    check("transfer-encoding: chunked, identity\r\n", "501");
    check("x-a: a\0b\r\n", "400");
    check("content-length : 5\r\n", "400");
    check("host: evil.test\r\n", "400");
    check(
        "origin: https://a.test\r\norigin: https://b.test\r\n",
        "400",
    );
    check(
        "content-type: application/json\r\ncontent-type: text/plain\r\n",
        "400",
    );
    check(
        "authorization: Bearer a\r\nauthorization: Bearer b\r\n",
        "400",
    );
    let plain = "GET /players/7 HTTP/1.1\r\nhost: api.example.com\r\n\r\n";
    assert_eq!(status(address, plain), "200");
}
