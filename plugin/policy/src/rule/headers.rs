//! Response headers: written, defaulted and removed, on the upstream's responses and on our own replies alike.
//!
//! One pass over the response finds what is there; what comes out is only what differs. A response that already is as
//! the policy wants it gives no edit, so that a host which runs response callbacks on local replies changes nothing.

use std::collections::BTreeMap;

use portcullis_config::{HeaderPattern, Headers};

use super::cookies::CookiesRule;
use super::preset::{self, When};
use crate::decision::{Edit, Seen, remove_once};
use crate::message::{Line, begins, compare_names};

/// The compiled `headers` section.
#[derive(Clone, Debug)]
pub(crate) struct HeadersRule {
    writes: Vec<Write>,
    /// Every header that the rule names, lower case, sorted.
    names: Vec<(String, Named)>,
    /// Prefixes of headers that are removed, lower case.
    prefixes: Vec<String>,
    cookies: Option<CookiesRule>,
}

#[derive(Clone, Debug)]
struct Write {
    name: String,
    value: String,
    when: When,
    /// RFC 6797 section 7.2: HSTS is never sent over plain http.
    https_only: bool,
}

#[derive(Clone, Copy, Debug)]
enum Named {
    /// The place in `writes`.
    Written(usize),
    Removed,
}

impl HeadersRule {
    /// Compiles the section. What the operator wrote wins over the preset, an exact name over a prefix.
    pub(crate) fn compile(headers: &Headers) -> Self {
        let mut rule = Draft::default();
        for (name, value) in &headers.set {
            rule.write(name.as_str(), value, When::Always);
        }
        for (name, value) in &headers.default {
            rule.write(name.as_str(), value, When::Absent);
        }
        for pattern in &headers.remove {
            match pattern {
                HeaderPattern::Exact(name) => rule.remove(name.as_str()),
                HeaderPattern::Prefix(prefix) => rule.prefixes.push(prefix.clone()),
            }
        }
        for (name, value, when) in preset::written(headers.preset) {
            if !rule.prefixes.iter().any(|prefix| name.starts_with(prefix)) {
                rule.write(name, value, *when);
            }
        }
        for name in preset::removed(headers.preset) {
            match name.strip_suffix('*') {
                Some(prefix) => rule.prefixes.push(prefix.to_owned()),
                None => rule.remove(name),
            }
        }
        Self {
            writes: rule.writes,
            names: rule.names.into_iter().collect(),
            prefixes: rule.prefixes,
            cookies: headers.cookies.as_ref().map(CookiesRule::compile),
        }
    }

    /// Whether the rule writes something that depends on the scheme.
    pub(crate) fn reads_scheme(&self) -> bool {
        self.cookies.is_some() || self.writes.iter().any(|write| write.https_only)
    }

    /// The changes that make a response as the policy wants it. `https` is the scheme of the client's own connection.
    pub(crate) fn edits<'a>(&'a self, lines: &[Line<'a>], https: bool) -> Vec<Edit<'a>> {
        let mut edits = Vec::new();
        let mut seen = vec![Seen::default(); self.writes.len()];
        for &(name, value) in lines {
            match self.named(name) {
                Some(Named::Written(at)) => {
                    if let Some(seen) = seen.get_mut(at) {
                        seen.see((name, value));
                    }
                }
                Some(Named::Removed) => remove_once(&mut edits, name),
                None if self.has_prefix(name) => remove_once(&mut edits, name),
                None => {}
            }
        }
        for (write, seen) in self.writes.iter().zip(seen) {
            write.edit(seen, https, &mut edits);
        }
        if let Some(cookies) = &self.cookies
            && self.named(b"set-cookie").is_none()
            && !self.has_prefix(b"set-cookie")
        {
            cookies.edits(lines, https, &mut edits);
        }
        edits
    }

    fn named(&self, name: &[u8]) -> Option<Named> {
        let at = self
            .names
            .binary_search_by(|(other, _)| compare_names(other, name))
            .ok()?;
        self.names.get(at).map(|(_, named)| *named)
    }

    fn has_prefix(&self, name: &[u8]) -> bool {
        self.prefixes.iter().any(|prefix| begins(name, prefix))
    }
}

/// A rule while it is put together.
#[derive(Default)]
struct Draft {
    writes: Vec<Write>,
    names: BTreeMap<String, Named>,
    prefixes: Vec<String>,
}

impl Draft {
    /// Takes the first word on a header: later ones are weaker.
    fn write(&mut self, name: &str, value: &str, when: When) {
        let at = self.writes.len();
        if self.name(name, Named::Written(at)) {
            self.writes.push(Write {
                name: name.to_owned(),
                value: value.to_owned(),
                when,
                https_only: name == "strict-transport-security",
            });
        }
    }

    fn remove(&mut self, name: &str) {
        self.name(name, Named::Removed);
    }

    fn name(&mut self, name: &str, named: Named) -> bool {
        let free = !self.names.contains_key(name);
        if free {
            self.names.insert(name.to_owned(), named);
        }
        free
    }
}

impl Write {
    fn edit<'a>(&'a self, seen: Seen<'a>, https: bool, edits: &mut Vec<Edit<'a>>) {
        if self.https_only && !https {
            seen.remove(edits);
        } else if self.when == When::Always || seen.lines == 0 {
            seen.write(self.name.as_bytes(), self.value.as_bytes().into(), edits);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn rule(headers: &str) -> HeadersRule {
        let text = format!(r#"{{"version":1,"headers":{headers}}}"#);
        let document = portcullis_config::Document::from_bytes(text.as_bytes()).unwrap();
        let (config, diagnostics) = portcullis_config::read(&document);
        assert!(!diagnostics.has_errors(), "{diagnostics:?}");
        HeadersRule::compile(&config.unwrap().headers.unwrap())
    }

    fn text(bytes: Cow<'_, [u8]>) -> String {
        String::from_utf8(bytes.into_owned()).unwrap()
    }

    /// Applies the edits as a host would, and gives the lines that come out.
    fn applied(rule: &HeadersRule, lines: &[(&str, &str)], https: bool) -> Vec<(String, String)> {
        let bytes: Vec<Line<'_>> = lines
            .iter()
            .map(|(n, v)| (n.as_bytes(), v.as_bytes()))
            .collect();
        let mut out: Vec<(String, String)> = lines
            .iter()
            .map(|(n, v)| (n.to_ascii_lowercase(), (*v).to_owned()))
            .collect();
        for edit in rule.edits(&bytes, https) {
            match edit {
                Edit::Add(name, value) => out.push((text(name), text(value))),
                Edit::Replace(name, value) => {
                    let name = text(name);
                    let found = out.iter_mut().find(|(n, _)| *n == name);
                    found.expect("a replaced line is there").1 = text(value);
                }
                Edit::Remove(name) => {
                    out.retain(|(n, _)| !n.as_bytes().eq_ignore_ascii_case(name));
                }
            }
        }
        out
    }

    fn check(headers: &str, lines: &[(&str, &str)], https: bool, expected: &[(&str, &str)]) {
        let rule = rule(headers);
        let mut once = applied(&rule, lines, https);
        let again: Vec<(&str, &str)> = once.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(applied(&rule, &again, https), once, "applied twice");
        once.sort();
        let mut expected: Vec<(String, String)> = expected
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        expected.sort();
        assert_eq!(once, expected, "{headers} {lines:?}");
    }

    #[test]
    fn set_gives_one_line_default_only_where_there_is_none() {
        let headers =
            r#"{"preset":"none","set":{"X-A":"1"},"default":{"x-b":"2"},"remove":["x-c","x-d-*"]}"#;
        check(headers, &[], false, &[("x-a", "1"), ("x-b", "2")]);
        check(
            headers,
            &[("x-a", "1"), ("X-B", "9")],
            false,
            &[("x-a", "1"), ("x-b", "9")],
        );
        check(
            headers,
            &[("X-A", "0"), ("x-a", "0"), ("x-b", "9"), ("x-b", "8")],
            false,
            &[("x-a", "1"), ("x-b", "9"), ("x-b", "8")],
        );
        check(
            headers,
            &[("X-C", "1"), ("x-c", "2"), ("X-D-e", "3"), ("x-d", "4")],
            false,
            &[("x-a", "1"), ("x-b", "2"), ("x-d", "4")],
        );
    }

    #[test]
    fn the_operator_wins_over_the_preset() {
        let dropped = rule(r#"{"remove":["x-frame-options","cross-*"]}"#);
        let out = applied(&dropped, &[("x-frame-options", "DENY")], false);
        let has = |name: &str| out.iter().any(|(n, _)| n == name);
        assert!(
            !has("x-frame-options") && !has("cross-origin-opener-policy") && has("referrer-policy")
        );
        let kept = rule(r#"{"set":{"server":"mine"},"default":{"x-frame-options":"SAMEORIGIN"}}"#);
        let out = applied(
            &kept,
            &[("server", "uvicorn"), ("x-kong-proxy-latency", "3")],
            false,
        );
        assert!(out.contains(&("server".into(), "mine".into())));
        assert!(out.contains(&("x-frame-options".into(), "SAMEORIGIN".into())));
        assert!(!out.iter().any(|(n, _)| n.starts_with("x-kong")));
    }

    #[test]
    fn cookies_that_are_removed_are_not_hardened_back() {
        for remove in ["set-cookie", "set-*"] {
            let headers =
                format!(r#"{{"preset":"none","remove":["{remove}"],"cookies":{{"secure":true}}}}"#);
            check(&headers, &[("set-cookie", "a=1")], true, &[]);
        }
    }

    #[test]
    fn hsts_only_on_https() {
        let headers = r#"{"preset":"none","set":{"strict-transport-security":"max-age=1"}}"#;
        check(headers, &[], false, &[]);
        check(
            headers,
            &[],
            true,
            &[("strict-transport-security", "max-age=1")],
        );
        check(
            headers,
            &[("Strict-Transport-Security", "max-age=9")],
            false,
            &[],
        );
        check(
            headers,
            &[
                ("strict-transport-security", "a"),
                ("strict-transport-security", "b"),
            ],
            true,
            &[("strict-transport-security", "max-age=1")],
        );
    }

    #[test]
    fn presets_leave_no_duplicates_and_no_leaks() {
        for preset in ["api", "html"] {
            let rule = rule(&format!(r#"{{"preset":"{preset}"}}"#));
            let leaks: Vec<(&str, &str)> = preset::LEAKS
                .iter()
                .map(|name| (name.trim_end_matches('*'), "leak"))
                .collect();
            let out = applied(&rule, &leaks, true);
            let clean = applied(&rule, &[], true);
            let names: std::collections::BTreeSet<_> = out.iter().map(|(n, _)| n).collect();
            assert_eq!(names.len(), out.len(), "{preset}: a header stands twice");
            assert!(
                out.iter().all(|(_, value)| value != "leak"),
                "{preset}: {out:?}"
            );
            let sorted = |mut list: Vec<(String, String)>| {
                list.sort();
                list
            };
            assert_eq!(sorted(out), sorted(clean), "{preset}");
        }
    }
}
