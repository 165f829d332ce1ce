//! Parameters that are found by name among pairs: those of a query, and cookies.
//!
//! One pass gives each pair to the parameter that claims its name; what is sorted by parameter then is read in groups.
//! The time is that of sorting, however many names a client sends.

use std::borrow::Cow;

use portcullis_config::Strictness;
use serde_json::Value;

use super::Input;
use crate::rule::validate::query::{Pair, Spelling, text};
use crate::rule::validate::shape::Shape;
use crate::rule::validate::style::{Inside, NO_OBJECT, Spread};
use crate::rule::validate::violation::{Place, Token, Violation, Violations};

/// Parameters of one place, and the names that they claim.
#[derive(Debug, Default)]
pub(super) struct Named {
    inputs: Vec<Input>,
    /// Sorted by name.
    names: Vec<(Box<str>, Claimant)>,
    /// The parameter that takes names which no other does.
    open: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
struct Claimant {
    input: usize,
    part: Part,
}

/// What a pair is of its parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// The value, or one of its elements.
    Whole,
    /// The member of this name, of an exploded object.
    Member,
    /// The member in the brackets of `name[member]`.
    Bracketed,
}

/// A pair that a parameter claims.
pub(super) struct Claim<'a> {
    input: usize,
    part: Part,
    name: Cow<'a, str>,
    value: &'a [u8],
}

impl Claim<'_> {
    /// The member; `None` if the pair is no member's, or its brackets are not one pair around a name.
    fn member(&self) -> Option<&str> {
        match self.part {
            Part::Whole => None,
            Part::Member => Some(&self.name),
            Part::Bracketed => {
                let (_, member) = self.name.split_once('[')?;
                let member = member.strip_suffix(']')?;
                (!member.is_empty() && !member.contains(['[', ']'])).then_some(member)
            }
        }
    }
}

impl Named {
    /// Takes the inputs; `refuse` is told of each whose name, or whose members' names, another claims.
    pub(super) fn compile(
        inputs: Vec<Input>,
        mut refuse: impl FnMut(&str, String),
    ) -> Option<Self> {
        let mut names: Vec<(Box<str>, Claimant)> = Vec::new();
        let mut open: Option<usize> = None;
        let mut all_differ = true;
        for (at, input) in inputs.iter().enumerate() {
            let mut claim = |name: &str, part| {
                // Of two that claim one name, the later one comes later, and is told.
                let place = names.partition_point(|(other, _)| **other <= *name);
                names.insert(place, (Box::from(name), Claimant { input: at, part }));
            };
            if !input.is_exploded() {
                claim(&input.name, Part::Whole);
                continue;
            }
            for name in input.shape.names() {
                claim(name, Part::Member);
            }
            if input.shape.is_open() && open.replace(at).is_some() {
                all_differ = false;
                refuse(
                    &input.name,
                    "another parameter takes members of any name".to_owned(),
                );
            }
        }
        for pair in names.windows(2) {
            if let [(a, _), (b, second)] = pair
                && a == b
                && let Some(input) = inputs.get(second.input)
            {
                all_differ = false;
                refuse(&input.name, format!("another parameter takes `{b}`"));
            }
        }
        all_differ.then_some(Self {
            inputs,
            names,
            open,
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// The pairs that parameters claim, by parameter and member, else in their order.
    pub(super) fn claims<'a>(
        &self,
        pairs: impl Iterator<Item = Pair<'a>>,
        spelling: Spelling,
    ) -> Vec<Claim<'a>> {
        let claims = pairs.filter_map(|pair| {
            let name = text(pair.name, spelling).ok()?;
            let claimant = self.claimant(&name)?;
            Some(Claim {
                input: claimant.input,
                part: claimant.part,
                name,
                value: pair.value,
            })
        });
        let mut claims: Vec<Claim<'a>> = claims.collect();
        claims.sort_by(|a, b| (a.input, a.member()).cmp(&(b.input, b.member())));
        claims
    }

    /// Tells of each name that no parameter claims, once.
    pub(super) fn refuse_unknown<'a>(
        &self,
        pairs: impl Iterator<Item = Pair<'a>>,
        found: &mut Violations,
    ) {
        let mut told: Vec<Cow<'a, str>> = Vec::new();
        for pair in pairs {
            if found.is_full() {
                return;
            }
            let name = text(pair.name, Spelling::Form);
            if name
                .as_ref()
                .is_ok_and(|name| self.claimant(name).is_some())
            {
                continue;
            }
            let name = name.unwrap_or_else(|_| String::from_utf8_lossy(pair.name));
            if !told.contains(&name) {
                found.push(Violation {
                    place: Place::Query,
                    path: vec![Token::Name(name.to_string())],
                    keyword: "additionalProperties",
                    kind: "extra_forbidden",
                    message: "is not a parameter here".to_owned(),
                });
                told.push(name);
            }
        }
    }

    /// Reads and judges each parameter from the pairs that it claims.
    pub(super) fn judge(
        &self,
        claims: Vec<Claim<'_>>,
        strictness: Strictness,
        found: &mut Violations,
    ) {
        let spelling = match self.inputs.first().map(|input| input.place) {
            Some(Place::Query) => Spelling::Form,
            _ => Spelling::Plain,
        };
        let mut rest = claims.as_slice();
        for (at, input) in self.inputs.iter().enumerate() {
            if found.is_full() {
                return;
            }
            let own = rest.partition_point(|claim| claim.input <= at);
            let Some((own, after)) = rest.split_at_checked(own) else {
                return;
            };
            rest = after;
            let value = input.value_of(own, spelling, strictness, found);
            input.judge(value, found);
        }
    }

    fn claimant(&self, name: &str) -> Option<Claimant> {
        if let Some(claimant) = self.named(name) {
            return Some(claimant);
        }
        let bracketed = name.split_once('[').and_then(|(front, _)| {
            let claimant = self.named(front)?;
            let deep = self.inputs.get(claimant.input)?.spread == Spread::Deep;
            deep.then_some(Claimant {
                part: Part::Bracketed,
                ..claimant
            })
        });
        bracketed.or_else(|| {
            self.open.map(|input| Claimant {
                input,
                part: Part::Member,
            })
        })
    }

    fn named(&self, name: &str) -> Option<Claimant> {
        let at = self
            .names
            .binary_search_by(|(other, _)| (**other).cmp(name))
            .ok()?;
        self.names.get(at).map(|(_, claimant)| *claimant)
    }
}

impl Input {
    /// Whether it is an object whose members are parameters of their own.
    fn is_exploded(&self) -> bool {
        self.spread == Spread::Repeated && self.shape.is_object()
    }

    fn value_of(
        &self,
        claims: &[Claim<'_>],
        spelling: Spelling,
        strictness: Strictness,
        found: &mut Violations,
    ) -> Option<Value> {
        let shape: &Shape = &self.shape;
        let mut reader = self.reader(spelling, strictness, found);
        let Some(first) = claims.first() else {
            if self.required {
                reader.refuse_missing();
            }
            return None;
        };
        if self.spread == Spread::Deep || self.is_exploded() {
            let pairs = claims
                .iter()
                .map(|claim| claim.member().map(|member| (member, claim.value)));
            return match pairs.collect::<Option<Vec<_>>>() {
                Some(pairs) => reader.members(&pairs, shape),
                None => reader.refuse(NO_OBJECT, Inside::WHOLE),
            };
        }
        match self.spread {
            Spread::Repeated => {
                reader.repeated(claims.iter().map(|claim| claim.value), shape, Inside::WHOLE)
            }
            _ if claims.len() > 1 => reader.refuse_repeated(Inside::WHOLE),
            spread => reader.packed(first.value, shape, spread),
        }
    }
}
