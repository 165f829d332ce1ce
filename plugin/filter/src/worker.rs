//! What all exchanges of one worker share.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};

use crate::shared::Shared;

/// What all exchanges of one worker share.
#[derive(Default)]
pub(crate) struct Worker {
    pub(crate) ids: Ids,
    pub(crate) shared: Shared,
    /// Whether the log says already that clients' addresses are not known.
    pub(crate) told_of_hidden_clients: Cell<bool>,
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
