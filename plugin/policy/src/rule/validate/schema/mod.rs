//! JSON Schemas behind one small trait.

use std::fmt::Debug;

use serde_json::Value;

use super::violation::{Place, Token, Violations};

/// A compiled JSON Schema.
pub(crate) trait Schema: Debug {
    /// Adds what is wrong with `value`, which stands at `at` in `place`.
    fn judge(&self, value: &Value, place: Place, at: &[Token], found: &mut Violations);
}
