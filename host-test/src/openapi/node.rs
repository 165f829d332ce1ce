//! A value of the document and where it stands.

use portcullis_config::{Document as Tree, pointer_child};

/// A value and its JSON Pointer. What has another type than was asked for reads as absent.
#[derive(Clone, Debug)]
pub(super) struct Node<'d> {
    pub(super) value: &'d Tree,
    pub(super) pointer: String,
}

impl<'d> Node<'d> {
    pub(super) fn root(value: &'d Tree) -> Self {
        Self {
            value,
            pointer: String::new(),
        }
    }

    /// A member of an object.
    pub(super) fn get(&self, key: &str) -> Option<Self> {
        self.members().find_map(|(name, value)| {
            (name == key).then(|| Self {
                value,
                pointer: pointer_child(&self.pointer, key),
            })
        })
    }

    /// A member of an object, or an item of a list by its number.
    pub(super) fn step(&self, token: &str) -> Option<Self> {
        match self.value {
            Tree::Array(items) => {
                let index: usize = token.parse().ok()?;
                let value = items.get(index)?;
                // `01` names nothing (RFC 6901 section 4).
                (index.to_string() == token).then(|| Self {
                    value,
                    pointer: pointer_child(&self.pointer, token),
                })
            }
            _ => self.get(token),
        }
    }

    fn members(&self) -> impl Iterator<Item = (&'d str, &'d Tree)> + use<'d> {
        let members = match self.value {
            Tree::Object(members) => members.as_slice(),
            _ => &[],
        };
        members.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The members of an object in their order.
    pub(super) fn children(&self) -> impl Iterator<Item = (&'d str, Self)> + use<'d> {
        let pointer = self.pointer.clone();
        self.members().map(move |(name, value)| {
            let node = Self {
                value,
                pointer: pointer_child(&pointer, name),
            };
            (name, node)
        })
    }

    /// The items of a list.
    pub(super) fn items(&self) -> impl Iterator<Item = Self> + use<'d> {
        let items = match self.value {
            Tree::Array(items) => items.as_slice(),
            _ => &[],
        };
        let pointer = self.pointer.clone();
        items.iter().enumerate().map(move |(index, value)| Self {
            value,
            pointer: format!("{pointer}/{index}"),
        })
    }

    /// The text that this is.
    pub(super) fn text(&self) -> Option<&'d str> {
        match self.value {
            Tree::String(text) => Some(text),
            _ => None,
        }
    }

    /// The text of a member.
    pub(super) fn text_of(&self, key: &str) -> Option<&'d str> {
        self.get(key)?.text()
    }

    /// Whether a member is `true`.
    pub(super) fn flag(&self, key: &str) -> bool {
        self.flag_of(key) == Some(true)
    }

    /// The boolean that a member is.
    pub(super) fn flag_of(&self, key: &str) -> Option<bool> {
        match self.get(key)?.value {
            Tree::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    pub(super) fn is_object(&self) -> bool {
        matches!(self.value, Tree::Object(_))
    }
}
