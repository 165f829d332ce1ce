//! Four letters in a row, by which most words are let go before the automaton has seen them.

use crate::lexicon::Lexicon;

/// The last four letters of a text, by which most words are let go before the automaton has seen them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grams(u32);

impl Default for Grams {
    fn default() -> Self {
        // Four times 31, which is no letter.
        Self(0xf_ffff)
    }
}

impl Grams {
    /// Adds a letter, if it is not the one before; whether the last four begin a term of `lexicon`.
    #[inline]
    pub(crate) fn push(&mut self, class: u8, lexicon: &Lexicon) -> bool {
        self.0 & 31 != u32::from(class) && self.push_other(class, lexicon)
    }

    /// Adds a letter that is not the one before.
    #[inline]
    pub(crate) fn push_other(&mut self, class: u8, lexicon: &Lexicon) -> bool {
        self.0 = (self.0 << 5 | u32::from(class)) & 0xf_ffff;
        let (word, bit) = self.place();
        lexicon
            .begins
            .get(word)
            .is_some_and(|word| word >> bit & 1 == 1)
    }

    /// Adds a letter, if it is not the one before, and says whether it was added.
    pub(crate) fn add(&mut self, class: u8) -> bool {
        let other = self.0 & 31 != u32::from(class);
        if other {
            self.0 = (self.0 << 5 | u32::from(class)) & 0xf_ffff;
        }
        other
    }

    /// The four classes, the last one last.
    #[inline]
    pub(crate) fn classes(self) -> [u8; 4] {
        [15, 10, 5, 0].map(|shift| (self.0 >> shift & 31) as u8)
    }

    /// The word of a set and the bit in it.
    #[inline]
    fn place(self) -> (usize, u32) {
        let hash = self.0.wrapping_mul(0x9e37_79b1);
        ((hash >> 20) as usize, hash >> 15 & 31)
    }
}

/// The first four letters of all `patterns`; of a shorter one, its letters behind each that there is.
pub(crate) fn begins(patterns: &[Vec<u8>]) -> Box<Begins> {
    let mut bits = Box::new([0; 4096]);
    let mut set = |letters: &[u8]| {
        let gram = Grams(
            letters
                .iter()
                .fold(0, |gram, &class| gram << 5 | u32::from(class)),
        );
        let (word, bit) = gram.place();
        if let Some(word) = bits.get_mut(word) {
            *word |= 1 << bit;
        }
    };
    for pattern in patterns {
        match pattern.as_slice() {
            [one, two, three, four, ..] => set(&[*one, *two, *three, *four]),
            [one, two, three] => (0..32).for_each(|before| set(&[before, *one, *two, *three])),
            [one, two] => (0..32)
                .for_each(|first| (0..32).for_each(|before| set(&[first, before, *one, *two]))),
            _ => (0..32).for_each(|first| {
                (0..32).for_each(|second| {
                    (0..32).for_each(|third| {
                        pattern
                            .iter()
                            .for_each(|&last| set(&[first, second, third, last]))
                    })
                })
            }),
        }
    }
    bits
}

/// A set of numbers below 131,072: so many that few are another's too.
pub(crate) type Begins = [u32; 4096];

/// A set of numbers below 65,536.
pub(crate) type Bits = [u64; BITS_WORDS];

pub(crate) const BITS_WORDS: usize = 1024;
