//! The order in which a request's head is judged.

use std::rc::Rc;

use portcullis_config::Mode;

use super::{Exchange, Request};
use crate::decision::Reply;
use crate::host::host_of;
use crate::policy::Moded;
use crate::refusal;
use crate::route::{Lookup, allow};
use crate::rule::cors::CorsRule;

impl Exchange {
    /// `Err` is the reply of the first rule that refuses, or answers.
    pub(super) fn judge(&mut self, request: Request<'_, '_>) -> Result<(), Reply> {
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
            if let Some(refusal) = moded.rule.refuse_announced(head)
                && self.own_body_limit().is_none()
            {
                self.judged(refusal, moded.mode, None, request)?;
            }
        }
        if let Some(health) = &policy.health
            && let Some(reply) = health.answer(head, &policy.name, &policy.hash, request.ambient)
        {
            return Err(self.finished(reply, request.ambient));
        }
        if let Some(moded) = &policy.request
            && let Some(refusal) = moded.rule.refuse_host(host)
        {
            self.judged(refusal, moded.mode, None, request)?;
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
        if preflight.is_none() {
            self.judge_input(request)?;
        }
        self.count_body(request);
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
            None if moded.mode == Mode::Enforce => {
                let reply = Reply {
                    status: moded.rule.preflight_status(),
                    grpc_status: None,
                    headers: Vec::new(),
                    body: String::new(),
                };
                Err(self.finished(reply, request.ambient))
            }
            None => Ok(()),
        }
    }
}
