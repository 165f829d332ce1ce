//! All limits of one request: judged together, charged together or not at all.

use portcullis_config::Mode;

use super::algorithm::{Algorithm, Finding};
use super::fields::seconds;
use super::key::{Asker, Key};
use super::table::{Bucket, Slot, Table};
use super::{Applied, Ban, Limit, Limits};
use crate::refusal::{self, Refusal};
use crate::store::{Store, Unavailable};

/// So often a value may change under a request's hands before it is refused: two workers that do nothing else meet
/// once in a hundred times.
const TRIES: usize = 16;
/// So long a denial is believed without a look at the store, in nanoseconds.
const RECHECK: u64 = 1_000_000_000;
/// No clock goes further: 219 years. The longest quota, the longest ban and the highest cost can be added to it.
const LATEST: u64 = 3 << 61;

/// How one limit stands after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The limit's place in the list of limits.
    pub(super) at: usize,
    pub(super) remaining: u32,
    /// Nanoseconds until there are more.
    pub(super) reset: u64,
    /// Nanoseconds until there is room, if there is none.
    pub(crate) wait: u64,
    pub(crate) banned: bool,
    pub(crate) mode: Mode,
}

/// What the limits say to a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Every limit that applies, as far as its state had to be looked at.
    pub(crate) standings: Vec<Standing>,
    /// The enforced limit with the longest wait, in `standings`, if one has no room.
    pub(crate) refused: Option<usize>,
}

/// One limit of one request.
struct Charge<'p> {
    limit: &'p Limit,
    table: &'p Table,
    standing: Standing,
    key: Key,
    slot_at: u32,
    slot: Slot,
    finding: Finding,
    written: bool,
    /// Others were faster too often.
    contended: bool,
}

/// What all charges of a request share.
struct Desk<'s> {
    store: &'s dyn Store,
    now: u64,
}

impl Limits {
    /// Judges a request, and charges it if it passes.
    ///
    /// # Errors
    /// If the store does not work.
    pub(crate) fn charge(
        &self,
        own: &[Applied],
        method: &[u8],
        asker: &Asker<'_, '_>,
        store: &dyn Store,
        now: u64,
    ) -> Result<Outcome, Unavailable> {
        let now = now.min(LATEST);
        let applied: Vec<(Applied, &Limit, Key)> = self.applied(own, method, asker);
        let keys = applied.iter().map(|(applied, _, key)| (applied.mode, *key));
        let request = Key::of_all(keys);
        if let Some(standings) = self.denied.known(request, now) {
            return Ok(Outcome::of(standings));
        }
        let desk = Desk { store, now };
        let mut charges = self.judged(&applied, &desk)?;
        if !charges.iter().any(Charge::refuses)
            && let Err(unavailable) = desk.write_all(&mut charges)
        {
            for written in charges.iter_mut().filter(|one| one.written) {
                // Whether the store takes it or not, the request does not pass.
                let _ = written.undo(&desk);
            }
            return Err(unavailable);
        }
        // A time that cannot be is mended where nobody is refused, too.
        for charge in charges
            .iter_mut()
            .filter(|one| one.standing.mode == Mode::Report)
        {
            if let Some(bucket) = charge.finding.mended.filter(|_| charge.standing.wait > 0) {
                charge.write(bucket, &desk)?;
            }
        }
        if charges.iter().any(Charge::refuses) {
            for charge in &mut charges {
                if charge.refuses() {
                    self.refused(charge, &desk)?;
                } else {
                    charge.standing_uncharged();
                }
            }
        }
        let outcome = Outcome::of(charges.iter().map(|charge| charge.standing).collect());
        if let Some(refused) = outcome.refused.and_then(|at| outcome.standings.get(at)) {
            // Where refusals lead to a ban, each is to be counted, until there is one.
            let counts = |one: &Charge<'_>| one.limit.ban.is_some() && one.is_enforced();
            let is_final = refused.banned || !charges.iter().any(counts);
            if is_final && !charges.iter().any(|one| one.contended) {
                // What was charged to the key in the meantime may be taken back: only a ban is held to its end.
                let lasting = if refused.banned { u64::MAX } else { RECHECK };
                let until = now.saturating_add(refused.wait.min(lasting));
                self.denied
                    .remember(request, now, until, &outcome.standings);
            }
        }
        Ok(outcome)
    }

    /// What [`charge`](Self::charge) would say, with nothing charged.
    ///
    /// # Errors
    /// If the store does not work.
    #[cold]
    pub(crate) fn peek(
        &self,
        own: &[Applied],
        method: &[u8],
        asker: &Asker<'_, '_>,
        store: &dyn Store,
        now: u64,
    ) -> Result<Outcome, Unavailable> {
        let now = now.min(LATEST);
        let applied = self.applied(own, method, asker);
        let charges = self.judged(&applied, &Desk { store, now })?;
        Ok(Outcome::of(
            charges.iter().map(|charge| charge.standing).collect(),
        ))
    }

    /// The limits that apply, shared ones first, with the request's key in each.
    fn applied(
        &self,
        own: &[Applied],
        method: &[u8],
        asker: &Asker<'_, '_>,
    ) -> Vec<(Applied, &Limit, Key)> {
        let all = self.shared.iter().chain(own).filter_map(|applied| {
            let limit = self.limits.get(applied.at)?;
            let applies = self.applies(limit, asker.head, method, asker.caller);
            applies.then(|| {
                (
                    *applied,
                    limit,
                    self.seed.key(limit.identity, &limit.key, asker),
                )
            })
        });
        all.collect()
    }

    fn judged<'p>(
        &'p self,
        applied: &[(Applied, &'p Limit, Key)],
        desk: &Desk<'_>,
    ) -> Result<Vec<Charge<'p>>, Unavailable> {
        let mut charges = Vec::with_capacity(applied.len());
        for (applied, limit, key) in applied {
            if let Some(table) = self.tables.get(limit.table) {
                charges.push(Charge::load(*applied, limit, table, *key, desk)?);
            }
        }
        Ok(charges)
    }

    /// Counts a refusal towards a ban.
    fn refused(&self, charge: &mut Charge<'_>, desk: &Desk<'_>) -> Result<(), Unavailable> {
        if charge.contended {
            return Ok(());
        }
        if let Some(bucket) = charge.finding.mended {
            // Whoever is faster has mended it.
            charge.write(bucket, desk)?;
        }
        if let Some(ban) = charge.limit.ban
            && !charge.standing.banned
            && let Some(table) = self.tables.get(ban.table)
            && desk.count_refusal(table, charge, ban)?
        {
            charge.shut_out(ban, desk)?;
        }
        Ok(())
    }
}

impl Outcome {
    fn of(standings: Vec<Standing>) -> Self {
        let refusing = standings
            .iter()
            .enumerate()
            .filter(|(_, standing)| standing.refuses());
        let refused = refusing
            .rev()
            .max_by_key(|(_, standing)| standing.wait)
            .map(|(at, _)| at);
        Self { standings, refused }
    }
}

impl Standing {
    /// How a request is refused that finds a limit so.
    pub(crate) fn refusal(&self) -> &'static Refusal {
        if self.banned {
            &refusal::RATE_LIMIT_BANNED
        } else {
            &refusal::RATE_LIMIT_EXCEEDED
        }
    }

    /// How it stands so many nanoseconds later, if nothing happens.
    pub(super) fn after(self, elapsed: u64) -> Self {
        Self {
            // What has come back meanwhile is not counted here: there is always more to come.
            reset: self.reset.saturating_sub(elapsed).max(self.reset.min(1)),
            wait: self.wait.saturating_sub(elapsed),
            ..self
        }
    }

    /// Units that are left.
    #[cold]
    pub(crate) fn remaining(&self) -> u32 {
        self.remaining
    }

    /// Seconds to wait, at least one.
    pub(crate) fn retry_after(&self) -> u64 {
        seconds(self.wait)
    }

    fn refuses(&self) -> bool {
        self.wait > 0 && self.mode == Mode::Enforce
    }
}

impl<'p> Charge<'p> {
    fn load(
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

    fn refuses(&self) -> bool {
        self.standing.refuses()
    }

    fn is_enforced(&self) -> bool {
        self.standing.mode == Mode::Enforce
    }

    /// Says of a limit how it stands without the request, which another one refused.
    fn standing_uncharged(&mut self) {
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
    fn write(&mut self, bucket: Bucket, desk: &Desk<'_>) -> Result<bool, Unavailable> {
        self.slot.put(bucket, self.limit.algorithm.mask(), desk.now);
        self.table.write(self.slot_at, &self.slot, desk.store)
    }

    /// Takes a charge back.
    fn undo(&mut self, desk: &Desk<'_>) -> Result<(), Unavailable> {
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
    fn shut_out(&mut self, ban: Ban, desk: &Desk<'_>) -> Result<(), Unavailable> {
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

impl Desk<'_> {
    /// Writes what every charge came to. Where one finds no room after all, the others are taken back.
    fn write_all(&self, charges: &mut [Charge<'_>]) -> Result<(), Unavailable> {
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
                        charge.standing.wait = charge.standing.wait.max(1);
                    }
                }
                if charge.refuses() {
                    for written in charges.iter_mut().filter(|one| one.written) {
                        written.undo(self)?;
                    }
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Counts a refusal; `true` if it is one too many.
    fn count_refusal(
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
            slot.put(bucket, mask, self.now);
            if table.write(at, &slot, self.store)? {
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;
    use crate::message::{Line, RequestHead};
    use crate::rule::client::Caller;
    use crate::store::{LocalStore, Versioned};

    /// A store that counts what it is asked.
    #[derive(Default)]
    struct Counted {
        store: LocalStore,
        gets: Cell<usize>,
        sets: Cell<usize>,
    }

    impl Store for Counted {
        fn get(&self, key: &[u8]) -> Result<Option<Versioned>, Unavailable> {
            self.gets.set(self.gets.get() + 1);
            self.store.get(key)
        }

        fn set(&self, key: &[u8], value: &[u8], version: Option<u32>) -> Result<bool, Unavailable> {
            self.sets.set(self.sets.get() + 1);
            self.store.set(key, value, version)
        }
    }

    impl Counted {
        /// Gets and sets since the last time.
        fn calls(&self) -> (usize, usize) {
            (self.gets.take(), self.sets.take())
        }
    }

    fn limits(limits: &str) -> Limits {
        let text = format!(r#"{{"version":1,"rate_limits":{limits}}}"#);
        let policy = crate::load(text.as_bytes()).policy;
        policy.and_then(|policy| policy.limits).unwrap()
    }

    const CALLER: Caller = Caller {
        address: None,
        https: false,
        trusted: false,
        hidden: false,
    };

    /// A request to be judged, with this header and no other.
    fn with_asker<T>(key: &str, judge: impl FnOnce(&Asker<'_, '_>) -> T) -> T {
        let lines: [Line<'_>; 1] = [(b"x-key", key.as_bytes())];
        judge(&Asker {
            head: &RequestHead::new(&lines),
            caller: &CALLER,
            prefixes: (32, 64),
            host: None,
            route: None,
        })
    }

    fn charged(limits: &Limits, key: &str, store: &Counted, now: u64) -> Outcome {
        with_asker(key, |asker| limits.charge(&[], b"GET", asker, store, now)).unwrap()
    }

    fn peeked(limits: &Limits, key: &str, store: &Counted, now: u64) -> Outcome {
        with_asker(key, |asker| limits.peek(&[], b"GET", asker, store, now)).unwrap()
    }

    #[test]
    fn a_request_costs_the_store_one_call_of_each_kind_for_each_limit() {
        let one = r#"{"name":"a","quota":"2/1h"}"#;
        let other = r#"{"name":"b","quota":"3/1h","key":["header:x-key"]}"#;
        let post = r#"{"name":"c","quota":"3/1h","methods":["POST"]}"#;
        let store = Counted::default();
        let both = limits(&format!("[{one},{other},{post}]"));
        for expected in [(2, 2), (2, 2), (2, 0), (0, 0), (0, 0)] {
            charged(&both, "k", &store, 1);
            assert_eq!(store.calls(), expected);
        }
        peeked(&both, "k", &store, 1);
        assert_eq!(store.calls(), (2, 0));
        // Where refusals lead to a ban, each is counted until it has.
        let store = Counted::default();
        let ban =
            limits(r#"[{"name":"a","quota":"1/1h","ban":{"after":2,"within":"1m","for":"2h"}}]"#);
        for expected in [(1, 1), (2, 1), (2, 2), (0, 0)] {
            charged(&ban, "k", &store, 1);
            assert_eq!(store.calls(), expected);
        }
    }

    proptest! {
        /// A look says what a charge would, and changes nothing.
        #[test]
        fn a_look_is_no_charge(
            requests in prop::collection::vec((0u8..3, 0..2_000_000_000u64), 1..40),
            window in any::<bool>(),
            mode in prop::sample::select(vec!["enforce", "report"]),
        ) {
            let kind = if window { "fixed-window" } else { "gcra" };
            let text = format!(
                r#"[{{"name":"a","quota":"7/9s","cost":2,"algorithm":"{kind}"}},
                    {{"name":"b","quota":"3/5s","key":["header:x-key"],"mode":"{mode}"}}]"#
            );
            let store = Counted::default();
            let ours = limits(&text);
            let mut now = 5;
            for (key, pause) in requests {
                now += pause;
                let key = key.to_string();
                store.calls();
                let peeked = peeked(&ours, &key, &store, now);
                prop_assert_eq!(store.calls(), (2, 0));
                // A worker that knows of no denial.
                let charged = charged(&limits(&text), &key, &store, now);
                prop_assert_eq!(peeked.refused, charged.refused);
                let waits = |outcome: &Outcome| -> Vec<(usize, u64, bool)> {
                    let standings = outcome.standings.iter();
                    standings.map(|one| (one.at, one.wait, one.banned)).collect()
                };
                prop_assert_eq!(waits(&peeked), waits(&charged));
                if charged.refused.is_none() {
                    prop_assert_eq!(peeked, charged);
                }
            }
        }

        /// What a refused request is told of the limits that did not refuse it is what the next one finds there.
        #[test]
        fn what_another_limit_refused_is_told_as_uncharged(
            quota in 4u32..9,
            cost in 1u32..4,
            spent in 0u32..4,
            later in 0..30_000_000_000u64,
            window in any::<bool>(),
        ) {
            let kind = if window { "fixed-window" } else { "gcra" };
            let other = format!(
                r#"{{"name":"a","quota":"{quota}/20s","cost":{cost},"algorithm":"{kind}"}}"#
            );
            let full = r#"{"name":"full","quota":"1/1h","key":["header:x-key"]}"#;
            let store = Counted::default();
            charged(&limits(&format!("[{full}]")), "k", &store, 5);
            let alone = limits(&format!("[{other}]"));
            for _ in 0..spent {
                charged(&alone, "k", &store, 5);
            }
            let now = 5 + later;
            let refused = charged(&limits(&format!("[{other},{full}]")), "k", &store, now);
            prop_assert_eq!(refused.refused, Some(1).filter(|_| refused.standings[0].wait < refused.standings[1].wait));
            let told = refused.standings[0];
            let found = charged(&limits(&format!("[{other}]")), "k", &store, now).standings[0];
            prop_assert_eq!(found.wait, told.wait);
            if found.wait == 0 {
                prop_assert_eq!(told.remaining, found.remaining + cost);
                prop_assert!(told.remaining == quota || told.reset == found.reset);
                prop_assert!(told.remaining < quota || told.reset == 0);
            }
        }
    }

    #[test]
    fn the_longest_wait_is_the_refusal_and_a_report_is_none() {
        let standing = |wait, mode| Standing {
            at: 0,
            remaining: 0,
            reset: 0,
            wait,
            banned: false,
            mode,
        };
        let check = |standings: &[(u64, Mode)], expected: Option<usize>| {
            let standings = standings.iter().map(|(wait, mode)| standing(*wait, *mode));
            assert_eq!(Outcome::of(standings.collect()).refused, expected);
        };
        check(&[], None);
        check(&[(0, Mode::Enforce)], None);
        check(&[(9, Mode::Report)], None);
        check(
            &[(9, Mode::Report), (1, Mode::Enforce), (5, Mode::Enforce)],
            Some(2),
        );
        check(
            &[(9, Mode::Enforce), (1, Mode::Enforce), (10, Mode::Report)],
            Some(0),
        );
    }
}
