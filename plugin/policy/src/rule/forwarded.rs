//! Request headers that a client must not choose: those that backends read as orders from the infrastructure.
//!
//! Forwarded headers of a peer that is not trusted are dropped, but for the two that backends cannot do without:
//! `X-Forwarded-For` and `X-Forwarded-Proto` are rewritten to what was found out here.

use std::borrow::Cow;

use portcullis_config::HeaderName;

use super::client::Caller;
use crate::decision::{Edit, Seen, remove_once};
use crate::message::{Line, is};

/// Stripped whoever sends them: they override the path or the method behind the checks, or (`Proxy`, CVE-2016-5385)
/// a backend's environment; or they are this filter's own to the upstream.
const ALWAYS: [&str; 7] = [
    "proxy",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-profanity",
    "x-rewrite-url",
];

/// Stripped from peers that are not trusted, beside every `X-Forwarded-*`.
const CLAIMS: [&str; 5] = [
    "cf-connecting-ip",
    "forwarded",
    "true-client-ip",
    "x-client-ip",
    "x-real-ip",
];

/// The compiled lists.
#[derive(Clone, Debug)]
pub(crate) struct ForwardedRule {
    strip: Vec<HeaderName>,
}

impl ForwardedRule {
    pub(crate) fn compile(strip: &[HeaderName]) -> Self {
        Self {
            strip: strip.to_vec(),
        }
    }

    /// The changes to a request's headers.
    pub(crate) fn edits<'a>(&self, lines: &[Line<'a>], caller: &Caller) -> Vec<Edit<'a>> {
        let mut edits = Vec::new();
        let mut address = self.rewritten("x-forwarded-for");
        let mut scheme = self.rewritten("x-forwarded-proto");
        for &(name, value) in lines {
            if self.strips(name) {
                remove_once(&mut edits, name);
            } else if caller.trusted {
            } else if is(name, address.name) {
                address.seen.see((name, value));
            } else if is(name, scheme.name) {
                scheme.seen.see((name, value));
            } else if is_claim(name) {
                remove_once(&mut edits, name);
            }
        }
        if !caller.trusted {
            let client = caller
                .address
                .map_or(Cow::Borrowed("unknown"), |ip| ip.to_string().into());
            address.write(client, &mut edits);
            scheme.write(
                if caller.https { "https" } else { "http" }.into(),
                &mut edits,
            );
        }
        edits
    }

    fn rewritten<'a>(&self, name: &'static str) -> Rewritten<'a> {
        Rewritten {
            name,
            seen: Seen::default(),
            stripped: self.strips(name.as_bytes()),
        }
    }

    fn strips(&self, name: &[u8]) -> bool {
        ALWAYS.iter().any(|one| reads_as(name, one))
            || self.strip.iter().any(|one| reads_as(name, one.as_str()))
    }
}

/// A header that must say one thing on one line.
struct Rewritten<'a> {
    name: &'static str,
    seen: Seen<'a>,
    /// The operator strips it.
    stripped: bool,
}

impl<'a> Rewritten<'a> {
    fn write(&self, value: Cow<'static, str>, edits: &mut Vec<Edit<'a>>) {
        if !self.stripped {
            self.seen.write(self.name.as_bytes(), bytes(value), edits);
        }
    }
}

fn bytes(text: Cow<'static, str>) -> Cow<'static, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

/// Backends of the CGI kind read `-` and `_` in a name as one (RFC 3875 section 4.1.18): what must not reach them must
/// not in either spelling.
pub(crate) fn reads_as(name: &[u8], wanted: &str) -> bool {
    name.len() == wanted.len() && begins_as(name, wanted)
}

fn begins_as(name: &[u8], prefix: &str) -> bool {
    let read = |b: u8| match b {
        b'_' => b'-',
        other => other.to_ascii_lowercase(),
    };
    name.get(..prefix.len()).is_some_and(|front| {
        let mut pairs = front.iter().zip(prefix.bytes());
        pairs.all(|(b, wanted)| read(*b) == read(wanted))
    })
}

fn is_claim(name: &[u8]) -> bool {
    begins_as(name, "x-forwarded-") || CLAIMS.iter().any(|one| reads_as(name, one))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(trusted: bool, lines: &[(&str, &str)], expected: &[(&str, &str)]) {
        check_with(&["X-Debug-User"], trusted, lines, expected);
    }

    fn check_with(
        strip: &[&str],
        trusted: bool,
        lines: &[(&str, &str)],
        expected: &[(&str, &str)],
    ) {
        let rule = ForwardedRule::compile(&names(strip));
        let caller = Caller {
            address: Some("203.0.113.7".parse().unwrap()),
            https: true,
            trusted,
            hidden: false,
        };
        let bytes: Vec<Line<'_>> = lines
            .iter()
            .map(|(n, v)| (n.as_bytes(), v.as_bytes()))
            .collect();
        let mut out: Vec<(String, String)> = lines
            .iter()
            .map(|(n, v)| (n.to_ascii_lowercase(), (*v).to_owned()))
            .collect();
        let text = |bytes: Cow<'_, [u8]>| String::from_utf8(bytes.into_owned()).unwrap();
        for edit in rule.edits(&bytes, &caller) {
            match edit {
                Edit::Add(name, value) => out.push((text(name), text(value))),
                Edit::Replace(name, value) => {
                    let name = text(name);
                    out.iter_mut().find(|(n, _)| *n == name).unwrap().1 = text(value);
                }
                Edit::Remove(name) => out.retain(|(n, _)| !n.as_bytes().eq_ignore_ascii_case(name)),
            }
        }
        out.sort();
        let expected: Vec<(String, String)> = expected
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        assert_eq!(out, expected, "{lines:?}");
    }

    fn names(strip: &[&str]) -> Vec<HeaderName> {
        let text = serde_json::json!({"version": 1, "request": {"strip": strip}}).to_string();
        let document = portcullis_config::Document::from_bytes(text.as_bytes()).unwrap();
        let request = portcullis_config::read(&document).0.unwrap().request;
        request.unwrap().strip
    }

    const FOR: (&str, &str) = ("x-forwarded-for", "203.0.113.7");
    const PROTO: (&str, &str) = ("x-forwarded-proto", "https");

    #[test]
    fn claims_of_strangers_are_dropped_or_rewritten() {
        check(false, &[], &[FOR, PROTO]);
        check(false, &[FOR, PROTO], &[FOR, PROTO]);
        check(
            false,
            &[
                ("X-Forwarded-For", "1.1.1.1"),
                ("x-forwarded-for", "2.2.2.2"),
                ("X-Forwarded-Proto", "http"),
            ],
            &[FOR, PROTO],
        );
        check(
            false,
            &[
                ("Forwarded", "for=1.1.1.1"),
                ("X-Forwarded-Host", "a"),
                ("x-real-ip", "1.1.1.1"),
                ("accept", "*/*"),
            ],
            &[("accept", "*/*"), FOR, PROTO],
        );
    }

    #[test]
    fn a_trusted_proxy_keeps_its_word_and_nobody_overrides_the_method() {
        let proxied = [
            ("forwarded", "for=1.1.1.1"),
            ("x-forwarded-for", "1.1.1.1, 10.0.0.1"),
        ];
        check(true, &proxied, &proxied);
        check(
            true,
            &[
                ("X-HTTP-Method-Override", "DELETE"),
                ("proxy", "a"),
                ("Proxy", "b"),
                ("X-Original-URL", "/admin"),
                ("x-debug-user", "1"),
            ],
            &[],
        );
    }

    #[test]
    fn an_underscore_hides_nothing() {
        check(
            false,
            &[
                ("X_Forwarded_For", "1.1.1.1"),
                ("x-real_ip", "1.1.1.1"),
                ("X_HTTP_Method_Override", "DELETE"),
                ("x_debug_user", "1"),
                ("x_forwarded", "a"),
            ],
            &[FOR, PROTO, ("x_forwarded", "a")],
        );
    }

    #[test]
    fn what_the_operator_strips_is_not_written_either() {
        let strip = ["X-Forwarded-For"];
        check_with(&strip, false, &[("x-forwarded-for", "1.1.1.1")], &[PROTO]);
        check_with(&strip, false, &[], &[PROTO]);
    }
}
