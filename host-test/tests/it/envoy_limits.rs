//! Rate limits in a real Envoy whose worker threads race: what is admitted is the limit, to the request.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use portcullis_host_test::envoy::{self, Envoy, flood};
use portcullis_host_test::upstream::Upstream;
use serde_json::json;

use super::envoy::{listener, ok, text};

const CONNECTIONS: usize = 32;

/// How many requests each client got through, with every other one refused as over the limit.
fn admitted(envoy: &Envoy, clients: u8, requests: usize) -> BTreeMap<Ipv4Addr, u64> {
    let to = envoy.address("limited").unwrap();
    let client = move |number: usize| {
        Ipv4Addr::new(
            203,
            0,
            113,
            u8::try_from(number % usize::from(clients)).unwrap(),
        )
    };
    let answers = flood(to, "/", CONNECTIONS, (0..requests).map(client)).unwrap();
    assert_eq!(answers.len(), requests);
    let mut admitted = BTreeMap::new();
    for answer in answers {
        let count: &mut u64 = admitted.entry(answer.client).or_default();
        match answer.status {
            200 => *count += 1,
            status => assert_eq!(status, 429),
        }
    }
    admitted
}

#[test]
fn two_workers_admit_exactly_the_limit() {
    if !envoy::wanted("rate limits with two workers in a real Envoy") {
        return;
    }
    let upstream = Upstream::start().unwrap();
    upstream.respond(ok("{}"));
    let check = |what: &str, quota: &str, algorithm: &str, clients: u8, limit: u64| {
        let policy = json!({
            "version": 1,
            "client": {"forwarded": "host"},
            "rate_limits": [{"name": "each", "quota": quota, "algorithm": algorithm}],
        });
        let envoy = Envoy::start_with(&[listener("limited", text(&policy), &upstream)], 2).unwrap();
        let requests = usize::try_from(limit).unwrap() * usize::from(clients) * 3;
        let admitted = admitted(&envoy, clients, requests);
        assert_eq!(admitted.len(), usize::from(clients), "{what}");
        for (client, count) in &admitted {
            assert_eq!(*count, limit, "{what}: {client}; the log:\n{}", envoy.log());
        }
        // What the clients say, the upstream's side says too.
        assert_eq!(
            envoy.stats("cluster.limited.upstream_rq_total").unwrap(),
            [(
                "cluster.limited.upstream_rq_total".to_owned(),
                limit * u64::from(clients)
            )],
            "{what}"
        );
        // Without a race this would show nothing.
        let dealt = envoy.stats(".downstream_cx_total").unwrap();
        for worker in [".worker_0.", ".worker_1."] {
            assert!(
                dealt
                    .iter()
                    .any(|(name, count)| name.contains(worker) && *count > 1),
                "{what}: {dealt:?}"
            );
        }
    };
    check("one client", "1000/30d", "gcra", 1, 1000);
    check("one window", "1000/30d", "fixed-window", 1, 1000);
    check("many clients", "50/30d", "gcra", 20, 50);
}
