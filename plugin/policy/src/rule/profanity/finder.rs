//! The words that count, and the search for them.

use std::cell::RefCell;
use std::ops::ControlFlow;

use portcullis_profanity::{Entry, Filter, Found, Scratch, Severity, mask};

/// The words that count somewhere, compiled.
#[derive(Debug)]
pub(crate) struct Finder {
    filter: Filter,
    /// Reused, as one request is looked at at a time.
    scratch: RefCell<Scratch>,
}

/// What a text holds: the worst, and the first of that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hit {
    pub(crate) severity: Severity,
    pub(crate) entry: Entry,
}

impl Finder {
    pub(crate) fn new(filter: Filter) -> Self {
        Self {
            filter,
            scratch: RefCell::default(),
        }
    }

    /// The worst that a text holds.
    pub(crate) fn find(&self, text: &str) -> Option<Hit> {
        let mut worst: Option<Hit> = None;
        self.each(text, &mut |found| {
            if worst.is_none_or(|worst| found.severity > worst.severity) {
                worst = Some(Hit {
                    severity: found.severity,
                    entry: found.entry,
                });
            }
            ControlFlow::Continue(())
        });
        worst
    }

    /// The same, and the text with an asterisk for each character of all that was found.
    pub(crate) fn masked(&self, text: &str) -> Option<(Hit, String)> {
        let hit = self.find(text)?;
        let mut spans = Vec::new();
        self.each(text, &mut |found| {
            spans.push((found.start, found.end));
            ControlFlow::Continue(())
        });
        Some((hit, mask(text, &spans)))
    }

    /// What stands in logs for an entry.
    pub(crate) fn id(&self, entry: Entry) -> String {
        self.filter.id(entry).to_string()
    }

    /// An entry as its list spells it.
    pub(crate) fn spelled(&self, entry: Entry) -> &str {
        self.filter.spelled(entry)
    }

    fn each(&self, text: &str, found: &mut dyn FnMut(Found) -> ControlFlow<()>) {
        if let Ok(mut scratch) = self.scratch.try_borrow_mut() {
            self.filter.find(text, &mut scratch, found);
        } else {
            // Not to be: nothing looks at a text while it looks at another. It would not pass unseen.
            self.filter.find(text, &mut Scratch::default(), found);
        }
    }
}
