//! What was found in a request: for the client where, for the log by which entry, for the upstream how bad.

use std::fmt;

use portcullis_profanity::{Entry, Severity};

use super::finder::{Finder, Hit};
use crate::rule::validate::{Place, Token, Violation, Violations, summary};

/// What was found in a request, or in one part of it.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Where: the place alone, and never the word.
    pub(crate) violations: Violations,
    /// The same for the log, with the entry's id.
    pub(crate) input: Vec<String>,
    /// The entries of `input`; `None` where something could not be looked at.
    pub(crate) entries: Vec<Option<Entry>>,
    /// The request's path, without its query, with an asterisk for each value that holds something; `None` if none does.
    pub(crate) path: Option<Vec<u8>>,
    /// What the upstream is told.
    pub(crate) tag: Tag,
    /// Whether something could not be looked at: that passes in no mode but report.
    pub(crate) unread: bool,
}

/// How bad what was found is, and in how many fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tag {
    severity: u8,
    fields: usize,
}

impl Seen {
    /// Whether nothing was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.violations.is_empty()
    }

    /// Adds one text that holds something.
    pub(super) fn hit(
        &mut self,
        place: Place,
        path: impl FnOnce() -> Vec<Token>,
        hit: &Hit,
        finder: &Finder,
    ) {
        self.tag = self.tag.and(Tag {
            severity: match hit.severity {
                Severity::Mild => 1,
                Severity::Moderate => 2,
                Severity::Severe => 3,
            },
            fields: 1,
        });
        if self.violations.is_full() {
            return;
        }
        let violation = Violation {
            place,
            path: path(),
            keyword: "profanity",
            kind: "profanity",
            message: "must not hold profanity".to_owned(),
        };
        // A parameter may come twice.
        if self.violations.as_slice().contains(&violation) {
            return;
        }
        let id = finder.id(hit.entry);
        self.input.push([&summary(&violation), " ", &id].concat());
        self.entries.push(Some(hit.entry));
        self.violations.push(violation);
    }

    /// Adds a parameter that is no text.
    pub(super) fn unreadable(&mut self, place: Place, name: &str, message: &str) {
        self.unread = true;
        let violation = Violation {
            place,
            path: Self::name(name),
            keyword: "type",
            kind: "string_unicode",
            message: message.to_owned(),
        };
        self.input.push(summary(&violation));
        self.entries.push(None);
        self.violations.push(violation);
    }

    pub(super) fn name(name: &str) -> Vec<Token> {
        vec![Token::Name(name.to_owned())]
    }
}

impl Tag {
    /// What both say.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            severity: self.severity.max(other.severity),
            fields: self.fields.saturating_add(other.fields),
        }
    }

    /// Whether there is nothing to tell.
    pub(crate) fn is_empty(self) -> bool {
        self.fields == 0
    }
}

/// The value of `x-profanity`: parameters as RFC 9110 section 5.6.6 writes them.
impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "severity={};fields={}", self.severity, self.fields)
    }
}
