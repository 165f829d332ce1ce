//! What is said of a union that a value matches in no way, or in too many.

use serde_json::Value;

use super::{Finding, MOST, Report};
use crate::rule::validate::schema::judge::Judge;
use crate::rule::validate::schema::message;
use crate::rule::validate::schema::plan::Alternative;
use crate::rule::validate::schema::types::Types;

impl<'j> Report<'j> {
    /// A union of which no alternative holds: the one that was meant tells why, if it can be known.
    pub(super) fn union(
        &mut self,
        keyword: &'static str,
        union: &'j [Alternative],
        value: &'j Value,
    ) {
        let mut refused = Vec::new();
        let mut alternatives = union.iter();
        for alternative in alternatives.by_ref() {
            let found = self.of_alternative(keyword, alternative, value);
            if !found.is_empty() {
                refused.push(found);
                continue;
            }
            let again = |judge: &mut Judge<'j>, one: &Alternative| {
                one.lets(value) && judge.holds(one.link, value)
            };
            if keyword == "oneOf" && alternatives.any(|one| again(&mut self.judge, one)) {
                self.say(message::ambiguous());
            }
            return;
        }
        let depth = self.path.len();
        let misfit = |found: &Vec<Finding>| match found.as_slice() {
            [one] if one.path.len() == depth => one.misfit,
            _ => None,
        };
        let misfits: Vec<Option<Types>> = refused.iter().map(misfit).collect();
        let alone = refused.len() == 1;
        let mut meant = misfits.iter().enumerate().filter(|(_, one)| one.is_none());
        let first = meant.next().map(|(at, _)| at);
        let one = match meant.next() {
            None if alone => Some(0),
            None => first,
            Some(_) => None,
        };
        if let Some(one) = one {
            self.found.append(&mut refused.swap_remove(one));
            self.found.truncate(MOST);
            return;
        }
        // An alternative whose types are not known leaves all of them unknown.
        let types = misfits.iter().try_fold(Types::NONE, |all, one| {
            one.filter(|one| !one.is_empty()).map(|one| all.and(one))
        });
        let misfit = match first {
            None => Some(types.unwrap_or(Types::NONE)),
            Some(_) => None,
        };
        let said = message::no_alternative(keyword, refused.len(), types);
        self.find(None, said, misfit);
    }

    /// What is wrong by one alternative.
    fn of_alternative(
        &mut self,
        keyword: &'static str,
        alternative: &'j Alternative,
        value: &'j Value,
    ) -> Vec<Finding> {
        let before = std::mem::take(&mut self.found);
        if alternative.lets(value) {
            self.look(alternative.link, keyword, value);
        } else {
            self.find(None, message::unmatched(), Some(Types::NONE));
        }
        std::mem::replace(&mut self.found, before)
    }
}
