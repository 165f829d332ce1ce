//! A request in a gateway that gathers it: read whole before the filter sees any of its body, and sent on whole after that.

use super::phases::{act, answer, open_half, settle};
use super::target;
use crate::abi::exports::Callback;
use crate::host::context::{Direction, Half, Held};
use crate::profile::{BodyCalls, Pause};
use crate::trap::Trap;
use crate::vm::{Vm, size};

/// What has been taken of the body, in the header phase's wake; with its end the filter sees it.
pub(super) fn on_body(vm: &mut Vm, id: u32, bytes: &[u8], end: bool) -> Result<(), Trap> {
    let limit = vm.host().profile().buffer_limit;
    let Some(half) = open_half(vm, id, Direction::Request) else {
        return Ok(());
    };
    half.body.extend_from_slice(bytes);
    half.body_bytes = half.body_bytes.saturating_add(bytes.len() as u64);
    half.ended |= end;
    if half.body.len() > limit {
        let page = vm.host().profile().replies.page(413);
        answer(vm, id, page)?;
        return settle(vm);
    }
    show_whole(vm, id)
}

/// After the header phase: does what its action says.
pub(super) fn after_headers(vm: &mut Vm, id: u32, action: u32) -> Result<(), Trap> {
    let pause = vm.host().profile().requests.pause;
    let calls = vm
        .worker()
        .answered
        .iter()
        .any(|answer| answer.context == id);
    let Some(half) = open_half(vm, id, Direction::Request) else {
        return settle(vm);
    };
    match action {
        0 => half.held = Held::Nowhere,
        1 if pause == Pause::Calls && !calls => {
            return Err(Trap::new(
                Callback::RequestHeaders.name(),
                "it paused without a call to another server, which ends this gateway's worker",
            ));
        }
        _ => half.held = Held::Everything,
    }
    settle(vm)?;
    show_whole(vm, id)
}

/// Shows the filter the body, once it is whole, if the filter is to see it, and lets the request go on.
pub(super) fn show_whole(vm: &mut Vm, id: u32) -> Result<(), Trap> {
    let body = vm.host().profile().requests.body;
    let Some(context) = vm.worker().contexts.get_mut(&id) else {
        return Ok(());
    };
    let half = &context.request;
    if context.reset
        || half.bypassed
        || !half.ended
        || half.held == Held::Everything
        || half.headers_sent
    {
        return Ok(());
    }
    let shown = match body {
        BodyCalls::OnDemand(property) => context.asks_for(property),
        BodyCalls::AsItComes | BodyCalls::Once => !half.body.is_empty(),
    };
    if shown && !half.body_shown {
        let length = size(half.body.len());
        context.request.body_open = true;
        context.request.body_shown = true;
        let action = act(vm, id, Callback::RequestBody, &[length, 1])?;
        let waits = matches!(body, BodyCalls::Once) && action != 0
            || vm
                .worker()
                .answered
                .iter()
                .any(|answer| answer.context == id)
                && action == 1;
        if let Some(half) = open_half(vm, id, Direction::Request) {
            half.body_open = false;
            if waits {
                half.held = Held::Everything;
            }
        }
        settle(vm)?;
    }
    let_go(vm, id);
    settle(vm)
}

fn let_go(vm: &mut Vm, id: u32) {
    let profile = vm.host().profile().clone();
    let Some(half) = open_half(vm, id, Direction::Request) else {
        return;
    };
    if half.held == Held::Everything || half.headers_sent {
        return;
    }
    half.for_upstream = Some(target::sent(&profile, half));
    half.send();
    // nginx has them still.
    half.headers_open = true;
}

/// Does the head announce more than the gateway takes?
pub(super) fn announces_too_much(half: &Half, limit: usize) -> bool {
    let length = half
        .headers
        .as_ref()
        .and_then(|headers| headers.get("content-length"));
    let length = length.and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<usize>().ok());
    length.is_some_and(|length| length > limit)
}
