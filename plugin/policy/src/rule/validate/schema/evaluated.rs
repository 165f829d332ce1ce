//! Which members and items were looked at by some schema of the value that holds them: what `unevaluatedProperties` and
//! `unevaluatedItems` leave alone (JSON Schema Core, section 11).
//!
//! Asked for where one of these stands, and of a value that is right so far. So schemas that have to hold are taken to
//! hold, and only those are judged again that need not.

use serde_json::Value;

use super::judge::Judge;
use super::plan::{Link, Rule, Same};

impl<'j> Judge<'j> {
    /// For each of so many members or items, in their order, whether it was.
    pub(super) fn evaluated(&mut self, rule: &'j Rule, value: &Value, size: usize) -> Vec<bool> {
        let mut seen = vec![false; size];
        self.mark_own(rule, value, &mut seen);
        if let Some(same) = &rule.same {
            self.mark_same(same, value, &mut seen);
        }
        seen
    }

    /// What a schema looked at that holds.
    fn mark(&mut self, link: Link, value: &Value, seen: &mut [bool]) {
        let Some(rule) = self.plan.rule(link) else {
            return;
        };
        let rest = match value {
            Value::Object(_) => rule.objects.as_ref().and_then(|all| all.unevaluated),
            _ => rule.arrays.as_ref().and_then(|all| all.unevaluated),
        };
        if rest.is_some() {
            seen.fill(true);
            return;
        }
        self.mark_own(rule, value, seen);
        if let Some(same) = &rule.same {
            self.mark_same(same, value, seen);
        }
    }

    fn mark_own(&mut self, rule: &'j Rule, value: &Value, seen: &mut [bool]) {
        match value {
            Value::Object(members) => {
                let Some(objects) = &rule.objects else {
                    return;
                };
                let mut near = 0;
                for (name, seen) in members.keys().zip(seen) {
                    let found = objects.find(name, &mut near);
                    *seen |= objects.additional.is_some()
                        || found.is_some_and(|known| known.link.is_some())
                        || objects.patterns.iter().any(|(one, _)| one.matches(name));
                }
            }
            Value::Array(list) => {
                let Some(arrays) = &rule.arrays else {
                    return;
                };
                for ((at, item), seen) in list.iter().enumerate().zip(seen) {
                    *seen = *seen
                        || arrays.items.is_some()
                        || at < arrays.prefix.len()
                        || arrays
                            .contains
                            .as_ref()
                            .is_some_and(|contains| self.holds(contains.link, item));
                }
            }
            _ => {}
        }
    }

    fn mark_same(&mut self, same: &'j Same, value: &Value, seen: &mut [bool]) {
        for link in same.references.iter().chain(&same.all) {
            self.mark(*link, value, seen);
        }
        for one in same.any.iter().chain(&same.one) {
            if one.lets(value) && self.holds(one.link, value) {
                self.mark(one.link, value, seen);
            }
        }
        if let Some(condition) = &same.condition {
            if self.holds(condition.when, value) {
                self.mark(condition.when, value, seen);
                condition.then.inspect(|link| self.mark(*link, value, seen));
            } else {
                condition
                    .otherwise
                    .inspect(|link| self.mark(*link, value, seen));
            }
        }
        for (name, link) in &same.dependent {
            if value.get(name).is_some() {
                self.mark(*link, value, seen);
            }
        }
    }
}
