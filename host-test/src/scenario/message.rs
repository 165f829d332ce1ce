//! The `request` and `respond` of a step.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use portcullis_config::code;
use serde_json::Value;

use super::target::{HttpVersion, Request, Respond, Scheme};
use super::walk::{Node, Object, Walk};
use crate::header_map::HeaderMap;

/// Who asks where a scenario does not say: an address from the block for documentation (RFC 5737).
pub const DEFAULT_CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1));
/// The host that is asked for where a scenario does not say.
pub const DEFAULT_HOST: &str = "api.example.com";

/// The keys of `request`.
pub const REQUEST_KEYS: &[&str] = &[
    "method",
    "path",
    "host",
    "scheme",
    "client",
    "headers",
    "raw_headers",
    "body",
    "body_hex",
    "json",
    "chunks",
    "trailers",
    "http_version",
];
/// The keys of `respond`.
pub const RESPOND_KEYS: &[&str] = &["status", "headers", "body", "delay"];

/// The longest `delay` and `advance`: a year.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

pub(super) fn request(walk: &mut Walk, node: &Node<'_>) -> Option<Request> {
    let object = walk.object(node, REQUEST_KEYS)?;
    let text = |walk: &mut Walk, key: &str, default: &str| match object.get(key) {
        Some(node) => walk.text(&node).map(str::to_owned),
        None => Some(default.to_owned()),
    };
    let method = text(walk, "method", "GET");
    let path = text(walk, "path", "/");
    let host = text(walk, "host", DEFAULT_HOST);
    let scheme = match object.get("scheme") {
        Some(node) => walk.word(&node, &[("http", Scheme::Http), ("https", Scheme::Https)]),
        None => Some(Scheme::Http),
    };
    let http_version = match object.get("http_version") {
        Some(node) => version(walk, &node),
        None => Some(HttpVersion::Http11),
    };
    let client = match object.get("client") {
        Some(node) => address(walk, &node),
        None => Some(DEFAULT_CLIENT),
    };
    let mut headers = HeaderMap::new();
    for key in ["headers", "raw_headers"] {
        if let Some(node) = object.get(key) {
            lines(walk, &node, &mut headers);
        }
    }
    let mut trailers = HeaderMap::new();
    if let Some(node) = object.get("trailers") {
        lines(walk, &node, &mut trailers);
    }
    let body = body(walk, node, &object);
    Some(Request {
        method: method?,
        path: path?,
        host: host?,
        scheme: scheme?,
        client: client?,
        http_version: http_version?,
        headers,
        body: cut(walk, object.get("chunks").as_ref(), body?),
        trailers,
    })
}

pub(super) fn respond(walk: &mut Walk, node: Option<&Node<'_>>) -> Respond {
    let mut respond = Respond {
        status: 200,
        headers: HeaderMap::new(),
        body: Vec::new(),
        delay: Duration::ZERO,
    };
    let Some(node) = node else { return respond };
    let Some(object) = walk.object(node, RESPOND_KEYS) else {
        return respond;
    };
    if let Some(node) = object.get("status") {
        respond.status = status(walk, &node).unwrap_or(200);
    }
    if let Some(node) = object.get("headers") {
        lines(walk, &node, &mut respond.headers);
    }
    if let Some(node) = object.get("body") {
        respond.body = walk.bytes(&node).unwrap_or_default().into_owned();
    }
    if let Some(node) = object.get("delay") {
        respond.delay = duration(walk, &node).unwrap_or_default();
    }
    respond
}

/// A status code that ends an exchange.
pub(super) fn status(walk: &mut Walk, node: &Node<'_>) -> Option<u16> {
    walk.integer(node, 200, 599)
        .and_then(|status| u16::try_from(status).ok())
}

/// `10s`: an integer and one of `ms s m h d`.
pub(super) fn duration(walk: &mut Walk, node: &Node<'_>) -> Option<Duration> {
    let text = walk.text(node)?;
    let duration = duration_of(text);
    if duration.is_none() {
        let help = "an integer and one of `ms`, `s`, `m`, `h`, `d`, such as `10s`; a year at most";
        walk.error(
            code::DURATION_SYNTAX,
            node,
            format!("`{text}` is not a duration"),
            Some(help),
        );
    }
    duration
}

/// A duration in milliseconds that may be below zero.
pub(super) fn signed_duration(walk: &mut Walk, node: &Node<'_>) -> Option<i64> {
    let text = walk.text(node)?;
    let (sign, size) = match text.strip_prefix('-') {
        Some(size) => (-1, size),
        None => (1, text),
    };
    let by = duration_of(size).and_then(|by| i64::try_from(by.as_millis()).ok());
    if by.is_none() {
        let help = "as `1h`, or as `-1h` for back; a year at most";
        walk.error(
            code::DURATION_SYNTAX,
            node,
            format!("`{text}` is no step of a clock"),
            Some(help),
        );
    }
    Some(sign * by?)
}

fn duration_of(text: &str) -> Option<Duration> {
    let unit_at = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (count, unit) = text.split_at_checked(unit_at).unwrap_or_default();
    let milliseconds = match unit {
        "ms" => Some(1),
        "s" => Some(1000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        "d" => Some(86_400_000),
        _ => None,
    };
    count
        .parse::<u64>()
        .ok()
        .zip(milliseconds)
        .and_then(|(count, unit)| count.checked_mul(unit))
        .map(Duration::from_millis)
        .filter(|duration| *duration <= LONGEST)
}

/// Header lines: an object (`name: value`, or `name: [value, value]` for several lines), or a list of `[name, value]`
/// where the order matters.
pub(super) fn lines(walk: &mut Walk, node: &Node<'_>, to: &mut HeaderMap) {
    match node.value {
        Value::Array(_) => {
            for pair in walk.list(node) {
                match walk.list(&pair).as_slice() {
                    [name, value] => {
                        let name = walk
                            .text(name)
                            .filter(|written| is_line_name(walk, name, written));
                        if let (Some(name), Some(value)) = (name, walk.bytes(value)) {
                            to.push(name, value);
                        }
                    }
                    _ => walk.wrong_type(&pair, "a list of a name and a value"),
                }
            }
        }
        _ => {
            let Some(object) = walk.map(node) else { return };
            for (name, node) in object.members() {
                if !is_line_name(walk, &node, name) {
                    continue;
                }
                let values = match node.value {
                    Value::Array(_) => walk.list(&node),
                    _ => vec![node],
                };
                for value in values {
                    if let Some(value) = walk.bytes(&value) {
                        to.push(name, value);
                    }
                }
            }
        }
    }
}

/// Header names that stand for something else than a line have their own keys.
fn is_line_name(walk: &mut Walk, node: &Node<'_>, name: &str) -> bool {
    let instead = match name.to_ascii_lowercase().as_str() {
        "host" | ":authority" => "host",
        ":method" => "method",
        ":path" => "path",
        ":scheme" => "scheme",
        ":status" => "status",
        _ => return true,
    };
    let help = format!("write it as `{instead}`, beside `headers`");
    walk.error(
        code::HEADER_NAME,
        node,
        format!("`{name}` is not a header line"),
        Some(&help),
    );
    false
}

fn version(walk: &mut Walk, node: &Node<'_>) -> Option<HttpVersion> {
    // `1.1` and `2` read as numbers, and there is no doubt about what they mean.
    let version = match node.value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => String::new(),
    };
    match version.as_str() {
        "1.1" => Some(HttpVersion::Http11),
        "2" | "2.0" => Some(HttpVersion::Http2),
        _ => {
            walk.wrong_type(node, "`1.1` or `2`");
            None
        }
    }
}

fn address(walk: &mut Walk, node: &Node<'_>) -> Option<IpAddr> {
    let text = walk.text(node)?;
    let address = text.parse().ok();
    if address.is_none() {
        let help = "an address without a port, such as `203.0.113.7`";
        walk.error(
            code::NETWORK_SYNTAX,
            node,
            format!("`{text}` is not an IP address"),
            Some(help),
        );
    }
    address
}

fn body(walk: &mut Walk, node: &Node<'_>, object: &Object<'_>) -> Option<Vec<u8>> {
    let written: Vec<&str> = ["body", "body_hex", "json"]
        .into_iter()
        .filter(|key| object.has(key))
        .collect();
    match written.as_slice() {
        [] => Some(Vec::new()),
        ["body"] => walk
            .bytes(&object.get("body")?)
            .map(std::borrow::Cow::into_owned),
        ["body_hex"] => walk.hex(&object.get("body_hex")?),
        ["json"] => Some(object.get("json")?.value.to_string().into_bytes()),
        several => {
            let message = format!("`{}` all give the body", several.join("`, `"));
            walk.error(code::DUPLICATE_KEY, node, message, Some("keep one of them"));
            None
        }
    }
}

/// Cuts a body as `chunks: [1, 3, rest]` says. Without `rest` at its end the list must come out even.
fn cut(walk: &mut Walk, chunks: Option<&Node<'_>>, body: Vec<u8>) -> Vec<Vec<u8>> {
    let Some(node) = chunks else {
        return if body.is_empty() {
            Vec::new()
        } else {
            vec![body]
        };
    };
    let mut left = body.as_slice();
    let mut pieces = Vec::new();
    for item in walk.list(node) {
        let length = match item.value.as_str() {
            Some("rest") => left.len(),
            _ => walk
                .integer(&item, 0, i64::from(u32::MAX))
                .and_then(|length| usize::try_from(length).ok())
                .unwrap_or(0),
        };
        match left.split_at_checked(length) {
            Some((piece, rest)) => {
                pieces.push(piece.to_vec());
                left = rest;
            }
            None => {
                let message = format!("only {} bytes of the body are left here", left.len());
                walk.error(code::NUMBER_RANGE, &item, message, None);
            }
        }
    }
    if !left.is_empty() {
        let message = format!("{} bytes of the body are in no chunk", left.len());
        walk.error(
            code::NUMBER_RANGE,
            node,
            message,
            Some("end the list with `rest`"),
        );
    }
    pieces
}
