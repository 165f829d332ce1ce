//! What one gateway does to one policy: sentences that are true of the two together, and of no policy that they do not name.
//!
//! A table, because that is what it is: where, when, what. The sources are the gateways themselves, run and read
//! (Envoy 1.40, Istio 1.27, Kong's ngx_wasm_module, APISIX' wasm-nginx-module).

use clap::ValueEnum;
use portcullis_config::{Config, Forwarded, Protocol};

use super::when::{
    counts_bodies, judges_spelling, past, reads_bodies, reads_long_bodies, reads_scheme_of_proxies,
    request, rewrites_bodies, tags, tags_bodies, touches_server,
};

/// A gateway that can run the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Gateway {
    Envoy,
    Istio,
    Kong,
    Apisix,
}

use Gateway::{Apisix, Envoy, Istio, Kong};

/// Where, when, what.
type Note = (&'static [Gateway], fn(&Config) -> bool, &'static str);

const NOTES: &[Note] = &[
    (
        &[Kong],
        |_| true,
        "kong does not keep the old policy when a new one is bad: its workers end",
    ),
    (
        &[Apisix],
        |_| true,
        "apisix does not keep the old policy when a new one is bad: its routes answer 503",
    ),
    (
        &[Envoy],
        touches_server,
        "envoy writes its own `server` header after the filter: set `server_header_transformation: PASS_THROUGH`, as `portcullis render envoy` does",
    ),
    (
        &[Istio],
        touches_server,
        "envoy writes its own `server` header after the filter: the EnvoyFilter of `portcullis render istio` leaves it alone",
    ),
    (
        &[Envoy],
        reads_scheme_of_proxies,
        "envoy with `use_remote_address: true` replaces X-Forwarded-Proto before the filter sees it, so that all that your proxies hand on looks like http: count them in `xff_num_trusted_hops` and say `client: {forwarded: host}`",
    ),
    (
        &[Istio],
        reads_scheme_of_proxies,
        "istio's gateway replaces X-Forwarded-Proto before the filter sees it, so that all that your proxies hand on looks like http: count them in `gatewayTopology.numTrustedProxies` and say `client: {forwarded: host}`",
    ),
    (
        &[Kong, Apisix],
        |config| config.client.forwarded == Forwarded::Host,
        "`client: {forwarded: host}` is the address that nginx sees: behind proxies theirs, unless `real_ip_header` and `set_real_ip_from` resolve it",
    ),
    (
        &[Envoy, Istio],
        |config| past(config, 100, 60 << 10),
        "envoy refuses more than `max_headers_count` (100) lines and `max_request_headers_kb` (60) by itself, without the policy's answer: raise them, as `portcullis render` does",
    ),
    (
        &[Kong, Apisix],
        |config| past(config, u32::MAX, 8 << 10),
        "nginx refuses a request line or a header longer than one of `large_client_header_buffers` (8k) by itself, with its own page",
    ),
    (
        &[Istio],
        |config| judges_spelling(config),
        "istio rewrites paths before the filter sees them, so that ambiguous ones pass as what they became: set `pathNormalization: {normalization: NONE}` in the mesh's configuration",
    ),
    (
        &[Kong],
        |config| request(config).is_some() || tags(config),
        "kong passes on request headers that a filter removes: those that the policy strips arrive empty, and a request that sends one of them twice is answered with 503",
    ),
    (
        &[Kong],
        |config| counts_bodies(config),
        "nginx answers by itself, with its own page, to bodies longer than its `client_max_body_size`: keep that above the policy's limits",
    ),
    (
        &[Apisix],
        |config| counts_bodies(config),
        "apisix takes a body in whole before the filter counts it, and has no limit of its own: set `client_max_body_size`",
    ),
    (
        &[Envoy, Istio],
        reads_long_bodies,
        "Envoy answers bodies that a filter waits for, and that are longer than its `per_connection_buffer_limit_bytes` (1 MiB), with a 413 of its own: keep that above the routes' `max_bytes`",
    ),
    (
        &[Istio],
        reads_bodies,
        "the upstream hears of a request before its body was judged: a WasmPlugin cannot hold request headers, and an EnvoyFilter cannot make it",
    ),
    (
        &[Envoy],
        tags_bodies,
        "the upstream is told of profanity in a body only where request headers are held: set `allow_on_headers_stop_iteration` and `PORTCULLIS_HOLD_HEADERS`, as `portcullis render envoy` does, or every such request is refused with 422 `profanity-found`",
    ),
    (
        &[Istio],
        tags_bodies,
        "the upstream cannot be told of profanity in a body: a WasmPlugin does not hold request headers, so that every such request is refused with 422 `profanity-found`; say `action: reject` or `mask`",
    ),
    (
        &[Kong],
        reads_bodies,
        "bodies that nginx puts into a file cannot be read, and are refused: set `nginx_http_client_body_buffer_size` to the longest that is to pass",
    ),
    (
        &[Kong, Apisix],
        reads_bodies,
        "a body over HTTP/2 whose length is not said looks like none: where one is required, it is refused",
    ),
    (
        &[Kong],
        rewrites_bodies,
        "a body that is compressed, or has a digest, is refused on kong where opening, normalizing or masking would change it: the header that says so would go on",
    ),
    (
        &[Apisix],
        rewrites_bodies,
        "apisix cannot change a body: one that opening, normalizing or masking would change is refused",
    ),
    (
        &[Kong, Apisix],
        |config| {
            config
                .limiter
                .as_ref()
                .is_some_and(|limiter| limiter.protocol == Protocol::RlsGrpc)
        },
        "there is no gRPC here: set `limiter: {protocol: rls-http}`",
    ),
    (
        &[Apisix],
        |config| config.errors.mask_upstream,
        "apisix cannot change a response's body: `mask_upstream` has no effect",
    ),
    (
        &[Apisix],
        |config| {
            config
                .observe
                .as_ref()
                .is_some_and(|observe| observe.metrics)
        },
        "apisix has no metrics for filters",
    ),
    (
        &[Envoy, Istio, Kong],
        |config| {
            let counted = config
                .observe
                .as_ref()
                .is_none_or(|observe| observe.metrics);
            counted && config.routes.len() > ROUTES_COUNTED
        },
        "the filter's metrics have room for about forty busy routes: what comes after the five hundredth series is counted together, as `other`",
    ),
    (
        &[Apisix],
        |config| {
            config
                .health
                .as_ref()
                .is_some_and(|health| !health.checks.is_empty())
        },
        "apisix never wakes a filter up: `health.checks` are not asked",
    ),
];

/// As many as can be counted by themselves, if each has four statuses and two findings: 420 series are for routes.
const ROUTES_COUNTED: usize = 40;

/// What is to be known of this policy on this gateway.
pub(super) fn notes(gateway: Gateway, config: &Config) -> Vec<&'static str> {
    let applies = |(gateways, when, _): &&Note| gateways.contains(&gateway) && when(config);
    NOTES
        .iter()
        .filter(applies)
        .map(|(_, _, what)| *what)
        .collect()
}

#[cfg(test)]
mod tests {
    use portcullis_config::{Document, read};

    use super::*;

    fn of(gateway: Gateway, policy: &str) -> Vec<&'static str> {
        let document = Document::from_bytes(policy.as_bytes()).unwrap();
        notes(gateway, &read(&document).0.unwrap())
    }

    /// Is there a note with these words for the one policy, and none for the other?
    fn check(gateways: &[Gateway], words: &str, policy: &str, other: &str) {
        let has = |gateway, rest: &str| {
            let policy = format!("{{\"version\": 1{rest}}}");
            of(gateway, &policy).iter().any(|note| note.contains(words))
        };
        for gateway in [Envoy, Istio, Kong, Apisix] {
            let wanted = gateways.contains(&gateway);
            assert_eq!(
                has(gateway, policy),
                wanted,
                "{gateway:?}: `{words}` for {policy}"
            );
            assert!(!has(gateway, other), "{gateway:?}: `{words}` for {other}");
        }
    }

    #[test]
    fn each_note_is_for_the_policies_that_it_is_true_of() {
        let request = r#", "request": {}"#;
        let route = |rest: &str| format!(r#", "routes": [{{"name": "a", "path": "/", {rest}}}]"#);

        let server = "own `server` header";
        check(&[Envoy, Istio], server, r#", "headers": {}"#, request);
        check(
            &[Envoy, Istio],
            server,
            &route(r#""headers": {"preset": "html"}"#),
            "",
        );
        let (removed, none) = (
            r#", "headers": {"preset": "none", "remove": ["serv*"]}"#,
            r#", "headers": {"preset": "none", "remove": ["x-a"]}"#,
        );
        check(&[Envoy, Istio], server, removed, none);
        check(
            &[Envoy, Istio],
            server,
            r#", "headers": {}"#,
            r#", "mode": "off", "headers": {}"#,
        );

        let proto = "replaces X-Forwarded-Proto";
        let behind = r#", "client": {"trusted_proxies": ["10.0.0.0/8"]}, "headers": {}"#;
        check(&[Envoy, Istio], proto, behind, r#", "headers": {}"#);
        let https = r#", "client": {"trusted_proxies": ["10.0.0.0/8"]}, "request": {"https": {}}"#;
        let host = r#", "client": {"trusted_proxies": ["10.0.0.0/8"], "forwarded": "host"}, "request": {"https": {}}"#;
        check(&[Envoy, Istio], proto, https, host);
        check(&[Kong, Apisix], "real_ip_header", host, https);

        let (many, few) = (
            r#", "request": {"max_headers": 101}"#,
            r#", "request": {"max_headers": 100}"#,
        );
        check(&[Envoy, Istio], "max_headers_count", many, few);
        let (long, short) = (
            r#", "request": {"max_path_bytes": "9KiB"}"#,
            r#", "request": {"max_path_bytes": "8KiB"}"#,
        );
        check(&[Kong, Apisix], "large_client_header_buffers", long, short);

        check(
            &[Istio],
            "pathNormalization",
            request,
            r#", "request": {"ambiguous": "allow"}"#,
        );
        check(
            &[Kong],
            "passes on request headers",
            request,
            r#", "request": {"mode": "off"}"#,
        );

        let (counted, streamed) = (r#", "request": {"max_body_bytes": "1MiB"}"#, request);
        check(
            &[Kong],
            "longer than its `client_max_body_size`",
            counted,
            streamed,
        );
        check(&[Apisix], "takes a body in whole", counted, streamed);

        let judged = route(r#""validate": {"body": {"schema": true}}"#);
        let limited = route(r#""validate": {"body": {"max_bytes": "1KiB"}}"#);
        check(&[Istio], "cannot hold request headers", &judged, &limited);
        check(&[Kong], "client_body_buffer_size", &judged, &limited);
        let long = route(r#""validate": {"body": {"schema": true, "max_bytes": "2MiB"}}"#);
        let unread = route(r#""validate": {"body": {"max_bytes": "2MiB"}}"#);
        check(&[Envoy, Istio], "per_connection_buffer", &long, &unread);
        let trimmed = route(r#""validate": {"body": {"normalize": {"/a": ["trim"]}}}"#);
        check(&[Apisix], "cannot change a body", &trimmed, &judged);
        check(&[Kong], "or has a digest", &trimmed, &judged);
        check(&[Kong, Apisix], "looks like none", &judged, &limited);
        let masked = route(r#""profanity": {"action": "mask", "fields": "all"}"#);
        let refused = route(r#""profanity": {"fields": "all"}"#);
        check(&[Apisix], "cannot change a body", &masked, &refused);
        let off = route(r#""profanity": {"mode": "off", "action": "mask", "fields": "all"}"#);
        check(&[Apisix], "cannot change a body", &masked, &off);
        let elsewhere = route(r#""profanity": {"query": ["q"]}"#);
        check(&[Kong], "client_body_buffer_size", &refused, &elsewhere);
        check(&[Istio], "cannot hold request headers", &refused, &off);
        let long =
            route(r#""profanity": {"fields": "all"}, "validate": {"body": {"max_bytes": "2MiB"}}"#);
        check(&[Envoy, Istio], "per_connection_buffer", &long, &unread);

        let tagged = |rest: &str| route(&format!(r#""profanity": {{"action": "tag", {rest}}}"#));
        let (body, query) = (tagged(r#""fields": "all""#), tagged(r#""query": ["q"]"#));
        check(&[Envoy], "PORTCULLIS_HOLD_HEADERS", &body, &query);
        check(&[Istio], "does not hold request headers", &body, &query);
        let reported = tagged(r#""mode": "report", "fields": "all""#);
        check(&[Envoy], "PORTCULLIS_HOLD_HEADERS", &body, &reported);
        check(&[Kong], "passes on request headers", &query, &refused);

        let limiter = |protocol: &str| {
            format!(r#", "limiter": {{"protocol": "{protocol}", "upstream": "a"}}"#)
        };
        check(
            &[Kong, Apisix],
            "no gRPC",
            &limiter("rls-grpc"),
            &limiter("rls-http"),
        );

        check(
            &[Apisix],
            "mask_upstream",
            r#", "errors": {"mask_upstream": true}"#,
            r#", "errors": {}"#,
        );
        check(
            &[Apisix],
            "no metrics",
            r#", "observe": {}"#,
            r#", "observe": {"metrics": false}"#,
        );
        let routes = |count: usize| {
            let one = |at| format!(r#"{{"name": "r{at}", "path": "/r{at}"}}"#);
            let all: Vec<String> = (0..count).map(one).collect();
            format!(r#", "headers": {{}}, "routes": [{}]"#, all.join(","))
        };
        check(
            &[Envoy, Istio, Kong],
            "counted together",
            &routes(41),
            &routes(40),
        );
        let asked = r#", "health": {"checks": {"a": {"upstream": "a", "path": "/"}}}"#;
        check(
            &[Apisix],
            "health.checks",
            asked,
            r#", "health": {"live": "/livez"}"#,
        );
    }

    #[test]
    fn a_policy_that_needs_nothing_has_no_notes_on_envoy() {
        let policy = r#"{"version": 1, "client": {"forwarded": "host"}, "request": {"hosts": ["a.example"]}}"#;
        assert_eq!(of(Envoy, policy), [""; 0]);
    }
}
