//! Whole sections, and the modes that switch them.

use serde_json::json;

use super::{Protection, drop_key, section};

pub(super) const MODES: &[Protection] = &[
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
];
