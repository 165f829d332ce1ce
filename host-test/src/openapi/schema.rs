//! A schema of the document as a schema of the policy: JSON Schema draft 2020-12 with references to named schemas.
//!
//! A keyword that cannot be kept makes the schema wider, which is told. Around it that can turn over: `not` of a wider
//! schema refuses what it should pass, and two wider branches of `oneOf` may match where one did. So what stands around
//! is widened too, down to where wider means wider.

mod dialect;
mod properties;
mod read_only;
mod wider;

use std::collections::BTreeSet;
use std::rc::Rc;

use portcullis_config::Document as Tree;

use crate::document::MAX_INTEGER;

use super::graph::Reference;
use super::importer::{Importer, text};
use super::keyword::{self, Role, Wants};
use super::node::Node;
use super::pattern;

/// A policy is read to 100 levels; this leaves room for the route around a schema and for what is put around a part.
const MAX_DEPTH: usize = 84;

/// Where a schema stands.
#[derive(Clone, Debug)]
struct Inside<'d> {
    /// The schema with an `$id`, in which references begin.
    base: Option<Node<'d>>,
    /// The levels of the policy above it.
    depth: usize,
    /// Properties that the schemas which this is a part of call read-only.
    read_only: Rc<BTreeSet<String>>,
    /// Where the schema stands that this is in.
    root: Rc<str>,
    /// Whether the two judge one value.
    of_same_value: bool,
}

impl Inside<'_> {
    /// For a schema of the same value: `allOf` and its like.
    fn part(&self) -> Self {
        Self {
            depth: self.depth + 2,
            ..self.clone()
        }
    }

    /// For a schema of a value inside: a property, an item.
    fn within(&self) -> Self {
        Self {
            read_only: Rc::default(),
            of_same_value: false,
            ..self.part()
        }
    }
}

/// The keywords of one schema while they are gathered.
#[derive(Debug, Default)]
struct Keywords {
    list: Vec<(String, Tree)>,
    /// Those of them in which something is wider than the document says.
    wider: Vec<String>,
}

impl Keywords {
    fn push(&mut self, name: &str, value: Tree) {
        self.list.push((name.to_owned(), value));
    }

    fn has(&self, name: &str) -> bool {
        self.list.iter().any(|(key, _)| key == name)
    }

    fn take(&mut self, name: &str) -> Option<Tree> {
        let at = self.list.iter().position(|(key, _)| key == name)?;
        Some(self.list.remove(at).1)
    }

    fn into_tree(mut self) -> Tree {
        self.list.sort_by_key(|(name, _)| keyword::place(name));
        Tree::Object(self.list)
    }
}

impl<'d> Importer<'d> {
    /// The policy's schema for one of the document.
    pub(super) fn schema(&mut self, node: &Node<'d>) -> Tree {
        let inside = Inside {
            base: self.base_of(node),
            depth: 0,
            read_only: Rc::default(),
            root: node.pointer.as_str().into(),
            of_same_value: true,
        };
        self.subschema(node, inside)
    }

    fn subschema(&mut self, node: &Node<'d>, inside: Inside<'d>) -> Tree {
        self.count(&Tree::Null);
        if self.is_full() {
            return Tree::Bool(true);
        }
        if inside.depth > MAX_DEPTH {
            self.widen(&node.pointer, "this is nested too deeply", None);
            return Tree::Bool(true);
        }
        match node.value {
            Tree::Bool(flag) => Tree::Bool(*flag),
            Tree::Object(_) => self.object(node, inside),
            _ => {
                let message = format!(
                    "a schema is an object or a boolean, this is {}",
                    node.value.kind()
                );
                self.widen(&node.pointer, message, None);
                Tree::Bool(true)
            }
        }
    }

    fn object(&mut self, node: &Node<'d>, mut inside: Inside<'d>) -> Tree {
        let before = self.widened;
        if node.text_of("$id").is_some() {
            inside.base = Some(node.clone());
        }
        let own = self.read_only_names(node, inside.base.as_ref());
        if !own.is_subset(&inside.read_only) {
            inside.read_only = Rc::new(own.union(&inside.read_only).cloned().collect());
        }
        let is_v30_reference = self.is_v30() && node.text_of("$ref").is_some();
        let mut keywords = Keywords::default();
        for (name, value) in node.children() {
            if is_v30_reference && name != "$ref" {
                if keyword::role(name) != Some(Role::Annotation) {
                    let message =
                        format!("OpenAPI 3.0 ignores what stands beside a `$ref`: `{name}`");
                    self.gap(&value.pointer, message, Some("put both into an `allOf`"));
                }
                continue;
            }
            self.keyword(name, &value, node, &inside, &mut keywords);
        }
        for (exclusive, bound) in [
            ("exclusiveMinimum", "minimum"),
            ("exclusiveMaximum", "maximum"),
        ] {
            if node.flag(exclusive) {
                keywords.take(bound);
            }
        }
        if self.widened != before {
            self.settle(node, &mut keywords);
        }
        self.nullable(node, keywords).into_tree()
    }

    fn keyword(
        &mut self,
        name: &str,
        value: &Node<'d>,
        schema: &Node<'d>,
        inside: &Inside<'d>,
        keywords: &mut Keywords,
    ) {
        match keyword::role(name) {
            None => {
                let message = format!("`{name}` is no keyword of OpenAPI or JSON Schema");
                self.widen(&value.pointer, message, None);
            }
            Some(Role::Annotation) => {}
            Some(Role::Unread(why)) => {
                self.widen(&value.pointer, format!("`{name}` is not read: {why}"), None);
            }
            Some(Role::Assertion(wants)) => {
                if let Some(kept) = self.assertion(name, wants, value, schema, inside) {
                    self.count(&kept);
                    keywords.push(name, kept);
                }
            }
            Some(Role::Schema) => self.one(name, value, inside, keywords),
            Some(Role::Schemas) => self.several(name, value, inside, keywords),
            Some(Role::Members) => {
                let members = value.children().collect();
                let members = self.members(members, inside);
                self.keep_object(name, value, members, keywords);
            }
            Some(Role::Special) => self.special(name, value, schema, inside, keywords),
        }
    }

    fn special(
        &mut self,
        name: &str,
        value: &Node<'d>,
        schema: &Node<'d>,
        inside: &Inside<'d>,
        keywords: &mut Keywords,
    ) {
        match name {
            "$ref" => {
                if value.text().is_none() {
                    self.not_what_it_should_be(name, value);
                } else if let Some(target) = self.referred(schema, inside.base.as_ref()) {
                    let reference = Reference {
                        from: (*inside.root).to_owned(),
                        at: schema.pointer.clone(),
                        to: target.pointer.clone(),
                        of_same_value: inside.of_same_value,
                    };
                    let reference = self.refer(reference, target);
                    if let Some(reference) = reference {
                        keywords.push("$ref", text(reference));
                    }
                }
            }
            "pattern" => match value.text().map(pattern::judge) {
                Some(Ok(())) => keywords.push(name, value.value.clone()),
                Some(Err(why)) => {
                    self.left_out_pattern(value, value.text().unwrap_or_default(), &why)
                }
                None => self.not_what_it_should_be(name, value),
            },
            "exclusiveMinimum" => self.exclusive(name, "minimum", value, schema, inside, keywords),
            "exclusiveMaximum" => self.exclusive(name, "maximum", value, schema, inside, keywords),
            "required" => self.required(value, inside, keywords),
            "properties" => self.properties(value, inside, keywords),
            "patternProperties" => self.pattern_properties(value, inside, keywords),
            "discriminator" => self.discriminator(value, schema),
            "$schema" => self.dialect(value),
            _ => {}
        }
    }

    /// An assertion's value, if it is what it should be and a policy can hold it.
    fn assertion(
        &mut self,
        name: &str,
        wants: Wants,
        value: &Node<'d>,
        schema: &Node<'d>,
        inside: &Inside<'d>,
    ) -> Option<Tree> {
        let Some(kept) = keyword::value(wants, value.value) else {
            self.not_what_it_should_be(name, value);
            return None;
        };
        if is_exact(&kept) && inside.depth + depth_of(&kept) <= MAX_DEPTH {
            return Some(kept);
        }
        let is_bound = matches!(
            name,
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum"
        );
        if !is_bound {
            let message = format!(
                "`{name}` holds what a policy cannot: numbers past 2^53, or too many levels"
            );
            self.widen(&value.pointer, message, None);
            return None;
        }
        // What the format says is exact, and so is not said again.
        let is_format = schema.text_of("format") == Some("int64")
            && matches!(kept, Tree::Number(bound) if bound.abs() >= INT64);
        if is_format {
            return None;
        }
        let message = format!("`{name}` is rounded: integers are exact up to 2^53");
        self.note(&value.pointer, message, None);
        Some(kept)
    }

    /// A keyword that holds one schema.
    fn one(&mut self, name: &str, value: &Node<'d>, inside: &Inside<'d>, keywords: &mut Keywords) {
        let before = self.widened;
        let is_part = matches!(name, "not" | "if" | "then" | "else");
        let below = if is_part {
            inside.part()
        } else {
            inside.within()
        };
        let kept = self.subschema(value, below);
        self.keep(name, kept, before, keywords);
    }

    /// A keyword that holds a list of schemas.
    fn several(
        &mut self,
        name: &str,
        value: &Node<'d>,
        inside: &Inside<'d>,
        keywords: &mut Keywords,
    ) {
        let before = self.widened;
        let below = if name == "prefixItems" {
            inside.within()
        } else {
            inside.part()
        };
        let items: Vec<Node<'d>> = value.items().collect();
        if items.is_empty() {
            self.not_what_it_should_be(name, value);
            return;
        }
        let schemas = items.iter().map(|item| self.subschema(item, below.clone()));
        let schemas = Tree::Array(schemas.collect());
        self.keep(name, schemas, before, keywords);
    }

    /// Adds a keyword that was read when so much had been widened.
    fn keep(&mut self, name: &str, kept: Tree, before: usize, keywords: &mut Keywords) {
        if self.widened != before {
            keywords.wider.push(name.to_owned());
        }
        keywords.push(name, kept);
    }

    fn members(
        &mut self,
        members: Vec<(&'d str, Node<'d>)>,
        inside: &Inside<'d>,
    ) -> Vec<(String, Tree)> {
        let mut kept = Vec::with_capacity(members.len());
        for (name, member) in members {
            kept.push((name.to_owned(), self.subschema(&member, inside.part())));
        }
        kept
    }

    fn keep_object(
        &mut self,
        name: &str,
        value: &Node<'d>,
        members: Vec<(String, Tree)>,
        keywords: &mut Keywords,
    ) {
        if value.is_object() {
            keywords.push(name, Tree::Object(members));
        } else {
            self.not_what_it_should_be(name, value);
        }
    }

    fn not_what_it_should_be(&mut self, name: &str, value: &Node<'d>) {
        let message = format!("`{name}` cannot have this value");
        self.widen(&value.pointer, message, None);
    }

    fn left_out_pattern(&mut self, value: &Node<'d>, pattern: &str, why: &str) {
        let message = format!("the pattern `{pattern}` is left out: {why}");
        self.widen(
            &value.pointer,
            message,
            Some("write it in another way, or judge it in the service"),
        );
    }
}

/// The bounds of a 64-bit integer, as near as a number of JSON comes to them.
const INT64: f64 = 9_223_372_036_854_775_808.0;

/// Whether all numbers are the ones that the document has: the integers past 2^53 may not be.
fn is_exact(tree: &Tree) -> bool {
    match tree {
        Tree::Number(number) => number.abs() <= MAX_INTEGER as f64,
        Tree::Array(items) => items.iter().all(is_exact),
        Tree::Object(members) => members.iter().all(|(_, value)| is_exact(value)),
        _ => true,
    }
}

fn depth_of(tree: &Tree) -> usize {
    match tree {
        Tree::Array(items) => 1 + items.iter().map(depth_of).max().unwrap_or_default(),
        Tree::Object(members) => {
            let values = members.iter().map(|(_, value)| depth_of(value));
            1 + values.max().unwrap_or_default()
        }
        _ => 1,
    }
}
