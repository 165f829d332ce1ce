//! Preflights: a browser asks whether a page may make a request, and is answered here (Fetch standard, "CORS-preflight
//! fetch"). Origin, method and headers are judged in that order, and only what was asked for is granted.

use portcullis_config::{FORBIDDEN_METHODS, is_token_byte};

use super::{CorsRule, Grant, Reader};
use crate::message::{RequestHead, compare_names};
use crate::refusal::{self, Refusal};

/// Bounds on what a preflight may ask: no page sends more headers, and looking at them takes time.
const MAX_BYTES: usize = 4096;
const MAX_NAMES: usize = 128;
const MAX_EMPTY: usize = 16;

/// Methods that need no listing (Fetch standard, "CORS-safelisted method").
const SAFELISTED: [&[u8]; 3] = [b"GET", b"HEAD", b"POST"];

/// The step at which a preflight failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Origin,
    Method,
    Headers,
}

impl Step {
    /// The refusal, one that tells the client which step it was or one that does not.
    pub(crate) fn refusal(self, debug: bool) -> &'static Refusal {
        match (self, debug) {
            (Self::Origin, false) => &refusal::CORS_PREFLIGHT_ORIGIN,
            (Self::Method, false) => &refusal::CORS_PREFLIGHT_METHOD,
            (Self::Headers, false) => &refusal::CORS_PREFLIGHT_HEADERS,
            (Self::Origin, true) => &refusal::CORS_DEBUG_ORIGIN,
            (Self::Method, true) => &refusal::CORS_DEBUG_METHOD,
            (Self::Headers, true) => &refusal::CORS_DEBUG_HEADERS,
        }
    }
}

impl CorsRule {
    /// Judges a preflight that asks for `method`: what it is granted, and the step that failed if that is not all.
    pub(crate) fn judge_preflight(
        &self,
        head: &RequestHead<'_>,
        method: &[u8],
    ) -> (Grant, Option<Step>) {
        let mut grant = Grant {
            preflight: true,
            ..Grant::default()
        };
        let failed = self.grant_steps(head, method, &mut grant).err();
        grant.whole = failed.is_none();
        // Fetch standard, "HTTP responses": whoever is refused is told nothing, unless somebody looks for the reason.
        if failed.is_some() && !self.debug {
            grant.reader = Reader::Nobody;
        }
        (grant, failed)
    }

    fn grant_steps(
        &self,
        head: &RequestHead<'_>,
        method: &[u8],
        grant: &mut Grant,
    ) -> Result<(), Step> {
        grant.reader = self.reader(head);
        if grant.reader == Reader::Nobody {
            return Err(Step::Origin);
        }
        let one = head.only("access-control-request-method") == Some(method);
        if !one || !self.has_method(method) {
            return Err(Step::Method);
        }
        grant.method = (!SAFELISTED.contains(&method)).then(|| method.to_vec());
        grant.headers = self.requested(head).ok_or(Step::Headers)?;
        Ok(())
    }

    /// Methods are compared as they are (RFC 9110 section 9.1): a browser sends `patch` as `patch`.
    fn has_method(&self, method: &[u8]) -> bool {
        let listed = || self.methods.iter().any(|one| one.as_bytes() == method);
        let any = || {
            let forbidden = FORBIDDEN_METHODS
                .iter()
                .any(|one| method.eq_ignore_ascii_case(one.as_bytes()));
            self.any_method && method.len() <= MAX_BYTES && is_token(method) && !forbidden
        };
        SAFELISTED.contains(&method) || listed() || any()
    }

    /// The headers that a preflight asks for, joined; `None` if not all of them may be sent. Browsers send one line of
    /// sorted lower-case names; intermediaries may fold, pad and repeat them (RFC 9110 section 5.6.1).
    fn requested(&self, head: &RequestHead<'_>) -> Option<Option<Vec<u8>>> {
        let lines = || head.all("access-control-request-headers");
        let bytes: usize = lines().map(<[u8]>::len).sum();
        if bytes > MAX_BYTES {
            return None;
        }
        let (mut names, mut empty) = (0, 0);
        let mut granted = Vec::new();
        for element in lines().flat_map(|line| line.split(|b| *b == b',')) {
            let name = trimmed(element);
            if name.is_empty() {
                empty += 1;
            } else if self.has_header(name) {
                names += 1;
                if granted.is_empty() {
                    granted.reserve_exact(bytes + lines().count());
                } else {
                    granted.push(b',');
                }
                granted.extend_from_slice(name);
            } else {
                return None;
            }
            if names > MAX_NAMES || empty > MAX_EMPTY {
                return None;
            }
        }
        Some((names > 0).then_some(granted))
    }

    fn has_header(&self, name: &[u8]) -> bool {
        let listed = name.len() <= self.longest_header
            && self
                .request_headers
                .binary_search_by(|one| compare_names(one, name))
                .is_ok();
        // Fetch standard, "CORS non-wildcard request-header name": a page gets no credentials in by a wildcard.
        listed || self.any_header && is_token(name) && !name.eq_ignore_ascii_case(b"authorization")
    }
}

/// Without optional white space (RFC 9110 section 5.6.3).
fn trimmed(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

/// RFC 9110 section 5.6.2.
fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().copied().all(is_token_byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Line;
    use crate::rule::cors::tests::section;

    #[test]
    fn requested_headers_are_bounded() {
        let rule = CorsRule::compile(&section(
            r#"{"origins":["https://a.test"],"request_headers":["x-a","x-bb"]}"#,
        ));
        let check = |lines: &[&str], expected: Option<&str>| {
            let lines: Vec<Line<'_>> = lines
                .iter()
                .map(|value| (&b"access-control-request-headers"[..], value.as_bytes()))
                .collect();
            let granted = rule.requested(&RequestHead::new(&lines));
            let granted =
                granted.map(|names| String::from_utf8(names.unwrap_or_default()).unwrap());
            assert_eq!(granted.as_deref(), expected, "{lines:?}");
        };
        check(&[], Some(""));
        check(&[""], Some(""));
        check(&["x-a"], Some("x-a"));
        check(&["X-A , x-bb\t", " x-a"], Some("X-A,x-bb,x-a"));
        check(&["x-a,x-c"], None);
        check(&["x-a x-bb"], None);
        check(&["x-a\0"], None);
        check(&["x-bbb"], None);
        check(&[&",".repeat(15)], Some(""));
        check(&[&",".repeat(16)], None);
        check(&["x-a,,", &",".repeat(13)], Some("x-a"));
        check(&["x-a,,", &",".repeat(14)], None);
        check(&[&["x-a"; 128].join(",")], Some(&["x-a"; 128].join(",")));
        check(&[&["x-a"; 129].join(",")], None);
        let padded = |length: usize| format!("x-a{}", " ".repeat(length - 3));
        check(&[&padded(4096)], Some("x-a"));
        check(&[&padded(4097)], None);
        check(&[&padded(4000), &padded(97)], None);
    }
}
