//! `profanity`: words that what a route is sent must not hold.
//!
//! What counts is compiled once for all routes that say the same of it. A request is looked at in two steps, as its
//! parameters come before its body: [`ProfanityRule::judge`] here, [`Fields::look`] wherever a body is read.

mod compile;
mod fields;
mod finder;
mod seen;

use std::ops::Range;
use std::rc::Rc;

use portcullis_config::ProfanityAction;

pub(crate) use self::compile::compile;
pub(crate) use self::fields::Fields;
pub(crate) use self::finder::Finder;
pub(crate) use self::seen::{Seen, Tag};
use super::validate::query::{self, Spelling, pairs, query_of};
use super::validate::{Place, segments};
use crate::message::RequestHead;
use crate::path::path_of;

/// The request header that tells the upstream of what was found.
pub(crate) const HEADER: &str = "x-profanity";

/// A route's `profanity`.
#[derive(Clone, Debug)]
pub(crate) struct ProfanityRule {
    pub(crate) action: ProfanityAction,
    finder: Rc<Finder>,
    /// By the segment of the path, in its order.
    path: Vec<(usize, String)>,
    query: Vec<String>,
    headers: Vec<String>,
    /// What is looked at in bodies; `None` reads none for this.
    pub(crate) fields: Option<Rc<Fields>>,
}

impl ProfanityRule {
    /// Looks at the parameters. What is not text cannot be looked at, and is told as such.
    pub(crate) fn judge(&self, head: &RequestHead<'_>) -> Seen {
        let mut seen = Seen::default();
        let mut hidden = Vec::new();
        let mut look = |place, name: &str, value: &[u8], spelling| {
            match query::text(value, spelling) {
                Ok(text) => {
                    if let Some(hit) = self.finder.find(&text) {
                        if place == Place::Path {
                            hidden.push(range(path_of(head.path()), value));
                        }
                        seen.hit(place, || Seen::name(name), &hit, &self.finder);
                    }
                }
                Err(misread) => seen.unreadable(place, name, misread.message()),
            };
        };
        if !self.path.is_empty() {
            let mut segments = segments::of(path_of(head.path()));
            let mut next = 0;
            for (at, name) in &self.path {
                let value = segments.nth(at - next).unwrap_or_default();
                next = at + 1;
                look(Place::Path, name, value, Spelling::Percent);
            }
        }
        if !self.query.is_empty() {
            for pair in pairs(query_of(head.path())) {
                let name = query::lenient(pair.name);
                if let Some(name) = self.query.iter().find(|wanted| **wanted == name) {
                    look(Place::Query, name, pair.value, Spelling::Form);
                }
            }
        }
        for name in &self.headers {
            for line in head.all(name) {
                look(Place::Header, name, line, Spelling::Plain);
            }
        }
        seen.path = (!hidden.is_empty()).then(|| starred(path_of(head.path()), &hidden));
        seen
    }

    /// What was looked for, for the person who asks why.
    pub(crate) fn finder(&self) -> &Rc<Finder> {
        &self.finder
    }
}

/// Where a part of a text stands in it; what is no part of it stands everywhere.
fn range(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = part.as_ptr().addr().checked_sub(whole.as_ptr().addr());
    let range = start.and_then(|start| Some(start..start.checked_add(part.len())?));
    range
        .filter(|range| range.end <= whole.len())
        .unwrap_or(0..whole.len())
}

/// A text with an asterisk in place of each of these ranges, which ascend.
fn starred(text: &[u8], ranges: &[Range<usize>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut kept = 0;
    for range in ranges {
        out.extend_from_slice(text.get(kept..range.start).unwrap_or_default());
        out.push(b'*');
        kept = range.end;
    }
    out.extend_from_slice(text.get(kept..).unwrap_or_default());
    out
}
