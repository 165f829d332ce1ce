//! What people do to a word so that a filter does not know it, and a reader still does.

use crate::dice::Dice;

/// One trick: the word so disguised, or `None` if it leaves the word as it is.
pub(crate) type Trick = fn(&str, &mut Dice) -> Option<String>;

/// All, by the name that the tables show. The first changes nothing.
pub(crate) const ALL: [(&str, Trick); 21] = [
    ("plain", |word, _| Some(word.to_owned())),
    ("mixed_case", mixed_case),
    ("leet", |word, dice| substitute(word, LEET, 100, dice)),
    ("leet_light", leet_light),
    ("space_each", |word, _| Some(between_all(word, ' '))),
    ("sep_each", |word, dice| {
        Some(between_all(word, dice.pick(&SEPARATORS)))
    }),
    ("mid_sep", |word, dice| {
        split(word, dice.pick(&MIDDLE), dice)
    }),
    ("mid_space", |word, dice| split(word, ' ', dice)),
    ("repeat_one", repeat_one),
    ("double_all", |word, _| {
        Some(word.chars().flat_map(|letter| [letter; 2]).collect())
    }),
    ("zero_width", zero_width),
    ("homoglyph", |word, dice| {
        substitute(word, HOMOGLYPHS, 65, dice)
    }),
    ("styled_unicode", styled),
    ("small_caps", |word, dice| {
        substitute(word, SMALL_CAPS, 100, dice)
    }),
    ("diacritic", |word, dice| {
        substitute(word, DIACRITICS, 70, dice)
    }),
    ("zalgo", |word, dice| Some(zalgo(word, dice))),
    ("star_vowel", star_vowel),
    ("concat", |word, dice| {
        Some(format!("{}{word}{}", dice.pick(&BEFORE), dice.pick(&AFTER)))
    }),
    ("camel", camel),
    ("rlo_reverse", |word, _| {
        let backwards: String = word.chars().rev().collect();
        Some(format!("\u{202e}{backwards}\u{202c}"))
    }),
    ("mixed2", two),
];

const SEPARATORS: [char; 7] = ['.', '/', '_', '-', '|', '~', '*'];
const MIDDLE: [char; 4] = ['-', '.', '_', '*'];
const INVISIBLE: [char; 8] = [
    '\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}', '\u{ad}', '\u{34f}', '\u{180e}',
];
const BEFORE: [&str; 7] = ["neo", "sir", "hyper", "old", "mini", "our", "lil"];
const AFTER: [&str; 7] = ["guy", "boss", "king", "zone", "99", "fan", "team"];

/// A letter, and what stands in for it.
type Table = &'static [(char, &'static str)];

const LEET: Table = &[
    ('a', "4@"),
    ('b', "8"),
    ('e', "3"),
    ('g', "9"),
    ('i', "1!"),
    ('l', "1"),
    ('o', "0"),
    ('s', "$5"),
    ('t', "+7"),
];

const HOMOGLYPHS: Table = &[
    ('a', "ɑαа"),
    ('b', "ƅЬ"),
    ('c', "ϲсⅽ"),
    ('d', "ԁⅾ"),
    ('e', "еҽ℮"),
    ('f', "ƒ"),
    ('g', "ցɡ"),
    ('h', "հһ"),
    ('i', "іιⅰ"),
    ('j', "ј"),
    ('k', "кκ"),
    ('l', "ⅼӏ"),
    ('m', "мⅿ"),
    ('n', "пո"),
    ('o', "οօо"),
    ('p', "ρр"),
    ('q', "ԛ"),
    ('r', "ᴦг"),
    ('s', "ꜱѕ"),
    ('t', "τт"),
    ('u', "υս"),
    ('v', "ѵν"),
    ('w', "ԝѡ"),
    ('x', "х"),
    ('y', "у"),
    ('z', "ᴢ"),
];

const SMALL_CAPS: Table = &[
    ('a', "ᴀ"),
    ('b', "ʙ"),
    ('c', "ᴄ"),
    ('d', "ᴅ"),
    ('e', "ᴇ"),
    ('f', "ꜰ"),
    ('g', "ɢ"),
    ('h', "ʜ"),
    ('i', "ɪ"),
    ('j', "ᴊ"),
    ('k', "ᴋ"),
    ('l', "ʟ"),
    ('m', "ᴍ"),
    ('n', "ɴ"),
    ('o', "ᴏ"),
    ('p', "ᴘ"),
    ('r', "ʀ"),
    ('t', "ᴛ"),
    ('u', "ᴜ"),
    ('v', "ᴠ"),
    ('w', "ᴡ"),
    ('z', "ᴢ"),
];

const DIACRITICS: Table = &[
    ('a', "ãåáàâäă"),
    ('c', "ćçč"),
    ('d', "ďđ"),
    ('e', "êèëéę"),
    ('g', "ğġ"),
    ('h', "ĥ"),
    ('i', "íìîï"),
    ('k', "ķ"),
    ('l', "ĺľ"),
    ('n', "ñň"),
    ('o', "øõóöôò"),
    ('r', "řŕ"),
    ('s', "śš"),
    ('t', "ţť"),
    ('u', "üùúûů"),
    ('w', "ŵ"),
    ('y', "ýÿ"),
    ('z', "žż"),
];

/// Alphabets of their own in Unicode, from their letter `a`. None has a hole.
const ALPHABETS: [char; 12] = ['𝐚', '𝒂', '𝓪', '𝔞', '𝕒', '𝖆', '𝖺', '𝗮', '𝚊', 'ⓐ', 'ａ', '🄰'];

fn letters(word: &str) -> Vec<char> {
    word.chars().collect()
}

fn stand_in(table: Table, letter: char, dice: &mut Dice) -> Option<char> {
    let (_, choice) = table.iter().find(|(of, _)| *of == letter)?;
    Some(dice.pick(&letters(choice)))
}

/// So many of a hundred letters by what stands in for them; at least one.
fn substitute(word: &str, table: Table, percent: usize, dice: &mut Dice) -> Option<String> {
    let sure = pick_letter(word, dice, |letter| {
        table.iter().any(|(of, _)| *of == letter)
    })?;
    let replaced = word.chars().enumerate().map(|(at, letter)| {
        if at == sure || dice.percent(percent) {
            stand_in(table, letter, dice).unwrap_or(letter)
        } else {
            letter
        }
    });
    Some(replaced.collect())
}

/// Where one of the letters that fit is.
fn pick_letter(word: &str, dice: &mut Dice, fits: impl Fn(char) -> bool) -> Option<usize> {
    let places: Vec<usize> = word
        .chars()
        .enumerate()
        .filter(|(_, letter)| fits(*letter))
        .map(|(at, _)| at)
        .collect();
    (!places.is_empty()).then(|| dice.pick(&places))
}

fn mixed_case(word: &str, dice: &mut Dice) -> Option<String> {
    let mixed: String = word
        .chars()
        .map(|letter| {
            if dice.percent(50) {
                letter.to_ascii_uppercase()
            } else {
                letter
            }
        })
        .collect();
    (mixed != word).then_some(mixed)
}

/// One or two letters.
fn leet_light(word: &str, dice: &mut Dice) -> Option<String> {
    let mut written = letters(word);
    for _ in 0..dice.between(1, 2) {
        let at = pick_letter(word, dice, |letter| {
            LEET.iter().any(|(of, _)| *of == letter)
        })?;
        let place = written.get_mut(at)?;
        *place = stand_in(LEET, *place, dice).unwrap_or(*place);
    }
    Some(written.into_iter().collect())
}

fn between_all(word: &str, separator: char) -> String {
    let mut written = String::new();
    for letter in word.chars() {
        if !written.is_empty() {
            written.push(separator);
        }
        written.push(letter);
    }
    written
}

/// The separator at one place inside.
fn split(word: &str, separator: char, dice: &mut Dice) -> Option<String> {
    let mut written = letters(word);
    let last = written.len().checked_sub(1).filter(|last| *last > 0)?;
    written.insert(dice.between(1, last), separator);
    Some(written.into_iter().collect())
}

fn repeat_one(word: &str, dice: &mut Dice) -> Option<String> {
    let at = dice.below(word.chars().count());
    let more = dice.between(2, 5);
    let mut written = letters(word);
    let letter = *written.get(at)?;
    written.splice(at..at, std::iter::repeat_n(letter, more));
    Some(written.into_iter().collect())
}

fn zero_width(word: &str, dice: &mut Dice) -> Option<String> {
    let invisible = dice.pick(&INVISIBLE);
    if dice.percent(50) {
        Some(between_all(word, invisible))
    } else {
        split(word, invisible, dice)
    }
}

fn styled(word: &str, dice: &mut Dice) -> Option<String> {
    let first = u32::from(dice.pick(&ALPHABETS));
    word.chars()
        .map(|letter| {
            let place = u32::from(letter).checked_sub(u32::from('a'))?;
            char::from_u32(first + place)
        })
        .collect()
}

fn zalgo(word: &str, dice: &mut Dice) -> String {
    let mut written = String::new();
    for letter in word.chars() {
        written.push(letter);
        for _ in 0..dice.between(2, 4) {
            let mark = 0x300 + dice.below(0x70);
            written.extend(u32::try_from(mark).ok().and_then(char::from_u32));
        }
    }
    written
}

fn star_vowel(word: &str, dice: &mut Dice) -> Option<String> {
    let rest = word.get(1..)?;
    let at = pick_letter(rest, dice, |letter| "aeiou".contains(letter))?;
    let mut written = letters(word);
    *written.get_mut(at + 1)? = '*';
    Some(written.into_iter().collect())
}

/// With a large first letter.
pub(crate) fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

fn camel(word: &str, dice: &mut Dice) -> Option<String> {
    let before = capital(dice.pick(&BEFORE));
    let after = capital(dice.pick(&AFTER));
    Some(format!("{before}{}{after}", capital(word)))
}

/// One trick on the letters, and another on those or on the gaps.
fn two(word: &str, dice: &mut Dice) -> Option<String> {
    const FIRST: [&str; 5] = ["leet", "homoglyph", "diacritic", "repeat_one", "leet_light"];
    const THEN: [&str; 5] = [
        "mixed_case",
        "zero_width",
        "sep_each",
        "space_each",
        "repeat_one",
    ];
    let once = named(dice.pick(&FIRST))?(word, dice)?;
    let twice = named(dice.pick(&THEN))?(&once, dice)?;
    Some(twice)
}

fn named(name: &str) -> Option<Trick> {
    let (_, trick) = ALL.iter().find(|(of, _)| *of == name)?;
    Some(*trick)
}
