//! Scenarios: what a client sends, what the upstream answers, and what must come of it, one behaviour a file.
//!
//! A file is read once ([`mod@file`]), run against any [`target::Target`] ([`run`]), and judged by one piece of code
//! ([`judge`]), so that the engine, the module in wasmtime and a real gateway cannot be held to different standards.

pub mod bless;
pub mod corpus;
pub mod expect;
pub mod file;
pub mod http;
pub mod judge;
pub mod matcher;
pub mod message;
pub mod run;
pub mod target;
mod walk;
pub mod wasm;
