//! Makes a lexicon of what the lists say: which words, how bad, where they count, and what excuses them.
//!
//! An entry is severe where dsojevic grades it 4 or rustrict at 4 and more; moderate where three lists of English (of other languages:
//! one) hold it, or where no dictionary has it and two lists do, or one that is sure of it; mild else. A word of one list only is an entry
//! if no dictionary has it. What is moderate and counts as a whole word only is looked for in its inflections too.
//! `portcullis/en.txt` has the last word: what is too broad, what is milder or worse in use, and what lists leave out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, bail};
use portcullis_profanity::Severity;
use portcullis_profanity::packing::{
    Pack, PackedEntry, Place, benign_hash, is_word, pattern, seams,
};

use crate::lists::{Opinion, lines, opinions};

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

/// What is known about benign words.
struct Benign {
    names: BTreeSet<String>,
    standard: BTreeSet<String>,
    all: BTreeSet<String>,
    /// Words that excuse what they hold, and are too rare to say where an entry may count.
    rare: BTreeSet<String>,
    halves: BTreeSet<String>,
    common: BTreeSet<String>,
}

/// The lexicon of `language`, from the lists under `lists`.
pub(crate) fn lexicon(lists: &Path, language: &str) -> anyhow::Result<Pack> {
    let opinions = opinions(lists, language)?;
    let set = |file: &str| {
        anyhow::Ok(
            lines(&lists.join(file))?
                .into_iter()
                .collect::<BTreeSet<String>>(),
        )
    };
    let standard = set("scowl/standard.txt")?;
    let mut all = standard.clone();
    all.extend(set("scowl/large.txt")?);
    let mut names = set("names/names.txt")?;
    names.extend(set("geonames/names.txt")?);
    all.extend(names.iter().cloned());
    let mut benign = Benign {
        names,
        standard,
        all,
        rare: set("scowl/rare.txt")?,
        halves: set("scowl/halves.txt")?,
        common: set("scowl/common.txt")?,
    };
    let judged = lines(&lists.join(format!("portcullis/{language}.txt")))?;
    let tame: BTreeSet<&str> = judged
        .iter()
        .filter_map(|line| line.split_once(' '))
        .filter(|(_, what)| {
            what.split(' ')
                .any(|what| ["mild", "drop", "benign"].contains(&what))
        })
        .map(|(word, _)| word)
        .collect();
    let (mut graded, mut doubtful) = grade(&opinions, &benign, &tame, language == "en");
    let mut excused = Vec::new();
    let (mut places, mut phrases) = (BTreeMap::new(), Phrases::default());
    overrides(
        &judged,
        &mut graded,
        &mut places,
        &mut excused,
        &mut phrases,
    )?;
    doubtful.retain(|word| {
        !judged
            .iter()
            .any(|line| line.split(' ').next() == Some(word))
    });
    // What any list holds excuses nothing.
    let mut profane: BTreeSet<String> = graded
        .iter()
        .filter(|(_, (severity, _))| *severity > Severity::Mild)
        .map(|(word, _)| word.clone())
        .collect();
    profane.extend(opinions.keys().cloned());
    benign.all.extend(excused.iter().cloned());
    benign.standard.extend(excused.iter().cloned());
    let excused: BTreeSet<String> = excused.into_iter().collect();
    Ok(place(
        graded, &places, &doubtful, &phrases, &profane, &benign, &excused,
    ))
}

/// What is known of entries written as two words.
#[derive(Default)]
struct Phrases {
    /// Entries that are as bad in two words as in one.
    apart: BTreeSet<String>,
    /// Entries that stand beside innocent words too.
    everyday: BTreeSet<String>,
}

type Graded = BTreeMap<String, (Severity, u8)>;

/// What is an entry and how bad, and which entries few lists hold; `tame` words make nothing worse that they stand in.
fn grade(
    opinions: &BTreeMap<String, Opinion>,
    benign: &Benign,
    tame: &BTreeSet<&str>,
    english: bool,
) -> (Graded, BTreeSet<String>) {
    let (mut graded, mut doubtful) = (Graded::new(), BTreeSet::new());
    // What most lists agree on: with one of these in it, a word that fewer lists hold is none of chance.
    let is_root = |(word, opinion): &(&String, &Opinion)| {
        word.len() > 3 && opinion.votes > 4 && !tame.contains(word.as_str())
    };
    let roots: Vec<&String> = opinions
        .iter()
        .filter(is_root)
        .map(|(word, _)| word)
        .collect();
    for (word, opinion) in opinions {
        let (votes, known) = (
            opinion.votes,
            benign.all.contains(word)
                || benign.halves.contains(word)
                || benign.common.contains(word),
        );
        // cuss lists words of every day too, and rates them by the use that they are put to.
        let others = votes - usize::from(opinion.rated);
        let rooted = || {
            roots
                .iter()
                .any(|root| word.len() > root.len() && word.contains(root.as_str()))
        };
        let severity = if word.len() < 3 || (votes == 1 && known && !rooted()) {
            continue;
        } else if !english {
            Severity::Moderate
        } else if others >= 2 && (opinion.grade >= 4 || opinion.level >= 4) {
            Severity::Severe
        } else if others >= 3
            || rooted()
            || !known && (votes >= 2 || opinion.sure)
            || opinion.sure && opinion.grade >= 2
            || opinion.grade >= 3
            || opinion.level >= 3
            || others == 2 && opinion.level >= 2
        {
            Severity::Moderate
        } else {
            Severity::Mild
        };
        if english && votes < 3 && !rooted() {
            doubtful.insert(word.clone());
        }
        graded.insert(word.clone(), (severity, opinion.tags));
    }
    (graded, doubtful)
}

/// Applies lines of a word and what is to be done with it: `drop`, `mild`, `moderate`, `severe`, `anywhere`, `whole`, `flanked`, `benign`,
/// `phrase` (its two words, apart, are as bad), `everyday` (makes no phrase of two words bad).
fn overrides(
    judged: &[String],
    graded: &mut Graded,
    places: &mut BTreeMap<String, Place>,
    benign: &mut Vec<String>,
    phrases: &mut Phrases,
) -> anyhow::Result<()> {
    for line in judged {
        let mut columns = line.split_whitespace();
        let word = columns.next().context("a word")?.to_owned();
        for what in columns {
            let severity = match what {
                "mild" => Severity::Mild,
                "moderate" => Severity::Moderate,
                "severe" => Severity::Severe,
                "drop" => {
                    graded.remove(&word);
                    continue;
                }
                "phrase" => {
                    phrases.apart.insert(word.clone());
                    continue;
                }
                "everyday" => {
                    phrases.everyday.insert(word.clone());
                    continue;
                }
                "benign" => {
                    benign.push(word.clone());
                    continue;
                }
                "anywhere" | "whole" | "flanked" => {
                    let place = match what {
                        "anywhere" => Place::Anywhere,
                        "whole" => Place::Whole,
                        _ => Place::Flanked,
                    };
                    places.insert(word.clone(), place);
                    continue;
                }
                _ => bail!("`{what}` of `{word}` is nothing that can be done"),
            };
            graded.entry(word.clone()).or_insert((severity, 1)).0 = severity;
        }
    }
    Ok(())
}

/// Decides where each entry counts, and what excuses it.
fn place(
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

/// How letters differ that have the same pattern.
#[derive(Clone, Copy, Default)]
struct Likeness {
    /// A letter stands twice where the entry has it once.
    stretched: bool,
    /// An `l` stands for an `i`, or the other way round.
    swapped: bool,
}

/// A word as its runs of one class: how many letters, and whether `l` and `i` are among them.
struct Runs(Vec<(usize, bool, bool)>);

impl Runs {
    fn of(word: &str) -> Self {
        let mut runs: Vec<(usize, bool, bool)> = Vec::new();
        let mut before = Vec::new();
        for letter in word.bytes() {
            let class = pattern(char::from(letter).encode_utf8(&mut [0; 4]));
            if class != before || runs.is_empty() {
                runs.push((0, false, false));
                before = class;
            }
            if let Some((count, l, i)) = runs.last_mut() {
                *count += 1;
                *l |= letter == b'l';
                *i |= letter == b'i';
            }
        }
        Self(runs)
    }

    /// How the runs from `from` on are like `entry`; `None` if a letter stands in `entry` more often.
    fn likeness(&self, from: usize, entry: &Self) -> Option<Likeness> {
        let mut likeness = Likeness::default();
        for (at, ((count, l, i), (wanted, wanted_l, wanted_i))) in
            self.0.iter().skip(from).zip(&entry.0).enumerate()
        {
            if count < wanted {
                return None;
            }
            // At the edges a longer run may belong to what stands beside.
            let edge = at == 0 && from > 0
                || at + 1 == entry.0.len() && from + entry.0.len() < self.0.len();
            likeness.stretched |= count > wanted && !edge;
            likeness.swapped |= (l, i) != (wanted_l, wanted_i);
        }
        Some(likeness)
    }
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
