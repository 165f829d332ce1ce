//! One request and its response, through the phases; owns what later phases need.

mod body;
mod head;
mod limits;

use std::net::IpAddr;
use std::rc::Rc;

use portcullis_config::{LogPolicy, Mode};

pub use self::body::{BodyDecision, BodyNeed};
use self::body::{Counted, Reading};
use crate::ambient::Ambient;
use crate::decision::{Decision, Edit, Reply};
use crate::message::{Line, RequestHead, ResponseHead};
use crate::path::path_of;
use crate::policy::Policy;
use crate::problem::{Extra, Told};
use crate::record::{Finding, Outcome, Record, Tally, kept};
use crate::refusal::{self, Refusal};
use crate::rule::client::Caller;
use crate::rule::cors::{Author, CorsRule, Grant};
use crate::rule::headers::HeadersRule;
use crate::rule::mask::MaskRule;
use crate::rule::observe::RequestId;
use crate::rule::profanity::Tag;
use crate::rule::rate_limit::{self, Contention, Standing};

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
    contention: Contention,
    /// The request's id, once somebody had to know.
    id: Option<RequestId>,
    /// When the request began, if that is of use.
    began: Option<u64>,
    /// Whether a 503 may be read that answers this.
    lets_read: bool,
    /// The status of the response, once it is known.
    status: Option<u16>,
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
            contention: Contention::default(),
            id: None,
            began: None,
            lets_read: false,
            status: None,
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
        self.observe(request);
        match self.judge(request) {
            Err(reply) => Decision::Reply(reply),
            Ok(()) if self.body_need() == BodyNeed::Whole => {
                Decision::NeedBody(self.request_edits(request))
            }
            Ok(()) => Decision::Continue(self.request_edits(request)),
        }
    }

    /// Whether there are responses that [`Exchange::mask`] would put a reply in the place of.
    pub fn masks(&self) -> bool {
        let mask = self.policy.mask.as_ref();
        mask.is_some_and(|moded| moded.mode == Mode::Enforce)
    }

    /// The reply in place of the upstream's response, where that is a failure that nobody is to read; looked at before
    /// its head is edited.
    pub fn mask(&mut self, head: &ResponseHead<'_>, ambient: &dyn Ambient) -> Option<Reply> {
        self.on_response_status(head.status());
        let mode = self.policy.mask.as_ref()?.mode;
        if self.replied || !MaskRule::masks(head, self.lets_read) {
            return None;
        }
        self.findings.push(Finding {
            outcome: Outcome::Masked,
            ..Finding::refused(&refusal::UPSTREAM_FAILED, mode)
        });
        if mode != Mode::Enforce {
            return None;
        }
        let retry = head.get("retry-after");
        let told = Told {
            status: head.status(),
            header: retry.map(|value| ("retry-after", value.to_vec())),
            ..Told::default()
        };
        Some(self.refused(&refusal::UPSTREAM_FAILED, told, ambient))
    }

    /// Whether the response's head would be looked at: where it is not, the host need not be asked for it.
    pub fn reads_response(&self) -> bool {
        let writes = self.headers().is_some()
            || self.grant.is_some()
            || !self.standings.is_empty()
            || self.policy.observe.writes()
            || self.policy.mask.is_some();
        writes && !self.replied
    }

    /// Whether the status of the response would be looked at, where nothing else of its head is.
    pub fn reads_status(&self) -> bool {
        self.status.is_none() && (self.policy.observe.metrics || self.asked.is_some())
    }

    /// Takes the status of the response down; the first that it is told of.
    pub fn on_response_status(&mut self, status: Option<u16>) {
        self.status = self.status.or(status);
    }

    /// The changes to the head of the upstream's response, or of an answer that the gateway gives by itself. Our own
    /// replies carry theirs already: on them this gives none, whether or not the host asks.
    pub fn on_response_head<'a>(
        &'a self,
        head: &ResponseHead<'a>,
        ambient: &dyn Ambient,
    ) -> Vec<Edit<'a>> {
        if self.replied {
            return Vec::new();
        }
        self.response_edits(head.lines(), false, ambient)
    }

    /// The reply where the request cannot be looked at, or changed as it has to be: what cannot be checked does not
    /// pass.
    pub fn unchecked(&mut self, ambient: &dyn Ambient) -> Reply {
        if self.grant.is_none() {
            let nothing = RequestHead::new(&[]);
            self.grant = self.cors().map(|rule| rule.grant(&nothing));
        }
        let id = self.id(ambient).to_string();
        let reply =
            refusal::UNCHECKED.reply(self.policy.errors, self.is_grpc, &id, Told::default());
        self.finished(reply, ambient)
    }

    /// Whether the client is not known because the gateway took its address from a header, and the policy does not say
    /// that it may.
    pub fn hides_client(&self) -> bool {
        self.caller.is_some_and(|caller| caller.hidden)
    }

    /// What the rules have found, in their order.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Nanoseconds since the request began; 0 for one whose head could not be looked at.
    fn elapsed(&self, ambient: &dyn Ambient) -> u64 {
        let began = self.began.map(|began| ambient.now().saturating_sub(began));
        began.unwrap_or_default()
    }

    /// What happened, to be counted; `None` where the policy counts nothing.
    pub fn tally(&self, ambient: &dyn Ambient) -> Option<Tally<'_>> {
        let observe = &self.policy.observe;
        if !observe.metrics {
            return None;
        }
        Some(Tally {
            route: self
                .route
                .zip(self.policy.route(self.route))
                .map(|(at, route)| (at, route.name.as_str())),
            status: self.status,
            duration: self.elapsed(ambient),
            findings: &self.findings,
            contention: self.contention,
        })
    }

    /// What happened: `None` if that is not to be logged.
    pub fn finish(mut self, ambient: &dyn Ambient) -> Option<Record> {
        let (asked, id) = (self.asked.take()?, self.id.take()?);
        let observe = &self.policy.observe;
        let logged = match observe.log {
            LogPolicy::None => false,
            LogPolicy::Blocked => !self.findings.is_empty(),
            LogPolicy::All => !self.findings.is_empty() || observe.logs_passed(&id),
        };
        if !logged {
            return None;
        }
        let route = self.policy.route(self.route);
        let client = asked.client;
        Some(Record {
            policy: self.policy.name.clone(),
            time: ambient.wall(),
            duration: observe.reads_time().then(|| self.elapsed(ambient)),
            status: self.status,
            request_id: id.to_string(),
            method: asked.method,
            path: asked.path,
            client: client.map_or_else(|| "unknown".to_owned(), |client| client.to_string()),
            route: route.map(|route| route.name.clone()),
            template: route.map(|route| route.template.clone()),
            findings: self.findings,
        })
    }

    /// Takes down what tells this request from others.
    fn observe(&mut self, request: Request<'_, '_>) {
        let policy = Rc::clone(&self.policy);
        if policy.observe.reads_time() {
            self.began = Some(request.ambient.now());
        }
        if let Some(id) = policy.observe.brought(request.head)
            && self.caller(request).trusted
        {
            self.id = Some(RequestId::Kept(id));
        }
        if let Some(moded) = &policy.mask {
            self.lets_read = moded.rule.lets_read(request.head);
        }
        if policy.observe.log == LogPolicy::All || policy.mask.is_some() {
            self.record(request);
        }
    }

    fn id(&mut self, ambient: &dyn Ambient) -> &RequestId {
        let made = || RequestId::Made(ambient.fresh_id());
        self.id.get_or_insert_with(made)
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
        if policy.observe.request_id.is_some() {
            let id = self.id(request.ambient).clone();
            self.policy
                .observe
                .identify(&id, request.head.lines(), &mut edits);
        }
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
    fn response_edits<'a>(
        &'a self,
        lines: &[Line<'a>],
        ours: bool,
        ambient: &dyn Ambient,
    ) -> Vec<Edit<'a>> {
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
        let observe = &self.policy.observe;
        if let Some(id) = &self.id {
            observe.identify(id, lines, &mut edits);
        }
        if observe.timing.is_some() {
            observe.time(self.elapsed(ambient), lines, &mut edits);
        }
        edits
    }

    /// A reply with the headers that every response has.
    fn finished(&mut self, mut reply: Reply, ambient: &dyn Ambient) -> Reply {
        self.replied = true;
        self.status = Some(reply.status);
        if self.policy.observe.request_id.is_some() {
            self.id(ambient);
        }
        // Whatever comes of the body now is nobody's.
        self.counted = None;
        self.readings = Vec::new();
        reply.headers = reply.edited(&self.response_edits(&reply.lines(), true, ambient));
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
        self.found(refusal, mode, told, request.ambient)
    }

    /// Keeps what a record needs, while the request can be read.
    fn record(&mut self, request: Request<'_, '_>) {
        if self.asked.is_some() {
            return;
        }
        self.id(request.ambient);
        let caller = self.caller(request);
        self.asked = Some(Asked {
            method: kept(request.head.method()),
            path: kept(path_of(request.head.path())),
            client: caller.address,
        });
    }

    /// Notes a refusal; in `enforce` that is the reply.
    fn found(
        &mut self,
        refusal: &'static Refusal,
        mode: Mode,
        told: Told<'_>,
        ambient: &dyn Ambient,
    ) -> Result<(), Reply> {
        self.findings.push(Finding {
            limit: told.limit.map(str::to_owned),
            ..Finding::refused(refusal, mode)
        });
        if mode == Mode::Enforce {
            return Err(self.refused(refusal, told, ambient));
        }
        Ok(())
    }

    fn refused(&mut self, refusal: &Refusal, told: Told<'_>, ambient: &dyn Ambient) -> Reply {
        let id = self.id(ambient).to_string();
        let reply = refusal.reply(self.policy.errors, self.is_grpc, &id, told);
        self.finished(reply, ambient)
    }
}
