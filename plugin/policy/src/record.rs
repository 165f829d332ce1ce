//! What happened in one exchange, as data: the adapter makes one log line of it.

use std::ptr;

use portcullis_config::Mode;
use portcullis_profanity::Entry;
use serde::{Serialize, Serializer};

use crate::refusal::Refusal;
use crate::rule::rate_limit::Contention;

/// More bytes of a method or a path than this are cut from the record.
const KEPT: usize = 1024;

/// One request that is to be logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The policy's name.
    pub policy: String,
    /// Nanoseconds since the Unix epoch, when all was over.
    pub time: u64,
    /// Nanoseconds that it took, where that was measured.
    pub duration: Option<u64>,
    /// The status that the client was given, if there was a response.
    pub status: Option<u16>,
    /// The id that the client was given.
    pub request_id: String,
    /// Up to 1024 bytes of the method as sent.
    pub method: Vec<u8>,
    /// Up to 1024 bytes of the path as sent, without its query: that may hold what nobody is to read.
    pub path: Vec<u8>,
    /// The client's address, or `unknown`.
    pub client: String,
    /// The route that matched.
    pub route: Option<String>,
    /// Its path as the policy has it.
    pub template: Option<String>,
    /// What the rules found, in their order: reports first, and at most one refusal, last.
    pub findings: Vec<Finding>,
}

/// One request that is to be counted.
#[derive(Clone, Copy, Debug)]
pub struct Tally<'e> {
    /// Its route: the place in the policy, and the name.
    pub route: Option<(usize, &'e str)>,
    /// The status that the client was given, if there was a response.
    pub status: Option<u16>,
    /// Nanoseconds that it took.
    pub duration: u64,
    /// What the rules found.
    pub findings: &'e [Finding],
    /// How hard its limits were to count.
    pub contention: Contention,
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
    /// The keywords of all that is wrong with the input.
    pub keywords: Vec<&'static str>,
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
    /// What in `enforce` is refused for it could not be judged, and in `report` not held for it.
    Unjudged,
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
            keywords: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// The protection whose rule found it: a section of the policy.
    pub fn protection(&self) -> &'static str {
        let rule = self.refusal.rule;
        rule.split('.').next().unwrap_or(rule)
    }

    /// What is done about it, as metrics name it, whatever the mode.
    pub fn outcome(&self) -> &'static str {
        match self.outcome {
            Outcome::Refused => "refused",
            Outcome::Masked => "masked",
            Outcome::Tagged => "tagged",
            Outcome::Unjudged => "unjudged",
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
            (Outcome::Unjudged, _) => "unjudged",
        }
    }
}

/// The log line's members.
#[derive(Serialize)]
struct LogLine<'a> {
    portcullis: &'static str,
    time: String,
    decision: &'static str,
    policy: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    input: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_us: Option<u64>,
    #[serde(serialize_with = "lossy")]
    method: &'a [u8],
    #[serde(serialize_with = "lossy")]
    path: &'a [u8],
    client: &'a str,
    route: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<&'a str>,
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
        let last = findings.rfind(done).or(self.findings.last());
        let beside = self.findings.iter().filter(|finding| {
            let refuses = matches!(finding.outcome, Outcome::Refused | Outcome::Unjudged)
                && finding.mode != Mode::Enforce;
            refuses && !last.is_some_and(|last| ptr::eq(*finding, last))
        });
        let line = LogLine {
            portcullis: "decision",
            time: rfc3339(self.time),
            decision: last.map_or("passed", Finding::decision),
            policy: &self.policy,
            rule: last.map(|finding| finding.refusal.rule),
            limit: last.and_then(|finding| finding.limit.as_deref()),
            code: last.map(|finding| finding.refusal.code),
            input: last.map_or(&[], |finding| &finding.input),
            mode: last.map(|finding| finding.mode.as_str()),
            status: self.status,
            duration_us: self.duration.map(|nanos| nanos / 1000),
            method: &self.method,
            path: &self.path,
            client: &self.client,
            route: self.route.as_deref(),
            template: self.template.as_deref(),
            request_id: &self.request_id,
            would_refuse: beside.map(|finding| finding.refusal.code).collect(),
        };
        serde_json::to_string(&line).ok()
    }
}

/// A time in UTC (RFC 3339) to the millisecond: days to dates as the proleptic Gregorian calendar has them, in eras of
/// 400 years that begin in March.
fn rfc3339(nanos: u64) -> String {
    let (millis, seconds) = (nanos / 1_000_000 % 1000, nanos / 1_000_000_000);
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    format!(
        "{:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{millis:03}Z",
        era * 400 + year + later,
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60
    )
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
    fn times_are_utc() {
        let check = |seconds: u64, expected: &str| {
            assert_eq!(rfc3339(seconds * 1_000_000_000 + 7_999_999), expected);
        };
        check(0, "1970-01-01T00:00:00.007Z");
        check(951_782_399, "2000-02-28T23:59:59.007Z");
        check(951_782_400, "2000-02-29T00:00:00.007Z");
        check(951_868_800, "2000-03-01T00:00:00.007Z");
        check(1_735_689_599, "2024-12-31T23:59:59.007Z");
        check(1_735_689_600, "2025-01-01T00:00:00.007Z");
        check(4_107_542_400, "2100-03-01T00:00:00.007Z");
        check(u64::MAX / 1_000_000_000 - 1, "2554-07-21T23:34:32.007Z");
    }

    #[test]
    fn a_log_line_cannot_be_forged() {
        let record = Record {
            policy: "p".into(),
            time: 0,
            duration: None,
            status: Some(404),
            request_id: "id".into(),
            method: b"GET".to_vec(),
            path: b"/\n{\"portcullis\":\"decision\"}\xff\"".to_vec(),
            client: "unknown".into(),
            route: None,
            template: None,
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
