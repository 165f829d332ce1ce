//! The verdict on a policy, asked for by the VM configuration `{"portcullis":"check"}`.
//!
//! The module that would serve the policy judges it: whoever checks and the gateway cannot disagree. The answer is one
//! JSON document in one log line at level info, `{"portcullis":"check","ok":…,"policy":…,"diagnostics":[…]}`, and
//! `proxy_on_configure` answers whether the policy would load.

use portcullis_policy::{Diagnostic, Verdict};
use serde::Serialize;

/// The word in the VM configuration.
pub(crate) const WORD: &str = "check";

#[derive(Serialize)]
struct Answer<'a> {
    portcullis: &'static str,
    ok: bool,
    policy: Option<&'a str>,
    diagnostics: &'a [Diagnostic],
}

/// The answer.
pub(crate) fn document(verdict: &Verdict) -> String {
    let answer = Answer {
        portcullis: WORD,
        ok: verdict.policy.is_some(),
        policy: verdict.name.as_deref(),
        diagnostics: &verdict.diagnostics,
    };
    // Strings and booleans: this cannot fail, and no document is no verdict.
    serde_json::to_string(&answer).unwrap_or_default()
}
