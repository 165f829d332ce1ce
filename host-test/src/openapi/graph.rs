//! What the references between schemas come to: which of them are wider for another's sake, and which lead in circles.
//!
//! Both are known only once all schemas are read, and what becomes of a schema depends on them. So a document is read
//! again with what the reading before found out, until that is nothing new.

use std::collections::{BTreeMap, BTreeSet};

/// What the readings so far found out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// Schemas, by pointer, that the policy holds wider than the document does.
    pub(super) loose: BTreeSet<String>,
    /// Schemas whose `$ref` leads back to them before it comes to another value: nothing could be judged by them.
    pub(super) circular: BTreeSet<String>,
}

/// A `$ref`.
#[derive(Clone, Debug)]
pub(super) struct Reference {
    /// The schema that is referred from, as it was named or as it stands in its route.
    pub(super) from: String,
    /// The schema that has the `$ref`, in that one.
    pub(super) at: String,
    /// The schema that it names.
    pub(super) to: String,
    /// Whether all three judge one value.
    pub(super) of_same_value: bool,
}

impl Known {
    /// Adds what these references say.
    pub(super) fn learn(&mut self, references: &[Reference]) {
        self.loosen(references);
        self.find_circles(references);
    }

    /// What refers to a wider schema is wider.
    fn loosen(&mut self, references: &[Reference]) {
        let mut referrers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for reference in references {
            referrers
                .entry(&reference.to)
                .or_default()
                .push(&reference.from);
        }
        let mut open: Vec<String> = self.loose.iter().cloned().collect();
        while let Some(wider) = open.pop() {
            for from in referrers.get(&*wider).into_iter().flatten() {
                if self.loose.insert((*from).to_owned()) {
                    open.push((*from).to_owned());
                }
            }
        }
    }

    /// Walks the schemas of one value depth first; a reference to one that is not left yet closes a circle.
    fn find_circles(&mut self, references: &[Reference]) {
        let mut ways: BTreeMap<&str, Vec<&Reference>> = BTreeMap::new();
        for reference in references
            .iter()
            .filter(|reference| reference.of_same_value)
        {
            ways.entry(&reference.from).or_default().push(reference);
        }
        let mut entered: BTreeSet<&str> = BTreeSet::new();
        for first in references {
            if !entered.insert(&first.from) {
                continue;
            }
            // A stack of its own: a chain may be as long as the document.
            let mut inside: BTreeSet<&str> = BTreeSet::from([&*first.from]);
            let mut stack: Vec<(&str, usize)> = vec![(&first.from, 0)];
            while let Some((schema, next)) = stack.last_mut() {
                let way = ways.get(schema).and_then(|ways| ways.get(*next));
                *next += 1;
                let Some(way) = way else {
                    inside.remove(*schema);
                    stack.pop();
                    continue;
                };
                if inside.contains(&*way.to) {
                    self.circular.insert(way.at.clone());
                } else if entered.insert(&way.to) {
                    inside.insert(&way.to);
                    stack.push((&way.to, 0));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(loose: &[&str], references: &[(&str, &str, bool)]) -> (Vec<String>, Vec<String>) {
        let references: Vec<Reference> = references
            .iter()
            .map(|(from, to, of_same_value)| Reference {
                from: (*from).to_owned(),
                at: format!("{from}{to}"),
                to: (*to).to_owned(),
                of_same_value: *of_same_value,
            })
            .collect();
        let mut known = Known {
            loose: loose.iter().map(|name| (*name).to_owned()).collect(),
            ..Known::default()
        };
        known.learn(&references);
        let list = |set: BTreeSet<String>| set.into_iter().collect();
        (list(known.loose), list(known.circular))
    }

    #[test]
    fn wider_is_whatever_leads_to_what_is_wider() {
        let chain = [
            ("a", "b", true),
            ("b", "c", false),
            ("c", "a", false),
            ("d", "e", true),
        ];
        assert_eq!(known(&["c"], &chain).0, ["a", "b", "c"]);
        assert_eq!(known(&[], &chain).0, [""; 0]);
    }

    #[test]
    fn circles_are_of_one_value() {
        let check = |references: &[(&str, &str, bool)], expected: &[&str]| {
            assert_eq!(known(&[], references).1, expected, "{references:?}");
        };
        check(&[("a", "a", true)], &["aa"]);
        check(&[("a", "a", false)], &[]);
        check(&[("a", "b", true), ("b", "a", true)], &["ba"]);
        check(&[("a", "b", true), ("b", "a", false)], &[]);
        check(
            &[
                ("a", "b", true),
                ("a", "c", true),
                ("b", "d", true),
                ("c", "d", true),
            ],
            &[],
        );
        check(
            &[
                ("x", "a", true),
                ("a", "b", true),
                ("a", "c", true),
                ("b", "a", true),
                ("c", "a", true),
            ],
            &["ba", "ca"],
        );
    }
}
