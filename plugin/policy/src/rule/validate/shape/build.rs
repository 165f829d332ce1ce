//! Schemas to shapes.
//!
//! `allOf` is what all have in common, `anyOf` and `oneOf` what any of them has; `$ref` is followed. What cannot be
//! followed is open: the schema's own compiler says what is wrong with it.

use std::ops::{BitOr, ControlFlow};
use std::rc::Rc;

use portcullis_config::Document;

use super::keywords::{spoken_of, type_of, typed};
use super::{Shape, Types};
use crate::rule::validate::schema_at::{At, Named};

/// Steps that a schema may take to compile; what is beyond is open.
const STEPS: usize = 10_000;
/// How often a reference is followed inside itself.
const ROUNDS: usize = 8;
/// How deep schemas stand in each other, references followed.
const DEPTH: usize = 64;

/// The shape that a schema asks for.
pub(crate) fn compile(schema: &Document, named: &Named) -> Rc<Shape> {
    let mut builder = Builder {
        named,
        steps: STEPS,
        open: Vec::new(),
        any: Rc::new(Shape::ANY.clone()),
    };
    builder.shape(At::root(schema), 0)
}

struct Builder<'d> {
    named: &'d Named,
    steps: usize,
    /// The references that are being followed.
    open: Vec<&'d Document>,
    any: Rc<Shape>,
}

impl<'d> Builder<'d> {
    fn shape(&mut self, at: At<'d>, depth: usize) -> Rc<Shape> {
        if self.step().is_break() || depth > DEPTH {
            return self.any.clone();
        }
        let Document::Object(keywords) = at.schema else {
            return match at.schema {
                Document::Bool(false) => Rc::new(nothing()),
                _ => self.any.clone(),
            };
        };
        let reference = at.get("$ref").map(|to| self.followed(to, depth));
        if let Some(target) = reference.as_ref().filter(|_| at.refers_alone()) {
            return target.clone();
        }
        let mut shape = Rc::new(self.own(at, keywords, depth));
        if let Some(target) = reference {
            shape = self.both(&shape, &target);
        }
        for sub in at.list("allOf") {
            let sub = self.shape(sub, depth + 1);
            shape = self.both(&shape, &sub);
        }
        for keyword in ["anyOf", "oneOf"] {
            let subs: Vec<Rc<Shape>> = at
                .list(keyword)
                .map(|sub| self.shape(sub, depth + 1))
                .collect();
            let either = subs
                .into_iter()
                .reduce(|either, sub| self.either(&either, &sub));
            if let Some(either) = either {
                shape = self.both(&shape, &either);
            }
        }
        if at.get("if").is_some() {
            let [then, otherwise] = ["then", "else"].map(|keyword| match at.get(keyword) {
                Some(sub) => self.shape(sub, depth + 1),
                None => self.any.clone(),
            });
            let either = self.either(&then, &otherwise);
            shape = self.both(&shape, &either);
        }
        for (_, sub) in at.members("dependentSchemas") {
            let sub = self.shape(sub, depth + 1);
            let maybe = self.either(&self.any.clone(), &sub);
            shape = self.both(&shape, &maybe);
        }
        shape
    }

    /// What the schema's own keywords say.
    fn own(&mut self, at: At<'d>, keywords: &'d [(String, Document)], depth: usize) -> Shape {
        let mut shape = Shape::ANY.clone();
        for (keyword, value) in keywords {
            match keyword.as_str() {
                "type" => shape.allowed = shape.allowed & typed(value),
                "const" => shape.allowed = shape.allowed & type_of(value),
                "enum" => {
                    let types = at.list("enum").map(|value| type_of(value.schema));
                    shape.allowed = shape.allowed & types.fold(Types::NONE, Types::bitor);
                }
                "not" | "if" => {
                    let sub = self.shape(at.inside(value), depth + 1);
                    shape.hints = shape.hints | sub.hints | sub.said();
                }
                _ => shape.hints = shape.hints | spoken_of(keyword, value),
            }
        }
        // Before draft 2020-12 `items` was a list too.
        for keyword in ["prefixItems", "items"] {
            for item in at.list(keyword) {
                let item = self.shape(item, depth + 1);
                shape.prefix.push(item);
            }
        }
        let items = ["items", "additionalItems", "unevaluatedItems"];
        let items = items
            .into_iter()
            .filter_map(|keyword| at.get(keyword))
            .find(|items| !matches!(items.schema, Document::Array(_)));
        shape.items = items.map(|items| self.shape(items, depth + 1));
        for (name, member) in at.members("properties") {
            let member = self.shape(member, depth + 1);
            let at = shape.members.partition_point(|(other, _)| **other <= *name);
            shape.members.insert(at, (name.into(), member));
        }
        let rest = ["additionalProperties", "unevaluatedProperties"];
        let rest = rest.into_iter().find_map(|keyword| at.get(keyword));
        shape.rest = rest.map(|rest| self.shape(rest, depth + 1));
        for (_, member) in at.members("patternProperties") {
            let member = self.shape(member, depth + 1);
            shape.rest = Some(match &shape.rest {
                None => self.loosened(&member),
                Some(rest) => self.either(&rest.clone(), &member),
            });
        }
        shape
    }

    fn followed(&mut self, reference: At<'d>, depth: usize) -> Rc<Shape> {
        let Some(target) = reference.target(self.named) else {
            return self.any.clone();
        };
        let open = self.open.iter();
        let rounds = open.filter(|one| std::ptr::eq(**one, target.schema));
        if rounds.count() >= ROUNDS {
            return self.any.clone();
        }
        self.open.push(target.schema);
        let shape = self.shape(target, depth + 1);
        self.open.pop();
        shape
    }

    /// What two schemas have in common.
    fn both(&mut self, a: &Rc<Shape>, b: &Rc<Shape>) -> Rc<Shape> {
        if Rc::ptr_eq(a, &self.any) {
            return b.clone();
        }
        if Rc::ptr_eq(b, &self.any) || self.step().is_break() {
            return a.clone();
        }
        let mut shape = self.merged(a, b, Self::both_said);
        shape.allowed = a.allowed & b.allowed;
        shape.hints = a.hints | b.hints;
        Rc::new(shape)
    }

    /// What either of two schemas has.
    fn either(&mut self, a: &Rc<Shape>, b: &Rc<Shape>) -> Rc<Shape> {
        // A schema that lets nothing in says nothing.
        if a.allowed == Types::NONE {
            return b.clone();
        }
        if b.allowed == Types::NONE {
            return a.clone();
        }
        if self.step().is_break() {
            return self.any.clone();
        }
        let mut shape = self.merged(a, b, Self::either_said);
        shape.allowed = a.allowed | b.allowed;
        shape.hints = a.hints | b.hints | a.said() | b.said();
        Rc::new(shape)
    }

    /// Elements and members of two shapes, paired by `pair`: it is told whether the shape that says nothing of one
    /// could hold it at all.
    fn merged(&mut self, a: &Shape, b: &Shape, pair: Pairing<'d>) -> Shape {
        let lists = a.allowed.has(Types::ARRAY) && b.allowed.has(Types::ARRAY);
        let objects = a.allowed.has(Types::OBJECT) && b.allowed.has(Types::OBJECT);
        let mut shape = Shape::ANY.clone();
        for index in 0..a.prefix.len().max(b.prefix.len()) {
            let item = pair(self, a.item_said(index), b.item_said(index), lists);
            shape.prefix.push(item.unwrap_or_else(|| self.any.clone()));
        }
        shape.items = pair(self, a.items.as_ref(), b.items.as_ref(), lists);
        let mut names: Vec<&str> = a.names().chain(b.names()).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let member = pair(self, a.member_said(name), b.member_said(name), objects);
            let member = member.unwrap_or_else(|| self.any.clone());
            shape.members.push((name.into(), member));
        }
        shape.rest = pair(self, a.rest.as_ref(), b.rest.as_ref(), objects);
        shape
    }

    fn both_said(&mut self, a: Said<'_>, b: Said<'_>, _: bool) -> Option<Rc<Shape>> {
        match (a, b) {
            (Some(a), Some(b)) => Some(self.both(a, b)),
            (one, other) => one.or(other).cloned(),
        }
    }

    fn either_said(&mut self, a: Said<'_>, b: Said<'_>, holds: bool) -> Option<Rc<Shape>> {
        match (a, b) {
            (Some(a), Some(b)) => Some(self.either(a, b)),
            (Some(one), None) | (None, Some(one)) if holds => Some(self.loosened(one)),
            (one, other) => one.or(other).cloned(),
        }
    }

    /// What may be of this shape, or anything.
    fn loosened(&mut self, shape: &Rc<Shape>) -> Rc<Shape> {
        self.either(&self.any.clone(), shape)
    }

    fn step(&mut self) -> ControlFlow<()> {
        match self.steps.checked_sub(1) {
            None => ControlFlow::Break(()),
            Some(left) => {
                self.steps = left;
                ControlFlow::Continue(())
            }
        }
    }
}

/// What a shape says of an element or a member, if anything.
type Said<'s> = Option<&'s Rc<Shape>>;
type Pairing<'d> = fn(&mut Builder<'d>, Said<'_>, Said<'_>, bool) -> Option<Rc<Shape>>;

fn nothing() -> Shape {
    Shape {
        allowed: Types::NONE,
        ..Shape::ANY.clone()
    }
}
