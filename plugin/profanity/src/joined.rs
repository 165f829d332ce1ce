//! A word in two or three parts with one character between them: `fu ck`, `as-shole`.

use crate::examine::Sink;
use crate::item::{I, Item, Outline, Spelling, mark};
use crate::lexicon::{Lexicon, Term};
use crate::scan::{Gap, Piece};

/// Looks at `piece` together with the one or two before it: as an entry, and as a benign word that excuses what was found in its parts.
pub(crate) fn join(
    lexicon: &Lexicon,
    items: &[Item],
    before: &[Option<Piece>; 2],
    piece: &Piece,
    sink: &mut Sink<'_>,
) {
    let [earlier, Some(last)] = before else {
        return;
    };
    if !joins(piece.gap) || piece.cut || last.cut {
        return;
    }
    if last.spelling.len.saturating_add(piece.spelling.len) > LONGEST {
        return;
    }
    let plural = piece.spelling.ends_with(S);
    let worth = |outline: Outline| {
        lexicon.may_outline(outline)
            || plural
                && piece
                    .to
                    .checked_sub(2)
                    .and_then(|at| items.get(at))
                    .is_some_and(|before| lexicon.may_outline(outline.shortened(before.class)))
    };
    let start = |piece: &Piece| items.get(piece.from).map_or(0, |item| item.start);
    let (of_last, of_piece) = (last.spelling.outline(), piece.spelling.outline());
    if (worth(of_last.followed(of_piece)) || sink.reaches(|| start(last)))
        && let Some(two) = last.spelling.joined(piece.spelling)
    {
        together(lexicon, items, &[*last, *piece], two, sink);
    }
    // Of three parts two are short, and all are no sentence.
    let short = |earlier: &Piece| {
        let lengths = [earlier.spelling.len, last.spelling.len, piece.spelling.len];
        lengths.iter().filter(|&&len| len < 4).count() > 1
            && lengths.iter().map(|&len| u16::from(len)).sum::<u16>() < 14
    };
    let Some(earlier) = earlier
        .as_ref()
        .filter(|earlier| joins(last.gap) && !earlier.cut && short(earlier))
    else {
        return;
    };
    let outline = earlier.spelling.outline().followed(of_last);
    if (worth(outline.followed(of_piece)) || sink.reaches(|| start(earlier)))
        && let Some(three) = last
            .spelling
            .joined(piece.spelling)
            .and_then(|two| earlier.spelling.joined(two))
    {
        together(lexicon, items, &[*earlier, *last, *piece], three, sink);
    }
}

/// Letters of the longest word that is looked for in parts.
const LONGEST: u8 = 20;

fn joins(gap: Gap) -> bool {
    gap.count == 1 && !gap.wall
}

fn together(
    lexicon: &Lexicon,
    items: &[Item],
    parts: &[Piece],
    spelling: Spelling,
    sink: &mut Sink<'_>,
) {
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
        return;
    };
    let Some(all) = items.get(first.from..last.to) else {
        return;
    };
    let mut benign = None;
    // "a" and "I" are words, and no benign word's beginning, where a match follows.
    let article = first.to - first.from == 1
        && all
            .first()
            .is_some_and(|item| item.class == 0 || item.class == I);
    if let Some(start) = all.first().map(|item| item.start)
        && !article
        && sink.reaches(|| start)
    {
        let is_benign = lexicon.is_benign(spelling);
        benign = Some(is_benign);
        if is_benign {
            sink.excuse(all);
            return;
        }
    }
    let benign = || benign.unwrap_or_else(|| lexicon.is_benign(spelling));
    look_up(lexicon, all, parts, spelling, &benign, sink);
    // The plural.
    if let [stem @ .., before, last] = all
        && last.class == S
        && before.class != S
    {
        let stem = all.get(..stem.len() + 1).unwrap_or_default();
        look_up(
            lexicon,
            stem,
            parts,
            spelling.shortened(before.class),
            &benign,
            sink,
        );
    }
}

const S: u8 = b's' - b'a';

fn look_up(
    lexicon: &Lexicon,
    items: &[Item],
    parts: &[Piece],
    spelling: Spelling,
    benign: &dyn Fn() -> bool,
    sink: &mut Sink<'_>,
) {
    if !lexicon.may_spell(spelling) {
        return;
    }
    for (number, term) in lexicon.spelled(spelling) {
        *sink.steps += items.len() as u64;
        let has_letter = || items.iter().any(|item| item.is(mark::LETTER));
        if splits(term, parts) && term.is_spelled_by(items) && has_letter() && !benign() {
            sink.add(items, number, term);
        }
    }
}

/// Whether someone may have split `term` into these parts, rather than written these words.
fn splits(term: &Term, parts: &[Piece]) -> bool {
    // Of three letters there are too many: "as s", "a nus".
    if term.entry.word.len() < 4 {
        return false;
    }
    let mut spelling = Spelling::default();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            if part.gap.apostrophe {
                return false;
            }
            let seam = 1u32
                .checked_shl(u32::from(spelling.len))
                .unwrap_or_default();
            if part.gap.space && term.entry.seams & seam != 0 {
                return false;
            }
        } else if part.to - part.from == 1 && !part.gap.space {
            // The end of "it's" or of "U.S." begins no word.
            return false;
        }
        spelling = spelling.joined(part.spelling).unwrap_or(spelling);
    }
    true
}
