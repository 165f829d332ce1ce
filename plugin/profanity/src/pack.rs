//! Reads the packed lists that `portcullis-lexicon` makes.
//!
//! A pack is raw deflate over three counted sections, each a big-endian `u16` count first:
//! 1. entries, ascending: letters shared with the one before (1 byte), the other letters, the flags (1 byte, high bit set), the tags
//!    (1 byte), the places where two words meet (4 bytes, big-endian);
//! 2. benign words that hold an entry, spelled likewise and ended by a byte with the high bit set;
//! 3. 24-bit hashes of more benign words, ascending, as the differences in LEB128.

use crate::Severity;

/// The packs by name.
const PACKS: [(&str, &[u8]); 3] = [
    ("en", include_bytes!("../data/en.bin")),
    ("es", include_bytes!("../data/es.bin")),
    ("de", include_bytes!("../data/de.bin")),
];

/// More than any pack comes to.
const INFLATED_MAX: usize = 1 << 18;

/// Where in a longer word an entry counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Anywhere.
    Anywhere,
    /// Inside a longer word whose other parts are words of their own.
    Flanked,
    /// At the beginning or the end of a longer word, or as [`Place::Flanked`].
    Beside,
    /// Only as a whole word.
    Whole,
}

/// An entry as a pack spells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedEntry {
    /// Lower case a to z.
    pub word: String,
    /// Where it counts.
    pub place: Place,
    /// How bad it is.
    pub severity: Severity,
    /// Though it counts as a whole word only, it does before or behind another word too.
    pub glued: bool,
    /// A letter said twice makes another word of it, so only three and more are a disguise.
    pub exact: bool,
    /// With `l` for `i` it is another word.
    pub strict: bool,
    /// Bits of [`TAGS`](crate::TAGS).
    pub tags: u8,
    /// Bit `n` is set where the first `n` letters, counted without repeats, and the rest are both common words.
    pub seams: u32,
}

/// What a pack holds.
#[derive(Debug, Default)]
pub struct Pack {
    /// The entries, ascending by word.
    pub entries: Vec<PackedEntry>,
    /// Benign words, searched for everywhere.
    pub allow: Vec<String>,
    /// Hashes of benign whole words, ascending.
    pub benign: Vec<u32>,
}

/// Inflates and reads the pack `name`.
pub(crate) fn pack(name: &str) -> Option<Pack> {
    let (_, packed) = PACKS.iter().find(|(known, _)| *known == name)?;
    let bytes = miniz_oxide::inflate::decompress_to_vec_with_limit(packed, INFLATED_MAX).ok()?;
    read(&bytes)
}

/// Reads inflated bytes; `None` if they are not a pack.
fn read(bytes: &[u8]) -> Option<Pack> {
    let mut reader = Reader { bytes };
    let mut pack = Pack::default();
    let mut word = String::new();
    for _ in 0..reader.count()? {
        let flags = reader.word(&mut word)?;
        let place = match flags & 3 {
            0 => Place::Anywhere,
            1 => Place::Flanked,
            2 => Place::Beside,
            _ => Place::Whole,
        };
        let severity = match flags >> 2 & 3 {
            1 => Severity::Mild,
            2 => Severity::Moderate,
            _ => Severity::Severe,
        };
        let tags = reader.byte()?;
        let seams = u32::from_be_bytes([
            reader.byte()?,
            reader.byte()?,
            reader.byte()?,
            reader.byte()?,
        ]);
        let (exact, strict, glued) = (flags & 16 != 0, flags & 32 != 0, flags & 64 != 0);
        pack.entries.push(PackedEntry {
            word: word.clone(),
            place,
            severity,
            glued,
            exact,
            strict,
            tags,
            seams,
        });
    }
    word.clear();
    for _ in 0..reader.count()? {
        reader.word(&mut word)?;
        pack.allow.push(word.clone());
    }
    let mut hash = 0u32;
    for _ in 0..reader.count()? {
        hash = hash.checked_add(reader.leb128()?)?;
        pack.benign.push(hash);
    }
    Some(pack)
}

/// A cursor over inflated bytes.
pub(crate) struct Reader<'a> {
    pub(crate) bytes: &'a [u8],
}

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(first)
    }

    fn count(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes([self.byte()?, self.byte()?]))
    }

    fn leb128(&mut self) -> Option<u32> {
        let mut value = 0u32;
        for shift in [0, 7, 14, 21] {
            let byte = self.byte()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// Makes `word`, which is the one before, the next one, and gives the byte that ends it.
    pub(crate) fn word(&mut self, word: &mut String) -> Option<u8> {
        word.truncate(usize::from(self.byte()?));
        loop {
            match self.byte()? {
                end @ 0x80.. => return Some(end),
                letter => word.push(char::from(letter)),
            }
        }
    }
}
