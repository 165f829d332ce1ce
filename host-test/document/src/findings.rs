//! What was found in a document, with the place where each finding is to be shown.

use std::ops::Range;

use portcullis_config::{Diagnostic, Severity, code};
use serde_json::{Value, json};

use crate::{Document, Flaw, Source, Unreadable};

/// What is wrong about a member that has one of these is its name, not its value.
const ABOUT_THE_KEY: &[&str] = &[
    code::UNKNOWN_KEY,
    code::NOT_SUPPORTED,
    code::HEADER_NAME,
    code::HEADERS_RESERVED,
    code::HEADERS_SET_AND_REMOVED,
    code::HEADERS_SET_AND_DEFAULTED,
];

impl Document {
    /// The bytes that a finding is about.
    pub fn range_of(&self, diagnostic: &Diagnostic) -> Range<usize> {
        let span = self.spans.at(&diagnostic.pointer);
        if ABOUT_THE_KEY.contains(&&*diagnostic.code) {
            span.key_or_head()
        } else {
            span.head()
        }
    }

    /// Puts findings in the order of the file: the walk that makes them has an order of its own.
    pub fn sort(&self, list: &mut [Diagnostic]) {
        list.sort_by_key(|diagnostic| self.range_of(diagnostic).start);
    }

    /// Findings for machines: beside each its place, `line`, `column`, `end_line` and `end_column`, all from 1.
    pub fn findings(&self, list: &[Diagnostic]) -> Value {
        let placed =
            |diagnostic| place(json!(diagnostic), &self.source, &self.range_of(diagnostic));
        list.iter().map(placed).collect()
    }
}

impl Unreadable {
    /// The flaws as [`Document::findings`] has findings.
    pub fn findings(&self) -> Value {
        let finding = |flaw: &Flaw| {
            let diagnostic = Diagnostic {
                code: code::SYNTAX.into(),
                severity: Severity::Error,
                pointer: String::new(),
                message: flaw.message.clone(),
                help: flaw.help.clone(),
            };
            place(json!(diagnostic), &self.source, &flaw.range)
        };
        self.flaws.iter().map(finding).collect()
    }
}

fn place(mut value: Value, source: &Source, range: &Range<usize>) -> Value {
    if let Some(members) = value.as_object_mut() {
        let (start, end) = (source.place(range.start), source.place(range.end));
        for (key, number) in [
            ("line", start.line),
            ("column", start.column),
            ("end_line", end.line),
            ("end_column", end.column),
        ] {
            members.insert(key.to_owned(), json!(number));
        }
    }
    value
}
