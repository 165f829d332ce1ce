//! A schema of the standard's suite as a policy could have it: one document, in which every reference leads to a place.
//!
//! What policies refuse (`$id`, `$dynamicRef`, documents from elsewhere, dialects without validation) decides where
//! references lead and which keywords count, which can be worked out before anything is judged. A reference that is looked
//! up while judging depends on the way that led to it: its schema becomes a place for each such way.

use std::collections::{BTreeMap, VecDeque};

use referencing::{Draft, Registry, Resolver};
use serde_json::{Map, Value, json};

const HERE: &str = "http://policy.test/schema.json";
const REMOTE: &str = "http://localhost:1234";
/// From here a policy cannot have an integer as a `const`.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Keywords that hold a schema, a list of them, or some by name.
const HOLD_SCHEMAS: &[&str] = &[
    "not",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
    "additionalProperties",
    "unevaluatedProperties",
    "unevaluatedItems",
    "additionalItems",
    "items",
    "allOf",
    "anyOf",
    "oneOf",
    "prefixItems",
    "properties",
    "patternProperties",
    "dependentSchemas",
    "dependencies",
];

/// Keywords that say where a schema stands, or hold what only references lead to.
const OF_PLACES: &[&str] = &[
    "$id",
    "$schema",
    "$anchor",
    "$dynamicAnchor",
    "$vocabulary",
    "$defs",
    "definitions",
];

/// Those of the vocabulary that a dialect may leave out (JSON Schema Validation, section 6).
const VALIDATE: &[&str] = &["type", "enum", "const", "minimum", "maximum", "required"];

/// The schema, of one document.
pub(super) fn bundled(schema: &Value, draft: Draft, remotes: &BTreeMap<String, Value>) -> Value {
    let far = |path: &String| format!("{REMOTE}/{path}");
    let other = match draft {
        Draft::Draft7 => "draft2020-12/",
        _ => "draft7/",
    };
    let remotes: BTreeMap<_, _> = remotes
        .iter()
        .filter(|(path, _)| !path.starts_with(other))
        .collect();
    let documents = remotes.iter().map(|(path, remote)| {
        let remote = draft.detect(remote).create_resource((*remote).clone());
        (far(path), remote)
    });
    let here = (HERE.to_owned(), draft.create_resource(schema.clone()));
    let registry = Registry::new()
        .draft(draft)
        .extend(documents.chain([here]))
        .and_then(|registry| registry.prepare())
        .unwrap_or_else(|error| panic!("{schema}: {error}"));
    let dialect = schema.get("$schema").and_then(Value::as_str);
    let dialect = dialect.and_then(|uri| remotes.iter().find(|(path, _)| far(path) == uri));
    let mut bundle = Bundle {
        draft,
        validates: dialect.is_none_or(|(_, dialect)| {
            let vocabularies = dialect["$vocabulary"].as_object().unwrap();
            vocabularies
                .keys()
                .any(|name| name.ends_with("/validation"))
        }),
        places: BTreeMap::new(),
        open: VecDeque::new(),
    };
    let resolver = registry.resolver(referencing::uri::from_str(HERE).unwrap());
    let root = resolver.lookup(HERE).unwrap();
    let inside = bundle.inside(root.contents(), root.resolver());
    let root = bundle.place(root.contents(), inside);
    let mut written = Map::new();
    while let Some((contents, resolver)) = bundle.open.pop_front() {
        let one = bundle.schema(contents, &resolver);
        written.insert(written.len().to_string(), one);
    }
    match draft {
        Draft::Draft7 => {
            json!({"$schema": "http://json-schema.org/draft-07/schema#", "$defs": written, "allOf": [root]})
        }
        _ => json!({"$defs": written, "allOf": [root]}),
    }
}

struct Bundle<'r> {
    draft: Draft,
    validates: bool,
    /// The numbers of schemas, by where they stand and the way to them.
    places: BTreeMap<String, usize>,
    /// Those that are to be written, in the order of their numbers.
    open: VecDeque<(&'r Value, Resolver<'r>)>,
}

impl<'r> Bundle<'r> {
    /// What refers to a schema.
    fn place(&mut self, contents: &'r Value, resolver: Resolver<'r>) -> Value {
        // Of a document that was entered twice, the outer entrance counts.
        let mut scope = Vec::new();
        for uri in &resolver.dynamic_scope() {
            scope.retain(|known| *known != uri.to_string());
            scope.push(uri.to_string());
        }
        let way = format!("{contents:p} {} {scope:?}", resolver.base_uri());
        let next = self.places.len();
        let place = *self.places.entry(way).or_insert(next);
        if place == next {
            self.open.push_back((contents, resolver));
        }
        json!({ "$ref": format!("#/$defs/{place}") })
    }

    fn schema(&mut self, schema: &'r Value, resolver: &Resolver<'r>) -> Value {
        let Value::Object(members) = schema else {
            return schema.clone();
        };
        let mut written = Map::new();
        let mut references = Vec::new();
        for (keyword, value) in members {
            match (keyword.as_str(), value) {
                ("$ref" | "$dynamicRef", Value::String(target)) => {
                    let found = resolver.lookup(target);
                    let found = found.unwrap_or_else(|error| panic!("{schema}: {error}"));
                    let (contents, resolver, _) = found.into_inner();
                    references.push(self.place(contents, resolver));
                }
                (keyword, _) if OF_PLACES.contains(&keyword) => {}
                (keyword, _) if !self.validates && VALIDATE.contains(&keyword) => {}
                // Not to be compared with: the help of that error is followed.
                ("const", Value::Number(n)) if n.as_f64().unwrap().abs() >= EXACT => {
                    let bounds = json!({"type": "number", "minimum": n, "maximum": n});
                    written.extend(bounds.as_object().unwrap().clone());
                }
                (keyword, value) if HOLD_SCHEMAS.contains(&keyword) => {
                    let value = self.below(keyword, value, resolver);
                    written.insert(keyword.to_owned(), value);
                }
                (keyword, value) => drop(written.insert(keyword.to_owned(), value.clone())),
            }
        }
        if self.draft == Draft::Draft7 && !references.is_empty() {
            return references.swap_remove(0);
        }
        for reference in references {
            let all = written.entry("allOf").or_insert_with(|| json!([]));
            all.as_array_mut().unwrap().push(reference);
        }
        Value::Object(written)
    }

    /// The resolver of a schema by that of the one that holds it.
    fn inside(&self, schema: &Value, resolver: &Resolver<'r>) -> Resolver<'r> {
        let resource = self.draft.create_resource_ref(schema);
        resolver.in_subresource(resource).unwrap()
    }

    fn inner(&mut self, schema: &'r Value, resolver: &Resolver<'r>) -> Value {
        let resolver = self.inside(schema, resolver);
        self.schema(schema, &resolver)
    }

    fn below(&mut self, keyword: &str, value: &'r Value, resolver: &Resolver<'r>) -> Value {
        let by_name = matches!(
            keyword,
            "properties" | "patternProperties" | "dependentSchemas" | "dependencies"
        );
        match value {
            Value::Array(list) => list.iter().map(|one| self.inner(one, resolver)).collect(),
            Value::Object(members) if by_name => {
                let inner = members.iter().map(|(name, one)| {
                    let is_list = keyword == "dependencies" && one.is_array();
                    let inner = match is_list {
                        true => one.clone(),
                        false => self.inner(one, resolver),
                    };
                    (name.clone(), inner)
                });
                Value::Object(inner.collect())
            }
            one => self.inner(one, resolver),
        }
    }
}
