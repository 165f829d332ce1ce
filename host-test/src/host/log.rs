//! What guests log: a bounded list for each VM, and a listener that hears each line at once.

use std::collections::VecDeque;
use std::fmt;

/// The ABI's log levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// 0
    Trace,
    /// 1
    Debug,
    /// 2; also what a guest prints to standard output.
    Info,
    /// 3
    Warn,
    /// 4; also what a guest prints to standard error.
    Error,
    /// 5
    Critical,
}

impl Level {
    /// The level of that number in the ABI.
    pub fn from_number(number: u32) -> Option<Self> {
        [
            Self::Trace,
            Self::Debug,
            Self::Info,
            Self::Warn,
            Self::Error,
            Self::Critical,
        ]
        .get(usize::try_from(number).ok()?)
        .copied()
    }

    /// `trace` to `critical`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One line of a guest's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// How grave.
    pub level: Level,
    /// The text, bytes that are not UTF-8 replaced by U+FFFD, at most 64 KiB of it.
    pub message: String,
    /// The context that was active: a stream's, or a root context's while configuring and ticking.
    pub context: u32,
}

impl Log {
    /// The longest message that is kept, in bytes.
    pub const MAX_BYTES: usize = 64 * 1024;
}

/// The lines of one VM that nobody has taken yet: at most [`Logs::MAX_LINES`], the oldest go first.
#[derive(Debug, Default)]
pub(crate) struct Logs {
    lines: VecDeque<Log>,
}

impl Logs {
    pub(crate) const MAX_LINES: usize = 1_000;

    pub(crate) fn push(&mut self, log: Log) {
        if self.lines.len() >= Self::MAX_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(log);
    }

    /// Takes the lines that are `wanted` and leaves the others.
    pub(crate) fn take(&mut self, wanted: impl FnMut(&Log) -> bool) -> Vec<Log> {
        let (taken, kept) = std::mem::take(&mut self.lines)
            .into_iter()
            .partition::<Vec<_>, _>(wanted);
        self.lines = kept.into();
        taken
    }
}
