//! Queues that all VMs share: whoever registered one last is told when something arrives.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Mutex;

use super::lock;
use crate::abi::status::Status;

/// Entries of one queue, and notices of one VM, that wait at most. Envoy has no such bound.
const MAX_WAITING: usize = 65_536;
/// Bytes of one entry at most.
const MAX_ENTRY_BYTES: usize = 1024 * 1024;
/// Queues at most.
const MAX_QUEUES: usize = 1_024;

/// The queues of one process.
#[derive(Debug, Default)]
pub(crate) struct Queues(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    tokens: HashMap<(String, Vec<u8>), u32>,
    queues: BTreeMap<u32, Queue>,
    notices: HashMap<u64, VecDeque<Notice>>,
}

#[derive(Debug, Default)]
struct Queue {
    entries: VecDeque<Vec<u8>>,
    /// The instance and the root context that hear of new entries.
    listener: (u64, u32),
}

/// Something has arrived in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) context: u32,
    pub(crate) token: u32,
}

impl Queues {
    /// The token of the queue of that name, made if need be; its entries stay.
    pub(crate) fn register(
        &self,
        vm_id: &str,
        name: &[u8],
        listener: (u64, u32),
    ) -> Result<u32, Status> {
        let mut inner = lock(&self.0);
        let next = u32::try_from(inner.queues.len())
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        let key = (vm_id.to_owned(), name.to_vec());
        let token = inner.tokens.get(&key).copied().unwrap_or(next);
        if token == next && inner.queues.len() >= MAX_QUEUES {
            return Err(Status::InternalFailure);
        }
        inner.tokens.insert(key, token);
        inner.queues.entry(token).or_default().listener = listener;
        Ok(token)
    }

    pub(crate) fn resolve(&self, vm_id: &str, name: &[u8]) -> Result<u32, Status> {
        let key = (vm_id.to_owned(), name.to_vec());
        lock(&self.0)
            .tokens
            .get(&key)
            .copied()
            .ok_or(Status::NotFound)
    }

    pub(crate) fn enqueue(&self, token: u32, entry: &[u8]) -> Result<(), Status> {
        let mut guard = lock(&self.0);
        let inner = &mut *guard;
        let queue = inner.queues.get_mut(&token).ok_or(Status::NotFound)?;
        if queue.entries.len() >= MAX_WAITING || entry.len() > MAX_ENTRY_BYTES {
            return Err(Status::InternalFailure);
        }
        queue.entries.push_back(entry.to_vec());
        let (instance, context) = queue.listener;
        let notices = inner.notices.entry(instance).or_default();
        if notices.len() < MAX_WAITING {
            notices.push_back(Notice { context, token });
        }
        Ok(())
    }

    pub(crate) fn dequeue(&self, token: u32) -> Result<Vec<u8>, Status> {
        let mut inner = lock(&self.0);
        let queue = inner.queues.get_mut(&token).ok_or(Status::NotFound)?;
        queue.entries.pop_front().ok_or(Status::Empty)
    }

    /// Takes what an instance has not been told of yet.
    pub(crate) fn take_notices(&self, instance: u64) -> VecDeque<Notice> {
        lock(&self.0).notices.remove(&instance).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_out_in_order_and_the_last_registrar_is_told() {
        let queues = Queues::default();
        assert_eq!(queues.resolve("vm", b"q"), Err(Status::NotFound));
        let token = queues.register("vm", b"q", (1, 1)).unwrap();
        assert_eq!(queues.register("vm", b"q", (2, 7)), Ok(token));
        assert_eq!(queues.resolve("vm", b"q"), Ok(token));
        assert_ne!(queues.register("other", b"q", (1, 1)), Ok(token));
        assert_eq!(queues.dequeue(token), Err(Status::Empty));
        assert_eq!(queues.enqueue(token, b"a"), Ok(()));
        assert_eq!(queues.enqueue(token, b"b"), Ok(()));
        assert_eq!(queues.dequeue(token).unwrap(), b"a");
        assert_eq!(queues.dequeue(token).unwrap(), b"b");
        assert_eq!(queues.enqueue(99, b"x"), Err(Status::NotFound));
        assert!(queues.take_notices(1).is_empty());
        assert_eq!(queues.take_notices(2), [Notice { context: 7, token }; 2]);
    }
}
