//! `routes`: what holds for one path.

use crate::cors::{self, Cors};
use crate::document::Document;
use crate::headers::{self, Headers};
use crate::host_pattern::HostPattern;
use crate::merge::{merge, refuse_unknown_nulls};
use crate::path_pattern::PathPattern;
use crate::profanity::{self, ProfanityTarget};
use crate::rate_limit::{self, RateLimit};
use crate::scalar::{Mode, long_name, method, mode};
use crate::validate::{self, Validate};
use crate::walk::Node;

/// One entry of `routes`, its patches merged over the shared sections.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// Where it stands in the list, for pointers: entries that could not be read are left out.
    pub index: usize,
    /// Unique in the file.
    pub name: String,
    /// What it matches.
    pub path: PathPattern,
    /// Hosts; `None` is all.
    pub hosts: Option<Vec<HostPattern>>,
    /// Methods; `None` is all.
    pub methods: Option<Vec<String>>,
    /// Caps what the route itself brings. Default enforce.
    pub mode: Mode,
    /// In addition to the shared ones.
    pub rate_limits: Vec<RateLimit>,
    /// Parameters and body.
    pub validate: Option<Validate>,
    /// The shared section with this route's patch; `None` if the route has no patch.
    pub cors: Option<Cors>,
    /// Likewise.
    pub headers: Option<Headers>,
    /// The shared section, or the defaults, with this route's patch.
    pub profanity: Option<ProfanityTarget>,
}

/// The shared sections as written, which routes patch. An unreadable one is `Err`: what a route makes of it would
/// only repeat its mistakes.
pub(crate) struct Shared<'d> {
    pub(crate) cors: Result<Option<&'d Document>, ()>,
    pub(crate) headers: Result<Option<&'d Document>, ()>,
    pub(crate) profanity: Result<Option<&'d Document>, ()>,
}

pub(crate) fn read(node: &Node<'_>, index: usize, shared: &Shared<'_>) -> Option<Route> {
    let mut object = node.object()?;
    let name = object.required("name", long_name);
    let path = object.required("path", PathPattern::route);
    let hosts = object.read("hosts", |n| n.set(HostPattern::read));
    let methods = object.read("methods", |n| n.set(method));
    let mode = object.read("mode", mode).unwrap_or_default();
    let rate_limits = object
        .read("rate_limits", rate_limit::read_list)
        .unwrap_or_default();
    let validate = object.read("validate", validate::read);
    let cors = object.read("cors", |n| patched(n, shared.cors, cors::KEYS, cors::read));
    let headers = object.read("headers", |n| {
        patched(n, shared.headers, headers::KEYS, headers::read)
    });
    let profanity = object.read("profanity", |n| {
        patched(n, shared.profanity, profanity::KEYS, profanity::read_target)
    });
    object.finish();
    Some(Route {
        index,
        name: name?,
        path: path?,
        hosts,
        methods,
        mode,
        rate_limits,
        validate,
        cors,
        headers,
        profanity,
    })
}

/// Reads the section that `patch` makes of the shared one.
fn patched<T>(
    patch: &Node<'_>,
    shared: Result<Option<&Document>, ()>,
    known: &'static [&'static str],
    read: impl FnOnce(&Node<'_>) -> Option<T>,
) -> Option<T> {
    // A patch that is no object would replace the section, and `null` would delete it: neither says what it means.
    patch.object()?;
    refuse_unknown_nulls(patch, known);
    let merged = merge(shared.ok()?.unwrap_or(&Document::Null), patch.value);
    read(&patch.with_value(&merged))
}
