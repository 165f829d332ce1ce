//! A proxy-wasm host on wasmtime: what a gateway does to a filter, without the gateway.
//!
//! [`module::Module`] is a compiled filter, [`host::Host`] what all workers share (time, shared data, metrics),
//! [`vm::Vm`] one worker's instance, [`stream::Stream`] one request and its response going through it piece by piece, and
//! [`exchange::run`] does that for a whole request at once. It knows the filter only through the ABI, and so runs anybody's.

mod abi;
pub mod envoy;
pub mod exchange;
pub mod explain;
pub mod gateway;
pub mod header_map;
pub mod host;
pub mod message;
pub mod module;
pub mod openapi;
pub mod package;
pub mod profile;
pub mod report;
pub mod scenario;
pub mod shipped;
pub mod stream;
pub mod trap;
pub mod upstream;
pub mod verdict;
pub mod vm;
pub mod wire;

pub use portcullis_document as document;
