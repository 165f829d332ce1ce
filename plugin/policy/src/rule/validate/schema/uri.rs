//! URIs (RFC 3986), IRIs (RFC 3987) and URI templates (RFC 6570), as far as their grammar goes.
//!
//! Not by a URL library: one that resolves and repairs answers another question, and one that knows international host
//! names brings their tables.

use std::net::Ipv6Addr;

/// Which characters a URI may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Letters {
    Ascii,
    /// Those of other alphabets too.
    All,
}

impl Letters {
    fn unreserved(self, c: char) -> bool {
        c.is_ascii_alphanumeric()
            || matches!(c, '-' | '.' | '_' | '~')
            || (self == Self::All && is_international(c))
    }
}

/// `ucschar` and `iprivate`: not told apart, as the latter stands only in a query.
fn is_international(c: char) -> bool {
    matches!(c, '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFEF}' | '\u{10000}'..='\u{10FFFD}')
}

/// `URI`: with its scheme.
pub(super) fn is_uri(text: &str, letters: Letters) -> bool {
    text.split_once(':')
        .is_some_and(|(scheme, rest)| is_scheme(scheme) && has_parts(rest, letters))
}

/// `URI-reference`
pub(super) fn is_reference(text: &str, letters: Letters) -> bool {
    if is_uri(text, letters) {
        return true;
    }
    let first = text.split(['/', '?', '#']).next().unwrap_or_default();
    !first.contains(':') && has_parts(text, letters)
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// What follows a scheme: authority, path, query and fragment.
fn has_parts(text: &str, letters: Letters) -> bool {
    let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (text, query) = text.split_once('?').unwrap_or((text, ""));
    let (authority, path) = match text.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", text),
    };
    is_authority(authority, letters)
        && is_made_of(path, letters, ":@/")
        && is_made_of(query, letters, ":@/?")
        && is_made_of(fragment, letters, ":@/?")
}

fn is_authority(text: &str, letters: Letters) -> bool {
    let (user, host) = text.split_once('@').unwrap_or(("", text));
    let (host, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) if is_address(address) => ("", port),
            _ => return false,
        },
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let port = match port.strip_prefix(':') {
        Some(digits) => digits.bytes().all(|b| b.is_ascii_digit()),
        None => port.is_empty(),
    };
    port && is_made_of(user, letters, ":") && is_made_of(host, letters, "")
}

/// `IPv6address` or `IPvFuture`
fn is_address(text: &str) -> bool {
    let Some(future) = text.strip_prefix(['v', 'V']) else {
        return text.parse::<Ipv6Addr>().is_ok();
    };
    future.split_once('.').is_some_and(|(version, rest)| {
        !version.is_empty()
            && version.bytes().all(|b| b.is_ascii_hexdigit())
            && !rest.is_empty()
            && !rest.contains('%')
            && is_made_of(rest, Letters::Ascii, ":")
    })
}

/// Unreserved characters, `sub-delims`, escapes and these.
fn is_made_of(text: &str, letters: Letters, others: &str) -> bool {
    has_whole_escapes(text)
        && text.chars().all(|c| {
            letters.unreserved(c)
                || matches!(
                    c,
                    '!' | '$' | '&' | '\'' | '(' | ')' | '*' | '+' | ',' | ';' | '=' | '%'
                )
                || others.contains(c)
        })
}

fn has_whole_escapes(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let mut digits = after.bytes();
        let mut digit = || digits.next().is_some_and(|b| b.is_ascii_hexdigit());
        digit() && digit()
    })
}

/// `URI-Template`
pub(super) fn is_template(text: &str) -> bool {
    let mut rest = text;
    loop {
        let Some((literal, after)) = rest.split_once('{') else {
            return is_template_literal(rest);
        };
        let Some((expression, after)) = after.split_once('}') else {
            return false;
        };
        if !is_template_literal(literal) || !is_expression(expression) {
            return false;
        }
        rest = after;
    }
}

fn is_template_literal(text: &str) -> bool {
    has_whole_escapes(text)
        && !text.chars().any(|c| {
            c.is_control()
                || matches!(
                    c,
                    ' ' | '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}'
                )
        })
}

fn is_expression(text: &str) -> bool {
    text.strip_prefix(['+', '#', '.', '/', ';', '?', '&', '=', ',', '!', '@', '|'])
        .unwrap_or(text)
        .split(',')
        .all(is_variable)
}

fn is_variable(text: &str) -> bool {
    let name = match text.split_once(':') {
        Some((name, length)) => {
            let digits = length.bytes().all(|b| b.is_ascii_digit());
            if !digits || !(1..=4).contains(&length.len()) || length.starts_with('0') {
                return false;
            }
            name
        }
        None => text.strip_suffix('*').unwrap_or(text),
    };
    name.split('.').all(|part| {
        !part.is_empty()
            && has_whole_escapes(part)
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '%'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_follow_their_grammar() {
        let uri = |text: &str, expected: bool| {
            assert_eq!(is_uri(text, Letters::Ascii), expected, "{text}");
        };
        for text in [
            "http://example.com",
            "HTTPS://EXAMPLE.COM:443/a%20b?c=d&e[]#f".trim_end_matches("[]#f"),
            "http://user:pw@[2001:db8::1]:8080/x;y=1?z#w/?",
            "http://[v1.fe80::a]/",
            "urn:isbn:0451450523",
            "mailto:a@b.example",
            "file:///etc/hosts",
            "x:",
            "http://",
        ] {
            uri(text, true);
        }
        for text in [
            "",
            "example.com",
            "/a",
            "//example.com/a",
            "1http://a",
            "http//a:b",
            "http://a b/",
            "http://a/%zz",
            "http://a/%2",
            "http://a:80x/",
            "http://[::1/",
            "http://[::g]/",
            "http://a/<b>",
            "http://a/\\b",
            "http://exämple.com/",
            "http://a@b@c/",
            "http://a/#b#c",
        ] {
            uri(text, false);
        }
        assert!(is_uri("http://exämple.com/ü?ö#ä", Letters::All));
        assert!(!is_uri("http://a/\u{85}", Letters::All));
        for text in [
            "", "a", "/a?b#c", "//h/p", "?q", "#f", "./a:b", "a/b:c", "http://a",
        ] {
            assert!(is_reference(text, Letters::Ascii), "{text}");
        }
        for text in ["1:b", "a b", "\\a", "%"] {
            assert!(!is_reference(text, Letters::Ascii), "{text}");
        }
    }

    #[test]
    fn templates_follow_their_grammar() {
        for text in ["", "/a/{b}", "/{+path,x:3}{?q*,r.s}{#f}", "/ü/%41/{%41a}"] {
            assert!(is_template(text), "{text}");
        }
        for text in [
            "{",
            "}",
            "/{a",
            "/a}",
            "/{a{b}}",
            "/{}",
            "/{a,}",
            "/{a:0}",
            "/{a:12345}",
            "/{a-b}",
            "/ a",
            "/%4",
        ] {
            assert!(!is_template(text), "{text}");
        }
    }
}
