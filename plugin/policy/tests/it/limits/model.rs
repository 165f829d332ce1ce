//! An exact limiter in memory, and the engine beside it: equal where the table is large enough, and never stricter where
//! it is small.

use std::collections::HashMap;

use proptest::prelude::*;

use super::{Clocked, SECOND, limits};

/// A limit over unbounded memory, as the standard texts define it.
struct Model {
    count: u64,
    seconds: u64,
    burst: u64,
    cost: u64,
    window: bool,
    /// Of each client, the theoretical arrival time; or when its window ends, and what is in it.
    clients: HashMap<usize, (u64, u64)>,
}

impl Model {
    fn admits(&mut self, client: usize, now: u64) -> bool {
        let length = self.seconds * SECOND;
        if self.window {
            let (end, used) = self.clients.get(&client).copied().unwrap_or((0, 0));
            let (end, used) = if end > now {
                (end, used)
            } else {
                (now + length, 0)
            };
            let fits = used + self.cost <= self.count;
            if fits {
                self.clients.insert(client, (end, used + self.cost));
            }
            return fits;
        }
        let period = length.div_ceil(self.count);
        let (arrival, _) = self.clients.get(&client).copied().unwrap_or((0, 0));
        let next = arrival.max(now) + period * self.cost;
        let fits = next <= now + period * self.burst;
        if fits {
            self.clients.insert(client, (next, 0));
        }
        fits
    }
}

/// A limit, and requests: who sends each, and how long after the one before.
#[derive(Clone, Debug)]
struct Traffic {
    count: u64,
    seconds: u64,
    burst: u64,
    cost: u64,
    window: bool,
    requests: Vec<(usize, u64)>,
}

fn traffic(clients: usize) -> impl Strategy<Value = Traffic> {
    let pause = prop_oneof![
        3 => Just(0u64),
        3 => 0..SECOND,
        2 => 0..20 * SECOND,
        1 => 0..4000 * SECOND
    ];
    let requests = prop::collection::vec((0..clients, pause), 1..200);
    (
        1u64..12,
        1u64..60,
        1u64..12,
        1u64..4,
        any::<bool>(),
        requests,
    )
        .prop_map(|(count, seconds, burst, cost, window, requests)| {
            let burst = if window { count } else { burst };
            Traffic {
                count,
                seconds,
                burst,
                cost: cost.min(burst),
                window,
                requests,
            }
        })
}

/// What the engine and the model say to each request.
fn told(traffic: &Traffic, capacity: u32) -> Vec<(bool, bool)> {
    let Traffic {
        count,
        seconds,
        burst,
        cost,
        ..
    } = traffic;
    let kind = match traffic.window {
        true => r#""algorithm":"fixed-window""#.to_owned(),
        false => format!(r#""burst":{burst}"#),
    };
    let policy = limits(&format!(
        r#"[{{"name":"a","quota":"{count}/{seconds}s","cost":{cost},"capacity":{capacity},{kind},"key":["header:x-key"]}}]"#
    ));
    let mut model = Model {
        count: *count,
        seconds: *seconds,
        burst: *burst,
        cost: *cost,
        window: traffic.window,
        clients: HashMap::new(),
    };
    let here = Clocked::default();
    here.pass(SECOND);
    let requests = traffic.requests.iter().map(|(client, pause)| {
        here.pass(*pause);
        let key = client.to_string();
        let outcome = here.send(&policy, &[(":path", "/"), ("x-key", &key)]);
        let now = here.gateway.now.get();
        (outcome.status == 0, model.admits(*client, now))
    });
    requests.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_table_that_is_large_enough_counts_exactly(traffic in traffic(6)) {
        for (at, (engine, model)) in told(&traffic, 4096).into_iter().enumerate() {
            prop_assert_eq!(engine, model, "request {}", at);
        }
    }

    /// Eight buckets for forty clients: somebody is forgotten, and then begins afresh. What the model would then say is
    /// no longer known, so the first refusal of each client is held, and every one after a time that heals all.
    #[test]
    fn a_small_table_refuses_nobody_who_asks_for_the_first_time(traffic in traffic(40)) {
        let mut sent: HashMap<usize, u64> = HashMap::new();
        let told = told(&traffic, 8);
        for ((client, _), (engine, _)) in traffic.requests.iter().zip(told) {
            let before = sent.entry(*client).or_default();
            let room = if traffic.window { traffic.count } else { traffic.burst };
            if (*before + 1) * traffic.cost <= room {
                prop_assert!(engine, "client {} has sent {}", client, before);
            }
            *before += 1;
        }
    }
}
