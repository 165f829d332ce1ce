//! What a module must and may export, checked once when it is loaded.

use wasmtime::{ExternType, Func, FuncType, Instance, Module, Store, ValType};

use crate::host::worker::Worker;

/// The ABI version that a module names by an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Abi {
    V0_1_0,
    V0_2_0,
    V0_2_1,
}

/// The functions of a module that the host calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Callback {
    ContextCreate,
    VmStart,
    Configure,
    Tick,
    QueueReady,
    RequestHeaders,
    RequestBody,
    RequestTrailers,
    ResponseHeaders,
    ResponseBody,
    ResponseTrailers,
    HttpCallResponse,
    Log,
    Done,
    Delete,
}

impl Callback {
    const ALL: [Self; 15] = [
        Self::ContextCreate,
        Self::VmStart,
        Self::Configure,
        Self::Tick,
        Self::QueueReady,
        Self::RequestHeaders,
        Self::RequestBody,
        Self::RequestTrailers,
        Self::ResponseHeaders,
        Self::ResponseBody,
        Self::ResponseTrailers,
        Self::HttpCallResponse,
        Self::Log,
        Self::Done,
        Self::Delete,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ContextCreate => "proxy_on_context_create",
            Self::VmStart => "proxy_on_vm_start",
            Self::Configure => "proxy_on_configure",
            Self::Tick => "proxy_on_tick",
            Self::QueueReady => "proxy_on_queue_ready",
            Self::RequestHeaders => "proxy_on_request_headers",
            Self::RequestBody => "proxy_on_request_body",
            Self::RequestTrailers => "proxy_on_request_trailers",
            Self::ResponseHeaders => "proxy_on_response_headers",
            Self::ResponseBody => "proxy_on_response_body",
            Self::ResponseTrailers => "proxy_on_response_trailers",
            Self::HttpCallResponse => "proxy_on_http_call_response",
            Self::Log => "proxy_on_log",
            Self::Done => "proxy_on_done",
            Self::Delete => "proxy_on_delete",
        }
    }

    /// Parameters and results, all of 32 bits.
    pub(crate) fn shape(self, abi: Abi) -> (usize, usize) {
        match self {
            // Version 0.1.0 does not say whether the stream ends with its headers.
            Self::RequestHeaders | Self::ResponseHeaders if abi == Abi::V0_1_0 => (2, 1),
            Self::RequestHeaders
            | Self::ResponseHeaders
            | Self::RequestBody
            | Self::ResponseBody => (3, 1),
            Self::VmStart | Self::Configure | Self::RequestTrailers | Self::ResponseTrailers => {
                (2, 1)
            }
            Self::ContextCreate | Self::QueueReady => (2, 0),
            Self::HttpCallResponse => (5, 0),
            Self::Done => (1, 1),
            Self::Tick | Self::Log | Self::Delete => (1, 0),
        }
    }
}

/// The guest's allocator, by its present and its former name.
const ALLOCATORS: [&str; 2] = ["proxy_on_memory_allocate", "malloc"];
/// What is run once, before any callback.
const STARTS: [&str; 2] = ["_initialize", "_start"];

/// Which ABI a module speaks; or, in words, why it is no filter.
pub(crate) fn check(module: &Module) -> Result<Abi, String> {
    let abi = [
        ("proxy_abi_version_0_2_1", Abi::V0_2_1),
        ("proxy_abi_version_0_2_0", Abi::V0_2_0),
        ("proxy_abi_version_0_1_0", Abi::V0_1_0),
    ]
    .into_iter()
    .find_map(|(name, abi)| module.get_export(name).map(|_| abi))
    .ok_or("it exports none of `proxy_abi_version_0_1_0`, `_0_2_0`, `_0_2_1`, so it is no proxy-wasm filter")?;
    if !matches!(module.get_export("memory"), Some(ExternType::Memory(memory)) if !memory.is_64()) {
        return Err("it exports no 32-bit memory as `memory`".to_owned());
    }
    if ALLOCATORS
        .iter()
        .all(|name| module.get_export(name).is_none())
    {
        return Err("it exports no `proxy_on_memory_allocate`".to_owned());
    }
    let callbacks = Callback::ALL
        .iter()
        .map(|callback| (callback.name(), callback.shape(abi)));
    let allocators = ALLOCATORS.iter().map(|name| (*name, (1, 1)));
    let starts = STARTS.iter().map(|name| (*name, (0, 0)));
    for (name, (parameters, results)) in callbacks.chain(allocators).chain(starts) {
        match module.get_export(name) {
            None => {}
            Some(ExternType::Func(of_type)) if fits(&of_type, parameters, results) => {}
            Some(_) => {
                return Err(format!(
                    "its export `{name}` is not a function of {parameters} parameters and {results} results, all i32"
                ));
            }
        }
    }
    Ok(abi)
}

fn fits(of_type: &FuncType, parameters: usize, results: usize) -> bool {
    of_type.params().len() == parameters
        && of_type.results().len() == results
        && of_type
            .params()
            .chain(of_type.results())
            .all(|value| matches!(value, ValType::I32))
}

/// The functions of one instance.
#[derive(Debug)]
pub(crate) struct Exports {
    callbacks: [Option<Func>; Callback::ALL.len()],
    pub(crate) allocate: Option<Func>,
    pub(crate) start: Option<Func>,
}

impl Exports {
    pub(crate) fn of(instance: &Instance, store: &mut Store<Worker>) -> Self {
        let mut find = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| instance.get_func(&mut *store, name))
        };
        Self {
            callbacks: Callback::ALL.map(|callback| find(&[callback.name()])),
            allocate: find(&ALLOCATORS),
            start: find(&STARTS),
        }
    }

    pub(crate) fn get(&self, callback: Callback) -> Option<Func> {
        self.callbacks.get(callback as usize).copied().flatten()
    }
}
