//! What validation, and a look for profanity, cost in the module as it is shipped, in wasmtime: microseconds a request, and memory over a million of them.
//!
//! A request here is all of it: the host's side, the calls into the module and back, the copies. What the judgement alone costs is the
//! difference to a request whose body takes the same way and is not judged, taken within a turn of a few milliseconds, so that what the
//! machine does besides falls on both. Times are shown and not judged; a memory that grows is an error. Arguments name the parts to run
//! (speed, words, load, grow); all of them by default.

mod bodies;
#[path = "../parts.rs"]
mod parts;
#[path = "../gateway/spread.rs"]
mod spread;
mod words;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, anyhow, bail, ensure};
use bodies::{Sample, policy, samples, section};
use parts::Part;
use portcullis_host_test::document::Document;
use portcullis_host_test::exchange;
use portcullis_host_test::host::Host;
use portcullis_host_test::host::clock::Clock;
use portcullis_host_test::message::{Request, Response};
use portcullis_host_test::module::Module;
use portcullis_host_test::profile::Profile;
use portcullis_host_test::shipped;
use portcullis_host_test::vm::{Vm, VmConfig};
use serde_json::{Map, Value, json};
use spread::{median, quantile};

const ROUNDS: usize = 200;

fn main() -> anyhow::Result<()> {
    let parts: [Part<Module>; 4] = [
        ("speed", speed),
        ("words", words::words),
        ("load", load),
        ("grow", grow),
    ];
    let module = Module::from_file(&shipped::build()?)?;
    parts::run(&module, &parts)
}

/// A VM as Envoy has it where request headers wait for the verdict on the body.
fn vm(module: &Module, policy: &Value) -> anyhow::Result<Vm> {
    let config = VmConfig {
        environment: BTreeMap::from([("PORTCULLIS_HOLD_HEADERS".to_owned(), "1".to_owned())]),
        allow_on_headers_stop_iteration: true,
        ..VmConfig::default()
    };
    let host = Host::new(Profile::ENVOY, Clock::system());
    let mut vm = Vm::start(module, host, config)?;
    if !vm.configure(policy.to_string().as_bytes())? {
        let logs = vm.take_logs();
        bail!("the policy is refused: {logs:?}");
    }
    Ok(vm)
}

fn post(content_type: &str, body: &str) -> Request {
    Request::new("POST", "api.example.com", "/asked")
        .with_header("user-agent", "httpx/0.28.1")
        .with_header("accept", "*/*")
        .with_header("content-type", content_type)
        .with_header("content-length", body.len().to_string())
        .with_body(body)
}

/// Sends it, and wants this status.
fn ask(vm: &mut Vm, request: &Request, status: u16) -> anyhow::Result<()> {
    let exchanged = exchange::run(vm, request, &mut |_| Response::new(200, "{}"));
    if let Some(trap) = exchanged.trap {
        return Err(trap.into());
    }
    let response = exchanged.response.context("no response")?;
    ensure!(
        response.status() == Some(status),
        "answered {:?} and not {status}: {}",
        response.status(),
        String::from_utf8_lossy(&response.body)
    );
    Ok(())
}

/// One way in which a body of one size is treated.
struct Case {
    name: &'static str,
    request: Request,
    status: u16,
    vm: Vm,
    /// µs a request, of each round.
    costs: Vec<f64>,
}

/// The place of the case whose body takes the way of those below it and is not judged.
const HELD: usize = 2;
/// The place of the case that has the target.
const JUDGED: usize = 4;

fn cases(module: &Module, sample: &Sample) -> anyhow::Result<Vec<Case>> {
    let Sample {
        schema,
        normalize,
        valid,
        bad,
        untidy,
        ..
    } = sample;
    let (json, text) = ("application/json", "text/plain");
    let section = |members: Value| json!({"body": section(&members)});
    let judged = section(json!({"schema": schema}));
    let tidied = section(json!({"schema": schema, "normalize": normalize}));
    let held =
        section(json!({"schema": true, "content_types": [text], "max_string_bytes": "128KiB"}));
    [
        ("no validate", json!({"mode": "off"}), json, valid, 200),
        (
            "max_bytes alone: streamed",
            section(json!({})),
            json,
            valid,
            200,
        ),
        ("held, as text", held, text, valid, 200),
        (
            "held, parsed",
            section(json!({"schema": true})),
            json,
            valid,
            200,
        ),
        (
            "held, parsed, judged: valid",
            judged.clone(),
            json,
            valid,
            200,
        ),
        ("the same: all that is wrong", judged, json, bad, 422),
        ("normalised: tidy", tidied.clone(), json, valid, 200),
        ("normalised: untidy", tidied, json, untidy, 200),
    ]
    .into_iter()
    .map(|(name, validate, content_type, body, status)| {
        Ok(Case {
            name,
            request: post(content_type, body),
            status,
            vm: vm(module, &policy(&validate)).context(name)?,
            costs: Vec::new(),
        })
    })
    .collect()
}

/// The most that parsing and judging each size shall cost, in µs, and how many requests make a turn.
const TARGETS: [(f64, u32); 3] = [(2.0, 400), (18.0, 200), (1_300.0, 4)];

fn speed(module: &Module) -> anyhow::Result<()> {
    println!(
        "µs a request in wasmtime: median of {ROUNDS} turns and the lowest twentieth, and what it adds to a body held as text\n"
    );
    for (sample, (target, requests)) in samples().iter().zip(TARGETS) {
        let mut cases = cases(module, sample)?;
        for round in 0..=ROUNDS {
            for case in &mut cases {
                let begun = Instant::now();
                for _ in 0..requests {
                    ask(&mut case.vm, &case.request, case.status).context(case.name)?;
                }
                // The first is for warmth.
                if round > 0 {
                    let spent = begun.elapsed().as_secs_f64();
                    case.costs.push(spent * 1e6 / f64::from(requests));
                }
            }
        }
        println!("{}, {} bytes", sample.name, sample.valid.len());
        let held = cases.get(HELD).map(|case| case.costs.clone());
        let held = held.unwrap_or_default();
        for (at, case) in cases.iter().enumerate() {
            let added: Vec<f64> = case.costs.iter().zip(&held).map(|(a, b)| a - b).collect();
            let low = quantile(&case.costs, 0.05);
            println!(
                "  {:<34}{:>10.2}{low:>10.2}{:>10.2}{:>10.2}{}",
                case.name,
                median(&case.costs),
                median(&added),
                low - quantile(&held, 0.05),
                match at == JUDGED {
                    true => format!("   of {target}"),
                    false => String::new(),
                }
            );
        }
    }
    println!();
    Ok(())
}

/// What it takes to be given a policy.
fn load(module: &Module) -> anyhow::Result<()> {
    const RUNS: usize = 20;
    println!("ms until a policy serves: median of {RUNS}, and the least");
    let game = Path::new(env!("CARGO_MANIFEST_DIR")).join("../envoy/game/policy.yaml");
    let game = Document::read_file(&game).map_err(|error| anyhow!("{error}"))?;
    let samples = samples();
    let routes = samples.iter().cycle().take(120).enumerate();
    let routes = routes.map(|(at, sample)| {
        json!({
            "name": format!("r{at}"),
            "path": format!("/r{at}"),
            "validate": {"body": section(&json!({"schema": sample.schema}))},
        })
    });
    let many = json!({"version": 1, "routes": routes.collect::<Vec<_>>()});
    for (name, policy) in [
        ("nothing", json!({"version": 1})),
        ("envoy/game/policy.yaml", game.value),
        ("120 routes with a body", many),
    ] {
        let mut times = Vec::new();
        for _ in 0..RUNS {
            let mut vm = vm(module, &json!({"version": 1}))?;
            let text = policy.to_string();
            let begun = Instant::now();
            ensure!(vm.configure(text.as_bytes())?, "the policy is refused");
            times.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        println!(
            "  {:<34}{:>10.1}{:>10.1}",
            format!("{name}, {} KB", policy.to_string().len() / 1000),
            median(&times),
            quantile(&times, 0.0)
        );
    }
    println!();
    Ok(())
}

/// A million bodies of every kind through one VM.
fn grow(module: &Module) -> anyhow::Result<()> {
    const SHOWN: [u32; 3] = [1_000, 100_000, 1_000_000];
    /// One in so many is a large one.
    const RARE: u32 = 500;
    let samples = samples();
    let named = samples
        .iter()
        .map(|sample| (sample.name.to_owned(), sample.schema.clone()));
    let named: Map<String, Value> = named.collect();
    let each = samples
        .iter()
        .map(|sample| json!({"$ref": format!("#/schemas/{}", sample.name)}));
    let schema = json!({"anyOf": each.collect::<Vec<_>>()});
    let normalize: Map<String, Value> = samples
        .iter()
        .filter_map(|sample| sample.normalize.as_object())
        .flat_map(Clone::clone)
        .collect();
    let section = section(&json!({"schema": schema, "normalize": normalize}));
    let mut policy = policy(&json!({"body": section}));
    let members = policy.as_object_mut().context("the policy is no object")?;
    members.insert("schemas".to_owned(), named.into());
    let mut vm = vm(module, &policy)?;
    let turns = samples.each_ref().map(|sample| {
        let malformed = sample.valid.replacen(',', ",,", 1);
        [
            (&sample.valid, 200),
            (&sample.bad, 422),
            (&malformed, 400),
            (&sample.untidy, 200),
        ]
        .map(|(body, status)| (post("application/json", body), status))
    });
    println!("requests in one VM, and the bytes of its memory");
    let mut after_first = None;
    for number in 0..SHOWN.into_iter().max().unwrap_or_default() {
        let [small, medium, large] = &turns;
        let turns = match number % RARE {
            0..4 => large,
            rest if rest % 2 == 0 => small,
            _ => medium,
        };
        let at = (number / 2 + number) as usize % turns.len();
        let (request, status) = turns.get(at).context("no turn")?;
        ask(&mut vm, request, *status)?;
        if SHOWN.contains(&(number + 1)) {
            let memory = vm.memory_bytes();
            println!("{:>10}{memory:>14}", number + 1);
            let first = *after_first.get_or_insert(memory);
            ensure!(memory == first, "the module's memory grows with requests");
        }
    }
    println!();
    Ok(())
}
