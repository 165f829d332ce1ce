//! JSON (RFC 8259) through serde_json, and a second walk over the then known-good text for the spans.
//!
//! serde_json decides what is JSON and what it means; it has no places and lets the last of two equal names win. The
//! walk here only follows brackets, strings and commas, which needs no judgement once the text is known to be JSON.

use std::collections::HashSet;
use std::ops::Range;

use portcullis_config::pointer_child;
use serde_json::Value;

use crate::spans::{Span, Spans};
use crate::{Flaw, MAX_DEPTH, MAX_INTEGER, MAX_VALUES};

/// Reads one JSON text.
pub(super) fn read(text: &str) -> Result<(Value, Spans), Vec<Flaw>> {
    let value: Value =
        serde_json::from_str(text).map_err(|error| vec![syntax_flaw(&error, text)])?;
    let mut walk = Walk {
        text,
        at: 0,
        values: 0,
        spans: Spans::default(),
        flaws: Vec::new(),
    };
    let done = walk.value(String::new(), None, 0);
    if let Err(flaw) = done {
        walk.flaws.push(flaw);
    }
    if walk.flaws.is_empty() {
        Ok((value, walk.spans))
    } else {
        Err(walk.flaws)
    }
}

fn syntax_flaw(error: &serde_json::Error, text: &str) -> Flaw {
    let line_start: usize = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    let at = (line_start + error.column().saturating_sub(1)).min(text.len());
    let message = error.to_string();
    // The place is shown by the report, not said twice.
    let message = message
        .split(" at line ")
        .next()
        .unwrap_or_default()
        .to_owned();
    let flaw = Flaw::new(message, at..at);
    if text.contains(": ") && text.contains('\n') && error.is_syntax() {
        return flaw.help(
            "a file that starts with `{` is read as JSON: keys and texts stand in double quotes",
        );
    }
    flaw
}

struct Walk<'a> {
    text: &'a str,
    at: usize,
    values: usize,
    spans: Spans,
    flaws: Vec<Flaw>,
}

impl Walk<'_> {
    fn value(
        &mut self,
        pointer: String,
        key: Option<Range<usize>>,
        depth: usize,
    ) -> Result<(), Flaw> {
        self.blank();
        let start = self.at;
        self.values += 1;
        if depth > MAX_DEPTH {
            return Err(Flaw::new(
                format!("more than {MAX_DEPTH} levels of nesting"),
                start..start,
            ));
        }
        if self.values > MAX_VALUES {
            return Err(Flaw::new(
                format!("more than {MAX_VALUES} values"),
                start..start,
            ));
        }
        let first = self.peek();
        match first {
            Some(b'{') => self.object(&pointer, depth)?,
            Some(b'[') => self.list(&pointer, depth)?,
            Some(b'"') => self.string(),
            _ => self.word(),
        }
        let span = Span {
            key,
            value: start..self.at,
            is_collection: matches!(first, Some(b'{' | b'[')),
        };
        self.spans.insert(pointer, span);
        Ok(())
    }

    fn object(&mut self, pointer: &str, depth: usize) -> Result<(), Flaw> {
        self.at += 1;
        let mut seen = HashSet::new();
        while self.next_item(b'}') {
            let start = self.at;
            self.string();
            let range = start..self.at;
            let quoted = self.text.get(range.clone()).unwrap_or_default();
            let name: String = serde_json::from_str(quoted).unwrap_or_default();
            self.blank();
            self.at += 1; // the colon
            self.value(
                pointer_child(pointer, &name),
                Some(range.clone()),
                depth + 1,
            )?;
            let flaw = Flaw::new(format!("the key `{name}` stands twice"), range)
                .help("readers disagree on which of them counts; keep one");
            if !seen.insert(name) {
                self.flaws.push(flaw);
            }
        }
        Ok(())
    }

    fn list(&mut self, pointer: &str, depth: usize) -> Result<(), Flaw> {
        self.at += 1;
        let mut index = 0;
        while self.next_item(b']') {
            self.value(format!("{pointer}/{index}"), None, depth + 1)?;
            index += 1;
        }
        Ok(())
    }

    /// Goes to the next item of a collection, or past its end.
    fn next_item(&mut self, end: u8) -> bool {
        self.blank();
        if self.peek() == Some(b',') {
            self.at += 1;
            self.blank();
        }
        match self.peek() {
            None => false,
            Some(byte) if byte == end => {
                self.at += 1;
                false
            }
            Some(_) => true,
        }
    }

    fn string(&mut self) {
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'\\') => self.at += 2,
                Some(b'"') | None => break,
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) {
        let start = self.at;
        while self
            .peek()
            .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.'))
        {
            self.at += 1;
        }
        let range = start..self.at;
        let written = self.text.get(range.clone()).unwrap_or_default();
        let digits = written.strip_prefix('-').unwrap_or(written);
        let whole = digits.bytes().all(|b| b.is_ascii_digit());
        if whole
            && !digits
                .parse()
                .is_ok_and(|magnitude: u64| magnitude <= MAX_INTEGER)
        {
            self.flaws.push(
                Flaw::new(
                    format!("`{written}` is no number that JSON keeps exactly"),
                    range,
                )
                .help("integers go up to 2^53; quote it if it is text"),
            );
        }
    }

    fn blank(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}
