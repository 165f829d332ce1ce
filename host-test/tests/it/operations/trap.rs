//! What a trap costs: one request. Forced by a build of the filter that stops at a header; no other build can.

use std::path::{Path, PathBuf};
use std::time::Duration;

use portcullis_host_test::envoy::{self, Envoy};
use portcullis_host_test::scenario::http::HttpTarget;
use portcullis_host_test::scenario::target::Target;
use portcullis_host_test::upstream::Upstream;
use serde_json::json;

use super::super::envoy::{get, listener, ok, text};
use super::super::guests::nested;
use super::read;

/// The filter that stops at a request with `x-portcullis-trap`.
pub(super) fn module() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("trap");
    let arguments = [
        "--package",
        "portcullis-filter",
        "--features",
        "trap",
        "--release",
    ];
    let built = nested::build(&cargo, &workspace, &target, "wasm32-wasip1", &arguments);
    let built =
        built.unwrap_or_else(|said| panic!("the filter that traps does not build:\n{said}"));
    built.join("release/portcullis.wasm")
}

#[test]
fn a_trap_takes_down_one_request() {
    if !envoy::wanted("a trap in a real Envoy") {
        return;
    }
    let policy = json!({
        "version": 1,
        "client": {"forwarded": "host"},
        "rate_limits": [{"name": "few", "quota": "3/1h"}],
        "observe": {"log": "all"},
    });
    let upstream = Upstream::start().unwrap();
    let mut listener = listener("trapped", text(&policy), &upstream);
    if let Some(filter) = &mut listener.filter {
        filter.module = module();
    }
    let envoy = Envoy::start(&[listener]).unwrap();
    let mut target = HttpTarget::behind(&envoy, "trapped", &upstream).unwrap();
    let mut status = |headers: &[(&str, &str)]| {
        let mut request = get("/a");
        for (name, value) in headers {
            request.headers.push(*name, *value);
        }
        target.exchange(&request, &ok("{}")).unwrap().status
    };
    let policy_hash = |envoy: &Envoy| super::number(envoy, "portcullis_policy_hash");
    let before = policy_hash(&envoy);
    assert_eq!(status(&[]), 200);
    // A VM is not replaced in its first tenth of a second.
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(status(&[("x-portcullis-trap", "1")]), 503);
    // The very next one is served, and the client goes on with what it had left: two.
    assert_eq!([status(&[]), status(&[]), status(&[])], [200, 200, 429]);
    let text = envoy.prometheus().unwrap();
    assert_eq!(reloads(&text), 1.0, "{text}");
    // What was counted before counts on; the request that trapped was nobody's to count.
    let requests = read(&text, "portcullis_requests_total");
    assert_eq!(requests.values().sum::<f64>(), 4.0, "{requests:?}");
    assert_eq!(policy_hash(&envoy), before);
    let log = envoy.log();
    assert!(log.contains("Proxy-Wasm plugin in-VM backtrace"), "{log}");
    // One after the other, each costs itself.
    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(1500));
        assert_eq!(status(&[("x-portcullis-trap", "1")]), 503);
        assert_eq!(status(&[]), 429);
    }
}

/// How often Envoy has made a new VM in place of one that stopped.
fn reloads(text: &str) -> f64 {
    read(text, "envoy_wasm_vm_reload_success").values().sum()
}
