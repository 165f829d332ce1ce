//! A word in two or three parts with one character between them: `fu ck`, `as-shole`.

use crate::item::{I, Item, Outline, Spelling, mark};
use crate::lexicon::{Lexicon, Term};
use crate::piece::{Gap, Piece};
use crate::sink::Sink;

/// What of a piece tells whether it may be part of a split word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Side {
    pub(crate) outline: Outline,
    /// It may go on with what stands before it.
    pub(crate) follows: bool,
    pub(crate) cut: bool,
}

impl Side {
    /// Of what is not there: nothing joins it.
    pub(crate) const NONE: Self = Self {
        outline: Outline::NONE,
        follows: false,
        cut: true,
    };

    pub(crate) fn of(piece: &Piece) -> Self {
        Self {
            outline: piece.spelling.outline(),
            follows: joins_over(piece.gap),
            cut: piece.cut,
        }
    }
}

/// Of the last two, and of all three, of some pieces in a row: whether they may be an entry together; `None` if they are not joined at all.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Joins {
    pub(crate) two: Option<bool>,
    pub(crate) three: Option<bool>,
}

/// How `piece` and the one or two before it may be joined. `before_last` is the class before its last one, if it has more than one.
#[inline]
pub(crate) fn joins(
    lexicon: &Lexicon,
    [earlier, last]: [Side; 2],
    piece: Side,
    before_last: Option<u8>,
) -> Joins {
    let mut joins = Joins::default();
    if !piece.follows || piece.cut || last.cut {
        return joins;
    }
    let lengths = (last.outline.len(), piece.outline.len());
    if lengths.0.saturating_add(lengths.1) > LONGEST {
        return joins;
    }
    let plural = plural(piece.outline, last.outline, before_last);
    let known = |outline: Outline| {
        lexicon.may_outline(outline)
            || plural.is_some_and(|before| lexicon.may_outline(outline.shortened(before)))
    };
    joins.two = Some(known(last.outline.followed(piece.outline)));
    // Of three parts two are short, and all are no sentence.
    let short = |first: u8| {
        let (first, second, third) = (u32::from(first), u32::from(lengths.0), u32::from(lengths.1));
        u32::from(first < 4) + u32::from(second < 4) + u32::from(third < 4) > 1
            && first + second + third < 14
    };
    if last.follows && !earlier.cut && short(earlier.outline.len()) {
        let outline = earlier.outline.followed(last.outline);
        joins.three = Some(known(outline.followed(piece.outline)));
    }
    joins
}

/// The class that the plural `piece`, behind `last`, ends with as a singular.
fn plural(piece: Outline, last: Outline, before_last: Option<u8>) -> Option<u8> {
    if piece.last() == Some(S) {
        before_last.or(last.last())
    } else {
        None
    }
}

/// Whether there may be terms of this spelling of `last` and `piece`, or of what stands before them too, or of its singular.
pub(crate) fn may_spell(
    lexicon: &Lexicon,
    spelling: Spelling,
    (last, piece): (&Side, &Side),
    before_last: Option<u8>,
) -> bool {
    lexicon.may_spell(spelling)
        || plural(piece.outline, last.outline, before_last)
            .is_some_and(|before| lexicon.may_spell(spelling.shortened(before)))
}

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
    let before_last = match items.get(piece.from..piece.to) {
        Some([.., before, _]) => Some(before.class),
        _ => None,
    };
    let sides = before.map(|piece| piece.as_ref().map_or(Side::NONE, Side::of));
    let joins = joins(lexicon, sides, Side::of(piece), before_last);
    let start = |piece: &Piece| items.get(piece.from).map_or(0, |item| item.start);
    if let Some(known) = joins.two
        && (known || sink.reaches(|| start(last)))
        && let Some(two) = last.spelling.joined(piece.spelling)
    {
        together(lexicon, items, &[*last, *piece], two, sink);
    }
    if let (Some(known), Some(earlier)) = (joins.three, earlier)
        && (known || sink.reaches(|| start(earlier)))
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

/// Whether a word may have such a gap in it.
#[inline]
pub(crate) fn joins_over(gap: Gap) -> bool {
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
