//! `rate_limits`: how often.

use std::cell::Cell;

use crate::diagnostic::{code, suggest};
use crate::document::Document;
use crate::exempt::{self, Exempt};
use crate::headers::HeaderName;
use crate::scalar::{Mode, duration, method, milliseconds, mode, name};
use crate::walk::{Node, shown};

/// One entry of `rate_limits`, shared or on a route.
#[derive(Clone, Debug, PartialEq)]
pub struct RateLimit {
    /// Where it stands in its list, for pointers: entries that could not be read are left out.
    pub index: usize,
    /// Part of the buckets' identity.
    pub name: String,
    /// Default enforce.
    pub mode: Mode,
    /// How many in which time.
    pub quota: Quota,
    /// How many at once. Default the quota's count.
    pub burst: Option<u32>,
    /// Default gcra.
    pub algorithm: Algorithm,
    /// What a bucket is kept for. Default the client's address.
    pub key: Vec<KeyPart>,
    /// What one request takes. Default 1.
    pub cost: u32,
    /// Methods that count; `None` is all.
    pub methods: Option<Vec<String>>,
    /// Requests that never count.
    pub exempt: Exempt,
    /// Keys tracked at once; `None` is the default for the kind of rule.
    pub capacity: Option<u32>,
    /// What repeated refusals lead to.
    pub ban: Option<Ban>,
    /// Default local.
    pub scope: Scope,
}

/// `60/1m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// 1 to 10^9.
    pub count: u32,
    /// Seconds, 1 to 30 days.
    pub seconds: u32,
}

/// `algorithm`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// Generic cell rate algorithm: smooth.
    #[default]
    Gcra,
    /// A hard count in a window that begins with a key's first request.
    FixedWindow,
}

/// One part of a bucket's key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyPart {
    /// The client's address.
    Ip,
    /// A request header.
    Header(HeaderName),
    /// A cookie.
    Cookie(String),
    /// A query parameter.
    Query(String),
    /// The host.
    Host,
    /// The path.
    Path,
    /// The route.
    Route,
    /// One bucket for everyone.
    All,
}

/// `ban`: so many refusals within a time shut a key out for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ban {
    /// Refusals.
    pub after: u32,
    /// Milliseconds in which they are counted.
    pub within_ms: u64,
    /// Milliseconds that the ban lasts.
    pub for_ms: u64,
}

/// `scope`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// This gateway, all its workers.
    #[default]
    Local,
    /// Through the `limiter`.
    Global,
}

/// `rate_limit_headers`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RateLimitHeaders {
    /// `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers).
    #[default]
    Draft,
    /// `X-RateLimit-*`.
    X,
    /// Both.
    Both,
    /// Neither.
    None,
}

const DAY_MS: u64 = 86_400_000;

/// A list of limits.
pub(crate) fn read_list(node: &Node<'_>) -> Option<Vec<RateLimit>> {
    let index = Cell::new(0);
    node.list(|n| read(n, index.replace(index.get() + 1)))
}

impl RateLimit {
    /// Whether it is defined as another is, wherever they stand.
    pub fn is_same(&self, other: &Self) -> bool {
        let here = Self {
            index: other.index,
            ..self.clone()
        };
        here == *other
    }
}

fn read(node: &Node<'_>, index: usize) -> Option<RateLimit> {
    let mut object = node.object()?;
    let name = object.required("name", name);
    let quota = object.required("quota", quota);
    let burst = object.read("burst", |n| n.count(1, 1_000_000_000));
    let algorithm = object
        .read("algorithm", |n| {
            n.word(&[
                ("gcra", Algorithm::Gcra),
                ("fixed-window", Algorithm::FixedWindow),
            ])
        })
        .unwrap_or_default();
    let cost = object
        .read("cost", |n| n.count(1, 1_000_000_000))
        .unwrap_or(1);
    let mode = object.read("mode", mode).unwrap_or_default();
    let key = object.read("key", key_parts);
    let methods = object.read("methods", |n| n.set(method));
    let exempt = object.read("exempt", exempt::read).unwrap_or_default();
    let capacity = object.read("capacity", |n| n.count(1, 1 << 24));
    let ban = object.read("ban", ban);
    let scope = object
        .read("scope", |n| {
            n.word(&[("local", Scope::Local), ("global", Scope::Global)])
        })
        .unwrap_or_default();
    let node = object.node.clone();
    object.finish();

    if burst.is_some() && algorithm == Algorithm::FixedWindow {
        node.error(
            code::RATE_LIMIT_BURST,
            "`burst` has no meaning in a fixed window",
            Some("leave it out, or use `algorithm: gcra`"),
        );
    }
    let quota = quota?;
    let period = u128::from(quota.seconds) * 1_000_000_000 / u128::from(quota.count);
    let full = (period + 1) * u128::from(burst.unwrap_or(quota.count));
    if full >= 1 << 62 {
        node.error(
            code::RATE_LIMIT_OVERFLOW,
            "the time in which `burst` comes back is longer than can be counted",
            Some("lower `burst`, or the seconds of `quota`: at most 146 years in all"),
        );
    }
    if cost > burst.unwrap_or(quota.count) {
        node.error(
            code::RATE_LIMIT_COST,
            "one request costs more than the limit ever holds",
            Some("lower `cost`, or raise `burst`"),
        );
    }
    Some(RateLimit {
        index,
        name: name?,
        mode,
        quota,
        burst,
        algorithm,
        key: key.unwrap_or_else(|| vec![KeyPart::Ip]),
        cost,
        methods,
        exempt,
        capacity,
        ban,
        scope,
    })
}

fn quota(node: &Node<'_>) -> Option<Quota> {
    let text = node.string()?;
    let parsed = text.split_once('/').and_then(|(count, window)| {
        // `parse` alone would take `+5`.
        let digits = count.bytes().all(|b| b.is_ascii_digit());
        let count: u32 = count.parse().ok().filter(|_| digits)?;
        let ms = milliseconds(window)?;
        let legal = (1..=1_000_000_000).contains(&count)
            && ms % 1000 == 0
            && (1000..=30 * DAY_MS).contains(&ms);
        let seconds = u32::try_from(ms / 1000).ok()?;
        legal.then_some(Quota { count, seconds })
    });
    if parsed.is_none() {
        let help = match meant_quota(text) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "a count from 1 to 1000000000, `/`, and whole seconds up to 30d, for example `60/1m`".to_owned(),
        };
        node.error(
            code::QUOTA_SYNTAX,
            format!("`{}` is not a quota", shown(text)),
            Some(&help),
        );
    }
    parsed
}

/// slowapi's spellings: `5/minute`, `5 per minute`, `20/60 seconds`.
fn meant_quota(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase().replace(" per ", "/");
    let (count, window) = lower.split_once('/')?;
    let count: u32 = count.trim().parse().ok()?;
    let window = window.trim();
    let unit_at = window.find(|c: char| !c.is_ascii_digit())?;
    let (times, unit) = window.split_at_checked(unit_at)?;
    let times = if times.is_empty() { "1" } else { times };
    let words = ["second", "minute", "hour", "day"];
    let unit = suggest(unit.trim().trim_end_matches('s'), words)?;
    let short = unit.chars().next()?;
    Some(format!("{count}/{times}{short}"))
}

fn key_parts(node: &Node<'_>) -> Option<Vec<KeyPart>> {
    let parts = node.distinct(key_part)?;
    if matches!(node.value, Document::Array(items) if items.is_empty()) {
        node.error(
            code::EMPTY_LIST,
            "a bucket needs a key",
            Some("leave it out for `[ip]`; `[all]` is one bucket for everybody"),
        );
        return None;
    }
    Some(parts)
}

fn key_part(node: &Node<'_>) -> Option<KeyPart> {
    let text = node.string()?;
    if let Some((kind, name)) = text.split_once(':') {
        let plain = || {
            let legal = (1..=256).contains(&name.len()) && !name.bytes().any(|b| b <= b' ');
            legal.then(|| name.to_owned())
        };
        let part = match kind {
            "header" => return HeaderName::named(node, name).map(KeyPart::Header),
            "cookie" => plain().map(KeyPart::Cookie),
            "query" => plain().map(KeyPart::Query),
            _ => None,
        };
        if part.is_some() {
            return part;
        }
        node.error(
            code::UNKNOWN_VALUE,
            format!("unknown key `{}`", shown(text)),
            Some("`header:NAME`, `cookie:NAME` or `query:NAME`"),
        );
        return None;
    }
    node.word(&[
        ("ip", KeyWord::Ip),
        ("host", KeyWord::Host),
        ("path", KeyWord::Path),
        ("route", KeyWord::Route),
        ("all", KeyWord::All),
    ])
    .map(|word| match word {
        KeyWord::Ip => KeyPart::Ip,
        KeyWord::Host => KeyPart::Host,
        KeyWord::Path => KeyPart::Path,
        KeyWord::Route => KeyPart::Route,
        KeyWord::All => KeyPart::All,
    })
}

#[derive(Clone, Copy)]
enum KeyWord {
    Ip,
    Host,
    Path,
    Route,
    All,
}

fn ban(node: &Node<'_>) -> Option<Ban> {
    let mut object = node.object()?;
    let after = object.required("after", |n| n.count(1, 1_000_000));
    let within = object.required("within", |n| duration(n, 1000, 30 * DAY_MS));
    let lasting = object.required("for", |n| duration(n, 1000, 30 * DAY_MS));
    object.finish();
    Some(Ban {
        after: after?,
        within_ms: within?,
        for_ms: lasting?,
    })
}

pub(crate) fn header_style(node: &Node<'_>) -> Option<RateLimitHeaders> {
    node.word(&[
        ("draft", RateLimitHeaders::Draft),
        ("x", RateLimitHeaders::X),
        ("both", RateLimitHeaders::Both),
        ("none", RateLimitHeaders::None),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_has_no_sign() {
        let document = Document::from_bytes(
            br#"{"version":1,"rate_limits":[{"name":"a","quota":"+5/1m"},{"name":"b","quota":"5/1m"}]}"#,
        );
        let (config, diagnostics) = crate::read(&document.unwrap());
        assert!(diagnostics.error_within("/rate_limits/0/quota"));
        assert_eq!(config.unwrap().rate_limits.unwrap().len(), 1);
    }

    #[test]
    fn slowapis_spellings_are_understood() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(meant_quota(text).as_deref(), expected, "{text}");
        };
        check("5/minute", Some("5/1m"));
        check("5 per minute", Some("5/1m"));
        check("20/60 seconds", Some("20/60s"));
        check("100/day", Some("100/1d"));
        check("five/minute", None);
        check("5", None);
    }
}
