//! The whole policy file.

use std::cell::RefCell;

use crate::client::{self, Client};
use crate::cors::{self, Cors};
use crate::diagnostic::{Diagnostics, code};
use crate::document::Document;
use crate::errors::{self, Errors};
use crate::headers::{self, Headers};
use crate::health::{self, Health};
use crate::limiter::{self, Limiter};
use crate::observe::{self, Observe};
use crate::profanity::{self, Profanity};
use crate::rate_limit::{self, RateLimit, RateLimitHeaders};
use crate::request::{self, Request};
use crate::route::{self, Route, Shared};
use crate::scalar::{Mode, long_name_of, mode, name};
use crate::validate;
use crate::walk::{Node, Object};

/// A policy as written, defaults filled in. A protection of `None` is not written: it is off and touches nothing.
/// A setting of `None` is not written either: its `Default` holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `[a-z0-9_-]{1,32}`. Default `default`.
    pub name: String,
    /// Caps every mode below. Default enforce.
    pub mode: Mode,
    /// Who is asking.
    pub client: Client,
    /// Whether the file says anything of that.
    pub client_written: bool,
    /// Request hygiene.
    pub request: Option<Request>,
    /// Response headers.
    pub headers: Option<Headers>,
    /// Cross-origin requests.
    pub cors: Option<Cors>,
    /// Limits for every request; `None` if the key is not written.
    pub rate_limits: Option<Vec<RateLimit>>,
    /// How limits are announced.
    pub rate_limit_headers: Option<RateLimitHeaders>,
    /// The engine of global limits.
    pub limiter: Option<Limiter>,
    /// What counts as profane.
    pub profanity: Option<Profanity>,
    /// Named JSON Schemas; `None` if the key is not written.
    pub schemas: Option<Vec<(String, Document)>>,
    /// The routes that could be read, in their order.
    pub routes: Vec<Route>,
    /// Requests that no route matches. Default allow.
    pub unmatched: Unmatched,
    /// What a refusal looks like.
    pub errors: Errors,
    /// What can be seen.
    pub observe: Option<Observe>,
    /// Paths answered here.
    pub health: Option<Health>,
}

/// `unmatched`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unmatched {
    /// Forwarded.
    #[default]
    Allow,
    /// 404, or 405 where only the method is wrong.
    Reject,
}

/// Reads a policy, and goes on behind every mistake.
///
/// The [`Config`] is what was legible: no policy may be built from it if the diagnostics hold an error. It is `None`
/// only if the document is no object at all.
pub fn read(document: &Document) -> (Option<Config>, Diagnostics) {
    let sink = RefCell::new(Diagnostics::default());
    let config = Node::root(document, &sink).object().map(read_sections);
    (config, sink.into_inner())
}

fn read_sections(mut object: Object<'_>) -> Config {
    // An editor's pointer to the schema; says nothing of the policy.
    object.get("$schema");
    object.required("version", version);
    let name = object.read("name", name);
    let mode = object.read("mode", mode).unwrap_or_default();
    let client = object.read("client", client::read);
    let request = object.read("request", request::read);
    let (headers, shared_headers) = section(&mut object, "headers", headers::read);
    let (cors, shared_cors) = section(&mut object, "cors", cors::read);
    let rate_limits = object.read("rate_limits", rate_limit::read_list);
    let rate_limit_headers = object.read("rate_limit_headers", rate_limit::header_style);
    let limiter = object.read("limiter", limiter::read);
    let (profanity, shared_profanity) = section(&mut object, "profanity", profanity::read);
    let schemas = object.read("schemas", |n| n.map(long_name_of, validate::schema));
    let shared = Shared {
        cors: shared_cors,
        headers: shared_headers,
        profanity: shared_profanity,
    };
    let routes = object
        .read("routes", |n| routes(n, &shared))
        .unwrap_or_default();
    let unmatched = object
        .read("unmatched", |n| {
            n.word(&[("allow", Unmatched::Allow), ("reject", Unmatched::Reject)])
        })
        .unwrap_or_default();
    let errors = object.read("errors", errors::read).unwrap_or_default();
    let observe = object.read("observe", observe::read);
    let health = object.read("health", health::read);
    object.finish();
    Config {
        name: name.unwrap_or_else(|| "default".to_owned()),
        mode,
        client_written: client.is_some(),
        client: client.unwrap_or_default(),
        request,
        headers,
        cors,
        rate_limits,
        rate_limit_headers,
        limiter,
        profanity,
        schemas,
        routes,
        unmatched,
        errors,
        observe,
        health,
    }
}

/// Reads a section that routes may patch, and hands its document on to them, if it had no error.
fn section<'d, T>(
    object: &mut Object<'d>,
    key: &'static str,
    read: impl FnOnce(&Node<'d>) -> Option<T>,
) -> (Option<T>, Result<Option<&'d Document>, ()>) {
    let Some(node) = object.get(key) else {
        return (None, Ok(None));
    };
    let section = read(&node);
    let shared = if node.has_error() {
        Err(())
    } else {
        Ok(Some(node.value))
    };
    (section, shared)
}

fn version(node: &Node<'_>) -> Option<()> {
    match node.integer(1, i64::from(u32::MAX))? {
        1 => Some(()),
        other => {
            node.error(
                code::VERSION_UNKNOWN,
                format!("version `{other}` is not known"),
                Some("this module reads version 1: roll the module out before the policy"),
            );
            None
        }
    }
}

fn routes(node: &Node<'_>, shared: &Shared<'_>) -> Option<Vec<Route>> {
    let index = std::cell::Cell::new(0);
    node.list(|n| {
        let at = index.replace(index.get() + 1);
        route::read(n, at, shared)
    })
}
