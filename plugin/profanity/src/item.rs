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

    /// The last class.
    pub(crate) fn ends_with(self, class: u8) -> bool {
        self.last == class.wrapping_add(1)
    }

    /// Adds one letter.
    #[inline]
    pub(crate) fn push(&mut self, class: u8) {
        let letter = class.wrapping_add(1);
        if letter != self.last {
            self.push_other(class);
        }
    }

    /// Adds a letter that is not the last one.
    #[inline]
    pub(crate) fn push_other(&mut self, class: u8) {
        let letter = class.wrapping_add(1);
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

    /// The outline of these letters.
    #[inline]
    pub(crate) fn outline(self) -> Outline {
        Outline {
            first: self.first,
            second: self.second,
            last: self.last,
            len: self.len,
        }
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
        let outline = self.outline().followed(next);
        Some(Self {
            hash: self.hash.wrapping_mul(power).wrapping_add(hash),
            len: outline.len,
            first: outline.first,
            second: outline.second,
            last: outline.last,
        })
    }

    /// The value with its bits well mixed, as the tables are indexed by.
    pub(crate) fn mixed(self) -> u32 {
        mix(self.hash ^ (u32::from(self.len) << 25))
    }
}

/// The first two letters and the last one of a spelling, and how many it has: found for words put together without multiplying.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outline {
    first: u8,
    second: u8,
    last: u8,
    len: u8,
}

impl Outline {
    /// The outline of these letters followed by `next`'s.
    #[inline]
    pub(crate) fn followed(self, next: Spelling) -> Self {
        let doubled = self.last == next.first;
        let (first, second) = match self.len {
            0 => (next.first, next.second),
            1 if doubled => (self.first, next.second),
            1 => (self.first, next.first),
            _ => (self.first, self.second),
        };
        Self {
            first,
            second,
            last: next.last,
            len: self
                .len
                .saturating_add(next.len)
                .saturating_sub(u8::from(doubled && next.len > 0)),
        }
    }

    /// The outline without the last letter, where `before` is the class before it.
    pub(crate) fn shortened(self, before: u8) -> Self {
        Self {
            last: before.wrapping_add(1),
            len: self.len.saturating_sub(1),
            ..self
        }
    }

    /// A number below 65,536 that few others share.
    #[inline]
    pub(crate) fn number(self) -> usize {
        let bits = u32::from_le_bytes([self.first, self.second, self.last, self.len]);
        (bits.wrapping_mul(FACTOR) >> 16) as usize
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
