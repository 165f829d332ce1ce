//! What operators see and switch: ids, times, log lines, masked failures, health.

use std::rc::Rc;

use portcullis_policy::{
    Ambient, Checked, Decision, Exchange, Line, LocalStore, Policy, Reply, RequestHead,
    ResponseHead, Store,
};

use super::{policy, shown};

/// A gateway that knows everything.
struct Knowing {
    store: LocalStore,
    source: &'static str,
    now: std::cell::Cell<u64>,
    checks: Vec<Checked>,
}

impl Default for Knowing {
    fn default() -> Self {
        Self {
            store: LocalStore::default(),
            source: "203.0.113.7:4711",
            now: 1_000_000_000.into(),
            checks: Vec::new(),
        }
    }
}

impl Ambient for Knowing {
    fn source(&self) -> Option<Vec<u8>> {
        Some(self.source.into())
    }
    fn fresh_id(&self) -> u128 {
        0xabc
    }
    fn now(&self) -> u64 {
        self.now.replace(self.now.get() + 2_500_000)
    }
    fn wall(&self) -> u64 {
        1_763_758_847_123_456_789
    }
    fn check(&self, at: usize) -> Checked {
        self.checks.get(at).copied().unwrap_or(Checked::NotHere)
    }
    fn store(&self) -> &dyn Store {
        &self.store
    }
}

const MADE: &str = "00000000000000000000000000000abc";

/// What became of one exchange.
#[derive(Debug, Default)]
struct Seen {
    up: Vec<String>,
    down: Vec<String>,
    reply: Option<Reply>,
    log: Option<serde_json::Value>,
}

fn seen(
    policy: &Rc<Policy>,
    gateway: &Knowing,
    lines: &[(&str, &str)],
    response: &[(&str, &str)],
) -> Seen {
    let lines: Vec<Line<'_>> = lines
        .iter()
        .map(|(n, v)| (n.as_bytes(), v.as_bytes()))
        .collect();
    let response: Vec<Line<'_>> = response
        .iter()
        .map(|(n, v)| (n.as_bytes(), v.as_bytes()))
        .collect();
    let mut exchange: Exchange = policy.begin();
    let mut seen = Seen::default();
    match exchange.on_request_head(&RequestHead::new(&lines), gateway) {
        Decision::Reply(reply) => seen.reply = Some(reply),
        Decision::Continue(edits) | Decision::NeedBody(edits) => {
            seen.up = edits.iter().map(shown).collect();
            let head = ResponseHead::new(&response);
            seen.reply = exchange.mask(&head, gateway);
            if seen.reply.is_none() {
                let edits = exchange.on_response_head(&head, gateway);
                seen.down = edits.iter().map(shown).collect();
            }
        }
    }
    let record = exchange.finish(gateway);
    let line = record.and_then(|record| record.log_line());
    seen.log = line.and_then(|line| serde_json::from_str(&line).ok());
    seen
}

fn get(path: &str) -> Vec<(&str, &str)> {
    vec![
        (":method", "GET"),
        (":path", path),
        (":authority", "a.test"),
    ]
}

const OK: &[(&str, &str)] = &[(":status", "200")];

fn header<'r>(reply: &'r Reply, name: &str) -> Option<&'r str> {
    let found = reply
        .headers
        .iter()
        .find(|(other, _)| other == name.as_bytes());
    str::from_utf8(&found?.1).ok()
}

#[test]
fn ids_go_up_and_back_and_only_trusted_peers_bring_their_own() {
    let policy = policy(
        r#"{"version":1,"client":{"trusted_proxies":["10.0.0.0/8"]},"request":{"methods":["GET"]},"observe":{"request_id":"x-request-id","log":"all"}}"#,
    );
    let check = |source: &'static str, brought: &[&str], id: &str| {
        let gateway = Knowing {
            source,
            ..Knowing::default()
        };
        let mut lines = get("/a");
        lines.extend(brought.iter().map(|id| ("x-request-id", *id)));
        let passed = seen(&policy, &gateway, &lines, OK);
        let expected = match brought {
            [kept] if *kept == id => String::new(),
            [] => format!("+x-request-id: {id}"),
            [_] => format!("=x-request-id: {id}"),
            _ => format!("-x-request-id|+x-request-id: {id}"),
        };
        let up: Vec<String> = passed
            .up
            .into_iter()
            .filter(|edit| edit.contains("x-request-id"))
            .collect();
        assert_eq!(up.join("|"), expected);
        assert_eq!(passed.down, [format!("+x-request-id: {id}")]);
        assert_eq!(passed.log.unwrap()["request_id"], id);
        lines.retain(|(name, _)| *name != ":method");
        lines.push((":method", "PUT"));
        let refused = seen(&policy, &gateway, &lines, OK);
        let reply = refused.reply.unwrap();
        assert_eq!(header(&reply, "x-request-id"), Some(id));
        assert!(
            reply.body.contains(&format!(r#""request_id":"{id}""#)),
            "{}",
            reply.body
        );
        assert_eq!(refused.log.unwrap()["request_id"], id);
    };
    check("203.0.113.7:1", &[], MADE);
    check("203.0.113.7:1", &["mine-1"], MADE);
    check("10.1.2.3:1", &["mine-1"], "mine-1");
    check("10.1.2.3:1", &["mine 1"], MADE);
    check("10.1.2.3:1", &["a", "b"], MADE);
}

#[test]
fn every_answer_says_how_long_it_took() {
    let check = |timing: &str, response: &[(&str, &str)], passed: &str, refused: &str| {
        let text = format!(
            r#"{{"version":1,"request":{{"methods":["GET"]}},"observe":{{"timing":"{timing}","metrics":false}}}}"#
        );
        let policy = policy(&text);
        let down = seen(&policy, &Knowing::default(), &get("/a"), response).down;
        assert_eq!(down, [passed]);
        let refusal = seen(
            &policy,
            &Knowing::default(),
            &[(":method", "PUT"), (":path", "/")],
            OK,
        );
        assert_eq!(header(&refusal.reply.unwrap(), timing), Some(refused));
    };
    check(
        "x-process-time",
        OK,
        "+x-process-time: 0.002500",
        "0.002500",
    );
    check(
        "x-process-time",
        &[(":status", "200"), ("x-process-time", "9")],
        "=x-process-time: 0.002500",
        "0.002500",
    );
    check(
        "server-timing",
        &[(":status", "200"), ("server-timing", "db;dur=1")],
        "=server-timing: db;dur=1, gateway;dur=2.500",
        "gateway;dur=2.500",
    );
}

#[test]
fn the_log_has_what_the_policy_wants_of_it() {
    let of = |observe: &str, path: &str| {
        let text = format!(
            r#"{{"version":1,"observe":{observe},"routes":[{{"name":"a","path":"/a/{{id}}"}}],"unmatched":"reject"}}"#
        );
        seen(&policy(&text), &Knowing::default(), &get(path), OK).log
    };
    assert_eq!(of(r#"{"log":"none"}"#, "/b"), None);
    assert_eq!(of("{}", "/a/1"), None);
    let refused = of("{}", "/b?token=s3cret").unwrap();
    assert_eq!(refused["decision"], "refused");
    assert_eq!(
        (&refused["status"], &refused["path"]),
        (&404.into(), &"/b".into())
    );
    assert_eq!(refused["time"], "2025-11-21T21:00:47.123Z");
    let passed = of(r#"{"log":"all"}"#, "/a/1?token=s3cret").unwrap();
    assert_eq!(
        passed,
        serde_json::json!({
            "portcullis": "decision", "time": "2025-11-21T21:00:47.123Z", "decision": "passed", "policy": "default",
            "status": 200, "duration_us": 2500, "method": "GET", "path": "/a/1", "client": "203.0.113.7",
            "route": "a", "template": "/a/{id}", "request_id": MADE,
        })
    );
    // 0xabc is 2748: every 4th is among those, every 5th is not.
    assert!(of(r#"{"log":"all","log_one_in":4}"#, "/a/1").is_some());
    assert!(of(r#"{"log":"all","log_one_in":5}"#, "/a/1").is_none());
    assert!(of(r#"{"log":"all","log_one_in":5}"#, "/b").is_some());
}

#[test]
fn what_an_upstream_says_of_its_failures_stays_inside() {
    let of = |mode: &str, path: &str, response: &[(&str, &str)]| {
        let text = format!(
            r#"{{"version":1,"mode":"{mode}","headers":{{}},"errors":{{"mask_upstream":true}},
                "health":{{"checks":{{"b":{{"upstream":"b:1","path":"/health"}}}}}},
                "rate_limits":[{{"name":"l","quota":"9/1s","key":["all"],"exempt":{{"paths":["/status/*"]}}}}]}}"#
        );
        seen(&policy(&text), &Knowing::default(), &get(path), response)
    };
    let check = |path: &str, response: &[(&str, &str)], masked: Option<u16>| {
        let reply = of("enforce", path, response).reply;
        assert_eq!(
            reply.as_ref().map(|reply| reply.status),
            masked,
            "{path} {response:?}"
        );
        if let Some(reply) = reply {
            assert_eq!(
                header(&reply, "content-type"),
                Some("application/problem+json")
            );
            assert_eq!(header(&reply, "x-content-type-options"), Some("nosniff"));
            let body: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
            assert_eq!(body["code"], "upstream-failed");
            assert_eq!(Some(&body["status"]), masked.map(Into::into).as_ref());
        }
    };
    let html = ("content-type", "text/html");
    let json = ("content-type", "application/health+json; charset=utf-8");
    check("/a", &[(":status", "500"), html], Some(500));
    check("/a", &[(":status", "599")], Some(599));
    check("/a", &[(":status", "503"), json], Some(503));
    check("/a", &[(":status", "499"), html], None);
    check("/a", OK, None);
    check("/a", &[(":status", "x")], None);
    check("/health", &[(":status", "503"), json], None);
    check("/status/x", &[(":status", "503"), json], None);
    check("/health", &[(":status", "503"), html], Some(503));
    check("/health", &[(":status", "500"), json], Some(500));
    let late = of("enforce", "/a", &[(":status", "503"), ("retry-after", "7")])
        .reply
        .unwrap();
    assert_eq!(header(&late, "retry-after"), Some("7"));
    let failed = of("enforce", "/a", &[(":status", "502"), html])
        .log
        .unwrap();
    assert_eq!(
        (&failed["decision"], &failed["status"]),
        (&"masked".into(), &502.into())
    );
    let told = of("report", "/a", &[(":status", "502"), html]);
    assert!(told.reply.is_none() && told.down.is_empty(), "{told:?}");
    assert_eq!(told.log.unwrap()["decision"], "would-mask");
    assert!(of("off", "/a", &[(":status", "502"), html]).log.is_none());
}

#[test]
fn health_is_answered_before_anybody_is_refused() {
    let of = |mode: &str, lines: &[(&str, &str)], checks: &[Checked]| {
        let text = format!(
            r#"{{"version":1,"name":"p","mode":"{mode}","request":{{"hosts":["only.test"],"methods":["POST"]}},"headers":{{}},"unmatched":"reject",
                "health":{{"live":"/livez","ready":"/readyz","checks":{{
                    "a":{{"upstream":"a:1","path":"/"}},"b":{{"upstream":"b:1","path":"/"}}}}}}}}"#
        );
        let gateway = Knowing {
            checks: checks.to_vec(),
            ..Knowing::default()
        };
        seen(&policy(&text), &gateway, lines, OK).reply
    };
    for mode in ["enforce", "report", "off"] {
        let live = of(mode, &get("/livez?x"), &[]).unwrap();
        assert_eq!(
            (live.status, live.body.as_str()),
            (200, r#"{"status":"alive"}"#)
        );
    }
    let check = |checks: &[Checked], status: u16, said: &str, listed: serde_json::Value| {
        let reply = of("enforce", &get("/readyz"), checks).unwrap();
        let body: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!(
            (reply.status, &body["status"], &body["checks"]),
            (status, &said.into(), &listed)
        );
        assert_eq!(
            (&body["policy"], body["policy_hash"].as_str().unwrap().len()),
            (&"p".into(), 16)
        );
        assert_eq!(header(&reply, "cache-control"), Some("no-store"));
        assert_eq!(header(&reply, "x-content-type-options"), Some("nosniff"));
    };
    use Checked::{Failed, NotYet, Ok as Well};
    check(
        &[Well, Well],
        200,
        "ready",
        serde_json::json!({"a": "ok", "b": "ok"}),
    );
    check(
        &[Well, Failed],
        503,
        "degraded",
        serde_json::json!({"a": "ok", "b": "failed"}),
    );
    check(
        &[NotYet, Failed],
        503,
        "failed",
        serde_json::json!({"a": "failed", "b": "failed"}),
    );
    check(&[], 200, "ready", serde_json::json!({}));
    // Only these paths, byte for byte, and what breaks no rule of form.
    let status = |lines: &[(&str, &str)]| of("enforce", lines, &[]).map(|reply| reply.status);
    assert_eq!(status(&get("/livez/")), Some(421));
    assert_eq!(status(&get("/%6Civez")), Some(421));
    assert_eq!(
        status(&[
            (":method", "POST"),
            (":path", "/livez"),
            (":authority", "only.test")
        ]),
        Some(404)
    );
    assert_eq!(
        status(&[(":method", "GET"), (":path", "/livez"), ("x-a", "\0")]),
        Some(400)
    );
    assert_eq!(
        status(&[(":method", "HEAD"), (":path", "/livez")]),
        Some(200)
    );
}
