//! What happens inside a stream: the callbacks in their order, and what each outcome does to the message.
//!
//! The rules, each measured in Envoy: a pause in the header phase stops everything that follows, unless
//! `allow_on_headers_stop_iteration`; a paused body is shown whole each time more of it comes; a body that ends with trailers
//! never sees its end; an answer of the filter goes through the response callbacks, one given while the response is there
//! already does not, and one given after headers have gone out cuts the stream off.
//!
//! After every callback [`settle`] does what the guest asked for in it.

use super::gather;
use crate::abi::exports::Callback;
use crate::header_map::HeaderMap;
use crate::host::context::{Direction, Half, Held};
use crate::host::reply::{Reply, is_grpc};
use crate::profile::{Ends, LateReply, ResponseBody};
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
    let (limit, requests) = (
        vm.host().profile().buffer_limit,
        vm.host().profile().requests,
    );
    let Some(half) = open_half(vm, id, direction) else {
        return Ok(());
    };
    let headers = match half.early.is_empty() {
        true => headers,
        false => std::mem::take(&mut half.early)
            .into_iter()
            .chain(headers)
            .collect(),
    };
    let count = size(headers.len());
    half.headers = Some(headers);
    half.headers_open = true;
    half.ended = end;
    let too_much = gather::announces_too_much(half, limit);
    let gathers = requests.gathers() && direction == Direction::Request;
    if gathers && too_much {
        let page = vm.host().profile().replies.page(413);
        answer(vm, id, page)?;
        return settle(vm);
    }
    let count = if requests.counts_lines { count } else { 0 };
    let end = match requests.ends {
        Ends::Told => end,
        Ends::Never => false,
        Ends::Always => true,
    };
    let callback = match direction {
        Direction::Request => Callback::RequestHeaders,
        Direction::Response => Callback::ResponseHeaders,
    };
    let action = act(vm, id, callback, &[count, end.into()])?;
    if gathers {
        return gather::after_headers(vm, id, action);
    }
    let holds = direction == Direction::Request || vm.host().profile().responses.pause_holds;
    let held = match action {
        0 => Held::Nowhere,
        1 if !holds => Held::Nowhere,
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
    if direction == Direction::Request && vm.host().profile().requests.gathers() {
        return gather::on_body(vm, id, bytes, end);
    }
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
    if !vm.host().profile().responses.trailers {
        return on_body(vm, id, direction, b"", true);
    }
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
    let (limit, habit) = (
        vm.host().profile().buffer_limit,
        vm.host().profile().responses.body,
    );
    let habit = match direction {
        Direction::Request => ResponseBody::Kept,
        Direction::Response => habit,
    };
    if let ResponseBody::OnDemand(property) = habit
        && vm
            .worker()
            .contexts
            .get(&id)
            .is_some_and(|context| !context.asks_for(property))
    {
        if let Some(half) = open_half(vm, id, direction) {
            half.send();
        }
        return settle(vm);
    }
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
            1 if matches!(habit, ResponseBody::OnDemand(_)) => half.send(),
            1 if matches!(habit, ResponseBody::KeptUpTo(most) if half.body.len() > most) => {
                half.send()
            }
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
    let gathers = direction == Direction::Request && vm.host().profile().requests.gathers();
    let Some(half) = open_half(vm, id, direction) else {
        return Ok(());
    };
    match half.held {
        Held::Nowhere => return Ok(()),
        Held::Headers | Held::Body | Held::Trailers => {
            half.send();
            return Ok(());
        }
        Held::Everything if gathers => {
            half.held = Held::Nowhere;
            return gather::show_whole(vm, id);
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
    let replies = vm.host().profile().replies;
    let Some(context) = vm.worker().contexts.get_mut(&id) else {
        return Ok(());
    };
    if context.response.headers_sent {
        match replies.in_response_body {
            LateReply::Ignored | LateReply::AddsHeaders => return Ok(()),
            LateReply::Traps => {
                return Err(Trap::new(
                    Callback::ResponseBody.name(),
                    "it answered a request that had a response already",
                ));
            }
            LateReply::Replaces | LateReply::KeepsHeaders => {}
        }
        context.reset = true;
        context.request.discard();
        context.response.discard();
        return Ok(());
    }
    let head = context.request_header(":method") == Some(b"HEAD");
    let grpc = replies.speaks_grpc && is_grpc(context.request_header("content-type"));
    let mut response = reply.complete(&replies, grpc);
    if head {
        response.body.clear();
    }
    if context.response.headers.is_some() && replies.in_response_headers == LateReply::AddsHeaders {
        let line =
            |(name, _): &(&[u8], &[u8])| !name.starts_with(b":") && *name != b"content-length";
        let added: Vec<_> = response.headers.iter().filter(line).collect();
        if let Some(headers) = &mut context.response.headers {
            for (name, value) in added {
                headers.push(name, value);
            }
        }
        context.response.held = Held::Nowhere;
        context.response.send_headers();
        return Ok(());
    }
    context.replied = true;
    context.request.discard();
    if let Some(upstreams) = &mut context.response.headers {
        if replies.in_response_headers == LateReply::KeepsHeaders {
            upstreams.set(
                ":status",
                response.headers.get(":status").unwrap_or_default(),
            );
            response.headers = upstreams.clone();
        }
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
pub(super) fn act(
    vm: &mut Vm,
    id: u32,
    callback: Callback,
    arguments: &[u32],
) -> Result<u32, Trap> {
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
pub(super) fn open_half(vm: &mut Vm, id: u32, direction: Direction) -> Option<&mut Half> {
    let context = vm
        .worker()
        .contexts
        .get_mut(&id)
        .filter(|context| !context.reset)?;
    Some(context.half(direction)).filter(|half| !half.bypassed)
}
