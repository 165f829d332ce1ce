//! Bodies and configurations as buffers.

use crate::abi::memory::Guest;
use crate::abi::status::{Fault, Status};
use std::sync::Arc;

use crate::host::context::{Direction, Half};
use crate::host::log::Level;
use crate::host::worker::Worker;

/// The ABI's `proxy_buffer_type_t`.
const REQUEST_BODY: u32 = 0;
const RESPONSE_BODY: u32 = 1;
const CALL_RESPONSE_BODY: u32 = 4;
const VM_CONFIGURATION: u32 = 6;
const PLUGIN_CONFIGURATION: u32 = 7;

pub(super) fn get(
    guest: &mut Guest<'_>,
    kind: u32,
    start: u32,
    length: u32,
    out: u32,
    out_size: u32,
) -> Result<(), Fault> {
    // nginx's own buffers are shown from their beginning, whatever was asked for.
    let start = match guest.worker().host.profile().requests.offsets {
        true => start,
        false => 0,
    };
    let end = start.checked_add(length).ok_or(Status::BadArgument)?;
    let whole = whole(guest.worker(), kind)?;
    let index = |position: u32| {
        usize::try_from(position)
            .unwrap_or(usize::MAX)
            .min(whole.len())
    };
    let bytes = whole
        .get(index(start)..index(end))
        .unwrap_or_default()
        .to_vec();
    guest.give(&bytes, out, out_size)
}

pub(super) fn status(
    guest: &mut Guest<'_>,
    kind: u32,
    out_size: u32,
    out_flags: u32,
) -> Result<(), Fault> {
    let size =
        u32::try_from(whole(guest.worker(), kind)?.len()).map_err(|_| Status::InternalFailure)?;
    guest.write_u32(out_size, size)?;
    Ok(guest.write_u32(out_flags, 0)?)
}

/// Envoy knows three ways to write: in front (`start` and `length` 0), instead of everything (`start` 0, `length` at least
/// the size), at the end (`start` at least the size). Anything else is refused.
pub(super) fn set(
    guest: &mut Guest<'_>,
    kind: u32,
    start: u32,
    length: u32,
    bytes: u32,
    size: u32,
) -> Result<(), Fault> {
    let direction = match kind {
        REQUEST_BODY => Direction::Request,
        RESPONSE_BODY => Direction::Response,
        _ => return Err(Status::BadArgument.into()),
    };
    let (bytes, worker) = guest.read_and_worker(bytes, size)?;
    let context = worker.context_mut().ok_or(Status::BadArgument)?;
    let half = Some(context.half(direction))
        .filter(|half| half.body_open)
        .ok_or(Status::BadArgument)?;
    Ok(write(half, start, length, bytes)?)
}

fn write(half: &mut Half, start: u32, length: u32, bytes: &[u8]) -> Result<(), Status> {
    let reaches_end =
        |position: u32| usize::try_from(position).is_ok_and(|position| position >= half.body.len());
    if start == 0 && length == 0 {
        half.body.splice(..0, bytes.iter().copied());
    } else if start == 0 && reaches_end(length) {
        half.body = bytes.to_vec();
    } else if start != 0 && reaches_end(start) {
        half.body.extend_from_slice(bytes);
    } else {
        return Err(Status::BadArgument);
    }
    Ok(())
}

/// The buffer that can be read now; a body out of its phase is empty and no error in Envoy.
fn whole(worker: &mut Worker, kind: u32) -> Result<&[u8], Fault> {
    let host = Arc::clone(&worker.host);
    let profile = host.profile();
    match kind {
        REQUEST_BODY | RESPONSE_BODY => {
            if kind == REQUEST_BODY && worker.responds() && profile.requests.late_read_traps {
                return Err(Fault::trap(
                    "the request's body is gone when there is a response",
                ));
            }
            let body = &worker.context().ok_or(Status::NotFound)?.request;
            if kind == REQUEST_BODY && body.body_open && body.body.len() > profile.requests.readable
            {
                worker.log(
                    Level::Error,
                    b"host: cannot read request body buffered to file",
                );
                return Err(Status::NotFound.into());
            }
            let context = worker.context_mut().ok_or(Status::NotFound)?;
            let direction = if kind == REQUEST_BODY {
                Direction::Request
            } else {
                Direction::Response
            };
            let half = context.half(direction);
            let shows =
                !half.body.is_empty() || profile.responses.shows_empty(kind == RESPONSE_BODY);
            let open = half.body_open && shows;
            match profile.closed_buffer().filter(|_| !open) {
                Some(status) => Err(status.into()),
                None => Ok(if open { &half.body } else { &[] }),
            }
        }
        CALL_RESPONSE_BODY => Ok(worker
            .answer
            .as_ref()
            .map(|answer| answer.body.as_slice())
            .unwrap_or_default()),
        VM_CONFIGURATION => Ok(&worker.config.configuration),
        PLUGIN_CONFIGURATION => Ok(&worker.root().ok_or(Status::NotFound)?.configuration),
        _ => Err(Status::NotFound.into()),
    }
}
