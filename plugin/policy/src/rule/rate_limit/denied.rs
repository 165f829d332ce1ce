//! Denials that are known already: who comes again too early costs the store nothing.

use std::cell::RefCell;

use super::key::Key;
use super::standing::Standing;

/// So many are remembered; a new one takes the place of another.
const ENTRIES: usize = 1024;

/// One worker's memory of denials, each with all that was said of it.
#[derive(Debug, Default)]
pub(crate) struct Denied {
    entries: RefCell<Vec<Option<Entry>>>,
}

#[derive(Clone, Debug)]
struct Entry {
    /// The keys of all limits that apply, as one: the same limits, and the same client in each.
    request: Key,
    since: u64,
    until: u64,
    standings: Vec<Standing>,
}

impl Denied {
    /// How the limits stand that a request finds no room in, if that is known.
    pub(super) fn known(&self, request: Key, now: u64) -> Option<Vec<Standing>> {
        let entries = self.entries.borrow();
        let entry = entries.get(place(request))?.as_ref()?;
        // A clock that was set back takes what was remembered with it.
        let holds = entry.request == request && entry.since <= now && now < entry.until;
        let elapsed = now.saturating_sub(entry.since);
        holds.then(|| {
            let standings = entry.standings.iter();
            standings.map(|one| one.after(elapsed)).collect()
        })
    }

    pub(super) fn remember(&self, request: Key, since: u64, until: u64, standings: &[Standing]) {
        let mut entries = self.entries.borrow_mut();
        if entries.is_empty() {
            // Nobody pays for it before anybody is denied.
            entries.resize(ENTRIES, None);
        }
        if let Some(entry) = entries.get_mut(place(request)) {
            *entry = Some(Entry {
                request,
                since,
                until,
                standings: standings.to_vec(),
            });
        }
    }
}

fn place(key: Key) -> usize {
    key.fingerprint as usize >> 8 & (ENTRIES - 1)
}

#[cfg(test)]
mod tests {
    use portcullis_config::Mode;

    use super::*;

    fn key(slot: u64, fingerprint: u64) -> Key {
        Key { slot, fingerprint }
    }

    fn standing(wait: u64) -> Standing {
        Standing {
            at: 0,
            remaining: 3,
            reset: 70,
            wait,
            banned: false,
            mode: Mode::Enforce,
        }
    }

    fn waits(denied: &Denied, key: Key, now: u64) -> Option<(u64, u64)> {
        let standings = denied.known(key, now)?;
        standings.first().map(|one| (one.wait, one.reset))
    }

    #[test]
    fn a_denial_holds_from_when_it_was_said_to_its_time() {
        let denied = Denied::default();
        let one = key(1, 0x1_0000_0001);
        assert!(denied.known(one, 0).is_none(), "nobody has been denied yet");
        denied.remember(one, 100, 200, &[standing(500)]);
        let check = |now, expected| assert_eq!(waits(&denied, one, now), expected, "{now}");
        check(99, None);
        check(100, Some((500, 70)));
        check(180, Some((420, 1)));
        check(199, Some((401, 1)));
        check(200, None);
        check(u64::MAX, None);
        denied.remember(one, 150, 160, &[standing(10)]);
        check(155, Some((5, 65)));
        check(170, None);
    }

    #[test]
    fn who_has_the_same_place_is_somebody_else() {
        let denied = Denied::default();
        let one = key(1, 0xaaaa_0100_0001);
        denied.remember(one, 0, 10, &[standing(10)]);
        let same_fingerprint = key(2, one.fingerprint);
        let same_slot = key(1, one.fingerprint | 1 << 60);
        for other in [same_fingerprint, same_slot, key(0, 0)] {
            assert!(denied.known(other, 5).is_none(), "{other:?}");
        }
        // The later one takes the place, and the earlier is asked about again.
        assert_eq!(place(one), place(same_slot));
        denied.remember(same_slot, 0, 20, &[standing(20)]);
        assert!(denied.known(one, 5).is_none());
        assert!(denied.known(same_slot, 5).is_some());
    }

    #[test]
    fn places_are_spread_and_as_many_as_there_are() {
        let places: std::collections::BTreeSet<usize> = (0..4096u64)
            .map(|n| place(key(0, n << 8 | 1 << 32 | 1)))
            .collect();
        assert_eq!(places.len(), ENTRIES);
        assert_eq!(places.last(), Some(&(ENTRIES - 1)));
        let denied = Denied::default();
        for n in 0..5000u64 {
            denied.remember(key(n, n << 8), 0, 10, &[]);
        }
        assert_eq!(denied.entries.borrow().len(), ENTRIES);
    }
}
