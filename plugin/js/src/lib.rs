//! The engine of Portcullis for browsers and JavaScript runtimes.
//!
//! The same code that serves in the gateway judges a policy here, so that an editor in a page shows what the gateway
//! would say.

use portcullis_policy::load;
use wasm_bindgen::prelude::wasm_bindgen;

/// Judges a policy, given as JSON text. The answer is a JSON array of diagnostics, each
/// `{code, severity, pointer, message, help?}`; the policy would load if none has the severity `error`.
#[wasm_bindgen]
pub fn check(policy: &str) -> String {
    let verdict = load(policy.as_bytes());
    // Strings alone: this cannot fail.
    serde_json::to_string(&verdict.diagnostics).unwrap_or_default()
}
