//! Tells values that are no words: they are not searched where every string of a body is.
//!
//! Only the whole of a value counts, and what has the shape of words is always searched: an identifier that is missed is looked at in vain,
//! but a sentence taken for one would be let through unseen.

/// The longest value that may be an identifier: bytes.
const LONGEST: usize = 8192;

/// Whether the whole of `text` is an identifier rather than words: a UUID, hex, base64, an e-mail address, a URL or an ISO date.
pub fn is_opaque(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty()
        && text.len() <= LONGEST
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && (is_hex(text) || is_date(text) || is_url(text) || is_email(text) || is_base64(text))
}

/// A UUID with or without hyphens and braces, a hash, a colour, a MAC address: at least six hex digits, one of them a digit.
fn is_hex(text: &str) -> bool {
    let text = text
        .strip_prefix("0x")
        .or_else(|| text.strip_prefix("urn:uuid:"))
        .unwrap_or(text);
    let text = text.trim_matches(['{', '}', '#']);
    let digits = text.bytes().filter(u8::is_ascii_hexdigit).count();
    digits >= 6
        && text
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-' || byte == b':')
        && text.bytes().any(|byte| byte.is_ascii_digit())
}

/// `2026-01-31`, with a time and an offset or without (RFC 3339, ISO 8601).
fn is_date(text: &str) -> bool {
    let shape = |byte: u8| match byte {
        b'0'..=b'9' => b'0',
        other => other,
    };
    let day: Vec<u8> = text.bytes().take(10).map(shape).collect();
    let rest = text.bytes().skip(10);
    day == *b"0000-00-00"
        && rest
            .clone()
            .next()
            .is_none_or(|first| first == b'T' || first == b't')
        && rest
            .skip(1)
            .all(|byte| matches!(byte, b'0'..=b'9' | b':' | b'.' | b'+' | b'-' | b'Z' | b'z'))
}

/// A scheme and `://`, or `mailto:`, `data:`, `tel:`; or `www.` and a name.
fn is_url(text: &str) -> bool {
    let lower = |prefix: &str| {
        text.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let scheme = text.split_once("://").is_some_and(|(scheme, rest)| {
        scheme.len() <= 16
            && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
            && !rest.is_empty()
    });
    scheme
        || ["mailto:", "data:", "tel:"].into_iter().any(lower)
        || lower("www.") && text.matches('.').count() > 1
}

/// One `@`, with a name before it and a domain with a dot behind it.
fn is_email(text: &str) -> bool {
    let Some((name, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let named = !name.is_empty()
        && name.len() <= 64
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte));
    let label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let top = domain.rsplit_once('.').is_some_and(|(_, top)| {
        top.len() > 1 && top.bytes().all(|byte| byte.is_ascii_alphabetic())
    });
    named && top && domain.split('.').all(label)
}

/// Base64 or base64url of 12 bytes and more, or a token of letters and digits such as a nano ID: what changes between small letters,
/// capitals and digits as chance has it, and not as words have it.
fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let padding = text.len() - body.len();
    if body.len() < 16
        || padding > 2
        || !body
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/-_.".contains(&byte))
    {
        return false;
    }
    let kind = |byte: u8| match byte {
        b'a'..=b'z' => 0u8,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    // A capital before a small letter is how words begin, and a digit behind a digit how numbers go on: neither is chance.
    let bytes = body.as_bytes();
    let changes = bytes
        .windows(2)
        .filter(|pair| match pair {
            [one, two] => {
                !matches!((kind(*one), kind(*two)), (1, 0) | (3, _) | (_, 3))
                    && kind(*one) != kind(*two)
            }
            _ => false,
        })
        .count();
    let capitals = bytes
        .iter()
        .filter(|byte| byte.is_ascii_uppercase())
        .count();
    let small = bytes
        .iter()
        .filter(|byte| byte.is_ascii_lowercase())
        .count();
    capitals >= 2 && small >= 2 && changes * 4 >= bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_opaque_and_words_are_not() {
        #[track_caller]
        fn check(text: &str, opaque: bool) {
            assert_eq!(is_opaque(text), opaque, "{text}");
        }
        check("c52eb87d-8ad5-4e15-a8d4-86a58d67a6a0", true);
        check("{C52EB87D-8AD5-4E15-A8D4-86A58D67A6A0}", true);
        check(
            "4e37d0cadfcf3f31e7bf29a985724957394be321fe8dff5c849c4665e66b780b",
            true,
        );
        check("#a55b17", true);
        check("2026-01-31", true);
        check("2026-01-31T12:00:00.5+01:00", true);
        check("2026-01-31 you fool", false);
        check("https://example.com/a?b=c", true);
        check("www.example.com", true);
        check("first.last+tag@mail.example.org", true);
        check("iDr76jFInvqEhPUCP14OiA", true);
        check("QW-UJl6mQpHUin2DdhzMzw==", true);
        check("deadbeef", false);
        check("xXDragonSlayerOfDoomXx", false);
        check("ThisIsALongPlayerName2024", false);
        check("this is a sentence with words", false);
        check("you@me", false);
        check("a_very_long_snake_case_name", false);
        check("", false);
        check("12", false);
    }
}
