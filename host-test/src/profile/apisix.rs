//! APISIX: wasm-nginx-module (0b4b31d), driven by `apisix/wasm.lua`.

use super::{
    AfterTrap, BodyCalls, Calling, Configures, Ending, Ends, Headers, Instead, LateReply, Life,
    Metering, Pages, Pause, Profile, Refused, Replies, Requests, ResponseBody, Responses, Target,
    VmStart,
};
use crate::host::property::Properties;

impl Profile {
    /// APISIX with nginx's own defaults; it lets `client_max_body_size` be 0, for any length, itself.
    pub const APISIX: Self = Self {
        name: "apisix",
        buffer_limit: 1024 * 1024,
        life: Life {
            vm_start: VmStart::Never,
            configures: Configures::AtNextRequest,
            after_trap: AfterTrap::Kept,
            trap_status: 503,
            trapped_response_passes: true,
            ending: Ending::Done,
        },
        requests: Requests {
            counts_lines: false,
            ends: Ends::Always,
            body: BodyCalls::OnDemand("wasm_process_req_body"),
            readable: usize::MAX,
            offsets: true,
            late_read_traps: false,
            pause: Pause::Calls,
        },
        responses: Responses {
            pause_holds: false,
            body: ResponseBody::OnDemand("wasm_process_resp_body"),
            trailers: false,
        },
        headers: Headers {
            lower_case: true,
            target: Target::HostApart,
            request_in_response: true,
            response_early: true,
            removes_from_request: true,
            sets_all: true,
            escapes_line_breaks: true,
        },
        replies: Replies {
            speaks_grpc: false,
            breaks_line: false,
            one_line_a_name: false,
            pages: Pages::HtmlForEmpty,
            tells_length: false,
            in_response_headers: LateReply::AddsHeaders,
            in_response_body: LateReply::Ignored,
        },
        shared_data: Err(Instead::Unimplemented),
        metrics: Metering {
            ids_repeat: true,
            misuse_traps: false,
            longest_name: None,
        },
        callouts: Calling {
            at_once: 1,
            in_root: false,
            in_response: Some(Refused::BadArgument),
            failed_is_empty: true,
        },
        ticks_once: false,
        calls: &[
            ("proxy_get_current_time_nanoseconds", Instead::Unimplemented),
            ("proxy_set_tick_period_milliseconds", Instead::Unimplemented),
            ("proxy_set_buffer_bytes", Instead::Unimplemented),
            ("proxy_register_shared_queue", Instead::Unimplemented),
            ("proxy_resolve_shared_queue", Instead::Unimplemented),
            ("proxy_enqueue_shared_queue", Instead::Unimplemented),
            ("proxy_dequeue_shared_queue", Instead::Unimplemented),
            ("proxy_call_foreign_function", Instead::Unimplemented),
            ("proxy_grpc_call", Instead::Unimplemented),
            ("proxy_grpc_stream", Instead::Unimplemented),
            ("proxy_grpc_send", Instead::Unimplemented),
            ("proxy_grpc_cancel", Instead::Unimplemented),
            ("proxy_grpc_close", Instead::Unimplemented),
            // They say that it is done; an id that is never written stays 0.
            ("proxy_define_metric", Instead::Nothing),
            ("proxy_increment_metric", Instead::Nothing),
            ("proxy_record_metric", Instead::Nothing),
            ("proxy_done", Instead::Nothing),
            ("proxy_continue_stream", Instead::Nothing),
            ("proxy_continue_request", Instead::Nothing),
            ("proxy_continue_response", Instead::Nothing),
            ("proxy_close_stream", Instead::Nothing),
        ],
        missing: &["proxy_get_metric", "proxy_get_log_level"],
        properties: Properties::APISIX,
    };
}
