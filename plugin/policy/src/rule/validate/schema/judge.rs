//! Whether a value is right: yes or no, at the first thing that is wrong.
//!
//! Nearly all values are right, so this pass keeps no account of what it does: nothing is allocated but where a keyword
//! compares what it has seen (`uniqueItems`, `unevaluatedProperties`), and nothing is said. What is wrong is looked for
//! in a second pass (`report`), which asks this one about schemas that only decide what applies.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use super::budget::Budget;
use super::distinct;
use super::format::{Check, Format};
use super::number::{self, Bound};
use super::plan::{
    Alternative, Arrays, Condition, Link, Numbers, Objects, Plan, Rule, Same, Texts,
};

/// Judges one value.
#[derive(Debug)]
pub(super) struct Judge<'j> {
    pub(super) plan: &'j Plan,
    pub(super) budget: Budget<'j>,
}

impl<'j> Judge<'j> {
    pub(super) fn new(plan: &'j Plan, value: &'j Value) -> Self {
        Self {
            plan,
            budget: Budget::new(value),
        }
    }

    /// Whether a value is as a schema asks.
    pub(super) fn holds(&mut self, link: Link, value: &Value) -> bool {
        if link.gated && !self.budget.take() {
            return false;
        }
        match self.plan.rule(link) {
            Some(rule) => self.obeys(rule, value),
            None => false,
        }
    }

    /// The same where there may be no schema.
    fn may(&mut self, link: Option<Link>, value: &Value) -> bool {
        link.is_none_or(|link| self.holds(link, value))
    }

    fn obeys(&mut self, rule: &'j Rule, value: &Value) -> bool {
        if !rule.types.take(value) || rule.values.as_ref().is_some_and(|list| !list.hold(value)) {
            return false;
        }
        let is_right = match value {
            Value::Null | Value::Bool(_) => true,
            Value::Number(number) => rule.numbers.as_ref().is_none_or(|all| all.hold(number)),
            Value::String(text) => rule.texts.as_ref().is_none_or(|all| all.hold(text)),
            Value::Array(list) => match &rule.arrays {
                Some(arrays) => self.array(arrays, list),
                None => true,
            },
            Value::Object(members) => match &rule.objects {
                Some(objects) => self.object(objects, members),
                None => true,
            },
        };
        is_right
            && match &rule.same {
                Some(same) => self.same(same, value),
                None => true,
            }
            && self.rest(rule, value)
    }

    fn array(&mut self, arrays: &'j Arrays, list: &[Value]) -> bool {
        if is_outside(list.len(), arrays.least, arrays.most) {
            return false;
        }
        for (link, item) in arrays.prefix.iter().zip(list) {
            if !self.holds(*link, item) {
                return false;
            }
        }
        if let Some(link) = arrays.items {
            for item in list.iter().skip(arrays.prefix.len()) {
                if !self.holds(link, item) {
                    return false;
                }
            }
        }
        if let Some(contains) = &arrays.contains {
            let found = self.count(contains.link, list);
            if is_outside(found, Some(contains.least.unwrap_or(1)), contains.most) {
                return false;
            }
        }
        !arrays.distinct || distinct::are_distinct(list)
    }

    /// Of how many items a schema holds.
    pub(super) fn count(&mut self, link: Link, list: &[Value]) -> usize {
        list.iter().filter(|item| self.holds(link, item)).count()
    }

    fn object(&mut self, objects: &'j Objects, members: &Map<String, Value>) -> bool {
        if is_outside(members.len(), objects.least, objects.most)
            || members.len() < objects.required
        {
            return false;
        }
        let (mut near, mut required) = (0, 0);
        for (name, value) in members {
            let mut known = false;
            if let Some(found) = objects.find(name, &mut near) {
                required += usize::from(found.required);
                if let Some(link) = found.link {
                    known = true;
                    if !self.holds(link, value) {
                        return false;
                    }
                }
            }
            for (pattern, link) in &objects.patterns {
                if pattern.matches(name) {
                    known = true;
                    if !self.holds(*link, value) {
                        return false;
                    }
                }
            }
            if !known && !self.may(objects.additional, value) {
                return false;
            }
        }
        required == objects.required && self.names(objects, members)
    }

    /// What is asked of the names alone, which is rare.
    fn names(&mut self, objects: &'j Objects, members: &Map<String, Value>) -> bool {
        if let Some(link) = objects.names {
            for name in members.keys() {
                if !self.holds(link, &Value::String(name.clone())) {
                    return false;
                }
            }
        }
        objects.beside.iter().all(|(name, names)| {
            !members.contains_key(name) || names.iter().all(|name| members.contains_key(name))
        })
    }

    fn same(&mut self, same: &'j Same, value: &Value) -> bool {
        for link in same.references.iter().chain(&same.all) {
            if !self.holds(*link, value) {
                return false;
            }
        }
        (same.any.is_empty() || self.first(&same.any, value).is_some())
            && (same.one.is_empty() || self.only_one(&same.one, value))
            && same.not.is_none_or(|link| !self.holds(link, value))
            && self.conditions(same, value)
    }

    /// The place of the first alternative that holds.
    fn first(&mut self, alternatives: &'j [Alternative], value: &Value) -> Option<usize> {
        alternatives
            .iter()
            .position(|one| one.lets(value) && self.holds(one.link, value))
    }

    fn only_one(&mut self, alternatives: &'j [Alternative], value: &Value) -> bool {
        let first = self.first(alternatives, value);
        let others = first.and_then(|first| alternatives.get(first + 1..));
        others.is_some_and(|others| self.first(others, value).is_none())
    }

    fn conditions(&mut self, same: &'j Same, value: &Value) -> bool {
        if let Some(condition) = &same.condition {
            let then = self.outcome(condition, value);
            if !self.may(then, value) {
                return false;
            }
        }
        for (name, link) in &same.dependent {
            if value.get(name).is_some() && !self.holds(*link, value) {
                return false;
            }
        }
        true
    }

    /// What applies to a value, by whether `if` holds.
    pub(super) fn outcome(&mut self, condition: &Condition, value: &Value) -> Option<Link> {
        match self.holds(condition.when, value) {
            true => condition.then,
            false => condition.otherwise,
        }
    }

    /// `unevaluatedProperties` and `unevaluatedItems` (JSON Schema Core, section 11).
    fn rest(&mut self, rule: &'j Rule, value: &Value) -> bool {
        match value {
            Value::Object(members) => {
                let Some(link) = rule.objects.as_ref().and_then(|all| all.unevaluated) else {
                    return true;
                };
                let seen = self.evaluated(rule, value, members.len());
                let mut rest = members.values().zip(seen).filter(|(_, seen)| !seen);
                rest.all(|(value, _)| self.holds(link, value))
            }
            Value::Array(list) => {
                let Some(link) = rule.arrays.as_ref().and_then(|all| all.unevaluated) else {
                    return true;
                };
                let seen = self.evaluated(rule, value, list.len());
                let mut rest = list.iter().zip(seen).filter(|(_, seen)| !seen);
                rest.all(|(value, _)| self.holds(link, value))
            }
            _ => true,
        }
    }
}

impl Numbers {
    fn hold(&self, number: &Number) -> bool {
        let is = |bound: &Option<Bound>, right: fn(Ordering) -> bool| {
            bound.as_ref().is_none_or(|bound| right(bound.side(number)))
        };
        is(&self.minimum, Ordering::is_ge)
            && is(&self.maximum, Ordering::is_le)
            && is(&self.above, Ordering::is_gt)
            && is(&self.below, Ordering::is_lt)
            && !(self.narrow && number::is_too_wide(number))
            && self.multiple.as_ref().is_none_or(|all| all.divides(number))
            && self
                .formats
                .iter()
                .all(|format| format.takes_number(number))
    }
}

impl Texts {
    fn hold(&self, text: &str) -> bool {
        self.least.is_none_or(|least| is_as_long(text, least))
            && self.most.is_none_or(|most| is_as_short(text, most))
            && self.pattern.as_ref().is_none_or(|one| one.matches(text))
            && self.formats.iter().all(|format| format.takes_text(text))
    }
}

impl Format {
    pub(super) fn takes_text(&self, text: &str) -> bool {
        match self.check {
            Check::Text(check) => check(text),
            Check::Number(_) => true,
        }
    }

    pub(super) fn takes_number(&self, number: &Number) -> bool {
        match self.check {
            Check::Number(check) => check(number),
            Check::Text(_) => true,
        }
    }
}

/// Whether a text has so many characters. They are counted only where its bytes do not tell: each takes four at most.
pub(super) fn is_as_long(text: &str, least: usize) -> bool {
    text.len() >= least && (text.len() >= least.saturating_mul(4) || text.chars().count() >= least)
}

/// Whether a text has no more characters.
pub(super) fn is_as_short(text: &str, most: usize) -> bool {
    text.len() <= most || (text.len() <= most.saturating_mul(4) && text.chars().count() <= most)
}

/// Whether a count is out of bounds.
fn is_outside(count: usize, least: Option<usize>, most: Option<usize>) -> bool {
    least.is_some_and(|least| count < least) || most.is_some_and(|most| count > most)
}
