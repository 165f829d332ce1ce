//! What is wrong with a value that was refused, and where: as much of it as is told, in the order of the input.

mod union;

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use super::super::violation::Token;
use super::distinct;
use super::judge::{Judge, is_as_long, is_as_short};
use super::message::{self, Said};
use super::number;
use super::plan::{Arrays, Link, Numbers, Objects, Plan, Rule, Same, Texts};
use super::types::Types;

/// More than this is not looked for: it is found nearly in order, and fewer are told.
const MOST: usize = 64;

/// One thing that is wrong.
#[derive(Debug)]
pub(super) struct Finding {
    /// The way to it from the value that was judged.
    pub(super) path: Vec<Token>,
    pub(super) said: Said,
    /// If the value is of another type than asked for: which are, as far as that can be said.
    misfit: Option<Types>,
}

impl Finding {
    /// Of the value itself.
    pub(super) fn of_all(said: Said) -> Self {
        Self {
            path: Vec::new(),
            said,
            misfit: None,
        }
    }
}

/// What is wrong with a value that was refused: at least one thing.
pub(super) fn findings(plan: &Plan, link: Link, value: &Value) -> Vec<Finding> {
    let mut report = Report {
        judge: Judge::new(plan, value),
        path: Vec::new(),
        found: Vec::new(),
    };
    report.look(link, "", value);
    let mut findings: Vec<Finding> = Vec::with_capacity(report.found.len());
    for finding in report.found {
        let place = findings.partition_point(|known| by_path(&known.path, &finding.path).is_le());
        let is_same = |known: &Finding| known.path == finding.path && known.said == finding.said;
        if !findings.iter().any(is_same) {
            findings.insert(place, finding);
        }
    }
    if findings.is_empty() {
        // Not to be: both passes read the same plan.
        findings.push(Finding::of_all(message::unmatched()));
    }
    findings
}

/// One step of the way to the value that is looked at.
#[derive(Clone, Copy)]
enum At<'v> {
    Name(&'v str),
    Index(usize),
}

struct Report<'j> {
    judge: Judge<'j>,
    path: Vec<At<'j>>,
    found: Vec<Finding>,
}

impl<'j> Report<'j> {
    fn say(&mut self, said: Said) {
        self.find(None, said, None);
    }

    fn say_of(&mut self, name: &str, said: Said) {
        self.find(Some(name), said, None);
    }

    fn find(&mut self, member: Option<&str>, said: Said, misfit: Option<Types>) {
        if self.found.len() >= MOST {
            return;
        }
        let path = self.path.iter().map(|at| match at {
            At::Name(name) => Token::Name((*name).to_owned()),
            At::Index(index) => Token::Index(*index),
        });
        let member = member.map(|name| Token::Name(name.to_owned()));
        self.found.push(Finding {
            path: path.chain(member).collect(),
            said,
            misfit,
        });
    }

    /// Finds what is wrong with the value by a schema that `keyword` applies.
    fn look(&mut self, link: Link, keyword: &'static str, value: &'j Value) {
        if self.found.len() >= MOST {
            return;
        }
        if link.gated && !self.judge.budget.take() {
            self.find(None, message::refused("else"), Some(Types::NONE));
            return;
        }
        match self.judge.plan.rule(link) {
            Some(rule) => self.rule(rule, keyword, value),
            None => self.say(message::unmatched()),
        }
    }

    fn below(&mut self, at: At<'j>, link: Link, keyword: &'static str, value: &'j Value) {
        self.path.push(at);
        self.look(link, keyword, value);
        self.path.pop();
    }

    fn rule(&mut self, rule: &'j Rule, keyword: &'static str, value: &'j Value) {
        if rule.types.is_empty() {
            let misfit = matches!(keyword, "then" | "else").then_some(Types::NONE);
            self.find(None, message::refused(keyword), misfit);
            return;
        }
        if !rule.types.take(value) {
            self.find(None, message::typed(rule.types), Some(rule.types));
            return;
        }
        if let Some(values) = &rule.values
            && let Some(values) = values.refusing(value)
        {
            self.say(message::chosen(values.keyword, &values.list));
            return;
        }
        if let Some(same) = &rule.same {
            for link in &same.references {
                self.look(*link, "$ref", value);
            }
        }
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Number(number) => {
                if let Some(numbers) = &rule.numbers {
                    self.number(numbers, number);
                }
            }
            Value::String(text) => {
                if let Some(texts) = &rule.texts {
                    self.text(texts, text);
                }
            }
            Value::Array(list) => {
                if let Some(arrays) = &rule.arrays {
                    self.array(arrays, list);
                }
            }
            Value::Object(members) => {
                if let Some(objects) = &rule.objects {
                    self.object(objects, members);
                }
            }
        }
        if let Some(same) = &rule.same {
            self.same(same, value);
        }
        self.rest(rule, value);
    }

    fn number(&mut self, all: &Numbers, number: &Number) {
        for format in &all.formats {
            if !format.takes_number(number) {
                self.say(message::format(format));
            }
        }
        if let Some(divisor) = all.multiple.as_ref().filter(|one| !one.divides(number)) {
            self.say(message::multiple(divisor.written));
        }
        if all.narrow && number::is_too_wide(number) {
            self.say(message::wide());
        }
        let bounds = [
            (
                &all.minimum,
                Ordering::is_ge as fn(Ordering) -> bool,
                message::minimum as fn(&Number) -> Said,
            ),
            (&all.maximum, Ordering::is_le, message::maximum),
            (&all.above, Ordering::is_gt, message::above),
            (&all.below, Ordering::is_lt, message::below),
        ];
        for (bound, is_right, words) in bounds {
            if let Some(bound) = bound.as_ref().filter(|bound| !is_right(bound.side(number))) {
                self.say(words(&bound.written));
            }
        }
    }

    fn text(&mut self, all: &Texts, text: &str) {
        for format in &all.formats {
            if !format.takes_text(text) {
                self.say(message::format(format));
            }
        }
        if let Some(least) = all.least.filter(|least| !is_as_long(text, *least)) {
            self.say(message::short(least));
        }
        if let Some(most) = all.most.filter(|most| !is_as_short(text, *most)) {
            self.say(message::long(most));
        }
        if let Some(pattern) = all.pattern.as_ref().filter(|one| !one.matches(text)) {
            self.say(message::pattern(&pattern.written));
        }
    }

    fn array(&mut self, arrays: &'j Arrays, list: &'j [Value]) {
        if arrays.distinct && !distinct::are_distinct(list) {
            self.say(message::repeated());
        }
        if let Some(least) = arrays.least.filter(|least| list.len() < *least) {
            self.say(message::few("minItems", least, "item"));
        }
        let mut items = arrays.items;
        let mut most = arrays.most;
        let closed = items.and_then(|link| self.judge.plan.rule(link));
        if closed.is_some_and(|rule| rule.types.is_empty()) && !arrays.prefix.is_empty() {
            // Said once, of the array.
            items = None;
            most = Some(most.unwrap_or(usize::MAX).min(arrays.prefix.len()));
        }
        if let Some(most) = most.filter(|most| list.len() > *most) {
            self.say(message::many("maxItems", most, "item"));
        }
        for ((at, item), link) in list.iter().enumerate().zip(&arrays.prefix) {
            self.below(At::Index(at), *link, "prefixItems", item);
        }
        if let Some(link) = items {
            for (at, item) in list.iter().enumerate().skip(arrays.prefix.len()) {
                if self.found.len() >= MOST {
                    return;
                }
                self.below(At::Index(at), link, "items", item);
            }
        }
        if let Some(contains) = &arrays.contains {
            let found = self.judge.count(contains.link, list);
            match contains.least {
                Some(least) if found < least => self.say(message::contains_few(least)),
                None if found == 0 => self.say(message::contains_none()),
                _ => {}
            }
            if let Some(most) = contains.most.filter(|most| found > *most) {
                self.say(message::contains_many(most));
            }
        }
    }

    fn object(&mut self, objects: &'j Objects, members: &'j Map<String, Value>) {
        if let Some(least) = objects.least.filter(|least| members.len() < *least) {
            self.say(message::few("minProperties", least, "member"));
        }
        if let Some(most) = objects.most.filter(|most| members.len() > *most) {
            self.say(message::many("maxProperties", most, "member"));
        }
        for known in objects.known.iter().filter(|known| known.required) {
            if !members.contains_key(&known.name) {
                self.say_of(&known.name, message::missing());
            }
        }
        let mut near = 0;
        for (name, value) in members {
            if self.found.len() >= MOST {
                return;
            }
            let at = At::Name(name);
            let mut known = false;
            if let Some(link) = objects.find(name, &mut near).and_then(|found| found.link) {
                known = true;
                self.below(at, link, "properties", value);
            }
            for (pattern, link) in &objects.patterns {
                if pattern.matches(name) {
                    known = true;
                    self.below(at, *link, "patternProperties", value);
                }
            }
            if let Some(link) = objects.additional.filter(|_| !known) {
                self.below(at, link, "additionalProperties", value);
            }
        }
        if let Some(link) = objects.names {
            for name in members.keys() {
                self.name(link, name);
            }
        }
        for (name, names) in &objects.beside {
            if members.contains_key(name) {
                for missing in names.iter().filter(|name| !members.contains_key(*name)) {
                    self.say_of(missing, message::dependent(name));
                }
            }
        }
    }

    /// The first thing that is wrong with a member's name.
    fn name(&mut self, link: Link, name: &str) {
        let name = Value::String(name.to_owned());
        if self.judge.holds(link, &name) {
            return;
        }
        let mut inner = findings(self.judge.plan, link, &name);
        let said = message::name(inner.drain(..).next().map(|finding| finding.said));
        self.say_of(name.as_str().unwrap_or_default(), said);
    }

    fn same(&mut self, same: &'j Same, value: &'j Value) {
        if same.not.is_some_and(|link| self.judge.holds(link, value)) {
            self.say(message::ruled_out());
        }
        for link in &same.all {
            self.look(*link, "allOf", value);
        }
        if !same.any.is_empty() {
            self.union("anyOf", &same.any, value);
        }
        if !same.one.is_empty() {
            self.union("oneOf", &same.one, value);
        }
        if let Some(condition) = &same.condition {
            let holds = self.judge.holds(condition.when, value);
            let (link, keyword) = match holds {
                true => (condition.then, "then"),
                false => (condition.otherwise, "else"),
            };
            if let Some(link) = link {
                self.look(link, keyword, value);
            }
        }
        for (name, link) in &same.dependent {
            if value.get(name).is_some() {
                self.look(*link, "dependentSchemas", value);
            }
        }
    }

    fn rest(&mut self, rule: &'j Rule, value: &'j Value) {
        match value {
            Value::Object(members) => {
                let Some(link) = rule.objects.as_ref().and_then(|all| all.unevaluated) else {
                    return;
                };
                let seen = self.judge.evaluated(rule, value, members.len());
                for ((name, value), _) in members.iter().zip(seen).filter(|(_, seen)| !seen) {
                    self.below(At::Name(name), link, "unevaluatedProperties", value);
                }
            }
            Value::Array(list) => {
                let Some(link) = rule.arrays.as_ref().and_then(|all| all.unevaluated) else {
                    return;
                };
                let seen = self.judge.evaluated(rule, value, list.len());
                let rest = list.iter().enumerate().zip(seen);
                for ((at, value), _) in rest.filter(|(_, seen)| !seen) {
                    self.below(At::Index(at), link, "unevaluatedItems", value);
                }
            }
            _ => {}
        }
    }
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
