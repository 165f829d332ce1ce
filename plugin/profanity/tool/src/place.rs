//! Where entries count, by what dictionaries and names hold them, and what of these excuses them.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_profanity::Severity;
use portcullis_profanity::packing::{
    Pack, PackedEntry, Place, benign_hash, is_word, pattern, seams,
};

use crate::grade::{Benign, Graded, Phrases};
use crate::likeness::{Likeness, Runs};

/// So many words of a standard dictionary may hold an entry that counts inside words.
const COLLISIONS: usize = 60;

/// And so many rare words and names.
const RARE_COLLISIONS: usize = 90;

/// Letters of the longest entry that counts beside other words though it is too short to count inside any.
const GLUED: usize = 4;

/// What makes a word out of a profane one that is none the better.
const ENDINGS: [&str; 18] = [
    "ly", "s", "es", "ed", "d", "er", "ers", "ing", "ings", "in", "y", "ies", "ier", "iest", "ish",
    "ness", "able", "like",
];

/// Decides where each entry counts, and what excuses it.
pub(crate) fn place(
    graded: Graded,
    places: &BTreeMap<String, Place>,
    doubtful: &BTreeSet<String>,
    phrases: &Phrases,
    profane: &BTreeSet<String>,
    benign: &Benign,
    excused: &BTreeSet<String>,
) -> Pack {
    let patterns: Vec<(Vec<u8>, &String)> = benign
        .all
        .union(&benign.rare)
        .map(|word| (pattern(word), word))
        .collect();
    let spelled: BTreeSet<Vec<u8>> = graded.keys().map(|word| pattern(word)).collect();
    let clean = |word: &str| !is_profane(word, profane);
    let mut held: BTreeMap<&String, Held<'_>> =
        graded.keys().map(|word| (word, Held::default())).collect();
    let by_pattern: BTreeMap<Vec<u8>, Vec<&String>> =
        graded.keys().fold(BTreeMap::new(), |mut map, word| {
            map.entry(pattern(word)).or_default().push(word);
            map
        });
    for (pattern, word) in &patterns {
        if !excused.contains(*word) && !benign.names.contains(*word) && !clean(word) {
            continue;
        }
        let runs = Runs::of(word);
        for from in 0..pattern.len() {
            for to in from + 2..=pattern.len().min(from + 30) {
                for entry in pattern
                    .get(from..to)
                    .and_then(|held| by_pattern.get(held))
                    .into_iter()
                    .flatten()
                {
                    let entry: &String = entry;
                    let whole = to - from == pattern.len();
                    if whole && *word == entry {
                        continue;
                    }
                    if let (Some(held), Some(likeness)) =
                        (held.get_mut(entry), runs.likeness(from, &Runs::of(entry)))
                    {
                        let made = !whole
                            && !excused.contains(*word)
                            && !benign.names.contains(*word)
                            && derived(word, entry, &benign.common)
                            && !is_plural(word, entry, &graded, benign);
                        held.words.push(Holder {
                            word,
                            likeness,
                            whole,
                            edge: from == 0 || to == pattern.len(),
                            made,
                        });
                    }
                }
            }
        }
    }
    // Some lists spell words without their repeats.
    let half_patterns: BTreeSet<Vec<u8>> = benign.halves.iter().map(|half| pattern(half)).collect();
    let mut pack = Pack::default();
    let (mut inside, mut whole_words) = (BTreeSet::new(), BTreeSet::new());
    for (word, &(severity, tags)) in &graded {
        let held = held
            .get(word)
            .map(|held| held.words.as_slice())
            .unwrap_or_default();
        let is_standard =
            |holder: &str| benign.standard.contains(holder) || excused.contains(holder);
        let counts = |holder: &Holder<'_>| holder.whole || is_standard(holder.word) && !holder.made;
        let exact = held
            .iter()
            .any(|holder| holder.likeness.stretched && counts(holder));
        let strict = word.len() < 4
            || held
                .iter()
                .any(|holder| holder.likeness.swapped && counts(holder));
        let alike = |holder: &&Holder<'_>| {
            !(holder.whole
                || exact && holder.likeness.stretched
                || strict && holder.likeness.swapped)
        };
        let held: Vec<&Holder<'_>> = held.iter().filter(alike).collect();
        let standard = held
            .iter()
            .filter(|holder| is_standard(holder.word) && !holder.made)
            .count();
        let rare = held
            .iter()
            .filter(|holder| {
                !is_standard(holder.word) && !holder.made && benign.all.contains(holder.word)
            })
            .count();
        let place = places.get(word).copied().unwrap_or(match word.len() {
            length if doubtful.contains(word) && length < 6 => Place::Whole,
            _ if doubtful.contains(word) && standard + rare > 0 => Place::Flanked,
            ..4 => Place::Whole,
            5.. if standard < 10 && rare <= 20 && standard.max(rare) > 2 => Place::Beside,
            4 if standard <= 2 && rare <= 12 => Place::Beside,
            _ if standard > COLLISIONS || rare > RARE_COLLISIONS => Place::Whole,
            5 if standard + rare == 0 => Place::Anywhere,
            6.. if standard <= 2 && rare <= 2 => Place::Anywhere,
            _ => Place::Flanked,
        });
        let glued = place == Place::Whole
            && severity > Severity::Mild
            && (3..=GLUED).contains(&word.len())
            && !doubtful.contains(word)
            && !places.contains_key(word);
        for holder in &held {
            let standard = is_standard(holder.word);
            if place == Place::Whole {
                let hides = || {
                    let rests = [
                        holder.word.strip_prefix(word.as_str()),
                        holder.word.strip_suffix(word.as_str()),
                    ];
                    glued && rests.into_iter().flatten().any(is_word)
                };
                if holder.edge && standard || benign.common.contains(holder.word) || hides() {
                    whole_words.insert(holder.word.clone());
                }
            } else if holder.made {
                continue;
            } else if standard {
                inside.insert(holder.word.clone());
            } else {
                whole_words.insert(holder.word.clone());
            }
        }
        let is_half = |half: &str| {
            benign.halves.contains(half)
                || doubtful.contains(word)
                    && half.len() > 4
                    && half_patterns.contains(&pattern(half))
        };
        let seams = if phrases.apart.contains(word) {
            0
        } else {
            seams(word, is_half) & !coarse_seams(word, &graded, phrases)
        };
        pack.entries.push(PackedEntry {
            word: word.clone(),
            place,
            severity,
            glued,
            exact,
            strict,
            tags,
            seams,
        });
    }
    inside.retain(|word| !spelled.contains(&pattern(word)));
    whole_words.retain(|word| !spelled.contains(&pattern(word)));
    let hashes: BTreeSet<u32> = whole_words
        .iter()
        .chain(&inside)
        .map(|word| benign_hash(word))
        .collect();
    let forbidden: BTreeSet<u32> = graded.keys().map(|word| benign_hash(word)).collect();
    pack.allow = inside.into_iter().collect();
    pack.benign = hashes.difference(&forbidden).copied().collect();
    pack
}

/// Where `word` falls into two words of which one is coarse enough to be an entry, so that it is none the better for a space between them;
/// what is worse than mild is found by itself.
fn coarse_seams(word: &str, graded: &Graded, phrases: &Phrases) -> u32 {
    let is_coarse = |half: &str| {
        graded.get(half).map(|(severity, _)| *severity) == Some(Severity::Mild)
            && !phrases.everyday.contains(half)
    };
    (3..word.len().saturating_sub(2))
        .filter_map(|at| word.split_at_checked(at))
        .filter(|(left, right)| is_coarse(left) || is_coarse(right))
        .filter_map(|(left, _)| 1u32.checked_shl(u32::try_from(pattern(left).len()).ok()?))
        .fold(0, |seams, seam| seams | seam)
}

/// The benign words that hold an entry.
#[derive(Default)]
struct Held<'a> {
    words: Vec<Holder<'a>>,
}

/// A benign word that holds an entry.
struct Holder<'a> {
    word: &'a String,
    likeness: Likeness,
    /// The entry is all of it.
    whole: bool,
    /// The entry begins or ends it.
    edge: bool,
    /// It is made of the entry and another word, and no better for it where the entry counts inside words.
    made: bool,
}

/// Whether `word` is profane itself: an entry that more than one list has, or made of one.
fn is_profane(word: &str, profane: &BTreeSet<String>) -> bool {
    profane.contains(word)
        || ENDINGS
            .iter()
            .filter_map(|ending| word.strip_suffix(ending))
            .any(|stem| {
                stem.len() > 3
                    && (profane.contains(stem)
                        || undoubled(stem).is_some_and(|stem| profane.contains(stem)))
            })
}

/// Whether `word` is the plural of a benign word that ends with the singular of `entry`, which is too short to count inside words.
fn is_plural(word: &str, entry: &str, graded: &Graded, benign: &Benign) -> bool {
    let singular = (entry.strip_suffix('s'), word.strip_suffix('s'));
    matches!(singular, (Some(entry), Some(word)) if entry.len() < 5 && graded.contains_key(entry) && benign.all.contains(word))
}

fn undoubled(stem: &str) -> Option<&str> {
    let bytes = stem.as_bytes();
    let double = bytes.last() == bytes.iter().rev().nth(1);
    double.then(|| stem.get(..stem.len() - 1)).flatten()
}

/// Whether `word` is `entry` and another word, or an ending, rather than one that holds its letters by chance.
fn derived(word: &str, entry: &str, common: &BTreeSet<String>) -> bool {
    if entry.len() < 4 {
        return false;
    }
    let meant = |rest: &str| rest.len() > 3 && common.contains(rest);
    word.strip_prefix(entry)
        .is_some_and(|rest| ENDINGS.contains(&rest) || meant(rest))
        || word.strip_suffix(entry).is_some_and(meant)
}
