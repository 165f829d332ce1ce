//! Host names (RFC 1123) and e-mail addresses (RFC 5321, section 4.1.2), in ASCII.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Labels of letters, digits and inner hyphens.
pub(super) fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

/// `Mailbox`
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let quoted = local
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let local_right = match quoted {
        Some(inner) => is_quoted(inner),
        None => local.split('.').all(is_atom),
    };
    let domain_right = match domain.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(is_address_literal),
        None => is_host_name(domain),
    };
    text.len() <= 254 && local.len() <= 64 && local_right && domain_right
}

fn is_atom(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c))
}

/// What stands between quotes: visible ASCII and spaces, quotes and backslashes behind a backslash.
fn is_quoted(text: &str) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let byte = if byte == b'\\' {
            bytes.next()
        } else {
            Some(byte).filter(|b| *b != b'"')
        };
        if !byte.is_some_and(|b| (b' '..=b'~').contains(&b)) {
            return false;
        }
    }
    true
}

fn is_address_literal(text: &str) -> bool {
    match text.strip_prefix("IPv6:") {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => text.parse::<Ipv4Addr>().is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_are_of_labels() {
        let long = ["a".repeat(63).as_str(); 3].join(".");
        for text in ["a", "A-1.example", "xn--mnchen-3ya.de", &long] {
            assert!(is_host_name(text), "{text}");
        }
        let longer = ["a".repeat(63).as_str(); 4].join(".");
        for text in [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "-a",
            "a-",
            "a_b",
            "ä.de",
            &"a".repeat(64),
            &longer,
        ] {
            assert!(!is_host_name(text), "{text}");
        }
    }

    #[test]
    fn addresses_are_mailboxes() {
        for text in [
            "a@b",
            "joe.blo+x@example.com",
            r#""joe bloggs"@example.com"#,
            r#""a@b\"c\\"@example.com"#,
            "a@[127.0.0.1]",
            "a@[IPv6:::1]",
        ] {
            assert!(is_email(text), "{text}");
        }
        for text in [
            "",
            "@",
            "a@",
            "@b",
            "a b@c",
            "a..b@c",
            ".a@b",
            "a.@b",
            r#""a"b"@c"#,
            r#""a\"@c"#,
            "a@[127.0.0.300]",
            "a@[::1]",
            "a@-b",
            "ä@b",
            "a\n@b",
            &format!("{}@b", "a".repeat(65)),
        ] {
            assert!(!is_email(text), "{text}");
        }
    }
}
