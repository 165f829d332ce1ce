//! One VM's own state: what its imports read and change. It is the data of the wasmtime store.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use wasmtime::{Func, Memory, StoreLimits};

use super::Host;
use super::callout::{HttpCall, HttpCallResult};
use super::context::Context;
use super::log::{Level, Log, Logs};
use crate::abi::exports::Callback;
use crate::abi::status::{Fault, Status};
use crate::header_map::HeaderMap;
use crate::profile::Refused;
use crate::vm::VmConfig;

/// The state of one VM.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) host: Arc<Host>,
    pub(crate) config: Arc<VmConfig>,
    /// Tells this instance from every other of the process.
    pub(crate) instance: u64,
    pub(crate) limits: StoreLimits,
    pub(crate) memory: Option<Memory>,
    /// The guest's own allocator, for what the host hands over.
    pub(crate) allocate: Option<Func>,
    pub(crate) roots: BTreeMap<u32, Root>,
    pub(crate) contexts: BTreeMap<u32, Context>,
    pub(crate) logs: Logs,
    /// Answers to calls that have come and that the guest has not been told of.
    pub(crate) answered: VecDeque<Answer>,
    /// The answer that the guest is being told of.
    pub(crate) answer: Option<Answer>,
    /// What imports return whatever they would have done, by import; for tests of a filter.
    pub(crate) faults: BTreeMap<String, u32>,
    /// Streams that have something to act on after this callback.
    pub(crate) touched: Vec<u32>,
    /// Calls that the guest made outside of any stream, by import.
    pub(crate) host_calls: BTreeMap<&'static str, u64>,
    last_call: u32,
    running: u32,
    effective: Option<u32>,
    callback: Option<Callback>,
}

/// A root context.
#[derive(Debug, Default)]
pub(crate) struct Root {
    pub(crate) configuration: Vec<u8>,
    pub(crate) tick_period: Option<Duration>,
}

/// The answer to an HTTP call.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) context: u32,
    pub(crate) token: u32,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: HeaderMap,
}

impl Worker {
    pub(crate) fn new(
        host: Arc<Host>,
        config: Arc<VmConfig>,
        instance: u64,
        limits: StoreLimits,
    ) -> Self {
        Self {
            host,
            config,
            instance,
            limits,
            memory: None,
            allocate: None,
            roots: BTreeMap::new(),
            contexts: BTreeMap::new(),
            logs: Logs::default(),
            answered: VecDeque::new(),
            answer: None,
            faults: BTreeMap::new(),
            touched: Vec::new(),
            host_calls: BTreeMap::new(),
            last_call: 0,
            running: 0,
            effective: None,
            callback: None,
        }
    }

    /// A callback for that context begins.
    pub(crate) fn enter(&mut self, context: u32, callback: Callback) {
        self.running = context;
        self.effective = None;
        self.callback = Some(callback);
    }

    /// The callback that runs, or ran last.
    pub(crate) fn callback(&self) -> Option<Callback> {
        self.callback
    }

    /// Is the response being shown?
    pub(crate) fn responds(&self) -> bool {
        matches!(
            self.callback,
            Some(Callback::ResponseHeaders | Callback::ResponseBody | Callback::ResponseTrailers)
        )
    }

    /// The context that imports act on: the one whose callback runs, or the one that the guest has switched to.
    pub(crate) fn active(&self) -> u32 {
        self.effective
            .filter(|id| self.knows(*id))
            .unwrap_or(self.running)
    }

    /// `proxy_set_effective_context`.
    pub(crate) fn switch_to(&mut self, context: u32) -> Result<(), Status> {
        if !self.knows(context) {
            return Err(Status::BadArgument);
        }
        self.effective = Some(context);
        Ok(())
    }

    fn knows(&self, context: u32) -> bool {
        self.contexts.contains_key(&context) || self.roots.contains_key(&context)
    }

    /// The active stream; `None` in a root context.
    pub(crate) fn context(&self) -> Option<&Context> {
        self.contexts.get(&self.active())
    }

    pub(crate) fn context_mut(&mut self) -> Option<&mut Context> {
        let active = self.active();
        self.contexts.get_mut(&active)
    }

    /// The active stream, to be looked at after this callback.
    pub(crate) fn touch(&mut self) -> Option<&mut Context> {
        let active = self.active();
        let context = self.contexts.get_mut(&active)?;
        if !self.touched.contains(&active) {
            self.touched.push(active);
        }
        Some(context)
    }

    /// The root context that is active, or that the active stream belongs to.
    pub(crate) fn root(&mut self) -> Option<&mut Root> {
        let active = self.active();
        let root = self
            .contexts
            .get(&active)
            .map_or(active, |context| context.root);
        self.roots.get_mut(&root)
    }

    pub(crate) fn count_call(&mut self, name: &'static str) {
        let active = self.active();
        let counts = match self.contexts.get_mut(&active) {
            Some(context) => &mut context.host_calls,
            None => &mut self.host_calls,
        };
        *counts.entry(name).or_insert(0) += 1;
    }

    pub(crate) fn log(&mut self, level: Level, message: &[u8]) {
        let kept = message.get(..Log::MAX_BYTES).unwrap_or(message);
        let message = String::from_utf8_lossy(kept).into_owned();
        self.logs.push(Log {
            level,
            message,
            context: self.active(),
        });
    }

    /// Sends a call on its way and gives its token.
    pub(crate) fn http_call(&mut self, call: &HttpCall) -> Result<u32, Fault> {
        let host = Arc::clone(&self.host);
        let habits = &host.profile().callouts;
        match habits.in_response.filter(|_| self.responds()) {
            None => {}
            Some(Refused::BadArgument) => return Err(Status::BadArgument.into()),
            Some(Refused::Trap) => return Err(Fault::trap("calls are made in requests only")),
        }
        if !habits.in_root && self.context().is_none() {
            return Err(Status::BadArgument.into());
        }
        let result = host.callouts.http_call(call).ok_or(Status::BadArgument)?;
        if self.answered.len() >= habits.at_once {
            return Err(Status::InternalFailure.into());
        }
        let result = match result {
            HttpCallResult::Answered { .. } => result,
            _ if habits.failed_is_empty => HttpCallResult::Broken,
            _ => result,
        };
        self.last_call = self.last_call.checked_add(1).unwrap_or(1);
        let token = self.last_call;
        let (headers, body, trailers) = result.shown();
        self.answered.push_back(Answer {
            context: self.active(),
            token,
            headers,
            body,
            trailers,
        });
        Ok(token)
    }
}
