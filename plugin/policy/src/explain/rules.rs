//! What the rules say, one after the other, and what ended the request.

use std::rc::Rc;

use portcullis_config::Mode;

use super::members::{Members, append};
use crate::ambient::Ambient;
use crate::message::RequestHead;
use crate::policy::Moded;
use crate::record::{Finding, Outcome};
use crate::refusal::Refusal;
use crate::rule::client::Caller;
use crate::rule::cors::CorsRule;
use crate::rule::rate_limit::{Applied, Asker, Limits};
use crate::rule::request::RequestRule;

/// What the rules say, in their order, and what ended the request here.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// Objects between commas.
    pub(super) said: String,
    pub(super) ended: Option<End>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    Refused(&'static Refusal),
    /// A preflight, granted.
    Answered(u16),
}

impl Rules {
    /// A rule that is not there.
    #[cold]
    pub(super) fn off(&mut self, rule: &'static str, why: &str) {
        self.push(rule, Mode::Off, "off", None, why);
    }

    /// What a rule finds, and the reason if that is nothing.
    #[cold]
    pub(super) fn add(
        &mut self,
        rule: &'static str,
        mode: Mode,
        found: Option<&'static Refusal>,
        passed: &str,
    ) {
        let why = found.map_or(passed, |refusal| refusal.detail);
        self.found(rule, mode, found, why);
    }

    #[cold]
    pub(super) fn found(
        &mut self,
        rule: &'static str,
        mode: Mode,
        found: Option<&'static Refusal>,
        why: &str,
    ) {
        let decision = match (found, mode) {
            _ if self.ended.is_some() => "not-reached",
            (None, _) => "passed",
            (Some(refusal), Mode::Enforce) => {
                self.ended = Some(End::Refused(refusal));
                "refused"
            }
            (Some(_), _) => "would-refuse",
        };
        self.push(rule, mode, decision, found, why);
    }

    /// What was found in the exchange itself.
    #[cold]
    pub(super) fn told(&mut self, finding: &Finding, why: &str) {
        let (refusal, mode) = (finding.refusal, finding.mode);
        match finding.outcome {
            Outcome::Refused => self.found(refusal.rule, mode, Some(refusal), why),
            _ => {
                let decision = match self.ended {
                    Some(_) => "not-reached",
                    None => finding.decision(),
                };
                self.push(refusal.rule, mode, decision, None, why);
            }
        }
    }

    #[cold]
    pub(super) fn push(
        &mut self,
        rule: &str,
        mode: Mode,
        decision: &str,
        found: Option<&'static Refusal>,
        why: &str,
    ) {
        let mut members = Members::default();
        members.text("rule", Some(rule));
        members.text("mode", Some(mode.as_str()));
        members.end(
            decision,
            found.map(|refusal| refusal.status),
            found.map(|refusal| refusal.code),
        );
        members.text("why", Some(why));
        append(&mut self.said, &members);
    }

    /// What cors says to a preflight.
    #[cold]
    pub(super) fn preflight(&mut self, cors: Option<&Moded<Rc<CorsRule>>>, head: &RequestHead<'_>) {
        let name = "cors";
        let Some(moded) = cors else {
            return self.off(name, "`cors` is not written, or off");
        };
        let Some(method) = head.preflight() else {
            return self.add(name, moded.mode, None, "this is no preflight");
        };
        match moded.rule.judge_preflight(head, method) {
            (_, Some(step)) => {
                let refusal = step.refusal(moded.rule.debug());
                // Here the operator is asking, not the page.
                let why = step.refusal(true).detail;
                self.found(refusal.rule, moded.mode, Some(refusal), why);
            }
            (_, None) if moded.mode == Mode::Enforce && self.ended.is_none() => {
                self.ended = Some(End::Answered(moded.rule.preflight_status()));
                let why = "all that the preflight asks for is granted";
                self.push(name, moded.mode, "answered", None, why);
            }
            (_, None) => {
                let why = "all that the preflight asks for would be granted";
                self.add(name, moded.mode, None, why);
            }
        }
    }

    /// What cors says to a request that is no preflight.
    #[cold]
    pub(super) fn origin(
        &mut self,
        cors: Option<&Moded<Rc<CorsRule>>>,
        head: &RequestHead<'_>,
        caller: &Caller,
    ) {
        if let Some(moded) = cors
            && head.preflight().is_none()
        {
            let found = moded.rule.refuse_origin(head, None, caller.https);
            let why = match moded.rule.grants_reading(head) {
                true => "pages of this origin may read the response",
                false => "no page of another origin may read the response",
            };
            self.add("cors.on_disallowed", moded.mode, found, why);
        }
    }

    /// What each limit says, with nothing charged.
    #[cold]
    pub(super) fn limits(
        &mut self,
        limits: &Limits,
        own: &[Applied],
        method: &[u8],
        asker: &Asker<'_, '_>,
        ambient: &dyn Ambient,
    ) {
        let name = "rate_limits";
        let Ok(outcome) = limits.peek(own, method, asker, ambient.store(), ambient.now()) else {
            let why = "what requests are counted in does not answer";
            return self.push(name, Mode::Enforce, "not-reached", None, why);
        };
        if outcome.standings.is_empty() {
            self.off(name, "no limit applies");
        }
        // The one that is answered with comes first: of several it has the longest wait.
        let first = outcome.refused.and_then(|at| outcome.standings.get(at));
        let rest = outcome.standings.iter().filter(|one| Some(*one) != first);
        for standing in first.into_iter().chain(rest) {
            let found = (standing.wait > 0).then(|| standing.refusal());
            let limit = limits.name(standing);
            let why = match found {
                Some(_) => format!("`{limit}` has room in {} s", standing.retry_after()),
                None => format!("`{limit}` has room for {} more", standing.remaining()),
            };
            self.found(name, standing.mode, found, &why);
        }
    }

    #[cold]
    pub(super) fn https(
        &mut self,
        rule: &RequestRule,
        mode: Mode,
        head: &RequestHead<'_>,
        caller: &Caller,
        host: Option<&str>,
    ) {
        let name = "request.https";
        let Some(https) = &rule.https else {
            return self.off(name, "`https` is not written");
        };
        let preflight = head.preflight().is_some();
        let found = match https.refuse(head, caller, host) {
            Some((refusal, _)) if !preflight => Some(refusal),
            _ => None,
        };
        let why = if caller.https {
            "the client came over https"
        } else if preflight {
            "a preflight is never redirected"
        } else {
            "the path or the client is exempt"
        };
        self.add(name, mode, found, why);
    }
}
