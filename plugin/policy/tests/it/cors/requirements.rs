//! What correct CORS asks of a gateway, numbered in the order of the Fetch standard, and the tests that hold it.

use std::collections::BTreeMap;

/// One requirement and the tests that hold it, each as `file::test`.
type Requirement = (&'static str, &'static [&'static str]);

/// The first is number 1.
const REQUIREMENTS: [Requirement; 35] = [
    (
        "a preflight is OPTIONS with an origin and a method asked for; all else is an actual request",
        &["preflights::only_options_with_an_origin_and_a_method_asked_for_is_a_preflight"],
    ),
    (
        "a request without an origin is no CORS request, and its response varies all the same",
        &["responses::nobody_else_gets_a_cors_header_and_the_request_goes_on"],
    ),
    (
        "an origin that no browser serialises, several of them, or one past 326 bytes, never matches",
        &[
            "origins::an_exact_origin_is_compared_byte_for_byte",
            "origins::several_origins_are_none",
            "origins::no_origin_is_longer_than_326_bytes",
        ],
    ),
    (
        "origins are compared byte for byte",
        &["origins::an_exact_origin_is_compared_byte_for_byte"],
    ),
    (
        "a preflight is answered at the edge before anything can turn it away, and never forwarded",
        &[
            "preflights::a_preflight_is_answered_before_everything_that_could_turn_it_away",
            "properties::a_page_ends_with_what_the_policy_permits",
        ],
    ),
    (
        "a granted preflight says what was asked and no more, and exposes nothing",
        &[
            "preflights::a_grant_says_what_was_asked_and_no_more",
            "preflights::the_status_and_the_age_of_a_grant_are_the_policys",
        ],
    ),
    (
        "a refused preflight is a 403 without a CORS header, and never granted in part; debug says the step",
        &[
            "preflights::a_refusal_is_a_403_that_grants_nothing_and_still_varies",
            "preflights::debug_lets_the_browser_say_which_step_failed",
            "hostile::a_preflight_of_any_bytes_is_granted_whole_or_not_at_all",
        ],
    ),
    (
        "origin, method, headers, in this order; safelisted methods need no listing, upload listeners nothing at all",
        &[
            "preflights::the_step_that_fails_is_the_first_one_in_the_order_of_the_standard",
            "preflights::an_upload_listener_needs_no_method_and_no_header_listed",
        ],
    ),
    (
        "where origins are listed every response varies by Origin, whoever made it, merged with what it varied by",
        &[
            "responses::vary_is_merged_and_never_lost",
            "responses::vary_stands_on_every_kind_of_response",
            "properties::every_response_says_what_it_depends_on",
            "cache::a_stored_response_gives_every_page_its_own_verdict",
        ],
    ),
    (
        "a public policy says the same to everybody and does not vary",
        &["responses::a_public_policy_says_the_same_to_everybody"],
    ),
    (
        "answers to preflights vary by what was asked, for caches that keep OPTIONS",
        &[
            "preflights::a_refusal_is_a_403_that_grants_nothing_and_still_varies",
            "cache::a_stored_preflight_gives_every_page_its_own_verdict",
        ],
    ),
    (
        "credentials are `true`, for an allowed origin only, never beside `*`",
        &[
            "responses::an_allowed_page_reads_with_credentials_and_what_is_exposed",
            "hostile::a_request_of_any_bytes_gets_its_own_origin_or_none",
        ],
    ),
    (
        "`*` with credentials is no policy",
        &["requirements::everybody_with_credentials_is_no_policy"],
    ),
    (
        "with credentials a `*` is a name like any other: what was asked is echoed",
        &[
            "asked::a_wildcard_of_header_names_does_not_cover_authorization",
            "properties::a_page_ends_with_what_the_policy_permits",
        ],
    ),
    (
        "a wildcard of header names does not cover authorization",
        &["asked::a_wildcard_of_header_names_does_not_cover_authorization"],
    ),
    (
        "the null origin gets in only with everybody",
        &["origins::the_null_origin_gets_in_only_with_everybody"],
    ),
    (
        "methods are case-sensitive",
        &["asked::methods_are_compared_byte_for_byte"],
    ),
    (
        "header names are tokens in any case, on any number of lines, and bounded",
        &[
            "asked::header_names_are_tokens_in_any_case_and_none_is_implied",
            "asked::what_is_asked_in_headers_is_bounded",
        ],
    ),
    (
        "no header is implied, content-type least of all",
        &["asked::header_names_are_tokens_in_any_case_and_none_is_implied"],
    ),
    (
        "forbidden methods are never granted",
        &["asked::forbidden_methods_are_never_granted"],
    ),
    (
        "two methods asked for are none, and nothing that is no token is echoed",
        &[
            "asked::two_methods_asked_for_are_none",
            "hostile::a_preflight_of_any_bytes_is_granted_whole_or_not_at_all",
        ],
    ),
    (
        "requests of other origins are forwarded unread, or rejected",
        &[
            "responses::nobody_else_gets_a_cors_header_and_the_request_goes_on",
            "rejection::reject_turns_other_sites_away_and_only_them",
        ],
    ),
    (
        "rejection spares the site's own pages, those that send no referrer too",
        &[
            "rejection::reject_turns_other_sites_away_and_only_them",
            "rejection::a_form_of_the_sites_own_page_passes_whatever_its_referrer_policy",
            "rejection::the_outer_scheme_decides_what_is_the_same_origin",
            "properties::a_page_of_the_same_origin_is_never_hindered",
        ],
    ),
    (
        "a request without an origin passes",
        &["rejection::reject_turns_other_sites_away_and_only_them"],
    ),
    (
        "the method of an actual request is no matter",
        &[
            "responses::the_method_of_an_actual_request_is_no_matter",
            "properties::an_actual_request_is_judged_by_its_origin_alone",
        ],
    ),
    (
        "the upstream's CORS headers are replaced",
        &[
            "responses::the_upstreams_cors_headers_are_replaced_and_nothing_else_is",
            "hostile::an_upstream_of_any_bytes_adds_nothing",
        ],
    ),
    (
        "what the gateway says by itself can be read, with what tells the client when to come back",
        &[
            "refusals::a_named_page_reads_every_refusal",
            "refusals::a_refused_body_is_as_readable_as_a_refused_head",
            "refusals::a_request_that_cannot_be_checked_is_refused_readably",
        ],
    ),
    (
        "exposed is what the policy lists, to pages that may read, and nothing that is readable anyway",
        &[
            "responses::what_is_readable_anyway_is_not_exposed_again",
            "properties::a_page_ends_with_what_the_policy_permits",
        ],
    ),
    (
        "how long a preflight holds is the policy's; -1 is 0",
        &["preflights::the_status_and_the_age_of_a_grant_are_the_policys"],
    ),
    (
        "a preflight is never redirected",
        &[
            "preflights::a_preflight_is_answered_before_everything_that_could_turn_it_away",
            "preflights::a_preflight_that_is_forwarded_is_not_redirected_either",
        ],
    ),
    (
        "private networks are no matter of CORS: what an upstream says of them is dropped",
        &["responses::the_upstreams_cors_headers_are_replaced_and_nothing_else_is"],
    ),
    (
        "embedding is no matter of CORS: the headers that govern it stay as they are",
        &["requirements::what_governs_embedding_stays"],
    ),
    (
        "off is byte for byte as if it were not there",
        &["responses::off_and_report_pass_every_byte"],
    ),
    (
        "patterns are exact, all hosts below one, any port, or everybody",
        &[
            "origins::a_host_below_a_domain_is_one_or_more_labels_below",
            "origins::any_port_is_any_that_a_browser_would_write",
            "origins::neighbours_in_a_list_do_not_add_up",
            "origins::schemes_of_apps_and_extensions_are_origins_too",
        ],
    ),
    (
        "policies and pages at random end as the standard and the policy say",
        &[
            "properties::a_page_ends_with_what_the_policy_permits",
            "properties::the_oracle_is_not_fooled",
        ],
    ),
];

/// The files that hold tests.
const FILES: [(&str, &str); 10] = [
    ("asked", include_str!("asked.rs")),
    ("cache", include_str!("cache.rs")),
    ("hostile", include_str!("hostile.rs")),
    ("origins", include_str!("origins.rs")),
    ("preflights", include_str!("preflights.rs")),
    ("properties", include_str!("properties.rs")),
    ("refusals", include_str!("refusals.rs")),
    ("rejection", include_str!("rejection.rs")),
    ("requirements", include_str!("requirements.rs")),
    ("responses", include_str!("responses.rs")),
];

#[test]
fn every_requirement_is_held_by_a_test_that_is_there() {
    let files = BTreeMap::from(FILES);
    for (at, (says, tests)) in REQUIREMENTS.iter().enumerate() {
        assert!(!tests.is_empty(), "{}: {says}", at + 1);
        for test in *tests {
            let (file, name) = test.split_once("::").unwrap();
            let there = files[file].contains(&format!("#[test]\nfn {name}("))
                || files[file].contains(&format!("#[test]\n    fn {name}("));
            assert!(there, "{}: no test `{test}`", at + 1);
        }
    }
}

#[test]
fn everybody_with_credentials_is_no_policy() {
    let text = br#"{"version":1,"cors":{"origins":["*"],"credentials":true}}"#;
    let verdict = portcullis_policy::load(text);
    assert!(verdict.policy.is_none());
    let codes: Vec<&str> = verdict
        .diagnostics
        .iter()
        .map(|d| d.code.as_ref())
        .collect();
    assert_eq!(codes, ["cors-wildcard-credentials"]);
}

#[test]
fn what_governs_embedding_stays() {
    let policy = super::cors(r#"{"origins":["https://app.example.com"]}"#);
    let name = "cross-origin-resource-policy";
    let from = super::upstream(&[(name, "same-origin")]);
    let lines = super::request("GET", &[("origin", "https://app.example.com")]);
    let answer = super::exchanged(&policy, &from, &lines).answer;
    assert_eq!(super::value(&answer, name).as_deref(), Some("same-origin"));
}
