//! What `request` and `unmatched` refuse, and what routes match.

use serde_json::{Value, json};

use super::{Protection, drop_key, routes, section};

pub(super) const REQUEST: &[Protection] = &[
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
];
