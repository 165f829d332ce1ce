//! One exchange explained, asked for by the VM configuration `{"portcullis":"explain"}`.
//!
//! The policy serves as ever; beside that, each exchange that ends logs one JSON document in one line at level info:
//!
//! ```text
//! {"portcullis":"explain","policy":NAME,
//!  "decision":"passed"|"refused"|"answered","status":421|null,"code":"host-not-allowed"|null,
//!  "method":…,"path":…,"preflight_for":METHOD|null,       what was asked; a preflight is judged as what it asks for
//!  "client":{"address":…|null,"peer":…|null,"because":B,"header":NAME|null},
//!  "scheme":{"name":"http"|"https","because":"connection"|"header","header":NAME|null},
//!  "host":…|null,"route":NAME|null,                       as normalised; as matched
//!  "rules":[{"rule":…,"mode":"enforce"|"report"|"off","decision":D,"status":…|null,"code":…|null,"why":…}],
//!  "request_changes":[C],"response_changes":[C]}          C: {"change":"add"|"replace"|"remove","name":…,"value":…|null}
//! ```
//!
//! `B` is `peer` (the other end of the connection, and no trusted proxy), `trusted-peer` (a trusted proxy that speaks for
//! nobody else), `header` (a trusted proxy's word), `host` (the gateway resolved it and the policy lets it), `hidden` (it
//! resolved it and the policy does not) or `unknown`. `D` is `passed`, `refused`, `answered` (a preflight, granted),
//! `would-refuse` (in report), `masked` or `tagged` (profanity was found, and the request goes on; `status` and `code` are
//! null), `would-mask` or `would-tag` (the same in report), `not-reached` (an earlier rule has ended it; `code` says what
//! this one would have said) or `off`. Where profanity was found, `why` names each place with the entry of the word list
//! and, only here, how that is spelled. Rules stand in the engine's order, and a name stands twice where it is asked twice.
//! Texts are cut at 1024 bytes. Members may be added.

use std::rc::Rc;

use portcullis_policy::{Ambient, Edit, Explanation, Finding, Policy, RequestHead};

use crate::host::{self, Level};

/// The word in the VM configuration.
pub(crate) const WORD: &str = "explain";

/// The explanation of one exchange while it goes on.
pub(crate) struct Explain {
    policy: Rc<Policy>,
    /// `None` until there is a head.
    explanation: Option<Box<Explanation>>,
}

impl Explain {
    pub(crate) fn new(policy: Rc<Policy>) -> Self {
        Self {
            policy,
            explanation: None,
        }
    }

    pub(crate) fn request(&mut self, head: &RequestHead<'_>, ambient: &dyn Ambient) {
        self.explanation = Some(self.policy.explain(head, ambient));
    }

    pub(crate) fn request_changed(&mut self, edits: &[Edit<'_>]) {
        if let Some(explanation) = &mut self.explanation {
            explanation.request_changed(edits);
        }
    }

    pub(crate) fn response_changed(&mut self, edits: &[Edit<'_>]) {
        if let Some(explanation) = &mut self.explanation {
            explanation.response_changed(edits);
        }
    }

    /// Says it, once, with what was found in the exchange.
    pub(crate) fn log(&mut self, findings: &[Finding]) {
        if let Some(explanation) = self.explanation.take() {
            host::log(Level::Info, &explanation.log_line(findings));
        }
    }
}
