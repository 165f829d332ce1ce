//! What schemas ask for, laid out for judging: the graph of `arena` with each keyword beside those that look at the same
//! type of value, names sorted, references followed.
//!
//! A rule is a few words with a box for each type of value that it says something of, so that judging a value reads
//! what concerns it and nothing else. Rules lie in one list by the numbers of their nodes: recursion is a number too.

mod build;

use std::rc::Rc;

use serde_json::{Map, Value};

use super::distinct;
use super::format::Format;
use super::number::{Bound, Divisor};
use super::pattern::Pattern;
use super::types::Types;

/// The rules of one policy.
#[derive(Debug, Default)]
pub(super) struct Plan {
    rules: Vec<Option<Rule>>,
    /// What each node comes to that is nothing but a reference, and whether through a gate; itself for all others.
    ends: Vec<Link>,
    /// How many nodes of the graph's order have their end.
    ended: usize,
}

impl Plan {
    /// What a link leads to. There is something: a schema is given out once all that it reaches is planned.
    #[inline]
    pub(super) fn rule(&self, link: Link) -> Option<&Rule> {
        self.rules.get(link.to as usize)?.as_ref()
    }
}

/// The way to a rule.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Link {
    to: u32,
    /// Whether it takes fuel to go there (see `judge`).
    pub(super) gated: bool,
}

/// One schema. `true` takes all types, `false` takes none, and neither says more.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) types: Types,
    pub(super) values: Option<Box<Values>>,
    pub(super) numbers: Option<Box<Numbers>>,
    pub(super) texts: Option<Box<Texts>>,
    pub(super) arrays: Option<Box<Arrays>>,
    pub(super) objects: Option<Box<Objects>>,
    pub(super) same: Option<Box<Same>>,
}

/// `const` and `enum` (Validation, sections 6.1.2 and 6.1.3).
#[derive(Debug)]
pub(super) struct Values {
    pub(super) keyword: &'static str,
    pub(super) list: Vec<Value>,
    /// Where both stand in one schema.
    pub(super) also: Option<Box<Values>>,
}

impl Values {
    pub(super) fn hold(&self, value: &Value) -> bool {
        self.refusing(value).is_none()
    }

    /// Those of which a value is none.
    pub(super) fn refusing(&self, value: &Value) -> Option<&Self> {
        match self.list.iter().any(|one| distinct::is_equal(one, value)) {
            true => self.also.as_ref()?.refusing(value),
            false => Some(self),
        }
    }
}

/// Of numbers (Validation, section 6.2).
#[derive(Debug, Default)]
pub(super) struct Numbers {
    pub(super) formats: Vec<&'static Format>,
    pub(super) multiple: Option<Divisor>,
    /// Whether more than 64 bits are too much, as they lost digits.
    pub(super) narrow: bool,
    pub(super) minimum: Option<Bound>,
    pub(super) maximum: Option<Bound>,
    pub(super) above: Option<Bound>,
    pub(super) below: Option<Bound>,
}

/// Of strings (Validation, sections 6.3 and 7.3). Lengths are in characters.
#[derive(Debug, Default)]
pub(super) struct Texts {
    pub(super) formats: Vec<&'static Format>,
    pub(super) least: Option<usize>,
    pub(super) most: Option<usize>,
    pub(super) pattern: Option<Rc<Pattern>>,
}

/// Of arrays (Core, section 10.3.1; Validation, section 6.4).
#[derive(Debug, Default)]
pub(super) struct Arrays {
    pub(super) distinct: bool,
    pub(super) least: Option<usize>,
    pub(super) most: Option<usize>,
    pub(super) prefix: Vec<Link>,
    /// What is behind the prefix.
    pub(super) items: Option<Link>,
    pub(super) contains: Option<Contains>,
    pub(super) unevaluated: Option<Link>,
}

/// `contains`, and of how many items that holds.
#[derive(Debug)]
pub(super) struct Contains {
    pub(super) link: Link,
    pub(super) least: Option<usize>,
    pub(super) most: Option<usize>,
}

/// Of objects (Core, section 10.3.2; Validation, section 6.5).
#[derive(Debug, Default)]
pub(super) struct Objects {
    pub(super) least: Option<usize>,
    pub(super) most: Option<usize>,
    /// `properties` and `required`, by name.
    pub(super) known: Vec<Known>,
    /// How many of them are required.
    pub(super) required: usize,
    pub(super) patterns: Vec<(Rc<Pattern>, Link)>,
    pub(super) additional: Option<Link>,
    pub(super) names: Option<Link>,
    /// Names, and those that have to be there beside them.
    pub(super) beside: Vec<(String, Vec<String>)>,
    pub(super) unevaluated: Option<Link>,
}

/// A name that a schema knows.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) name: String,
    /// Where it stands in `properties`.
    pub(super) link: Option<Link>,
    pub(super) required: bool,
}

impl Objects {
    /// What is known of a name. `near` is where to look first, and then the place behind what was found: members come
    /// in the order of their names as long as maps sort them.
    #[inline]
    pub(super) fn find(&self, name: &str, near: &mut usize) -> Option<&Known> {
        if let Some(known) = self.known.get(*near)
            && known.name == name
        {
            *near += 1;
            return Some(known);
        }
        let by_name = |known: &Known| known.name.as_str().cmp(name);
        let at = self.known.binary_search_by(by_name).ok()?;
        *near = at + 1;
        self.known.get(at)
    }
}

/// Schemas of the value itself (Core, section 10.2).
#[derive(Debug, Default)]
pub(super) struct Same {
    pub(super) references: Vec<Link>,
    pub(super) not: Option<Link>,
    pub(super) all: Vec<Link>,
    pub(super) any: Vec<Alternative>,
    pub(super) one: Vec<Alternative>,
    pub(super) condition: Option<Condition>,
    /// `dependentSchemas`
    pub(super) dependent: Vec<(String, Link)>,
}

/// `if`, `then` and `else`.
#[derive(Debug)]
pub(super) struct Condition {
    pub(super) when: Link,
    pub(super) then: Option<Link>,
    pub(super) otherwise: Option<Link>,
}

/// One of a union.
#[derive(Debug)]
pub(super) struct Alternative {
    pub(super) link: Link,
    pub(super) guard: Option<Guard>,
}

impl Alternative {
    /// Whether it can be the one that is meant.
    pub(super) fn lets(&self, value: &Value) -> bool {
        match (&self.guard, value) {
            (Some(guard), Value::Object(members)) => guard.lets(members),
            _ => true,
        }
    }
}

/// What an alternative asks of an object that can be seen without going into its members: those that must be there,
/// and the values of those that tell alternatives apart. Unions of tagged models so take time in the length of their
/// input, however deep they are nested; and what is wrong is said of the one that was meant.
#[derive(Debug)]
pub(super) struct Guard {
    required: Vec<String>,
    tags: Vec<(String, Vec<Value>)>,
}

impl Guard {
    fn lets(&self, members: &Map<String, Value>) -> bool {
        let mut tags = self.tags.iter();
        tags.all(|(name, values)| match members.get(name) {
            Some(tag) => values.iter().any(|one| distinct::is_equal(one, tag)),
            None => true,
        }) && self.required.iter().all(|name| members.contains_key(name))
    }
}
