//! The collecting walk: a value, where it stands, and the one list that every finding goes to.
//!
//! A reader takes a [`Node`] and gives `Some` of what it read, or reports and gives `None`; the caller goes on either
//! way. [`Object`] learns a section's keys from what its reader asks for, so the keys that are known and the keys
//! that are read can never be two lists.

use std::cell::RefCell;
use std::cmp::Ordering;

use crate::diagnostic::{Diagnostics, code, pointer_child, suggest};
use crate::document::Document;

/// A value in the document, its JSON Pointer, and the list that findings go to.
#[derive(Clone)]
pub(crate) struct Node<'d> {
    pub(crate) value: &'d Document,
    pub(crate) pointer: String,
    sink: &'d RefCell<Diagnostics>,
}

impl<'d> Node<'d> {
    pub(crate) fn root(value: &'d Document, sink: &'d RefCell<Diagnostics>) -> Self {
        Self {
            value,
            pointer: String::new(),
            sink,
        }
    }

    /// The same place in the file, for another value: what a merge made of it.
    pub(crate) fn with_value<'e>(&self, value: &'e Document) -> Node<'e>
    where
        'd: 'e,
    {
        Node {
            value,
            pointer: self.pointer.clone(),
            sink: self.sink,
        }
    }

    fn child(&self, key: &str, value: &'d Document) -> Self {
        Self {
            value,
            pointer: pointer_child(&self.pointer, key),
            sink: self.sink,
        }
    }

    pub(crate) fn error(&self, code: &'static str, message: impl Into<String>, help: Option<&str>) {
        self.error_at(&self.pointer, code, message, help);
    }

    pub(crate) fn error_at(
        &self,
        pointer: &str,
        code: &'static str,
        message: impl Into<String>,
        help: Option<&str>,
    ) {
        let help = help.map(str::to_owned);
        self.sink.borrow_mut().error(code, pointer, message, help);
    }

    /// Whether an error was found here or below.
    pub(crate) fn has_error(&self) -> bool {
        self.sink.borrow().error_within(&self.pointer)
    }

    /// Reports that the value is of another type than `wanted`.
    pub(crate) fn wrong_type<T>(&self, wanted: &str) -> Option<T> {
        let found = self.value.kind();
        match (self.value, wanted) {
            (Document::Null, _) => self.error(
                code::NULL_VALUE,
                format!("expected {wanted}, found null"),
                Some("leave the key out for its default"),
            ),
            (Document::Bool(_) | Document::Number(_), "a string") => self.error(
                code::WRONG_TYPE,
                format!("expected {wanted}, found {found}"),
                Some("quote it"),
            ),
            _ => self.error(
                code::WRONG_TYPE,
                format!("expected {wanted}, found {found}"),
                None,
            ),
        }
        None
    }

    pub(crate) fn string(&self) -> Option<&'d str> {
        match self.value {
            Document::String(text) => Some(text),
            _ => self.wrong_type("a string"),
        }
    }

    pub(crate) fn boolean(&self) -> Option<bool> {
        match self.value {
            Document::Bool(value) => Some(*value),
            _ => self.wrong_type("a boolean"),
        }
    }

    /// A whole number from `low` to `high`; `64`, `64.0` and `6.4e1` are the same.
    pub(crate) fn integer(&self, low: i64, high: i64) -> Option<i64> {
        let Document::Number(number) = self.value else {
            return self.wrong_type("a number");
        };
        if number.fract() == 0.0 && *number >= low as f64 && *number <= high as f64 {
            return Some(*number as i64);
        }
        self.error(
            code::NUMBER_RANGE,
            format!("expected a whole number from {low} to {high}, found `{number}`"),
            None,
        );
        None
    }

    /// A count from `low` to `high`.
    pub(crate) fn count(&self, low: u32, high: u32) -> Option<u32> {
        self.integer(low.into(), high.into())
            .and_then(|n| u32::try_from(n).ok())
    }

    /// One of a closed set of words.
    pub(crate) fn word<T: Copy>(&self, words: &[(&'static str, T)]) -> Option<T> {
        let written = self.string()?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == written) {
            return Some(*value);
        }
        let names = || words.iter().map(|(word, _)| *word);
        let help = match suggest(written, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("one of {}", list_words(names())),
        };
        self.error(
            code::UNKNOWN_VALUE,
            format!("unknown value `{}`", shown(written)),
            Some(&help),
        );
        None
    }

    fn items(&self) -> Option<&'d [Document]> {
        match self.value {
            Document::Array(items) => Some(items),
            _ => self.wrong_type("a list"),
        }
    }

    /// Each item of a list as `read` reads it; items that are wrong are reported and left out.
    pub(crate) fn list<T>(&self, read: impl Fn(&Node<'d>) -> Option<T>) -> Option<Vec<T>> {
        let items = self.items()?;
        let nodes = items
            .iter()
            .enumerate()
            .map(|(index, item)| self.child(&index.to_string(), item));
        Some(nodes.filter_map(|node| read(&node)).collect())
    }

    /// As [`list`](Self::list), for a key whose absence means "all": an empty list is an error, and so is an entry
    /// that stands twice.
    pub(crate) fn set<T: Ord>(&self, read: impl Fn(&Node<'d>) -> Option<T>) -> Option<Vec<T>> {
        if self.items()?.is_empty() {
            self.error(
                code::EMPTY_LIST,
                "an empty list would mean none at all",
                Some("leave the key out to mean all"),
            );
            return None;
        }
        self.distinct(read)
    }

    /// As [`list`](Self::list), in which an entry that stands twice is an error.
    pub(crate) fn distinct<T: Ord>(&self, read: impl Fn(&Node<'d>) -> Option<T>) -> Option<Vec<T>> {
        let read = |node: &Node<'d>| read(node).map(|item| (item, node.pointer.clone()));
        let list = self.list(read)?;
        self.refuse_twice(&list, code::DUPLICATE_ENTRY, "this entry stands twice");
        Some(list.into_iter().map(|(item, _)| item).collect())
    }

    /// Each member of an object of free names, as `read` reads the name and the value.
    pub(crate) fn map<K: Ord, T>(
        &self,
        name: impl Fn(&Node<'d>, &'d str) -> Option<K>,
        read: impl Fn(&Node<'d>) -> Option<T>,
    ) -> Option<Vec<(K, T)>> {
        let members = self.members()?;
        let mut names = Vec::with_capacity(members.len());
        let mut values = Vec::with_capacity(members.len());
        for (key, value) in members {
            let node = self.child(key, value);
            // Both are read, so that both are judged.
            if let (Some(name), Some(value)) = (name(&node, key), read(&node)) {
                names.push((name, node.pointer));
                values.push(value);
            }
        }
        self.refuse_twice(&names, code::DUPLICATE_KEY, "this name stands twice");
        let names = names.into_iter().map(|(name, _)| name);
        Some(names.zip(values).collect())
    }

    /// Reports each item that equals an earlier one, in time that lists of any length allow.
    fn refuse_twice<T: Ord>(&self, items: &[(T, String)], code: &'static str, message: &str) {
        let item = |at: usize| items.get(at).map(|(item, _)| item);
        for at in repeated(items.len(), &|a, b| item(a).cmp(&item(b))) {
            if let Some((_, pointer)) = items.get(at) {
                self.error_at(pointer, code, message, None);
            }
        }
    }

    fn members(&self) -> Option<&'d [(String, Document)]> {
        match self.value {
            Document::Object(members) => Some(members),
            _ => self.wrong_type("an object"),
        }
    }

    /// The value as an object of known keys.
    pub(crate) fn object(&self) -> Option<Object<'d>> {
        let members = self.members()?;
        let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        let mut told = None;
        for (name, next) in names.iter().zip(names.iter().skip(1)) {
            if name == next && told != Some(name) {
                told = Some(name);
                self.child(name, self.value).error(
                    code::DUPLICATE_KEY,
                    format!("key `{}` stands twice", shown(name)),
                    None,
                );
            }
        }
        Some(Object {
            node: self.clone(),
            members,
            asked: Vec::new(),
        })
    }
}

/// An object whose keys are those that its reader asks for.
pub(crate) struct Object<'d> {
    pub(crate) node: Node<'d>,
    members: &'d [(String, Document)],
    asked: Vec<&'static str>,
}

impl<'d> Object<'d> {
    /// The value under `key`, if it is written.
    pub(crate) fn get(&mut self, key: &'static str) -> Option<Node<'d>> {
        self.asked.push(key);
        let (_, value) = self.members.iter().find(|(name, _)| name == key)?;
        Some(self.node.child(key, value))
    }

    /// What `read` makes of the value under `key`; `None` if it is not written or was reported.
    pub(crate) fn read<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Node<'d>) -> Option<T>,
    ) -> Option<T> {
        self.get(key).and_then(|node| read(&node))
    }

    /// As [`read`](Self::read), for a key that must be there.
    pub(crate) fn required<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Node<'d>) -> Option<T>,
    ) -> Option<T> {
        match self.get(key) {
            Some(node) => read(&node),
            None => {
                let message = format!("`{key}` is missing");
                self.node.error(code::MISSING_KEY, message, None);
                None
            }
        }
    }

    /// Reports every key that was not asked for. To be called last.
    pub(crate) fn finish(self) {
        for (name, value) in self.members {
            if self.asked.iter().any(|known| known == name) {
                continue;
            }
            let help = match suggest(name, self.asked.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", list_words(self.asked.iter().copied())),
            };
            self.node.child(name, value).error(
                code::UNKNOWN_KEY,
                format!("unknown key `{}`", shown(name)),
                Some(&help),
            );
        }
    }
}

/// `a, b, c`, each in backticks.
fn list_words<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}

/// User input as a message can carry it: cut to 80 characters, control characters escaped.
pub(crate) fn shown(text: &str) -> String {
    let mut out: String = text
        .chars()
        .take(80)
        .flat_map(|c| {
            let escaped = c.is_control().then(|| c.escape_default());
            let plain = (!c.is_control()).then_some(c);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect();
    if text.chars().nth(80).is_some() {
        out.push('…');
    }
    out
}
/// Of so many items those that equal an earlier one. Not generic: sorting is a lot of code for each type that is sorted.
fn repeated(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    // Stable: of equal items the first in the file comes first.
    order.sort_by(|a, b| compare(*a, *b));
    let pairs = order.iter().zip(order.iter().skip(1));
    pairs
        .filter(|(a, b)| compare(**a, **b).is_eq())
        .map(|(_, second)| *second)
        .collect()
}
