//! Why a guest stopped: the callback it was in, the reason, and the guest's own stack.

use std::fmt;

/// A callback that did not come back. The VM it ran in answers nothing until [`crate::vm::Vm::restart`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trap {
    /// The exported function that the host had called, `proxy_on_request_headers` say, or `start` while the module starts.
    pub callback: String,
    /// What happened, in one line.
    pub message: String,
    /// The guest's frames, innermost first, by function name (its index where the module has no names).
    pub backtrace: Vec<String>,
}

impl Trap {
    pub(crate) fn new(callback: &str, message: impl Into<String>) -> Self {
        Self {
            callback: callback.to_owned(),
            message: message.into(),
            backtrace: Vec::new(),
        }
    }

    /// Reads reason and backtrace out of what wasmtime returned from a call.
    pub(crate) fn from_wasmtime(callback: &str, error: &wasmtime::Error) -> Self {
        let message = match error.downcast_ref::<wasmtime::Trap>() {
            Some(wasmtime::Trap::Interrupt) => "ran past its time limit".to_owned(),
            Some(trap) => trap.to_string(),
            // The outermost context of a host error is the backtrace; the cause is what the host said.
            None => error.root_cause().to_string(),
        };
        let backtrace =
            error
                .downcast_ref::<wasmtime::WasmBacktrace>()
                .map_or_else(Vec::new, |trace| {
                    trace
                        .frames()
                        .iter()
                        .map(|frame| {
                            frame.func_name().map_or_else(
                                || format!("function {}", frame.func_index()),
                                str::to_owned,
                            )
                        })
                        .collect()
                });
        Self {
            callback: callback.to_owned(),
            message,
            backtrace,
        }
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the module stopped in {}: {}",
            self.callback, self.message
        )?;
        for frame in &self.backtrace {
            write!(f, "\n  in {frame}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Trap {}
