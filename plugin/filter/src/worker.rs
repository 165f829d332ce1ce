//! What all exchanges of one worker share.

use std::cell::{Cell, OnceCell, RefCell};
use std::hash::{BuildHasher, RandomState};

use portcullis_policy::Checked;

use crate::gateway::Gateway;
use crate::shared::Shared;

/// What all exchanges of one worker share.
#[derive(Default)]
pub(crate) struct Worker {
    pub(crate) ids: Ids,
    pub(crate) shared: Shared,
    /// What the policy's checks have come to.
    pub(crate) checks: RefCell<Vec<Checked>>,
    gateway: OnceCell<Gateway>,
    holds_headers: OnceCell<bool>,
    /// Whether the log says already that clients' addresses are not known.
    pub(crate) told_of_hidden_clients: Cell<bool>,
    /// Whether it says already that responses are not masked.
    pub(crate) told_of_no_mask: Cell<bool>,
}

impl Worker {
    /// The gateway that this runs in; to be asked for in the middle of a request.
    pub(crate) fn gateway(&self) -> Gateway {
        *self.gateway.get_or_init(Gateway::ask)
    }

    /// Whether a request's headers wait with its body: Envoy can, where its configuration says so, and that is said here
    /// by the VM's environment. Anywhere else such a request would never go on.
    pub(crate) fn holds_headers(&self) -> bool {
        *self.holds_headers.get_or_init(|| {
            let told = std::env::var_os("PORTCULLIS_HOLD_HEADERS");
            self.gateway() == Gateway::Envoy && told.is_some_and(|told| told == "1")
        })
    }
}

/// Numbers for requests: a counter under a keyed hash, so that none tells of another.
#[derive(Default)]
pub(crate) struct Ids {
    keys: RandomState,
    next: Cell<u64>,
}

impl Ids {
    pub(crate) fn fresh(&self) -> u128 {
        let count = self.next.get();
        self.next.set(count.wrapping_add(1));
        let half = |side: u8| u128::from(self.keys.hash_one((side, count)));
        half(0) << 64 | half(1)
    }
}
