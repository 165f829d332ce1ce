//! What is looked for, compiled: an automaton for what counts inside words, a hash table for what counts as one.

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, MatchKind};

use crate::Severity;
use crate::dictionary::Common;
use crate::grams::{BITS_WORDS, Begins, Bits, begins};
use crate::item::{Item, Outline, Spelling, class_of};
use crate::pack::{PackedEntry, Place};
use crate::packing::pattern;
use crate::spelled::{Strictness, spells};

/// Where an entry comes from, for its id.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source {
    /// The pack at this place of [`PACKS`](crate::PACKS).
    Pack(u8),
    /// The operator's words.
    Words,
}

/// One thing that is looked for.
#[derive(Debug)]
pub(crate) struct Term {
    pub(crate) entry: PackedEntry,
    pub(crate) source: Source,
    /// Its place in its source.
    pub(crate) number: u32,
}

impl Term {
    /// Whether `items` spell it.
    pub(crate) fn is_spelled_by(&self, items: &[Item]) -> bool {
        spells(
            items,
            &self.entry.word,
            Strictness {
                exact: self.entry.exact,
                strict: self.entry.strict,
            },
        )
    }

    pub(crate) fn severity(&self) -> Severity {
        self.entry.severity
    }
}

/// Compiled terms and exceptions.
#[derive(Debug)]
pub(crate) struct Lexicon {
    pub(crate) terms: Vec<Term>,
    /// Spellings of terms; patterns from `allowed_from` on are benign words.
    automaton: Option<NFA>,
    /// The term of each pattern below `allowed_from`.
    patterns: Vec<u16>,
    lengths: Vec<u8>,
    /// Which four letters begin such a term; see [`Grams`].
    pub(crate) begins: Box<Begins>,
    /// Open addressing: the number of a term and one more, or 0.
    slots: Vec<u16>,
    /// Which slots are taken, by other bits of the hash: most words end here.
    gate: Vec<u64>,
    /// Which outlines terms have.
    outlines: Box<Bits>,
    /// Which three letters begin, or end, a word with a glued term there; see [`Lexicon::may_be_glued`].
    edges: Box<Bits>,
    /// Terms by first letter and length, for words with letters starred out.
    by_shape: Vec<(u8, u8, u16)>,
    /// 24-bit hashes of the packs' benign words, ascending.
    benign: Vec<u32>,
    /// Hashes of the operator's exceptions, ascending.
    allowed: Vec<u32>,
    /// What may stand before and behind an entry.
    pub(crate) common: Common,
}

const GATE_WORDS: usize = 512;

/// The bit of three letters from one end of a word.
fn edge(end: bool, [one, two, three]: [u8; 3]) -> (usize, u64) {
    let letters =
        usize::from(one & 31) << 10 | usize::from(two & 31) << 5 | usize::from(three & 31);
    let bit = usize::from(end) << 15 | letters;
    (bit >> 6, 1 << (bit & 63))
}

fn spelling(word: &str) -> Spelling {
    Spelling::of_classes(word.bytes().filter_map(class_of))
}

impl Lexicon {
    /// Compiles `terms`; `inside` are benign words that hide what stands in them wherever they stand, `benign` hashes of such that do as
    /// whole words, `allowed` the operator's.
    pub(crate) fn compile(
        terms: Vec<Term>,
        inside: &[String],
        mut benign: Vec<u32>,
        allowed: &[String],
    ) -> Self {
        let terms: Vec<Term> = terms.into_iter().take(usize::from(u16::MAX - 1)).collect();
        benign.sort_unstable();
        benign.dedup();
        let mut patterns = Vec::new();
        let mut spelled: Vec<Vec<u8>> = Vec::new();
        for (number, term) in (0u16..).zip(&terms) {
            if term.entry.place != Place::Whole {
                patterns.push(number);
                spelled.push(pattern(&term.entry.word));
            }
        }
        spelled.extend(inside.iter().chain(allowed).map(|word| pattern(word)));
        let lengths = spelled
            .iter()
            .map(|pattern| u8::try_from(pattern.len()).unwrap_or(u8::MAX))
            .collect();
        let automaton = NFA::builder()
            .match_kind(MatchKind::Standard)
            .prefilter(false)
            .dense_depth(3)
            .build(&spelled)
            .ok();
        let mut lexicon = Self {
            automaton,
            lengths,
            begins: begins(spelled.get(..patterns.len()).unwrap_or_default()),
            patterns,
            slots: vec![0; (terms.len() * 2).next_power_of_two().max(16)],
            gate: vec![0; GATE_WORDS],
            outlines: Box::new([0; BITS_WORDS]),
            edges: Box::new([0; BITS_WORDS]),
            by_shape: Vec::new(),
            benign,
            allowed: allowed.iter().map(|word| spelling(word).mixed()).collect(),
            common: Common::load(),
            terms: Vec::new(),
        };
        lexicon.allowed.sort_unstable();
        for (number, term) in (1u16..).zip(&terms) {
            let hash = spelling(&term.entry.word).mixed();
            lexicon.insert(hash, number);
            let outline = spelling(&term.entry.word).outline().number();
            if let Some(word) = lexicon.outlines.get_mut(outline >> 6) {
                *word |= 1 << (outline & 63);
            }
            if term.entry.glued {
                lexicon.insert_edges(pattern(&term.entry.word));
            }
            let first = term
                .entry
                .word
                .bytes()
                .next()
                .and_then(class_of)
                .unwrap_or_default();
            let length = u8::try_from(term.entry.word.len()).unwrap_or(u8::MAX);
            lexicon.by_shape.push((first, length, number - 1));
        }
        lexicon.by_shape.sort_unstable();
        lexicon.terms = terms;
        lexicon
    }

    fn insert(&mut self, hash: u32, number: u16) {
        let (word, bit) = gate_of(hash);
        if let Some(word) = self.gate.get_mut(word) {
            *word |= bit;
        }
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        // There are twice as many slots as terms, so an empty one is met.
        while let Some(slot) = self.slots.get_mut(at) {
            if *slot == 0 {
                *slot = number;
                return;
            }
            at = (at + 1) & mask;
        }
    }

    fn insert_edges(&mut self, mut letters: Vec<u8>) {
        for end in [false, true] {
            let thirds = match letters.as_slice() {
                [_, _, three, ..] => *three..*three + 1,
                _ => 0..32,
            };
            if let [one, two, ..] = *letters.as_slice() {
                for three in thirds {
                    let (word, bit) = edge(end, [one, two, three]);
                    if let Some(word) = self.edges.get_mut(word) {
                        *word |= bit;
                    }
                }
            }
            letters.reverse();
        }
    }

    /// Whether a glued term may begin with `letters`, or, read backwards, `end` with them.
    #[inline]
    pub(crate) fn may_be_glued(&self, end: bool, letters: [u8; 3]) -> bool {
        let (word, bit) = edge(end, letters);
        self.edges.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Whether there are terms of this outline.
    #[inline]
    pub(crate) fn may_outline(&self, outline: Outline) -> bool {
        let number = outline.number();
        self.outlines
            .get(number >> 6)
            .is_some_and(|word| word >> (number & 63) & 1 == 1)
    }

    /// Whether there may be terms of this spelling: one look-up, which most words end at.
    #[inline]
    pub(crate) fn may_spell(&self, spelling: Spelling) -> bool {
        let (word, bit) = gate_of(spelling.mixed());
        self.gate.get(word).is_some_and(|word| word & bit != 0)
    }

    /// The terms that may have this spelling.
    pub(crate) fn spelled(&self, spelling: Spelling) -> impl Iterator<Item = (u16, &Term)> {
        let hash = spelling.mixed();
        let (word, bit) = gate_of(hash);
        let open = spelling.len > 1 && self.gate.get(word).is_some_and(|word| word & bit != 0);
        let mask = self.slots.len() - 1;
        let start = hash as usize;
        (0..if open { self.slots.len() } else { 0 })
            .map_while(move |step| {
                self.slots
                    .get((start + step) & mask)
                    .and_then(|slot| slot.checked_sub(1))
            })
            .filter_map(|number| Some((number, self.terms.get(usize::from(number))?)))
    }

    /// The terms with this first letter and as many letters.
    pub(crate) fn shaped(&self, first: u8, length: u8) -> impl Iterator<Item = (u16, &Term)> {
        let from = self
            .by_shape
            .partition_point(|&(f, l, _)| (f, l) < (first, length));
        let of_shape = self
            .by_shape
            .get(from..)
            .unwrap_or_default()
            .iter()
            .take_while(move |&&(f, l, _)| (f, l) == (first, length));
        of_shape.filter_map(|&(_, _, number)| Some((number, self.terms.get(usize::from(number))?)))
    }

    /// Whether a whole word of this spelling is benign.
    pub(crate) fn is_benign(&self, spelling: Spelling) -> bool {
        let hash = spelling.mixed();
        self.benign.binary_search(&(hash >> 8)).is_ok() || self.is_allowed(spelling)
    }

    /// Whether the operator allows this spelling.
    pub(crate) fn is_allowed(&self, spelling: Spelling) -> bool {
        self.allowed.binary_search(&spelling.mixed()).is_ok()
    }

    /// Runs the automaton over `items` and hands out each pattern with the item that it ends at.
    pub(crate) fn scan(&self, items: &[Item], hit: &mut impl FnMut(Hit)) {
        let Some(automaton) = &self.automaton else {
            return;
        };
        let Ok(start) = automaton.start_state(Anchored::No) else {
            return;
        };
        let mut state: StateID = start;
        let mut before = u8::MAX;
        for (end, item) in items.iter().enumerate() {
            if item.class == before {
                continue;
            }
            before = item.class;
            state = automaton.next_state(Anchored::No, state, item.class);
            if automaton.is_special(state) && automaton.is_match(state) {
                for index in 0..automaton.match_len(state) {
                    let pattern = automaton.match_pattern(state, index).as_usize();
                    let length = self.lengths.get(pattern).copied().unwrap_or_default();
                    hit(Hit {
                        term: self.patterns.get(pattern).copied(),
                        end,
                        length,
                    });
                }
            }
        }
    }

    /// Bytes on the heap, about.
    pub(crate) fn memory(&self) -> usize {
        self.automaton.as_ref().map_or(0, Automaton::memory_usage)
            + self
                .terms
                .iter()
                .map(|term| size_of::<Term>() + term.entry.word.len())
                .sum::<usize>()
            + self.benign.len() * 4
    }
}

/// A pattern met by [`Lexicon::scan`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hit {
    /// The term, or `None` for a benign word.
    pub(crate) term: Option<u16>,
    /// The item that it ends at.
    pub(crate) end: usize,
    /// Its letters without repeats.
    pub(crate) length: u8,
}

fn gate_of(hash: u32) -> (usize, u64) {
    (hash as usize >> 23, 1 << (hash >> 17 & 63))
}
