//! Going on, cutting off, answering: what a guest asks to be done with a stream once its callback has returned.

use super::headers::{escaped, read_pairs};
use crate::abi::memory::Guest;
use crate::abi::status::{Fault, Status};
use crate::host::context::Direction;
use crate::host::reply::Reply;

/// The ABI's `proxy_stream_type_t`.
pub(super) fn resume(guest: &mut Guest<'_>, kind: u32) -> Result<(), Fault> {
    match kind {
        0 => resume_request(guest),
        1 => resume_response(guest),
        _ => Err(Status::BadArgument.into()),
    }
}

pub(super) fn resume_request(guest: &mut Guest<'_>) -> Result<(), Fault> {
    resume_direction(guest, Direction::Request)
}

pub(super) fn resume_response(guest: &mut Guest<'_>) -> Result<(), Fault> {
    resume_direction(guest, Direction::Response)
}

/// What is resumed is out of the guest's hands at once, though it goes on only after the callback.
fn resume_direction(guest: &mut Guest<'_>, direction: Direction) -> Result<(), Fault> {
    let context = guest.worker().touch().ok_or(Status::BadArgument)?;
    match direction {
        Direction::Request => context.resume_request = true,
        Direction::Response => context.resume_response = true,
    }
    let half = context.half(direction);
    (half.headers_open, half.body_open, half.trailers_open) = (false, false, false);
    Ok(())
}

/// There is one route: nothing to look up again.
pub(super) fn clear_route_cache(_guest: &mut Guest<'_>) -> Result<(), Fault> {
    Ok(())
}

pub(super) fn close(guest: &mut Guest<'_>, kind: u32) -> Result<(), Fault> {
    if kind > 1 {
        return Err(Status::BadArgument.into());
    }
    guest.worker().touch().ok_or(Status::BadArgument)?.reset = true;
    Ok(())
}

/// The first answer counts; another one is accepted and forgotten, as in Envoy.
#[expect(clippy::too_many_arguments, reason = "the ABI's own signature")]
pub(super) fn send_local_response(
    guest: &mut Guest<'_>,
    status: u32,
    details: u32,
    details_size: u32,
    body: u32,
    body_size: u32,
    headers: u32,
    headers_size: u32,
    grpc_status: u32,
) -> Result<(), Fault> {
    guest.read(details, details_size)?;
    let mut body = guest.read(body, body_size)?.to_vec();
    let habits = guest.worker().host.profile().clone();
    let headers = read_pairs(guest, headers, headers_size)?
        .into_iter()
        .map(|(name, value)| (name, escaped(&habits.headers, value)))
        .collect();
    if habits.replies.breaks_line && !body.is_empty() {
        body.push(b'\n');
    }
    // SDKs send -1 for "none".
    let grpc_status = (grpc_status != u32::MAX).then_some(grpc_status);
    let context = guest.worker().touch().ok_or(Status::BadArgument)?;
    if context.reply.is_none() {
        context.reply = Some(Reply {
            status,
            headers,
            body,
            grpc_status,
        });
    }
    Ok(())
}
