//! Entries too short to count inside words, beside a word of its own.

use crate::benign::WORD;
use crate::item::{Item, Spelling, mark};
use crate::lexicon::Lexicon;
use crate::sink::Sink;

/// Letters of the longest entry that [`glued`] looks for.
const SHORT: usize = 4;

/// Only a word of more letters is looked at by [`glued`].
pub(crate) const LONG: usize = SHORT + 2;

/// Finds an entry that is too short to count inside words where it stands before or behind a word of its own: `dickmarinade42`.
pub(crate) fn glued(lexicon: &Lexicon, items: &[Item], sink: &mut Sink<'_>) {
    let edge = |item: &&Item| !item.is(mark::LETTER);
    let lead = items.iter().take_while(edge).count();
    let trail = items.iter().rev().take_while(edge).count();
    let Some(letters) = items
        .get(lead..items.len().saturating_sub(trail))
        .filter(|letters| letters.len() > SHORT && letters.len() <= WORD)
    else {
        return;
    };
    let (begins, ends) = match letters {
        [one, two, three, ..] => (
            lexicon.may_be_glued(false, [one.class, two.class, three.class]),
            match letters {
                [.., three, two, one] => {
                    lexicon.may_be_glued(true, [one.class, two.class, three.class])
                }
                _ => false,
            },
        ),
        _ => return,
    };
    if !begins && !ends {
        return;
    }
    for size in 2..=SHORT {
        let end = letters.len() - size;
        for (may, from, to, rest) in [
            (begins, 0, size, size..letters.len()),
            (ends, end, letters.len(), 0..end),
        ] {
            if !may {
                continue;
            }
            let (Some(part), Some(rest)) = (letters.get(from..to), letters.get(rest)) else {
                continue;
            };
            let spelling = Spelling::of(part);
            if !lexicon.may_spell(spelling) {
                continue;
            }
            for (number, term) in lexicon.spelled(spelling) {
                *sink.steps += letters.len() as u64;
                if term.entry.glued
                    && letters
                        .iter()
                        .all(|item| item.is(mark::LETTER) && !item.is(mark::HUMP))
                    && term.is_spelled_by(part)
                    && rest.len() > 3
                    && lexicon.common.is_word(rest)
                    && !lexicon.is_benign(Spelling::of(letters))
                    && !lexicon
                        .common
                        .falls_apart(letters, to % letters.len() + from)
                {
                    sink.add(part, number, term);
                }
            }
        }
    }
}
