//! What the import has to say: what is not enforced, and what was decided without anything being lost.

use std::collections::HashSet;

use portcullis_config::{Diagnostic, Severity};

/// The code of something in the document that the policy does not enforce.
pub const NOT_ENFORCED: &str = "import-not-enforced";
/// The code of a decision that loses nothing.
pub const NOTE: &str = "import-note";
/// The code of what keeps a document from being imported.
pub const INVALID: &str = "import-invalid";

/// The findings so far, each once: a component is looked at wherever it is used.
#[derive(Debug, Default)]
pub(super) struct Findings {
    not_enforced: Vec<Diagnostic>,
    notes: Vec<Diagnostic>,
    seen: HashSet<(String, String)>,
}

impl Findings {
    /// The document says this, and the policy does not.
    pub(super) fn gap(&mut self, pointer: &str, message: impl Into<String>, help: Option<&str>) {
        let message = message.into();
        if self.is_new(pointer, &message) {
            self.not_enforced
                .push(finding(NOT_ENFORCED, pointer, message, help));
        }
    }

    /// Nothing is lost, and yet the reader should know.
    pub(super) fn note(&mut self, pointer: &str, message: impl Into<String>, help: Option<&str>) {
        let message = message.into();
        if self.is_new(pointer, &message) {
            self.notes.push(finding(NOTE, pointer, message, help));
        }
    }

    fn is_new(&mut self, pointer: &str, message: &str) -> bool {
        self.seen.insert((pointer.to_owned(), message.to_owned()))
    }

    /// What is not enforced, and the notes.
    pub(super) fn into_lists(self) -> (Vec<Diagnostic>, Vec<Diagnostic>) {
        (self.not_enforced, self.notes)
    }
}

/// What keeps a document from being imported.
pub(super) fn invalid(pointer: &str, message: &str, help: Option<&str>) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        ..finding(INVALID, pointer, message.to_owned(), help)
    }
}

fn finding(code: &'static str, pointer: &str, message: String, help: Option<&str>) -> Diagnostic {
    Diagnostic {
        code: code.into(),
        severity: Severity::Warning,
        pointer: pointer.to_owned(),
        message,
        help: help.map(str::to_owned),
    }
}
