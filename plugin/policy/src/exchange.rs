//! One request and its response, through the phases; owns what later phases need.

mod body;
mod head;
mod limits;

use std::net::IpAddr;
use std::rc::Rc;

use portcullis_config::Mode;

pub use self::body::{BodyDecision, BodyNeed};
use self::body::{Counted, Reading};
use crate::ambient::Ambient;
use crate::decision::{Decision, Edit, Reply};
use crate::message::{Line, RequestHead, ResponseHead};
use crate::policy::Policy;
use crate::problem::{Extra, Told};
use crate::record::{Finding, Record, kept};
use crate::refusal::{self, Refusal, request_id};
use crate::rule::client::Caller;
use crate::rule::cors::{Author, CorsRule, Grant};
use crate::rule::headers::HeadersRule;
use crate::rule::profanity::Tag;
use crate::rule::rate_limit::{self, Standing};

/// One request and its response.
#[derive(Debug)]
pub struct Exchange {
    policy: Rc<Policy>,
    /// The place of the matched route in the policy's list.
    route: Option<usize>,
    /// Who is asking, once a rule had to know.
    caller: Option<Caller>,
    /// What pages of other origins may be told, if cors is enforced.
    grant: Option<Grant>,
    /// How the limits stand that apply to the request.
    standings: Vec<Standing>,
    /// The scheme of the client's own connection, if a rule looks at it.
    https: bool,
    is_grpc: bool,
    /// Whether the reply is our own: it carries its edits already.
    replied: bool,
    /// The body's bytes, while they are counted.
    counted: Option<Counted>,
    /// How the body is judged, while it is to be.
    readings: Vec<Reading>,
    /// What the upstream is told of profanity.
    tag: Option<Tag>,
    /// What a record needs of the request's head, kept while something may be found that it is read no more.
    asked: Option<Asked>,
    findings: Vec<Finding>,
}

/// What was asked.
#[derive(Debug)]
struct Asked {
    id: u128,
    method: Vec<u8>,
    path: Vec<u8>,
    client: Option<IpAddr>,
}

/// A request's head and what the gateway knows beside it.
#[derive(Clone, Copy)]
struct Request<'r, 'a> {
    head: &'r RequestHead<'a>,
    ambient: &'r dyn Ambient,
}

impl Exchange {
    pub(crate) fn new(policy: Rc<Policy>) -> Self {
        Self {
            policy,
            route: None,
            caller: None,
            grant: None,
            standings: Vec::new(),
            https: false,
            is_grpc: false,
            replied: false,
            counted: None,
            readings: Vec::new(),
            tag: None,
            asked: None,
            findings: Vec::new(),
        }
    }

    /// Judges a request by its head. The order is fixed: form, host, preflight, https, origin, method, unmatched,
    /// limits, parameters, the body's type; the first rule in `enforce` that refuses ends it, one in `report` is recorded
    /// and passed.
    pub fn on_request_head<'a>(
        &mut self,
        head: &RequestHead<'a>,
        ambient: &dyn Ambient,
    ) -> Decision<'a> {
        let request = Request { head, ambient };
        match self.judge(request) {
            Err(reply) => Decision::Reply(reply),
            Ok(()) if self.body_need() == BodyNeed::Whole => {
                Decision::NeedBody(self.request_edits(request))
            }
            Ok(()) => Decision::Continue(self.request_edits(request)),
        }
    }

    /// Whether the response's head would be looked at: where it is not, the host need not be asked for it.
    pub fn reads_response(&self) -> bool {
        let writes = self.headers().is_some() || self.grant.is_some() || !self.standings.is_empty();
        writes && !self.replied
    }

    /// The changes to the head of the upstream's response, or of an answer that the gateway gives by itself. Our own
    /// replies carry theirs already: on them this gives none, whether or not the host asks.
    pub fn on_response_head<'a>(&'a self, head: &ResponseHead<'a>) -> Vec<Edit<'a>> {
        if self.replied {
            return Vec::new();
        }
        self.response_edits(head.lines(), false)
    }

    /// The reply where the request cannot be looked at, or changed as it has to be: what cannot be checked does not
    /// pass.
    pub fn unchecked(&mut self, ambient: &dyn Ambient) -> Reply {
        if self.grant.is_none() {
            let nothing = RequestHead::new(&[]);
            self.grant = self.cors().map(|rule| rule.grant(&nothing));
        }
        let id = request_id(ambient.fresh_id());
        let reply =
            refusal::UNCHECKED.reply(self.policy.errors, self.is_grpc, &id, Told::default());
        self.finished(reply)
    }

    /// Whether the client is not known because the gateway took its address from a header, and the policy does not say
    /// that it may.
    pub fn hides_client(&self) -> bool {
        self.caller.is_some_and(|caller| caller.hidden)
    }

    /// What happened: `None` if no rule found anything.
    pub fn finish(self) -> Option<Record> {
        let asked = self.asked.filter(|_| !self.findings.is_empty())?;
        let route = self.route.and_then(|at| self.policy.routes.get(at));
        let client = asked.client;
        Some(Record {
            policy: self.policy.name.clone(),
            request_id: request_id(asked.id),
            method: asked.method,
            path: asked.path,
            client: client.map_or_else(|| "unknown".to_owned(), |client| client.to_string()),
            route: route.map(|route| route.name.clone()),
            findings: self.findings,
        })
    }

    /// The changes to a request that goes on.
    fn request_edits<'a>(&mut self, request: Request<'_, 'a>) -> Vec<Edit<'a>> {
        let policy = Rc::clone(&self.policy);
        let mut edits = match &policy.request {
            Some(moded) if moded.mode == Mode::Enforce => {
                let caller = self.caller(request);
                moded.rule.forwarded.edits(request.head.lines(), &caller)
            }
            _ => Vec::new(),
        };
        self.tag_edits(request.head, &mut edits);
        edits
    }

    fn caller(&mut self, request: Request<'_, '_>) -> Caller {
        let client = &self.policy.client;
        *self
            .caller
            .get_or_insert_with(|| client.resolve(request.head, request.ambient))
    }

    fn headers(&self) -> Option<&HeadersRule> {
        self.policy.patched(self.route).headers.as_deref()
    }

    /// The rule that writes on responses.
    fn cors(&self) -> Option<&CorsRule> {
        let moded = self.policy.patched(self.route).cors.as_ref();
        moded
            .filter(|moded| moded.mode == Mode::Enforce)
            .map(|moded| &*moded.rule)
    }

    /// Cors comes last: what it says of who may read, no other rule changes.
    fn response_edits<'a>(&'a self, lines: &[Line<'a>], ours: bool) -> Vec<Edit<'a>> {
        let mut edits = match self.headers() {
            Some(rule) => rule.edits(lines, self.https),
            None => Vec::new(),
        };
        if let Some(limits) = &self.policy.limits {
            rate_limit::edits(limits, &self.standings, lines, &mut edits);
        }
        if let (Some(rule), Some(grant)) = (self.cors(), &self.grant) {
            let by = match ours {
                true => Author::Gateway,
                false if self.standings.is_empty() => Author::Upstream,
                false => Author::LimitedUpstream,
            };
            rule.edits(grant, lines, by, &mut edits);
        }
        edits
    }

    /// A reply with the headers that every response has.
    fn finished(&mut self, mut reply: Reply) -> Reply {
        self.replied = true;
        // Whatever comes of the body now is nobody's.
        self.counted = None;
        self.readings = Vec::new();
        reply.headers = reply.edited(&self.response_edits(&reply.lines(), true));
        reply
    }

    /// Records what a rule found in the head; in `enforce` that is the reply.
    fn judged(
        &mut self,
        refusal: &'static Refusal,
        mode: Mode,
        header: Extra,
        request: Request<'_, '_>,
    ) -> Result<(), Reply> {
        self.record(request);
        let told = Told {
            header,
            ..Told::default()
        };
        self.found(refusal, mode, told)
    }

    /// Keeps what a record needs, while the request can be read.
    fn record(&mut self, request: Request<'_, '_>) {
        if self.asked.is_some() {
            return;
        }
        let caller = self.caller(request);
        self.asked = Some(Asked {
            id: request.ambient.fresh_id(),
            method: kept(request.head.method()),
            path: kept(request.head.path()),
            client: caller.address,
        });
    }

    /// Notes a refusal; in `enforce` that is the reply.
    fn found(
        &mut self,
        refusal: &'static Refusal,
        mode: Mode,
        told: Told<'_>,
    ) -> Result<(), Reply> {
        self.findings.push(Finding {
            limit: told.limit.map(str::to_owned),
            ..Finding::refused(refusal, mode)
        });
        if mode == Mode::Enforce {
            return Err(self.refused(refusal, told));
        }
        Ok(())
    }

    fn refused(&mut self, refusal: &Refusal, told: Told<'_>) -> Reply {
        let id = self
            .asked
            .as_ref()
            .map_or_else(String::new, |asked| request_id(asked.id));
        let reply = refusal.reply(self.policy.errors, self.is_grpc, &id, told);
        self.finished(reply)
    }
}
