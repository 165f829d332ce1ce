//! Reading YAML and JSON: what the file means, where each part of it stands, and what is refused at which place.

use portcullis_host_test::document::{Document, Unreadable};
use serde_json::{Value, json};

fn read(text: &str) -> Result<Document, Box<Unreadable>> {
    Document::read("file", text.as_bytes())
}

/// Each flaw as `line:column: message (help: ...)`, the file's name left out.
fn flaws(text: &str) -> Vec<String> {
    let unreadable = read(text).expect_err(text).to_string();
    unreadable
        .lines()
        .map(|line| line.strip_prefix("file:").unwrap().to_owned())
        .collect()
}

#[test]
fn yaml_and_json_of_one_meaning_give_one_value() {
    let check = |yaml: &str, json_text: &str, expected: Value| {
        assert_eq!(read(yaml).unwrap().value, expected, "{yaml}");
        assert_eq!(read(json_text).unwrap().value, expected, "{json_text}");
    };
    check(
        "version: 1\nrequest:\n  hosts: [api.example.com, \"*.example.com\"]\n",
        r#"{"version": 1, "request": {"hosts": ["api.example.com", "*.example.com"]}}"#,
        json!({"version": 1, "request": {"hosts": ["api.example.com", "*.example.com"]}}),
    );
    check(
        "a: \"\\u00e9\\/\\ud83d\\ude00\"\nb: 'no'\nc: |\n  two\n  lines\n",
        "\u{feff}{\"a\": \"\\u00e9\\/\\ud83d\\ude00\", \"b\": \"no\", \"c\": \"two\\nlines\\n\"}",
        json!({"a": "é/😀", "b": "no", "c": "two\nlines\n"}),
    );
    check("{}", "{}", json!({}));
    check("# nothing\nx: []\n", " {\"x\":[]}", json!({"x": []}));
}

#[test]
fn mode_takes_the_plain_word_off() {
    let value = read("mode: off\nrequest: {mode: off}\nother: 'off'\n")
        .unwrap()
        .value;
    assert_eq!(
        value,
        json!({"mode": "off", "request": {"mode": "off"}, "other": "off"})
    );
    assert_eq!(read("mode: false\n").unwrap().value, json!({"mode": false}));
    assert_eq!(flaws("other: off\n").len(), 1);
    assert_eq!(flaws("mode: on\n").len(), 1);
    assert_eq!(flaws("mode: [off]\n").len(), 1);
}

#[test]
fn every_pointer_has_its_place() {
    let check = |text: &str, pointer: &str, key: Option<&str>, value: &str, place: &str| {
        let document = read(text).unwrap();
        let span = document.spans.at(pointer);
        assert_eq!(
            span.key.clone().map(|range| &text[range]),
            key,
            "{pointer} in {text}"
        );
        assert_eq!(&text[span.value.clone()], value, "{pointer} in {text}");
        let head = document.source.place(span.head().start).to_string();
        assert_eq!(head, place, "{pointer} in {text}");
    };
    let yaml =
        "version: 1\nrequest:\n  hosts:\n    - a.example\n    - \"b\"\nx/y: {~z: [1, {q: 2}]}\n";
    check(yaml, "/version", Some("version"), "1", "1:10");
    check(yaml, "/request/hosts/0", None, "a.example", "4:7");
    check(yaml, "/request/hosts/1", None, "\"b\"", "5:7");
    check(yaml, "/x~1y/~0z/1/q", Some("q"), "2", "6:19");
    let json_text =
        "{\"version\": 1,\n \"request\": {\"hosts\": [\"a\", \"b,]}\\\"\"]},\n \"é\": -1.5e3}";
    check(json_text, "/version", Some("\"version\""), "1", "1:13");
    check(
        json_text,
        "/request/hosts",
        Some("\"hosts\""),
        "[\"a\", \"b,]}\\\"\"]",
        "2:14",
    );
    check(json_text, "/request/hosts/1", None, "\"b,]}\\\"\"", "2:29");
    check(json_text, "/é", Some("\"é\""), "-1.5e3", "3:7");
}

#[test]
fn a_pointer_that_stands_nowhere_points_at_its_nearest_ancestor() {
    let text = "base: &b {deep: {x: 1}}\ncopy: *b\n";
    let document = read(text).unwrap();
    assert_eq!(
        document.value,
        json!({"base": {"deep": {"x": 1}}, "copy": {"deep": {"x": 1}}})
    );
    let check = |pointer: &str, expected: &str| {
        let span = document.spans.at(pointer);
        assert_eq!(&text[span.head()], expected, "{pointer}");
    };
    check("/base/deep/x", "1");
    check("/copy/deep/x", "copy");
    check("/base/missing/below", "base");
    assert_eq!(document.spans.at("/nowhere").value.start, 0);
}

#[test]
fn what_is_wrong_is_said_with_its_place_all_at_once() {
    let text = "a: yes\nb: 010\nc: 0x1f\nd: 12:30\ne: no\na: 1\n";
    let flaws = flaws(text);
    let expected = [
        ("1:4", "boolean", "\"yes\""),
        ("2:4", "leading zero", "\"010\""),
        ("3:4", "hexadecimal", "\"0x1f\""),
        ("4:4", "base of 60", "\"12:30\""),
        ("5:4", "boolean", "\"no\""),
        ("6:1", "`a` stands twice", "keep one"),
    ];
    assert_eq!(flaws.len(), expected.len(), "{flaws:#?}");
    for (flaw, (place, message, help)) in flaws.iter().zip(expected) {
        assert!(
            flaw.starts_with(&format!("{place}: "))
                && flaw.contains(message)
                && flaw.contains(help),
            "{flaw}"
        );
    }
}

#[test]
fn what_is_no_document_is_refused_at_its_place() {
    let check = |text: &str, place: &str, message: &str| {
        let flaws = flaws(text);
        assert!(
            flaws
                .iter()
                .any(|flaw| flaw.starts_with(&format!("{place}: ")) && flaw.contains(message)),
            "{text}: {flaws:#?}"
        );
    };
    check("a: 1\n---\nb: 2\n", "2:1", "second document");
    check("%YAML 1.1\n---\na: 1\n", "1:1", "irective");
    check("a: &x 1\n<<: *x\n", "2:1", "merges");
    check("a: &x [*x]\n", "1:8", "inside what it names");
    check("a: *nothing\n", "1:4", "anchor");
    check("*x : 1\n", "1:1", "anchor");
    check("a: !!str 5\n", "1:10", "tags");
    check("? [a]\n: 1\n", "1:3", "key");
    check("a: [1, 2\n", "1:4", "unclosed");
    check("a: 1\n\tb: 2\n", "1:4", "found a tab");
    check("a: 9007199254740993\n", "1:4", "exactly");
    check("{\"a\": 9007199254740993}", "1:7", "exactly");
    check("{\"a\": -18446744073709551616}", "1:7", "exactly");
    check(
        "{\"a\": 1,\n \"b\": [{\"c\": 1, \"c\": {}, \"d\": 2}]}",
        "2:17",
        "`c` stands twice",
    );
    check("{\"a\": 1,\n a: 2}", "2:2", "key must be a string");
    check("{\"a\": 1} x", "1:10", "trailing");
    check("{\"a\"", "1:4", "EOF");
}

#[test]
fn bytes_that_are_not_utf_8_have_a_place_too() {
    let error = Document::read("file", b"a: 1\nb: \xff\n")
        .unwrap_err()
        .to_string();
    assert_eq!(error, "file:2:4: the file is not UTF-8");
}

#[test]
fn size_depth_and_aliases_are_bounded() {
    let check = |text: &str, expected: &str| {
        let flaws = flaws(text);
        assert!(
            flaws.iter().any(|flaw| flaw.contains(expected)),
            "{:.200}",
            flaws.join("\n")
        );
    };
    check(&format!("a: {}", "[".repeat(100_000)), "");
    check(&"- ".repeat(10_000), "");
    check(
        &format!("{{\"a\": {}1{}}}", "[".repeat(110), "]".repeat(110)),
        "levels of nesting",
    );
    check(&format!("{{\"a\": {}", "[".repeat(100_000)), "recursion");
    check(&" ".repeat((4 << 20) + 1), "larger than");
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..12 {
        let inner = vec![format!("*a{}", i - 1); 10].join(", ");
        laughs.push_str(&format!("a{i}: &a{i} [{inner}]\n"));
    }
    check(&laughs, "more than 200000 values");
    check(
        &format!("[{}]", "1,".repeat(200_001)),
        "more than 200000 values",
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 4_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_text_makes_the_reader_panic(
        parts in proptest::collection::vec(proptest::sample::select(PARTS), 0..16),
    ) {
        if let Ok(document) = read(&parts.concat()) {
            let _ = document.source.place(document.spans.at("/0/a").head().start);
        }
    }
}

/// What YAML and JSON are made of.
const PARTS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ": ",
    ",",
    "\"",
    "'",
    "\n",
    "\n  ",
    " ",
    "- ",
    "&a ",
    "*a",
    "é",
    "\\",
    "\\u",
    "0",
    "1e9",
    "a",
    "mode: off",
    "|\n",
    ">",
    "? ",
    "# ",
    "\t",
    "---\n",
    "...\n",
    "!!str ",
    "<<: ",
    "~",
    "%",
    "\u{feff}",
    "\0",
];
