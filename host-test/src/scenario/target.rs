//! What a scenario runs against: one trait, so that the engine, the module in wasmtime and a live gateway are judged by
//! the same code.
//!
//! A target says what it saw and never whether that was right. What it cannot see is `None` (or
//! [`UpstreamSeen::Unknown`]): the judge then counts the expectation as not judged instead of passing it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use serde_json::Value;

use crate::header_map::HeaderMap;

/// The kinds of target that a scenario can name in `runners` and `skip`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Runner {
    /// The engine as a native library, without a gateway.
    Engine,
    /// The module in this crate's wasmtime host, as Envoy has it.
    Wasm,
    /// The same with the habits of Kong.
    Kong,
    /// The same with the habits of APISIX.
    Apisix,
    /// The module in a live gateway, over HTTP.
    Http,
}

impl Runner {
    /// Every runner, in the order in which a corpus is usually run.
    pub const ALL: [Self; 5] = [
        Self::Engine,
        Self::Wasm,
        Self::Kong,
        Self::Apisix,
        Self::Http,
    ];

    /// The name that scenario files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Wasm => "wasm",
            Self::Kong => "kong",
            Self::Apisix => "apisix",
            Self::Http => "http",
        }
    }
}

/// The version of HTTP that the client speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HttpVersion {
    /// HTTP/1.1
    #[default]
    Http11,
    /// HTTP/2, with prior knowledge where there is no TLS.
    Http2,
}

/// The scheme of the connection from the client to the gateway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    /// Plain text.
    #[default]
    Http,
    /// TLS. A target without a TLS listener cannot run such a request and says so.
    Https,
}

impl Scheme {
    /// `http` or `https`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// One request, as a client would send it.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method as sent, not checked.
    pub method: String,
    /// The request target: path and query, byte for byte.
    pub path: String,
    /// `Host` (HTTP/1.1) or `:authority` (HTTP/2).
    pub host: String,
    /// The scheme of the client's connection.
    pub scheme: Scheme,
    /// The address that the gateway sees as its peer. Over HTTP, where every connection comes from loopback, a runner
    /// sends it as `X-Forwarded-For` to a gateway that trusts one hop.
    pub client: IpAddr,
    /// The version spoken.
    pub http_version: HttpVersion,
    /// The header lines in order, without pseudo headers and without `host`; duplicates and bytes as they are.
    pub headers: HeaderMap,
    /// The body in the pieces in which it is sent. No piece: no body.
    pub body: Vec<Vec<u8>>,
    /// Trailer lines; empty: none are sent.
    pub trailers: HeaderMap,
}

/// What the upstream answers if it is called.
#[derive(Clone, Debug)]
pub struct Respond {
    /// The status, 200 unless the scenario says another.
    pub status: u16,
    /// The header lines in order. `content-length` is the runner's to add.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
    /// How long the upstream waits first: virtual time where there is such, real time over HTTP.
    pub delay: Duration,
}

/// The request as the upstream saw it.
#[derive(Clone, Debug)]
pub struct SeenRequest {
    /// The method.
    pub method: String,
    /// Path and query, byte for byte.
    pub path: String,
    /// `Host` or `:authority`.
    pub host: String,
    /// The header lines in order, without pseudo headers and without `host`.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
}

/// What is known about the upstream's side of an exchange.
#[derive(Clone, Debug)]
pub enum UpstreamSeen {
    /// The upstream is not ours to watch.
    Unknown,
    /// Nothing reached it.
    NotCalled,
    /// It was called, with this.
    Called(Box<SeenRequest>),
}

/// What the guest spent on one exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GuestUse {
    /// Calls from the guest to the host.
    pub host_calls: u64,
    /// The size of the guest's memory afterwards, in bytes.
    pub memory: u64,
}

/// What one exchange came to.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The status that the client got.
    pub status: u16,
    /// The header lines that the client got, in order, without pseudo headers.
    pub headers: HeaderMap,
    /// The whole body that the client got.
    pub body: Vec<u8>,
    /// The upstream's side.
    pub upstream: UpstreamSeen,
    /// The lines that the filter logged during the exchange, without level and time. `None`: not visible here.
    pub logs: Option<Vec<String>>,
    /// What the guest spent. `None`: not measured here.
    pub guest: Option<GuestUse>,
}

/// Whether a target did what a step asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Support {
    /// Done.
    Done,
    /// This target cannot; the reason is shown, and the step is counted as skipped.
    Unsupported(String),
}

/// A clock of a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockKind {
    /// Of the time of day, which operators and NTP set.
    Wall,
    /// Of the time since some beginning, which is another after the machine was started again.
    Monotonic,
}

impl ClockKind {
    /// `wall` or `monotonic`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wall => "wall",
            Self::Monotonic => "monotonic",
        }
    }
}

/// How a target took a new policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reloaded {
    /// The new policy is serving.
    Accepted,
    /// The policy was refused and the old one is serving.
    Refused,
    /// This target cannot be reloaded; the reason is shown.
    Unsupported(String),
}

/// Something that answers requests under one policy.
///
/// A target is opened with the scenario's policy and number of workers already in place; how is each target's own
/// business. Errors are for a target that failed (a trap, a gateway that went away), never for an answer that somebody
/// might dislike.
pub trait Target {
    /// Which kind of target this is.
    fn runner(&self) -> Runner;

    /// Sends one request and waits for the whole answer. Requests go round robin over the workers where there are
    /// several.
    ///
    /// # Errors
    /// If there is no answer to observe.
    fn exchange(&mut self, request: &Request, respond: &Respond) -> anyhow::Result<Observed>;

    /// Lets virtual time pass.
    ///
    /// # Errors
    /// If the target failed while it passed.
    fn advance(&mut self, by: Duration) -> anyhow::Result<Support> {
        let _ = by;
        Ok(Support::Unsupported(format!(
            "{} has no virtual clock",
            self.runner().name()
        )))
    }

    /// Offers a new policy to every worker.
    ///
    /// # Errors
    /// If the target failed; a policy that it refuses is [`Reloaded::Refused`].
    fn reload(&mut self, policy: &Value) -> anyhow::Result<Reloaded> {
        let _ = policy;
        Ok(Reloaded::Unsupported(format!(
            "{} takes no new policy while it runs",
            self.runner().name()
        )))
    }

    /// Replaces one worker by a fresh one; what is shared between workers stays.
    ///
    /// # Errors
    /// If the new worker does not start.
    fn restart_worker(&mut self, worker: usize) -> anyhow::Result<Support> {
        let _ = worker;
        Ok(Support::Unsupported(format!(
            "{} has no workers to restart",
            self.runner().name()
        )))
    }

    /// Sets one clock forward, or back for less than zero, and leaves the other where it is.
    ///
    /// # Errors
    /// If it would be before its beginning.
    fn step_clock(&mut self, clock: ClockKind, milliseconds: i64) -> anyhow::Result<Support> {
        let _ = milliseconds;
        Ok(Support::Unsupported(format!(
            "{} has no {} clock that can be set",
            self.runner().name(),
            clock.name()
        )))
    }

    /// Lets somebody else write first at so many of the next writes to shared data, so that they fail.
    ///
    /// # Errors
    /// If the target failed.
    fn conflict(&mut self, writes: u32) -> anyhow::Result<Support> {
        let _ = writes;
        Ok(Support::Unsupported(format!(
            "{} has no shared data that others can be made to write",
            self.runner().name()
        )))
    }

    /// Makes these calls of the host answer a status and do nothing, and every other what it really answers.
    ///
    /// # Errors
    /// If there is no call of that name.
    fn set_statuses(&mut self, statuses: &BTreeMap<String, u32>) -> anyhow::Result<Support> {
        let _ = statuses;
        Ok(Support::Unsupported(format!(
            "{} has no host whose answers can be chosen",
            self.runner().name()
        )))
    }

    /// The current value of a counter or gauge. `None`: metrics are not visible here.
    fn metric(&mut self, name: &str) -> Option<i64> {
        let _ = name;
        None
    }
}
