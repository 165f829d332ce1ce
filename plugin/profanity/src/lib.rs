//! Finds profanity in text through its disguises, and says which bytes it stands on.
//!
//! The text itself is never rewritten: a normaliser makes a stream of letters that remember where they came from, the lexicon is looked up
//! in that stream, and what is handed back are byte ranges of the source. So clean text stays what it was, whatever script it is in, and
//! `mask` touches matched characters only.

mod address;
mod benign;
mod dictionary;
mod disguise;
mod examine;
mod filter;
mod fold;
mod glued;
mod grams;
mod inside;
mod item;
mod joined;
mod lexicon;
mod mask;
mod opaque;
mod pack;
mod piece;
mod scan;
mod sink;
mod skim;
mod spelled;
#[cfg(test)]
mod tests;

pub use filter::{Entry, Filter, Found, Note, Severity, Wanted};
pub use mask::mask;
pub use opaque::is_opaque;
pub use scan::Scratch;

/// What `portcullis-lexicon`, which makes the packed data, has to agree on with the search.
pub mod packing {
    pub use crate::dictionary::{is_word, seams};
    pub use crate::pack::{Pack, PackedEntry, Place};

    use crate::item::{Spelling, class_of};

    /// The letters of `word` (a to z) as they are compared: `l` as `i`, none twice in a row.
    pub fn pattern(word: &str) -> Vec<u8> {
        let mut classes: Vec<u8> = word.bytes().filter_map(class_of).collect();
        classes.dedup();
        classes
    }

    /// The 24-bit hash by which a pack knows a benign whole word.
    pub fn benign_hash(word: &str) -> u32 {
        Spelling::of_classes(word.bytes().filter_map(class_of)).mixed() >> 8
    }

    /// The ligatures that the fold table can name, in its order.
    pub fn ligatures() -> &'static [(u8, u8)] {
        &crate::fold::LIGATURES
    }
}

/// The built-in lists by name, as `lists` of a policy has them; the first is the default.
pub const PACKS: &[&str] = &["en", "es", "de"];

/// What entries are filed under, by bit.
pub const TAGS: &[&str] = &["general", "sexual", "racial", "religious", "lgbtq", "shock"];
