//! The verdict on a policy, asked for by the VM configuration `{"portcullis":"check"}`.
//!
//! The module that would serve the policy judges it: whoever checks and the gateway cannot disagree. The answer is one
//! JSON document in one log line at level info, `{"portcullis":"check","ok":…,"policy":…,"diagnostics":[…]}`, and
//! `proxy_on_configure` answers whether the policy would load.

use portcullis_policy::{Diagnostic, Verdict};
use serde::{Deserialize, Serialize};

/// What a VM configuration may ask for.
#[derive(Deserialize)]
struct Asked<'a> {
    portcullis: &'a str,
}

#[derive(Serialize)]
struct Answer<'a> {
    portcullis: &'static str,
    ok: bool,
    policy: Option<&'a str>,
    diagnostics: &'a [Diagnostic],
}

/// Whether this VM configuration asks for a verdict.
pub(crate) fn is_asked_for(configuration: &[u8]) -> bool {
    serde_json::from_slice::<Asked<'_>>(configuration)
        .is_ok_and(|asked| asked.portcullis == "check")
}

/// The answer.
pub(crate) fn document(verdict: &Verdict) -> String {
    let answer = Answer {
        portcullis: "check",
        ok: verdict.policy.is_some(),
        policy: verdict.name.as_deref(),
        diagnostics: &verdict.diagnostics,
    };
    // Strings and booleans: this cannot fail, and no document is no verdict.
    serde_json::to_string(&answer).unwrap_or_default()
}
