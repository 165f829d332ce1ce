//! One request and its response, through the phases; owns what later phases need.

use std::rc::Rc;

use portcullis_config::Mode;

use crate::ambient::Ambient;
use crate::decision::{Decision, Edit, Reply};
use crate::host::host_of;
use crate::message::{Line, RequestHead, ResponseHead};
use crate::policy::{Moded, Policy};
use crate::record::{Finding, Record, kept};
use crate::refusal::{self, Refusal, request_id};
use crate::route::{Lookup, allow};
use crate::rule::client::Caller;
use crate::rule::cors::{Author, CorsRule, Grant};
use crate::rule::headers::HeadersRule;
use crate::rule::rate_limit::{self, Asker, Limits, Standing};

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
    /// The bytes of body so far, while they are counted.
    counted: Option<u64>,
    /// What is to be recorded; made while the request's head can be read.
    record: Option<Record>,
}

/// A header that belongs to a refusal.
type Extra = Option<(&'static str, Vec<u8>)>;

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
            record: None,
        }
    }

    /// Judges a request by its head. The order is fixed: form, host, preflight, https, origin, method, unmatched,
    /// limits; the first rule in `enforce` that refuses ends it, one in `report` is recorded and passed.
    pub fn on_request_head<'a>(
        &mut self,
        head: &RequestHead<'a>,
        ambient: &dyn Ambient,
    ) -> Decision<'a> {
        let request = Request { head, ambient };
        match self.judge(request) {
            Err(reply) => Decision::Reply(reply),
            Ok(()) => Decision::Continue(self.request_edits(request)),
        }
    }

    /// Judges a request by the bytes of its body that came since the last call.
    pub fn on_request_body(&mut self, bytes: usize) -> Option<Reply> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let counted = self.counted?.saturating_add(bytes);
        self.counted = Some(counted);
        let policy = Rc::clone(&self.policy);
        let moded = policy.request.as_ref()?;
        let refusal = moded.rule.refuse_body(counted)?;
        self.counted = None;
        self.found(refusal, moded.mode, None).err()
    }

    /// Whether the body's bytes are counted: where they are not, the host need not show them.
    pub fn reads_request_body(&self) -> bool {
        self.counted.is_some()
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
        let reply = refusal::UNCHECKED.reply(self.policy.errors, self.is_grpc, &id, None, None);
        self.finished(reply)
    }

    /// Whether the client is not known because the gateway took its address from a header, and the policy does not say
    /// that it may.
    pub fn hides_client(&self) -> bool {
        self.caller.is_some_and(|caller| caller.hidden)
    }

    /// What happened: `None` if no rule found anything.
    pub fn finish(self) -> Option<Record> {
        self.record.filter(|record| !record.findings.is_empty())
    }

    /// `Err` is the reply of the first rule that refuses, or answers.
    fn judge(&mut self, request: Request<'_, '_>) -> Result<(), Reply> {
        let policy = Rc::clone(&self.policy);
        let head = request.head;
        self.is_grpc = head.is_grpc();
        if policy.reads_scheme {
            self.https = match policy.client.https_without_source(head) {
                Some(https) => https,
                None => self.caller(request).https,
            };
        }
        // A preflight asks for what comes after it: it is judged as the method that it names.
        let preflight = head.preflight();
        let method = preflight.unwrap_or(head.method());
        let authority = head.authority().filter(|_| policy.reads_host);
        let host = authority.and_then(host_of);
        let host = host.as_deref();

        // Routing refuses nothing yet: it tells whose headers and which cors a refusal carries.
        let lookup = policy.table.find(host, head.path(), method);
        if let Lookup::Route(route) = lookup {
            self.route = Some(route);
        }
        self.grant = self.cors().map(|rule| rule.grant(head));

        if let Some(moded) = &policy.request {
            if let Some(refusal) = moded.rule.refuse_form(head) {
                self.judged(refusal, moded.mode, None, request)?;
            }
            if let Some(refusal) = moded.rule.refuse_host(host) {
                self.judged(refusal, moded.mode, None, request)?;
            }
        }
        let cors = policy.patched(self.route).cors.as_ref();
        if let (Some(asked), Some(moded)) = (preflight, cors) {
            self.answer_preflight(asked, moded, request)?;
        }
        if let Some(moded) = &policy.request
            && let Some(rule) = &moded.rule.https
            && preflight.is_none()
            && !self.https
        {
            let caller = self.caller(request);
            if let Some((refusal, location)) = rule.refuse(head, &caller, host) {
                let location = location.map(|location| ("location", location));
                self.judged(refusal, moded.mode, location, request)?;
            }
        }
        if preflight.is_none()
            && let Some(moded) = cors
            && let Some(refusal) = moded
                .rule
                .refuse_origin(head, self.grant.as_ref(), self.https)
        {
            self.judged(refusal, moded.mode, None, request)?;
        }
        if let Some(moded) = &policy.request
            && let Some(refusal) = moded.rule.refuse_method(method)
        {
            let allow = Some(("allow", moded.rule.allow().into_bytes()));
            self.judged(refusal, moded.mode, allow, request)?;
        }
        if let Some(mode) = policy.unmatched {
            match lookup {
                Lookup::Route(_) => {}
                Lookup::Nothing => self.judged(&refusal::ROUTE_NOT_FOUND, mode, None, request)?,
                Lookup::OtherMethods(routes) => {
                    let routes = routes.iter().filter_map(|at| policy.routes.get(*at));
                    let allow = allow(routes.map(|route| &route.methods)).into_bytes();
                    let allow = Some(("allow", allow));
                    self.judged(&refusal::ROUTE_METHOD_NOT_ALLOWED, mode, allow, request)?;
                }
            }
        }
        if let Some(limits) = &policy.limits {
            self.charge(limits, method, host, request)?;
        }
        if let Some(moded) = &policy.request
            && moded.rule.counts_body(head)
        {
            self.counted = Some(0);
            self.record(request);
        }
        Ok(())
    }

    /// Answers a preflight in place of the upstream; in `report` says only whether it would be refused.
    fn answer_preflight(
        &mut self,
        asked: &[u8],
        moded: &Moded<Rc<CorsRule>>,
        request: Request<'_, '_>,
    ) -> Result<(), Reply> {
        let (grant, failed) = moded.rule.judge_preflight(request.head, asked);
        if moded.mode == Mode::Enforce {
            self.grant = Some(grant);
        }
        match failed {
            Some(step) => {
                let debug = moded.rule.debug();
                let refusal = step.refusal(debug);
                let by = debug.then(|| ("x-cors-refused-by", refusal.rule.as_bytes().to_vec()));
                self.judged(refusal, moded.mode, by, request)
            }
            None if moded.mode == Mode::Enforce => Err(self.finished(Reply {
                status: moded.rule.preflight_status(),
                grpc_status: None,
                headers: Vec::new(),
                body: String::new(),
            })),
            None => Ok(()),
        }
    }

    /// Counts the request, where limits apply to it.
    fn charge(
        &mut self,
        limits: &Limits,
        method: &[u8],
        host: Option<&str>,
        request: Request<'_, '_>,
    ) -> Result<(), Reply> {
        let policy = Rc::clone(&self.policy);
        let route = self.route.and_then(|at| policy.routes.get(at));
        let own = route.map_or(&[][..], |route| &route.limits);
        if own.is_empty() && limits.shared.is_empty() {
            return Ok(());
        }
        let caller = self.caller(request);
        let asker = Asker {
            head: request.head,
            caller: &caller,
            prefixes: limits.prefixes(),
            host,
            route: route.map(|route| route.name.as_str()),
        };
        let ambient = request.ambient;
        let charged = limits.charge(own, method, &asker, ambient.store(), ambient.now());
        let Ok(outcome) = charged else {
            let mode = limits.mode(own, method, &asker);
            return self.judged(&refusal::RATE_LIMIT_UNCHECKED, mode, None, request);
        };
        for standing in outcome.standings.iter().filter(|one| one.wait > 0) {
            if standing.mode == Mode::Report {
                self.record(request);
                let refusal = standing.refusal();
                self.noted(refusal, Mode::Report, Some(limits.name(standing)));
            }
        }
        let refused = outcome
            .refused
            .and_then(|at| outcome.standings.get(at))
            .copied();
        self.standings = outcome.standings;
        let Some(standing) = refused else {
            return Ok(());
        };
        self.record(request);
        let name = limits.name(&standing);
        self.noted(standing.refusal(), Mode::Enforce, Some(name));
        let wait = standing.retry_after().to_string().into_bytes();
        Err(self.refused(standing.refusal(), Some(("retry-after", wait)), Some(name)))
    }

    /// The changes to a request that goes on.
    fn request_edits<'a>(&mut self, request: Request<'_, 'a>) -> Vec<Edit<'a>> {
        let policy = Rc::clone(&self.policy);
        match &policy.request {
            Some(moded) if moded.mode == Mode::Enforce => {
                let caller = self.caller(request);
                moded.rule.forwarded.edits(request.head.lines(), &caller)
            }
            _ => Vec::new(),
        }
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
        self.found(refusal, mode, header)
    }

    /// Makes the record, while the request can be read.
    fn record(&mut self, request: Request<'_, '_>) {
        if self.record.is_some() {
            return;
        }
        let caller = self.caller(request);
        self.record = Some(Record {
            policy: self.policy.name.clone(),
            request_id: request_id(request.ambient.fresh_id()),
            method: kept(request.head.method()),
            path: kept(request.head.path()),
            client: caller
                .address
                .map_or_else(|| "unknown".to_owned(), |address| address.to_string()),
            route: None,
            findings: Vec::new(),
        });
    }

    /// Adds a finding to the record; in `enforce` that is the reply.
    fn found(&mut self, refusal: &'static Refusal, mode: Mode, header: Extra) -> Result<(), Reply> {
        self.noted(refusal, mode, None);
        if mode == Mode::Enforce {
            return Err(self.refused(refusal, header, None));
        }
        Ok(())
    }

    fn noted(&mut self, refusal: &'static Refusal, mode: Mode, limit: Option<&str>) {
        let route = self.route.and_then(|at| self.policy.routes.get(at));
        if let Some(record) = &mut self.record {
            record.route = route.map(|route| route.name.clone());
            let limit = limit.map(str::to_owned);
            record.findings.push(Finding {
                refusal,
                mode,
                limit,
            });
        }
    }

    fn refused(&mut self, refusal: &Refusal, header: Extra, limit: Option<&str>) -> Reply {
        let id = self.record.as_ref().map_or("", |record| &record.request_id);
        let reply = refusal.reply(self.policy.errors, self.is_grpc, id, header, limit);
        self.finished(reply)
    }
}
