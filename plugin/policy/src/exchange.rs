//! One request and its response, through the phases; owns what later phases need.

use std::rc::Rc;

use portcullis_config::Mode;

use crate::ambient::Ambient;
use crate::decision::{Decision, Edit};
use crate::host::host_of;
use crate::message::{RequestHead, ResponseHead};
use crate::policy::Policy;
use crate::record::{Finding, Record, kept};
use crate::refusal::{self, Refusal, request_id};
use crate::route::{Lookup, allow};
use crate::rule::headers::HeadersRule;

/// One request and its response.
#[derive(Debug)]
pub struct Exchange {
    policy: Rc<Policy>,
    /// The place of the matched route in the policy's list.
    route: Option<usize>,
    /// The scheme of the client's own connection, if a rule looks at it.
    https: bool,
    /// Whether the reply is our own: it carries its edits already.
    replied: bool,
    record: Option<Record>,
}

impl Exchange {
    pub(crate) fn new(policy: Rc<Policy>) -> Self {
        Self {
            policy,
            route: None,
            https: false,
            replied: false,
            record: None,
        }
    }

    /// Judges a request by its head. The order is fixed: host, route, method, unmatched; the first rule in `enforce`
    /// that refuses ends it, one in `report` is recorded and passed.
    pub fn on_request_head(&mut self, head: &RequestHead<'_>, ambient: &dyn Ambient) -> Decision {
        let policy = Rc::clone(&self.policy);
        let request = Request { head, ambient };
        // A preflight asks for what comes after it: it is judged as the method that it names.
        let method = head.preflight().unwrap_or(head.method());
        if policy.reads_scheme {
            self.https = policy
                .client
                .https_without_source(head)
                .unwrap_or_else(|| policy.client.resolve(head, ambient).https);
        }
        let authority = head.authority().filter(|_| policy.reads_host);
        let host = authority.and_then(host_of);

        if let Some(moded) = &policy.request
            && let Some(refusal) = moded.rule.refuse_host(host.as_deref())
            && let Some(reply) = self.found(refusal, moded.mode, None, &request)
        {
            return reply;
        }
        let lookup = policy.table.find(host.as_deref(), head.path(), method);
        if let Lookup::Route(route) = lookup {
            self.route = Some(route);
        }
        if let Some(moded) = &policy.request
            && let Some(refusal) = moded.rule.refuse_method(method)
            && let Some(reply) = self.found(refusal, moded.mode, Some(moded.rule.allow()), &request)
        {
            return reply;
        }
        if let Some(mode) = policy.unmatched {
            let (refusal, allow) = match lookup {
                Lookup::Route(_) => return Decision::Continue,
                Lookup::Nothing => (&refusal::ROUTE_NOT_FOUND, None),
                Lookup::OtherMethods(routes) => {
                    let routes = routes.iter().filter_map(|at| policy.routes.get(*at));
                    let allow = allow(routes.map(|route| &route.methods));
                    (&refusal::ROUTE_METHOD_NOT_ALLOWED, Some(allow))
                }
            };
            if let Some(reply) = self.found(refusal, mode, allow, &request) {
                return reply;
            }
        }
        Decision::Continue
    }

    /// Whether the response's head would be looked at: where it is not, the host need not be asked for it.
    pub fn reads_response(&self) -> bool {
        !self.replied && self.headers().is_some()
    }

    /// The changes to the head of the upstream's response, or of an answer that the gateway gives by itself. Our own
    /// replies carry theirs already: on them this gives none, whether or not the host asks.
    pub fn on_response_head<'a>(&'a self, head: &ResponseHead<'a>) -> Vec<Edit<'a>> {
        match self.headers() {
            Some(rule) if !self.replied => rule.edits(head.lines(), self.https),
            _ => Vec::new(),
        }
    }

    /// What happened: `None` if no rule found anything.
    pub fn finish(self) -> Option<Record> {
        self.record
    }

    fn headers(&self) -> Option<&HeadersRule> {
        let route = self.route.and_then(|at| self.policy.routes.get(at));
        match route {
            Some(route) => route.headers.as_deref(),
            None => self.policy.headers.as_deref(),
        }
    }

    /// Records what a rule found; in `enforce` that is the reply.
    fn found(
        &mut self,
        refusal: &'static Refusal,
        mode: Mode,
        allow: Option<String>,
        request: &Request<'_>,
    ) -> Option<Decision> {
        let route = self.route.and_then(|at| self.policy.routes.get(at));
        let record = self
            .record
            .get_or_insert_with(|| request.record(&self.policy));
        record.route = route.map(|route| route.name.clone());
        record.findings.push(Finding { refusal, mode });
        if mode != Mode::Enforce {
            return None;
        }
        let grpc = request.head.is_grpc();
        let mut reply = refusal.reply(self.policy.errors, grpc, &record.request_id, allow);
        self.replied = true;
        if let Some(rule) = self.headers() {
            reply.headers = reply.edited(rule.edits(&reply.lines(), self.https));
        }
        Some(Decision::Reply(reply))
    }
}

/// A request's head and what the gateway knows beside it.
struct Request<'a> {
    head: &'a RequestHead<'a>,
    ambient: &'a dyn Ambient,
}

impl Request<'_> {
    fn record(&self, policy: &Policy) -> Record {
        let caller = policy.client.resolve(self.head, self.ambient);
        Record {
            policy: policy.name.clone(),
            request_id: request_id(self.ambient.fresh_id()),
            method: kept(self.head.method()),
            path: kept(self.head.path()),
            client: caller
                .address
                .map_or_else(|| "unknown".to_owned(), |address| address.to_string()),
            route: None,
            findings: Vec::with_capacity(1),
        }
    }
}
