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
            Self::Gcra { .. } => u64::MAX,
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
                let furthest = now + full.max(full - period + ban);
                let tat = found.map(|bucket| bucket.time.min(furthest));
                let mut finding = gcra(key, tat, period, burst, cost, now);
                finding.mended = mended(found, furthest);
                finding
            }
            Self::Window { count, length } => {
                let found = found.filter(|bucket| bucket.time > now);
                let used = found.map_or(0, |bucket| bucket.key as u32);
                let furthest = now + length.max(ban);
                let end = found.map_or(now + length, |bucket| bucket.time.min(furthest));
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
                    mended: mended(found, furthest),
                }
            }
        }
    }

    /// The bucket of a key that is shut out for so many nanoseconds.
    pub(super) fn banned(self, key: u64, now: u64, lasting: u64) -> Bucket {
        match self {
            Self::Gcra { period, burst } => Bucket {
                key,
                time: now + lasting + period * u64::from(burst.get() - 1),
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
    let bucket = found.filter(|bucket| bucket.time > furthest)?;
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
        banned: wait.is_some_and(|wait| wait > period * u64::from(cost.get())),
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
