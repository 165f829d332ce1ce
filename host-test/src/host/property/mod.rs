//! Properties: what a gateway tells of a request under its own names and in its own encodings.
//!
//! What can be told is an [`Attribute`]; a gateway is a table of names ([`Properties`]). In Envoy the request's attributes
//! that come from its headers are there as long as the headers are; durations and counts as long as the stream is.

mod names;

use super::context::{Context, Half};
use super::log::Level;
use super::worker::Worker;
use crate::abi::exports::Callback;
use crate::abi::status::{Fault, Status};

/// Something that can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attribute {
    PluginName,
    RootId,
    VmId,
    /// The same for all.
    Fixed(&'static str),
    Direction,
    Peer,
    PeerWithPort,
    PeerPort,
    Listener,
    ListenerPort,
    ConnectionId,
    Mtls,
    TlsVersion,
    /// As the client sent it.
    RawTarget,
    /// `:path` as the filter left it.
    Path,
    PathWithoutQuery,
    /// Decoded and normalised.
    NormalPath,
    Query,
    Method,
    Scheme,
    /// The request's first header of that name.
    Header(&'static str),
    Protocol,
    StreamId,
    Began,
    RequestSize,
    Duration,
    ResponseStatus,
    ResponseSize,
}

/// A value before it is encoded.
enum Value {
    Text(Vec<u8>),
    Number(u64),
    /// Nanoseconds since the Unix epoch.
    Time(u64),
    Truth(bool),
}

/// How a gateway names and encodes what it tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Properties {
    /// By path, steps separated by a zero byte.
    names: &'static [(&'static str, Attribute)],
    /// Paths of headers but for the header's name, which has dashes as underscores if so said.
    headers: &'static [(&'static str, Message, bool)],
    /// Are numbers and times 8 bytes little-endian (nanoseconds), and truths one byte? Elsewhere all are text.
    binary: bool,
    /// Can the request's be told only while its headers are there?
    fleeting: bool,
    /// What can be set.
    settable: Settable,
    /// Are names that it does not have written to the log as an error?
    logs_unknown: bool,
    /// A stream's property where there is no stream.
    outside: Status,
    /// What asking for anything while the filter is configured comes to.
    configuring: Configuring,
}

/// Request or response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Message {
    Request,
    Response,
}

/// What can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Settable {
    /// Any name.
    Anything,
    /// Names that begin so, and these.
    Only(&'static [&'static str], &'static [&'static str]),
}

/// What asking for a property while the filter is configured comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Configuring {
    /// The same as ever.
    Answers,
    /// This status, whatever it is.
    Refuses(Status),
    /// The gateway's end, for this one.
    Kills(&'static str),
}

/// The value at a path, whose steps are separated by zero bytes.
pub(crate) fn get(worker: &mut Worker, path: &[u8]) -> Result<Vec<u8>, Fault> {
    let of = worker.host.profile().properties;
    if worker.callback() == Some(Callback::Configure) {
        match of.configuring {
            Configuring::Answers => {}
            Configuring::Refuses(status) => return Err(status.into()),
            Configuring::Kills(name) if name.as_bytes() == path => {
                return Err(Fault::trap(
                    "asking for this property kills the gateway here",
                ));
            }
            Configuring::Kills(_) => {}
        }
    }
    let named = of.names.iter().find(|(name, _)| name.as_bytes() == path);
    let value = match named {
        Some((_, attribute)) => match vm(worker, *attribute) {
            Some(value) => Some(value),
            None => {
                let context = worker.context().ok_or(of.outside)?;
                stream(worker, context, *attribute, of.fleeting)
            }
        },
        None => {
            let context = worker.context().ok_or(Status::NotFound)?;
            let kept = context.filter_state.get(path).cloned();
            kept.or_else(|| header(context, &of, path)).map(Value::Text)
        }
    };
    if let Some(value) = value {
        return Ok(encoded(value, of.binary));
    }
    if named.is_none()
        && of.logs_unknown
        && !of
            .headers
            .iter()
            .any(|(prefix, ..)| path.starts_with(prefix.as_bytes()))
    {
        let shown = String::from_utf8_lossy(path).replace('\0', ".");
        let message = format!("host: property \"{shown}\" is not supported");
        worker.log(Level::Error, message.as_bytes());
    }
    Err(Status::NotFound.into())
}

/// Keeps a value for the rest of the stream.
pub(crate) fn set(worker: &mut Worker, path: &[u8], value: &[u8]) -> Result<(), Status> {
    /// Names and values of one stream. Envoy has no such bound.
    const MAX_BYTES: usize = 1024 * 1024;
    if let Settable::Only(prefixes, names) = worker.host.profile().properties.settable {
        let begins = prefixes
            .iter()
            .any(|prefix| path.starts_with(prefix.as_bytes()));
        if !begins && !names.iter().any(|name| name.as_bytes() == path) {
            return Err(Status::NotFound);
        }
    }
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
const LISTENER: std::net::SocketAddr =
    std::net::SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

/// What is told without a stream.
fn vm(worker: &Worker, attribute: Attribute) -> Option<Value> {
    match attribute {
        Attribute::PluginName => Some(text(&worker.config.plugin_name)),
        Attribute::RootId => Some(text(&worker.config.root_id)),
        Attribute::VmId => Some(text(&worker.config.vm_id)),
        Attribute::Fixed(value) => Some(text(value)),
        // Traffic comes in from clients: envoy.config.core.v3.TrafficDirection.INBOUND.
        Attribute::Direction => Some(Value::Number(1)),
        _ => None,
    }
}

fn stream(
    worker: &Worker,
    context: &Context,
    attribute: Attribute,
    fleeting: bool,
) -> Option<Value> {
    let request = &context.request;
    let shows = !fleeting || request.headers_open || context.logging;
    let line = |name: &str| {
        let headers = request.headers.as_ref().filter(|_| shows)?;
        Some(headers.get(name)?.to_vec())
    };
    let (before, after) = (
        |path: Vec<u8>| {
            path.split(|byte| *byte == b'?')
                .next()
                .unwrap_or_default()
                .to_vec()
        },
        |path: Vec<u8>| {
            path.into_iter()
                .skip_while(|byte| *byte != b'?')
                .skip(1)
                .collect()
        },
    );
    let raw = || request.target.clone().or_else(|| line(":path"));
    match attribute {
        Attribute::Peer => context.peer.address.map(|it| text(&it.ip().to_string())),
        Attribute::PeerWithPort => context.peer.address.map(|it| text(&it.to_string())),
        Attribute::PeerPort => context
            .peer
            .address
            .map(|it| Value::Number(it.port().into())),
        Attribute::Listener => Some(text(&LISTENER.to_string())),
        Attribute::ListenerPort => Some(Value::Number(LISTENER.port().into())),
        Attribute::ConnectionId => Some(Value::Number(worker.active().into())),
        Attribute::Mtls => Some(Value::Truth(false)),
        Attribute::TlsVersion => context.peer.tls.then(|| text("TLSv1.3")),
        Attribute::RawTarget => raw().map(Value::Text),
        Attribute::Path => line(":path").map(Value::Text),
        Attribute::PathWithoutQuery => line(":path").map(before).map(Value::Text),
        Attribute::NormalPath => {
            let normal = crate::stream::target::normalized(&raw()?);
            Some(Value::Text(before(normal)))
        }
        Attribute::Query => raw().map(after).map(Value::Text),
        Attribute::Method => line(":method").map(Value::Text),
        Attribute::Scheme => line(":scheme").map(Value::Text),
        Attribute::Header(name) => line(name).map(Value::Text),
        Attribute::Protocol => Some(text(context.peer.protocol.as_str())),
        Attribute::StreamId => Some(text(&format!("{:032x}", worker.active()))),
        Attribute::Began => Some(Value::Time(context.started)),
        Attribute::RequestSize => Some(Value::Number(request.body_bytes)),
        Attribute::Duration if context.logging => {
            let now = worker.host.clock().monotonic();
            Some(Value::Number(now.saturating_sub(context.started_monotonic)))
        }
        Attribute::ResponseStatus => {
            let status = context
                .response
                .headers
                .as_ref()
                .and_then(|it| it.get(":status"));
            match status {
                Some(status) => Some(Value::Number(
                    std::str::from_utf8(status).ok()?.parse().ok()?,
                )),
                // nginx has a text for it.
                None if !fleeting => Some(text("000")),
                None => None,
            }
        }
        Attribute::ResponseSize => Some(Value::Number(context.response.body_bytes)),
        _ => None,
    }
}

/// The first header of that name, while it can be seen.
fn header(context: &Context, of: &Properties, path: &[u8]) -> Option<Vec<u8>> {
    let (name, message, underscores) =
        of.headers
            .iter()
            .find_map(|(prefix, message, underscores)| {
                Some((path.strip_prefix(prefix.as_bytes())?, message, *underscores))
            })?;
    let half: &Half = match message {
        Message::Request => &context.request,
        Message::Response => &context.response,
    };
    let name: Vec<u8> = match underscores {
        true => name
            .iter()
            .map(|byte| if *byte == b'_' { b'-' } else { *byte })
            .collect(),
        false => name.to_vec(),
    };
    let headers = half.headers.as_ref();
    let headers = headers.filter(|_| !of.fleeting || half.headers_open || context.logging);
    headers?.get(name).map(<[u8]>::to_vec)
}

fn encoded(value: Value, binary: bool) -> Vec<u8> {
    match (value, binary) {
        (Value::Text(text), _) => text,
        (Value::Number(number) | Value::Time(number), true) => number.to_le_bytes().to_vec(),
        (Value::Truth(truth), true) => vec![truth.into()],
        (Value::Number(number), false) => number.to_string().into_bytes(),
        (Value::Time(nanoseconds), false) => {
            let milliseconds = nanoseconds / 1_000_000;
            format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000).into_bytes()
        }
        (Value::Truth(truth), false) => truth.to_string().into_bytes(),
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.as_bytes().to_vec())
}
