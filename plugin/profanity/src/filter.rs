//! The compiled filter: what is looked for, and the search.

use std::ops::ControlFlow;

use crate::dictionary;
use crate::fold::{Look, look};
use crate::item::{I, OTHER, mark};
use crate::lexicon::{Lexicon, Source, Term};
use crate::pack::{PackedEntry, Place, pack};
use crate::scan::{Scratch, scan};

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
pub struct Entry(pub(crate) u32);

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

/// A compiled set of entries. Immutable; one search borrows it and a [`Scratch`].
#[derive(Debug)]
pub struct Filter {
    pub(crate) lexicon: Lexicon,
}

impl Filter {
    /// Compiles what `wanted` asks for. Never fails: what cannot be used is left out and noted.
    ///
    /// The dictionary is inflated only where there are operator words, and let go again: about 2 ms and half a megabyte.
    pub fn compile(wanted: &Wanted<'_>) -> (Self, Vec<Note>) {
        let mut notes = Vec::new();
        let mut terms = Vec::new();
        let (mut inside, mut benign) = (Vec::new(), Vec::new());
        for (index, list) in wanted.lists.iter().enumerate() {
            let place = crate::PACKS.iter().position(|known| known == list);
            let Some((place, pack)) =
                place.and_then(|place| Some((u8::try_from(place).ok()?, pack(list)?)))
            else {
                notes.push(Note::UnknownList { index });
                continue;
            };
            let entries = (0u32..)
                .zip(pack.entries)
                .filter(|(_, entry)| entry.severity >= wanted.threshold);
            terms.extend(entries.map(|(number, entry)| Term {
                entry,
                source: Source::Pack(place),
                number,
            }));
            inside.extend(pack.allow);
            benign.extend(pack.benign);
        }
        words(wanted.words, &mut terms, &mut notes);
        let mut allowed = Vec::new();
        for (index, word) in wanted.allow.iter().enumerate() {
            match letters(word) {
                Some(letters) => allowed.push(letters),
                None => notes.push(Note::UnmatchableAllow { index }),
            }
        }
        (
            Self {
                lexicon: Lexicon::compile(terms, &inside, benign, &allowed),
            },
            notes,
        )
    }

    /// Hands each match in `text` to `found`, in source order and not overlapping (of overlapping ones the worst, over the bytes of all),
    /// until `found` breaks. Takes time linear in the text and memory that does not grow with it. Of a text beyond 4 GiB only so much is
    /// looked at.
    pub fn find(
        &self,
        text: &str,
        scratch: &mut Scratch,
        found: &mut dyn FnMut(Found) -> ControlFlow<()>,
    ) {
        scan(&self.lexicon, text, scratch, found);
    }

    /// A name for `entry` that is never the word, such as `en/412` or `words/3` (its place in the list, or in [`Wanted::words`]); for logs.
    pub fn id(&self, entry: Entry) -> String {
        let Some(term) = self.term(entry) else {
            return String::new();
        };
        let list = match term.source {
            Source::Pack(place) => crate::PACKS
                .get(usize::from(place))
                .copied()
                .unwrap_or_default(),
            Source::Words => "words",
        };
        format!("{list}/{}", term.number)
    }

    /// The entry in lower case a to z, as it is looked for: for the person who runs `portcullis explain`, never for a log.
    pub fn spelled(&self, entry: Entry) -> &str {
        self.term(entry)
            .map(|term| term.entry.word.as_str())
            .unwrap_or_default()
    }

    /// What the lists file the entry under, out of [`TAGS`](crate::TAGS); nothing for operator words.
    pub fn tags(&self, entry: Entry) -> impl Iterator<Item = &'static str> {
        let tags = self.term(entry).map_or(0, |term| term.entry.tags);
        crate::TAGS
            .iter()
            .enumerate()
            .filter(move |(bit, _)| tags >> bit & 1 == 1)
            .map(|(_, tag)| *tag)
    }

    /// Bytes that the filter holds, about.
    pub fn memory(&self) -> usize {
        self.lexicon.memory()
    }

    fn term(&self, entry: Entry) -> Option<&Term> {
        self.lexicon.terms.get(entry.0 as usize)
    }
}

/// The letters of `word` as the search reads them, lower case a to z; `None` if they are fewer than two, or more than an entry has.
fn letters(word: &str) -> Option<String> {
    let mut letters = String::new();
    let mut push = |class: u8, marks: u8| {
        letters.extend(match class {
            I if marks & mark::NOT_I != 0 => Some('l'),
            ..26 => Some(char::from(class + b'a')),
            _ => None,
        });
    };
    for c in word.chars() {
        match look(c) {
            Look::One(OTHER, _) => return None,
            Look::One(class, marks) => push(class, marks),
            Look::Two(one, two) => {
                push(one, 0);
                push(two, 0);
            }
            _ => {}
        }
    }
    (2..=40).contains(&letters.len()).then_some(letters)
}

/// Makes terms of the operator's words, each as wide as the dictionary lets it be.
fn words(words: &[String], terms: &mut Vec<Term>, notes: &mut Vec<Note>) {
    if words.is_empty() {
        return;
    }
    let spelled: Vec<Option<String>> = words.iter().map(|word| letters(word)).collect();
    let known: Vec<&str> = spelled.iter().flatten().map(String::as_str).collect();
    let mut standings = dictionary::standings(&known).into_iter();
    for ((index, word), original) in spelled.iter().enumerate().zip(words) {
        let Some(word) = word else {
            notes.push(Note::Unmatchable { index });
            continue;
        };
        let standing = standings.next().unwrap_or_default();
        if standing.inside > 0 {
            notes.push(Note::WholeToken {
                index,
                inside: standing.inside,
            });
        }
        let anywhere = standing.inside == 0 && word.len() > 2;
        // Of a phrase the parts are words, and meant to be.
        let seams = if original.trim().contains(char::is_whitespace) {
            0
        } else {
            standing.seams
        };
        let entry = PackedEntry {
            word: word.clone(),
            place: if anywhere {
                Place::Anywhere
            } else {
                Place::Whole
            },
            severity: Severity::Severe,
            glued: false,
            exact: standing.has_double,
            strict: standing.has_double,
            tags: 0,
            seams,
        };
        terms.push(Term {
            entry,
            source: Source::Words,
            number: u32::try_from(index).unwrap_or(u32::MAX),
        });
    }
}
