//! Values that machines write and people do not read: UUIDs, hexadecimal, base64, e-mail and web addresses, dates.

use crate::dice::Dice;
use crate::fresh::Words;
use crate::samples::{Group, Sample};

/// So many of each kind.
const OF_A_KIND: usize = 400;

const HEXADECIMAL: &str = "0123456789abcdef";
const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

pub(crate) fn identifiers(words: &Words, dice: &mut Dice) -> Group {
    let mut samples = Vec::new();
    for _ in 0..OF_A_KIND {
        samples.extend([
            Sample::clean(uuid(dice), "uuid"),
            Sample::clean(hexadecimal(dice), "hex"),
            Sample::clean(base64(dice), "base64"),
            Sample::clean(email(words, dice), "e-mail"),
            Sample::clean(url(words, dice), "url"),
            Sample::clean(date(dice), "date"),
        ]);
    }
    Group::of_values("identifiers", samples)
}

fn digits(alphabet: &str, length: usize, dice: &mut Dice) -> String {
    let alphabet: Vec<char> = alphabet.chars().collect();
    (0..length).map(|_| dice.pick(&alphabet)).collect()
}

fn uuid(dice: &mut Dice) -> String {
    let mut part = |length| digits(HEXADECIMAL, length, dice);
    let (time, middle, version) = (part(8), part(4), part(3));
    let (variant, node) = (part(3), part(12));
    let lower = format!("{time}-{middle}-4{version}-a{variant}-{node}");
    if dice.percent(25) {
        lower.to_uppercase()
    } else {
        lower
    }
}

fn hexadecimal(dice: &mut Dice) -> String {
    let length = dice.pick(&[16, 24, 32, 40, 64]);
    digits(HEXADECIMAL, length, dice)
}

fn base64(dice: &mut Dice) -> String {
    let (extra, padding) = dice.pick(&[("-_", ""), ("+/", "="), ("+/", "==")]);
    let length = dice.between(5, 16) * 4 - padding.len();
    digits(&format!("{BASE64}{extra}"), length, dice) + padding
}

/// A word for an address: small, without an apostrophe or an accent.
fn word(from: &[&str], dice: &mut Dice) -> String {
    dice.pick(from)
        .chars()
        .filter(char::is_ascii_alphabetic)
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

fn email(words: &Words, dice: &mut Dice) -> String {
    let between = dice.pick(&[".", "_", "-", "+"]);
    let last = word(&words.surnames, dice);
    let first = word(&words.dictionary, dice);
    let host = word(&words.dictionary, dice);
    format!("{first}{between}{last}@{host}.{}", ending(dice))
}

fn ending(dice: &mut Dice) -> &'static str {
    dice.pick(&["com", "org", "net", "io", "co.uk", "example"])
}

fn url(words: &Words, dice: &mut Dice) -> String {
    let host = word(&words.dictionary, dice);
    let path = word(&words.dictionary, dice);
    let page = word(&words.surnames, dice);
    let query = match dice.below(3) {
        0 => String::new(),
        1 => format!("?id={}", digits(HEXADECIMAL, 12, dice)),
        _ => format!(
            "?v={}#{}",
            digits(BASE64, 11, dice),
            word(&words.dictionary, dice)
        ),
    };
    format!("https://www.{host}.{}/{path}/{page}{query}", ending(dice))
}

fn date(dice: &mut Dice) -> String {
    let day = format!(
        "{}-{:02}-{:02}",
        dice.between(1970, 2035),
        dice.between(1, 12),
        dice.between(1, 28)
    );
    let time = format!(
        "{:02}:{:02}:{:02}",
        dice.below(24),
        dice.below(60),
        dice.below(60)
    );
    match dice.below(4) {
        0 => day,
        1 => format!("{day}T{time}Z"),
        2 => format!("{day}T{time}.{:03}+02:00", dice.below(1000)),
        _ => format!("{day}T{time}-05:30"),
    }
}
