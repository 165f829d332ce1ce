//! What operators see and switch: ids, times, log lines, masks, health.

use super::{Protection, drop_key};

pub(super) const OPERATIONS: &[Protection] = &[
    Protection {
        name: "mask_upstream",
        off: |policy| drop_key(policy, "errors", "mask_upstream"),
        noticed_by: &[
            "errors/mask-upstream.yaml",
            "errors/mask-upstream-grpc.yaml",
            "errors/mask-upstream-head.yaml",
            "errors/mask-upstream-report.yaml",
        ],
    },
    Protection {
        name: "what mask_upstream leaves to be read",
        off: |policy| {
            drop_key(policy, "health", "checks");
            if let Some(policy) = policy.as_object_mut() {
                policy.remove("rate_limits");
            }
        },
        noticed_by: &["errors/mask-upstream-exempt.yaml"],
    },
    Protection {
        name: "request_id",
        off: |policy| drop_key(policy, "observe", "request_id"),
        noticed_by: &[
            "observe/request-id-made.yaml",
            "observe/request-id-of-strangers.yaml",
            "observe/request-id-of-trusted-peers.yaml",
            "observe/report.yaml",
            "observe/off.yaml",
        ],
    },
    Protection {
        name: "timing",
        off: |policy| drop_key(policy, "observe", "timing"),
        noticed_by: &[
            "observe/timing-header.yaml",
            "observe/timing-server-timing.yaml",
            "observe/report.yaml",
            "observe/off.yaml",
        ],
    },
    Protection {
        name: "log: all",
        off: |policy| drop_key(policy, "observe", "log"),
        noticed_by: &["observe/log-all.yaml", "observe/log-none.yaml"],
    },
    Protection {
        name: "log_one_in",
        off: |policy| drop_key(policy, "observe", "log_one_in"),
        noticed_by: &["observe/log-one-in.yaml"],
    },
    Protection {
        name: "health",
        off: |policy| {
            if let Some(policy) = policy.as_object_mut() {
                policy.remove("health");
            }
        },
        noticed_by: &[
            "health/answers-in-enforce.yaml",
            "health/answers-in-report.yaml",
            "health/answers-in-off.yaml",
            "health/check-that-fails.yaml",
        ],
    },
];
