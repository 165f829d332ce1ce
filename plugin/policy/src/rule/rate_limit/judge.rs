//! All limits of one request: judged together, charged together or not at all.

use portcullis_config::Mode;

use super::charge::{Charge, Desk};
use super::key::{Asker, Key};
use super::standing::Outcome;
use super::{Applied, Limit, Limits};
use crate::store::{Store, Unavailable};

/// So long a denial is believed without a look at the store, in nanoseconds.
const RECHECK: u64 = 1_000_000_000;
/// No clock goes further: 219 years. The longest quota, the longest ban and the highest cost can be added to it.
const LATEST: u64 = 3 << 61;

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
        let desk = Desk::new(store, now);
        let mut charges = self.judged(&applied, &desk)?;
        if !charges.iter().any(Charge::refuses) {
            let wrote = desk.write_all(&mut charges);
            if wrote.is_err() || charges.iter().any(Charge::refuses) {
                wrote.and(desk.undo_all(&mut charges))?;
            }
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
        let mut outcome = Outcome::of(charges.iter().map(|charge| charge.standing).collect());
        outcome.contention = desk.contention.get();
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
        let charges = self.judged(&applied, &Desk::new(store, now))?;
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
        let mut all = Vec::with_capacity(self.shared.len() + own.len());
        all.extend(self.shared.iter().chain(own).filter_map(|applied| {
            let limit = self.limits.get(applied.at)?;
            let applies = self.applies(limit, asker.head, method, asker.caller);
            applies.then(|| {
                let key = self.seed.key(limit.identity, &limit.key, asker);
                (*applied, limit, key)
            })
        }));
        all
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::super::standing::Standing;
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
