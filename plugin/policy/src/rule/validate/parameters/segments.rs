//! The segments of a path as sent, cut where the matching of routes cuts the decoded path.

use crate::path::byte_of;

/// Each segment that matching counts, undecoded and with its `;…`. Matching decodes first, so an encoded slash ends a
/// segment here too, and a segment that is empty but for `;…` is none.
pub(crate) fn of(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = path;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let (segment, after, is_empty) = first(rest);
            rest = after;
            if !is_empty {
                return Some(segment);
            }
        }
        None
    })
}

/// The bytes in front of the first slash, those behind it, and whether matching sees nothing there.
fn first(path: &[u8]) -> (&[u8], &[u8], bool) {
    let mut rest = path;
    let mut is_empty = true;
    let mut in_front = true;
    while let Some((byte, after)) = next(rest) {
        match byte {
            b'/' => {
                let segment = path.get(..path.len() - rest.len());
                return (segment.unwrap_or_default(), after, is_empty);
            }
            b';' => in_front = false,
            _ if in_front => is_empty = false,
            _ => {}
        }
        rest = after;
    }
    (path, &[], is_empty)
}

/// The first byte, decoded once if it can be.
fn next(text: &[u8]) -> Option<(u8, &[u8])> {
    let (byte, after) = text.split_first()?;
    let escaped = if *byte == b'%' { byte_of(after) } else { None };
    Some(escaped.unwrap_or((*byte, after)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::path::{next_segment, percent_decoded};

    #[test]
    fn segments_are_as_sent() {
        let check = |path: &str, expected: &[&str]| {
            let segments: Vec<&str> = of(path.as_bytes())
                .map(|segment| str::from_utf8(segment).unwrap())
                .collect();
            assert_eq!(segments, expected, "{path}");
        };
        check("", &[]);
        check("/", &[]);
        check("//a///b//", &["a", "b"]);
        check("/a%20b/%2541", &["a%20b", "%2541"]);
        check("/a;v=1/;x/b%3Bc", &["a;v=1", "b%3Bc"]);
        check("/a%2Fb/%2f/c", &["a", "b", "c"]);
        check("/%/%2/%zz", &["%", "%2", "%zz"]);
    }

    proptest! {
        /// Whatever is sent, a template's value stands in the segment that matching gave it.
        #[test]
        fn segments_are_those_of_matching(path in "(/|%2F|;|%3B|a|%|%2|%25|5|\\PC){0,24}") {
            let decoded = percent_decoded(path.as_bytes());
            let mut matched = Vec::new();
            let mut rest: &[u8] = &decoded;
            while let Some((segment, after)) = next_segment(rest) {
                matched.push(segment.to_vec());
                rest = after;
            }
            let own: Vec<Vec<u8>> = of(path.as_bytes())
                .map(|segment| {
                    let decoded = percent_decoded(segment);
                    decoded.split(|b| *b == b';').next().unwrap_or_default().to_vec()
                })
                .collect();
            prop_assert_eq!(own, matched);
        }
    }
}
