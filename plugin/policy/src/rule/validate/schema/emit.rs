//! Nodes as the documents that the engine compiles, all of draft 2020-12.
//!
//! Each node that something refers to is a document of its own, so that no pointer has to lead into another. On the way
//! the schema is written so that judging it is bounded and says where it went wrong:
//! - a *guard* before each alternative of a union of objects, made of what the alternative asks of the object itself (a
//!   member with a `const`, or members that must be there): the engine does not go into those that cannot be meant;
//! - a *gate* where a schema comes back to itself or is wide (see `budget`).

use serde_json::{Map, Value, json};

use super::arena::{Arena, Body, Id, Rules, Step};
use super::format::{FUEL, REASONS};
use super::graph::Graph;

/// The address of a node's document.
pub(super) fn address(id: Id) -> String {
    format!("portcullis:/{id}")
}

pub(super) struct Emitter<'e> {
    pub(super) arena: &'e Arena,
    pub(super) graph: &'e Graph,
}

impl Emitter<'_> {
    /// The document of a node, and which others it refers to.
    pub(super) fn document(&self, id: Id) -> Value {
        match self.arena.node(id).map(|node| &node.body) {
            Some(Body::Always(always)) => Value::Bool(*always),
            Some(Body::Rules(rules)) => self.object(id, rules),
            None => Value::Bool(false),
        }
    }

    fn object(&self, id: Id, rules: &Rules) -> Value {
        let mut map = rules.plain.clone();
        let mut and = Vec::new();
        let mut formats = rules.formats.iter();
        if let Some(format) = formats.next() {
            map.insert("format".to_owned(), Value::from(*format));
        }
        and.extend(formats.map(|format| json!({ "format": format })));
        let guards = [Step::AnyOf, Step::OneOf].map(|step| self.guards(rules, &step));
        let prefix = rules
            .children
            .iter()
            .filter(|(step, _)| *step == Step::Prefix);
        let prefix = prefix.count();
        let condition = rules.children.iter().any(|(step, _)| *step == Step::If);
        for (step, child) in &rules.children {
            let schema = self.edge(id, step, *child);
            match step {
                Step::Reference => match schema {
                    Value::Object(reference) if reference.contains_key("$ref") => {
                        map.extend(reference);
                    }
                    gate => and.push(gate),
                },
                Step::AllOf => and.push(schema),
                Step::AnyOf => list(&mut map, "anyOf", self.guarded(&guards[0], *child, schema)),
                Step::OneOf => list(&mut map, "oneOf", self.guarded(&guards[1], *child, schema)),
                Step::Prefix => list(&mut map, "prefixItems", schema),
                Step::Dependent(name) => member(&mut map, "dependentSchemas", name, schema),
                Step::Property(name) => member(&mut map, "properties", name, schema),
                Step::Pattern(pattern) => {
                    // Two patterns may have become one.
                    let mut pattern = pattern.clone();
                    while has_member(&map, "patternProperties", &pattern) {
                        pattern.push_str("(?:)");
                    }
                    member(&mut map, "patternProperties", &pattern, schema);
                }
                Step::Then | Step::Else if !condition => {}
                // The engine counts the items after a prefix from zero.
                Step::Items if prefix > 0 && schema == Value::Bool(false) => {
                    let known = map.get("maxItems").and_then(Value::as_u64);
                    let most = known.unwrap_or(u64::MAX).min(prefix as u64);
                    map.insert("maxItems".to_owned(), most.into());
                }
                Step::Items if prefix > 0 => and.push(json!({
                    "prefixItems": vec![true; prefix],
                    "unevaluatedItems": schema,
                })),
                step => {
                    map.insert(keyword(step).to_owned(), schema);
                }
            }
        }
        match and.len() {
            0 => {}
            1 if map.is_empty() => return and.swap_remove(0),
            _ => drop(map.insert("allOf".to_owned(), Value::Array(and))),
        }
        Value::Object(map)
    }

    /// A schema where it is applied.
    fn edge(&self, from: Id, step: &Step, to: Id) -> Value {
        let gated = self.graph.gated.contains(&(from, to));
        let apart = gated || *step == Step::Reference || self.arena.targets.contains(&to);
        if !apart {
            return self.document(to);
        }
        let reference = json!({ "$ref": address(to) });
        if !gated {
            return reference;
        }
        json!({
            "if": { "format": REASONS },
            "then": reference,
            "else": {
                "if": { "format": FUEL },
                "then": { "if": reference, "else": false },
                "else": false,
            },
        })
    }

    /// Guards for the alternatives of a union, where at least two have one.
    fn guards(&self, rules: &Rules, union: &Step) -> Vec<(Id, Value)> {
        let alternatives = rules.children.iter().filter(|(step, _)| step == union);
        let guards: Vec<(Id, Value)> = alternatives
            .filter_map(|(_, id)| Some((*id, self.guard(*id)?)))
            .collect();
        if guards.len() < 2 { Vec::new() } else { guards }
    }

    fn guarded(&self, guards: &[(Id, Value)], id: Id, schema: Value) -> Value {
        match guards.iter().find(|(guarded, _)| *guarded == id) {
            Some((_, guard)) => json!({ "if": guard, "then": schema, "else": false }),
            None => schema,
        }
    }

    /// What an alternative asks of an object, as far as it can be seen without going into its members.
    fn guard(&self, id: Id) -> Option<Value> {
        let rules = self.behind_references(id)?;
        let required = match rules.plain.get("required") {
            Some(Value::Array(names)) => names.as_slice(),
            _ => &[],
        };
        let mut tags = Map::new();
        let mut wanted = Vec::new();
        for (step, child) in &rules.children {
            let Step::Property(name) = step else {
                continue;
            };
            let Some(child) = self.behind_references(*child) else {
                continue;
            };
            let tag = ["const", "enum"]
                .into_iter()
                .find_map(|word| Some((word, child.plain.get(word)?)));
            if let Some((word, values)) = tag {
                tags.insert(name.clone(), json!({ word: values }));
                wanted.extend(required.iter().filter(|one| *one == name).cloned());
            }
        }
        match (tags.is_empty(), required.is_empty()) {
            (false, _) => Some(json!({ "properties": tags, "required": wanted })),
            (true, false) => Some(json!({ "required": required })),
            (true, true) => None,
        }
    }

    /// The rules that a schema comes to which is nothing but a reference.
    fn behind_references(&self, mut id: Id) -> Option<&Rules> {
        // Circles of references were refused.
        while let Some(next) = self.arena.node(id)?.only_reference() {
            id = next;
        }
        self.arena.node(id)?.rules()
    }
}

fn keyword(step: &Step) -> &'static str {
    match step {
        Step::Not => "not",
        Step::If => "if",
        Step::Then => "then",
        Step::Else => "else",
        Step::AdditionalProperties => "additionalProperties",
        Step::PropertyNames => "propertyNames",
        Step::UnevaluatedProperties => "unevaluatedProperties",
        Step::Items => "items",
        Step::Contains => "contains",
        Step::UnevaluatedItems => "unevaluatedItems",
        Step::Reference => "$ref",
        Step::AllOf => "allOf",
        Step::AnyOf => "anyOf",
        Step::OneOf => "oneOf",
        Step::Prefix => "prefixItems",
        Step::Dependent(_) => "dependentSchemas",
        Step::Property(_) => "properties",
        Step::Pattern(_) => "patternProperties",
    }
}

fn list(map: &mut Map<String, Value>, keyword: &str, schema: Value) {
    let list = map
        .entry(keyword)
        .or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(list) = list {
        list.push(schema);
    }
}

fn member(map: &mut Map<String, Value>, keyword: &str, name: &str, schema: Value) {
    let members = map
        .entry(keyword)
        .or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(members) = members {
        members.insert(name.to_owned(), schema);
    }
}

fn has_member(map: &Map<String, Value>, keyword: &str, name: &str) -> bool {
    map.get(keyword)
        .and_then(|members| members.get(name))
        .is_some()
}
