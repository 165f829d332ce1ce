//! Keys and values that all VMs of one `vm_id` share, with compare-and-swap.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use super::lock;
use crate::abi::status::Status;
use crate::profile::{Profile, Sharing};

/// Bytes of keys and values over all VMs. Envoy has no such bound; here a guest must not eat the machine.
const MAX_BYTES: usize = 512 * 1024 * 1024;

/// Shared data of one process.
#[derive(Debug)]
pub(crate) struct SharedData {
    sharing: Option<Sharing>,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    of_vm: HashMap<String, HashMap<Vec<u8>, Entry>>,
    bytes: usize,
    last_cas: u32,
    /// For each write to come, whether somebody else is faster.
    rivals: VecDeque<bool>,
}

#[derive(Debug)]
struct Entry {
    value: Vec<u8>,
    cas: u32,
}

impl SharedData {
    pub(crate) fn new(profile: &Profile) -> Self {
        Self {
            sharing: profile.shared_data.ok(),
            entries: Mutex::default(),
        }
    }

    /// The value and its cas, which is never 0.
    pub(crate) fn get(&self, vm_id: &str, key: &[u8]) -> Result<(Vec<u8>, u32), Status> {
        let sharing = self.sharing.ok_or(Status::Unimplemented)?;
        let (vm_id, key) = sharing.place(vm_id, key);
        let entries = lock(&self.entries);
        let entry = entries.of_vm.get(vm_id).and_then(|of_vm| of_vm.get(&*key));
        entry
            .map(|entry| (entry.value.clone(), entry.cas))
            .ok_or(Status::NotFound)
    }

    /// Writes if `cas` is the one that the last read gave; 0 means "whatever it is" where the profile says so. `None` is
    /// a null pointer.
    pub(crate) fn set(
        &self,
        vm_id: &str,
        key: &[u8],
        value: Option<&[u8]>,
        cas: u32,
    ) -> Result<(), Status> {
        let sharing = self.sharing.ok_or(Status::Unimplemented)?;
        let (vm_id, key) = sharing.place(vm_id, key);
        let mut entries = lock(&self.entries);
        if entries.rivals.pop_front() == Some(true) {
            let value = entries
                .of(vm_id)
                .get(&*key)
                .map(|entry| entry.value.clone());
            entries.put(&sharing, vm_id, &key, Some(value.unwrap_or_default()))?;
        }
        let allowed = match entries.of(vm_id).get(&*key) {
            Some(entry) => cas == entry.cas || (cas == 0 && sharing.zero_cas_overwrites),
            None => cas == 0 || sharing.any_cas_creates,
        };
        if !allowed {
            return Err(Status::CasMismatch);
        }
        let value = match value {
            None if sharing.null_deletes => None,
            value => Some(value.unwrap_or_default().to_vec()),
        };
        entries.put(&sharing, vm_id, &key, value)
    }

    /// Before each write that `plan` has a `true` for, somebody else writes the same key: what stands there already, or
    /// nothing.
    pub(crate) fn rival(&self, plan: Vec<bool>) {
        lock(&self.entries).rivals = plan.into();
    }

    /// How many values VMs of that id share.
    pub(crate) fn count(&self, vm_id: &str) -> usize {
        let vm_id = self
            .sharing
            .map_or("", |sharing| sharing.place(vm_id, b"").0);
        lock(&self.entries).of(vm_id).len()
    }
}

impl Entries {
    fn of(&mut self, vm_id: &str) -> &mut HashMap<Vec<u8>, Entry> {
        self.of_vm.entry(vm_id.to_owned()).or_default()
    }

    /// Writes, or deletes where there is no value.
    fn put(
        &mut self,
        sharing: &Sharing,
        vm_id: &str,
        key: &[u8],
        value: Option<Vec<u8>>,
    ) -> Result<(), Status> {
        let old = self.of(vm_id).get(key);
        let (old_bytes, old_cas) = old.map_or((0, 0), |old| (key.len() + old.value.len(), old.cas));
        let rest = self.bytes.saturating_sub(old_bytes);
        let Some(value) = value else {
            self.bytes = rest;
            return match self.of(vm_id).remove(key) {
                Some(_) => Ok(()),
                None => Err(Status::CasMismatch),
            };
        };
        let bytes = rest.saturating_add(key.len() + value.len());
        if bytes > MAX_BYTES {
            return Err(Status::InternalFailure);
        }
        self.bytes = bytes;
        // Envoy has one counter over all keys, ngx_wasm_module one for each key, which ends with it.
        let last = if sharing.keys_by_crc32 {
            old_cas
        } else {
            self.last_cas
        };
        let cas = last.checked_add(1).unwrap_or(1);
        self.last_cas = cas;
        self.of(vm_id).insert(key.to_vec(), Entry { value, cas });
        Ok(())
    }
}

impl Sharing {
    /// Where a key really is.
    fn place<'a>(&self, vm_id: &'a str, key: &'a [u8]) -> (&'a str, Cow<'a, [u8]>) {
        if self.keys_by_crc32 {
            ("", crc32(key).to_be_bytes().to_vec().into())
        } else {
            (vm_id, key.into())
        }
    }
}

/// CRC-32 as nginx computes it (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compare_and_swap_is_envoys() {
        let data = SharedData::new(&Profile::ENVOY);
        let set = |value: &[u8], cas| data.set("vm", b"key", Some(value), cas);
        assert_eq!(data.get("vm", b"key"), Err(Status::NotFound));
        assert_eq!(set(b"a", 77), Ok(()), "a missing key is created by any cas");
        let (value, cas) = data.get("vm", b"key").unwrap();
        assert_eq!(value, b"a");
        assert_ne!(cas, 0);
        assert_eq!(set(b"b", cas + 1), Err(Status::CasMismatch));
        assert_eq!(set(b"b", cas), Ok(()));
        assert_eq!(set(b"c", cas), Err(Status::CasMismatch), "now stale");
        assert_eq!(set(b"d", 0), Ok(()), "0 overwrites");
        assert_eq!(data.get("vm", b"key").unwrap().0, b"d");
        assert_eq!(
            data.get("other", b"key"),
            Err(Status::NotFound),
            "another vm_id"
        );
        assert_eq!(data.set("vm", b"key", None, 0), Ok(()), "nothing deletes");
        assert_eq!(data.get("vm", b"key").unwrap().0, b"");
    }

    #[test]
    fn compare_and_swap_is_kongs() {
        let data = SharedData::new(&Profile::KONG);
        let set = |value: &[u8], cas| data.set("vm", b"key", Some(value), cas);
        assert_eq!(data.get("vm", b"key"), Err(Status::NotFound));
        assert_eq!(set(b"a", 77), Err(Status::CasMismatch));
        assert_eq!(data.set("vm", b"key", None, 0), Err(Status::CasMismatch));
        assert_eq!(set(b"a", 0), Ok(()), "0 creates");
        assert_eq!(data.get("vm", b"key").unwrap(), (b"a".to_vec(), 1));
        assert_eq!(set(b"b", 0), Err(Status::CasMismatch), "and that is all");
        assert_eq!(set(b"b", 1), Ok(()));
        assert_eq!(set(b"c", 1), Err(Status::CasMismatch), "now stale");
        assert_eq!(data.get("other", b"key").unwrap(), (b"b".to_vec(), 2));
        assert_eq!(set(b"", 2), Ok(()), "an empty value is one");
        assert_eq!(data.get("vm", b"key").unwrap(), (Vec::new(), 3));
        assert_eq!(data.set("vm", b"key", None, 2), Err(Status::CasMismatch));
        assert_eq!(data.set("vm", b"key", None, 3), Ok(()), "null deletes");
        assert_eq!(data.get("vm", b"key"), Err(Status::NotFound));
        assert_eq!(set(b"d", 0), Ok(()));
        assert_eq!(data.get("vm", b"key").unwrap().1, 1, "it counts anew");
    }

    #[test]
    fn kong_takes_keys_of_one_crc32_for_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        let data = SharedData::new(&Profile::KONG);
        assert_eq!(data.set("vm", b"plumless", Some(b"a"), 0), Ok(()));
        assert_eq!(data.get("vm", b"buckeroo").unwrap().0, b"a");
        assert_eq!(data.count("vm"), 1);
        let data = SharedData::new(&Profile::ENVOY);
        assert_eq!(data.set("vm", b"plumless", Some(b"a"), 0), Ok(()));
        assert_eq!(data.get("vm", b"buckeroo"), Err(Status::NotFound));
    }

    #[test]
    fn apisix_has_none() {
        let data = SharedData::new(&Profile::APISIX);
        assert_eq!(data.get("vm", b"key"), Err(Status::Unimplemented));
        let set = data.set("vm", b"key", Some(b"a"), 0);
        assert_eq!((set, data.count("vm")), (Err(Status::Unimplemented), 0));
    }

    #[test]
    fn who_is_slower_than_another_is_told_so() {
        for profile in [Profile::ENVOY, Profile::KONG] {
            let data = SharedData::new(&profile);
            assert_eq!(data.set("vm", b"key", Some(b"a"), 0), Ok(()));
            let (_, cas) = data.get("vm", b"key").unwrap();
            data.rival(vec![true, false, true]);
            let set = |cas| data.set("vm", b"key", Some(b"b"), cas);
            assert_eq!(set(cas), Err(Status::CasMismatch));
            let (value, cas) = data.get("vm", b"key").unwrap();
            assert_eq!((value, set(cas)), (b"a".to_vec(), Ok(())));
            // Where nothing stood, somebody else has put nothing.
            let created = data.set("vm", b"new", Some(b"b"), 77);
            assert_eq!(created, Err(Status::CasMismatch));
            assert_eq!(data.get("vm", b"new").unwrap().0, b"");
            assert_eq!(data.set("vm", b"other", Some(b"b"), 0), Ok(()));
        }
    }
}
