//! What a character looks like: one of 26 letters, nothing at all, or a separator.
//!
//! ASCII stands in a table made at compile time. All else is looked up in `data/fold.bin`, which `portcullis-lexicon` makes of Unicode's
//! decompositions, names and confusables (Unicode License v3, see `lists/unicode`).

use crate::item::{APOSTROPHE, I, OTHER, PUNCTUATION, SPACE, STAR, WALL, mark};

/// Records of five bytes, ascending: first code point (3, big-endian), how many more follow it, and what they are (see [`Kind`]).
const TABLE: &[u8] = include_bytes!("../data/fold.bin");

/// What one character counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// A letter of class `.0` with marks `.1`, or one of the separators of [`crate::item`].
    One(u8, u8),
    /// A ligature: two letters.
    Two(u8, u8),
    /// Nothing that is seen: a combining mark, a zero-width character.
    Nothing,
    /// From here on the line is shown backwards.
    Backwards,
    /// And no longer.
    Forwards,
}

/// The class and marks of each ASCII character.
static ASCII: [(u8, u8); 128] = ascii();

const fn ascii() -> [(u8, u8); 128] {
    let mut table = [(PUNCTUATION, 0u8); 128];
    let mut rest: &mut [(u8, u8)] = &mut table;
    let mut byte = 0u8;
    while let Some((slot, tail)) = rest.split_first_mut() {
        *slot = ascii_look(byte);
        byte += 1;
        rest = tail;
    }
    table
}

/// What `byte`, one ASCII character, counts as; [`ascii_char`] has it in a table.
pub(crate) const fn ascii_look(byte: u8) -> (u8, u8) {
    const fn like(letter: u8, mark: u8) -> (u8, u8) {
        (letter - b'a', mark)
    }
    match byte {
        b'l' => (I, mark::LETTER | mark::NOT_I),
        b'L' => (I, mark::LETTER | mark::NOT_I | mark::UPPER),
        b'i' => (I, mark::LETTER | mark::NOT_L),
        b'I' => (I, mark::LETTER | mark::NOT_L | mark::UPPER),
        b'a'..=b'z' => (byte - b'a', mark::LETTER),
        b'A'..=b'Z' => (byte - b'A', mark::LETTER | mark::UPPER),
        b'0' => like(b'o', mark::DIGIT),
        b'1' => (I, mark::DIGIT),
        b'2' => like(b'z', mark::DIGIT),
        b'3' => like(b'e', mark::DIGIT),
        b'4' => like(b'a', mark::DIGIT),
        b'5' => like(b's', mark::DIGIT),
        b'6' | b'9' => like(b'g', mark::DIGIT),
        b'7' => like(b't', mark::DIGIT),
        b'8' => like(b'b', mark::DIGIT),
        b'@' => like(b'a', mark::SYMBOL),
        b'$' => like(b's', mark::SYMBOL),
        b'+' => like(b't', mark::SYMBOL),
        b'!' | b'|' => (I, mark::SYMBOL),
        b'*' | b'#' => (STAR, 0),
        b'\'' => (APOSTROPHE, 0),
        b'\t'..=b'\r' | b' ' => (SPACE, 0),
        _ => (PUNCTUATION, 0),
    }
}

/// What `byte`, one ASCII character, counts as.
pub(crate) fn ascii_char(byte: u8) -> (u8, u8) {
    ASCII.get(usize::from(byte)).copied().unwrap_or((WALL, 0))
}

/// What `c` counts as.
pub(crate) fn look(c: char) -> Look {
    if let Ok(byte) = u8::try_from(c)
        && byte.is_ascii()
    {
        let (class, marks) = ascii_char(byte);
        return Look::One(class, marks);
    }
    match c {
        '\u{202d}' | '\u{202e}' => return Look::Backwards,
        '\u{202c}' | '\u{2069}' => return Look::Forwards,
        '\u{2018}' | '\u{2019}' | '\u{2bc}' | '\u{b4}' => return Look::One(APOSTROPHE, 0),
        '\u{2217}' | '\u{ff0a}' | '\u{2022}' | '\u{25cf}' | '\u{2b50}' | '\u{2605}' => {
            return Look::One(STAR, 0);
        }
        _ => {}
    }
    let code = u32::from(c);
    let (records, _) = TABLE.as_chunks::<5>();
    let after = records.partition_point(|record| first(record) <= code);
    if let Some(record) = after.checked_sub(1).and_then(|at| records.get(at)) {
        let [_, _, _, more, what] = *record;
        let offset = code - first(record);
        if offset <= u32::from(more) {
            return folded(what, offset, code);
        }
    }
    if c.is_whitespace() {
        Look::One(SPACE, 0)
    } else if c.is_alphabetic() {
        // Letters of the scripts that a Latin word can hide in go on a word; those of all others end it.
        if code < 0x590 || (0x1c80..0x2c00).contains(&code) {
            Look::One(OTHER, mark::LETTER)
        } else {
            Look::One(WALL, 0)
        }
    } else if matches!(code, 0x80..=0x2bff | 0xff00..=0xffef) {
        Look::One(PUNCTUATION, 0)
    } else {
        Look::One(WALL, 0)
    }
}

fn first(&[high, middle, low, ..]: &[u8; 5]) -> u32 {
    u32::from_be_bytes([0, high, middle, low])
}

/// Reads the last byte of a record: 0 is nothing that is seen, 1 to 26 a letter, 27 an `i` or `l`, from 32 on letters counting up from
/// that one, from 64 on a ligature of [`LIGATURES`], 255 a letter that is none.
fn folded(what: u8, offset: u32, code: u32) -> Look {
    let foreign = if is_foreign(code) { mark::FOREIGN } else { 0 };
    match what {
        0 => Look::Nothing,
        27 => Look::One(I, mark::LETTER | foreign),
        letter @ 1..=26 => letter_look(letter - 1, foreign),
        up @ 32..=58 => letter_look((up - 32).saturating_add(offset as u8) % 26, foreign),
        pair => match LIGATURES.get(usize::from(pair.wrapping_sub(64))) {
            Some(&(one, two)) => Look::Two(one - b'a', two - b'a'),
            None => Look::One(OTHER, mark::LETTER),
        },
    }
}

/// The ligatures that occur, in the order the table counts them in. `l` and `i` are one class, so `ij` and `lj` are one ligature.
pub(crate) const LIGATURES: [(u8, u8); 11] = [
    (b'a', b'e'),
    (b'o', b'e'),
    (b's', b's'),
    (b'f', b'i'),
    (b'f', b'f'),
    (b's', b't'),
    (b'i', b'j'),
    (b'n', b'j'),
    (b'd', b'z'),
    (b'o', b'o'),
    (b't', b's'),
];

fn letter_look(letter: u8, marks: u8) -> Look {
    match letter.wrapping_add(b'a') {
        b'l' => Look::One(I, mark::LETTER | mark::NOT_I | marks),
        b'i' => Look::One(I, mark::LETTER | mark::NOT_L | marks),
        _ => Look::One(letter, mark::LETTER | marks),
    }
}

/// Whether `code` belongs to a script with words of its own (Greek, Cyrillic, Armenian, Cherokee, ...) or is half a flag: it is read as
/// Latin only next to Latin, or where a whole word of it is.
fn is_foreign(code: u32) -> bool {
    matches!(code, 0x370..=0x58f | 0x10a0..=0x167f | 0x1c80..=0x1cbf | 0x1f00..=0x1fff | 0x2c80..=0x2dff | 0xa4d0..=0xa4ff | 0xa640..=0xa69f | 0xab70..=0xabbf | 0x1f1e6..=0x1f1ff)
}
