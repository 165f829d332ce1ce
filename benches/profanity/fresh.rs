//! Sets that the matcher was not tuned on: other words, other carriers, the same tricks; from a fixed seed.

use crate::dice::Dice;
use crate::identifiers::identifiers;
use crate::player_names::player_names;
use crate::samples::{Group, Sample, Sets};
use crate::tricks;

macro_rules! fresh {
    ($file:literal) => {
        crate::samples::lines(include_str!(concat!("fresh/", $file)))
    };
}

const SEED: u64 = 7_301_994;
/// So many texts of each trick.
const PROFANE_OF_A_KIND: usize = 100;
const BENIGN_OF_A_KIND: usize = 60;
/// So many pairs of words.
const JOINS: usize = 300;
/// Of a hundred texts, so many are the word alone, without a sentence around.
const ALONE: usize = 30;

/// The words that the sets are made of.
pub(crate) struct Words {
    pub(crate) profane: Vec<&'static str>,
    pub(crate) short: Vec<&'static str>,
    pub(crate) dictionary: Vec<&'static str>,
    pub(crate) surnames: Vec<&'static str>,
}

/// Makes them: the same ones each time.
pub(crate) fn sets() -> Sets {
    let words = Words {
        profane: fresh!("profane.txt"),
        short: fresh!("profane_short.txt"),
        dictionary: fresh!("dictionary.txt"),
        surnames: fresh!("surnames.txt"),
    };
    // A generator each, so that a change of one set leaves the others.
    let dice = |of: u64| Dice::new(SEED + of);
    Sets {
        evasions: evasions(&words.profane, &mut dice(1)),
        styled: styled(&fresh!("benign.txt"), &mut dice(2)),
        names: player_names(&words, &mut dice(3)),
        clean: vec![
            clean("dictionary", &words.dictionary),
            clean("rare words", &fresh!("rare.txt")),
            clean("surnames", &words.surnames),
            clean("world names", &fresh!("world_names.txt")),
            identifiers(&words, &mut dice(4)),
            hard_negatives(),
            joins(&fresh!("common.txt"), &mut dice(5)),
        ],
        disputed: None,
    }
}

fn clean(name: &'static str, texts: &[&str]) -> Group {
    let samples = texts
        .iter()
        .map(|text| Sample::clean(*text, name))
        .collect();
    Group::new(name, samples)
}

/// The word in a sentence, or alone.
fn carried(word: &str, dice: &mut Dice) -> String {
    if dice.percent(ALONE) {
        word.to_owned()
    } else {
        dice.pick(&fresh!("carriers.txt")).replace("{}", word)
    }
}

fn evasions(words: &[&'static str], dice: &mut Dice) -> Group {
    let mut samples = Vec::new();
    for (kind, trick) in tricks::ALL {
        let mut made = 0;
        while made < PROFANE_OF_A_KIND {
            let word = dice.pick(words);
            if let Some(disguised) = trick(word, dice) {
                samples.push(Sample::profane(carried(&disguised, dice), kind).of(word));
                made += 1;
            }
        }
    }
    Group::new("evasion", samples)
}

fn styled(words: &[&'static str], dice: &mut Dice) -> Group {
    let pieces = fresh!("benign_pieces.txt");
    let mut samples = Vec::new();
    for (kind, trick) in tricks::ALL {
        // With a star in the place of a vowel a word may be another, and undisguised it is in the other sets.
        if matches!(kind, "plain" | "star_vowel") {
            continue;
        }
        let mut made = 0;
        while made < BENIGN_OF_A_KIND {
            let Some(disguised) = trick(dice.pick(words), dice) else {
                continue;
            };
            // Cut so that a profane word stands there alone, it is not benign.
            if disguised
                .split(|letter: char| !letter.is_ascii_alphabetic())
                .any(|piece| pieces.contains(&piece))
            {
                continue;
            }
            samples.push(Sample::clean(carried(&disguised, dice), kind));
            made += 1;
        }
    }
    Group::new("styled", samples)
}

fn hard_negatives() -> Group {
    let written = fresh!("hard_negatives.txt")
        .into_iter()
        .filter_map(|line| line.split_once('\t'))
        .map(|(kind, text)| Sample::clean(text, kind));
    let drawn = fresh!("lookalikes.txt")
        .into_iter()
        .map(|word| Sample::clean(word, "word"));
    Group::new("hard negatives", written.chain(drawn).collect())
}

/// Pairs of words of which the end of one and the start of the other are a profane word.
fn joins(common: &[&'static str], dice: &mut Dice) -> Group {
    let mut pairs: Vec<(&str, &str, &str)> = Vec::new();
    let hidden = fresh!("profane_joined.txt");
    let cuts = hidden.iter().flat_map(|word| {
        (1..word.len()).filter_map(move |at| Some((*word, word.get(..at)?, word.get(at..)?)))
    });
    for (word, head, tail) in cuts {
        let first: Vec<&str> = ending(common, head, |word| word.ends_with(head));
        let second: Vec<&str> = ending(common, tail, |word| word.starts_with(tail));
        for _ in 0..(first.len() * second.len()).min(PAIRS_OF_A_CUT) {
            let pair = (word, dice.pick(&first), dice.pick(&second));
            if !pairs.contains(&pair) {
                pairs.push(pair);
            }
        }
    }
    let mut samples = Vec::new();
    while samples.len() < JOINS && !pairs.is_empty() {
        let (word, first, second) = pairs.swap_remove(dice.below(pairs.len()));
        samples.push(Sample::clean(format!("{first} {second}"), word));
    }
    Group::new("joins", samples)
}

const PAIRS_OF_A_CUT: usize = 40;

/// The words that fit and are more than the piece itself: two pieces side by side would be a trick, and no accident.
fn ending<'w>(common: &[&'w str], piece: &str, fits: impl Fn(&str) -> bool) -> Vec<&'w str> {
    common
        .iter()
        .copied()
        .filter(|word| *word != piece && fits(word))
        .collect()
}
