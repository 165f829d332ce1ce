//! Filters that are not ours, written with the SDK as its own examples are (`host-test/guests`): what they do here they do in a
//! real Envoy, for both are judged by the same function.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use portcullis_host_test::envoy::{self, Configuration, Envoy, Filter, Listener};
use portcullis_host_test::header_map::HeaderMap;
use portcullis_host_test::host::Host;
use portcullis_host_test::host::callout::{Callouts, NoCallouts};
use portcullis_host_test::host::clock::Clock;
use portcullis_host_test::module::Module;
use portcullis_host_test::profile::Profile;
use portcullis_host_test::scenario::http::HttpTarget;
use portcullis_host_test::scenario::target::{
    HttpVersion, Observed, Request, Respond, Scheme, Support, Target, UpstreamSeen,
};
use portcullis_host_test::scenario::wasm::WasmTarget;
use portcullis_host_test::upstream::Upstream;
use portcullis_host_test::vm::{Vm, VmConfig};

mod auth;
#[path = "../../nested.rs"]
pub(crate) mod nested;

/// What `http_config` is configured with.
const MOTTO: &str = "festina lente, \u{fc}brigens";

/// The file of a guest. All of them are built when the first is asked for.
fn file(guest: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let examples = BUILT.get_or_init(|| {
        let started = Instant::now();
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("guests");
        let arguments = ["--package", "portcullis-guests", "--examples", "--release"];
        let features = ["--features", "wasm"];
        let built = nested::build(
            &cargo,
            &workspace,
            &target,
            "wasm32-wasip1",
            &[&arguments[..], &features].concat(),
        )
        .unwrap_or_else(|said| panic!("the guests do not build:\n{said}"));
        let took = started.elapsed();
        let _ = writeln!(io::stderr(), "guests: built in {} ms", took.as_millis());
        built.join("release/examples")
    });
    examples.join(guest).with_extension("wasm")
}

/// The guest in a VM of this crate's host, under this configuration. `Err` with what it logged if it refuses that.
fn start(
    guest: &str,
    configuration: &[u8],
    callouts: Box<dyn Callouts>,
) -> Result<Vm, Vec<String>> {
    let module = Module::from_file(&file(guest)).unwrap();
    let clock = Clock::stopped_at(Duration::from_secs(1_000));
    let host = Host::with_callouts(Profile::ENVOY, clock, callouts);
    let mut vm = Vm::start(&module, host, VmConfig::default()).unwrap();
    match vm.configure(configuration).unwrap() {
        true => Ok(vm),
        false => Err(vm.take_logs().into_iter().map(|log| log.message).collect()),
    }
}

fn here(guest: &str, configuration: &str) -> WasmTarget {
    WasmTarget::of(start(guest, configuration.as_bytes(), Box::new(NoCallouts)).unwrap())
}

fn request(method: &str, path: &str) -> Request {
    Request {
        method: method.into(),
        path: path.into(),
        host: "api.example.com".into(),
        scheme: Scheme::Http,
        client: "203.0.113.7".parse().unwrap(),
        http_version: HttpVersion::Http11,
        headers: HeaderMap::new(),
        body: Vec::new(),
        trailers: HeaderMap::new(),
    }
}

fn respond(body: impl Into<Vec<u8>>) -> Respond {
    Respond {
        status: 200,
        headers: HeaderMap::from([("content-type", "text/plain")]),
        body: body.into(),
        delay: Duration::ZERO,
    }
}

fn called(observed: &Observed) -> bool {
    match observed.upstream {
        UpstreamSeen::Called(_) => true,
        UpstreamSeen::NotCalled => false,
        UpstreamSeen::Unknown => panic!("a target that does not see the upstream"),
    }
}

/// Every HTTP version, since they differ in how a filter is told of the end.
fn over_both_versions(request: &Request) -> [Request; 2] {
    [HttpVersion::Http11, HttpVersion::Http2].map(|http_version| Request {
        http_version,
        ..request.clone()
    })
}

/// When, in seconds since the epoch, and which number: out of a line that `hello_world` logs at a tick.
fn lucky(line: &str) -> Option<(u64, u32)> {
    let (seconds, number) = line
        .strip_prefix("at ")?
        .split_once(" s your lucky number is ")?;
    Some((seconds.parse().ok()?, number.parse().ok()?))
}

#[test]
fn hello_world_greets_and_ticks() {
    let vm = start("hello_world", b"", Box::new(NoCallouts)).unwrap();
    assert_eq!(vm.tick_period(), Some(Duration::from_secs(2)));
    let mut target = WasmTarget::of(vm);
    assert_eq!(target.take_logs(), ["hello, world"]);
    let mut advance = |milliseconds| {
        let by = Duration::from_millis(milliseconds);
        assert_eq!(target.advance(by).unwrap(), Support::Done);
        let logs = target.take_logs();
        let told = logs.iter().map(|line| lucky(line).expect(line));
        told.unzip::<_, _, Vec<u64>, Vec<u32>>()
    };
    assert_eq!(advance(1_999).0, [0; 0]);
    assert_eq!(advance(6_000).0, [1_003, 1_005, 1_007]);
    let (_, mut numbers) = advance(20_000);
    numbers.dedup();
    assert!(numbers.len() > 1, "ten times the number {numbers:?}");
}

#[test]
fn http_body_replaces_what_tells_a_secret() {
    judge_http_body(&mut here("http_body", ""));
}

fn judge_http_body(target: &mut dyn Target) {
    const INSTEAD: &str = "there were {} bytes here that are not for you\n";
    let long = |end: &str| "a".repeat(300_000) + end;
    for (body, replaced) in [
        (String::new(), false),
        ("nothing to see".into(), false),
        ("secret".into(), true),
        ("the secret is out, ".repeat(10), true),
        (long("secre"), false),
        (long("secret"), true),
    ] {
        let expected = if replaced {
            INSTEAD.replace("{}", &body.len().to_string())
        } else {
            body.clone()
        };
        for request in over_both_versions(&request("GET", "/")) {
            let what = format!("{} bytes, {:?}", body.len(), request.http_version);
            let observed = target.exchange(&request, &respond(body.as_str())).unwrap();
            assert_eq!(observed.status, 200, "{what}");
            assert_eq!(String::from_utf8_lossy(&observed.body), expected, "{what}");
            // Without a body Envoy's codec writes a 0 of its own.
            assert!(
                body.is_empty() || !observed.headers.contains("content-length"),
                "{what}: {:?}",
                observed.headers
            );
            let content_type = observed.headers.get_text("content-type");
            assert_eq!(content_type.as_deref(), Some("text/plain"), "{what}");
        }
    }
    let head = target
        .exchange(&request("HEAD", "/"), &respond("secret"))
        .unwrap();
    assert_eq!((head.status, head.body.len()), (200, 0));
    // More than the gateway keeps back: the head has gone out, so the stream can only be cut off.
    let cut = target.exchange(&request("GET", "/"), &respond(vec![b'a'; 3 << 20]));
    assert!(cut.is_err(), "{cut:?}");
    let observed = target
        .exchange(&request("GET", "/"), &respond("still there"))
        .unwrap();
    assert_eq!(observed.body, b"still there");
}

#[test]
fn http_config_adds_its_configuration() {
    judge_http_config(&mut here("http_config", MOTTO));

    let mut vm = start("http_config", b"one", Box::new(NoCallouts)).unwrap();
    assert_eq!(vm.configure(b"\xff"), Ok(false), "not UTF-8");
    assert_eq!(vm.configure(b"two"), Ok(true));
    let observed = WasmTarget::of(vm)
        .exchange(&request("GET", "/"), &respond(""))
        .unwrap();
    assert_eq!(
        observed.headers.get_text("x-motto").as_deref(),
        Some("two"),
        "the last one"
    );
}

fn judge_http_config(target: &mut dyn Target) {
    let mut upstream = respond("body");
    upstream.headers.push("x-motto", "the upstream's own");
    for request in over_both_versions(&request("GET", "/")) {
        let observed = target.exchange(&request, &upstream).unwrap();
        let lines: Vec<&[u8]> = observed.headers.get_all(b"x-motto").collect();
        assert_eq!(lines, [&b"the upstream's own"[..], MOTTO.as_bytes()]);
        assert_eq!(observed.body, b"body");
    }
}

#[test]
fn http_headers_tells_what_it_sees() {
    judge_http_headers(&mut here("http_headers", ""));
}

fn judge_http_headers(target: &mut dyn Target) {
    /// The lines, without the headers that a gateway adds by itself.
    fn said(observed: &Observed) -> Vec<String> {
        const TOLD: [&str; 9] = [
            "request :method: ",
            "request :path: ",
            "request :authority: ",
            "request :scheme: ",
            "request x-ask: ",
            "response :status: ",
            "response x-",
            "response content-",
            "done",
        ];
        let mut lines = observed.logs.clone().unwrap();
        lines.retain(|line| TOLD.iter().any(|told| line.starts_with(told)));
        // Gateways order them differently.
        lines.sort();
        lines
    }
    let mut upstream = respond("teapot");
    upstream.status = 418;
    upstream.headers.push("x-from", "upstream");
    let mut passes = request("GET", "/here?a=b");
    passes.headers.push("x-ask", "one");
    passes.headers.push("x-ask", "\u{fc} two");
    for request in over_both_versions(&passes) {
        let observed = target.exchange(&request, &upstream).unwrap();
        assert_eq!((observed.status, called(&observed)), (418, true));
        assert_eq!(observed.body, b"teapot");
        assert_eq!(
            said(&observed),
            [
                "done with 418",
                "request :authority: api.example.com",
                "request :method: GET",
                "request :path: /here?a=b",
                "request :scheme: http",
                "request x-ask: one",
                "request x-ask: \u{fc} two",
                "response :status: 418",
                "response content-length: 6",
                "response content-type: text/plain",
                "response x-from: upstream",
            ]
        );
    }
    for (method, body, pieces) in [
        ("GET", "i saw you\n", vec![]),
        (
            "POST",
            "i saw you\n",
            vec![b"some".to_vec(), b" body".to_vec()],
        ),
        ("HEAD", "", vec![]),
    ] {
        let mut answered = request(method, "/witness");
        answered.body = pieces;
        for request in over_both_versions(&answered) {
            let what = format!("{method}, {:?}", request.http_version);
            let observed = target.exchange(&request, &upstream).unwrap();
            assert_eq!((observed.status, called(&observed)), (200, false), "{what}");
            assert_eq!(String::from_utf8_lossy(&observed.body), body, "{what}");
            let lines = |name: &str| -> Vec<String> {
                let values = observed.headers.get_all(name.as_bytes());
                values
                    .map(|value| String::from_utf8_lossy(value).into_owned())
                    .collect()
            };
            assert_eq!(lines("x-witness"), ["present"], "{what}");
            assert_eq!(lines("x-seen"), ["1", "2"], "{what}");
            assert_eq!(lines("content-length"), ["10"], "{what}");
            assert_eq!(lines("content-type"), ["text/plain"], "{what}");
            assert_eq!(
                said(&observed),
                [
                    "done with 200",
                    "request :authority: api.example.com",
                    &format!("request :method: {method}"),
                    "request :path: /witness",
                    "request :scheme: http",
                    "response :status: 200",
                    "response content-length: 10",
                    "response content-type: text/plain",
                    "response x-seen: 1",
                    "response x-seen: 2",
                    "response x-witness: present",
                ],
                "{what}"
            );
        }
    }
}

/// The SDK's ordinary accessors panic on a header that is not UTF-8: what one such request does to the VM.
fn judge_a_panic(target: &mut dyn FnMut(&Request) -> u16) {
    let mut odd = request("GET", "/");
    odd.headers.push("x-odd", &b"\xff"[..]);
    assert_eq!(target(&request("GET", "/")), 200);
    assert_eq!(target(&odd), 503);
    assert_eq!(target(&request("GET", "/")), 200, "a new VM");
}

#[test]
fn a_guest_that_panics_answers_503_and_starts_again() {
    let vm = start("http_headers", b"", Box::new(NoCallouts)).unwrap();
    let mut target = WasmTarget::of(vm);
    judge_a_panic(
        &mut |request| match target.exchange(request, &respond("")) {
            Ok(observed) => observed.status,
            Err(error) => {
                let said = format!("{error:#}");
                assert!(said.contains("proxy_on_request_headers"), "{said}");
                503
            }
        },
    );
}

#[test]
fn the_guests_do_the_same_in_a_real_envoy() {
    if !envoy::wanted("other people's filters in a real Envoy") {
        return;
    }
    let (upstream, dice) = (Upstream::start().unwrap(), Upstream::start().unwrap());
    let listener = |name: &str, guest: &str, configuration: &str| Listener {
        name: name.into(),
        filter: Some(Filter {
            module: file(guest),
            configuration: Configuration::Text(configuration.into()),
            vm_id: name.into(),
            hold_headers: false,
            reloadable: false,
        }),
        upstream: upstream.address(),
        gzip: false,
    };
    // A listener for its cluster, which the guest asks.
    let server = |name: &str, address: SocketAddr| Listener {
        name: name.into(),
        filter: None,
        upstream: address,
        gzip: false,
    };
    let envoy = Envoy::start(&[
        listener("hello", "hello_world", ""),
        listener("body", "http_body", ""),
        listener("config", "http_config", MOTTO),
        listener("headers", "http_headers", ""),
        listener("auth", "http_auth_random", ""),
        listener("panics", "http_headers", ""),
        server("dice", dice.address()),
        server("silent-dice", auth::hang_up_after(b"")),
        server(
            "broken-dice",
            auth::hang_up_after(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n2"),
        ),
    ])
    .unwrap();
    let target = |name: &str| HttpTarget::behind(&envoy, name, &upstream).unwrap();
    judge_http_body(&mut target("body"));
    judge_http_config(&mut target("config"));
    judge_http_headers(&mut target("headers"));
    auth::judge(&mut target("auth"), &dice);
    judge_hello_world(&envoy);
    let crashed = envoy.log();
    assert!(!crashed.contains("panicked"), "{crashed}");
    let mut panics = target("panics");
    judge_a_panic(&mut |request| panics.exchange(request, &respond("")).unwrap().status);
    assert!(envoy.log().contains("panicked"));
}

/// The machine's clock cannot be moved, so this one waits for two ticks.
fn judge_hello_world(envoy: &Envoy) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let log = envoy.log();
        let said: Vec<&str> = log
            .lines()
            .filter_map(|line| line.split_once("wasm log hello ")?.1.split_once(": "))
            .map(|(_, message)| message)
            .collect();
        let told: Vec<(u64, u32)> = said.iter().filter_map(|line| lucky(line)).collect();
        if let [(first, one), .., (last, other)] = told[..]
            && last > first
        {
            assert_eq!(said.first(), Some(&"hello, world"));
            assert_ne!(one, other, "{said:?}");
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap()
                .as_secs();
            assert!(
                first <= last && last <= now && now - first < 60,
                "{said:?} at {now}"
            );
            return;
        }
        assert!(Instant::now() < deadline, "no two ticks in the log:\n{log}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
