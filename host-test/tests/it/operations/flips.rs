//! Rollback: a policy changes under load, no request fails and no counter is lost; one that is bad changes nothing.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use portcullis_host_test::envoy::{self, Answered, Envoy, flood};
use portcullis_host_test::scenario::http::HttpTarget;
use portcullis_host_test::scenario::target::Target;
use portcullis_host_test::upstream::Upstream;
use serde_json::{Value, json};

use super::super::envoy::{get, ok, text};
use super::super::serve::Serve;
use super::{Load, number, reloadable, series};

const CONNECTIONS: usize = 8;
const FLIPS: usize = 20;

/// Admits three requests an hour of each client, where it is enforced.
fn policy(mode: &str, client: &Value) -> Value {
    json!({
        "version": 1,
        "name": "flipped",
        "mode": mode,
        "client": client,
        "request": {"hosts": ["api.example.com"]},
        "rate_limits": [{"name": "few", "quota": "3/1h"}],
        "headers": {"preset": "api"},
    })
}

/// Asks all the while that `change` runs.
fn under_load(to: SocketAddr, change: impl FnOnce(&Load)) -> Vec<Answered> {
    let load = Arc::new(Load::default());
    std::thread::scope(|scope| {
        let asks = Arc::clone(&load);
        let clients = std::iter::from_fn(move || asks.next());
        let asking = scope.spawn(move || flood(to, "/players/7", CONNECTIONS, clients));
        change(&load);
        load.stop();
        asking.join().unwrap().unwrap()
    })
}

fn by_status(answers: &[Answered]) -> BTreeMap<u16, u64> {
    let mut statuses = BTreeMap::new();
    for answer in answers {
        *statuses.entry(answer.status).or_default() += 1;
    }
    statuses
}

#[test]
fn twenty_flips_under_load_fail_no_request() {
    if !envoy::wanted("changes of a policy under load in a real Envoy") {
        return;
    }
    let client = json!({"forwarded": "host"});
    let upstream = Upstream::start().unwrap();
    upstream.respond(ok("{}"));
    let envoy =
        Envoy::start(&[reloadable("flipped", &policy("report", &client), &upstream)]).unwrap();
    let answers = under_load(envoy.address("flipped").unwrap(), |load| {
        for flip in 0..FLIPS {
            let before = load.asked();
            let mode = if flip % 2 == 0 { "enforce" } else { "report" };
            assert!(
                envoy
                    .reconfigure("flipped", text(&policy(mode, &client)))
                    .unwrap()
            );
            super::wait("requests under this policy", || {
                (load.asked() > before + 50).then_some(())
            });
        }
    });
    let statuses = by_status(&answers);
    println!(
        "envoy: {} requests over {FLIPS} flips: {statuses:?}",
        answers.len()
    );
    assert_eq!(
        statuses.keys().collect::<Vec<_>>(),
        [&200, &429],
        "{statuses:?}"
    );
    envoy.settle().unwrap();
    // To the request, through all of the flips.
    let requests = series(&envoy, "portcullis_requests_total");
    let count = |status: &str| -> f64 {
        let labels = format!("route=\"none\",status=\"{status}\"");
        requests.get(&labels).copied().unwrap_or(0.0)
    };
    assert_eq!(count("2xx"), statuses[&200] as f64, "{requests:?}");
    assert_eq!(count("4xx"), statuses[&429] as f64, "{requests:?}");

    // The last flip was to report. What was counted meanwhile counts once it is enforced again.
    assert!(
        envoy
            .reconfigure("flipped", text(&policy("enforce", &client)))
            .unwrap()
    );
    let mut target = HttpTarget::behind(&envoy, "flipped", &upstream).unwrap();
    let mut known = get("/players/7");
    known.client = answers[0].client.into();
    assert_eq!(target.exchange(&known, &ok("{}")).unwrap().status, 429);

    // A bad one.
    let place = envoy.log_end();
    let mut bad = policy("enforce", &client);
    bad["request"] = json!({"hots": ["api.example.com"]});
    let refused = under_load(envoy.address("flipped").unwrap(), |_| {
        assert!(!envoy.reconfigure("flipped", text(&bad)).unwrap());
    });
    let statuses = by_status(&refused);
    assert!(
        statuses.keys().all(|status| [200, 429].contains(status)),
        "{statuses:?}"
    );
    assert_eq!(target.exchange(&known, &ok("{}")).unwrap().status, 429);
    let log = envoy.log_since(place);
    let lines: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("/request/hots") && line.contains("did you mean `hosts`"))
        .collect();
    assert!(!lines.is_empty(), "{log}");
    assert!(
        number(&envoy, "portcullis_config_rejected_total") >= 1.0,
        "{}",
        envoy.prometheus().unwrap()
    );
}

#[test]
fn serve_flips_as_well() {
    let client = json!({});
    let folder = tempfile::tempdir().unwrap();
    let write = |policy: &Value| {
        let other = folder.path().join("new");
        std::fs::write(&other, policy.to_string()).unwrap();
        std::fs::rename(&other, folder.path().join("policy.yaml")).unwrap();
    };
    let policy = |mode: &str, flip: usize| {
        let mut policy = policy(mode, &client);
        policy["headers"] = json!({"set": {"x-flip": flip.to_string()}});
        policy
    };
    write(&policy("report", 0));
    let upstream = Upstream::start().unwrap();
    upstream.respond(ok("{}"));
    let serve = Serve::start(Path::new(folder.path()), upstream.address(), "2");
    let answers = under_load(serve.address, |load| {
        for flip in 1..=FLIPS {
            let before = load.asked();
            write(&policy(
                if flip % 2 == 1 { "enforce" } else { "report" },
                flip,
            ));
            serve.wait(" is serving");
            super::wait("requests under this policy", || {
                (load.asked() > before + 50).then_some(())
            });
        }
    });
    let statuses = by_status(&answers);
    println!(
        "serve: {} requests over {FLIPS} flips: {statuses:?}",
        answers.len()
    );
    assert_eq!(
        statuses.keys().collect::<Vec<_>>(),
        [&200, &429],
        "{statuses:?}"
    );
    let mut bad = policy("enforce", 0);
    bad["request"] = json!({"hots": ["api.example.com"]});
    write(&bad);
    serve.wait("unknown-key");
    serve.wait("policy `flipped` goes on serving");
    assert_eq!(serve.status("api.example.com"), "200");
}
