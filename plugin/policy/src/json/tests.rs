//! The reader against a table of documents, at its limits, and on what is written to be slow.

use std::time::{Duration, Instant};

use portcullis_config::DuplicateKeys;
use serde_json::Value;

use super::splice::splice;
use super::*;

/// Limits that no test meets by accident.
pub(super) const LOOSE: Limits = Limits {
    depth: 128,
    keys: 1_000_000,
    items: 1_000_000,
    nodes: 10_000_000,
    key_bytes: 1_000_000,
    string_bytes: 10_000_000,
    duplicate_keys: DuplicateKeys::Allow,
};
pub(super) const STRICT: Limits = Limits {
    duplicate_keys: DuplicateKeys::Reject,
    ..LOOSE
};

fn refused(bytes: &[u8], limits: &Limits) -> Option<(usize, FaultKind)> {
    let Fault { at, kind } = read(bytes, limits).err()?;
    Some((at, kind))
}

#[test]
fn documents_that_must_be_read() {
    let check = |text: &str| {
        let expected: Value = serde_json::from_str(text).unwrap();
        let value = read(text.as_bytes(), &STRICT).unwrap_or_else(|fault| {
            panic!("{text}: {fault:?}");
        });
        assert_eq!(value, expected, "{text}");
        assert_eq!(value.to_string(), expected.to_string(), "{text}");
    };
    // Structure.
    check("[]");
    check("{}");
    check("[[]   ]");
    check("\t[ \r\n] ");
    check("[1\n\n,2]");
    check(r#"[null, 1, "1", {}]"#);
    check("[true,false,null]");
    check(r#"{"":0}"#);
    check(r#"{"a":[]}"#);
    check(r#" { "a" : { "b" : [ { } ] } , "c":1 } "#);
    check(r#"{"b":1,"a":2,"c":3,"B":4}"#);
    // A value alone.
    check("true");
    check("null");
    check("42");
    check("-0.1");
    check(r#""""#);
    check(r#"" ""#);
    // Numbers.
    check("[123]");
    check("[-0]");
    check("[-0.0]");
    check("[-0e-1]");
    check("[-1]");
    check("[0e1]");
    check("[0e+1]");
    check("[1E22]");
    check("[1E+2]");
    check("[1e-2]");
    check("[20e1]");
    check("[123.456e78]");
    check("[123.456789]");
    check("[0.1, 0.2, 0.30000000000000004]");
    check("[9007199254740991.0, 9007199254740992.0, 9007199254740993.0]");
    check("[101440321191.58665, 1793.2159488612115, -106980180.13524571]");
    check("[0.000000000000000001, 1.0000000000000000000000001]");
    check("[1.7976931348623157e308]");
    check("[5e-324, 2.2250738585072011e-308]");
    check("[1e-400, 0e99999999999999999999, 1e-99999999999999999999]");
    check("[9223372036854775807, 9223372036854775808, 18446744073709551615]");
    check("[18446744073709551616, 99999999999999999999, 123456789012345678901234567890]");
    check("[-9223372036854775808, -9223372036854775809, -18446744073709551616]");
    check("[1000000000000000000, 9999999999999999999, 10000000000000000000]");
    // Strings.
    check(r#"["\"\\\/\b\f\n\r\t"]"#);
    check(r#"["\u0000\u001f\u0060\u012a\uabcd\uABCD\uffff"]"#);
    check(r#"["\uD801\udc37\ud83d\ude39\uDBFF\uDFFF"]"#);
    check(r#"["\\u0000","\\\\","\\\"","a\\"]"#);
    check("[\"\u{7f}\u{80}\u{2028}\u{2029}\u{ffff}\u{10ffff}\u{feff}\"]");
    check("[\"é\",\"€\",\"𝄞\",\"plain text of more than eight bytes\"]");
    check(r#"{"foo\u0000bar":1,"\u0061":2,"b":3}"#);
}

#[test]
fn documents_that_must_not_be_read() {
    let check = |bytes: &[u8], at: usize, kind: FaultKind| {
        let (shown, text) = (String::from_utf8_lossy(bytes), kind.text());
        assert_eq!(refused(bytes, &STRICT), Some((at, kind)), "{shown} {text}");
        if kind.class() == FaultClass::Malformed {
            assert!(serde_json::from_slice::<Value>(bytes).is_err(), "{shown}");
            assert_eq!(refused(bytes, &LOOSE), Some((at, kind)), "{shown}");
        }
    };
    use FaultKind::{
        ByteOrderMark, Control, DuplicateKey, Empty, Escape, LoneSurrogate, NotUtf8, NumberRange,
        Syntax, Trailing, Truncated,
    };
    // Nothing.
    check(b"", 0, Empty);
    check(b" \n\t\r", 4, Empty);
    // Structure.
    check(b"[", 1, Truncated);
    check(b"[1", 2, Truncated);
    check(b"[1,", 3, Truncated);
    check(b"{", 1, Truncated);
    check(br#"{"a""#, 4, Truncated);
    check(br#"{"a":"#, 5, Truncated);
    check(br#"{"a":1"#, 6, Truncated);
    check(br#"{"a":1,"#, 7, Truncated);
    check(b"]", 0, Syntax);
    check(b"}", 0, Syntax);
    check(b",", 0, Syntax);
    check(b":", 0, Syntax);
    check(b"[1,]", 3, Syntax);
    check(b"[,1]", 1, Syntax);
    check(b"[1,,2]", 3, Syntax);
    check(b"[1 2]", 3, Syntax);
    check(b"[1:2]", 2, Syntax);
    check(b"[1}", 2, Syntax);
    check(b"{]", 1, Syntax);
    check(b"{,}", 1, Syntax);
    check(b"{1:2}", 1, Syntax);
    check(b"{a:1}", 1, Syntax);
    check(b"{'a':1}", 1, Syntax);
    check(br#"{"a"}"#, 4, Syntax);
    check(br#"{"a" 1}"#, 5, Syntax);
    check(br#"{"a"::1}"#, 5, Syntax);
    check(br#"{"a":}"#, 5, Syntax);
    check(br#"{"a":1,}"#, 7, Syntax);
    check(br#"{"a":1,,"b":2}"#, 7, Syntax);
    check(br#"{"a":1 "b":2}"#, 7, Syntax);
    check(br#"{"a":1]"#, 6, Syntax);
    check(br#"{null:1}"#, 1, Syntax);
    // More than one value.
    check(b"[] x", 3, Trailing);
    check(b"[][]", 2, Trailing);
    check(b"{}}", 2, Trailing);
    check(b"1 2", 2, Trailing);
    check(b"1,", 1, Trailing);
    check(b"true#", 4, Trailing);
    check(b"nullx", 4, Trailing);
    check(b"{}\0", 2, Trailing);
    // What is not JSON.
    check(b"[1]// comment", 3, Trailing);
    check(b"/**/[1]", 0, Syntax);
    check(b"[1,/**/2]", 3, Syntax);
    check(b"NaN", 0, Syntax);
    check(b"Infinity", 0, Syntax);
    check(b"-Infinity", 1, Syntax);
    check(b"-NaN", 1, Syntax);
    check(b"nul", 3, Truncated);
    check(b"[nul]", 4, Syntax);
    check(b"[True]", 1, Syntax);
    check(b"[tru e]", 4, Syntax);
    check(b"undefined", 0, Syntax);
    check(b"[\x0b1]", 1, Syntax);
    check("[\u{a0}1]".as_bytes(), 1, Syntax);
    check("[\u{ff11}]".as_bytes(), 1, Syntax);
    // Numbers.
    check(b"-", 1, Truncated);
    check(b"[-]", 2, Syntax);
    check(b"[--1]", 2, Syntax);
    check(b"[+1]", 1, Syntax);
    check(b"[.5]", 1, Syntax);
    check(b"[1.]", 3, Syntax);
    check(b"[1.e1]", 3, Syntax);
    check(b"[-.5]", 2, Syntax);
    check(b"[01]", 2, Syntax);
    check(b"01", 1, Syntax);
    check(b"[-01.5]", 3, Syntax);
    check(b"[00]", 2, Syntax);
    check(b"[1e]", 3, Syntax);
    check(b"[1e+]", 4, Syntax);
    check(b"[1e1.5]", 4, Syntax);
    check(b"[1eE2]", 3, Syntax);
    check(b"[1.2.3]", 4, Syntax);
    check(b"[0x10]", 2, Syntax);
    check(b"[1_000]", 2, Syntax);
    check(b"[1a]", 2, Syntax);
    check(b"1e400", 0, NumberRange);
    check(b"[0,-1e400]", 3, NumberRange);
    check(b"[1.8e308]", 1, NumberRange);
    check(b"[1e99999999999999999999]", 1, NumberRange);
    check("9".repeat(400).as_bytes(), 0, NumberRange);
    check(format!("-{}", "9".repeat(400)).as_bytes(), 0, NumberRange);
    // Strings.
    check(b"\"", 1, Truncated);
    check(br#""abcdefghij"#, 11, Truncated);
    check(br#"["a]"#, 4, Truncated);
    check(b"'a'", 0, Syntax);
    check(b"\"a\nb\"", 2, Control);
    check(b"\"a\tb\"", 2, Control);
    check(b"\"a\0b\"", 2, Control);
    check(b"\"0123456789\x1f\"", 11, Control);
    check(b"{\"a\x1f\":1}", 3, Control);
    check(br#"["\a"]"#, 2, Escape);
    check(br#"["\'"]"#, 2, Escape);
    check(br#"["\x00"]"#, 2, Escape);
    check(br#"["\U0041"]"#, 2, Escape);
    check(br#""\"#, 1, Escape);
    check(br#""\""#, 3, Truncated);
    check(br#"["\u"]"#, 2, Escape);
    check(br#"["\u00"]"#, 2, Escape);
    check(br#"["\u00g0"]"#, 2, Escape);
    check(br#"["\u+123"]"#, 2, Escape);
    check(br#"["\ud800"]"#, 2, LoneSurrogate);
    check(br#"["\udc00"]"#, 2, LoneSurrogate);
    check(br#"["\uDFFF\uD800"]"#, 2, LoneSurrogate);
    check(br#"["\ud800\ud800"]"#, 2, LoneSurrogate);
    check(br#"["a\ud800\u0061"]"#, 3, LoneSurrogate);
    check(br#"["\ud800abcdefgh"]"#, 2, LoneSurrogate);
    check(br#"["\ud800\n"]"#, 2, LoneSurrogate);
    check(br#"{"\ud800":1}"#, 2, LoneSurrogate);
    // Encodings.
    check(b"\xef\xbb\xbf{}", 0, ByteOrderMark);
    check(b"\xef\xbb\xbf", 0, ByteOrderMark);
    check(b"\xff\xfe[\0]\0", 0, NotUtf8);
    check(b"[\0]\0", 1, Syntax);
    check(b"\0[\0]", 0, Syntax);
    check(b"[\"\xff\"]", 2, NotUtf8);
    check(b"[\"\xc0\xaf\"]", 2, NotUtf8);
    check(b"[\"\xe0\x80\xaf\"]", 2, NotUtf8);
    check(b"[\"\xf0\x80\x80\x80\"]", 2, NotUtf8);
    check(b"[\"\xed\xa0\x80\"]", 2, NotUtf8);
    check(b"[\"\xf4\x90\x80\x80\"]", 2, NotUtf8);
    check(b"[\"\xe2\x82\"]", 2, NotUtf8);
    check(b"[\"\xe9\"]", 2, NotUtf8);
    check(b"{\"\x80\":1}", 2, NotUtf8);
    check(b"[\xe5]", 1, NotUtf8);
    check(b"[1]\xff", 3, NotUtf8);
    // Names that stand twice.
    check(br#"{"a":1,"a":1}"#, 7, DuplicateKey);
    check(br#"{"a":1,"\u0061":2}"#, 7, DuplicateKey);
    check(br#"[{"x":{"a":1, "b":2 , "a":3}}]"#, 22, DuplicateKey);
    check(br#"{"":1,"":2}"#, 6, DuplicateKey);
    check(br#"{"a":1,"a" oops"#, 7, DuplicateKey);
}

#[test]
fn what_no_string_holds_is_found_wherever_it_stands() {
    for byte in 0..=0x7f_u8 {
        for at in 1..20 {
            let mut bytes = *b"\"xxxxxxxxxxxxxxxxxxxx\"";
            bytes[at] = byte;
            let expected = match byte {
                b'"' => Some((at + 1, FaultKind::Trailing)),
                b'\\' => Some((at, FaultKind::Escape)),
                ..0x20 => Some((at, FaultKind::Control)),
                _ => None,
            };
            assert_eq!(refused(&bytes, &STRICT), expected, "{byte} at {at}");
        }
    }
}

#[test]
fn the_last_of_a_name_counts_where_duplicates_may_be() {
    let value = read(br#"{"a":1,"b":2,"\u0061":[3]}"#, &LOOSE).unwrap();
    assert_eq!(value, serde_json::json!({"a": [3], "b": 2}));
}

#[test]
fn every_limit_is_exact() {
    let none = Limits {
        depth: 0,
        keys: 0,
        items: 0,
        nodes: 0,
        key_bytes: 0,
        string_bytes: 0,
        duplicate_keys: DuplicateKeys::Allow,
    };
    // The document passes at `set(limit)`, and one below meets the fault.
    let check = |text: &str, set: fn(Limits, usize) -> Limits, limit, at, kind: FaultKind| {
        assert_eq!(refused(text.as_bytes(), &set(LOOSE, limit)), None, "{text}");
        let below = set(LOOSE, limit - 1);
        assert_eq!(refused(text.as_bytes(), &below), Some((at, kind)), "{text}");
        assert_eq!(kind.class(), FaultClass::TooComplex);
    };
    let depth = |limits, depth| Limits { depth, ..limits };
    check("[]", depth, 1, 0, FaultKind::Depth);
    check(r#"[[1],{"a":{}}]"#, depth, 3, 10, FaultKind::Depth);
    check(&nested(32), depth, 32, 31, FaultKind::Depth);
    check(&nested(128), depth, 128, 127, FaultKind::Depth);
    let any = depth(LOOSE, usize::MAX);
    let deepest = nested(129);
    let met = refused(deepest.as_bytes(), &any);
    assert_eq!(met, Some((128, FaultKind::Depth)));

    let keys = |limits, keys| Limits { keys, ..limits };
    check(r#"{"a":1}"#, keys, 1, 1, FaultKind::Keys);
    check(r#"[{"a":1}, {"b":2,"c":3}]"#, keys, 2, 17, FaultKind::Keys);
    check(r#"{"a":1,"a":2}"#, keys, 2, 7, FaultKind::Keys);

    let items = |limits, items| Limits { items, ..limits };
    check("[1]", items, 1, 1, FaultKind::Items);
    check("[[1,2],[3, 4 , 5]]", items, 3, 15, FaultKind::Items);

    let nodes = |limits, nodes| Limits { nodes, ..limits };
    check("1", nodes, 1, 0, FaultKind::Nodes);
    check(r#"[{"a":1},[],"b"]"#, nodes, 5, 12, FaultKind::Nodes);

    let key_bytes = |limits, key_bytes| Limits {
        key_bytes,
        ..limits
    };
    check(r#"[{"abc":"abcd"}]"#, key_bytes, 3, 2, FaultKind::KeyBytes);
    check(r#"{"\u20ac":1}"#, key_bytes, 3, 1, FaultKind::KeyBytes);

    let string_bytes = |limits, string_bytes| Limits {
        string_bytes,
        ..limits
    };
    check(r#" "abc""#, string_bytes, 3, 1, FaultKind::StringBytes);
    check(
        r#"{"long":"0123456789"}"#,
        string_bytes,
        10,
        8,
        FaultKind::StringBytes,
    );
    check(
        r#"["a\n\u0062\ud83d\ude39€"]"#,
        string_bytes,
        10,
        1,
        FaultKind::StringBytes,
    );
    check(r#"["\n"]"#, string_bytes, 1, 1, FaultKind::StringBytes);
    check(r#"["ab\n"]"#, string_bytes, 3, 1, FaultKind::StringBytes);

    let least = Limits {
        nodes: 2,
        depth: 1,
        ..none
    };
    assert_eq!(refused(b"[]", &least), None);
    assert_eq!(refused(b"{}", &least), None);
    assert_eq!(refused(br#""""#, &least), None);
}

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

#[test]
fn hostile_documents_take_linear_time() {
    const SIZE: usize = 1 << 19;
    let filled = |open: &str, unit: &str, close: &str| {
        format!("{open}{}{close}", unit.repeat(SIZE / unit.len()))
    };
    let near = |name: usize| format!(r#""{}{name}":0"#, "a".repeat(240));
    let names: Vec<_> = (0..SIZE / 248).map(near).collect();
    let documents = [
        filled("", "[", ""),
        filled("", r#"{"a":"#, ""),
        filled("[", "[],", "[]]"),
        filled("[", "{},", "{}]"),
        filled("[", "0,", "0]"),
        filled("", "9", ""),
        filled("0.", "0", "1"),
        filled("0.", "9", ""),
        filled("1e", "0", "1"),
        filled("-", "0", ""),
        filled("", " ", ""),
        filled("\"", "a", ""),
        filled("\"", "a", "\""),
        filled("\"", r"\u0061", "\""),
        filled("\"", r"\n", "\""),
        filled("\"", r"\ud83d\ude39", "\""),
        filled("\"", r"\\", ""),
        filled("\"", "€", "\""),
        filled("[", r#""a","#, "0]"),
        filled("{", r#""a":0,"#, r#""a":0}"#),
        filled("{", r#""\u0061":{"a":0},"#, r#""a":0}"#),
        format!("{{{}}}", names.join(",")),
    ];
    let mut changes = Changes::default();
    changes.set(None, "b".to_owned());
    for document in &documents {
        // Where time is quadratic, this takes minutes.
        let begun = Instant::now();
        let read = read(document.as_bytes(), &LOOSE);
        drop(splice(document.as_bytes(), &changes));
        let took = begun.elapsed();
        let shown: String = document.chars().take(20).collect();
        assert!(took < Duration::from_secs(3), "{shown} took {took:?}");
        drop(read);
    }
}
