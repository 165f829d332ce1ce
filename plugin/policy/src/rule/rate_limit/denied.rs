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
