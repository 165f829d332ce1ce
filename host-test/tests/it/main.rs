//! Everything that is tested through the crate's public face, in one binary: linking wasmtime once is slow enough.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::string_slice,
    clippy::panic,
    reason = "a test that panics has failed, which is what it is for"
)]

mod bodies;
mod check;
mod differences;
mod document;
mod engine;
mod envoy;
mod envoy_answers;
mod envoy_limits;
mod explain;
mod filter;
mod gateway;
mod guest;
mod guests;
mod host;
mod import;
mod js;
mod layout;
mod limits;
mod module;
mod operations;
mod pictures;
mod playground;
mod profiles;
mod readme;
mod render;
mod scenarios;
mod schema;
mod serve;
mod stream;
mod test_command;
mod vm;
