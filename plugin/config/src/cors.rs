//! `cors`: which pages of other origins may read the responses.

use crate::document::Document;
use crate::headers::HeaderName;
use crate::scalar::{Mode, duration, method, mode};
use crate::walk::Node;

/// The `cors` section, or what a route's merge patch made of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Cors {
    /// Default enforce.
    pub mode: Mode,
    /// Origins as written (`https://app.example.com`, `https://*.example.com`, `*`). Required.
    pub origins: Vec<String>,
    /// Methods beyond GET, HEAD and POST; `*` is any.
    pub methods: Vec<String>,
    /// Request headers that a page may send, as written.
    pub request_headers: Vec<String>,
    /// Response headers that a page may read.
    pub expose_headers: Vec<HeaderName>,
    /// Whether requests may carry credentials.
    pub credentials: bool,
    /// How long a browser may keep a preflight's answer; `None` leaves it to the browser.
    pub max_age: Option<MaxAge>,
    /// Status of an answered preflight. Default 204.
    pub preflight_status: u16,
    /// What happens to a request of another origin. Default strip.
    pub on_disallowed: OnDisallowed,
    /// Plain http origins with credentials.
    pub dangerously_allow_insecure_origins: bool,
    /// A refused preflight says why.
    pub debug: bool,
}

/// `cors.max_age`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxAge {
    /// -1: the browser keeps nothing.
    Disabled,
    /// Seconds, 0 to 86400.
    Seconds(u32),
}

/// `cors.on_disallowed`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDisallowed {
    /// Forwarded, answered without CORS headers.
    #[default]
    Strip,
    /// 403.
    Reject,
}

/// The section's keys, to judge a `null` in a merge patch by.
pub(crate) const KEYS: &[&str] = &[
    "mode",
    "origins",
    "methods",
    "request_headers",
    "expose_headers",
    "credentials",
    "max_age",
    "preflight_status",
    "on_disallowed",
    "dangerously_allow_insecure_origins",
    "debug",
];

pub(crate) fn read(node: &Node<'_>) -> Option<Cors> {
    let mut object = node.object()?;
    let text = |node: &Node<'_>| node.string().map(str::to_owned);
    let any_or_method = |node: &Node<'_>| match node.value {
        Document::String(star) if star == "*" => Some(star.clone()),
        _ => method(node),
    };
    let cors = Cors {
        mode: object.read("mode", mode).unwrap_or_default(),
        origins: object
            .required("origins", |n| n.set(text))
            .unwrap_or_default(),
        methods: object
            .read("methods", |n| n.distinct(any_or_method))
            .unwrap_or_default(),
        request_headers: object
            .read("request_headers", |n| n.distinct(text))
            .unwrap_or_default(),
        expose_headers: object
            .read("expose_headers", |n| n.distinct(HeaderName::read))
            .unwrap_or_default(),
        credentials: object.read("credentials", Node::boolean).unwrap_or(false),
        max_age: object.read("max_age", max_age),
        preflight_status: object
            .read("preflight_status", |n| {
                n.count(200, 299).and_then(|n| u16::try_from(n).ok())
            })
            .unwrap_or(204),
        on_disallowed: object
            .read("on_disallowed", |n| {
                n.word(&[
                    ("strip", OnDisallowed::Strip),
                    ("reject", OnDisallowed::Reject),
                ])
            })
            .unwrap_or_default(),
        dangerously_allow_insecure_origins: object
            .read("dangerously_allow_insecure_origins", Node::boolean)
            .unwrap_or(false),
        debug: object.read("debug", Node::boolean).unwrap_or(false),
    };
    object.finish();
    Some(cors)
}

fn max_age(node: &Node<'_>) -> Option<MaxAge> {
    let seconds = match node.value {
        Document::Number(_) => node.integer(-1, 86_400)?,
        _ => i64::try_from(duration(node, 0, 86_400_000)? / 1000).ok()?,
    };
    Some(match u32::try_from(seconds) {
        Ok(seconds) => MaxAge::Seconds(seconds),
        Err(_) => MaxAge::Disabled,
    })
}
