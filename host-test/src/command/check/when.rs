//! What a policy does, as far as a gateway makes something of it: the conditions of [`super::notes`].

use portcullis_config::{
    Ambiguous, Body, Config, Fields, Forwarded, Headers, Mode, Preset, ProfanityAction,
    ProfanityTarget, RateLimit, Request, Route,
};

/// The `request` section, if it does anything.
pub(in crate::command) fn request(config: &Config) -> Option<&Request> {
    let on = |request: &&Request| request.mode.capped_by(config.mode) != Mode::Off;
    config.request.as_ref().filter(on)
}

/// The routes that are not off.
pub(super) fn routes(config: &Config) -> impl Iterator<Item = &Route> {
    config
        .routes
        .iter()
        .filter(|route| route.mode.capped_by(config.mode) != Mode::Off)
}

/// The shared `headers` and those that routes made of it, without those that are off.
fn headers(config: &Config) -> impl Iterator<Item = &Headers> {
    let own = routes(config).filter_map(|route| route.headers.as_ref());
    let shared = config.headers.as_ref().filter(|_| config.mode != Mode::Off);
    shared
        .into_iter()
        .chain(own)
        .filter(|h| h.mode != Mode::Off)
}

pub(super) fn touches_server(config: &Config) -> bool {
    headers(config).any(|headers| {
        let set = [&headers.set, &headers.default];
        headers.preset != Preset::None
            || headers
                .remove
                .iter()
                .any(|pattern| pattern.matches("server"))
            || set
                .into_iter()
                .flatten()
                .any(|(name, _)| name.as_str() == "server")
    })
}

/// Does it matter whether the client came over https, which only a proxy in front can tell?
pub(super) fn reads_scheme_of_proxies(config: &Config) -> bool {
    let told =
        !config.client.trusted_proxies.is_empty() && config.client.forwarded != Forwarded::Host;
    let https = request(config).is_some_and(|request| request.https.is_some());
    let secure = |headers: &Headers| {
        headers.preset != Preset::None || headers.cookies.as_ref().is_some_and(|c| c.secure)
    };
    told && (https || headers(config).any(secure))
}

/// Does the policy let in more header lines, or longer ones, than this?
pub(super) fn past(config: &Config, lines: u32, bytes: u64) -> bool {
    request(config).is_some_and(|request| {
        request.max_headers.is_some_and(|max| max > lines)
            || request
                .max_header_bytes
                .is_some_and(|max| max > bytes.max(16 << 10))
            || request.max_path_bytes.is_some_and(|max| max > bytes)
    })
}

pub(super) fn judges_spelling(config: &Config) -> bool {
    request(config).is_some_and(|request| request.ambiguous != Some(Ambiguous::Allow))
}

pub(super) fn counts_bodies(config: &Config) -> bool {
    request(config).is_some_and(|request| request.max_body_bytes.is_some()) || reads_bodies(config)
}

pub(super) fn reads_bodies(config: &Config) -> bool {
    routes(config).any(|route| body(route).is_some_and(is_read))
        || profanity(config).any(|target| target.fields != Fields::None)
}

/// Are bodies read that are longer than Envoy keeps for a filter unless it is told to?
pub(super) fn reads_long_bodies(config: &Config) -> bool {
    longest_read(config).is_some_and(|longest| longest > 1 << 20)
}

/// Bytes of the longest body that a rule reads.
pub(in crate::command) fn longest_read(config: &Config) -> Option<u64> {
    let reads = |route: &&Route| {
        let target = route
            .profanity
            .as_ref()
            .filter(|target| target.profanity.mode != Mode::Off && target.fields != Fields::None);
        target.is_some() || body(route).is_some_and(is_read)
    };
    let longest = |route: &Route| body(route).and_then(|body| body.max_bytes);
    routes(config)
        .filter(reads)
        .map(|route| longest(route).unwrap_or(64 << 10))
        .max()
}

fn is_read(body: &Body) -> bool {
    body.schema.is_some() || !body.normalize.is_empty()
}

fn body(route: &Route) -> Option<&Body> {
    route.validate.as_ref()?.body.as_ref()
}

pub(super) fn rewrites_bodies(config: &Config) -> bool {
    routes(config).any(|route| {
        let rewrites = |body: &Body| !body.normalize.is_empty() || !body.encodings.is_empty();
        body(route).is_some_and(rewrites)
    }) || profanity(config).any(|target| {
        target.fields != Fields::None && target.profanity.action == ProfanityAction::Mask
    })
}

/// The `profanity` of routes, where it is not off.
fn profanity(config: &Config) -> impl Iterator<Item = &ProfanityTarget> {
    let written = routes(config).filter_map(|route| route.profanity.as_ref());
    written.filter(|target| target.profanity.mode != Mode::Off)
}

/// Is the upstream told of what requests hold?
pub(super) fn tags(config: &Config) -> bool {
    profanity(config).any(is_told)
}

/// Is it told of what bodies hold, when requests' headers may have gone on?
pub(super) fn tags_bodies(config: &Config) -> bool {
    profanity(config).any(|target| is_told(target) && target.fields != Fields::None)
}

fn is_told(target: &ProfanityTarget) -> bool {
    target.profanity.action == ProfanityAction::Tag && target.profanity.mode == Mode::Enforce
}

/// The limits that are not off, shared and routes'.
pub(super) fn limits(config: &Config) -> impl Iterator<Item = &RateLimit> {
    let shared = config
        .rate_limits
        .iter()
        .flatten()
        .filter(|_| config.mode != Mode::Off);
    let own = routes(config).flat_map(|route| &route.rate_limits);
    shared.chain(own).filter(|limit| limit.mode != Mode::Off)
}
