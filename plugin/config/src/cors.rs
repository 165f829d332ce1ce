//! `cors`: which pages of other origins may read the responses.
//!
//! What browsers would not do, or would do for everybody, is refused here, all of it at once: the compiled policy has
//! nothing left to doubt.

use crate::diagnostic::code;
use crate::document::Document;
use crate::headers::HeaderName;
use crate::origin_pattern::OriginPattern;
use crate::scalar::{Mode, duration, is_method, method, mode};
use crate::walk::{Node, shown};

/// The `cors` section, or what a route's merge patch made of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Cors {
    /// Default enforce.
    pub mode: Mode,
    /// Whose pages may read. Required.
    pub origins: Origins,
    /// Methods beyond GET, HEAD and POST. Default none.
    pub methods: OrAny<String>,
    /// Request headers that a page may send. `*` does not cover `authorization`. Default none.
    pub request_headers: OrAny<HeaderName>,
    /// Response headers that a page may read. Default none.
    pub expose_headers: OrAny<HeaderName>,
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

impl Cors {
    /// Whether pages served over plain http may act with their visitors' credentials.
    pub fn lets_in_insecure_origins(&self) -> bool {
        match &self.origins {
            Origins::Listed(origins) => {
                self.dangerously_allow_insecure_origins
                    && self.credentials
                    && origins.iter().any(OriginPattern::is_insecure)
            }
            Origins::Any => false,
        }
    }
}

/// `cors.origins`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    /// `["*"]`: everybody's, without credentials.
    Any,
    /// Those of these origins.
    Listed(Vec<OriginPattern>),
}

/// A list that may hold `*` beside its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrAny<T> {
    /// `*` is among them.
    pub any: bool,
    /// The other entries.
    pub listed: Vec<T>,
}

impl<T> Default for OrAny<T> {
    fn default() -> Self {
        Self {
            any: false,
            listed: Vec::new(),
        }
    }
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

/// Methods that browsers write in upper case, however a page writes them (Fetch standard, "normalize a method").
const NORMALIZED: [&str; 6] = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"];

/// Methods that no page may send (Fetch standard, "forbidden method").
pub const FORBIDDEN_METHODS: [&str; 3] = ["CONNECT", "TRACE", "TRACK"];

/// Headers that no page may send (Fetch standard, "forbidden request-header"), beside all that begin with `proxy-`,
/// `sec-` or `access-control-`.
const FORBIDDEN_REQUEST_HEADERS: [&str; 19] = [
    "accept-charset",
    "accept-encoding",
    "connection",
    "content-length",
    "cookie",
    "cookie2",
    "date",
    "dnt",
    "expect",
    "host",
    "keep-alive",
    "origin",
    "referer",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

pub(crate) fn read(node: &Node<'_>) -> Option<Cors> {
    let mut object = node.object()?;
    let mode = object.read("mode", mode).unwrap_or_default();
    let credentials = object.read("credentials", Node::boolean).unwrap_or(false);
    let insecure_allowed = object
        .read("dangerously_allow_insecure_origins", Node::boolean)
        .unwrap_or(false);
    let origins = object.required("origins", |n| {
        read_origins(n, credentials, insecure_allowed)
    });
    let cors = Cors {
        mode,
        // An error was told: nothing is made of this.
        origins: origins.unwrap_or(Origins::Listed(Vec::new())),
        methods: object
            .read("methods", |n| or_any(n, cors_method))
            .unwrap_or_default(),
        request_headers: object
            .read("request_headers", |n| or_any(n, request_header))
            .unwrap_or_default(),
        expose_headers: object
            .read("expose_headers", |n| read_exposed(n, credentials))
            .unwrap_or_default(),
        credentials,
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
        dangerously_allow_insecure_origins: insecure_allowed,
        debug: object.read("debug", Node::boolean).unwrap_or(false),
    };
    object.finish();
    Some(cors)
}

fn is_star(node: &Node<'_>) -> bool {
    matches!(node.value, Document::String(text) if text == "*")
}

fn read_origins(node: &Node<'_>, credentials: bool, insecure_allowed: bool) -> Option<Origins> {
    let Document::Array(items) = node.value else {
        return node.wrong_type("a list");
    };
    if let [Document::String(star)] = items.as_slice()
        && star == "*"
    {
        if credentials {
            node.error(
                code::CORS_WILDCARD_CREDENTIALS,
                "`*` with credentials would let every page act for its visitor",
                Some("list the origins, or leave `credentials` out"),
            );
        }
        return Some(Origins::Any);
    }
    if items.is_empty() {
        node.error(
            code::EMPTY_LIST,
            "no page could read anything",
            Some("list the origins, or leave `cors` out"),
        );
    }
    let origins = node.list(|n| {
        let origin = OriginPattern::read(n)?;
        if credentials && !insecure_allowed && origin.is_insecure() {
            let meant = n.string()?.replacen("http", "https", 1);
            n.error(
                code::CORS_ORIGIN_INSECURE,
                "credentials and plain http: whoever is on the way reads with the visitor's rights",
                Some(&format!(
                    "did you mean `{}`? if not, `dangerously_allow_insecure_origins`",
                    shown(&meant)
                )),
            );
        }
        Some(origin)
    });
    origins.map(Origins::Listed)
}

/// A list in which `*` stands for any.
fn or_any<'d, T>(node: &Node<'d>, read: impl Fn(&Node<'d>) -> Option<T>) -> Option<OrAny<T>> {
    let entries = node.list(|n| match is_star(n) {
        true => Some(None),
        false => read(n).map(Some),
    })?;
    let mut list = OrAny::default();
    for entry in entries {
        match entry {
            None => list.any = true,
            Some(entry) => list.listed.push(entry),
        }
    }
    Some(list)
}

fn cors_method(node: &Node<'_>) -> Option<String> {
    let text = node.string()?;
    let named = |names: &[&'static str]| {
        names
            .iter()
            .copied()
            .find(|name| text.eq_ignore_ascii_case(name))
    };
    if named(&FORBIDDEN_METHODS).is_some() {
        node.error(
            code::CORS_METHOD_FORBIDDEN,
            format!("no page may send `{text}`"),
            Some("browsers refuse it: leave it out"),
        );
        return None;
    }
    match named(&NORMALIZED) {
        Some(name) => Some(name.to_owned()),
        // Browsers send any other as the page writes it; nobody means a well-known one in lower case.
        None if is_method(text) && text.bytes().any(|b| b.is_ascii_uppercase()) => {
            Some(text.to_owned())
        }
        None => method(node),
    }
}

fn request_header(node: &Node<'_>) -> Option<HeaderName> {
    let name = HeaderName::read(node)?;
    let text = name.as_str();
    let forbidden = FORBIDDEN_REQUEST_HEADERS.contains(&text)
        || ["proxy-", "sec-", "access-control-"]
            .iter()
            .any(|prefix| text.starts_with(prefix));
    if forbidden {
        node.error(
            code::CORS_HEADER_FORBIDDEN,
            format!("no page may send `{text}`"),
            Some("the browser writes it, or nobody: leave it out"),
        );
    }
    Some(name)
}

fn read_exposed(node: &Node<'_>, credentials: bool) -> Option<OrAny<HeaderName>> {
    let exposed = or_any(node, |n| {
        let name = HeaderName::read(n)?;
        let text = name.as_str();
        if matches!(text, "set-cookie" | "set-cookie2" | "origin")
            || text.starts_with("access-control-")
        {
            n.error(
                code::CORS_HEADER_FORBIDDEN,
                format!("no page may read `{text}`"),
                Some("browsers keep it to themselves: leave it out"),
            );
        }
        Some(name)
    })?;
    if exposed.any && credentials {
        node.error(
            code::CORS_EXPOSE_WILDCARD,
            "with credentials browsers take `*` for a header's name",
            Some("list the headers"),
        );
    }
    Some(exposed)
}

fn max_age(node: &Node<'_>) -> Option<MaxAge> {
    let seconds = match node.value {
        Document::Number(_) => node.integer(-1, 86_400)?,
        _ => {
            let milliseconds = duration(node, 0, 86_400_000)?;
            if milliseconds % 1000 != 0 {
                node.error(
                    code::NUMBER_RANGE,
                    "browsers count in whole seconds",
                    Some("for example `10s`"),
                );
            }
            i64::try_from(milliseconds / 1000).ok()?
        }
    };
    Some(match u32::try_from(seconds) {
        Ok(seconds) => MaxAge::Seconds(seconds),
        Err(_) => MaxAge::Disabled,
    })
}
