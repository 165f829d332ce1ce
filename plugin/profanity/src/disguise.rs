//! Disguises that take letters out of their order or hide them: spelled out, starred, shown backwards.

use crate::examine::{Part, examine, whole};
use crate::inside::inside;
use crate::item::{Item, STAR, Spelling, mark};
use crate::lexicon::Lexicon;
use crate::piece::{Gap, Piece};
use crate::sink::Sink;

/// Letters of a starred word.
const STARRED: usize = 40;

/// Looks at single letters that stand apart, as the word that they spell.
pub(crate) fn apart(lexicon: &Lexicon, items: &[Item], sink: &mut Sink<'_>) {
    *sink.steps += items.len() as u64;
    let article = items
        .first()
        .is_some_and(|first| first.class == 0 || first.class == crate::item::I);
    if !article && lexicon.is_benign(Spelling::of(items)) {
        return;
    }
    inside(lexicon, items, sink);
    // An "a" or "I" before the word, or a letter behind it, is often a word of its own.
    let last = items.len().saturating_sub(1);
    for (from, to) in [(0, items.len()), (1, items.len()), (0, last)] {
        let part = Part {
            all: items,
            from,
            to,
            foreign: true,
        };
        whole(
            lexicon,
            part,
            Spelling::of(items.get(from..to).unwrap_or_default()),
            sink,
        );
    }
}

/// Looks at a piece such as `p|u|s|s|y`, in which the same sign stands between all the letters.
pub(crate) fn spelled_out(
    lexicon: &Lexicon,
    items: &[Item],
    side: &mut Vec<Item>,
    sink: &mut Sink<'_>,
) {
    let Some(sign) = items.get(1) else { return };
    let between = items
        .iter()
        .skip(1)
        .step_by(2)
        .all(|item| item.class == sign.class && !item.is(mark::LETTER | mark::DIGIT));
    if between && items.iter().step_by(2).all(|item| item.class != STAR) {
        side.clear();
        side.extend(items.iter().step_by(2).copied());
        apart(lexicon, side, sink);
    }
}

/// Looks at a piece with stars in it: as separators, as one vowel, or as one letter each.
pub(crate) fn starred(lexicon: &Lexicon, all: &[Item], side: &mut Vec<Item>, sink: &mut Sink<'_>) {
    let is_star = |item: &&Item| item.class == STAR;
    let lead = all.iter().take_while(is_star).count();
    let trail = all.iter().rev().take_while(is_star).count();
    let Some(items) = all
        .get(lead..all.len().saturating_sub(trail))
        .filter(|items| !items.is_empty() && items.len() <= STARRED)
    else {
        return;
    };
    let stars = items.iter().filter(is_star).count();
    if stars == 0 {
        // One star at one end is a vowel or a footnote; two are emphasis.
        if lead + trail == 1 && all.len() <= STARRED {
            vowel(lexicon, all, side, sink);
        }
        return;
    }
    if stars > 1 {
        spelled_out(lexicon, items, side, sink);
    }
    if stars == 1 {
        one_star(lexicon, items, side, sink);
    }
    one_letter_each(lexicon, items, sink);
}

/// A star that is nothing, or a vowel.
fn one_star(lexicon: &Lexicon, items: &[Item], side: &mut Vec<Item>, sink: &mut Sink<'_>) {
    side.clear();
    side.extend(items.iter().filter(|item| item.class != STAR).copied());
    let bare = Spelling::of(side);
    if lexicon.is_benign(bare) {
        sink.excuse(items);
        return;
    } else {
        *sink.steps += side.len() as u64;
        for (number, term) in lexicon.spelled(bare) {
            if term.entry.word.len() > 3 && term.is_spelled_by(side) {
                sink.add(items, number, term);
            }
        }
    }
    vowel(lexicon, items, side, sink);
}

/// A star that is a vowel.
fn vowel(lexicon: &Lexicon, items: &[Item], side: &mut Vec<Item>, sink: &mut Sink<'_>) {
    let Some(at) = items
        .iter()
        .position(|item| item.class == STAR && item.run == 1)
    else {
        return;
    };
    side.clear();
    side.extend_from_slice(items);
    let marks = items.iter().fold(0, |marks, item| marks | item.marks);
    for vowel in *b"aeiou" {
        if let Some(star) = side.get_mut(at) {
            star.class = vowel - b'a';
            star.marks = mark::LETTER;
        }
        let piece = Piece {
            from: 0,
            to: side.len(),
            spelling: Spelling::of(side),
            suspect: true,
            marks,
            stars: 0,
            cut: false,
            gap: Gap::default(),
        };
        if !lexicon.is_benign(piece.spelling) {
            examine(lexicon, side, &piece, sink);
        }
    }
}

/// Stars that stand for one letter each.
fn one_letter_each(lexicon: &Lexicon, items: &[Item], sink: &mut Sink<'_>) {
    let length: usize = items.iter().map(|item| usize::from(item.run)).sum();
    let letters: usize = items
        .iter()
        .filter(|item| item.class != STAR)
        .map(|item| usize::from(item.run))
        .sum();
    let (Some(first), Ok(size @ 4..=16)) = (items.first(), u8::try_from(length)) else {
        return;
    };
    if letters < 2 || letters * 2 < length {
        return;
    }
    for (number, term) in lexicon.shaped(first.class, size) {
        *sink.steps += items.len() as u64;
        let mut shown = items
            .iter()
            .flat_map(|item| std::iter::repeat_n(item.class, usize::from(item.run)));
        if term
            .entry
            .word
            .bytes()
            .filter_map(crate::item::class_of)
            .all(|class| {
                shown
                    .next()
                    .is_some_and(|seen| seen == class || seen == STAR)
            })
        {
            sink.add(items, number, term);
        }
    }
}

/// Looks at `items`, which are shown right to left, in the order in which they are seen.
pub(crate) fn backwards(
    lexicon: &Lexicon,
    items: &[Item],
    side: &mut Vec<Item>,
    sink: &mut Sink<'_>,
) {
    side.clear();
    side.extend(items.iter().rev().copied());
    let marks = side
        .iter()
        .fold(0, |marks, item| marks | item.marks & !mark::HUMP);
    let piece = Piece {
        from: 0,
        to: side.len(),
        spelling: Spelling::of(side),
        suspect: true,
        marks,
        stars: 0,
        cut: side.len() > STARRED,
        gap: Gap::default(),
    };
    side.iter_mut().for_each(|item| item.marks &= !mark::HUMP);
    examine(lexicon, side, &piece, sink);
}
