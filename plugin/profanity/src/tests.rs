//! What the filter finds and what it leaves alone, by table and by property.

use std::ops::ControlFlow;
use std::sync::OnceLock;

use proptest::prelude::*;

use crate::{Filter, Found, Note, PACKS, Scratch, Severity, Wanted, mask};

fn filter(threshold: Severity) -> Filter {
    Filter::compile(&Wanted {
        lists: &["en"],
        words: &[],
        allow: &[],
        threshold,
    })
    .0
}

fn found(filter: &Filter, text: &str) -> Vec<Found> {
    let mut all = Vec::new();
    filter.find(text, &mut Scratch::default(), &mut |found| {
        all.push(found);
        ControlFlow::Continue(())
    });
    all
}

/// The English list from mild on, compiled once for all properties.
fn mild() -> &'static Filter {
    static MILD: OnceLock<Filter> = OnceLock::new();
    MILD.get_or_init(|| filter(Severity::Mild))
}

/// `text` masked.
fn masked(filter: &Filter, text: &str) -> String {
    let spans: Vec<(usize, usize)> = found(filter, text)
        .iter()
        .map(|found| (found.start, found.end))
        .collect();
    mask(text, &spans)
}

#[test]
fn disguises_are_seen_through() {
    let filter = filter(Severity::Moderate);
    #[track_caller]
    fn check(filter: &Filter, text: &str, expected: &str) {
        assert_eq!(masked(filter, text), expected, "{text}");
    }
    let check = |text, expected| check(&filter, text, expected);
    check("well shit happens", "well **** happens");
    check("SHIT", "****");
    check("sh1t", "****");
    check("$hit!", "****!");
    check("shiiiit", "*******");
    check("s h i t", "*******");
    check("s.h.i.t", "*******");
    check("s|h|i|t", "*******");
    check("s*h*i*t", "*******");
    check("bull sh*t", "bull ****");
    check("b itch", "******");
    check("a**hole", "*******");
    check("ass-hole", "********");
    check("fu ck you", "***** you");
    check("f\u{200b}u\u{200b}ck", "****");
    check("f\u{301}u\u{301}c\u{301}k\u{301}", "****");
    check("ｆｕｃｋ", "****");
    check("𝓯𝓾𝓬𝓴", "****");
    check("ꜰᴜᴄᴋ", "****");
    check("fυсκ", "****");
    check("\u{202e}kcuf\u{202c} off", "\u{202e}****\u{202c} off");
    check("TheShit7", "The****7");
    check("xXBitchXx", "xX*****Xx");
    check("magpieshithead99", "magpie********99");
    check("my_ass", "my_***");
    check("cock1337", "****1337");
    check("TheCock7", "The****7");
    check("dickmarket42", "****market42");
    check("5h17", "****");
    check("+!+5", "****");
    check("a hand job", "a ********");
    check("butt hole", "*********");
    check("FvCK fvcking", "**** *******");
    check("http://fuck.com", "http://****.com");
    check(
        "see http://f#ck, or x.example/f#ck",
        "see http://****, or x.example/****",
    );
    check(
        "https://x.example/?q=fuck#top",
        "https://x.example/?q=****#top",
    );
    check("https://x.example/#/ s#it", "https://x.example/#/ ****");
}

#[test]
fn what_only_looks_alike_is_left_alone() {
    let filter = filter(Severity::Moderate);
    #[track_caller]
    fn check(filter: &Filter, text: &str) {
        assert_eq!(masked(filter, text), text);
    }
    let check = |text| check(&filter, text);
    check("Scunthorpe, Penistone and Clitheroe");
    check("a classic assassin's cockpit");
    check("as");
    check("cl@ssic");
    check("a s s e t");
    check("p.e.a.c.o.c.k");
    check("cock-pit");
    check("claSSic");
    check("AssEt");
    check("han cock");
    check("Harshit Yamashita");
    check("has hit the ball with its title");
    check("this is hit");
    check("the pen is mightier than the sword");
    check("it's hit");
    check("CO2 H2O");
    check("Zoë Müller façade naïve Ångström Łódź");
    check("שָׁלוֹם עוֹלָם");
    check("مَرْحَبًا بالعالم");
    check("สวัสดีชาวโลก");
    check("नमस्ते दुनिया");
    check("你好世界 日本語テスト");
    check("привет мир, художник");
    check("γειά σου κόσμε");
    check("👨‍👩‍👧‍👦 ❤️ 👍🏽 🇬🇧");
    check("a55e77ab-1234-4a55-9b55-a55e77abcdef");
    check("**bold** and *that*");
    check("$1075, $455, p155, 1337, 4x4");
    check("fa95 5a7d9 d34fa6");
    check("leathershoe99");
    check("a shuttlecock, shuttlecocks");
    check("gay men and a strip club");
    check("look at https://x.example/?a=f#g, please");
    check("https://x.example/?s=hit&f=u#ck");
    check("WWW.x.example/s/h/i/t/?a=f#g");
    check("a Maine Coon on the dyke, with sauerkraut and kraut");
}

#[test]
fn operator_words_and_exceptions() {
    #[track_caller]
    fn check(words: &[&str], allow: &[&str], text: &str, expected: &str) {
        let owned = |words: &[&str]| {
            words
                .iter()
                .map(|&word| word.to_owned())
                .collect::<Vec<_>>()
        };
        let (filter, _) = Filter::compile(&Wanted {
            lists: &["en"],
            words: &owned(words),
            allow: &owned(allow),
            threshold: Severity::Severe,
        });
        assert_eq!(masked(&filter, text), expected, "{words:?} {allow:?}");
    }
    check(
        &["zorblax"],
        &[],
        "the Z0RBL4X and megazorblax",
        "the ******* and mega*******",
    );
    check(&["ton"], &[], "a ton of cotton", "a *** of cotton");
    check(&["foul play"], &[], "no foul play", "no *********");
    check(
        &["zorblax"],
        &["zorblaxian"],
        "zorblaxian zorblax",
        "zorblaxian *******",
    );
    check(&[], &["fuck"], "fuck", "fuck");
    check(&["fuck"], &["fuck"], "fuck", "fuck");
    check(&["Kürbiß"], &[], "kurbiss", "*******");
}

#[test]
fn compiling_says_what_it_made_of_the_words() {
    let words = ["ass", "--", "zorblax"].map(str::to_owned);
    let allow = ["", "fine"].map(str::to_owned);
    let (filter, notes) = Filter::compile(&Wanted {
        lists: &["en", "klingon"],
        words: &words,
        allow: &allow,
        threshold: Severity::Mild,
    });
    assert!(
        matches!(
            notes.as_slice(),
            [
                Note::UnknownList { index: 1 },
                Note::WholeToken {
                    index: 0,
                    inside: 100..
                },
                Note::Unmatchable { index: 1 },
                Note::UnmatchableAllow { index: 0 }
            ]
        ),
        "{notes:?}"
    );
    let hit = found(&filter, "zorblax").first().map(|found| {
        (
            filter.id(found.entry),
            filter.spelled(found.entry).to_owned(),
            found.severity,
        )
    });
    assert_eq!(
        hit,
        Some(("words/2".into(), "zorblax".into(), Severity::Severe))
    );
}

#[test]
fn each_pack_compiles_and_knows_its_language() {
    #[track_caller]
    fn check(list: &str, text: &str) {
        let (filter, notes) = Filter::compile(&Wanted {
            lists: &[list],
            words: &[],
            allow: &[],
            threshold: Severity::Moderate,
        });
        assert_eq!(notes, [], "{list}");
        let all = found(&filter, text);
        assert_eq!(all.len(), 1, "{list}: {text}");
        assert!(
            all.iter()
                .all(|found| filter.id(found.entry).starts_with(&format!("{list}/")))
        );
    }
    check("en", "bastard");
    check("es", "cabrón");
    check("de", "Scheiße");
    assert_eq!(PACKS.len(), 3);
}

#[test]
fn a_threshold_leaves_milder_words_out() {
    assert_eq!(masked(&filter(Severity::Moderate), "damn"), "damn");
    assert_eq!(masked(&filter(Severity::Mild), "damn"), "****");
    assert_eq!(
        masked(&filter(Severity::Severe), "bastard fuck"),
        "bastard ****"
    );
}

#[test]
fn a_search_ends_where_it_is_told_to() {
    let filter = filter(Severity::Moderate);
    let mut seen = 0;
    filter.find("shit fuck shit", &mut Scratch::default(), &mut |_| {
        seen += 1;
        ControlFlow::Break(())
    });
    assert_eq!(seen, 1);
}

#[test]
fn long_texts_take_linear_steps_and_bounded_memory() {
    let filter = filter(Severity::Mild);
    #[track_caller]
    fn check(filter: &Filter, piece: &str) {
        let steps = |size: usize| {
            let mut scratch = Scratch::default();
            filter.find(&piece.repeat(size / piece.len()), &mut scratch, &mut |_| {
                ControlFlow::Continue(())
            });
            assert!(
                scratch.bytes() < 1 << 17,
                "{piece:?} holds {}",
                scratch.bytes()
            );
            scratch.steps
        };
        let (short, long) = (steps(10_000), steps(100_000));
        assert!(
            long <= short.max(10_000) * 11,
            "{piece:?}: {short} steps for 10 kB, {long} for 100 kB"
        );
        assert!(long <= 100_000 * 40, "{piece:?}: {long} steps");
    }
    for piece in [
        "a",
        "as",
        "fuck",
        "fuck ",
        "f u c k ",
        "f*k ",
        "s**t ",
        "f.",
        "aB",
        "1a",
        "a1!",
        "\u{202e}kcuf ",
        "\u{301}",
        "a\u{301}",
        "*",
        "a*",
        "nigg",
        "ass",
        "sh i t ",
        "我a",
        "a b ",
        "x1X9 ",
    ] {
        check(&filter, piece);
    }
}

/// Text of what the search has rules for.
fn hostile() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "\\PC{0,6}",
        "[a-zA-Z]{1,6}",
        "[fuckshitas1!$@*. _|]{1,12}",
        Just("\u{202e}".to_owned()),
        Just("\u{202c}".to_owned()),
        Just("\u{200d}".to_owned()),
        Just("e\u{301}\u{327}".to_owned()),
        Just("ﬃßæ".to_owned()),
        Just("fuck".to_owned()),
        Just("сука".to_owned()),
    ];
    proptest::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn matches_stand_on_boundaries_in_order_and_masks_touch_nothing_else(text in hostile()) {
        let all = found(mild(), &text);
        let mut at = 0;
        let mut kept = String::new();
        for found in &all {
            prop_assert!(found.start >= at && found.start < found.end);
            prop_assert!(text.is_char_boundary(found.start) && text.is_char_boundary(found.end));
            kept.push_str(text.get(at..found.start).unwrap());
            at = found.end;
        }
        kept.push_str(text.get(at..).unwrap());
        let masked = masked(mild(), &text);
        prop_assert_eq!(masked.replace('*', ""), kept.replace('*', ""));
    }

    #[test]
    fn other_scripts_are_never_touched(text in "[\\p{Thai}\\p{Arabic}\\p{Hebrew}\\p{Devanagari}\\p{Han}\\p{Hiragana}\\p{Hangul} ]{0,60}") {
        prop_assert_eq!(found(mild(), &text), vec![]);
    }
}
