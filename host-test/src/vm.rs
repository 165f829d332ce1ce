//! One worker's instance of a filter.

mod life;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use wasmtime::{Store, StoreLimitsBuilder, Val};

use crate::abi::exports::{Callback, Exports};
use crate::host::Host;
use crate::host::log::Log;
use crate::host::worker::Worker;
use crate::module::{EPOCH, LoadError, Module};
use crate::profile::AfterTrap;
use crate::stream;
use crate::trap::Trap;

/// So much longer than any other callback may be configured: it happens once, reads a whole policy and makes its tables.
const CONFIGURING: u64 = 20;

/// How a VM is started, beside the policy.
#[derive(Clone, Debug, Default)]
pub struct VmConfig {
    /// VMs with the same id share their data.
    pub vm_id: String,
    /// The plugin's name, as its property `plugin_name`.
    pub plugin_name: String,
    /// The plugin's root id, as its property `plugin_root_id`.
    pub root_id: String,
    /// What `proxy_on_vm_start` can read.
    pub configuration: Vec<u8>,
    /// The whole environment that the guest sees.
    pub environment: BTreeMap<String, String>,
    /// Envoy's switch of that name: a pause in the header phase holds the headers and lets the body come.
    pub allow_on_headers_stop_iteration: bool,
    /// What the guest may use.
    pub limits: Limits,
}

/// What a guest may use before it is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time for one callback, in steps of 10 ms; twenty times as much to be configured.
    pub callback: Duration,
    /// Bytes of linear memory.
    pub memory: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            callback: Duration::from_secs(1),
            memory: 256 * 1024 * 1024,
        }
    }
}

/// Why a VM could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The module does not fit this host.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The module's own start function stopped.
    #[error(transparent)]
    Trap(#[from] Trap),
}

/// An instance of a filter, with its root context once it is configured.
#[derive(Debug)]
pub struct Vm {
    module: Module,
    host: Arc<Host>,
    config: Arc<VmConfig>,
    store: Store<Worker>,
    exports: Exports,
    /// The root context that new streams belong to, and its policy.
    serving: Option<(u32, Vec<u8>)>,
    /// A policy that the filter gets with the next request.
    to_come: Option<Vec<u8>>,
    /// `proxy_on_vm_start` has been called in this worker.
    started: bool,
    last_context: u32,
    failed: bool,
}

impl Vm {
    /// Makes an instance and runs its start function (`_initialize` or `_start`).
    pub fn start(module: &Module, host: Arc<Host>, config: VmConfig) -> Result<Self, StartError> {
        Self::instantiate(module.clone(), host, Arc::new(config))
    }

    fn instantiate(
        module: Module,
        host: Arc<Host>,
        config: Arc<VmConfig>,
    ) -> Result<Self, StartError> {
        static INSTANCES: AtomicU64 = AtomicU64::new(0);
        let limits = StoreLimitsBuilder::new()
            .memory_size(config.limits.memory)
            .table_elements(1_000_000)
            .memories(1)
            // A guest that is told `-1` panics somewhere else later; this way the report names the reason.
            .trap_on_grow_failure(true)
            .build();
        let instance = INSTANCES.fetch_add(1, Ordering::Relaxed);
        let worker = Worker::new(Arc::clone(&host), Arc::clone(&config), instance, limits);
        let mut store = Store::new(module.instance.module().engine(), worker);
        store.limiter(|worker| &mut worker.limits);
        store.set_epoch_deadline(deadline(&config));
        module.check(host.profile().missing)?;
        let instance = module
            .instance
            .instantiate(&mut store)
            .map_err(|error| Trap::from_wasmtime("start", &error))?;
        let exports = Exports::of(&instance, &mut store);
        let memory = instance.get_memory(&mut store, "memory");
        let worker = store.data_mut();
        (worker.memory, worker.allocate) = (memory, exports.allocate);
        if let Some(start) = exports.start {
            start
                .call(&mut store, &[], &mut [])
                .map_err(|error| Trap::from_wasmtime("start", &error))?;
        }
        Ok(Self {
            module,
            host,
            config,
            store,
            exports,
            serving: None,
            to_come: None,
            started: false,
            last_context: 0,
            failed: false,
        })
    }

    /// Did a callback trap? Nothing runs in a failed VM.
    pub fn failed(&self) -> bool {
        self.failed
    }

    /// One tick of the root contexts' timers, whether or not they are due; nothing where the filter asked for none.
    pub fn tick(&mut self) -> Result<(), Trap> {
        let ticking: Vec<u32> = self
            .worker()
            .roots
            .iter()
            .filter_map(|(id, root)| root.tick_period.map(|_| *id))
            .collect();
        for root in ticking {
            self.call(Callback::Tick, root, &[])?;
        }
        stream::settle(self)?;
        self.deliver()
    }

    /// How often the filter wants to be ticked.
    pub fn tick_period(&self) -> Option<Duration> {
        self.store
            .data()
            .roots
            .values()
            .filter_map(|root| root.tick_period)
            .min()
    }

    /// Tells the filter what has happened outside of any request: entries in its queues (other VMs', too), answers to its
    /// calls.
    pub fn deliver(&mut self) -> Result<(), Trap> {
        let instance = self.worker().instance;
        for notice in self.host.queues.take_notices(instance) {
            if self.worker().roots.contains_key(&notice.context) {
                self.call(Callback::QueueReady, notice.context, &[notice.token])?;
                stream::settle(self)?;
            }
        }
        // Only what has been answered by now: a filter that calls again in each answer must not hold the caller here.
        for _ in 0..self.worker().answered.len() {
            let Some(answer) = self.worker().answered.pop_front() else {
                break;
            };
            let (context, token) = (answer.context, answer.token);
            if !self.worker().contexts.contains_key(&context)
                && !self.worker().roots.contains_key(&context)
            {
                continue;
            }
            let sizes = [
                token,
                size(answer.headers.len()),
                size(answer.body.len()),
                size(answer.trailers.len()),
            ];
            self.worker().answer = Some(answer);
            self.call(Callback::HttpCallResponse, context, &sizes)?;
            self.worker().answer = None;
            stream::settle(self)?;
        }
        Ok(())
    }

    /// Takes the log lines that nobody has taken yet; at most the last 1,000 are kept.
    pub fn take_logs(&mut self) -> Vec<Log> {
        self.worker().logs.take(|_| true)
    }

    /// Takes the log lines that belong to no stream under way: of configuring, ticking, answers to the filter's own calls.
    pub fn take_root_logs(&mut self) -> Vec<Log> {
        let worker = self.worker();
        let contexts = &worker.contexts;
        worker.logs.take(|log| !contexts.contains_key(&log.context))
    }

    /// Bytes of linear memory in use.
    pub fn memory_bytes(&self) -> usize {
        self.store
            .data()
            .memory
            .map_or(0, |memory| memory.data_size(&self.store))
    }

    /// The host that this VM shares with others.
    pub fn host(&self) -> &Arc<Host> {
        &self.host
    }

    /// Makes an import answer this status and do nothing, until `None` takes it back; for testing what a filter makes of
    /// a host that cannot do something (12 where it has no such call).
    pub fn set_fault(&mut self, import: &str, status: Option<u32>) {
        match status {
            Some(status) => self.worker().faults.insert(import.to_owned(), status),
            None => self.worker().faults.remove(import),
        };
    }

    /// [`set_fault`](Self::set_fault) for several imports; every other does what it does.
    pub fn set_faults(&mut self, faults: BTreeMap<String, u32>) {
        self.worker().faults = faults;
    }

    /// Can the filter make that call of the ABI?
    pub fn imports(&self, call: &str) -> bool {
        let mut imports = self.module.instance.module().imports();
        imports.any(|import| import.module() == "env" && import.name() == call)
    }

    pub(crate) fn worker(&mut self) -> &mut Worker {
        self.store.data_mut()
    }

    /// The root context for new streams.
    pub(crate) fn root(&self) -> Option<u32> {
        self.serving
            .as_ref()
            .map(|(root, _)| *root)
            .filter(|_| !self.failed)
    }

    pub(crate) fn stops_iteration_on_headers(&self) -> bool {
        self.config.allow_on_headers_stop_iteration
    }

    pub(crate) fn next_context(&mut self) -> u32 {
        self.last_context = self.last_context.checked_add(1).unwrap_or(1);
        self.last_context
    }

    /// Runs a callback for a context. `arguments` follow the context's id; what the module's ABI does not have of them is
    /// left out. `None` when the module has no such callback, or it returns nothing.
    pub(crate) fn call(
        &mut self,
        callback: Callback,
        context: u32,
        arguments: &[u32],
    ) -> Result<Option<u32>, Trap> {
        if self.failed {
            return Err(Trap::new(
                callback.name(),
                "an earlier callback had stopped the VM",
            ));
        }
        let Some(function) = self.exports.get(callback) else {
            return Ok(None);
        };
        let (parameters, results) = callback.shape(self.module.abi);
        let arguments: Vec<Val> = std::iter::once(&context)
            .chain(arguments)
            .take(parameters)
            .map(|number| Val::I32(number.cast_signed()))
            .collect();
        let mut result = [Val::I32(0)];
        let result = result.get_mut(..results).unwrap_or_default();
        let patience = match callback {
            Callback::Configure => CONFIGURING,
            _ => 1,
        };
        let deadline = deadline(&self.config).saturating_mul(patience);
        self.store.set_epoch_deadline(deadline);
        self.store.data_mut().enter(context, callback);
        if let Err(error) = function.call(&mut self.store, &arguments, result) {
            self.failed = self.host.profile().life.after_trap == AfterTrap::Renewed;
            return Err(Trap::from_wasmtime(callback.name(), &error));
        }
        Ok(result.first().and_then(Val::i32).map(i32::cast_unsigned))
    }
}

/// The time for one callback, in epochs; at least one whole epoch passes.
fn deadline(config: &VmConfig) -> u64 {
    let epochs = config.limits.callback.as_millis() / EPOCH.as_millis();
    u64::try_from(epochs)
        .unwrap_or(u64::MAX)
        .clamp(1, u64::from(u32::MAX))
        + 1
}

/// A length as the ABI has it; what is longer than 4 GiB cannot be in a guest anyway.
pub(crate) fn size(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
