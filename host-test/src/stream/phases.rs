//! What happens inside a stream: the callbacks in their order, and what each outcome does to the message.
//!
//! The rules, each measured in Envoy: a pause in the header phase stops everything that follows, unless
//! `allow_on_headers_stop_iteration`; a paused body is shown whole each time more of it comes; a body that ends with trailers
//! never sees its end; an answer of the filter goes through the response callbacks, one given while the response is there
//! already does not, and one given after headers have gone out cuts the stream off.
//!
//! After every callback [`settle`] does what the guest asked for in it.

use crate::abi::exports::Callback;
use crate::header_map::HeaderMap;
use crate::host::context::{Direction, Half, Held};
use crate::host::reply::{Reply, is_grpc};
use crate::trap::Trap;
use crate::vm::{Vm, size};

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

pub(super) fn on_headers(
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

pub(super) fn on_body(
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

pub(super) fn on_trailers(
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
pub(super) fn answer(vm: &mut Vm, id: u32, reply: Reply) -> Result<(), Trap> {
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
fn open_half(vm: &mut Vm, id: u32, direction: Direction) -> Option<&mut Half> {
    let context = vm
        .worker()
        .contexts
        .get_mut(&id)
        .filter(|context| !context.reset)?;
    Some(context.half(direction)).filter(|half| !half.bypassed)
}
