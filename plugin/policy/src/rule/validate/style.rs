//! How OpenAPI's styles spread a value over a query, a path or a header (OpenAPI 3.1, "Style Values").
//!
//! Text is decoded before it is split, as servers do it: an encoded comma separates like a plain one, and what is judged
//! is what they see. One value is a scalar where the schema takes scalars and lists alike; several are a list.

use std::borrow::Cow;

use portcullis_config::{Strictness, Style};
use serde_json::{Map, Value};

use super::coerce::{self, Unread};
use super::query::{Spelling, text};
use super::shape::{Shape, Types};
use super::violation::{Place, Token, Violation, Violations};

/// How a value is spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spread {
    /// `a=1&a=2`; members of an object are names of their own: form, exploded.
    Repeated,
    /// `1,2`; an object is `a,1,b,2`: form or simple, not exploded.
    Joined,
    /// `1,2`; an object is `a=1,b=2`: simple, exploded.
    Assigned,
    /// `a[b]=1`: deepObject.
    Deep,
}

/// Why a parameter cannot be spread as it says: the key that is wrong, a sentence, and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meaningless {
    pub(crate) key: &'static str,
    pub(crate) message: &'static str,
    pub(crate) help: &'static str,
}

impl Spread {
    /// The spread of a parameter, defaults filled in: form and exploded in queries and cookies, simple elsewhere.
    pub(crate) fn of(
        place: Place,
        style: Option<Style>,
        explode: Option<bool>,
        shape: &Shape,
    ) -> Result<Self, Meaningless> {
        let meaningless = |key, message, help| Err(Meaningless { key, message, help });
        let wrong_style = |help| meaningless("style", "this style has no meaning here", help);
        match (place, style) {
            (Place::Query, Some(Style::DeepObject)) => {
                if explode == Some(false) {
                    return meaningless(
                        "explode",
                        "`deepObject` is always exploded",
                        "leave `explode` out",
                    );
                }
                if !shape.is_object() {
                    return meaningless(
                        "schema",
                        "`deepObject` spreads objects, and this schema asks for something else",
                        "let `type` be `object`, or leave `style` out",
                    );
                }
                Ok(Self::Deep)
            }
            (Place::Query | Place::Cookie, None | Some(Style::Form)) => {
                Ok(if explode.unwrap_or(true) {
                    Self::Repeated
                } else {
                    Self::Joined
                })
            }
            (Place::Path | Place::Header, None | Some(Style::Simple)) => {
                Ok(if explode.unwrap_or(false) {
                    Self::Assigned
                } else {
                    Self::Joined
                })
            }
            (Place::Query, _) => wrong_style("a query takes `form` or `deepObject`"),
            (Place::Cookie, _) => wrong_style("a cookie takes `form`"),
            _ => wrong_style("a path or a header takes `simple`"),
        }
    }
}

/// A place inside the value that is being read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Inside<'a> {
    pub(crate) member: Option<&'a str>,
    pub(crate) index: Option<usize>,
}

impl<'a> Inside<'a> {
    pub(crate) const WHOLE: Self = Self {
        member: None,
        index: None,
    };

    pub(crate) fn member(name: &'a str) -> Self {
        Self {
            member: Some(name),
            index: None,
        }
    }

    fn item(self, index: usize) -> Self {
        Self {
            index: Some(index),
            ..self
        }
    }
}

/// Reads values, and tells what cannot be read. `None` from its methods means that something was told.
pub(crate) struct Reader<'r> {
    pub(crate) strictness: Strictness,
    pub(crate) place: Place,
    pub(crate) spelling: Spelling,
    /// Where the value stands: a parameter's name; empty for a body.
    pub(crate) at: &'r [Token],
    pub(crate) found: &'r mut Violations,
}

impl Reader<'_> {
    /// The values of one name: one is a scalar or a list of one, more are a list.
    pub(crate) fn repeated<'t>(
        &mut self,
        mut values: impl Iterator<Item = &'t [u8]>,
        shape: &Shape,
        inside: Inside<'_>,
    ) -> Option<Value> {
        let first = values.next()?;
        let Some(second) = values.next() else {
            let text = self.text(first, inside)?;
            return self.one(text, shape, inside, |reader, text| {
                Some(vec![reader.scalar(text, shape.item(0), inside.item(0))?])
            });
        };
        if !shape.takes_many() {
            return self.refuse_repeated(inside);
        }
        let values = [first, second].into_iter().chain(values);
        let mut items = Vec::new();
        let mut read_all = true;
        for (index, value) in values.enumerate() {
            let item = self
                .text(value, inside.item(index))
                .and_then(|text| self.scalar(text, shape.item(index), inside.item(index)));
            read_all &= item.is_some();
            if self.found.is_full() {
                return None;
            }
            items.extend(item);
        }
        read_all.then_some(Value::Array(items))
    }

    /// A value that stands in one text.
    pub(crate) fn packed(&mut self, value: &[u8], shape: &Shape, spread: Spread) -> Option<Value> {
        let text = self.text(value, Inside::WHOLE)?;
        let types = shape.reads();
        let scalars = types.without(Types::ARRAY | Types::OBJECT | Types::NULL);
        let several = text.contains(',');
        if types.has(Types::ARRAY) && (several || !types.has(Types::OBJECT)) {
            if several {
                return self.split(&text, shape).map(Value::Array);
            }
            return self.one(text, shape, Inside::WHOLE, |reader, text| {
                reader.split(&text, shape)
            });
        }
        let is_null = types.has(Types::NULL) && text == "null";
        if types.has(Types::OBJECT) && !is_null && (several || scalars == Types::NONE) {
            return self.object(&text, shape, spread);
        }
        self.scalar(text, shape, Inside::WHOLE)
    }

    /// An object from names and values, those of one name side by side.
    pub(crate) fn members(&mut self, pairs: &[(&str, &[u8])], shape: &Shape) -> Option<Value> {
        let mut members = Map::new();
        let mut read_all = true;
        for group in pairs.chunk_by(|(a, _), (b, _)| a == b) {
            let Some((name, _)) = group.first() else {
                continue;
            };
            let values = group.iter().map(|(_, value)| *value);
            match self.repeated(values, shape.member(name), Inside::member(name)) {
                Some(value) => drop(members.insert((*name).to_owned(), value)),
                None => read_all = false,
            }
            if self.found.is_full() {
                return None;
            }
        }
        read_all.then_some(Value::Object(members))
    }

    /// Tells of a value that is not of a type.
    pub(crate) fn refuse<T>(&mut self, unread: Unread, inside: Inside<'_>) -> Option<T> {
        self.tell("type", unread.kind, unread.message, inside)
    }

    /// Tells of a name that stands more often than its value can be spread.
    pub(crate) fn refuse_repeated<T>(&mut self, inside: Inside<'_>) -> Option<T> {
        self.tell("type", "repeated", "must be given once", inside)
    }

    /// Tells of a value that must be there.
    pub(crate) fn refuse_missing(&mut self) {
        let _: Option<()> = self.tell("required", "missing", "is required", Inside::WHOLE);
    }

    fn tell<T>(
        &mut self,
        keyword: &'static str,
        kind: &'static str,
        message: &str,
        inside: Inside<'_>,
    ) -> Option<T> {
        let member = inside.member.map(|name| Token::Name(name.to_owned()));
        let index = inside.index.map(Token::Index);
        let path = self.at.iter().cloned().chain(member).chain(index);
        self.found.push(Violation {
            place: self.place,
            path: path.collect(),
            keyword,
            kind,
            message: message.to_owned(),
        });
        None
    }

    fn text<'t>(&mut self, value: &'t [u8], inside: Inside<'_>) -> Option<Cow<'t, str>> {
        match text(value, self.spelling) {
            Ok(text) => Some(text),
            Err(misread) => self.tell("type", "string_unicode", misread.message(), inside),
        }
    }

    fn scalar(&mut self, text: Cow<'_, str>, shape: &Shape, inside: Inside<'_>) -> Option<Value> {
        match coerce::read(text, shape.reads(), self.strictness) {
            Ok(value) => Some(value),
            Err(unread) => self.refuse(unread, inside),
        }
    }

    /// A single text: a scalar if it is one of those asked for, and else what `list` makes of it, if lists are.
    fn one(
        &mut self,
        text: Cow<'_, str>,
        shape: &Shape,
        inside: Inside<'_>,
        list: impl FnOnce(&mut Self, Cow<'_, str>) -> Option<Vec<Value>>,
    ) -> Option<Value> {
        let types = shape.reads();
        if !types.has(Types::ARRAY) {
            return self.scalar(text, shape, inside);
        }
        // Where a string may stand in the list, the text `null` is one.
        let scalars = if shape.item(0).reads().has(Types::STRING) {
            types.without(Types::NULL)
        } else {
            types
        };
        match coerce::read(Cow::Borrowed(&text), scalars, self.strictness) {
            Ok(value) => Some(value),
            Err(_) => list(self, text).map(Value::Array),
        }
    }

    fn split(&mut self, text: &str, shape: &Shape) -> Option<Vec<Value>> {
        let mut items = Vec::new();
        let mut read_all = true;
        for (index, part) in text.split(',').enumerate() {
            let part = Cow::Borrowed(self.trimmed(part));
            let item = self.scalar(part, shape.item(index), Inside::WHOLE.item(index));
            read_all &= item.is_some();
            if self.found.is_full() {
                return None;
            }
            items.extend(item);
        }
        read_all.then_some(items)
    }

    fn object(&mut self, text: &str, shape: &Shape, spread: Spread) -> Option<Value> {
        let mut parts = text.split(',').map(|part| self.trimmed(part));
        let mut pairs = Vec::new();
        while let Some(part) = parts.next() {
            let pair = match spread {
                Spread::Assigned => part.split_once('='),
                _ => parts.next().map(|value| (part, value)),
            };
            let Some(pair) = pair else {
                drop(parts);
                return self.refuse(NO_OBJECT, Inside::WHOLE);
            };
            pairs.push(pair);
        }
        drop(parts);
        pairs.sort_by_key(|(name, _)| *name);
        let pairs: Vec<_> = pairs
            .into_iter()
            .map(|(name, value)| (name, value.as_bytes()))
            .collect();
        // It is decoded already.
        let spelling = std::mem::replace(&mut self.spelling, Spelling::Plain);
        let object = self.members(&pairs, shape);
        self.spelling = spelling;
        object
    }

    /// A field value's elements have white space around them (RFC 9110 section 5.6.1).
    fn trimmed<'t>(&self, part: &'t str) -> &'t str {
        if self.place == Place::Header {
            part.trim_matches([' ', '\t'])
        } else {
            part
        }
    }
}

/// What is spread as an object and cannot be put together again.
pub(crate) const NO_OBJECT: Unread = Unread {
    kind: "dict_type",
    message: "must be an object",
};
