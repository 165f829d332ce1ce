//! What a bucket says to a request: the generic cell rate algorithm, which governor computes, and a fixed window.

use std::cell::Cell;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::{NotKeyed, RateLimiter, StateStore};

use super::table::Bucket;

/// A count in the low half of a bucket's key that no window reaches.
const BANNED: u32 = u32::MAX;
/// The bit of a bucket's key that says so where no count stands.
const FLAG: u64 = 1;

/// How far a worker's time may lie behind that of one that was faster at the bucket, in nanoseconds: a worker may be held up
/// between its look at the clock and its look at the bucket.
const BEHIND: u64 = 1_000_000_000;

/// How a limit counts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Algorithm {
    /// Smooth: one unit comes back every `period` nanoseconds, `burst` are held at most.
    Gcra { period: u64, burst: NonZeroU32 },
    /// A hard count in a window of so many nanoseconds that begins with a key's first request.
    Window { count: u32, length: u64 },
}

/// What a bucket says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// The bucket with the request in it; `None` if there is no room.
    pub(super) admitted: Option<Bucket>,
    /// Units that are left.
    pub(super) remaining: u32,
    /// Nanoseconds until there are more.
    pub(super) reset: u64,
    /// Nanoseconds until there is room for this request; 0 if there is.
    pub(super) wait: u64,
    /// The key is shut out for more than its requests.
    pub(super) banned: bool,
    /// What the bucket should have held, if it held a time that cannot be.
    pub(super) mended: Option<Bucket>,
}

impl Algorithm {
    /// The bits of a bucket's key that are the fingerprint.
    pub(super) fn mask(self) -> u64 {
        match self {
            Self::Gcra { .. } => !FLAG,
            Self::Window { .. } => 0xffff_ffff_0000_0000,
        }
    }

    /// The units that a key holds at most.
    pub(super) fn burst(self) -> u32 {
        match self {
            Self::Gcra { burst, .. } => burst.get(),
            Self::Window { count, .. } => count,
        }
    }

    /// Judges a request of this cost. `ban` is how long a ban of this limit lasts. A time further off than the limit
    /// can have set is cut: it is from another quota, or from before a clock was set back. Cut at each look alone it would
    /// stay as far off as it can be, so it has to be written back.
    pub(super) fn judge(
        self,
        key: u64,
        found: Option<Bucket>,
        cost: NonZeroU32,
        now: u64,
        ban: u64,
    ) -> Finding {
        match self {
            Self::Gcra { period, burst } => {
                let full = period * u64::from(burst.get());
                let is_banned = found.is_some_and(|bucket| bucket.key & FLAG != 0);
                // As far off as a request, or the beginning of a ban, puts it.
                let owed = full - period * u64::from(cost.get().min(burst.get()));
                let furthest = now
                    + if is_banned {
                        full.max(owed + ban)
                    } else {
                        full
                    };
                let tat = found.map(|bucket| bucket.time.min(furthest));
                let mut finding = gcra(key, tat, period, burst, cost, now);
                finding.mended = mended(found, furthest);
                finding.banned = is_banned && finding.wait > 0;
                if finding.banned {
                    finding.reset = finding.wait;
                }
                finding
            }
            Self::Window { count, length } => {
                let found = found.filter(|bucket| bucket.time > now);
                let used = found.map_or(0, |bucket| bucket.key as u32);
                let furthest = now + length.max(ban);
                let mended = mended(found, furthest);
                let end = mended.or(found).map_or(now + length, |bucket| bucket.time);
                let banned = used == BANNED;
                let next = used
                    .checked_add(cost.get())
                    .filter(|next| *next <= count && !banned);
                Finding {
                    admitted: next.map(|next| Bucket {
                        key: key | u64::from(next),
                        time: end,
                    }),
                    remaining: count.saturating_sub(next.unwrap_or(used)),
                    reset: end - now,
                    wait: if next.is_some() { 0 } else { end - now },
                    banned,
                    mended,
                }
            }
        }
    }

    /// The bucket of a key that is shut out for so many nanoseconds.
    pub(super) fn banned(self, key: u64, cost: NonZeroU32, now: u64, lasting: u64) -> Bucket {
        match self {
            Self::Gcra { period, burst } => Bucket {
                key: key | FLAG,
                time: now + lasting + period * u64::from(burst.get() - cost.get()),
            },
            Self::Window { .. } => Bucket {
                key: key | u64::from(BANNED),
                time: now + lasting,
            },
        }
    }

    /// The bucket without a request of this cost in it.
    pub(super) fn refunded(self, bucket: Bucket, cost: NonZeroU32) -> Bucket {
        match self {
            Self::Gcra { .. } if bucket.key & FLAG != 0 => bucket,
            Self::Gcra { period, .. } => Bucket {
                time: bucket.time.saturating_sub(period * u64::from(cost.get())),
                ..bucket
            },
            Self::Window { .. } => {
                let used = bucket.key as u32;
                let left = if used == BANNED {
                    used
                } else {
                    used.saturating_sub(cost.get())
                };
                Bucket {
                    key: bucket.key & self.mask() | u64::from(left),
                    ..bucket
                }
            }
        }
    }
}

/// The bucket with its time cut, if that is to be cut.
fn mended(found: Option<Bucket>, furthest: u64) -> Option<Bucket> {
    let bucket = found.filter(|bucket| bucket.time > furthest + BEHIND)?;
    Some(Bucket {
        time: furthest,
        ..bucket
    })
}

fn gcra(
    key: u64,
    tat: Option<u64>,
    period: u64,
    burst: NonZeroU32,
    cost: NonZeroU32,
    now: u64,
) -> Finding {
    let loaded = Loaded(Cell::new(tat));
    let clock = At {
        now,
        begun: Cell::new(false),
    };
    // The period is at least a nanosecond: a quota is at most 10^9 a second.
    let quota = governor::Quota::with_period(Duration::from_nanos(period));
    let checked = quota.map(|quota| {
        let limiter: RateLimiter<_, _, _, StateInformationMiddleware> =
            RateLimiter::new(quota.allow_burst(burst), &loaded, &clock);
        limiter.check_n(cost)
    });
    let wait = match checked {
        Some(Ok(Ok(_))) => None,
        Some(Ok(Err(until))) => Some(until.wait_time_from(Nanos::from(now))),
        // Neither comes from a policy that was read: no cost is above its burst.
        Some(Err(_)) | None => Some(Duration::from_secs(1)),
    };
    let tat = loaded.0.get().unwrap_or(now).max(now);
    // What has not come back yet, in nanoseconds and in units.
    let owed = tat - now;
    let used = u32::try_from(owed.div_ceil(period)).unwrap_or(u32::MAX);
    let wait = wait.map(|wait| u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX));
    Finding {
        admitted: wait.is_none().then_some(Bucket { key, time: tat }),
        remaining: burst.get().saturating_sub(used),
        reset: owed - u64::from(used.saturating_sub(1)) * period.min(owed),
        wait: wait.unwrap_or(0),
        banned: false,
        mended: None,
    }
}

/// A state store of one entry, loaded before and written after by the caller.
struct Loaded(Cell<Option<u64>>);

impl StateStore for &Loaded {
    type Key = NotKeyed;

    fn measure_and_replace<T, F, E>(&self, _: &NotKeyed, f: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let (outcome, next) = f(self.0.get().map(Nanos::from))?;
        self.0.set(Some(next.as_u64()));
        Ok(outcome)
    }
}

/// A clock that stands still. governor counts from the first answer: that is zero, so that what it keeps is the same
/// for all workers.
struct At {
    now: u64,
    begun: Cell<bool>,
}

impl Clock for &At {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        if self.begun.replace(true) {
            Nanos::from(self.now)
        } else {
            Nanos::from(0)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAYS_30: u64 = 30 * 86_400_000_000_000;
    const KEY: u64 = 0x0123_4567_0000_0000;

    fn one(n: u32) -> NonZeroU32 {
        NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN)
    }

    /// An algorithm as a policy may ask for it, the largest among them, and what one request costs.
    fn algorithm() -> impl Strategy<Value = (Algorithm, NonZeroU32)> {
        let count = prop_oneof![1u32..20, 1u32..=1_000_000_000, Just(1_000_000_000)];
        let seconds = prop_oneof![1u64..100, 1u64..=2_592_000, Just(2_592_000)];
        let burst = prop_oneof![1u32..20, 1u32..=1_000_000_000, Just(1_000_000_000)];
        (count, seconds, burst, any::<u32>(), any::<bool>()).prop_map(
            |(count, seconds, burst, cost, window)| {
                let length = seconds * 1_000_000_000;
                let period = length.div_ceil(count.into());
                // As the policy's reader holds it: all of it comes back within 2^62 nanoseconds.
                let most = ((1u64 << 62) - 1) / (period + 1);
                let burst = burst.min(u32::try_from(most).unwrap_or(u32::MAX)).max(1);
                let (algorithm, most) = match window {
                    true => (Algorithm::Window { count, length }, count),
                    false => (
                        Algorithm::Gcra {
                            period,
                            burst: one(burst),
                        },
                        burst,
                    ),
                };
                (algorithm, one(cost % most.min(50) + 1).min(one(most)))
            },
        )
    }

    fn now() -> impl Strategy<Value = u64> {
        prop_oneof![
            Just(0u64),
            Just(1u64 << 62),
            0..=1u64 << 62,
            0..10_000_000_000u64
        ]
    }

    fn ban() -> impl Strategy<Value = u64> {
        prop_oneof![Just(0), Just(DAYS_30), 1_000_000_000..DAYS_30]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1024))]

        /// Whatever stands in a bucket, and whatever the clock says within 146 years: admitted with no wait, or refused
        /// with one after which there is room, and not a nanosecond before.
        #[test]
        fn a_wait_is_as_long_as_it_has_to_be(
            (algorithm, cost) in algorithm(),
            now in now(),
            ban in ban(),
            low in any::<u32>(),
            time in prop::option::of(any::<u64>()),
            near in any::<bool>(),
        ) {
            let key = KEY & algorithm.mask();
            let found = time.map(|time| Bucket {
                key: key | if algorithm.mask() == u64::MAX - 1 { 0 } else { low.into() },
                time: if near { now.saturating_add(time % DAYS_30) } else { time },
            });
            let finding = algorithm.judge(key, found, cost, now, ban);
            prop_assert_eq!(finding.admitted.is_some(), finding.wait == 0);
            prop_assert!(finding.remaining <= algorithm.burst());
            if let Some(next) = finding.admitted {
                prop_assert!(next.time > now);
                prop_assert_eq!(next.key & algorithm.mask(), key);
                prop_assert!(finding.mended.is_none_or(|mended| mended.time == next.time || ban > 0));
                // Taken back, it is as if it had not been.
                let before = algorithm.refunded(next, cost);
                let again = algorithm.judge(key, Some(before), cost, now, ban);
                prop_assert_eq!(again.admitted, Some(next));
                return Ok(());
            }
            prop_assert!(finding.remaining < cost.get());
            prop_assert!(finding.reset > 0 && finding.reset <= finding.wait);
            let kept = finding.mended.or(found);
            let then = |wait: u64| algorithm.judge(key, kept, cost, now + wait, ban);
            prop_assert_eq!(then(finding.wait).wait, 0);
            prop_assert_eq!(then(finding.wait - 1).wait, 1);
            // What was cut is not cut again.
            prop_assert_eq!(then(0).mended, None);
            prop_assert_eq!(then(0).wait, finding.wait);
        }

        /// A key that is shut out stays out for so long, under the largest limits as well.
        #[test]
        fn a_ban_lasts_as_long_as_it_says(
            (algorithm, _) in algorithm(),
            now in now(),
            lasting in 1_000_000_000..=DAYS_30,
        ) {
            let key = KEY & algorithm.mask();
            let bucket = algorithm.banned(key, NonZeroU32::MIN, now, lasting);
            prop_assert_eq!(bucket.key & algorithm.mask(), key);
            let judged = |now| algorithm.judge(key, Some(bucket), NonZeroU32::MIN, now, lasting);
            prop_assert_eq!(judged(now).wait, lasting);
            prop_assert_eq!(judged(now).mended, None);
            prop_assert_eq!(judged(now).remaining, 0);
            prop_assert_eq!(judged(now + lasting - 1).wait, 1);
            prop_assert_eq!(judged(now + lasting).wait, 0);
        }

        /// As many as are left are admitted, one by one and at once; and there is one more when it is said to be.
        #[test]
        fn what_is_left_can_be_had(
            (algorithm, _) in algorithm(),
            now in now(),
            spent in 1u32..40,
            later in 0..4_000_000_000u64,
        ) {
            let key = KEY & algorithm.mask();
            let mut bucket = None;
            for _ in 0..spent {
                let finding = algorithm.judge(key, bucket, NonZeroU32::MIN, now, 0);
                bucket = finding.admitted.or(bucket);
            }
            let now = now + later;
            let finding = algorithm.judge(key, bucket, NonZeroU32::MIN, now, 0);
            let left = finding.remaining + u32::from(finding.admitted.is_some());
            prop_assert!(left >= algorithm.burst().saturating_sub(spent));
            let admits = |cost, at| algorithm.judge(key, bucket, one(cost), at, 0).admitted.is_some();
            prop_assert!(left == 0 || admits(left, now));
            if left < algorithm.burst() {
                prop_assert!(!admits(left + 1, now));
            }
            // Said of the bucket with the request in it.
            let then = finding.admitted.or(bucket);
            let remaining = |at| {
                let finding = algorithm.judge(key, then, NonZeroU32::MIN, at, 0);
                finding.remaining + u32::from(finding.admitted.is_some())
            };
            prop_assert!(remaining(now + finding.reset) > finding.remaining);
            prop_assert_eq!(remaining(now + finding.reset - 1), finding.remaining);
        }
    }

    #[test]
    fn a_mask_keeps_what_tells_clients_apart() {
        let gcra = Algorithm::Gcra {
            period: 1,
            burst: one(1),
        };
        let window = Algorithm::Window {
            count: 1_000_000_000,
            length: 1,
        };
        assert_eq!(gcra.mask(), u64::MAX - 1);
        // The largest count fits beside the fingerprint, and none is the mark of a ban.
        assert_eq!(window.mask(), !u64::from(u32::MAX));
        let full = Bucket {
            key: KEY | 999_999_999,
            time: 5,
        };
        let next = window
            .judge(KEY, Some(full), NonZeroU32::MIN, 4, 0)
            .admitted;
        assert_eq!(
            next,
            Some(Bucket {
                key: KEY | 1_000_000_000,
                time: 5
            })
        );
        assert_eq!(window.judge(KEY, next, NonZeroU32::MIN, 4, 0).wait, 1);
        // Nobody is let in by giving back what a ban has taken.
        let banned = window.banned(KEY, NonZeroU32::MIN, 4, 100);
        assert_eq!(window.refunded(banned, one(7)), banned);
    }
}
