//! Strings of a document changed in its bytes: every other byte stays, so that what is sent on is what the client wrote
//! (numbers in its digits, members in its order) but for what the policy changes.

use std::collections::BTreeMap;

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
}

/// The document with these strings changed, each wherever it stands where names stand twice. `bytes` is a document
/// that [`super::read`] takes; `None` if not.
pub(crate) fn splice(bytes: &[u8], changes: &Changes) -> Option<Vec<u8>> {
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
