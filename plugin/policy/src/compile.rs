//! A policy file to a [`Policy`], or to everything that is wrong with it.

use std::rc::Rc;

use portcullis_config::{
    Config, Cors, Diagnostic, Diagnostics, Document, Mode, Route, Unmatched, code, read,
};

use crate::policy::{Moded, Patched, Policy, RouteRules};
use crate::route::RouteTable;
use crate::rule::client::ClientRule;
use crate::rule::cors::CorsRule;
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
        warn_of_cors(config, &mut diagnostics);
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
    let request = config.request.as_ref().and_then(|request| {
        moded(request.mode.capped_by(config.mode), || {
            RequestRule::compile(request)
        })
    });
    let patched = patches(config);
    let routes: Vec<RouteRules> = config
        .routes
        .iter()
        .map(|route| RouteRules {
            name: route.name.clone(),
            methods: route.methods.clone().unwrap_or_default(),
            patched: patched(Some(route)),
        })
        .collect();
    let unrouted = patched(None);
    let refuses_unmatched = config.unmatched == Unmatched::Reject && config.mode != Mode::Off;
    let redirects = request
        .as_ref()
        .is_some_and(|moded| moded.rule.https.is_some());
    let reads_scheme = redirects
        || unrouted.reads_scheme()
        || routes.iter().any(|route| route.patched.reads_scheme());
    Policy {
        name: config.name.clone(),
        client: ClientRule::compile(&config.client),
        reads_host: request.as_ref().is_some_and(|r| r.rule.reads_host())
            || config.routes.iter().any(|route| route.hosts.is_some()),
        reads_scheme,
        request,
        unrouted,
        table,
        routes,
        unmatched: refuses_unmatched.then_some(config.mode),
        errors: config.errors.format,
    }
}

/// The sections that routes may patch: what holds for a route, or for requests that none matches.
fn patches(config: &Config) -> impl Fn(Option<&Route>) -> Patched {
    let headers = section(
        config.headers.as_ref(),
        |route: &Route| route.headers.as_ref(),
        |headers| (headers.mode, HeadersRule::compile(headers)),
    );
    let cors = section(
        config.cors.as_ref(),
        |route: &Route| route.cors.as_ref(),
        |cors| (cors.mode, CorsRule::compile(cors)),
    );
    let top = config.mode;
    move |route| {
        let outer = route.map_or(top, |route| route.mode.capped_by(top));
        let headers = headers(route, outer).filter(|moded| moded.mode == Mode::Enforce);
        Patched {
            headers: headers.map(|moded| moded.rule),
            cors: cors(route, outer),
        }
    }
}

/// One such section, compiled once for all that share it.
fn section<C, R>(
    shared: Option<&C>,
    patch: impl Fn(&Route) -> Option<&C>,
    compile: impl Fn(&C) -> (Mode, R),
) -> impl Fn(Option<&Route>, Mode) -> Option<Moded<Rc<R>>> {
    let compile = move |section: &C| {
        let (mode, rule) = compile(section);
        (mode, Rc::new(rule))
    };
    let shared = shared.map(&compile);
    move |route, outer| {
        let own = route.and_then(&patch).map(&compile);
        let (mode, rule) = own.or_else(|| shared.clone())?;
        moded(mode.capped_by(outer), || rule)
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
    let on_a_route = config
        .routes
        .iter()
        .any(|route| route.headers.is_some() || route.cors.is_some());
    let protects = config.request.is_some()
        || config.headers.is_some()
        || config.cors.is_some()
        || config.unmatched == Unmatched::Reject
        || on_a_route;
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

fn warn_of_cors(config: &Config, diagnostics: &mut Diagnostics) {
    let shared = config.cors.as_ref();
    let sections = shared.map(|cors| (String::new(), cors)).into_iter();
    let routes = config.routes.iter().filter_map(|route| {
        let cors = route.cors.as_ref()?;
        Some((format!("/routes/{}", route.index), cors))
    });
    for (at, cors) in sections.chain(routes) {
        // What a route inherits has been told where it is written.
        let inherited = shared.filter(|_| !at.is_empty());
        if cors.debug && !inherited.is_some_and(|shared| shared.debug) {
            diagnostics.warning(
                code::CORS_DEBUG,
                format!("{at}/cors/debug"),
                "refused preflights tell anybody what the policy allows",
                Some("for the time that it takes to find a mistake".to_owned()),
            );
        }
        if cors.lets_in_insecure_origins() && !inherited.is_some_and(Cors::lets_in_insecure_origins)
        {
            diagnostics.warning(
                code::CORS_INSECURE_ORIGINS,
                format!("{at}/cors/dangerously_allow_insecure_origins"),
                "whoever is on the way to a page served over http reads with its visitor's rights",
                None,
            );
        }
        if inherited.is_none_or(|shared| shared.methods != cors.methods) {
            warn_of_unreachable_methods(config, cors, &at, diagnostics);
        }
    }
}

/// A method that pages are promised and hygiene refuses.
fn warn_of_unreachable_methods(
    config: &Config,
    cors: &Cors,
    at: &str,
    diagnostics: &mut Diagnostics,
) {
    let Some(request) = &config.request else {
        return;
    };
    for method in &cors.methods.listed {
        if !request.methods.contains(method) {
            diagnostics.warning(
                code::CORS_METHOD_UNREACHABLE,
                format!("{at}/cors/methods"),
                format!("pages may use `{method}`, and `request.methods` refuses it"),
                Some(format!("add `{method}` to `request.methods`")),
            );
        }
    }
}
