//! One request with its body, judged as a gateway has it judged.

use std::rc::Rc;

use portcullis_policy::{BodyDecision, BodyNeed, Decision, Finding, Line, Policy, RequestHead};

use super::{Gateway, shown};

/// What became of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Judged {
    /// 0 if it went on.
    pub(super) status: u16,
    pub(super) reply: String,
    /// The body that the upstream is sent, where it is another one.
    pub(super) replaced: Option<Vec<u8>>,
    pub(super) findings: Vec<Finding>,
    /// Whether nothing may go on before the body is judged.
    pub(super) held: bool,
    /// The changes to the request's headers, those that come with its body's verdict last.
    pub(super) edits: Vec<String>,
    /// What the log says.
    pub(super) log: String,
}

impl Judged {
    pub(super) fn codes(&self) -> Vec<&'static str> {
        let findings = self.findings.iter();
        findings.map(|finding| finding.refusal.code).collect()
    }
}

/// One request with its body in these pieces, judged as a gateway has it judged.
pub(super) fn sent(policy: &Rc<Policy>, lines: &[(&str, &str)], pieces: &[&[u8]]) -> Judged {
    let lines: Vec<Line<'_>> = lines
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect();
    let mut exchange = policy.begin();
    let head = RequestHead::new(&lines).with_end(pieces.is_empty());
    let decision = exchange.on_request_head(&head, &Gateway::default());
    let need = exchange.body_need();
    let mut judged = Judged {
        held: need == BodyNeed::Whole,
        ..Judged::default()
    };
    let mut reply = match decision {
        Decision::Reply(reply) => Some(reply),
        Decision::Continue(edits) | Decision::NeedBody(edits) => {
            judged.edits = edits.iter().map(shown).collect();
            None
        }
    };
    if reply.is_none() {
        for (at, piece) in pieces.iter().enumerate() {
            if need == BodyNeed::Pieces {
                exchange.on_request_piece(Some(piece), at + 1 == pieces.len(), &Gateway::default());
            }
            reply = reply.or_else(|| exchange.on_request_body(piece.len(), &Gateway::default()));
        }
    }
    if reply.is_none() && need == BodyNeed::Whole {
        match exchange.on_request_whole(&pieces.concat(), &Gateway::default()) {
            BodyDecision::Continue => {}
            BodyDecision::Reply(refused) => reply = Some(refused),
            BodyDecision::Replace(body) => judged.replaced = Some(body),
        }
        if reply.is_none() {
            judged.edits.extend(exchange.body_tag().as_ref().map(shown));
        }
    }
    if let Some(reply) = reply {
        (judged.status, judged.reply) = (reply.status, reply.body);
    }
    if let Some(record) = exchange.finish(&Gateway::default()) {
        judged.log = record.log_line().unwrap_or_default();
        judged.findings = record.findings;
    }
    judged
}
