//! Shared data, queues, metrics.

use crate::abi::memory::Guest;
use crate::abi::status::{Fault, Status};

pub(super) fn get(
    guest: &mut Guest<'_>,
    key: u32,
    key_size: u32,
    out: u32,
    out_size: u32,
    out_cas: u32,
) -> Result<(), Fault> {
    let (key, worker) = guest.read_and_worker(key, key_size)?;
    let (value, cas) = worker.host.shared_data.get(&worker.config.vm_id, key)?;
    guest.give(&value, out, out_size)?;
    Ok(guest.write_u32(out_cas, cas)?)
}

pub(super) fn set(
    guest: &mut Guest<'_>,
    key: u32,
    key_size: u32,
    value: u32,
    size: u32,
    cas: u32,
) -> Result<(), Fault> {
    let key = guest.read(key, key_size)?.to_vec();
    let is_null = value == 0 && size == 0;
    let (value, worker) = guest.read_and_worker(value, size)?;
    let value = (!is_null).then_some(value);
    Ok(worker
        .host
        .shared_data
        .set(&worker.config.vm_id, &key, value, cas)?)
}

pub(super) fn register_queue(
    guest: &mut Guest<'_>,
    name: u32,
    name_size: u32,
    out: u32,
) -> Result<(), Fault> {
    let (name, worker) = guest.read_and_worker(name, name_size)?;
    let listener = (worker.instance, worker.active());
    let token = worker
        .host
        .queues
        .register(&worker.config.vm_id, name, listener)?;
    Ok(guest.write_u32(out, token)?)
}

pub(super) fn resolve_queue(
    guest: &mut Guest<'_>,
    vm_id: u32,
    vm_id_size: u32,
    name: u32,
    name_size: u32,
    out: u32,
) -> Result<(), Fault> {
    let vm_id = String::from_utf8_lossy(guest.read(vm_id, vm_id_size)?).into_owned();
    let (name, worker) = guest.read_and_worker(name, name_size)?;
    let token = worker.host.queues.resolve(&vm_id, name)?;
    Ok(guest.write_u32(out, token)?)
}

pub(super) fn enqueue(
    guest: &mut Guest<'_>,
    token: u32,
    entry: u32,
    size: u32,
) -> Result<(), Fault> {
    let (entry, worker) = guest.read_and_worker(entry, size)?;
    Ok(worker.host.queues.enqueue(token, entry)?)
}

pub(super) fn dequeue(
    guest: &mut Guest<'_>,
    token: u32,
    out: u32,
    out_size: u32,
) -> Result<(), Fault> {
    let entry = guest.worker().host.queues.dequeue(token)?;
    guest.give(&entry, out, out_size)
}

pub(super) fn define_metric(
    guest: &mut Guest<'_>,
    kind: u32,
    name: u32,
    name_size: u32,
    out: u32,
) -> Result<(), Fault> {
    let (name, worker) = guest.read_and_worker(name, name_size)?;
    let name = std::str::from_utf8(name).map_err(|_| Status::BadArgument)?;
    // `pw:FILTER:` stands before it in the gateways that have a bound.
    let length = worker
        .config
        .plugin_name
        .len()
        .saturating_add(4 + name.len());
    let longest = worker.host.profile().metrics.longest_name;
    if longest.is_some_and(|longest| length > longest) {
        return Err(Fault::trap("a metric's name is too long"));
    }
    let id = worker.host.metrics().define(kind, name)?;
    Ok(guest.write_u32(out, id)?)
}

/// What came of changing or reading a metric; some gateways stop a guest that does what its kind does not have.
fn used<R>(guest: &mut Guest<'_>, outcome: Result<R, Status>) -> Result<R, Fault> {
    match outcome {
        Err(_) if guest.worker().host.profile().metrics.misuse_traps => {
            Err(Fault::trap("no metric of that id can do that"))
        }
        outcome => Ok(outcome?),
    }
}

pub(super) fn increment_metric(guest: &mut Guest<'_>, id: u32, offset: i64) -> Result<(), Fault> {
    let outcome = guest.worker().host.metrics().increment(id, offset);
    used(guest, outcome)
}

pub(super) fn record_metric(guest: &mut Guest<'_>, id: u32, value: u64) -> Result<(), Fault> {
    let outcome = guest.worker().host.metrics().record(id, value);
    used(guest, outcome)
}

pub(super) fn get_metric(guest: &mut Guest<'_>, id: u32, out: u32) -> Result<(), Fault> {
    let outcome = guest.worker().host.metrics().get(id);
    let value = used(guest, outcome)?;
    Ok(guest.write_u64(out, value)?)
}
