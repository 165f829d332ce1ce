//! That the sets are what they say, that scores count right, and that the filter keeps to what is claimed of it.

use std::collections::HashSet;

use crate::dice::Dice;
use crate::engines::{Engine, Portcullis, all};
use crate::samples::{Group, Sample, Sets};
use crate::score::{Score, Verdicts};
use crate::{copied, fresh, identity, tricks};

/// What the filter must reach at least, or stay below, on the sets of one origin; from 0 to 1.
struct Claims {
    plain: f64,
    disguised: f64,
    names_f1: f64,
    styled: f64,
    /// The most of any clean group, and its name.
    clean: &'static [(&'static str, f64)],
}

/// On the sets that the matcher was tuned on.
const TUNED_ON: Claims = Claims {
    plain: 1.0,
    disguised: 0.99,
    names_f1: 0.985,
    styled: 0.005,
    clean: &[
        ("dictionary", 0.0002),
        ("world names", 0.0003),
        ("identifiers", 0.0),
        ("hard negatives", 0.01),
        ("joins", 0.0),
    ],
};

/// On sets that it was not tuned on.
const FRESH: Claims = Claims {
    plain: 0.96,
    disguised: 0.97,
    names_f1: 0.975,
    styled: 0.005,
    clean: &[
        ("dictionary", 0.0003),
        ("rare words", 0.0004),
        ("surnames", 0.0002),
        ("world names", 0.0003),
        ("identifiers", 0.0),
        ("hard negatives", 0.01),
        ("joins", 0.0),
    ],
};

/// So many of the texts in many scripts may be taken for profane, and so be masked.
const TAKEN_FOR_PROFANE: usize = 1;

fn check(sets: &Sets, claims: &Claims) {
    let mut engines = all();
    let score = Score::new(engines[0].as_mut(), sets);
    let least = [
        ("plain", score.plain().rate(), claims.plain),
        ("disguised", score.disguised().rate(), claims.disguised),
        ("names F1", score.names().f1(), claims.names_f1),
    ];
    let mut broken: Vec<String> = least
        .into_iter()
        .filter(|(_, got, least)| got < least)
        .map(|(what, got, least)| format!("{what}: {got:.4}, and {least} is claimed"))
        .collect();
    let clean = claims.clean.iter().map(|(name, most)| {
        let flagged = score.clean(name).expect("a group of that name");
        (*name, flagged.rate(), *most)
    });
    let most = clean.chain([("styled", score.styled().rate(), claims.styled)]);
    broken.extend(
        most.filter(|(_, got, most)| got > most)
            .map(|(what, got, most)| format!("{what}: {got:.4}, and at most {most} is claimed")),
    );
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_filter_keeps_to_its_claims_on_what_it_was_tuned_on() {
    check(&copied::sets().unwrap(), &TUNED_ON);
}

#[test]
fn the_filter_keeps_to_its_claims_on_what_it_has_not_met() {
    check(&fresh::sets(), &FRESH);
}

#[test]
fn masking_leaves_clean_text_as_it_was() {
    let copied = copied::sets().unwrap();
    let fresh = fresh::sets();
    let mut ours = Portcullis::new("ours", portcullis_profanity::Severity::Moderate);
    let (scripts, clean) = identity::check(&mut ours, &[&copied, &fresh]);
    assert!(scripts.flagged <= TAKEN_FOR_PROFANE, "{}", scripts.flagged);
    assert_eq!(clean.flagged, 0);
    assert!(scripts.of > 60 && clean.of > 80_000);
}

/// Every claim is for these texts and no others: who changes a set measures again.
#[test]
fn the_fresh_sets_are_those_that_figures_were_quoted_for() {
    let sets = fresh::sets();
    let texts = sets.groups().flat_map(|group| &group.samples);
    // FNV-1a, as the standard library's hash may change.
    let print = texts
        .flat_map(|sample| sample.text.bytes().chain([b'\n']))
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
    assert_eq!(print, FINGERPRINT, "{print:#x}");
}

const FINGERPRINT: u64 = 0xd09e_fd9b_e74c_0923;

#[test]
fn the_fresh_sets_share_nothing_with_those_that_were_tuned_on() {
    let copied = copied::sets().unwrap();
    let fresh = fresh::sets();
    let texts = |sets: &Sets| -> HashSet<String> {
        // Names of players may meet by accident, and pairs of common words.
        sets.groups()
            .filter(|group| !matches!(group.name, "names" | "joins"))
            .flat_map(|group| &group.samples)
            .map(|sample| sample.text.clone())
            .collect()
    };
    let met = texts(&copied);
    let both: Vec<String> = texts(&fresh).intersection(&met).cloned().collect();
    assert!(both.is_empty(), "{both:?}");

    let plain = |sets: &Sets| -> HashSet<String> {
        let samples = sets.evasions.samples.iter();
        samples
            .filter(|sample| sample.kind == "plain")
            .flat_map(|sample| sample.text.split(' ').map(str::to_owned))
            .collect()
    };
    let words: HashSet<String> = include_str!("fresh/profane.txt")
        .lines()
        .map(str::to_owned)
        .collect();
    assert!(plain(&copied).is_disjoint(&words));
    assert!(!plain(&fresh).is_disjoint(&words));
}

#[test]
fn a_trick_changes_every_word_or_says_that_it_cannot() {
    let mut dice = Dice::new(1);
    for (kind, trick) in tricks::ALL {
        for word in ["scunthorpe", "xyz", "a", "é", ""] {
            let disguised = trick(word, &mut dice);
            if kind == "plain" {
                assert_eq!(disguised.as_deref(), Some(word));
            } else if word == "scunthorpe" && kind != "mixed_case" {
                assert_ne!(disguised.expect(kind), word, "{kind}");
            }
        }
    }
}

/// Flags what has `bad` in it.
struct Simple;

impl Engine for Simple {
    fn name(&self) -> &'static str {
        "simple"
    }

    fn flags(&mut self, text: &str) -> bool {
        text.contains("bad")
    }

    fn masked(&mut self, text: &str) -> String {
        text.replace("bad", "***")
    }
}

#[test]
fn scores_count_what_is_flagged() {
    let group = Group::new(
        "names",
        vec![
            Sample::profane("bad", "one"),
            Sample::profane("bad boy", "one"),
            Sample::profane("b4d", "two"),
            Sample::profane("b-a-d", "two"),
            Sample::clean("badge", "three"),
            Sample::clean("good", "three"),
        ],
    );
    let verdicts = Verdicts::new(&mut Simple, &group);
    let all = verdicts.total(|_| true);
    assert_eq!((all.profane.flagged, all.profane.of), (2, 4));
    assert_eq!((all.clean.flagged, all.clean.of), (1, 2));
    assert_eq!((all.precision(), all.recall()), (2.0 / 3.0, 0.5));
    assert!((all.f1() - 4.0 / 7.0).abs() < 1e-9);
    let wrong: Vec<&str> = verdicts
        .wrong()
        .map(|sample| sample.text.as_str())
        .collect();
    assert_eq!(wrong, ["b4d", "b-a-d", "badge"]);
    let recalls: Vec<(String, f64)> = verdicts
        .by_kind(|_| true)
        .into_iter()
        .map(|(kind, mixed)| (kind, mixed.recall()))
        .collect();
    let expected = [("one", 1.0), ("two", 0.0), ("three", 0.0)];
    assert_eq!(
        recalls,
        expected.map(|(kind, rate)| (kind.to_owned(), rate))
    );
}
