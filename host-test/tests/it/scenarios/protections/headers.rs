//! What `headers` writes.

use serde_json::{Value, json};

use super::{Protection, drop_key, routes, section};

pub(super) const HEADERS: &[Protection] = &[
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
];
