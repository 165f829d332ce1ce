//! Denials that are known already: who comes again too early costs the store nothing.

use std::cell::RefCell;

use super::key::Key;

/// So many are remembered; a new one takes the place of another.
const ENTRIES: usize = 1024;

/// One worker's memory of denials. A limit only ever comes closer to a key, so a denial holds until its time.
#[derive(Debug, Default)]
pub(crate) struct Denied {
    entries: RefCell<Vec<Entry>>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    key: Key,
    since: u64,
    until: u64,
    banned: bool,
}

impl Denied {
    /// Until when the key is denied, and whether it is banned.
    pub(super) fn until(&self, key: Key, now: u64) -> Option<(u64, bool)> {
        let entries = self.entries.borrow();
        let entry = entries.get(place(key))?;
        // A clock that was set back takes what was remembered with it.
        let holds = entry.since <= now && now < entry.until;
        (entry.key == key && holds).then_some((entry.until, entry.banned))
    }

    pub(super) fn remember(&self, key: Key, since: u64, until: u64, banned: bool) {
        let mut entries = self.entries.borrow_mut();
        if entries.is_empty() {
            // Nobody pays for it before anybody is denied.
            let nobody = Key {
                slot: 0,
                fingerprint: 0,
            };
            let none = Entry {
                key: nobody,
                since: 0,
                until: 0,
                banned: false,
            };
            entries.resize(ENTRIES, none);
        }
        if let Some(entry) = entries.get_mut(place(key)) {
            *entry = Entry {
                key,
                since,
                until,
                banned,
            };
        }
    }
}

fn place(key: Key) -> usize {
    key.fingerprint as usize >> 8 & (ENTRIES - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(slot: u64, fingerprint: u64) -> Key {
        Key { slot, fingerprint }
    }

    #[test]
    fn a_denial_holds_from_when_it_was_said_to_its_time() {
        let denied = Denied::default();
        let one = key(1, 0x1_0000_0001);
        assert_eq!(denied.until(one, 0), None, "nobody has been denied yet");
        denied.remember(one, 100, 200, true);
        let check = |now, expected| assert_eq!(denied.until(one, now), expected, "{now}");
        check(99, None);
        check(100, Some((200, true)));
        check(199, Some((200, true)));
        check(200, None);
        check(u64::MAX, None);
        denied.remember(one, 150, 160, false);
        check(155, Some((160, false)));
        check(170, None);
        denied.remember(one, 0, u64::MAX, false);
        check(0, Some((u64::MAX, false)));
        check(u64::MAX - 1, Some((u64::MAX, false)));
        check(u64::MAX, None);
    }

    #[test]
    fn who_has_the_same_place_is_somebody_else() {
        let denied = Denied::default();
        let one = key(1, 0xaaaa_0100_0001);
        denied.remember(one, 0, 10, false);
        let same_fingerprint = key(2, one.fingerprint);
        let same_slot = key(1, one.fingerprint | 1 << 60);
        for other in [same_fingerprint, same_slot, key(0, 0)] {
            assert_eq!(denied.until(other, 5), None, "{other:?}");
        }
        // The later one takes the place, and the earlier is asked about again.
        assert_eq!(place(one), place(same_slot));
        denied.remember(same_slot, 0, 20, true);
        assert_eq!(denied.until(one, 5), None);
        assert_eq!(denied.until(same_slot, 5), Some((20, true)));
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
            denied.remember(key(n, n << 8), 0, 10, false);
        }
        assert_eq!(denied.entries.borrow().len(), ENTRIES);
    }
}
