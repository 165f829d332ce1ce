//! The engine's tree of errors as a list of what is wrong: its leaves, in the order of the input.
//!
//! The engine tells what it wanted and what it got; what it got is left out.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use boon::{ErrorKind, InstanceToken, Type, Types, ValidationError};
use serde_json::Value;

use super::super::violation::Token;
use super::message::{self, Said};

/// More leaves than this are not sorted; they come nearly in order.
const LEAVES: usize = 64;

/// One thing that is wrong.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    /// The way to it from the value that was judged.
    pub(super) path: Vec<Token>,
    pub(super) said: Said,
}

impl Leaf {
    /// Of the value itself.
    pub(super) fn of_all(said: Said) -> Self {
        Self {
            path: Vec::new(),
            said,
        }
    }
}

/// What is wrong with a value that was refused: at least one thing.
pub(super) fn leaves(
    error: &ValidationError<'_, '_>,
    value: &Value,
    written: &BTreeMap<String, String>,
) -> Vec<Leaf> {
    let mut explanation = Explanation {
        value,
        written,
        leaves: Vec::new(),
    };
    explanation.leaves_of(error, &[]);
    let mut leaves: Vec<Leaf> = Vec::with_capacity(explanation.leaves.len());
    for leaf in explanation.leaves {
        let place = leaves.partition_point(|known| by_path(&known.path, &leaf.path).is_le());
        if !leaves.contains(&leaf) {
            leaves.insert(place, leaf);
        }
    }
    if leaves.is_empty() {
        leaves.push(Leaf::of_all(message::of(&error.kind)));
    }
    leaves
}

struct Explanation<'e> {
    value: &'e Value,
    written: &'e BTreeMap<String, String>,
    leaves: Vec<Leaf>,
}

impl Explanation<'_> {
    /// `near` is the way to the last value that is known to be on the way.
    fn leaves_of(&mut self, error: &ValidationError<'_, '_>, near: &[InstanceToken<'_>]) {
        if self.leaves.len() >= LEAVES {
            return;
        }
        let here = error.instance_location.tokens.as_slice();
        match &error.kind {
            ErrorKind::Group
            | ErrorKind::Schema { .. }
            | ErrorKind::Reference { .. }
            | ErrorKind::AllOf => {
                let near = if here.len() < near.len() { near } else { here };
                for cause in &error.causes {
                    self.leaves_of(cause, near);
                }
            }
            ErrorKind::AnyOf | ErrorKind::OneOf(None) => self.union(error),
            ErrorKind::PropertyName { prop } => self.name(error, prop, near),
            ErrorKind::Required { want } => {
                for name in want {
                    self.leaf(here, Some(name), message::missing());
                }
            }
            ErrorKind::AdditionalProperties { got } => {
                for name in got {
                    self.leaf(here, Some(name), message::extra("additionalProperties"));
                }
            }
            ErrorKind::Dependency { prop, missing }
            | ErrorKind::DependentRequired { prop, missing } => {
                for name in missing {
                    self.leaf(here, Some(name), message::dependent(prop));
                }
            }
            ErrorKind::FalseSchema => {
                let said = message::refused(last_keyword(error.schema_url));
                self.leaf(here, None, said);
            }
            ErrorKind::Pattern { want, .. } => {
                let written = self.written.get(*want).map_or(*want, String::as_str);
                self.leaf(here, None, message::pattern(written));
            }
            kind => self.leaf(here, None, message::of(kind)),
        }
    }

    fn leaf(&mut self, here: &[InstanceToken<'_>], member: Option<&str>, said: Said) {
        if self.leaves.len() >= LEAVES {
            return;
        }
        let name = member.map(|name| Token::Name(name.to_owned()));
        let path = here.iter().map(token).chain(name).collect();
        self.leaves.push(Leaf { path, said });
    }

    /// A union of which no alternative holds: the one that was meant tells why, if it can be known.
    fn union(&mut self, error: &ValidationError<'_, '_>) {
        let depth = error.instance_location.tokens.len();
        let meant: Vec<_> = error
            .causes
            .iter()
            .filter(|cause| !is_mismatch(cause, depth))
            .collect();
        if let [meant] = meant.as_slice() {
            self.leaves_of(meant, &error.instance_location.tokens);
            return;
        }
        let keyword = match error.kind {
            ErrorKind::AnyOf => "anyOf",
            _ => "oneOf",
        };
        let types = meant.is_empty().then(|| types(error)).flatten();
        let said = message::no_alternative(keyword, error.causes.len(), types);
        self.leaf(&error.instance_location.tokens, None, said);
    }

    /// A member's name that is wrong. The engine does not say in which object it stands.
    fn name(&mut self, error: &ValidationError<'_, '_>, name: &str, near: &[InstanceToken<'_>]) {
        let mut inner = Explanation {
            value: self.value,
            written: self.written,
            leaves: Vec::new(),
        };
        for cause in &error.causes {
            inner.leaves_of(cause, &[]);
        }
        let said = message::name(inner.leaves.into_iter().next().map(|leaf| leaf.said));
        let mut path: Vec<Token> = near.iter().map(token).collect();
        if let Some(value) = descend(self.value, &path) {
            find_member(value, name, &mut path);
        }
        path.push(Token::Name(name.to_owned()));
        self.leaves.push(Leaf { path, said });
    }
}

fn token(token: &InstanceToken<'_>) -> Token {
    match token {
        InstanceToken::Prop(name) => Token::Name(name.clone().into_owned()),
        InstanceToken::Item(index) => Token::Index(*index),
    }
}

/// Whether an alternative failed at once: by the value's type, or by its guard.
fn is_mismatch(error: &ValidationError<'_, '_>, depth: usize) -> bool {
    if let (1, Some(cause)) = (error.causes.len(), error.causes.first()) {
        return is_mismatch(cause, depth);
    }
    match error.kind {
        ErrorKind::Type { .. } => error.instance_location.tokens.len() == depth,
        ErrorKind::FalseSchema => {
            error.instance_location.tokens.len() == depth
                && last_keyword(error.schema_url) == Some("else")
        }
        ErrorKind::AnyOf | ErrorKind::OneOf(None) => {
            error.causes.iter().all(|cause| is_mismatch(cause, depth))
        }
        _ => false,
    }
}

/// The types that alternatives wanted which all failed by that.
fn types(error: &ValidationError<'_, '_>) -> Option<Types> {
    match &error.kind {
        ErrorKind::Type { want, .. } => Some(*want),
        _ if error.causes.is_empty() => None,
        _ => {
            let mut all: Vec<Type> = Vec::new();
            for cause in &error.causes {
                all.extend(types(cause)?.iter());
            }
            Some(all.into_iter().collect())
        }
    }
}

/// The keyword whose schema this is the address of.
fn last_keyword(url: &str) -> Option<&str> {
    let (_, fragment) = url.split_once('#')?;
    let mut tokens = fragment.split('/').skip(1);
    let mut last = None;
    while let Some(keyword) = tokens.next() {
        last = Some(keyword);
        if matches!(
            keyword,
            "properties"
                | "patternProperties"
                | "dependentSchemas"
                | "allOf"
                | "anyOf"
                | "oneOf"
                | "prefixItems"
        ) {
            tokens.next();
        }
    }
    last
}

fn descend<'v>(value: &'v Value, path: &[Token]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, token| match token {
        Token::Name(name) => value.get(name),
        Token::Index(index) => value.get(index),
    })
}

/// Extends the path to the first object that has such a member.
fn find_member(value: &Value, name: &str, path: &mut Vec<Token>) -> bool {
    match value {
        Value::Object(members) => {
            members.contains_key(name)
                || members
                    .iter()
                    .any(|(key, value)| find_below(value, name, path, || Token::Name(key.clone())))
        }
        Value::Array(list) => list
            .iter()
            .enumerate()
            .any(|(index, value)| find_below(value, name, path, || Token::Index(index))),
        _ => false,
    }
}

fn find_below(
    value: &Value,
    name: &str,
    path: &mut Vec<Token>,
    token: impl FnOnce() -> Token,
) -> bool {
    if !matches!(value, Value::Object(_) | Value::Array(_)) {
        return false;
    }
    path.push(token());
    let found = find_member(value, name, path);
    if !found {
        path.pop();
    }
    found
}

/// Values before what they hold, members by name, items by number.
fn by_path(a: &[Token], b: &[Token]) -> Ordering {
    let pairs = a.iter().zip(b);
    let differing = pairs
        .map(|pair| match pair {
            (Token::Name(a), Token::Name(b)) => a.cmp(b),
            (Token::Index(a), Token::Index(b)) => a.cmp(b),
            (Token::Name(_), Token::Index(_)) => Ordering::Less,
            (Token::Index(_), Token::Name(_)) => Ordering::Greater,
        })
        .find(|order| order.is_ne());
    differing.unwrap_or_else(|| a.len().cmp(&b.len()))
}
