//! Strings of JSON text (RFC 8259 section 7): where one ends, and what it says.
//!
//! Most strings have no escape: they are looked through once, eight bytes at a time, and borrowed.

use std::borrow::Cow;

use super::fault::{Fault, FaultKind};

/// One in each byte.
const ONES: u64 = 0x0101_0101_0101_0101;
/// The high bit of each byte.
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// What the string whose opening quote is at `open` says, and the offset behind its closing quote.
///
/// # Errors
/// If it is not a string, or says more than `most` bytes: `too_long`, at its opening quote.
pub(super) fn string(
    text: &str,
    open: usize,
    most: usize,
    too_long: FaultKind,
) -> Result<(Cow<'_, str>, usize), Fault> {
    let bytes = text.as_bytes();
    let fault = |at, kind| Err(Fault { at, kind });
    let mut from = open + 1;
    let mut said = String::new();
    loop {
        let end = plain_end(bytes, from);
        let Some(run) = text.get(from..end) else {
            return fault(end, FaultKind::NotUtf8);
        };
        if said.len() + run.len() > most {
            return fault(open, too_long);
        }
        match bytes.get(end) {
            Some(b'"') if said.is_empty() => return Ok((Cow::Borrowed(run), end + 1)),
            Some(b'"') => {
                said.push_str(run);
                return Ok((Cow::Owned(said), end + 1));
            }
            Some(b'\\') => {
                let (character, behind) = escape(bytes, end)?;
                said.push_str(run);
                said.push(character);
                from = behind;
            }
            Some(_) => return fault(end, FaultKind::Control),
            None => return fault(end, FaultKind::Truncated),
        }
    }
}

/// The offset behind the closing quote of the string whose opening quote is at `open`.
pub(super) fn string_end(bytes: &[u8], open: usize) -> Option<usize> {
    let mut from = open + 1;
    loop {
        let end = plain_end(bytes, from);
        match bytes.get(end)? {
            b'"' => return Some(end + 1),
            b'\\' => from = end + 2,
            _ => return None,
        }
    }
}

/// Where what stands for itself ends: at a quote, a backslash, a control byte, or with the text.
fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let word = u64::from_le_bytes(*eight);
        let special = below(word, 0x20) | equal(word, b'"') | equal(word, b'\\');
        if special != 0 {
            return at + special.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while bytes
        .get(at)
        .is_some_and(|byte| !matches!(byte, b'"' | b'\\' | ..0x20))
    {
        at += 1;
    }
    at
}

/// The high bit of each byte below `limit`, which is at most 0x80. A borrow goes upwards, so only the lowest bit is
/// sure, which is the one that is asked for.
fn below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(ONES * u64::from(limit)) & !word & HIGHS
}

/// The high bit of each byte that is `byte`; of these, too, only the lowest is sure.
fn equal(word: u64, byte: u8) -> u64 {
    below(word ^ (ONES * u64::from(byte)), 1)
}

/// What the escape at `at` stands for, and the offset behind it.
fn escape(bytes: &[u8], at: usize) -> Result<(char, usize), Fault> {
    let character = match bytes.get(at + 1) {
        Some(&byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode(bytes, at),
        _ => {
            let kind = FaultKind::Escape;
            return Err(Fault { at, kind });
        }
    };
    Ok((character, at + 2))
}

/// `\u` and four hexadecimal digits, twice for what is beyond U+FFFF.
fn unicode(bytes: &[u8], at: usize) -> Result<(char, usize), Fault> {
    let fault = |kind| Fault { at, kind };
    let first = unit(bytes, at).ok_or(fault(FaultKind::Escape))?;
    if let Some(character) = char::from_u32(first.into()) {
        return Ok((character, at + 6));
    }
    unit(bytes, at + 6)
        .and_then(|second| char::decode_utf16([first, second]).next()?.ok())
        .map(|character| (character, at + 12))
        .ok_or(fault(FaultKind::LoneSurrogate))
}

/// The UTF-16 code unit that is escaped at `at`.
fn unit(bytes: &[u8], at: usize) -> Option<u16> {
    let (_, digits) = bytes.get(at..at + 6)?.split_at_checked(2)?;
    if !bytes.get(at..)?.starts_with(b"\\u") {
        return None;
    }
    digits.iter().try_fold(0, |unit, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(unit << 4 | u16::try_from(digit).ok()?)
    })
}
