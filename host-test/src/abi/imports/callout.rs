//! Calls to other servers. HTTP goes to the host's [`Callouts`](crate::host::callout::Callouts); gRPC is refused.

use std::time::Duration;

use super::headers::read_pairs;
use crate::abi::memory::Guest;
use crate::abi::status::{Fault, Status};
use crate::host::callout::HttpCall;

#[expect(clippy::too_many_arguments, reason = "the ABI's own signature")]
pub(super) fn http_call(
    guest: &mut Guest<'_>,
    upstream: u32,
    upstream_size: u32,
    headers: u32,
    headers_size: u32,
    body: u32,
    body_size: u32,
    trailers: u32,
    trailers_size: u32,
    timeout: u32,
    out: u32,
) -> Result<(), Fault> {
    let upstream = String::from_utf8_lossy(guest.read(upstream, upstream_size)?).into_owned();
    let headers = read_pairs(guest, headers, headers_size)?;
    let body = guest.read(body, body_size)?.to_vec();
    let trailers = read_pairs(guest, trailers, trailers_size)?;
    if [":method", ":path", ":authority"]
        .iter()
        .any(|name| !headers.contains(name))
    {
        return Err(Status::BadArgument.into());
    }
    let call = HttpCall {
        upstream,
        headers,
        body,
        trailers,
        timeout: Duration::from_millis(timeout.into()),
    };
    let token = guest.worker().http_call(&call)?;
    Ok(guest.write_u32(out, token)?)
}

/// This host speaks no gRPC: the guest is told that the call could not be made, as by an Envoy that knows no such service.
#[expect(clippy::too_many_arguments, reason = "the ABI's own signature")]
pub(super) fn grpc_call(
    _guest: &mut Guest<'_>,
    _service: u32,
    _service_size: u32,
    _name: u32,
    _name_size: u32,
    _method: u32,
    _method_size: u32,
    _metadata: u32,
    _metadata_size: u32,
    _message: u32,
    _message_size: u32,
    _timeout: u32,
    _out: u32,
) -> Result<(), Fault> {
    Err(Status::InternalFailure.into())
}

#[expect(clippy::too_many_arguments, reason = "the ABI's own signature")]
pub(super) fn grpc_stream(
    _guest: &mut Guest<'_>,
    _service: u32,
    _service_size: u32,
    _name: u32,
    _name_size: u32,
    _method: u32,
    _method_size: u32,
    _metadata: u32,
    _metadata_size: u32,
    _out: u32,
) -> Result<(), Fault> {
    Err(Status::InternalFailure.into())
}

/// No stream was ever opened.
pub(super) fn grpc_send(
    _guest: &mut Guest<'_>,
    _token: u32,
    _message: u32,
    _size: u32,
    _end: u32,
) -> Result<(), Fault> {
    Err(Status::NotFound.into())
}

pub(super) fn grpc_end(_guest: &mut Guest<'_>, _token: u32) -> Result<(), Fault> {
    Err(Status::NotFound.into())
}
