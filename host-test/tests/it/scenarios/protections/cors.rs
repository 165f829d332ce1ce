//! What `cors` lets pages do.

use serde_json::{Value, json};

use super::{Protection, routes, section};

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

pub(super) const CORS: &[Protection] = &[
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
];
