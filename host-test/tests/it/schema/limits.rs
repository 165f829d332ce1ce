//! What editors say of `rate_limits` is what the reader says, shared and on a route, but for what no schema can tell.

use serde_json::{Value, json};

use super::{Takes, Validator, errors_within};

use Takes::{Both, Neither, SchemaAlone};

struct Judges(Validator);

impl Judges {
    /// The limit for every request, and as a route's.
    fn check(&self, limit: &Value, expected: Takes) {
        let shared = json!({"version": 1, "rate_limits": [limit]});
        let route = json!({"name": "a", "path": "/", "rate_limits": [limit]});
        let own = json!({"version": 1, "routes": [route]});
        for (policy, pointer) in [(shared, "/rate_limits"), (own, "/routes/0/rate_limits")] {
            assert_eq!(
                self.0.takes(&policy, pointer),
                expected,
                "{limit} at {pointer}"
            );
        }
    }

    fn quota(&self, quota: &str, expected: Takes) {
        self.check(&json!({"name": "a", "quota": quota}), expected);
    }

    /// Keys beside a name and a quota of 60.
    fn with(&self, keys: Value, expected: Takes) {
        let mut limit = json!({"name": "a", "quota": "60/1m"});
        let members = limit.as_object_mut().unwrap();
        members.extend(keys.as_object().unwrap().clone());
        self.check(&limit, expected);
    }

    fn key(&self, part: &str, expected: Takes) {
        self.with(json!({"key": [part]}), expected);
    }
}

#[test]
fn quotas() {
    let judges = Judges(Validator::new());
    for quota in [
        "1/1s",
        "60/1m",
        "1000000000/1d",
        "5/30d",
        "5/720h",
        "5/43200m",
        "5/2592000s",
        "5/2592000000ms",
        "5/1000ms",
        "5/90s",
        "005/01m",
        "5/0002000ms",
    ] {
        judges.quota(quota, Both);
    }
    for quota in [
        "",
        "60",
        "60/",
        "/1m",
        "0/1m",
        "000/1m",
        "1000000001/1m",
        "60/0s",
        "60/1",
        "60/m",
        "60/500ms",
        "60/1500ms",
        "60/1w",
        "60/100d",
        "60/1.5m",
        "60 / 1m",
        "60/1m ",
        "+5/1m",
        "-5/1m",
        "5/minute",
        "5 per minute",
        "60/1m/1h",
    ] {
        judges.quota(quota, Neither);
    }
    for quota in ["5/31d", "5/721h", "5/2592001s"] {
        judges.quota(quota, SchemaAlone);
    }
    judges.check(&json!({"name": "a", "quota": 60}), Neither);
    judges.check(&json!({"name": "a"}), Neither);
    judges.check(&json!({"quota": "60/1m"}), Neither);
    judges.check(&json!("60/1m"), Neither);
    for (name, expected) in [
        ("a_b-9", Both),
        ("", Neither),
        ("A", Neither),
        ("a b", Neither),
        ("a.b", Neither),
    ] {
        judges.check(&json!({"name": name, "quota": "60/1m"}), expected);
    }
}

#[test]
fn keys() {
    let judges = Judges(Validator::new());
    for part in [
        "ip",
        "host",
        "path",
        "route",
        "all",
        "header:x-api-key",
        "header:X-Api-Key",
        "cookie:session",
        "query:token",
        "query:a[b]",
        "query:é",
        "cookie:a:b",
    ] {
        judges.key(part, Both);
    }
    for part in [
        "",
        "IP",
        "ua",
        "header",
        "header:",
        "header:a b",
        "header::path",
        "cookie:",
        "cookie:a b",
        "query:",
        "query:a\n",
        "jwt:sub",
        "ip:1",
    ] {
        judges.key(part, Neither);
    }
    let of = |size: usize| format!("query:{}", "é".repeat(size));
    judges.key(&of(128), Both);
    judges.key(&of(129), SchemaAlone);
    judges.key(&of(257), Neither);
    judges.with(json!({"key": ["ip", "path"]}), Both);
    judges.with(json!({"key": ["ip", "ip"]}), Neither);
    judges.with(json!({"key": []}), Neither);
    judges.with(json!({"key": "ip"}), Neither);
    // One header in two spellings.
    let twice = json!({"key": ["header:x-a", "header:X-A"]});
    judges.with(twice, SchemaAlone);
}

#[test]
fn numbers_and_words() {
    let judges = Judges(Validator::new());
    for (keys, expected) in [
        (json!({"burst": 1}), Both),
        (json!({"burst": 1_000_000_000}), Both),
        (json!({"burst": 0}), Neither),
        (json!({"burst": "60"}), Neither),
        (json!({"cost": 60}), Both),
        (json!({"cost": 61}), SchemaAlone),
        (json!({"cost": 61, "burst": 61}), Both),
        (json!({"cost": 0}), Neither),
        (json!({"cost": 1.5}), Neither),
        (json!({"capacity": 1}), Both),
        (json!({"capacity": 1_900_000}), Both),
        (json!({"capacity": 16_777_217}), Neither),
        (json!({"capacity": "64KiB"}), Neither),
        (json!({"algorithm": "gcra", "burst": 5}), Both),
        (json!({"algorithm": "fixed-window"}), Both),
        (json!({"algorithm": "fixed-window", "burst": 5}), Neither),
        (json!({"algorithm": "fixed_window"}), Neither),
        (json!({"quota": "1/30d", "burst": 1779}), Both),
        (json!({"quota": "1/30d", "burst": 1780}), SchemaAlone),
        (json!({"mode": "report"}), Both),
        (json!({"mode": false}), Both),
        (json!({"mode": true}), Neither),
        (json!({"scope": "local"}), Both),
        (json!({"scope": "cluster"}), Neither),
        (json!({"methods": ["GET", "PURGE"]}), Both),
        (json!({"methods": []}), Neither),
        (json!({"methods": ["get"]}), Neither),
        (json!({"burst": null}), Neither),
        (json!({"limit": 5}), Neither),
    ] {
        judges.with(keys, expected);
    }
}

#[test]
fn exemptions_and_bans() {
    let judges = Judges(Validator::new());
    for (exempt, expected) in [
        (json!({}), Both),
        (json!({"paths": ["/health", "/docs/*"]}), Both),
        (json!({"paths": ["/{id}"]}), Neither),
        (json!({"paths": []}), Neither),
        (json!({"clients": ["10.1.0.0/16", "::1"]}), Both),
        (json!({"clients": ["localhost"]}), Neither),
        (json!({"methods": ["GET"]}), Neither),
        (json!(["/health"]), Neither),
    ] {
        judges.with(json!({"exempt": exempt}), expected);
    }
    let ban = |after: Value, within: &str, lasting: &str, expected| {
        let ban = json!({"after": after, "within": within, "for": lasting});
        judges.with(json!({"ban": ban}), expected);
    };
    ban(json!(20), "1m", "15m", Both);
    ban(json!(1), "1000ms", "30d", Both);
    ban(json!(1_000_000), "01s", "2592000000ms", Both);
    ban(json!(0), "1m", "15m", Neither);
    ban(json!(1_000_001), "1m", "15m", Neither);
    ban(json!(1), "999ms", "15m", Neither);
    ban(json!(1), "0s", "15m", Neither);
    ban(json!(1), "1m", "100d", Neither);
    ban(json!(1), "1m", "31d", SchemaAlone);
    ban(json!(1), "1 m", "15m", Neither);
    judges.with(json!({"ban": {}}), Neither);
    judges.with(json!({"ban": {"after": 1, "within": "1m"}}), Neither);
    judges.with(json!({"ban": null}), Neither);
}

#[test]
fn how_limits_are_announced() {
    let judges = Judges(Validator::new());
    for (style, taken) in [
        (json!("draft"), true),
        (json!("x"), true),
        (json!("both"), true),
        (json!("none"), true),
        (json!("draft10"), false),
        (json!(false), false),
        (json!(null), false),
    ] {
        let policy = json!({"version": 1, "rate_limits": [], "rate_limit_headers": style});
        let schema = judges.0.judge(&policy).is_ok();
        let reader = errors_within(&policy, "/rate_limit").is_empty()
            && errors_within(&policy, "/rate_limit_headers").is_empty();
        assert_eq!((schema, reader), (taken, taken), "{style}");
    }
}
