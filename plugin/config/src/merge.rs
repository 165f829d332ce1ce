//! JSON Merge Patch (RFC 7396), which a route's `cors`, `headers` and `profanity` are.

use crate::diagnostic::{code, suggest};
use crate::document::Document;
use crate::walk::{Node, shown};

/// RFC 7396 section 2: what `patch` makes of `target`.
pub(crate) fn merge(target: &Document, patch: &Document) -> Document {
    let Document::Object(changes) = patch else {
        return patch.clone();
    };
    let mut members = match target {
        Document::Object(members) => members.clone(),
        _ => Vec::new(),
    };
    for (name, change) in changes {
        let at = members.iter().position(|(other, _)| other == name);
        match (change, at) {
            (Document::Null, Some(at)) => {
                members.remove(at);
            }
            (Document::Null, None) => {}
            (change, at) => {
                let old = at.and_then(|at| members.get_mut(at));
                match old {
                    Some((_, old)) => *old = merge(old, change),
                    None => members.push((name.clone(), merge(&Document::Null, change))),
                }
            }
        }
    }
    Document::Object(members)
}

/// Reports each key that `patch` deletes although the section has no such key: after the merge nothing would show it.
pub(crate) fn refuse_unknown_nulls(patch: &Node<'_>, known: &'static [&'static str]) {
    let Document::Object(members) = patch.value else {
        return;
    };
    for (name, value) in members {
        if *value == Document::Null && !known.contains(&name.as_str()) {
            let help = suggest(name, known.iter().copied()).map(|n| format!("did you mean `{n}`?"));
            patch.error_at(
                &crate::diagnostic::pointer_child(&patch.pointer, name),
                code::UNKNOWN_KEY,
                format!("unknown key `{}`", shown(name)),
                help.as_deref(),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rfcs_cases() {
        let check = |target: &str, patch: &str, expected: &str| {
            let read = |text: &str| serde_json::from_str::<Document>(text).unwrap();
            assert_eq!(
                merge(&read(target), &read(patch)),
                read(expected),
                "{target} + {patch}"
            );
        };
        check(r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#);
        check(r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#);
        check(r#"{"a":"b"}"#, r#"{"a":null}"#, "{}");
        check(r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#);
        check(
            r#"{"a":{"b":"c"}}"#,
            r#"{"a":{"b":"d","c":null}}"#,
            r#"{"a":{"b":"d"}}"#,
        );
        check(r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#);
        check(r#"["a"]"#, r#"{"a":1}"#, r#"{"a":1}"#);
        check("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#);
        check(r#"{"e":1}"#, "{}", r#"{"e":1}"#);
    }
}
