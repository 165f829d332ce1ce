//! `google.protobuf.Struct` from its wire bytes (protobuf encoding, struct.proto).
//!
//! Envoy hands a plugin configuration of that type over as these bytes. Only this one message is needed, so a reader
//! of four wire types does where a protobuf library would cost the module tens of kilobytes.

use crate::document::Document;

/// The tag of a Struct's only field: number 1, length-delimited.
pub(crate) const STRUCT_FIRST_BYTE: u8 = 0x0a;

/// Deeper nesting than this is refused: the reader recurses.
const MAX_DEPTH: usize = 64;

/// Reads the bytes of a Struct; `None` if they are none, or nest deeper than 64 levels.
pub(crate) fn read_struct(bytes: &[u8]) -> Option<Document> {
    object(bytes, MAX_DEPTH)
}

fn object(bytes: &[u8], depth: usize) -> Option<Document> {
    let depth = depth.checked_sub(1)?;
    let mut members = Vec::new();
    for field in Fields(bytes) {
        let (1, Wire::Bytes(entry)) = field? else {
            return None;
        };
        let mut name = String::new();
        let mut document = Document::Null;
        for field in Fields(entry) {
            match field? {
                (1, Wire::Bytes(text)) => name = String::from_utf8(text.to_vec()).ok()?,
                (2, Wire::Bytes(message)) => document = value(message, depth)?,
                _ => return None,
            }
        }
        members.push((name, document));
    }
    // A protobuf map has no order of its own: sorted, the same policy gives the same diagnostics every time.
    members.sort_by(|(a, _), (b, _)| a.cmp(b));
    Some(Document::Object(members))
}

fn value(bytes: &[u8], depth: usize) -> Option<Document> {
    let depth = depth.checked_sub(1)?;
    let mut document = Document::Null;
    for field in Fields(bytes) {
        document = match field? {
            (1, Wire::Varint(_)) => Document::Null,
            (2, Wire::Fixed64(bits)) => Document::Number(f64::from_bits(bits)),
            (3, Wire::Bytes(text)) => Document::String(String::from_utf8(text.to_vec()).ok()?),
            (4, Wire::Varint(bit)) => Document::Bool(bit != 0),
            (5, Wire::Bytes(message)) => object(message, depth)?,
            (6, Wire::Bytes(message)) => list(message, depth)?,
            _ => return None,
        };
    }
    Some(document)
}

fn list(bytes: &[u8], depth: usize) -> Option<Document> {
    let mut items = Vec::new();
    for field in Fields(bytes) {
        let (1, Wire::Bytes(message)) = field? else {
            return None;
        };
        items.push(value(message, depth)?);
    }
    Some(Document::Array(items))
}

enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
}

/// A message's fields in their order; an item of `None` where the bytes are no message.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u64, Wire<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Wire<'a>)> {
        let tag = self.varint()?;
        let wire = match tag & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed64(u64::from_le_bytes(self.take(8)?.try_into().ok()?)),
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Wire::Bytes(self.take(length)?)
            }
            _ => return None,
        };
        Some((tag >> 3, wire))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Encodes as protobuf does, to hold the reader against.
    fn encode(document: &Document) -> Vec<u8> {
        match document {
            Document::Null => vec![0x08, 0],
            Document::Bool(b) => vec![0x20, u8::from(*b)],
            Document::Number(n) => [&[0x11][..], &n.to_le_bytes()].concat(),
            Document::String(s) => field(3, s.as_bytes()),
            Document::Array(items) => {
                let list: Vec<u8> = items.iter().flat_map(|i| field(1, &encode(i))).collect();
                field(6, &list)
            }
            Document::Object(_) => field(5, &encode_struct(document)),
        }
    }

    fn encode_struct(document: &Document) -> Vec<u8> {
        let Document::Object(members) = document else {
            panic!("no object");
        };
        members
            .iter()
            .flat_map(|(k, v)| field(1, &[field(1, k.as_bytes()), field(2, &encode(v))].concat()))
            .collect()
    }

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut out = vec![number << 3 | 2];
        let mut length = bytes.len();
        while length >= 0x80 {
            out.push(length as u8 | 0x80);
            length >>= 7;
        }
        out.push(length as u8);
        out.extend_from_slice(bytes);
        out
    }

    fn sample() -> Document {
        Document::from_bytes(
            br#"{"headers":{"preset":"api","remove":["x-a",null]},"long":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx","on":true,"version":1}"#,
        )
        .unwrap()
    }

    #[test]
    fn a_struct_reads_as_the_same_document() {
        let bytes = encode_struct(&sample());
        assert_eq!(Document::from_bytes(&bytes), Ok(sample()));
    }

    #[test]
    fn cut_or_flipped_bytes_never_panic() {
        let bytes = encode_struct(&sample());
        for end in 0..bytes.len() {
            let _ = read_struct(&bytes[..end]);
        }
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                let _ = Document::from_bytes(&flipped);
            }
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let mut deep = Document::Null;
        for _ in 0..1000 {
            deep = Document::Object(vec![("a".into(), deep)]);
        }
        assert_eq!(read_struct(&encode_struct(&deep)), None);
    }
}
