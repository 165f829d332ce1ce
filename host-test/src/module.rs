//! A compiled filter, ready to be started any number of times.
//!
//! Compiling takes a second, so the machine code is kept under cargo's target directory, by the module's hash: the second
//! run of a test starts at once.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use wasmtime::{Cache, CacheConfig, Config, Engine, InstancePre, WasmBacktraceDetails};

use crate::abi::exports::{self, Abi};
use crate::abi::imports::Imports;
use crate::host::worker::Worker;

/// The filter as the build script compiled it.
const EMBEDDED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/portcullis.wasm"));

/// How often running guests are looked at; their time limits are multiples of it.
pub(crate) const EPOCH: Duration = Duration::from_millis(10);

/// A compiled proxy-wasm module; cheap to clone.
#[derive(Clone)]
pub struct Module {
    pub(crate) instance: InstancePre<Worker>,
    pub(crate) abi: Abi,
}

/// Why a file is no module that this host can run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read the module `{path}`: {source}")]
    Read {
        /// The file.
        path: String,
        /// The reason.
        source: std::io::Error,
    },
    /// It is no WebAssembly, or asks for what this host does not have, or exports something of the wrong type.
    #[error("cannot load the module: {0}")]
    Invalid(String),
}

impl Module {
    /// The filter that was built with this binary.
    pub fn embedded() -> Result<Self, LoadError> {
        Self::from_bytes(EMBEDDED)
    }

    /// Any filter, as `.wasm` or as `.wat` text.
    pub fn from_file(path: &Path) -> Result<Self, LoadError> {
        let bytes = std::fs::read(path).map_err(|source| LoadError::Read {
            path: path.display().to_string(),
            source,
        })?;
        Self::from_bytes(&bytes)
    }

    /// [`Module::from_file`] from memory.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LoadError> {
        let machine = Machine::get()?;
        let wasm = wasmtime::Module::new(&machine.engine, bytes)
            .map_err(|error| LoadError::Invalid(format!("{error:#}")))?;
        let abi = exports::check(&wasm).map_err(LoadError::Invalid)?;
        let unknown: Vec<String> = wasm
            .imports()
            .filter(|import| !machine.imports.knows(import))
            .map(|import| format!("`{}.{}`", import.module(), import.name()))
            .collect();
        if !unknown.is_empty() {
            return Err(LoadError::Invalid(format!(
                "it imports what no host has: {}",
                unknown.join(", ")
            )));
        }
        let instance = machine
            .imports
            .linker
            .instantiate_pre(&wasm)
            .map_err(|error| LoadError::Invalid(format!("{error:#}")))?;
        Ok(Self { instance, abi })
    }

    /// Does it load in a gateway that has not these imports?
    pub(crate) fn check(&self, missing: &[&str]) -> Result<(), LoadError> {
        let mut imports = self.instance.module().imports();
        match imports.find(|import| missing.contains(&import.name())) {
            None => Ok(()),
            Some(import) => Err(LoadError::Invalid(format!(
                "it imports `{}`, which this gateway does not have",
                import.name()
            ))),
        }
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module")
            .field("abi", &self.abi)
            .finish_non_exhaustive()
    }
}

/// The compiler and the imports: one for the whole process.
struct Machine {
    engine: Engine,
    imports: Imports,
}

impl Machine {
    fn get() -> Result<&'static Self, LoadError> {
        static MACHINE: OnceLock<Result<Machine, String>> = OnceLock::new();
        let machine = MACHINE.get_or_init(|| Self::new().map_err(|error| format!("{error:#}")));
        machine
            .as_ref()
            .map_err(|error| LoadError::Invalid(error.clone()))
    }

    fn new() -> wasmtime::Result<Self> {
        let mut config = Config::new();
        config
            .epoch_interruption(true)
            .wasm_backtrace_max_frames(NonZeroUsize::new(32))
            .wasm_backtrace_details(WasmBacktraceDetails::Disable)
            .cache(cache());
        let engine = Engine::new(&config)?;
        let ticking = engine.weak();
        std::thread::Builder::new()
            .name("epoch".to_owned())
            .spawn(move || {
                while let Some(engine) = ticking.upgrade() {
                    engine.increment_epoch();
                    drop(engine);
                    std::thread::sleep(EPOCH);
                }
            })?;
        let imports = Imports::new(&engine)?;
        Ok(Self { engine, imports })
    }
}

/// Machine code is kept where the build was told to; without such a place every process compiles anew.
fn cache() -> Option<Cache> {
    let mut config = CacheConfig::new();
    config.with_directory(option_env!("PORTCULLIS_CACHE")?);
    Cache::new(config).ok()
}
