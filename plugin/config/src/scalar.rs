//! The scalars of the policy file: modes, names, durations, sizes, header names and values, methods, pointers.

use crate::diagnostic::code;
use crate::document::Document;
use crate::walk::{Node, shown};

/// How far a rule goes. Ordered: the weakest mode on the way from the top of the file to a rule is the one it runs in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// As if it were not there.
    Off,
    /// Judges, counts and logs; changes nothing.
    Report,
    /// Judges and acts.
    #[default]
    Enforce,
}

impl Mode {
    /// The word in the policy file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Report => "report",
            Self::Enforce => "enforce",
        }
    }

    /// This mode where an outer one caps it.
    #[must_use]
    pub fn capped_by(self, outer: Self) -> Self {
        self.min(outer)
    }
}

/// A mode. YAML 1.1 readers, Envoy's among them, make `false` of a plain `off`: it reads as `off`.
pub(crate) fn mode(node: &Node<'_>) -> Option<Mode> {
    if let Document::Bool(false) = node.value {
        return Some(Mode::Off);
    }
    node.word(&[
        ("enforce", Mode::Enforce),
        ("report", Mode::Report),
        ("off", Mode::Off),
    ])
}

/// The name of a policy or a rate limit: `[a-z0-9_-]{1,32}`.
pub(crate) fn name(node: &Node<'_>) -> Option<String> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-');
    name_of(
        node,
        node.string()?,
        32,
        allowed,
        "1 to 32 of a-z, 0-9, `_` and `-`",
    )
}

/// The name of a route, a schema or a check: `[A-Za-z0-9_.-]{1,128}`.
pub(crate) fn long_name(node: &Node<'_>) -> Option<String> {
    long_name_of(node, node.string()?)
}

/// As [`long_name`], for the name that stands as an object's key.
pub(crate) fn long_name_of(node: &Node<'_>, text: &str) -> Option<String> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    name_of(
        node,
        text,
        128,
        allowed,
        "1 to 128 of A-Z, a-z, 0-9, `_`, `.` and `-`",
    )
}

fn name_of(
    node: &Node<'_>,
    text: &str,
    longest: usize,
    allowed: impl Fn(u8) -> bool,
    rule: &str,
) -> Option<String> {
    if (1..=longest).contains(&text.len()) && text.bytes().all(allowed) {
        return Some(text.to_owned());
    }
    node.error(
        code::NAME_SYNTAX,
        format!("`{}` is not a name", shown(text)),
        Some(rule),
    );
    None
}

/// Splits `10s` into 10 and `s`; `None` without digits, or with more than 2^53 of anything.
fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(end)?;
    let number: u64 = digits.parse().ok()?;
    (number <= 1 << 53).then_some((number, unit))
}

/// Milliseconds of a duration such as `250ms`, `10s`, `5m`, `2h` or `30d`.
pub(crate) fn milliseconds(text: &str) -> Option<u64> {
    let (number, unit) = number_and_unit(text)?;
    let factor = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// A duration from `low` to `high`, in milliseconds.
pub(crate) fn duration(node: &Node<'_>, low: u64, high: u64) -> Option<u64> {
    if let Document::Number(number) = node.value {
        let help = format!("write the unit, for example `{number}s`");
        node.error(
            code::DURATION_SYNTAX,
            format!("`{number}` has no unit"),
            Some(&help),
        );
        return None;
    }
    let text = node.string()?;
    match milliseconds(text) {
        Some(ms) if (low..=high).contains(&ms) => return Some(ms),
        Some(_) => node.error(
            code::NUMBER_RANGE,
            format!("`{}` is out of range", shown(text)),
            Some(&format!("from {low}ms to {high}ms")),
        ),
        None => node.error(
            code::DURATION_SYNTAX,
            format!("`{}` is not a duration", shown(text)),
            Some("a whole number and `ms`, `s`, `m`, `h` or `d`, for example `10s`"),
        ),
    }
    None
}

/// A size in bytes, such as `64KiB`.
pub(crate) fn size(node: &Node<'_>) -> Option<u64> {
    if let Document::Number(number) = node.value {
        node.error(
            code::SIZE_SYNTAX,
            format!("`{number}` has no unit"),
            Some(&format!("write the unit, for example `{number}B`")),
        );
        return None;
    }
    let text = node.string()?;
    let bytes = number_and_unit(text).and_then(|(number, unit)| {
        let shift = match unit {
            "B" => 0,
            "KiB" => 10,
            "MiB" => 20,
            "GiB" => 30,
            _ => return None,
        };
        number.checked_mul(1 << shift)
    });
    match bytes {
        Some(bytes) if (1..=1 << 40).contains(&bytes) => return Some(bytes),
        Some(_) => node.error(
            code::NUMBER_RANGE,
            format!("`{}` is out of range", shown(text)),
            Some("from 1B to 1024GiB"),
        ),
        None => {
            let help = match text.trim_end_matches(|c: char| c.is_ascii_alphabetic()) {
                digits if !digits.is_empty() && text.ends_with(['b', 'B', 'k', 'K', 'm', 'M']) => {
                    format!(
                        "sizes count in 1024s: `{}KiB` or `{}MiB`",
                        shown(digits),
                        shown(digits)
                    )
                }
                _ => {
                    "a whole number and `B`, `KiB`, `MiB` or `GiB`, for example `64KiB`".to_owned()
                }
            };
            node.error(
                code::SIZE_SYNTAX,
                format!("`{}` is not a size", shown(text)),
                Some(&help),
            );
        }
    }
    None
}

/// Whether `b` may stand in a token (RFC 9110 section 5.6.2).
pub fn is_token_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}

/// A header value: visible ASCII, spaces and tabs, none of them at an end.
pub(crate) fn header_value(node: &Node<'_>) -> Option<String> {
    let text = node.string()?;
    let legal = text.bytes().all(|b| matches!(b, b'\t' | b' '..=b'~'));
    if legal && text.trim_matches([' ', '\t']) == text && text.len() <= 8192 {
        return Some(text.to_owned());
    }
    node.error(
        code::HEADER_VALUE,
        format!("`{}` is not a header value", shown(text)),
        Some("at most 8192 bytes of visible ASCII, spaces and tabs, without any at the ends"),
    );
    None
}

/// Whether a request could have this for a method.
pub(crate) fn is_method(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(is_token_byte)
}

/// A method as requests carry it: methods are case-sensitive (RFC 9110 section 9.1), and none in use has a lower-case
/// letter.
pub(crate) fn method(node: &Node<'_>) -> Option<String> {
    let text = node.string()?;
    let token = is_method(text);
    if token && !text.bytes().any(|b| b.is_ascii_lowercase()) {
        return Some(text.to_owned());
    }
    let help = token.then(|| format!("did you mean `{}`?", text.to_ascii_uppercase()));
    node.error(
        code::METHOD_SYNTAX,
        format!("`{}` is not a method", shown(text)),
        help.as_deref(),
    );
    None
}

/// A JSON Pointer (RFC 6901) whose segments may be `*`.
pub(crate) fn pointer(node: &Node<'_>, text: &str) -> Option<String> {
    let escapes_hold = text
        .split('~')
        .skip(1)
        .all(|rest| rest.starts_with(['0', '1']));
    if text.starts_with('/') && escapes_hold {
        return Some(text.to_owned());
    }
    node.error(
        code::POINTER_SYNTAX,
        format!("`{}` is not a JSON Pointer", shown(text)),
        Some("it begins with `/`, for example `/players/*/name`"),
    );
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_capped_by_the_weaker() {
        assert_eq!(Mode::Enforce.capped_by(Mode::Report), Mode::Report);
        assert_eq!(Mode::Off.capped_by(Mode::Enforce), Mode::Off);
    }

    #[test]
    fn durations() {
        let check = |text: &str, expected: Option<u64>| {
            assert_eq!(milliseconds(text), expected, "{text}");
        };
        check("250ms", Some(250));
        check("30d", Some(2_592_000_000));
        check("0s", Some(0));
        check("5", None);
        check("s", None);
        check("-5s", None);
        check("1.5s", None);
        check("5 s", None);
        check("5min", None);
        check("99999999999999999999s", None);
    }
}
