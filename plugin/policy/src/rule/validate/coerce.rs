//! Text to the values that a schema speaks of.
//!
//! `schema` strictness reads what JSON itself would read: whatever the upstream's parser makes of `+5`, `05` or `1_0`
//! is then never left to it. `pydantic` strictness reads what pydantic's lax mode reads (its "Conversion Table"), so
//! that no client of a FastAPI service breaks; infinities and NaN, which JSON cannot say, stay out in both.

use std::borrow::Cow;

use portcullis_config::Strictness;
use serde_json::{Number, Value};

use super::shape::{Shape, Types};

/// Why a text is none of the types that are asked for. The keyword is always `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unread {
    /// What pydantic calls it.
    pub(crate) kind: &'static str,
    pub(crate) message: &'static str,
}

/// Reads a text as the most specific of `types` that it fits: integer, number, boolean, null, then string. The text
/// `null` is null only where it cannot be a string. Lists and objects are not text.
pub(crate) fn read(
    text: Cow<'_, str>,
    types: Types,
    strictness: Strictness,
) -> Result<Value, Unread> {
    if let Some(value) = exact(&text, types) {
        return Ok(value);
    }
    if types.has(Types::STRING) {
        return Ok(Value::String(text.into_owned()));
    }
    let coerced = match strictness {
        Strictness::Schema => None,
        Strictness::Pydantic => coerced(&text, types),
    };
    coerced.ok_or_else(|| unread(&text, types))
}

/// Changes a tree to what pydantic's lax mode makes of it: strings to numbers and booleans, booleans to numbers, 1 and 0
/// to booleans, each only where its own type is not asked for.
pub(crate) fn lax(value: &mut Value, shape: &Shape) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                lax(item, shape.item(index));
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                lax(member, shape.member(name));
            }
        }
        _ => {
            let types = shape.allowed();
            if !types.has(type_of(value))
                && let Some(coerced) = lax_scalar(value, types)
            {
                *value = coerced;
            }
        }
    }
}

fn lax_scalar(value: &Value, types: Types) -> Option<Value> {
    match value {
        Value::String(text) => {
            exact(text, types.without(Types::NULL)).or_else(|| coerced(text, types))
        }
        Value::Bool(value) if types.has(Types::INTEGER) => Some(Value::from(u8::from(*value))),
        Value::Number(number) if types.has(Types::BOOLEAN) => match number.as_f64() {
            Some(0.0) => Some(Value::Bool(false)),
            Some(1.0) => Some(Value::Bool(true)),
            _ => None,
        },
        _ => None,
    }
}

fn type_of(value: &Value) -> Types {
    match value {
        Value::Null => Types::NULL,
        Value::Bool(_) => Types::BOOLEAN,
        Value::Number(_) => Types::NUMBER,
        Value::String(_) => Types::STRING,
        Value::Array(_) => Types::ARRAY,
        Value::Object(_) => Types::OBJECT,
    }
}

/// The text as JSON spells it.
fn exact(text: &str, types: Types) -> Option<Value> {
    let value = match text {
        "true" | "false" if types.has(Types::BOOLEAN) => Some(Value::Bool(text == "true")),
        "null" if types.has(Types::NULL) && !types.has(Types::STRING) => Some(Value::Null),
        _ => None,
    };
    value.or_else(|| number(text, types, scan(text)?))
}

/// A number of the types that are asked for.
fn number(text: &str, types: Types, form: Form) -> Option<Value> {
    if form == Form::Whole && types.has(Types::INTEGER) {
        let value = text.parse::<i64>().map(Value::from);
        let value = value.or_else(|_| text.parse::<u64>().map(Value::from));
        if let Ok(value) = value {
            return Some(value);
        }
    }
    if !types.has(Types::FRACTION) {
        return None;
    }
    let value = text.parse::<f64>().ok()?;
    // An infinity, for `1e400`, is no JSON number.
    Number::from_f64(value).map(Value::Number)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Whole,
    Other,
}

/// Whether the text is a number (RFC 8259 section 6), and whether it is digits only.
fn scan(text: &str) -> Option<Form> {
    let rest = text.strip_prefix('-').unwrap_or(text);
    let whole = behind_digits(rest)?;
    if rest.starts_with('0') && rest.len() - whole.len() > 1 {
        return None;
    }
    let behind = match whole.strip_prefix('.') {
        Some(fraction) => behind_digits(fraction)?,
        None => whole,
    };
    let end = match behind.strip_prefix(['e', 'E']) {
        Some(exponent) => behind_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))?,
        None => behind,
    };
    match end {
        "" if whole.is_empty() => Some(Form::Whole),
        "" => Some(Form::Other),
        _ => None,
    }
}

/// What follows one digit or more.
fn behind_digits(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    (rest.len() < text.len()).then_some(rest)
}

/// The text as pydantic's lax mode takes it.
fn coerced(text: &str, types: Types) -> Option<Value> {
    let is_number = types.has(Types::NUMBER).then(|| lax_number(text, types));
    is_number.flatten().or_else(|| {
        let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
        match types.has(Types::BOOLEAN) {
            true if is(&["1", "true", "t", "yes", "y", "on"]) => Some(Value::Bool(true)),
            true if is(&["0", "false", "f", "no", "n", "off"]) => Some(Value::Bool(false)),
            _ => None,
        }
    })
}

/// White space at the ends, a `+`, leading zeros, single `_`, and `.0` behind a whole number.
fn lax_number(text: &str, types: Types) -> Option<Value> {
    let text = text.trim();
    if text.starts_with('_') || text.ends_with('_') || text.contains("__") {
        return None;
    }
    let bare = text.replace('_', "");
    let integer = whole(text)
        .filter(|_| types.has(Types::INTEGER))
        .and_then(|whole| {
            let digits = bare.get(..whole.len() - whole.matches('_').count())?;
            number(digits, Types::INTEGER, Form::Whole)
        });
    // What else would be parsed: a second sign, `inf`, `nan`.
    let unsigned = bare.strip_prefix(['+', '-']).unwrap_or(&bare);
    let is_plain = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    integer.or_else(|| number(&bare, types, Form::Other).filter(|_| is_plain))
}

/// The sign and the digits of a whole number, if it is one: `_` stands between digits, and behind the point are zeros.
fn whole(text: &str) -> Option<&str> {
    let whole = match text.split_once('.') {
        Some((whole, zeros)) => {
            (!zeros.is_empty() && zeros.bytes().all(|b| b == b'0')).then_some(whole)?
        }
        None => text,
    };
    let digits = whole.strip_prefix(['+', '-']).unwrap_or(whole);
    let all_are = digits.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    (all_are && !digits.is_empty() && !digits.starts_with('_') && !digits.ends_with('_'))
        .then_some(whole)
}

fn unread(text: &str, types: Types) -> Unread {
    let (kind, message) = if types.has(Types::FRACTION) {
        ("float_parsing", "must be a number")
    } else if types.has(Types::INTEGER) && scan(text) == Some(Form::Whole) {
        ("int_parsing", "must be a whole number of at most 64 bits")
    } else if types.has(Types::INTEGER) {
        ("int_parsing", "must be a whole number")
    } else if types.has(Types::BOOLEAN) {
        ("bool_parsing", "must be `true` or `false`")
    } else if types.has(Types::ARRAY) {
        ("list_type", "must be a list")
    } else if types.has(Types::OBJECT) {
        ("dict_type", "must be an object")
    } else {
        ("none_required", "must be null")
    };
    Unread { kind, message }
}

#[cfg(test)]
mod tests {
    use portcullis_config::Document;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::rule::validate::shape;

    const INTEGER: Types = Types::INTEGER;
    const NUMBER: Types = Types::NUMBER;
    const BOOLEAN: Types = Types::BOOLEAN;
    const NULL: Types = Types::NULL;
    const STRING: Types = Types::STRING;

    fn outcome(text: &str, types: Types, strictness: Strictness) -> Result<Value, &'static str> {
        read(Cow::Borrowed(text), types, strictness).map_err(|unread| unread.kind)
    }

    #[test]
    fn text_is_read_as_json_spells_it() {
        let check = |types: Types, texts: &[&str], expected: Result<Value, &str>| {
            for text in texts {
                let read = outcome(text, types, Strictness::Schema);
                assert_eq!(read, expected, "{text:?}");
            }
        };
        check(INTEGER, &["5"], Ok(json!(5)));
        check(INTEGER, &["0", "-0"], Ok(json!(0)));
        check(INTEGER, &["-17"], Ok(json!(-17)));
        check(INTEGER, &["9223372036854775807"], Ok(json!(i64::MAX)));
        check(INTEGER, &["-9223372036854775808"], Ok(json!(i64::MIN)));
        check(INTEGER, &["18446744073709551615"], Ok(json!(u64::MAX)));
        let odd = [
            "", " ", "5.0", "5.", "1_0", " 5", "5 ", "+5", "05", "-05", "00", "1e2", "1E2", "0x10",
            "yes", "true", "null", "--5", "-", "5a", "٥", "５", "NaN", "5,0", "1e400", "\u{0}",
            "5\u{0}", "5\n",
        ];
        check(INTEGER, &odd, Err("int_parsing"));
        let big = ["123456789012345678901234567890", "18446744073709551616"];
        check(INTEGER, &big, Err("int_parsing"));
        check(INTEGER, &["-9223372036854775809"], Err("int_parsing"));
        check(NUMBER, &["5"], Ok(json!(5)));
        check(NUMBER, &["5.0"], Ok(json!(5.0)));
        check(NUMBER, &["-0"], Ok(json!(0)));
        check(NUMBER, &["-0.5"], Ok(json!(-0.5)));
        check(NUMBER, &["1e2", "1E2", "1e+2", "1.0e02"], Ok(json!(100.0)));
        check(NUMBER, &[big[0]], Ok(json!(1.234_567_890_123_456_8e29)));
        check(NUMBER, &["1e-400"], Ok(json!(0.0)));
        let odd = [
            "", "5.", ".5", "1_0", " 5", "+5", "05", "05.0", "1e400", "-1e400", "inf", "Infinity",
            "NaN", "nan", "1e", "1e+", "1.e2", "0x10", "5f", "-", "-.5", "1e2.0", "١",
        ];
        check(NUMBER, &odd, Err("float_parsing"));
        check(BOOLEAN, &["true"], Ok(json!(true)));
        check(BOOLEAN, &["false"], Ok(json!(false)));
        let odd = [
            "", "True", "TRUE", "yes", "no", "on", "off", "1", "0", "t", " true", "null",
        ];
        check(BOOLEAN, &odd, Err("bool_parsing"));
        check(NULL, &["null"], Ok(Value::Null));
        check(NULL, &["", "Null", "None", "nil"], Err("none_required"));
        check(INTEGER | NULL, &["null"], Ok(Value::Null));
        check(INTEGER | NULL, &[""], Err("int_parsing"));
        check(STRING | NULL, &["null"], Ok(json!("null")));
        check(STRING | NULL, &[""], Ok(json!("")));
        check(STRING, &["5"], Ok(json!("5")));
        // The most specific that fits.
        let any = INTEGER | NUMBER | BOOLEAN | NULL | STRING;
        check(any, &["5"], Ok(json!(5)));
        check(any, &["5.5"], Ok(json!(5.5)));
        check(any, &["true"], Ok(json!(true)));
        check(any, &["null"], Ok(json!("null")));
        check(any, &["05"], Ok(json!("05")));
        check(INTEGER | STRING, &["5.0"], Ok(json!("5.0")));
        check(INTEGER | BOOLEAN, &["yes"], Err("int_parsing"));
        check(Types::ARRAY, &["5"], Err("list_type"));
        check(Types::OBJECT | NULL, &["5"], Err("dict_type"));
    }

    #[test]
    fn text_is_read_as_pydantic_reads_it() {
        // As pydantic 2.13.4 reads them, but for what JSON cannot say.
        let check = |types: Types, texts: &[&str], expected: Result<Value, &str>| {
            for text in texts {
                let read = outcome(text, types, Strictness::Pydantic);
                assert_eq!(read, expected, "{text:?}");
            }
        };
        let five = [
            "5", "5.0", "5.00", " 5", "5 ", "\t5\n", "\u{a0}5", "+5", "05", "+5.0",
        ];
        check(INTEGER, &five, Ok(json!(5)));
        check(INTEGER, &["1_0", "1_0.0", " +0_010.00 "], Ok(json!(10)));
        check(INTEGER, &["-05"], Ok(json!(-5)));
        check(INTEGER, &["00", "-0", "+0"], Ok(json!(0)));
        check(INTEGER, &["-1_000"], Ok(json!(-1000)));
        let odd = [
            "",
            "5.",
            "5.5",
            "1__0",
            "_1",
            "1_",
            "++5",
            "+-5",
            "- 5",
            "1e2",
            "1E2",
            "1e400",
            "inf",
            "nan",
            "Infinity",
            "0x10",
            ".5",
            "-.5",
            "1_0.5",
            "1.5_0",
            "٥",
            "yes",
            "true",
            "on",
            "1.0e2",
            "+.5",
            "1e+2",
            "123456789012345678901234567890",
        ];
        check(INTEGER, &odd, Err("int_parsing"));
        let five = [
            " 5", "5 ", "\t5\n", "\u{a0}5", "+5", "05", "5.", "5.0", "+5.0",
        ];
        for text in five {
            let read = outcome(text, NUMBER, Strictness::Pydantic).unwrap();
            assert_eq!(read.as_f64(), Some(5.0), "{text:?}");
        }
        check(NUMBER, &["1_0.5"], Ok(json!(10.5)));
        check(NUMBER, &["1.5_0"], Ok(json!(1.5)));
        check(NUMBER, &[".5", "+.5"], Ok(json!(0.5)));
        check(NUMBER, &["-.5"], Ok(json!(-0.5)));
        check(NUMBER, &["1e2", "1e+2", "1.0e2"], Ok(json!(100.0)));
        check(NUMBER, &["1_0e1_0"], Ok(json!(1e11)));
        check(NUMBER, &["1.0_0", "1_.0", "1._0", "+_1"], Ok(json!(1.0)));
        let odd = [
            "", ".", "1__0", "_1", "1_", "++5", "+-5", "- 5", "0x10", "yes", "true", "٥", "inf",
            "+inf", "nan", "-nan", "Infinity", "1e400", "_1.0", "1.5_", "5._", "5\0", "+", "-_",
            "_",
        ];
        check(NUMBER, &odd, Err("float_parsing"));
        let yes = ["true", "True", "TRUE", "yes", "YES", "y", "on", "t", "1"];
        check(BOOLEAN, &yes, Ok(json!(true)));
        let no = ["false", "False", "no", "n", "off", "f", "0"];
        check(BOOLEAN, &no, Ok(json!(false)));
        let odd = ["", "2", " true", "1.0", "-0", "+0", "00", "yeah", "5"];
        check(BOOLEAN, &odd, Err("bool_parsing"));
        // A string where strings may stand stays one.
        check(INTEGER | STRING, &["+5"], Ok(json!("+5")));
        check(BOOLEAN | STRING, &["yes"], Ok(json!("yes")));
        check(INTEGER | BOOLEAN, &["yes"], Ok(json!(true)));
        check(INTEGER | BOOLEAN, &["1"], Ok(json!(1)));
        check(INTEGER | BOOLEAN, &["5.0"], Ok(json!(5)));
    }

    #[test]
    fn trees_are_coerced_where_the_schema_asks_for_something_else() {
        let schema = br##"{"properties":{
            "n":{"type":"integer"},"x":{"type":"number"},"b":{"type":"boolean"},"s":{"type":"string"},
            "either":{"type":["integer","string"]},"maybe":{"anyOf":[{"type":"integer"},{"type":"null"}]},
            "list":{"type":"array","items":{"type":"number"}},"any":{},
            "pair":{"prefixItems":[{"type":"string"},{"type":"boolean"}]},"self":{"$ref":"#"}},
            "additionalProperties":{"type":"integer"}}"##;
        let schema = Document::from_bytes(schema).unwrap();
        let shape = shape::compile(&schema, &[]);
        let check = |before: Value, after: Value| {
            let mut value = before.clone();
            lax(&mut value, &shape);
            assert_eq!(value, after, "{before}");
        };
        let same = |value: Value| check(value.clone(), value);
        check(json!({"n": "12"}), json!({"n": 12}));
        check(json!({"n": "5.0"}), json!({"n": 5}));
        check(json!({"n": true}), json!({"n": 1}));
        check(json!({"x": "1e2"}), json!({"x": 100.0}));
        check(json!({"x": false}), json!({"x": 0}));
        check(json!({"b": "yes"}), json!({"b": true}));
        check(json!({"b": "1"}), json!({"b": true}));
        check(json!({"b": 1}), json!({"b": true}));
        check(json!({"b": 0.0}), json!({"b": false}));
        check(json!({"maybe": " 1_0"}), json!({"maybe": 10}));
        check(json!({"list": ["1", true, 2]}), json!({"list": [1, 1, 2]}));
        check(json!({"pair": ["1", "1"]}), json!({"pair": ["1", true]}));
        check(json!({"self": {"n": "1"}}), json!({"self": {"n": 1}}));
        check(json!({"other": "1"}), json!({"other": 1}));
        same(json!({"n": "x", "x": "NaN", "b": 2, "s": 5}));
        same(json!({"n": null, "maybe": null, "maybe2": 1}));
        same(json!({"maybe": "null"}));
        same(json!({"either": "5", "any": "5", "n": [], "b": {"n": "1"}}));
        same(json!({"n": 5.0, "x": 5, "b": true}));
        same(json!("5"));
    }

    proptest! {
        /// What is a JSON number is read as serde_json reads it, and nothing else is.
        #[test]
        fn strict_numbers_are_those_of_json(text in "-?(0|00|1|9){1,25}(\\.[0-9]{0,4})?([eE][+-]?[0-9]{0,3})?") {
            let ours = outcome(&text, NUMBER, Strictness::Schema).ok();
            let theirs: Option<Value> = serde_json::from_str(&text).ok();
            prop_assert_eq!(ours.is_some(), theirs.is_some());
            if let (Some(ours), Some(theirs)) = (ours, theirs) {
                let (ours, theirs) = (ours.as_f64().unwrap(), theirs.as_f64().unwrap());
                // serde_json rounds in its last bit as it likes.
                prop_assert!((ours - theirs).abs() <= theirs.abs() * 1e-15, "{} {}", ours, theirs);
            }
        }

        #[test]
        fn no_text_panics(text: String, types in 0..128u8) {
            let all = [NULL, BOOLEAN, INTEGER, Types::FRACTION, STRING, Types::ARRAY, Types::OBJECT];
            let types = all
                .into_iter()
                .enumerate()
                .filter(|(bit, _)| types & 1 << bit != 0)
                .fold(Types::NONE, |all, (_, one)| all | one);
            for strictness in [Strictness::Schema, Strictness::Pydantic] {
                let read = outcome(&text, types, strictness);
                prop_assert!(read.is_ok() || !types.has(STRING));
            }
        }
    }
}
