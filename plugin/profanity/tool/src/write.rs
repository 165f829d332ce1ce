//! Writes packs as `portcullis-profanity` reads them.

use anyhow::ensure;
use portcullis_profanity::packing::{Pack, Place};

const LEVEL: u8 = 10;

/// The bytes of `pack`.
pub(crate) fn pack(pack: &Pack) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    ensure!(
        pack.entries.is_sorted_by(|a, b| a.word < b.word),
        "entries are in order, each once"
    );
    bytes.extend(u16::try_from(pack.entries.len())?.to_be_bytes());
    let mut before = "";
    for entry in &pack.entries {
        let place = match entry.place {
            Place::Anywhere => 0,
            Place::Flanked => 1,
            Place::Beside => 2,
            Place::Whole => 3,
        };
        let flags = place
            | (entry.severity as u8) << 2
            | u8::from(entry.exact) << 4
            | u8::from(entry.strict) << 5
            | u8::from(entry.glued) << 6;
        word(&mut bytes, before, &entry.word, 0x80 | flags);
        bytes.push(entry.tags);
        bytes.extend(entry.seams.to_be_bytes());
        before = &entry.word;
    }
    bytes.extend(u16::try_from(pack.allow.len())?.to_be_bytes());
    before = "";
    for allowed in &pack.allow {
        word(&mut bytes, before, allowed, 0x80);
        before = allowed;
    }
    bytes.extend(u16::try_from(pack.benign.len())?.to_be_bytes());
    let mut last = 0;
    for &hash in &pack.benign {
        leb128(&mut bytes, hash - last);
        last = hash;
    }
    Ok(miniz_oxide::deflate::compress_to_vec(&bytes, LEVEL))
}

/// The bytes of the dictionary `words`, which are in order.
pub(crate) fn words(words: &[String]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut before = "";
    for next in words {
        word(&mut bytes, before, next, 0x80);
        before = next;
    }
    miniz_oxide::deflate::compress_to_vec(&bytes, LEVEL)
}

fn word(bytes: &mut Vec<u8>, before: &str, word: &str, end: u8) {
    let shared = before
        .bytes()
        .zip(word.bytes())
        .take_while(|(a, b)| a == b)
        .count()
        .min(255);
    bytes.push(shared as u8);
    bytes.extend(word.bytes().skip(shared));
    bytes.push(end);
}

fn leb128(bytes: &mut Vec<u8>, mut value: u32) {
    while value > 0x7f {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}
