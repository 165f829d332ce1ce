//! A compiled filter, ready to be started any number of times.

use std::path::Path;

/// A compiled proxy-wasm module; cheap to clone.
#[derive(Clone, Debug)]
pub struct Module {}

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
        Self::from_bytes(&[])
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
        let _ = bytes;
        Err(LoadError::Invalid("not yet".to_owned()))
    }
}
