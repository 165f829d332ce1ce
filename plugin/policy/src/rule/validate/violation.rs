//! What is wrong with an input: which part of it, by which keyword, and never its value.

use std::fmt::Write;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

/// More violations than this are not looked for.
pub(crate) const MAX: usize = 20;

/// Where in a request an input stands (OpenAPI's `in`, and the body).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Path,
    Query,
    Header,
    Cookie,
    Body,
}

impl Place {
    /// As OpenAPI and FastAPI write it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Cookie => "cookie",
            Self::Body => "body",
        }
    }
}

/// One step of the way to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// A member of an object.
    Name(String),
    /// An element of an array.
    Index(usize),
}

/// One failed input check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) place: Place,
    /// The way to the value that is wrong; a parameter's begins with its name.
    pub(crate) path: Vec<Token>,
    /// The schema's keyword that says so.
    pub(crate) keyword: &'static str,
    /// What pydantic calls this error.
    pub(crate) kind: &'static str,
    /// A sentence that tells what would be right, and nothing of what was sent.
    pub(crate) message: String,
}

/// The first violations of a request.
#[derive(Debug, Default)]
pub(crate) struct Violations {
    list: Vec<Violation>,
}

impl Violations {
    /// Adds one; past [`MAX`] it is dropped.
    pub(crate) fn push(&mut self, violation: Violation) {
        if !self.is_full() {
            self.list.push(violation);
        }
    }

    /// Whether there is no use in looking for more.
    pub(crate) fn is_full(&self) -> bool {
        self.list.len() >= MAX
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// In the order in which they were found.
    pub(crate) fn as_slice(&self) -> &[Violation] {
        &self.list
    }
}

impl Violation {
    /// The way to the value as a JSON Pointer (RFC 6901).
    pub(crate) fn pointer(&self) -> String {
        let mut pointer = String::new();
        for token in &self.path {
            pointer.push('/');
            match token {
                Token::Name(name) => pointer.push_str(&name.replace('~', "~0").replace('/', "~1")),
                // A `String` takes whatever is written to it.
                Token::Index(index) => drop(write!(pointer, "{index}")),
            }
        }
        pointer
    }

    /// The way as FastAPI's `loc` has it: the place first, indices as numbers.
    pub(crate) fn loc(&self) -> Loc<'_> {
        Loc(self)
    }
}

/// A violation in one line, for logs.
pub(crate) fn summary(violation: &Violation) -> String {
    /// Names that the client chose are cut here.
    const KEPT: usize = 128;
    let Violation { place, keyword, .. } = violation;
    let pointer: String = violation.pointer().chars().take(KEPT).collect();
    format!("{} {pointer} {keyword}", place.as_str())
}

/// See [`Violation::loc`].
pub(crate) struct Loc<'v>(&'v Violation);

impl Serialize for Loc<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.path.len() + 1))?;
        list.serialize_element(self.0.place.as_str())?;
        for token in &self.0.path {
            match token {
                Token::Name(name) => list.serialize_element(name)?,
                Token::Index(index) => list.serialize_element(index)?,
            }
        }
        list.end()
    }
}

/// The members of a problem document's `errors`.
impl Serialize for Violation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(6))?;
        map.serialize_entry("in", self.place.as_str())?;
        map.serialize_entry("pointer", &self.pointer())?;
        map.serialize_entry("loc", &self.loc())?;
        map.serialize_entry("type", self.kind)?;
        map.serialize_entry("keyword", self.keyword)?;
        map.serialize_entry("message", &self.message)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_says_where_in_both_ways() {
        let violation = Violation {
            place: Place::Body,
            path: vec![Token::Name("a/b~c".into()), Token::Index(3)],
            keyword: "maxLength",
            kind: "string_too_long",
            message: "must be at most 20 characters".into(),
        };
        assert_eq!(
            serde_json::to_string(&violation).unwrap(),
            r#"{"in":"body","pointer":"/a~1b~0c/3","loc":["body","a/b~c",3],"type":"string_too_long","keyword":"maxLength","message":"must be at most 20 characters"}"#
        );
    }

    #[test]
    fn no_more_are_kept_than_are_told() {
        let mut violations = Violations::default();
        assert!(violations.is_empty());
        for _ in 0..30 {
            violations.push(Violation {
                place: Place::Query,
                path: Vec::new(),
                keyword: "type",
                kind: "int_type",
                message: String::new(),
            });
        }
        assert!(violations.is_full());
        assert_eq!(violations.as_slice().len(), MAX);
    }
}
