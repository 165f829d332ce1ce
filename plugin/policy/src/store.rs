//! The one door to state that outlives an exchange and that workers share.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

/// Values under keys, each with a version: what proxy-wasm hosts call shared data.
pub trait Store {
    /// The value under `key`, if there is one.
    ///
    /// # Errors
    /// If the host does not answer.
    fn get(&self, key: &[u8]) -> Result<Option<Versioned>, Unavailable>;

    /// Writes `value` if what stands under `key` is still of this version, or still nothing for `None`. `false` is that
    /// another writer was faster.
    ///
    /// # Errors
    /// If the host does not answer.
    fn set(&self, key: &[u8], value: &[u8], version: Option<u32>) -> Result<bool, Unavailable>;
}

/// A value, and what a writer must know to replace it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    /// The bytes.
    pub value: Vec<u8>,
    /// Changes with every write.
    pub version: u32,
}

/// The store does not work, for the reason with this number (a proxy-wasm status).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable(pub u32);

/// A store of one's own: for hosts that share nothing, and wherever there is no host.
#[derive(Debug)]
pub struct LocalStore {
    values: RefCell<BTreeMap<Vec<u8>, Versioned>>,
    /// How many bytes of keys and first values there is room for.
    room: Cell<usize>,
}

impl LocalStore {
    /// One whose keys and first values take no more bytes than these; without room it is unavailable, with proxy-wasm's
    /// status for an internal failure. Limits write values of one length.
    pub fn bounded(bytes: usize) -> Self {
        Self {
            values: RefCell::default(),
            room: Cell::new(bytes),
        }
    }
}

impl Default for LocalStore {
    fn default() -> Self {
        Self::bounded(usize::MAX)
    }
}

const FULL: Unavailable = Unavailable(10);

/// A store that is not there.
pub(crate) struct NoStore;

impl Store for NoStore {
    fn get(&self, _: &[u8]) -> Result<Option<Versioned>, Unavailable> {
        Err(Unavailable(0))
    }

    fn set(&self, _: &[u8], _: &[u8], _: Option<u32>) -> Result<bool, Unavailable> {
        Err(Unavailable(0))
    }
}

impl Store for LocalStore {
    fn get(&self, key: &[u8]) -> Result<Option<Versioned>, Unavailable> {
        Ok(self.values.borrow().get(key).cloned())
    }

    fn set(&self, key: &[u8], value: &[u8], version: Option<u32>) -> Result<bool, Unavailable> {
        let mut values = self.values.borrow_mut();
        let found = values.get(key).map(|versioned| versioned.version);
        if found != version {
            return Ok(false);
        }
        if version.is_none() {
            let room = self.room.get().checked_sub(key.len() + value.len());
            self.room.set(room.ok_or(FULL)?);
        }
        let versioned = Versioned {
            value: value.to_vec(),
            version: version.unwrap_or(0).wrapping_add(1),
        };
        values.insert(key.to_vec(), versioned);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_store_keeps_what_it_has() {
        let store = LocalStore::bounded(10);
        assert_eq!(store.set(b"one", b"12", None), Ok(true));
        assert_eq!(store.set(b"two", b"123", None), Err(FULL));
        assert_eq!(store.set(b"one", b"34", Some(1)), Ok(true));
        assert_eq!(store.set(b"two", b"12", None), Ok(true));
        assert_eq!(store.get(b"one").unwrap().unwrap().value, b"34");
    }
}
