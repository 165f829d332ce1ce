//! `request`: hygiene, before anything else.

use crate::diagnostic::code;
use crate::exempt::{self, Exempt};
use crate::headers::{HeaderName, RESERVED, refuse_reserved};
use crate::host_pattern::HostPattern;
use crate::scalar::{Mode, method, mode, size};
use crate::walk::Node;

/// The `request` section. A limit of `None` is not written: the default stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Default enforce.
    pub mode: Mode,
    /// Hosts that are answered for; `None` is any.
    pub hosts: Option<Vec<HostPattern>>,
    /// Plain http is redirected or refused; `None` is no.
    pub https: Option<Https>,
    /// Methods that are let in. Default GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS.
    pub methods: Vec<String>,
    /// Most header lines. Default 100.
    pub max_headers: Option<u32>,
    /// Most bytes of headers. Default 16 KiB.
    pub max_header_bytes: Option<u64>,
    /// Most bytes of path and query. Default 8 KiB.
    pub max_path_bytes: Option<u64>,
    /// Most query parameters. Default 128.
    pub max_query_params: Option<u32>,
    /// Most bytes of body. Default no limit.
    pub max_body_bytes: Option<u64>,
    /// Request headers dropped on top of the built-in list.
    pub strip: Vec<HeaderName>,
    /// What happens to a path that can be spelled in two ways. Default reject.
    pub ambiguous: Option<Ambiguous>,
}

/// `request.https`: what happens to plain http.
#[derive(Clone, Debug, PartialEq)]
pub struct Https {
    /// The status of the redirect: 301, 302, 307 or 308.
    pub redirect: u16,
    /// The port that the redirect leads to. Default 443, which `Location` leaves out.
    pub port: u16,
    /// Requests that stay on http.
    pub exempt: Exempt,
}

/// `request.ambiguous`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ambiguous {
    /// 400.
    Reject,
    /// Let through.
    Allow,
}

/// The methods let in by default.
pub(crate) const DEFAULT_METHODS: [&str; 7] =
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

pub(crate) fn read(node: &Node<'_>) -> Option<Request> {
    let mut object = node.object()?;
    let request = Request {
        mode: object.read("mode", mode).unwrap_or_default(),
        hosts: object.read("hosts", |n| n.set(HostPattern::read)),
        https: object.read("https", https),
        methods: object
            .read("methods", |n| n.set(method))
            .unwrap_or_else(|| DEFAULT_METHODS.map(str::to_owned).to_vec()),
        max_headers: object.read("max_headers", |n| n.count(1, 10_000)),
        max_header_bytes: object.read("max_header_bytes", size),
        max_path_bytes: object.read("max_path_bytes", size),
        max_query_params: object.read("max_query_params", |n| n.count(0, 100_000)),
        max_body_bytes: object.read("max_body_bytes", size),
        strip: object
            .read("strip", |n| n.distinct(strippable))
            .unwrap_or_default(),
        ambiguous: object.read("ambiguous", |n| {
            n.word(&[("reject", Ambiguous::Reject), ("allow", Ambiguous::Allow)])
        }),
    };
    object.finish();
    Some(request)
}

/// A request header that may go: not one that frames the message or names the host.
fn strippable(node: &Node<'_>) -> Option<HeaderName> {
    let name = HeaderName::read(node)?;
    if name.as_str() == "host" || RESERVED.contains(&name.as_str()) {
        refuse_reserved(node, name.as_str(), "without it the request is another one");
        return None;
    }
    Some(name)
}

fn https(node: &Node<'_>) -> Option<Https> {
    let mut object = node.object()?;
    let https = Https {
        redirect: object.read("redirect", redirect).unwrap_or(308),
        port: object
            .read("port", |n| {
                n.count(1, 65_535).and_then(|n| u16::try_from(n).ok())
            })
            .unwrap_or(443),
        exempt: object.read("exempt", exempt::read).unwrap_or_default(),
    };
    object.finish();
    Some(https)
}

fn redirect(node: &Node<'_>) -> Option<u16> {
    let status = node.count(300, 399)?;
    if let (301 | 302 | 307 | 308, Ok(status)) = (status, u16::try_from(status)) {
        return Some(status);
    }
    node.error(
        code::NUMBER_RANGE,
        format!("`{status}` is not the status of a redirect"),
        Some("301, 302, 307 or 308"),
    );
    None
}
