//! Formats (JSON Schema Validation, section 7.3, and those that OpenAPI adds): which are checked, how, and in which words
//! a value is refused.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::Number;

use super::uri::{self, Letters};
use super::{instant, mail, pattern};

/// A format that is checked.
#[derive(Debug)]
pub(super) struct Format {
    pub(super) name: &'static str,
    pub(super) check: Check,
    /// pydantic's name for the error, and what the value has to be.
    pub(super) kind: &'static str,
    pub(super) what: &'static str,
}

/// A format is of one type, and leaves values of others alone.
#[derive(Clone, Copy, Debug)]
pub(super) enum Check {
    Text(fn(&str) -> bool),
    Number(fn(&Number) -> bool),
}

/// What is known of a format.
#[derive(Clone, Copy, Debug)]
pub(super) enum Known {
    Checked(&'static Format),
    /// Checked where the text is ASCII; refused where it is not.
    Ascii(&'static Format),
    /// A note for people.
    Noted,
}

/// What a format of this name means.
pub(super) fn known(name: &str) -> Option<Known> {
    if NOTED.contains(&name) {
        return Some(Known::Noted);
    }
    let find = |name| FORMATS.iter().find(|format| format.name == name);
    match name.strip_prefix("idn-") {
        Some(name @ ("email" | "hostname")) => find(name).map(Known::Ascii),
        _ => find(name).map(Known::Checked),
    }
}

/// The names of all known formats.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let checked = FORMATS.iter().map(|format| format.name);
    checked
        .chain(["idn-email", "idn-hostname"])
        .chain(NOTED.iter().copied())
}

const NOTED: &[&str] = &["float", "double", "binary", "password"];

macro_rules! formats {
    ($($name:literal $kind:literal $what:literal $of:ident $check:expr;)*) => {
        const FORMATS: &[Format] = &[
            $(Format { name: $name, check: Check::$of($check), kind: $kind, what: $what },)*
        ];
    };
}

formats! {
    "date-time" "datetime_parsing" "a date and time such as 2024-05-31T09:30:00Z" Text instant::is_date_time;
    "date" "date_parsing" "a date such as 2024-05-31" Text instant::is_date;
    "time" "time_parsing" "a time such as 09:30:00Z" Text instant::is_time;
    "duration" "time_delta_parsing" "a duration such as P1DT12H" Text instant::is_duration;
    "email" "value_error" "an e-mail address" Text mail::is_email;
    "hostname" "value_error" "a host name" Text mail::is_host_name;
    "ipv4" "ip_v4_address" "an IPv4 address" Text |text| text.parse::<Ipv4Addr>().is_ok();
    "ipv6" "ip_v6_address" "an IPv6 address" Text |text| text.parse::<Ipv6Addr>().is_ok();
    "uri" "url_parsing" "a URL with its scheme" Text |text| uri::is_uri(text, Letters::Ascii);
    "iri" "url_parsing" "a URL with its scheme" Text |text| uri::is_uri(text, Letters::All);
    "uri-reference" "url_parsing" "a URL or a part of one" Text |text| uri::is_reference(text, Letters::Ascii);
    "iri-reference" "url_parsing" "a URL or a part of one" Text |text| uri::is_reference(text, Letters::All);
    "uri-template" "value_error" "a URI template" Text uri::is_template;
    "uuid" "uuid_parsing" "a UUID" Text |text| is_uuid(text, None);
    "uuid1" "uuid_version" "a UUID of the version asked for" Text |text| is_uuid(text, Some(b'1'));
    "uuid3" "uuid_version" "a UUID of the version asked for" Text |text| is_uuid(text, Some(b'3'));
    "uuid4" "uuid_version" "a UUID of the version asked for" Text |text| is_uuid(text, Some(b'4'));
    "uuid5" "uuid_version" "a UUID of the version asked for" Text |text| is_uuid(text, Some(b'5'));
    "uuid6" "uuid_version" "a UUID of the version asked for" Text |text| is_uuid(text, Some(b'6'));
    "uuid7" "uuid_version" "a UUID of the version asked for" Text |text| is_uuid(text, Some(b'7'));
    "uuid8" "uuid_version" "a UUID of the version asked for" Text |text| is_uuid(text, Some(b'8'));
    "json-pointer" "value_error" "a JSON Pointer" Text is_pointer;
    "relative-json-pointer" "value_error" "a relative JSON Pointer" Text is_relative_pointer;
    "regex" "value_error" "a regular expression" Text |text| pattern::translate(text).is_ok();
    "int32" "value_error" "an integer of 32 bits" Number |number| is_within(number, -2_147_483_648.0, 2_147_483_648.0);
    "int64" "value_error" "an integer of 64 bits" Number |number| is_within(number, -9_223_372_036_854_775_808.0, 9_223_372_036_854_775_808.0);
    "byte" "value_error" "base64" Text is_base64;
}

/// An integer from `from` to below `to`.
fn is_within(number: &Number, from: f64, to: f64) -> bool {
    if let Some(whole) = number.as_i64() {
        let whole = i128::from(whole);
        return whole >= from as i128 && whole < to as i128;
    }
    let number = number.as_f64().unwrap_or(f64::INFINITY);
    // A float at the lower bound of 64 bits may be an integer below it that was rounded.
    let above = number > from || (number == from && from > -9_007_199_254_740_992.0);
    number.fract() == 0.0 && above && number < to
}

/// RFC 9562, section 4, of one version or of any.
fn is_uuid(text: &str, version: Option<u8>) -> bool {
    let bytes = text.as_bytes();
    // Counted rather than looked for: no branch depends on a digit.
    let digits = bytes.iter().filter(|byte| byte.is_ascii_hexdigit());
    bytes.len() == 36
        && digits.count() == 32
        && [8, 13, 18, 23]
            .iter()
            .all(|at| bytes.get(*at) == Some(&b'-'))
        && version.is_none_or(|version| bytes.get(14) == Some(&version))
}

/// RFC 6901, section 3.
fn is_pointer(text: &str) -> bool {
    let mut tildes = text.split('~');
    let begins = text.is_empty() || text.starts_with('/');
    // Before the first there is no escape.
    tildes.next();
    begins && tildes.all(|rest| rest.starts_with(['0', '1']))
}

/// A count of steps up, and a pointer from there or a `#` (draft-bhutton-relative-json-pointer-00, section 3).
fn is_relative_pointer(text: &str) -> bool {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = text.len() - rest.len();
    digits > 0 && (digits == 1 || !text.starts_with('0')) && (rest == "#" || is_pointer(rest))
}

/// RFC 4648, section 4, with its padding.
fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    text.len().is_multiple_of(4)
        && padding <= 2
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn passes(format: &str, value: &Value) -> bool {
        let Some(Known::Checked(format)) = known(format) else {
            panic!("{format}");
        };
        match (format.check, value) {
            (Check::Text(check), Value::String(text)) => check(text),
            (Check::Number(check), Value::Number(number)) => check(number),
            _ => true,
        }
    }

    #[test]
    fn formats_take_what_they_say() {
        let check = |format: &str, value: Value, expected: bool| {
            assert_eq!(passes(format, &value), expected, "{format} {value}");
        };
        for (format, right, wrong) in [
            (
                "int32",
                "[-2147483648, 2147483647, 1.0, 1e3, \"x\", null]",
                "[2147483648, -2147483649, 1.5, 1e300, 18446744073709551615]",
            ),
            (
                "int64",
                "[-9223372036854775808, 9223372036854775807, 9e18]",
                "[9223372036854775808, 1e19, -1e19, 0.5]",
            ),
            (
                "byte",
                r#"["", "QQ==", "QUI=", "QUJD", 5]"#,
                r#"["Q", "QQ", "QQ=", "Q===", "====", "Q-==", "QQ==\n", "é==="]"#,
            ),
            (
                "uuid4",
                r#"["123e4567-e89b-42d3-a456-426614174000"]"#,
                r#"["123e4567-e89b-12d3-a456-426614174000", "123e4567e89b42d3a456426614174000", ""]"#,
            ),
            (
                "json-pointer",
                r#"["", "/", "/a~0b/~1", "/~01", 5]"#,
                r#"["a", "/~", "/~2", "/a~", "~0"]"#,
            ),
            (
                "relative-json-pointer",
                r##"["0", "1/a", "10#", "0#"]"##,
                r##"["", "#", "/a", "01", "1a", "1##", "-1/a"]"##,
            ),
            (
                "regex",
                r#"["^a+$", "\\p{Letter}", "[^]"]"#,
                r#"["a(?=b)", "\\1", "^*", "\\a"]"#,
            ),
        ] {
            for (list, expected) in [(right, true), (wrong, false)] {
                let list: Vec<Value> = serde_json::from_str(list).unwrap();
                for value in list {
                    check(format, value, expected);
                }
            }
        }
    }
}
