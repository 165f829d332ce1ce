//! The compiled filter: what is looked for, and the search.

use std::ops::ControlFlow;

/// How bad a word is. Comparable: `Mild < Moderate < Severe`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Coarse or suggestive, fine in most company.
    Mild = 1,
    /// What a public player name or comment should not hold: the default threshold.
    Moderate = 2,
    /// Slurs and the strongest words.
    Severe = 3,
}

/// What a route wants looked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Names out of [`PACKS`](crate::PACKS).
    pub lists: &'a [&'a str],
    /// The operator's own words, always found whatever the threshold is. Sane: at most 1,000 of at most 64 bytes.
    pub words: &'a [String],
    /// The operator's exceptions: a match that stands inside one of them is none. Sane: at most 1,000 of at most 64 bytes.
    pub allow: &'a [String],
    /// Entries of the lists below it are left out.
    pub threshold: Severity,
}

/// One entry of a compiled [`Filter`]; means nothing to another filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry(u32);

/// One match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// First byte of the match in the source, on a character (and approximate grapheme) boundary.
    pub start: usize,
    /// The byte after the match, on such a boundary too.
    pub end: usize,
    /// How bad it is; an operator's own word is `Severe`.
    pub severity: Severity,
    /// Which entry matched.
    pub entry: Entry,
}

/// What compiling has to say about what was asked for; `index` counts in the slice of [`Wanted`] that the variant names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// `lists[index]` is not in [`PACKS`](crate::PACKS) and was left out.
    UnknownList {
        /// Position in `lists`.
        index: usize,
    },
    /// `words[index]` stands inside `inside` common words, so it matches as a whole word only.
    WholeToken {
        /// Position in `words`.
        index: usize,
        /// How many common words hold it.
        inside: usize,
    },
    /// `words[index]` has no letters that could be looked for and was left out.
    Unmatchable {
        /// Position in `words`.
        index: usize,
    },
    /// `allow[index]` has no letters that could be looked for and was left out.
    UnmatchableAllow {
        /// Position in `allow`.
        index: usize,
    },
}

/// Buffers of a search, to be used again for the next; bounded, whatever the text.
#[derive(Debug, Default)]
pub struct Scratch {
    token: String,
}

/// A compiled set of entries. Immutable; one search borrows it and a [`Scratch`].
#[derive(Debug)]
pub struct Filter {
    entries: Vec<(String, String)>,
}

impl Filter {
    /// Compiles what `wanted` asks for. Never fails: what cannot be used is left out and noted.
    pub fn compile(wanted: &Wanted<'_>) -> (Self, Vec<Note>) {
        let mut notes = Vec::new();
        let mut entries = Vec::new();
        for (index, list) in wanted.lists.iter().enumerate() {
            if !crate::PACKS.contains(list) {
                notes.push(Note::UnknownList { index });
            }
        }
        for (index, word) in wanted.words.iter().enumerate() {
            if !word.chars().any(char::is_alphabetic) {
                notes.push(Note::Unmatchable { index });
            } else if !wanted.allow.contains(word) {
                entries.push((word.to_lowercase(), format!("words/{index}")));
            }
        }
        (Self { entries }, notes)
    }

    /// Hands each match in `text` to `found`, in source order and not overlapping, until `found` breaks.
    pub fn find(
        &self,
        text: &str,
        scratch: &mut Scratch,
        found: &mut dyn FnMut(Found) -> ControlFlow<()>,
    ) {
        let mut start = None;
        for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
            if c.is_alphanumeric() {
                if start.is_none() {
                    start = Some(at);
                    scratch.token.clear();
                }
                scratch.token.extend(c.to_lowercase());
            } else if let Some(start) = start.take()
                && let Some(entry) = self
                    .entries
                    .iter()
                    .position(|(word, _)| *word == scratch.token)
                && found(Found {
                    start,
                    end: at,
                    severity: Severity::Severe,
                    entry: Entry(entry as u32),
                })
                .is_break()
            {
                return;
            }
        }
    }

    /// A name for `entry` that stays the same from run to run and is never the word, such as `en/412` or `words/3`; for logs.
    pub fn id(&self, entry: Entry) -> String {
        self.entries
            .get(entry.0 as usize)
            .map(|(_, id)| id.clone())
            .unwrap_or_default()
    }

    /// The entry as the lists spell it: for the person who runs `portcullis explain`, never for a log.
    pub fn spelled(&self, entry: Entry) -> &str {
        self.entries
            .get(entry.0 as usize)
            .map(|(word, _)| word.as_str())
            .unwrap_or_default()
    }
}
