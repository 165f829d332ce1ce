//! Policies, pages and upstreams at random, most of them a near miss: what is far off is refused by anybody.

use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use super::fetch::{Answer, Lines, Wish};
use super::permits::Plan;

const PATTERNS: [&str; 27] = [
    "https://example.com",
    "https://app.example.com",
    "https://*.example.com",
    "https://*.example.com:8443",
    "https://*.example.com:*",
    "https://*.app.example.com",
    "https://example.com:8443",
    "https://example.com:*",
    "https://a_b.example.com",
    "https://foo.com",
    "https://bar.com",
    "https://*.foo.com",
    "https://xn--mnchen-3ya.example",
    "http://example.com",
    "http://*.example.com",
    "http://localhost",
    "http://localhost:3000",
    "http://localhost:*",
    "http://*.localhost:*",
    "http://127.0.0.1:*",
    "http://127.0.0.1:9090",
    "http://[::1]",
    "http://[::1]:*",
    "http://[::1]:9090",
    "https://[2001:db8::1]:8443",
    "capacitor://localhost",
    "chrome-extension://abcdefghijklmnop",
];

/// What may stand for the `*` of a host, and what may not.
const LABELS: [&str; 8] = ["a", "a.b", "app", "x.app", "a-b", "a_b", "xn--a", "bar"];
const NO_LABELS: [&str; 8] = ["", ".", "a.", ".a", "a..b", "A", "*", "a!b"];

/// What may stand for the `*` of a port, and what may not: some of it depends on the scheme.
const PORTS: [&str; 6] = ["", ":1", ":8443", ":65535", ":80", ":443"];
const NO_PORTS: [&str; 9] = [
    ":0", ":080", ":65536", ":99999", ":", ":+1", ":1:1", ":*", ":٣",
];

/// Origins that no pattern names.
const STRANGERS: [&str; 16] = [
    "null",
    "",
    "*",
    "file://",
    "https://",
    "://",
    "evil",
    "https://evilexample.com",
    "https://example.com.evil.net",
    "https://barfoo.com",
    "https://foo.combar.com",
    "http://localhost.evil.net",
    "http://[::1",
    "http://[::1]evil:9090",
    "http://127.0.0.1.nip.io:9090",
    "https://[::ffff:127.0.0.1]",
];

/// A `cors` section that the engine takes.
pub(super) fn plan() -> impl Strategy<Value = Plan> {
    let origins = prop_oneof![
        1 => Just(vec!["*"]),
        6 => subsequence(PATTERNS.to_vec(), 1..6).prop_shuffle(),
    ];
    let methods = subsequence(
        vec!["PUT", "delete", "PATCH", "OPTIONS", "QUERY", "X-FOO", "*"],
        0..=7,
    );
    let headers = subsequence(
        vec![
            "content-type",
            "Authorization",
            "x-api-key",
            "X-Trace",
            "accept",
            "*",
        ],
        0..=6,
    );
    let exposed = subsequence(vec!["x-total", "X-Page", "etag", "x-request-id", "*"], 0..4);
    let flags = (any::<bool>(), any::<bool>());
    (origins, methods, headers, exposed, flags).prop_map(
        |(origins, methods, request_headers, mut exposed, (credentials, reject))| {
            let credentials = credentials && origins != ["*"];
            exposed.retain(|name| !credentials || *name != "*");
            let owned = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect();
            Plan {
                origins: owned(origins),
                methods: owned(methods),
                request_headers: owned(request_headers),
                expose_headers: owned(exposed),
                credentials,
                reject,
                debug: false,
            }
        },
    )
}

/// A plan and so many pages' origins, near to what it names.
pub(super) fn plan_and_origins(
    count: std::ops::RangeInclusive<usize>,
) -> impl Strategy<Value = (Plan, Vec<String>)> {
    (plan(), prop::collection::vec(choices(), count)).prop_map(|(plan, choices)| {
        let origins = choices.iter().map(|choice| origin(&plan, choice)).collect();
        (plan, origins)
    })
}

/// The dice that make an origin out of a plan.
#[derive(Clone, Debug)]
pub(super) struct Choices {
    stranger: Option<&'static str>,
    pattern: Index,
    label: String,
    port: &'static str,
    slip: Option<Slip>,
}

/// A way to miss narrowly.
#[derive(Clone, Copy, Debug)]
enum Slip {
    Before(&'static str),
    After(&'static str),
    InHost(&'static str),
    OtherScheme,
    Upper,
    Shorter,
    Twice,
}

fn choices() -> impl Strategy<Value = Choices> {
    let slips = vec![
        Slip::Before(" "),
        Slip::Before("x"),
        Slip::Before("https://example.com,"),
        Slip::After("."),
        Slip::After(" "),
        Slip::After("/"),
        Slip::After("\0"),
        Slip::After(",null"),
        Slip::After(", https://example.com"),
        Slip::After(".evil.net"),
        Slip::After(":443"),
        Slip::After("?x"),
        Slip::After("#"),
        Slip::After("@evil.net"),
        Slip::After("é"),
        Slip::InHost("evil"),
        Slip::InHost("evil-"),
        Slip::InHost("user@"),
        Slip::InHost("evil.net/."),
        Slip::InHost("."),
        Slip::InHost("a."),
        Slip::OtherScheme,
        Slip::Upper,
        Slip::Shorter,
        Slip::Twice,
    ];
    let label = prop_oneof![
        14 => select(LABELS.to_vec()).prop_map(str::to_owned),
        3 => select(NO_LABELS.to_vec()).prop_map(str::to_owned),
        1 => (200usize..330).prop_map(|n| {
            let label = format!("{}.", "a".repeat(59));
            let mut text: String = label.chars().cycle().take(n).collect();
            text.push('a');
            text
        }),
    ];
    let port = prop_oneof![
        4 => select(PORTS.to_vec()),
        1 => select(NO_PORTS.to_vec()),
    ];
    (
        prop::option::weighted(0.08, select(STRANGERS.to_vec())),
        any::<Index>(),
        label,
        port,
        prop::option::weighted(0.2, select(slips)),
    )
        .prop_map(|(stranger, pattern, label, port, slip)| Choices {
            stranger,
            pattern,
            label,
            port,
            slip,
        })
}

fn origin(plan: &Plan, choices: &Choices) -> String {
    if let Some(stranger) = choices.stranger {
        return stranger.to_owned();
    }
    let pattern = match plan.is_public() {
        true => "https://app.example.com",
        false => choices.pattern.get(&plan.origins),
    };
    let origin = match pattern.strip_suffix(":*") {
        Some(front) => format!("{front}{}", choices.port),
        None => pattern.to_owned(),
    };
    let origin = origin.replacen("://*", &format!("://{}", choices.label), 1);
    match choices.slip {
        None => origin,
        Some(Slip::Before(text)) => format!("{text}{origin}"),
        Some(Slip::After(text)) => format!("{origin}{text}"),
        Some(Slip::InHost(text)) => origin.replacen("://", &format!("://{text}"), 1),
        Some(Slip::OtherScheme) => match origin.strip_prefix("https") {
            Some(rest) => format!("http{rest}"),
            None => origin.replacen("http", "https", 1),
        },
        Some(Slip::Upper) => origin.to_uppercase(),
        Some(Slip::Shorter) => origin.chars().skip(1).collect(),
        Some(Slip::Twice) => format!("{origin},{origin}"),
    }
}

/// A plan, and what a page near to it wishes.
pub(super) fn plan_and_wish() -> impl Strategy<Value = (Plan, Wish)> {
    let methods = prop_oneof![
        3 => select(vec!["GET", "POST", "PUT", "put", "DELETE", "PATCH"]),
        2 => select(vec![
            "HEAD", "get", "Put", "delete", "patch", "OPTIONS", "QUERY", "X-FOO", "x-foo", "PUTT", "PU", "*",
        ]),
    ];
    let owned = |names: Vec<&'static str>| names.into_iter().map(str::to_owned).collect();
    let usual = vec!["content-type", "authorization", "x-api-key", "X-Trace"];
    let odd = vec![
        "Content-Type",
        "Authorization",
        "X-API-KEY",
        "x-api-keys",
        "x-api-ke",
        "accept",
        "range",
        "x-other",
        "*",
        "cookie",
        "sec-x",
    ];
    let names = prop_oneof![
        3 => Just(Vec::new()),
        4 => subsequence(usual, 1..3).prop_map(owned),
        4 => subsequence(odd, 1..4).prop_map(owned),
        1 => (126usize..131).prop_map(|n| (0..n).map(|at| format!("x-{at}")).collect()),
        1 => (4090usize..4100).prop_map(|n| vec![format!("x{}", "-".repeat(n - 1))]),
    ];
    (
        plan_and_origins(1..=1),
        methods,
        names,
        prop::bool::weighted(0.3),
        prop::bool::weighted(0.2),
    )
        .prop_map(|((plan, origins), method, headers, credentials, upload)| {
            let wish = Wish {
                origin: origins.concat(),
                method: method.to_owned(),
                headers,
                credentials,
                upload,
            };
            (plan, wish)
        })
}

/// An upstream with opinions of its own about CORS and caches.
pub(super) fn upstream() -> impl Strategy<Value = Answer> {
    let text = |list: &[&'static str]| select(list.to_vec());
    let own = (
        text(&[
            "x-total",
            "X-Page",
            "x-secret",
            "Set-Cookie",
            "Content-Type",
            "etag",
            "retry-after",
            "x-request-id",
        ]),
        text(&["1", "a=b"]),
    );
    let cors = (
        text(&[
            "Access-Control-Allow-Origin",
            "access-control-allow-origin",
            "ACCESS-CONTROL-ALLOW-CREDENTIALS",
            "access-control-allow-methods",
            "access-control-allow-headers",
            "access-control-expose-headers",
            "Access-Control-Expose-Headers",
            "access-control-max-age",
            "access-control-allow-private-network",
            "access-control-",
        ]),
        text(&[
            "*",
            "true",
            "null",
            "https://evilexample.com",
            "https://example.com",
            "x-secret",
            "",
        ]),
    );
    let vary = (
        text(&["vary", "Vary"]),
        text(&[
            "Origin",
            "origin",
            "accept-encoding, ORIGIN",
            "Accept",
            "X-Origin",
            "Originx",
            "*",
            "Accept, *",
            "",
            ",",
            "Accept,",
        ]),
    );
    let line = prop_oneof![2 => own, 2 => cors, 1 => vary];
    let status = select(vec![200u16, 200, 204, 304, 404, 500, 302]);
    (status, prop::collection::vec(line, 0..6)).prop_map(|(status, lines)| {
        let headers: Lines = lines
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        Answer { status, headers }
    })
}
