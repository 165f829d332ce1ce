//! Origins against patterns, one pair at a time.

use std::rc::Rc;

use portcullis_policy::Policy;

use super::{cors, cors_names, exchanged, preflighted, request, upstream, value, varies_by};

fn listed(patterns: &[&str]) -> Rc<Policy> {
    cors(&serde_json::json!({"origins": patterns}).to_string())
}

/// A page reads or does not; preflights and actual requests are of one mind, and an origin is echoed byte for byte.
fn check(policy: &Rc<Policy>, origin: &str, allowed: bool) {
    let expected = allowed.then(|| origin.to_owned());
    let lines = [("origin", origin)];
    let actual = exchanged(policy, &upstream(&[]), &request("GET", &lines)).answer;
    assert_eq!(
        value(&actual, "access-control-allow-origin"),
        expected,
        "GET from {origin}"
    );
    let lines = [("origin", origin), ("access-control-request-method", "GET")];
    let answer = preflighted(policy, &lines);
    assert_eq!(
        value(&answer, "access-control-allow-origin"),
        expected,
        "preflight from {origin}"
    );
    assert_eq!(answer.status, if allowed { 204 } else { 403 });
}

#[test]
fn an_exact_origin_is_compared_byte_for_byte() {
    let policy = listed(&[
        "https://example.com",
        "https://example.com:8443",
        "http://[::1]:9090",
    ]);
    check(&policy, "https://example.com", true);
    check(&policy, "https://example.com:8443", true);
    check(&policy, "http://[::1]:9090", true);
    for origin in [
        "http://example.com",
        "https://Example.com",
        "HTTPS://example.com",
        "https://example.com.",
        "https://example.com:443",
        "https://example.com:08443",
        "https://example.com:84430",
        "https://example.com:",
        "https://example.com/",
        "https://example.com?",
        "https://example.com#",
        "https://user@example.com",
        "https://evilexample.com",
        "https://example.com.evil.net",
        "https://sub.example.com",
        "https://exampl.com",
        "https://example.co",
        "https:/example.com",
        "https//example.com",
        "//example.com",
        "example.com",
        " https://example.com",
        "https://example.com ",
        "https://example.com\t",
        "https://example.com\0",
        "https://exa\u{301}mple.com",
        "https://example.com\u{ff}",
        "http://[0:0:0:0:0:0:0:1]:9090",
        "http://::1:9090",
    ] {
        check(&policy, origin, false);
    }
}

#[test]
fn a_host_below_a_domain_is_one_or_more_labels_below() {
    let policy = listed(&["https://*.example.com"]);
    for origin in [
        "https://a.example.com",
        "https://a.b-c.d_e.example.com",
        "https://9.example.com",
    ] {
        check(&policy, origin, true);
    }
    for origin in [
        "https://example.com",
        "https://.example.com",
        "https://a..example.com",
        "https://evilexample.com",
        "https://a.example.com.evil.net",
        "https://a.example.com.",
        "https://a.example.com:8443",
        "https://a.example.com:443",
        "http://a.example.com",
        "https://A.example.com",
        "https://*.example.com",
        "https://a!b.example.com",
        "https://evil.net/.example.com",
        "https://evil.net#.example.com",
        "https://evil.net?.example.com",
        "https://evil.net\\.example.com",
        "https://evil.net:1.example.com",
        "https://user@a.example.com",
        "https://évil.example.com",
        "https://a%00.example.com",
        "https:// .example.com",
        "https://a.example.com,https://a.example.com",
    ] {
        check(&policy, origin, false);
    }
}

#[test]
fn neighbours_in_a_list_do_not_add_up() {
    let policy = listed(&[
        "https://foo.com",
        "https://bar.com",
        "https://*.foo.com",
        "http://*.bar.com:8080",
    ]);
    for origin in [
        "https://foo.com",
        "https://bar.com",
        "https://bar.foo.com",
        "http://a.bar.com:8080",
    ] {
        check(&policy, origin, true);
    }
    for origin in [
        "https://barfoo.com",
        "https://foobar.com",
        "https://a.bar.com",
        "https://a.bar.com:8080",
        "http://foo.com",
        "http://bar.com:8080",
    ] {
        check(&policy, origin, false);
    }
}

#[test]
fn any_port_is_any_that_a_browser_would_write() {
    let policy = listed(&[
        "http://localhost:*",
        "https://*.example.com:*",
        "http://[::1]:*",
    ]);
    for origin in [
        "http://localhost",
        "http://localhost:1",
        "http://localhost:3000",
        "http://localhost:443",
        "http://localhost:65535",
        "https://a.example.com",
        "https://a.example.com:80",
        "http://[::1]",
        "http://[::1]:9090",
    ] {
        check(&policy, origin, true);
    }
    for origin in [
        "http://localhost:",
        "http://localhost:0",
        "http://localhost:80",
        "http://localhost:080",
        "http://localhost:03000",
        "http://localhost:65536",
        "http://localhost:99999",
        "http://localhost:4294967297",
        "http://localhost:+1",
        "http://localhost:-1",
        "http://localhost:1 ",
        "http://localhost:1:1",
        "http://localhost:1/",
        "http://localhost:*",
        "http://localhost:1.evil.net",
        "http://localhost:\u{661}",
        "http://localhost.evil.net:1",
        "https://localhost:1",
        "https://a.example.com:443",
        "https://example.com:1",
        "http://[::1]9090",
        "http://[::1]:",
        "http://::1",
    ] {
        check(&policy, origin, false);
    }
}

#[test]
fn schemes_of_apps_and_extensions_are_origins_too() {
    let policy = listed(&[
        "capacitor://localhost",
        "chrome-extension://abcdefghijklmnop",
    ]);
    check(&policy, "capacitor://localhost", true);
    check(&policy, "chrome-extension://abcdefghijklmnop", true);
    check(&policy, "capacitor://localhost:80", false);
    check(&policy, "chrome-extension://abcdefghijklmno", false);
    check(&policy, "ionic://localhost", false);
}

#[test]
fn no_origin_is_longer_than_326_bytes() {
    let scheme = "s".repeat(64);
    let label = |n: usize| "a".repeat(n);
    let policy = listed(&[&format!("{scheme}://*.test:*")]);
    let of = |first: usize| {
        let host = format!(
            "{}.{}.{}.{}.test",
            label(first),
            label(62),
            label(61),
            label(61)
        );
        format!("{scheme}://{host}:65535")
    };
    let longest = of(61);
    assert_eq!(longest.len(), 326);
    check(&policy, &longest, true);
    let longer = of(62);
    assert_eq!(longer.len(), 327);
    check(&policy, &longer, false);
    check(&policy, &format!("https://{}", label(1 << 20)), false);
}

#[test]
fn several_origins_are_none() {
    let policy = listed(&["https://example.com", "https://*.example.com"]);
    let own = "https://example.com";
    let actual = |lines: &[(&str, &str)]| {
        let answer = exchanged(&policy, &upstream(&[]), &request("GET", lines)).answer;
        assert_eq!(cors_names(&answer), [""; 0], "{lines:?}");
        assert_eq!(varies_by(&answer), ["origin"]);
        let asked = [lines, &[("access-control-request-method", "GET")]].concat();
        assert_eq!(preflighted(&policy, &asked).status, 403, "{lines:?}");
    };
    actual(&[("origin", own), ("origin", own)]);
    actual(&[("origin", own), ("Origin", "https://a.example.com")]);
    actual(&[("origin", own), ("origin", "")]);
    // As Envoy hands two lines over.
    actual(&[("origin", "https://example.com,https://example.com")]);
    actual(&[("origin", "https://example.com, https://a.example.com")]);
    actual(&[("origin", "https://example.com,")]);
    actual(&[("origin", "")]);
}

#[test]
fn the_null_origin_gets_in_only_with_everybody() {
    check(
        &listed(&["https://example.com", "https://*.null"]),
        "null",
        false,
    );
    let public = cors(r#"{"origins":["*"],"methods":["PUT"],"request_headers":["x-a"]}"#);
    let lines = [
        ("origin", "null"),
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "x-a"),
    ];
    let answer = preflighted(&public, &lines);
    assert_eq!(answer.status, 204);
    assert_eq!(
        value(&answer, "access-control-allow-origin").as_deref(),
        Some("*")
    );
    assert_eq!(value(&answer, "access-control-allow-credentials"), None);
    let vary = [
        "access-control-request-method",
        "access-control-request-headers",
    ];
    assert_eq!(varies_by(&answer), vary);
}
