//! The `expect` of a step: what must be true of an exchange.

use portcullis_config::code;
use serde_json::Value;

use super::matcher::{Matcher, json_matcher, part_matcher, text_matcher};
use super::message::status;
use super::walk::{Node, Walk};

/// The keys of `expect`.
pub const EXPECT_KEYS: &[&str] = &[
    "status",
    "headers",
    "headers_exactly",
    "body",
    "json",
    "upstream",
    "logs",
    "metrics",
    "guest",
];
/// The keys of `expect.upstream` written as an object.
pub const UPSTREAM_KEYS: &[&str] = &["method", "path", "host", "headers", "body"];

/// What is expected of one exchange. Absent parts are not judged.
#[derive(Clone, Debug, Default)]
pub struct Expect {
    /// The client's status.
    pub status: Option<u16>,
    /// By lower-case name.
    pub headers: Vec<(String, Matcher)>,
    /// Every header line that there may be, by lower-case name.
    pub headers_exactly: Option<Vec<(String, Matcher)>>,
    /// The client's body.
    pub body: Option<Matcher>,
    /// The client's body as JSON, by pointer.
    pub json: Vec<(String, Matcher)>,
    /// The upstream's side.
    pub upstream: Option<ExpectUpstream>,
    /// The filter's log lines.
    pub logs: Vec<ExpectLog>,
    /// By name.
    pub metrics: Vec<(String, Matcher)>,
    /// What the guest may spend.
    pub guest: Option<ExpectGuest>,
}

/// What is expected at the upstream.
#[derive(Clone, Debug)]
pub enum ExpectUpstream {
    /// Nothing.
    NotCalled,
    /// A request like this.
    Called(Box<ExpectSeen>),
}

/// What is expected of the request that the upstream saw.
#[derive(Clone, Debug, Default)]
pub struct ExpectSeen {
    /// The method.
    pub method: Option<Matcher>,
    /// Path and query.
    pub path: Option<Matcher>,
    /// `Host` or `:authority`.
    pub host: Option<Matcher>,
    /// By lower-case name.
    pub headers: Vec<(String, Matcher)>,
    /// The body.
    pub body: Option<Matcher>,
}

/// What is expected of the log.
#[derive(Clone, Debug)]
pub enum ExpectLog {
    /// A line like this.
    Line(Matcher),
    /// A line that is a JSON document with these values, by pointer.
    Json(Vec<(String, Matcher)>),
    /// No line that contains this.
    NoLine(String),
}

/// What the guest may spend on one exchange.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExpectGuest {
    /// Calls into the host.
    pub max_host_calls: Option<u64>,
    /// Bytes of memory afterwards.
    pub max_memory: Option<u64>,
}

pub(super) fn expect(walk: &mut Walk, node: &Node<'_>) -> Option<Expect> {
    let object = walk.object(node, EXPECT_KEYS)?;
    if object.is_empty() {
        walk.error(
            code::MISSING_KEY,
            node,
            "a step that expects nothing cannot fail",
            None,
        );
    }
    let mut expect = Expect::default();
    if let Some(node) = object.get("status") {
        expect.status = status(walk, &node);
    }
    if let Some(node) = object.get("headers") {
        expect.headers = headers(walk, &node);
    }
    if let Some(node) = object.get("headers_exactly") {
        expect.headers_exactly = Some(complete(walk, &node));
    }
    if let Some(node) = object.get("body") {
        expect.body = text_matcher(walk, &node);
    }
    if let Some(node) = object.get("json") {
        expect.json = pointers(walk, &node);
    }
    if let Some(node) = object.get("upstream") {
        expect.upstream = upstream(walk, &node);
    }
    if let Some(node) = object.get("logs") {
        expect.logs = walk
            .list(&node)
            .iter()
            .filter_map(|node| log(walk, node))
            .collect();
    }
    if let Some(node) = object.get("metrics") {
        expect.metrics = named(walk, &node, json_matcher);
    }
    if let Some(node) = object.get("guest") {
        expect.guest = guest(walk, &node);
    }
    Some(expect)
}

type Read = fn(&mut Walk, &Node<'_>) -> Option<Matcher>;

fn named(walk: &mut Walk, node: &Node<'_>, read: Read) -> Vec<(String, Matcher)> {
    let Some(object) = walk.map(node) else {
        return Vec::new();
    };
    object
        .members()
        .filter_map(|(name, node)| Some((name.to_owned(), read(walk, &node)?)))
        .collect()
}

fn headers(walk: &mut Walk, node: &Node<'_>) -> Vec<(String, Matcher)> {
    named(walk, node, text_matcher)
        .into_iter()
        .map(|(name, matcher)| (name.to_ascii_lowercase(), matcher))
        .collect()
}

/// A list of `[name, value]`, one a line; the value may be a matcher.
fn complete(walk: &mut Walk, node: &Node<'_>) -> Vec<(String, Matcher)> {
    let mut lines = Vec::new();
    for pair in walk.list(node) {
        match walk.list(&pair).as_slice() {
            [name, value] => {
                let name = walk.text(name).map(str::to_ascii_lowercase);
                if let (Some(name), Some(matcher)) = (name, text_matcher(walk, value)) {
                    lines.push((name, matcher));
                }
            }
            _ => walk.wrong_type(&pair, "a list of a name and a value"),
        }
    }
    lines
}

/// `/pointer: value`, each pointer into a JSON document.
fn pointers(walk: &mut Walk, node: &Node<'_>) -> Vec<(String, Matcher)> {
    let Some(object) = walk.map(node) else {
        return Vec::new();
    };
    let mut expected = Vec::new();
    for (pointer, node) in object.members() {
        if !pointer.is_empty() && !pointer.starts_with('/') {
            let help = format!("did you mean `/{pointer}`?");
            let message = format!("`{pointer}` is not a JSON Pointer");
            walk.error(code::POINTER_SYNTAX, &node, message, Some(&help));
        } else if let Some(matcher) = json_matcher(walk, &node) {
            expected.push((pointer.to_owned(), matcher));
        }
    }
    expected
}

fn upstream(walk: &mut Walk, node: &Node<'_>) -> Option<ExpectUpstream> {
    if node.value.is_string() {
        let called = walk.word(node, &[("called", true), ("not-called", false)])?;
        return Some(if called {
            ExpectUpstream::Called(Box::default())
        } else {
            ExpectUpstream::NotCalled
        });
    }
    let object = walk.object(node, UPSTREAM_KEYS)?;
    let mut part = |key: &str| object.get(key).and_then(|node| text_matcher(walk, &node));
    let (method, path, host, body) = (part("method"), part("path"), part("host"), part("body"));
    let headers = object
        .get("headers")
        .map(|node| headers(walk, &node))
        .unwrap_or_default();
    Some(ExpectUpstream::Called(Box::new(ExpectSeen {
        method,
        path,
        host,
        headers,
        body,
    })))
}

/// A text or a matcher: a line like it; `{json: ..}`: a line that is JSON; `{no_line: ..}`: none such.
fn log(walk: &mut Walk, node: &Node<'_>) -> Option<ExpectLog> {
    let own = |key: &str| matches!(node.value, Value::Object(members) if members.contains_key(key));
    if own("json") {
        let object = walk.object(node, &["json"])?;
        return Some(ExpectLog::Json(pointers(walk, &object.get("json")?)));
    }
    if own("no_line") {
        let object = walk.object(node, &["no_line"])?;
        let part = walk.text(&object.get("no_line")?)?;
        return Some(ExpectLog::NoLine(part.to_owned()));
    }
    part_matcher(walk, node).map(ExpectLog::Line)
}

fn guest(walk: &mut Walk, node: &Node<'_>) -> Option<ExpectGuest> {
    let object = walk.object(node, &["max_host_calls", "max_memory"])?;
    let mut bound = |key: &str| {
        let node = object.get(key)?;
        walk.integer(&node, 0, i64::MAX)
            .and_then(|bound| u64::try_from(bound).ok())
    };
    Some(ExpectGuest {
        max_host_calls: bound("max_host_calls"),
        max_memory: bound("max_memory"),
    })
}
