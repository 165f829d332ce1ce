//! `on_disallowed: reject`: pages of other sites are turned away, the site's own and everybody else are not.

use std::rc::Rc;

use portcullis_policy::Policy;

use super::fetch::{Url, same_origin};
use super::{URL, cors, cors_names, exchanged, owned, request, upstream};
use crate::policy;

const APP: &str = "https://app.example.com";

fn reject() -> Rc<Policy> {
    cors(r#"{"origins":["https://app.example.com"],"on_disallowed":"reject"}"#)
}

#[test]
fn reject_turns_other_sites_away_and_only_them() {
    let check = |url: &Url, lines: &[(&str, &str)], passes: bool| {
        let mut head = owned(&[
            (":method", "POST"),
            (":path", "/a"),
            (":authority", url.authority),
            (":scheme", url.scheme),
        ]);
        head.extend(owned(lines));
        let seen = exchanged(&reject(), &upstream(&[]), &head);
        assert_eq!(seen.forwarded, passes, "{lines:?} to {}", url.authority);
        if !passes {
            assert_eq!(
                (seen.answer.status, cors_names(&seen.answer)),
                (403, vec![])
            );
            let record = seen.exchange.finish(&crate::Gateway::default()).unwrap();
            let line: serde_json::Value =
                serde_json::from_str(&record.log_line().unwrap()).unwrap();
            assert_eq!(line["code"], "cors-origin-not-allowed");
            assert_eq!(line["rule"], "cors.on_disallowed");
        }
    };
    let at = |scheme, authority| Url {
        scheme,
        authority,
        path: "/a",
    };
    // No origin is no page: not for CORS to judge.
    check(&URL, &[], true);
    check(&URL, &[("origin", APP)], true);
    check(&URL, &[("origin", "https://evil.net")], false);
    check(&URL, &[("origin", "null")], false);
    check(&URL, &[("origin", "")], false);
    check(&URL, &[("origin", APP), ("origin", APP)], false);
    // The site's own pages.
    let own = ("origin", "https://api.example.com");
    check(&URL, &[own], true);
    check(&at("https", "api.example.com:443"), &[own], true);
    check(&at("https", "API.example.com"), &[own], true);
    check(
        &at("https", "api.example.com:8443"),
        &[("origin", "https://api.example.com:8443")],
        true,
    );
    check(
        &at("http", "api.example.com:80"),
        &[("origin", "http://api.example.com")],
        true,
    );
    check(
        &at("http", "[::1]:8080"),
        &[("origin", "http://[::1]:8080")],
        true,
    );
    check(&at("http", "api.example.com"), &[own], false);
    check(&at("https", "api.example.com:8443"), &[own], false);
    check(
        &at("https", "api.example.com"),
        &[("origin", "http://api.example.com")],
        false,
    );
    check(
        &at("https", "api.example.com"),
        &[("origin", "https://api.example.com:8443")],
        false,
    );
    check(
        &at("https", "api.example.com"),
        &[("origin", "https://evilapi.example.com")],
        false,
    );
    check(
        &at("https", "api.example.com,evil.net"),
        &[("origin", "https://evil.net")],
        false,
    );
    check(&at("https", ""), &[("origin", "https://")], false);
    // A page that sends no referrer says `null` of its own forms, and the browser vouches for it.
    let null = ("origin", "null");
    check(&URL, &[null, ("sec-fetch-site", "same-origin")], true);
    check(&URL, &[null, ("sec-fetch-site", "same-site")], false);
    check(&URL, &[null, ("sec-fetch-site", "cross-site")], false);
    check(&URL, &[null, ("sec-fetch-site", "none")], false);
    check(&URL, &[null, ("sec-fetch-site", "Same-Origin")], false);
    check(
        &URL,
        &[
            null,
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "cross-site"),
        ],
        false,
    );
    check(
        &URL,
        &[
            null,
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-origin"),
        ],
        false,
    );
    check(
        &URL,
        &[null, ("sec-fetch-site", "same-origin,cross-site")],
        false,
    );
}

#[test]
fn the_outer_scheme_decides_what_is_the_same_origin() {
    let text = r#"{"version":1,"client":{"trusted_proxies":["203.0.113.0/24"]},
        "cors":{"origins":["https://app.example.com"],"on_disallowed":"reject"}}"#;
    let check = |proto: &str, origin: &str, passes: bool| {
        let mut lines = request("POST", &[("x-forwarded-proto", proto), ("origin", origin)]);
        lines.retain(|(name, _)| name != b":scheme");
        let seen = exchanged(&policy(text), &upstream(&[]), &lines);
        assert_eq!(seen.forwarded, passes, "{proto} {origin}");
    };
    check("https", "https://api.example.com", true);
    check("https", "http://api.example.com", false);
    check("http", "https://api.example.com", false);
    // From somebody who is not trusted it says nothing.
    let mut lines = request(
        "POST",
        &[
            ("x-forwarded-proto", "https"),
            ("origin", "https://api.example.com"),
        ],
    );
    lines.retain(|(name, _)| name != b":scheme");
    assert!(!exchanged(&reject(), &upstream(&[]), &lines).forwarded);
}

#[test]
fn a_form_of_the_sites_own_page_passes_whatever_its_referrer_policy() {
    for hides in [false, true] {
        let lines = same_origin("POST", &URL, hides);
        assert!(
            exchanged(&reject(), &upstream(&[]), &lines).forwarded,
            "{lines:?}"
        );
    }
}
