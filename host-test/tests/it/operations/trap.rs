//! What a trap costs: one request. Forced by a build of the filter that stops at a header; no other build can.

use std::path::{Path, PathBuf};

use portcullis_host_test::envoy::{self, Envoy};
use portcullis_host_test::scenario::http::HttpTarget;
use portcullis_host_test::scenario::target::Target;
use portcullis_host_test::upstream::Upstream;
use serde_json::json;

use super::super::envoy::{get, listener, ok, text};
use super::super::guests::nested;
use super::{read, wait};

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
    let built = nested::build(&cargo, &workspace, &target, &arguments);
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
    assert_eq!(status(&[]), 200);
    assert_eq!(status(&[("x-portcullis-trap", "1")]), 503);
    // The same client goes on with what it had left: two.
    assert_eq!([status(&[]), status(&[]), status(&[])], [200, 200, 429]);
    let text = envoy.prometheus().unwrap();
    let reloads = reloads(&text);
    assert_eq!(reloads, 1.0, "{text}");
    let requests = read(&text, "portcullis_requests_total");
    assert_eq!(requests.values().sum::<f64>(), 4.0, "{requests:?}");
    // And again, later: Envoy waits a second between two new VMs, doubling.
    wait("the next VM", || {
        status(&[("x-portcullis-trap", "1")]);
        (status(&[]) == 429).then_some(())
    });
}

/// How often Envoy has made a new VM in place of one that stopped.
pub(super) fn reloads(text: &str) -> f64 {
    let lines = text
        .lines()
        .filter(|line| line.starts_with("envoy_wasm") && line.contains("vm_reload_success"));
    let values = lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
    values.sum()
}
