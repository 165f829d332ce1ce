//! What an engine gets right and wrong.

use std::collections::HashSet;

use crate::engines::Engine;
use crate::samples::{Group, Sample, Sets};

/// So many flagged, of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flagged {
    pub(crate) flagged: usize,
    pub(crate) of: usize,
}

impl Flagged {
    fn count(&mut self, flagged: bool) {
        self.of += 1;
        self.flagged += usize::from(flagged);
    }

    /// From 0 to 1; 0 of none.
    pub(crate) fn rate(self) -> f64 {
        self.flagged as f64 / self.of.max(1) as f64
    }
}

/// A group where some texts are profane and some are not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mixed {
    pub(crate) profane: Flagged,
    pub(crate) clean: Flagged,
}

impl Mixed {
    /// Of what is flagged, the part that is profane.
    pub(crate) fn precision(self) -> f64 {
        let flagged = self.profane.flagged + self.clean.flagged;
        self.profane.flagged as f64 / flagged.max(1) as f64
    }

    /// Of what is profane, the part that is flagged.
    pub(crate) fn recall(self) -> f64 {
        self.profane.rate()
    }

    /// The harmonic mean of both.
    pub(crate) fn f1(self) -> f64 {
        let (precision, recall) = (self.precision(), self.recall());
        if precision + recall == 0.0 {
            return 0.0;
        }
        2.0 * precision * recall / (precision + recall)
    }
}

/// The texts of one kind.
pub(crate) type OfKind = (String, Mixed);

/// A group's verdicts.
pub(crate) struct Verdicts<'s> {
    pub(crate) group: &'s Group,
    pub(crate) flagged: Vec<bool>,
}

impl<'s> Verdicts<'s> {
    pub(crate) fn new(engine: &mut dyn Engine, group: &'s Group) -> Self {
        let flagged = group
            .samples
            .iter()
            .map(|sample| {
                if group.values {
                    engine.flags_value(&sample.text)
                } else {
                    engine.flags(&sample.text)
                }
            })
            .collect();
        Self { group, flagged }
    }

    fn each(&self) -> impl Iterator<Item = (&'s Sample, bool)> {
        self.group.samples.iter().zip(self.flagged.iter().copied())
    }

    /// Those that `counts`.
    pub(crate) fn total(&self, counts: impl Fn(&Sample) -> bool) -> Mixed {
        let mut mixed = Mixed::default();
        for (sample, flagged) in self.each().filter(|(sample, _)| counts(sample)) {
            if sample.profane {
                mixed.profane.count(flagged);
            } else {
                mixed.clean.count(flagged);
            }
        }
        mixed
    }

    /// Those that `counts`, by kind, in the order that the group has them.
    pub(crate) fn by_kind(&self, counts: impl Fn(&Sample) -> bool) -> Vec<OfKind> {
        self.group
            .kinds()
            .into_iter()
            .map(|kind| {
                (
                    kind.to_owned(),
                    self.total(|sample| sample.kind == kind && counts(sample)),
                )
            })
            .collect()
    }

    /// Profane and passed, or clean and flagged.
    pub(crate) fn wrong(&self) -> impl Iterator<Item = &'s Sample> {
        self.each()
            .filter(|(sample, flagged)| sample.profane != *flagged)
            .map(|(sample, _)| sample)
    }
}

/// All verdicts of one engine on the sets of one origin.
pub(crate) struct Score<'s> {
    pub(crate) engine: &'static str,
    /// The words of the evasions that the engine flags where they stand alone, undisguised.
    known: HashSet<&'s str>,
    pub(crate) evasions: Verdicts<'s>,
    pub(crate) styled: Verdicts<'s>,
    pub(crate) names: Verdicts<'s>,
    pub(crate) clean: Vec<Verdicts<'s>>,
    pub(crate) disputed: Option<Verdicts<'s>>,
}

impl<'s> Score<'s> {
    pub(crate) fn new(engine: &mut dyn Engine, sets: &'s Sets) -> Self {
        let words: HashSet<&str> = sets
            .evasions
            .samples
            .iter()
            .filter_map(|sample| sample.word.as_deref())
            .collect();
        let known = words
            .into_iter()
            .filter(|word| engine.flags(word))
            .collect();
        let mut of = |group| Verdicts::new(engine, group);
        Self {
            known,
            evasions: of(&sets.evasions),
            styled: of(&sets.styled),
            names: of(&sets.names),
            clean: sets.clean.iter().map(&mut of).collect(),
            disputed: sets.disputed.as_ref().map(&mut of),
            engine: engine.name(),
        }
    }

    /// Of the words as they are.
    pub(crate) fn plain(&self) -> Flagged {
        self.evasions.total(|sample| sample.kind == PLAIN).profane
    }

    /// Of the words under a trick.
    pub(crate) fn disguised(&self) -> Flagged {
        self.evasions.total(|sample| sample.kind != PLAIN).profane
    }

    /// The same, of the words that the engine knows: what it misses of the others is its lexicon's.
    pub(crate) fn disguised_known(&self) -> Flagged {
        self.evasions
            .total(|sample| sample.kind != PLAIN && self.knows(sample))
            .profane
    }

    /// Whether the engine flags the text's word where it stands alone, undisguised.
    pub(crate) fn knows(&self, sample: &Sample) -> bool {
        let word = sample.word.as_deref();
        word.is_some_and(|word| self.known.contains(word))
    }

    /// Of the benign words under a trick.
    pub(crate) fn styled(&self) -> Flagged {
        self.styled.total(|_| true).clean
    }

    pub(crate) fn names(&self) -> Mixed {
        self.names.total(|_| true)
    }

    /// Of the clean group of this name, if the sets have it.
    #[cfg(test)]
    pub(crate) fn clean(&self, name: &str) -> Option<Flagged> {
        let verdicts = self.clean.iter().find(|one| one.group.name == name)?;
        Some(verdicts.total(|_| true).clean)
    }

    pub(crate) fn groups(&self) -> impl Iterator<Item = &Verdicts<'s>> {
        [&self.evasions, &self.styled, &self.names]
            .into_iter()
            .chain(&self.clean)
    }
}

/// The kind of an evasion that is none.
const PLAIN: &str = "plain";
