//! Every function that a guest can import, and how its answer becomes a number.

mod buffer;
mod callout;
mod general;
mod headers;
mod shared;
mod stream;
mod wasi;

use wasmtime::{Caller, ImportType, Linker};

use super::memory::Guest;
use super::status::{Fault, Status};
use crate::host::worker::Worker;
use crate::profile::Instead;

/// Makes the functions of a table known to the linker under their own names; each answers with a [`Status`].
macro_rules! define {
    ($linker:ident, $names:ident: $($name:ident($($argument:ident: $type:ty),*) => $function:path;)*) => {
        $(
            $linker.func_wrap(
                "env",
                stringify!($name),
                |caller: Caller<'_, Worker>, $($argument: $type),*| {
                    answer(stringify!($name), caller, |guest| $function(guest, $($argument),*))
                },
            )?;
            $names.push(stringify!($name));
        )*
    };
}

/// All imports of this host.
pub(crate) struct Imports {
    pub(crate) linker: Linker<Worker>,
    names: Vec<&'static str>,
}

impl Imports {
    pub(crate) fn new(engine: &wasmtime::Engine) -> wasmtime::Result<Self> {
        let mut linker = Linker::new(engine);
        let mut names = wasi::define(&mut linker)?;
        names.extend(define(&mut linker)?);
        Ok(Self { linker, names })
    }

    /// Names are unique over the two modules that there are.
    pub(crate) fn knows(&self, import: &ImportType<'_>) -> bool {
        matches!(import.module(), "env" | wasi::MODULE) && self.names.contains(&import.name())
    }
}

fn define(linker: &mut Linker<Worker>) -> wasmtime::Result<Vec<&'static str>> {
    let mut names = Vec::new();
    define! { linker, names:
        proxy_log(level: u32, message: u32, size: u32) => general::log;
        proxy_get_log_level(out: u32) => general::get_log_level;
        proxy_get_current_time_nanoseconds(out: u32) => general::get_current_time;
        proxy_set_tick_period_milliseconds(period: u32) => general::set_tick_period;
        proxy_get_property(path: u32, path_size: u32, out: u32, out_size: u32) => general::get_property;
        proxy_set_property(path: u32, path_size: u32, value: u32, size: u32) => general::set_property;
        proxy_set_effective_context(context: u32) => general::set_effective_context;
        proxy_get_status(code: u32, out: u32, out_size: u32) => general::get_status;
        proxy_get_configuration(out: u32, out_size: u32) => general::get_configuration;
        proxy_call_foreign_function(name: u32, name_size: u32, arguments: u32, size: u32, out: u32, out_size: u32)
            => general::call_foreign_function;
        proxy_done() => general::done;

        proxy_get_buffer_bytes(kind: u32, start: u32, length: u32, out: u32, out_size: u32) => buffer::get;
        proxy_get_buffer_status(kind: u32, out_size: u32, out_flags: u32) => buffer::status;
        proxy_set_buffer_bytes(kind: u32, start: u32, length: u32, bytes: u32, size: u32) => buffer::set;

        proxy_get_header_map_pairs(kind: u32, out: u32, out_size: u32) => headers::get_pairs;
        proxy_set_header_map_pairs(kind: u32, pairs: u32, size: u32) => headers::set_pairs;
        proxy_get_header_map_size(kind: u32, out: u32) => headers::get_size;
        proxy_get_header_map_value(kind: u32, name: u32, name_size: u32, out: u32, out_size: u32) => headers::get;
        proxy_add_header_map_value(kind: u32, name: u32, name_size: u32, value: u32, size: u32) => headers::add;
        proxy_replace_header_map_value(kind: u32, name: u32, name_size: u32, value: u32, size: u32) => headers::replace;
        proxy_remove_header_map_value(kind: u32, name: u32, name_size: u32) => headers::remove;

        proxy_continue_stream(kind: u32) => stream::resume;
        proxy_continue_request() => stream::resume_request;
        proxy_continue_response() => stream::resume_response;
        proxy_clear_route_cache() => stream::clear_route_cache;
        proxy_close_stream(kind: u32) => stream::close;
        proxy_send_local_response(
            status: u32, details: u32, details_size: u32, body: u32, body_size: u32,
            headers: u32, headers_size: u32, grpc_status: u32
        ) => stream::send_local_response;

        proxy_get_shared_data(key: u32, key_size: u32, out: u32, out_size: u32, out_cas: u32) => shared::get;
        proxy_set_shared_data(key: u32, key_size: u32, value: u32, size: u32, cas: u32) => shared::set;
        proxy_register_shared_queue(name: u32, name_size: u32, out: u32) => shared::register_queue;
        proxy_resolve_shared_queue(vm_id: u32, vm_id_size: u32, name: u32, name_size: u32, out: u32)
            => shared::resolve_queue;
        proxy_enqueue_shared_queue(token: u32, entry: u32, size: u32) => shared::enqueue;
        proxy_dequeue_shared_queue(token: u32, out: u32, out_size: u32) => shared::dequeue;
        proxy_define_metric(kind: u32, name: u32, name_size: u32, out: u32) => shared::define_metric;
        proxy_increment_metric(id: u32, offset: i64) => shared::increment_metric;
        proxy_record_metric(id: u32, value: u64) => shared::record_metric;
        proxy_get_metric(id: u32, out: u32) => shared::get_metric;

        proxy_http_call(
            upstream: u32, upstream_size: u32, headers: u32, headers_size: u32, body: u32, body_size: u32,
            trailers: u32, trailers_size: u32, timeout: u32, out: u32
        ) => callout::http_call;
        proxy_grpc_call(
            service: u32, service_size: u32, name: u32, name_size: u32, method: u32, method_size: u32,
            metadata: u32, metadata_size: u32, message: u32, message_size: u32, timeout: u32, out: u32
        ) => callout::grpc_call;
        proxy_grpc_stream(
            service: u32, service_size: u32, name: u32, name_size: u32, method: u32, method_size: u32,
            metadata: u32, metadata_size: u32, out: u32
        ) => callout::grpc_stream;
        proxy_grpc_send(token: u32, message: u32, size: u32, end: u32) => callout::grpc_send;
        proxy_grpc_cancel(token: u32) => callout::grpc_end;
        proxy_grpc_close(token: u32) => callout::grpc_end;
    }
    Ok(names)
}

/// Runs one import: counts it, injects a fault if one is set, turns the outcome into the ABI's number or a trap.
fn answer(
    name: &'static str,
    mut caller: Caller<'_, Worker>,
    import: impl FnOnce(&mut Guest<'_>) -> Result<(), Fault>,
) -> wasmtime::Result<u32> {
    let worker = caller.data_mut();
    worker.count_call(name);
    if let Some(status) = worker.faults.get(name) {
        return Ok(*status);
    }
    match worker.host.profile().instead(name) {
        None => {}
        Some(Instead::Nothing) => return Ok(Status::Ok as u32),
        Some(Instead::Unimplemented) => return Ok(Status::Unimplemented as u32),
        Some(Instead::Trap) => return Err(wasmtime::format_err!("this gateway has no {name}")),
    }
    let outcome = Guest::new(caller)
        .map_err(Fault::from)
        .and_then(|mut guest| import(&mut guest));
    match outcome {
        Ok(()) => Ok(Status::Ok as u32),
        Err(Fault::Status(status)) => Ok(status as u32),
        Err(Fault::Trap(error)) => Err(error),
    }
}
