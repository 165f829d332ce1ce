//! Header lines of requests, responses, their trailers, and answers to the guest's own calls.

use std::borrow::Cow;

use crate::abi::memory::Guest;
use crate::abi::pairs;
use crate::abi::status::{Fault, Status};
use crate::header_map::HeaderMap;
use crate::host::context::{Context, Half};
use crate::host::log::Level;
use crate::host::worker::Worker;

/// The ABI's `proxy_map_type_t`.
const REQUEST_HEADERS: u32 = 0;
const REQUEST_TRAILERS: u32 = 1;
const RESPONSE_HEADERS: u32 = 2;
const RESPONSE_TRAILERS: u32 = 3;
const CALL_RESPONSE_HEADERS: u32 = 6;
const CALL_RESPONSE_TRAILERS: u32 = 7;

pub(super) fn get_pairs(
    guest: &mut Guest<'_>,
    kind: u32,
    out: u32,
    out_size: u32,
) -> Result<(), Fault> {
    let bytes =
        pairs::encode(readable(guest.worker(), kind)?).ok_or(Status::SerializationFailure)?;
    guest.give(&bytes, out, out_size)
}

pub(super) fn set_pairs(
    guest: &mut Guest<'_>,
    kind: u32,
    pairs: u32,
    size: u32,
) -> Result<(), Fault> {
    let lines = read_pairs(guest, pairs, size)?;
    *writable(guest.worker(), kind)? = lines
        .iter()
        .map(|(name, value)| (canonical(kind, name).into_owned(), value))
        .collect();
    Ok(())
}

pub(super) fn get_size(guest: &mut Guest<'_>, kind: u32, out: u32) -> Result<(), Fault> {
    let size: usize = readable(guest.worker(), kind)?
        .iter()
        .map(|(name, value)| name.len().saturating_add(value.len()))
        .sum();
    Ok(guest.write_u32(
        out,
        u32::try_from(size).map_err(|_| Status::InternalFailure)?,
    )?)
}

/// The first line of that name: the ABI has no way to ask for the others.
pub(super) fn get(
    guest: &mut Guest<'_>,
    kind: u32,
    name: u32,
    name_size: u32,
    out: u32,
    out_size: u32,
) -> Result<(), Fault> {
    let (name, worker) = guest.read_and_worker(name, name_size)?;
    let value = readable(worker, kind)?
        .get(canonical(kind, name))
        .ok_or(Status::NotFound)?
        .to_vec();
    guest.give(&value, out, out_size)
}

pub(super) fn add(
    guest: &mut Guest<'_>,
    kind: u32,
    name: u32,
    name_size: u32,
    value: u32,
    size: u32,
) -> Result<(), Fault> {
    let (name, value) = read_line(guest, kind, (name, name_size), (value, size))?;
    writable(guest.worker(), kind)?.push(name, value);
    Ok(())
}

pub(super) fn replace(
    guest: &mut Guest<'_>,
    kind: u32,
    name: u32,
    name_size: u32,
    value: u32,
    size: u32,
) -> Result<(), Fault> {
    let (name, value) = read_line(guest, kind, (name, name_size), (value, size))?;
    writable(guest.worker(), kind)?.set(name, value);
    Ok(())
}

pub(super) fn remove(
    guest: &mut Guest<'_>,
    kind: u32,
    name: u32,
    name_size: u32,
) -> Result<(), Fault> {
    let (name, worker) = guest.read_and_worker(name, name_size)?;
    writable(worker, kind)?.remove(canonical(kind, name));
    Ok(())
}

/// The lines at a pointer. Bytes that are no header lines are none, as in Envoy; here the log says so.
pub(super) fn read_pairs(
    guest: &mut Guest<'_>,
    pointer: u32,
    size: u32,
) -> Result<HeaderMap, Fault> {
    let bytes = guest.read(pointer, size)?;
    if bytes.is_empty() {
        return Ok(HeaderMap::new());
    }
    Ok(pairs::decode(bytes).unwrap_or_else(|| {
        guest.worker().log(
            Level::Error,
            b"host: a list of header lines is malformed and was taken as empty",
        );
        HeaderMap::new()
    }))
}

fn read_line(
    guest: &mut Guest<'_>,
    kind: u32,
    (name, name_size): (u32, u32),
    (value, size): (u32, u32),
) -> Result<(Vec<u8>, Vec<u8>), Fault> {
    let name = canonical(kind, guest.read(name, name_size)?).into_owned();
    Ok((name, guest.read(value, size)?.to_vec()))
}

/// Lower case; and `host` is another name of `:authority` in requests, as Envoy has it.
fn canonical(kind: u32, name: &[u8]) -> Cow<'_, [u8]> {
    if kind == REQUEST_HEADERS && name.eq_ignore_ascii_case(b"host") {
        Cow::Borrowed(b":authority")
    } else {
        Cow::Owned(name.to_ascii_lowercase())
    }
}

/// What the guest may read now. Headers that have gone on are out of reach until `proxy_on_log`.
fn readable(worker: &mut Worker, kind: u32) -> Result<&HeaderMap, Status> {
    match kind {
        CALL_RESPONSE_HEADERS => {
            return worker
                .answer
                .as_ref()
                .map(|it| &it.headers)
                .ok_or(Status::BadArgument);
        }
        CALL_RESPONSE_TRAILERS => {
            return worker
                .answer
                .as_ref()
                .map(|it| &it.trailers)
                .ok_or(Status::BadArgument);
        }
        _ => {}
    }
    let logging = worker.context().is_some_and(|context| context.logging);
    let (map, open) = map(worker.context_mut().ok_or(Status::BadArgument)?, kind)?;
    map.as_ref()
        .filter(|_| open || logging)
        .ok_or(Status::BadArgument)
}

fn writable(worker: &mut Worker, kind: u32) -> Result<&mut HeaderMap, Status> {
    let (map, open) = map(worker.context_mut().ok_or(Status::BadArgument)?, kind)?;
    map.as_mut().filter(|_| open).ok_or(Status::BadArgument)
}

fn map(context: &mut Context, kind: u32) -> Result<(&mut Option<HeaderMap>, bool), Status> {
    fn headers(half: &mut Half) -> (&mut Option<HeaderMap>, bool) {
        (&mut half.headers, half.headers_open)
    }
    fn trailers(half: &mut Half) -> (&mut Option<HeaderMap>, bool) {
        (&mut half.trailers, half.trailers_open)
    }
    match kind {
        REQUEST_HEADERS => Ok(headers(&mut context.request)),
        REQUEST_TRAILERS => Ok(trailers(&mut context.request)),
        RESPONSE_HEADERS => Ok(headers(&mut context.response)),
        RESPONSE_TRAILERS => Ok(trailers(&mut context.response)),
        _ => Err(Status::BadArgument),
    }
}
