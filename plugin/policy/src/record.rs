//! What happened in one exchange, as data: the adapter makes one log line of it.

use portcullis_config::Mode;
use serde::{Serialize, Serializer};

use crate::refusal::Refusal;

/// More bytes of a method or a path than this are cut from the record.
const KEPT: usize = 1024;

/// One request that a rule refused, or would have refused in `enforce`.
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
    /// How the request was, or would have been, refused.
    pub refusal: &'static Refusal,
    /// The mode that the rule ran in: report or enforce.
    pub mode: Mode,
    /// The rate limit that found it.
    pub limit: Option<String>,
    /// The first three things that are wrong with the input: where, and by which keyword; never the value.
    pub input: Vec<String>,
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
    status: u16,
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
    /// escaped: no request can forge a line. `would_refuse` lists the codes of rules in report beside the one named.
    pub fn log_line(&self) -> Option<String> {
        let (last, reports) = self.findings.split_last()?;
        let line = LogLine {
            portcullis: "decision",
            decision: match last.mode {
                Mode::Enforce => "refused",
                _ => "would-refuse",
            },
            policy: &self.policy,
            rule: last.refusal.rule,
            limit: last.limit.as_deref(),
            code: last.refusal.code,
            input: &last.input,
            mode: last.mode.as_str(),
            status: last.refusal.status,
            method: &self.method,
            path: &self.path,
            client: &self.client,
            route: self.route.as_deref(),
            request_id: &self.request_id,
            would_refuse: reports.iter().map(|finding| finding.refusal.code).collect(),
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
                Finding {
                    refusal: &refusal::HOST_NOT_ALLOWED,
                    mode: Mode::Report,
                    limit: None,
                    input: Vec::new(),
                },
                Finding {
                    refusal: &refusal::ROUTE_NOT_FOUND,
                    mode: Mode::Enforce,
                    limit: None,
                    input: Vec::new(),
                },
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
