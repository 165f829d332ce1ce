//! Readiness in a real Envoy: checks that call a real upstream from the timer of each worker.

use portcullis_host_test::envoy::{self, Envoy};
use portcullis_host_test::scenario::http::HttpTarget;
use portcullis_host_test::scenario::target::{Respond, Target, UpstreamSeen};
use portcullis_host_test::upstream::Upstream;
use serde_json::{Value, json};

use super::super::envoy::{get, ok};
use super::{reloadable, wait};

fn policy(name: &str, check: &str) -> Value {
    json!({
        "version": 1,
        "name": name,
        "client": {"forwarded": "host"},
        "health": {"ready": "/readyz", "checks": {
            "backend": {"upstream": check, "path": "/health", "every": "1s", "timeout": "500ms"}}},
    })
}

#[test]
fn readiness_follows_the_upstream() {
    if !envoy::wanted("checks of readiness in a real Envoy") {
        return;
    }
    let upstream = Upstream::start().unwrap();
    upstream.respond(ok("{}"));
    // An upstream is a cluster of Envoy's; the harness gives each listener one of its name.
    let envoy = Envoy::start(&[reloadable(
        "checked",
        &policy("checked", "checked"),
        &upstream,
    )])
    .unwrap();
    let ready = |respond: &Respond| -> (u16, Value) {
        let mut target = HttpTarget::behind(&envoy, "checked", &upstream).unwrap();
        let observed = target.exchange(&get("/readyz"), respond).unwrap();
        // A check may be under way at any moment; the request itself goes nowhere.
        if let UpstreamSeen::Called(seen) = &observed.upstream {
            assert_eq!(seen.path, "/health");
        }
        (
            observed.status,
            serde_json::from_slice(&observed.body).unwrap(),
        )
    };
    let well = ok("{}");
    let ill = Respond {
        status: 500,
        ..ok("{}")
    };
    let becomes = |respond: &Respond, status: u16, said: &str| {
        wait(said, || {
            let (code, body) = ready(respond);
            (code == status && body["status"] == said).then_some(body)
        })
    };
    let body = becomes(&well, 200, "ready");
    assert_eq!(body["checks"], json!({"backend": "ok"}));
    assert_eq!(body["policy"], "checked");
    let body = becomes(&ill, 503, "failed");
    assert_eq!(body["checks"], json!({"backend": "failed"}));
    becomes(&well, 200, "ready");
    let log = envoy.log();
    for part in [
        "check `backend` is well: it answered 200",
        "check `backend` failed: it answered 500",
    ] {
        assert!(log.contains(part), "no `{part}` in {log}");
    }

    // Another policy with other checks: the old ones are made no more, and its own are asked about.
    let other = policy("other", "nowhere");
    assert!(envoy.reconfigure("checked", super::text(&other)).unwrap());
    let body = becomes(&well, 503, "failed");
    assert_eq!(body["policy"], "other");
    wait("its first check", || {
        envoy
            .log()
            .contains("the gateway cannot call it")
            .then_some(())
    });
    becomes(&well, 503, "failed");
    assert!(
        envoy
            .reconfigure("checked", super::text(&policy("back", "checked")))
            .unwrap()
    );
    becomes(&well, 200, "ready");
}
