//! The quick way over what most of most texts is: words of letters, and numbers, that hold nothing, neither alone nor with their
//! neighbours.
//!
//! It stores nothing, and finds nothing either: where something may be it stops, and the walk over the letters begins two words before.
//! It may stop in vain, but what it passes over the walk would have passed over too (`tests` has both go over the same texts).

#[cfg(test)]
mod tests;

use crate::address;
use crate::fold::ascii_char;
use crate::glued::LONG;
use crate::grams::Grams;
use crate::item::{APOSTROPHE, Item, Outline, PUNCTUATION, SPACE, Spelling, mark};
use crate::joined::{Joins, Side, joins, joins_over, may_spell};
use crate::lexicon::Lexicon;
use crate::piece::{Gap, Piece};

/// Bytes of the longest word that is passed over.
const WORD: usize = 40;

/// Set in what [`LOOKS`] says of a capital, beside its class.
const CAPITAL: u8 = 0x40;
/// Set in what it says of a digit.
const DIGIT: u8 = 0x80;
/// What it says of all that is not for this way.
const STRANGE: u8 = 0xff;

/// What each byte is: the class of a small letter, or of a capital or digit with its bit, or a separator.
static LOOKS: [u8; 256] = looks();

const fn looks() -> [u8; 256] {
    let mut table = [STRANGE; 256];
    let mut rest: &mut [u8] = &mut table;
    let mut byte = 0u8;
    while let Some((slot, tail)) = rest.split_first_mut() {
        if byte == 128 {
            break;
        }
        let (class, marks) = crate::fold::ascii_look(byte);
        *slot = match class {
            SPACE | APOSTROPHE | PUNCTUATION => class,
            0..26 if marks & mark::UPPER != 0 => class | CAPITAL,
            0..26 if marks & mark::LETTER != 0 => class,
            0..26 if marks & mark::DIGIT != 0 => class | DIGIT,
            _ => STRANGE,
        };
        byte += 1;
        rest = tail;
    }
    table
}

fn look(byte: u8) -> u8 {
    LOOKS.get(usize::from(byte)).copied().unwrap_or(STRANGE)
}

/// How far it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Skimmed {
    /// The byte at which the walk goes on: two words before the one that may hold something, with the separators before them; or where the
    /// skimming began, if that is nearer.
    pub(crate) resume: usize,
    /// First byte of the word that may hold something; the length of the text if there is none.
    pub(crate) stop: usize,
}

/// A word that has been read, as far as is needed of it while nothing may be in it; or a piece.
#[derive(Clone, Copy)]
struct Word {
    side: Side,
    /// The class before the last one.
    before: Option<u8>,
    /// Where it is; nowhere if it is a piece.
    at: usize,
    to: usize,
}

impl Word {
    fn of(piece: Option<&Piece>) -> Self {
        Self {
            side: piece.map_or(Side::NONE, Side::of),
            before: None,
            at: 0,
            to: 0,
        }
    }

    fn is_single(&self) -> bool {
        self.side.outline.len() == 1
    }
}

/// Passes over `bytes` from `begin` on, where no word is under way. `before` are the two pieces before, the later one last, and `gap` what has
/// been seen behind them. `holds` says for sure of a word whether it holds something, and is asked only of few.
pub(crate) fn skim(
    lexicon: &Lexicon,
    bytes: &[u8],
    begin: usize,
    before: &[Option<Piece>; 2],
    mut gap: Gap,
    holds: &mut impl FnMut(&[u8], bool) -> bool,
) -> Skimmed {
    let [mut earlier, mut last] = before.each_ref().map(|piece| Word::of(piece.as_ref()));
    let mut at = begin;
    // Where the separators before the last two words begin.
    let mut resumes = [begin; 2];
    loop {
        let behind = at;
        let [resume, next] = resumes;
        while let Some(&byte) = bytes.get(at) {
            let class = look(byte);
            if !is_separator(class) {
                break;
            }
            if matches!(byte, b':' | b'.') && address::begins(bytes, at) {
                return Skimmed { resume, stop: at };
            }
            gap.add(class);
            at += 1;
        }
        let Some(&first) = bytes.get(at) else {
            return Skimmed {
                resume: at,
                stop: at,
            };
        };
        let stopped = Skimmed { resume, stop: at };
        let Some(word) = word(lexicon, bytes, at, look(first), gap, holds) else {
            return stopped;
        };
        let joins = joins(lexicon, [earlier.side, last.side], word.side, word.before);
        if (joins.two == Some(true) || joins.three == Some(true))
            && joins_something(lexicon, bytes, [&earlier, &last], &word, joins)
            || word.is_single() && last.is_single()
        {
            return stopped;
        }
        (earlier, last) = (last, word);
        resumes = [next, behind];
        at = word.to;
        gap = Gap::default();
    }
}

/// Whether `word` may be an entry together with what stands before it.
#[inline(never)]
fn joins_something(
    lexicon: &Lexicon,
    bytes: &[u8],
    [earlier, last]: [&Word; 2],
    word: &Word,
    joins: Joins,
) -> bool {
    let spelling = |word: &Word| {
        let text = bytes.get(word.at..word.to);
        text.filter(|text| !text.is_empty()).map(spelling)
    };
    // Of pieces it is not known here.
    let pair = spelling(last).zip(spelling(word));
    let Some(pair) = pair.and_then(|(last, word)| last.joined(word)) else {
        return true;
    };
    let known = |spelling| may_spell(lexicon, spelling, (&last.side, &word.side), word.before);
    let triple = || spelling(earlier)?.joined(pair);
    joins.two == Some(true) && known(pair)
        || joins.three == Some(true) && triple().is_none_or(known)
}

/// Reads the word or number at `at`, the first byte of which looks like `first`; `None` if it is of another kind, or holds something.
#[inline]
fn word(
    lexicon: &Lexicon,
    bytes: &[u8],
    at: usize,
    first: u8,
    gap: Gap,
    holds: &mut impl FnMut(&[u8], bool) -> bool,
) -> Option<Word> {
    if first == STRANGE {
        return None;
    }
    // All capitals, or small letters behind one.
    let kind = match bytes.get(at + 1).map(|&second| look(second)) {
        Some(second) if second != STRANGE => first & (second | DIGIT) & (CAPITAL | DIGIT),
        _ => first & DIGIT,
    };
    let first = first & 0x1f;
    let mut last = first;
    let mut grams = Grams::default();
    let mut suspect = grams.push_other(first, lexicon);
    let mut len = 1u32;
    let mut to = at + 1;
    let rest = bytes.get(to..).unwrap_or_default();
    let mut bytes_left = rest.iter();
    let next = loop {
        let Some(&byte) = bytes_left.next() else {
            break SPACE;
        };
        let next = look(byte);
        let class = next ^ kind;
        if class >= 26 {
            break next;
        }
        to += 1;
        if class != last {
            last = class;
            len += 1;
            suspect |= grams.push_other(class, lexicon);
        }
    };
    if !is_separator(next) || to - at > WORD {
        return None;
    }
    let text = bytes.get(at..to).unwrap_or_default();
    let [_, _, before, _] = grams.classes();
    let before = (len > 1).then_some(before);
    let second = second(text, first);
    let outline = Outline::of(first, second, last, len);
    // Of two digits and more the walk makes nothing: they may be hexadecimal.
    let looks = if kind == DIGIT {
        suspect && to - at == 1
    } else {
        suspect
            || lexicon.may_outline(outline) && lexicon.may_spell(spelling(text))
            || len as usize > LONG && may_be_glued(lexicon, text, grams)
    };
    if looks && holds(text, suspect) {
        return None;
    }
    Some(Word {
        side: Side {
            outline,
            follows: joins_over(gap),
            cut: false,
        },
        before,
        at,
        to,
    })
}

/// Makes `items`, and the piece that they are, of a word that is read here.
pub(crate) fn read(word: &[u8], suspect: bool, items: &mut Vec<Item>) -> Piece {
    items.clear();
    let mut all = 0;
    for (at, &byte) in (0u32..).zip(word) {
        let (class, marks) = ascii_char(byte);
        all |= marks;
        match items.last_mut().filter(|last| last.class == class) {
            Some(last) => {
                last.run = last.run.saturating_add(1);
                last.marks |= marks;
                last.end = at + 1;
            }
            None => items.push(Item {
                start: at,
                end: at + 1,
                class,
                run: 1,
                marks,
            }),
        }
    }
    Piece {
        from: 0,
        to: items.len(),
        spelling: Spelling::of(items),
        suspect,
        marks: all,
        stars: 0,
        cut: false,
        gap: Gap::default(),
    }
}

fn is_separator(look: u8) -> bool {
    matches!(look, APOSTROPHE..=PUNCTUATION)
}

fn classes(word: &[u8]) -> impl Iterator<Item = u8> {
    word.iter().map(|&byte| look(byte) & 0x1f)
}

#[inline(never)]
fn spelling(word: &[u8]) -> Spelling {
    Spelling::of_classes(classes(word))
}

/// The first class of `word` that is not `first`.
fn second(word: &[u8], first: u8) -> Option<u8> {
    classes(word).find(|&class| class != first)
}

/// Whether `word`, which ends with `grams`, may have an entry before or behind another word.
#[inline(never)]
fn may_be_glued(lexicon: &Lexicon, word: &[u8], grams: Grams) -> bool {
    let mut start = Grams::default();
    let mut count = 0;
    for class in classes(word) {
        if start.add(class) {
            count += 1;
        }
        if count == 3 {
            break;
        }
    }
    let [_, one, two, three] = start.classes();
    let [_, third, second, last] = grams.classes();
    lexicon.may_be_glued(false, [one, two, three])
        || lexicon.may_be_glued(true, [last, second, third])
}
