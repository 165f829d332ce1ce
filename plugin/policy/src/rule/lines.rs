//! Header lines: how many, how large, which of them once at most, and no bytes that end a line elsewhere.

use crate::message::Line;
use crate::refusal::{self, Refusal};

/// Headers of which a second line makes two requests of one: each reader picks its own.
const SINGLETONS: [&str; 12] = [
    "access-control-request-method",
    "authorization",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "origin",
    "range",
    "referer",
    "transfer-encoding",
    "user-agent",
    "x-forwarded-proto",
];

/// Limits on a request's header lines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineLimits {
    pub(crate) count: usize,
    pub(crate) bytes: usize,
}

/// Judges all lines in one pass. Pseudo-headers count neither as lines nor as bytes.
pub(crate) fn refuse_lines(lines: &[Line<'_>], limits: LineLimits) -> Option<&'static Refusal> {
    let mut count = 0usize;
    let mut bytes = 0usize;
    let mut seen = 0u16;
    let mut framings = 0;
    for (name, value) in lines.iter().filter(|(name, _)| name.first() != Some(&b':')) {
        count += 1;
        // A colon, a space, and the end of the line.
        bytes = bytes.saturating_add(name.len() + value.len() + 4);
        if value.iter().any(|b| matches!(b, 0..=8 | 10..=31 | 127)) || name.is_empty() {
            return Some(&refusal::HEADER_MALFORMED);
        }
        if let Some((at, singleton)) = singleton(name) {
            let bit = 1 << at;
            if seen & bit != 0 {
                return Some(&refusal::HEADER_REPEATED);
            }
            seen |= bit;
            match singleton {
                "content-length" => {
                    framings += 1;
                    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
                        return Some(&refusal::FRAMING_CONFLICT);
                    }
                }
                "transfer-encoding" => {
                    framings += 1;
                    if !value.eq_ignore_ascii_case(b"chunked") {
                        return Some(&refusal::FRAMING_CONFLICT);
                    }
                }
                // Envoy joins the lines of one name before a filter sees them.
                "origin" | "content-type" | "access-control-request-method"
                    if value.contains(&b',') =>
                {
                    return Some(&refusal::HEADER_REPEATED);
                }
                "authorization" if is_joined_token(value) => {
                    return Some(&refusal::HEADER_REPEATED);
                }
                _ => {}
            }
        }
    }
    if framings > 1 {
        return Some(&refusal::FRAMING_CONFLICT);
    }
    if count > limits.count {
        return Some(&refusal::HEADERS_TOO_MANY);
    }
    (bytes > limits.bytes).then_some(&refusal::HEADERS_TOO_LARGE)
}

/// Whether two credentials stand in one value: those of Basic and Bearer have no comma (RFC 9110 section 11.2), those of
/// Digest may.
fn is_joined_token(value: &[u8]) -> bool {
    let scheme = value.split(|b| *b == b' ').next().unwrap_or_default();
    let token68 = [&b"basic"[..], b"bearer"];
    value.contains(&b',') && token68.iter().any(|one| scheme.eq_ignore_ascii_case(one))
}

fn singleton(name: &[u8]) -> Option<(usize, &'static str)> {
    SINGLETONS
        .into_iter()
        .enumerate()
        .find(|(_, one)| one.len() == name.len() && name.eq_ignore_ascii_case(one.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let limits = LineLimits {
            count: 4,
            bytes: 64,
        };
        let check = |lines: &[Line<'_>], expected: Option<&str>| {
            let found = refuse_lines(lines, limits).map(|refusal| refusal.code);
            assert_eq!(found, expected, "{lines:?}");
        };
        check(&[], None);
        check(&[(b":path", &[b'x'; 100]), (b"x-a", b"\xff\t\x80")], None);
        check(&[(b"x-a", b"1"), (b"x-a", b"2")], None);
        check(&[(b"Authorization", b"Digest a=1, b=2")], None);
        check(&[(b"content-length", b"5")], None);
        check(&[(b"Transfer-Encoding", b"Chunked")], None);
        let repeated = Some("header-repeated");
        check(&[(b"host", b"a"), (b"Host", b"a")], repeated);
        check(
            &[(b"authorization", b"a"), (b"authorization", b"b")],
            repeated,
        );
        check(&[(b"origin", b"https://a.test,https://b.test")], repeated);
        check(&[(b"authorization", b"bearer a,Bearer b")], repeated);
        check(
            &[(b"content-type", b"application/json, text/plain")],
            repeated,
        );
        check(
            &[(b"content-length", b"5"), (b"content-length", b"5")],
            repeated,
        );
        let framing = Some("framing-conflict");
        check(
            &[
                (b"content-length", b"5"),
                (b"transfer-encoding", b"chunked"),
            ],
            framing,
        );
        check(&[(b"content-length", b"5, 5")], framing);
        check(&[(b"content-length", b"+5")], framing);
        check(&[(b"content-length", b"")], framing);
        check(&[(b"transfer-encoding", b"chunked, identity")], framing);
        let malformed = Some("header-malformed");
        check(&[(b"x-a", b"a\0b")], malformed);
        check(&[(b"x-a", b"a\r\nx-b: 1")], malformed);
        check(&[(b"x-a", b"\x7f")], malformed);
        check(
            &[
                (b"a", b""),
                (b"b", b""),
                (b"c", b""),
                (b"d", b""),
                (b"e", b""),
            ],
            Some("headers-too-many"),
        );
        check(&[(b"x-a", &[b'x'; 58])], Some("headers-too-large"));
        check(&[(b"x-a", &[b'x'; 57])], None);
    }
}
