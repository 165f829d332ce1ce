//! What CORS costs, on the clean path and under attack: each figure also as a multiple of one plain exchange without it.

#![expect(
    clippy::panic,
    reason = "a bench that measures the wrong thing must stop"
)]

mod best;
mod hostile;
mod traffic;

use std::hint::black_box;
use std::rc::Rc;

use best::measure;
use criterion::Criterion;
use hostile::{ALL, STEPS, Traffic};
use portcullis_policy::{Decision, Line, Policy, RequestHead, ResponseHead, load};
use serde_json::{Value, json};
use traffic::{Gateway, Lines, borrowed, compiled, request, response};

/// A request and its response through the engine; the status of its own answer, if it gives one.
fn exchange(policy: &Rc<Policy>, request: &[Line<'_>], response: &[Line<'_>]) -> Option<u16> {
    let mut exchange = policy.begin();
    if let Decision::Reply(reply) = exchange.on_request_head(&RequestHead::new(request), &Gateway) {
        return Some(black_box(reply).status);
    }
    if exchange.reads_response() {
        black_box(exchange.on_response_head(&ResponseHead::new(response), &Gateway));
    }
    None
}

fn measure_exchange(
    criterion: &mut Criterion,
    name: &str,
    traffic: &Traffic,
    status: Option<u16>,
) -> f64 {
    let policy = compiled(&traffic.policy);
    let (request, response) = (borrowed(&traffic.request), borrowed(&traffic.response));
    let got = exchange(&policy, &request, &response);
    assert_eq!(got, status, "{name}");
    measure(criterion, name, || {
        exchange(&policy, black_box(&request), black_box(&response))
    })
}

/// Lists of origins that have `https://p7.example.com`, and nothing below `example.net`.
fn origins() -> [(&'static str, Value); 3] {
    let many = |pattern: fn(usize) -> String| (0..10_000).map(pattern).collect::<Vec<_>>();
    [
        ("1 origin", json!(["https://p7.example.com"])),
        (
            "10,000 origins",
            json!(many(|at| format!("https://p{at}.example.com"))),
        ),
        (
            "10,000 domains",
            json!(many(|at| match at {
                7 => "https://*.example.com".to_owned(),
                _ => format!("https://*.p{at}.example.com"),
            })),
        ),
    ]
}

/// What browsers send: name, lines, and the status of our own answer under a policy with cors.
fn clean() -> Vec<(&'static str, Lines, Option<u16>)> {
    let asked = |method: &str, extra: &[(&str, &str)]| {
        let mut lines = request(method, "/players/7");
        let extra = extra.iter();
        lines.extend(extra.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        lines
    };
    let preflight = |origin: &str, headers: &str| {
        asked(
            "OPTIONS",
            &[
                ("origin", origin),
                ("access-control-request-method", "PUT"),
                ("access-control-request-headers", headers),
            ],
        )
    };
    let (listed, other) = ("https://p7.example.com", "https://p7.example.net");
    let headers = "authorization,content-type";
    vec![
        ("no origin", asked("GET", &[]), None),
        ("origin allowed", asked("GET", &[("origin", listed)]), None),
        (
            "origin not allowed",
            asked("GET", &[("origin", other)]),
            None,
        ),
        ("preflight granted", preflight(listed, headers), Some(204)),
        (
            "preflight refused, origin",
            preflight(other, headers),
            Some(403),
        ),
        (
            "preflight refused, header",
            preflight(listed, "x-other"),
            Some(403),
        ),
    ]
}

fn main() {
    let criterion = &mut best::criterion();

    let mut rows = Vec::new();
    let mut plain = f64::NAN;
    let nothing = json!({"version": 1});
    let cors = |origins: &Value| {
        json!({"version": 1, "cors": {
            "origins": origins,
            "methods": ["PUT"],
            "request_headers": ["authorization", "content-type"],
            "expose_headers": ["etag"],
            "credentials": true,
            "max_age": "10m",
        }})
    };
    let with = |policy: &Value, request: &Lines| Traffic {
        policy: policy.clone(),
        request: request.clone(),
        response: response(),
    };
    for (name, request, _) in clean() {
        let label = format!("without cors/{name}");
        let best = measure_exchange(criterion, &label, &with(&nothing, &request), None);
        if plain.is_nan() {
            plain = best;
        }
        rows.push((label, best));
    }
    for (kind, origins) in origins() {
        for (name, request, status) in clean() {
            let label = format!("{kind}/{name}");
            let traffic = with(&cors(&origins), &request);
            rows.push((
                label.clone(),
                measure_exchange(criterion, &label, &traffic, status),
            ));
        }
    }

    let mut growths = Vec::new();
    for kind in ALL {
        let best = STEPS.map(|step| {
            let size = kind.most / 4 * step;
            let label = format!("{} {}", size, kind.name);
            measure_exchange(criterion, &label, &(kind.make)(size), kind.status)
        });
        growths.push((format!("{} {}", kind.most, kind.name), best));
    }
    for (kind, origins) in origins().into_iter().skip(1) {
        let best = STEPS.map(|step| {
            let some: Vec<&Value> = origins.as_array().into_iter().flatten().collect();
            let some = some.get(..some.len() / 4 * step);
            let text = cors(&json!(some)).to_string();
            let label = format!("load/{step} quarters of {kind}");
            measure(criterion, &label, || load(black_box(text.as_bytes())))
        });
        growths.push((format!("load {kind}"), best));
    }
    print(plain, &rows, &growths);
}

fn print(plain: f64, rows: &[(String, f64)], growths: &[(String, [f64; 3])]) {
    println!("\n{:<62}{:>12}{:>9}", "one exchange", "ns", "× plain");
    for (name, best) in rows {
        println!("{name:<62}{best:>12.0}{:>9.1}", best / plain);
    }
    println!(
        "\n{:<62}{:>12}{:>12}{:>12}{:>9}{:>9}",
        "of size 4n", "n, ns", "2n, ns", "4n, ns", "4n/n", "× plain"
    );
    for (name, [one, two, four]) in growths {
        println!(
            "{name:<62}{one:>12.0}{two:>12.0}{four:>12.0}{:>9.1}{:>9.1}",
            four / one,
            four / plain
        );
    }
}
