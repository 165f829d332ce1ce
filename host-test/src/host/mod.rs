//! What stands behind the imports: the state that all workers share, and each worker's own.

pub mod callout;
pub mod clock;
pub(crate) mod context;
pub mod log;
pub mod metric;
pub(crate) mod property;
pub(crate) mod queue;
pub(crate) mod reply;
pub(crate) mod shared_data;
pub(crate) mod worker;

use std::sync::Arc;

use crate::profile::Profile;
use callout::{Callouts, NoCallouts};
use clock::Clock;
use metric::Metrics;
use queue::Queues;
use shared_data::SharedData;

/// The state that workers share, as one gateway process has it.
#[derive(Debug)]
pub struct Host {
    profile: Profile,
    clock: Clock,
    metrics: Metrics,
    pub(crate) shared_data: SharedData,
    pub(crate) queues: Queues,
    pub(crate) callouts: Box<dyn Callouts>,
}

impl Host {
    /// A host with the habits of that gateway, which knows no other server to call.
    pub fn new(profile: Profile, clock: Clock) -> Arc<Self> {
        Self::with_callouts(profile, clock, Box::new(NoCallouts))
    }

    /// A host whose guests' HTTP calls are answered by `callouts`.
    pub fn with_callouts(profile: Profile, clock: Clock, callouts: Box<dyn Callouts>) -> Arc<Self> {
        let shared_data = SharedData::new(&profile);
        let metrics = Metrics::new(&profile);
        Arc::new(Self {
            profile,
            clock,
            metrics,
            shared_data,
            queues: Queues::default(),
            callouts,
        })
    }

    /// Whose habits it has.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The time that all guests are told.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// What the guests of that `vm_id` have stored under a key.
    pub fn shared_value(&self, vm_id: &str, key: &[u8]) -> Option<Vec<u8>> {
        self.shared_data
            .get(vm_id, key)
            .ok()
            .map(|(value, _)| value)
    }

    /// How many values the guests of that `vm_id` have stored.
    pub fn shared_values(&self, vm_id: &str) -> usize {
        self.shared_data.count(vm_id)
    }

    /// Makes others faster at the writes to shared data that come next: for each of them that `plan` has a `true` for,
    /// somebody else writes the same key first, what stands there or else an empty value. A guest that has read the key
    /// before finds its cas stale then, whatever it is. Replaces the plan before.
    pub fn let_others_write_first(&self, plan: Vec<bool>) {
        self.shared_data.rival(plan);
    }

    /// What guests count and measure.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

/// Locks, whatever another thread did while it held the lock: every holder leaves the value whole.
fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
