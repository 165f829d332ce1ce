//! Keys and values that all VMs of one `vm_id` share, with compare-and-swap.

use std::collections::HashMap;
use std::sync::Mutex;

use super::lock;
use crate::abi::status::Status;
use crate::profile::Profile;

/// Bytes of keys and values over all VMs. Envoy has no such bound; here a guest must not eat the machine.
const MAX_BYTES: usize = 512 * 1024 * 1024;

/// Shared data of one process.
#[derive(Debug)]
pub(crate) struct SharedData {
    zero_cas_overwrites: bool,
    any_cas_creates: bool,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    of_vm: HashMap<String, HashMap<Vec<u8>, Entry>>,
    bytes: usize,
    last_cas: u32,
}

#[derive(Debug)]
struct Entry {
    value: Vec<u8>,
    cas: u32,
}

impl SharedData {
    pub(crate) fn new(profile: &Profile) -> Self {
        Self {
            zero_cas_overwrites: profile.zero_cas_overwrites,
            any_cas_creates: profile.any_cas_creates,
            entries: Mutex::default(),
        }
    }

    /// The value and its cas, which is never 0.
    pub(crate) fn get(&self, vm_id: &str, key: &[u8]) -> Result<(Vec<u8>, u32), Status> {
        let entries = lock(&self.entries);
        let entry = entries.of_vm.get(vm_id).and_then(|of_vm| of_vm.get(key));
        entry
            .map(|entry| (entry.value.clone(), entry.cas))
            .ok_or(Status::NotFound)
    }

    /// Writes if `cas` is the one that the last read gave; 0 means "whatever it is" where the profile says so.
    pub(crate) fn set(
        &self,
        vm_id: &str,
        key: &[u8],
        value: &[u8],
        cas: u32,
    ) -> Result<(), Status> {
        let mut guard = lock(&self.entries);
        let entries = &mut *guard;
        // As in Envoy: one counter over all keys, so that a key's cas also changes when it was written to and back.
        let next_cas = entries.last_cas.checked_add(1).unwrap_or(1);
        let of_vm = entries.of_vm.entry(vm_id.to_owned()).or_default();
        let old_bytes = match of_vm.get(key) {
            Some(entry) if cas != entry.cas && !(cas == 0 && self.zero_cas_overwrites) => {
                return Err(Status::CasMismatch);
            }
            Some(entry) => key.len() + entry.value.len(),
            None if cas != 0 && !self.any_cas_creates => return Err(Status::CasMismatch),
            None => 0,
        };
        let bytes = (entries.bytes - old_bytes).saturating_add(key.len() + value.len());
        if bytes > MAX_BYTES {
            return Err(Status::InternalFailure);
        }
        entries.bytes = bytes;
        entries.last_cas = next_cas;
        of_vm.insert(
            key.to_vec(),
            Entry {
                value: value.to_vec(),
                cas: next_cas,
            },
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compare_and_swap_is_envoys() {
        let data = SharedData::new(&Profile::ENVOY);
        assert_eq!(data.get("vm", b"key"), Err(Status::NotFound));
        assert_eq!(
            data.set("vm", b"key", b"a", 77),
            Ok(()),
            "a missing key is created by any cas"
        );
        let (value, cas) = data.get("vm", b"key").unwrap();
        assert_eq!(value, b"a");
        assert_ne!(cas, 0);
        assert_eq!(
            data.set("vm", b"key", b"b", cas + 1),
            Err(Status::CasMismatch)
        );
        assert_eq!(data.set("vm", b"key", b"b", cas), Ok(()));
        assert_eq!(
            data.set("vm", b"key", b"c", cas),
            Err(Status::CasMismatch),
            "now stale"
        );
        assert_eq!(data.set("vm", b"key", b"d", 0), Ok(()), "0 overwrites");
        assert_eq!(data.get("vm", b"key").unwrap().0, b"d");
        assert_eq!(
            data.get("other", b"key"),
            Err(Status::NotFound),
            "another vm_id"
        );
    }
}
