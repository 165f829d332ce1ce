//! The module's own reasons for what becomes of one request, so that what is explained and what is served cannot disagree.
//!
//! Started with the VM configuration `{"portcullis":"explain"}` the module serves as ever, and logs one JSON document for each
//! exchange that ends, through `proxy_log` at level info: `{"portcullis":"explain","decision":"refused","status":421,…}`.
//! [`Explanation`] has its members; the module's `explain.rs` is the contract. The request really runs through the module:
//! what the client and the upstream get is what came out of it, and must agree with what the module says.

use serde::Deserialize;
use serde_json::Value;

use crate::exchange::{self, Exchanged};
use crate::host::Host;
use crate::host::clock::Clock;
use crate::host::log::Level;
use crate::message::{Request, Response};
use crate::module::Module;
use crate::profile::Profile;
use crate::trap::Trap;
use crate::vm::{StartError, Vm, VmConfig};

/// The VM configuration that asks for reasons.
pub const EXPLAIN: &[u8] = br#"{"portcullis":"explain"}"#;

/// What the module says of one request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Explanation {
    /// The policy's name.
    pub policy: String,
    /// `passed`, `refused`, or `answered`: a preflight that is granted.
    pub decision: String,
    /// The status of the refusal, or of the answer.
    pub status: Option<u16>,
    /// The code of the refusal.
    pub code: Option<String>,
    /// The method that a preflight asks for, and is judged as.
    pub preflight_for: Option<String>,
    /// Who is asking.
    pub client: Client,
    /// The scheme of the client's own connection.
    pub scheme: Scheme,
    /// As normalised; `None` if the request names none that is valid.
    pub host: Option<String>,
    /// The route that matches.
    pub route: Option<String>,
    /// In the engine's order.
    pub rules: Vec<Rule>,
    /// What was changed on the way up.
    pub request_changes: Vec<Change>,
    /// What was changed on the way back, on the upstream's response.
    pub response_changes: Vec<Change>,
}

/// Who is asking, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Client {
    /// `None` if it cannot be told.
    pub address: Option<String>,
    /// The other end of the connection, as the gateway gives it.
    pub peer: Option<String>,
    /// `peer`, `trusted-peer`, `header`, `host`, `hidden` or `unknown`.
    pub because: String,
    /// The header that decided it.
    pub header: Option<String>,
}

/// A scheme, and how it is known.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Scheme {
    /// `http` or `https`.
    pub name: String,
    /// `connection` or `header`.
    pub because: String,
    /// The header that decided it.
    pub header: Option<String>,
}

/// What one rule says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Rule {
    /// Its place in the policy file.
    pub rule: String,
    /// `enforce`, `report` or `off`.
    pub mode: String,
    /// `passed`, `refused`, `answered`, `masked`, `tagged`, `would-refuse`, `would-mask`, `would-tag`, `not-reached` or
    /// `off`.
    pub decision: String,
    /// The status that it refuses with, or would.
    pub status: Option<u16>,
    /// The code that it refuses with, or would.
    pub code: Option<String>,
    /// A sentence.
    pub why: String,
}

/// One change to a message's headers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Change {
    /// `add`, `replace` or `remove`.
    pub change: String,
    /// The header.
    pub name: String,
    /// Its new value.
    pub value: Option<String>,
}

/// A request that went through, and why it went as it did.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The document as the module logged it.
    pub document: Value,
    /// The same, read.
    pub explanation: Explanation,
    /// What came of the request.
    pub exchanged: Exchanged,
}

/// Why there is no explanation.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The module does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The module stopped.
    #[error(transparent)]
    Trap(#[from] Trap),
    /// The module refuses the policy; [`crate::verdict`] has its reasons.
    #[error("the module refuses the policy")]
    Refused,
    /// It logged no such document.
    #[error("the module does not explain itself; is it portcullis, and of this version?")]
    Silent,
    /// Its document and what it does are not the same.
    #[error("the module says `{said}` and does `{did}`; this is a bug of the module")]
    Contradiction {
        /// What it logged.
        said: String,
        /// What it did.
        did: &'static str,
    },
}

/// Sends a request through the module, to an upstream that answers with `response`.
///
/// # Errors
/// If the module does not start, stops, refuses the policy, or does not say.
pub fn explain(
    module: &Module,
    profile: Profile,
    policy: &Value,
    request: &Request,
    response: &Response,
) -> Result<Explained, ExplainError> {
    let config = VmConfig {
        plugin_name: "portcullis".to_owned(),
        configuration: EXPLAIN.to_vec(),
        // As gateways are to be set up: the policy is explained, not one that runs it badly.
        allow_on_headers_stop_iteration: true,
        environment: [("PORTCULLIS_HOLD_HEADERS".to_owned(), "1".to_owned())].into(),
        ..VmConfig::default()
    };
    let mut vm = Vm::start(module, Host::new(profile, Clock::system()), config)?;
    if !vm.configure(policy.to_string().as_bytes())? {
        return Err(ExplainError::Refused);
    }
    let exchanged = exchange::run(&mut vm, request, &mut |_| response.clone());
    if let Some(trap) = exchanged.trap {
        return Err(trap.into());
    }
    let lines = exchanged.logs.iter().filter(|log| log.level == Level::Info);
    let document: Option<Value> = lines
        .filter_map(|log| serde_json::from_str(&log.message).ok())
        .find(|document: &Value| document.get("portcullis").is_some_and(|it| it == "explain"));
    let document = document.ok_or(ExplainError::Silent)?;
    let explanation = Explanation::deserialize(&document).map_err(|_| ExplainError::Silent)?;
    let did = if exchanged.local_reply {
        "refused or answered"
    } else {
        "passed"
    };
    if (explanation.decision == "passed") == exchanged.local_reply {
        return Err(ExplainError::Contradiction {
            said: explanation.decision,
            did,
        });
    }
    Ok(Explained {
        document,
        explanation,
        exchanged,
    })
}
