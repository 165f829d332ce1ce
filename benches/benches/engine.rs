//! What the engine costs by itself, without a gateway: nanoseconds a decision, under the policy of `envoy/policy.yaml`.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a bench that measures the wrong thing must stop"
)]

use std::hint::black_box;
use std::path::Path;
use std::rc::Rc;

use criterion::{Criterion, criterion_group, criterion_main};
use portcullis_host_test::document::Document;
use portcullis_policy::{Ambient, Decision, Policy, RequestHead, ResponseHead, load};
use serde_json::{Value, json};

/// A gateway that answers at once, so that only the engine is measured.
struct Gateway;

impl Ambient for Gateway {
    fn source(&self) -> Option<Vec<u8>> {
        Some(b"203.0.113.7:4711".to_vec())
    }

    fn fresh_id(&self) -> u128 {
        7
    }
}

type Lines = Vec<(&'static [u8], &'static [u8])>;

/// A request as a browser's script sends it.
fn request(method: &'static str, path: &'static str) -> Lines {
    let lines = [
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
    ];
    lines
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect()
}

fn response() -> Lines {
    let lines = [
        (":status", "200"),
        ("content-type", "application/json"),
        ("content-length", "183"),
        ("server", "uvicorn"),
        ("x-powered-by", "demo"),
        ("etag", "\"5f3e\""),
        ("cache-control", "private, max-age=5"),
    ];
    lines
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect()
}

fn example() -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../envoy/policy.yaml");
    Document::read_file(&file)
        .expect("the example policy is readable")
        .value
}

/// A policy with so many routes beside the one that is asked for.
fn many_routes(count: usize) -> Value {
    let routes = (0..count)
        .map(|at| json!({"name": format!("r{at}"), "path": format!("/v1/thing-{at}/{{id}}/part")}));
    let asked = json!({"name": "players", "path": "/players/{player_id}"});
    json!({"version": 1, "unmatched": "reject", "routes": routes.chain([asked]).collect::<Vec<_>>()})
}

fn compiled(policy: &Value) -> Rc<Policy> {
    let verdict = load(policy.to_string().as_bytes());
    Rc::new(
        verdict
            .policy
            .unwrap_or_else(|| panic!("the policy is refused: {:?}", verdict.diagnostics)),
    )
}

fn engine(criterion: &mut Criterion) {
    let text = example().to_string();
    criterion.bench_function("load the example policy", |bench| {
        bench.iter(|| load(black_box(text.as_bytes())))
    });

    let example = compiled(&example());
    let mut decide = |name: &str, policy: &Rc<Policy>, lines: &Lines, status: Option<u16>| {
        let got = match policy
            .begin()
            .on_request_head(&RequestHead::new(lines), &Gateway)
        {
            Decision::Reply(reply) => Some(reply.status),
            _ => None,
        };
        assert_eq!(got, status, "{name}");
        criterion.bench_function(name, |bench| {
            bench.iter(|| {
                policy
                    .begin()
                    .on_request_head(&RequestHead::new(black_box(lines)), &Gateway)
            });
        });
    };
    decide(
        "let a request through",
        &example,
        &request("GET", "/players/7?fields=name"),
        None,
    );
    decide(
        "refuse a path",
        &example,
        &request("GET", "/admin"),
        Some(404),
    );
    decide(
        "refuse a method",
        &example,
        &request("PATCH", "/players/7"),
        Some(405),
    );
    decide(
        "let a request through, 1000 routes",
        &compiled(&many_routes(1_000)),
        &request("GET", "/players/7"),
        None,
    );

    let lines = response();
    let mut exchange = example.begin();
    exchange.on_request_head(&RequestHead::new(&request("GET", "/players/7")), &Gateway);
    criterion.bench_function("harden a response", |bench| {
        bench.iter(|| {
            exchange
                .on_response_head(&ResponseHead::new(black_box(&lines)))
                .len()
        });
    });
}

criterion_group!(benches, engine);
criterion_main!(benches);
