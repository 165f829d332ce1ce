//! Requests and responses as whole values: what a test writes down and what it gets back.
//!
//! A request keeps how its body was cut into chunks, since that must not change a decision and is therefore worth varying.

use std::net::SocketAddr;

use crate::header_map::HeaderMap;

/// The HTTP version of the client's connection; it decides how the end of a body is told to the filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// The end of the body comes as one more, empty piece of data.
    #[default]
    Http1,
    /// The last piece of data carries the end of the stream.
    Http2,
}

impl Protocol {
    /// As Envoy's property `request.protocol` has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http1 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
        }
    }
}

/// A request, either the client's or what the upstream saw of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// With the pseudo headers `:method`, `:path`, `:authority`, `:scheme`; nothing is added to them.
    pub headers: HeaderMap,
    /// The body as it is cut; empty for a request without one.
    pub chunks: Vec<Vec<u8>>,
    /// Trailers end the request in place of the last chunk.
    pub trailers: Option<HeaderMap>,
    /// The address at the other end of the client's connection.
    pub peer: Option<SocketAddr>,
    /// The client's protocol.
    pub protocol: Protocol,
    /// Did the client's connection use TLS?
    pub tls: bool,
}

impl Request {
    /// A request without a body over plain HTTP/1.1 from a loopback client.
    pub fn new(method: &str, authority: &str, path: &str) -> Self {
        Self {
            headers: HeaderMap::from([
                (":method", method),
                (":path", path),
                (":authority", authority),
                (":scheme", "http"),
            ]),
            peer: Some(SocketAddr::from(([127, 0, 0, 1], 49152))),
            ..Self::default()
        }
    }

    /// The same request with one more header line.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// The same request with this body in one chunk; `content-length` is the caller's to set.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.chunks = vec![body.into()];
        self
    }

    /// The whole body.
    pub fn body(&self) -> Vec<u8> {
        self.chunks.concat()
    }

    /// `:method`, empty when there is none.
    pub fn method(&self) -> &[u8] {
        self.headers.get(":method").unwrap_or_default()
    }

    /// `:path` with its query, empty when there is none.
    pub fn path(&self) -> &[u8] {
        self.headers.get(":path").unwrap_or_default()
    }
}

/// A response, either the upstream's or what the client got.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// With the pseudo header `:status`.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
    /// Trailers after the body.
    pub trailers: Option<HeaderMap>,
}

impl Response {
    /// A response of that status and body, without any other header.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            headers: HeaderMap::from([(":status", status.to_string())]),
            body: body.into(),
            trailers: None,
        }
    }

    /// The same response with one more header line.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// `:status` as a number; `None` when it is absent or not one.
    pub fn status(&self) -> Option<u16> {
        std::str::from_utf8(self.headers.get(":status")?)
            .ok()?
            .parse()
            .ok()
    }
}
