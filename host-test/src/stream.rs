//! One request and its response going through the filter piece by piece, as Envoy's connection manager drives a filter.
//!
//! A stream is a number: its state lives in the VM, so that many streams can be under way in one VM, and a callback for one
//! may answer another. After every callback [`settle`] does what the guest asked for.
//!
//! The rules, each measured in Envoy: a pause in the header phase stops everything that follows, unless
//! `allow_on_headers_stop_iteration`; a paused body is shown whole each time more of it comes; a body that ends with trailers
//! never sees its end; an answer of the filter goes through the response callbacks, one given while the response is there
//! already does not, and one given after headers have gone out cuts the stream off.

use std::collections::BTreeMap;

use crate::abi::exports::Callback;
use crate::header_map::HeaderMap;
use crate::host::context::{Context, Direction, Held};
pub use crate::host::context::{Part, Peer};
use crate::host::log::Log;
use crate::host::reply::{Reply, is_grpc};
use crate::trap::Trap;
use crate::vm::{Vm, size};

/// A stream under way in a VM.
///
/// After a trap nothing more can be done with it but [`Stream::abandon`].
#[derive(Debug)]
pub struct Stream {
    /// Never given to another stream of the VM, not even after a restart.
    id: u32,
}

/// What is left of a stream that has ended.
#[derive(Clone, Debug, Default)]
pub struct Ended {
    /// Calls that the filter made into the host, by the import's name.
    pub host_calls: BTreeMap<&'static str, u64>,
    /// What the filter logged.
    pub logs: Vec<Log>,
}

impl Stream {
    /// A new stream; fails in a VM that has no policy.
    pub fn open(vm: &mut Vm, peer: Peer) -> Result<Self, Trap> {
        let root = vm
            .root()
            .ok_or_else(|| Trap::new(Callback::ContextCreate.name(), "the VM has no policy"))?;
        let id = vm.next_context();
        let clock = vm.host().clock();
        let context = Context::new(root, peer, clock.now(), clock.monotonic());
        vm.worker().contexts.insert(id, context);
        vm.call(Callback::ContextCreate, id, &[root])?;
        settle(vm)?;
        Ok(Self { id })
    }

    /// The request's headers, names in any case, with pseudo headers; `end` when nothing follows.
    pub fn request_headers(&self, vm: &mut Vm, headers: &HeaderMap, end: bool) -> Result<(), Trap> {
        on_headers(vm, self.id, Direction::Request, lower_case(headers), end)
    }

    /// More of the request's body; empty only with `end`.
    pub fn request_body(&self, vm: &mut Vm, bytes: &[u8], end: bool) -> Result<(), Trap> {
        on_body(vm, self.id, Direction::Request, bytes, end)
    }

    /// The request's trailers, which end it.
    pub fn request_trailers(&self, vm: &mut Vm, trailers: &HeaderMap) -> Result<(), Trap> {
        on_trailers(vm, self.id, Direction::Request, lower_case(trailers))
    }

    /// The upstream's headers with `:status`. Nothing of the upstream is taken once the stream is [answered](Self::replied).
    pub fn response_headers(
        &self,
        vm: &mut Vm,
        headers: &HeaderMap,
        end: bool,
    ) -> Result<(), Trap> {
        if self.replied(vm) {
            return Ok(());
        }
        on_headers(vm, self.id, Direction::Response, lower_case(headers), end)
    }

    /// More of the upstream's body; empty only with `end`.
    pub fn response_body(&self, vm: &mut Vm, bytes: &[u8], end: bool) -> Result<(), Trap> {
        if self.replied(vm) {
            return Ok(());
        }
        on_body(vm, self.id, Direction::Response, bytes, end)
    }

    /// The upstream's trailers, which end the response.
    pub fn response_trailers(&self, vm: &mut Vm, trailers: &HeaderMap) -> Result<(), Trap> {
        if self.replied(vm) {
            return Ok(());
        }
        on_trailers(vm, self.id, Direction::Response, lower_case(trailers))
    }

    /// An answer of the gateway itself (the upstream is down, say), in plain text; it goes the way of the filter's own.
    pub fn reply(&self, vm: &mut Vm, status: u16, text: &str) -> Result<(), Trap> {
        answer(vm, self.id, Reply::plain(status.into(), text))?;
        settle(vm)
    }

    /// Takes what may go to the upstream.
    pub fn to_upstream(&self, vm: &mut Vm) -> Vec<Part> {
        take_parts(vm, self.id, Direction::Request)
    }

    /// Takes what may go to the client.
    pub fn to_client(&self, vm: &mut Vm) -> Vec<Part> {
        take_parts(vm, self.id, Direction::Response)
    }

    /// Is the response the filter's or the host's, and not the upstream's? Nothing more is to be sent to the upstream.
    pub fn replied(&self, vm: &mut Vm) -> bool {
        vm.worker()
            .contexts
            .get(&self.id)
            .is_none_or(|context| context.replied)
    }

    /// Is the stream to be cut off?
    pub fn is_reset(&self, vm: &mut Vm) -> bool {
        vm.worker()
            .contexts
            .get(&self.id)
            .is_none_or(|context| context.reset)
    }

    /// Bytes of the request's body that wait for the filter.
    pub fn held_bytes(&self, vm: &mut Vm) -> usize {
        vm.worker()
            .contexts
            .get(&self.id)
            .map_or(0, |context| context.request.body.len())
    }

    /// Ends the stream, whether whole or because the client went away: log, done, delete, as Envoy calls them.
    pub fn close(self, vm: &mut Vm) -> Result<Ended, Trap> {
        match vm.worker().contexts.get_mut(&self.id) {
            Some(context) => context.logging = true,
            // The VM was restarted meanwhile: the filter does not know this stream.
            None => return Ok(self.abandon(vm)),
        }
        vm.call(Callback::Log, self.id, &[])?;
        if let Some(context) = vm.worker().contexts.get_mut(&self.id) {
            context.logging = false;
            // What a guest asks for now comes too late.
            context.request.discard();
            context.response.discard();
        }
        vm.call(Callback::Done, self.id, &[])?;
        vm.call(Callback::Delete, self.id, &[])?;
        let ended = self.abandon(vm);
        settle(vm)?;
        vm.retire_roots()?;
        Ok(ended)
    }

    /// Forgets the stream without telling the filter: all that is left to do after a trap.
    pub fn abandon(self, vm: &mut Vm) -> Ended {
        let worker = vm.worker();
        let host_calls = worker
            .contexts
            .remove(&self.id)
            .map(|context| context.host_calls)
            .unwrap_or_default();
        Ended {
            host_calls,
            logs: worker.logs.take(|log| log.context == self.id),
        }
    }
}

/// Does what guests have asked for in their last callback, which can lead to further callbacks.
pub(crate) fn settle(vm: &mut Vm) -> Result<(), Trap> {
    while let Some(id) = vm.worker().touched.pop() {
        let Some(context) = vm.worker().contexts.get_mut(&id) else {
            continue;
        };
        let reply = context.reply.take();
        let resume_request = std::mem::take(&mut context.resume_request);
        let resume_response = std::mem::take(&mut context.resume_response);
        if let Some(reply) = reply {
            answer(vm, id, reply)?;
            continue;
        }
        if resume_request {
            resume(vm, id, Direction::Request)?;
        }
        if resume_response {
            resume(vm, id, Direction::Response)?;
        }
    }
    Ok(())
}

fn on_headers(
    vm: &mut Vm,
    id: u32,
    direction: Direction,
    headers: HeaderMap,
    end: bool,
) -> Result<(), Trap> {
    let Some(half) = open_half(vm, id, direction) else {
        return Ok(());
    };
    let count = size(headers.len());
    half.headers = Some(headers);
    half.headers_open = true;
    half.ended = end;
    let callback = match direction {
        Direction::Request => Callback::RequestHeaders,
        Direction::Response => Callback::ResponseHeaders,
    };
    let action = act(vm, id, callback, &[count, end.into()])?;
    let held = match action {
        0 => Held::Nowhere,
        1 if vm.stops_iteration_on_headers() => Held::Headers,
        _ => Held::Everything,
    };
    if let Some(half) = open_half(vm, id, direction) {
        half.held = held;
        if held == Held::Nowhere {
            half.send_headers();
        }
    }
    settle(vm)
}

fn on_body(
    vm: &mut Vm,
    id: u32,
    direction: Direction,
    bytes: &[u8],
    end: bool,
) -> Result<(), Trap> {
    let Some(half) = open_half(vm, id, direction) else {
        return Ok(());
    };
    half.body.extend_from_slice(bytes);
    half.body_bytes = half.body_bytes.saturating_add(bytes.len() as u64);
    half.ended |= end;
    if half.held == Held::Everything {
        return Ok(());
    }
    show_body(vm, id, direction)
}

fn on_trailers(
    vm: &mut Vm,
    id: u32,
    direction: Direction,
    trailers: HeaderMap,
) -> Result<(), Trap> {
    let Some(half) = open_half(vm, id, direction) else {
        return Ok(());
    };
    half.trailers = Some(trailers);
    half.ended = true;
    if half.held == Held::Everything {
        return Ok(());
    }
    show_trailers(vm, id, direction)
}

/// Shows the filter the body that is here, and lets it go on or holds it.
fn show_body(vm: &mut Vm, id: u32, direction: Direction) -> Result<(), Trap> {
    let limit = vm.host().profile().buffer_limit;
    let Some(half) = open_half(vm, id, direction) else {
        return Ok(());
    };
    half.body_open = true;
    let (length, end) = (size(half.body.len()), half.ended && half.trailers.is_none());
    let callback = match direction {
        Direction::Request => Callback::RequestBody,
        Direction::Response => Callback::ResponseBody,
    };
    let action = act(vm, id, callback, &[length, end.into()])?;
    if let Some(half) = open_half(vm, id, direction) {
        match action {
            0 => half.send(),
            // Envoy's StopIterationNoBuffer: the filter keeps what it needs of it.
            3 => {
                half.body.clear();
                half.held = Held::Body;
            }
            _ => half.held = Held::Body,
        }
        if half.held == Held::Body && half.body.len() > limit {
            let reply = match direction {
                Direction::Request => Reply::plain(413, "Payload Too Large"),
                Direction::Response => Reply::plain(500, "Internal Server Error"),
            };
            answer(vm, id, reply)?;
        }
    }
    settle(vm)
}

fn show_trailers(vm: &mut Vm, id: u32, direction: Direction) -> Result<(), Trap> {
    let Some(half) = open_half(vm, id, direction) else {
        return Ok(());
    };
    half.trailers_open = true;
    let count = size(half.trailers.as_ref().map_or(0, HeaderMap::len));
    let callback = match direction {
        Direction::Request => Callback::RequestTrailers,
        Direction::Response => Callback::ResponseTrailers,
    };
    let action = act(vm, id, callback, &[count])?;
    if let Some(half) = open_half(vm, id, direction) {
        match action {
            0 => half.send(),
            _ => half.held = Held::Trailers,
        }
    }
    settle(vm)
}

/// Lets a direction go on that stands still. After a stop of everything, what has come since is shown to the filter first.
fn resume(vm: &mut Vm, id: u32, direction: Direction) -> Result<(), Trap> {
    let Some(half) = open_half(vm, id, direction) else {
        return Ok(());
    };
    match half.held {
        Held::Nowhere => return Ok(()),
        Held::Headers | Held::Body | Held::Trailers => {
            half.send();
            return Ok(());
        }
        Held::Everything => {
            half.held = Held::Nowhere;
            half.send_headers();
        }
    }
    let trailers = half.trailers.is_some();
    if !half.body.is_empty() || (half.ended && !trailers && !half.is_complete()) {
        show_body(vm, id, direction)?;
    }
    if trailers && open_half(vm, id, direction).is_some_and(|half| half.held != Held::Everything) {
        show_trailers(vm, id, direction)?;
    }
    Ok(())
}

/// Answers the client in place of the upstream.
fn answer(vm: &mut Vm, id: u32, reply: Reply) -> Result<(), Trap> {
    let Some(context) = vm.worker().contexts.get_mut(&id) else {
        return Ok(());
    };
    if context.response.headers_sent {
        context.reset = true;
        context.request.discard();
        context.response.discard();
        return Ok(());
    }
    let head = context.request_header(":method") == Some(b"HEAD");
    let mut response = reply.complete(is_grpc(context.request_header("content-type")));
    if head {
        response.body.clear();
    }
    context.replied = true;
    context.request.discard();
    if context.response.headers.is_some() {
        // The response that is here already has been shown to the filter; this one goes out past it.
        context.response.body = response.body;
        context.response.headers = Some(response.headers);
        context.response.trailers = None;
        context.response.ended = true;
        context.response.send();
        context.response.bypassed = true;
        return Ok(());
    }
    on_headers(
        vm,
        id,
        Direction::Response,
        response.headers,
        response.body.is_empty(),
    )?;
    if response.body.is_empty() {
        return Ok(());
    }
    on_body(vm, id, Direction::Response, &response.body, true)
}

/// Runs a callback of a stream and gives the action it returned. An answer, a reset or a resumption that it asked for is
/// still to be [settled](settle).
fn act(vm: &mut Vm, id: u32, callback: Callback, arguments: &[u32]) -> Result<u32, Trap> {
    /// After an answer or a reset the returned action means nothing: nothing goes on.
    const STOP_EVERYTHING: u32 = u32::MAX;
    let action = vm.call(callback, id, arguments)?.unwrap_or(0);
    let stopped = vm
        .worker()
        .contexts
        .get(&id)
        .is_none_or(|context| context.reply.is_some() || context.reset);
    Ok(if stopped { STOP_EVERYTHING } else { action })
}

/// One direction of a stream, as long as the filter has a say in it.
fn open_half(
    vm: &mut Vm,
    id: u32,
    direction: Direction,
) -> Option<&mut crate::host::context::Half> {
    let context = vm
        .worker()
        .contexts
        .get_mut(&id)
        .filter(|context| !context.reset)?;
    Some(context.half(direction)).filter(|half| !half.bypassed)
}

fn take_parts(vm: &mut Vm, id: u32, direction: Direction) -> Vec<Part> {
    match vm.worker().contexts.get_mut(&id) {
        Some(context) => context.half(direction).out.drain(..).collect(),
        None => Vec::new(),
    }
}

/// Envoy shows filters lower-case names, whatever the client wrote.
fn lower_case(headers: &HeaderMap) -> HeaderMap {
    headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .collect()
}
