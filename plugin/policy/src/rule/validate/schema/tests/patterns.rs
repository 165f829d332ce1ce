//! Patterns mean here what they mean in ECMA-262.

use serde_json::json;

use super::super::Formats;
use super::super::pattern::compile;
use super::{compiled, violations};

#[test]
fn patterns_match_as_in_ecma_262() {
    let check = |pattern: &str, right: &[&str], wrong: &[&str]| {
        let schema = compiled(&json!({ "pattern": pattern }), Formats::Assert)
            .unwrap_or_else(|found| panic!("{pattern}: {found:?}"));
        for (texts, matches) in [(right, true), (wrong, false)] {
            for text in texts {
                let found = violations(&*schema, &json!(text));
                assert_eq!(found.is_empty(), matches, "{pattern} {text:?}");
                if !matches {
                    assert_eq!(
                        found[0].message,
                        format!("must match the pattern `{pattern}`")
                    );
                }
            }
        }
    };
    check(r"^\d$", &["5"], &["\u{661}", ""]);
    check(r"^\D$", &["\u{661}", "x"], &["5"]);
    check(r"^\w+$", &["aZ_9"], &["é", "-"]);
    check(r"^\W$", &["é", "\u{212A}"], &["k"]);
    check(
        r"^\s$",
        &[
            "\u{a0}", "\u{feff}", "\u{2028}", "\u{3000}", "\u{1680}", "\u{2009}", "\u{b}",
        ],
        &["\u{85}", "\u{200b}", "\u{180e}"],
    );
    check(r"^\S$", &["\u{85}"], &["\u{2009}"]);
    check(
        "^.$",
        &["x", "\u{85}"],
        &["\n", "\r", "\u{2028}", "\u{2029}"],
    );
    check("^a$", &["a"], &["a\n", "\na"]);
    check(r"\bcat\b", &["a cat.", "écaté"], &["cats"]);
    check(r"a\Bb", &["ab"], &["a b"]);
    check(r"^\cJ\t\v\f\r\0$", &["\n\t\u{b}\u{c}\r\0"], &["J"]);
    check(r"^\x41\u0042\u{43}\ud83d\ude00$", &["ABC😀"], &["x41"]);
    check(r"^\/\-\<\>\.\é$", &["/-<>.é"], &[]);
    check("^[]$|^[^]$", &["x", "\n"], &["", "xy"]);
    check("^[]a]$", &[], &["]", "a", "a]"]);
    check(r"^[[a]$", &["[", "a"], &["[a"]);
    check("^[a&&b]$", &["a", "&", "b"], &["x"]);
    check("^[+--z]$", &["+", "-", "z"], &["a"]);
    check("^[a~~b]$", &["~"], &["c"]);
    check(r"^[\w-.]+$", &["a-.b"], &["é", "/"]);
    check(r"^[a-]$", &["a", "-"], &["b"]);
    check(r"^[^\s\d]$", &["x"], &["5", " "]);
    check(r"^[\b]$", &["\u{8}"], &["b"]);
    check("^a{2}b{1,}c{0,1}?$", &["aab", "aabbc"], &["ab"]);
    check("^a}]$", &["a}]"], &["a"]);
    check(r"^\p{Letter}\p{Script=Greek}\P{L}$", &["éα1"], &["1α1"]);
    check(
        "^(?<year>[0-9]{4})(?:-(?P<m>..))?$",
        &["2024", "2024-05"],
        &["24"],
    );
    check("(?i)^straße$", &["STRAßE"], &["STRASSE"]);
    check("^(?i:A)b$", &["ab"], &["aB"]);
    check("^# x$", &["# x"], &["#x"]);
    check("", &["", "x"], &[]);
}

#[test]
fn what_is_no_pattern_here_is_said() {
    for pattern in [
        "(",
        ")",
        "(?",
        "(?x)a",
        "(?s:.)",
        "(?>a)",
        "(?#c)",
        "(?P=n)",
        "[",
        "[a",
        "[b-a]",
        "[^",
        "*",
        "a**",
        "a?*",
        "^*",
        "|+",
        "(*)",
        "a{",
        "{",
        "a{}",
        "a{,3}",
        "a{3",
        "a{1,2,3}",
        r"a\",
        r"\1",
        r"\k<n>",
        r"\x4",
        r"\xzz",
        r"\u12",
        r"\u{110000}",
        r"\u{}",
        r"\ud800",
        r"\udc00",
        r"\ud800\u0041",
        r"\c1",
        r"\z",
        r"\A",
        r"\Q",
        r"\a",
        r"\h",
        r"\00",
        r"\p",
        r"\pL",
        r"\p{",
        r"\p{Nope}",
        r"[\B]",
        "[[:digit:]]",
        "(?<1>a)",
        "(?<a>b)(?<a>c)",
        "a{1001}{1001}",
    ] {
        assert!(compile(pattern).is_err(), "{pattern}");
    }
}

#[test]
fn a_pattern_takes_time_in_the_length_of_the_text() {
    for pattern in [
        "^(a+)+$",
        r"^(\w+\s?)*$",
        "(x+x+)+y",
        "^(([a-z])+.)+[A-Z]([a-z])+$",
    ] {
        let schema = compiled(&json!({ "pattern": pattern }), Formats::Assert).unwrap();
        let text = format!("{}!", "a".repeat(50_000));
        assert_eq!(violations(&*schema, &json!(text)).len(), 1, "{pattern}");
    }
}
