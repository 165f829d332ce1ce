//! What stands behind the imports and is shared by all VMs: time, shared data, queues, metrics.

pub mod clock;
pub mod log;

use std::sync::Arc;

use crate::profile::Profile;
use clock::Clock;

/// The state that workers share, as one gateway process has it.
#[derive(Debug)]
pub struct Host {
    profile: Profile,
    clock: Clock,
}

impl Host {
    /// A host with the habits of that gateway.
    pub fn new(profile: Profile, clock: Clock) -> Arc<Self> {
        Arc::new(Self { profile, clock })
    }

    /// Whose habits it has.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The time that all guests are told.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }
}
