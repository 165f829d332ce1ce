//! What is wrong with a policy although each of its sections can be read.

use std::collections::BTreeMap;

use portcullis_config::{
    Config, Cors, Diagnostics, Forwarded, KeyPart, Mode, RateLimit, Route, Scope, Unmatched, code,
};

/// Reports what contradicts itself, and warns of what probably means something else.
pub(crate) fn review(config: &Config, diagnostics: &mut Diagnostics) {
    refuse_unsupported(config, diagnostics);
    refuse_taken_names(&config.routes, diagnostics);
    refuse_other_limits_of_a_name(config, diagnostics);
    warn(config, diagnostics);
    warn_of_unmatched(config, diagnostics);
    warn_of_cors(config, diagnostics);
    warn_of_limits(config, diagnostics);
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
    let written = [(config.limiter.is_some(), "/limiter")];
    for (written, pointer) in written {
        refuse(written, pointer.to_owned());
    }
    for (at, limit) in limits(config) {
        refuse(limit.scope == Scope::Global, format!("{at}/scope"));
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
    let on_a_route = config.routes.iter().any(|r| {
        let written = r.headers.is_some() || r.cors.is_some() || r.validate.is_some();
        written || r.profanity.is_some() || !r.rate_limits.is_empty()
    });
    let protects = config.request.is_some()
        || config.headers.is_some()
        || config.cors.is_some()
        || config.rate_limits.is_some()
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

/// A path that is spelled so that no route matches it is judged by none.
fn warn_of_unmatched(config: &Config, diagnostics: &mut Diagnostics) {
    let on = |mode: Mode| mode.capped_by(config.mode) != Mode::Off;
    let judges = |route: &Route| {
        let validate = route.validate.as_ref().map(|validate| validate.mode);
        let profanity = route.profanity.as_ref().map(|target| target.profanity.mode);
        let of = |mode: Option<Mode>| mode.is_some_and(|mode| on(mode.capped_by(route.mode)));
        let named = of(profanity).then_some("profanity");
        let key = of(validate).then_some("validate").or(named)?;
        Some((route.index, key))
    };
    if config.unmatched == Unmatched::Allow
        && let Some((index, key)) = config.routes.iter().find_map(judges)
    {
        let spelled = match config.request {
            Some(_) => "",
            None => ", `%2F` for a slash among the rest",
        };
        diagnostics.warning(
            code::UNMATCHED_ALLOWED,
            format!("/routes/{index}/{key}"),
            format!("a path that no route matches passes unjudged{spelled}"),
            Some("set `unmatched: reject`, and list the routes that are to pass".to_owned()),
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

/// Every limit and its place.
fn limits(config: &Config) -> impl Iterator<Item = (String, &RateLimit)> {
    let shared = config.rate_limits.iter().flatten();
    let shared = shared.map(|limit| (format!("/rate_limits/{}", limit.index), limit));
    let routes = config.routes.iter().flat_map(|route| {
        let pointer = format!("/routes/{}/rate_limits", route.index);
        let limits = route.rate_limits.iter();
        limits.map(move |limit| (format!("{pointer}/{}", limit.index), limit))
    });
    shared.chain(routes)
}

/// A name is one limit: the same one may stand on several routes, and share its buckets.
fn refuse_other_limits_of_a_name(config: &Config, diagnostics: &mut Diagnostics) {
    // Of each name, the list that it stands in last, and the limit.
    let mut seen: BTreeMap<&str, (String, &RateLimit)> = BTreeMap::new();
    for (at, limit) in limits(config) {
        let list = at.rsplit_once('/').map_or("", |(list, _)| list).to_owned();
        match seen.get_mut(limit.name.as_str()) {
            None => {
                seen.insert(&limit.name, (list, limit));
            }
            Some((before, other))
                if before.starts_with("/routes") && *before != list && other.is_same(limit) =>
            {
                *before = list;
            }
            Some(_) => diagnostics.error(
                code::RATE_LIMIT_NAME,
                format!("{at}/name"),
                format!("another limit is named `{}`", limit.name),
                Some(
                    "only routes may share a limit, and then its definition is the same".to_owned(),
                ),
            ),
        }
    }
}

fn warn_of_limits(config: &Config, diagnostics: &mut Diagnostics) {
    let mut told = false;
    for (at, limit) in limits(config) {
        let by_address = limit.key.contains(&KeyPart::Ip);
        if by_address && !config.client_written && !told {
            told = true;
            diagnostics.warning(
                code::RATE_LIMIT_WITHOUT_CLIENT,
                format!("{at}/key"),
                "behind a proxy everybody has the proxy's address, and one bucket",
                Some(
                    "say in `client` who is asking: `trusted_proxies`, `forwarded: host`, or `{}` where no proxy is"
                        .to_owned(),
                ),
            );
        }
        // A shared limit stands behind all others, a route's behind those of its route.
        let behind = config.rate_limits.iter().flatten();
        let own = config.routes.iter().map(|route| &route.rate_limits);
        let own = own.filter(|own| own.iter().any(|one| std::ptr::eq(one, limit)));
        let is_backed = behind
            .chain(own.flatten())
            .any(|other| other.mode != Mode::Off && !is_chosen(other));
        if is_chosen(limit) && !is_backed {
            diagnostics.warning(
                code::RATE_LIMIT_KEY_CHOSEN,
                format!("{at}/key"),
                "whoever changes what is sent gets a new bucket",
                Some("count by `ip` beside it, or have another limit that does".to_owned()),
            );
        }
        let proxies = &config.client.trusted_proxies;
        for (place, client) in limit.exempt.clients.iter().enumerate() {
            if config.client.forwarded != Forwarded::Host
                && proxies.iter().any(|proxy| proxy.overlaps(*client))
            {
                diagnostics.warning(
                    code::RATE_LIMIT_EXEMPTS_PROXY,
                    format!("{at}/exempt/clients/{place}"),
                    "an exempt client is one of the trusted proxies, which speak for others",
                    None,
                );
            }
        }
    }
}

/// Whether whoever asks chooses the whole key.
fn is_chosen(limit: &RateLimit) -> bool {
    let parts = &limit.key;
    !parts.is_empty()
        && parts.iter().all(|part| {
            matches!(
                part,
                KeyPart::Header(_) | KeyPart::Cookie(_) | KeyPart::Query(_) | KeyPart::Path
            )
        })
}
