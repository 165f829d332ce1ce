//! Makes a lexicon of what the lists say: which words, and how bad. Where they count, and what excuses them, is for `place.rs`.
//!
//! An entry is severe where dsojevic grades it 4 or rustrict at 4 and more; moderate where three lists of English (of other languages:
//! one) hold it, or where no dictionary has it and two lists do, or one that is sure of it; mild else. A word of one list only is an entry
//! if no dictionary has it. What is moderate and counts as a whole word only is looked for in its inflections too.
//! `portcullis/en.txt` has the last word: what is too broad, what is milder or worse in use, and what lists leave out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, bail};
use portcullis_profanity::Severity;
use portcullis_profanity::packing::{Pack, Place};

use crate::lists::{Opinion, lines, opinions};
use crate::place::place;

/// What is known about benign words.
pub(crate) struct Benign {
    pub(crate) names: BTreeSet<String>,
    pub(crate) standard: BTreeSet<String>,
    pub(crate) all: BTreeSet<String>,
    /// Words that excuse what they hold, and are too rare to say where an entry may count.
    pub(crate) rare: BTreeSet<String>,
    pub(crate) halves: BTreeSet<String>,
    pub(crate) common: BTreeSet<String>,
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
pub(crate) struct Phrases {
    /// Entries that are as bad in two words as in one.
    pub(crate) apart: BTreeSet<String>,
    /// Entries that stand beside innocent words too.
    pub(crate) everyday: BTreeSet<String>,
}

pub(crate) type Graded = BTreeMap<String, (Severity, u8)>;

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
