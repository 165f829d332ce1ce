//! Metrics in a real Envoy: labels, counts to the request, and how many series there come to be.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use portcullis_host_test::document::Document;
use portcullis_host_test::envoy::{self, Envoy, flood};
use portcullis_host_test::scenario::http::HttpTarget;
use portcullis_host_test::scenario::target::{Respond, Target};
use portcullis_host_test::upstream::Upstream;
use serde_json::{Value, json};

use super::super::envoy::{get, listener, ok, root, text};
use super::{decisions, number, reloadable, series, wait};

fn policy(mode: &str) -> Value {
    json!({
        "version": 1,
        "name": "counted",
        "mode": mode,
        "client": {"forwarded": "host"},
        "request": {"hosts": ["api.example.com"]},
        "rate_limits": [{"name": "tight", "quota": "2/1h", "mode": "report"}],
        "routes": [
            {"name": "players", "path": "/players/{id}", "methods": ["GET"]},
            {"name": "moves.v2", "path": "/moves", "methods": ["POST"], "validate": {"body": {"schema": {
                "type": "object", "required": ["card"], "properties": {"card": {"type": "integer", "maximum": 52}}}}}},
        ],
        "unmatched": "reject",
        "errors": {"mask_upstream": true},
        "observe": {"log": "all"},
    })
}

/// Sends a mixture, and says how often each status came.
fn mixture(target: &mut HttpTarget<'_>) -> BTreeMap<u16, u64> {
    let mut statuses = BTreeMap::new();
    let mut send = |count: usize, path: &str, host: &str, body: Option<&str>, respond: &Respond| {
        for _ in 0..count {
            let mut request = get(path);
            request.host = host.into();
            if let Some(body) = body {
                request.method = "POST".into();
                request.headers.push("content-type", "application/json");
                request.body = vec![body.into()];
            }
            let observed = target.exchange(&request, respond).unwrap();
            *statuses.entry(observed.status).or_default() += 1;
        }
    };
    let well = ok("{}");
    let ill = Respond {
        status: 500,
        ..ok("<h1>Traceback</h1>")
    };
    let api = "api.example.com";
    send(5, "/players/7", api, None, &well);
    send(3, "/players/7", api, None, &ill);
    send(4, "/players/7", "evil.example", None, &well);
    send(2, "/nowhere", api, None, &well);
    send(6, "/moves", api, Some(r#"{"card": 7}"#), &well);
    send(7, "/moves", api, Some(r#"{"card": 77}"#), &well);
    send(1, "/moves", api, Some("{}"), &well);
    statuses
}

fn labels(pairs: &[(&str, &str)]) -> String {
    let mut labels: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}=\"{value}\""))
        .collect();
    labels.sort_unstable();
    labels.join(",")
}

#[test]
fn prometheus_is_told_of_every_request_by_label() {
    if !envoy::wanted("metrics in a real Envoy") {
        return;
    }
    let upstream = Upstream::start().unwrap();
    let envoy = Envoy::start(&[listener("counted", text(&policy("enforce")), &upstream)]).unwrap();
    let mut target = HttpTarget::behind(&envoy, "counted", &upstream).unwrap();
    let statuses = mixture(&mut target);
    assert_eq!(
        statuses,
        BTreeMap::from([(200, 11), (404, 2), (421, 4), (422, 8), (500, 3)])
    );
    let requests = series(&envoy, "portcullis_requests_total");
    let expected = [
        ("players", "2xx", 5.0),
        ("players", "5xx", 3.0),
        ("players", "4xx", 4.0),
        ("none", "4xx", 2.0),
        ("moves.v2", "2xx", 6.0),
        ("moves.v2", "4xx", 8.0),
    ];
    let expected: BTreeMap<String, f64> = expected
        .into_iter()
        .map(|(route, status, count)| (labels(&[("route", route), ("status", status)]), count))
        .collect();
    assert_eq!(requests, expected, "{}", envoy.prometheus().unwrap());

    let found = series(&envoy, "portcullis_decisions_total");
    let count = |protection: &str, rule: &str, route: &str, mode: &str, outcome: &str| {
        let labels = labels(&[
            ("protection", protection),
            ("rule", rule),
            ("route", route),
            ("mode", mode),
            ("outcome", outcome),
        ]);
        found.get(&labels).copied().unwrap_or(0.0)
    };
    assert_eq!(
        count("request", "request.hosts", "players", "enforce", "refused"),
        4.0,
        "{found:?}"
    );
    assert_eq!(
        count("unmatched", "unmatched", "none", "enforce", "refused"),
        2.0,
        "{found:?}"
    );
    assert_eq!(
        count(
            "errors",
            "errors.mask_upstream",
            "players",
            "enforce",
            "masked"
        ),
        3.0,
        "{found:?}"
    );
    assert_eq!(
        count("validate", "validate", "moves.v2", "enforce", "refused"),
        8.0,
        "{found:?}"
    );
    // What the limit would have refused: all that it was asked for but two.
    let limited: f64 = found
        .iter()
        .filter(|(labels, _)| labels.contains(r#"rule="tight""#))
        .inspect(|(labels, _)| {
            assert!(labels.contains(r#"mode="report""#) && labels.contains(r#"outcome="refused""#))
        })
        .map(|(_, count)| count)
        .sum();
    assert_eq!(limited, 20.0, "{found:?}");
    let violations = series(&envoy, "portcullis_violations_total");
    let expected = [("maximum", 7.0), ("required", 1.0)]
        .map(|(keyword, count)| (labels(&[("keyword", keyword)]), count));
    assert_eq!(violations, BTreeMap::from(expected));

    // The log says the same, request by request.
    let lines = decisions(&envoy.log());
    assert_eq!(lines.len(), 28, "{}", envoy.log());
    for (status, count) in &statuses {
        let said = lines
            .iter()
            .filter(|line| line["status"] == *status)
            .count();
        assert_eq!(u64::try_from(said).unwrap(), *count, "{status}");
    }
    let said = |decision: &str| {
        lines
            .iter()
            .filter(|line| line["decision"] == decision)
            .count()
    };
    assert_eq!((said("refused"), said("masked")), (14, 3));
    assert_eq!(said("passed") + said("would-refuse"), 11);

    // Histograms come with Envoy's next flush.
    let durations = wait("the histogram", || {
        let counts = series(&envoy, "portcullis_request_duration_us_count");
        (counts.values().sum::<f64>() == 28.0).then_some(counts)
    });
    assert_eq!(durations, requests);
    let buckets = series(&envoy, "portcullis_request_duration_us_bucket");
    let wanted = labels(&[("route", "players"), ("status", "2xx"), ("le", "30000000")]);
    assert_eq!(buckets.get(&wanted), Some(&5.0), "{buckets:?}");
    let least = labels(&[("route", "players"), ("status", "2xx"), ("le", "100")]);
    assert!(buckets.contains_key(&least), "{buckets:?}");

    assert!(number(&envoy, "portcullis_guest_memory_bytes") >= 1e6);
    assert!(number(&envoy, "portcullis_policy_hash") > 0.0);
    assert!(number(&envoy, "portcullis_config_loaded_total") >= 1.0);
    for rare in [
        "failures",
        "config_rejected",
        "limit_retries",
        "limit_exhausted",
        "limit_evictions",
    ] {
        let name = format!("portcullis_{rare}_total");
        assert_eq!(
            series(&envoy, &name),
            BTreeMap::from([(String::new(), 0.0)]),
            "{name}"
        );
    }
}

#[test]
fn two_workers_count_and_log_every_request_of_a_flood() {
    if !envoy::wanted("a flood counted by a real Envoy") {
        return;
    }
    let mut policy = policy("enforce");
    policy["rate_limits"] = json!([{"name": "tight", "quota": "100/30d"}]);
    let upstream = Upstream::start().unwrap();
    upstream.respond(ok("{}"));
    let envoy = Envoy::start_with(&[listener("counted", text(&policy), &upstream)], 2).unwrap();
    let to = envoy.address("counted").unwrap();
    let clients = (0..6000_u32).map(|number| Ipv4Addr::from(0xCB00_7100 | (number % 16)));
    let answers = flood(to, "/players/7", 16, clients).unwrap();
    let with = |status: u16| {
        answers
            .iter()
            .filter(|answer| answer.status == status)
            .count()
    };
    let (passed, refused) = (with(200), with(429));
    assert_eq!((passed, passed + refused), (1600, 6000));
    let requests = wait("the counts", || {
        let requests = series(&envoy, "portcullis_requests_total");
        (requests.values().sum::<f64>() >= 6000.0).then_some(requests)
    });
    let of = |status: &str| labels(&[("route", "players"), ("status", status)]);
    let expected = [(of("2xx"), 1600.0), (of("4xx"), 4400.0)];
    assert_eq!(requests, BTreeMap::from(expected));
    let lines = wait("the lines", || {
        let lines = decisions(&envoy.log());
        (lines.len() >= 6000).then_some(lines)
    });
    let said = |decision: &str| {
        lines
            .iter()
            .filter(|line| line["decision"] == decision)
            .count()
    };
    assert_eq!(
        (said("passed"), said("refused"), lines.len()),
        (1600, 4400, 6000)
    );
    let mut ids: Vec<&str> = lines
        .iter()
        .filter_map(|line| line["request_id"].as_str())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 6000, "two requests have one id");
}

#[test]
fn two_hundred_policies_leave_no_series_behind() {
    if !envoy::wanted("200 changes of a policy in a real Envoy") {
        return;
    }
    let upstream = Upstream::start().unwrap();
    let envoy = Envoy::start(&[reloadable("counted", &policy("report"), &upstream)]).unwrap();
    let ours = |envoy: &Envoy| -> usize {
        let stats = envoy.stats("wasmcustom.").unwrap();
        stats.len() + envoy.histograms("wasmcustom.").unwrap()
    };
    let mut after_two = 0;
    for flip in 0..200 {
        let mode = if flip % 2 == 0 { "enforce" } else { "report" };
        assert!(
            envoy.reconfigure("counted", text(&policy(mode))).unwrap(),
            "{}",
            envoy.log()
        );
        let mut target = HttpTarget::behind(&envoy, "counted", &upstream).unwrap();
        mixture(&mut target);
        if flip == 1 {
            after_two = ours(&envoy);
        }
    }
    assert_eq!(ours(&envoy), after_two);
    assert!((20..=500).contains(&after_two), "{after_two} series");
    let counted: f64 = series(&envoy, "portcullis_requests_total").values().sum();
    assert_eq!(counted, 200.0 * 28.0);
    // One VM: each policy was given to one that was there already.
    assert_eq!(number(&envoy, "portcullis_config_rejected_total"), 0.0);
}

#[test]
fn routes_past_the_share_are_counted_as_others() {
    if !envoy::wanted("many routes in a real Envoy") {
        return;
    }
    let routes: Vec<Value> = (0..400)
        .map(|at| json!({"name": format!("r{at}"), "path": format!("/r{at}")}))
        .collect();
    let policy = json!({"version": 1, "client": {"forwarded": "host"}, "request": {}, "routes": routes, "unmatched": "reject"});
    let upstream = Upstream::start().unwrap();
    let envoy = Envoy::start(&[listener("many", text(&policy), &upstream)]).unwrap();
    let mut target = HttpTarget::behind(&envoy, "many", &upstream).unwrap();
    for at in 0..400 {
        let observed = target
            .exchange(&get(&format!("/r{at}")), &ok("{}"))
            .unwrap();
        assert_eq!(observed.status, 200);
    }
    target.exchange(&get("/nowhere"), &ok("{}")).unwrap();
    let all = envoy.stats("wasmcustom.").unwrap().len() + envoy.histograms("wasmcustom.").unwrap();
    assert!(all <= 500, "{all} series");
    let requests = series(&envoy, "portcullis_requests_total");
    assert_eq!(requests.values().sum::<f64>(), 401.0);
    assert!(requests[&labels(&[("route", "other"), ("status", "2xx")])] > 100.0);
    assert_eq!(
        requests[&labels(&[("route", "none"), ("status", "4xx")])],
        1.0
    );
}

#[test]
fn the_tags_are_those_of_the_configuration_to_copy() {
    let copied = Document::read_file(&root().join("envoy/envoy.yaml"))
        .unwrap()
        .value;
    assert!(
        copied["stats_config"]["stats_tags"]
            .as_array()
            .is_some_and(|tags| tags.len() == 8)
    );
}
