//! Names as players choose them, with a profane word in them and without.

use crate::dice::Dice;
use crate::fresh::Words;
use crate::samples::{Group, Sample};
use crate::tricks::{ALL, capital};

const PROFANE: usize = 1_500;
const BENIGN: usize = 3_000;
/// Of a hundred profane names, so many have one of the short words, which are only profane alone.
const SHORT: usize = 20;

const TAILS: [&str; 8] = ["", "", "", "8", "21", "777", "2025", "_z"];

/// Writes a name, of the word that counts and of another one.
type Form = fn(&str, &str) -> String;

/// Whether the word touches letters of the same case, and the form.
const FORMS: [(bool, Form); 14] = [
    (false, |word, _| word.to_owned()),
    (false, |word, _| format!("iAm{}", capital(word))),
    (false, |word, _| format!("xX{}Xx", capital(word))),
    (false, |word, _| format!("The{}", capital(word))),
    (false, |word, _| format!("{word}_gg")),
    (false, |word, other| format!("{other}_{word}")),
    (false, |word, other| format!("{word}.{other}")),
    (false, |word, other| format!("{other}-{word}")),
    (false, |word, other| {
        format!("{}_{}", other.to_uppercase(), word.to_uppercase())
    }),
    (false, |word, other| capital(other) + &capital(word)),
    (false, |word, other| capital(word) + &capital(other)),
    (false, |word, other| {
        format!("{} {}", capital(word), capital(other))
    }),
    (true, |word, other| format!("{word}{other}")),
    (true, |word, other| format!("{other}{word}")),
];

/// Of a hundred names, so many have digits for letters.
const LEET: usize = 8;

pub(crate) fn player_names(words: &Words, dice: &mut Dice) -> Group {
    let others: Vec<&'static str> = words
        .dictionary
        .iter()
        .chain(&words.surnames)
        .copied()
        .filter(|word| {
            (3..10).contains(&word.len()) && word.chars().all(|c| c.is_ascii_alphabetic())
        })
        .collect();
    let mut samples = Vec::new();
    for _ in 0..PROFANE {
        let short = dice.percent(SHORT);
        let word = dice.pick(if short { &words.short } else { &words.profane });
        let (glued, name) = name(word, dice.pick(&others), dice);
        let kind = match (short, glued) {
            (false, _) => "core",
            (true, false) => "short",
            (true, true) => "short_glued",
        };
        samples.push(Sample::profane(name, kind));
    }
    for _ in 0..BENIGN {
        let (_, name) = name(dice.pick(&others), dice.pick(&others), dice);
        samples.push(Sample::clean(name, "clean"));
    }
    Group::new("names", samples)
}

/// A name, and whether the word is glued to another one in it.
fn name(word: &str, other: &str, dice: &mut Dice) -> (bool, String) {
    let (word, other) = (word.to_lowercase(), other.to_lowercase());
    if dice.percent(LEET)
        && let Some((_, leet)) = ALL.iter().find(|(name, _)| *name == "leet")
        && let Some(written) = leet(&word, dice)
    {
        return (false, written);
    }
    let Some((glued, form)) = FORMS.get(dice.below(FORMS.len())) else {
        return (false, word);
    };
    (*glued, form(&word, &other) + dice.pick(&TAILS))
}
