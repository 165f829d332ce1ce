//! The proxy-wasm ABI as bytes and numbers: 0.2.1, 0.2.0, and what 0.1.0 has of them.
//!
//! Decode, call the state in [`crate::host`], encode. No behaviour of a gateway is decided here.

pub(crate) mod exports;
pub(crate) mod imports;
pub(crate) mod memory;
pub(crate) mod pairs;
pub(crate) mod status;
