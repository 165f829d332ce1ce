//! `Vary`: without it a cache hands one origin's answer to another (Fetch standard, "CORS protocol and HTTP caches").

use std::borrow::Cow;

use crate::decision::{Edit, Seen};
use crate::message::Line;

const NAME: &[u8] = b"vary";
/// Adds what the answer depends on to what the response, with the changes so far, says already. `asked` tells whether
/// the origin decides anything. RFC 9110 section 12.5.5: `*` says it all.
pub(super) fn edits<'a>(
    asked: bool,
    preflight: bool,
    lines: &[Line<'a>],
    edits: &mut Vec<Edit<'a>>,
) {
    let wanted: &[&str] = match (asked, preflight) {
        (false, false) => return,
        (true, false) => &["Origin"],
        (false, true) => &[
            "Access-Control-Request-Method",
            "Access-Control-Request-Headers",
        ],
        (true, true) => &[
            "Origin",
            "Access-Control-Request-Method",
            "Access-Control-Request-Headers",
        ],
    };
    let mut seen = Seen::default();
    let mut values = Vec::new();
    for &(name, value) in lines.iter().filter(|(name, _)| is_vary(name)) {
        seen.see((name, value));
        values.push(Cow::Borrowed(value));
    }
    let mut changed = false;
    edits.retain(|edit| {
        let ours = is_vary(edit.name());
        if ours {
            changed = true;
            values.clear();
            match edit {
                Edit::Add(_, value) | Edit::Replace(_, value) => values.push(value.clone()),
                Edit::Remove(_) => {}
            }
        }
        !ours
    });
    let is_missing = |token: &&&str| !values.iter().any(|value| names(value, token));
    let mut missing = wanted.iter().filter(is_missing).peekable();
    if missing.peek().is_none() && !changed {
        return;
    }
    let value = match (values.is_empty(), wanted) {
        (true, [only]) => Cow::Borrowed(only.as_bytes()),
        _ => {
            let missing = missing.map(|token| token.as_bytes());
            // An element that is empty is none (RFC 9110 section 5.6.1).
            let kept = values.iter().map(|value| value.trim_ascii());
            let kept = kept.filter(|value| !value.is_empty());
            let mut all = Vec::with_capacity(values.len() + wanted.len());
            all.extend(kept.chain(missing));
            Cow::Owned(all.join(&b", "[..]))
        }
    };
    seen.write(NAME, value, edits);
}

fn is_vary(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(NAME)
}

/// Whether a value names a header, or says `*`.
fn names(value: &[u8], token: &str) -> bool {
    value
        .split(|b| *b == b',')
        .map(<[u8]>::trim_ascii)
        .any(|one| one == b"*" || one.eq_ignore_ascii_case(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_kept() {
        let check = |upstream: &[&str], expected: &[&str]| {
            let lines: Vec<Line<'_>> = upstream
                .iter()
                .map(|value| (&b"Vary"[..], value.as_bytes()))
                .collect();
            let mut changes = Vec::new();
            edits(true, false, &lines, &mut changes);
            let mut out: Vec<Vec<u8>> = upstream.iter().map(|v| v.as_bytes().to_vec()).collect();
            for edit in changes {
                match edit {
                    Edit::Add(_, value) => out.push(value.into_owned()),
                    Edit::Replace(_, value) => out = vec![value.into_owned()],
                    Edit::Remove(_) => out.clear(),
                }
            }
            let expected: Vec<&[u8]> = expected.iter().map(|v| v.as_bytes()).collect();
            assert_eq!(out, expected, "{upstream:?}");
        };
        check(&[], &["Origin"]);
        check(&["Origin"], &["Origin"]);
        check(&["accept, origin"], &["accept, origin"]);
        check(&["*"], &["*"]);
        check(&["accept", "*"], &["accept", "*"]);
        check(&["Accept-Encoding"], &["Accept-Encoding, Origin"]);
        check(&["accept", "cookie"], &["accept, cookie, Origin"]);
        check(&[""], &["Origin"]);
        check(&["", " "], &["Origin"]);
        check(&["x-origin, origins"], &["x-origin, origins, Origin"]);
    }
}
