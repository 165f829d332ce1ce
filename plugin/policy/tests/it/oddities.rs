//! Properties that hold for any input: nothing is too odd, and spelling does not matter.

use portcullis_policy::{Line, RequestHead, ResponseHead, Severity, load};
use proptest::prelude::*;

use super::{Gateway, get, outcome, policy};

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
        let _ = exchange.on_request_head(&RequestHead::new(&lines), &Gateway::default());
        let _ = exchange.on_response_head(&ResponseHead::new(&lines), &Gateway::default());
        if let Some(line) = exchange.finish(&Gateway::default()).and_then(|record| record.log_line()) {
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
