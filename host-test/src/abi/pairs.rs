//! Header lines as they cross the border: a count, all sizes, then all bytes with a zero after each.
//!
//! ```text
//! u32 count | count x (u32 name size, u32 value size) | count x (name, 0, value, 0)      all little-endian
//! ```

use crate::header_map::HeaderMap;

/// `None` for bytes that do not hold what their sizes say. Bytes after the last line are ignored.
pub(crate) fn decode(bytes: &[u8]) -> Option<HeaderMap> {
    let (count, mut sizes) = take_u32(bytes)?;
    let count = usize::try_from(count).ok()?;
    let mut text = sizes.get(count.checked_mul(8)?..)?;
    let mut map = HeaderMap::new();
    for _ in 0..count {
        let (name_size, value_size);
        (name_size, sizes) = take_u32(sizes)?;
        (value_size, sizes) = take_u32(sizes)?;
        let (name, value);
        (name, text) = take_text(text, name_size)?;
        (value, text) = take_text(text, value_size)?;
        map.push(name, value);
    }
    Some(map)
}

/// No lines are no bytes: a guest then gets a null pointer, as in Envoy.
pub(crate) fn encode(map: &HeaderMap) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    if map.is_empty() {
        return Some(bytes);
    }
    bytes.extend(size(map.len())?);
    for (name, value) in map.iter() {
        bytes.extend(size(name.len())?);
        bytes.extend(size(value.len())?);
    }
    for (name, value) in map.iter() {
        for part in [name, value] {
            bytes.extend_from_slice(part);
            bytes.push(0);
        }
    }
    Some(bytes)
}

fn size(length: usize) -> Option<[u8; 4]> {
    u32::try_from(length).ok().map(u32::to_le_bytes)
}

fn take_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*number), rest))
}

fn take_text(bytes: &[u8], size: u32) -> Option<(&[u8], &[u8])> {
    let (text, rest) = bytes.split_at_checked(usize::try_from(size).ok()?)?;
    // The last zero may be missing: some guests end their bytes without it.
    Some((text, rest.strip_prefix(&[0]).unwrap_or(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_survive_the_crossing() {
        let map = HeaderMap::from([
            (&b":path"[..], &b"/a?b"[..]),
            (b"x-empty", b""),
            (b"x-bin", b"\0a\xff"),
            (b"x-empty", b"again"),
        ]);
        assert_eq!(decode(&encode(&map).unwrap()), Some(map));
        assert_eq!(encode(&HeaderMap::new()), Some(Vec::new()));
    }

    #[test]
    fn bytes_that_lie_about_their_sizes_are_nothing() {
        let one_line = encode(&HeaderMap::from([("name", "value")])).unwrap();
        assert!(decode(&one_line).is_some());
        for length in 0..one_line.len() - 1 {
            assert_eq!(decode(&one_line[..length]), None, "cut to {length} bytes");
        }
        for count in [2_u32, 1 << 29, u32::MAX] {
            let mut bytes = one_line.clone();
            bytes[..4].copy_from_slice(&count.to_le_bytes());
            assert_eq!(decode(&bytes), None, "count {count}");
        }
    }
}
