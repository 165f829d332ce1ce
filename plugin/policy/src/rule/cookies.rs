//! `Set-Cookie`, hardened line by line (RFC 6265bis section 4.1).
//!
//! A line is never split at commas (dates have one) and never folded into another; an attribute that is there is left
//! as it is, and none is ever written twice. A cookie that is being deleted is treated like any other, so that the
//! deletion meets the cookie that was set.

use std::borrow::Cow;

use portcullis_config::{Cookies, SameSite};

use crate::decision::Edit;
use crate::message::Line;

/// The compiled `headers.cookies`.
#[derive(Clone, Debug)]
pub(crate) struct CookiesRule {
    cookies: Cookies,
}

/// What a line already says.
#[derive(Default)]
struct Attributes {
    secure: bool,
    http_only: bool,
    same_site: bool,
    /// `SameSite=None` or `Partitioned`, which browsers drop without `Secure`.
    needs_secure: bool,
}

impl CookiesRule {
    pub(crate) fn compile(cookies: &Cookies) -> Self {
        Self {
            cookies: cookies.clone(),
        }
    }

    /// The changes to a response's cookies: none if every line is as it must be, else all lines anew in their order.
    pub(crate) fn edits<'a>(&self, lines: &[Line<'a>], https: bool, edits: &mut Vec<Edit<'a>>) {
        let cookies = || {
            lines
                .iter()
                .filter(|(name, _)| name.eq_ignore_ascii_case(b"set-cookie"))
                .map(|(_, value)| *value)
        };
        let changed = |line: &[u8]| !self.missing(line, https).is_empty();
        if !cookies().any(changed) {
            return;
        }
        edits.push(Edit::Remove(b"set-cookie"));
        for line in cookies() {
            let missing = self.missing(line, https);
            let value = if missing.is_empty() {
                Cow::Borrowed(line)
            } else {
                let end = line.trim_ascii_end();
                let end = end.strip_suffix(b";").unwrap_or(end);
                Cow::Owned([end, missing.as_bytes()].concat())
            };
            edits.push(Edit::Add(Cow::Borrowed(b"set-cookie"), value));
        }
    }

    /// What is to be appended to a line.
    fn missing(&self, line: &[u8], https: bool) -> String {
        let mut parts = line.split(|b| *b == b';');
        let pair = parts.next().unwrap_or_default();
        let name = pair
            .split(|b| *b == b'=')
            .next()
            .unwrap_or_default()
            .trim_ascii();
        let has = attributes(parts);
        let mut missing = String::new();
        let same_site = self.cookies.same_site.filter(|_| !has.same_site);
        let prefixed = [&b"__host-"[..], b"__http-", b"__secure-"]
            .iter()
            .any(|prefix| {
                let front = name.get(..prefix.len());
                front.is_some_and(|front| front.eq_ignore_ascii_case(prefix))
            });
        let needs_secure = has.needs_secure || prefixed || same_site == Some(SameSite::None);
        if https && !has.secure && (self.cookies.secure || needs_secure) {
            missing.push_str("; Secure");
        }
        let readable = self
            .cookies
            .readable
            .iter()
            .any(|one| one.as_bytes() == name);
        if self.cookies.http_only && !has.http_only && !readable {
            missing.push_str("; HttpOnly");
        }
        missing.push_str(match same_site {
            Some(SameSite::Strict) => "; SameSite=Strict",
            Some(SameSite::Lax) => "; SameSite=Lax",
            // Over plain http a browser would drop the cookie for it.
            Some(SameSite::None) if https => "; SameSite=None",
            Some(SameSite::None) | None => "",
        });
        missing
    }
}

fn attributes<'a>(parts: impl Iterator<Item = &'a [u8]>) -> Attributes {
    let mut has = Attributes::default();
    for part in parts {
        let mut halves = part.splitn(2, |b| *b == b'=');
        let name = halves.next().unwrap_or_default().trim_ascii();
        let value = halves.next().unwrap_or_default().trim_ascii();
        let is = |wanted: &[u8]| name.eq_ignore_ascii_case(wanted);
        has.secure |= is(b"secure");
        has.http_only |= is(b"httponly");
        has.same_site |= is(b"samesite");
        has.needs_secure |=
            is(b"partitioned") || (is(b"samesite") && value.eq_ignore_ascii_case(b"none"));
    }
    has
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Cookies = Cookies {
        secure: true,
        http_only: true,
        same_site: Some(SameSite::Lax),
        readable: Vec::new(),
    };

    fn check(cookies: &Cookies, https: bool, before: &[&str], after: &[&str]) {
        let rule = CookiesRule::compile(cookies);
        let harden = |lines: &[&str]| -> Vec<String> {
            let bytes: Vec<Line<'_>> = lines
                .iter()
                .map(|value| (&b"Set-Cookie"[..], value.as_bytes()))
                .collect();
            let mut edits = Vec::new();
            rule.edits(&bytes, https, &mut edits);
            if edits.is_empty() {
                return lines.iter().map(|line| (*line).to_owned()).collect();
            }
            let added = edits.into_iter().filter_map(|edit| match edit {
                Edit::Add(_, value) => String::from_utf8(value.into_owned()).ok(),
                _ => None,
            });
            added.collect()
        };
        let once = harden(before);
        assert_eq!(once, after, "{before:?}");
        let again: Vec<&str> = once.iter().map(String::as_str).collect();
        assert_eq!(harden(&again), once, "hardened twice");
    }

    #[test]
    fn what_is_missing_is_added_once() {
        check(
            &ALL,
            true,
            &["a=1"],
            &["a=1; Secure; HttpOnly; SameSite=Lax"],
        );
        check(&ALL, false, &["a=1"], &["a=1; HttpOnly; SameSite=Lax"]);
        check(
            &ALL,
            true,
            &["a=1; path=/;"],
            &["a=1; path=/; Secure; HttpOnly; SameSite=Lax"],
        );
        check(
            &ALL,
            true,
            &["a=1; SECURE; httponly;samesite=strict", "b=2"],
            &[
                "a=1; SECURE; httponly;samesite=strict",
                "b=2; Secure; HttpOnly; SameSite=Lax",
            ],
        );
        let whole = "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Secure; HttpOnly; SameSite=None";
        check(&ALL, true, &[whole], &[whole]);
        check(&ALL, true, &[], &[]);
        check(&ALL, true, &[""], &["; Secure; HttpOnly; SameSite=Lax"]);
    }

    #[test]
    fn same_site_none_needs_secure() {
        let none = Cookies {
            secure: false,
            http_only: false,
            same_site: Some(SameSite::None),
            readable: vec![],
        };
        check(&none, true, &["a=1"], &["a=1; Secure; SameSite=None"]);
        check(&none, false, &["a=1"], &["a=1"]);
        let nothing = Cookies {
            same_site: None,
            ..none
        };
        check(
            &nothing,
            true,
            &["a=1; SameSite=None"],
            &["a=1; SameSite=None; Secure"],
        );
        check(
            &nothing,
            true,
            &["a=1; Partitioned"],
            &["a=1; Partitioned; Secure"],
        );
        check(
            &nothing,
            true,
            &["__Host-a=1; Path=/"],
            &["__Host-a=1; Path=/; Secure"],
        );
        check(&nothing, true, &["__Http-a=1"], &["__Http-a=1; Secure"]);
        check(&nothing, true, &["a=1"], &["a=1"]);
    }

    #[test]
    fn scripts_may_read_what_is_readable_and_deletions_keep_their_place() {
        let readable = Cookies {
            readable: vec!["csrftoken".into()],
            ..ALL
        };
        check(
            &readable,
            true,
            &["csrftoken=x", "sid=; Max-Age=0; Path=/a; Domain=a.test"],
            &[
                "csrftoken=x; Secure; SameSite=Lax",
                "sid=; Max-Age=0; Path=/a; Domain=a.test; Secure; HttpOnly; SameSite=Lax",
            ],
        );
    }
}
