//! A million strangers, one request each: what an attacker with many addresses can do to a limit per client.
//!
//! Nothing, if Envoy neither grows nor stalls nor forgets those who are at their limit. All of them hold for the time of the spray,
//! so the table of 131072 clients is asked to hold nearly eight times as many as it can.

use std::net::Ipv4Addr;

use anyhow::ensure;
use portcullis_host_test::envoy::Answered;
use portcullis_host_test::upstream::Upstream;

use crate::spread::{median, quantile};
use crate::{ask, count, resident, start};

const STRANGERS: u32 = 1_000_000;
const PARTS: u32 = 20;
/// Clients at their limit, each asked once during the spray. A refusal that a worker remembers would be no proof that the table
/// does: these have not been refused before.
const PATIENT: u32 = 1_000;
/// The limit of each client, in an hour.
const LIMIT: u32 = 5;
/// What Envoy may grow by.
const GROWTH: u64 = 5_000_000;

/// At its limit, and asked throughout.
const STUBBORN: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);

fn stranger(number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(10, 0, 0, 0).to_bits() + number)
}

fn patient(number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(192, 168, 0, 0).to_bits() + number)
}

/// Requests of the spray's part, and in between those of clients that must be refused.
fn part(number: u32) -> impl Iterator<Item = Ipv4Addr> + Send + 'static {
    const SIZE: u32 = STRANGERS / PARTS;
    const EVERY: u32 = STRANGERS / PATIENT;
    (number * SIZE..(number + 1) * SIZE).flat_map(|number| {
        let probes = (number % EVERY == 0).then(|| [STUBBORN, patient(number / EVERY)]);
        probes.into_iter().flatten().chain([stranger(number)])
    })
}

/// Sprays, prints what became of it, and holds it to the promises.
///
/// # Errors
/// If Envoy grew, or somebody at a limit was let through, or a stranger was not.
pub(crate) fn unmoved(upstream: &Upstream) -> anyhow::Result<()> {
    println!("{STRANGERS} strangers at a limit of {LIMIT} an hour for each of 131072 clients");
    let envoy = start(
        upstream,
        r#","rate_limits":[{"name":"each","quota":"5/1h"}]"#,
    )?;
    // Warm: what is compiled on the way, buffers, connections. One stranger more or less makes no difference to a fixed table.
    let warm = ask(
        &envoy,
        (0..20_000).map(|number| stranger(STRANGERS + number % 4_000)),
    )?;
    ensure!(count(&warm, 200) == warm.len(), "a warm-up was refused");
    let spend = (0..PATIENT)
        .map(patient)
        .chain([STUBBORN])
        .flat_map(|client| std::iter::repeat_n(client, LIMIT as usize));
    let spent = ask(&envoy, spend)?;
    ensure!(
        count(&spent, 200) == spent.len(),
        "a client was refused too early"
    );

    println!(
        "{:>10}{:>10}{:>10}{:>10}{:>10}{:>12}{:>12}",
        "strangers", "MB", "p50 ms", "p99 ms", "max ms", "at limit", "let through"
    );
    let before = resident::bytes(envoy.pid())?;
    let line =
        |strangers: u32, times: &[f64], probes: usize, passed: usize| -> anyhow::Result<u64> {
            let now = resident::bytes(envoy.pid())?;
            println!(
                "{strangers:>10}{:>10.1}{:>10.2}{:>10.2}{:>10.2}{probes:>12}{passed:>12}",
                now as f64 / 1e6,
                median(times),
                quantile(times, 0.99),
                quantile(times, 1.0),
            );
            Ok(now)
        };
    line(0, &milliseconds(&spent), 0, 0)?;
    let (mut after, mut wrongly, mut probes) = (before, 0, 0);
    for number in 0..PARTS {
        let answers = ask(&envoy, part(number))?;
        let (strangers, known): (Vec<Answered>, Vec<Answered>) = answers
            .into_iter()
            .partition(|answer| answer.client.octets().first() == Some(&10));
        ensure!(
            count(&strangers, 200) == strangers.len(),
            "a stranger was refused: its first request was taken for another's"
        );
        let passed = known.len() - count(&known, 429);
        (wrongly, probes) = (wrongly + passed, probes + known.len());
        after = line(
            STRANGERS / PARTS * (number + 1),
            &milliseconds(&strangers),
            known.len(),
            passed,
        )?;
    }
    let growth = after.saturating_sub(before);
    println!(
        "grown by {:.2} MB; of {probes} requests over a limit {wrongly} were let through\n",
        growth as f64 / 1e6
    );
    ensure!(wrongly == 0, "somebody at a limit was forgotten");
    ensure!(growth < GROWTH, "strangers made Envoy grow");
    Ok(())
}

fn milliseconds(answers: &[Answered]) -> Vec<f64> {
    answers
        .iter()
        .map(|answer| answer.took.as_secs_f64() * 1e3)
        .collect()
}
