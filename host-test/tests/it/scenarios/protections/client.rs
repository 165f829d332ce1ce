//! Who is asking, and how errors read.

use serde_json::json;

use super::{Protection, drop_key};

pub(super) const CLIENT: &[Protection] = &[
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
