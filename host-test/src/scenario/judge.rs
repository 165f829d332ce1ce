//! Expectation against observation: what differs, and what could not be seen.

use std::collections::BTreeMap;

use serde_json::Value;

use super::expect::{Expect, ExpectLog, ExpectSeen, ExpectUpstream};
use super::matcher::{Matcher, show};
use super::target::{Observed, SeenRequest, UpstreamSeen};
use crate::header_map::HeaderMap;

/// Header lines that `headers_exactly` does not look at, because they belong to the connection and not to the answer:
/// each runner and each version of HTTP frames a body in its own way and stamps its own time.
pub const NOT_COMPARED: &[&str] = &[
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "transfer-encoding",
];

/// One expectation that was not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What it is about, such as `status` or `header x-frame-options`.
    pub what: String,
    /// What was expected.
    pub expected: String,
    /// What there was instead.
    pub observed: String,
}

/// What came of judging one exchange.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    /// How many expectations were looked at.
    pub judged: usize,
    /// Those that were not met.
    pub mismatches: Vec<Mismatch>,
    /// Those that this target cannot show, by name.
    pub not_judged: Vec<&'static str>,
}

impl Judgement {
    fn hold(&mut self, holds: bool, what: impl Into<String>, expected: String, observed: String) {
        self.judged += 1;
        if !holds {
            self.mismatches.push(Mismatch {
                what: what.into(),
                expected,
                observed,
            });
        }
    }

    fn lines(&mut self, what: &str, headers: &HeaderMap, expected: &[(String, Matcher)]) {
        for (name, matcher) in expected {
            let found: Vec<&[u8]> = headers.get_all(name.as_bytes()).collect();
            self.hold(
                matcher.fits(&found),
                format!("{what} {name}"),
                matcher.to_string(),
                show_lines(&found),
            );
        }
    }

    fn text(&mut self, what: &str, found: &[u8], expected: Option<&Matcher>) {
        if let Some(matcher) = expected {
            // An empty body is a body; only `absent` tells it from none.
            let found: &[&[u8]] = if found.is_empty() && matcher.fits(&[]) {
                &[]
            } else {
                &[found]
            };
            self.hold(
                matcher.fits(found),
                what,
                matcher.to_string(),
                show_lines(found),
            );
        }
    }
}

/// Judges one exchange. `metric` reads a metric after it.
pub fn judge(
    expect: &Expect,
    observed: &Observed,
    metric: &mut dyn FnMut(&str) -> Option<i64>,
) -> Judgement {
    let mut judgement = Judgement::default();
    if let Some(status) = expect.status {
        let holds = status == observed.status;
        judgement.hold(
            holds,
            "status",
            status.to_string(),
            observed.status.to_string(),
        );
    }
    judgement.lines("header", &observed.headers, &expect.headers);
    if let Some(expected) = &expect.headers_exactly {
        exactly(&mut judgement, expected, &observed.headers);
    }
    judgement.text("body", &observed.body, expect.body.as_ref());
    json(&mut judgement, "body", &observed.body, &expect.json);
    upstream(&mut judgement, expect.upstream.as_ref(), &observed.upstream);
    logs(&mut judgement, &expect.logs, observed.logs.as_deref());
    for (name, matcher) in &expect.metrics {
        match metric(name) {
            Some(value) => {
                let holds = matcher.fits_json(Some(&Value::from(value)));
                let what = format!("metric {name}");
                judgement.hold(holds, what, matcher.to_string(), value.to_string());
            }
            None => judgement.not_judged.push("metrics"),
        }
    }
    guest(&mut judgement, expect, observed);
    judgement
}

/// The lines that `headers_exactly` looks at, by lower-case name, those of one name in their order.
pub(super) fn compared(headers: &HeaderMap) -> BTreeMap<String, Vec<&[u8]>> {
    let mut found: BTreeMap<String, Vec<&[u8]>> = BTreeMap::new();
    for (name, value) in headers.iter() {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        if !NOT_COMPARED.contains(&name.as_str()) {
            found.entry(name).or_default().push(value);
        }
    }
    found
}

/// Every line on either side that has no counterpart on the other is a mismatch of its own.
fn exactly(judgement: &mut Judgement, expected: &[(String, Matcher)], headers: &HeaderMap) {
    let mut found = compared(headers);
    for (name, matcher) in expected {
        let line = found
            .get_mut(name)
            .filter(|lines| !lines.is_empty())
            .map(|lines| lines.remove(0));
        let line: Vec<&[u8]> = line.into_iter().collect();
        let what = format!("header {name}");
        judgement.hold(
            matcher.fits(&line),
            what,
            matcher.to_string(),
            show_lines(&line),
        );
    }
    for (name, lines) in found {
        for line in lines {
            let observed = format!("\"{}\"", show(line));
            judgement.hold(
                false,
                format!("header {name}"),
                "absent".to_owned(),
                observed,
            );
        }
    }
}

fn json(judgement: &mut Judgement, what: &str, text: &[u8], expected: &[(String, Matcher)]) {
    if expected.is_empty() {
        return;
    }
    match serde_json::from_slice::<Value>(text) {
        Ok(value) => {
            for (pointer, matcher) in expected {
                let found = value.pointer(pointer);
                let observed = found.map_or("absent".to_owned(), Value::to_string);
                let what = format!("{what} {pointer}");
                judgement.hold(
                    matcher.fits_json(found),
                    what,
                    matcher.to_string(),
                    observed,
                );
            }
        }
        Err(_) => judgement.hold(false, what, "JSON".to_owned(), show_lines(&[text])),
    }
}

fn upstream(judgement: &mut Judgement, expect: Option<&ExpectUpstream>, observed: &UpstreamSeen) {
    let Some(expect) = expect else { return };
    let seen = match observed {
        UpstreamSeen::Unknown => {
            judgement.not_judged.push("upstream");
            return;
        }
        UpstreamSeen::NotCalled => None,
        UpstreamSeen::Called(seen) => Some(seen),
    };
    let said = seen.map_or("not-called".to_owned(), |seen| {
        format!(
            "called: {} {}",
            show(seen.method.as_bytes()),
            show(seen.path.as_bytes())
        )
    });
    match expect {
        ExpectUpstream::NotCalled => {
            judgement.hold(seen.is_none(), "upstream", "not-called".to_owned(), said);
        }
        ExpectUpstream::Called(expected) => {
            judgement.hold(seen.is_some(), "upstream", "called".to_owned(), said);
            if let Some(seen) = seen {
                seen_request(judgement, expected, seen);
            }
        }
    }
}

fn seen_request(judgement: &mut Judgement, expected: &ExpectSeen, seen: &SeenRequest) {
    judgement.text(
        "upstream method",
        seen.method.as_bytes(),
        expected.method.as_ref(),
    );
    judgement.text(
        "upstream path",
        seen.path.as_bytes(),
        expected.path.as_ref(),
    );
    judgement.text(
        "upstream host",
        seen.host.as_bytes(),
        expected.host.as_ref(),
    );
    judgement.lines("upstream header", &seen.headers, &expected.headers);
    judgement.text("upstream body", &seen.body, expected.body.as_ref());
}

fn logs(judgement: &mut Judgement, expect: &[ExpectLog], observed: Option<&[String]>) {
    if expect.is_empty() {
        return;
    }
    let Some(lines) = observed else {
        judgement.not_judged.push("logs");
        return;
    };
    let all = if lines.is_empty() {
        "no line".to_owned()
    } else {
        lines.join("\n")
    };
    for expected in expect {
        match expected {
            ExpectLog::Line(matcher) => {
                let holds = lines.iter().any(|line| matcher.fits(&[line.as_bytes()]));
                judgement.hold(holds, "log", matcher.to_string(), all.clone());
            }
            ExpectLog::NoLine(part) => {
                let holds = !lines.iter().any(|line| line.contains(part));
                let expected = format!("no line that contains \"{part}\"");
                judgement.hold(holds, "log", expected, all.clone());
            }
            ExpectLog::Json(members) => {
                let fits = |line: &String| {
                    serde_json::from_str::<Value>(line).is_ok_and(|value| {
                        members
                            .iter()
                            .all(|(pointer, matcher)| matcher.fits_json(value.pointer(pointer)))
                    })
                };
                let expected: Vec<String> = members
                    .iter()
                    .map(|(pointer, matcher)| format!("{pointer}: {matcher}"))
                    .collect();
                let holds = lines.iter().any(fits);
                judgement.hold(
                    holds,
                    "log",
                    format!("a line with {}", expected.join(", ")),
                    all.clone(),
                );
            }
        }
    }
}

fn guest(judgement: &mut Judgement, expect: &Expect, observed: &Observed) {
    let Some(expected) = expect.guest else { return };
    let Some(used) = observed.guest else {
        judgement.not_judged.push("guest");
        return;
    };
    let bounds = [
        ("host calls", expected.max_host_calls, used.host_calls),
        ("guest memory", expected.max_memory, used.memory),
    ];
    for (what, bound, used) in bounds {
        if let Some(bound) = bound {
            judgement.hold(
                used <= bound,
                what,
                format!("at most {bound}"),
                used.to_string(),
            );
        }
    }
}

fn show_lines(lines: &[&[u8]]) -> String {
    if lines.is_empty() {
        return "absent".to_owned();
    }
    let lines: Vec<String> = lines
        .iter()
        .map(|line| format!("\"{}\"", show(line)))
        .collect();
    lines.join(", then a second line ")
}
