//! A policy file to a [`Policy`], or to everything that is wrong with it.

use std::rc::Rc;

use portcullis_config::{
    Config, Diagnostic, Diagnostics, Document, Headers, Mode, Route, Unmatched, code, read,
};

use crate::policy::{Moded, Policy, RouteRules};
use crate::route::RouteTable;
use crate::rule::client::ClientRule;
use crate::rule::headers::HeadersRule;
use crate::rule::request::RequestRule;

/// What became of a policy file.
#[derive(Debug)]
pub struct Verdict {
    /// The policy's name, if the file was legible that far.
    pub name: Option<String>,
    /// The policy; `None` if any diagnostic is an error.
    pub policy: Option<Policy>,
    /// Everything that was found, errors and warnings.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads and compiles a policy: JSON text, or the bytes of a `google.protobuf.Struct`. All that is wrong is found at
/// once, and no policy is built from a file with an error.
pub fn load(bytes: &[u8]) -> Verdict {
    let (config, mut diagnostics) = match Document::from_bytes(bytes) {
        Ok(document) => read(&document),
        Err(message) => {
            let mut diagnostics = Diagnostics::default();
            let help =
                "the filter reads JSON: `portcullis check` reads YAML and says where a mistake is";
            diagnostics.error(code::SYNTAX, "", message, Some(help.to_owned()));
            (None, diagnostics)
        }
    };
    let policy = config.as_ref().and_then(|config| {
        refuse_unsupported(config, &mut diagnostics);
        refuse_taken_names(&config.routes, &mut diagnostics);
        warn(config, &mut diagnostics);
        let table = RouteTable::compile(&config.routes, &mut diagnostics);
        (!diagnostics.has_errors()).then(|| compile(config, table))
    });
    // The default stands in for a name that is none; nobody gave the policy that.
    let named = !diagnostics.error_within("/name");
    Verdict {
        name: config.filter(|_| named).map(|config| config.name),
        policy,
        diagnostics: diagnostics.into_list(),
    }
}

fn compile(config: &Config, table: RouteTable) -> Policy {
    let shared = config
        .headers
        .as_ref()
        .map(|headers| (headers.mode, Rc::new(HeadersRule::compile(headers))));
    let headers = |route: Option<&Route>| {
        let outer = route.map_or(config.mode, |route| route.mode.capped_by(config.mode));
        let patched = route
            .and_then(|route| route.headers.as_ref())
            .map(|headers: &Headers| (headers.mode, Rc::new(HeadersRule::compile(headers))));
        let (mode, rule) = patched.or_else(|| shared.clone())?;
        (mode.capped_by(outer) == Mode::Enforce).then_some(rule)
    };
    let request = config.request.as_ref().and_then(|request| {
        moded(request.mode.capped_by(config.mode), || {
            RequestRule::compile(request)
        })
    });
    let routes: Vec<RouteRules> = config
        .routes
        .iter()
        .map(|route| RouteRules {
            name: route.name.clone(),
            methods: route.methods.clone().unwrap_or_default(),
            headers: headers(Some(route)),
        })
        .collect();
    let unmatched = headers(None);
    let refuses_unmatched = config.unmatched == Unmatched::Reject && config.mode != Mode::Off;
    let reads_scheme = routes
        .iter()
        .map(|route| &route.headers)
        .chain([&unmatched])
        .any(|rule| rule.as_ref().is_some_and(|rule| rule.reads_scheme()))
        || request
            .as_ref()
            .is_some_and(|moded| moded.rule.https.is_some());
    Policy {
        name: config.name.clone(),
        client: ClientRule::compile(&config.client),
        reads_host: request.as_ref().is_some_and(|r| r.rule.reads_host())
            || config.routes.iter().any(|route| route.hosts.is_some()),
        reads_scheme,
        request,
        headers: unmatched,
        table,
        routes,
        unmatched: refuses_unmatched.then_some(config.mode),
        errors: config.errors.format,
    }
}

fn moded<T>(mode: Mode, compile: impl FnOnce() -> T) -> Option<Moded<T>> {
    (mode != Mode::Off).then(|| Moded {
        rule: compile(),
        mode,
    })
}

/// Reports what this version does not enforce: a protection that is written and not run would be believed in.
fn refuse_unsupported(config: &Config, diagnostics: &mut Diagnostics) {
    let mut refuse = |written: bool, pointer: String| {
        // What is wrong inside a section is told first: the section itself comes up when it is legible.
        if written && !diagnostics.error_within(&pointer) {
            diagnostics.error(
                code::NOT_SUPPORTED,
                pointer.clone(),
                format!(
                    "`{}` is not enforced by this version",
                    pointer.replace('/', ".").trim_start_matches('.')
                ),
                Some(
                    "leave it out: a protection that is not there is better known than believed in"
                        .to_owned(),
                ),
            );
        }
    };
    let written = [
        (config.cors.is_some(), "/cors"),
        (config.rate_limits.is_some(), "/rate_limits"),
        (config.rate_limit_headers.is_some(), "/rate_limit_headers"),
        (config.limiter.is_some(), "/limiter"),
        (config.profanity.is_some(), "/profanity"),
        (config.schemas.is_some(), "/schemas"),
        (config.errors.mask_upstream, "/errors/mask_upstream"),
        (config.observe.is_some(), "/observe"),
        (config.health.is_some(), "/health"),
    ];
    for (written, pointer) in written {
        refuse(written, pointer.to_owned());
    }
    for route in &config.routes {
        let written = [
            (route.cors.is_some(), "cors"),
            (!route.rate_limits.is_empty(), "rate_limits"),
            (route.validate.is_some(), "validate"),
            (route.profanity.is_some(), "profanity"),
        ];
        for (written, key) in written {
            refuse(written, format!("/routes/{}/{key}", route.index));
        }
    }
}

fn refuse_taken_names(routes: &[Route], diagnostics: &mut Diagnostics) {
    let mut seen = std::collections::BTreeSet::new();
    for route in routes {
        if !seen.insert(&route.name) {
            diagnostics.error(
                code::ROUTE_NAME_TAKEN,
                format!("/routes/{}/name", route.index),
                format!("another route is named `{}`", route.name),
                Some("logs and metrics tell routes apart by their names".to_owned()),
            );
        }
    }
}

fn warn(config: &Config, diagnostics: &mut Diagnostics) {
    let has_own_headers = config.routes.iter().any(|route| route.headers.is_some());
    let protects = config.request.is_some()
        || config.headers.is_some()
        || config.unmatched == Unmatched::Reject
        || has_own_headers;
    // Where there is an error, what is protected cannot be told yet.
    if !protects && !diagnostics.has_errors() {
        diagnostics.warning(
            code::POLICY_EMPTY,
            "",
            "this policy protects nothing",
            Some("`headers: {}` alone hardens every response".to_owned()),
        );
    }
    let redirects_anywhere = config
        .request
        .as_ref()
        .is_some_and(|request| request.https.is_some() && request.hosts.is_none());
    if redirects_anywhere {
        diagnostics.warning(
            code::HTTPS_WITHOUT_HOSTS,
            "/request/https",
            "a redirect leads to whatever host the request names",
            Some("list the `hosts` that this gateway answers for".to_owned()),
        );
    }
    if config.unmatched == Unmatched::Reject
        && config.routes.is_empty()
        && !diagnostics.has_errors()
    {
        diagnostics.warning(
            code::UNMATCHED_WITHOUT_ROUTES,
            "/unmatched",
            "there are no routes, so every request is refused",
            None,
        );
    }
}
