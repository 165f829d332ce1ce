//! What a schema asks for: it decides how text is read.
//!
//! `5` in a query is a number or a string, and only the schema knows. A [`Shape`] is what remains of a schema when all
//! but types is dropped: which types may stand here, and the same of elements and members. It is a tree, so a schema
//! that leads back to itself is followed some rounds and then left open; a shape never refuses anything, the schema
//! does.

mod build;
mod keywords;
#[cfg(test)]
mod tests;

use std::ops::{BitAnd, BitOr};
use std::rc::Rc;

pub(crate) use self::build::compile;
pub(crate) use super::schema_at::Named;

/// A set of JSON Schema's types. `number` is two of them, [`INTEGER`](Self::INTEGER) and
/// [`FRACTION`](Self::FRACTION), so that what `integer` and `number` have in common is `integer`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Types(u8);

impl Types {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const NULL: Self = Self(1);
    pub(crate) const BOOLEAN: Self = Self(1 << 1);
    pub(crate) const INTEGER: Self = Self(1 << 2);
    /// Numbers that need not be whole.
    pub(crate) const FRACTION: Self = Self(1 << 3);
    pub(crate) const STRING: Self = Self(1 << 4);
    pub(crate) const ARRAY: Self = Self(1 << 5);
    pub(crate) const OBJECT: Self = Self(1 << 6);
    pub(crate) const NUMBER: Self = Self(Self::INTEGER.0 | Self::FRACTION.0);
    pub(crate) const ALL: Self = Self((1 << 7) - 1);

    /// Whether the sets have a type in common.
    pub(crate) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(crate) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl BitOr for Types {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Types {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    /// What the schema lets in; [`Types::ALL`] where it says nothing.
    allowed: Types,
    /// What it speaks about without asking for it: `minimum` alone is about numbers.
    hints: Types,
    /// Of the first elements.
    prefix: Vec<Rc<Shape>>,
    /// Of the elements behind them.
    items: Option<Rc<Shape>>,
    /// Sorted by name.
    members: Vec<(Box<str>, Rc<Shape>)>,
    /// Of the members that have no name above.
    rest: Option<Rc<Shape>>,
}

impl Shape {
    /// Anything goes.
    pub(crate) const ANY: &'static Self = &Self {
        allowed: Types::ALL,
        hints: Types::NONE,
        prefix: Vec::new(),
        items: None,
        members: Vec::new(),
        rest: None,
    };

    /// What the schema lets in.
    pub(crate) fn allowed(&self) -> Types {
        self.allowed
    }

    /// What text may be read as. Where a schema does not say its type, text is text, unless it speaks of other types.
    pub(crate) fn reads(&self) -> Types {
        match self.allowed {
            Types::ALL => self.hints | Types::STRING,
            Types::NONE => Types::STRING,
            said => said,
        }
    }

    /// Whether a name may be repeated: a list is asked for, or nothing at all.
    pub(crate) fn takes_many(&self) -> bool {
        self.reads().has(Types::ARRAY) || (self.allowed == Types::ALL && self.hints == Types::NONE)
    }

    /// Whether only objects are asked for, or null.
    pub(crate) fn is_object(&self) -> bool {
        match self.allowed {
            Types::ALL => self.hints == Types::OBJECT,
            said => said.without(Types::NULL) == Types::OBJECT,
        }
    }

    /// Whether members of any name are asked for: `additionalProperties` says what they are, or no member is named.
    pub(crate) fn is_open(&self) -> bool {
        match &self.rest {
            Some(rest) => rest.allowed != Types::NONE,
            None => self.members.is_empty(),
        }
    }

    /// The shape of an element.
    pub(crate) fn item(&self, index: usize) -> &Self {
        self.item_said(index).map_or(Self::ANY, |item| item)
    }

    /// The shape of a member.
    pub(crate) fn member(&self, name: &str) -> &Self {
        self.member_said(name).map_or(Self::ANY, |member| member)
    }

    /// The members that are named.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|(name, _)| &**name)
    }

    fn item_said(&self, index: usize) -> Option<&Rc<Self>> {
        self.prefix.get(index).or(self.items.as_ref())
    }

    fn member_said(&self, name: &str) -> Option<&Rc<Self>> {
        let at = self
            .members
            .binary_search_by(|(other, _)| (**other).cmp(name));
        let named = at.ok().and_then(|at| self.members.get(at));
        named.map(|(_, member)| member).or(self.rest.as_ref())
    }

    /// The types that the schema names.
    fn said(&self) -> Types {
        match self.allowed {
            Types::ALL => Types::NONE,
            said => said,
        }
    }
}
