//! One whole request through the filter and back, in one call.
//!
//! For tests and scenarios, where nothing else happens meanwhile. A gateway, with many streams in one VM, uses
//! [`crate::stream::Stream`] itself.

use std::collections::BTreeMap;

use crate::header_map::HeaderMap;
use crate::host::log::Log;
use crate::message::{Protocol, Request, Response};
use crate::profile::Pages;
use crate::stream::{Ended, Part, Peer, Stream};
use crate::trap::Trap;
use crate::vm::{StartError, Vm};

/// What came of a request.
#[derive(Clone, Debug, Default)]
pub struct Exchanged {
    /// What the client got; `None` when nothing came: the filter paused and never went on, or the stream was reset
    /// before a response had begun.
    pub response: Option<Response>,
    /// What the upstream saw, `None` when it was not called. Headers that went on before the body was refused are here.
    pub upstream: Option<Request>,
    /// Did the upstream see the end of the request? The closure of [`run`] is called only then.
    pub upstream_complete: bool,
    /// Was the response made by the filter or by the host (413, 503), and not by the upstream?
    pub local_reply: bool,
    /// Was the stream cut off, or did the response stop before its end?
    pub reset: bool,
    /// Calls that the filter made into the host for this stream, by the import's name.
    pub host_calls: BTreeMap<&'static str, u64>,
    /// What the filter logged for this stream.
    pub logs: Vec<Log>,
    /// Why the filter stopped, if it did; the client then got a 503.
    pub trap: Option<Trap>,
}

/// Sends a request through the filter; `upstream` answers it if it gets that far.
///
/// A VM that has trapped before is restarted first, as Envoy does with `failure_policy: FAIL_RELOAD`.
pub fn run(
    vm: &mut Vm,
    request: &Request,
    upstream: &mut dyn FnMut(&Request) -> Response,
) -> Exchanged {
    if vm.failed() {
        match vm.restart() {
            Ok(true) => {}
            Ok(false) => {
                return unavailable(
                    vm,
                    Trap::new(
                        "proxy_on_configure",
                        "the restarted filter refused its policy",
                    ),
                );
            }
            Err(StartError::Trap(trap)) => return unavailable(vm, trap),
            Err(error @ StartError::Load(_)) => {
                return unavailable(vm, Trap::new("start", error.to_string()));
            }
        }
    }
    let peer = Peer {
        address: request.peer,
        protocol: request.protocol,
        tls: request.tls,
    };
    let stream = match Stream::open(vm, peer) {
        Ok(stream) => stream,
        Err(trap) => return unavailable(vm, trap),
    };
    let mut seen = Seen::default();
    let life = vm.host().profile().life;
    let outcome = drive(vm, &stream, request, upstream, &mut seen);
    let local_reply = stream.replied(vm);
    let cut_off = stream.is_reset(vm);
    let (ended, trap) = match outcome {
        Ok(()) => close(vm, stream),
        Err(trap) => (stream.abandon(vm), Some(trap)),
    };
    let mut exchanged = Exchanged {
        upstream: seen.upstream.any().then(|| seen.upstream.request(request)),
        upstream_complete: seen.upstream.end,
        local_reply,
        reset: cut_off || (seen.client.any() && !seen.client.end),
        response: seen.client.any().then(|| seen.client.response()),
        host_calls: ended.host_calls,
        logs: ended.logs,
        trap,
    };
    if exchanged.trap.is_some() && exchanged.response.is_none() {
        let passes = seen.upstreams.filter(|_| life.trapped_response_passes);
        exchanged.local_reply = passes.is_none();
        exchanged.response = Some(passes.unwrap_or_else(|| after_trap(vm)));
    }
    let head = request.method() == b"HEAD";
    if let Some(response) = exchanged.response.as_mut().filter(|_| !head) {
        exchanged.reset |= !framed(response);
    }
    exchanged
}

/// What a client makes of a body whose length was told: no more than that, and of less it waits for the rest. Is it whole?
fn framed(response: &mut Response) -> bool {
    let length = response.headers.get_text("content-length");
    let Some(length) = length.and_then(|length| length.parse::<usize>().ok()) else {
        return true;
    };
    response.body.truncate(length);
    matches!(response.status(), Some(204 | 304)) || response.body.len() == length
}

/// What a client gets whose request made the filter trap: the gateway's answer, which no filter sees.
pub fn after_trap(vm: &Vm) -> Response {
    let profile = vm.host().profile();
    match profile.replies.pages {
        Pages::Text => Response::new(profile.life.trap_status, ""),
        Pages::Html | Pages::HtmlForEmpty => {
            let page = profile.replies.page(profile.life.trap_status.into());
            page.complete(&profile.replies, false)
        }
    }
}

fn unavailable(vm: &Vm, trap: Trap) -> Exchanged {
    Exchanged {
        response: Some(after_trap(vm)),
        local_reply: true,
        trap: Some(trap),
        ..Exchanged::default()
    }
}

fn close(vm: &mut Vm, stream: Stream) -> (Ended, Option<Trap>) {
    match stream.close(vm) {
        Ok(ended) => (ended, None),
        // The response is out; only the next request feels it.
        Err(trap) => {
            let ended = Ended {
                logs: vm.take_logs(),
                ..Ended::default()
            };
            (ended, Some(trap))
        }
    }
}

/// What has left the filter on both sides.
#[derive(Default)]
struct Seen {
    upstream: Message,
    client: Message,
    /// What the upstream answered.
    upstreams: Option<Response>,
}

impl Seen {
    /// Lets the filter hear of what happened meanwhile, and takes what it lets go on.
    fn take(&mut self, vm: &mut Vm, stream: &Stream) -> Result<(), Trap> {
        vm.deliver()?;
        self.upstream.take(stream.to_upstream(vm));
        self.client.take(stream.to_client(vm));
        Ok(())
    }
}

fn drive(
    vm: &mut Vm,
    stream: &Stream,
    request: &Request,
    upstream: &mut dyn FnMut(&Request) -> Response,
    seen: &mut Seen,
) -> Result<(), Trap> {
    let chunks: Vec<&[u8]> = request
        .chunks
        .iter()
        .map(Vec::as_slice)
        .filter(|chunk| !chunk.is_empty())
        .collect();
    let pieces = pieces(&chunks, request.trailers.is_some(), request.protocol);
    stream.request_headers(
        vm,
        &request.headers,
        pieces.is_empty() && request.trailers.is_none(),
    )?;
    seen.take(vm, stream)?;
    for (bytes, end) in pieces {
        stream.request_body(vm, bytes, end)?;
        seen.take(vm, stream)?;
    }
    if let Some(trailers) = &request.trailers {
        stream.request_trailers(vm, trailers)?;
        seen.take(vm, stream)?;
    }
    if !seen.upstream.end || stream.replied(vm) || stream.is_reset(vm) {
        return Ok(());
    }
    let mut response = upstream(&seen.upstream.request(request));
    if request.method() == b"HEAD" {
        response.body.clear();
    }
    seen.upstreams = Some(response.clone());
    let chunks: Vec<&[u8]> = Some(response.body.as_slice())
        .filter(|body| !body.is_empty())
        .into_iter()
        .collect();
    // The upstream's side is HTTP/1.
    let pieces = self::pieces(&chunks, response.trailers.is_some(), Protocol::Http1);
    stream.response_headers(
        vm,
        &response.headers,
        pieces.is_empty() && response.trailers.is_none(),
    )?;
    seen.take(vm, stream)?;
    for (bytes, end) in pieces {
        stream.response_body(vm, bytes, end)?;
        seen.take(vm, stream)?;
    }
    if let Some(trailers) = &response.trailers {
        stream.response_trailers(vm, trailers)?;
        seen.take(vm, stream)?;
    }
    Ok(())
}

/// A body as it reaches the filter: HTTP/1 tells of its end in a further, empty piece, HTTP/2 with the last one. Trailers
/// end it in both.
fn pieces<'a>(chunks: &[&'a [u8]], trailers: bool, protocol: Protocol) -> Vec<(&'a [u8], bool)> {
    let mut pieces: Vec<(&[u8], bool)> = chunks.iter().map(|chunk| (*chunk, false)).collect();
    if !trailers && let Some((_, end)) = pieces.last_mut() {
        match protocol {
            Protocol::Http1 => pieces.push((&[], true)),
            Protocol::Http2 => *end = true,
        }
    }
    pieces
}

/// A message put together from its parts.
#[derive(Default)]
struct Message {
    headers: Option<HeaderMap>,
    chunks: Vec<Vec<u8>>,
    trailers: Option<HeaderMap>,
    end: bool,
}

impl Message {
    fn take(&mut self, parts: Vec<Part>) {
        for part in parts {
            match part {
                Part::Headers { headers, end } => {
                    self.headers = Some(headers);
                    self.end = end;
                }
                Part::Body { bytes, end } => {
                    self.chunks
                        .extend(Some(bytes).filter(|bytes| !bytes.is_empty()));
                    self.end = end;
                }
                Part::Trailers(trailers) => {
                    self.trailers = Some(trailers);
                    self.end = true;
                }
            }
        }
    }

    fn any(&self) -> bool {
        self.headers.is_some()
    }

    fn request(&self, from: &Request) -> Request {
        Request {
            headers: self.headers.clone().unwrap_or_default(),
            chunks: self.chunks.clone(),
            trailers: self.trailers.clone(),
            peer: from.peer,
            protocol: from.protocol,
            tls: from.tls,
        }
    }

    fn response(&self) -> Response {
        Response {
            headers: self.headers.clone().unwrap_or_default(),
            body: self.chunks.concat(),
            trailers: self.trailers.clone(),
        }
    }
}
