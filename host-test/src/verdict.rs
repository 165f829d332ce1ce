//! The module's own verdict on a policy, so that checker and gateway cannot disagree.
//!
//! Started with the VM configuration `{"portcullis":"check"}` the module logs one JSON document when it is configured, and
//! takes the policy or not. Both must say the same.

use portcullis_config::{Diagnostic, Severity};
use serde::Deserialize;
use serde_json::Value;

use crate::host::Host;
use crate::host::clock::Clock;
use crate::module::Module;
use crate::profile::Profile;
use crate::trap::Trap;
use crate::vm::{StartError, Vm, VmConfig};

/// The VM configuration that asks for a verdict.
pub const CHECK: &[u8] = br#"{"portcullis":"check"}"#;

/// What the module says of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Verdict {
    /// Would a gateway serve it?
    pub ok: bool,
    /// The policy's name, if it can be read.
    pub policy: Option<String>,
    /// Everything found, in the order of the document.
    pub diagnostics: Vec<Diagnostic>,
}

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub enum VerdictError {
    /// The module does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The module stopped while it read the policy.
    #[error("the module stopped while it read the policy")]
    Trap(#[from] Trap),
    /// It logged no such document.
    #[error("the module gives no verdict on policies; is it portcullis?")]
    Silent,
    /// Its document and what it does are not the same.
    #[error("the module says `{said}` and does `{did}`; this is a bug of the module")]
    Contradiction {
        /// What it logged.
        said: bool,
        /// What it returned.
        did: bool,
    },
}

/// Asks the module about a policy.
///
/// # Errors
/// If the module does not say.
pub fn verdict(module: &Module, profile: Profile, policy: &Value) -> Result<Verdict, VerdictError> {
    let config = VmConfig {
        plugin_name: "portcullis".to_owned(),
        configuration: CHECK.to_vec(),
        ..VmConfig::default()
    };
    let mut vm = Vm::start(module, Host::new(profile, Clock::system()), config)?;
    let did = vm.configure(policy.to_string().as_bytes())?;
    let logs = vm.take_logs();
    let verdict = logs.iter().find_map(|log| {
        let document: Value = serde_json::from_str(&log.message).ok()?;
        // Other lines may be JSON too.
        (document.get("portcullis")? == "check").then(|| serde_json::from_value(document).ok())?
    });
    let verdict: Verdict = verdict.ok_or(VerdictError::Silent)?;
    let no_error = verdict
        .diagnostics
        .iter()
        .all(|d| d.severity != Severity::Error);
    if verdict.ok != did || verdict.ok != no_error {
        return Err(VerdictError::Contradiction {
            said: verdict.ok,
            did,
        });
    }
    Ok(verdict)
}
