//! One piece of text against the lexicon: what stands inside it, what it is as a whole, and what excuses it.

use std::ops::ControlFlow;

use crate::item::{Item, Spelling, mark};
use crate::lexicon::{Hit, Lexicon, Term};
use crate::pack::Place;
use crate::scan::Piece;
use crate::spelled::letters_lead;
use crate::{Entry, Found};

/// Patterns met in one piece; the rest of a piece that is nothing but patterns is let go.
const HITS: usize = 256;

/// Where matches go: kept until nothing can excuse them any more.
pub(crate) struct Sink<'a> {
    found: &'a mut Vec<Found>,
    hits: &'a mut Vec<Hit>,
    pub(crate) steps: &'a mut u64,
}

impl<'a> Sink<'a> {
    pub(crate) fn new(
        found: &'a mut Vec<Found>,
        hits: &'a mut Vec<Hit>,
        steps: &'a mut u64,
    ) -> Self {
        Self { found, hits, steps }
    }

    /// Takes note that `items` spell `term`.
    pub(crate) fn add(&mut self, items: &[Item], number: u16, term: &Term) {
        let start = items
            .iter()
            .map(|item| item.start)
            .min()
            .unwrap_or_default() as usize;
        let end = items.iter().map(|item| item.end).max().unwrap_or_default() as usize;
        let found = Found {
            start,
            end,
            severity: term.severity(),
            entry: Entry(u32::from(number)),
        };
        if self.found.last() != Some(&found) {
            self.found.push(found);
        }
    }

    /// Whether a match reaches beyond byte `from`.
    pub(crate) fn reaches(&self, from: u32) -> bool {
        self.found
            .iter()
            .rev()
            .take(4)
            .any(|found| found.end > from as usize)
    }

    /// Forgets the matches that stand inside the bytes of `items`: they are part of a benign word.
    pub(crate) fn excuse(&mut self, items: &[Item]) {
        if let (Some(first), Some(last)) = (items.first(), items.last()) {
            self.found.retain(|found| {
                found.start < first.start as usize || found.end > last.end as usize
            });
        }
    }

    /// Hands out what ends at or before byte `until`: in order, what overlaps as one.
    pub(crate) fn hand_out(
        &mut self,
        until: usize,
        hand: &mut dyn FnMut(Found) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if self.found.is_empty() {
            return ControlFlow::Continue(());
        }
        self.found
            .sort_unstable_by_key(|found| (found.start, std::cmp::Reverse(found.end)));
        self.found.dedup_by(|next, kept| {
            let overlap = next.start < kept.end;
            if overlap {
                if next.severity > kept.severity {
                    (kept.severity, kept.entry) = (next.severity, next.entry);
                }
                kept.end = kept.end.max(next.end);
            }
            overlap
        });
        let ready = self.found.partition_point(|found| found.end <= until);
        for found in self.found.drain(..ready) {
            hand(found)?;
        }
        ControlFlow::Continue(())
    }
}

/// Looks at `items`, which are `piece`.
pub(crate) fn examine(lexicon: &Lexicon, items: &[Item], piece: Piece, sink: &mut Sink<'_>) {
    *sink.steps += items.len() as u64;
    let latin = piece.marks & mark::FOREIGN == 0
        || items
            .iter()
            .any(|item| item.is(mark::LETTER) && !item.is(mark::FOREIGN));
    if latin {
        inside(lexicon, items, sink);
    }
    if piece.cut {
        return;
    }
    whole(lexicon, items, piece.spelling, !latin, sink);
    if piece.marks & (mark::DIGIT | mark::SYMBOL) != 0 || piece.stars > 0 {
        trimmed(lexicon, items, !latin, sink);
    }
    if piece.marks & (mark::HUMP | mark::DIGIT) != 0 {
        let mut rest = items;
        while let Some((token, after)) = next_token(rest) {
            if token.len() < items.len() {
                whole(lexicon, token, Spelling::of(token), !latin, sink);
            }
            rest = after;
        }
    }
}

/// Finds what counts inside words.
pub(crate) fn inside(lexicon: &Lexicon, items: &[Item], sink: &mut Sink<'_>) {
    sink.hits.clear();
    let hits = &mut *sink.hits;
    lexicon.scan(items, &mut |hit| {
        if hits.len() < HITS {
            hits.push(hit);
        }
    });
    if sink.hits.iter().all(|hit| hit.term.is_none()) {
        return;
    }
    let hits = std::mem::take(sink.hits);
    for hit in &hits {
        let Some((number, term)) = hit
            .term
            .and_then(|number| Some((number, lexicon.terms.get(usize::from(number))?)))
        else {
            continue;
        };
        let (from, to) = extent(items, hit);
        let Some(spelled) = items.get(from..to) else {
            continue;
        };
        let excused = || {
            hits.iter().any(|other| {
                other.term.is_none()
                    && other.end + 1 >= hit.end.saturating_add(1)
                    && covers(extent(items, other), (from, to))
            })
        };
        if letters_lead(spelled)
            && (term.entry.place == Place::Anywhere || begins(items, from))
            && term.is_spelled_by(spelled)
            && !excused()
            && !benign_around(lexicon, items, from, to)
        {
            sink.add(spelled, number, term);
        }
    }
    *sink.hits = hits;
}

fn covers(outer: (usize, usize), inner: (usize, usize)) -> bool {
    outer.0 <= inner.0 && outer.1 >= inner.1
}

/// The items of a pattern, with the repeats of its first and last letter.
fn extent(items: &[Item], hit: &Hit) -> (usize, usize) {
    let mut left = hit.length;
    let mut class = u8::MAX;
    let mut from = hit.end + 1;
    for item in items.get(..=hit.end).unwrap_or_default().iter().rev() {
        if item.class != class {
            if left == 0 {
                break;
            }
            left -= 1;
            class = item.class;
        }
        from -= 1;
    }
    let last = items.get(hit.end).map(|item| item.class);
    let more = items
        .get(hit.end + 1..)
        .unwrap_or_default()
        .iter()
        .take_while(|item| Some(item.class) == last)
        .count();
    (from, hit.end + 1 + more)
}

/// Whether a word may begin at `at`.
fn begins(items: &[Item], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| items.get(before));
    before.is_none_or(|before| !before.is(mark::LETTER))
        || items.get(at).is_some_and(|item| item.is(mark::HUMP))
}

/// Finds `items` as a whole word. Of what counts anywhere only `all` is looked at: [`inside`] has the rest.
pub(crate) fn whole(
    lexicon: &Lexicon,
    items: &[Item],
    spelling: Spelling,
    all: bool,
    sink: &mut Sink<'_>,
) {
    for (number, term) in lexicon.spelled(spelling) {
        *sink.steps += items.len() as u64;
        if (all || term.entry.place != Place::Anywhere)
            && letters_lead(items)
            && term.is_spelled_by(items)
            && !lexicon.is_allowed(spelling)
        {
            sink.add(items, number, term);
        }
    }
}

/// Finds a whole word with digits or signs before or behind it that may be part of it or not: `$lut`, `dick!`, `tits99`.
fn trimmed(lexicon: &Lexicon, items: &[Item], all: bool, sink: &mut Sink<'_>) {
    let edge = |item: &&Item| !item.is(mark::LETTER);
    let lead = items.iter().take_while(edge).count();
    let trail = items.iter().rev().take_while(edge).count();
    if lead + trail == 0 || lead + trail >= items.len() {
        return;
    }
    for front in [0, 1, lead].into_iter().filter(|&front| front <= lead) {
        for back in [0, 1, 2, trail].into_iter().filter(|&back| back <= trail) {
            let keep = items
                .get(lead - front..items.len() - trail + back)
                .unwrap_or_default();
            if keep.len() < items.len() && keep.len() < 48 {
                whole(lexicon, keep, Spelling::of(keep), all, sink);
            }
        }
    }
}

/// The first word of camelCase, or what stands before two digits, and what follows it.
fn next_token(items: &[Item]) -> Option<(&[Item], &[Item])> {
    let is_number = |pair: &[Item]| match pair {
        [one, two] => {
            one.is(mark::DIGIT)
                && !one.is(mark::LETTER)
                && (one.run > 1 || two.is(mark::DIGIT) && !two.is(mark::LETTER))
        }
        _ => false,
    };
    let skip = items.windows(2).take_while(|pair| is_number(pair)).count();
    let items = items.get(skip..).filter(|items| !items.is_empty())?;
    let length = 1 + items
        .windows(2)
        .enumerate()
        .take_while(|(at, pair)| {
            !matches!(pair, [_, next] if next.is(mark::HUMP))
                && !items.get(at + 1..at + 3).is_some_and(is_number)
        })
        .count();
    items.split_at_checked(length)
}

/// Whether the word around the items `from..to` is a benign one: the whole piece without the digits around it, or its hump of camelCase.
fn benign_around(lexicon: &Lexicon, items: &[Item], from: usize, to: usize) -> bool {
    let edge = |item: &&Item| !item.is(mark::LETTER);
    let lead = items.iter().take_while(edge).count();
    let trail = items.iter().rev().take_while(edge).count();
    let benign = |from: usize, to: usize| {
        items
            .get(from..to)
            .is_some_and(|word| word.len() < 48 && lexicon.is_benign(Spelling::of(word)))
    };
    if benign(lead, items.len().saturating_sub(trail)) || benign(0, items.len()) {
        return true;
    }
    let ends = |item: &Item| item.is(mark::HUMP) || !item.is(mark::LETTER);
    let start = (0..=from).rev().find(|&at| {
        at == 0
            || items.get(at).is_some_and(|item| item.is(mark::HUMP))
            || items.get(at - 1).is_some_and(|item| !item.is(mark::LETTER))
    });
    let end = (to..items.len())
        .find(|&at| items.get(at).is_some_and(ends))
        .unwrap_or(items.len());
    benign(start.unwrap_or(0), end)
}
