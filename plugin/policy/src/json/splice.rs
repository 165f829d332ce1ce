//! Strings of a document changed in its bytes: every other byte stays, so that what is sent on is what the client wrote
//! (numbers in its digits, members in its order) but for what the policy changes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fault::FaultKind;
use super::pointer::{Step, Token};
use super::text;

/// Strings to be changed, by their place in the document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// What the string here becomes.
    text: Option<String>,
    members: BTreeMap<String, Changes>,
    items: BTreeMap<usize, Changes>,
}

impl Changes {
    /// Has the string at the end of this way say `text`.
    pub(crate) fn set(&mut self, way: Option<&Step<'_>>, text: String) {
        let end = Step::way(way)
            .into_iter()
            .fold(self, |changes, token| match token {
                Token::Name(name) => changes.members.entry(name.to_owned()).or_default(),
                Token::Index(index) => changes.items.entry(index).or_default(),
            });
        end.text = Some(text);
    }

    /// Whether there is nothing to change.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_none() && self.members.is_empty() && self.items.is_empty()
    }

    /// The bytes that `document`, read from `bytes` and changed so, is sent on as: the same but for the strings that
    /// changed. `None` if none did.
    pub(crate) fn applied(&self, bytes: &[u8], document: &Value) -> Option<Vec<u8>> {
        if self.is_empty() {
            return None;
        }
        // Bytes that are not the document's have no place to change: what was judged is sent all the same.
        splice(bytes, self).or_else(|| serde_json::to_vec(document).ok())
    }
}

/// The document with these strings changed, each wherever it stands where names stand twice. `bytes` is a document
/// that [`super::read`] takes; `None` if not.
pub(super) fn splice(bytes: &[u8], changes: &Changes) -> Option<Vec<u8>> {
    let mut splicer = Splicer {
        text: std::str::from_utf8(bytes).ok()?,
        at: 0,
        kept: 0,
        out: Vec::with_capacity(bytes.len()),
    };
    splicer.value(changes)?;
    splicer.keep(bytes.len())?;
    Some(splicer.out)
}

struct Splicer<'a> {
    text: &'a str,
    at: usize,
    /// Up to here everything is in `out`.
    kept: usize,
    out: Vec<u8>,
}

impl Splicer<'_> {
    fn next(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let white = rest.iter().position(|byte| !is_white(*byte))?;
        self.at += white;
        rest.get(white).copied()
    }

    /// Copies what stands between what was copied and `end`.
    fn keep(&mut self, end: usize) -> Option<()> {
        let between = self.text.as_bytes().get(self.kept..end)?;
        self.out.extend_from_slice(between);
        Some(())
    }

    /// Goes behind the value that is next.
    fn value(&mut self, changes: &Changes) -> Option<()> {
        match self.next()? {
            b'"' if let Some(changed) = &changes.text => {
                self.keep(self.at)?;
                serde_json::to_writer(&mut self.out, changed).ok()?;
                self.at = text::string_end(self.text.as_bytes(), self.at)?;
                self.kept = self.at;
                Some(())
            }
            b'{' if !changes.members.is_empty() => self.object(&changes.members),
            b'[' if !changes.items.is_empty() => self.array(&changes.items),
            _ => self.skip(),
        }
    }

    fn object(&mut self, changes: &BTreeMap<String, Changes>) -> Option<()> {
        loop {
            self.at += 1;
            match self.next()? {
                b'"' => {}
                b'}' => break,
                _ => return None,
            }
            let (name, behind) =
                text::string(self.text, self.at, usize::MAX, FaultKind::KeyBytes).ok()?;
            self.at = behind;
            if self.next()? != b':' {
                return None;
            }
            self.at += 1;
            match changes.get(name.as_ref()) {
                Some(changes) => self.value(changes)?,
                None => self.skip()?,
            }
            if self.next()? != b',' {
                break;
            }
        }
        self.close(b'}')
    }

    fn array(&mut self, changes: &BTreeMap<usize, Changes>) -> Option<()> {
        for index in 0.. {
            self.at += 1;
            if self.next()? == b']' {
                break;
            }
            match changes.get(&index) {
                Some(changes) => self.value(changes)?,
                None => self.skip()?,
            }
            if self.next()? != b',' {
                break;
            }
        }
        self.close(b']')
    }

    fn close(&mut self, bracket: u8) -> Option<()> {
        let closes = self.next()? == bracket;
        self.at += 1;
        closes.then_some(())
    }

    /// Goes behind the value that is next, whatever it holds.
    fn skip(&mut self) -> Option<()> {
        let bytes = self.text.as_bytes();
        let mut depth = 0_usize;
        loop {
            match self.next()? {
                b'"' => self.at = text::string_end(bytes, self.at)?,
                b'{' | b'[' => (depth, self.at) = (depth + 1, self.at + 1),
                b'}' | b']' => (depth, self.at) = (depth.checked_sub(1)?, self.at + 1),
                b',' | b':' if depth > 0 => self.at += 1,
                b',' | b':' => return None,
                _ => {
                    let rest = bytes.get(self.at..)?;
                    let scalar = rest.iter().position(|byte| {
                        is_white(*byte) || matches!(byte, b',' | b']' | b'}' | b':' | b'"')
                    });
                    self.at += scalar.unwrap_or(rest.len());
                }
            }
            if depth == 0 {
                return Some(());
            }
        }
    }
}

fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bytes_that_are_not_the_documents_are_written_anew() {
        let mut changes = Changes::default();
        changes.members.entry("a".to_owned()).or_default().text = Some("b".to_owned());
        for bytes in [
            &b""[..],
            b"\xff",
            b"{",
            br#"{"a":" "#,
            br#"{"a" " b"}"#,
            b"{1:2}",
        ] {
            let rewritten = changes.applied(bytes, &json!({"a": "b"})).unwrap();
            assert_eq!(rewritten, br#"{"a":"b"}"#);
        }
    }
}
