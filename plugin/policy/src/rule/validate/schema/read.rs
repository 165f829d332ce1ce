//! One schema document, checked keyword by keyword and laid down as nodes.

mod below;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use portcullis_config::{Diagnostics, Document, code, pointer_child};

use self::values::{names, number, types};
use super::Formats;
use super::arena::{Arena, Assert, Body, Id, Rules, Step};
use super::keyword::{self, Draft, Keyword, Takes};
use super::pattern::{self, Pattern};

/// So deep may schemas stand in each other.
const DEEPEST: usize = 64;
/// Lengths past this are out of reach of any input, and of `usize` in the module.
const LONGEST: f64 = 4_294_967_295.0;

/// A `$ref` that is still to be followed.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) from: Id,
    pub(super) document: usize,
    pub(super) target: String,
    /// Where it stands in the policy.
    pub(super) pointer: String,
}

/// A keyword that is none, or a place for schemas that only references lead to.
#[derive(Debug)]
pub(super) struct Unknown {
    pub(super) document: usize,
    pub(super) local: String,
    pub(super) pointer: String,
    pub(super) name: String,
    pub(super) draft: Draft,
}

/// What reading leaves to do.
#[derive(Debug, Default)]
pub(super) struct Loose {
    pub(super) references: Vec<Reference>,
    pub(super) unknown: Vec<Unknown>,
}

/// Patterns by how they are written: each runs in one place, however often it stands.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    known: BTreeMap<String, Result<Rc<Pattern>, pattern::Fault>>,
}

impl Patterns {
    fn compiled(&mut self, pattern: &str) -> &Result<Rc<Pattern>, pattern::Fault> {
        self.known
            .entry(pattern.to_owned())
            .or_insert_with(|| pattern::compile(pattern).map(Rc::new))
    }
}

/// Reads one document.
pub(super) struct Reader<'r> {
    pub(super) arena: &'r mut Arena,
    pub(super) loose: &'r mut Loose,
    pub(super) patterns: &'r mut Patterns,
    pub(super) diagnostics: &'r mut Diagnostics,
    pub(super) formats: Formats,
    pub(super) draft: Draft,
    /// The number of the document, and where it stands in the policy.
    pub(super) document: usize,
    pub(super) base: &'r str,
    pub(super) failed: bool,
}

/// The draft that a document says it is of.
pub(super) fn draft(
    document: &Document,
    base: &str,
    diagnostics: &mut Diagnostics,
) -> Option<Draft> {
    let Document::Object(members) = document else {
        return Some(Draft::default());
    };
    let uri = members.iter().find_map(|(name, value)| match value {
        Document::String(uri) if name == "$schema" => Some(uri),
        _ => None,
    });
    let Some(uri) = uri else {
        return Some(Draft::default());
    };
    let draft = Draft::of(uri);
    if draft.is_none() {
        diagnostics.error(
            code::SCHEMA_DRAFT,
            pointer_child(base, "$schema"),
            "the schema is of a draft that is not known",
            Some("take `https://json-schema.org/draft/2020-12/schema` (the default) or `http://json-schema.org/draft-07/schema#`".to_owned()),
        );
    }
    draft
}

impl Reader<'_> {
    /// Reads the schema that stands at `local` in the document.
    pub(super) fn schema(&mut self, value: &Document, local: &str, depth: usize) -> Option<Id> {
        let place = (self.document, local.to_owned());
        if let Some(known) = self.arena.places.get(&place) {
            return Some(*known);
        }
        if depth > DEEPEST {
            self.error(
                code::SCHEMA_SIZE,
                local,
                format!("schemas stand in each other more than {DEEPEST} deep"),
                Some("put inner ones into `$defs` and refer to them".to_owned()),
            );
            return None;
        }
        let id = self.arena.add(format!("{}{local}", self.base));
        let Some(id) = id else {
            // Said once, by who reads the documents.
            self.failed = true;
            return None;
        };
        self.arena.places.insert(place, id);
        let body = match value {
            Document::Bool(always) => Body::Always(*always),
            Document::Object(members) => Body::Rules(self.object(id, members, local, depth)),
            other => {
                self.invalid(
                    local,
                    format!("a schema is an object or a boolean, not {}", other.kind()),
                );
                return None;
            }
        };
        self.arena.fill(id, body);
        Some(id)
    }

    fn object(
        &mut self,
        id: Id,
        members: &[(String, Document)],
        local: &str,
        depth: usize,
    ) -> Rules {
        let mut half = Half {
            id,
            rules: Rules::default(),
            depth,
            tuple: false,
            rest: None,
        };
        // In draft-07 nothing beside a `$ref` counts.
        let alone = self.draft == Draft::Seven && members.iter().any(|(name, _)| name == "$ref");
        for (name, value) in self.distinct(members, local) {
            let local = pointer_child(local, name);
            match keyword::find(name) {
                Some(keyword) if !keyword.is_of(self.draft) => {
                    self.of_another_draft(keyword, &local);
                }
                Some(keyword) => {
                    self.keyword(keyword, value, &local, &mut half);
                    if alone && keyword.asserts() {
                        self.diagnostics.warning(
                            code::SCHEMA_KEYWORD,
                            format!("{}{local}", self.base),
                            format!("`{name}` is ignored beside `$ref` in draft-07"),
                            Some(
                                "put the `$ref` into an `allOf`, or leave `$schema` out".to_owned(),
                            ),
                        );
                    }
                }
                None if keyword::is_foreign(name) => {}
                None => self.loose.unknown.push(Unknown {
                    document: self.document,
                    pointer: format!("{}{local}", self.base),
                    local,
                    name: name.to_owned(),
                    draft: self.draft,
                }),
            }
        }
        if alone {
            return Rules::default();
        }
        let mut rules = half.rules;
        if let Some(rest) = half.rest.filter(|_| half.tuple) {
            rules.children.push((Step::Items, rest));
        }
        rules
    }

    /// The members, each name once.
    fn distinct<'m>(
        &mut self,
        members: &'m [(String, Document)],
        local: &str,
    ) -> Vec<(&'m str, &'m Document)> {
        let mut seen = BTreeSet::new();
        let mut list = Vec::with_capacity(members.len());
        for (name, value) in members {
            if seen.insert(name.as_str()) {
                list.push((name.as_str(), value));
                continue;
            }
            let local = pointer_child(local, name);
            self.error(
                code::DUPLICATE_KEY,
                &local,
                "the key stands twice".to_owned(),
                None,
            );
        }
        list
    }

    fn keyword(&mut self, keyword: &Keyword, value: &Document, local: &str, half: &mut Half) {
        let name = keyword.name;
        let assert = |half: &mut Half, assert: Assert| half.rules.asserts.push(assert);
        match (keyword.takes, value) {
            (Takes::Schema, value) => self.child(name, value, local, half),
            (Takes::Schemas, Document::Array(list)) if !list.is_empty() => {
                let step = match name {
                    "allOf" => Step::AllOf,
                    "anyOf" => Step::AnyOf,
                    "oneOf" => Step::OneOf,
                    _ => Step::Prefix,
                };
                self.children(list, &step, local, half);
            }
            (Takes::Schemas, _) => self.wrong(local, name, "a list of at least one schema"),
            (Takes::SchemaMap | Takes::PatternMap, Document::Object(members)) => {
                self.map(keyword, members, local, half);
            }
            (Takes::SchemaMap | Takes::PatternMap, _) => {
                self.wrong(local, name, "an object of schemas");
            }
            (Takes::Items, Document::Array(list)) if self.draft == Draft::Seven => {
                half.tuple = true;
                self.children(list, &Step::Prefix, local, half);
            }
            (Takes::Items, Document::Array(_)) => self.error(
                code::SCHEMA_INVALID,
                local,
                "`items` takes one schema".to_owned(),
                Some("a list of schemas is `prefixItems` since draft 2020-12".to_owned()),
            ),
            (Takes::Items, value) => self.attach(Step::Items, value, local, half),
            (Takes::Dependencies, Document::Object(members)) => {
                self.dependencies(members, local, half);
            }
            (Takes::Types, value) => match types(value) {
                Some(types) => assert(half, Assert::Types(types)),
                None => self.wrong(
                    local,
                    name,
                    "one of `null`, `boolean`, `integer`, `number`, `string`, `array` and `object`, or a list of them",
                ),
            },
            (Takes::Value, value) => {
                let value = self.data(value, local);
                assert(half, Assert::Const(value));
            }
            (Takes::Values, Document::Array(list)) => {
                let values = self.values(list, local);
                assert(half, Assert::Enum(values));
            }
            (Takes::Notes, Document::Array(_)) | (Takes::Note, _) => {}
            (Takes::Values | Takes::Notes, _) => self.wrong(local, name, "a list"),
            (Takes::Count(becomes), Document::Number(n)) if *n >= 0.0 && n.fract() == 0.0 => {
                assert(half, becomes(n.min(LONGEST) as usize));
            }
            (Takes::Count(_), _) => self.wrong(local, name, "an integer that is not negative"),
            (Takes::Number(becomes), Document::Number(n)) => assert(half, becomes(number(*n))),
            (Takes::Number(_), Document::Bool(_)) => self.error(
                code::SCHEMA_INVALID,
                local,
                format!("`{name}` takes a number"),
                Some("since draft-06 it is the bound itself, not a word on another".to_owned()),
            ),
            (Takes::Number(_), _) => self.wrong(local, name, "a number"),
            (Takes::Positive, Document::Number(n)) if *n > 0.0 => {
                assert(half, Assert::MultipleOf(*n));
            }
            (Takes::Positive, _) => self.wrong(local, name, "a number above zero"),
            (Takes::Boolean, Document::Bool(on)) => {
                if *on && name == "uniqueItems" {
                    assert(half, Assert::UniqueItems);
                }
            }
            (Takes::Boolean, _) => self.wrong(local, name, "`true` or `false`"),
            (Takes::Pattern, Document::String(text)) => {
                if let Some(pattern) = self.pattern(text, local) {
                    assert(half, Assert::Pattern(pattern));
                }
            }
            (Takes::Names, value) => match names(value) {
                Some(names) => assert(half, Assert::Required(names)),
                None => self.wrong(local, name, "a list of distinct names"),
            },
            (Takes::NamesMap, Document::Object(members)) => {
                self.names_map(members, local, half);
            }
            (Takes::NamesMap | Takes::Dependencies, _) => {
                self.wrong(local, name, "an object of lists of distinct names");
            }
            (Takes::Format, Document::String(text)) => self.format(text, local, half),
            (Takes::Reference, Document::String(target)) => {
                self.loose.references.push(Reference {
                    from: half.id,
                    document: self.document,
                    target: target.clone(),
                    pointer: format!("{}{local}", self.base),
                });
            }
            (Takes::Anchor, Document::String(anchor)) => {
                let key = (self.document, anchor.clone());
                if self.arena.anchors.insert(key, half.id).is_some() {
                    self.invalid(local, "another schema has the same anchor");
                }
            }
            (Takes::Dialect, Document::String(uri)) => {
                if Draft::of(uri).is_some_and(|draft| draft != self.draft) {
                    self.error(
                        code::SCHEMA_DRAFT,
                        local,
                        "one document is of one draft".to_owned(),
                        Some("put the schema into `schemas`".to_owned()),
                    );
                }
            }
            (Takes::Text, Document::String(_)) => {}
            (Takes::Address, _) => self.error(
                code::SCHEMA_ID,
                local,
                format!("`{name}` is not supported: a schema has no address of its own here"),
                Some(
                    "leave it out, and refer to what `schemas` holds as `#/schemas/NAME`"
                        .to_owned(),
                ),
            ),
            (
                Takes::Pattern
                | Takes::Format
                | Takes::Reference
                | Takes::Anchor
                | Takes::Dialect
                | Takes::Text,
                _,
            ) => self.wrong(local, name, "a string"),
        }
    }

    fn of_another_draft(&mut self, keyword: &Keyword, local: &str) {
        let help = match keyword.name {
            "additionalItems" => {
                "write `prefixItems` for the first places and `items` for the rest"
            }
            _ => "leave `$schema` out: without it a schema is of draft 2020-12",
        };
        let message = format!("{} has no `{}`", self.draft.name(), keyword.name);
        self.error(code::SCHEMA_KEYWORD, local, message, Some(help.to_owned()));
    }

    fn wrong(&mut self, local: &str, name: &str, takes: &str) {
        self.invalid(local, format!("`{name}` takes {takes}"));
    }

    fn invalid(&mut self, local: &str, message: impl Into<String>) {
        self.error(code::SCHEMA_INVALID, local, message.into(), None);
    }

    fn error(&mut self, code: &'static str, local: &str, message: String, help: Option<String>) {
        self.failed = true;
        self.diagnostics
            .error(code, format!("{}{local}", self.base), message, help);
    }
}

/// A schema object that is being read.
struct Half {
    id: Id,
    rules: Rules,
    depth: usize,
    /// Whether draft-07's `items` is a list, and what `additionalItems` is then.
    tuple: bool,
    rest: Option<Id>,
}

/// As much of a word as a message shows.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(64).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}
