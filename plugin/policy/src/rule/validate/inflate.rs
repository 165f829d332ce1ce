//! Compressed bodies, opened within bounds: gzip (RFC 1952) and zlib, which HTTP calls deflate (RFC 1950).
//!
//! Readers differ on what follows a stream's end, on a second member, on a checksum that is wrong. All of that is
//! refused here, and the output grows only as far as it may go: a small body never becomes a large one.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};
use portcullis_config::Encoding;

/// Up to so many bytes the ratio is not looked at: short texts of one letter are no attack.
const FREE: usize = 4 << 10;
/// Bytes of output for one of input, at most. JSON that people write stays below it.
const RATIO: usize = 20;

/// Why a body was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is longer than it may be.
    TooLarge,
    /// It grows faster than what people write.
    Ratio,
    /// It is not in this form; the byte of the input is where that was seen.
    Malformed(usize),
}

/// Opens a body. What comes out has at most `max` bytes.
pub(crate) fn inflate(encoding: Encoding, body: &[u8], max: usize) -> Result<Vec<u8>, Refused> {
    match encoding {
        Encoding::Gzip => gunzip(body, max),
        Encoding::Deflate => {
            let (output, end) = run(body, 0, inflate_flags::TINFL_FLAG_PARSE_ZLIB_HEADER, max)?;
            ends(body, end)?;
            Ok(output)
        }
    }
}

/// One member and nothing after it.
fn gunzip(body: &[u8], max: usize) -> Result<Vec<u8>, Refused> {
    let start = gzip_header(body)?;
    let (output, end) = run(body, start, 0, max)?;
    let word = |at: usize| {
        let bytes = body.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes
            .map(u32::from_le_bytes)
            .ok_or(Refused::Malformed(body.len()))
    };
    let length = u32::try_from(output.len()).map_err(|_| Refused::TooLarge)?;
    if word(end)? != crc32(&output) {
        return Err(Refused::Malformed(end));
    }
    if word(end + 4)? != length {
        return Err(Refused::Malformed(end + 4));
    }
    ends(body, end + 8)?;
    Ok(output)
}

/// Where a member's compressed bytes begin (RFC 1952 section 2.3).
fn gzip_header(body: &[u8]) -> Result<usize, Refused> {
    const FHCRC: u8 = 2;
    const FEXTRA: u8 = 4;
    const FNAME: u8 = 8;
    const FCOMMENT: u8 = 16;
    const RESERVED: u8 = 0xe0;
    let truncated = Refused::Malformed(body.len());
    let Some((&[magic, magic2, method, flags, ..], _)) = body.split_first_chunk::<10>() else {
        return Err(truncated);
    };
    if [magic, magic2, method] != [0x1f, 0x8b, 8] {
        return Err(Refused::Malformed(0));
    }
    if flags & RESERVED != 0 {
        return Err(Refused::Malformed(3));
    }
    let mut at = 10;
    let pair = |at: usize| {
        let bytes = body.get(at..at + 2).and_then(|bytes| bytes.try_into().ok());
        bytes.map(u16::from_le_bytes).ok_or(truncated)
    };
    if flags & FEXTRA != 0 {
        at += 2 + usize::from(pair(at)?);
    }
    for _ in 0..(flags & (FNAME | FCOMMENT)).count_ones() {
        let text = body.get(at..).ok_or(truncated)?;
        at += text.iter().position(|b| *b == 0).ok_or(truncated)? + 1;
    }
    if flags & FHCRC != 0 {
        let header = body.get(..at).ok_or(truncated)?;
        if crc32(header).to_le_bytes().first_chunk() != Some(&pair(at)?.to_le_bytes()) {
            return Err(Refused::Malformed(at));
        }
        at += 2;
    }
    Ok(at)
}

/// Opens one stream that begins at `start`: what comes out, and where the stream ends.
fn run(body: &[u8], start: usize, flags: u32, max: usize) -> Result<(Vec<u8>, usize), Refused> {
    let flags = flags | inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let mut state = Box::<DecompressorOxide>::default();
    let mut output = Vec::new();
    let (mut read, mut written) = (start, 0usize);
    loop {
        // In steps, so that what grows too fast is stopped before it has grown. The room doubles, for it is copied.
        let room = written.saturating_add(FREE).min(max);
        if room > output.capacity() {
            let wanted = room.max(output.capacity().saturating_mul(2)).min(max);
            output.reserve_exact(wanted.saturating_sub(output.len()));
        }
        output.resize(room, 0);
        let input = body.get(read..).ok_or(Refused::Malformed(body.len()))?;
        let (status, taken, given) = decompress(&mut state, input, &mut output, written, flags);
        read += taken;
        written += given;
        if written > FREE && written / RATIO > read - start {
            return Err(Refused::Ratio);
        }
        match status {
            TINFLStatus::Done => {
                output.truncate(written);
                return Ok((output, read));
            }
            TINFLStatus::HasMoreOutput if written >= max => return Err(Refused::TooLarge),
            TINFLStatus::HasMoreOutput => {}
            _ => return Err(Refused::Malformed(read)),
        }
    }
}

fn ends(body: &[u8], end: usize) -> Result<(), Refused> {
    if body.len() == end {
        return Ok(());
    }
    Err(Refused::Malformed(end.min(body.len())))
}

/// The checksum of RFC 1952 section 8.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, byte| {
        let [low, ..] = crc.to_le_bytes();
        let entry = CRC.get(usize::from(low ^ byte)).copied();
        (crc >> 8) ^ entry.unwrap_or_default()
    })
}

static CRC: [u32; 256] = {
    let mut table = [0; 256];
    let mut rest: &mut [u32] = &mut table;
    let mut byte = 0;
    while let Some((entry, after)) = rest.split_first_mut() {
        let mut crc: u32 = byte;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ (0xedb8_8320 * (crc & 1));
            bit += 1;
        }
        *entry = crc;
        byte += 1;
        rest = after;
    }
    table
};

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::write::{GzEncoder, ZlibEncoder};
    use flate2::{Compression, GzBuilder};
    use proptest::prelude::*;

    use super::*;

    fn pack(encoding: Encoding, level: u32, bytes: &[u8]) -> Vec<u8> {
        let level = Compression::new(level);
        match encoding {
            Encoding::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), level);
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Encoding::Deflate => {
                let mut encoder = ZlibEncoder::new(Vec::new(), level);
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
        }
    }

    /// Bytes that do not compress.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 1u64;
        let next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        };
        std::iter::repeat_with(next).take(length).collect()
    }

    const BOTH: [Encoding; 2] = [Encoding::Gzip, Encoding::Deflate];

    #[test]
    fn a_body_may_be_as_long_as_it_may_be_and_no_longer() {
        for encoding in BOTH {
            for level in [0, 1, 9] {
                for length in [0, 1, 100, 4095, 4096, 4097, 8192, 70_000] {
                    let body = noise(length);
                    let packed = pack(encoding, level, &body);
                    let check = |max: usize, expected: Result<Vec<u8>, Refused>| {
                        let opened = inflate(encoding, &packed, max);
                        assert!(opened == expected, "{encoding:?} {level} {length} {max}");
                        if let Ok(opened) = opened {
                            assert!(opened.capacity() <= max, "{length} {max}");
                        }
                    };
                    check(length, Ok(body.clone()));
                    check(length + 1, Ok(body.clone()));
                    check(10 * length + 10_000, Ok(body.clone()));
                    if length > 0 {
                        check(length - 1, Err(Refused::TooLarge));
                        check(0, Err(Refused::TooLarge));
                    }
                }
            }
        }
    }

    #[test]
    fn what_grows_too_fast_is_stopped() {
        for encoding in BOTH {
            let check = |body: &[u8], max: usize, expected: Result<usize, Refused>| {
                let opened = inflate(encoding, &pack(encoding, 9, body), max);
                assert_eq!(
                    opened.map(|opened| opened.len()),
                    expected,
                    "{}",
                    body.len()
                );
            };
            check(&[b'a'; 4096], 1 << 20, Ok(4096));
            check(&[b'a'; 5000], 1 << 20, Err(Refused::Ratio));
            check(&vec![0; 100 << 20], 1 << 30, Err(Refused::Ratio));
            check(&vec![0; 100 << 20], 2000, Err(Refused::TooLarge));
            let records: String = (0..3000)
                .map(|n| format!("{{\"id\":{},\"name\":\"player\",\"score\":{n}}},", n * 7919))
                .collect();
            check(records.as_bytes(), 1 << 20, Ok(records.len()));
        }
    }

    #[test]
    fn a_stream_is_whole_and_alone() {
        let body = b"a body that is neither short nor long, a body".as_slice();
        for encoding in BOTH {
            let packed = pack(encoding, 9, body);
            let malformed = |bytes: &[u8]| matches!(inflate(encoding, bytes, 1 << 20), Err(Refused::Malformed(at)) if at <= bytes.len());
            for end in 0..packed.len() {
                assert!(malformed(&packed[..end]), "{encoding:?} cut at {end}");
            }
            let two = [packed.clone(), packed.clone()].concat();
            assert_eq!(
                inflate(encoding, &two, 1 << 20),
                Err(Refused::Malformed(packed.len()))
            );
            assert!(malformed(&[packed.as_slice(), b"\0"].concat()));
            // Each bit of the checksums, and of gzip's length.
            let tail = if encoding == Encoding::Gzip { 8 } else { 4 };
            for bit in 0..8 * tail {
                let mut wrong = packed.clone();
                let at = packed.len() - 1 - bit / 8;
                wrong[at] ^= 1 << (bit % 8);
                assert!(malformed(&wrong), "{encoding:?} bit {bit}");
            }
            assert!(malformed(&pack(
                if encoding == Encoding::Gzip {
                    Encoding::Deflate
                } else {
                    Encoding::Gzip
                },
                9,
                body
            )));
        }
        let raw = miniz_oxide::deflate::compress_to_vec(body, 9);
        assert!(inflate(Encoding::Deflate, &raw, 1 << 20).is_err());
    }

    #[test]
    fn a_member_may_have_every_field() {
        let mut encoder = GzBuilder::new()
            .extra(*b"ab\x02\x00xy")
            .filename("name")
            .comment("comment")
            .mtime(1)
            .write(Vec::new(), Compression::default());
        encoder.write_all(b"text").unwrap();
        let packed = encoder.finish().unwrap();
        assert_eq!(inflate(Encoding::Gzip, &packed, 10), Ok(b"text".to_vec()));
        // The header's own checksum, which flate2 does not write.
        let start = gzip_header(&packed).unwrap();
        let mut checked = packed[..start].to_vec();
        checked[3] |= 2;
        let sum = crc32(&checked).to_le_bytes();
        checked.extend(&sum[..2]);
        checked.extend(&packed[start..]);
        assert_eq!(inflate(Encoding::Gzip, &checked, 10), Ok(b"text".to_vec()));
        checked[start] ^= 1;
        assert_eq!(
            inflate(Encoding::Gzip, &checked, 10),
            Err(Refused::Malformed(start))
        );
        let mut reserved = packed.clone();
        reserved[3] |= 0x20;
        assert_eq!(
            inflate(Encoding::Gzip, &reserved, 10),
            Err(Refused::Malformed(3))
        );
    }

    #[test]
    fn zlib_headers_are_checked() {
        let packed = pack(Encoding::Deflate, 9, b"text");
        let check = |first: u8, second: u8| {
            let mut wrong = packed.clone();
            wrong[..2].copy_from_slice(&[first, second]);
            assert!(
                inflate(Encoding::Deflate, &wrong, 10).is_err(),
                "{first:x} {second:x}"
            );
        };
        // Another method, a window past 32 KiB, a dictionary, a check that does not hold.
        check(0x79, 0x9c);
        check(0x88, 0x1c);
        check(0x78, 0xbb);
        check(0x78, 0xdb);
    }

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_out(body: Vec<u8>, level in 0u32..10) {
            for encoding in BOTH {
                prop_assert_eq!(inflate(encoding, &pack(encoding, level, &body), body.len()), Ok(body.clone()));
            }
        }

        #[test]
        fn no_bytes_break_it(body: Vec<u8>, at: usize, with: u8, max in 0usize..100_000) {
            for encoding in BOTH {
                let mut packed = pack(encoding, 9, &body);
                let at = at % packed.len();
                packed[at] = with;
                for bytes in [&packed, &body] {
                    if let Ok(opened) = inflate(encoding, bytes, max) {
                        prop_assert!(opened.len() <= max && opened.capacity() <= max);
                    }
                }
            }
        }
    }
}
