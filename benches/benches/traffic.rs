//! What goes through the engine when it is measured: a browser's requests, an upstream's responses.

use std::rc::Rc;

use portcullis_policy::{Ambient, Line, Policy, Store, Unavailable, Versioned, load};
use serde_json::Value;

/// A gateway that answers at once, so that only the engine is measured.
pub(crate) struct Gateway;

impl Ambient for Gateway {
    fn source(&self) -> Option<Vec<u8>> {
        Some(b"203.0.113.7:4711".to_vec())
    }

    fn fresh_id(&self) -> u128 {
        7
    }

    fn now(&self) -> u64 {
        0
    }

    fn store(&self) -> &dyn Store {
        &Nothing
    }
}

/// A store that no policy measured here asks.
struct Nothing;

impl Store for Nothing {
    fn get(&self, _: &[u8]) -> Result<Option<Versioned>, Unavailable> {
        Err(Unavailable(1))
    }

    fn set(&self, _: &[u8], _: &[u8], _: Option<u32>) -> Result<bool, Unavailable> {
        Err(Unavailable(1))
    }
}

/// Header lines.
pub(crate) type Lines = Vec<(String, String)>;

/// A request as a browser's script sends it.
pub(crate) fn request(method: &str, path: &str) -> Lines {
    owned(&[
        (":method", method),
        (":path", path),
        (":authority", "api.example.com"),
        (":scheme", "https"),
        (
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36",
        ),
        ("accept", "application/json, text/plain, */*"),
        ("accept-language", "en-GB,en;q=0.9"),
        ("accept-encoding", "gzip, deflate, br, zstd"),
        ("referer", "https://app.example.com/match"),
        ("authorization", "Bearer 2YotnFZFEjr1zCsicMWpAA"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-dest", "empty"),
    ])
}

/// An application's response.
pub(crate) fn response() -> Lines {
    owned(&[
        (":status", "200"),
        ("content-type", "application/json"),
        ("content-length", "183"),
        ("server", "uvicorn"),
        ("x-powered-by", "demo"),
        ("etag", "\"5f3e\""),
        ("cache-control", "private, max-age=5"),
    ])
}

fn owned(lines: &[(&str, &str)]) -> Lines {
    lines
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// The lines as the engine takes them.
pub(crate) fn borrowed(lines: &Lines) -> Vec<Line<'_>> {
    lines
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect()
}

/// A policy that has to be right.
pub(crate) fn compiled(policy: &Value) -> Rc<Policy> {
    let verdict = load(policy.to_string().as_bytes());
    Rc::new(
        verdict
            .policy
            .unwrap_or_else(|| panic!("the policy is refused: {:?}", verdict.diagnostics)),
    )
}
