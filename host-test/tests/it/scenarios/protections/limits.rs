//! Rate limits and who they count, each part switched off or bent.

use serde_json::{Map, Value, json};

use super::{Protection, routes};

type Members = Map<String, Value>;

/// Every limit, shared or on a route.
fn limits(policy: &mut Value, change: impl Fn(&mut Members)) {
    let each = |holder: &mut Members| {
        let list = holder.get_mut("rate_limits").and_then(Value::as_array_mut);
        for limit in list.into_iter().flatten() {
            limit.as_object_mut().map(&change);
        }
    };
    policy.as_object_mut().map(each);
    routes(policy, each);
}

fn set(policy: &mut Value, key: &str, value: &Value) {
    limits(policy, |limit| {
        limit.insert(key.into(), value.clone());
    });
}

fn remove(policy: &mut Value, key: &str) {
    limits(policy, |limit| {
        limit.remove(key);
    });
}

/// The part of a limit that is a section itself.
fn within(policy: &mut Value, key: &str, change: impl Fn(&mut Members)) {
    limits(policy, |limit| {
        limit
            .get_mut(key)
            .and_then(Value::as_object_mut)
            .map(&change);
    });
}

/// Count and window of every quota.
fn quotas(policy: &mut Value, change: impl Fn(u64, &str) -> String) {
    limits(policy, |limit| {
        let quota = limit.get("quota").and_then(Value::as_str);
        if let Some((count, window)) = quota.and_then(|quota| quota.split_once('/')) {
            let changed = change(count.parse().unwrap(), window);
            limit.insert("quota".into(), changed.into());
        }
    });
}

fn trust(policy: &mut Value, networks: Value) {
    if let Some(trusted) = policy.pointer_mut("/client/trusted_proxies") {
        *trusted = networks;
    }
}

pub(super) const LIMITS: &[Protection] = &[
    Protection {
        name: "rate_limits, the shared ones",
        off: |policy| {
            policy
                .as_object_mut()
                .map(|policy| policy.remove("rate_limits"));
        },
        noticed_by: &[
            "limits/burst.yaml",
            "limits/fixed-window.yaml",
            "limits/ban.yaml",
            "limits/key-all.yaml",
            "limits/key-cookie.yaml",
            "limits/all-or-nothing.yaml",
            "limits/per-route-and-shared.yaml",
            "limits/exempt-paths-are-narrow.yaml",
            "limits/methods-absent.yaml",
            "limits/preflights-forwarded.yaml",
            "limits/refused-earlier.yaml",
            "limits/answer-problem.yaml",
            "limits/answer-grpc.yaml",
            "limits/headers-default.yaml",
            "limits/cors-pages-read-the-answer.yaml",
            "limits/reload-lower-count.yaml",
            "limits/workers-share.yaml",
            "limits/spoofed-headers-choose-no-bucket.yaml",
            "limits/http2.yaml",
            "client/xff-leftmost.yaml",
            "client/xff-whole-header.yaml",
            "mode/report-limits.yaml",
        ],
    },
    Protection {
        name: "rate_limits on routes",
        off: |policy| {
            routes(policy, |route| {
                route.remove("rate_limits");
            });
        },
        noticed_by: &[
            "limits/all-or-nothing.yaml",
            "limits/per-route-and-shared.yaml",
            "limits/route-alone.yaml",
            "limits/route-spellings.yaml",
            "limits/one-definition-on-two-routes.yaml",
            "limits/template-is-one-limit.yaml",
            "limits/cost-on-routes.yaml",
            "limits/preflights-forwarded-of-a-route.yaml",
            "limits/headers-where-no-limit-applies.yaml",
            "mode/route-report-limits.yaml",
            "mode/limit-modes-of-one-definition.yaml",
        ],
    },
    Protection {
        name: "limits: `mode: report`",
        off: |policy| set(policy, "mode", &json!("report")),
        noticed_by: &[
            "limits/burst.yaml",
            "limits/ban.yaml",
            "limits/all-or-nothing.yaml",
            "limits/headers-draft.yaml",
            "limits/headers-x.yaml",
            "limits/route-alone.yaml",
            "mode/report-limit-beside-live-ones.yaml",
            "mode/limit-off.yaml",
        ],
    },
    Protection {
        name: "limits: `mode: off`",
        off: |policy| set(policy, "mode", &json!("off")),
        noticed_by: &[
            "limits/burst.yaml",
            "limits/workers-share.yaml",
            "mode/report-limits.yaml",
            "mode/report-limits-at-the-top.yaml",
            "mode/route-report-limits.yaml",
        ],
    },
    Protection {
        name: "the modes of limits",
        off: |policy| remove(policy, "mode"),
        noticed_by: &[
            "mode/report-limits.yaml",
            "mode/report-limit-beside-live-ones.yaml",
            "mode/report-limit-spends-its-own.yaml",
            "mode/report-limit-refills.yaml",
            "mode/report-limit-never-bans.yaml",
            "mode/limit-off.yaml",
            "mode/limit-false-is-off.yaml",
        ],
    },
    Protection {
        name: "quotas: a thousand times the count",
        off: |policy| quotas(policy, |count, window| format!("{}/{window}", count * 1000)),
        noticed_by: &[
            "limits/burst.yaml",
            "limits/first-window.yaml",
            "limits/fixed-window.yaml",
            "limits/cost.yaml",
            "limits/longest-wait.yaml",
            "limits/key-route.yaml",
            "limits/workers-share-windows.yaml",
        ],
    },
    Protection {
        name: "quotas: in a second",
        off: |policy| quotas(policy, |count, _| format!("{count}/1s")),
        noticed_by: &[
            "limits/refill.yaml",
            "limits/fixed-window-of-a-client.yaml",
            "limits/retry-after-rounds-up.yaml",
            "limits/headers-default.yaml",
            "limits/headers-fixed-window.yaml",
        ],
    },
    Protection {
        name: "burst",
        off: |policy| remove(policy, "burst"),
        noticed_by: &[
            "limits/burst-of-one.yaml",
            "limits/burst-over-the-count.yaml",
            "limits/headers-burst-over-the-count.yaml",
        ],
    },
    Protection {
        name: "algorithm: gcra for all",
        off: |policy| remove(policy, "algorithm"),
        noticed_by: &[
            "limits/fixed-window.yaml",
            "limits/fixed-window-of-a-client.yaml",
            "limits/fixed-window-after-a-pause.yaml",
            "limits/fixed-window-cost.yaml",
            "limits/headers-fixed-window.yaml",
            "limits/short-and-long.yaml",
            "limits/reload-higher-count.yaml",
            "limits/reload-lower-count.yaml",
        ],
    },
    Protection {
        name: "algorithm: fixed-window for all",
        off: |policy| {
            remove(policy, "burst");
            set(policy, "algorithm", &json!("fixed-window"));
        },
        noticed_by: &[
            "limits/refill.yaml",
            "limits/refill-to-the-burst.yaml",
            "limits/first-window.yaml",
            "limits/cost.yaml",
            "limits/reload-another-algorithm.yaml",
            "limits/headers-default.yaml",
        ],
    },
    Protection {
        name: "cost",
        off: |policy| remove(policy, "cost"),
        noticed_by: &[
            "limits/cost.yaml",
            "limits/cost-of-the-burst.yaml",
            "limits/cost-on-routes.yaml",
            "limits/fixed-window-cost.yaml",
        ],
    },
    Protection {
        name: "key: the client for all",
        off: |policy| remove(policy, "key"),
        noticed_by: &[
            "limits/key-header.yaml",
            "limits/key-header-long.yaml",
            "limits/key-cookie.yaml",
            "limits/key-query.yaml",
            "limits/key-path.yaml",
            "limits/key-route.yaml",
            "limits/key-all.yaml",
            "limits/key-composite.yaml",
            "limits/key-composite-lengths.yaml",
            "limits/key-composite-missing.yaml",
            "limits/exempt-clients.yaml",
            "limits/ban-of-a-key.yaml",
        ],
    },
    Protection {
        name: "key: one bucket for all",
        off: |policy| set(policy, "key", &json!(["all"])),
        noticed_by: &[
            "limits/key-ip.yaml",
            "limits/key-header-missing.yaml",
            "limits/key-header-empty.yaml",
            "limits/key-header-repeated.yaml",
            "limits/key-cookie-missing.yaml",
            "limits/key-query-missing.yaml",
            "limits/key-ipv6-neighbours.yaml",
            "limits/fixed-window-of-a-client.yaml",
            "limits/ban.yaml",
            "client/xff-garbage.yaml",
            "client/xff-leftmost.yaml",
        ],
    },
    Protection {
        name: "key: its first part alone",
        off: |policy| {
            limits(policy, |limit| {
                if let Some(key) = limit.get_mut("key").and_then(Value::as_array_mut) {
                    key.truncate(1);
                }
            });
        },
        noticed_by: &[
            "limits/key-composite.yaml",
            "limits/key-composite-lengths.yaml",
            "limits/key-composite-missing.yaml",
        ],
    },
    Protection {
        name: "methods of limits",
        off: |policy| remove(policy, "methods"),
        noticed_by: &[
            "limits/methods.yaml",
            "limits/preflights-forwarded.yaml",
            "limits/options-that-are-no-preflight.yaml",
            "limits/key-names-are-apart.yaml",
            "limits/all-or-nothing-windows.yaml",
            "limits/ban-of-one-limit.yaml",
        ],
    },
    Protection {
        name: "methods of limits: GET alone",
        off: |policy| set(policy, "methods", &json!(["GET"])),
        noticed_by: &[
            "limits/methods.yaml",
            "limits/methods-absent.yaml",
            "limits/preflights-forwarded.yaml",
            "limits/answer-with-a-body.yaml",
        ],
    },
    Protection {
        name: "the exemptions of limits",
        off: |policy| remove(policy, "exempt"),
        noticed_by: &[
            "limits/exempt-paths.yaml",
            "limits/exempt-paths-no-headers.yaml",
            "limits/exempt-clients.yaml",
        ],
    },
    Protection {
        name: "the exemptions of limits: every path",
        off: |policy| {
            within(policy, "exempt", |exempt| {
                exempt.insert("paths".into(), json!(["/", "/*"]));
            });
        },
        noticed_by: &[
            "limits/exempt-paths.yaml",
            "limits/exempt-paths-are-narrow.yaml",
            "limits/exempt-clients.yaml",
        ],
    },
    Protection {
        name: "the exemptions of limits: every client",
        off: |policy| {
            within(policy, "exempt", |exempt| {
                exempt.insert("clients".into(), json!(["0.0.0.0/0", "::/0"]));
            });
        },
        noticed_by: &[
            "limits/exempt-clients.yaml",
            "limits/exempt-clients-spoofed.yaml",
            "limits/exempt-paths-are-narrow.yaml",
        ],
    },
    Protection {
        name: "ban",
        off: |policy| remove(policy, "ban"),
        noticed_by: &[
            "limits/ban.yaml",
            "limits/ban-ends.yaml",
            "limits/ban-outlasts-the-bucket.yaml",
            "limits/ban-after-one.yaml",
            "limits/ban-fixed-window.yaml",
            "limits/ban-of-one-limit.yaml",
            "limits/ban-of-a-key.yaml",
            "limits/ban-in-the-headers.yaml",
            "limits/ban-survives-a-reload.yaml",
            "limits/ban-survives-a-restart.yaml",
            "limits/answer-problem-banned.yaml",
            "limits/workers-share-windows.yaml",
        ],
    },
    Protection {
        name: "ban.after",
        off: |policy| {
            within(policy, "ban", |ban| {
                ban.insert("after".into(), json!(1000));
            });
        },
        noticed_by: &["limits/ban.yaml", "limits/ban-after-one.yaml"],
    },
    Protection {
        name: "ban.within: a day",
        off: |policy| {
            within(policy, "ban", |ban| {
                ban.insert("within".into(), json!("1d"));
            });
        },
        noticed_by: &["limits/ban-slow-refusals.yaml"],
    },
    Protection {
        name: "ban.for: a day",
        off: |policy| {
            within(policy, "ban", |ban| {
                ban.insert("for".into(), json!("1d"));
            });
        },
        noticed_by: &[
            "limits/ban-ends.yaml",
            "limits/ban-outlasts-the-bucket.yaml",
            "limits/ban-survives-a-reload.yaml",
        ],
    },
    Protection {
        name: "rate_limit_headers: the default",
        off: |policy| {
            policy
                .as_object_mut()
                .map(|policy| policy.remove("rate_limit_headers"));
        },
        noticed_by: &[
            "limits/headers-x.yaml",
            "limits/headers-both.yaml",
            "limits/headers-none.yaml",
            "limits/headers-x-tightest.yaml",
            "limits/headers-x-replace-the-upstreams.yaml",
            "limits/headers-none-pass-the-upstreams.yaml",
        ],
    },
    Protection {
        name: "rate_limit_headers: none",
        off: |policy| {
            policy["rate_limit_headers"] = json!("none");
        },
        noticed_by: &[
            "limits/headers-default.yaml",
            "limits/headers-draft.yaml",
            "limits/headers-x.yaml",
            "limits/headers-both.yaml",
            "limits/headers-replace-the-upstreams.yaml",
            "limits/headers-on-any-status.yaml",
            "limits/headers-where-no-limit-applies.yaml",
            "limits/per-route-and-shared.yaml",
            "limits/answer-grpc.yaml",
            "limits/ban-in-the-headers.yaml",
            "limits/cors-pages-read-the-answer.yaml",
        ],
    },
    Protection {
        name: "the name of the policy, which its buckets have in them",
        off: |policy| {
            if policy.get("rate_limits").is_some() {
                policy["name"] = json!("another");
            }
        },
        noticed_by: &[
            "limits/reload-keeps-the-counters.yaml",
            "limits/reload-of-the-same.yaml",
            "limits/reload-higher-count.yaml",
            "limits/ban-survives-a-reload.yaml",
            "mode/report-limit-goes-live.yaml",
        ],
    },
    Protection {
        name: "client.ipv4_prefix, client.ipv6_prefix: the defaults",
        off: |policy| {
            if let Some(client) = policy.get_mut("client").and_then(Value::as_object_mut) {
                client.remove("ipv4_prefix");
                client.remove("ipv6_prefix");
            }
        },
        noticed_by: &[
            "limits/key-ipv4-prefix-24.yaml",
            "limits/key-ipv6-prefix-48.yaml",
            "limits/key-ipv6-prefix-128.yaml",
            "client/xff-ipv4-network.yaml",
        ],
    },
    Protection {
        name: "client.ipv6_prefix: whole addresses",
        off: |policy| {
            let limited = policy.get("rate_limits").is_some();
            if let Some(policy) = policy.as_object_mut().filter(|_| limited) {
                let client = policy.entry("client").or_insert_with(|| json!({}));
                client["ipv6_prefix"] = json!(128);
            }
        },
        noticed_by: &[
            "limits/key-ipv6-neighbours.yaml",
            "limits/key-ipv6-prefix-48.yaml",
            "client/xff-ipv6-neighbours.yaml",
        ],
    },
    Protection {
        name: "client.trusted_proxies: one of the proxies",
        off: |policy| trust(policy, json!(["10.0.0.9", "fd00::9"])),
        noticed_by: &[
            "client/xff-rightmost.yaml",
            "client/xff-three-proxies.yaml",
            "client/xff-all-trusted.yaml",
            "client/xff-last-line.yaml",
            "client/xff-mapped-hop.yaml",
            "client/xff-ipv6-proxies.yaml",
            "client/xff-fifty-proxies.yaml",
            "client/xff-forwarded-leftmost.yaml",
        ],
    },
    Protection {
        name: "client.trusted_proxies: whatever is private",
        off: |policy| {
            trust(
                policy,
                json!(["10.0.0.0/8", "127.0.0.0/8", "fc00::/7", "::1"]),
            )
        },
        noticed_by: &[
            "client/xff-untrusted-neighbour.yaml",
            "client/xff-untrusted-loopback.yaml",
        ],
    },
];
