//! One worker's instance of a filter.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::host::Host;
use crate::host::log::Log;
use crate::module::{LoadError, Module};
use crate::trap::Trap;

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
    /// Time for one callback, in steps of 10 ms.
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

/// An instance of a filter, with its root context once it is configured.
#[derive(Debug)]
pub struct Vm {}

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

impl Vm {
    /// Makes an instance and runs its start function (`_initialize` or `_start`).
    pub fn start(module: &Module, host: Arc<Host>, config: VmConfig) -> Result<Self, StartError> {
        let _ = (module, host, config);
        Ok(Self {})
    }

    /// Gives the filter a policy; called again it is a reload. `Ok(false)` when the filter refuses it; the policy that
    /// served before goes on serving then. A trap leaves the VM [failed](Vm::failed).
    pub fn configure(&mut self, policy: &[u8]) -> Result<bool, Trap> {
        let _ = policy;
        Ok(false)
    }

    /// Did a callback trap? Nothing runs in a failed VM.
    pub fn failed(&self) -> bool {
        false
    }

    /// A fresh instance with the last policy that was accepted: what Envoy's FAIL_RELOAD does after a trap. Streams of
    /// the old instance are gone.
    pub fn restart(&mut self) -> Result<bool, StartError> {
        Ok(false)
    }

    /// One tick of the root context's timer, whether or not it is due; nothing when the filter asked for none.
    pub fn tick(&mut self) -> Result<(), Trap> {
        Ok(())
    }

    /// How often the filter wants to be ticked.
    pub fn tick_period(&self) -> Option<Duration> {
        None
    }

    /// Takes the log lines that nobody has taken yet; at most the last 1,000 are kept.
    pub fn take_logs(&mut self) -> Vec<Log> {
        Vec::new()
    }

    /// Bytes of linear memory in use.
    pub fn memory_bytes(&self) -> usize {
        0
    }
}
