//! What judging one value may cost.
//!
//! Every alternative of a union is explored to its end, and where a schema is recursive that takes time in a power of the
//! input's depth. Each step that goes round such a circle, or to a wide schema, takes of the budget (see `graph`); when
//! that is spent, nothing passes.

use serde_json::Value;

/// So many steps any value may take, and so many more for each value that is in it: a schema whose alternatives can be
/// told apart takes one or two.
const STEPS: usize = 5_000;
const STEPS_A_VALUE: usize = 4;
/// So many more at most, for as many values as a body may have by default.
const MOST_MORE: usize = 95_000;

/// What is left for one value.
#[derive(Debug)]
pub(super) struct Budget<'v> {
    left: usize,
    /// The value, until its size was counted: most are judged before that is asked for.
    value: Option<&'v Value>,
    dry: bool,
}

impl<'v> Budget<'v> {
    pub(super) fn new(value: &'v Value) -> Self {
        Self {
            left: STEPS,
            value: Some(value),
            dry: false,
        }
    }

    /// Whether one more step may be taken.
    pub(super) fn take(&mut self) -> bool {
        if self.left == 0
            && let Some(value) = self.value.take()
        {
            self.left = count(value).saturating_mul(STEPS_A_VALUE).min(MOST_MORE);
        }
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => self.dry = true,
        }
        !self.dry
    }

    /// Whether a step was refused, so that a verdict means nothing.
    pub(super) fn is_dry(&self) -> bool {
        self.dry
    }
}

/// The values in a value, itself among them.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(list) => list.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}
