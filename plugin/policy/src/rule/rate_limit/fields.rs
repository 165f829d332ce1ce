//! What clients are told of limits: `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10), or the
//! `X-RateLimit-*` that came before them, and `Retry-After` (RFC 9110 section 10.2.3).

use portcullis_config::{Mode, RateLimitHeaders};

use super::{Limits, SECOND, Standing};
use crate::decision::{Edit, Seen};
use crate::message::{Line, is};

/// Whole seconds, rounded up: nobody is told to come too early.
pub(crate) fn seconds(nanoseconds: u64) -> u64 {
    nanoseconds.div_ceil(SECOND)
}

impl Limits {
    /// The name of the limit that this is the standing of.
    pub(crate) fn name(&self, standing: &Standing) -> &str {
        self.limits
            .get(standing.at)
            .map_or("", |limit| limit.name.as_str())
    }

    /// The header fields that announce how the enforced limits stand.
    fn fields(&self, standings: &[Standing]) -> Vec<(&'static str, String)> {
        let enforced = || {
            let standings = standings
                .iter()
                .filter(|standing| standing.mode == Mode::Enforce);
            standings.filter_map(|standing| Some((standing, self.limits.get(standing.at)?)))
        };
        let mut fields = Vec::with_capacity(2);
        if enforced().next().is_none() {
            return fields;
        }
        if matches!(self.style, RateLimitHeaders::Draft | RateLimitHeaders::Both) {
            let room = 64 * standings.len();
            let mut policies = String::with_capacity(room);
            let mut state = String::with_capacity(room);
            // On every response: the formatting of numbers by traits is several times as dear.
            let (mut left, mut reset) = (itoa::Buffer::new(), itoa::Buffer::new());
            for (standing, limit) in enforced() {
                let separator = if policies.is_empty() { "" } else { ", " };
                policies.extend([separator, &limit.announced]);
                state.extend([separator, "\"", &limit.name, "\";r="]);
                state.push_str(left.format(standing.remaining));
                state.extend([";t=", reset.format(seconds(standing.reset))]);
            }
            fields.push(("ratelimit-policy", policies));
            fields.push(("ratelimit", state));
        }
        if matches!(self.style, RateLimitHeaders::X | RateLimitHeaders::Both) {
            // The one with the smallest share left; of several the first.
            let share = |(standing, limit): &(&Standing, &super::Limit)| {
                f64::from(standing.remaining) / f64::from(limit.algorithm.burst())
            };
            let tightest = enforced().min_by(|a, b| share(a).total_cmp(&share(b)));
            if let Some((standing, limit)) = tightest {
                fields.push(("x-ratelimit-limit", limit.algorithm.burst().to_string()));
                fields.push(("x-ratelimit-remaining", standing.remaining.to_string()));
                fields.push(("x-ratelimit-reset", seconds(standing.reset).to_string()));
            }
        }
        fields
    }
}

/// Writes the fields on a response, in the place of the upstream's.
pub(crate) fn edits<'a>(
    limits: &Limits,
    standings: &[Standing],
    lines: &[Line<'a>],
    edits: &mut Vec<Edit<'a>>,
) {
    for (name, value) in limits.fields(standings) {
        edits.retain(|edit| !is(edit.name(), name));
        let mut seen = Seen::default();
        for &line in lines.iter().filter(|(other, _)| is(other, name)) {
            seen.see(line);
        }
        seen.write(name.as_bytes(), value.into_bytes().into(), edits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_rounded_up() {
        let check = |nanoseconds, expected| assert_eq!(seconds(nanoseconds), expected);
        check(0, 0);
        check(1, 1);
        check(SECOND - 1, 1);
        check(SECOND, 1);
        check(SECOND + 1, 2);
        check(u64::MAX, 18_446_744_074);
    }
}
