//! Limits in, diagnostics out; and how much memory a policy takes.

use portcullis_policy::{LocalStore, Opened, load};

/// Asserts `code pointer` of every diagnostic.
fn check(text: &str, expected: &[&str]) {
    let list = load(text.as_bytes()).diagnostics;
    let found: Vec<String> = list
        .iter()
        .map(|d| format!("{} {}", d.code, d.pointer))
        .collect();
    assert_eq!(found, expected, "{text}");
}

fn check_limits(limits: &str, expected: &[&str]) {
    check(
        &format!(r#"{{"version":1,"client":{{"forwarded":"host"}},"rate_limits":{limits}}}"#),
        expected,
    );
}

/// One limit with these members beside its name.
fn check_limit(members: &str, expected: &[&str]) {
    check_limits(&format!(r#"[{{"name":"a",{members}}}]"#), expected);
}

#[test]
fn a_quota_that_cannot_be_counted_is_an_error() {
    let overflow = &["rate-limit-overflow /rate_limits/0"][..];
    check_limit(r#""quota":"1/30d","burst":1000000000"#, overflow);
    // 2^62 nanoseconds are 1779.2 times 30 days.
    check_limit(r#""quota":"1/30d","burst":1779"#, &[]);
    check_limit(r#""quota":"1/30d","burst":1780"#, overflow);
    check_limit(r#""quota":"1000000000/30d","burst":1000000000"#, &[]);
    check_limit(r#""quota":"1000000000/1s","burst":1000000000"#, &[]);
    // One nanosecond above 4 s, rounded up to it: 10^9 of them still fit.
    check_limit(r#""quota":"1/4s","burst":1000000000"#, &[]);
    check_limit(r#""quota":"1/5s","burst":1000000000"#, overflow);
    let syntax = &["quota-syntax /rate_limits/0/quota"][..];
    for quota in [
        "0/1s",
        "1/0s",
        "1/31d",
        "1000000001/1s",
        "99999999999999999999/1s",
        "1/1500ms",
        "-1/1s",
        "1/1",
        "1",
        "/1s",
        "1/",
        "",
    ] {
        check_limit(&format!(r#""quota":"{quota}""#), syntax);
    }
}

#[test]
fn what_a_limit_cannot_mean_is_an_error() {
    check_limit(
        r#""quota":"5/1m","cost":6"#,
        &["rate-limit-cost /rate_limits/0"],
    );
    check_limit(
        r#""quota":"5/1m","burst":2,"cost":3"#,
        &["rate-limit-cost /rate_limits/0"],
    );
    check_limit(r#""quota":"5/1m","burst":9,"cost":9"#, &[]);
    check_limit(
        r#""quota":"5/1m","burst":5,"algorithm":"fixed-window""#,
        &["rate-limit-burst /rate_limits/0"],
    );
    check_limit(
        r#""quota":"5/1m","burst":0"#,
        &["number-range /rate_limits/0/burst"],
    );
    check_limit(
        r#""quota":"5/1m","cost":0"#,
        &["number-range /rate_limits/0/cost"],
    );
    check_limit(
        r#""quota":"5/1m","capacity":0"#,
        &["number-range /rate_limits/0/capacity"],
    );
    check_limit(
        r#""quota":"5/1m","key":[]"#,
        &["empty-list /rate_limits/0/key"],
    );
    check_limit(
        r#""quota":"5/1m","key":["ip","ip"]"#,
        &["duplicate-entry /rate_limits/0/key/1"],
    );
    check_limit(
        r#""quota":"5/1m","ban":{"after":0,"within":"1s","for":"1s"}"#,
        &["number-range /rate_limits/0/ban/after"],
    );
    check_limit(
        r#""quota":"5/1m","ban":{"after":1}"#,
        &[
            "missing-key /rate_limits/0/ban",
            "missing-key /rate_limits/0/ban",
        ],
    );
    check(
        r#"{"version":1,"client":{"forwarded":"host"},"rate_limits":[{"name":"A b","quota":"1/1s"}]}"#,
        &["name-syntax /rate_limits/0/name"],
    );
}

#[test]
fn a_name_is_one_limit() {
    let one = r#"{"name":"a","quota":"5/1m"}"#;
    let other = r#"{"name":"a","quota":"6/1m"}"#;
    let spelled = r#"{"quota":"5/60s","name":"a","cost":1}"#;
    let routes = |shared: &str, first: &str, second: &str| {
        format!(
            r#"{{"version":1,"client":{{"forwarded":"host"}},{shared}"routes":[
                {{"name":"x","path":"/x","rate_limits":[{first}]}},
                {{"name":"y","path":"/y","rate_limits":[{second}]}}]}}"#
        )
    };
    check_limits(
        &format!("[{one},{one}]"),
        &["rate-limit-name /rate_limits/1/name"],
    );
    check(&routes("", one, one), &[]);
    check(&routes("", one, spelled), &[]);
    check(
        &routes("", one, other),
        &["rate-limit-name /routes/1/rate_limits/0/name"],
    );
    check(
        &routes(&format!(r#""rate_limits":[{one}],"#), one, one),
        &[
            "rate-limit-name /routes/0/rate_limits/0/name",
            "rate-limit-name /routes/1/rate_limits/0/name",
        ],
    );
    // What is off is still a limit of that name.
    let off = r#"{"name":"a","quota":"5/1m","mode":"off"}"#;
    check(
        &routes("", one, off),
        &["rate-limit-name /routes/1/rate_limits/0/name"],
    );
}

#[test]
fn keys_that_clients_choose_are_warned_of() {
    let chosen = &["rate-limit-key-chosen /rate_limits/0/key"][..];
    for key in [
        r#"["header:x-api-key"]"#,
        r#"["cookie:sid"]"#,
        r#"["query:q"]"#,
        r#"["path"]"#,
        r#"["header:x-api-key","path"]"#,
    ] {
        check_limit(&format!(r#""quota":"5/1m","key":{key}"#), chosen);
    }
    for key in [
        r#"["ip"]"#,
        r#"["all"]"#,
        r#"["route"]"#,
        r#"["ip","path"]"#,
        r#"["route","header:x-api-key"]"#,
    ] {
        check_limit(&format!(r#""quota":"5/1m","key":{key}"#), &[]);
    }
}

#[test]
fn clients_that_nobody_resolves_are_warned_of_once() {
    let two = r#"[{"name":"a","quota":"5/1m","key":["all"]},{"name":"b","quota":"5/1m"},{"name":"c","quota":"5/1m"}]"#;
    check(
        &format!(r#"{{"version":1,"rate_limits":{two}}}"#),
        &["rate-limit-without-client /rate_limits/1/key"],
    );
    check(
        r#"{"version":1,"routes":[{"name":"r","path":"/","rate_limits":[{"name":"a","quota":"5/1m"}]}]}"#,
        &["rate-limit-without-client /routes/0/rate_limits/0/key"],
    );
    check(
        r#"{"version":1,"rate_limits":[{"name":"a","quota":"5/1m","key":["all"]}]}"#,
        &[],
    );
    for client in [
        r#"{"forwarded":"host"}"#,
        r#"{"trusted_proxies":["10.0.0.0/8"]}"#,
    ] {
        check(
            &format!(r#"{{"version":1,"client":{client},"rate_limits":{two}}}"#),
            &[],
        );
    }
}

#[test]
fn an_exempt_proxy_is_warned_of() {
    let check_exempt = |client: &str, exempt: &str, expected: &[&str]| {
        check(
            &format!(
                r#"{{"version":1,"client":{client},"rate_limits":[{{"name":"a","quota":"5/1m","exempt":{{"clients":{exempt}}}}}]}}"#
            ),
            expected,
        );
    };
    let ten = r#"{"trusted_proxies":["10.0.0.0/24"]}"#;
    let second = &["rate-limit-exempts-proxy /rate_limits/0/exempt/clients/1"][..];
    check_exempt(ten, r#"["192.0.2.1","10.0.0.7"]"#, second);
    check_exempt(ten, r#"["192.0.2.1","10.0.0.0/8"]"#, second);
    check_exempt(ten, r#"["192.0.2.1","0.0.0.0/0"]"#, second);
    check_exempt(ten, r#"["192.0.2.1","10.0.1.0/24"]"#, &[]);
    check_exempt(ten, r#"["2001:db8::/32"]"#, &[]);
    check_exempt(
        r#"{"trusted_proxies":["10.0.0.0/24"],"forwarded":"host"}"#,
        r#"["10.0.0.7"]"#,
        &[],
    );
}

/// What opening the tables of a policy comes to.
fn opened(text: &str) -> Opened {
    let policy = load(text.as_bytes()).policy;
    let opened = policy.map(|mut policy| policy.open(&LocalStore::default(), 1));
    match opened {
        Some(Ok(Some(opened))) => opened,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn capacity_is_by_the_kind_of_limit() {
    let check = |limits: &str, routes: &str, tables: usize, buckets: u64| {
        let opened = opened(&format!(
            r#"{{"version":1,"rate_limits":[{limits}],"routes":[{routes}]}}"#
        ));
        let slots = opened.bytes / 272;
        assert_eq!(
            (opened.tables, opened.buckets, slots),
            (tables, buckets, buckets / 8),
            "{limits} {routes}"
        );
    };
    let limit = |name: &str, rest: &str| format!(r#"{{"name":"{name}","quota":"5/1m"{rest}}}"#);
    let route = |name: &str, limits: &str| {
        format!(r#"{{"name":"{name}","path":"/{name}","rate_limits":[{limits}]}}"#)
    };
    let a = limit("a", "");
    check(&a, "", 1, 131_072);
    check(&limit("a", r#","capacity":100"#), "", 1, 104);
    check(&limit("a", r#","key":["all"]"#), "", 1, 8);
    check(&format!("{a},{}", limit("b", "")), "", 2, 262_144);
    // Refusals are counted for as many.
    let ban = r#","ban":{"after":1,"within":"1s","for":"1s"}"#;
    check(&limit("a", ban), "", 2, 262_144);
    check(&limit("a", &format!(r#","key":["all"]{ban}"#)), "", 2, 16);
    // `[route]` has as many keys as there are routes, and one for what none matches.
    let eight: Vec<String> = (0..8).map(|n| route(&format!("r{n}"), "")).collect();
    let by_route = limit("a", r#","key":["route"]"#);
    check(&by_route, &eight[..7].join(","), 1, 8);
    check(&by_route, &eight.join(","), 1, 16);
    // Limits of routes share a table, but for those that say how large theirs is.
    let x = route("x", &format!("{},{}", limit("x1", ""), limit("x2", "")));
    let y = route("y", &limit("y1", r#","capacity":16"#));
    check(&a, &x, 2, 262_144);
    check(&a, &format!("{x},{y}"), 3, 262_160);
    let z = route("z", &limit("x1", ""));
    check(&a, &format!("{x},{z}"), 2, 262_144);
    check(&a, &route("w", &limit("w", r#","mode":"off""#)), 1, 131_072);
}

#[test]
fn tables_that_take_too_much_are_listed() {
    // 64 MiB are 246,723 slots.
    let most = 246_723 * 8;
    check_limit(&format!(r#""quota":"5/1m","capacity":{most}"#), &[]);
    check_limit(
        &format!(r#""quota":"5/1m","capacity":{}"#, most + 1),
        &["rate-limit-memory /rate_limits"],
    );
    let text = r#"{"version":1,"client":{"forwarded":"host"},
        "rate_limits":[
            {"name":"wide","quota":"5/1m","capacity":1500000,"ban":{"after":1,"within":"1s","for":"1s"}},
            {"name":"none","quota":"5/1m","mode":"off","capacity":16777216}],
        "routes":[{"name":"r","path":"/","rate_limits":[{"name":"narrow","quota":"5/1m"}]}]}"#;
    check(text, &["rate-limit-memory /rate_limits"]);
    let found = load(text.as_bytes()).diagnostics;
    let help = found[0].help.clone().unwrap();
    for table in [
        "`wide` 48.6 MiB",
        "`wide refusals` 48.6 MiB",
        "`routes'` 4.2 MiB",
    ] {
        assert!(help.contains(table), "{table}: {help}");
    }
    assert!(!help.contains("none"), "{help}");
    assert!(found[0].message.contains("101 MiB"), "{}", found[0].message);
}
