//! Whether letters of a text spell an entry, repeats counted.

use crate::item::{I, Item, class_of, mark};

/// How strictly the letters are compared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Strictness {
    /// A letter may not be said twice where the entry has it once.
    pub(crate) exact: bool,
    /// An `l` never stands for an `i`, nor the other way round.
    pub(crate) strict: bool,
}

/// Whether `items`, all of them, spell `word` (a to z): the same letters in the same order, each at least as often as in `word`, so that
/// "as" never spells "ass".
pub(crate) fn spells(items: &[Item], word: &str, how: Strictness) -> bool {
    let mut letters = word.bytes().peekable();
    let mut rest = items.iter().peekable();
    // A whole word doubled letter for letter is a disguise even where one doubled letter is not.
    let doubled = how.exact && items.iter().all(|item| item.run > 1);
    while let Some(first) = letters.next() {
        let Some(class) = class_of(first) else {
            return false;
        };
        let (mut needed, mut marks) = (1u32, not(first));
        while let Some(next) = letters.next_if(|&next| class_of(next) == Some(class)) {
            needed += 1;
            marks |= not(next);
        }
        let (mut run, mut seen) = (0u32, 0);
        while let Some(item) = rest.next_if(|item| item.class == class) {
            run += u32::from(item.run);
            seen |= item.marks;
        }
        if run < needed || (how.exact && run > needed && run < 3 && !doubled) {
            return false;
        }
        if class == I && !same_line(marks, seen, how.strict || word.len() < 4) {
            return false;
        }
    }
    rest.peek().is_none()
}

/// Whether letters of the class of `i` and `l` may be the wanted ones.
fn same_line(wanted: u8, marks: u8, strict: bool) -> bool {
    const EITHER: u8 = mark::NOT_I | mark::NOT_L;
    match (wanted & EITHER, marks & EITHER) {
        (_, 0) => true,
        (wanted, seen) if wanted == seen => true,
        // "il" and "li" need one of each, unless a sign or digit may be either.
        (EITHER, _) => marks & (mark::DIGIT | mark::SYMBOL | mark::FOREIGN) != 0,
        _ => !strict,
    }
}

fn not(letter: u8) -> u8 {
    match letter {
        b'l' => mark::NOT_I,
        b'i' => mark::NOT_L,
        _ => 0,
    }
}

/// Whether enough of `items` are letters for the digits among them to be letters in disguise.
pub(crate) fn letters_lead(items: &[Item]) -> bool {
    let (mut letters, mut symbols, mut digits) = (0u32, 0u32, 0u32);
    for item in items {
        let run = u32::from(item.run);
        if item.is(mark::LETTER) {
            letters += run;
        } else if item.is(mark::DIGIT) {
            digits += run;
        } else {
            symbols += run;
        }
    }
    letters > 0
        && (letters + symbols >= digits && letters * 3 >= symbols
            || letters + symbols + digits > 4 && letters * 3 >= letters + symbols + digits)
}

/// Whether `items`, all of a piece, may be hexadecimal digits: "fa95" is no word in disguise.
pub(crate) fn is_hex(items: &[Item]) -> bool {
    let digits = items
        .iter()
        .filter(|item| item.is(mark::DIGIT))
        .fold(0u8, |digits, item| digits.saturating_add(item.run));
    digits > 1
        && items
            .iter()
            .all(|item| item.marks & mark::DIGIT != 0 || item.is(mark::LETTER) && item.class < 6)
}

/// Whether `items`, a whole token, may be a word of which digits and signs took most letters (`94n98@n9`), rather than a number, a price or
/// a code.
pub(crate) fn heavily_disguised(items: &[Item]) -> bool {
    let length: usize = items.iter().map(|item| usize::from(item.run)).sum();
    let edges = [items.first(), items.last()];
    let letters = || items.iter().filter(|item| item.is(mark::LETTER));
    let sign = |item: &Item| item.is(mark::SYMBOL);
    let has_letter = letters().next().is_some();
    // "$100" and "500+" are what they look like.
    let has_sign = items.iter().filter(|item| sign(item)).count()
        > usize::from(!has_letter)
            * edges
                .iter()
                .flatten()
                .filter(|item| sign(item))
                .count()
                .min(1);
    // So is of four characters "p155".
    let is_code = || {
        length < 5
            && !has_sign
            && letters().map(|item| item.run).sum::<u8>() == 1
            && edges.iter().flatten().any(|item| item.is(mark::LETTER))
    };
    length > 3 && (has_letter || has_sign) && !is_code()
}
