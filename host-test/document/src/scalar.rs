//! Plain YAML scalars: the few that mean the same to every reader, and a refusal of those that do not.
//!
//! The core schema of YAML 1.2 (section 10.3.2), less what YAML 1.1 reads otherwise and many gateways' readers still do:
//! booleans spelt `yes/no/on/off/y/n`, octal, hexadecimal, binary and sexagesimal integers, digits with underscores.

use serde_json::{Number, Value};

use crate::MAX_INTEGER;

/// What a plain scalar means, or why it must be written otherwise: a message and a help.
pub(super) fn resolve(text: &str) -> Result<Value, (String, String)> {
    let quote = || format!("quote it if it is text: \"{text}\"");
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    if is_old_boolean(text) {
        return Err((
            format!("`{text}` is a boolean to some readers of YAML and text to others"),
            format!("write `true` or `false`, or quote it: \"{text}\""),
        ));
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return Ok(Value::String(text.to_owned()));
    }
    if matches!(digits.to_ascii_lowercase().as_str(), ".inf" | ".nan") {
        return Err((format!("`{text}` is no number that JSON has"), quote()));
    }
    if let Some(base) = other_base(digits) {
        return Err((
            format!("`{text}` is {base} to some readers of YAML"),
            quote(),
        ));
    }
    if !is_decimal(digits) {
        return Ok(Value::String(text.to_owned()));
    }
    let integer_digits = digits.split(['.', 'e', 'E']).next().unwrap_or_default();
    if integer_digits.len() > 1 && integer_digits.starts_with('0') {
        return Err((
            format!("`{text}` has a leading zero, which is octal to some readers of YAML"),
            format!("drop the zero, or quote it if it is text: \"{text}\""),
        ));
    }
    number(text, digits).ok_or_else(|| {
        (
            format!("`{text}` is no number that JSON keeps exactly"),
            format!("integers go up to 2^53; quote it if it is text: \"{text}\""),
        )
    })
}

fn is_old_boolean(text: &str) -> bool {
    ["yes", "no", "on", "off", "y", "n"]
        .into_iter()
        .any(|word| {
            text.eq_ignore_ascii_case(word)
            // `yEs` is text everywhere.
            && (text == word
                || text == word.to_ascii_uppercase()
                || text.starts_with(|c: char| c.is_ascii_uppercase())
                    && text.chars().skip(1).all(|c| c.is_ascii_lowercase()))
        })
}

/// The name of the notation in which YAML 1.1 (or 1.2, for `0o`) reads these digits as another number than they seem.
fn other_base(digits: &str) -> Option<&'static str> {
    let lower = digits.to_ascii_lowercase();
    let all = |rest: &str, ok: fn(char) -> bool| !rest.is_empty() && rest.chars().all(ok);
    if lower
        .strip_prefix("0x")
        .is_some_and(|rest| all(rest, |c| c.is_ascii_hexdigit() || c == '_'))
    {
        return Some("a hexadecimal number");
    }
    if lower
        .strip_prefix("0o")
        .is_some_and(|rest| all(rest, |c| c.is_digit(8) || c == '_'))
    {
        return Some("an octal number");
    }
    if lower
        .strip_prefix("0b")
        .is_some_and(|rest| all(rest, |c| matches!(c, '0' | '1' | '_')))
    {
        return Some("a binary number");
    }
    let mut parts = lower.split(':');
    let first = parts.next().unwrap_or_default();
    let mut rest = parts.peekable();
    if rest.peek().is_some() && all(first, |c| c.is_ascii_digit() || c == '_') {
        let mut parts: Vec<&str> = rest.collect();
        if let Some(last) = parts.last_mut() {
            *last = last.split('.').next().unwrap_or_default();
        }
        let sexagesimal =
            |part: &&str| part.len() <= 2 && part.parse::<u8>().is_ok_and(|value| value < 60);
        if parts.iter().all(sexagesimal) {
            return Some("a number to the base of 60");
        }
    }
    if lower.contains('_')
        && lower.starts_with(|c: char| c.is_ascii_digit())
        && is_decimal(&lower.replace('_', ""))
    {
        return Some("a number");
    }
    None
}

/// `[0-9]+`, `.5`, `1.`, `1.5`, each with an exponent or without.
fn is_decimal(digits: &str) -> bool {
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (digits, None),
    };
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_reads = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && all_digits(exponent)
    });
    !(whole.is_empty() && fraction.is_empty())
        && all_digits(whole)
        && all_digits(fraction)
        && exponent_reads
}

/// The JSON number of decimal text, if JSON keeps it.
fn number(text: &str, digits: &str) -> Option<Value> {
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        let magnitude = digits.parse::<u64>().ok().filter(|m| *m <= MAX_INTEGER)?;
        let magnitude = i64::try_from(magnitude).ok()?;
        let signed = if text.starts_with('-') {
            -magnitude
        } else {
            magnitude
        };
        return Some(Value::from(signed));
    }
    // Infinite when it overflows, and then no JSON number.
    text.parse::<f64>()
        .ok()
        .and_then(Number::from_f64)
        .map(Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn plain_scalars_that_all_readers_agree_on() {
        let check = |text: &str, expected: Value| {
            assert_eq!(resolve(text), Ok(expected), "{text}");
        };
        check("", Value::Null);
        check("~", Value::Null);
        check("true", json!(true));
        check("False", json!(false));
        check("0", json!(0));
        check("-17", json!(-17));
        check("+5", json!(5));
        check("9007199254740992", json!(9_007_199_254_740_992_i64));
        check("64.0", json!(64.0));
        check("6.4e1", json!(64.0));
        check("0.5", json!(0.5));
        check("1e-3", json!(0.001));
        for text in [
            "60/1m",
            "16KiB",
            "10.0.0.0/24",
            "203.0.113.7",
            "2001:db8::1",
            "::1",
            "no-store",
            "north",
            "yEs",
            "1.2.3",
            "2026-11-21",
            "8080:90",
            "1:2:3:4:5:6:7:88",
            "-",
            "--",
            "a: b",
            "0x",
            "0b2",
            ".",
            "..",
            "1e",
            "e5",
            "_1",
            "+",
            "localhost:8080",
        ] {
            check(text, json!(text));
        }
    }

    #[test]
    fn plain_scalars_that_readers_disagree_on_are_refused() {
        let check = |text: &str, expected: &str| {
            let (message, help) = resolve(text).unwrap_err();
            assert!(message.contains(expected), "{text}: {message}");
            assert!(help.contains(&format!("\"{text}\"")), "{text}: {help}");
        };
        for text in ["yes", "No", "ON", "off", "Off", "y", "N"] {
            check(text, "boolean");
        }
        check("0x1F", "hexadecimal");
        check("0o17", "octal");
        check("0b101", "binary");
        check("1_000", "a number");
        check("12:30", "base of 60");
        check("12:30:45.5", "base of 60");
        check("-1:30", "base of 60");
        check("007", "leading zero");
        check("00.5", "leading zero");
        check("9007199254740993", "exactly");
        check("99999999999999999999999", "exactly");
        check("1e999", "exactly");
        check(".inf", "no number");
        check("-.Inf", "no number");
        check(".NaN", "no number");
    }
}
