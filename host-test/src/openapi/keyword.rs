//! The keywords of JSON Schema (draft 2020-12) and of OpenAPI's dialects, and what becomes of each.
//!
//! One table, in the order in which a policy's schemas are written: what kind of value, its bounds, what is in it, how it
//! is put together. A keyword that is not here is nobody's, and is told of.

use portcullis_config::Document as Tree;

/// What becomes of a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Copied, if its value is what it should be.
    Assertion(Wants),
    /// Holds a schema.
    Schema,
    /// Holds a list of schemas.
    Schemas,
    /// Holds schemas by name.
    Members,
    /// Has a rule of its own.
    Special,
    /// No request can break it: dropped.
    Annotation,
    /// Would be judged, and cannot be: why.
    Unread(&'static str),
}

/// What the value of an assertion must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    Number,
    Positive,
    Count,
    Flag,
    Text,
    Types,
    Names,
    NamesByName,
    Values,
    Value,
}

const KEYWORDS: &[(&str, Role)] = &[
    ("$ref", Role::Special),
    ("type", Role::Assertion(Wants::Types)),
    ("format", Role::Assertion(Wants::Text)),
    ("enum", Role::Assertion(Wants::Values)),
    ("const", Role::Assertion(Wants::Value)),
    ("minLength", Role::Assertion(Wants::Count)),
    ("maxLength", Role::Assertion(Wants::Count)),
    ("pattern", Role::Special),
    ("contentMediaType", Role::Assertion(Wants::Text)),
    ("contentEncoding", Role::Assertion(Wants::Text)),
    ("minimum", Role::Assertion(Wants::Number)),
    ("exclusiveMinimum", Role::Special),
    ("maximum", Role::Assertion(Wants::Number)),
    ("exclusiveMaximum", Role::Special),
    ("multipleOf", Role::Assertion(Wants::Positive)),
    ("prefixItems", Role::Schemas),
    ("items", Role::Schema),
    ("contains", Role::Schema),
    ("minContains", Role::Assertion(Wants::Count)),
    ("maxContains", Role::Assertion(Wants::Count)),
    ("minItems", Role::Assertion(Wants::Count)),
    ("maxItems", Role::Assertion(Wants::Count)),
    ("uniqueItems", Role::Assertion(Wants::Flag)),
    ("required", Role::Special),
    ("properties", Role::Special),
    ("patternProperties", Role::Special),
    ("propertyNames", Role::Schema),
    ("additionalProperties", Role::Schema),
    ("minProperties", Role::Assertion(Wants::Count)),
    ("maxProperties", Role::Assertion(Wants::Count)),
    ("dependentRequired", Role::Assertion(Wants::NamesByName)),
    ("dependentSchemas", Role::Members),
    ("allOf", Role::Schemas),
    ("anyOf", Role::Schemas),
    ("oneOf", Role::Schemas),
    ("not", Role::Schema),
    ("if", Role::Schema),
    ("then", Role::Schema),
    ("else", Role::Schema),
    ("unevaluatedItems", Role::Schema),
    ("unevaluatedProperties", Role::Schema),
    // Rules of OpenAPI 3.0, read beside the rest of their schema.
    ("nullable", Role::Special),
    ("discriminator", Role::Special),
    // Only what is referred to is wanted of these, and a reference finds it.
    ("$defs", Role::Annotation),
    ("definitions", Role::Annotation),
    // The properties that have it are gathered where `required` is read.
    ("readOnly", Role::Annotation),
    ("writeOnly", Role::Annotation),
    ("title", Role::Annotation),
    ("description", Role::Annotation),
    ("default", Role::Annotation),
    ("example", Role::Annotation),
    ("examples", Role::Annotation),
    ("deprecated", Role::Annotation),
    ("externalDocs", Role::Annotation),
    ("xml", Role::Annotation),
    ("$comment", Role::Annotation),
    // What they name is found by pointer, or not at all, which the reference tells.
    ("$id", Role::Annotation),
    ("$anchor", Role::Annotation),
    ("$dynamicAnchor", Role::Annotation),
    ("$recursiveAnchor", Role::Annotation),
    ("$vocabulary", Role::Annotation),
    ("$schema", Role::Special),
    (
        "$dynamicRef",
        Role::Unread("what it names depends on who asks"),
    ),
    ("$recursiveRef", Role::Unread("draft 2019-09 is not read")),
    (
        "dependencies",
        Role::Unread("draft 2020-12 has `dependentRequired` and `dependentSchemas` for it"),
    ),
    (
        "additionalItems",
        Role::Unread("draft 2020-12 has `prefixItems` and `items` for it"),
    ),
    (
        "contentSchema",
        Role::Unread("what stands inside a text is not read"),
    ),
];

/// What becomes of a keyword; `None` if it is none.
pub(super) fn role(keyword: &str) -> Option<Role> {
    let listed = KEYWORDS.iter().find(|(name, _)| *name == keyword);
    let extension = keyword.starts_with("x-").then_some(Role::Annotation);
    listed.map(|(_, role)| *role).or(extension)
}

/// Where among a schema's keywords it is written.
pub(super) fn place(keyword: &str) -> usize {
    let place = KEYWORDS.iter().position(|(name, _)| *name == keyword);
    place.unwrap_or(KEYWORDS.len())
}

/// The value as a policy holds it, if it is what it should be.
pub(super) fn value(wants: Wants, value: &Tree) -> Option<Tree> {
    let fits = match (wants, value) {
        (Wants::Number, Tree::Number(_))
        | (Wants::Flag, Tree::Bool(_))
        | (Wants::Text, Tree::String(_))
        | (Wants::Values, Tree::Array(_))
        | (Wants::Value, _) => true,
        (Wants::Positive, Tree::Number(number)) => *number > 0.0,
        (Wants::Count, Tree::Number(number)) => *number >= 0.0 && number.fract() == 0.0,
        (Wants::Types, Tree::String(name)) => is_type(name),
        (Wants::Types, Tree::Array(names)) => {
            let types = |name: &Tree| matches!(name, Tree::String(name) if is_type(name));
            return names_once(names)
                .filter(|names| !names.is_empty() && names.iter().all(types))
                .map(Tree::Array);
        }
        (Wants::Names, Tree::Array(names)) => return names_once(names).map(Tree::Array),
        (Wants::NamesByName, Tree::Object(members)) => {
            let names = |(name, names): &(String, Tree)| {
                Some((name.clone(), self::value(Wants::Names, names)?))
            };
            return members
                .iter()
                .map(names)
                .collect::<Option<_>>()
                .map(Tree::Object);
        }
        _ => false,
    };
    fits.then(|| value.clone())
}

/// The names of a list, each once: a list in which one stands twice is no schema.
fn names_once(list: &[Tree]) -> Option<Vec<Tree>> {
    let mut once: Vec<Tree> = Vec::with_capacity(list.len());
    for name in list {
        match name {
            Tree::String(_) if once.contains(name) => {}
            Tree::String(_) => once.push(name.clone()),
            _ => return None,
        }
    }
    Some(once)
}

fn is_type(name: &str) -> bool {
    matches!(
        name,
        "null" | "boolean" | "integer" | "number" | "string" | "array" | "object"
    )
}
