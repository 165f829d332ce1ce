//! A table of fixed size for any number of clients: slots of eight buckets, each slot one value in the store.
//!
//! A bucket is found by a fingerprint. Where a slot is full, the bucket that would be free again first makes room: it
//! holds the least, and who is near a limit is never forgotten for a stranger. What is forgotten begins afresh, so a
//! table that is too small admits too much and never refuses wrongly.

use crate::store::{Store, Unavailable, Versioned};

/// Buckets in a slot: one value of 136 bytes costs a host no more than one of 8.
pub(super) const WAYS: usize = 8;
/// What one slot takes in a host's memory, as measured in Envoy: value, key and the map around them.
const SLOT_BYTES: u64 = 272;
/// A value: version, ways, the table's tag, a checksum; then the buckets.
const HEADER: usize = 8;
const VALUE: usize = HEADER + WAYS * 16;
const VERSION: u8 = 1;

/// The length of a slot's key, and of the number at its end. Short: nginx then keeps a slot in 256 bytes, and not in 512.
const KEY: usize = 24;
const DIGITS: usize = 4;

/// One table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// Begins the key of each slot; the rest is its number.
    prefix: [u8; KEY - DIGITS],
    tag: u16,
    slots: u32,
}

/// What is kept for one key of one limit. An all-zero bucket is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bucket {
    /// A fingerprint; its low half may hold a count.
    pub(super) key: u64,
    /// When it would be as if it had never been, in nanoseconds.
    pub(super) time: u64,
}

/// A slot as it was read.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    buckets: [Bucket; WAYS],
    version: Option<u32>,
}

impl Table {
    /// The table of what `identity` names, for at least `capacity` keys.
    pub(super) fn new(identity: u64, capacity: u32) -> Self {
        Self {
            prefix: prefix(identity),
            tag: u16::try_from(identity >> 48).unwrap_or(0),
            slots: capacity.div_ceil(WAYS as u32).max(1),
        }
    }

    /// What it takes in a host's memory, in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        u64::from(self.slots) * SLOT_BYTES
    }

    /// How many keys it can hold.
    pub(crate) fn capacity(&self) -> u32 {
        self.slots.saturating_mul(WAYS as u32)
    }

    /// Creates every slot that is not there, so that the table never grows again.
    ///
    /// # Errors
    /// If the store does not work.
    pub(super) fn create(&self, store: &dyn Store) -> Result<(), Unavailable> {
        // Where the mark stands, another worker has been through, or is: what it has not created yet, the first
        // request does.
        let mark = [&self.prefix[..], b"made"].concat();
        if store.get(&mark)?.is_some() {
            return Ok(());
        }
        let empty = self.encoded(&[Bucket::default(); WAYS]);
        for slot in 0..self.slots {
            store.set(&self.key(slot), &empty, None)?;
        }
        store.set(&mark, b"1", None)?;
        Ok(())
    }

    /// The slot that a hash falls into.
    pub(super) fn slot_of(&self, hash: u64) -> u32 {
        let scaled = (u128::from(hash) * u128::from(self.slots)) >> 64;
        u32::try_from(scaled).unwrap_or(0)
    }

    /// Reads a slot. One that is not there, or whose bytes are none, is empty.
    ///
    /// # Errors
    /// If the store does not work.
    pub(super) fn read(&self, slot: u32, store: &dyn Store) -> Result<Slot, Unavailable> {
        let key = self.key(slot);
        let mut found = store.get(&key)?;
        // ngx_wasm_module copies a value after it gives up the lock: a torn one is read again.
        if found
            .as_ref()
            .is_some_and(|found| self.decoded(found).is_none())
        {
            found = store.get(&key)?;
        }
        Ok(match found {
            None => Slot {
                buckets: Default::default(),
                version: None,
            },
            Some(found) => Slot {
                buckets: self.decoded(&found).unwrap_or_default(),
                version: Some(found.version),
            },
        })
    }

    /// Writes a slot, if nobody has since it was read.
    ///
    /// # Errors
    /// If the store does not work.
    pub(super) fn write(
        &self,
        at: u32,
        slot: &Slot,
        store: &dyn Store,
    ) -> Result<bool, Unavailable> {
        store.set(&self.key(at), &self.encoded(&slot.buckets), slot.version)
    }

    /// ngx_wasm_module looks values up by the CRC-32 of their keys and nothing else. A burst of up to 32 bits always
    /// changes a CRC-32, so names that differ in their last four bytes alone are never taken for each other.
    fn key(&self, slot: u32) -> [u8; KEY] {
        let mut key = [0; KEY];
        let (prefix, digits) = key.split_at_mut(KEY - DIGITS);
        prefix.copy_from_slice(&self.prefix);
        for (digit, shift) in digits.iter_mut().zip([18, 12, 6, 0]) {
            *digit = digit_of(slot >> shift);
        }
        key
    }

    fn encoded(&self, buckets: &[Bucket; WAYS]) -> [u8; VALUE] {
        let mut bytes = [0; VALUE];
        let (header, rest) = bytes.split_at_mut(HEADER);
        for (bucket, place) in buckets.iter().zip(rest.chunks_exact_mut(16)) {
            let (key, time) = place.split_at_mut(8);
            key.copy_from_slice(&bucket.key.to_le_bytes());
            time.copy_from_slice(&bucket.time.to_le_bytes());
        }
        let [tag0, tag1] = self.tag.to_le_bytes();
        let [sum0, sum1, sum2, sum3] = checksum(buckets).to_le_bytes();
        header.copy_from_slice(&[VERSION, WAYS as u8, tag0, tag1, sum0, sum1, sum2, sum3]);
        bytes
    }

    fn decoded(&self, found: &Versioned) -> Option<[Bucket; WAYS]> {
        let (header, rest) = found.value.split_first_chunk::<HEADER>()?;
        let rest: &[u8; VALUE - HEADER] = rest.try_into().ok()?;
        let mut buckets = [Bucket::default(); WAYS];
        for (bucket, bytes) in buckets.iter_mut().zip(rest.chunks_exact(16)) {
            let (key, time) = bytes.split_first_chunk::<8>()?;
            bucket.key = u64::from_le_bytes(*key);
            bucket.time = u64::from_le_bytes(time.try_into().ok()?);
        }
        let [version, ways, tag0, tag1, sum @ ..] = *header;
        let ours = version == VERSION
            && usize::from(ways) == WAYS
            && u16::from_le_bytes([tag0, tag1]) == self.tag
            && u32::from_le_bytes(sum) == checksum(&buckets);
        ours.then_some(buckets)
    }
}

impl Slot {
    /// The bucket whose key, under `mask`, is this one.
    pub(super) fn find(&self, key: u64, mask: u64) -> Option<Bucket> {
        let mut buckets = self.buckets.iter();
        buckets.find(|bucket| bucket.key & mask == key).copied()
    }

    /// Puts a bucket in the place of the one with its key, or of the one that is free first; whether that one was
    /// still of use.
    pub(super) fn put(&mut self, bucket: Bucket, mask: u64, now: u64) -> bool {
        let key = bucket.key & mask;
        let place = match self.buckets.iter().position(|one| one.key & mask == key) {
            Some(at) => self.buckets.get_mut(at),
            // A window ends when it ends, whatever is in it: there the count says how much would be forgotten.
            None => self.buckets.iter_mut().min_by_key(|one| {
                let live = one.time > now;
                (live, if live { one.key & !mask } else { 0 }, one.time)
            }),
        };
        let Some(place) = place else {
            return false;
        };
        let before = std::mem::replace(place, bucket);
        before.key & mask != key && before.time > now
    }
}

/// `pc/`, the identity in hexadecimal digits, and `/`.
fn prefix(identity: u64) -> [u8; KEY - DIGITS] {
    let mut prefix = *b"pc/----------------/";
    let digits = prefix.iter_mut().skip(3).take(16);
    for (digit, shift) in digits.zip((0..64).step_by(4)) {
        *digit = digit_of((identity >> shift & 0xf) as u32);
    }
    prefix
}

/// The digit of the lowest six bits.
fn digit_of(number: u32) -> u8 {
    const ALL: &[u8; 64] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
    let digit = ALL.get((number & 63) as usize);
    digit.copied().unwrap_or(b'0')
}

/// Tells a torn value, not a forged one: who can write to the store needs no forgery.
fn checksum(buckets: &[Bucket; WAYS]) -> u32 {
    let mixed = buckets
        .iter()
        .fold(0x9e37_79b9_7f4a_7c15u64, |sum, bucket| {
            let sum = (sum ^ bucket.key)
                .wrapping_mul(0xff51_afd7_ed55_8ccd)
                .rotate_left(29);
            (sum ^ bucket.time)
                .wrapping_mul(0xc4ce_b9fe_1a85_ec53)
                .rotate_left(31)
        });
    (mixed ^ mixed >> 32) as u32
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::store::LocalStore;

    /// CRC-32 as nginx computes it (ISO 3309).
    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
            })
        })
    }

    #[test]
    fn no_two_slots_of_a_table_have_one_crc() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        let table = Table::new(0x0123_4567_89ab_cdef, 1 << 18);
        let sums: BTreeSet<u32> = (0..table.slots)
            .map(|slot| crc32(&table.key(slot)))
            .collect();
        assert_eq!(sums.len(), table.slots as usize);
    }

    #[test]
    fn a_table_is_as_large_as_it_says() {
        let check = |capacity: u32, slots: u32| {
            let table = Table::new(7, capacity);
            let store = LocalStore::default();
            table.create(&store).unwrap();
            assert_eq!(table.slots, slots, "{capacity}");
            assert!(table.capacity() >= capacity);
            let last = table.key(slots - 1);
            assert!(store.get(&last).unwrap().is_some());
            assert!(store.get(&table.key(slots)).unwrap().is_none());
            assert_eq!(table.slot_of(u64::MAX), slots - 1);
            assert_eq!(table.slot_of(0), 0);
        };
        check(1, 1);
        check(8, 1);
        check(9, 2);
        check(131_072, 16_384);
    }

    #[test]
    fn bytes_that_are_no_slot_are_an_empty_one() {
        let table = Table::new(7 << 48, 8);
        let other = Table::new(8 << 48, 8);
        let mut slot = table.read(0, &LocalStore::default()).unwrap();
        slot.put(Bucket { key: 5, time: 6 }, u64::MAX, 0);
        let whole = table.encoded(&slot.buckets);
        let read = |value: &[u8], table: &Table| {
            let store = LocalStore::default();
            store.set(&table.key(0), value, None).unwrap();
            table.read(0, &store).unwrap().find(5, u64::MAX)
        };
        assert_eq!(read(&whole, &table), Some(Bucket { key: 5, time: 6 }));
        assert_eq!(read(&whole, &other), None, "another table's");
        assert_eq!(read(&[], &table), None);
        assert_eq!(read(&whole[..whole.len() - 1], &table), None);
        for at in 0..whole.len() {
            let mut torn = whole;
            torn[at] ^= 1;
            assert_eq!(read(&torn, &table), None, "byte {at}");
        }
    }

    #[test]
    fn who_is_free_first_makes_room() {
        let mut slot = Slot {
            buckets: Default::default(),
            version: None,
        };
        for key in 1..=8 {
            slot.put(
                Bucket {
                    key,
                    time: 100 - key,
                },
                u64::MAX,
                0,
            );
        }
        slot.put(Bucket { key: 9, time: 1 }, u64::MAX, 0);
        slot.put(Bucket { key: 10, time: 200 }, u64::MAX, 0);
        let left: Vec<u64> = (1..=10)
            .filter(|key| slot.find(*key, u64::MAX).is_some())
            .collect();
        assert_eq!(left, [1, 2, 3, 4, 5, 6, 7, 10]);
    }
}
