//! JSON (RFC 8259) read with its bounds: what readers differ on is refused while it is read.
//!
//! A body that two parsers read differently is judged here as one thing and obeyed behind the gateway as another, so
//! the reader refuses what RFC 8259 leaves open (names that stand twice, halves of surrogate pairs, a byte order mark,
//! numbers that no double holds) and bounds what it lets grow. A body is sent on as it came: where a string of it has
//! to change, that string alone is written anew (`splice`).
//!
//! ```text
//! read      bytes -> Value, or the Fault and its byte
//! Pointer   which strings of a Value are meant
//! splice    bytes + Changes -> bytes in which only these strings differ
//! ```

mod fault;
mod number;
mod pointer;
#[cfg(test)]
mod properties;
mod read;
mod splice;
#[cfg(test)]
mod tests;
mod text;

pub(crate) use fault::{Fault, FaultClass, FaultKind};
pub(crate) use pointer::{Pointer, Step, Token};
pub(crate) use read::{Limits, read};
pub(crate) use splice::Changes;
