//! One limit of one request: read, judged, written if nobody was faster, and taken back.

use std::cell::Cell;

use portcullis_config::Mode;

use super::algorithm::{Algorithm, Finding};
use super::key::Key;
use super::standing::Standing;
use super::table::{Bucket, Slot, Table};
use super::{Applied, Ban, Limit};
use crate::store::{Store, Unavailable};

/// So often a value may change under a request's hands before it is refused: two workers that do nothing else meet
/// once in a hundred times.
const TRIES: usize = 16;

/// One limit of one request.
pub(super) struct Charge<'p> {
    pub(super) limit: &'p Limit,
    table: &'p Table,
    pub(super) standing: Standing,
    key: Key,
    slot_at: u32,
    slot: Slot,
    pub(super) finding: Finding,
    pub(super) written: bool,
    /// Others were faster too often.
    pub(super) contended: bool,
}

/// What all charges of a request share.
pub(super) struct Desk<'s> {
    pub(super) store: &'s dyn Store,
    pub(super) now: u64,
    pub(super) contention: Cell<Contention>,
}

/// How hard it was to count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contention {
    /// Writes that came too late, and were made again.
    pub retries: u32,
    /// Limits that came too late too often, and refused for that.
    pub exhausted: u32,
    /// Clients that a full table forgot before their time.
    pub evictions: u32,
}

impl<'p> Charge<'p> {
    pub(super) fn load(
        applied: Applied,
        limit: &'p Limit,
        table: &'p Table,
        key: Key,
        desk: &Desk<'_>,
    ) -> Result<Self, Unavailable> {
        let slot_at = table.slot_of(key.slot);
        let slot = table.read(slot_at, desk.store)?;
        let finding = limit.judge(&slot, key, desk.now);
        Ok(Self {
            limit,
            table,
            standing: finding.standing(applied),
            key,
            slot_at,
            slot,
            finding,
            written: false,
            contended: false,
        })
    }

    pub(super) fn refuses(&self) -> bool {
        self.standing.refuses()
    }

    pub(super) fn is_enforced(&self) -> bool {
        self.standing.mode == Mode::Enforce
    }

    /// Says of a limit how it stands without the request, which another one refused.
    pub(super) fn standing_uncharged(&mut self) {
        let (burst, cost) = (self.limit.algorithm.burst(), self.limit.cost.get());
        if self.standing.wait == 0 {
            self.standing.remaining = self.standing.remaining.saturating_add(cost).min(burst);
            if self.standing.remaining == burst {
                self.standing.reset = 0;
            }
        }
    }

    /// Judges anew: the slot has changed since it was read.
    fn reload(&mut self, desk: &Desk<'_>) -> Result<(), Unavailable> {
        self.slot = self.table.read(self.slot_at, desk.store)?;
        self.finding = self.limit.judge(&self.slot, self.key, desk.now);
        let applied = Applied {
            at: self.standing.at,
            mode: self.standing.mode,
        };
        self.standing = self.finding.standing(applied);
        Ok(())
    }

    /// Puts a bucket into the slot. `false` if somebody else was faster.
    pub(super) fn write(&mut self, bucket: Bucket, desk: &Desk<'_>) -> Result<bool, Unavailable> {
        let evicts = self.slot.put(bucket, self.limit.algorithm.mask(), desk.now);
        let written = self.table.write(self.slot_at, &self.slot, desk.store)?;
        desk.note(written, evicts);
        Ok(written)
    }

    /// Takes a charge back.
    pub(super) fn undo(&mut self, desk: &Desk<'_>) -> Result<(), Unavailable> {
        let algorithm = self.limit.algorithm;
        let mask = algorithm.mask();
        for _ in 0..TRIES {
            self.slot = self.table.read(self.slot_at, desk.store)?;
            let Some(bucket) = self.slot.find(self.key.fingerprint & mask, mask) else {
                break;
            };
            if self.write(algorithm.refunded(bucket, self.limit.cost), desk)? {
                break;
            }
        }
        self.written = false;
        Ok(())
    }

    /// Writes the ban into the bucket.
    pub(super) fn shut_out(&mut self, ban: Ban, desk: &Desk<'_>) -> Result<(), Unavailable> {
        let algorithm = self.limit.algorithm;
        let key = self.key.fingerprint & algorithm.mask();
        for _ in 0..TRIES {
            let mut bucket = algorithm.banned(key, self.limit.cost, desk.now, ban.lasting);
            // What the limit takes longer for, the ban does not give back.
            let found = self.slot.find(key, algorithm.mask());
            bucket.time = bucket.time.max(found.map_or(0, |found| found.time));
            if self.write(bucket, desk)? {
                break;
            }
            self.slot = self.table.read(self.slot_at, desk.store)?;
        }
        self.standing.wait = self.standing.wait.max(ban.lasting);
        self.standing.reset = self.standing.wait;
        self.standing.banned = true;
        Ok(())
    }
}

impl<'s> Desk<'s> {
    pub(super) fn new(store: &'s dyn Store, now: u64) -> Self {
        Self {
            store,
            now,
            contention: Cell::default(),
        }
    }

    fn note(&self, written: bool, evicts: bool) {
        let mut contention = self.contention.get();
        contention.retries += u32::from(!written);
        contention.evictions += u32::from(written && evicts);
        self.contention.set(contention);
    }

    /// Takes back whatever was written, as far as the store lets it.
    pub(super) fn undo_all(&self, charges: &mut [Charge<'_>]) -> Result<(), Unavailable> {
        let written = charges.iter_mut().filter(|one| one.written);
        written.map(|one| one.undo(self)).fold(Ok(()), Result::and)
    }

    /// Writes what every charge came to, up to one that finds no room after all.
    pub(super) fn write_all(&self, charges: &mut [Charge<'_>]) -> Result<(), Unavailable> {
        let mut tries = TRIES;
        for mode in [Mode::Enforce, Mode::Report] {
            for at in 0..charges.len() {
                let Some(charge) = charges.get_mut(at).filter(|one| one.standing.mode == mode)
                else {
                    continue;
                };
                while let Some(bucket) = charge.finding.admitted {
                    if charge.write(bucket, self)? {
                        charge.written = true;
                        break;
                    }
                    tries = tries.saturating_sub(1);
                    charge.reload(self)?;
                    if tries == 0 {
                        // Nobody knows how full the bucket is: what cannot be counted does not pass.
                        charge.finding.admitted = None;
                        charge.contended = true;
                        let mut contention = self.contention.get();
                        contention.exhausted += 1;
                        self.contention.set(contention);
                        charge.standing.wait = charge.standing.wait.max(1);
                    }
                }
                if charge.refuses() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Counts a refusal; `true` if it is one too many.
    pub(super) fn count_refusal(
        &self,
        table: &Table,
        charge: &Charge<'_>,
        ban: Ban,
    ) -> Result<bool, Unavailable> {
        let counter = Algorithm::Window {
            count: ban.after.get(),
            length: ban.within,
        };
        let (mask, at) = (counter.mask(), table.slot_of(charge.key.slot));
        let key = charge.key.fingerprint & mask;
        for _ in 0..TRIES {
            let mut slot = table.read(at, self.store)?;
            let found = slot.find(key, mask);
            let finding = counter.judge(key, found, std::num::NonZeroU32::MIN, self.now, 0);
            // The next ban takes as many again.
            let afresh = Bucket {
                key,
                time: self.now,
            };
            let bucket = finding.admitted.filter(|_| finding.remaining > 0);
            let too_many = bucket.is_none();
            let bucket = bucket.unwrap_or(afresh);
            let evicts = slot.put(bucket, mask, self.now);
            let written = table.write(at, &slot, self.store)?;
            self.note(written, evicts);
            if written {
                return Ok(too_many);
            }
        }
        Ok(false)
    }
}

impl Limit {
    fn judge(&self, slot: &Slot, key: Key, now: u64) -> Finding {
        let mask = self.algorithm.mask();
        let key = key.fingerprint & mask;
        let ban = self.ban.map_or(0, |ban| ban.lasting);
        self.algorithm
            .judge(key, slot.find(key, mask), self.cost, now, ban)
    }
}

impl Finding {
    fn standing(&self, applied: Applied) -> Standing {
        Standing {
            at: applied.at,
            remaining: self.remaining,
            reset: self.reset,
            wait: self.wait,
            banned: self.banned,
            mode: applied.mode,
        }
    }
}
