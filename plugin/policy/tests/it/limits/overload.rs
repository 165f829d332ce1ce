//! More clients than the table holds: a spray of keys that are never seen again, beside clients that keep their limit
//! and clients that do not.
//!
//! The figures are a sixteenth of a gateway's with 8192 buckets, at the same ratio of live keys to buckets. A key is
//! live for as long as its bucket would say anything: three seconds after one request of 20 a minute.

use std::cell::Cell;

use portcullis_policy::{Ambient, Decision, Line, LocalStore, RequestHead, Store};

use super::{SECOND, limits};

/// The quota: 20 in a minute.
const COUNT: u64 = 20;
const PERIOD: u64 = 3 * SECOND;
/// Buckets: the sixteenth part of 8192.
const ENTRIES: u64 = 512;
const SPAN: u64 = 100 * SECOND;

/// A gateway, and the client whose request it has before it.
struct Crowd {
    store: LocalStore,
    now: Cell<u64>,
    client: Cell<u32>,
}

impl Ambient for Crowd {
    fn source(&self) -> Option<Vec<u8>> {
        let [_, a, b, c] = self.client.get().to_be_bytes();
        Some(format!("10.{a}.{b}.{c}:4711").into_bytes())
    }

    fn fresh_id(&self) -> u128 {
        0
    }

    fn now(&self) -> u64 {
        self.now.get()
    }

    fn store(&self) -> &dyn Store {
        &self.store
    }
}

/// Who sends how much.
struct Scenario {
    name: &'static str,
    algorithm: &'static str,
    /// Requests a second of clients that come once.
    spray: u64,
    /// Clients with one request in ten seconds.
    legit: u64,
    /// Clients with so many requests a minute each.
    abusers: u64,
    abusers_rate: u64,
}

/// What became of them.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    requests: u64,
    legit: u64,
    denied_wrongly: u64,
    /// Of abusers, after their first refusal: what an exact limiter admits, and what was admitted.
    exact: u64,
    admitted: u64,
}

/// What an exact limiter keeps of a client.
#[derive(Clone, Default)]
struct Exact {
    /// When all is as if nothing had been: the theoretical arrival time, or the end of the window.
    time: u64,
    /// How much is in the window.
    used: u64,
}

impl Exact {
    fn admits(&mut self, is_window: bool, now: u64) -> bool {
        if !is_window {
            let next = self.time.max(now) + PERIOD;
            let fits = next <= now + PERIOD * COUNT;
            if fits {
                self.time = next;
            }
            return fits;
        }
        if self.time <= now {
            (self.time, self.used) = (now + PERIOD * COUNT, 0);
        }
        self.used += 1;
        self.used <= COUNT
    }
}

/// A request of everybody who asks regularly: when, and who. Offsets are spread, so that nobody keeps step.
fn regular(clients: u64, first: u64, interval: u64, all: &mut Vec<(u64, u64)>) {
    for client in 0..clients {
        let mut at = (client * 7919 + 13) * 104_729 % interval;
        while at < SPAN {
            all.push((at, first + client));
            at += interval;
        }
    }
}

fn told(scenario: &Scenario) -> Told {
    let mut requests = Vec::new();
    regular(scenario.legit, 0, 10 * SECOND, &mut requests);
    let first_abuser = scenario.legit;
    let abuse = 60 * SECOND / scenario.abusers_rate.max(1);
    regular(scenario.abusers, first_abuser, abuse, &mut requests);
    let first_spray = first_abuser + scenario.abusers;
    for n in 0..scenario.spray * SPAN / SECOND {
        requests.push((n * SECOND / scenario.spray, first_spray + n));
    }
    requests.sort_unstable();

    let policy = limits(&format!(
        r#"[{{"name":"a","quota":"{COUNT}/1m","capacity":{ENTRIES},"algorithm":"{}"}}]"#,
        scenario.algorithm
    ));
    let crowd = Crowd {
        store: LocalStore::default(),
        now: Cell::new(0),
        client: Cell::new(0),
    };
    let head: [Line<'_>; 2] = [(b":method", b"GET"), (b":path", b"/")];
    let head = RequestHead::new(&head);
    let mut told = Told {
        requests: requests.len() as u64,
        legit: 0,
        denied_wrongly: 0,
        exact: 0,
        admitted: 0,
    };
    // Of each abuser, what an exact limiter keeps, and whether it has met its limit.
    let mut exact = vec![(Exact::default(), false); scenario.abusers as usize];
    let is_window = scenario.algorithm == "fixed-window";
    for (at, client) in requests {
        // The clock of a host that has been up for a while.
        let now = 3600 * SECOND + at;
        crowd.now.set(now);
        crowd.client.set(client as u32);
        let mut exchange = policy.begin();
        let decision = exchange.on_request_head(&head, &crowd);
        let admitted = matches!(decision, Decision::Continue(_));
        let abuser = client.checked_sub(first_abuser);
        let Some((exact, established)) = abuser.and_then(|at| exact.get_mut(at as usize)) else {
            // Neither who asks once nor who asks once in ten seconds is ever at this limit.
            told.legit += u64::from(client < first_abuser);
            told.denied_wrongly += u64::from(!admitted);
            continue;
        };
        let fits = exact.admits(is_window, now);
        if *established {
            told.exact += u64::from(fits);
            told.admitted += u64::from(admitted);
        }
        *established |= !fits;
    }
    told
}

fn percent(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

/// Runs a scenario, and prints its row.
fn row(scenario: &Scenario) -> Told {
    let told = told(scenario);
    let live = match scenario.algorithm {
        "gcra" => (scenario.spray + scenario.legit / 10) * PERIOD / SECOND,
        // A window is as long, whatever is in it.
        _ => scenario.spray * 60 + scenario.legit,
    } + scenario.abusers;
    println!(
        "{:34} | {:5.2} | {:8} | {:8.3} % | {:+8.2} %",
        scenario.name,
        live as f64 / ENTRIES as f64,
        told.requests,
        percent(told.denied_wrongly, told.requests),
        percent(told.admitted, told.exact) - 100.0,
    );
    told
}

fn spray(name: &'static str, algorithm: &'static str, spray: u64) -> Scenario {
    Scenario {
        name,
        algorithm,
        spray,
        legit: 312,
        abusers: 12,
        abusers_rate: 10 * COUNT,
    }
}

const TITLE: &str =
    "scenario                           | live  | requests | false deny | over-admitted";

#[test]
fn a_spray_hides_nobody_who_is_at_the_limit_and_shuts_nobody_out() {
    println!("{TITLE}");
    for scenario in [
        spray("spray of 5,000 a second", "gcra", 5_000 / 16),
        spray("spray of 20,000 a second", "gcra", 20_000 / 16),
    ] {
        let told = row(&scenario);
        assert!(told.legit > 3_000 && told.exact > 300, "{told:?}");
        assert_eq!(told.denied_wrongly, 0, "{}", scenario.name);
        assert_eq!(told.admitted, told.exact, "{}", scenario.name);
    }
}

/// More clients at their limits than there are buckets: somebody is forgotten, and still nobody shut out.
#[test]
fn who_is_forgotten_begins_afresh() {
    println!("{TITLE}");
    let told = row(&Scenario {
        name: "3 abusers for each bucket",
        algorithm: "gcra",
        spray: 1,
        legit: 312,
        abusers: 3 * ENTRIES,
        abusers_rate: 2 * COUNT,
    });
    assert_eq!(told.denied_wrongly, 0);
    assert!(told.admitted > told.exact, "{told:?}");
    // A window is live for a minute, so the same spray is twenty times as much for the table.
    let told = row(&spray(
        "windows, spray of 20,000 a second",
        "fixed-window",
        20_000 / 16,
    ));
    assert_eq!(told.denied_wrongly, 0);
}

/// A window is live for a minute, whatever is in it: who is near a limit must still not be forgotten for a stranger.
#[test]
fn a_spray_hides_nobody_from_a_window() {
    println!("{TITLE}");
    for (name, rate) in [
        ("windows, spray of 100 a second", 100 / 16),
        ("windows, spray of 400 a second", 400 / 16),
        ("windows, spray of 5,000 a second", 5_000 / 16),
    ] {
        let told = row(&spray(name, "fixed-window", rate));
        assert_eq!(told.denied_wrongly, 0, "{name}");
        assert_eq!(told.admitted, told.exact, "{name}");
    }
}
