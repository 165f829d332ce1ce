//! What Portcullis costs in a real Envoy, in microseconds of CPU a request.
//!
//! One Envoy with one worker thread and a listener for each case, the same fixed load on each in turn, and the process' CPU time
//! before and after. All cases share one process and take short turns, so that whatever else the machine does falls on all of them. The
//! multiple is of what an empty filter in WebAssembly adds to a bare proxy: a figure that survives another machine.
//! With the argument `full` the load is as much as Envoy answers, so that it never wakes up to do one request's work.

#[path = "../module/bodies.rs"]
#[expect(dead_code, reason = "no body is normalised here")]
mod bodies;
mod cpu;
mod load;
mod posts;
#[path = "../limits/resident.rs"]
mod resident;
mod spread;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use load::{Load, Message};
use portcullis_host_test::document::Document;
use portcullis_host_test::envoy::{Configuration, Envoy, Filter, Listener};
use portcullis_host_test::header_map::HeaderMap;
use portcullis_host_test::scenario::target::Respond;
use portcullis_host_test::shipped;
use portcullis_host_test::upstream::Upstream;
use serde_json::{Map, Value};
use spread::{median, quantile};

const ROUNDS: u32 = 3;
/// The turns that each case has in a round: many and short, since one turn alone varies by half with what else the machine does.
const TURNS: u32 = 40;
/// The load of one turn.
const LOAD: Load = Load {
    connections: 8,
    rate: 4_000,
    requests: 500,
};
/// The load of one turn at which Envoy is never idle: a rate that it cannot keep up with.
const FULL: Load = Load {
    connections: 32,
    rate: 1_000_000,
    requests: 1_600,
};

/// A policy that allows the origin that all requests come from.
const CORS: &str = r#"{"version":1,"cors":{"origins":["https://play.example.com"],"credentials":true,"expose_headers":["etag"]}}"#;

/// Limits that nobody reaches, what they are announced with, and what is counted and logged: each added to the example
/// policy.
const VARIED: [(&str, &str); 6] = [
    (
        "one-limit",
        r#"{"rate_limits":[{"name":"each","quota":"1000000/1s"}]}"#,
    ),
    (
        "one-limit-unsaid",
        r#"{"rate_limits":[{"name":"each","quota":"1000000/1s"}],"rate_limit_headers":"none"}"#,
    ),
    (
        "three-limits",
        r#"{"rate_limits":[{"name":"each","quota":"1000000/1s"},{"name":"each-route","quota":"1000000/1s","key":["ip","route"]},{"name":"all","quota":"1000000/1s","key":["all"]}]}"#,
    ),
    ("uncounted", r#"{"observe":{"metrics":false}}"#),
    ("logged", r#"{"observe":{"log":"all"}}"#),
    (
        "named-and-timed",
        r#"{"observe":{"request_id":"x-request-id","timing":"x-process-time"}}"#,
    ),
];
/// A limit that the first request uses up.
const USED_UP: &str = r#"{"rate_limits":[{"name":"each","quota":"1/30d"}]}"#;

/// One line of the table.
struct Case {
    name: &'static str,
    listener: &'static str,
    path: &'static str,
    status: u16,
}

/// The case that the ones below are compared with.
const EXAMPLE: usize = 4;

const CASES: [Case; 13] = [
    Case {
        name: "no filter",
        listener: "bare",
        path: "/players/7",
        status: 200,
    },
    Case {
        name: "an empty wasm filter",
        listener: "empty-wasm",
        path: "/players/7",
        status: 200,
    },
    Case {
        name: "portcullis, empty policy",
        listener: "empty-policy",
        path: "/players/7",
        status: 200,
    },
    Case {
        name: "portcullis, cors alone",
        listener: "cors-policy",
        path: "/players/7",
        status: 200,
    },
    Case {
        name: "portcullis, example policy",
        listener: "example-policy",
        path: "/players/7",
        status: 200,
    },
    Case {
        name: "portcullis, example policy, refused",
        listener: "example-policy",
        path: "/admin",
        status: 404,
    },
    Case {
        name: "example policy, one limit",
        listener: "one-limit",
        path: "/players/7",
        status: 200,
    },
    Case {
        name: "the same without its headers",
        listener: "one-limit-unsaid",
        path: "/players/7",
        status: 200,
    },
    Case {
        name: "example policy, three limits",
        listener: "three-limits",
        path: "/players/7",
        status: 200,
    },
    Case {
        name: "example policy, one limit, refused",
        listener: "used-up",
        path: "/players/7",
        status: 429,
    },
    Case {
        name: "example policy, nothing counted",
        listener: "uncounted",
        path: "/players/7",
        status: 200,
    },
    Case {
        name: "example policy, every request logged",
        listener: "logged",
        path: "/players/7",
        status: 200,
    },
    Case {
        name: "example policy, ids and times",
        listener: "named-and-timed",
        path: "/players/7",
        status: 200,
    },
];

fn main() -> anyhow::Result<()> {
    let load = match std::env::args().nth(1).as_deref() {
        None => LOAD,
        Some("full") => FULL,
        Some(other) => bail!("`{other}` is no load: `full`, or none for the usual one"),
    };
    let upstream = Upstream::start()?;
    upstream.respond(Respond {
        status: 200,
        headers: HeaderMap::from([
            ("content-type", "application/json"),
            ("server", "uvicorn"),
            ("x-powered-by", "demo"),
            ("etag", "\"5f3e\""),
            ("cache-control", "private, max-age=5"),
        ]),
        body: format!("{{\"player\":7,\"cards\":[{}1]}}", "12,".repeat(60)).into_bytes(),
        delay: Duration::ZERO,
    });
    let directory = std::env::temp_dir().join(format!("portcullis-gateway-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let listeners = listeners(&directory, &upstream);
    let measured = listeners.and_then(|listeners| measure(&listeners, load));
    std::fs::remove_dir_all(&directory)?;
    measured
}

fn listeners(directory: &Path, upstream: &Upstream) -> anyhow::Result<Vec<Listener>> {
    let empty = directory.join("empty.wasm");
    std::fs::write(&empty, wat::parse_str(include_str!("empty.wat"))?)?;
    let portcullis = shipped::build()?;
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../envoy/policy.yaml");
    let example = Document::read_file(&example)
        .map_err(|error| anyhow!("{error}"))?
        .value;

    let listener = |name: &str, filter: Option<Filter>| Listener {
        name: name.to_owned(),
        filter,
        upstream: upstream.address(),
        gzip: false,
    };
    // A VM of its own for each, as in a deployment with one policy.
    let filter = |name: &str, module: &PathBuf, configuration: &str| Filter {
        module: module.clone(),
        configuration: Configuration::Text(configuration.to_owned()),
        vm_id: name.to_owned(),
        hold_headers: true,
        reloadable: false,
    };
    let varied = |name: &str, members: &str| -> anyhow::Result<Listener> {
        let mut policy = example.clone();
        let members: Map<String, Value> = serde_json::from_str(members)?;
        let sections = policy.as_object_mut();
        sections.context("the policy is no object")?.extend(members);
        Ok(listener(
            name,
            Some(filter(name, &portcullis, &policy.to_string())),
        ))
    };
    let mut listeners = vec![
        listener("bare", None),
        listener("empty-wasm", Some(filter("empty-wasm", &empty, ""))),
        listener(
            "empty-policy",
            Some(filter("empty-policy", &portcullis, r#"{"version":1}"#)),
        ),
        listener(
            "cors-policy",
            Some(filter("cors-policy", &portcullis, CORS)),
        ),
        listener(
            "example-policy",
            Some(filter("example-policy", &portcullis, &example.to_string())),
        ),
        varied("used-up", USED_UP)?,
    ];
    for (name, policy) in posts::policies() {
        let filter = filter(name, &portcullis, &policy.to_string());
        listeners.push(listener(name, Some(filter)));
    }
    for (name, members) in VARIED {
        listeners.push(varied(name, members)?);
    }
    Ok(listeners)
}

fn measure(listeners: &[Listener], load: Load) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let envoy = Envoy::start(listeners)?;
    let turn = |case: &Case| -> anyhow::Result<Duration> {
        let to = envoy.address(case.listener)?;
        let before = cpu::spent(envoy.pid())?;
        runtime
            .block_on(load::send(load, to, &Message::get(case.path), case.status))
            .context(case.name)?;
        Ok(cpu::spent(envoy.pid())?.saturating_sub(before))
    };
    eprintln!("warming up");
    let once = Load {
        connections: 1,
        requests: 1,
        ..load
    };
    runtime.block_on(load::send(
        once,
        envoy.address("used-up")?,
        &Message::get("/players/7"),
        200,
    ))?;
    for case in &CASES {
        turn(case)?;
    }
    let mut costs = vec![Vec::new(); CASES.len()];
    let mut all = vec![Vec::new(); CASES.len()];
    for round in 1..=ROUNDS {
        eprintln!("round {round} of {ROUNDS}");
        let mut turns = vec![Vec::new(); CASES.len()];
        for _ in 0..TURNS {
            for (case, turns) in CASES.iter().zip(&mut turns) {
                turns.push(turn(case)?.as_secs_f64() * 1e6 / f64::from(load.requests));
            }
        }
        for ((turns, costs), all) in turns.iter_mut().zip(&mut costs).zip(&mut all) {
            costs.push(median(turns));
            all.append(turns);
        }
    }
    print_costs(&costs, load);
    print_variations(&all);
    let posts = posts::measure(&envoy, &runtime, load)?;
    drop(envoy);
    posts::print(&posts);
    print_starts(listeners)
}

/// Each case by itself, what it adds to the first, and that as a multiple of what the second adds.
fn print_costs(costs: &[Vec<f64>], load: Load) {
    let rate = match load.rate {
        rate if rate == FULL.rate => "as many requests as it answers".to_owned(),
        rate => format!("{rate} requests a second"),
    };
    println!(
        "\nµs of Envoy's CPU a request, one worker, {rate}: median of {ROUNDS} rounds, each the median of {TURNS} turns of {} requests\n",
        load.requests
    );
    println!(
        "{:<38}{:>8}{:>16}{:>9}{:>14}",
        "", "µs", "rounds", "added", "× empty wasm"
    );
    let bare = costs.first().map(Vec::as_slice).unwrap_or_default();
    // Within a round, so that what drifts from round to round falls out.
    let added = |costs: &[f64]| {
        median(
            &costs
                .iter()
                .zip(bare)
                .map(|(cost, bare)| cost - bare)
                .collect::<Vec<_>>(),
        )
    };
    let unit = costs.get(1).map_or(f64::NAN, |costs| added(costs));
    for (case, costs) in CASES.iter().zip(costs) {
        let low = costs.iter().copied().fold(f64::INFINITY, f64::min);
        let high = costs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // What is refused never reaches the upstream: there is nothing to compare it with.
        let multiple = match case.status {
            200 => format!("{:.1}", added(costs) / unit),
            _ => "–".to_owned(),
        };
        println!(
            "{:<38}{:>8.1}{:>16}{:>9.1}{multiple:>14}",
            case.name,
            median(costs),
            format!("{low:.1}–{high:.1}"),
            added(costs),
        );
    }
}

/// What each adds to the example policy, turn against turn: the two are a second apart, so that what drifts falls out.
fn print_variations(turns: &[Vec<f64>]) {
    println!(
        "\nµs that it adds to the example policy: median of {} pairs of turns (a quarter below, above), and the difference of the lowest twentieths\n",
        ROUNDS * TURNS
    );
    let without = turns.get(EXAMPLE).map_or(&[][..], Vec::as_slice);
    for (case, turns) in CASES.iter().zip(turns).skip(EXAMPLE + 2) {
        let added: Vec<f64> = turns
            .iter()
            .zip(without)
            .map(|(with, without)| with - without)
            .collect();
        println!(
            "{:<38}{:>8.1}{:>16}{:>9.1}",
            case.name,
            median(&added),
            format!(
                "({:.1}, {:.1})",
                quantile(&added, 0.25),
                quantile(&added, 0.75)
            ),
            quantile(turns, 0.05) - quantile(without, 0.05),
        );
    }
}

/// How long an Envoy takes from its start until it is ready, the memory that it has then, and what another worker adds to that: without
/// a filter, and with Portcullis under policies without and with a schema.
fn print_starts(listeners: &[Listener]) -> anyhow::Result<()> {
    const MORE: u32 = 3;
    println!(
        "\nms from the start of Envoy until it is ready, MB then, and MB that each further worker adds: median of {ROUNDS}\n"
    );
    for name in ["bare", "empty-wasm", "example-policy", posts::SMALL] {
        let listener = listeners
            .iter()
            .find(|listener| listener.name == name)
            .cloned();
        let listener = [listener.with_context(|| format!("no listener `{name}`"))?];
        let (mut times, mut sizes, mut more) = (Vec::new(), Vec::new(), Vec::new());
        let megabytes =
            |envoy: &Envoy| Ok::<f64, anyhow::Error>(resident::bytes(envoy.pid())? as f64 / 1e6);
        for _ in 0..ROUNDS {
            let envoy = Envoy::start(&listener)?;
            times.push(envoy.ready_after().as_secs_f64() * 1e3);
            let one = megabytes(&envoy)?;
            sizes.push(one);
            drop(envoy);
            let envoy = Envoy::start_with(&listener, 1 + MORE)?;
            more.push((megabytes(&envoy)? - one) / f64::from(MORE));
        }
        println!(
            "{name:<38}{:>8.0}{:>8.1}{:>8.1}",
            median(&times),
            median(&sizes),
            median(&more)
        );
    }
    Ok(())
}
