//! Whether clean text comes back from masking as it went in, byte for byte.

use crate::engines::Engine;
use crate::samples::{Sets, lines};
use crate::score::Flagged;

/// Clean texts with accents, in many scripts, with joined emoji, formulas and identifiers.
pub(crate) fn texts() -> Vec<&'static str> {
    lines(include_str!("fresh/scripts.txt"))
}

fn altered<'t>(engine: &mut dyn Engine, texts: impl Iterator<Item = &'t str>) -> Flagged {
    let texts: Vec<&str> = texts.collect();
    let altered = texts.iter().filter(|text| engine.masked(text) != **text);
    Flagged {
        flagged: altered.count(),
        of: texts.len(),
    }
}

/// Of [`texts`], and of the sets' clean texts that the engine itself does not flag.
pub(crate) fn check(engine: &mut dyn Engine, sets: &[&Sets]) -> (Flagged, Flagged) {
    let scripts = altered(engine, texts().into_iter());
    let samples = sets.iter().flat_map(|sets| sets.groups());
    let passed: Vec<&str> = samples
        .flat_map(|group| &group.samples)
        .filter(|sample| !sample.profane && !engine.flags(&sample.text))
        .map(|sample| sample.text.as_str())
        .collect();
    (scripts, altered(engine, passed.into_iter()))
}
