//! Envoy's attributes, by path and in Envoy's encodings: text as it is, numbers and times (nanoseconds since the Unix
//! epoch) as 8 bytes little-endian, booleans as one byte.
//!
//! The request's attributes that come from its headers are there as long as the headers are; durations and counts as long
//! as the stream is.

use std::net::SocketAddr;

use super::context::{Context, Half};
use super::worker::Worker;
use crate::abi::status::Status;

/// The value at a path, whose steps are separated by zero bytes.
pub(crate) fn get(worker: &Worker, path: &[u8]) -> Result<Vec<u8>, Status> {
    let mut steps = path.split(|byte| *byte == 0);
    let first = steps.next().unwrap_or_default();
    let second = steps.next().unwrap_or_default();
    let third = steps.next();
    let value = match first {
        b"plugin_name" => Some(text(&worker.config.plugin_name)),
        b"plugin_root_id" => Some(text(&worker.config.root_id)),
        b"plugin_vm_id" => Some(text(&worker.config.vm_id)),
        // Traffic comes in from clients: envoy.config.core.v3.TrafficDirection.INBOUND.
        b"listener_direction" => Some(number(1)),
        _ => None,
    };
    if let Some(value) = value {
        return Ok(value);
    }
    let context = worker.context().ok_or(Status::NotFound)?;
    let value = match (first, second, third) {
        (b"source", b"address", None) => context
            .peer
            .address
            .map(|address| text(&address.to_string())),
        (b"source", b"port", None) => context
            .peer
            .address
            .map(|address| number(address.port().into())),
        (b"destination", b"address", None) => Some(text(&LISTENER.to_string())),
        (b"destination", b"port", None) => Some(number(LISTENER.port().into())),
        (b"connection", b"id", None) => Some(number(worker.active().into())),
        (b"connection", b"mtls", None) => Some(vec![0]),
        (b"connection", b"tls_version", None) => context.peer.tls.then(|| text("TLSv1.3")),
        (b"request", b"headers", Some(name)) => shown(context, &context.request)
            .and_then(|half| half.headers.as_ref()?.get(name).map(<[u8]>::to_vec)),
        (b"request", name, None) => request(worker, context, name),
        (b"response", b"headers", Some(name)) => shown(context, &context.response)
            .and_then(|half| half.headers.as_ref()?.get(name).map(<[u8]>::to_vec)),
        (b"response", name, None) => response(context, name),
        _ => context.filter_state.get(path).cloned(),
    };
    value.ok_or(Status::NotFound)
}

/// Keeps a value for the rest of the stream; Envoy takes any name.
pub(crate) fn set(worker: &mut Worker, path: &[u8], value: &[u8]) -> Result<(), Status> {
    /// Names and values of one stream. Envoy has no such bound.
    const MAX_BYTES: usize = 1024 * 1024;
    let context = worker.context_mut().ok_or(Status::NotFound)?;
    let kept: usize = context
        .filter_state
        .iter()
        .map(|(path, value)| path.len() + value.len())
        .sum();
    if kept.saturating_add(path.len()).saturating_add(value.len()) > MAX_BYTES {
        return Err(Status::InternalFailure);
    }
    context.filter_state.insert(path.to_vec(), value.to_vec());
    Ok(())
}

/// The address that a stream without a real connection came in at.
const LISTENER: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

fn request(worker: &Worker, context: &Context, name: &[u8]) -> Option<Vec<u8>> {
    match name {
        b"protocol" => return Some(text(context.peer.protocol.as_str())),
        b"time" => return Some(number(context.started)),
        b"size" => return Some(number(context.request.body_bytes)),
        b"duration" if context.logging => {
            let now = worker.host.clock().monotonic();
            return Some(number(now.saturating_sub(context.started_monotonic)));
        }
        _ => {}
    }
    let header = |name: &str| {
        Some(
            shown(context, &context.request)?
                .headers
                .as_ref()?
                .get(name)?
                .to_vec(),
        )
    };
    let split = |path: &[u8]| {
        path.iter()
            .position(|byte| *byte == b'?')
            .unwrap_or(path.len())
    };
    match name {
        b"path" => header(":path"),
        b"url_path" => header(":path").map(|mut path| {
            path.truncate(split(&path));
            path
        }),
        b"query" => header(":path").map(|path| {
            path.into_iter()
                .skip_while(|byte| *byte != b'?')
                .skip(1)
                .collect()
        }),
        b"host" => header(":authority"),
        b"scheme" => header(":scheme"),
        b"method" => header(":method"),
        b"referer" => header("referer"),
        b"useragent" => header("user-agent"),
        b"id" => header("x-request-id"),
        _ => None,
    }
}

fn response(context: &Context, name: &[u8]) -> Option<Vec<u8>> {
    match name {
        b"code" => {
            let status = context.response.headers.as_ref()?.get(":status")?;
            std::str::from_utf8(status).ok()?.parse().ok().map(number)
        }
        b"size" => Some(number(context.response.body_bytes)),
        _ => None,
    }
}

/// The half, if its headers may be seen now.
fn shown<'a>(context: &Context, half: &'a Half) -> Option<&'a Half> {
    (half.headers_open || context.logging).then_some(half)
}

fn text(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn number(number: u64) -> Vec<u8> {
    number.to_le_bytes().to_vec()
}
