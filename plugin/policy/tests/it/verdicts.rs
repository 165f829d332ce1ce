//! Policies in, diagnostics out.

use portcullis_policy::load;

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
            "rate_limits": [{"name": "a", "quota": "1/1s", "key": ["all"], "scope": "global"}],
            "limiter": {"protocol": "rls-grpc", "upstream": "x"},
            "routes": [{"name": "r", "path": "/"}]
        }"##,
        &[
            "not-supported /limiter",
            "not-supported /rate_limits/0/scope",
        ],
    );
}

#[test]
fn what_frames_a_message_carries_no_id_and_no_time() {
    check_findings(
        r#"{"version": 1, "observe": {"request_id": "Content-Length", "timing": "set-cookie"}}"#,
        &[
            "headers-reserved /observe/request_id",
            "headers-reserved /observe/timing",
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
fn cors_that_no_browser_keeps_is_an_error() {
    check_findings(
        r#"{
            "version": 1,
            "cors": {
                "origins": ["example.com", "null", "https://a.test:443", "https://*", "http://b.test"],
                "methods": ["put", "patch", "trace", "P UT"],
                "request_headers": ["x a", "Cookie", "sec-x", "accept"],
                "expose_headers": ["*", "set-cookie"],
                "credentials": true, "max_age": 86401, "preflight_status": 301
            },
            "routes": [
                {"name": "any", "path": "/any", "cors": {"origins": ["*"]}},
                {"name": "none", "path": "/none", "cors": {"origins": null}}
            ]
        }"#,
        &[
            "cors-origin-syntax /cors/origins/0",
            "cors-origin-prohibited /cors/origins/1",
            "cors-origin-port /cors/origins/2",
            "cors-origin-wildcard /cors/origins/3",
            "cors-origin-insecure /cors/origins/4",
            "method-syntax /cors/methods/1",
            "cors-method-forbidden /cors/methods/2",
            "method-syntax /cors/methods/3",
            "header-name /cors/request_headers/0",
            "cors-header-forbidden /cors/request_headers/1",
            "cors-header-forbidden /cors/request_headers/2",
            "cors-header-forbidden /cors/expose_headers/1",
            "cors-expose-wildcard /cors/expose_headers",
            "number-range /cors/max_age",
            "number-range /cors/preflight_status",
        ],
    );
    let cors = |section: &str, expected: &[&str]| {
        check_findings(&format!(r#"{{"version":1,"cors":{section}}}"#), expected);
    };
    cors(r#"{}"#, &["missing-key /cors"]);
    cors(r#"{"origins":["*"]}"#, &[]);
    cors(
        r#"{"origins":["*"],"credentials":true}"#,
        &["cors-wildcard-credentials /cors/origins"],
    );
    cors(
        r#"{"origins":["*","https://a.test"]}"#,
        &["cors-origin-wildcard /cors/origins/0"],
    );
    cors(r#"{"origins":["http://a.test"]}"#, &[]);
    cors(
        r#"{"origins":["http://localhost:*","http://127.0.0.1"],"credentials":true}"#,
        &[],
    );
    cors(
        r#"{"origins":["http://a.test"],"credentials":true,"dangerously_allow_insecure_origins":true}"#,
        &["cors-insecure-origins /cors/dangerously_allow_insecure_origins"],
    );
    cors(
        r#"{"origins":["https://a.test","https://a.test","https://*.a.test","https://b.a.test"],
            "methods":["PUT","put","GET"],"request_headers":["*","authorization","Accept"]}"#,
        &[],
    );
    cors(
        r#"{"origins":["https://a.test"],"max_age":"1500ms"}"#,
        &["number-range /cors/max_age"],
    );
    cors(
        r#"{"origins":["https://a.test"],"debug":true,"max_age":-1}"#,
        &["cors-debug /cors/debug"],
    );
    check_findings(
        r#"{"version":1,"cors":{"origins":["https://a.test"],"credentials":true},
            "routes":[{"name":"any","path":"/any","cors":{"origins":["*"]}},
                      {"name":"none","path":"/none","cors":{"origins":null}}]}"#,
        &[
            "cors-wildcard-credentials /routes/0/cors/origins",
            "missing-key /routes/1/cors",
        ],
    );
    check_findings(
        r#"{"version":1,"request":{"methods":["GET","OPTIONS"]},
            "cors":{"origins":["https://a.test"],"methods":["PUT"],"debug":true},
            "routes":[{"name":"a","path":"/a","cors":{}},{"name":"b","path":"/b","cors":{"methods":["PATCH"]}}]}"#,
        &[
            "cors-debug /cors/debug",
            "cors-method-unreachable /cors/methods",
            "cors-method-unreachable /routes/1/cors/methods",
        ],
    );
}
