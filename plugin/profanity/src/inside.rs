//! What counts inside words, and what stands around it that excuses it.

use crate::benign::{adds_letters, benign_around};
use crate::examine::alone;
use crate::item::{Item, class_of, mark};
use crate::lexicon::{Hit, Lexicon};
use crate::pack::Place;
use crate::sink::Sink;
use crate::spelled::{heavily_disguised, letters_lead};

/// Patterns met in one piece; the rest of a piece that is nothing but patterns is let go.
const HITS: usize = 256;

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
