//! One piece of text against the lexicon: what it is as a whole and in its parts, and what stands inside it.

use crate::benign::{WORD, benign_around};
use crate::glued::{LONG, glued};
use crate::inside::inside;
use crate::item::{Item, Spelling, mark};
use crate::lexicon::Lexicon;
use crate::pack::Place;
use crate::piece::Piece;
use crate::sink::Sink;
use crate::spelled::{heavily_disguised, is_hex, letters_lead};

/// Looks at `items`, which are `piece`.
pub(crate) fn examine(lexicon: &Lexicon, items: &[Item], piece: &Piece, sink: &mut Sink<'_>) {
    *sink.steps += items.len() as u64;
    if piece.marks & mark::DIGIT != 0 && is_hex(items) {
        return;
    }
    const RARE: u8 = mark::DIGIT | mark::SYMBOL | mark::FOREIGN | mark::HUMP;
    if piece.marks & RARE == 0 && !piece.suspect && piece.stars == 0 && !piece.cut {
        plain(lexicon, items, piece.spelling, sink);
        return;
    }
    let latin = piece.marks & mark::FOREIGN == 0
        || items
            .iter()
            .any(|item| item.is(mark::LETTER) && !item.is(mark::FOREIGN));
    if latin && piece.suspect {
        inside(lexicon, items, sink);
    }
    if piece.cut {
        return;
    }
    let part = |from, to| Part {
        all: items,
        from,
        to,
        foreign: !latin,
    };
    whole(lexicon, part(0, items.len()), piece.spelling, sink);
    if piece.marks & (mark::DIGIT | mark::SYMBOL) != 0 || piece.stars > 0 {
        trimmed(lexicon, part(0, items.len()), sink);
    }
    if items.len() > LONG {
        glued(lexicon, items, sink);
    }
    if piece.marks & (mark::HUMP | mark::DIGIT) != 0 {
        let mut from = 0;
        while let Some((start, to)) = next_token(items, from) {
            if to - start < items.len() && to - start <= WORD {
                let token = part(start, to);
                whole(lexicon, token, Spelling::of(token.items()), sink);
                // "TheCock7"
                if items
                    .get(to - 1)
                    .is_some_and(|last| last.is(mark::DIGIT) && !last.is(mark::LETTER))
                {
                    let token = part(start, to - 1);
                    whole(lexicon, token, Spelling::of(token.items()), sink);
                }
            }
            from = to;
        }
    }
}

/// Looks at a word of letters alone in which nothing begins that counts inside words: what most words are.
#[inline]
fn plain(lexicon: &Lexicon, items: &[Item], spelling: Spelling, sink: &mut Sink<'_>) {
    if lexicon.may_outline(spelling.outline()) {
        let part = Part {
            all: items,
            from: 0,
            to: items.len(),
            foreign: false,
        };
        whole(lexicon, part, spelling, sink);
    }
    if items.len() > LONG {
        glued(lexicon, items, sink);
    }
}

/// Some of the items of a piece.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a> {
    pub(crate) all: &'a [Item],
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// None of the letters of the piece is a Latin one: it counts as a whole or not at all.
    pub(crate) foreign: bool,
}

impl<'a> Part<'a> {
    fn items(&self) -> &'a [Item] {
        self.all.get(self.from..self.to).unwrap_or_default()
    }
}

/// Finds `part` as a whole word. Of what counts inside words too only a part of foreign letters is looked at: [`inside`] has the rest.
#[inline]
pub(crate) fn whole(lexicon: &Lexicon, part: Part<'_>, spelling: Spelling, sink: &mut Sink<'_>) {
    if lexicon.may_outline(spelling.outline()) && lexicon.may_spell(spelling) {
        whole_of(lexicon, part, spelling, sink);
    }
}

fn whole_of(lexicon: &Lexicon, part: Part<'_>, spelling: Spelling, sink: &mut Sink<'_>) {
    for (number, term) in lexicon.spelled(spelling) {
        let items = part.items();
        *sink.steps += items.len() as u64;
        if (part.foreign || term.entry.place == Place::Whole)
            && (letters_lead(items)
                || alone(part.all, part.from, part.to) && heavily_disguised(items))
            && term.is_spelled_by(items)
            && !lexicon.is_allowed(spelling)
            && (items.len() == part.all.len()
                || !benign_around(lexicon, part.all, part.from, part.to))
        {
            sink.add(items, number, term);
        }
    }
}

/// Whether nothing but signs stands beside the items `from..to`.
pub(crate) fn alone(items: &[Item], from: usize, to: usize) -> bool {
    let signs = |items: Option<&[Item]>| {
        items.is_some_and(|items| {
            items
                .iter()
                .all(|item| item.is(mark::SYMBOL) && !item.is(mark::LETTER | mark::DIGIT))
        })
    };
    signs(items.get(..from)) && signs(items.get(to..))
}

/// Finds a whole word with digits or signs before or behind it that may be part of it or not: `$lut`, `dick!`, `tits99`.
fn trimmed(lexicon: &Lexicon, part: Part<'_>, sink: &mut Sink<'_>) {
    let items = part.all;
    let edge = |item: &&Item| !item.is(mark::LETTER);
    let lead = items.iter().take_while(edge).count();
    let trail = items.iter().rev().take_while(edge).count();
    if lead + trail == 0 || lead + trail >= items.len() || items.len() - lead - trail > WORD {
        return;
    }
    for front in [0, 1, 2, lead]
        .into_iter()
        .filter(|&front| front <= lead.min(WORD))
    {
        for back in [0, 1, 2, trail]
            .into_iter()
            .filter(|&back| back <= trail.min(WORD))
        {
            let keep = Part {
                from: lead - front,
                to: items.len() - trail + back,
                ..part
            };
            if keep.to - keep.from < items.len() {
                whole(lexicon, keep, Spelling::of(keep.items()), sink);
            }
        }
    }
}

/// Where the next word of camelCase begins and ends, two digits and more being no part of any, from `from` on.
fn next_token(items: &[Item], from: usize) -> Option<(usize, usize)> {
    let digit = |at: usize| {
        items
            .get(at)
            .is_some_and(|item| item.is(mark::DIGIT) && !item.is(mark::LETTER))
    };
    let number = |at: usize| {
        digit(at)
            && (items.get(at).is_some_and(|item| item.run > 1)
                || digit(at + 1)
                || at > 0 && digit(at - 1))
    };
    let start = (from..items.len()).find(|&at| !number(at))?;
    let end = (start + 1..items.len())
        .find(|&at| number(at) || items.get(at).is_some_and(|item| item.is(mark::HUMP)));
    Some((start, end.unwrap_or(items.len())))
}
