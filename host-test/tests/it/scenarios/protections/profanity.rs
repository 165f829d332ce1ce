//! What routes look for, each part switched off or bent.

use serde_json::{Map, Value, json};

use super::{Protection, routes};

/// The shared `profanity` and every route's.
fn profanities(policy: &mut Value, change: impl Fn(&mut Map<String, Value>)) {
    policy
        .get_mut("profanity")
        .and_then(Value::as_object_mut)
        .map(&change);
    on_routes(policy, change);
}

fn on_routes(policy: &mut Value, change: impl Fn(&mut Map<String, Value>)) {
    routes(policy, |route| {
        route
            .get_mut("profanity")
            .and_then(Value::as_object_mut)
            .map(&change);
    });
}

/// Has every route that says anything of profanity say this of it.
fn set(policy: &mut Value, key: &str, value: &Value) {
    on_routes(policy, |profanity| {
        profanity.insert(key.into(), value.clone());
    });
}

fn remove(policy: &mut Value, key: &str) {
    profanities(policy, |profanity| {
        profanity.remove(key);
    });
}

pub(super) const PROFANITY: &[Protection] = &[
    Protection {
        name: "profanity: not there",
        off: |policy| {
            routes(policy, |route| {
                route.remove("profanity");
            });
        },
        noticed_by: &[
            "profanity/body-unread.yaml",
            "profanity/chunks.yaml",
            "profanity/fields-all.yaml",
            "profanity/mask.yaml",
            "profanity/modes.yaml",
            "profanity/places-at-once.yaml",
            "profanity/report.yaml",
            "profanity/tag.yaml",
            "profanity/tag-clients-own.yaml",
            "profanity/trailers.yaml",
        ],
    },
    Protection {
        name: "profanity: `mode: report`",
        off: |policy| set(policy, "mode", &json!("report")),
        noticed_by: &[
            "profanity/body-unread.yaml",
            "profanity/errors-problem.yaml",
            "profanity/mask.yaml",
            "profanity/modes.yaml",
            "profanity/off.yaml",
            "profanity/query-no-text.yaml",
            "profanity/tag-clients-own.yaml",
        ],
    },
    Protection {
        name: "profanity: `mode: off`",
        off: |policy| set(policy, "mode", &json!("off")),
        noticed_by: &[
            "profanity/body-unread.yaml",
            "profanity/mask-form.yaml",
            "profanity/mode-of-the-policy.yaml",
            "profanity/query.yaml",
            "profanity/report.yaml",
            "profanity/tag-parameters.yaml",
        ],
    },
    Protection {
        name: "profanity: the mode of it",
        off: |policy| remove(policy, "mode"),
        noticed_by: &[
            "profanity/mode-of-the-route.yaml",
            "profanity/modes.yaml",
            "profanity/off.yaml",
            "profanity/report.yaml",
        ],
    },
    Protection {
        name: "profanity: the modes around it",
        off: |policy| {
            if policy.pointer("/routes/0/profanity").is_some() {
                policy["mode"] = json!("enforce");
                routes(policy, |route| {
                    route.insert("mode".into(), json!("enforce"));
                });
            }
        },
        noticed_by: &[
            "profanity/mode-of-the-policy.yaml",
            "profanity/mode-of-the-route.yaml",
            "profanity/mode-off-of-the-policy.yaml",
        ],
    },
    Protection {
        name: "profanity: reject in place of what is written",
        off: |policy| set(policy, "action", &json!("reject")),
        noticed_by: &[
            "profanity/mask.yaml",
            "profanity/mask-escapes.yaml",
            "profanity/merge-patch.yaml",
            "profanity/mode-of-the-policy.yaml",
            "profanity/report.yaml",
            "profanity/tag.yaml",
            "profanity/tag-clients-own-hygiene.yaml",
        ],
    },
    Protection {
        name: "profanity: tag in place of what is written",
        off: |policy| set(policy, "action", &json!("tag")),
        noticed_by: &[
            "profanity/errors-problem.yaml",
            "profanity/fields-pointer.yaml",
            "profanity/headers.yaml",
            "profanity/mask.yaml",
            "profanity/mask-meets-a-schema.yaml",
            "profanity/path.yaml",
            "profanity/query.yaml",
        ],
    },
    Protection {
        name: "profanity: no words of the operator's",
        off: |policy| remove(policy, "words"),
        noticed_by: &[
            "profanity/allow.yaml",
            "profanity/merge-patch.yaml",
            "profanity/reload.yaml",
            "profanity/threshold.yaml",
            "profanity/two-lists.yaml",
        ],
    },
    Protection {
        name: "profanity: all words everywhere",
        off: |policy| set(policy, "words", &json!(["grobnik", "flarnix", "quabzor"])),
        noticed_by: &[
            "profanity/merge-patch.yaml",
            "profanity/reload.yaml",
            "profanity/two-lists.yaml",
        ],
    },
    Protection {
        name: "profanity: nothing is allowed",
        off: |policy| remove(policy, "allow"),
        noticed_by: &["profanity/allow.yaml", "profanity/merge-patch.yaml"],
    },
    Protection {
        name: "profanity: bodies",
        off: |policy| {
            on_routes(policy, |profanity| {
                profanity.remove("fields");
                // Something is looked at, or it would be no more than a warning.
                profanity.entry("headers").or_insert(json!(["x-unused"]));
                if profanity.get("action") == Some(&json!("mask")) {
                    profanity.remove("action");
                }
            });
        },
        noticed_by: &[
            "profanity/body-limits.yaml",
            "profanity/body-unread.yaml",
            "profanity/fields-below.yaml",
            "profanity/fields-star.yaml",
            "profanity/form.yaml",
            "profanity/large.yaml",
            "profanity/multipart.yaml",
            "profanity/text.yaml",
        ],
    },
    Protection {
        name: "profanity: every string of a body",
        off: |policy| {
            on_routes(policy, |profanity| {
                if profanity.contains_key("fields") {
                    profanity.insert("fields".into(), json!("all"));
                }
            });
        },
        noticed_by: &[
            "profanity/fields-named-url.yaml",
            "profanity/fields-pointer.yaml",
            "profanity/fields-star.yaml",
            "profanity/form.yaml",
            "profanity/mask.yaml",
            "profanity/multipart.yaml",
        ],
    },
    Protection {
        name: "profanity: queries",
        off: |policy| remove(policy, "query"),
        noticed_by: &[
            "profanity/errors-grpc.yaml",
            "profanity/places-at-once.yaml",
            "profanity/query.yaml",
            "profanity/query-no-text.yaml",
            "profanity/tag-clients-own.yaml",
        ],
    },
    Protection {
        name: "profanity: paths",
        off: |policy| remove(policy, "path"),
        noticed_by: &[
            "profanity/errors-never-the-word.yaml",
            "profanity/path.yaml",
            "profanity/places-at-once.yaml",
            "profanity/tag-parameters.yaml",
        ],
    },
    Protection {
        name: "profanity: headers",
        off: |policy| remove(policy, "headers"),
        noticed_by: &[
            "profanity/errors-grpc.yaml",
            "profanity/headers.yaml",
            "profanity/places-at-once.yaml",
        ],
    },
];
