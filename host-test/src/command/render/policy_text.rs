//! A policy as JSON text that stands in YAML: short values on one line, and nothing but ASCII.
//!
//! ASCII, because YAML readers disagree about what else is a line's end or may stand in a file at all.

use std::fmt::Write as _;

use serde_json::Value;

/// A value that fits in so many columns stands on one line.
const WIDTH: usize = 110;

/// The JSON text (RFC 8259) in lines.
pub(super) fn policy_text(value: &Value) -> String {
    let mut text = String::new();
    write(value, 0, &mut text);
    text
}

fn write(value: &Value, indent: usize, text: &mut String) {
    let short = one_line(value);
    let column = text.rsplit('\n').next().map_or(0, str::len);
    let last = indent == 0 && matches!(value, Value::Object(_));
    if !last && column + short.len() < WIDTH {
        text.push_str(&short);
        return;
    }
    match value {
        Value::Object(members) if !members.is_empty() => {
            let members = members.iter().map(|(key, value)| (Some(key), value));
            write_all('{', members, '}', indent, text);
        }
        Value::Array(items) if !items.is_empty() => {
            write_all(
                '[',
                items.iter().map(|item| (None, item)),
                ']',
                indent,
                text,
            );
        }
        _ => text.push_str(&short),
    }
}

fn write_all<'a>(
    open: char,
    values: impl Iterator<Item = (Option<&'a String>, &'a Value)>,
    close: char,
    indent: usize,
    text: &mut String,
) {
    text.push(open);
    for (index, (key, value)) in values.enumerate() {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "{}\n{:2$}",
            if index > 0 { "," } else { "" },
            "",
            indent + 2
        );
        if let Some(key) = key {
            let _ = write!(text, "{}: ", quoted(key));
        }
        write(value, indent + 2, text);
    }
    let _ = write!(text, "\n{:1$}{close}", "", indent);
}

fn one_line(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(key, value)| format!("{}: {}", quoted(key), one_line(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => {
            format!(
                "[{}]",
                items.iter().map(one_line).collect::<Vec<_>>().join(", ")
            )
        }
        Value::String(string) => quoted(string),
        other => other.to_string(),
    }
}

/// A JSON string of ASCII alone.
pub(super) fn quoted(string: &str) -> String {
    let mut text = String::new();
    for c in Value::from(string).to_string().chars() {
        if c.is_ascii() && c != '\x7f' {
            text.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(text, "\\u{unit:04x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn short_values_stand_on_one_line() {
        let long: Vec<String> = (0..20).map(|n| format!("entry-{n}")).collect();
        let value = json!({"a": {"b": [1, 2.5, null, true]}, "c": long, "d": {}});
        let text = policy_text(&value);
        assert!(
            text.starts_with(
                "{\n  \"a\": {\"b\": [1, 2.5, null, true]},\n  \"c\": [\n    \"entry-0\",\n"
            ),
            "{text}"
        );
        assert!(text.ends_with("\n  ],\n  \"d\": {}\n}"), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn any_string_is_ascii_on_one_line() {
        for string in [
            "",
            "a\"b\\c\n\t\0",
            "\u{7f}\u{85}\u{2028}\u{feff}é",
            "🂡",
            "# {: }",
        ] {
            let text = quoted(string);
            assert!(text.bytes().all(|b| (b' '..0x7f).contains(&b)), "{text}");
            assert_eq!(serde_json::from_str::<String>(&text).unwrap(), string);
        }
    }
}
