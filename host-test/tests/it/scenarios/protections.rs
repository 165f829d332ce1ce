//! The proof that the corpus would notice: with each protection switched off, scenarios go red.

mod limits;
mod validate;

use portcullis_host_test::module::Module;
use portcullis_host_test::scenario::run::{Verdict, run};
use serde_json::{Value, json};

use super::{corpus, target};

/// One protection, how it is switched off, and scenarios that must notice.
struct Protection {
    name: &'static str,
    off: fn(&mut Value),
    noticed_by: &'static [&'static str],
}

fn section(
    policy: &mut Value,
    key: &str,
    change: impl FnOnce(&mut serde_json::Map<String, Value>),
) {
    if let Some(section) = policy.get_mut(key).and_then(Value::as_object_mut) {
        change(section);
    }
}

fn drop_key(policy: &mut Value, section_key: &str, key: &str) {
    section(policy, section_key, |section| {
        section.remove(key);
    });
}

fn routes(policy: &mut Value, change: impl Fn(&mut serde_json::Map<String, Value>)) {
    for route in policy
        .get_mut("routes")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        route.as_object_mut().map(&change);
    }
}

/// The section `cors`, and what routes change of it.
fn cors(policy: &mut Value, change: impl Fn(&mut serde_json::Map<String, Value>)) {
    section(policy, "cors", &change);
    routes(policy, |route| {
        route
            .get_mut("cors")
            .and_then(Value::as_object_mut)
            .map(&change);
    });
}

const PROTECTIONS: &[Protection] = &[
    Protection {
        name: "everything: `mode: off` at the top",
        off: |policy| {
            policy["mode"] = json!("off");
        },
        noticed_by: &[
            "request/hosts-unlisted-is-refused.yaml",
            "request/methods-unlisted-is-refused.yaml",
            "unmatched/path-unknown-is-refused.yaml",
            "headers/preset-api.yaml",
            "errors/problem.yaml",
            "mode/report-changes-nothing.yaml",
            "client/peer-is-the-client.yaml",
            "reload/bad-policy-keeps-the-old.yaml",
            "https/redirect.yaml",
            "lines/repeated-origin.yaml",
            "path/encoded-slash.yaml",
            "sizes/body-chunks.yaml",
            "strip/orders.yaml",
            "cookies/secure.yaml",
            "cors/preflight-is-not-forwarded.yaml",
            "cors/upstream-headers-dropped.yaml",
            "cors/reject.yaml",
            "limits/burst.yaml",
            "limits/ban.yaml",
        ],
    },
    Protection {
        name: "everything: `mode: report` at the top",
        off: |policy| {
            policy["mode"] = json!("report");
        },
        noticed_by: &[
            "request/hosts-unlisted-is-refused.yaml",
            "request/methods-unlisted-is-refused.yaml",
            "unmatched/method-unknown-is-refused.yaml",
            "headers/own-replies.yaml",
            "mode/off-changes-nothing.yaml",
            "https/redirect.yaml",
            "lines/repeated-origin.yaml",
            "path/encoded-slash.yaml",
            "sizes/body-chunks.yaml",
            "strip/orders.yaml",
            "cookies/secure.yaml",
            "cors/preflight-is-not-forwarded.yaml",
            "cors/upstream-headers-dropped.yaml",
            "cors/reject.yaml",
            "limits/burst.yaml",
            "limits/route-alone.yaml",
            "mode/limits-off-at-the-top.yaml",
        ],
    },
    Protection {
        name: "the 3 a.m. switch: `mode: enforce` at the top",
        off: |policy| {
            policy["mode"] = json!("enforce");
        },
        noticed_by: &[
            "mode/report-changes-nothing.yaml",
            "mode/report-logs-every-rule.yaml",
            "mode/off-changes-nothing.yaml",
            "mode/top-report-hygiene.yaml",
            "mode/cors-off-at-the-top.yaml",
            "mode/report-cors-at-the-top.yaml",
            "mode/report-limits-at-the-top.yaml",
            "mode/limits-off-at-the-top.yaml",
        ],
    },
    Protection {
        name: "request: `mode: off`",
        off: |policy| {
            section(policy, "request", |section| {
                section.insert("mode".into(), json!("off"));
            })
        },
        noticed_by: &[
            "request/hosts-unlisted-is-refused.yaml",
            "request/methods-unlisted-is-refused.yaml",
            "mode/section-report.yaml",
            "https/other-methods.yaml",
            "lines/control-bytes.yaml",
            "lines/length-and-chunks.yaml",
            "lines/joined-values.yaml",
            "path/bad-escapes.yaml",
            "path/raw-control.yaml",
            "path/double-encoding-hidden.yaml",
            "sizes/headers-default.yaml",
            "sizes/query-default.yaml",
            "strip/orders.yaml",
            "strip/claims-of-strangers.yaml",
            "strip/x-forwarded-for-rewritten.yaml",
            "mode/report-sizes.yaml",
        ],
    },
    Protection {
        name: "request: not there",
        off: |policy| {
            policy
                .as_object_mut()
                .map(|policy| policy.remove("request"));
        },
        noticed_by: &[
            "lines/repeated-authorization.yaml",
            "path/dot-segments.yaml",
            "path/encoded-nul.yaml",
            "sizes/form-before-host.yaml",
            "strip/orders-of-trusted-proxies.yaml",
            "strip/x-forwarded-proto-of-strangers.yaml",
        ],
    },
    Protection {
        name: "the modes of sections",
        off: |policy| {
            drop_key(policy, "request", "mode");
            drop_key(policy, "headers", "mode");
        },
        noticed_by: &[
            "mode/section-report.yaml",
            "mode/section-off.yaml",
            "mode/report-body-chunks.yaml",
            "mode/report-control-bytes.yaml",
            "mode/report-cookies.yaml",
            "mode/report-header-bytes.yaml",
            "mode/report-https.yaml",
            "mode/report-lines.yaml",
            "mode/report-paths.yaml",
            "mode/report-rewrites-nothing.yaml",
            "mode/report-sizes.yaml",
            "mode/report-strips-nothing.yaml",
            "mode/request-off-passes-all.yaml",
            "mode/report-around-cors.yaml",
        ],
    },
    Protection {
        name: "request.hosts",
        off: |policy| drop_key(policy, "request", "hosts"),
        noticed_by: &[
            "request/hosts-unlisted-is-refused.yaml",
            "request/hosts-lookalikes-are-refused.yaml",
            "request/hosts-malformed-is-refused.yaml",
            "request/hosts-port-case-dot.yaml",
            "request/hosts-wildcard.yaml",
            "request/host-before-method.yaml",
            "errors/problem.yaml",
        ],
    },
    Protection {
        name: "request.https",
        off: |policy| drop_key(policy, "request", "https"),
        noticed_by: &[
            "https/redirect.yaml",
            "https/redirect-301.yaml",
            "https/redirect-302.yaml",
            "https/redirect-307.yaml",
            "https/location-bytes.yaml",
            "https/location-host.yaml",
            "https/location-port.yaml",
            "https/other-methods.yaml",
            "https/preflight.yaml",
            "https/exempt-paths-are-narrow.yaml",
            "https/exempt-clients.yaml",
            "https/no-hsts-over-http.yaml",
            "https/scheme-of-strangers.yaml",
            "https/scheme-of-trusted-proxies.yaml",
            "https/scheme-in-forwarded.yaml",
            "https/no-redirect-to-a-host-that-is-none.yaml",
            "mode/report-https.yaml",
        ],
    },
    Protection {
        name: "the exemptions of request.https",
        off: |policy| {
            section(policy, "request", |section| {
                if let Some(https) = section.get_mut("https").and_then(Value::as_object_mut) {
                    https.remove("exempt");
                }
            })
        },
        noticed_by: &["https/exempt-paths.yaml", "https/exempt-clients.yaml"],
    },
    Protection {
        name: "request.max_headers",
        off: |policy| {
            section(policy, "request", |section| {
                section.insert("max_headers".into(), json!(10_000));
            })
        },
        noticed_by: &[
            "sizes/headers-too-many.yaml",
            "sizes/headers-boundary.yaml",
            "sizes/headers-default.yaml",
            "mode/report-sizes.yaml",
        ],
    },
    Protection {
        name: "request.max_header_bytes",
        off: |policy| {
            section(policy, "request", |section| {
                section.insert("max_header_bytes".into(), json!("1MiB"));
            })
        },
        noticed_by: &[
            "sizes/header-bytes.yaml",
            "sizes/header-bytes-boundary.yaml",
            "mode/report-header-bytes.yaml",
        ],
    },
    Protection {
        name: "request.max_path_bytes",
        off: |policy| {
            section(policy, "request", |section| {
                section.insert("max_path_bytes".into(), json!("1MiB"));
            })
        },
        noticed_by: &[
            "sizes/path-boundary.yaml",
            "sizes/form-before-host.yaml",
            "sizes/fastapi.yaml",
            "headers/own-replies-of-hygiene.yaml",
            "mode/report-sizes.yaml",
        ],
    },
    Protection {
        name: "request.max_query_params",
        off: |policy| {
            section(policy, "request", |section| {
                section.insert("max_query_params".into(), json!(100_000));
            })
        },
        noticed_by: &[
            "sizes/query-boundary.yaml",
            "sizes/query-parts.yaml",
            "sizes/query-none.yaml",
            "sizes/query-default.yaml",
            "mode/report-sizes.yaml",
        ],
    },
    Protection {
        name: "request.max_body_bytes",
        off: |policy| drop_key(policy, "request", "max_body_bytes"),
        noticed_by: &[
            "sizes/body-boundary.yaml",
            "sizes/body-chunks.yaml",
            "sizes/body-chunks-http2.yaml",
            "sizes/body-trailers.yaml",
            "sizes/body-announced.yaml",
            "sizes/body-of-any-method.yaml",
            "errors/grpc-body.yaml",
            "headers/own-replies-in-a-body.yaml",
            "mode/report-body-chunks.yaml",
            "mode/report-sizes.yaml",
        ],
    },
    Protection {
        name: "request.ambiguous",
        off: |policy| {
            section(policy, "request", |section| {
                section.insert("ambiguous".into(), json!("allow"));
            })
        },
        noticed_by: &[
            "path/dot-segments.yaml",
            "path/encoded-slash.yaml",
            "path/backslash.yaml",
            "path/semicolon.yaml",
            "path/double-encoding.yaml",
            "path/double-encoding-hidden.yaml",
            "path/http2.yaml",
            "path/before-routes.yaml",
            "mode/report-paths.yaml",
        ],
    },
    Protection {
        name: "request.strip",
        off: |policy| drop_key(policy, "request", "strip"),
        noticed_by: &[
            "strip/listed.yaml",
            "strip/forwarded-for-listed.yaml",
            "strip/orders-of-trusted-proxies.yaml",
        ],
    },
    Protection {
        name: "request.methods",
        off: |policy| {
            section(policy, "request", |section| {
                let all = [
                    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND",
                ];
                section.insert("methods".into(), json!(all));
            })
        },
        noticed_by: &[
            "request/methods-unlisted-is-refused.yaml",
            "request/methods-default.yaml",
            "request/methods-preflight.yaml",
            "request/methods-options.yaml",
            "request/methods-head-unlisted-is-refused.yaml",
        ],
    },
    Protection {
        name: "unmatched",
        off: |policy| {
            if policy.get("unmatched").is_some() {
                policy["unmatched"] = json!("allow");
            }
        },
        noticed_by: &[
            "unmatched/path-unknown-is-refused.yaml",
            "unmatched/method-unknown-is-refused.yaml",
            "unmatched/head-goes-with-get.yaml",
            "unmatched/template.yaml",
            "unmatched/tail.yaml",
            "unmatched/host.yaml",
            "unmatched/preflight.yaml",
            "unmatched/spellings-do-not-escape.yaml",
        ],
    },
    Protection {
        name: "the methods of routes",
        off: |policy| {
            routes(policy, |route| {
                route.remove("methods");
            });
        },
        noticed_by: &[
            "unmatched/method-unknown-is-refused.yaml",
            "unmatched/spellings-do-not-escape.yaml",
        ],
    },
    Protection {
        name: "the hosts of routes",
        off: |policy| {
            routes(policy, |route| {
                route.remove("hosts");
            });
        },
        noticed_by: &["unmatched/host.yaml"],
    },
    Protection {
        name: "the modes of routes",
        off: |policy| {
            routes(policy, |route| {
                route.remove("mode");
            });
        },
        noticed_by: &[
            "mode/route-off.yaml",
            "mode/route-off-cors.yaml",
            "mode/route-report-cors.yaml",
            "mode/route-off-limits.yaml",
            "mode/route-report-limits.yaml",
            "mode/limit-modes-of-one-definition.yaml",
        ],
    },
    Protection {
        name: "the headers of routes",
        off: |policy| {
            routes(policy, |route| {
                route.remove("headers");
            });
        },
        noticed_by: &[
            "headers/route-merge-patch.yaml",
            "headers/own-replies-of-a-route.yaml",
            "headers/route-without-a-shared-section.yaml",
        ],
    },
    Protection {
        name: "headers",
        off: |policy| {
            policy
                .as_object_mut()
                .map(|policy| policy.remove("headers"));
        },
        noticed_by: &[
            "headers/preset-api.yaml",
            "headers/preset-default.yaml",
            "headers/preset-html.yaml",
            "headers/upstream-errors.yaml",
            "headers/no-body-statuses.yaml",
            "headers/own-replies.yaml",
            "headers/leaks-are-removed.yaml",
            "headers/duplicates-become-one-line.yaml",
            "headers/hsts-on-https-only.yaml",
            "limits/answer-has-security-headers.yaml",
        ],
    },
    Protection {
        name: "headers.preset",
        off: |policy| {
            section(policy, "headers", |section| {
                section.insert("preset".into(), json!("none"));
            })
        },
        noticed_by: &[
            "headers/preset-api.yaml",
            "headers/preset-html.yaml",
            "headers/upstream-values-replaced.yaml",
            "headers/leaks-are-removed.yaml",
            "headers/hsts-on-https-only.yaml",
        ],
    },
    Protection {
        name: "headers.set",
        off: |policy| drop_key(policy, "headers", "set"),
        noticed_by: &[
            "headers/set-and-default.yaml",
            "headers/own-replies.yaml",
            "headers/preset-none.yaml",
            "headers/route-merge-patch.yaml",
        ],
    },
    Protection {
        name: "headers.default",
        off: |policy| drop_key(policy, "headers", "default"),
        noticed_by: &["headers/set-and-default.yaml"],
    },
    Protection {
        name: "headers.remove",
        off: |policy| drop_key(policy, "headers", "remove"),
        noticed_by: &[
            "headers/remove.yaml",
            "headers/remove-drops-a-preset-header.yaml",
        ],
    },
    Protection {
        name: "headers.cookies",
        off: |policy| drop_key(policy, "headers", "cookies"),
        noticed_by: &[
            "cookies/secure.yaml",
            "cookies/http-only.yaml",
            "cookies/same-site-lax.yaml",
            "cookies/same-site-strict.yaml",
            "cookies/same-site-none.yaml",
            "cookies/upstream-same-site-none.yaml",
            "cookies/attributes-once.yaml",
            "cookies/values-are-no-attributes.yaml",
            "cookies/readable.yaml",
            "cookies/deletion.yaml",
            "cookies/dates.yaml",
            "cookies/several-lines.yaml",
            "cookies/prefixes.yaml",
            "cookies/trailing-semicolon.yaml",
            "cookies/bytes-pass.yaml",
            "cookies/route.yaml",
            "cookies/upstream-errors.yaml",
        ],
    },
    Protection {
        name: "the readable cookies",
        off: |policy| {
            section(policy, "headers", |section| {
                if let Some(cookies) = section.get_mut("cookies").and_then(Value::as_object_mut) {
                    cookies.remove("readable");
                }
            })
        },
        noticed_by: &["cookies/readable.yaml"],
    },
    Protection {
        name: "cors: not there",
        off: |policy| {
            policy.as_object_mut().map(|policy| policy.remove("cors"));
            routes(policy, |route| {
                route.remove("cors");
            });
        },
        noticed_by: &[
            "cors/preflight-granted.yaml",
            "cors/preflight-refused.yaml",
            "cors/preflight-is-not-forwarded.yaml",
            "cors/preflight-before-https.yaml",
            "cors/preflight-before-unmatched.yaml",
            "cors/simple-request.yaml",
            "cors/strip-forwards.yaml",
            "cors/no-origin.yaml",
            "cors/any-origin.yaml",
            "cors/vary-merged.yaml",
            "cors/vary-of-304.yaml",
            "cors/upstream-headers-dropped.yaml",
            "cors/upstream-headers-replaced.yaml",
            "cors/refusals-are-readable.yaml",
            "cors/refusals-within-a-body.yaml",
            "cors/reject-websockets.yaml",
            "cors/route-alone.yaml",
            "cors/http2.yaml",
            "mode/report-cors.yaml",
        ],
    },
    Protection {
        name: "cors: `mode: off`",
        off: |policy| {
            cors(policy, |cors| {
                cors.insert("mode".into(), json!("off"));
            })
        },
        noticed_by: &[
            "cors/preflight-is-not-forwarded.yaml",
            "cors/upstream-headers-dropped.yaml",
            "cors/vary-on-every-answer.yaml",
            "cors/headers-remove-vary.yaml",
            "cors/reject.yaml",
            "mode/report-around-cors.yaml",
            "mode/report-cors.yaml",
        ],
    },
    Protection {
        name: "cors: `mode: report`",
        off: |policy| {
            cors(policy, |cors| {
                cors.insert("mode".into(), json!("report"));
            })
        },
        noticed_by: &[
            "cors/preflight-granted.yaml",
            "cors/preflight-refused.yaml",
            "cors/upstream-headers-any-case.yaml",
            "cors/any-origin-upstream-replaced.yaml",
            "cors/refusals-are-readable.yaml",
            "cors/reject.yaml",
            "mode/cors-off.yaml",
        ],
    },
    Protection {
        name: "the mode of cors",
        off: |policy| {
            cors(policy, |cors| {
                cors.remove("mode");
            })
        },
        noticed_by: &[
            "cors/route-without-cors.yaml",
            "mode/cors-off.yaml",
            "mode/report-cors.yaml",
            "mode/report-cors-preflights-as-asked.yaml",
            "mode/report-cors-writes-on-no-refusal.yaml",
            "mode/route-report-cors.yaml",
        ],
    },
    Protection {
        name: "cors.origins: everybody",
        off: |policy| {
            cors(policy, |cors| {
                cors.insert("origins".into(), json!(["*"]));
                cors.remove("credentials");
            })
        },
        noticed_by: &[
            "cors/preflight-refused.yaml",
            "cors/preflight-with-an-empty-origin.yaml",
            "cors/origin-exact.yaml",
            "cors/origin-lists-match-nothing.yaml",
            "cors/origin-on-two-lines.yaml",
            "cors/origin-length.yaml",
            "cors/pattern-subdomains.yaml",
            "cors/pattern-ports.yaml",
            "cors/pattern-schemes.yaml",
            "cors/null-is-never-allowed.yaml",
            "cors/refusals-tell-strangers-nothing.yaml",
            "cors/refusals-of-nobody.yaml",
            "cors/upstream-headers-dropped.yaml",
            "cors/vary-on-every-answer.yaml",
            "cors/vary-merged.yaml",
            "cors/headers-set-vary.yaml",
            "cors/no-echo-of-control-bytes.yaml",
            "cors/reject.yaml",
            "cors/reject-near-misses.yaml",
        ],
    },
    Protection {
        name: "cors.methods: all",
        off: |policy| {
            cors(policy, |cors| {
                cors.insert("methods".into(), json!(["*"]));
            })
        },
        noticed_by: &[
            "cors/methods-are-bytes.yaml",
            "cors/preflight-of-safelisted-methods.yaml",
            "cors/preflight-refused-without-lists.yaml",
            "cors/preflight-steps-in-order.yaml",
            "cors/debug-names-the-step.yaml",
            "cors/route-merge-patch.yaml",
        ],
    },
    Protection {
        name: "cors.request_headers: all",
        off: |policy| {
            cors(policy, |cors| {
                cors.insert("request_headers".into(), json!(["*", "authorization"]));
            })
        },
        noticed_by: &[
            "cors/request-headers-near-misses.yaml",
            "cors/request-headers-long-name.yaml",
            "cors/request-headers-any.yaml",
            "cors/request-headers-any-with-credentials.yaml",
            "cors/any-origin-any-header.yaml",
            "cors/preflight-refused-without-lists.yaml",
            "cors/preflight-steps-in-order.yaml",
        ],
    },
    Protection {
        name: "cors.credentials",
        off: |policy| {
            cors(policy, |cors| {
                cors.remove("credentials");
            })
        },
        noticed_by: &[
            "cors/credentials.yaml",
            "cors/methods-any-with-credentials.yaml",
            "cors/vary-of-304.yaml",
            "cors/refusals-are-readable.yaml",
            "cors/http2.yaml",
        ],
    },
    Protection {
        name: "cors.credentials to all that are listed",
        off: |policy| {
            section(policy, "cors", |cors| {
                if cors.get("origins") != Some(&json!(["*"]))
                    && !cors.contains_key("expose_headers")
                {
                    cors.insert("credentials".into(), json!(true));
                    cors.insert("dangerously_allow_insecure_origins".into(), json!(true));
                }
            })
        },
        noticed_by: &["cors/no-credentials.yaml", "cors/simple-request.yaml"],
    },
    Protection {
        name: "cors.expose_headers",
        off: |policy| {
            cors(policy, |cors| {
                cors.remove("expose_headers");
            })
        },
        noticed_by: &[
            "cors/expose-headers.yaml",
            "cors/expose-any.yaml",
            "cors/refusals-are-readable.yaml",
            "cors/refusals-within-a-body.yaml",
        ],
    },
    Protection {
        name: "cors.max_age",
        off: |policy| {
            cors(policy, |cors| {
                cors.remove("max_age");
            })
        },
        noticed_by: &[
            "cors/max-age-seconds.yaml",
            "cors/max-age-duration.yaml",
            "cors/max-age-disabled.yaml",
            "cors/max-age-zero.yaml",
            "cors/preflight-granted.yaml",
        ],
    },
    Protection {
        name: "cors.preflight_status",
        off: |policy| {
            cors(policy, |cors| {
                cors.remove("preflight_status");
            })
        },
        noticed_by: &[
            "cors/preflight-status-200.yaml",
            "cors/preflight-status-299.yaml",
        ],
    },
    Protection {
        name: "cors.on_disallowed",
        off: |policy| {
            cors(policy, |cors| {
                cors.remove("on_disallowed");
            })
        },
        noticed_by: &[
            "cors/reject.yaml",
            "cors/reject-near-misses.yaml",
            "cors/reject-same-origin.yaml",
            "cors/reject-same-origin-https.yaml",
            "cors/reject-same-origin-behind-a-proxy.yaml",
            "cors/reject-null-of-own-pages.yaml",
            "cors/reject-websockets.yaml",
            "cors/reject-in-order.yaml",
            "cors/reject-grpc.yaml",
            "cors/route-merge-patch.yaml",
            "cors/http2.yaml",
            "mode/report-cors.yaml",
            "mode/report-around-cors.yaml",
        ],
    },
    Protection {
        name: "cors.on_disallowed: reject, where it is not asked for",
        off: |policy| {
            cors(policy, |cors| {
                cors.insert("on_disallowed".into(), json!("reject"));
            })
        },
        noticed_by: &[
            "cors/strip-forwards.yaml",
            "cors/origin-reaches-the-upstream.yaml",
            "cors/null-is-never-allowed.yaml",
        ],
    },
    Protection {
        name: "cors.debug",
        off: |policy| {
            cors(policy, |cors| {
                cors.remove("debug");
            })
        },
        noticed_by: &["cors/debug-names-the-step.yaml"],
    },
    Protection {
        name: "cors.debug, where it is not asked for",
        off: |policy| {
            cors(policy, |cors| {
                cors.insert("debug".into(), json!(true));
            })
        },
        noticed_by: &[
            "cors/preflight-refused.yaml",
            "cors/preflight-fastapi.yaml",
            "cors/any-origin-preflights.yaml",
        ],
    },
    Protection {
        name: "the cors of routes",
        off: |policy| {
            routes(policy, |route| {
                route.remove("cors");
            });
        },
        noticed_by: &[
            "cors/route-any-origin.yaml",
            "cors/route-merge-patch.yaml",
            "cors/route-without-cors.yaml",
            "cors/route-alone.yaml",
            "cors/route-of-the-asked-method.yaml",
            "cors/route-of-a-refusal.yaml",
            "mode/route-report-cors.yaml",
        ],
    },
    Protection {
        name: "errors.format",
        off: |policy| {
            policy.as_object_mut().map(|policy| policy.remove("errors"));
        },
        noticed_by: &["errors/fastapi.yaml", "limits/answer-fastapi.yaml"],
    },
    Protection {
        name: "client.trusted_proxies: nobody",
        off: |policy| drop_key(policy, "client", "trusted_proxies"),
        noticed_by: &[
            "client/trusted-proxies.yaml",
            "client/all-trusted.yaml",
            "client/forwarded.yaml",
            "client/garbage.yaml",
            "client/mapped.yaml",
            "client/named-header.yaml",
            "client/ports.yaml",
            "client/several-lines.yaml",
            "client/zones.yaml",
            "headers/hsts-behind-a-proxy.yaml",
            "https/scheme-of-trusted-proxies.yaml",
            "strip/claims-of-trusted-proxies.yaml",
            "cors/reject-same-origin-behind-a-proxy.yaml",
            "client/xff-one-hop.yaml",
            "client/xff-leftmost.yaml",
            "client/xff-whole-header.yaml",
            "client/xff-garbage.yaml",
            "client/xff-mapped-peer.yaml",
            "client/xff-forwarded-quotes.yaml",
            "client/xff-two-hundred-hops.yaml",
        ],
    },
    Protection {
        name: "client.forwarded",
        off: |policy| drop_key(policy, "client", "forwarded"),
        noticed_by: &[
            "client/forwarded.yaml",
            "client/named-header.yaml",
            "https/scheme-in-forwarded.yaml",
            "client/xff-in-forwarded-mode.yaml",
            "client/xff-forwarded-leftmost.yaml",
            "client/xff-forwarded-nobody.yaml",
            "client/xff-named-header.yaml",
        ],
    },
    Protection {
        name: "client.trusted_proxies: everybody",
        off: |policy| {
            policy["client"] = json!({"trusted_proxies": ["0.0.0.0/0", "::/0"]});
        },
        noticed_by: &[
            "client/spoofed-headers-are-ignored.yaml",
            "client/untrusted-peer.yaml",
            "headers/hsts-behind-a-proxy.yaml",
            "https/scheme-of-strangers.yaml",
            "strip/claims-of-strangers.yaml",
            "strip/x-forwarded-for-rewritten.yaml",
            "strip/x-forwarded-proto-of-strangers.yaml",
            "cors/reject-same-origin-behind-a-proxy.yaml",
            "limits/spoofed-headers-choose-no-bucket.yaml",
            "client/xff-no-proxies.yaml",
            "client/xff-untrusted-peer.yaml",
            "client/xff-untrusted-names-a-proxy.yaml",
            "client/xff-leftmost.yaml",
            "client/xff-first-line.yaml",
        ],
    },
];

#[test]
fn with_each_protection_off_scenarios_go_red() {
    let corpus = corpus();
    let module = Module::embedded().unwrap();
    for protection in PROTECTIONS
        .iter()
        .chain(limits::LIMITS)
        .chain(validate::VALIDATE)
    {
        let mut red = Vec::new();
        for (name, scenario) in &corpus.scenarios {
            let mut weaker = scenario.clone();
            (protection.off)(&mut weaker.policy);
            if weaker.policy == scenario.policy {
                continue;
            }
            let mut target = target(&module, &weaker)
                .unwrap_or_else(|error| panic!("{name} without {}: {error:#}", protection.name));
            if run(&weaker, &mut target).verdict == Verdict::Failed {
                red.push(name.as_str());
            }
        }
        println!("{}: {} scenarios go red", protection.name, red.len());
        for name in protection.noticed_by {
            assert!(
                red.contains(name),
                "{name} does not notice that {} is off",
                protection.name
            );
        }
    }
}
