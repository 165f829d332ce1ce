//! Puts `*` over spans of a text and leaves every other byte as it was.

use crate::fold::{Look, look};

/// `text` with each grapheme in `spans` (byte ranges, ascending, as [`Found`](crate::Found) gives them) replaced by one `*`.
///
/// A grapheme is approximated: a character with what is not seen behind it (combining marks, joiners, variation selectors), and what a
/// joiner joins to it. A span that does not stand on character boundaries, or begins before the end of the one before, is left alone.
pub fn mask(text: &str, spans: &[(usize, usize)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for &(start, end) in spans {
        let (Some(before), Some(hidden)) = (text.get(at..start), text.get(start..end)) else {
            continue;
        };
        out.push_str(before);
        let mut joined = false;
        let mut first = true;
        for c in hidden.chars() {
            if first || !joined && !is_unseen(c) {
                out.push('*');
            }
            joined = c == ZERO_WIDTH_JOINER && is_joined(hidden);
            first = false;
        }
        at = end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

const ZERO_WIDTH_JOINER: char = '\u{200d}';

/// Whether a joiner in `text` makes one picture of two; between letters it is only in the way.
fn is_joined(text: &str) -> bool {
    text.chars()
        .any(|c| matches!(u32::from(c), 0x1f300..=0x1faff | 0x2600..=0x27bf))
}

fn is_unseen(c: char) -> bool {
    matches!(look(c), Look::Nothing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_graphemes_and_nothing_else() {
        #[track_caller]
        fn check(text: &str, spans: &[(usize, usize)], masked: &str) {
            assert_eq!(mask(text, spans), masked);
        }
        check("Zoë says darn it", &[(10, 14)], "Zoë says **** it");
        check(
            "d\u{301}a\u{20dd}rn",
            &[(0, "d\u{301}a\u{20dd}rn".len())],
            "****",
        );
        check("a\u{200b}b", &[(0, 5)], "**");
        check("ab cd", &[(0, 1), (3, 5)], "*b **");
        check("é", &[(0, 1)], "é");
        check("abc", &[(0, 2), (1, 3)], "**c");
        check("abc", &[(2, 9)], "abc");
        check("", &[], "");
    }
}
