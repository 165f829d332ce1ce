//! `observe`: what tells one request from another, and how long it took.

use std::borrow::Cow;
use std::fmt;

use portcullis_config::{HeaderName, LogPolicy, Observe, Timing};

use crate::decision::{Edit, Seen};
use crate::message::{Line, RequestHead, is};

/// The most bytes of an id that is kept.
const LONGEST: usize = 128;
/// This gateway among the others that tell how long they took.
const METRIC: &str = "gateway";

/// The compiled section, or its defaults.
#[derive(Clone, Debug)]
pub(crate) struct ObserveRule {
    pub(crate) log: LogPolicy,
    pub(crate) metrics: bool,
    /// Of requests that pass, one in so many is logged where all are.
    one_in: u128,
    pub(crate) request_id: Option<HeaderName>,
    pub(crate) timing: Option<Timing>,
}

/// A request's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RequestId {
    /// Ours.
    Made(u128),
    /// A trusted peer's.
    Kept(String),
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Made(id) => write!(f, "{id:032x}"),
            Self::Kept(id) => f.write_str(id),
        }
    }
}

impl ObserveRule {
    pub(crate) fn compile(observe: &Observe) -> Self {
        Self {
            log: observe.log,
            metrics: observe.metrics,
            one_in: u128::from(observe.one_in),
            request_id: observe.request_id.clone(),
            timing: observe.timing.clone(),
        }
    }

    /// Whether a response's head gets something to say.
    pub(crate) fn writes(&self) -> bool {
        self.request_id.is_some() || self.timing.is_some()
    }

    /// Whether it is of use to know when a request began.
    pub(crate) fn reads_time(&self) -> bool {
        self.metrics || self.timing.is_some() || self.log == LogPolicy::All
    }

    /// Whether a request is logged in which nothing was found.
    pub(crate) fn logs_passed(&self, id: &RequestId) -> bool {
        let sampled = match id {
            RequestId::Made(id) => *id,
            // Any spread will do.
            RequestId::Kept(id) => id.bytes().fold(0_u128, |sum, byte| {
                sum.wrapping_mul(257).wrapping_add(u128::from(byte))
            }),
        };
        self.log == LogPolicy::All && sampled.checked_rem(self.one_in) == Some(0)
    }

    /// The id that the request came with, if it is one; whether its peer may say so is not looked at.
    pub(crate) fn brought(&self, head: &RequestHead<'_>) -> Option<String> {
        let name = self.request_id.as_ref()?;
        let value = head.only(name.as_str())?;
        let fine = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~+/=:".contains(byte);
        let well_formed = !value.is_empty() && value.len() <= LONGEST && value.iter().all(fine);
        let text = str::from_utf8(value).ok().filter(|_| well_formed);
        text.map(str::to_owned)
    }

    /// Has a message carry the request's id.
    pub(crate) fn identify<'a>(
        &self,
        id: &RequestId,
        lines: &[Line<'a>],
        edits: &mut Vec<Edit<'a>>,
    ) {
        if let Some(name) = &self.request_id {
            let value = id.to_string().into_bytes();
            seen(name.as_str(), lines).write(owned(name), value.into(), edits);
        }
    }

    /// Has a response say how long it took.
    pub(crate) fn time<'a>(&self, nanos: u64, lines: &[Line<'a>], edits: &mut Vec<Edit<'a>>) {
        match &self.timing {
            None => {}
            Some(Timing::Header(name)) => {
                let micros = nanos / 1000;
                let value = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
                let value = value.into_bytes().into();
                seen(name.as_str(), lines).write(owned(name), value, edits);
            }
            Some(Timing::ServerTiming) => {
                // A list (Server Timing section 3.1): what the upstream says of itself stays.
                let name = "server-timing";
                let micros = nanos / 1000;
                let value = format!("{METRIC};dur={}.{:03}", micros / 1000, micros % 1000);
                let others = lines.iter().filter(|(other, _)| is(other, name));
                let mut all: Vec<&[u8]> = others.map(|(_, value)| *value).collect();
                all.push(value.as_bytes());
                let all = Cow::Owned(all.join(&b", "[..]));
                seen(name, lines).write(name.as_bytes(), all, edits);
            }
        }
    }
}

fn owned(name: &HeaderName) -> Vec<u8> {
    name.as_str().as_bytes().to_vec()
}

fn seen<'a>(name: &str, lines: &[Line<'a>]) -> Seen<'a> {
    let mut seen = Seen::default();
    for line in lines.iter().filter(|(other, _)| is(other, name)) {
        seen.see(*line);
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> ObserveRule {
        let text = format!(r#"{{"version":1,"headers":{{}},"observe":{text}}}"#);
        let document = portcullis_config::Document::from_bytes(text.as_bytes()).unwrap();
        let (config, found) = portcullis_config::read(&document);
        assert!(found.into_list().is_empty(), "{text}");
        ObserveRule::compile(&config.unwrap().observe.unwrap())
    }

    #[test]
    fn ids_are_kept_if_nobody_can_do_harm_with_them() {
        let rule = rule(r#"{"request_id":"x-request-id"}"#);
        let check = |values: &[&[u8]], expected: Option<&str>| {
            let lines: Vec<Line<'_>> = values.iter().map(|v| (&b"X-Request-Id"[..], *v)).collect();
            let brought = rule.brought(&RequestHead::new(&lines));
            assert_eq!(brought.as_deref(), expected);
        };
        check(&[], None);
        check(&[b""], None);
        check(&[b"a1-B_2.~+/=:"], Some("a1-B_2.~+/=:"));
        check(&[b"a b"], None);
        check(&[b"a\"b"], None);
        check(&[b"a\xff"], None);
        check(&[b"a", b"a"], None);
        check(&[&[b'a'; LONGEST]], Some(&"a".repeat(LONGEST)));
        check(&[&[b'a'; LONGEST + 1]], None);
    }

    #[test]
    fn times_have_the_digits_that_are_promised() {
        let check = |timing: &str, lines: &[Line<'_>], nanos: u64, expected: &str| {
            let rule = rule(&format!(r#"{{"timing":"{timing}"}}"#));
            let mut edits = Vec::new();
            rule.time(nanos, lines, &mut edits);
            let edited = crate::decision::edited(lines, &edits);
            let said: Vec<_> = edited
                .iter()
                .map(|(name, value)| {
                    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
                    format!("{}: {}", text(name), text(value))
                })
                .collect();
            assert_eq!(said.join("|"), expected);
        };
        check("x-process-time", &[], 1_234_567, "x-process-time: 0.001234");
        check(
            "x-process-time",
            &[(b"x-process-time", b"9")],
            12_000_000_000,
            "x-process-time: 12.000000",
        );
        check(
            "x-process-time",
            &[],
            u64::MAX,
            "x-process-time: 18446744073.709551",
        );
        check(
            "server-timing",
            &[],
            1_234_567,
            "server-timing: gateway;dur=1.234",
        );
        check(
            "server-timing",
            &[(b"server-timing", b"db;dur=5"), (b"server-timing", b"app")],
            0,
            "server-timing: db;dur=5, app, gateway;dur=0.000",
        );
    }
}
