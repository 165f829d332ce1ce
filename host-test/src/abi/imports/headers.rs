//! Header lines of requests, responses, their trailers, and answers to the guest's own calls.

use std::borrow::Cow;

use crate::abi::memory::Guest;
use crate::abi::pairs;
use crate::abi::status::{Fault, Status};
use crate::header_map::HeaderMap;
use crate::host::context::{Context, Half};
use crate::host::log::Level;
use crate::host::worker::Worker;
use crate::profile::{Headers, Target};

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
    let habits = guest.worker().host.profile().headers;
    let lines: HeaderMap = read_pairs(guest, pairs, size)?
        .into_iter()
        .map(|(name, value)| {
            let name = canonical(&habits, kind, &name).into_owned();
            (name, escaped(&habits, value))
        })
        .collect();
    let map = writable(guest.worker(), kind)?;
    if habits.sets_all {
        *map = lines;
    } else {
        for (name, value) in lines.iter() {
            map.set(name, value);
        }
    }
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
    let habits = guest.worker().host.profile().headers;
    let (name, worker) = guest.read_and_worker(name, name_size)?;
    let value = readable(worker, kind)?
        .get(canonical(&habits, kind, name))
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
    let removes = guest.worker().host.profile().headers.removes_from_request;
    let worker = guest.worker();
    let map = writable(worker, kind)?;
    let others: Vec<Vec<u8>> = map.get_all(&name).skip(1).map(<[u8]>::to_vec).collect();
    map.set(&name, value);
    if kind == REQUEST_HEADERS && !removes {
        still_send(worker, &name, others);
    }
    Ok(())
}

pub(super) fn remove(
    guest: &mut Guest<'_>,
    kind: u32,
    name: u32,
    name_size: u32,
) -> Result<(), Fault> {
    let habits = guest.worker().host.profile().headers;
    let (name, worker) = guest.read_and_worker(name, name_size)?;
    let name = canonical(&habits, kind, name).into_owned();
    let map = writable(worker, kind)?;
    let values: Vec<Vec<u8>> = map.get_all(&name).map(<[u8]>::to_vec).collect();
    map.remove(&name);
    if kind == REQUEST_HEADERS && !habits.removes_from_request {
        still_send(worker, &name, values);
    }
    Ok(())
}

/// Keeps lines that go on to the upstream though the filter sees them no more.
fn still_send(worker: &mut Worker, name: &[u8], values: Vec<Vec<u8>>) {
    if let Some(context) = worker.context_mut() {
        for value in values {
            context.request.still_sent.push(name, value);
        }
    }
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
    let habits = guest.worker().host.profile().headers;
    let name = canonical(&habits, kind, guest.read(name, name_size)?).into_owned();
    let value = guest.read(value, size)?.to_vec();
    Ok((name, escaped(&habits, value)))
}

/// Lower case where the host has that; and `host` is another name of `:authority` in requests where the two are one.
fn canonical<'a>(habits: &Headers, kind: u32, name: &'a [u8]) -> Cow<'a, [u8]> {
    if kind == REQUEST_HEADERS
        && habits.target == Target::AsSent
        && name.eq_ignore_ascii_case(b"host")
    {
        Cow::Borrowed(b":authority")
    } else if habits.lower_case {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// A value as the host keeps it: with its line breaks, or these percent-encoded.
pub(super) fn escaped(habits: &Headers, value: Vec<u8>) -> Vec<u8> {
    if !habits.escapes_line_breaks {
        return value;
    }
    let escape = |byte: &u8| match byte {
        b'\r' => b"%0D".to_vec(),
        b'\n' => b"%0A".to_vec(),
        byte => vec![*byte],
    };
    value.iter().flat_map(escape).collect()
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
    let habits = worker.host.profile().headers;
    let context = worker.context_mut().ok_or(Status::BadArgument)?;
    let logging = context.logging;
    let early = kind == RESPONSE_HEADERS && context.response.headers.is_none();
    if early && habits.response_early {
        return Ok(&context.response.early);
    }
    let stays = kind == REQUEST_HEADERS && habits.request_in_response;
    let (map, open) = map(context, kind)?;
    map.as_ref()
        .filter(|_| open || logging || stays)
        .ok_or(Status::BadArgument)
}

fn writable(worker: &mut Worker, kind: u32) -> Result<&mut HeaderMap, Status> {
    let habits = worker.host.profile().headers;
    let context = worker.context_mut().ok_or(Status::BadArgument)?;
    let early = kind == RESPONSE_HEADERS && context.response.headers.is_none();
    if early && habits.response_early {
        return Ok(&mut context.response.early);
    }
    let (map, open) = map(context, kind)?;
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
