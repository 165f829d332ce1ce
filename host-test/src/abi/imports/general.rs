//! Log, time, ticks, properties, contexts.

use std::time::Duration;

use crate::abi::memory::Guest;
use crate::abi::status::{Fault, Status};
use crate::host::log::Level;
use crate::host::property;

pub(super) fn log(guest: &mut Guest<'_>, level: u32, message: u32, size: u32) -> Result<(), Fault> {
    let level = Level::from_number(level).ok_or(Status::BadArgument)?;
    let message = guest.read(message, size)?.to_vec();
    guest.worker().log(level, &message);
    Ok(())
}

/// Everything is kept, so that a test can look at it: the level is the lowest.
pub(super) fn get_log_level(guest: &mut Guest<'_>, out: u32) -> Result<(), Fault> {
    Ok(guest.write_u32(out, Level::Trace as u32)?)
}

pub(super) fn get_current_time(guest: &mut Guest<'_>, out: u32) -> Result<(), Fault> {
    let now = guest.worker().host.clock().now();
    Ok(guest.write_u64(out, now)?)
}

pub(super) fn set_tick_period(guest: &mut Guest<'_>, milliseconds: u32) -> Result<(), Fault> {
    let period = (milliseconds != 0).then(|| Duration::from_millis(milliseconds.into()));
    let once = guest.worker().host.profile().ticks_once;
    let root = guest.worker().root().ok_or(Status::BadArgument)?;
    if once && root.tick_period.is_some() && period.is_some() {
        return Err(Fault::trap("a tick period is set already"));
    }
    root.tick_period = period;
    Ok(())
}

pub(super) fn get_property(
    guest: &mut Guest<'_>,
    path: u32,
    path_size: u32,
    out: u32,
    out_size: u32,
) -> Result<(), Fault> {
    let path = guest.read(path, path_size)?.to_vec();
    let value = property::get(guest.worker(), &path)?;
    guest.give(&value, out, out_size)
}

pub(super) fn set_property(
    guest: &mut Guest<'_>,
    path: u32,
    path_size: u32,
    value: u32,
    size: u32,
) -> Result<(), Fault> {
    let path = guest.read(path, path_size)?.to_vec();
    let (value, worker) = guest.read_and_worker(value, size)?;
    Ok(property::set(worker, &path, value)?)
}

pub(super) fn set_effective_context(guest: &mut Guest<'_>, context: u32) -> Result<(), Fault> {
    Ok(guest.worker().switch_to(context)?)
}

/// The status of the last gRPC call; there is none.
pub(super) fn get_status(
    guest: &mut Guest<'_>,
    code: u32,
    out: u32,
    out_size: u32,
) -> Result<(), Fault> {
    guest.write_u32(code, 0)?;
    guest.give(&[], out, out_size)
}

/// ABI 0.1.0; later versions read buffer 7.
pub(super) fn get_configuration(
    guest: &mut Guest<'_>,
    out: u32,
    out_size: u32,
) -> Result<(), Fault> {
    let configuration = guest
        .worker()
        .root()
        .ok_or(Status::BadArgument)?
        .configuration
        .clone();
    guest.give(&configuration, out, out_size)
}

/// This host has no functions of its own: whatever the name, it is not found.
pub(super) fn call_foreign_function(
    guest: &mut Guest<'_>,
    name: u32,
    name_size: u32,
    arguments: u32,
    size: u32,
    _out: u32,
    _out_size: u32,
) -> Result<(), Fault> {
    guest.read(name, name_size)?;
    guest.read(arguments, size)?;
    Err(Status::NotFound.into())
}

/// Contexts end when the host says so; a guest that wanted to delay the end is not waiting for anything.
pub(super) fn done(_guest: &mut Guest<'_>) -> Result<(), Fault> {
    Err(Status::NotFound.into())
}
