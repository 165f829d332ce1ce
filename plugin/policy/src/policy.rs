//! A compiled policy: immutable, shared by every exchange that it began.

use std::rc::Rc;

use portcullis_config::{ErrorFormat, Mode};

use crate::exchange::Exchange;
use crate::route::RouteTable;
use crate::rule::client::ClientRule;
use crate::rule::headers::HeadersRule;
use crate::rule::request::RequestRule;

/// A policy that decides. Built by [`load`](crate::load), and only from a file without an error.
#[derive(Debug)]
pub struct Policy {
    pub(crate) name: String,
    pub(crate) client: ClientRule,
    pub(crate) request: Option<Moded<RequestRule>>,
    /// For requests that no route matches, and for those refused before routing. Only in `enforce`: a response's
    /// headers are changed or they are not.
    pub(crate) headers: Option<Rc<HeadersRule>>,
    pub(crate) table: RouteTable,
    pub(crate) routes: Vec<RouteRules>,
    /// The mode in which unmatched requests are refused; `None` lets them through.
    pub(crate) unmatched: Option<Mode>,
    pub(crate) errors: ErrorFormat,
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
    /// As written, for `Allow`.
    pub(crate) methods: Vec<String>,
    pub(crate) headers: Option<Rc<HeadersRule>>,
}

impl Policy {
    /// The policy's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many routes it has.
    pub fn routes(&self) -> usize {
        self.routes.len()
    }

    /// Begins one request and its response.
    pub fn begin(self: &Rc<Self>) -> Exchange {
        Exchange::new(Rc::clone(self))
    }
}
