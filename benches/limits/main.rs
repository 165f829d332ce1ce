//! What rate limits keep to in a real Envoy whose two workers race: exactly so many requests, so much memory.
//!
//! Unlike the gateway bench, this one does not tell costs but holds promises: it ends with an error if a limit lets one request too
//! many through, or if strangers can make Envoy grow or forget who is at a limit. Times are shown and not judged, since they are the
//! machine's as much as Envoy's. Arguments name the parts to run (burst, refill, spray, start); all of them by default.

#[path = "../parts.rs"]
mod parts;
mod resident;
mod spray;
#[path = "../gateway/spread.rs"]
mod spread;

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use parts::Part;
use portcullis_host_test::envoy::{Answered, Configuration, Envoy, Filter, Listener, flood};
use portcullis_host_test::header_map::HeaderMap;
use portcullis_host_test::scenario::target::Respond;
use portcullis_host_test::shipped;
use portcullis_host_test::upstream::Upstream;
use spread::{median, quantile};

const WORKERS: u32 = 2;
const CONNECTIONS: usize = 64;
const RUNS: usize = 5;

/// The one listener of each Envoy here.
const LISTENER: &str = "limited";

fn main() -> anyhow::Result<()> {
    let upstream = Upstream::start()?;
    upstream.respond(Respond {
        status: 200,
        headers: HeaderMap::from([("content-type", "application/json")]),
        body: b"{}".to_vec(),
        delay: Duration::ZERO,
    });
    println!("Envoy with {WORKERS} workers, {CONNECTIONS} connections\n");
    let parts: [Part<Upstream>; 4] = [
        ("burst", exactly),
        ("refill", never_above),
        ("spray", spray::unmoved),
        ("start", starts),
    ];
    parts::run(&upstream, &parts)
}

/// An Envoy under `{"version": 1}` and these members.
fn start(upstream: &Upstream, members: &str) -> anyhow::Result<Envoy> {
    let listener = Listener {
        name: LISTENER.to_owned(),
        filter: Some(Filter {
            module: shipped::build()?,
            // The clients are told in X-Forwarded-For, which Envoy has read already.
            configuration: Configuration::Text(format!(
                r#"{{"version":1,"client":{{"forwarded":"host"}}{members}}}"#
            )),
            vm_id: LISTENER.to_owned(),
            hold_headers: true,
            reloadable: false,
        }),
        upstream: upstream.address(),
        gzip: false,
    };
    Envoy::start_with(&[listener], WORKERS)
}

fn ask(
    envoy: &Envoy,
    clients: impl Iterator<Item = Ipv4Addr> + Send + 'static,
) -> anyhow::Result<Vec<Answered>> {
    flood(envoy.address(LISTENER)?, "/players/7", CONNECTIONS, clients)
}

fn count(answers: &[Answered], status: u16) -> usize {
    answers
        .iter()
        .filter(|answer| answer.status == status)
        .count()
}

/// How many requests Envoy sent on.
fn reached(envoy: &Envoy) -> anyhow::Result<u64> {
    let name = format!("cluster.{LISTENER}.upstream_rq_total");
    let stats = envoy.stats(&name)?;
    let found = stats.into_iter().find(|(own, _)| *own == name);
    Ok(found
        .context("envoy does not count its upstream's requests")?
        .1)
}

/// How many connections each worker got.
fn dealt(envoy: &Envoy) -> anyhow::Result<Vec<u64>> {
    let stats = envoy.stats(".downstream_cx_total")?;
    Ok((0..WORKERS)
        .map(|worker| {
            let name = format!(".worker_{worker}.");
            let found = stats.iter().find(|(own, _)| own.contains(&name));
            found.map_or(0, |(_, count)| *count)
        })
        .collect())
}

/// A burst without refill: one client, each run in an Envoy of its own, so that the first requests race too.
fn exactly(upstream: &Upstream) -> anyhow::Result<()> {
    const LIMIT: usize = 10_000;
    const REQUESTS: usize = 40_000;
    println!("{LIMIT} in 30 days, {REQUESTS} requests of one client");
    println!(
        "{:>8}{:>10}{:>10}{:>10}{:>10}{:>16}",
        "run", "admitted", "reached", "refused", "s", "by worker"
    );
    for run in 1..=RUNS {
        let envoy = start(
            upstream,
            r#","rate_limits":[{"name":"each","quota":"10000/30d"}]"#,
        )?;
        let begun = Instant::now();
        let answers = ask(
            &envoy,
            std::iter::repeat_n(Ipv4Addr::new(203, 0, 113, 7), REQUESTS),
        )?;
        let took = begun.elapsed().as_secs_f64();
        let (admitted, refused) = (count(&answers, 200), count(&answers, 429));
        let (reached, dealt) = (reached(&envoy)?, dealt(&envoy)?);
        println!(
            "{run:>8}{admitted:>10}{reached:>10}{refused:>10}{took:>10.1}{:>16}",
            format!("{dealt:?}")
        );
        ensure!(
            admitted == LIMIT && reached == LIMIT as u64 && refused == REQUESTS - LIMIT,
            "a limit of {LIMIT} was not kept exactly"
        );
        ensure!(
            dealt.iter().all(|count| *count > 1),
            "the workers did not race"
        );
    }
    println!();
    Ok(())
}

/// A burst with refill, at several times the rate that it allows.
fn never_above(upstream: &Upstream) -> anyhow::Result<()> {
    const RATE: f64 = 1000.0;
    const BURST: f64 = 100.0;
    const TIME: Duration = Duration::from_secs(5);
    let mut above = 0;
    println!("{RATE} a second, burst {BURST}, {} s", TIME.as_secs());
    println!(
        "{:>8}{:>10}{:>10}{:>10}{:>10}{:>10}",
        "run", "asked", "admitted", "ceiling", "%", "s"
    );
    for run in 1..=RUNS {
        let envoy = start(
            upstream,
            r#","rate_limits":[{"name":"each","quota":"1000/1s","burst":100}]"#,
        )?;
        let until = Instant::now() + TIME;
        let answers = ask(
            &envoy,
            std::iter::repeat(Ipv4Addr::new(203, 0, 113, 7))
                .take_while(move |_| Instant::now() < until),
        )?;
        let admitted = answers.iter().filter(|answer| answer.status == 200);
        // Every decision lies between the first question and the last answer that let one through.
        let took = admitted.clone().map(|answer| answer.sent + answer.took);
        let took = took.max().unwrap_or_default().as_secs_f64();
        let admitted = admitted.count();
        let ceiling = (BURST + RATE * took).floor();
        println!(
            "{run:>8}{:>10}{admitted:>10}{ceiling:>10}{:>10.1}{took:>10.3}",
            answers.len(),
            admitted as f64 / ceiling * 100.0
        );
        above += u32::from(admitted as f64 > ceiling);
        ensure!(
            admitted + count(&answers, 429) == answers.len(),
            "an answer was neither 200 nor 429"
        );
        ensure!(
            answers.len() > 2 * admitted,
            "too few requests to reach the limit"
        );
    }
    ensure!(
        above == 0,
        "more than burst and refill were let through in {above} runs of {RUNS}"
    );
    println!();
    Ok(())
}

/// What the tables cost at the start, in time and in memory.
fn starts(upstream: &Upstream) -> anyhow::Result<()> {
    const CASES: [(&str, &str); 4] = [
        ("no limit", ""),
        (
            "one limit, 8 clients",
            r#","rate_limits":[{"name":"each","quota":"60/1m","capacity":8}]"#,
        ),
        (
            "one limit, 131072 clients (default)",
            r#","rate_limits":[{"name":"each","quota":"60/1m"}]"#,
        ),
        (
            "one limit, 1970000 clients (64 MiB)",
            r#","rate_limits":[{"name":"each","quota":"60/1m","capacity":1970000}]"#,
        ),
    ];
    println!("from the start of Envoy until it is ready: median (least) of {RUNS}");
    let mut times = vec![Vec::new(); CASES.len()];
    let mut sizes = vec![Vec::new(); CASES.len()];
    for _ in 0..RUNS {
        for ((case, times), sizes) in CASES.iter().zip(&mut times).zip(&mut sizes) {
            let envoy = start(upstream, case.1)?;
            times.push(envoy.ready_after().as_secs_f64() * 1e3);
            sizes.push(resident::bytes(envoy.pid())? as f64 / 1e6);
        }
    }
    for ((case, times), sizes) in CASES.iter().zip(&times).zip(&sizes) {
        println!(
            "{:<38}{:>7.0} ms ({:.0}){:>9.1} MB",
            case.0,
            median(times),
            quantile(times, 0.0),
            median(sizes)
        );
    }
    Ok(())
}
