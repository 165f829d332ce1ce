//! Nodes as rules. Each keyword has its place in a rule, and the compiler sees that none is left out.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Alternative, Arrays, Condition, Contains, Guard, Known, Link, Numbers, Objects, Plan, Rule,
    Same, Texts, Values,
};
use crate::rule::validate::schema::arena::{Arena, Assert, Body, Id, Node, Rules, Step};
use crate::rule::validate::schema::format::Check;
use crate::rule::validate::schema::graph::{self, Graph};
use crate::rule::validate::schema::number::{Bound, Divisor};
use crate::rule::validate::schema::types::Types;

impl Plan {
    /// Lays out all that a schema reaches and that is not yet; the way to it.
    pub(in crate::rule::validate::schema) fn add(
        &mut self,
        arena: &Arena,
        graph: &Graph,
        root: Id,
    ) -> Link {
        self.follow_references(arena, graph);
        self.rules.resize_with(arena.nodes.len(), || None);
        for id in graph::reached(arena, root) {
            let builder = Builder {
                arena,
                graph,
                plan: self,
                id,
            };
            let rule = match arena.node(id) {
                Some(node) if matches!(self.rules.get(id), Some(None)) => builder.rule(node),
                _ => continue,
            };
            if let Some(place) = self.rules.get_mut(id) {
                *place = Some(rule);
            }
        }
        self.end(root)
    }

    /// Each node comes after what it refers to.
    fn follow_references(&mut self, arena: &Arena, graph: &Graph) {
        self.ends.resize(arena.nodes.len(), Link::default());
        for &id in graph.order.iter().skip(self.ended) {
            let end = match arena.node(id).and_then(Node::only_reference) {
                Some(to) => self.end(to).through(graph.gated.contains(&(id, to))),
                None => Link {
                    // There are no more of them than `arena::MOST`.
                    to: id as u32,
                    gated: false,
                },
            };
            if let Some(place) = self.ends.get_mut(id) {
                *place = end;
            }
        }
        self.ended = graph.order.len();
    }

    fn end(&self, id: Id) -> Link {
        self.ends.get(id).copied().unwrap_or_default()
    }
}

impl Link {
    fn through(self, gate: bool) -> Self {
        Self {
            gated: self.gated || gate,
            ..self
        }
    }
}

/// Lays out one node.
struct Builder<'b> {
    arena: &'b Arena,
    graph: &'b Graph,
    plan: &'b Plan,
    id: Id,
}

/// A rule whose parts are there before it is known which are needed.
#[derive(Default)]
struct Parts {
    types: Option<Types>,
    constant: Option<Value>,
    list: Option<Vec<Value>>,
    numbers: (bool, Numbers),
    texts: (bool, Texts),
    arrays: (bool, Arrays),
    objects: (bool, Objects),
    same: (bool, Same),
    contains: Option<Link>,
    contained: (Option<usize>, Option<usize>),
    when: Option<Link>,
    then: Option<Link>,
    otherwise: Option<Link>,
    known: BTreeMap<String, (Option<Link>, bool)>,
}

/// The part, which is needed from now on.
fn part<T>((needed, part): &mut (bool, T)) -> &mut T {
    *needed = true;
    part
}

fn boxed<T>((needed, part): (bool, T)) -> Option<Box<T>> {
    needed.then(|| Box::new(part))
}

impl Builder<'_> {
    fn rule(&self, node: &Node) -> Rule {
        let mut parts = Parts::default();
        match &node.body {
            Body::Always(true) => {}
            Body::Always(false) => parts.types = Some(Types::NONE),
            Body::Rules(rules) => {
                for assert in &rules.asserts {
                    keyword(assert, &mut parts);
                }
                for (step, child) in &rules.children {
                    self.child(step, *child, &mut parts);
                }
                guard(
                    self.guards(rules, |step| matches!(step, Step::AnyOf)),
                    &mut parts.same.1.any,
                );
                guard(
                    self.guards(rules, |step| matches!(step, Step::OneOf)),
                    &mut parts.same.1.one,
                );
            }
        }
        parts.into_rule()
    }

    fn child(&self, step: &Step, child: Id, parts: &mut Parts) {
        let gate = self.graph.gated.contains(&(self.id, child));
        let link = self.plan.end(child).through(gate);
        let alternative = |guard| Alternative { link, guard };
        match step {
            Step::Reference => part(&mut parts.same).references.push(link),
            Step::AllOf => part(&mut parts.same).all.push(link),
            Step::AnyOf => part(&mut parts.same).any.push(alternative(None)),
            Step::OneOf => part(&mut parts.same).one.push(alternative(None)),
            Step::Not => part(&mut parts.same).not = Some(link),
            Step::If => parts.when = Some(link),
            Step::Then => parts.then = Some(link),
            Step::Else => parts.otherwise = Some(link),
            Step::Dependent(name) => {
                part(&mut parts.same).dependent.push((name.clone(), link));
            }
            Step::Property(name) => {
                parts.known.entry(name.clone()).or_default().0 = Some(link);
            }
            Step::Pattern(pattern) => {
                part(&mut parts.objects)
                    .patterns
                    .push((pattern.clone(), link));
            }
            Step::AdditionalProperties => part(&mut parts.objects).additional = Some(link),
            Step::PropertyNames => part(&mut parts.objects).names = Some(link),
            Step::UnevaluatedProperties => part(&mut parts.objects).unevaluated = Some(link),
            Step::Prefix => part(&mut parts.arrays).prefix.push(link),
            Step::Items => part(&mut parts.arrays).items = Some(link),
            Step::Contains => parts.contains = Some(link),
            Step::UnevaluatedItems => part(&mut parts.arrays).unevaluated = Some(link),
        }
    }

    /// Guards for the alternatives of a union, where at least two have one.
    fn guards(&self, rules: &Rules, of: fn(&Step) -> bool) -> Vec<Option<Guard>> {
        let alternatives = rules.children.iter().filter(|(step, _)| of(step));
        let guards: Vec<_> = alternatives.map(|(_, id)| self.guard(*id)).collect();
        let some = guards.iter().flatten().count();
        if some < 2 { Vec::new() } else { guards }
    }

    fn guard(&self, id: Id) -> Option<Guard> {
        let rules = self.behind_references(id)?;
        let asked = rules.asserts.iter().find_map(|assert| match assert {
            Assert::Required(names) => Some(names.as_slice()),
            _ => None,
        });
        let asked = asked.unwrap_or_default();
        let tags = rules
            .children
            .iter()
            .filter_map(|(step, child)| match step {
                Step::Property(name) => Some((name.clone(), self.tag(*child)?)),
                _ => None,
            });
        let tags: Vec<(String, Vec<Value>)> = tags.collect();
        let is_tag = |name: &&String| tags.iter().any(|(tag, _)| tag == *name);
        let required: Vec<String> = match tags.is_empty() {
            true => asked.to_vec(),
            false => asked.iter().filter(is_tag).cloned().collect(),
        };
        (!tags.is_empty() || !required.is_empty()).then_some(Guard { required, tags })
    }

    /// The values that a member is held to.
    fn tag(&self, id: Id) -> Option<Vec<Value>> {
        let asserts = &self.behind_references(id)?.asserts;
        asserts.iter().find_map(|assert| match assert {
            Assert::Const(value) => Some(vec![value.clone()]),
            Assert::Enum(values) => Some(values.clone()),
            _ => None,
        })
    }

    /// The rules that a schema comes to which is nothing but a reference.
    fn behind_references(&self, id: Id) -> Option<&Rules> {
        self.arena.node(self.plan.end(id).to as usize)?.rules()
    }
}

/// Each alternative with its guard.
fn guard(guards: Vec<Option<Guard>>, alternatives: &mut [Alternative]) {
    for (alternative, guard) in alternatives.iter_mut().zip(guards) {
        alternative.guard = guard;
    }
}

/// A keyword in its place.
fn keyword(assert: &Assert, parts: &mut Parts) {
    let bound = |number: &serde_json::Number| Some(Bound::new(number.clone()));
    match assert {
        Assert::Types(types) => {
            parts.types = Some(*types);
            if types.want_integers() {
                part(&mut parts.numbers).narrow = true;
            }
        }
        Assert::Const(value) => parts.constant = Some(value.clone()),
        Assert::Enum(values) => parts.list = Some(values.clone()),
        Assert::Format(format) => match format.check {
            Check::Text(_) => part(&mut parts.texts).formats.push(format),
            Check::Number(_) => part(&mut parts.numbers).formats.push(format),
        },
        Assert::MultipleOf(divisor) => {
            part(&mut parts.numbers).multiple = Some(Divisor::new(*divisor));
        }
        Assert::Minimum(number) => part(&mut parts.numbers).minimum = bound(number),
        Assert::Maximum(number) => part(&mut parts.numbers).maximum = bound(number),
        Assert::ExclusiveMinimum(number) => part(&mut parts.numbers).above = bound(number),
        Assert::ExclusiveMaximum(number) => part(&mut parts.numbers).below = bound(number),
        Assert::MinLength(least) => part(&mut parts.texts).least = Some(*least),
        Assert::MaxLength(most) => part(&mut parts.texts).most = Some(*most),
        Assert::Pattern(pattern) => part(&mut parts.texts).pattern = Some(pattern.clone()),
        Assert::MinItems(least) => part(&mut parts.arrays).least = Some(*least),
        Assert::MaxItems(most) => part(&mut parts.arrays).most = Some(*most),
        Assert::UniqueItems => part(&mut parts.arrays).distinct = true,
        Assert::MinContains(least) => parts.contained.0 = Some(*least),
        Assert::MaxContains(most) => parts.contained.1 = Some(*most),
        Assert::MinProperties(least) => part(&mut parts.objects).least = Some(*least),
        Assert::MaxProperties(most) => part(&mut parts.objects).most = Some(*most),
        Assert::Required(names) => {
            for name in names {
                parts.known.entry(name.clone()).or_default().1 = true;
            }
        }
        Assert::DependentRequired(name, names) => {
            let beside = (name.clone(), names.clone());
            part(&mut parts.objects).beside.push(beside);
        }
    }
}

impl Parts {
    fn into_rule(mut self) -> Rule {
        // Neither bounds the other: a schema may have both.
        let values = |keyword, list, also| {
            Box::new(Values {
                keyword,
                list,
                also,
            })
        };
        let list = self.list.map(|list| values("enum", list, None));
        let values = match self.constant {
            Some(constant) => Some(values("const", vec![constant], list)),
            None => list,
        };
        if let Some(link) = self.contains {
            let (least, most) = self.contained;
            part(&mut self.arrays).contains = Some(Contains { link, least, most });
        }
        if let Some(when) = self.when {
            part(&mut self.same).condition = Some(Condition {
                when,
                then: self.then,
                otherwise: self.otherwise,
            });
        }
        if !self.known.is_empty() {
            let objects = part(&mut self.objects);
            objects.required = self
                .known
                .values()
                .filter(|(_, required)| *required)
                .count();
            let known = self.known.into_iter();
            objects.known = known
                .map(|(name, (link, required))| Known {
                    name,
                    link,
                    required,
                })
                .collect();
        }
        Rule {
            types: self.types.unwrap_or(Types::ALL),
            values,
            numbers: boxed(self.numbers),
            texts: boxed(self.texts),
            arrays: boxed(self.arrays),
            objects: boxed(self.objects),
            same: boxed(self.same),
        }
    }
}
