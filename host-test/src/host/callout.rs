//! HTTP calls that guests make to other servers.
//!
//! A test answers them itself; a host that knows no other server refuses them as Envoy refuses an unknown cluster.

use std::fmt;
use std::time::Duration;

use super::reply::Reply;
use crate::header_map::HeaderMap;
use crate::profile::Profile;

/// A call that a guest asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpCall {
    /// The cluster's name (Envoy) or `host:port`, as the guest wrote it.
    pub upstream: String,
    /// With pseudo headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
    /// Trailers, mostly none.
    pub trailers: HeaderMap,
    /// How long the guest wants to wait.
    pub timeout: Duration,
}

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpCallResult {
    /// The other server answered.
    Answered {
        /// With `:status`.
        headers: HeaderMap,
        /// The body.
        body: Vec<u8>,
        /// Trailers, mostly none.
        trailers: HeaderMap,
    },
    /// It did not in time: the guest is shown a 504 that the gateway makes.
    TimedOut,
    /// It went away before it answered, or was not there, for which Envoy has other words: the guest is shown a 503 that the
    /// gateway makes.
    Unreachable,
    /// It went away within its answer: the guest is shown one without a single header.
    Broken,
}

impl HttpCallResult {
    /// What the guest is shown, as Envoy shows it: headers, body, trailers.
    pub(crate) fn shown(self) -> (HeaderMap, Vec<u8>, HeaderMap) {
        let (status, text) = match self {
            Self::Answered {
                headers,
                body,
                trailers,
            } => return (headers, body, trailers),
            Self::Broken => return Default::default(),
            Self::TimedOut => (504, "upstream request timeout"),
            Self::Unreachable => (
                503,
                "upstream connect error or disconnect/reset before headers. reset reason: connection termination",
            ),
        };
        let reply = Reply::plain(status, text).complete(&Profile::ENVOY.replies, false);
        (reply.headers, reply.body, HeaderMap::new())
    }
}

/// Answers guests' HTTP calls.
pub trait Callouts: fmt::Debug + Send + Sync {
    /// `None` refuses the call at once; the guest's host call then returns `BadArgument`. Otherwise the result reaches
    /// the guest after the callback that it asked in.
    fn http_call(&self, call: &HttpCall) -> Option<HttpCallResult>;
}

/// Knows no server.
#[derive(Clone, Copy, Debug)]
pub struct NoCallouts;

impl Callouts for NoCallouts {
    fn http_call(&self, _call: &HttpCall) -> Option<HttpCallResult> {
        None
    }
}
