//! Every call to the host: own declarations of the proxy-wasm ABI (0.2.1) that give the raw status.
//!
//! The SDK's wrappers panic on a status that they do not expect, and hosts answer such ones: wasm-nginx-module says 12
//! (unimplemented) to whole groups of calls, Envoy says 2 to a header map that is gone. Here a status is data. Headers
//! are bytes: a value that is not UTF-8 is a value.

#![expect(
    unsafe_code,
    reason = "the ABI is C functions and pointers; this is the one file that calls them"
)]

/// The status that every host call answers: 0 is ok.
pub(crate) type Status = u32;

/// A severity of proxy_log.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum Level {
    Info = 2,
    Warn = 3,
    Error = 4,
}

/// A header map (proxy_map_type_t).
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum Map {
    Request = 0,
    Response = 2,
    CallResponse = 6,
}

/// A metric (proxy_metric_type_t).
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum Metric {
    Counter = 0,
    Gauge = 1,
    Histogram = 2,
}

/// A buffer (proxy_buffer_type_t).
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum Buffer {
    RequestBody = 0,
    ResponseBody = 1,
    VmConfiguration = 6,
    PluginConfiguration = 7,
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_log(level: u32, message: *const u8, size: usize) -> Status;
    fn proxy_get_buffer_bytes(
        buffer: u32,
        start: usize,
        max_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> Status;
    fn proxy_set_buffer_bytes(
        buffer: u32,
        start: usize,
        size: usize,
        data: *const u8,
        data_size: usize,
    ) -> Status;
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> Status;
    fn proxy_set_header_map_pairs(map: u32, data: *const u8, size: usize) -> Status;
    fn proxy_get_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> Status;
    fn proxy_add_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> Status;
    fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> Status;
    fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize) -> Status;
    fn proxy_get_property(
        path: *const u8,
        path_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> Status;
    fn proxy_set_property(
        path: *const u8,
        path_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> Status;
    fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
        cas: *mut u32,
    ) -> Status;
    fn proxy_set_shared_data(
        key: *const u8,
        key_size: usize,
        value: *const u8,
        value_size: usize,
        cas: u32,
    ) -> Status;
    fn proxy_define_metric(kind: u32, name: *const u8, size: usize, id: *mut u32) -> Status;
    fn proxy_increment_metric(id: u32, by: i64) -> Status;
    fn proxy_record_metric(id: u32, value: u64) -> Status;
    fn proxy_set_tick_period_milliseconds(period: u32) -> Status;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> Status;
    fn proxy_send_local_response(
        status_code: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> Status;
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn clock_time_get(clock: u32, precision: u64, time: *mut u64) -> u16;
}

/// Nanoseconds on the clock that only goes forward and that all workers of a host share; on a host that does not have
/// it, on the one that it has.
pub(crate) fn now() -> u64 {
    const MONOTONIC: u32 = 1;
    time(MONOTONIC)
}

/// Nanoseconds since the Unix epoch; 0 where the host does not know.
pub(crate) fn wall() -> u64 {
    const REALTIME: u32 = 0;
    time(REALTIME)
}

/// WASI's clock, which every host has, before the ABI's, which wasm-nginx-module does not.
fn time(clock: u32) -> u64 {
    let mut time = 0;
    // SAFETY: the out pointer is live for the call.
    if unsafe { clock_time_get(clock, 1, &mut time) } != 0 {
        // SAFETY: as above.
        unsafe { proxy_get_current_time_nanoseconds(&mut time) };
    }
    time
}

/// Defines a metric, and gives its id. A name is defined once: some hosts make another metric of it each time.
pub(crate) fn define_metric(kind: Metric, name: &str) -> Result<u32, Status> {
    let mut id = 0;
    // SAFETY: pointer and length are those of one live string, the out pointer is live for the call.
    match unsafe { proxy_define_metric(kind as u32, name.as_ptr(), name.len(), &mut id) } {
        0 => Ok(id),
        status => Err(status),
    }
}

/// Adds to a counter; for anything else it is fatal to some. What a host does not count, nobody can be told of.
pub(crate) fn increment(id: u32, by: i64) {
    // SAFETY: numbers are all that is passed.
    unsafe { proxy_increment_metric(id, by) };
}

/// Sets a gauge, or records a value in a histogram; for a counter it is fatal to some.
pub(crate) fn record(id: u32, value: u64) {
    // SAFETY: as above.
    unsafe { proxy_record_metric(id, value) };
}

/// Bytes of memory that this VM has. It only grows.
pub(crate) fn memory() -> usize {
    #[cfg(target_arch = "wasm32")]
    let pages = core::arch::wasm32::memory_size(0);
    #[cfg(not(target_arch = "wasm32"))]
    let pages = 0;
    pages << 16
}

/// Has the host call back each time that so many milliseconds have passed. Once: a second time is fatal to some.
pub(crate) fn tick(period: u32) -> Status {
    // SAFETY: a number is all that is passed.
    unsafe { proxy_set_tick_period_milliseconds(period) }
}

/// A shared value and its CAS number.
pub(crate) fn shared(key: &[u8]) -> Result<(Vec<u8>, u32), Status> {
    let mut cas = 0;
    // SAFETY: as in `buffer`; the key is one live slice, and the CAS number's pointer is live for the call.
    let value = taken(|data, length| unsafe {
        proxy_get_shared_data(key.as_ptr(), key.len(), data, length, &mut cas)
    });
    value.map(|value| (value, cas))
}

/// Sets a shared value, where its CAS number is still this one.
pub(crate) fn set_shared(key: &[u8], value: &[u8], cas: u32) -> Status {
    // SAFETY: pointers and lengths are those of live slices.
    unsafe { proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), cas) }
}

/// Writes one line to the gateway's log. A host that cannot log leaves nobody to tell.
pub(crate) fn log(level: Level, message: &str) {
    // SAFETY: pointer and length are those of one live string.
    unsafe { proxy_log(level as u32, message.as_ptr(), message.len()) };
}

/// The whole of a buffer.
pub(crate) fn buffer(buffer: Buffer, size: usize) -> Result<Vec<u8>, Status> {
    // SAFETY: the out pointers are live for the call, and `taken` vouches for what comes back.
    taken(|data, length| unsafe { proxy_get_buffer_bytes(buffer as u32, 0, size, data, length) })
}

/// Puts these bytes in the place of the first `size` of a buffer.
pub(crate) fn set_buffer(buffer: Buffer, size: usize, bytes: &[u8]) -> Status {
    // SAFETY: pointer and length are those of one live slice.
    unsafe { proxy_set_buffer_bytes(buffer as u32, 0, size, bytes.as_ptr(), bytes.len()) }
}

/// All lines of a header map, in the ABI's serialised form.
pub(crate) fn header_map(map: Map) -> Result<Vec<u8>, Status> {
    // SAFETY: as in `buffer`.
    taken(|data, length| unsafe { proxy_get_header_map_pairs(map as u32, data, length) })
}

/// The status of the response, where nothing else of its head is of use.
pub(crate) fn status() -> Option<u16> {
    const STATUS: &str = ":status";
    // SAFETY: as in `buffer`; the name is one live string.
    let status = taken(|data, length| unsafe {
        let map = Map::Response as u32;
        proxy_get_header_map_value(map, STATUS.as_ptr(), STATUS.len(), data, length)
    });
    str::from_utf8(&status.ok()?).ok()?.parse().ok()
}

/// Puts these lines, in the ABI's serialised form, in the place of all lines of a header map.
pub(crate) fn set_header_map(map: Map, lines: &[u8]) -> Status {
    // SAFETY: pointer and length are those of one live slice.
    unsafe { proxy_set_header_map_pairs(map as u32, lines.as_ptr(), lines.len()) }
}

/// A property; `path` is its segments, each but the last closed by a zero byte.
pub(crate) fn property(path: &str) -> Result<Vec<u8>, Status> {
    // SAFETY: as in `buffer`; the path is one live string.
    taken(|data, length| unsafe { proxy_get_property(path.as_ptr(), path.len(), data, length) })
}

/// Sets a property; `path` as in [`property`].
pub(crate) fn set_property(path: &str, value: &str) -> Status {
    // SAFETY: pointers and lengths are those of live strings.
    unsafe { proxy_set_property(path.as_ptr(), path.len(), value.as_ptr(), value.len()) }
}

/// Adds a header line.
pub(crate) fn add_header(map: Map, name: &[u8], value: &[u8]) -> Status {
    // SAFETY: pointers and lengths are those of live slices.
    unsafe {
        proxy_add_header_map_value(
            map as u32,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    }
}

/// Replaces the value of a header that is there once.
pub(crate) fn replace_header(map: Map, name: &[u8], value: &[u8]) -> Status {
    // SAFETY: pointers and lengths are those of live slices.
    unsafe {
        proxy_replace_header_map_value(
            map as u32,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    }
}

/// Removes every line of a header.
pub(crate) fn remove_header(map: Map, name: &[u8]) -> Status {
    // SAFETY: pointer and length are those of one live slice.
    unsafe { proxy_remove_header_map_value(map as u32, name.as_ptr(), name.len()) }
}

/// Answers the request. `headers` is a header map in the ABI's serialised form; a gRPC status of -1 is none.
pub(crate) fn reply(
    status: u16,
    details: &str,
    body: &[u8],
    headers: &[u8],
    grpc_status: i32,
) -> Status {
    // SAFETY: pointers and lengths are those of live slices.
    unsafe {
        proxy_send_local_response(
            u32::from(status),
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            grpc_status,
        )
    }
}

/// Takes over the bytes that a host call wrote: the host got their memory from this module's own allocator.
fn taken(call: impl FnOnce(*mut *mut u8, *mut usize) -> Status) -> Result<Vec<u8>, Status> {
    let mut data = std::ptr::null_mut();
    let mut size = 0;
    match call(&mut data, &mut size) {
        0 if data.is_null() => Ok(Vec::new()),
        // SAFETY: by the ABI the host allocated exactly `size` bytes with `proxy_on_memory_allocate`, which leaks a
        // boxed slice of that length, and gives them up to the module.
        0 => Ok(unsafe { Vec::from_raw_parts(data, size, size) }),
        status => Err(status),
    }
}
