//! A request with a body through the engine.

use std::hint::black_box;
use std::rc::Rc;

use portcullis_policy::{BodyDecision, BodyNeed, Decision, Line, Policy, RequestHead};

use crate::traffic::{Gateway, Lines, request};

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    /// It goes on with another body.
    Rewritten,
    Refused(u16),
}

/// The head of a request that posts so many bytes of this type to the one route.
pub(crate) fn head(content_type: &str, length: usize) -> Lines {
    let mut lines = request("POST", "/asked");
    lines.push(("content-type".to_owned(), content_type.to_owned()));
    lines.push(("content-length".to_owned(), length.to_string()));
    lines
}

/// Judges a request by its head and, where that is asked for, its body.
pub(crate) fn ask(policy: &Rc<Policy>, head: &[Line<'_>], body: &[u8]) -> Outcome {
    let mut exchange = policy.begin();
    if let Decision::Reply(reply) = exchange.on_request_head(&RequestHead::new(head), &Gateway) {
        return Outcome::Refused(black_box(reply).status);
    }
    if exchange.body_need() != BodyNeed::Whole {
        return Outcome::Passed;
    }
    match exchange.on_request_whole(body, &Gateway) {
        BodyDecision::Continue => Outcome::Passed,
        BodyDecision::Replace(body) => {
            black_box(body);
            Outcome::Rewritten
        }
        BodyDecision::Reply(reply) => Outcome::Refused(black_box(reply).status),
    }
}
