//! How limits stand after a request, and which of them refuses it.

use portcullis_config::Mode;

use super::charge::Contention;
use super::fields::seconds;
use crate::refusal::{self, Refusal};

/// How one limit stands after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The limit's place in the list of limits.
    pub(super) at: usize,
    pub(super) remaining: u32,
    /// Nanoseconds until there are more.
    pub(super) reset: u64,
    /// Nanoseconds until there is room, if there is none.
    pub(crate) wait: u64,
    pub(crate) banned: bool,
    pub(crate) mode: Mode,
}

/// What the limits say to a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Every limit that applies, as far as its state had to be looked at.
    pub(crate) standings: Vec<Standing>,
    /// The enforced limit with the longest wait, in `standings`, if one has no room.
    pub(crate) refused: Option<usize>,
    pub(crate) contention: Contention,
}

impl Outcome {
    pub(super) fn of(standings: Vec<Standing>) -> Self {
        let refusing = standings
            .iter()
            .enumerate()
            .filter(|(_, standing)| standing.refuses());
        let refused = refusing
            .rev()
            .max_by_key(|(_, standing)| standing.wait)
            .map(|(at, _)| at);
        Self {
            standings,
            refused,
            contention: Contention::default(),
        }
    }
}

impl Standing {
    /// How a request is refused that finds a limit so.
    pub(crate) fn refusal(&self) -> &'static Refusal {
        if self.banned {
            &refusal::RATE_LIMIT_BANNED
        } else {
            &refusal::RATE_LIMIT_EXCEEDED
        }
    }

    /// How it stands so many nanoseconds later, if nothing happens.
    pub(super) fn after(self, elapsed: u64) -> Self {
        Self {
            // What has come back meanwhile is not counted here: there is always more to come.
            reset: self.reset.saturating_sub(elapsed).max(self.reset.min(1)),
            wait: self.wait.saturating_sub(elapsed),
            ..self
        }
    }

    /// Units that are left.
    #[cold]
    pub(crate) fn remaining(&self) -> u32 {
        self.remaining
    }

    /// Seconds to wait, at least one.
    pub(crate) fn retry_after(&self) -> u64 {
        seconds(self.wait)
    }

    pub(super) fn refuses(&self) -> bool {
        self.wait > 0 && self.mode == Mode::Enforce
    }
}
