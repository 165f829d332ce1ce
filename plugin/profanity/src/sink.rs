//! Where matches go: kept until nothing can excuse them any more, and handed out in order.

use std::cmp::Reverse;
use std::ops::ControlFlow;

use crate::item::Item;
use crate::lexicon::{Hit, Term};
use crate::{Entry, Found};

/// Where matches go: kept until nothing can excuse them any more.
pub(crate) struct Sink<'a> {
    found: &'a mut Vec<Found>,
    pub(crate) hits: &'a mut Vec<Hit>,
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
        // The entry too, so that what else is handed out has no say in which one of two is named.
        self.found
            .sort_unstable_by_key(|found| (found.start, Reverse(found.end), found.entry.0));
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
