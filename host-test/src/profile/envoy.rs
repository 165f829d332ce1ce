//! Envoy 1.40 with V8, which is also Istio's data plane.

use super::{
    AfterTrap, BodyCalls, Calling, Configures, Ending, Ends, Headers, LateReply, Life, Metering,
    Pages, Pause, Profile, Replies, Requests, ResponseBody, Responses, Sharing, Target, VmStart,
};
use crate::host::property::Properties;

impl Profile {
    /// Envoy 1.40 with V8 and `failure_policy: FAIL_RELOAD`.
    pub const ENVOY: Self = Self {
        name: "envoy",
        buffer_limit: 1024 * 1024,
        life: Life {
            vm_start: VmStart::EachPolicy,
            configures: Configures::InPlace,
            after_trap: AfterTrap::Renewed,
            trap_status: 503,
            trapped_response_passes: false,
            ending: Ending::LogDone,
        },
        requests: Requests {
            counts_lines: true,
            ends: Ends::Told,
            body: BodyCalls::AsItComes,
            readable: usize::MAX,
            offsets: true,
            late_read_traps: false,
            pause: Pause::Holds,
        },
        responses: Responses {
            pause_holds: true,
            body: ResponseBody::Kept,
            trailers: true,
        },
        headers: Headers {
            lower_case: true,
            target: Target::AsSent,
            request_in_response: false,
            response_early: false,
            removes_from_request: true,
            sets_all: true,
            escapes_line_breaks: false,
        },
        replies: Replies {
            speaks_grpc: true,
            breaks_line: false,
            one_line_a_name: false,
            pages: Pages::Text,
            tells_length: true,
            in_response_headers: LateReply::Replaces,
            in_response_body: LateReply::Replaces,
        },
        shared_data: Ok(Sharing {
            keys_by_crc32: false,
            zero_cas_overwrites: true,
            any_cas_creates: true,
            null_deletes: false,
        }),
        metrics: Metering {
            ids_repeat: false,
            misuse_traps: false,
            longest_name: None,
        },
        callouts: Calling {
            at_once: 1_024,
            in_root: true,
            in_response: None,
            failed_is_empty: false,
        },
        ticks_once: false,
        calls: &[],
        missing: &[],
        properties: Properties::ENVOY,
    };
}
