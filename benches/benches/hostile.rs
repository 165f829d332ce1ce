//! CORS traffic made to cost: each kind in sizes n, 2n and 4n, of which the last is the one to fear.
//!
//! The policies have no `request` section, whose limits would refuse most of it before: this is the worst case.

use serde_json::{Value, json};

use crate::traffic::{Lines, request, response};

/// How many times n the sizes are.
pub(crate) const STEPS: [usize; 3] = [1, 2, 4];

/// One kind of traffic.
pub(crate) struct Hostile {
    pub(crate) name: &'static str,
    /// The largest size, in what the name says.
    pub(crate) most: usize,
    /// The traffic of one size.
    pub(crate) make: fn(usize) -> Traffic,
    /// The status of our own answer; `None` if the request goes to the upstream.
    pub(crate) status: Option<u16>,
}

/// A policy, a request and what the upstream would say to it.
pub(crate) struct Traffic {
    pub(crate) policy: Value,
    pub(crate) request: Lines,
    pub(crate) response: Lines,
}

/// The names that the policies let pages send, each of 31 bytes.
fn listed() -> impl Iterator<Item = String> + Clone {
    (0..128).map(|at| format!("x-{at:0>29}"))
}

/// A policy for so many origins.
fn policy(origins: &[String]) -> Value {
    json!({"version": 1, "cors": {
        "origins": origins,
        "methods": ["PUT"],
        "request_headers": listed().collect::<Vec<_>>(),
        "expose_headers": ["etag"],
        "max_age": "10m",
        "on_disallowed": "reject",
    }})
}

const ORIGIN: &str = "https://app.example.com";

fn one_origin() -> Value {
    policy(&[ORIGIN.to_owned()])
}

fn asked(origin: &str) -> Lines {
    let mut lines = request("GET", "/");
    lines.push(("origin".to_owned(), origin.to_owned()));
    lines
}

/// A preflight that asks for headers on these lines.
fn preflight(headers: impl IntoIterator<Item = String>) -> Traffic {
    let mut lines = request("OPTIONS", "/");
    lines.push(("origin".to_owned(), ORIGIN.to_owned()));
    lines.push(("access-control-request-method".to_owned(), "PUT".to_owned()));
    let headers = headers.into_iter();
    lines.extend(headers.map(|value| ("access-control-request-headers".to_owned(), value)));
    Traffic {
        policy: one_origin(),
        request: lines,
        response: response(),
    }
}

/// A request with `count` lines of one name.
fn repeated(method: &str, name: &str, value: &str, count: usize) -> Traffic {
    let mut lines = request(method, "/");
    lines.extend((0..count).map(|_| (name.to_owned(), value.to_owned())));
    Traffic {
        policy: one_origin(),
        request: lines,
        response: response(),
    }
}

/// An allowed request, and an upstream that adds these lines to its response.
fn answered(lines: impl IntoIterator<Item = (String, String)>) -> Traffic {
    let mut response = response();
    response.extend(lines);
    Traffic {
        policy: one_origin(),
        request: asked(ORIGIN),
        response,
    }
}

/// Scheme and colon of an origin of 300 bytes.
fn scheme() -> String {
    format!("app-{}://", "x".repeat(40))
}

/// A host of 253 bytes and 125 labels, that ends in `last`.
fn host(last: &str) -> String {
    let labels = (253 - last.len()) / 2;
    format!("{}{last}", "a.".repeat(labels))
}

/// Patterns that have all of a host's labels but the last in common with the origin.
fn nearly_matching(count: usize) -> Traffic {
    let patterns: Vec<String> = (0..count)
        .map(|at| {
            let labels = "a.".repeat(at % 120);
            format!("{}*.{labels}p{at}.de", scheme())
        })
        .collect();
    Traffic {
        policy: policy(&patterns),
        request: asked(&format!("{}{}", scheme(), host("pq.de"))),
        response: response(),
    }
}

/// Patterns for every parent of the origin's host, on other ports.
fn other_ports(count: usize) -> Traffic {
    let host = host("pq.de");
    let patterns: Vec<String> = (0..count)
        .map(|at| {
            let below = host.get(2 * (at % 120)..).unwrap_or_default();
            format!("https://*.{below}:{}", 1000 + at)
        })
        .filter(|pattern| pattern.len() <= 260)
        .collect();
    Traffic {
        policy: policy(&patterns),
        request: asked(&format!("https://{host}:65535")),
        response: response(),
    }
}

const MEGABYTE: usize = 1 << 20;

/// All kinds.
pub(crate) const ALL: [Hostile; 16] = [
    Hostile {
        name: "bytes of commas in Access-Control-Request-Headers",
        most: MEGABYTE,
        make: |bytes| preflight([",".repeat(bytes)]),
        status: Some(403),
    },
    Hostile {
        name: "lines of commas, ten each",
        most: 100_000,
        make: |lines| preflight((0..lines).map(|_| ",".repeat(10))),
        status: Some(403),
    },
    Hostile {
        name: "empty lines of Access-Control-Request-Headers",
        most: 100_000,
        make: |lines| preflight((0..lines).map(|_| String::new())),
        status: Some(403),
    },
    Hostile {
        name: "bytes of listed names",
        most: MEGABYTE,
        make: |bytes| {
            let names: Vec<String> = listed().cycle().take(bytes / 32).collect();
            preflight([names.join(",")])
        },
        status: Some(403),
    },
    Hostile {
        name: "listed names of 31 bytes",
        most: 128,
        make: |names| preflight([listed().take(names).collect::<Vec<_>>().join(",")]),
        status: Some(204),
    },
    Hostile {
        name: "lines of one listed name each",
        most: 128,
        make: |names| preflight(listed().take(names)),
        status: Some(204),
    },
    Hostile {
        name: "patterns that nearly match an origin of 300 bytes",
        most: 10_000,
        make: nearly_matching,
        status: Some(403),
    },
    Hostile {
        name: "patterns that match but for the port",
        most: 10_000,
        make: other_ports,
        status: Some(403),
    },
    Hostile {
        name: "bytes of one origin",
        most: MEGABYTE,
        make: |bytes| {
            let mut traffic = repeated("GET", "origin", &"https://a.".repeat(bytes / 10), 1);
            traffic.policy = policy(&["https://*.example.com".to_owned()]);
            traffic
        },
        status: Some(403),
    },
    Hostile {
        name: "lines of Origin",
        most: 10_000,
        make: |lines| repeated("GET", "origin", ORIGIN, lines),
        status: Some(403),
    },
    Hostile {
        name: "lines of Access-Control-Request-Method, all empty",
        most: 10_000,
        make: |lines| {
            let mut traffic = repeated("OPTIONS", "access-control-request-method", "", lines);
            traffic
                .request
                .push(("origin".to_owned(), ORIGIN.to_owned()));
            traffic
        },
        status: None,
    },
    Hostile {
        name: "bytes of the upstream's Vary",
        most: 1 << 16,
        make: |bytes| answered([("vary".to_owned(), "x-a,".repeat(bytes / 4))]),
        status: None,
    },
    Hostile {
        name: "lines of the upstream's Vary",
        most: 10_000,
        make: |lines| answered((0..lines).map(|_| ("vary".to_owned(), "x-a".to_owned()))),
        status: None,
    },
    Hostile {
        name: "upstream lines of Access-Control-Allow-Origin",
        most: 1_000,
        make: |lines| {
            let line = ("access-control-allow-origin".to_owned(), "*".to_owned());
            answered(std::iter::repeat_n(line, lines))
        },
        status: None,
    },
    Hostile {
        name: "upstream lines of one unknown Access-Control-*",
        most: 1_000,
        make: |lines| {
            let line = ("access-control-x".to_owned(), "*".to_owned());
            answered(std::iter::repeat_n(line, lines))
        },
        status: None,
    },
    Hostile {
        name: "upstream lines of unknown Access-Control-*, all different",
        most: 1_000,
        make: |lines| {
            answered((0..lines).map(|at| (format!("access-control-{at}"), "*".to_owned())))
        },
        status: None,
    },
];
