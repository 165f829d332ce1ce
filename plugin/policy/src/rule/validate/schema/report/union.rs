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
            if found.holds() {
                let again = |judge: &mut Judge<'j>, one: &Alternative| {
                    one.lets(value) && judge.holds(one.link, value)
                };
                if keyword == "oneOf" && alternatives.any(|one| again(&mut self.judge, one)) {
                    self.say(message::ambiguous());
                }
                return;
            }
            refused.push(found);
        }
        let depth = self.path.len();
        let misfit = |one: &Refused| match one {
            Refused::At(types) => Some(*types),
            Refused::For(found) => match found.as_slice() {
                [one] if one.path.len() == depth => one.misfit,
                _ => None,
            },
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
            match refused.swap_remove(one) {
                Refused::For(mut found) => self.found.append(&mut found),
                Refused::At(Types::NONE) => {
                    self.find(None, message::unmatched(), Some(Types::NONE));
                }
                Refused::At(types) => self.find(None, message::typed(types), Some(types)),
            }
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

    /// What is wrong by one alternative. One that is out of the question at first sight is not gone into: at each level
    /// of a nested union that would be a way as long as it is deep.
    fn of_alternative(
        &mut self,
        keyword: &'static str,
        alternative: &'j Alternative,
        value: &'j Value,
    ) -> Refused {
        if !alternative.lets(value) {
            return Refused::At(Types::NONE);
        }
        let rule = self.judge.plan.rule(alternative.link);
        let types = rule
            .map(|rule| rule.types)
            .filter(|_| !alternative.link.gated);
        if let Some(types) = types.filter(|types| !types.is_empty() && !types.take(value)) {
            return Refused::At(types);
        }
        let before = std::mem::take(&mut self.found);
        self.look(alternative.link, keyword, value);
        Refused::For(std::mem::replace(&mut self.found, before))
    }
}

/// Why an alternative does not hold.
enum Refused {
    /// The value itself is not what it is for: these types are.
    At(Types),
    /// All this is wrong; nothing if it does hold.
    For(Vec<Finding>),
}

impl Refused {
    fn holds(&self) -> bool {
        matches!(self, Self::For(found) if found.is_empty())
    }
}
