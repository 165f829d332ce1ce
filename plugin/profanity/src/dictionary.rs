//! How an operator's own words stand among common ones, so that `ass` does not take `class` with it.
//!
//! The words are a frequent part of SCOWL (see `lists/scowl`), deflated: the same in the gateway and in `portcullis check`, so both decide
//! the same. They are inflated for the length of one call.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use crate::item::{Item, Spelling, class_of, mark};

use crate::pack::Reader;
use crate::packing::pattern;

/// Raw deflate of words, ascending, each the letters shared with the one before (1 byte), its other letters, and a byte with the high bit
/// set.
const WORDS: &[u8] = include_bytes!("../data/words.bin");

/// More than the words come to.
const INFLATED_MAX: usize = 1 << 19;

/// How a word stands in the dictionary.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// How many other words it stands inside of.
    pub(crate) inside: usize,
    /// Whether another word differs from it in repeats, or in `l` for `i`, only.
    pub(crate) has_double: bool,
    /// Bit `n` is set where its first `n` letters, counted without repeats, and the rest are both words.
    pub(crate) seams: u32,
}

/// How each of `words` (lower case a to z) stands.
pub(crate) fn standings(words: &[&str]) -> Vec<Standing> {
    let mut standings = vec![Standing::default(); words.len()];
    // Every place of a dictionary word is tried against the words that begin with its next two letters.
    let mut by_start: BTreeMap<[u8; 2], Vec<usize>> = BTreeMap::new();
    let mut alike: BTreeMap<Vec<u8>, Vec<usize>> = BTreeMap::new();
    let mut halves: BTreeMap<&str, bool> = BTreeMap::new();
    for (index, word) in words.iter().enumerate() {
        if let Some(&start) = word.as_bytes().first_chunk() {
            by_start.entry(start).or_default().push(index);
        }
        alike.entry(pattern(word)).or_default().push(index);
        for at in 1..word.len() {
            if let Some((left, right)) = word.split_at_checked(at) {
                halves.insert(left, false);
                halves.insert(right, false);
            }
        }
    }
    let mut met = BTreeSet::new();
    each_word(|common| {
        if let Some(half) = halves.get_mut(common) {
            *half = true;
        }
        for &index in alike.get(&pattern(common)).into_iter().flatten() {
            if let (Some(standing), Some(&word)) = (standings.get_mut(index), words.get(index)) {
                standing.has_double |= word != common;
            }
        }
        met.clear();
        for at in 0..common.len() {
            let rest = common.as_bytes().get(at..).unwrap_or_default();
            let candidates = rest.first_chunk().and_then(|start| by_start.get(start));
            met.extend(candidates.into_iter().flatten().copied().filter(|&index| {
                words
                    .get(index)
                    .is_some_and(|word| *word != common && rest.starts_with(word.as_bytes()))
            }));
        }
        for &index in &met {
            if let Some(standing) = standings.get_mut(index) {
                standing.inside += 1;
            }
        }
    });
    for (standing, word) in standings.iter_mut().zip(words) {
        standing.seams = seams(word, |half| halves.get(half).copied().unwrap_or_default());
    }
    standings
}

/// Where `word` falls into two that `is_word` knows: bit `n` for its first `n` letters, counted without repeats.
pub fn seams(word: &str, is_word: impl Fn(&str) -> bool) -> u32 {
    (1..word.len())
        .filter_map(|at| word.split_at_checked(at))
        .filter(|(left, right)| is_word(left) && is_word(right))
        .filter_map(|(left, _)| 1u32.checked_shl(u32::try_from(pattern(left).len()).ok()?))
        .fold(0, |seams, seam| seams | seam)
}

/// Whether `word` (a to z) is a word, or one in an inflection, to the search.
pub fn is_word(word: &str) -> bool {
    let mut items: Vec<Item> = Vec::new();
    for class in word.bytes().filter_map(class_of) {
        match items.last_mut().filter(|last| last.class == class) {
            Some(last) => last.run = last.run.saturating_add(1),
            None => items.push(Item {
                start: 0,
                end: 0,
                class,
                run: 1,
                marks: mark::LETTER,
            }),
        }
    }
    Common::load().is_word(&items)
}

/// The dictionary as a set of spellings: one for all filters, made when the first is compiled.
#[derive(Clone)]
pub(crate) struct Common(Arc<[u32]>);

impl std::fmt::Debug for Common {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Common({} words)", self.0.len())
    }
}

/// Endings of inflected words, in letters without repeats, each with the letter of the word that it may have taken away.
const ENDINGS: [(&[u8], u8); 14] = [
    (b"s", 0),
    (b"es", 0),
    (b"ies", b'y'),
    (b"ed", b'e'),
    (b"ied", b'y'),
    (b"ing", b'e'),
    (b"er", b'e'),
    (b"ers", b'e'),
    (b"ier", b'y'),
    (b"est", b'e'),
    (b"iest", b'y'),
    (b"ly", 0),
    (b"ily", b'y'),
    (b"y", b'e'),
];

/// Letters of a word that may stand at the end of others, or at their beginning.
const AMID: usize = 4;
/// Letters of the longest word that is tried.
const LONGEST: usize = 14;

impl Common {
    pub(crate) fn load() -> Self {
        static COMMON: OnceLock<Arc<[u32]>> = OnceLock::new();
        Self(Arc::clone(COMMON.get_or_init(|| {
            let mut hashes = Vec::new();
            each_word(|word| {
                hashes.push(Spelling::of_classes(word.bytes().filter_map(class_of)).mixed())
            });
            hashes.sort_unstable();
            hashes.dedup();
            hashes.into()
        })))
    }

    fn has(&self, items: &[Item]) -> bool {
        self.0.binary_search(&Spelling::of(items).mixed()).is_ok()
    }

    /// Whether `items` are a word, or one in an inflection, or `xx`.
    pub(crate) fn is_word(&self, items: &[Item]) -> bool {
        if self.has(items) {
            return true;
        }
        ENDINGS.iter().any(|(ending, lost)| {
            let stem = items
                .len()
                .checked_sub(ending.len())
                .and_then(|at| items.split_at_checked(at));
            stem.is_some_and(|(stem, end)| {
                stem.len() > 2
                    && end
                        .iter()
                        .zip(*ending)
                        .all(|(item, &letter)| Some(item.class) == class_of(letter))
                    && self.has_with(stem, *lost)
            })
        }) || matches!(items, [one] if one.run > 1)
    }

    /// Whether `stem` is a word, or is with the letter that endings take away.
    fn has_with(&self, stem: &[Item], lost: u8) -> bool {
        let mut spelling = Spelling::of(stem);
        let bare = lost != b'y' && self.0.binary_search(&spelling.mixed()).is_ok();
        bare || class_of(lost).is_some_and(|lost| {
            spelling.push(lost);
            self.0.binary_search(&spelling.mixed()).is_ok()
        })
    }

    /// Whether `items` are two words that meet elsewhere than at `seam`: "leathershoe" is "leather" and "shoe".
    pub(crate) fn falls_apart(&self, items: &[Item], seam: usize) -> bool {
        (2..items.len().saturating_sub(1)).any(|at| {
            at != seam
                && items
                    .split_at_checked(at)
                    .is_some_and(|(left, right)| self.is_word(left) && self.is_word(right))
        })
    }

    /// Whether a word, or several, may end with `items`.
    pub(crate) fn ends(&self, items: &[Item]) -> bool {
        let longest = items.len().min(LONGEST);
        self.is_word(items)
            || (AMID..longest).rev().any(|length| {
                items
                    .get(items.len() - length..)
                    .is_some_and(|end| self.is_word(end))
            })
    }

    /// Whether a word, or several, may begin with `items`.
    pub(crate) fn begins(&self, items: &[Item]) -> bool {
        let longest = items.len().min(LONGEST);
        self.is_word(items)
            || (AMID..longest)
                .rev()
                .any(|length| items.get(..length).is_some_and(|start| self.is_word(start)))
    }
}

pub(crate) fn each_word(mut each: impl FnMut(&str)) {
    let Ok(bytes) = miniz_oxide::inflate::decompress_to_vec_with_limit(WORDS, INFLATED_MAX) else {
        return;
    };
    let mut reader = Reader { bytes: &bytes };
    let mut word = String::new();
    while reader.word(&mut word).is_some() {
        each(&word);
    }
}
