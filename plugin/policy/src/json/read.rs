//! The reader: one pass over the text, every limit judged before what it bounds is built.
//!
//! It is recursive, to a depth that is bounded whatever the limits say: the tree's own drop is, too. The text is
//! proved to be UTF-8 once, at the start, so that strings are copied without another look.

use portcullis_config::DuplicateKeys;
use serde_json::map::Entry;
use serde_json::{Map, Value};

use super::fault::{Fault, FaultKind};
use super::{number, text};

/// No limit lets more arrays and objects nest, as each takes its share of a stack that has an end.
const DEEPEST: usize = 128;

/// How much a document may hold. Each limit is the most that passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Arrays and objects within each other; 128 at most, whatever is said.
    pub(crate) depth: usize,
    /// Members of one object, each as often as it stands.
    pub(crate) keys: usize,
    /// Items of one array.
    pub(crate) items: usize,
    /// Values in all: arrays, objects and what is in them. Names are none.
    pub(crate) nodes: usize,
    /// UTF-8 bytes of a member's name, unescaped.
    pub(crate) key_bytes: usize,
    /// UTF-8 bytes of a string, unescaped.
    pub(crate) string_bytes: usize,
    /// What a name that stands twice in an object means. Names are compared unescaped.
    pub(crate) duplicate_keys: DuplicateKeys,
}

/// Reads a document: one JSON value, with white space around it. An integer that neither i64 nor u64 holds is the
/// double that is nearest to it.
///
/// # Errors
/// The first fault that is met; bytes that are not UTF-8 are met before all others.
pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Value, Fault> {
    let fault = |at, kind| Err(Fault { at, kind });
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return fault(0, FaultKind::ByteOrderMark);
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return fault(error.valid_up_to(), FaultKind::NotUtf8),
    };
    let mut reader = Reader {
        text,
        at: 0,
        limits,
        nodes: 0,
    };
    if reader.next().is_none() {
        return fault(bytes.len(), FaultKind::Empty);
    }
    let value = reader.value(limits.depth.min(DEEPEST))?;
    match reader.next() {
        None => Ok(value),
        Some(_) => fault(reader.at, FaultKind::Trailing),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    limits: &'a Limits,
    /// Values begun.
    nodes: usize,
}

impl Reader<'_> {
    /// The byte after white space, where `at` then is.
    fn next(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    /// What is wrong if what stands at `at` cannot stand there.
    fn unexpected<T>(&self) -> Result<T, Fault> {
        self.fault(if self.at < self.text.len() {
            FaultKind::Syntax
        } else {
            FaultKind::Truncated
        })
    }

    fn fault<T>(&self, kind: FaultKind) -> Result<T, Fault> {
        Err(Fault { at: self.at, kind })
    }

    /// The value that is next, in which `depth` arrays and objects may nest.
    fn value(&mut self, depth: usize) -> Result<Value, Fault> {
        let first = self.next();
        if first.is_some() && self.nodes == self.limits.nodes {
            return self.fault(FaultKind::Nodes);
        }
        self.nodes += 1;
        match first {
            Some(b'"') => {
                let most = self.limits.string_bytes;
                self.string(most, FaultKind::StringBytes).map(Value::String)
            }
            Some(b'-' | b'0'..=b'9') => {
                let (number, behind) = number::number(self.text, self.at)?;
                self.at = behind;
                Ok(Value::Number(number))
            }
            Some(b'{') => self.object(self.within(depth)?),
            Some(b'[') => self.array(self.within(depth)?),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => self.unexpected(),
        }
    }

    /// What may nest within what is entered now.
    fn within(&self, depth: usize) -> Result<usize, Fault> {
        match depth.checked_sub(1) {
            Some(within) => Ok(within),
            None => self.fault(FaultKind::Depth),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Fault> {
        for expected in word.bytes() {
            if self.text.as_bytes().get(self.at) != Some(&expected) {
                return self.unexpected();
            }
            self.at += 1;
        }
        Ok(value)
    }

    fn string(&mut self, most: usize, too_long: FaultKind) -> Result<String, Fault> {
        let (said, behind) = text::string(self.text, self.at, most, too_long)?;
        self.at = behind;
        Ok(said.into_owned())
    }

    fn array(&mut self, depth: usize) -> Result<Value, Fault> {
        self.at += 1;
        if self.next() == Some(b']') {
            self.at += 1;
            return Ok(Value::Array(Vec::new()));
        }
        let mut items = Vec::new();
        loop {
            if self.next().is_some() && items.len() == self.limits.items {
                return self.fault(FaultKind::Items);
            }
            let item = self.value(depth)?;
            items.push(item);
            match self.next() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return self.unexpected(),
            }
        }
        self.at += 1;
        Ok(Value::Array(items))
    }

    fn object(&mut self, depth: usize) -> Result<Value, Fault> {
        self.at += 1;
        let mut members = Map::new();
        if self.next() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Object(members));
        }
        for count in 0.. {
            let (Some(b'"'), name_at) = (self.next(), self.at) else {
                return self.unexpected();
            };
            if count == self.limits.keys {
                return self.fault(FaultKind::Keys);
            }
            let name = self.string(self.limits.key_bytes, FaultKind::KeyBytes)?;
            let entry = members.entry(name);
            if let Entry::Occupied(_) = entry
                && self.limits.duplicate_keys == DuplicateKeys::Reject
            {
                self.at = name_at;
                return self.fault(FaultKind::DuplicateKey);
            }
            if self.next() != Some(b':') {
                return self.unexpected();
            }
            self.at += 1;
            let value = self.value(depth)?;
            match entry {
                Entry::Vacant(vacant) => drop(vacant.insert(value)),
                Entry::Occupied(mut taken) => drop(taken.insert(value)),
            }
            match self.next() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return self.unexpected(),
            }
        }
        self.at += 1;
        Ok(Value::Object(members))
    }
}
