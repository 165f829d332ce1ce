//! One HTTP request over one connection, the whole answer back: the client that scenarios, the Envoy tests and the benches speak.
//!
//! It sends what it is told, duplicates, odd bytes and the cut of the body included, and refuses beforehand what hyper would have
//! to change to send it: a client that tidies up would hide what the gateway does with an untidy request. Every answer is bounded
//! in bytes and time, whoever sends it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::uri::{Authority, PathAndQuery};
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Frame, SizeHint};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use crate::header_map::HeaderMap;
use crate::scenario::target::{HttpVersion, Request};

/// The most that is read of one answer's body, in bytes.
const MAX_BODY: usize = 64 << 20;

/// How long one exchange may take, from connecting to the last byte.
const PATIENCE: Duration = Duration::from_secs(30);

/// The pause between two pieces of a body, long enough for the gateway to read them one by one.
const BETWEEN_PIECES: Duration = Duration::from_millis(2);

/// What came back.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The header lines without pseudo headers. Names are in lower case and lines of one name stand together: hyper keeps no more.
    pub headers: HeaderMap,
    /// The whole body, as it was sent (a content encoding is not undone).
    pub body: Vec<u8>,
    /// The trailer lines.
    pub trailers: HeaderMap,
}

/// A request that can be sent as it stands.
pub struct Outgoing {
    version: HttpVersion,
    request: http::Request<Pieces>,
}

impl Outgoing {
    /// Puts a request together.
    ///
    /// # Errors
    /// With the reason, if the request cannot be sent as it stands: a target, host, method or header line that hyper would
    /// refuse, or would change.
    pub fn new(request: &Request) -> anyhow::Result<Self> {
        let target = PathAndQuery::try_from(request.path.as_bytes())
            .ok()
            .filter(|target| target.as_str() == request.path)
            .with_context(|| {
                format!(
                    "an HTTP client cannot send the request target `{}`",
                    request.path
                )
            })?;
        let mut parts = http::uri::Parts::default();
        parts.path_and_query = Some(target);
        let over_h2 = request.http_version == HttpVersion::Http2;
        if over_h2 {
            parts.scheme = Some(request.scheme.name().parse()?);
            parts.authority = Some(
                Authority::try_from(request.host.as_bytes()).with_context(|| {
                    format!("HTTP/2 cannot send the authority `{}`", request.host)
                })?,
            );
        }
        let mut outgoing =
            http::Request::new(Pieces::new(&request.body, field_lines(&request.trailers)?));
        *outgoing.uri_mut() = http::Uri::from_parts(parts)?;
        *outgoing.method_mut() =
            http::Method::from_bytes(request.method.as_bytes()).with_context(|| {
                format!("an HTTP client cannot send the method `{}`", request.method)
            })?;
        if over_h2 {
            *outgoing.version_mut() = http::Version::HTTP_2;
        } else {
            outgoing.headers_mut().insert(
                http::header::HOST,
                http::HeaderValue::from_bytes(request.host.as_bytes()).with_context(|| {
                    format!(
                        "an HTTP client cannot send the host `{}`",
                        request.host.escape_debug()
                    )
                })?,
            );
        }
        let lines = field_lines(&request.headers)?;
        for (name, value) in &lines {
            outgoing.headers_mut().append(name, value.clone());
        }
        if !over_h2 && !request.trailers.is_empty() && !lines.contains_key(http::header::TRAILER) {
            // RFC 9110 6.6.2 asks for it, and hyper sends no trailer over HTTP/1.1 that is not announced.
            for (name, _) in request.trailers.iter() {
                outgoing
                    .headers_mut()
                    .append(http::header::TRAILER, http::HeaderValue::from_bytes(name)?);
            }
        }
        Ok(Self {
            version: request.http_version,
            request: outgoing,
        })
    }

    /// Sends it over a connection of its own.
    ///
    /// # Errors
    /// If there is no connection, no whole answer within 30 seconds, or one of more than 64 MiB.
    pub async fn send(self, to: SocketAddr) -> anyhow::Result<Answer> {
        tokio::time::timeout(PATIENCE, self.exchange(to))
            .await
            .with_context(|| format!("no answer from {to} within {} s", PATIENCE.as_secs()))?
            .with_context(|| format!("no answer from {to}"))
    }

    async fn exchange(self, to: SocketAddr) -> anyhow::Result<Answer> {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        let io = TokioIo::new(stream);
        match self.version {
            HttpVersion::Http11 => {
                let (mut sender, connection) = http1::Builder::new()
                    .max_headers(1024)
                    .handshake(io)
                    .await?;
                let driver = tokio::spawn(connection);
                let answer = collect(sender.send_request(self.request).await?).await;
                driver.abort();
                answer
            }
            HttpVersion::Http2 => {
                let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
                let driver = tokio::spawn(connection);
                let answer = collect(sender.send_request(self.request).await?).await;
                driver.abort();
                answer
            }
        }
    }
}

/// Reads an answer to its end.
async fn collect(response: http::Response<hyper::body::Incoming>) -> anyhow::Result<Answer> {
    let (head, body) = response.into_parts();
    let body = match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => body,
        Err(error) => bail!("the body of the answer broke off: {error}"),
    };
    let trailers = body.trailers().map(header_map).unwrap_or_default();
    Ok(Answer {
        status: head.status.as_u16(),
        headers: header_map(&head.headers),
        body: body.to_bytes().into(),
        trailers,
    })
}

/// The lines of hyper's map.
pub fn header_map(map: &http::HeaderMap) -> HeaderMap {
    map.iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect()
}

/// The lines as hyper's map.
///
/// # Errors
/// If a name is no token, or a value has a control byte.
pub fn field_lines(lines: &HeaderMap) -> anyhow::Result<http::HeaderMap> {
    let mut map = http::HeaderMap::new();
    for (name, value) in lines.iter() {
        map.append(
            http::HeaderName::from_bytes(name).with_context(|| {
                format!(
                    "an HTTP client cannot send a header named `{}`",
                    name.escape_ascii()
                )
            })?,
            http::HeaderValue::from_bytes(value).with_context(|| {
                format!(
                    "an HTTP client cannot send the header value `{}`",
                    value.escape_ascii()
                )
            })?,
        );
    }
    Ok(map)
}

/// A request body that goes out piece by piece.
struct Pieces {
    frames: VecDeque<Frame<Bytes>>,
    /// One piece without trailers goes with its length, several are chunked.
    length: Option<u64>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Pieces {
    fn new(pieces: &[Vec<u8>], trailers: http::HeaderMap) -> Self {
        let length = match pieces {
            [] if trailers.is_empty() => Some(0),
            [one] if trailers.is_empty() => Some(one.len() as u64),
            _ => None,
        };
        let mut frames: VecDeque<_> = pieces
            .iter()
            .map(|piece| Frame::data(Bytes::copy_from_slice(piece)))
            .collect();
        if !trailers.is_empty() {
            frames.push_back(Frame::trailers(trailers));
        }
        Self {
            frames,
            length,
            pause: None,
        }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(pause) = &mut self.pause {
            std::task::ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        let Some(frame) = self.frames.pop_front() else {
            return Poll::Ready(None);
        };
        if !self.frames.is_empty() {
            self.pause = Some(Box::pin(tokio::time::sleep(BETWEEN_PIECES)));
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        self.length
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::target::{Respond, Scheme};
    use crate::upstream::{Seen, Upstream};

    fn post() -> Request {
        Request {
            method: "POST".into(),
            path: "/a%2Fb//c;d?q=%20a".into(),
            host: "api.example.com".into(),
            scheme: Scheme::Http,
            client: "203.0.113.7".parse().unwrap(),
            http_version: HttpVersion::Http11,
            headers: HeaderMap::from([("x-two", "1"), ("X-Two", "2")]),
            body: Vec::new(),
            trailers: HeaderMap::new(),
        }
    }

    fn exchange(request: &Request) -> (Answer, Seen) {
        let upstream = Upstream::start().unwrap();
        upstream.respond(Respond {
            status: 203,
            headers: HeaderMap::from([("set-cookie", "a=1"), ("set-cookie", "b=2")]),
            body: b"\x00\xff".to_vec(),
            delay: Duration::ZERO,
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let answer = runtime.block_on(Outgoing::new(request).unwrap().send(upstream.address()));
        (answer.unwrap(), upstream.take().unwrap())
    }

    #[test]
    fn lines_and_bytes_arrive_as_they_were_sent() {
        let mut request = post();
        request.headers.push("x-raw", &b"a\xff"[..]);
        request.body = vec![b"whole".to_vec()];
        let (answer, seen) = exchange(&request);
        assert_eq!((answer.status, answer.body), (203, b"\x00\xff".to_vec()));
        assert_eq!(
            answer.headers.get_all(b"set-cookie").collect::<Vec<_>>(),
            [b"a=1", b"b=2"]
        );
        assert_eq!(
            (seen.request.method.as_str(), seen.request.path),
            ("POST", request.path)
        );
        assert_eq!(seen.request.host, "api.example.com");
        assert_eq!(
            seen.request.headers.get_all(b"x-two").collect::<Vec<_>>(),
            [b"1", b"2"]
        );
        assert_eq!(seen.request.headers.get("x-raw"), Some(&b"a\xff"[..]));
        assert_eq!(
            seen.request.headers.get_text("content-length").as_deref(),
            Some("5")
        );
        assert_eq!(seen.request.body, b"whole");
        assert!(seen.complete);
    }

    #[test]
    fn pieces_are_chunks_and_trailers_come_after_them() {
        let mut request = post();
        request.body = vec![b"in ".to_vec(), b"two".to_vec()];
        request.trailers.push("x-last", "yes");
        let (_, seen) = exchange(&request);
        assert_eq!(seen.request.body, b"in two");
        assert_eq!(
            seen.request
                .headers
                .get_text("transfer-encoding")
                .as_deref(),
            Some("chunked")
        );
        assert_eq!(seen.trailers.get_text("x-last").as_deref(), Some("yes"));
    }

    #[test]
    fn what_would_have_to_be_changed_is_not_sent() {
        let over_h2 = |request: Request| Request {
            http_version: HttpVersion::Http2,
            ..request
        };
        let line = |name: &str, value: &str| Request {
            headers: HeaderMap::from([(name, value)]),
            ..post()
        };
        for (request, what) in [
            (
                Request {
                    path: "/a b".into(),
                    ..post()
                },
                "request target `/a b`",
            ),
            (
                Request {
                    path: "/a#b".into(),
                    ..post()
                },
                "request target `/a#b`",
            ),
            (
                Request {
                    method: "G T".into(),
                    ..post()
                },
                "method `G T`",
            ),
            (
                Request {
                    host: "a\r\nb".into(),
                    ..post()
                },
                "host `a\\r\\nb`",
            ),
            (
                over_h2(Request {
                    host: "a b".into(),
                    ..post()
                }),
                "authority `a b`",
            ),
            (line("x y", "1"), "header named `x y`"),
            (line("x", "1\n2"), "header value `1\\n2`"),
        ] {
            let error = Outgoing::new(&request)
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default();
            assert!(error.contains(what), "`{error}` does not name the {what}");
        }
    }
}
