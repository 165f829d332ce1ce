//! The reader against serde_json, and the splicer against the reader, on documents that nobody wrote.

use portcullis_config::DuplicateKeys;
use proptest::prelude::*;
use serde_json::Value;

use super::splice::splice;
use super::tests::{LOOSE, STRICT};
use super::*;

/// JSON text as nobody writes it: white space everywhere, any character escaped or not, numbers of all shapes, names
/// that stand twice.
fn document() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        "-?(0|[1-9][0-9]{0,22})(\\.[0-9]{1,22})?([eE][+-]?[0-9]{1,3})?",
        string("\\PC{0,12}"),
        string(".{0,5}"),
    ];
    let value = leaf.prop_recursive(6, 40, 6, |inner| {
        let spaced = (white(), inner, white())
            .prop_map(|(a, value, b)| format!("{a}{value}{b}"))
            .boxed();
        let member = (white(), string("[abc]?"), white(), spaced.clone())
            .prop_map(|(a, name, b, value)| format!("{a}{name}{b}:{value}"));
        prop_oneof![
            prop::collection::vec(spaced, 0..6).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(member, 0..6)
                .prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    });
    (white(), value, white()).prop_map(|(a, value, b)| format!("{a}{value}{b}"))
}

fn white() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", "", "", " ", "\n", "\t", "\r\n", "  "])
}

/// A JSON string that says what the pattern gives, each character as it is or escaped.
fn string(pattern: &'static str) -> impl Strategy<Value = String> {
    (pattern, any::<u64>()).prop_map(|(text, escaped)| {
        let mut written = String::from("\"");
        for (index, character) in text.chars().enumerate() {
            let plain = character >= ' ' && !matches!(character, '"' | '\\');
            if plain && escaped >> (index % 64) & 1 == 0 {
                written.push(character);
                continue;
            }
            for unit in character.encode_utf16(&mut [0; 2]) {
                written.push_str(&format!("\\u{unit:04x}"));
            }
        }
        written + "\""
    })
}

/// A document with some bytes changed, dropped and put in.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let telling =
        prop::sample::select(b"\"\\{}[]:,.-+eE0189utfn/ \n\0\x1f\x7f\x80\xc3\xed\xff".to_vec());
    let wound = (any::<prop::sample::Index>(), 0..3_u8, telling);
    (document(), prop::collection::vec(wound, 1..4)).prop_map(|(text, wounds)| {
        let mut bytes = text.into_bytes();
        for (place, kind, byte) in wounds {
            let place = place.index(bytes.len() + 1);
            match kind {
                0 => bytes.insert(place, byte),
                1 => drop(bytes.splice(place.., [])),
                _ if place < bytes.len() => bytes[place] = byte,
                _ => bytes.push(byte),
            }
        }
        bytes
    })
}

/// Whatever is read is read as serde_json does, and nothing is refused that serde_json reads but for a guard.
fn agrees(bytes: &[u8], limits: &Limits) -> Result<(), TestCaseError> {
    let theirs = serde_json::from_slice::<Value>(bytes);
    match (read(bytes, limits), theirs) {
        (Ok(ours), Ok(theirs)) => {
            prop_assert_eq!(ours.to_string(), theirs.to_string());
            prop_assert_eq!(ours, theirs);
        }
        (Ok(_), Err(error)) => prop_assert!(false, "serde_json refuses it: {}", error),
        (Err(fault), Ok(_)) => prop_assert_ne!(fault.kind.class(), FaultClass::Malformed),
        (Err(fault), Err(_)) => prop_assert!(fault.at <= bytes.len()),
    }
    Ok(())
}

/// Whether the value keeps to the limits, by its own count. Names that stand twice are not in it.
fn keeps(value: &Value, limits: &Limits) -> bool {
    fn measure(value: &Value, limits: &Limits, depth: usize, nodes: &mut usize) -> bool {
        *nodes += 1;
        let mut below = |value| measure(value, limits, depth + 1, nodes);
        match value {
            Value::String(text) => text.len() <= limits.string_bytes,
            Value::Array(items) => {
                depth < limits.depth && items.len() <= limits.items && items.iter().all(below)
            }
            Value::Object(members) => {
                depth < limits.depth
                    && members.len() <= limits.keys
                    && members
                        .iter()
                        .all(|(name, member)| name.len() <= limits.key_bytes && below(member))
            }
            _ => true,
        }
    }
    let mut nodes = 0;
    measure(value, limits, 0, &mut nodes) && nodes <= limits.nodes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn documents_are_read_as_serde_json_reads_them(text in document()) {
        if let Err(fault) = read(text.as_bytes(), &LOOSE) {
            prop_assert_eq!(fault.kind, FaultKind::NumberRange);
        }
        agrees(text.as_bytes(), &LOOSE)?;
        agrees(text.as_bytes(), &STRICT)?;
    }

    #[test]
    fn damage_is_found_as_serde_json_finds_it(bytes in damaged()) {
        agrees(&bytes, &LOOSE)?;
        agrees(&bytes, &STRICT)?;
    }

    #[test]
    fn bytes_are_read_as_serde_json_reads_them(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        agrees(&bytes, &LOOSE)?;
    }

    /// Limits refuse all that is past them and nothing else.
    #[test]
    fn limits_hold(
        text in document(),
        (depth, keys, items) in (0..5_usize, 0..5_usize, 0..5_usize),
        (nodes, key_bytes, string_bytes) in (1..20_usize, 0..2_usize, 0..12_usize),
    ) {
        let duplicate_keys = DuplicateKeys::Reject;
        let limits = Limits { depth, keys, items, nodes, key_bytes, string_bytes, duplicate_keys };
        if let Ok(value) = read(text.as_bytes(), &STRICT) {
            let fault = read(text.as_bytes(), &limits).err();
            prop_assert_eq!(fault.is_none(), keeps(&value, &limits));
            prop_assert!(fault.is_none_or(|fault| fault.kind.class() == FaultClass::TooComplex));
        }
    }

    /// Only the strings that are meant change, and the new bytes say what the changed tree says.
    #[test]
    fn spliced_bytes_say_what_the_tree_says(
        text in document(),
        pointer in prop::sample::select(vec!["", "/*", "/a", "/0", "/*/b", "/a/*", "/1/0", "/b/a/c"]),
        new in "\\PC{0,3}[\\x00-\\x20\"\\\\]?",
        strict in any::<bool>(),
    ) {
        let limits = if strict { STRICT } else { LOOSE };
        if let Ok(mut tree) = read(text.as_bytes(), &limits) {
            let mut changes = Changes::default();
            Pointer::compile(pointer).visit(&mut tree, &mut |way, meant| {
                meant.push_str(&new);
                changes.set(way, meant.clone());
            });
            let spliced = splice(text.as_bytes(), &changes).unwrap();
            prop_assert_eq!(read(&spliced, &limits).unwrap(), tree);
            let same = without_strings(text.as_bytes()) == without_strings(&spliced);
            prop_assert!(same, "{} became {}", text, String::from_utf8_lossy(&spliced));
            if changes.is_empty() {
                prop_assert_eq!(spliced, text.as_bytes());
            }
        }
    }

    /// A document that is not one is spliced into nothing that panics.
    #[test]
    fn splicing_never_panics(bytes in damaged()) {
        let mut changes = Changes::default();
        let mut tree = serde_json::json!({"a": {"b": "", "a": [""]}, "b": ["", {"c": ""}]});
        Pointer::compile("").visit(&mut tree, &mut |way, text| changes.set(way, text.clone()));
        drop(splice(&bytes, &changes));
    }
}

/// The text with every string that is no name as `""`: what a splice must not change.
fn without_strings(bytes: &[u8]) -> Vec<u8> {
    let (mut kept, mut at) = (Vec::new(), 0);
    while let Some(byte) = bytes.get(at) {
        if *byte != b'"' {
            kept.push(*byte);
            at += 1;
            continue;
        }
        let end = text::string_end(bytes, at).unwrap();
        let after = bytes[end..].iter().find(|byte| !byte.is_ascii_whitespace());
        if after == Some(&b':') {
            kept.extend_from_slice(&bytes[at..end]);
        } else {
            kept.extend_from_slice(b"\"\"");
        }
        at = end;
    }
    kept
}
