//! The limits that apply to a request.

use std::rc::Rc;

use portcullis_config::Mode;

use super::{Exchange, Request};
use crate::decision::Reply;
use crate::problem::Told;
use crate::refusal;
use crate::rule::rate_limit::{Asker, Limits};

impl Exchange {
    /// Counts the request, where limits apply to it.
    pub(super) fn charge(
        &mut self,
        limits: &Limits,
        method: &[u8],
        host: Option<&str>,
        request: Request<'_, '_>,
    ) -> Result<(), Reply> {
        let policy = Rc::clone(&self.policy);
        let route = policy.route(self.route);
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
        let now = self.began.unwrap_or_else(|| ambient.now());
        let charged = limits.charge(own, method, &asker, ambient.store(), now);
        let Ok(outcome) = charged else {
            let mode = limits.mode(own, method, &asker);
            return self.judged(&refusal::RATE_LIMIT_UNCHECKED, mode, None, request);
        };
        for standing in outcome.standings.iter().filter(|one| one.wait > 0) {
            if standing.mode == Mode::Report {
                self.record(request);
                let refusal = standing.refusal();
                let told = Told {
                    limit: Some(limits.name(standing)),
                    ..Told::default()
                };
                self.found(refusal, Mode::Report, told, ambient)?;
            }
        }
        let refused = outcome
            .refused
            .and_then(|at| outcome.standings.get(at))
            .copied();
        self.contention = outcome.contention;
        self.standings = outcome.standings;
        let Some(standing) = refused else {
            return Ok(());
        };
        self.record(request);
        let name = limits.name(&standing);
        let wait = standing.retry_after().to_string().into_bytes();
        let told = Told {
            header: Some(("retry-after", wait)),
            limit: Some(name),
            ..Told::default()
        };
        self.found(standing.refusal(), Mode::Enforce, told, ambient)
    }
}
