//! What a request brings: its parameters, and its body as far as a rule looks at it.

use std::mem;
use std::rc::Rc;

use portcullis_config::{Mode, ProfanityAction};

use super::{Exchange, Request};
use crate::ambient::Ambient;
use crate::decision::{Edit, Reply, remove_once};
use crate::message::RequestHead;
use crate::policy::{Moded, Policy};
use crate::problem::Told;
use crate::record::{Finding, Outcome, kept};
use crate::refusal::{self, Refusal};
use crate::rule::forwarded::reads_as;
use crate::rule::profanity::{self, Seen};
use crate::rule::validate::{Admitted, BodyRule, Objection};

/// More than this of what is wrong with an input is not logged.
const TOLD: usize = 3;

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
    /// The place of its rule among the route's.
    rule: usize,
    admitted: Admitted,
    mode: Mode,
    /// What has passed of it, where it is not held; `None` once that is too much.
    passed: Option<Vec<u8>>,
}

impl Exchange {
    /// What has to be seen of the request's body now.
    pub fn body_need(&self) -> BodyNeed {
        let held = |reading: &Reading| reading.mode == Mode::Enforce;
        if self.readings.iter().any(held) {
            BodyNeed::Whole
        } else if !self.readings.is_empty() {
            BodyNeed::Pieces
        } else if self.counted.is_some() {
            BodyNeed::Length
        } else {
            BodyNeed::Nothing
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
        let rewrites = |reading: &Reading| {
            let rule = self.bodies().get(reading.rule);
            reading.mode == Mode::Enforce && rule.is_some_and(|moded| moded.rule.rewrites())
        };
        let rewrites = self.readings.iter().any(rewrites);
        let names = ABOUT_BYTES.into_iter().filter(|_| rewrites);
        names.filter(|name| head.get(name).is_some()).collect()
    }

    /// Judges a request by the number of bytes of its body that came since the last call.
    pub fn on_request_body(&mut self, bytes: usize, ambient: &dyn Ambient) -> Option<Reply> {
        let counted = self.counted.as_mut()?;
        counted.bytes = counted
            .bytes
            .saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        if counted.bytes <= counted.limit {
            return None;
        }
        let (refusal, mode) = (counted.refusal, counted.mode);
        self.counted = None;
        self.found(refusal, mode, Told::default(), ambient).err()
    }

    /// Takes a piece of a body that passes, `None` if the host does not show it; `end` is its last.
    pub fn on_request_piece(&mut self, piece: Option<&[u8]>, end: bool, ambient: &dyn Ambient) {
        let policy = Rc::clone(&self.policy);
        let bodies = bodies(&policy, self.route);
        for reading in &mut self.readings {
            let limit = bodies
                .get(reading.rule)
                .and_then(|moded| moded.rule.max_bytes());
            // What is longer than the rule reads, or not there, is not judged, and nothing of it kept.
            let Some(mut passed) = reading.passed.take() else {
                continue;
            };
            let longer = piece.is_some_and(|piece| {
                limit.is_some_and(|limit| passed.len().saturating_add(piece.len()) > limit)
            });
            let refusal = match piece {
                Some(_) if longer => &refusal::ROUTE_BODY_TOO_LARGE,
                Some(piece) => {
                    passed.extend_from_slice(piece);
                    reading.passed = Some(passed);
                    continue;
                }
                None => &refusal::BODY_UNREADABLE,
            };
            self.findings.push(Finding {
                outcome: Outcome::Unjudged,
                ..Finding::refused(refusal, reading.mode)
            });
        }
        if end {
            for reading in mem::take(&mut self.readings) {
                if let Some(passed) = &reading.passed {
                    // In report nothing is answered, and nothing changed.
                    let _ = self.read(&reading, passed, bodies, ambient);
                }
            }
        }
    }

    /// Judges a request by its whole body.
    pub fn on_request_whole(&mut self, body: &[u8], ambient: &dyn Ambient) -> BodyDecision {
        let policy = Rc::clone(&self.policy);
        let bodies = bodies(&policy, self.route);
        let mut rewritten = None;
        for reading in mem::take(&mut self.readings) {
            match self.read(&reading, body, bodies, ambient) {
                Ok(other) => rewritten = rewritten.or(other),
                Err(reply) => return BodyDecision::Reply(reply),
            }
        }
        rewritten.map_or(BodyDecision::Continue, BodyDecision::Replace)
    }

    /// The request header that tells the upstream what its body holds, to be written when that is judged.
    pub fn body_tag(&self) -> Option<Edit<'static>> {
        let value = self.tag.filter(|tag| !tag.is_empty())?.to_string();
        let name = profanity::HEADER.as_bytes();
        Some(Edit::Add(name.into(), value.into_bytes().into()))
    }

    /// Judges a body by one rule; gives the bytes that go on in its place, if the rule may say so and these are others.
    fn read(
        &mut self,
        reading: &Reading,
        body: &[u8],
        bodies: &[Moded<BodyRule>],
        ambient: &dyn Ambient,
    ) -> Result<Option<Vec<u8>>, Reply> {
        let Some(moded) = bodies.get(reading.rule) else {
            return Ok(None);
        };
        match moded.rule.judge(&reading.admitted, body) {
            Ok(judged) => {
                self.profane(judged.seen, reading.mode, ambient)?;
                let changes = reading.mode == Mode::Enforce;
                Ok(judged.rewritten.filter(|_| changes))
            }
            Err(trouble) => {
                self.objected(trouble.into(), reading.mode, ambient)?;
                Ok(None)
            }
        }
    }

    /// The reply where a body that has to be judged is not shown whole: what cannot be checked does not pass.
    pub fn unreadable(&mut self, ambient: &dyn Ambient) -> Reply {
        self.refused_body(&refusal::BODY_UNREADABLE, ambient)
    }

    /// The reply where a body would have to be replaced, and the host cannot.
    pub fn unreplaced(&mut self, ambient: &dyn Ambient) -> Reply {
        self.refused_body(&refusal::BODY_NOT_NORMALIZED, ambient)
    }

    /// The reply where the upstream would have to be told of what the body holds, and its headers are gone.
    pub fn untagged(&mut self, ambient: &dyn Ambient) -> Reply {
        self.refused_body(&refusal::PROFANITY_FOUND, ambient)
    }

    fn refused_body(&mut self, refusal: &'static Refusal, ambient: &dyn Ambient) -> Reply {
        self.findings.push(Finding::refused(refusal, Mode::Enforce));
        self.refused(refusal, Told::default(), ambient)
    }

    /// Judges the parameters, and what the head says of the body.
    pub(super) fn judge_input(&mut self, request: Request<'_, '_>) -> Result<(), Reply> {
        let policy = Rc::clone(&self.policy);
        let Some(route) = policy.route(self.route) else {
            return Ok(());
        };
        if let Some(moded) = &route.inputs.validate
            && let Err(objection) = moded.rule.judge(request.head)
        {
            self.record(request);
            self.objected(objection, moded.mode, request.ambient)?;
        }
        if let Some(moded) = &route.profanity {
            let seen = moded.rule.judge(request.head);
            if !seen.is_empty() {
                self.record(request);
                // Logs have no word that was looked for, wherever it stood.
                if let (Some(asked), Some(path)) = (&mut self.asked, &seen.path) {
                    asked.path = kept(path);
                }
                self.profane(seen, moded.mode, request.ambient)?;
            }
        }
        for (rule, moded) in route.inputs.bodies.iter().enumerate() {
            match moded.rule.admit(request.head) {
                Ok(None) => {}
                Ok(Some(admitted)) => {
                    self.record(request);
                    self.readings.push(Reading {
                        rule,
                        admitted,
                        mode: moded.mode,
                        passed: (moded.mode == Mode::Report).then(Vec::new),
                    });
                }
                Err(objection) => {
                    self.record(request);
                    self.objected(objection, moded.mode, request.ambient)?;
                }
            }
        }
        Ok(())
    }

    /// What is done about profanity: an answer, or a note of what is done in place of one.
    fn profane(&mut self, seen: Seen, mode: Mode, ambient: &dyn Ambient) -> Result<(), Reply> {
        let policy = Rc::clone(&self.policy);
        let route = policy.route(self.route);
        let action = route.and_then(|route| Some(route.profanity.as_ref()?.rule.action));
        if seen.is_empty() {
            return Ok(());
        }
        let outcome = match action {
            Some(ProfanityAction::Mask) if !seen.unread => Outcome::Masked,
            Some(ProfanityAction::Tag) if !seen.unread => Outcome::Tagged,
            _ => return self.objected(seen.into(), mode, ambient),
        };
        if mode == Mode::Enforce && outcome == Outcome::Tagged {
            self.tag = Some(self.tag.unwrap_or_default().and(seen.tag));
        }
        self.noted(outcome, &mut seen.into(), mode);
        Ok(())
    }

    /// What the upstream is told of profanity in the head, where a body does not have its own say yet; and nobody else
    /// tells it.
    pub(super) fn tag_edits<'a>(&mut self, head: &RequestHead<'a>, edits: &mut Vec<Edit<'a>>) {
        let route = self.policy.route(self.route);
        let Some(moded) = route.and_then(|route| route.profanity.as_ref()) else {
            return;
        };
        if moded.mode != Mode::Enforce || moded.rule.action != ProfanityAction::Tag {
            return;
        }
        for (name, _) in head.lines() {
            if reads_as(name, profanity::HEADER) {
                remove_once(edits, name);
            }
        }
        if self.body_need() != BodyNeed::Whole
            && let Some(edit) = self.body_tag()
        {
            edits.push(edit);
        }
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
        // One that only reports says so where nothing else is counted; a body that is read is measured as it is.
        let reported = self
            .body_limit(|moded| !moded.rule.reads())
            .map(|limit| (limit, &refusal::ROUTE_BODY_TOO_LARGE, Mode::Report));
        let Some((limit, refusal, mode)) = own.or(shared).or(reported) else {
            return;
        };
        let told = request.head.content_length().is_some() && self.readings.is_empty();
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
        self.body_limit(|moded| moded.mode == Mode::Enforce)
    }

    /// The least that one of these of the route's rules allows.
    fn body_limit(&self, of: impl Fn(&Moded<BodyRule>) -> bool) -> Option<u64> {
        let rules = self.bodies().iter().filter(|moded| of(moded));
        let limit = rules.filter_map(|moded| moded.rule.max_bytes()).min()?;
        Some(u64::try_from(limit).unwrap_or(u64::MAX))
    }

    fn bodies(&self) -> &[Moded<BodyRule>] {
        bodies(&self.policy, self.route)
    }

    fn objected(
        &mut self,
        mut objection: Objection,
        mode: Mode,
        ambient: &dyn Ambient,
    ) -> Result<(), Reply> {
        self.noted(Outcome::Refused, &mut objection, mode);
        if mode != Mode::Enforce {
            return Ok(());
        }
        let told = Told {
            violations: objection.violations.as_slice(),
            fault: objection.fault,
            ..Told::default()
        };
        Err(self.refused(objection.refusal, told, ambient))
    }

    fn noted(&mut self, outcome: Outcome, objection: &mut Objection, mode: Mode) {
        let mut input = mem::take(&mut objection.input);
        let mut entries = mem::take(&mut objection.entries);
        input.truncate(TOLD);
        entries.truncate(TOLD);
        let violations = objection.violations.as_slice().iter();
        self.findings.push(Finding {
            outcome,
            keywords: violations.map(|violation| violation.keyword).collect(),
            input,
            entries,
            ..Finding::refused(objection.refusal, mode)
        });
    }
}

fn bodies(policy: &Policy, route: Option<usize>) -> &[Moded<BodyRule>] {
    policy
        .route(route)
        .map_or(&[], |route| &route.inputs.bodies)
}
