//! What the engine costs by itself, without a gateway: nanoseconds a decision, under the policy of `envoy/policy.yaml`.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a bench that measures the wrong thing must stop"
)]

mod traffic;

use std::hint::black_box;
use std::path::Path;
use std::rc::Rc;

use criterion::{Criterion, criterion_group, criterion_main};
use portcullis_host_test::document::Document;
use portcullis_policy::{Decision, Policy, RequestHead, ResponseHead, load};
use serde_json::{Value, json};
use traffic::{Gateway, Lines, borrowed, compiled, request, response};

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

fn engine(criterion: &mut Criterion) {
    let text = example().to_string();
    criterion.bench_function("load the example policy", |bench| {
        bench.iter(|| load(black_box(text.as_bytes())))
    });

    let example = compiled(&example());
    let mut decide = |name: &str, policy: &Rc<Policy>, lines: &Lines, status: Option<u16>| {
        let lines = borrowed(lines);
        let got = match policy
            .begin()
            .on_request_head(&RequestHead::new(&lines), &Gateway)
        {
            Decision::Reply(reply) => Some(reply.status),
            _ => None,
        };
        assert_eq!(got, status, "{name}");
        criterion.bench_function(name, |bench| {
            bench.iter(|| {
                policy
                    .begin()
                    .on_request_head(&RequestHead::new(black_box(&lines)), &Gateway)
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

    let (request, response) = (request("GET", "/players/7"), response());
    let lines = borrowed(&response);
    let mut exchange = example.begin();
    exchange.on_request_head(&RequestHead::new(&borrowed(&request)), &Gateway);
    criterion.bench_function("harden a response", |bench| {
        bench.iter(|| {
            exchange
                .on_response_head(&ResponseHead::new(black_box(&lines)), &Gateway)
                .len()
        });
    });
}

criterion_group!(benches, engine);
criterion_main!(benches);
