//! Makes a lexicon of what the lists say: which words, how bad, where they count, and what excuses them.
//!
//! An entry is severe where dsojevic grades it 4 or rustrict at 4 and more; moderate where three lists of English (of other languages:
//! one) hold it, or two that do not take it for a benign word; mild else. A word of one list only is an entry if no dictionary has it.
//! `portcullis/en.txt` has the last word: what is too broad, what is milder or worse in use, and what lists leave out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, bail};
use portcullis_profanity::Severity;
use portcullis_profanity::packing::{Pack, PackedEntry, Place, benign_hash, pattern, seams};

use crate::lists::{Opinion, lines, opinions};

/// So many benign words may stand in the way of an entry that counts anywhere.
const COLLISIONS: usize = 45;
/// What makes a word out of a profane one that is none the better.
const ENDINGS: [&str; 17] = [
    "s", "es", "ed", "d", "er", "ers", "ing", "ings", "in", "y", "ies", "ier", "iest", "ish",
    "ness", "able", "like",
];

/// What is known about benign words.
struct Benign {
    standard: BTreeSet<String>,
    all: BTreeSet<String>,
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
    for file in ["scowl/large.txt", "names/names.txt", "geonames/names.txt"] {
        all.extend(set(file)?);
    }
    let mut benign = Benign {
        standard,
        all,
        halves: set("scowl/halves.txt")?,
        common: set("scowl/common.txt")?,
    };
    let mut graded = grade(&opinions, &benign, language == "en");
    let mut excused = Vec::new();
    let mut places = BTreeMap::new();
    overrides(
        &lists.join(format!("portcullis/{language}.txt")),
        &mut graded,
        &mut places,
        &mut excused,
    )?;
    let profane: BTreeSet<String> = graded
        .iter()
        .filter(|(_, (severity, _))| *severity > Severity::Mild)
        .map(|(word, _)| word.clone())
        .collect();
    benign.all.extend(excused.iter().cloned());
    benign.standard.extend(excused.iter().cloned());
    let excused: BTreeSet<String> = excused.into_iter().collect();
    Ok(place(graded, &places, &profane, &benign, &excused))
}

type Graded = BTreeMap<String, (Severity, u8)>;

fn grade(opinions: &BTreeMap<String, Opinion>, benign: &Benign, english: bool) -> Graded {
    let mut graded = Graded::new();
    for (word, opinion) in opinions {
        let (votes, known) = (
            opinion.lists.len(),
            benign.all.contains(word)
                || benign.halves.contains(word)
                || benign.common.contains(word),
        );
        let severity = if word.len() < 3 || (votes == 1 && known) {
            continue;
        } else if !english {
            Severity::Moderate
        } else if votes >= 2 && (opinion.grade >= 4 || opinion.level >= 4) {
            Severity::Severe
        } else if votes >= 3
            || (votes == 2 && !known)
            || opinion.grade >= 3
            || opinion.level >= 3
            || votes == 2 && opinion.level >= 2
        {
            Severity::Moderate
        } else {
            Severity::Mild
        };
        graded.insert(word.clone(), (severity, opinion.tags));
    }
    graded
}

/// Applies lines of a word and what is to be done with it: `drop`, `mild`, `moderate`, `severe`, `anywhere`, `whole`, `prefix`, `benign`.
fn overrides(
    path: &Path,
    graded: &mut Graded,
    places: &mut BTreeMap<String, Place>,
    benign: &mut Vec<String>,
) -> anyhow::Result<()> {
    for line in lines(path)? {
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
                "benign" => {
                    benign.push(word.clone());
                    continue;
                }
                "anywhere" | "whole" | "prefix" => {
                    let place = match what {
                        "anywhere" => Place::Anywhere,
                        "whole" => Place::Whole,
                        _ => Place::Prefix,
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
    profane: &BTreeSet<String>,
    benign: &Benign,
    excused: &BTreeSet<String>,
) -> Pack {
    let patterns: Vec<(Vec<u8>, &String)> = benign
        .all
        .iter()
        .map(|word| (pattern(word), word))
        .collect();
    let spelled: BTreeSet<Vec<u8>> = graded.keys().map(|word| pattern(word)).collect();
    let clean = |word: &str| !is_profane(word, profane);
    let mut holders: BTreeMap<&String, Vec<&String>> =
        graded.keys().map(|word| (word, Vec::new())).collect();
    let mut twins: BTreeSet<&String> = BTreeSet::new();
    let by_pattern: BTreeMap<Vec<u8>, Vec<&String>> =
        graded.keys().fold(BTreeMap::new(), |mut map, word| {
            map.entry(pattern(word)).or_default().push(word);
            map
        });
    let mut excuse_whole = BTreeSet::new();
    for (pattern, word) in &patterns {
        if !excused.contains(*word) && !clean(word) {
            continue;
        }
        for from in 0..pattern.len() {
            for to in from + 2..=pattern.len().min(from + 30) {
                for entry in pattern
                    .get(from..to)
                    .and_then(|held| by_pattern.get(held))
                    .into_iter()
                    .flatten()
                {
                    let entry: &String = entry;
                    if to - from == pattern.len() {
                        if *word != entry {
                            twins.insert(entry);
                        }
                    } else if excused.contains(*word) || !derived(word, entry, &benign.common) {
                        if let Some(holders) = holders.get_mut(entry) {
                            holders.push(word);
                        }
                        excuse_whole.insert((*word).clone());
                    }
                }
            }
        }
    }
    let mut pack = Pack::default();
    let mut inside = BTreeSet::new();
    for (word, &(severity, tags)) in &graded {
        let held = holders.get(word).map(Vec::as_slice).unwrap_or_default();
        let standard = held
            .iter()
            .filter(|holder| benign.standard.contains(**holder))
            .count();
        let room = if word.len() > 4 {
            COLLISIONS
        } else {
            COLLISIONS / 2
        };
        let place = places.get(word).copied().unwrap_or(
            if word.len() > 3 && standard <= room && held.len() <= room * 8 {
                Place::Anywhere
            } else {
                Place::Whole
            },
        );
        if place != Place::Whole {
            inside.extend(
                held.iter()
                    .filter(|holder| benign.standard.contains(**holder))
                    .map(|holder| (*holder).clone()),
            );
        }
        let exact = twins.contains(word);
        let seams = seams(word, |half| benign.halves.contains(half));
        pack.entries.push(PackedEntry {
            word: word.clone(),
            place,
            severity,
            exact,
            strict: exact || word.len() < 4,
            tags,
            seams,
        });
    }
    excuse_whole.retain(|word| !spelled.contains(&pattern(word)) && !inside.contains(word));
    inside.retain(|word| !spelled.contains(&pattern(word)));
    let hashes: BTreeSet<u32> = excuse_whole
        .iter()
        .chain(&inside)
        .map(|word| benign_hash(word))
        .collect();
    let forbidden: BTreeSet<u32> = graded.keys().map(|word| benign_hash(word)).collect();
    pack.allow = inside.into_iter().collect();
    pack.benign = hashes.difference(&forbidden).copied().collect();
    pack
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
