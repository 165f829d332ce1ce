//! Kong 3.4 to 3.9: ngx_wasm_module (3bed2783).
//!
//! Not shown: a zone of shared data that is full, where others' values make room, and values that are read while they are
//! replaced.

use super::{
    AfterTrap, BodyCalls, Calling, Configures, Ending, Ends, Headers, Instead, LateReply, Life,
    Metering, Pages, Pause, Profile, Refused, Replies, Requests, ResponseBody, Responses, Sharing,
    Target, VmStart,
};
use crate::host::property::Properties;

/// What is not there yet stops whoever asks for it.
const NOT_YET: &[(&str, Instead)] = &[
    ("proxy_get_log_level", Instead::Trap),
    ("proxy_get_status", Instead::Trap),
    ("proxy_done", Instead::Trap),
    ("proxy_close_stream", Instead::Trap),
    ("proxy_continue_response", Instead::Trap),
    ("proxy_call_foreign_function", Instead::Trap),
    // No queue is declared.
    ("proxy_register_shared_queue", Instead::Trap),
    ("proxy_resolve_shared_queue", Instead::Trap),
    ("proxy_enqueue_shared_queue", Instead::Trap),
    ("proxy_dequeue_shared_queue", Instead::Trap),
    ("proxy_grpc_call", Instead::Trap),
    ("proxy_grpc_stream", Instead::Trap),
    ("proxy_grpc_send", Instead::Trap),
    ("proxy_grpc_cancel", Instead::Trap),
    ("proxy_grpc_close", Instead::Trap),
];

impl Profile {
    /// Kong with a zone for shared data (`nginx_wasm_shm_kv`), and nginx's own defaults beside that.
    pub const KONG: Self = Self {
        name: "kong",
        buffer_limit: 1024 * 1024,
        life: Life {
            vm_start: VmStart::FirstInstance,
            configures: Configures::InNewWorker,
            after_trap: AfterTrap::Renewed,
            trap_status: 500,
            trapped_response_passes: true,
            ending: Ending::DoneLog,
        },
        requests: Requests {
            counts_lines: true,
            ends: Ends::Never,
            body: BodyCalls::Once,
            // What is longer than `client_body_buffer_size` waits on the disk.
            readable: 16 * 1024,
            offsets: false,
            late_read_traps: true,
            pause: Pause::Holds,
        },
        responses: Responses {
            pause_holds: false,
            // `wasm_response_body_buffers 4 4096`
            body: ResponseBody::KeptUpTo(16 * 1024),
            trailers: false,
        },
        headers: Headers {
            lower_case: false,
            target: Target::Normalized {
                server: "gateway.internal:8000",
            },
            request_in_response: true,
            response_early: true,
            removes_from_request: false,
            sets_all: false,
            escapes_line_breaks: true,
        },
        replies: Replies {
            speaks_grpc: false,
            breaks_line: true,
            one_line_a_name: true,
            pages: Pages::Html,
            tells_length: true,
            in_response_headers: LateReply::KeepsHeaders,
            in_response_body: LateReply::Traps,
        },
        shared_data: Ok(Sharing {
            keys_by_crc32: true,
            zero_cas_overwrites: false,
            any_cas_creates: false,
            null_deletes: true,
        }),
        metrics: Metering {
            ids_repeat: true,
            misuse_traps: true,
            longest_name: Some(256),
        },
        callouts: Calling {
            at_once: 1_024,
            in_root: true,
            in_response: Some(Refused::Trap),
            failed_is_empty: true,
        },
        ticks_once: true,
        calls: NOT_YET,
        missing: &[],
        properties: Properties::KONG,
    };

    /// Kong as it is installed: without `nginx_wasm_shm_kv`, asking for shared data stops the filter.
    pub const KONG_WITHOUT_ZONE: Self = Self {
        shared_data: Err(Instead::Trap),
        ..Self::KONG
    };
}
