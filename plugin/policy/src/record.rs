//! What happened in one exchange, as data: the adapter makes one log line of it.

use std::ptr;

use portcullis_config::Mode;
use portcullis_profanity::Entry;
use serde::{Serialize, Serializer};

use crate::refusal::Refusal;

/// More bytes of a method or a path than this are cut from the record.
const KEPT: usize = 1024;

/// One request that a rule refused or changed, or would have in `enforce`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The policy's name.
    pub policy: String,
    /// The id that the client was given.
    pub request_id: String,
    /// Up to 1024 bytes of the method as sent.
    pub method: Vec<u8>,
    /// Up to 1024 bytes of the path as sent, with its query.
    pub path: Vec<u8>,
    /// The client's address, or `unknown`.
    pub client: String,
    /// The route that matched.
    pub route: Option<String>,
    /// What the rules found, in their order: reports first, and at most one refusal, last.
    pub findings: Vec<Finding>,
}

/// What one rule found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How the request was, or would have been, refused: what stands for the rule where it goes on.
    pub refusal: &'static Refusal,
    /// The mode that the rule ran in: report or enforce.
    pub mode: Mode,
    /// What was done about it, or would have been.
    pub outcome: Outcome,
    /// The rate limit that found it.
    pub limit: Option<String>,
    /// The first three things that are wrong with the input: where, and by which keyword or entry of a word list; never
    /// the value.
    pub input: Vec<String>,
    /// The entry of each, for the person who asks why.
    pub(crate) entries: Vec<Option<Entry>>,
}

/// What is done about a finding in `enforce`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The request is refused.
    Refused,
    /// What was found is masked, and the request goes on.
    Masked,
    /// The upstream is told, and the request goes on.
    Tagged,
}

impl Finding {
    /// A refusal of which nothing more is to be said.
    pub(crate) fn refused(refusal: &'static Refusal, mode: Mode) -> Self {
        Self {
            refusal,
            mode,
            outcome: Outcome::Refused,
            limit: None,
            input: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// As the log says it: `refused`, or `would-refuse` where it is only reported.
    pub fn decision(&self) -> &'static str {
        match (self.outcome, self.mode) {
            (Outcome::Refused, Mode::Enforce) => "refused",
            (Outcome::Refused, _) => "would-refuse",
            (Outcome::Masked, Mode::Enforce) => "masked",
            (Outcome::Masked, _) => "would-mask",
            (Outcome::Tagged, Mode::Enforce) => "tagged",
            (Outcome::Tagged, _) => "would-tag",
        }
    }

    /// The status of the answer, where it is, or would have been, one of the gateway's own.
    pub(crate) fn status(&self) -> Option<u16> {
        (self.outcome == Outcome::Refused).then_some(self.refusal.status)
    }
}

/// The log line's members.
#[derive(Serialize)]
struct LogLine<'a> {
    portcullis: &'static str,
    decision: &'static str,
    policy: &'a str,
    rule: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<&'a str>,
    code: &'static str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    input: &'a [String],
    mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(serialize_with = "lossy")]
    method: &'a [u8],
    #[serde(serialize_with = "lossy")]
    path: &'a [u8],
    client: &'a str,
    route: Option<&'a str>,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    would_refuse: Vec<&'static str>,
}

impl Record {
    /// The record as one line of JSON. What the client sent stands in JSON strings, where control characters are
    /// escaped: no request can forge a line. What was done stands before what would have been; `would_refuse` lists the
    /// codes of rules in report beside the one named.
    pub fn log_line(&self) -> Option<String> {
        let done = |finding: &&Finding| finding.mode == Mode::Enforce;
        let mut findings = self.findings.iter();
        let last = findings.rfind(done).or(self.findings.last())?;
        let beside = self.findings.iter().filter(|finding| {
            let refuses = finding.outcome == Outcome::Refused && finding.mode != Mode::Enforce;
            refuses && !ptr::eq(*finding, last)
        });
        let line = LogLine {
            portcullis: "decision",
            decision: last.decision(),
            policy: &self.policy,
            rule: last.refusal.rule,
            limit: last.limit.as_deref(),
            code: last.refusal.code,
            input: &last.input,
            mode: last.mode.as_str(),
            status: last.status(),
            method: &self.method,
            path: &self.path,
            client: &self.client,
            route: self.route.as_deref(),
            request_id: &self.request_id,
            would_refuse: beside.map(|finding| finding.refusal.code).collect(),
        };
        serde_json::to_string(&line).ok()
    }
}

/// What a record keeps of a method or a path.
pub(crate) fn kept(bytes: &[u8]) -> Vec<u8> {
    bytes.get(..KEPT).unwrap_or(bytes).to_vec()
}

fn lossy<S: Serializer>(bytes: &&[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal;

    #[test]
    fn a_log_line_cannot_be_forged() {
        let record = Record {
            policy: "p".into(),
            request_id: "id".into(),
            method: b"GET".to_vec(),
            path: b"/\n{\"portcullis\":\"decision\"}\xff\"".to_vec(),
            client: "unknown".into(),
            route: None,
            findings: vec![
                Finding::refused(&refusal::HOST_NOT_ALLOWED, Mode::Report),
                Finding::refused(&refusal::ROUTE_NOT_FOUND, Mode::Enforce),
            ],
        };
        let line = record.log_line().unwrap();
        assert!(!line.contains('\n'));
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["code"], "route-not-found");
        assert_eq!(read["would_refuse"][0], "host-not-allowed");
        assert_eq!(read["path"], "/\n{\"portcullis\":\"decision\"}\u{fffd}\"");
    }
}
