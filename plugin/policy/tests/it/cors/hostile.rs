//! Bytes that no browser sends: no panic, no partial grant, nothing of the client's in a header unchecked.

use proptest::prelude::*;
use proptest::sample::select;

use super::arbitrary::{plan, plan_and_origins};
use super::fetch::{Answer, Lines, is_token};
use super::permits::Plan;
use super::{cors_names, exchanged, owned, request, value};
use crate::policy;

const REFUSED: &str = "cors-preflight-not-allowed";

/// A header's value: bytes at random, or tokens and what may stand around them.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let pieces = vec![
        "PUT",
        "GET",
        "TRACE",
        "x-api-key",
        "authorization",
        "content-type",
        "https://app.example.com",
        "null",
        "*",
        ",",
        ",,",
        " ",
        "\t",
        "\r\n",
        "\0",
        ":",
        ";",
        "\"",
        "é",
        "/",
        "set-cookie: a=b",
    ];
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        prop::collection::vec(select(pieces), 0..6).prop_map(|pieces| pieces.concat().into_bytes()),
        (1usize..5000).prop_map(|n| vec![b','; n]),
        (1usize..5000).prop_map(|n| vec![b'a'; n]),
    ]
}

fn lines(name: &'static str) -> impl Strategy<Value = Lines> {
    prop::collection::vec(text(), 0..3).prop_map(move |values| {
        let values = values.into_iter();
        values.map(|value| (name.into(), value)).collect()
    })
}

/// With and without hygiene, which would refuse most of this before.
fn loaded(plan: &Plan, hygiene: bool) -> std::rc::Rc<portcullis_policy::Policy> {
    let mut document = serde_json::json!({"version": 1, "cors": plan.section()});
    if let (true, Some(members)) = (hygiene, document.as_object_mut()) {
        members.insert("request".to_owned(), serde_json::json!({}));
    }
    policy(&document.to_string())
}

/// What holds of every answer that the gateway makes by itself.
fn check(plan: &Plan, origins: &[&[u8]], answer: &Answer) -> Result<(), TestCaseError> {
    let list = |value: &str| {
        value
            .split(',')
            .map(str::trim)
            .all(|item| is_token(item.as_bytes()))
    };
    for (name, value) in &answer.headers {
        prop_assert!(is_token(name), "{answer:?}");
        prop_assert!(
            value.iter().all(|b| (b' '..=b'~').contains(b)),
            "{answer:?}"
        );
    }
    if let Some(origin) = value(answer, "access-control-allow-origin") {
        let one = matches!(origins, [only] if *only == origin.as_bytes());
        prop_assert!(
            match plan.is_public() {
                true => origin == "*",
                false => one && plan.lets_in(&origin),
            },
            "{answer:?}"
        );
    }
    for name in [
        "access-control-allow-methods",
        "access-control-allow-headers",
    ] {
        if let Some(value) = value(answer, name) {
            prop_assert!(list(&value), "{answer:?}");
        }
    }
    let credentials = value(answer, "access-control-allow-credentials");
    prop_assert!(credentials.is_none_or(|value| value == "true" && plan.credentials));
    prop_assert!(
        !plan.debug || answer.status != 204 || value(answer, "x-cors-refused-by").is_none()
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn a_preflight_of_any_bytes_is_granted_whole_or_not_at_all(
        (mut plan, near) in plan_and_origins(1..=2), odd in lines("Origin"), keep in 0usize..4, debug in any::<bool>(),
        hygiene in any::<bool>(), methods in lines("access-control-request-method"), names in lines("Access-Control-Request-Headers"),
    ) {
        plan.debug = debug;
        let policy = loaded(&plan, hygiene);
        // Mostly one near miss, else anything.
        let mut origins: Lines = near.into_iter().map(|text| (b"origin".to_vec(), text.into_bytes())).collect();
        match keep {
            0 => origins.extend(odd),
            1 => origins = odd,
            _ => origins.truncate(1),
        }
        let mut head = request("OPTIONS", &[]);
        head.extend(origins.iter().cloned().chain(methods.clone()).chain(names.clone()));
        let seen = exchanged(&policy, &super::upstream(&[]), &head);
        let asks = methods.iter().any(|(_, value)| !value.is_empty());
        let is_preflight = !origins.is_empty() && asks;
        let origins: Vec<&[u8]> = origins.iter().map(|(_, value)| value.as_slice()).collect();
        check(&plan, &origins, &seen.answer)?;
        let codes: Vec<&str> = seen.exchange.finish(&crate::Gateway::default()).iter().flat_map(|record| &record.findings).map(|found| found.refusal.code).collect();
        if seen.forwarded || !is_preflight {
            prop_assert!(!is_preflight, "forwarded");
            return Ok(());
        }
        let named = cors_names(&seen.answer);
        if codes == [REFUSED] && !debug {
            prop_assert_eq!((seen.answer.status, named), (403, vec![]));
        } else if codes == [REFUSED] {
            prop_assert_eq!(seen.answer.status, 200);
            prop_assert!(value(&seen.answer, "x-cors-refused-by").is_some());
            prop_assert!(!named.contains(&"access-control-allow-headers".to_owned()));
        } else if codes.is_empty() {
            prop_assert_eq!(seen.answer.status, 204);
            prop_assert!(named.contains(&"access-control-allow-origin".to_owned()));
            // Granted is what was asked, and one line asked it.
            let asked: Vec<&[u8]> = methods.iter().map(|(_, value)| value.as_slice()).collect();
            prop_assert!(matches!(asked.as_slice(), [one] if is_token(one)));
        } else {
            // Hygiene came first.
            prop_assert!(hygiene && (400..500).contains(&seen.answer.status));
        }
    }

    #[test]
    fn a_request_of_any_bytes_gets_its_own_origin_or_none(
        (plan, near) in plan_and_origins(0..=2), odd in lines("origin"), site in lines("sec-fetch-site"), host in text(),
    ) {
        let policy = loaded(&plan, false);
        let mut origins: Lines = near.into_iter().map(|text| (b"origin".to_vec(), text.into_bytes())).collect();
        origins.extend(odd);
        let mut head = owned(&[(":method", "POST"), (":path", "/a"), (":scheme", "https")]);
        head.push((b":authority".to_vec(), host));
        head.extend(origins.iter().cloned().chain(site));
        let seen = exchanged(&policy, &super::upstream(&[]), &head);
        let origins: Vec<&[u8]> = origins.iter().map(|(_, value)| value.as_slice()).collect();
        check(&plan, &origins, &seen.answer)?;
    }

    /// Whatever the upstream says, the answer's CORS headers are the policy's.
    #[test]
    fn an_upstream_of_any_bytes_adds_nothing(plan in plan(), values in prop::collection::vec(text(), 0..4), vary in lines("vary")) {
        let policy = loaded(&plan, false);
        let names = ["access-control-allow-origin", "Access-Control-Allow-Origin", "access-control-x", "ACCESS-CONTROL-ALLOW-CREDENTIALS"];
        let mut upstream = super::upstream(&[]);
        upstream.headers.extend(names.iter().zip(values).map(|(name, value)| ((*name).into(), value)));
        upstream.headers.extend(vary);
        let seen = exchanged(&policy, &upstream, &request("GET", &[("origin", "https://stranger.test")]));
        let public = if plan.is_public() { vec!["access-control-allow-origin"] } else { vec![] };
        let named: Vec<String> = cors_names(&seen.answer).into_iter().filter(|name| name != "access-control-expose-headers").collect();
        prop_assert_eq!(named, public);
    }
}
