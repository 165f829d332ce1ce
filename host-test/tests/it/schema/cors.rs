//! What editors say of `cors` is what the reader says, shared and on a route, but for what no schema can tell.

use serde_json::{Value, json};

use super::{Takes, Validator, errors_within};

use Takes::{Both, Neither, SchemaAlone};

struct Judges(Validator);

impl Judges {
    /// The section at the top, and as a route's patch over another.
    fn check(&self, cors: &Value, expected: Takes) {
        let shared = json!({"version": 1, "cors": cors});
        let route = json!({"name": "a", "path": "/", "cors": cors});
        let other = json!({"origins": ["https://other.example"]});
        let patched = json!({"version": 1, "cors": other, "routes": [route]});
        for (policy, pointer) in [(shared, "/cors"), (patched, "/routes/0/cors")] {
            assert_eq!(
                self.0.takes(&policy, pointer),
                expected,
                "{cors} at {pointer}"
            );
        }
    }

    fn origin(&self, origin: &str, expected: Takes) {
        self.check(&json!({"origins": [origin]}), expected);
    }

    /// A key beside one origin.
    fn key(&self, key: &str, value: Value, expected: Takes) {
        let cors = json!({"origins": ["https://a.example"], key: value});
        self.check(&cors, expected);
    }

    fn with_credentials(&self, origin: &str, expected: Takes) {
        let cors = json!({"origins": [origin], "credentials": true});
        self.check(&cors, expected);
    }
}

#[test]
fn origins() {
    let judges = Judges(Validator::new());
    for origin in [
        "*",
        "https://app.example.com",
        "https://app.example.com:8443",
        "http://app.example.com:443",
        "https://*.example.com",
        "https://*.example.com:*",
        "http://localhost:*",
        "http://[::1]:65535",
        "https://[2001:db8::1]",
        "http://192.0.2.1:1",
        "https://a_b.example.com",
        "https://xn--mnchen-3ya.example",
        "capacitor://localhost",
        "chrome-extension://abcdefghijklmnop",
    ] {
        judges.origin(origin, Both);
    }
    for origin in [
        "",
        "null",
        "example.com",
        "*.example.com",
        "https://",
        "https://example.com/",
        "https://example.com/a?b#c",
        "https://u:p@example.com",
        "https://Example.com",
        "HTTPS://example.com",
        " https://example.com",
        "https://example.com.",
        "https://a..b",
        "https://a.test,https://b.test",
        "https://a.test https://b.test",
        "https://münchen.example",
        "https://.*\\.example\\.com",
        "https://example.com:443",
        "http://example.com:80",
        "https://example.com:",
        "https://example.com:0",
        "https://example.com:08443",
        "https://example.com:84a",
        "https://*",
        "https://*example.com",
        "https://a.*.example.com",
        "https://*.*.example.com",
        "https://example.*",
        "http://[::1",
        "http://[2001:DB8::1]",
        "file:///home",
        "file://localhost",
    ] {
        judges.origin(origin, Neither);
    }
    for origin in [
        "https://example.com:65536",
        "https://1.2.3",
        "https://*.192.0.2.1",
        "https://0x7f.0x1",
        "http://[2001:db8:0::1]",
    ] {
        judges.origin(origin, SchemaAlone);
    }
    let list = |origins: Value, expected| judges.check(&json!({"origins": origins}), expected);
    list(json!([]), Neither);
    list(json!("*"), Neither);
    list(json!([1]), Neither);
    list(json!(["*", "https://a.example"]), Neither);
    list(json!(["*", "*"]), Neither);
    list(json!(["https://a.example", "https://a.example"]), Both);
    list(json!(["https://a.example", "https://*.example"]), Both);
}

#[test]
fn credentials() {
    let judges = Judges(Validator::new());
    judges.with_credentials("https://a.example", Both);
    judges.with_credentials("http://localhost:*", Both);
    judges.with_credentials("http://*.localhost:3000", Both);
    judges.with_credentials("http://127.1.2.3:3000", Both);
    judges.with_credentials("http://[::1]:*", Both);
    judges.with_credentials("capacitor://app", Both);
    judges.with_credentials("*", Neither);
    let cors = |rest: Value| {
        let mut cors = json!({"origins": ["http://a.example"], "credentials": true});
        cors.as_object_mut()
            .unwrap()
            .extend(rest.as_object().unwrap().clone());
        cors
    };
    let allowed = json!({"dangerously_allow_insecure_origins": true});
    judges.check(&cors(allowed), Both);
    let exposed = json!({"origins": ["https://a.example"], "expose_headers": ["x-a", "*"]});
    judges.check(&cors(exposed), Neither);

    // Whether the shared section lets it in, a route's patch does not show.
    let refused = |origin: &str, rest: Value| {
        let mut section = cors(rest);
        section["origins"] = json!([origin]);
        let policy = json!({"version": 1, "cors": section});
        assert!(judges.0.judge(&policy).is_err(), "{policy}");
        assert_ne!(errors_within(&policy, "/cors"), [], "{policy}");
    };
    let denied = json!({"dangerously_allow_insecure_origins": false});
    refused("http://a.example", json!({}));
    refused("http://a.example", denied);
    refused("http://*.a.example:8080", json!({}));
    refused("http://notlocalhost", json!({}));
    refused("http://localhost.evil.test", json!({}));
    let dropped = json!({"credentials": true, "expose_headers": null});
    let route = json!({"name": "a", "path": "/", "cors": dropped});
    let other = json!({"origins": ["https://a.example"], "expose_headers": ["*"]});
    let policy = json!({"version": 1, "cors": other, "routes": [route]});
    judges.0.judge(&policy).unwrap();
    assert_eq!(errors_within(&policy, ""), []);
}

#[test]
fn methods_headers_and_numbers() {
    let judges = Judges(Validator::new());
    for method in [
        "PUT", "put", "Delete", "PATCH", "X-CUSTOM", "Foo", "Patch", "*",
    ] {
        judges.key("methods", json!([method]), Both);
    }
    for method in [
        "patch", "x-custom", "", "A B", "CONNECT", "connect", "Trace", "TRACK",
    ] {
        judges.key("methods", json!([method]), Neither);
    }
    judges.key("methods", json!(["PUT", "put", "*", "*"]), Both);
    judges.key("methods", json!("*"), Neither);

    for name in [
        "content-type",
        "Content-Type",
        "authorization",
        "x-a",
        "cookies",
        "*",
    ] {
        judges.key("request_headers", json!([name]), Both);
    }
    for name in [
        "",
        "a b",
        ":path",
        "cookie",
        "host",
        "te",
        "proxy-a",
        "sec-fetch-site",
    ] {
        judges.key("request_headers", json!([name]), Neither);
    }
    judges.key("request_headers", json!(["Cookie"]), SchemaAlone);
    judges.key("request_headers", json!(["*", "authorization", "*"]), Both);

    for name in ["etag", "x-request-id", "Retry-After", "set-cookie3", "*"] {
        judges.key("expose_headers", json!([name]), Both);
    }
    for name in [
        "a b",
        "set-cookie",
        "set-cookie2",
        "access-control-allow-origin",
    ] {
        judges.key("expose_headers", json!([name]), Neither);
    }
    judges.key("expose_headers", json!(["Set-Cookie"]), SchemaAlone);

    for age in [
        json!(-1),
        json!(0),
        json!(86400),
        json!("0ms"),
        json!("600s"),
        json!("5000ms"),
    ] {
        judges.key("max_age", age, Both);
    }
    for age in ["86400000ms", "24h", "1d", "0010m"] {
        judges.key("max_age", json!(age), Both);
    }
    for age in [
        json!(-2),
        json!(86401),
        json!(1.5),
        json!("10"),
        json!("60.0s"),
        json!("500ms"),
        json!("2d"),
        json!(true),
    ] {
        judges.key("max_age", age, Neither);
    }
    judges.key("max_age", json!("25h"), SchemaAlone);

    judges.key("preflight_status", json!(200), Both);
    judges.key("preflight_status", json!(302), Neither);
    judges.key("on_disallowed", json!("refuse"), Neither);
    judges.key("debug", json!("yes"), Neither);
    judges.key("credential", json!(true), Neither);
}
