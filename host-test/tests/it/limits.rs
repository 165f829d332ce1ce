//! Limits in the module itself, in real VMs on real threads over one host's shared data: what is counted is counted once,
//! whatever that host is.

use std::sync::{Arc, Barrier};
use std::time::Duration;

use portcullis_host_test::exchange::{self, Exchanged};
use portcullis_host_test::host::Host;
use portcullis_host_test::host::clock::Clock;
use portcullis_host_test::host::log::{Level, Log};
use portcullis_host_test::message::{Request, Response};
use portcullis_host_test::module::Module;
use portcullis_host_test::profile::Profile;
use portcullis_host_test::vm::{Vm, VmConfig};
use serde_json::{Value, json};

const THREADS: usize = 4;

/// Time stands still: nothing comes back into a bucket.
fn host(profile: Profile) -> Arc<Host> {
    Host::new(profile, Clock::stopped_at(Duration::from_secs(1_000)))
}

/// A policy with these limits, and what it says at the start.
fn serving(host: &Arc<Host>, limits: &Value) -> (Vm, Vec<Log>) {
    let module = Module::embedded().unwrap();
    let mut vm = Vm::start(&module, Arc::clone(host), VmConfig::default()).unwrap();
    let accepted = vm.configure(policy(limits).as_bytes()).unwrap();
    let logs = vm.take_logs();
    assert!(accepted, "{logs:?}");
    (vm, logs)
}

/// With small tables where a limit does not say how large.
fn policy(limits: &Value) -> String {
    let mut limits = limits.clone();
    for limit in limits.as_array_mut().unwrap() {
        let limit = limit.as_object_mut().unwrap();
        limit.entry("capacity").or_insert_with(|| json!(64));
    }
    let client = json!({"forwarded": "host"});
    // What metrics and log lines cost is counted elsewhere.
    let observe = json!({"metrics": false, "log": "none"});
    json!({"version": 1, "client": client, "observe": observe, "rate_limits": limits}).to_string()
}

fn workers(host: &Arc<Host>, limits: &Value) -> [Vm; THREADS] {
    std::array::from_fn(|_| serving(host, limits).0)
}

fn ask(vm: &mut Vm, request: &Request) -> Exchanged {
    let exchanged = exchange::run(vm, request, &mut |_| Response::new(200, "hello"));
    assert!(exchanged.trap.is_none(), "{:?}", exchanged.trap);
    let status = exchanged.response.as_ref().and_then(Response::status);
    let expected = if exchanged.upstream.is_some() {
        200
    } else {
        429
    };
    assert_eq!(status, Some(expected));
    exchanged
}

fn admits(vm: &mut Vm, request: &Request) -> bool {
    ask(vm, request).upstream.is_some()
}

fn get() -> Request {
    Request::new("GET", "a.test", "/")
}

fn by(user: &str) -> Request {
    get().with_header("x-user", user)
}

/// So many requests through each worker, all at once: how many each let through.
fn storm(
    workers: &mut [Vm; THREADS],
    requests: usize,
    request: impl Fn(usize) -> Request + Sync,
) -> [usize; THREADS] {
    let together = Barrier::new(THREADS);
    let (together, request) = (&together, &request);
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for (at, vm) in workers.iter_mut().enumerate() {
            threads.push(scope.spawn(move || {
                let request = request(at);
                together.wait();
                (0..requests).filter(|_| admits(vm, &request)).count()
            }));
        }
        let admitted: Vec<usize> = threads.into_iter().map(|t| t.join().unwrap()).collect();
        admitted.try_into().unwrap()
    })
}

/// What the draft's header `RateLimit` says is left of a limit.
fn left(exchanged: &Exchanged, limit: &str) -> Option<u32> {
    let headers = &exchanged.response.as_ref()?.headers;
    let field = headers.get_text("ratelimit")?;
    let item = field.split(", ").find_map(|item| {
        let rest = item.strip_prefix(&format!("\"{limit}\";r="))?;
        rest.split(';').next().map(str::to_owned)
    });
    item?.parse().ok()
}

#[test]
fn exactly_the_burst_is_admitted_over_four_threads() {
    for profile in [Profile::ENVOY, Profile::KONG] {
        for algorithm in ["gcra", "fixed-window"] {
            let limit =
                json!([{"name": "a", "quota": "2000/30d", "algorithm": algorithm, "key": ["all"]}]);
            let mut workers = workers(&host(profile.clone()), &limit);
            let admitted = storm(&mut workers, 1_000, |_| get());
            let name = profile.name;
            assert_eq!(admitted.iter().sum::<usize>(), 2_000, "{name} {algorithm}");
        }
    }
}

#[test]
fn two_limits_at_once_are_charged_together_or_not_at_all() {
    let limits = |own: &str| {
        json!([
            {"name": "own", "quota": own, "key": ["header:x-user"]},
            {"name": "all", "quota": "2000/30d", "key": ["all"]},
        ])
    };
    let user = |at: usize| by(&format!("user-{at}"));
    for profile in [Profile::ENVOY, Profile::KONG] {
        let name = profile.name;
        // Everybody has enough of their own, so that the other one decides.
        let mut wide = workers(&host(profile.clone()), &limits("600/30d"));
        let admitted = storm(&mut wide, 700, user);
        assert_eq!(admitted.iter().sum::<usize>(), 2_000, "{name}");
        assert!(
            admitted.iter().all(|one| *one <= 600),
            "{name} {admitted:?}"
        );

        // Their own decides, and who is refused has not been charged for the other one.
        let mut narrow = workers(&host(profile), &limits("300/30d"));
        let admitted = storm(&mut narrow, 700, user);
        assert_eq!(admitted, [300; THREADS], "{name}");
        let [vm, ..] = &mut narrow;
        assert_eq!(left(&ask(vm, &user(9)), "all"), Some(799), "{name}");
    }
}

#[test]
fn writes_that_others_forestall_are_made_again() {
    // Never so many in a row that a request would run out of tries.
    let plan: Vec<bool> = (0_u32..6_000)
        .map(|at| at.wrapping_mul(2_654_435_761) >> 29 < 3 && at % 8 != 0)
        .collect();
    let conflicts = plan.iter().filter(|other| **other).count();
    assert!(conflicts > 1_500, "{conflicts}");
    for profile in [Profile::ENVOY, Profile::KONG] {
        let name = profile.name;
        let host = host(profile);
        let limits = json!([
            {"name": "own", "quota": "500/30d", "key": ["header:x-user"]},
            {"name": "all", "quota": "1800/30d", "key": ["all"]},
        ]);
        let mut workers = workers(&host, &limits);
        host.let_others_write_first(plan.clone());
        let admitted = storm(&mut workers, 700, |at| by(&format!("user-{at}")));
        assert_eq!(admitted.iter().sum::<usize>(), 1_800, "{name}");
        let [vm, ..] = &mut workers;
        assert!(!admits(vm, &by("somebody else")), "{name}");
    }
}

#[test]
fn a_request_that_is_forestalled_sixteen_times_is_refused_and_charged_nothing() {
    let host = host(Profile::ENVOY);
    let (mut vm, _) = serving(&host, &json!([{"name": "a", "quota": "5/30d"}]));
    host.let_others_write_first(vec![true; 15]);
    assert_eq!(left(&ask(&mut vm, &get()), "a"), Some(4));
    host.let_others_write_first(vec![true; 16]);
    assert!(!admits(&mut vm, &get()));
    assert_eq!(left(&ask(&mut vm, &get()), "a"), Some(3));
}

#[test]
fn a_restarted_worker_and_a_new_policy_lose_nothing() {
    for profile in [Profile::ENVOY, Profile::KONG] {
        let name = profile.name;
        let host = host(profile);
        let quota = |quota: &str| json!([{"name": "a", "quota": quota}]);
        let (mut vm, _) = serving(&host, &quota("5/30d"));
        let (mut other, _) = serving(&host, &quota("5/30d"));
        for expected in [4, 3] {
            assert_eq!(left(&ask(&mut vm, &get()), "a"), Some(expected), "{name}");
        }
        assert!(vm.restart().unwrap());
        assert_eq!(left(&ask(&mut vm, &get()), "a"), Some(2), "{name}");
        assert_eq!(left(&ask(&mut other, &get()), "a"), Some(1), "{name}");

        // Another worker goes on with the old policy until its turn comes.
        let with_headers = policy(&quota("5/30d")).replacen('{', r#"{"headers": {}, "#, 1);
        assert_eq!(vm.configure(with_headers.as_bytes()), Ok(true));
        assert_eq!(left(&ask(&mut vm, &get()), "a"), Some(0), "{name}");
        assert!(!admits(&mut other, &get()), "{name}");
        assert_eq!(other.configure(with_headers.as_bytes()), Ok(true));
        assert!(!admits(&mut other, &get()), "{name}");
    }
}

#[test]
fn without_shared_data_each_worker_counts_for_itself_and_says_so_once() {
    let host = host(Profile::APISIX);
    let limit = json!([{"name": "a", "quota": "50/30d", "key": ["all"]}]);
    for _ in 0..2 {
        let (mut vm, _) = serving(&host, &limit);
        let told = |log: &&Log| log.level == Level::Warn && log.message.contains("shares no data");
        // The policy is read with the first request.
        let other = Request::new("GET", "other.test", "/");
        let logs = exchange::run(&mut vm, &other, &mut |_| Response::new(200, "")).logs;
        let logs = [logs, vm.take_logs()].concat();
        assert_eq!(logs.iter().filter(told).count(), 1, "{logs:?}");
        assert!(host.clock().advance(Duration::from_secs(30 * 86_400)));
        // Time comes from WASI: there is no other.
        for _ in 0..2 {
            let admitted = (0..60).filter(|_| admits(&mut vm, &get())).count();
            assert_eq!(admitted, 50);
            assert!(host.clock().advance(Duration::from_secs(30 * 86_400)));
        }
        assert!(!vm.take_logs().iter().any(|log| told(&log)));
        // Its table is its own, and goes with it.
        assert!(vm.restart().unwrap());
        assert_eq!(left(&ask(&mut vm, &get()), "a"), Some(49));
    }
    assert_eq!(host.shared_values(""), 0);
}

#[test]
fn no_two_slots_are_one_to_a_host_that_compares_no_keys() {
    let host = host(Profile::KONG);
    // As large as tables are that do not say.
    let capacity = 131_072;
    let ban = json!({"after": 3, "within": "1m", "for": "1m"});
    let limits = json!([
        {"name": "a", "quota": "5/30d", "capacity": capacity, "key": ["header:x-user"]},
        {"name": "b", "quota": "9/30d", "capacity": capacity, "ban": ban},
    ]);
    let (mut vm, _) = serving(&host, &limits);
    // Three tables, eight keys in a slot; each table's mark; the seed.
    assert_eq!(host.shared_values(""), 3 * (capacity / 8 + 1) + 1);

    // Two keys of one CRC-32 are two buckets.
    assert_eq!(left(&ask(&mut vm, &by("plumless")), "a"), Some(4));
    assert_eq!(left(&ask(&mut vm, &by("buckeroo")), "a"), Some(4));
    assert_eq!(left(&ask(&mut vm, &by("plumless")), "a"), Some(3));
}

/// The calls that a request costs, but for those that every request does.
fn calls(vm: &mut Vm, request: &Request) -> Vec<(&'static str, u64)> {
    let calls = ask(vm, request).host_calls.into_iter();
    calls
        .filter(|(call, _)| call.contains("shared_data") || call.contains("time"))
        .collect()
}

#[test]
fn a_limit_costs_three_calls_and_a_known_denial_one() {
    let read = |times| ("proxy_get_shared_data", times);
    let written = |times| ("proxy_set_shared_data", times);
    let clock = ("clock_time_get", 1);
    for profile in [Profile::ENVOY, Profile::KONG] {
        let check = |limits: Value, expected: &[&[(&str, u64)]]| {
            let (mut vm, _) = serving(&host(profile.clone()), &limits);
            for expected in expected {
                assert_eq!(
                    calls(&mut vm, &get()),
                    *expected,
                    "{} {limits}",
                    profile.name
                );
            }
        };
        let passes = [clock, read(1), written(1)];
        // The first denial has to be found out.
        let denials: [&[(&str, u64)]; 3] = [&[clock, read(1)], &[clock], &[clock]];
        let [first, second, third] = denials;
        let one = json!([{"name": "a", "quota": "2/30d"}]);
        check(one, &[&passes, &passes, first, second, third]);

        let both = [clock, read(2), written(2)];
        let two = json!([{"name": "a", "quota": "1/30d"}, {"name": "b", "quota": "2/30d"}]);
        check(two, &[&both, &[clock, read(2)], &[clock]]);

        let exempt = json!([{"name": "a", "quota": "1/30d", "exempt": {"paths": ["/"]}}]);
        check(exempt, &[&[clock]]);
        let others = json!([{"name": "a", "quota": "1/30d", "methods": ["POST"]}]);
        check(others, &[&[clock]]);
        check(
            json!([{"name": "a", "mode": "off", "quota": "1/30d"}]),
            &[&[]],
        );
    }
}

#[test]
fn whatever_shared_data_answers_nothing_passes_uncounted() {
    let limits = json!([{"name": "a", "quota": "3/30d"}]);
    for call in ["proxy_get_shared_data", "proxy_set_shared_data"] {
        for fault in (1..=16).chain([255, u32::MAX]) {
            let (mut vm, _) = serving(&host(Profile::ENVOY), &limits);
            vm.set_fault(call, Some(fault));
            let exchanged = exchange::run(&mut vm, &get(), &mut |_| Response::new(200, "hello"));
            assert!(exchanged.trap.is_none(), "{call} {fault}");
            let status = exchanged.response.and_then(|response| response.status());
            let expected = match (call, fault) {
                // A slot that is gone is made anew, and what was counted in it is lost.
                ("proxy_get_shared_data", 1) => 200,
                // Others are always faster.
                ("proxy_set_shared_data", 8) => 429,
                // There is none after all: this worker goes on alone.
                (_, 12) => 200,
                _ => 503,
            };
            assert_eq!(status, Some(expected), "{call} {fault}");
            vm.set_fault(call, None);
            assert!(admits(&mut vm, &get()), "{call} {fault}");
        }
    }
}
