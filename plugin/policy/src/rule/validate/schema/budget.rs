//! What judging one value may cost.
//!
//! The engine explores every alternative of a union to its end. Where a schema is recursive, that takes time in a power
//! of the input's depth; where a union is wide, every branch that fails leaves its reasons in memory until all is
//! judged. Both go through gates (see `emit`): past [`REASONS`] a gate only asks whether a value is right, and when the
//! fuel is spent nothing is.

use std::cell::Cell;

use serde_json::Value;

/// So many times what is judged may say what is wrong with it: many more than are told.
const REASONS: u32 = 1_000;
/// So many times more it may say whether anything is, and so many times more for each value that was sent: a schema whose
/// alternatives can be told apart takes one or two.
const FUEL: usize = 4_000;
const FUEL_A_VALUE: usize = 4;
/// As many as a body may have values, by default.
const MOST_FUEL: usize = 100_000;

thread_local! {
    static LEFT: Cell<Left> = const { Cell::new(Left { reasons: 0, fuel: 0, dry: false }) };
}

#[derive(Clone, Copy)]
struct Left {
    reasons: u32,
    fuel: usize,
    dry: bool,
}

/// Fills up for one value.
pub(super) fn refill(value: &Value) {
    let fuel = FUEL.saturating_add(count(value).saturating_mul(FUEL_A_VALUE));
    LEFT.set(Left {
        reasons: REASONS,
        fuel: fuel.min(MOST_FUEL),
        dry: false,
    });
}

/// The values in a value, itself among them.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(list) => list.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}

/// Whether a gate may let its schema say what is wrong.
pub(super) fn take_reason() -> bool {
    let mut left = LEFT.get();
    let some = left.reasons > 0;
    left.reasons = left.reasons.saturating_sub(1);
    LEFT.set(left);
    some
}

/// Whether a gate may let its schema judge.
pub(super) fn take_fuel() -> bool {
    let mut left = LEFT.get();
    let some = left.fuel > 0;
    left.fuel = left.fuel.saturating_sub(1);
    left.dry |= !some;
    LEFT.set(left);
    some
}

/// Whether a gate was shut, so that the verdict on the value means nothing.
pub(super) fn ran_dry() -> bool {
    LEFT.get().dry
}
