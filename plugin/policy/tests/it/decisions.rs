//! Requests in, replies and edits out.

use std::rc::Rc;

use portcullis_policy::{BodyNeed, Line, Reply, ResponseHead, load};

use super::{Seen, get, judged, outcome, policy};

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
            .filter_map(|size| exchange.on_request_body(*size, &crate::Gateway::default()));
        let status = replies.next().map(|reply| reply.status);
        let again = replies.next().is_some();
        let codes = exchange
            .finish(&crate::Gateway::default())
            .map_or(0, |record| record.findings.len());
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
        exchange.body_need() != BodyNeed::Nothing
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
    assert!(
        exchange
            .on_response_head(&head, &crate::Gateway::default())
            .is_empty()
    );
    let line: serde_json::Value = serde_json::from_str(
        &exchange
            .finish(&crate::Gateway::default())
            .unwrap()
            .log_line()
            .unwrap(),
    )
    .unwrap();
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
            .on_response_head(&ResponseHead::new(&lines), &crate::Gateway::default())
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
