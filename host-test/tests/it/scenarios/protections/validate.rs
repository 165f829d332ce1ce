//! What routes validate, each part switched off or bent.

use serde_json::{Map, Value, json};

use super::{Protection, routes};

type Members = Map<String, Value>;

/// Every `validate`.
fn validates(policy: &mut Value, change: impl Fn(&mut Members)) {
    routes(policy, |route| {
        route
            .get_mut("validate")
            .and_then(Value::as_object_mut)
            .map(&change);
    });
}

fn set(policy: &mut Value, key: &str, value: &Value) {
    validates(policy, |validate| {
        validate.insert(key.into(), value.clone());
    });
}

fn remove(policy: &mut Value, key: &str) {
    validates(policy, |validate| {
        validate.remove(key);
    });
}

/// Every `validate.body`.
fn bodies(policy: &mut Value, change: impl Fn(&mut Members)) {
    validates(policy, |validate| {
        validate
            .get_mut("body")
            .and_then(Value::as_object_mut)
            .map(&change);
    });
}

fn set_of_body(policy: &mut Value, key: &str, value: &Value) {
    bodies(policy, |body| {
        body.insert(key.into(), value.clone());
    });
}

fn remove_of_body(policy: &mut Value, key: &str) {
    bodies(policy, |body| {
        body.remove(key);
    });
}

pub(super) const VALIDATE: &[Protection] = &[
    Protection {
        name: "validate: not there",
        off: |policy| {
            routes(policy, |route| {
                route.remove("validate");
            });
        },
        noticed_by: &[
            "validate/all-places-at-once.yaml",
            "validate/chunks.yaml",
            "validate/content-type-alone.yaml",
            "validate/head.yaml",
            "validate/http2.yaml",
            "validate/limit-alone.yaml",
            "validate/normalize-alone.yaml",
            "validate/preflight.yaml",
            "validate/report.yaml",
            "validate/security-headers.yaml",
            "validate/trailers.yaml",
        ],
    },
    Protection {
        name: "validate: `mode: report`",
        off: |policy| set(policy, "mode", &json!("report")),
        noticed_by: &[
            "validate/all-places-at-once.yaml",
            "validate/content-type-default.yaml",
            "validate/encodings-gzip.yaml",
            "validate/limit-bytes.yaml",
            "validate/normalize.yaml",
            "validate/not-utf-8.yaml",
            "validate/query-required.yaml",
        ],
    },
    Protection {
        name: "validate: `mode: off`",
        off: |policy| set(policy, "mode", &json!("off")),
        noticed_by: &[
            "validate/body-required.yaml",
            "validate/mode-of-the-policy.yaml",
            "validate/mode-of-the-route.yaml",
            "validate/report.yaml",
        ],
    },
    Protection {
        name: "validate: the mode of it",
        off: |policy| remove(policy, "mode"),
        noticed_by: &[
            "validate/mode-report-under-enforce.yaml",
            "validate/off.yaml",
            "validate/report.yaml",
            "validate/report-past-the-limit.yaml",
        ],
    },
    Protection {
        name: "validate: the modes around it",
        off: |policy| {
            if policy.pointer("/routes/0/validate").is_some() {
                policy["mode"] = json!("enforce");
                routes(policy, |route| {
                    route.insert("mode".into(), json!("enforce"));
                });
            }
        },
        noticed_by: &[
            "validate/mode-of-the-policy.yaml",
            "validate/mode-of-the-route.yaml",
            "validate/mode-off-of-the-policy.yaml",
            "validate/mode-off-of-the-route.yaml",
        ],
    },
    Protection {
        name: "strictness: as the schema says",
        off: |policy| remove(policy, "strictness"),
        noticed_by: &[
            "validate/form-pydantic.yaml",
            "validate/lax-bodies-pydantic.yaml",
            "validate/lax-query-pydantic.yaml",
        ],
    },
    Protection {
        name: "strictness: pydantic",
        off: |policy| set(policy, "strictness", &json!("pydantic")),
        noticed_by: &[
            "validate/form.yaml",
            "validate/headers.yaml",
            "validate/lax-bodies.yaml",
            "validate/lax-query.yaml",
            "validate/path-parameters.yaml",
        ],
    },
    Protection {
        name: "parameters in paths",
        off: |policy| remove(policy, "path"),
        noticed_by: &[
            "validate/all-places-at-once.yaml",
            "validate/path-parameters.yaml",
            "validate/path-segments.yaml",
        ],
    },
    Protection {
        name: "parameters in queries",
        off: |policy| remove(policy, "query"),
        noticed_by: &[
            "validate/all-places-at-once.yaml",
            "validate/head.yaml",
            "validate/headers-before-the-body.yaml",
            "validate/query-arrays.yaml",
            "validate/query-encoding.yaml",
            "validate/query-null-and-empty.yaml",
            "validate/query-objects.yaml",
            "validate/query-objects-exploded.yaml",
            "validate/query-required.yaml",
            "validate/query-unknown-rejected.yaml",
            "validate/repeated-scalars.yaml",
        ],
    },
    Protection {
        name: "parameters in headers",
        off: |policy| remove(policy, "headers"),
        noticed_by: &[
            "validate/all-places-at-once.yaml",
            "validate/headers.yaml",
            "validate/headers-bytes.yaml",
            "validate/headers-lists.yaml",
        ],
    },
    Protection {
        name: "parameters in cookies",
        off: |policy| remove(policy, "cookies"),
        noticed_by: &[
            "validate/all-places-at-once.yaml",
            "validate/cookies.yaml",
            "validate/repeated-scalars-pydantic.yaml",
        ],
    },
    Protection {
        name: "parameters that are required",
        off: |policy| {
            validates(policy, |validate| {
                for place in ["query", "headers", "cookies"] {
                    let parameters = validate.get_mut(place).and_then(Value::as_object_mut);
                    for parameter in parameters.into_iter().flat_map(Map::values_mut) {
                        parameter["required"] = json!(false);
                    }
                }
            });
        },
        noticed_by: &[
            "validate/cookies.yaml",
            "validate/headers.yaml",
            "validate/query-required.yaml",
        ],
    },
    Protection {
        name: "unknown_query: allow",
        off: |policy| remove(policy, "unknown_query"),
        noticed_by: &["validate/query-unknown-rejected.yaml"],
    },
    Protection {
        name: "unknown_query: reject",
        off: |policy| set(policy, "unknown_query", &json!("reject")),
        noticed_by: &[
            "validate/query-unknown-allowed.yaml",
            "validate/repeated-scalars.yaml",
        ],
    },
    Protection {
        name: "body: not there",
        off: |policy| remove(policy, "body"),
        noticed_by: &[
            "validate/any-method.yaml",
            "validate/chunks.yaml",
            "validate/content-type-alone.yaml",
            "validate/limit-alone.yaml",
            "validate/multipart.yaml",
            "validate/nesting.yaml",
            "validate/normalize-form.yaml",
            "validate/trailers.yaml",
        ],
    },
    Protection {
        name: "body.schema: whatever can be read",
        off: |policy| {
            bodies(policy, |body| {
                if body.contains_key("schema") {
                    body.insert("schema".into(), json!(true));
                }
            });
        },
        noticed_by: &[
            "validate/big-integers.yaml",
            "validate/characters-not-bytes.yaml",
            "validate/draft-07.yaml",
            "validate/errors-several.yaml",
            "validate/form.yaml",
            "validate/formats.yaml",
            "validate/integer-formats.yaml",
            "validate/keywords.yaml",
            "validate/lax-bodies.yaml",
            "validate/multipart.yaml",
            "validate/own-definitions.yaml",
        ],
    },
    Protection {
        name: "schemas: each takes everything",
        off: |policy| {
            let named = policy.get_mut("schemas").and_then(Value::as_object_mut);
            for schema in named.into_iter().flat_map(Map::values_mut) {
                *schema = json!(true);
            }
        },
        noticed_by: &["validate/named-schemas.yaml"],
    },
    Protection {
        name: "body.required",
        off: |policy| set_of_body(policy, "required", &json!(false)),
        noticed_by: &["validate/body-required.yaml", "validate/http2.yaml"],
    },
    Protection {
        name: "body.content_types: everything that can be read",
        off: |policy| {
            // Parts cannot be changed.
            let masks = policy.to_string().contains(r#""action":"mask""#);
            bodies(policy, |body| {
                let mut all = vec!["application/*", "text/*", "+json"];
                if !body.contains_key("normalize") && !masks {
                    all.push("multipart/*");
                }
                body.insert("content_types".into(), json!(all));
            });
        },
        noticed_by: &[
            "validate/content-type-alone.yaml",
            "validate/content-type-default.yaml",
            "validate/content-type-patterns.yaml",
            "validate/content-type-text.yaml",
            "validate/form.yaml",
        ],
    },
    Protection {
        name: "body.max_bytes: as good as none",
        off: |policy| {
            set_of_body(policy, "max_bytes", &json!("64MiB"));
            set_of_body(policy, "max_string_bytes", &json!("64MiB"));
        },
        noticed_by: &[
            "validate/encodings-bomb.yaml",
            "validate/limit-alone.yaml",
            "validate/limit-bytes.yaml",
            "validate/limit-bytes-default.yaml",
            "validate/limit-strings.yaml",
            "validate/limit-under-the-shared.yaml",
        ],
    },
    Protection {
        name: "body: the other limits, at their defaults",
        off: |policy| {
            for limit in [
                "max_depth",
                "max_keys",
                "max_items",
                "max_nodes",
                "max_string_bytes",
            ] {
                remove_of_body(policy, limit);
            }
        },
        noticed_by: &[
            "validate/form-limits.yaml",
            "validate/limit-depth.yaml",
            "validate/limit-items.yaml",
            "validate/limit-keys.yaml",
            "validate/limit-nodes.yaml",
            "validate/limit-strings.yaml",
            "validate/multipart-limits.yaml",
        ],
    },
    Protection {
        name: "body.duplicate_keys: allow",
        off: |policy| set_of_body(policy, "duplicate_keys", &json!("allow")),
        noticed_by: &[
            "validate/duplicate-keys.yaml",
            "validate/encodings-gzip.yaml",
            "validate/report.yaml",
        ],
    },
    Protection {
        name: "body.duplicate_keys: reject",
        off: |policy| remove_of_body(policy, "duplicate_keys"),
        noticed_by: &["validate/duplicate-keys-allowed.yaml"],
    },
    Protection {
        name: "body.encodings: all",
        off: |policy| set_of_body(policy, "encodings", &json!(["gzip", "deflate"])),
        noticed_by: &[
            "validate/encodings-gzip.yaml",
            "validate/encodings-refused.yaml",
        ],
    },
    Protection {
        name: "body.encodings: none",
        off: |policy| remove_of_body(policy, "encodings"),
        noticed_by: &[
            "validate/encodings-bomb.yaml",
            "validate/encodings-broken.yaml",
            "validate/encodings-deflate.yaml",
            "validate/encodings-gzip.yaml",
        ],
    },
    Protection {
        name: "body.normalize",
        off: |policy| remove_of_body(policy, "normalize"),
        noticed_by: &[
            "validate/normalize.yaml",
            "validate/normalize-alone.yaml",
            "validate/normalize-drops-digests.yaml",
            "validate/normalize-form.yaml",
            "validate/normalize-grows.yaml",
        ],
    },
];
