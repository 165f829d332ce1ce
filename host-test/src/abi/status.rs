//! What an import answers.

/// The ABI's status codes (`proxy_status_t`, ABI 0.2.1), as far as this host answers with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Status {
    /// Done.
    Ok = 0,
    /// No such thing.
    NotFound = 1,
    /// An argument is wrong, or wrong at this moment.
    BadArgument = 2,
    /// A value cannot be written as bytes.
    SerializationFailure = 3,
    /// A pointer leaves the guest's memory.
    InvalidMemoryAccess = 6,
    /// A queue holds nothing.
    Empty = 7,
    /// Somebody else has written meanwhile.
    CasMismatch = 8,
    /// The host failed.
    InternalFailure = 10,
    /// This host has no such call.
    Unimplemented = 12,
}

/// Why an import does not answer [`Status::Ok`].
#[derive(Debug)]
pub(crate) enum Fault {
    /// The guest is told.
    Status(Status),
    /// The guest does not get to hear of it: its allocator trapped, or it asked to exit.
    Trap(wasmtime::Error),
}

impl Fault {
    /// Stops the guest, for this reason.
    pub(crate) fn trap(why: &'static str) -> Self {
        Self::Trap(wasmtime::Error::msg(why))
    }
}

impl From<Status> for Fault {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}
