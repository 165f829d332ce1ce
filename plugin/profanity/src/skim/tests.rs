//! That what is passed over is what the walk makes nothing of.

use std::ops::ControlFlow;
use std::sync::OnceLock;

use proptest::prelude::*;
use proptest::sample::select;

use crate::dictionary::each_word;
use crate::lexicon::Lexicon;
use crate::pack::pack;
use crate::scan::{Scratch, scan_with};
use crate::{Filter, Found, Severity, Wanted};

/// The English list from mild on, with words and exceptions of an operator.
fn lexicon() -> &'static Lexicon {
    static FILTER: OnceLock<Filter> = OnceLock::new();
    let owned = |words: &[&str]| words.iter().map(|&word| word.into()).collect::<Vec<_>>();
    let filter = FILTER.get_or_init(|| {
        let wanted = Wanted {
            lists: &["en"],
            words: &owned(&["ton", "zorblax", "foul play", "no", "aab"]),
            allow: &owned(&["bass hole", "shitake"]),
            threshold: Severity::Mild,
        };
        Filter::compile(&wanted).0
    });
    &filter.lexicon
}

fn found(text: &str, skims: bool) -> Vec<Found> {
    let mut all = Vec::new();
    let mut hand = |found| {
        all.push(found);
        ControlFlow::Continue(())
    };
    scan_with(lexicon(), text, &mut Scratch::default(), &mut hand, skims);
    all
}

#[test]
fn each_word_of_the_dictionary_and_the_lists_is_found_or_not_either_way() {
    let mut words = Vec::new();
    each_word(|word| words.push(word.to_owned()));
    let pack = pack("en").unwrap();
    words.extend(pack.allow);
    words.extend(pack.entries.into_iter().map(|entry| entry.word));
    for pair in words.chunks(2) {
        // Parted where it matters: at each place of it.
        let word = pair.concat();
        let parted = (1..word.len())
            .map(|at| parted(&word, at))
            .collect::<Vec<_>>()
            .join(", then ");
        for text in [pair.join(" "), parted] {
            assert_eq!(found(&text, true), found(&text, false), "{text}");
        }
    }
}

fn parted(word: &str, at: usize) -> String {
    let (one, two) = word.split_at(at);
    format!("{one} {two}")
}

fn words() -> Vec<String> {
    let pack = pack("en").unwrap();
    let mut words: Vec<String> = pack.entries.into_iter().map(|entry| entry.word).collect();
    // What excuses, and what is neither.
    words.extend(pack.allow.into_iter().step_by(3));
    let mut at = 0;
    each_word(|word| {
        at += 1;
        if at % 7 == 0 {
            words.push(word.to_owned());
        }
    });
    words
}

/// Words, whole, parted and disguised, with what stands between words.
fn prose() -> impl Strategy<Value = String> {
    let word = || select(words());
    let capital = |word: String| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    };
    let part = prop_oneof![
        6 => word(),
        2 => word().prop_map(capital),
        1 => word().prop_map(|word| word.to_uppercase()),
        3 => (word(), 1..9usize).prop_map(|(word, at)| {
            let at = at.min(word.len() - 1);
            parted(&word, at)
        }),
        1 => (word(), word()).prop_map(|(one, two)| one + &two),
        1 => word().prop_map(|word| word.split("").collect::<Vec<_>>().join(" ")),
        1 => word().prop_map(|word| word.replace('i', "1").replace('s', "$")),
        1 => word().prop_map(|word| format!("\u{202e}{word}\u{202c}")),
        2 => "[a-zA-Z]{1,3}",
        1 => "[0-9]{1,3}",
        1 => Just("https://x.example".to_owned()),
        1 => "[a-z]{30,60}",
        1 => "[aA]{1,300}",
        1 => "\\PC{1,4}",
    ];
    let gap = prop_oneof![
        8 => Just(" "), 1 => Just(", "), 1 => Just("."), 1 => Just("'"), 1 => Just("-"), 1 => Just("\n"), 1 => Just("!"), 1 => Just("/"), 1 => Just("#"), 1 => Just("?"), 1 => Just("www."), 1 => Just("://"),
        1 => Just("*"), 1 => Just("  "), 1 => Just(""), 1 => Just("你"), 1 => Just("\u{301}"), 1 => Just("    "),
    ];
    proptest::collection::vec((part, gap), 0..30).prop_map(|parts| {
        parts
            .into_iter()
            .map(|(part, gap)| part + gap)
            .collect::<String>()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_passed_over_holds_nothing(text in prose()) {
        prop_assert_eq!(found(&text, true), found(&text, false));
    }
}
