//! A compiled policy: immutable, shared by every exchange that it began.

use std::rc::Rc;

use portcullis_config::{ErrorFormat, Mode};

use crate::exchange::Exchange;
use crate::route::RouteTable;
use crate::rule::client::ClientRule;
use crate::rule::cors::CorsRule;
use crate::rule::headers::HeadersRule;
use crate::rule::health::{HealthCheck, HealthRule};
use crate::rule::mask::MaskRule;
use crate::rule::observe::ObserveRule;
use crate::rule::profanity::ProfanityRule;
use crate::rule::rate_limit::{Applied, Limits, Opened};
use crate::rule::request::RequestRule;
use crate::rule::validate::Inputs;
use crate::store::{Store, Unavailable};

/// A policy that decides. Built by [`load`](crate::load), and only from a file without an error.
#[derive(Debug)]
pub struct Policy {
    pub(crate) name: String,
    pub(crate) client: ClientRule,
    pub(crate) request: Option<Moded<RequestRule>>,
    /// For requests that no route matches.
    pub(crate) unrouted: Patched,
    pub(crate) limits: Option<Limits>,
    pub(crate) table: RouteTable,
    pub(crate) routes: Vec<RouteRules>,
    /// The mode in which unmatched requests are refused; `None` lets them through.
    pub(crate) unmatched: Option<Mode>,
    pub(crate) errors: ErrorFormat,
    pub(crate) observe: ObserveRule,
    pub(crate) mask: Option<Moded<MaskRule>>,
    pub(crate) health: Option<HealthRule>,
    /// 16 hexadecimal digits that tell this file's bytes from others'.
    pub(crate) hash: String,
    /// Whether a rule looks at the host.
    pub(crate) reads_host: bool,
    /// Whether a rule looks at the scheme.
    pub(crate) reads_scheme: bool,
}

/// A rule with the mode it runs in, never `off`: a rule that is off is not there.
#[derive(Clone, Debug)]
pub(crate) struct Moded<T> {
    pub(crate) rule: T,
    pub(crate) mode: Mode,
}

/// What holds for the requests of one route.
#[derive(Debug)]
pub(crate) struct RouteRules {
    pub(crate) name: String,
    /// Its path as written.
    pub(crate) template: String,
    /// As written, for `Allow`.
    pub(crate) methods: Vec<String>,
    pub(crate) patched: Patched,
    /// Its own limits, beside those for every request.
    pub(crate) limits: Vec<Applied>,
    pub(crate) inputs: Inputs,
    pub(crate) profanity: Option<Moded<ProfanityRule>>,
}

/// The sections that a route may patch, as they hold for its requests.
#[derive(Debug)]
pub(crate) struct Patched {
    /// Only in `enforce`: a response's headers are changed or they are not.
    pub(crate) headers: Option<Rc<HeadersRule>>,
    pub(crate) cors: Option<Moded<Rc<CorsRule>>>,
}

impl Patched {
    /// Whether a rule looks at the scheme of the client's own connection.
    pub(crate) fn reads_scheme(&self) -> bool {
        self.headers
            .as_ref()
            .is_some_and(|rule| rule.reads_scheme())
            || self
                .cors
                .as_ref()
                .is_some_and(|moded| moded.rule.reads_scheme())
    }
}

impl Policy {
    /// The policy's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What tells this policy's text from others of its name: 16 hexadecimal digits.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// What readiness asks.
    pub fn checks(&self) -> &[HealthCheck] {
        self.health.as_ref().map_or(&[], |health| &health.checks)
    }

    /// Whether it is counted what happens.
    pub fn has_metrics(&self) -> bool {
        self.observe.metrics
    }

    /// How many routes it has.
    pub fn routes(&self) -> usize {
        self.routes.len()
    }

    /// The route that matched, by its place.
    pub(crate) fn route(&self, at: Option<usize>) -> Option<&RouteRules> {
        self.routes.get(at?)
    }

    /// What holds for a route, or for requests that none matches.
    pub(crate) fn patched(&self, route: Option<usize>) -> &Patched {
        self.route(route)
            .map_or(&self.unrouted, |route| &route.patched)
    }

    /// Opens the tables that limits count in: once, before the first request. `fresh` is a number that nobody can guess.
    /// `None` if there are no limits.
    ///
    /// # Errors
    /// If the store does not work.
    pub fn open(&mut self, store: &dyn Store, fresh: u128) -> Result<Option<Opened>, Unavailable> {
        let limits = self.limits.as_mut();
        limits.map(|limits| limits.open(store, fresh)).transpose()
    }

    /// Begins one request and its response.
    pub fn begin(self: &Rc<Self>) -> Exchange {
        Exchange::new(Rc::clone(self))
    }
}
