//! Web addresses in running text: what stands between their parts separates words, and hides none.
//!
//! Only behind the host, so that `://` before a word is no way to hide it.

use std::ops::Range;

/// The longest path, query and fragment that is told from words.
const LONGEST: usize = 2048;

/// Whether `byte` stands between the parts of a web address.
pub(crate) fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'/' | b'?' | b'#' | b'&' | b'=')
}

/// Whether a web address goes on at `at`: behind a scheme, or `www`.
pub(crate) fn begins(bytes: &[u8], at: usize) -> bool {
    let (before, rest) = bytes.split_at_checked(at).unwrap_or_default();
    match rest {
        [b':', b'/', b'/', ..] => before.last().is_some_and(u8::is_ascii_alphanumeric),
        [b'.', ..] => before
            .last_chunk::<3>()
            .is_some_and(|www| www.eq_ignore_ascii_case(b"www")),
        _ => false,
    }
}

/// The bytes of a web address that [`begins`] at `at` behind its host: path, query and fragment.
pub(crate) fn parts(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    if !begins(bytes, at) {
        return None;
    }
    let is_graphic = |byte: &&u8| byte.is_ascii_graphic() && !b"<>\"".contains(byte);
    let rest = bytes.get(at..)?.iter().take(LONGEST);
    let length = rest.take_while(is_graphic).count();
    let mut rest = bytes.get(at..at + length)?.iter().enumerate().skip(3);
    let (host, _) = rest.find(|(_, byte)| matches!(byte, b'/' | b'?'))?;
    Some(at + host..at + length)
}
