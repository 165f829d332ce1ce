//! Finds profanity in text through its disguises, and says which bytes it stands on.
//!
//! The text itself is never rewritten: a normaliser makes a stream of letters that remember where they came from, the lexicon is looked up
//! in that stream, and what is handed back are byte ranges of the source. So clean text stays what it was, whatever script it is in, and
//! `mask` touches matched characters only.

mod filter;
mod mask;
mod opaque;

pub use filter::{Entry, Filter, Found, Note, Scratch, Severity, Wanted};
pub use mask::mask;
pub use opaque::is_opaque;

/// The built-in lists by name, as `lists` of a policy has them; the first is the default.
pub const PACKS: &[&str] = &["en", "es", "de"];
