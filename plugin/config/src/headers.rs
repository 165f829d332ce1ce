//! `headers`: response headers, ours and the upstream's alike.

use std::fmt;

use crate::diagnostic::{code, pointer_child};
use crate::scalar::{Mode, header_value, is_token_byte, mode};
use crate::walk::{Node, shown};

/// The `headers` section, or what a route's merge patch made of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Headers {
    /// Default enforce.
    pub mode: Mode,
    /// Default api.
    pub preset: Preset,
    /// Headers that always have this value, on one line.
    pub set: Vec<(HeaderName, String)>,
    /// Headers that have this value where the upstream sent none.
    pub default: Vec<(HeaderName, String)>,
    /// Headers dropped on top of the preset's list.
    pub remove: Vec<HeaderPattern>,
    /// How `Set-Cookie` lines are hardened; `None` leaves them.
    pub cookies: Option<Cookies>,
}

/// A built-in set of response headers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preset {
    /// For JSON.
    #[default]
    Api,
    /// For pages.
    Html,
    /// Nothing.
    None,
}

/// `headers.cookies`.
#[derive(Clone, Debug, PartialEq)]
pub struct Cookies {
    /// Adds `Secure` on https.
    pub secure: bool,
    /// Adds `HttpOnly`.
    pub http_only: bool,
    /// Adds `SameSite` where there is none.
    pub same_site: Option<SameSite>,
    /// Cookies that scripts may read: no `HttpOnly`.
    pub readable: Vec<String>,
}

/// A `SameSite` value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// Never sent cross-site.
    Strict,
    /// Sent on top-level navigation.
    Lax,
    /// Always sent.
    None,
}

/// A header name (RFC 9110 section 5.1), lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeaderName(String);

impl HeaderName {
    /// The name, lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let token = (1..=256).contains(&text.len()) && text.bytes().all(is_token_byte);
        token.then(|| Self(text.to_ascii_lowercase()))
    }

    pub(crate) fn read(node: &Node<'_>) -> Option<Self> {
        Self::named(node, node.string()?)
    }

    /// Reads the name that stands as an object's key.
    pub(crate) fn named(node: &Node<'_>, text: &str) -> Option<Self> {
        let name = Self::parse(text);
        if name.is_none() {
            let help = text
                .starts_with(':')
                .then_some("pseudo-headers are not headers");
            node.error(
                code::HEADER_NAME,
                format!("`{}` is not a header name", shown(text)),
                help.or(Some("letters, digits and !#$%&'*+-.^_`|~")),
            );
        }
        name
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A header name, or all that begin with a prefix (`x-kong-*`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeaderPattern {
    /// This name.
    Exact(HeaderName),
    /// Every name that begins with this, lower case, without the `*`.
    Prefix(String),
}

impl HeaderPattern {
    /// Whether the pattern names a header; `name` is lower case.
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(exact) => exact.0 == name,
            Self::Prefix(prefix) => name.starts_with(prefix.as_str()),
        }
    }

    fn read(node: &Node<'_>) -> Option<Self> {
        let text = node.string()?;
        let Some(prefix) = text.strip_suffix('*') else {
            return HeaderName::named(node, text).map(Self::Exact);
        };
        if prefix.is_empty() {
            node.error(
                code::HEADER_NAME,
                "`*` would remove every header",
                Some("name a prefix, as in `x-kong-*`"),
            );
            return None;
        }
        HeaderName::named(node, prefix).map(|HeaderName(prefix)| Self::Prefix(prefix))
    }
}

/// The section's keys, to judge a `null` in a merge patch by.
pub(crate) const KEYS: &[&str] = &["mode", "preset", "set", "default", "remove", "cookies"];

/// What frames the message and names its parts: a filter that rewrites it corrupts the response.
pub(crate) const RESERVED: [&str; 7] = [
    "connection",
    "content-length",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

pub(crate) fn read(node: &Node<'_>) -> Option<Headers> {
    let mut object = node.object()?;
    let fixed = |node: &Node<'_>| node.map(written_name, header_value);
    let headers = Headers {
        mode: object.read("mode", mode).unwrap_or_default(),
        preset: object.read("preset", preset).unwrap_or_default(),
        set: object.read("set", fixed).unwrap_or_default(),
        default: object.read("default", fixed).unwrap_or_default(),
        remove: object
            .read("remove", |n| n.distinct(removable))
            .unwrap_or_default(),
        cookies: object.read("cookies", cookies),
    };
    headers.refuse_contradictions(&object.node);
    object.finish();
    Some(headers)
}

impl Headers {
    fn refuse_contradictions(&self, node: &Node<'_>) {
        let fixed = [("set", &self.set), ("default", &self.default)];
        for (section, list) in fixed {
            for (name, _) in list {
                if self.remove.iter().any(|p| p.matches(name.as_str())) {
                    node.error_at(
                        &below(node, section, name),
                        code::HEADERS_SET_AND_REMOVED,
                        format!("`{name}` stands in `{section}` and in `remove`"),
                        Some("keep one of the two"),
                    );
                }
            }
        }
        for (name, _) in &self.default {
            if self.set.iter().any(|(other, _)| other == name) {
                node.error_at(
                    &below(node, "default", name),
                    code::HEADERS_SET_AND_DEFAULTED,
                    format!("`{name}` stands in `set` and in `default`"),
                    Some("`set` always wins: drop it from `default`"),
                );
            }
        }
    }
}

fn below(node: &Node<'_>, section: &str, name: &HeaderName) -> String {
    pointer_child(&pointer_child(&node.pointer, section), name.as_str())
}

fn preset(node: &Node<'_>) -> Option<Preset> {
    node.word(&[
        ("api", Preset::Api),
        ("html", Preset::Html),
        ("none", Preset::None),
    ])
}

pub(crate) fn written_name(node: &Node<'_>, text: &str) -> Option<HeaderName> {
    HeaderName::named(node, text).filter(|name| !reserved(node, name.as_str()))
}

fn removable(node: &Node<'_>) -> Option<HeaderPattern> {
    let pattern = HeaderPattern::read(node)?;
    let reserved = RESERVED.iter().find(|name| pattern.matches(name));
    if let Some(name) = reserved {
        refuse_reserved(node, name, "the gateway frames the message itself");
    }
    reserved.is_none().then_some(pattern)
}

fn reserved(node: &Node<'_>, name: &str) -> bool {
    let why = match name {
        "set-cookie" => Some("cookies are hardened line by line under `cookies`"),
        _ if name.starts_with("access-control-") => Some("the `cors` section answers for these"),
        _ if RESERVED.contains(&name) => Some("the gateway frames the message itself"),
        _ => None,
    };
    if let Some(why) = why {
        refuse_reserved(node, name, why);
    }
    why.is_some()
}

pub(crate) fn refuse_reserved(node: &Node<'_>, name: &str, why: &str) {
    let message = format!("`{name}` cannot be changed here");
    node.error(code::HEADERS_RESERVED, message, Some(why));
}

fn cookies(node: &Node<'_>) -> Option<Cookies> {
    let mut object = node.object()?;
    let cookies = Cookies {
        secure: object.read("secure", Node::boolean).unwrap_or(false),
        http_only: object.read("http_only", Node::boolean).unwrap_or(false),
        same_site: object.read("same_site", |n| {
            n.word(&[
                ("strict", SameSite::Strict),
                ("lax", SameSite::Lax),
                ("none", SameSite::None),
            ])
        }),
        readable: object
            .read("readable", |n| {
                n.distinct(|n| n.string().map(str::to_owned))
            })
            .unwrap_or_default(),
    };
    if cookies.same_site == Some(SameSite::None) && !cookies.secure {
        object.node.error(
            code::COOKIES_NONE_INSECURE,
            "browsers drop `SameSite=None` cookies that are not `Secure`",
            Some("set `secure: true`"),
        );
    }
    object.finish();
    Some(cookies)
}
