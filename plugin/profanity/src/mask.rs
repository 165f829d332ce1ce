//! Puts `*` over spans of a text and leaves every other byte as it was.

/// `text` with each grapheme in `spans` (byte ranges, ascending, as [`Found`](crate::Found) gives them) replaced by one `*`.
///
/// A grapheme is approximated: a character with the combining marks, joiners and variation selectors behind it. A span that does not
/// stand on character boundaries is left alone.
pub fn mask(text: &str, spans: &[(usize, usize)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for &(start, end) in spans {
        let (Some(before), Some(hidden)) = (text.get(at..start), text.get(start..end)) else {
            continue;
        };
        out.push_str(before);
        out.extend(hidden.chars().map(|_| '*'));
        at = end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}
