//! Where in the text each key and value of a document stands, by JSON Pointer.

use std::collections::HashMap;
use std::ops::Range;

/// The bytes of one value, and of its key where it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The key in its object, quotes included.
    pub key: Option<Range<usize>>,
    /// The value.
    pub value: Range<usize>,
    /// Whether the value is an object or a list, whose bytes are many lines.
    pub is_collection: bool,
}

impl Span {
    /// The few bytes that a message about the value as a whole should underline.
    pub fn head(&self) -> Range<usize> {
        match &self.key {
            Some(key) if self.is_collection => key.clone(),
            _ => self.value.clone(),
        }
    }

    /// The bytes to underline when the key itself is what is wrong.
    pub fn key_or_head(&self) -> Range<usize> {
        self.key.clone().unwrap_or_else(|| self.head())
    }
}

/// The spans of a document.
#[derive(Clone, Debug, Default)]
pub struct Spans {
    by_pointer: HashMap<String, Span>,
}

impl Spans {
    pub(super) fn insert(&mut self, pointer: String, span: Span) {
        self.by_pointer.insert(pointer, span);
    }

    /// The span of what `pointer` names; the nearest ancestor's where that stands nowhere, as a missing key or the inside of
    /// an alias does.
    pub fn at(&self, pointer: &str) -> Span {
        let mut pointer = pointer;
        loop {
            if let Some(span) = self.by_pointer.get(pointer) {
                return span.clone();
            }
            match pointer.rsplit_once('/') {
                Some((parent, _)) => pointer = parent,
                None => {
                    return Span {
                        key: None,
                        value: 0..0,
                        is_collection: true,
                    };
                }
            }
        }
    }

    /// Whether `pointer` itself stands in the text.
    pub fn contains(&self, pointer: &str) -> bool {
        self.by_pointer.contains_key(pointer)
    }
}
