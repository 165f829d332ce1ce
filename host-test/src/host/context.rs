//! One stream as the host holds it: both directions, what the guest may touch of them now, and what it asked for.
//!
//! It lives in the VM's state, since every import needs it by the id of the active context; [`crate::stream`] drives it.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use super::reply::Reply;
use crate::header_map::HeaderMap;
use crate::message::Protocol;

/// A piece of a message that the filter has let go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// All header lines with their pseudo headers; `end` when nothing follows.
    Headers {
        /// The lines.
        headers: HeaderMap,
        /// Nothing follows.
        end: bool,
    },
    /// Some bytes of the body, none only when `end`.
    Body {
        /// The bytes.
        bytes: Vec<u8>,
        /// Nothing follows.
        end: bool,
    },
    /// Trailers; nothing follows.
    Trailers(HeaderMap),
}

/// Request or response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Request,
    Response,
}

/// Where a direction stands still.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Held {
    /// Nowhere.
    #[default]
    Nowhere,
    /// In the header phase, and body callbacks come all the same.
    Headers,
    /// In the header phase, and nothing more reaches the filter.
    Everything,
    /// In the body phase.
    Body,
    /// In the trailer phase.
    Trailers,
}

/// One direction of a stream.
#[derive(Debug, Default)]
pub(crate) struct Half {
    /// As the filter left them; they stay after they have gone on, for `proxy_on_log`.
    pub(crate) headers: Option<HeaderMap>,
    pub(crate) trailers: Option<HeaderMap>,
    /// The bytes that have not gone on.
    pub(crate) body: Vec<u8>,
    /// May the guest read and change these now?
    pub(crate) headers_open: bool,
    pub(crate) body_open: bool,
    pub(crate) trailers_open: bool,
    pub(crate) held: Held,
    /// The message has arrived whole.
    pub(crate) ended: bool,
    pub(crate) headers_sent: bool,
    end_sent: bool,
    /// No further callback: an answer was made that the filter does not see.
    pub(crate) bypassed: bool,
    pub(crate) out: VecDeque<Part>,
    /// Bytes of the body that have arrived.
    pub(crate) body_bytes: u64,
    /// The target as the client sent it, where the filter is shown another.
    pub(crate) target: Option<Vec<u8>>,
    /// Lines of a response that were set before there was one.
    pub(crate) early: HeaderMap,
    /// Lines that were removed and go on all the same.
    pub(crate) still_sent: HeaderMap,
    /// The head that goes on in place of the one that the filter sees.
    pub(crate) for_upstream: Option<HeaderMap>,
    /// The filter has seen the body that was gathered.
    pub(crate) body_shown: bool,
}

impl Half {
    /// Lets the headers go on, if they have not.
    pub(crate) fn send_headers(&mut self) {
        self.headers_open = false;
        let headers = self.for_upstream.take().or_else(|| self.headers.clone());
        let Some(headers) = headers.filter(|_| !self.headers_sent) else {
            return;
        };
        let end = self.ended && self.body.is_empty() && self.trailers.is_none();
        self.out.push_back(Part::Headers { headers, end });
        self.headers_sent = true;
        self.end_sent = end;
    }

    /// Lets everything go on that is here.
    pub(crate) fn send(&mut self) {
        self.held = Held::Nowhere;
        self.body_open = false;
        self.send_headers();
        if self.end_sent {
            return;
        }
        let end = self.ended && self.trailers.is_none();
        if !self.body.is_empty() || end {
            self.out.push_back(Part::Body {
                bytes: std::mem::take(&mut self.body),
                end,
            });
            self.end_sent = end;
        }
        if self.ended
            && let Some(trailers) = &self.trailers
        {
            self.trailers_open = false;
            self.out.push_back(Part::Trailers(trailers.clone()));
            self.end_sent = true;
        }
    }

    /// Has everything gone on?
    pub(crate) fn is_complete(&self) -> bool {
        self.end_sent
    }

    /// Ends this direction without letting anything more go on.
    pub(crate) fn discard(&mut self) {
        self.body = Vec::new();
        // Headers that were held stay readable, in the response's callbacks too, as in Envoy.
        self.body_open = false;
        self.held = Held::Nowhere;
        self.ended = true;
        self.bypassed = true;
    }
}

/// Who is at the other end of the client's connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// Its address.
    pub address: Option<SocketAddr>,
    /// Its HTTP version.
    pub protocol: Protocol,
    /// Is the connection encrypted?
    pub tls: bool,
}

/// A stream's context.
#[derive(Debug)]
pub(crate) struct Context {
    /// The root context that it belongs to.
    pub(crate) root: u32,
    pub(crate) peer: Peer,
    /// Wall clock at its start, nanoseconds since the Unix epoch.
    pub(crate) started: u64,
    /// Monotonic clock at its start, nanoseconds.
    pub(crate) started_monotonic: u64,
    pub(crate) request: Half,
    pub(crate) response: Half,
    /// In `proxy_on_log` all headers can be read and none changed.
    pub(crate) logging: bool,
    /// An answer that the guest has given and that has not been acted on.
    pub(crate) reply: Option<Reply>,
    /// The response is not the upstream's.
    pub(crate) replied: bool,
    pub(crate) resume_request: bool,
    pub(crate) resume_response: bool,
    /// The stream is to be cut off.
    pub(crate) reset: bool,
    /// `proxy_set_property` of names that the host does not know.
    pub(crate) filter_state: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) host_calls: BTreeMap<&'static str, u64>,
}

impl Context {
    pub(crate) fn new(root: u32, peer: Peer, started: u64, started_monotonic: u64) -> Self {
        Self {
            root,
            peer,
            started,
            started_monotonic,
            request: Half::default(),
            response: Half::default(),
            logging: false,
            reply: None,
            replied: false,
            resume_request: false,
            resume_response: false,
            reset: false,
            filter_state: BTreeMap::new(),
            host_calls: BTreeMap::new(),
        }
    }

    pub(crate) fn half(&mut self, direction: Direction) -> &mut Half {
        match direction {
            Direction::Request => &mut self.request,
            Direction::Response => &mut self.response,
        }
    }

    /// Has the filter set that property to something?
    pub(crate) fn asks_for(&self, property: &str) -> bool {
        let value = self.filter_state.get(property.as_bytes());
        value.is_some_and(|value| !value.is_empty())
    }

    /// The request's first header of that name.
    pub(crate) fn request_header(&self, name: &str) -> Option<&[u8]> {
        self.request.headers.as_ref()?.get(name)
    }
}
