//! Nothing is shared with a browser that the policy does not name, and nothing is blocked that it names.

use proptest::prelude::*;

use super::arbitrary::{plan, plan_and_origins, plan_and_wish, upstream};
use super::fetch::{Wish, cross_origin, fetch, leave, same_origin};
use super::permits::Plan;
use super::{URL, Url, cors, cors_names, exchanged, responded, varies_by};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn a_page_ends_with_what_the_policy_permits((plan, wish) in plan_and_wish(), upstream in upstream()) {
        // What the browser keeps to itself is no concern of a gateway.
        let Ok(left) = leave(&wish) else { return Ok(()) };
        let policy = cors(&plan.section().to_string());
        let mut forwarded = Vec::new();
        let got = fetch(&wish, &URL, &mut |lines| {
            let seen = exchanged(&policy, &upstream, lines);
            if seen.forwarded {
                forwarded.push(lines.clone());
            }
            seen.answer
        });
        prop_assert_eq!(got.is_ok(), plan.permits(&left), "{:?}", got);
        let preflights = forwarded.iter().flatten().filter(|(name, _)| name.starts_with(b"access-control-request-"));
        prop_assert_eq!(preflights.count(), 0);
        if plan.reject && !plan.lets_in(&wish.origin) {
            prop_assert!(forwarded.is_empty(), "a rejected origin reached the upstream");
        }
        let Ok(readable) = got else { return Ok(()) };
        prop_assert_eq!(readable.status, upstream.status);
        let sent = upstream.headers.iter().map(|(name, _)| String::from_utf8_lossy(name).to_lowercase());
        let ours = |name: &String| name.starts_with("access-control-") || name == "vary";
        let exposed = sent.filter(|name| !ours(name) && plan.exposes(name)).collect();
        let read: std::collections::BTreeSet<String> = readable.names.into_iter().filter(|name| !ours(name)).collect();
        prop_assert_eq!(read, exposed);
    }

    /// Whatever a page of another origin could do without a preflight, the section's methods and headers do not hinder.
    #[test]
    fn an_actual_request_is_judged_by_its_origin_alone((plan, wish) in plan_and_wish(), upstream in upstream()) {
        let Ok(left) = leave(&wish) else { return Ok(()) };
        let policy = cors(&plan.section().to_string());
        let seen = exchanged(&policy, &upstream, &cross_origin(&left, &URL));
        prop_assert_eq!(seen.forwarded, plan.lets_in(&left.origin) || !plan.reject);
        let named = cors_names(&seen.answer);
        prop_assert_eq!(named.contains(&"access-control-allow-origin".to_owned()), plan.lets_in(&left.origin));
        prop_assert!(plan.lets_in(&left.origin) || named.is_empty(), "{:?}", named);
    }

    #[test]
    fn a_page_of_the_same_origin_is_never_hindered(
        plan in plan(), method in prop::sample::select(vec!["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]),
        own in prop::sample::select(vec![("https", "api.example.com"), ("http", "api.example.com"), ("http", "api.example.com:8080")]),
        hides in any::<bool>(), upstream in upstream(),
    ) {
        let url = Url { scheme: own.0, authority: own.1, path: "/a" };
        // Over http no browser vouches for a page that hides its origin.
        let hides = hides && url.scheme == "https";
        let policy = cors(&plan.section().to_string());
        prop_assert!(exchanged(&policy, &upstream, &same_origin(method, &url, hides)).forwarded);
    }

    #[test]
    fn every_response_says_what_it_depends_on(
        (plan, origins) in plan_and_origins(0..=1), upstream in upstream(),
    ) {
        let policy = cors(&plan.section().to_string());
        let origin: Vec<(&str, &str)> = origins.iter().map(|origin| ("origin", origin.as_str())).collect();
        let answer = exchanged(&policy, &upstream, &super::request("GET", &origin)).answer;
        let before = varies_by(&upstream);
        let after = varies_by(&answer);
        if answer.status == 403 {
            prop_assert!(after.contains(&"origin".to_owned()));
            return Ok(());
        }
        let mut expected = before.clone();
        if !plan.is_public() && !before.contains(&"*".to_owned()) && !before.contains(&"origin".to_owned()) {
            expected.push("origin".to_owned());
        }
        prop_assert_eq!(after, expected);
    }

    #[test]
    fn edits_leave_one_line_of_each_header_and_are_done_when_done(
        (plan, origins) in plan_and_origins(0..=1), upstream in upstream(),
    ) {
        let policy = cors(&plan.section().to_string());
        let origin: Vec<(&str, &str)> = origins.iter().map(|origin| ("origin", origin.as_str())).collect();
        let seen = exchanged(&policy, &upstream, &super::request("GET", &origin));
        if !seen.forwarded {
            return Ok(());
        }
        let mut names = cors_names(&seen.answer);
        names.sort();
        let lines = names.len();
        names.dedup();
        prop_assert_eq!(lines, names.len(), "{:?}", seen.answer.headers);
        let mut once = seen.answer.headers;
        let mut twice = responded(&seen.exchange, &once);
        once.sort();
        twice.sort();
        prop_assert_eq!(once, twice);
    }
}

/// The oracle itself, against a few answers that are plain to see.
#[test]
fn the_oracle_is_not_fooled() {
    let plan = |origins: &[&str]| Plan {
        origins: origins.iter().map(|&origin| origin.to_owned()).collect(),
        methods: vec!["PUT".to_owned()],
        request_headers: vec!["*".to_owned()],
        expose_headers: vec![],
        credentials: false,
        reject: false,
        debug: false,
    };
    let check = |pattern: &str, origin: &str, expected: bool| {
        assert_eq!(
            plan(&[pattern]).lets_in(origin),
            expected,
            "{pattern} {origin}"
        );
    };
    check("https://*.example.com", "https://a.b.example.com", true);
    check("https://*.example.com", "https://example.com", false);
    check("https://*.example.com", "https://evilexample.com", false);
    check("https://*.example.com", "https://a.example.com:8443", false);
    check(
        "https://*.example.com:*",
        "https://a.example.com:8443",
        true,
    );
    check(
        "https://*.example.com:*",
        "https://a.example.com:443",
        false,
    );
    check("http://[::1]:*", "http://[::1]", true);
    check("http://[::1]:*", "http://[::1]:65536", false);
    check("*", "null", true);
    let wish = |method: &str, header: &str| Wish {
        origin: "null".to_owned(),
        method: method.to_owned(),
        headers: vec![header.to_owned()],
        credentials: false,
        upload: false,
    };
    assert!(plan(&["*"]).permits(&wish("PUT", "x-a")));
    assert!(!plan(&["*"]).permits(&wish("PATCH", "x-a")));
    assert!(!plan(&["*"]).permits(&wish("PUT", "Authorization")));
    assert!(!plan(&["https://a.test"]).permits(&wish("GET", "x-a")));
}
