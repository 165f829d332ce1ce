//! The engine from outside: policies in, verdicts and decisions out.

#![expect(clippy::panic, reason = "a test fails by panicking")]

use std::rc::Rc;

use portcullis_policy::{
    Ambient, Decision, Edit, Exchange, Line, Policy, Record, Reply, RequestHead, ResponseHead,
    Severity, load,
};
use proptest::prelude::*;

struct Gateway;

impl Ambient for Gateway {
    fn source(&self) -> Option<Vec<u8>> {
        Some(b"203.0.113.7:4711".to_vec())
    }
    fn fresh_id(&self) -> u128 {
        0xabc
    }
}

fn policy(text: &str) -> Rc<Policy> {
    let verdict = load(text.as_bytes());
    let errors = verdict.diagnostics;
    Rc::new(
        verdict
            .policy
            .unwrap_or_else(|| panic!("{text}: {errors:?}")),
    )
}

/// What is seen of a decision: the reply, or the edits in words.
#[derive(Debug, PartialEq)]
enum Seen {
    Continue(Vec<String>),
    Reply(Reply),
}

fn judged(policy: &Rc<Policy>, lines: &[(&str, &str)]) -> (Seen, Exchange) {
    let lines: Vec<Line<'_>> = lines
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect();
    let mut exchange = policy.begin();
    let seen = match exchange.on_request_head(&RequestHead::new(&lines), &Gateway) {
        Decision::Reply(reply) => Seen::Reply(reply),
        Decision::Continue(edits) => {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let edits = edits.iter().map(|edit| match edit {
                Edit::Add(name, value) => format!("+{}: {}", text(name), text(value)),
                Edit::Replace(name, value) => format!("={}: {}", text(name), text(value)),
                Edit::Remove(name) => format!("-{}", text(name)),
            });
            Seen::Continue(edits.collect())
        }
    };
    (seen, exchange)
}

/// The status of the reply, 0 if the request goes on; and the codes that were recorded.
fn outcome(policy: &Rc<Policy>, lines: &[(&str, &str)]) -> (u16, Vec<&'static str>) {
    let (decision, exchange) = judged(policy, lines);
    let status = match decision {
        Seen::Continue(_) => 0,
        Seen::Reply(reply) => reply.status,
    };
    let findings = exchange.finish().map(|record: Record| record.findings);
    let codes = findings.iter().flatten().map(|f| f.refusal.code).collect();
    (status, codes)
}

fn get(path: &str) -> [(&str, &str); 3] {
    [
        (":method", "GET"),
        (":path", path),
        (":authority", "api.example.com"),
    ]
}

fn findings(text: &str) -> Vec<(String, String)> {
    let list = load(text.as_bytes()).diagnostics;
    list.into_iter()
        .map(|d| (d.code.into_owned(), d.pointer))
        .collect()
}

/// `code pointer` of every diagnostic.
fn check_findings(text: &str, expected: &[&str]) {
    let found: Vec<String> = findings(text)
        .into_iter()
        .map(|(code, pointer)| format!("{code} {pointer}"))
        .collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn eight_mistakes_in_eight_sections_are_eight_findings() {
    check_findings(
        r#"{
            "version": 1,
            "client": {"trusted_proxies": ["10.0.0.1/8"]},
            "request": {"hots": ["api.example.com"]},
            "headers": {"preset": "apo"},
            "cors": {"origins": []},
            "rate_limits": [{"name": "a", "quota": "5/minute"}],
            "routes": [{"name": "r", "path": "match"}],
            "errors": {"format": true},
            "observe": {"log": null}
        }"#,
        &[
            "network-syntax /client/trusted_proxies/0",
            "unknown-key /request/hots",
            "unknown-value /headers/preset",
            "empty-list /cors/origins",
            "quota-syntax /rate_limits/0/quota",
            "path-pattern /routes/0/path",
            "wrong-type /errors/format",
            "null-value /observe/log",
        ],
    );
}

#[test]
fn every_error_has_a_message_and_near_misses_a_suggestion() {
    let check = |text: &str, help: &str| {
        let list = load(text.as_bytes()).diagnostics;
        let found = list
            .iter()
            .any(|d| d.help.as_deref().is_some_and(|h| h.contains(help)));
        assert!(found, "{text}: {list:?}");
    };
    check(r#"{"version":1,"requst":{}}"#, "did you mean `request`?");
    check(r#"{"version":1,"mode":"reprot"}"#, "did you mean `report`?");
    check(r#"{"version":1,"name":5}"#, "quote it");
    check(
        r#"{"version":1,"rate_limits":[{"name":"a","quota":"5/minute"}]}"#,
        "did you mean `5/1m`?",
    );
    check(
        r#"{"version":1,"request":{"max_body_bytes":"1MB"}}"#,
        "`1MiB`",
    );
    check(
        r#"{"version":1,"request":{"max_body_bytes":1024}}"#,
        "1024B",
    );
    check(
        r#"{"version":1,"request":{"methods":["get"]}}"#,
        "did you mean `GET`?",
    );
    check(
        r#"{"version":1,"request":{"hosts":["https://a.example"]}}"#,
        "no scheme",
    );
    check(r#"{"version":2}"#, "roll the module out before the policy");
    check("version: 1", "reads YAML");
}

#[test]
fn what_is_not_enforced_is_never_accepted() {
    check_findings(
        r##"{
            "version": 1,
            "cors": {"origins": ["*"]},
            "rate_limits": [{"name": "a", "quota": "1/1s"}],
            "limiter": {"protocol": "rls-grpc", "upstream": "x"},
            "profanity": {},
            "schemas": {"A": {}},
            "routes": [{
                "name": "r", "path": "/", "cors": {}, "rate_limits": [{"name": "b", "quota": "1/1s"}],
                "validate": {}, "profanity": {"fields": "all"}
            }],
            "errors": {"mask_upstream": true},
            "observe": {},
            "health": {"live": "/livez"}
        }"##,
        &[
            "not-supported /cors",
            "not-supported /rate_limits",
            "not-supported /limiter",
            "not-supported /profanity",
            "not-supported /schemas",
            "not-supported /errors/mask_upstream",
            "not-supported /observe",
            "not-supported /health",
            "not-supported /routes/0/cors",
            "not-supported /routes/0/rate_limits",
            "not-supported /routes/0/validate",
            "not-supported /routes/0/profanity",
        ],
    );
}

#[test]
fn contradictions_are_errors() {
    check_findings("{}", &["missing-key "]);
    check_findings(r#"{"version":1}"#, &["policy-empty "]);
    check_findings(
        r#"{"version":1,"version":1,"headers":{}}"#,
        &["duplicate-key /version"],
    );
    check_findings(
        r#"{"version":1,"headers":{"set":{"X-A":"1"},"default":{"x-a":"1","x-b":"2"},"remove":["x-b*"]}}"#,
        &[
            "headers-set-and-removed /headers/default/x-b",
            "headers-set-and-defaulted /headers/default/x-a",
        ],
    );
    check_findings(
        r#"{"version":1,"headers":{"set":{"content-length":"1","access-control-allow-origin":"*","set-cookie":"a=b"},"remove":["transfer-*"]}}"#,
        &[
            "headers-reserved /headers/set/content-length",
            "headers-reserved /headers/set/access-control-allow-origin",
            "headers-reserved /headers/set/set-cookie",
            "headers-reserved /headers/remove/0",
        ],
    );
    check_findings(
        r#"{"version":1,"request":{"strip":["x-a","Content-Length","host"]}}"#,
        &[
            "headers-reserved /request/strip/1",
            "headers-reserved /request/strip/2",
        ],
    );
    check_findings(
        r#"{"version":1,"headers":{"set":{"x-a":"a\nb","x b":"1"},"remove":["*"]}}"#,
        &[
            "header-value /headers/set/x-a",
            "header-name /headers/set/x b",
            "header-name /headers/remove/0",
        ],
    );
    check_findings(
        r#"{"version":1,"headers":{"cookies":{"same_site":"none"}},"request":{"https":{}}}"#,
        &[
            "cookies-none-insecure /headers/cookies",
            "https-without-hosts /request/https",
        ],
    );
    check_findings(
        r#"{"version":1,"unmatched":"reject"}"#,
        &["unmatched-without-routes /unmatched"],
    );
}

#[test]
fn long_lists_are_read_in_time() {
    let hosts: Vec<String> = (0..60_000).map(|n| format!("h{n}.example.com")).collect();
    let names: serde_json::Map<String, serde_json::Value> = hosts
        .iter()
        .map(|host| (format!("x-{host}"), "1".into()))
        .collect();
    let text = serde_json::json!({
        "version": 1, "request": {"hosts": hosts}, "headers": {"set": names},
    });
    assert!(findings(&text.to_string()).is_empty());
    check_findings(
        r#"{"version":1,"request":{"hosts":["b.test","a.test","B.test"],"methods":["GET","GET","GET"]},
            "headers":{"set":{"x-a":"1","X-A":"2"}}}"#,
        &[
            "duplicate-entry /request/hosts/2",
            "duplicate-entry /request/methods/1",
            "duplicate-entry /request/methods/2",
            "duplicate-key /headers/set/X-A",
        ],
    );
}

#[test]
fn routes_that_no_request_can_tell_apart() {
    let check = |first: &str, second: &str, twins: bool| {
        let text = format!(
            r#"{{"version":1,"unmatched":"reject","routes":[{{"name":"a",{first}}},{{"name":"b",{second}}}]}}"#
        );
        let expected: &[&str] = if twins {
            &["route-ambiguous /routes/1"]
        } else {
            &[]
        };
        check_findings(&text, expected);
    };
    check(r#""path":"/a""#, r#""path":"/A/""#, true);
    check(r#""path":"/{x}""#, r#""path":"/{y}""#, true);
    check(r#""path":"/a/*""#, r#""path":"/a/*""#, true);
    check(
        r#""path":"/a","methods":["GET","POST"]"#,
        r#""path":"/a","methods":["POST"]"#,
        true,
    );
    check(
        r#""path":"/a","hosts":["a.test","b.test"]"#,
        r#""path":"/a","hosts":["B.test"]"#,
        true,
    );
    check(r#""path":"/a""#, r#""path":"/b""#, false);
    check(r#""path":"/a""#, r#""path":"/{x}""#, false);
    check(r#""path":"/a""#, r#""path":"/a/*""#, false);
    check(
        r#""path":"/a","methods":["GET"]"#,
        r#""path":"/a","methods":["POST"]"#,
        false,
    );
    check(r#""path":"/a","methods":["GET"]"#, r#""path":"/a""#, false);
    check(r#""path":"/a","hosts":["a.test"]"#, r#""path":"/a""#, false);
    check(
        r#""path":"/a","hosts":["a.test"]"#,
        r#""path":"/a","hosts":["*.test"]"#,
        false,
    );
    check_findings(
        r#"{"version":1,"unmatched":"reject","routes":[{"name":"a","path":"/a"},{"name":"a","path":"/b"}]}"#,
        &["route-name-taken /routes/1/name"],
    );
}

#[test]
fn a_patch_is_judged_at_the_route_that_it_stands_on() {
    check_findings(
        r#"{"version":1,"headers":{"set":{"x-a":"1"}},"routes":[
            {"name":"a","path":"/a","headers":{"remove":["x-a"]}},
            {"name":"b","path":"/b","headers":{"presett":null}},
            {"name":"c","path":"/c","headers":null},
            {"name":"d","path":"/d","headers":{"set":{"x-a":null},"remove":["x-a"]}}
        ]}"#,
        &[
            "headers-set-and-removed /routes/0/headers/set/x-a",
            "unknown-key /routes/1/headers/presett",
            "null-value /routes/2/headers",
        ],
    );
    // The shared section's own mistake is told once, not once a route.
    check_findings(
        r#"{"version":1,"headers":{"preset":"apo"},"routes":[{"name":"a","path":"/a","headers":{}}]}"#,
        &["unknown-value /headers/preset"],
    );
}

#[test]
fn hosts_methods_and_unmatched_in_their_order() {
    let policy = policy(
        r#"{"version":1,"request":{"hosts":["*.example.com"],"methods":["GET","POST","HEAD","OPTIONS"]},
            "routes":[{"name":"a","path":"/match/{id}","methods":["GET"]}],"unmatched":"reject"}"#,
    );
    let check = |lines: &[(&str, &str)], status: u16, codes: &[&str]| {
        assert_eq!(
            outcome(&policy, lines),
            (status, codes.to_vec()),
            "{lines:?}"
        );
    };
    let request = |method, path, host| [(":method", method), (":path", path), (":authority", host)];
    check(&request("GET", "/match/1", "api.example.com:8443"), 0, &[]);
    check(
        &request("HEAD", "/MATCH//1/?x=1", "API.example.com."),
        0,
        &[],
    );
    check(
        &request("PUT", "/nowhere", "evil.test"),
        421,
        &["host-not-allowed"],
    );
    check(
        &request("GET", "/match/1", "api.example.com,evil.test"),
        400,
        &["host-malformed"],
    );
    check(
        &[(":method", "GET"), (":path", "/match/1")],
        400,
        &["host-malformed"],
    );
    check(
        &request("PUT", "/nowhere", "api.example.com"),
        405,
        &["method-not-allowed"],
    );
    check(
        &request("GET", "/nowhere", "api.example.com"),
        404,
        &["route-not-found"],
    );
    check(
        &request("POST", "/match/1", "api.example.com"),
        405,
        &["route-method-not-allowed"],
    );
    check(&[], 400, &["path-malformed"]);
}

#[test]
fn what_goes_up_is_what_was_found_out() {
    let policy = policy(r#"{"version":1,"request":{"strip":["x-debug"]}}"#);
    let mut head = get("/").to_vec();
    head.extend([
        ("X-Forwarded-For", "1.1.1.1"),
        ("x-debug", "1"),
        ("x-real-ip", "1.1.1.1"),
    ]);
    let (seen, _) = judged(&policy, &head);
    let edits = [
        "-x-debug",
        "-x-real-ip",
        "=x-forwarded-for: 203.0.113.7",
        "+x-forwarded-proto: http",
    ];
    assert_eq!(seen, Seen::Continue(edits.map(str::to_owned).to_vec()));
}

#[test]
fn a_body_is_counted_where_the_head_does_not_tell_its_length() {
    let text = |mode: &str| {
        format!(r#"{{"version":1,"request":{{"mode":"{mode}","max_body_bytes":"10B"}}}}"#)
    };
    let sent = |mode: &str, chunks: &[usize]| {
        let (_, mut exchange) = judged(&policy(&text(mode)), &get("/"));
        let mut replies = chunks
            .iter()
            .filter_map(|size| exchange.on_request_body(*size));
        let status = replies.next().map(|reply| reply.status);
        let again = replies.next().is_some();
        let codes = exchange.finish().map_or(0, |record| record.findings.len());
        (status, again, codes)
    };
    assert_eq!(sent("enforce", &[4, 6, 0]), (None, false, 0));
    assert_eq!(sent("enforce", &[4, 7, 1]), (Some(413), false, 1));
    assert_eq!(
        sent("enforce", &[usize::MAX, usize::MAX]),
        (Some(413), false, 1)
    );
    assert_eq!(sent("report", &[4, 7, 1]), (None, false, 1));
    assert_eq!(sent("off", &[400]), (None, false, 0));
    // What follows an upgrade is no body, unless it is framed as one.
    let upgraded = |extra: &[(&'static str, &'static str)]| {
        let mut head = get("/").to_vec();
        head.push(("upgrade", "websocket"));
        head.extend(extra);
        let (_, exchange) = judged(&policy(&text("enforce")), &head);
        exchange.reads_request_body()
    };
    assert!(!upgraded(&[]) && upgraded(&[("transfer-encoding", "chunked")]));
    assert_eq!(outcome(&policy(&text("enforce")), &get("*")).0, 400);
    let mut announced = get("/").to_vec();
    announced.push(("content-length", "11"));
    assert_eq!(
        outcome(&policy(&text("enforce")), &announced),
        (413, vec!["body-too-large"])
    );
}

#[test]
fn a_preflight_is_judged_as_the_method_that_it_asks_for() {
    let policy = policy(
        r#"{"version":1,"request":{"methods":["PUT"]},"routes":[{"name":"a","path":"/a","methods":["PUT"]}],"unmatched":"reject"}"#,
    );
    let options = |asked| {
        [
            (":method", "OPTIONS"),
            (":path", "/a"),
            ("origin", "https://a.test"),
            ("access-control-request-method", asked),
        ]
    };
    assert_eq!(outcome(&policy, &options("PUT")).0, 0);
    assert_eq!(outcome(&policy, &options("DELETE")).0, 405);
    assert_eq!(
        outcome(&policy, &[(":method", "OPTIONS"), (":path", "/a")]).0,
        405
    );
}

#[test]
fn report_records_and_changes_nothing() {
    let text = |mode: &str| {
        format!(
            r#"{{"version":1,{mode}"request":{{"hosts":["a.test"],"methods":["POST"]}},"headers":{{}},
                "routes":[{{"name":"a","path":"/a"}}],"unmatched":"reject"}}"#
        )
    };
    let all = ["host-not-allowed", "method-not-allowed", "route-not-found"];
    let report = policy(&text(r#""mode":"report","#));
    let (decision, exchange) = judged(&report, &get("/"));
    assert_eq!(decision, Seen::Continue(vec![]));
    assert!(!exchange.reads_response());
    let head = ResponseHead::new(&[(b"server", b"uvicorn")]);
    assert!(exchange.on_response_head(&head).is_empty());
    let line: serde_json::Value =
        serde_json::from_str(&exchange.finish().unwrap().log_line().unwrap()).unwrap();
    assert_eq!(line["decision"], "would-refuse");
    assert_eq!(line["code"], all[2]);
    assert_eq!(line["would_refuse"], serde_json::json!([all[0], all[1]]));

    let off = policy(&text(r#""mode":false,"#));
    assert_eq!(outcome(&off, &get("/")), (0, vec![]));
    let enforce = policy(&text(""));
    assert_eq!(outcome(&enforce, &get("/")), (421, vec![all[0]]));
    // An inner `enforce` does not lift an outer `report`.
    let inner = r#"{"version":1,"mode":"report","request":{"mode":"enforce","hosts":["a.test"]}}"#;
    assert_eq!(outcome(&policy(inner), &get("/")), (0, vec![all[0]]));
    let only_request = r#"{"version":1,"request":{"mode":"report","hosts":["a.test"]},"unmatched":"reject","routes":[{"name":"a","path":"/a"}]}"#;
    assert_eq!(
        outcome(&policy(only_request), &get("/")),
        (404, vec![all[0], all[2]])
    );
}

#[test]
fn replies_carry_the_headers_of_the_policy_once() {
    let policy = policy(r#"{"version":1,"headers":{},"request":{"hosts":["a.test"]}}"#);
    let (decision, exchange) = judged(&policy, &get("/"));
    let Seen::Reply(reply) = decision else {
        panic!("refused");
    };
    let mut names: Vec<&str> = reply
        .headers
        .iter()
        .map(|(name, _)| std::str::from_utf8(name).unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "cache-control",
            "content-security-policy",
            "content-type",
            "cross-origin-embedder-policy",
            "cross-origin-opener-policy",
            "cross-origin-resource-policy",
            "referrer-policy",
            "x-content-type-options",
            "x-dns-prefetch-control",
            "x-frame-options",
            "x-permitted-cross-domain-policies",
        ]
    );
    let lines: Vec<Line<'_>> = reply
        .headers
        .iter()
        .map(|(n, v)| (n.as_slice(), v.as_slice()))
        .collect();
    assert!(
        exchange
            .on_response_head(&ResponseHead::new(&lines))
            .is_empty()
    );
    let body: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(body["code"], "host-not-allowed");
    assert_eq!(body["request_id"], format!("{:032x}", 0xabc));
}

#[test]
fn grpc_requests_get_a_grpc_status() {
    let policy =
        policy(r#"{"version":1,"unmatched":"reject","routes":[{"name":"a","path":"/a"}]}"#);
    let head = [
        (":method", "POST"),
        (":path", "/b"),
        ("content-type", "application/grpc+proto"),
    ];
    let (Seen::Reply(reply), _) = judged(&policy, &head) else {
        panic!("refused");
    };
    let Reply {
        grpc_status,
        headers,
        body,
        ..
    } = reply;
    assert_eq!(grpc_status, Some(12));
    assert!(headers.iter().all(|(name, _)| name != b"content-type"));
    assert!(body.contains("route-not-found"));
}

#[test]
fn a_policy_as_a_struct_is_the_same_policy() {
    // {"version": 1, "request": {"hosts": ["a.test"]}} as google.protobuf.Struct.
    let value = |number: u8, bytes: &[u8]| {
        let mut out = vec![number << 3 | 2, u8::try_from(bytes.len()).unwrap()];
        out.extend_from_slice(bytes);
        out
    };
    let entry = |name: &str, document: Vec<u8>| {
        let pair = [value(1, name.as_bytes()), value(2, &document)].concat();
        value(1, &pair)
    };
    let hosts = {
        let text = [&[0x1a, 6][..], b"a.test"].concat();
        let list = [&[0x0a, 8][..], &text].concat();
        [&[0x32, 10][..], &list].concat()
    };
    let request = entry("hosts", hosts);
    let request = [&[0x2a, u8::try_from(request.len()).unwrap()][..], &request].concat();
    let one = [&[0x11][..], &1f64.to_le_bytes()].concat();
    let bytes = [entry("version", one), entry("request", request)].concat();
    let verdict = load(&bytes);
    assert!(verdict.diagnostics.is_empty(), "{:?}", verdict.diagnostics);
    let policy = Rc::new(verdict.policy.unwrap());
    assert_eq!(outcome(&policy, &get("/")).0, 421);
}

/// JSON that looks like a policy: known keys in odd places, odd values under known keys.
fn odd_policy() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i32>().prop_map(Into::into),
        any::<f64>().prop_map(|n| serde_json::json!(n)),
        "[ -~]{0,12}".prop_map(Into::into),
        prop::sample::select(vec![
            "enforce", "off", "api", "*", "/a/{b}", "*.a.test", "10s", "5/1m", "GET"
        ])
        .prop_map(Into::into),
    ];
    let keys = vec![
        "version",
        "name",
        "mode",
        "client",
        "request",
        "hosts",
        "methods",
        "headers",
        "set",
        "default",
        "remove",
        "preset",
        "cors",
        "origins",
        "rate_limits",
        "quota",
        "key",
        "routes",
        "path",
        "validate",
        "body",
        "schema",
        "profanity",
        "fields",
        "unmatched",
        "errors",
        "format",
        "observe",
        "health",
        "checks",
        "exempt",
        "paths",
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        let key = prop::sample::select(keys.clone());
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::Array),
            prop::collection::vec((key, inner), 0..6).prop_map(|members| {
                members
                    .into_iter()
                    .map(|(k, v)| (k.to_owned(), v))
                    .collect()
            }),
        ]
    })
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..40)
}

proptest! {
    #[test]
    fn no_document_is_too_odd(document in odd_policy()) {
        let verdict = load(document.to_string().as_bytes());
        let errors = verdict.diagnostics.iter().any(|d| d.severity == Severity::Error);
        prop_assert_eq!(verdict.policy.is_none(), errors);
        for diagnostic in &verdict.diagnostics {
            prop_assert!(portcullis_config::code::ALL.contains(&diagnostic.code.as_ref()));
            prop_assert!(!diagnostic.message.chars().any(char::is_control), "{}", diagnostic.message);
        }
    }

    #[test]
    fn no_bytes_are_too_odd(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = load(&bytes);
    }

    #[test]
    fn no_request_is_too_odd(
        method in bytes(), path in bytes(), host in bytes(), name in bytes(), value in bytes(),
    ) {
        let policy = policy(r#"{"version":1,"client":{"trusted_proxies":["203.0.113.0/24"]},"headers":{},
            "request":{"hosts":["*.example.com"]},"unmatched":"reject",
            "routes":[{"name":"a","path":"/{x}/b","hosts":["a.example.com"]},{"name":"b","path":"/a/*"}]}"#);
        let lines: [Line<'_>; 6] = [
            (b":method", &method), (b":path", &path), (b":authority", &host), (&name, &value),
            (b"x-forwarded-for", &value), (b"x-forwarded-proto", &value),
        ];
        let mut exchange = policy.begin();
        let _ = exchange.on_request_head(&RequestHead::new(&lines), &Gateway);
        let _ = exchange.on_response_head(&ResponseHead::new(&lines));
        if let Some(line) = exchange.finish().and_then(|record| record.log_line()) {
            prop_assert!(!line.contains('\n'));
        }
    }

    /// Every spelling that matching ignores finds the route that the plain one finds.
    #[test]
    fn a_route_is_found_in_every_spelling(
        slashes in 1..4usize, upper in any::<bool>(), escape in any::<bool>(), parameter in any::<bool>(), end in any::<bool>(),
    ) {
        let policy = policy(r#"{"version":1,"unmatched":"reject","routes":[{"name":"a","path":"/match/{id}/submit"}]}"#);
        let mut first = if upper { "MATCH" } else { "match" }.to_owned();
        if escape {
            first.replace_range(1..2, if upper { "%41" } else { "%61" });
        }
        let slash = "/".repeat(slashes);
        let parameter = if parameter { ";v=1" } else { "" };
        let end = if end { "/" } else { "" };
        let path = format!("{slash}{first}{parameter}{slash}7{slash}submit{parameter}{end}?a=/b");
        prop_assert_eq!(outcome(&policy, &get(&path)).0, 0, "{}", path);
        prop_assert_eq!(outcome(&policy, &get(&format!("{path}x"))).0, 0);
        prop_assert_eq!(outcome(&policy, &get(&format!("/x{path}"))).0, 404);
    }
}

/// A route as the oracle sees it: host, segments, tail, methods.
type Plain = (
    Option<&'static str>,
    Vec<&'static str>,
    bool,
    Option<Vec<&'static str>>,
);

fn plain_route() -> impl Strategy<Value = Plain> {
    let host = prop::option::of(prop::sample::select(vec!["a.test", "*.test", "*.a.test"]));
    let segment = prop::sample::select(vec!["x", "y", "{t}"]);
    let segments = prop::collection::vec(segment, 0..4);
    let methods = prop::sample::subsequence(vec!["GET", "POST"], 1..=2);
    (host, segments, any::<bool>(), prop::option::of(methods)).prop_map(
        |(host, mut segments, tail, methods)| {
            // Each template has a name of its own.
            let templates = segments.iter_mut().filter(|s| s.starts_with('{'));
            for (segment, name) in templates.zip(["{t}", "{u}", "{v}"]) {
                *segment = name;
            }
            (host, segments, tail, methods)
        },
    )
}

/// How well a route matches, smaller is better; `None` if host or path do not.
fn rank(route: &Plain, host: &str, path: &[&str]) -> Option<(usize, Vec<u8>, bool)> {
    let (pattern, segments, tail, methods) = route;
    let host_rank = match pattern {
        None => usize::MAX,
        Some(exact) if *exact == host => 0,
        Some(pattern) => {
            let suffix = pattern.strip_prefix('*')?;
            host.strip_suffix(suffix)
                .filter(|front| !front.is_empty())?;
            usize::MAX - suffix.len()
        }
    };
    let long_enough = if *tail {
        path.len() > segments.len()
    } else {
        path.len() == segments.len()
    };
    let fits = segments
        .iter()
        .zip(path)
        .all(|(s, p)| s.starts_with('{') || s == p);
    let mut kinds: Vec<u8> = segments
        .iter()
        .map(|s| u8::from(s.starts_with('{')))
        .collect();
    kinds.push(if *tail { 2 } else { 0 });
    (long_enough && fits).then_some((host_rank, kinds, methods.is_none()))
}

proptest! {
    /// The tree of routes against the rule written down: host, then segment by segment, then method.
    #[test]
    fn the_route_is_the_one_that_the_rule_names(
        routes in prop::collection::vec(plain_route(), 1..8),
        path in prop::collection::vec(prop::sample::select(vec!["x", "y", "z"]), 0..4),
        host in prop::sample::select(vec!["a.test", "b.a.test", "b.test", "other"]),
        method in prop::sample::select(vec!["GET", "POST", "HEAD", "PUT"]),
    ) {
        let list: Vec<serde_json::Value> = routes
            .iter()
            .enumerate()
            .map(|(n, (host, segments, tail, methods))| {
                let tail = if *tail { "/*" } else { "" };
                let path = match format!("/{}{tail}", segments.join("/")).as_str() {
                    "//*" => "/*".to_owned(),
                    path => path.to_owned(),
                };
                let mut route = serde_json::json!({"name": format!("r{n}"), "path": path, "headers": {"set": {"x-route": format!("r{n}")}}});
                if let Some(host) = host {
                    route["hosts"] = serde_json::json!([host]);
                }
                if let Some(methods) = methods {
                    route["methods"] = serde_json::json!(methods);
                }
                route
            })
            .collect();
        let text = serde_json::json!({"version": 1, "routes": list, "unmatched": "reject"}).to_string();
        let verdict = load(text.as_bytes());
        // Routes that cannot be told apart are refused, as another test holds.
        prop_assume!(verdict.policy.is_some());
        let policy = Rc::new(verdict.policy.unwrap());

        let takes = |methods: &Option<Vec<&str>>| methods.as_ref().is_none_or(|listed| {
            listed.contains(&method) || (method == "HEAD" && listed.contains(&"GET"))
        });
        let mut matching: Vec<_> = routes
            .iter()
            .enumerate()
            .filter_map(|(n, route)| Some((rank(route, host, &path)?, n, takes(&route.3))))
            .collect();
        matching.sort();
        let best = matching.iter().find(|(_, _, takes)| *takes).map(|(_, n, _)| *n);

        let target = format!("/{}", path.join("/"));
        let head = [(":method", method), (":path", target.as_str()), (":authority", host)];
        let (seen, exchange) = judged(&policy, &head);
        match (best, seen) {
            (Some(n), Seen::Continue(_)) => {
                let edits = exchange.on_response_head(&ResponseHead::new(&[]));
                let name = format!("r{n}").into_bytes();
                let is_route = |edit: &Edit<'_>| matches!(edit, Edit::Add(header, value) if **header == *b"x-route" && **value == *name);
                prop_assert!(edits.iter().any(is_route), "{n} of {text} for {head:?}: {edits:?}");
            }
            (None, Seen::Reply(reply)) => {
                let expected = if matching.is_empty() { 404 } else { 405 };
                prop_assert_eq!(reply.status, expected);
            }
            (best, seen) => prop_assert!(false, "{best:?} of {text} for {head:?}: {seen:?}"),
        }
    }
}
