//! The time that guests are told: the machine's, or one that a test sets.
//!
//! Both of a guest's clocks come from here. Stepping the wall clock leaves the monotonic one where it is, as on a real
//! machine; that one can be stepped too, for it is another after the machine was started again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A wall clock in nanoseconds since the Unix epoch, and a monotonic one in nanoseconds since the clock was made.
#[derive(Debug)]
pub struct Clock(Kind);

#[derive(Debug)]
enum Kind {
    System {
        started: Instant,
    },
    Virtual {
        wall: AtomicU64,
        monotonic: AtomicU64,
    },
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Kind::System {
            started: Instant::now(),
        })
    }

    /// A clock that stands still at `now` (since the Unix epoch) until it is moved.
    pub fn stopped_at(now: Duration) -> Self {
        Self(Kind::Virtual {
            wall: AtomicU64::new(nanoseconds(now)),
            monotonic: AtomicU64::new(0),
        })
    }

    /// Nanoseconds since the Unix epoch.
    pub fn now(&self) -> u64 {
        match &self.0 {
            Kind::System { .. } => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, nanoseconds),
            Kind::Virtual { wall, .. } => wall.load(Ordering::SeqCst),
        }
    }

    /// Nanoseconds that never run backwards.
    pub fn monotonic(&self) -> u64 {
        match &self.0 {
            Kind::System { started } => nanoseconds(started.elapsed()),
            Kind::Virtual { monotonic, .. } => monotonic.load(Ordering::SeqCst),
        }
    }

    /// Lets time pass on both clocks; says whether this clock can be moved (the machine's cannot).
    pub fn advance(&self, by: Duration) -> bool {
        let Kind::Virtual { wall, monotonic } = &self.0 else {
            return false;
        };
        for clock in [wall, monotonic] {
            add(clock, nanoseconds(by));
        }
        true
    }

    /// Sets the wall clock forward or back by so many nanoseconds, as an operator or NTP does; says whether this clock can
    /// be moved so: the machine's cannot, and none to before its beginning.
    pub fn step_wall(&self, by: i64) -> bool {
        matches!(&self.0, Kind::Virtual { wall, .. } if step(wall, by))
    }

    /// [`step_wall`](Self::step_wall) for the monotonic clock.
    pub fn step_monotonic(&self, by: i64) -> bool {
        matches!(&self.0, Kind::Virtual { monotonic, .. } if step(monotonic, by))
    }
}

fn step(clock: &AtomicU64, by: i64) -> bool {
    clock
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| {
            now.checked_add_signed(by)
        })
        .is_ok()
}

fn add(clock: &AtomicU64, by: u64) {
    // Cannot fail: the closure always gives a value.
    let _ = clock.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| {
        Some(now.saturating_add(by))
    });
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_clock_moves_only_when_told() {
        let clock = Clock::stopped_at(Duration::from_secs(100));
        assert_eq!((clock.now(), clock.monotonic()), (100_000_000_000, 0));
        assert!(clock.advance(Duration::from_secs(60)));
        assert!(clock.step_wall(-150_000_000_000));
        assert_eq!(
            (clock.now(), clock.monotonic()),
            (10_000_000_000, 60_000_000_000)
        );
        assert!(clock.step_monotonic(-59_000_000_000));
        assert!(
            !clock.step_monotonic(-1_000_000_001),
            "before its beginning"
        );
        assert_eq!(
            (clock.now(), clock.monotonic()),
            (10_000_000_000, 1_000_000_000)
        );
    }

    #[test]
    fn the_machines_clock_cannot_be_moved() {
        let clock = Clock::system();
        assert!(!clock.advance(Duration::from_secs(60)));
        assert!(!clock.step_wall(1) && !clock.step_monotonic(1));
        assert!(clock.now() > 1_700_000_000_000_000_000);
    }
}
