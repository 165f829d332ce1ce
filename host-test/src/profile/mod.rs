//! What one gateway does differently from another, as data that the host reads.
//!
//! The values are measured in the gateways themselves, not taken from the ABI's text, which leaves most of this open. Nothing
//! in this crate asks for a gateway's name: what differs has a field here.

mod apisix;
mod envoy;
mod kong;

use crate::abi::status::Status;
use crate::host::property::Properties;

/// The habits of one gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// `envoy`.
    pub name: &'static str,
    /// Bytes of a body that are kept, in each direction; one more and the host answers by itself (413 for a request, 500
    /// for a response).
    pub buffer_limit: usize,
    /// How instances begin and end.
    pub life: Life,
    /// How requests come to the filter.
    pub requests: Requests,
    /// How responses come to the filter.
    pub responses: Responses,
    /// What header maps show, and when they can be changed.
    pub headers: Headers,
    /// What becomes of the filter's own answers.
    pub replies: Replies,
    /// What workers share; `Err` is what asking for it comes to where they share nothing.
    pub shared_data: Result<Sharing, Instead>,
    /// How metrics are kept.
    pub metrics: Metering,
    /// Calls to other servers.
    pub callouts: Calling,
    /// Does setting the tick period of a context that has one trap?
    pub ticks_once: bool,
    /// Calls that do nothing but answer this.
    pub calls: &'static [(&'static str, Instead)],
    /// Imports with which a module does not load.
    pub missing: &'static [&'static str],
    /// The names and the encodings of properties.
    pub(crate) properties: Properties,
}

/// What a call does in place of what its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instead {
    /// It answers 0 and does nothing.
    Nothing,
    /// It answers 12.
    Unimplemented,
    /// The guest is stopped.
    Trap,
}

/// How instances begin and end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// When `proxy_on_vm_start` is called.
    pub vm_start: VmStart,
    /// When a policy is given to the filter, and what a refusal leaves.
    pub configures: Configures,
    /// What is left of an instance that trapped.
    pub after_trap: AfterTrap,
    /// The status of the answer to a request that made the filter trap.
    pub trap_status: u16,
    /// Does a response still pass, past the filter, that made it trap?
    pub trapped_response_passes: bool,
    /// The callbacks at a stream's end.
    pub ending: Ending,
}

/// When `proxy_on_vm_start` is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VmStart {
    /// Before each policy.
    EachPolicy,
    /// In a worker's first instance, not in one that takes the place of one that trapped.
    FirstInstance,
    /// Never.
    Never,
}

/// When a policy is given to the filter, and what a refusal leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Configures {
    /// At once, in a root context of its own; refused, the one before goes on serving.
    InPlace,
    /// At once, in a worker of its own; refused, that worker ends, and the one before is gone.
    InNewWorker,
    /// With the next request; refused, that is answered with a 503 and the next one tries again.
    AtNextRequest,
}

/// What is left of an instance that trapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterTrap {
    /// Nothing: the next request gets a new one.
    Renewed,
    /// The instance itself, whatever state it is in.
    Kept,
}

/// The callbacks at a stream's end; `proxy_on_delete` is the last of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// `proxy_on_log`, `proxy_on_done`.
    LogDone,
    /// `proxy_on_done`, `proxy_on_log`.
    DoneLog,
    /// `proxy_on_done`.
    Done,
}

/// How requests come to the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requests {
    /// Are header callbacks told how many lines there are? Elsewhere they are told 0.
    pub counts_lines: bool,
    /// What they are told of the end.
    pub ends: Ends,
    /// How bodies come.
    pub body: BodyCalls,
    /// Bytes of a body that can be read; of one with more, nothing can.
    pub readable: usize,
    /// Is a buffer read from where the filter says? Elsewhere from its beginning.
    pub offsets: bool,
    /// Is the guest stopped that reads the body once there is a response?
    pub late_read_traps: bool,
    /// What a pause in the header phase does, without an answer.
    pub pause: Pause,
}

impl Requests {
    /// Does a request go on only when it is here whole, framed anew, without trailers?
    pub(crate) fn gathers(&self) -> bool {
        self.body != BodyCalls::AsItComes
    }
}

/// What a header callback is told of the end of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// Whether this is it.
    Told,
    /// That it is not.
    Never,
    /// That it is.
    Always,
}

/// How a request's body comes to the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyCalls {
    /// Piece by piece.
    AsItComes,
    /// Once, whole, if there is one.
    Once,
    /// Once, whole, even if there is none, to whoever has set this property to something in the header phase.
    OnDemand(&'static str),
}

/// What a pause in the request's header phase does, without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// It holds the request until that is resumed.
    Holds,
    /// It is taken for a call to another server; without one, the worker is gone.
    Calls,
}

/// How responses come to the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Responses {
    /// Does a pause in the header phase hold the response?
    pub pause_holds: bool,
    /// Whether their bodies are shown.
    pub body: ResponseBody,
    /// Are there callbacks for trailers, of responses and requests?
    pub trailers: bool,
}

impl Responses {
    /// Can a piece without bytes be read?
    pub(crate) fn shows_empty(&self, response: bool) -> bool {
        !response || !matches!(self.body, ResponseBody::OnDemand(_))
    }
}

/// Whether and how a response's body is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseBody {
    /// Piece by piece; what is paused is kept up to [`Profile::buffer_limit`], then the host answers.
    Kept,
    /// Piece by piece; what is paused is kept up to so many bytes, then it passes.
    KeptUpTo(usize),
    /// Piece by piece, and a pause means nothing, to whoever has set this property in the header phase.
    OnDemand(&'static str),
}

/// What header maps show, and when they can be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headers {
    /// Are names shown in lower case? Elsewhere as they were sent.
    pub lower_case: bool,
    /// What is shown of the request's target and host.
    pub target: Target,
    /// Can the request's be read while the response is there? A gateway that gathers requests lets them be changed until then.
    pub request_in_response: bool,
    /// Can the response's be set before there is a response?
    pub response_early: bool,
    /// Does a request line that was removed stay away from the upstream, and does replacing take every line of a name?
    pub removes_from_request: bool,
    /// Does setting all lines leave only those?
    pub sets_all: bool,
    /// Are line breaks in values percent-encoded?
    pub escapes_line_breaks: bool,
}

/// What is shown of a request's target and host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// As sent; `host` and `:authority` are one.
    AsSent,
    /// As sent, the pseudo headers at the end; `host` is a line, and `:authority` its value.
    HostApart,
    /// `:path` decoded and normalised, `:authority` this; `host` is a line. What goes on is what was sent.
    Normalized {
        /// The gateway's own name and port.
        server: &'static str,
    },
}

/// What becomes of the filter's own answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replies {
    /// Is a gRPC client told in gRPC's own words?
    pub speaks_grpc: bool,
    /// Does the body get a line break at its end?
    pub breaks_line: bool,
    /// Of several lines of one name, does only the last stand?
    pub one_line_a_name: bool,
    /// Has the host pages of its own, which take the place of an empty body too?
    pub pages: Pages,
    /// Is the body's length told?
    pub tells_length: bool,
    /// An answer in the response's header phase.
    pub in_response_headers: LateReply,
    /// An answer in the response's body phase.
    pub in_response_body: LateReply,
}

/// What the host's own answers look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pages {
    /// A few words.
    Text,
    /// nginx's HTML.
    Html,
    /// nginx's HTML, which a filter's answer without a body is too.
    HtmlForEmpty,
}

/// What an answer does that comes when there is a response already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LateReply {
    /// It takes the response's place; if that has gone out, the stream is cut off.
    Replaces,
    /// Its status and its body take the place of the response's; the headers stay, the length among them.
    KeepsHeaders,
    /// Its headers are added, and that is all.
    AddsHeaders,
    /// Nothing.
    Ignored,
    /// The guest is stopped.
    Traps,
}

/// How shared data is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sharing {
    /// Is a key the CRC-32 of what the guest says, and nothing else? Two keys of one CRC-32 are then one, and filters of
    /// any `vm_id` share them.
    pub keys_by_crc32: bool,
    /// Does `proxy_set_shared_data` with a cas of 0 overwrite an existing value?
    pub zero_cas_overwrites: bool,
    /// Does `proxy_set_shared_data` with a cas other than 0 create a missing value?
    pub any_cas_creates: bool,
    /// Does a null pointer for the value delete it? Elsewhere it is an empty value.
    pub null_deletes: bool,
}

/// How metrics are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metering {
    /// Does defining a metric again give the id that it has?
    pub ids_repeat: bool,
    /// Is the guest stopped that changes one in a way that its kind does not have, or that there is none of?
    pub misuse_traps: bool,
    /// Bytes of a name at most, with what the host puts before it; the guest that has a longer one is stopped.
    pub longest_name: Option<usize>,
}

/// Calls to other servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calling {
    /// How many may be under way in a VM.
    pub at_once: usize,
    /// Can they be made in a root context?
    pub in_root: bool,
    /// What one in the response's phases comes to; `None`: it is made.
    pub in_response: Option<Refused>,
    /// Is one that fails shown without a single header?
    pub failed_is_empty: bool,
}

/// How the host refuses a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// With status 2.
    BadArgument,
    /// The guest is stopped.
    Trap,
}

impl Profile {
    /// Every gateway that is known.
    pub const ALL: [Self; 3] = [Self::ENVOY, Self::KONG, Self::APISIX];

    /// What that call does in place of what its name says.
    pub(crate) fn instead(&self, call: &str) -> Option<Instead> {
        if matches!(call, "proxy_get_shared_data" | "proxy_set_shared_data") {
            return self.shared_data.err();
        }
        let found = self.calls.iter().find(|(name, _)| *name == call);
        found.map(|(_, instead)| *instead)
    }

    /// A body that cannot be read now: what the guest is told, if not that it is empty.
    pub(crate) fn closed_buffer(&self) -> Option<Status> {
        self.requests.gathers().then_some(Status::NotFound)
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self::ENVOY
    }
}
