//! Benign words around a match, which excuse it.

use crate::item::{I, Item, Spelling, mark};
use crate::lexicon::Lexicon;

/// More items than a word has.
pub(crate) const WORD: usize = 48;

/// Whether the word around the items `from..to` is a benign one: the whole piece without the digits around it, or its hump of camelCase.
pub(crate) fn benign_around(lexicon: &Lexicon, items: &[Item], from: usize, to: usize) -> bool {
    let edge = |item: &&Item| !item.is(mark::LETTER);
    let lead = items.iter().take_while(edge).count();
    let trail = items.iter().rev().take_while(edge).count();
    let benign = |start: usize, end: usize| {
        adds_letters(items, (start, end), (from, to))
            && items
                .get(start..end)
                .is_some_and(|word| word.len() <= WORD && lexicon.is_benign(Spelling::of(word)))
    };
    let ends = |at: &usize| {
        items
            .get(*at)
            .is_none_or(|item| item.is(mark::HUMP) || !item.is(mark::LETTER))
    };
    let start = (0..=from).rev().find(|&at| {
        at == 0 || items.get(at).is_some_and(|item| item.is(mark::HUMP)) || ends(&(at - 1))
    });
    let end = (to..items.len()).find(ends).unwrap_or(items.len());
    benign(lead, items.len().saturating_sub(trail))
        || benign(0, items.len())
        || benign(start.unwrap_or(0), end)
}

/// Whether `outer` holds `inner` and, on each side on which it is longer, what may be a letter: "vagina1" is not "vaginal", nor "cum13"
/// anything.
pub(crate) fn adds_letters(items: &[Item], outer: (usize, usize), inner: (usize, usize)) -> bool {
    let adds = |from: usize, to: usize| match items.get(from..to) {
        Some([]) => true,
        Some([one]) if !one.is(mark::LETTER) => one.run == 1 && one.class != I,
        Some(more) => more.iter().any(|item| item.is(mark::LETTER | mark::SYMBOL)),
        None => false,
    };
    outer.0 <= inner.0 && outer.1 >= inner.1 && adds(outer.0, inner.0) && adds(inner.1, outer.1)
}
