//! The stream that is searched: one item for each letter or run of a letter, with the bytes that it came from.

/// One letter of the normalised text, with its repeats: `aaa` is one item. 12 bytes, as a search may hold a thousand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item {
    /// First byte in the source.
    pub(crate) start: u32,
    /// The byte after the last character and the marks on it.
    pub(crate) end: u32,
    /// `0..26` for a to z with `l` counted as `i`, [`STAR`], or [`OTHER`].
    pub(crate) class: u8,
    /// How many characters it stands for; 255 is "that or more".
    pub(crate) run: u8,
    /// The bits of [`mark`].
    pub(crate) marks: u8,
}

/// A character that hides a letter.
pub(crate) const STAR: u8 = 26;
/// A letter that looks like none of the 26.
pub(crate) const OTHER: u8 = 27;
/// What is not part of a piece, from the fold table or the ASCII table.
pub(crate) const APOSTROPHE: u8 = 28;
/// White space.
pub(crate) const SPACE: u8 = 29;
/// Any other separator.
pub(crate) const PUNCTUATION: u8 = 30;
/// What nothing is joined over: another script, a picture.
pub(crate) const WALL: u8 = 31;

/// The class that `i` and `l` share.
pub(crate) const I: u8 = b'i' - b'a';

/// What is known of the characters of an item; the bits of a run are those of all its characters.
pub(crate) mod mark {
    /// It is an `l` and no `i`.
    pub(crate) const NOT_I: u8 = 1;
    /// It is an `i` and no `l`.
    pub(crate) const NOT_L: u8 = 2;
    /// An ASCII capital.
    pub(crate) const UPPER: u8 = 4;
    /// A letter in the source.
    pub(crate) const LETTER: u8 = 8;
    /// A digit in the source.
    pub(crate) const DIGIT: u8 = 16;
    /// A sign in the source that looks like a letter.
    pub(crate) const SYMBOL: u8 = 32;
    /// A letter of another script that looks like a Latin one.
    pub(crate) const FOREIGN: u8 = 64;
    /// A hump of camelCase begins here.
    pub(crate) const HUMP: u8 = 128;
}

impl Item {
    /// Whether any of `bits` is set.
    pub(crate) fn is(self, bits: u8) -> bool {
        self.marks & bits != 0
    }
}

/// The factor of the hash of letters: odd, so that no letter is lost.
const FACTOR: u32 = 0x9e37_79b1;

/// What undoes a multiplication by `FACTOR`.
const INVERSE: u32 = inverse();

const fn inverse() -> u32 {
    // Newton's method: each step doubles the bits that are right, of which an odd number has three to begin with.
    let mut inverse = FACTOR;
    let mut step = 0;
    while step < 4 {
        inverse = inverse.wrapping_mul(2u32.wrapping_sub(FACTOR.wrapping_mul(inverse)));
        step += 1;
    }
    inverse
}

/// `FACTOR` to the power of the index.
const POWERS: [u32; 41] = powers();

const fn powers() -> [u32; 41] {
    let mut powers = [1; 41];
    let mut rest: &mut [u32] = &mut powers;
    let mut value = 1u32;
    while let Some((first, tail)) = rest.split_first_mut() {
        *first = value;
        value = value.wrapping_mul(FACTOR);
        rest = tail;
    }
    powers
}

/// The hash of a sequence of letter classes in which no two neighbours are the same. Of two such hashes follows that of both together,
/// so a split word is looked up without being put together first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Spelling {
    /// The value.
    pub(crate) hash: u32,
    /// Letters without repeats; from 41 on nothing is looked up.
    pub(crate) len: u8,
    first: u8,
    second: u8,
    last: u8,
}

impl Spelling {
    /// Of the classes of `items`.
    pub(crate) fn of(items: &[Item]) -> Self {
        Self::of_classes(items.iter().map(|item| item.class))
    }

    /// Of `classes`, repeats left out.
    pub(crate) fn of_classes(classes: impl Iterator<Item = u8>) -> Self {
        let mut spelling = Self::default();
        classes.for_each(|class| spelling.push(class));
        spelling
    }

    /// Adds one letter.
    #[inline]
    pub(crate) fn push(&mut self, class: u8) {
        let letter = class.wrapping_add(1);
        if letter == self.last {
            return;
        }
        match self.len {
            0 => self.first = letter,
            1 => self.second = letter,
            _ => {}
        }
        self.last = letter;
        self.len = self.len.saturating_add(1);
        self.hash = self
            .hash
            .wrapping_mul(FACTOR)
            .wrapping_add(u32::from(letter));
    }

    /// What changes with each letter, to be gone on with in a loop.
    #[inline]
    pub(crate) fn tail(self) -> Tail {
        Tail {
            hash: self.hash,
            len: u32::from(self.len),
        }
    }

    /// Goes on to `tail`, which is of `items`.
    #[inline]
    pub(crate) fn extend(&mut self, tail: Tail, items: &[Item]) {
        if self.len < 2 {
            let first = self.first.wrapping_sub(1);
            let second = items.iter().find(|item| item.class != first);
            self.second = second.map_or(0, |second| second.class.wrapping_add(1));
        }
        if let Some(last) = items.last() {
            self.last = last.class.wrapping_add(1);
        }
        self.hash = tail.hash;
        self.len = u8::try_from(tail.len).unwrap_or(u8::MAX);
    }

    /// The outline of these letters.
    #[inline]
    pub(crate) fn outline(self) -> Outline {
        Outline(u32::from_le_bytes([
            self.first,
            self.second,
            self.last,
            self.len,
        ]))
    }

    /// Of these letters without the last one, where `before` is the class before it.
    pub(crate) fn shortened(self, before: u8) -> Self {
        let hash = self
            .hash
            .wrapping_sub(u32::from(self.last))
            .wrapping_mul(INVERSE);
        Self {
            hash,
            len: self.len.saturating_sub(1),
            last: before.wrapping_add(1),
            ..self
        }
    }

    /// Of these letters followed by `next`'s; `None` if they are too many.
    pub(crate) fn joined(self, next: Self) -> Option<Self> {
        if next.len == 0 {
            return Some(self);
        }
        let (mut hash, mut len) = (next.hash, next.len);
        if self.last == next.first {
            len -= 1;
            hash = hash
                .wrapping_sub(u32::from(next.first).wrapping_mul(*POWERS.get(usize::from(len))?));
        }
        let power = *POWERS.get(usize::from(len))?;
        let [first, second, last, len] = self.outline().followed(next.outline()).0.to_le_bytes();
        Some(Self {
            hash: self.hash.wrapping_mul(power).wrapping_add(hash),
            len,
            first,
            second,
            last,
        })
    }

    /// The value with its bits well mixed, as the tables are indexed by.
    pub(crate) fn mixed(self) -> u32 {
        mix(self.hash ^ (u32::from(self.len) << 25))
    }
}

/// The part of a [`Spelling`] under way that a loop has to keep.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tail {
    hash: u32,
    len: u32,
}

impl Tail {
    /// Adds a letter that is not the one before.
    #[inline]
    pub(crate) fn push(&mut self, class: u8) {
        self.hash = self
            .hash
            .wrapping_mul(FACTOR)
            .wrapping_add(u32::from(class) + 1);
        self.len += 1;
    }
}

/// The first two letters and the last one of a spelling, and how many it has, a byte each from the lowest on: found for words put together
/// without multiplying, and small enough for a register.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outline(u32);

impl Outline {
    /// Of no letters.
    pub(crate) const NONE: Self = Self(0);

    /// The outline of `len` letters, of which these are the first two and the last one.
    #[inline]
    pub(crate) fn of(first: u8, second: Option<u8>, last: u8, len: u32) -> Self {
        let second = second.map_or(0, |second| second + 1);
        let len = u8::try_from(len).unwrap_or(u8::MAX);
        Self(u32::from_le_bytes([first + 1, second, last + 1, len]))
    }

    /// How many letters.
    #[inline]
    pub(crate) fn len(self) -> u8 {
        (self.0 >> 24) as u8
    }

    /// The class of the last letter, if there is one.
    #[inline]
    pub(crate) fn last(self) -> Option<u8> {
        ((self.0 >> 16 & 0xff) as u8).checked_sub(1)
    }

    /// The outline of these letters followed by `next`'s.
    #[inline]
    pub(crate) fn followed(self, next: Self) -> Self {
        let (len, next_len) = (self.0 >> 24, next.0 >> 24);
        let next_first = next.0 & 0xff;
        let doubled = u32::from(self.0 >> 16 & 0xff == next_first && next_len > 0);
        let start = if len > 1 {
            self.0 & 0xffff
        } else if len == 1 {
            self.0 & 0xff | (next.0 >> (8 * doubled) & 0xff) << 8
        } else {
            next.0 & 0xffff
        };
        let len = (len + next_len - doubled).min(0xff);
        Self(start | next.0 & 0xff_0000 | len << 24)
    }

    /// The outline without the last letter, where `before` is the class before it.
    #[inline]
    pub(crate) fn shortened(self, before: u8) -> Self {
        let last = u32::from(before.wrapping_add(1)) << 16;
        Self((self.0 & 0xff00_ffff | last).saturating_sub(1 << 24))
    }

    /// A number below 65,536 that few others share.
    #[inline]
    pub(crate) fn number(self) -> usize {
        (self.0.wrapping_mul(FACTOR) >> 16) as usize
    }
}

/// Spreads the bits of `hash`.
fn mix(mut hash: u32) -> u32 {
    hash ^= hash >> 16;
    hash = hash.wrapping_mul(0x7feb_352d);
    hash ^= hash >> 15;
    hash = hash.wrapping_mul(0x846c_a68b);
    hash ^ (hash >> 16)
}

/// The class of an ASCII letter of either case.
pub(crate) fn class_of(letter: u8) -> Option<u8> {
    match letter.to_ascii_lowercase() {
        b'l' => Some(I),
        lower @ b'a'..=b'z' => Some(lower - b'a'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_are_joined_and_shortened() {
        let spelling = |word: &str| Spelling::of_classes(word.bytes().filter_map(class_of));
        for (one, two) in [
            ("fo", "obar"),
            ("ab", "cd"),
            ("a", "b"),
            ("ba", "allad"),
            ("", "x"),
            ("x", ""),
        ] {
            assert_eq!(
                spelling(one).joined(spelling(two)),
                Some(spelling(&format!("{one}{two}"))),
                "{one} {two}"
            );
        }
        assert_eq!(spelling("cats").shortened(b't' - b'a'), spelling("cat"));
        assert_eq!(spelling("aab").mixed(), spelling("ab").mixed());
        assert_ne!(spelling("ab").mixed(), spelling("ba").mixed());
    }
}
