//! What the gateway knows and the message does not say.

use crate::store::Store;

/// The gateway around one request, asked only when a rule needs the answer: each answer costs a call to the host.
pub trait Ambient {
    /// The source address of the connection as the host writes it (`192.0.2.1:4711`, `[2001:db8::1]:4711`, or without
    /// the port), if the host knows one.
    fn source(&self) -> Option<Vec<u8>>;

    /// A number that no other request was given and that no client can guess.
    fn fresh_id(&self) -> u128;

    /// Nanoseconds on a clock that only goes forward and that all workers share.
    fn now(&self) -> u64;

    /// Nanoseconds since the Unix epoch, for people to read.
    fn wall(&self) -> u64 {
        0
    }

    /// What a check of the policy's `health.checks`, by its place there, has come to.
    fn check(&self, at: usize) -> Checked {
        let _ = at;
        Checked::NotHere
    }

    /// What all workers share.
    fn store(&self) -> &dyn Store;
}

/// What a check of readiness has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// This gateway makes none.
    NotHere,
    /// It has not been made.
    NotYet,
    /// What was asked answered that it is well.
    Ok,
    /// It did not.
    Failed,
}
