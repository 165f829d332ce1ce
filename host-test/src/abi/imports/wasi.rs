//! The part of WASI preview 1 that a filter has in Envoy: random bytes, clocks, the configured environment, output to the
//! log. Nothing else of the machine is there, and what is not there says so.

use wasmtime::{Caller, FuncType, Linker, Val, ValType};

use crate::abi::memory::Guest;
use crate::abi::status::Status;
use crate::host::log::Level;
use crate::host::worker::Worker;

pub(super) const MODULE: &str = "wasi_snapshot_preview1";

/// WASI's error numbers (`errno`).
const SUCCESS: u32 = 0;
const BADF: u32 = 8;
const FAULT: u32 = 21;
const INVAL: u32 = 28;
const NOENT: u32 = 44;
const NOSYS: u32 = 52;
const NOTSUP: u32 = 58;

/// Random bytes for one call, at most.
const MAX_RANDOM_BYTES: u32 = 64 * 1024;
/// Bytes of output that one call takes; the guest offers the rest again.
const MAX_WRITTEN_BYTES: u32 = 64 * 1024;
const MAX_VECTORS: u32 = 1_024;

/// Makes functions known to the linker under their own names.
macro_rules! define {
    ($linker:ident, $names:ident: $($name:ident($($argument:ident: $type:ty),*) => $function:path;)*) => {
        $(
            $linker.func_wrap(
                MODULE,
                stringify!($name),
                |caller: Caller<'_, Worker>, $($argument: $type),*| {
                    answer(stringify!($name), caller, |guest| $function(guest, $($argument),*))
                },
            )?;
            $names.push(stringify!($name));
        )*
    };
}

/// Name, parameters (`i` for 32 bits, `I` for 64) and answer of what is not there.
const ABSENT: [(&str, &str, u32); 36] = [
    ("clock_res_get", "ii", NOTSUP),
    ("fd_advise", "iIIi", NOSYS),
    ("fd_allocate", "iII", NOSYS),
    ("fd_close", "i", NOSYS),
    ("fd_datasync", "i", NOSYS),
    ("fd_fdstat_set_flags", "ii", NOSYS),
    ("fd_fdstat_set_rights", "iII", NOSYS),
    ("fd_filestat_get", "ii", NOSYS),
    ("fd_filestat_set_size", "iI", NOSYS),
    ("fd_filestat_set_times", "iIIi", NOSYS),
    ("fd_pread", "iiiIi", NOSYS),
    ("fd_prestat_get", "ii", BADF),
    ("fd_prestat_dir_name", "iii", NOSYS),
    ("fd_pwrite", "iiiIi", NOSYS),
    ("fd_read", "iiii", NOSYS),
    ("fd_readdir", "iiiIi", NOSYS),
    ("fd_renumber", "ii", NOSYS),
    ("fd_seek", "iIii", NOSYS),
    ("fd_sync", "i", NOSYS),
    ("fd_tell", "ii", NOSYS),
    ("path_create_directory", "iii", NOSYS),
    ("path_filestat_get", "iiiii", NOSYS),
    ("path_filestat_set_times", "iiiiIIi", NOSYS),
    ("path_link", "iiiiiii", NOSYS),
    ("path_open", "iiiiiIIii", NOENT),
    ("path_readlink", "iiiiii", NOSYS),
    ("path_remove_directory", "iii", NOSYS),
    ("path_rename", "iiiiii", NOSYS),
    ("path_symlink", "iiiii", NOSYS),
    ("path_unlink_file", "iii", NOSYS),
    ("poll_oneoff", "iiii", NOSYS),
    ("proc_raise", "i", NOSYS),
    ("sock_accept", "iii", NOSYS),
    ("sock_recv", "iiiiii", NOSYS),
    ("sock_send", "iiiii", NOSYS),
    ("sock_shutdown", "ii", NOSYS),
];

pub(super) fn define(linker: &mut Linker<Worker>) -> wasmtime::Result<Vec<&'static str>> {
    for (name, parameters, errno) in ABSENT {
        let parameters = parameters.chars().map(|kind| {
            if kind == 'I' {
                ValType::I64
            } else {
                ValType::I32
            }
        });
        let of_type = FuncType::new(linker.engine(), parameters, [ValType::I32]);
        linker.func_new(
            MODULE,
            name,
            of_type,
            move |mut caller: Caller<'_, Worker>, _, results| {
                caller.data_mut().count_call(name);
                results.fill(Val::I32(errno.cast_signed()));
                Ok(())
            },
        )?;
    }
    linker.func_wrap(MODULE, "proc_exit", |code: i32| -> wasmtime::Result<()> {
        Err(wasmtime::format_err!(
            "the module asked to exit with code {code}"
        ))
    })?;
    let mut names: Vec<&'static str> = ABSENT.iter().map(|(name, ..)| *name).collect();
    names.push("proc_exit");
    define! { linker, names:
        sched_yield() => sched_yield;
        random_get(out: u32, size: u32) => random_get;
        clock_time_get(id: u32, precision: u64, out: u32) => clock_time_get;
        fd_write(fd: u32, vectors: u32, count: u32, out: u32) => fd_write;
        fd_fdstat_get(fd: u32, out: u32) => fd_fdstat_get;
        environ_sizes_get(count: u32, size: u32) => environ_sizes_get;
        environ_get(pointers: u32, text: u32) => environ_get;
        args_sizes_get(count: u32, size: u32) => args_sizes_get;
        args_get(pointers: u32, text: u32) => args_get;
    }
    Ok(names)
}

/// Runs one call; a pointer that leaves the guest's memory is `EFAULT`.
fn answer(
    name: &'static str,
    mut caller: Caller<'_, Worker>,
    call: impl FnOnce(&mut Guest<'_>) -> Result<u32, Status>,
) -> u32 {
    caller.data_mut().count_call(name);
    Guest::new(caller)
        .and_then(|mut guest| call(&mut guest))
        .unwrap_or(FAULT)
}

fn sched_yield(_guest: &mut Guest<'_>) -> Result<u32, Status> {
    Ok(SUCCESS)
}

/// From the machine's own generator: a filter makes hash keys and request ids of it.
fn random_get(guest: &mut Guest<'_>, out: u32, size: u32) -> Result<u32, Status> {
    if size > MAX_RANDOM_BYTES {
        return Ok(INVAL);
    }
    let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
    if getrandom::fill(&mut bytes).is_err() {
        return Ok(NOSYS);
    }
    guest.write(out, &bytes)?;
    Ok(SUCCESS)
}

fn clock_time_get(
    guest: &mut Guest<'_>,
    id: u32,
    _precision: u64,
    out: u32,
) -> Result<u32, Status> {
    let clock = guest.worker().host.clock();
    let now = match id {
        0 => clock.now(),
        1 => clock.monotonic(),
        _ => return Ok(NOTSUP),
    };
    guest.write_u64(out, now)?;
    Ok(SUCCESS)
}

fn fd_write(
    guest: &mut Guest<'_>,
    fd: u32,
    vectors: u32,
    count: u32,
    out: u32,
) -> Result<u32, Status> {
    let level = match fd {
        1 => Level::Info,
        2 => Level::Error,
        _ => return Ok(BADF),
    };
    if count > MAX_VECTORS {
        return Ok(INVAL);
    }
    let mut text = Vec::new();
    let vectors = guest.read(vectors, count.saturating_mul(8))?.to_vec();
    for vector in vectors.chunks_exact(8) {
        let (pointer, size) = match vector {
            [a, b, c, d, e, f, g, h] => (
                u32::from_le_bytes([*a, *b, *c, *d]),
                u32::from_le_bytes([*e, *f, *g, *h]),
            ),
            _ => continue,
        };
        let room = MAX_WRITTEN_BYTES.saturating_sub(u32::try_from(text.len()).unwrap_or(u32::MAX));
        text.extend_from_slice(guest.read(pointer, size.min(room))?);
    }
    guest.write_u32(
        out,
        u32::try_from(text.len()).map_err(|_| Status::InternalFailure)?,
    )?;
    guest
        .worker()
        .log(level, text.strip_suffix(b"\n").unwrap_or(&text));
    Ok(SUCCESS)
}

/// A character device that can be written to, for the two outputs.
fn fd_fdstat_get(guest: &mut Guest<'_>, fd: u32, out: u32) -> Result<u32, Status> {
    if !(1..=2).contains(&fd) {
        return Ok(BADF);
    }
    let mut description = [0; 24];
    description[0] = 2;
    description[8] = 64;
    guest.write(out, &description)?;
    Ok(SUCCESS)
}

/// `NAME=value` for each variable that the VM is configured with; the machine's own are not shown.
fn environment(guest: &mut Guest<'_>) -> Vec<Vec<u8>> {
    let variables = &guest.worker().config.environment;
    variables
        .iter()
        .map(|(name, value)| format!("{name}={value}\0").into_bytes())
        .collect()
}

fn environ_sizes_get(guest: &mut Guest<'_>, count: u32, size: u32) -> Result<u32, Status> {
    let environment = environment(guest);
    list_sizes(guest, &environment, count, size)
}

fn environ_get(guest: &mut Guest<'_>, pointers: u32, text: u32) -> Result<u32, Status> {
    let environment = environment(guest);
    list(guest, &environment, pointers, text)
}

fn args_sizes_get(guest: &mut Guest<'_>, count: u32, size: u32) -> Result<u32, Status> {
    list_sizes(guest, &[], count, size)
}

fn args_get(guest: &mut Guest<'_>, pointers: u32, text: u32) -> Result<u32, Status> {
    list(guest, &[], pointers, text)
}

fn list_sizes(
    guest: &mut Guest<'_>,
    items: &[Vec<u8>],
    count: u32,
    size: u32,
) -> Result<u32, Status> {
    let bytes: usize = items.iter().map(Vec::len).sum();
    guest.write_u32(
        count,
        u32::try_from(items.len()).map_err(|_| Status::InternalFailure)?,
    )?;
    guest.write_u32(
        size,
        u32::try_from(bytes).map_err(|_| Status::InternalFailure)?,
    )?;
    Ok(SUCCESS)
}

fn list(
    guest: &mut Guest<'_>,
    items: &[Vec<u8>],
    mut pointers: u32,
    mut text: u32,
) -> Result<u32, Status> {
    for item in items {
        guest.write_u32(pointers, text)?;
        guest.write(text, item)?;
        let size = u32::try_from(item.len()).map_err(|_| Status::InternalFailure)?;
        pointers = pointers.checked_add(4).ok_or(Status::InvalidMemoryAccess)?;
        text = text.checked_add(size).ok_or(Status::InvalidMemoryAccess)?;
    }
    Ok(SUCCESS)
}
