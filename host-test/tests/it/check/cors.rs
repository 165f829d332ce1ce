//! What `portcullis check` says of `cors`: all of it at once, each at its place in the file and with a way out.

use portcullis_config::code;

use super::{check, findings, found, json, list_of, notes};

const MISTAKES: &str = "\
version: 1
cors:
  origins:
    - example.com
    - https://app.example.com/
    - HTTPS://App.Example.com
    - https://app.example.com,https://www.example.com
    - http://[2001:DB8::1]
    - 'null'
    - file:///home/me
    - https://app.example.com:443
    - https://app.example.com:0
    - https://*example.com
    - https://.*\\.example\\.com
    - https://*.192.0.2.1
    - '*'
    - http://app.example.com
    - https://app.example.com
  methods: [patch, TRACE, a b, put, PATCH]
  request_headers: [Cookie, sec-fetch-site, a b, content-type]
  expose_headers: [Set-Cookie, '*', etag]
  credentials: true
  max_age: 86401
  preflight_status: 404
  on_disallowed: rejct
  credential: true
";

#[test]
fn every_mistake_is_told_at_once() {
    found(
        MISTAKES,
        &[
            "4:7 error[cors-origin-syntax] /cors/origins/0 | did you mean `https://example.com`?",
            "5:7 error[cors-origin-syntax] /cors/origins/1 | did you mean `https://app.example.com`?",
            "6:7 error[cors-origin-syntax] /cors/origins/2 | did you mean `https://app.example.com`?",
            "7:7 error[cors-origin-syntax] /cors/origins/3 | one origin an entry, without white space",
            "8:7 error[cors-origin-syntax] /cors/origins/4 | did you mean `http://[2001:db8::1]`?",
            "9:7 error[cors-origin-prohibited] /cors/origins/5 | only `[\"*\"]` without credentials lets it in, as it lets in everybody",
            "10:7 error[cors-origin-prohibited] /cors/origins/6 | serve the page over http on localhost",
            "11:7 error[cors-origin-port] /cors/origins/7 | did you mean `https://app.example.com`?",
            "12:7 error[cors-origin-port] /cors/origins/8 | a port is 1 to 65535, or `*` for any",
            "13:7 error[cors-origin-wildcard] /cors/origins/9 | did you mean `https://*.example.com`?",
            "14:7 error[cors-origin-syntax] /cors/origins/10 | did you mean `https://*.example.com`?",
            "15:7 error[cors-origin-wildcard] /cors/origins/11 | an address has no names below it",
            "16:7 error[cors-origin-wildcard] /cors/origins/12 | `*` stands alone: with it, the other entries say nothing",
            "17:7 error[cors-origin-insecure] /cors/origins/13 | did you mean `https://app.example.com`? if not, `dangerously_allow_insecure_origins`",
            "19:13 error[method-syntax] /cors/methods/0 | did you mean `PATCH`?",
            "19:20 error[cors-method-forbidden] /cors/methods/1 | browsers refuse it: leave it out",
            "19:27 error[method-syntax] /cors/methods/2 | none",
            "20:21 error[cors-header-forbidden] /cors/request_headers/0 | the browser writes it, or nobody: leave it out",
            "20:29 error[cors-header-forbidden] /cors/request_headers/1 | the browser writes it, or nobody: leave it out",
            "20:45 error[header-name] /cors/request_headers/2 | letters, digits and !#$%&'*+-.^_`|~",
            "21:3 error[cors-expose-wildcard] /cors/expose_headers | list the headers",
            "21:20 error[cors-header-forbidden] /cors/expose_headers/0 | browsers keep it to themselves: leave it out",
            "23:12 error[number-range] /cors/max_age | none",
            "24:21 error[number-range] /cors/preflight_status | none",
            "25:18 error[unknown-value] /cors/on_disallowed | did you mean `reject`?",
            "26:3 error[unknown-key] /cors/credential | did you mean `credentials`?",
        ],
    );
}

const PATCHES: &str = "\
version: 1
cors: {origins: ['*'], expose_headers: ['*']}
routes:
  - {name: a, path: /a, cors: {origins: []}}
  - {name: b, path: /b, cors: {origins: null}}
  - {name: c, path: /c, cors: {max_age: 500ms}}
  - {name: d, path: /d, cors: {debugs: null}}
  - name: e
    path: /e
    cors:
      credentials: true
  - {name: f, path: /f, cors: {origins: ['https://a.example'], expose_headers: null, credentials: true}}
";

#[test]
fn a_routes_patch_is_judged_as_what_it_makes_of_the_shared_section() {
    found(
        PATCHES,
        &[
            "4:32 error[empty-list] /routes/0/cors/origins | list the origins, or leave `cors` out",
            "5:25 error[missing-key] /routes/1/cors | none",
            "6:41 error[number-range] /routes/2/cors/max_age | for example `10s`",
            "7:32 error[unknown-key] /routes/3/cors/debugs | did you mean `debug`?",
            "10:5 error[cors-wildcard-credentials] /routes/4/cors/origins | list the origins, or leave `credentials` out",
            "10:5 error[cors-expose-wildcard] /routes/4/cors/expose_headers | list the headers",
        ],
    );
}

#[test]
fn patterns_below_which_anybody_can_have_a_name_are_warned_of() {
    let policy = "\
version: 1
cors:
  origins:
    - https://*.example.com
    - https://*.co.uk
    - http://*.github.io:*
  on_disallowed: reject
routes:
  - {name: a, path: /a, cors: {origins: ['https://*.s3.amazonaws.com'], credentials: true}}
  - {name: b, path: /b, cors: {origins: ['https://*.example.co.uk', 'https://*.kawasaki.jp']}}
";
    let suffix = "warning[cors-public-suffix]";
    let yours = "name what is yours below it, as in `*.example.";
    let expected = [
        format!("5:7 {suffix} /cors/origins/1 | {yours}co.uk`"),
        format!("6:7 {suffix} /cors/origins/2 | {yours}github.io`"),
        format!("9:42 {suffix} /routes/0/cors/origins/0 | {yours}s3.amazonaws.com`"),
        format!("10:69 {suffix} /routes/1/cors/origins/1 | {yours}kawasaki.jp`"),
    ];
    assert_eq!(findings(policy), expected);
    let output = check("policy.yaml", policy, &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");

    // What stands beside mistakes is warned of as well.
    found(
        "version: 1\ncors: {origins: [example.com, 'https://*.com']}\n",
        &[
            "2:18 error[cors-origin-syntax] /cors/origins/0 | did you mean `https://example.com`?",
            "2:31 warning[cors-public-suffix] /cors/origins/1 | name what is yours below it, as in `*.example.com`",
        ],
    );
}

#[test]
fn a_public_suffix_with_credentials_is_said_to_be_worse() {
    let worse = |policy: &str, expected: &[bool]| {
        let document = json(&check("policy.yaml", policy, &["--format", "json"]));
        let list = list_of(&document, "diagnostics");
        let words = "act with their visitors' credentials";
        let worse: Vec<bool> = list
            .iter()
            .filter(|finding| finding["code"] == "cors-public-suffix")
            .map(|finding| finding["message"].as_str().unwrap().contains(words))
            .collect();
        assert_eq!(worse, expected, "{policy}");
    };
    let policy = |shared: &str, route: &str| {
        format!(
            "version: 1\ncors: {{origins: ['https://*.github.io']{shared}}}\nroutes: [{{name: a, path: /{route}}}]\n"
        )
    };
    let credentials = ", credentials: true";
    worse(&policy("", ""), &[false]);
    worse(&policy(credentials, ""), &[true]);
    // The entry is the shared section's, the credentials are the route's.
    worse(&policy("", ", cors: {credentials: true}"), &[true]);
    worse(&policy(credentials, ", cors: {credentials: null}"), &[true]);
    let own = ", cors: {origins: ['https://*.gitlab.io']}";
    worse(&policy("", own), &[false, false]);
    worse(&policy(credentials, own), &[true, true]);
    let without = ", cors: {origins: ['https://*.gitlab.io'], credentials: false}";
    worse(&policy(credentials, without), &[true, false]);
    let with = ", cors: {origins: ['https://*.gitlab.io'], credentials: true}";
    worse(&policy("", with), &[false, true]);
}

const DANGEROUS: &str = "\
version: 1
request: {methods: [GET, POST]}
cors:
  origins: [http://app.example.com]
  methods: [PUT]
  credentials: true
  on_disallowed: reject
  dangerously_allow_insecure_origins: true
  debug: true
";

#[test]
fn dangerous_keys_and_vain_ones_are_warned_of() {
    found(
        DANGEROUS,
        &[
            "5:3 warning[cors-method-unreachable] /cors/methods | add `PUT` to `request.methods`",
            "8:39 warning[cors-insecure-origins] /cors/dangerously_allow_insecure_origins | none",
            "9:10 warning[cors-debug] /cors/debug | for the time that it takes to find a mistake",
        ],
    );
    // Neither is dangerous where it does nothing.
    let policy = "\
version: 1
cors:
  origins: ['https://app.example.com', 'http://localhost:*']
  credentials: true
  dangerously_allow_insecure_origins: true
  debug: false
";
    found(policy, &[]);
}

#[test]
fn stripping_is_said_not_to_stop_requests_with_credentials() {
    let stripped = "version: 1\ncors: {origins: ['https://a.example'], credentials: true}\n";
    let told = notes(stripped, &[]);
    assert!(
        told.len() == 1 && told[0].contains("`on_disallowed: reject` refuses it"),
        "{told:?}"
    );
    // It is a note, and none of a gateway: the policy is as valid as any.
    found(stripped, &[]);
    assert_eq!(notes(stripped, &["--profile", "envoy"]), told);
    let on_a_route = "\
version: 1
cors: {origins: ['https://a.example'], credentials: true, on_disallowed: reject}
routes: [{name: a, path: /, cors: {on_disallowed: strip}}]
";
    assert_eq!(notes(on_a_route, &[]), told);
    for nothing in [
        "version: 1\ncors: {origins: ['https://a.example']}\n",
        "version: 1\ncors: {origins: ['https://a.example'], credentials: true, on_disallowed: reject}\n",
        "version: 1\ncors: {origins: ['https://a.example'], credentials: true, mode: off}\n",
        "version: 1\nmode: off\ncors: {origins: ['https://a.example'], credentials: true}\n",
    ] {
        assert_eq!(notes(nothing, &[]), [""; 0], "{nothing}");
    }
}

#[test]
fn every_code_of_cors_is_shown_above() {
    let all = [MISTAKES, PATCHES, DANGEROUS].map(findings).concat();
    let codes: Vec<&&str> = code::ALL
        .iter()
        .filter(|c| c.starts_with("cors-"))
        .collect();
    assert!(codes.len() >= 12, "{codes:?}");
    for code in codes {
        let tag = format!("[{code}]");
        assert!(all.iter().any(|finding| finding.contains(&tag)), "{code}");
    }
}
