//! What `portcullis check` says of limits: every mistake at its place, what they hold and take, and what each gateway makes
//! of them.

use portcullis_config::code;

use super::{check, findings, found, notes};

const MISTAKES: &str = "\
version: 1
client: {trusted_proxies: [10.0.0.0/8]}
rate_limits:
  - {name: Per Client, quota: 5/minute}
  - {name: a, quota: 0/1m}
  - {name: b, quota: 5/90ms}
  - {name: c, quota: 5}
  - {name: d, quota: 1/30d, burst: 100000000}
  - {name: e, quota: 5/1m, burst: 5, algorithm: fixed-window}
  - {name: f, quota: 5/1m, cost: 6}
  - {name: g, quota: 5/1m, burst: 0, cost: 0, capacity: 0}
  - {name: h, quota: 5/1m, algorithm: sliding-window}
  - {name: i, quota: 5/1m, key: ip}
  - {name: j, quota: 5/1m, key: [ip, ip, ua, 'head:x', 'header:', 'header:a b', 'cookie: ']}
  - {name: k, quota: 5/1m, methods: [get], exempt: {paths: ['/{id}'], clients: [10.0.0]}}
  - {name: l, quota: 5/1m, ban: {after: 0, within: 10ms}}
  - {name: m, quota: 5/1m, mode: live, scope: worldwide, limit: 5}
  - {quota: 5/1m}
  - {name: o}
rate_limit_headers: draft10
routes:
  - {name: a, path: /a, rate_limits: [{name: k, quota: 5/1m}]}
  - {name: b, path: /b, rate_limits: [{name: submit, quota: 5/1m}]}
  - {name: c, path: /c, rate_limits: [{name: submit, quota: 6/1m}]}
";

#[test]
fn every_mistake_is_told_at_once() {
    let quota =
        "a count from 1 to 1000000000, `/`, and whole seconds up to 30d, for example `60/1m`";
    let one_name = "only routes may share a limit, and then its definition is the same";
    let named = "`header:NAME`, `cookie:NAME` or `query:NAME`";
    let token = "letters, digits and !#$%&'*+-.^_`|~";
    let keys = "`name`, `quota`, `burst`, `algorithm`, `cost`, `mode`, `key`, `methods`, `exempt`, `capacity`, `ban`, `scope`";
    found(
        MISTAKES,
        &[
            "4:12 error[name-syntax] /rate_limits/0/name | 1 to 32 of a-z, 0-9, `_` and `-`",
            "4:31 error[quota-syntax] /rate_limits/0/quota | did you mean `5/1m`?",
            &format!("5:22 error[quota-syntax] /rate_limits/1/quota | {quota}"),
            &format!("6:22 error[quota-syntax] /rate_limits/2/quota | {quota}"),
            "7:22 error[wrong-type] /rate_limits/3/quota | quote it",
            "8:5 error[rate-limit-overflow] /rate_limits/4 | lower `burst`, or the seconds of `quota`: at most 146 years in all",
            "9:5 error[rate-limit-burst] /rate_limits/5 | leave it out, or use `algorithm: gcra`",
            "10:5 error[rate-limit-cost] /rate_limits/6 | lower `cost`, or raise `burst`",
            "11:35 error[number-range] /rate_limits/7/burst | none",
            "11:44 error[number-range] /rate_limits/7/cost | none",
            "11:57 error[number-range] /rate_limits/7/capacity | none",
            "12:39 error[unknown-value] /rate_limits/8/algorithm | one of `gcra`, `fixed-window`",
            "13:33 error[wrong-type] /rate_limits/9/key | none",
            "14:38 error[duplicate-entry] /rate_limits/10/key/1 | none",
            "14:42 error[unknown-value] /rate_limits/10/key/2 | one of `ip`, `host`, `path`, `route`, `all`",
            &format!("14:46 error[unknown-value] /rate_limits/10/key/3 | {named}"),
            &format!("14:56 error[header-name] /rate_limits/10/key/4 | {token}"),
            &format!("14:67 error[header-name] /rate_limits/10/key/5 | {token}"),
            &format!("14:81 error[unknown-value] /rate_limits/10/key/6 | {named}"),
            "15:38 error[method-syntax] /rate_limits/11/methods/0 | did you mean `GET`?",
            "15:61 error[path-pattern] /rate_limits/11/exempt/paths/0 | no templates here",
            "15:81 error[network-syntax] /rate_limits/11/exempt/clients/0 | an address or a CIDR block, for example `10.0.0.0/8`",
            "16:28 error[missing-key] /rate_limits/12/ban | none",
            "16:41 error[number-range] /rate_limits/12/ban/after | none",
            "16:52 error[number-range] /rate_limits/12/ban/within | from 1000ms to 2592000000ms",
            "17:34 error[unknown-value] /rate_limits/13/mode | one of `enforce`, `report`, `off`",
            "17:47 error[unknown-value] /rate_limits/13/scope | one of `local`, `global`",
            &format!("17:58 error[unknown-key] /rate_limits/13/limit | known here: {keys}"),
            "18:5 error[missing-key] /rate_limits/14 | none",
            "19:5 error[missing-key] /rate_limits/15 | none",
            "20:21 error[unknown-value] /rate_limit_headers | did you mean `draft`?",
            &format!("22:46 error[rate-limit-name] /routes/0/rate_limits/0/name | {one_name}"),
            &format!("24:46 error[rate-limit-name] /routes/2/rate_limits/0/name | {one_name}"),
        ],
    );
}

const TOO_LARGE: &str = "\
version: 1
client: {forwarded: host}
rate_limits:
  - {name: a, quota: 60/1m, capacity: 1000000}
  - {name: b, quota: 60/1m, capacity: 1000000, ban: {after: 3, within: 1m, for: 1h}}
routes: [{name: r, path: /r, rate_limits: [{name: c, quota: 5/1m}]}]
";

#[test]
fn tables_that_are_too_large_are_listed() {
    let lower =
        "lower `capacity`: `a` 32.4 MiB, `b` 32.4 MiB, `b refusals` 32.4 MiB, `routes'` 4.2 MiB";
    let expected = format!("3:1 error[rate-limit-memory] /rate_limits | {lower}");
    found(TOO_LARGE, &[&expected]);
    // Limits that are not counted have no size.
    assert_eq!(notes(TOO_LARGE, &["--profile", "envoy"]), [""; 0]);
}

const DOUBTFUL: &str = "\
version: 1
client: {trusted_proxies: [10.0.0.0/8]}
rate_limits:
  - {name: per-client, quota: 60/1m, mode: 'off', exempt: {clients: [10.1.0.0/16, 192.0.2.1]}}
routes:
  - name: a
    path: /a
    rate_limits:
      - {name: per-token, quota: 60/1m, key: ['header:x-api-key', path]}
      - {name: per-page, quota: 60/1m, key: ['query:id']}
";

#[test]
fn what_counts_otherwise_than_it_looks_is_warned_of() {
    found(
        DOUBTFUL,
        &[
            "4:70 warning[rate-limit-exempts-proxy] /rate_limits/0/exempt/clients/0 | none",
            "9:41 warning[rate-limit-key-chosen] /routes/0/rate_limits/0/key | count by `ip` beside it, or have another limit that does",
            "10:40 warning[rate-limit-key-chosen] /routes/0/rate_limits/1/key | count by `ip` beside it, or have another limit that does",
        ],
    );
    // With another limit that does, nobody goes uncounted.
    let backed = DOUBTFUL.replace("mode: 'off', ", "");
    found(
        &backed,
        &["4:57 warning[rate-limit-exempts-proxy] /rate_limits/0/exempt/clients/0 | none"],
    );
    assert_eq!(check("policy.yaml", DOUBTFUL, &[]).status.code(), Some(0));
    // Once, however many limits go by the address.
    let nobody = "say in `client` who is asking: `trusted_proxies`, `forwarded: host`, or `{}` where no proxy is";
    let expected = format!("3:5 warning[rate-limit-without-client] /rate_limits/0/key | {nobody}");
    found(NOBODY, &[&expected]);
    let told = NOBODY.replacen("rate_limits", "client: {}\nrate_limits", 1);
    found(&told, &[]);
}

const NOBODY: &str = "\
version: 1
rate_limits:
  - {name: per-client, quota: 60/1m}
  - {name: burst, quota: 9/1s}
  - {name: everybody, quota: 1000/1m, key: [all]}
";

#[test]
fn what_this_version_does_not_count_is_refused() {
    let policy = "\
version: 1
client: {forwarded: host}
rate_limits: [{name: a, quota: 60/1m, scope: global}]
limiter: {protocol: rls-grpc, upstream: limits}
";
    let out = "leave it out: a protection that is not there is better known than believed in";
    found(
        policy,
        &[
            &format!("3:39 error[not-supported] /rate_limits/0/scope | {out}"),
            &format!("4:1 error[not-supported] /limiter | {out}"),
        ],
    );
}

#[test]
fn every_code_of_limits_is_shown_above() {
    let all = [MISTAKES, TOO_LARGE, DOUBTFUL, NOBODY]
        .map(findings)
        .concat();
    let mut seen = 0;
    for code in code::ALL {
        if code.starts_with("rate-limit-") || code.starts_with("quota-") {
            let tag = format!("[{code}]");
            assert!(all.iter().any(|finding| finding.contains(&tag)), "{code}");
            seen += 1;
        }
    }
    assert!(seen >= 9, "{seen}");
}

const HOST: &str = "client: {forwarded: host}";

/// The notes on a policy with these limits.
fn told(client: &str, limits: &str, profile: &str) -> Vec<String> {
    let policy = format!("version: 1\n{client}\nrate_limits: [{limits}]\n");
    let arguments = match profile {
        "" => Vec::new(),
        profile => vec!["--profile", profile],
    };
    notes(&policy, &arguments)
}

#[test]
fn what_limits_hold_and_take_is_told() {
    let check = |limits: &str, profile: &str, words: &[&str]| {
        let told = told(HOST, limits, profile).join("\n");
        for words in words {
            assert!(told.contains(words), "{limits}: `{words}` is not in {told}");
        }
    };
    let one = "{name: a, quota: 5/1m}";
    let envoys = ["for 131072 keys at once, in 4.3 MiB of the gateway's memory"];
    for profile in ["", "envoy", "istio"] {
        check(one, profile, &envoys);
    }
    let small = "{name: a, quota: 5/1m, capacity: 1000}";
    check(small, "", &["for 1000 keys at once, in 33 KiB"]);
    let banning = "{name: a, quota: 5/1m, ban: {after: 3, within: 1m, for: 1h}}";
    check(banning, "", &["for 262144 keys at once, in 8.5 MiB"]);
    check(one, "kong", &["`nginx_wasm_shm_kv = 9m` or more"]);
    check(banning, "kong", &["`nginx_wasm_shm_kv = 17m` or more"]);
    let apisix = [
        "nothing is shared between workers on apisix",
        "131072 keys in 4.3 MiB of its own",
        "so many times as much as there are workers",
    ];
    check(one, "apisix", &apisix);

    let off = "{name: a, quota: 5/1m, mode: 'off'}";
    for profile in ["", "envoy", "istio"] {
        assert_eq!(told(HOST, off, profile), [""; 0], "{profile}");
    }
}

#[test]
fn whose_address_is_counted_is_told() {
    let check = |client: &str, key: &str, profile: &str, words: Option<&str>| {
        let limits = format!("{{name: a, quota: 5/1m, key: [{key}]}}");
        let told = told(client, &limits, profile);
        let address = told
            .iter()
            .find(|note| note.starts_with("clients are counted"));
        match words {
            Some(words) => assert!(address.is_some_and(|note| note.contains(words)), "{told:?}"),
            None => assert_eq!(address, None, "{client} {key} {profile}"),
        }
    };
    let proxies = "client: {trusted_proxies: [10.0.0.0/8]}";
    check(HOST, "ip", "envoy", Some("they choose it themselves"));
    check(proxies, "ip", "envoy", Some("in one bucket"));
    check(HOST, "ip", "istio", Some("numTrustedProxies"));
    check(proxies, "ip", "istio", None);
    // What a client leaves out is its address.
    check(HOST, "'header:x-api-key'", "envoy", Some("they choose it"));
    check(HOST, "all", "envoy", None);
    check(HOST, "route, host", "envoy", None);
    for profile in ["", "kong", "apisix"] {
        check(HOST, "ip", profile, None);
    }
}
