//! Header maps as the ABI serialises them.
//!
//! A count; for each line the lengths of name and value; then each name and value closed by a zero byte. All numbers
//! are 32-bit little-endian.

use portcullis_policy::Line;

/// The lines of a serialised header map; `None` if the bytes are none.
pub(crate) fn lines(bytes: &[u8]) -> Option<Vec<Line<'_>>> {
    if bytes.is_empty() {
        return Some(Vec::new());
    }
    let (count, rest) = number(bytes)?;
    let (lengths, mut text) = rest.split_at_checked(count.checked_mul(8)?)?;
    let mut lines = Vec::with_capacity(count);
    for pair in lengths.chunks_exact(8) {
        let (name, after) = number(pair)?;
        let (value, _) = number(after)?;
        lines.push((string(&mut text, name)?, string(&mut text, value)?));
    }
    Some(lines)
}

/// The serialised form of header lines.
pub(crate) fn bytes(lines: &[Line<'_>]) -> Vec<u8> {
    let text: usize = lines.iter().map(|(n, v)| n.len() + v.len() + 2).sum();
    let mut bytes = Vec::with_capacity(4 + 8 * lines.len() + text);
    let mut number = |n: usize| bytes.extend_from_slice(&(n as u32).to_le_bytes());
    number(lines.len());
    for (name, value) in lines {
        number(name.len());
        number(value.len());
    }
    for part in lines.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend_from_slice(part);
        bytes.push(0);
    }
    bytes
}

fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*number) as usize, rest))
}

fn string<'a>(text: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (string, rest) = text.split_at_checked(length)?;
    *text = rest.get(1..)?;
    Some(string)
}
