//! What a request brings: its parameters, and its body as far as a rule looks at it.

use std::rc::Rc;

use portcullis_config::Mode;

use super::{Exchange, Request};
use crate::decision::Reply;
use crate::message::RequestHead;
use crate::policy::{Moded, Policy};
use crate::problem::Told;
use crate::refusal::{self, Refusal};
use crate::rule::validate::{Admitted, Objection, ValidateRule};

/// What has to be seen of a request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyNeed {
    /// Nothing: it passes unseen.
    Nothing,
    /// How long it is, as it passes: [`Exchange::on_request_body`].
    Length,
    /// Its bytes, as they pass: [`Exchange::on_request_piece`] beside that.
    Pieces,
    /// All of it before any of it goes on: [`Exchange::on_request_whole`] beside the first.
    Whole,
}

/// What is to become of a request whose body has been judged.
#[derive(Debug, PartialEq, Eq)]
pub enum BodyDecision {
    /// It goes on as it came.
    Continue,
    /// It goes on with this body, and a length that is this one's; the headers that [`Exchange::stale`] names were
    /// about the other one.
    Replace(Vec<u8>),
    /// It is answered here.
    Reply(Reply),
}

/// A body's bytes on the way to a limit.
#[derive(Debug)]
pub(super) struct Counted {
    bytes: u64,
    limit: u64,
    refusal: &'static Refusal,
    mode: Mode,
}

/// A body that is judged when it is there.
#[derive(Debug)]
pub(super) struct Reading {
    admitted: Admitted,
    mode: Mode,
    /// What has passed of it, where it is not held; `None` once that is too much.
    passed: Option<Vec<u8>>,
}

impl Exchange {
    /// What has to be seen of the request's body now.
    pub fn body_need(&self) -> BodyNeed {
        match &self.reading {
            Some(reading) if reading.mode == Mode::Enforce => BodyNeed::Whole,
            Some(_) => BodyNeed::Pieces,
            None if self.counted.is_some() => BodyNeed::Length,
            None => BodyNeed::Nothing,
        }
    }

    /// The request's headers that are about its body's bytes, where these may be replaced: they must not go on with
    /// others.
    pub fn stale(&self, head: &RequestHead<'_>) -> Vec<&'static str> {
        const ABOUT_BYTES: [&str; 6] = [
            "content-length",
            "content-encoding",
            "content-digest",
            "repr-digest",
            "digest",
            "content-md5",
        ];
        let rewrites = self.reading.as_ref().is_some_and(|reading| {
            reading.mode == Mode::Enforce && reading.admitted.may_be_rewritten
        });
        let names = ABOUT_BYTES.into_iter().filter(|_| rewrites);
        names.filter(|name| head.get(name).is_some()).collect()
    }

    /// Judges a request by the number of bytes of its body that came since the last call.
    pub fn on_request_body(&mut self, bytes: usize) -> Option<Reply> {
        let counted = self.counted.as_mut()?;
        counted.bytes = counted
            .bytes
            .saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        if counted.bytes <= counted.limit {
            return None;
        }
        let (refusal, mode) = (counted.refusal, counted.mode);
        self.counted = None;
        self.found(refusal, mode, Told::default()).err()
    }

    /// Takes a piece of a body that passes, `None` if the host does not show it; `end` is its last.
    pub fn on_request_piece(&mut self, piece: Option<&[u8]>, end: bool) {
        let policy = Rc::clone(&self.policy);
        let (Some(moded), Some(reading)) = (self.validate(&policy), &mut self.reading) else {
            return;
        };
        let limit = moded.rule.max_bytes();
        // What is longer than the rule reads, or not there, is not judged, and nothing of it kept.
        reading.passed = reading.passed.take().and_then(|mut passed| {
            passed.extend_from_slice(piece?);
            let fits = limit.is_none_or(|limit| passed.len() <= limit);
            fits.then_some(passed)
        });
        if !end {
            return;
        }
        if let Some(reading) = self.reading.take()
            && let Some(passed) = &reading.passed
            && let Err(objection) = moded.rule.judge_body(&reading.admitted, passed)
        {
            // In report nothing is answered.
            let _ = self.objected(objection, reading.mode);
        }
    }

    /// Judges a request by its whole body.
    pub fn on_request_whole(&mut self, body: &[u8]) -> BodyDecision {
        let policy = Rc::clone(&self.policy);
        let (Some(reading), Some(moded)) = (self.reading.take(), self.validate(&policy)) else {
            return BodyDecision::Continue;
        };
        let objection = match moded.rule.judge_body(&reading.admitted, body) {
            Ok(None) => return BodyDecision::Continue,
            Ok(Some(rewritten)) => return BodyDecision::Replace(rewritten),
            Err(objection) => objection,
        };
        match self.objected(objection, reading.mode) {
            Ok(()) => BodyDecision::Continue,
            Err(reply) => BodyDecision::Reply(reply),
        }
    }

    /// The reply where a body that has to be judged is not shown whole: what cannot be checked does not pass.
    pub fn unreadable(&mut self) -> Reply {
        self.refused_body(&refusal::BODY_UNREADABLE)
    }

    /// The reply where a body would have to be replaced, and the host cannot.
    pub fn unreplaced(&mut self) -> Reply {
        self.refused_body(&refusal::BODY_NOT_NORMALIZED)
    }

    fn refused_body(&mut self, refusal: &'static Refusal) -> Reply {
        self.noted(refusal, Mode::Enforce, &Told::default());
        self.refused(refusal, Told::default())
    }

    /// Judges the parameters, and what the head says of the body.
    pub(super) fn judge_input(&mut self, request: Request<'_, '_>) -> Result<(), Reply> {
        let policy = Rc::clone(&self.policy);
        let Some(moded) = self.validate(&policy) else {
            return Ok(());
        };
        if let Err(objection) = moded.rule.judge_parameters(request.head) {
            self.record(request);
            self.objected(objection, moded.mode)?;
        }
        match moded.rule.admit(request.head) {
            Ok(None) => {}
            Ok(Some(admitted)) => {
                self.record(request);
                self.reading = Some(Reading {
                    admitted,
                    mode: moded.mode,
                    passed: (moded.mode == Mode::Report).then(Vec::new),
                });
            }
            Err(objection) => {
                self.record(request);
                self.objected(objection, moded.mode)?;
            }
        }
        Ok(())
    }

    /// Counts the body from here on, where its length is limited and not told.
    pub(super) fn count_body(&mut self, request: Request<'_, '_>) {
        let policy = Rc::clone(&self.policy);
        let own = self.own_body_limit();
        let shared = policy.request.as_ref();
        let shared = shared.and_then(|moded| {
            Some((
                moded.rule.max_body_bytes()?,
                &refusal::BODY_TOO_LARGE,
                moded.mode,
            ))
        });
        let own = own.map(|limit| (limit, &refusal::ROUTE_BODY_TOO_LARGE, Mode::Enforce));
        let Some((limit, refusal, mode)) = own.or(shared) else {
            return;
        };
        let told = request.head.content_length().is_some() && self.reading.is_none();
        if told || request.head.is_tunnel() {
            return;
        }
        self.record(request);
        self.counted = Some(Counted {
            bytes: 0,
            limit,
            refusal,
            mode,
        });
    }

    /// The matched route's limit for bodies, where it stands in place of the shared one.
    pub(super) fn own_body_limit(&self) -> Option<u64> {
        let moded = self.validate(&self.policy)?;
        let limit = moded.rule.max_bytes()?;
        let enforced = moded.mode == Mode::Enforce;
        enforced.then(|| u64::try_from(limit).unwrap_or(u64::MAX))
    }

    fn validate<'p>(&self, policy: &'p Policy) -> Option<&'p Moded<ValidateRule>> {
        policy.routes.get(self.route?)?.validate.as_ref()
    }

    fn objected(&mut self, objection: Objection, mode: Mode) -> Result<(), Reply> {
        let told = Told {
            violations: objection.violations.as_slice(),
            fault: objection.fault,
            ..Told::default()
        };
        self.found(objection.refusal, mode, told)
    }
}
