//! One piece of text against the lexicon: what stands inside it, what it is as a whole, and what excuses it.

use std::ops::ControlFlow;

use crate::item::{I, Item, Spelling, class_of, mark};
use crate::lexicon::{Hit, Lexicon, Term};
use crate::pack::Place;
use crate::scan::Piece;
use crate::spelled::{heavily_disguised, is_hex, letters_lead};
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

    /// Whether `look` finds anything; what it does is forgotten again.
    pub(crate) fn would_find(&mut self, look: impl FnOnce(&mut Self)) -> bool {
        let before = self.found.len();
        look(self);
        let more = self.found.len() > before;
        self.found.truncate(before);
        more
    }

    /// Whether a match reaches beyond byte `from()`.
    pub(crate) fn reaches(&self, from: impl Fn() -> u32) -> bool {
        if self.found.is_empty() {
            return false;
        }
        let from = from();
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

/// Letters of the longest entry that [`glued`] looks for.
const SHORT: usize = 4;
/// Only a word of more letters is looked at by [`glued`].
pub(crate) const LONG: usize = SHORT + 2;

/// Finds an entry that is too short to count inside words where it stands before or behind a word of its own: `dickmarinade42`.
fn glued(lexicon: &Lexicon, items: &[Item], sink: &mut Sink<'_>) {
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

/// More items than a word has.
const WORD: usize = 48;

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
        let (mut from, mut to) = extent(items, hit);
        // "LoginsSlut": the hump begins the word, if it is enough of it.
        let first = items.get(from).map(|item| item.class);
        let hump = (from + 1..to)
            .take_while(|&at| items.get(at).is_some_and(|item| Some(item.class) == first))
            .find(|&at| items.get(at).is_some_and(|item| item.is(mark::HUMP)));
        if let Some(hump) = hump.filter(|&hump| {
            items
                .get(hump..to)
                .is_some_and(|items| term.is_spelled_by(items))
        }) {
            from = hump;
        }
        // "p!$5": a digit behind is part of it only where it lacks one.
        let lacking = !items
            .get(from..to)
            .is_some_and(|items| term.is_spelled_by(items));
        let last = items.get(hit.end).map(|item| item.class);
        if lacking && items.get(to).is_some_and(|next| Some(next.class) == last) {
            to += 1;
        }
        let Some(spelled) = items.get(from..to) else {
            continue;
        };
        let excused = || {
            hits.iter().any(|other| {
                other.term.is_none() && excuses(items, extent(items, other), (from, to))
            })
        };
        let fits = || {
            term.entry.place == Place::Anywhere
                || flanked(lexicon, items, from, to, term.entry.place == Place::Beside)
        };
        if (letters_lead(spelled) || alone(items, from, to) && heavily_disguised(spelled))
            && term.is_spelled_by(spelled)
            && fits()
            && !excused()
            && !benign_around(lexicon, items, from, to)
        {
            sink.add(spelled, number, term);
        }
    }
    *sink.hits = hits;
}

/// Whether a benign word at `benign` is what a match at `inner` was part of, or ran into: "peacock" before "face".
fn excuses(items: &[Item], benign: (usize, usize), inner: (usize, usize)) -> bool {
    // "itsWanker" holds no "swanker": where a hump begins a word, one that begins in the hump before is none.
    if items.get(inner.0).is_some_and(|item| item.is(mark::HUMP))
        && benign.0 < inner.0
        && !begins_word(items, benign.0)
    {
        return false;
    }
    adds_letters(items, benign, inner)
        || benign.0 < inner.0 && benign.1 > inner.0 + 2 && benign.1 < inner.1
}

/// Whether a word may begin at `at`: nothing, a sign or a digit stands before it, or it is a hump.
fn begins_word(items: &[Item], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| items.get(before));
    before.is_none_or(|before| !before.is(mark::LETTER))
        || items.get(at).is_some_and(|item| item.is(mark::HUMP))
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
    let Some(last) = items.get(hit.end) else {
        return (from, from);
    };
    // A number behind a word is no part of it, whatever its digits look like; nor is the letter before a hump.
    let more = items.get(hit.end + 1..).unwrap_or_default().iter();
    let more = more
        .take_while(|item| {
            item.class == last.class
                && item.is(mark::DIGIT) == last.is(mark::DIGIT)
                && !item.is(mark::HUMP)
        })
        .count();
    (from, hit.end + 1 + more)
}

/// Whether what stands before and behind the items `from..to`, within the letters around them, may be words of their own: common ones, or
/// nothing. So "magpieshithead" is found and "Harshit" is not. With `beside` it is enough that there is nothing on one side.
fn flanked(lexicon: &Lexicon, items: &[Item], from: usize, to: usize, beside: bool) -> bool {
    let humped = |at: usize| {
        items
            .get(at)
            .is_none_or(|item| item.is(mark::HUMP) || !item.is(mark::LETTER))
    };
    let before = items.get(..from).unwrap_or_default();
    let behind = items.get(to..).unwrap_or_default();
    let front = if humped(from) {
        &[]
    } else {
        letters_at_end(before)
    };
    let back = if humped(to) {
        &[]
    } else {
        letters_at_start(behind)
    };
    if beside && (front.is_empty() || back.is_empty()) {
        return true;
    }
    (front.is_empty() || lexicon.common.ends(front))
        && (back.is_empty()
            || lexicon.common.begins(back)
            || ["s", "z", "ed", "er", "ers", "ing", "y", "ly"]
                .iter()
                .any(|ending| {
                    behind_ending(back, ending)
                        .is_some_and(|back| back.is_empty() || lexicon.common.begins(back))
                }))
}

/// What follows on `ending` in `items`, if they begin with it.
fn behind_ending<'a>(items: &'a [Item], ending: &str) -> Option<&'a [Item]> {
    let (start, rest) = items.split_at_checked(ending.len())?;
    start
        .iter()
        .zip(ending.bytes())
        .all(|(item, letter)| Some(item.class) == class_of(letter))
        .then_some(rest)
}

fn letters_at_end(items: &[Item]) -> &[Item] {
    let count = items
        .iter()
        .rev()
        .take_while(|item| item.is(mark::LETTER))
        .count();
    items.get(items.len() - count..).unwrap_or_default()
}

fn letters_at_start(items: &[Item]) -> &[Item] {
    let count = items
        .iter()
        .take_while(|item| item.is(mark::LETTER))
        .count();
    items.get(..count).unwrap_or_default()
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
fn alone(items: &[Item], from: usize, to: usize) -> bool {
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

/// Whether the word around the items `from..to` is a benign one: the whole piece without the digits around it, or its hump of camelCase.
fn benign_around(lexicon: &Lexicon, items: &[Item], from: usize, to: usize) -> bool {
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
fn adds_letters(items: &[Item], outer: (usize, usize), inner: (usize, usize)) -> bool {
    let adds = |from: usize, to: usize| match items.get(from..to) {
        Some([]) => true,
        Some([one]) if !one.is(mark::LETTER) => one.run == 1 && one.class != I,
        Some(more) => more.iter().any(|item| item.is(mark::LETTER | mark::SYMBOL)),
        None => false,
    };
    outer.0 <= inner.0 && outer.1 >= inner.1 && adds(outer.0, inner.0) && adds(inner.1, outer.1)
}
