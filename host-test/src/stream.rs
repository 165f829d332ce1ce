//! One request and its response going through the filter piece by piece, as Envoy's connection manager drives a filter.
//!
//! A stream is a number: its state lives in the VM, so that many streams can be under way in one VM, and a callback for one
//! may answer another. [`Stream`] is what a gateway holds, `phases` what happens inside.

mod gather;
mod phases;
pub(crate) mod target;

use std::collections::BTreeMap;

use crate::abi::exports::Callback;
use crate::header_map::HeaderMap;
use crate::host::context::{Context, Direction};
pub use crate::host::context::{Part, Peer};
use crate::host::log::Log;
use crate::host::reply::Reply;
use crate::profile::{Ending, Target};
use crate::trap::Trap;
use crate::vm::Vm;
pub(crate) use phases::settle;
use phases::{answer, on_body, on_headers, on_trailers};

/// A stream under way in a VM.
///
/// After a trap nothing more can be done with it but [`Stream::abandon`].
#[derive(Debug)]
pub struct Stream {
    /// Never given to another stream of the VM, not even after a restart.
    id: u32,
}

/// What is left of a stream that has ended.
#[derive(Clone, Debug, Default)]
pub struct Ended {
    /// Calls that the filter made into the host, by the import's name.
    pub host_calls: BTreeMap<&'static str, u64>,
    /// What the filter logged.
    pub logs: Vec<Log>,
}

impl Stream {
    /// A new stream; fails in a VM that has no policy.
    pub fn open(vm: &mut Vm, peer: Peer) -> Result<Self, Trap> {
        vm.take_policy_to_come()?;
        let root = vm
            .root()
            .ok_or_else(|| Trap::new(Callback::ContextCreate.name(), "the VM has no policy"))?;
        let id = vm.next_context();
        let clock = vm.host().clock();
        let context = Context::new(root, peer, clock.now(), clock.monotonic());
        vm.worker().contexts.insert(id, context);
        vm.call(Callback::ContextCreate, id, &[root])?;
        settle(vm)?;
        Ok(Self { id })
    }

    /// The request's headers, names in any case, with pseudo headers; `end` when nothing follows.
    pub fn request_headers(&self, vm: &mut Vm, headers: &HeaderMap, end: bool) -> Result<(), Trap> {
        let habits = vm.host().profile().headers;
        let shown = target::shown(&habits, headers);
        if habits.target != Target::AsSent
            && let Some(context) = vm.worker().contexts.get_mut(&self.id)
        {
            context.request.target = headers.get(":path").map(<[u8]>::to_vec);
        }
        on_headers(vm, self.id, Direction::Request, shown, end)
    }

    /// More of the request's body; empty only with `end`.
    pub fn request_body(&self, vm: &mut Vm, bytes: &[u8], end: bool) -> Result<(), Trap> {
        on_body(vm, self.id, Direction::Request, bytes, end)
    }

    /// The request's trailers, which end it.
    pub fn request_trailers(&self, vm: &mut Vm, trailers: &HeaderMap) -> Result<(), Trap> {
        on_trailers(vm, self.id, Direction::Request, lower_case(trailers))
    }

    /// The upstream's headers with `:status`. Nothing of the upstream is taken once the stream is [answered](Self::replied).
    pub fn response_headers(
        &self,
        vm: &mut Vm,
        headers: &HeaderMap,
        end: bool,
    ) -> Result<(), Trap> {
        if self.replied(vm) {
            return Ok(());
        }
        let habits = vm.host().profile().headers;
        let shown = match habits.lower_case {
            true => lower_case(headers),
            false => headers.clone(),
        };
        on_headers(vm, self.id, Direction::Response, shown, end)
    }

    /// More of the upstream's body; empty only with `end`.
    pub fn response_body(&self, vm: &mut Vm, bytes: &[u8], end: bool) -> Result<(), Trap> {
        if self.replied(vm) {
            return Ok(());
        }
        on_body(vm, self.id, Direction::Response, bytes, end)
    }

    /// The upstream's trailers, which end the response.
    pub fn response_trailers(&self, vm: &mut Vm, trailers: &HeaderMap) -> Result<(), Trap> {
        if self.replied(vm) {
            return Ok(());
        }
        on_trailers(vm, self.id, Direction::Response, lower_case(trailers))
    }

    /// An answer of the gateway itself (the upstream is down, say), in plain text; it goes the way of the filter's own.
    pub fn reply(&self, vm: &mut Vm, status: u16, text: &str) -> Result<(), Trap> {
        let reply = Reply::plain(status.into(), text);
        answer(vm, self.id, reply)?;
        settle(vm)
    }

    /// Takes what may go to the upstream.
    pub fn to_upstream(&self, vm: &mut Vm) -> Vec<Part> {
        take_parts(vm, self.id, Direction::Request)
    }

    /// Takes what may go to the client.
    pub fn to_client(&self, vm: &mut Vm) -> Vec<Part> {
        take_parts(vm, self.id, Direction::Response)
    }

    /// Is the response the filter's or the host's, and not the upstream's? Nothing more is to be sent to the upstream.
    pub fn replied(&self, vm: &mut Vm) -> bool {
        vm.worker()
            .contexts
            .get(&self.id)
            .is_none_or(|context| context.replied)
    }

    /// Is the stream to be cut off?
    pub fn is_reset(&self, vm: &mut Vm) -> bool {
        vm.worker()
            .contexts
            .get(&self.id)
            .is_none_or(|context| context.reset)
    }

    /// Bytes of the request's body that wait for the filter.
    pub fn held_bytes(&self, vm: &mut Vm) -> usize {
        vm.worker()
            .contexts
            .get(&self.id)
            .map_or(0, |context| context.request.body.len())
    }

    /// Ends the stream, whether whole or because the client went away: log, done, delete, as Envoy calls them.
    pub fn close(self, vm: &mut Vm) -> Result<Ended, Trap> {
        match vm.worker().contexts.get_mut(&self.id) {
            Some(context) => context.logging = true,
            // The VM was restarted meanwhile: the filter does not know this stream.
            None => return Ok(self.abandon(vm)),
        }
        let ending = vm.host().profile().life.ending;
        match ending {
            Ending::LogDone => vm.call(Callback::Log, self.id, &[])?,
            Ending::DoneLog => {
                vm.call(Callback::Done, self.id, &[])?;
                vm.call(Callback::Log, self.id, &[])?
            }
            Ending::Done => vm.call(Callback::Done, self.id, &[])?,
        };
        if let Some(context) = vm.worker().contexts.get_mut(&self.id) {
            context.logging = false;
            // What a guest asks for now comes too late.
            context.request.discard();
            context.response.discard();
        }
        if ending == Ending::LogDone {
            vm.call(Callback::Done, self.id, &[])?;
        }
        vm.call(Callback::Delete, self.id, &[])?;
        let ended = self.abandon(vm);
        settle(vm)?;
        vm.retire_roots()?;
        Ok(ended)
    }

    /// Forgets the stream without telling the filter: all that is left to do after a trap.
    pub fn abandon(self, vm: &mut Vm) -> Ended {
        let worker = vm.worker();
        let host_calls = worker
            .contexts
            .remove(&self.id)
            .map(|context| context.host_calls)
            .unwrap_or_default();
        Ended {
            host_calls,
            logs: worker.logs.take(|log| log.context == self.id),
        }
    }
}

fn take_parts(vm: &mut Vm, id: u32, direction: Direction) -> Vec<Part> {
    match vm.worker().contexts.get_mut(&id) {
        Some(context) => context.half(direction).out.drain(..).collect(),
        None => Vec::new(),
    }
}

/// Envoy shows filters lower-case names, whatever the client wrote.
fn lower_case(headers: &HeaderMap) -> HeaderMap {
    headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .collect()
}
