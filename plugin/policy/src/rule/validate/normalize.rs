//! What is done to strings before they are judged: `body.normalize`.
//!
//! A body that is in order already, which most are, is only looked at: nothing is allocated, and its bytes are sent on
//! as they came.

use portcullis_config::Normalize;
use serde_json::Value;

use crate::json::{Changes, Pointer};

/// A route's `body.normalize`, compiled. Pointers and their steps act in the order in which they are written, each on
/// what the one before left.
#[derive(Clone, Debug, Default)]
pub(crate) struct Normalizer {
    targets: Vec<(Pointer, Vec<Normalize>)>,
}

impl Normalizer {
    /// Compiles pointers (RFC 6901, a segment may be `*`) with the steps for the strings at them and below.
    pub(crate) fn compile(written: &[(String, Vec<Normalize>)]) -> Self {
        let targets = written
            .iter()
            .map(|(pointer, steps)| (Pointer::compile(pointer), steps.clone()));
        Self {
            targets: targets.collect(),
        }
    }

    /// Whether no string is ever changed.
    pub(crate) fn is_empty(&self) -> bool {
        self.targets.iter().all(|(_, steps)| steps.is_empty())
    }

    /// Normalises a document, and notes the strings that changed.
    pub(crate) fn apply(&self, document: &mut Value, changes: &mut Changes) {
        for (pointer, steps) in &self.targets {
            pointer.visit(document, &mut |way, text| {
                if let Some(normal) = normalized(text, steps) {
                    *text = normal;
                    changes.set(way, text.clone());
                }
            });
        }
    }
}

/// The text after these steps, if it is another.
fn normalized(text: &str, steps: &[Normalize]) -> Option<String> {
    let mut now = None;
    for step in steps {
        let before = now.as_deref().unwrap_or(text);
        if let Some(after) = stepped(before, *step) {
            now = Some(after);
        }
    }
    now.filter(|after| after != text)
}

/// The text after one step, if it is another. White space is Unicode's `White_Space`, letters change as Unicode's full
/// mappings say (`ß` becomes `SS`, a final `Σ` becomes `ς`), control characters are category Cc.
fn stepped(text: &str, step: Normalize) -> Option<String> {
    let changes = match step {
        Normalize::Trim => text.trim().len() < text.len(),
        Normalize::CollapseWhitespace => !is_collapsed(text),
        Normalize::Lowercase => text
            .chars()
            .any(|one| !one.to_lowercase().eq(std::iter::once(one))),
        Normalize::Uppercase => text
            .chars()
            .any(|one| !one.to_uppercase().eq(std::iter::once(one))),
        Normalize::StripControl => text.contains(is_stripped),
    };
    changes.then(|| match step {
        Normalize::Trim => text.trim().to_owned(),
        Normalize::CollapseWhitespace => collapsed(text),
        Normalize::Lowercase => text.to_lowercase(),
        Normalize::Uppercase => text.to_uppercase(),
        Normalize::StripControl => text.replace(is_stripped, ""),
    })
}

/// Control characters go but for tab and line feed, which text has for good reason: CR LF becomes LF.
fn is_stripped(character: char) -> bool {
    character.is_control() && !matches!(character, '\t' | '\n')
}

/// Whether white space is single spaces only.
fn is_collapsed(text: &str) -> bool {
    let mut white = false;
    text.chars().all(|one| {
        let after_white = std::mem::replace(&mut white, one.is_whitespace());
        !white || (one == ' ' && !after_white)
    })
}

/// Every run of white space as one space, at the ends too.
fn collapsed(text: &str) -> String {
    let mut white = false;
    let kept = text.chars().filter_map(|one| {
        let after_white = std::mem::replace(&mut white, one.is_whitespace());
        match (white, after_white) {
            (false, _) => Some(one),
            (true, false) => Some(' '),
            (true, true) => None,
        }
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use portcullis_config::DuplicateKeys;

    use super::*;
    use crate::json::{Limits, read};

    const LOOSE: Limits = Limits {
        depth: 128,
        keys: 1000,
        items: 1000,
        nodes: 1000,
        key_bytes: 1000,
        string_bytes: 1000,
        duplicate_keys: DuplicateKeys::Allow,
    };

    #[test]
    fn steps() {
        let check = |steps: &[Normalize], text: &str, expected: &str| {
            let normal = normalized(text, steps);
            assert_eq!(normal.as_deref().unwrap_or(text), expected, "{text:?}");
            assert_eq!(normal.is_some(), text != expected, "{text:?}");
        };
        use Normalize::{CollapseWhitespace, Lowercase, StripControl, Trim, Uppercase};
        check(&[Trim], "a b", "a b");
        check(&[Trim], "\u{3000} \t\n\u{85}a b\u{a0}\r\n", "a b");
        check(&[Trim], " \u{2003} ", "");
        check(&[Trim], "\u{200b}a", "\u{200b}a");
        check(&[CollapseWhitespace], "a b c", "a b c");
        check(&[CollapseWhitespace], "a\tb", "a b");
        check(&[CollapseWhitespace], "  a \u{2028}\r\n b\u{a0}", " a b ");
        check(&[CollapseWhitespace], "", "");
        check(&[Lowercase], "straße 1", "straße 1");
        check(&[Lowercase], "ÄÖ ΟΔΟΣ İ", "äö οδος i\u{307}");
        check(&[Uppercase], "STRASSE 1", "STRASSE 1");
        check(&[Uppercase], "straße ŉ ﬁ ς", "STRASSE \u{2bc}N FI Σ");
        check(&[StripControl], "a\tb\n", "a\tb\n");
        check(&[StripControl], "a\0\r\n\u{7f}\u{85}\u{9f}b", "a\nb");
        check(&[StripControl], "\u{200b}\u{feff}", "\u{200b}\u{feff}");
        check(&[Trim, StripControl], "\0 a", " a");
        check(&[StripControl, Trim], "\0 a", "a");
        check(&[CollapseWhitespace, Trim, Uppercase], " a\n\nb ", "A B");
        check(&[Uppercase, Lowercase], "a b", "a b");
        check(&[], " A ", " A ");
    }

    #[test]
    fn bodies() {
        let check = |targets: &[(&str, &[Normalize])], body: &str, expected: Option<&str>| {
            let targets: Vec<_> = targets
                .iter()
                .map(|(pointer, steps)| ((*pointer).to_owned(), steps.to_vec()))
                .collect();
            let normalizer = Normalizer::compile(&targets);
            let before = read(body.as_bytes(), &LOOSE).unwrap();
            let (mut document, mut changes) = (before.clone(), Changes::default());
            normalizer.apply(&mut document, &mut changes);
            assert_eq!(changes.is_empty(), document == before, "{body}");
            let rewritten = changes.applied(body.as_bytes(), &document);
            let text = rewritten.map(|bytes| String::from_utf8(bytes).unwrap());
            assert_eq!(text.as_deref(), expected, "{body}");
            let read = read(expected.unwrap_or(body).as_bytes(), &LOOSE).unwrap();
            assert_eq!(document, read, "{body}");
        };
        use Normalize::{CollapseWhitespace, Lowercase, StripControl, Trim, Uppercase};
        let token: &[(&str, &[Normalize])] = &[("/token", &[Trim, Lowercase])];
        check(token, r#"{"token": "abc"}"#, None);
        check(token, r#"{"name": " A "}"#, None);
        check(token, r#"{"token": 12}"#, None);
        check(token, r#"" A ""#, None);
        check(token, r#"{"\u0074oken": "\u0061bc"}"#, None);
        check(
            token,
            "{ \"a\" : 1.50 ,\n\"token\":\t\"\\u0020ABC \" , \"b\": \" A \" }\r\n",
            Some("{ \"a\" : 1.50 ,\n\"token\":\t\"abc\" , \"b\": \" A \" }\r\n"),
        );
        check(
            token,
            r#"{"\u0074oken":"A","x":[{"token":"A"}]}"#,
            Some(r#"{"\u0074oken":"a","x":[{"token":"A"}]}"#),
        );
        check(
            token,
            r#"{"token":[" A",{"b":"B","c":["C ",1,null,"c"]}],"d":"D"}"#,
            Some(r#"{"token":["a",{"b":"b","c":["c",1,null,"c"]}],"d":"D"}"#),
        );
        check(
            &[("/players/*/name", &[CollapseWhitespace])],
            r#"{"players":[{"name":"a  b"},{"name":"a b"},3,{"name":"\t\t","n":"  "}]}"#,
            Some(r#"{"players":[{"name":"a b"},{"name":"a b"},3,{"name":" ","n":"  "}]}"#),
        );
        check(
            &[("/a/1", &[Trim])],
            r#"{"a":[" x"," y"," z"]}"#,
            Some(r#"{"a":[" x","y"," z"]}"#),
        );
        check(
            &[("/a/1", &[Trim])],
            r#"{"a":{"1":" y"}}"#,
            Some(r#"{"a":{"1":"y"}}"#),
        );
        check(
            &[("", &[StripControl])],
            r#"["a\u0000\"\\\/\t","b"]"#,
            Some(r#"["a\"\\/\t","b"]"#),
        );
        check(&[("", &[Trim])], " \" a\" ", Some(" \"a\" "));
        // Pointers in turn.
        check(
            &[("/a", &[Uppercase]), ("/*", &[Trim])],
            r#"{"a":" a","b":" b"}"#,
            Some(r#"{"a":"A","b":"b"}"#),
        );
        // Where a name stands twice, the last counts, and every other is made to say the same.
        check(
            token,
            r#"{"token":"X","b":"1","token":[" "],"b":" 2","token":" Y"}"#,
            Some(r#"{"token":"y","b":"1","token":[" "],"b":" 2","token":"y"}"#),
        );
        check(token, r#"{"token":" X","token":"y"}"#, None);
    }

    #[test]
    fn no_steps_are_no_change() {
        let compile = |steps: &[Normalize]| {
            Normalizer::compile(&[("/a".to_owned(), steps.to_vec())]).is_empty()
        };
        assert!(Normalizer::default().is_empty());
        assert!(compile(&[]));
        assert!(!compile(&[Normalize::Trim]));
    }
}
