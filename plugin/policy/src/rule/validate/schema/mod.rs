//! JSON Schemas behind one small trait.
//!
//! A schema is read strictly, all its mistakes at once (`read`, `keyword`, `pattern`, `resolve`), into a graph whose
//! cost is bounded (`arena`, `graph`), and laid out for judging (`plan`). A value is judged by that in two passes: one that
//! says whether it is right (`judge`, `evaluated`, `budget`), and for those that are not one that says what is wrong, without
//! the value (`report`, `message`).
//!
//! The judge is ours because none that is linear fits the module: those of others keep account of every error before it is
//! known that there is one, go through each reference anew, and bring tables and parsers for what policies refuse.

mod arena;
mod budget;
mod distinct;
mod evaluated;
mod format;
mod graph;
mod instant;
mod judge;
mod keyword;
mod mail;
mod message;
mod number;
mod pattern;
mod plan;
mod read;
mod report;
mod resolve;
#[cfg(test)]
mod tests;
mod types;
mod uri;

use std::cell::RefCell;
use std::fmt::{self, Debug};
use std::rc::Rc;

use portcullis_config::{Diagnostics, Document, code, pointer_child};
use serde_json::Value;

use self::arena::{Arena, Id, MOST};
use self::graph::Graph;
use self::judge::Judge;
use self::plan::{Link, Plan};
use self::read::Patterns;
use self::report::Finding;
use self::resolve::{Documents, Source};
use super::violation::{Place, Token, Violation, Violations};

/// A compiled JSON Schema.
pub(crate) trait Schema: Debug {
    /// Adds what is wrong with `value`, which stands at `at` in `place`.
    fn judge(&self, value: &Value, place: Place, at: &[Token], found: &mut Violations);
}

/// What `format` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Formats {
    /// Known formats are checked; unknown ones are warned of.
    Assert,
    /// Notes for people, as the standard has it where nothing else is said.
    Annotate,
}

/// The schemas of one policy.
pub(crate) struct Schemas {
    documents: Documents,
    arena: Arena,
    graph: Graph,
    patterns: Patterns,
    formats: Formats,
    /// Shared by all that is compiled. It grows with each schema, and is only read once they judge.
    plan: Rc<RefCell<Plan>>,
    /// Whether a named schema is wrong, so that nothing that refers to it can be compiled.
    broken: bool,
}

impl Schemas {
    /// Reads the named schemas of a policy, which stand at `/schemas`.
    pub(crate) fn new(
        named: Option<&[(String, Document)]>,
        formats: Formats,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let mut schemas = Self {
            documents: Documents::default(),
            arena: Arena::default(),
            graph: Graph::default(),
            patterns: Patterns::default(),
            formats,
            plan: Rc::default(),
            broken: false,
        };
        let sources: Vec<Source> = named
            .unwrap_or_default()
            .iter()
            .map(|(name, document)| Source {
                name: Some(name.clone()),
                pointer: pointer_child("/schemas", name),
                document: Rc::new(document.clone()),
            })
            .collect();
        schemas.broken = schemas.read(sources, diagnostics).is_none();
        schemas
    }

    /// Compiles a schema that stands at `pointer` in the policy. All that is wrong with it goes to the diagnostics;
    /// `None` where any of that is an error.
    pub(crate) fn compile(
        &mut self,
        schema: &Document,
        pointer: &str,
        diagnostics: &mut Diagnostics,
    ) -> Option<Rc<dyn Schema>> {
        let source = Source {
            name: None,
            pointer: pointer.to_owned(),
            document: Rc::new(schema.clone()),
        };
        let root = *self.read(vec![source], diagnostics)?.first()?;
        if self.broken {
            return None;
        }
        let Ok(deepest) = self.graph.deepest(&self.arena, root) else {
            let message = "one value would be judged by too many schemas within each other";
            let help = "refer to schemas, not to schemas that only refer to others";
            diagnostics.error(code::SCHEMA_SIZE, pointer, message, Some(help.to_owned()));
            return None;
        };
        let root = self.plan.borrow_mut().add(&self.arena, &self.graph, root);
        Some(Rc::new(Compiled {
            plan: Rc::clone(&self.plan),
            root,
            deepest,
        }))
    }

    /// Reads documents and follows their references; their roots if nothing is wrong.
    fn read(&mut self, sources: Vec<Source>, diagnostics: &mut Diagnostics) -> Option<Vec<Id>> {
        let before = self.arena.nodes.len();
        if before >= MOST {
            // Said when it came to that.
            return None;
        }
        let first = sources.first().map(|source| source.pointer.clone());
        let read = resolve::Resolve {
            documents: &mut self.documents,
            arena: &mut self.arena,
            patterns: &mut self.patterns,
            formats: self.formats,
            diagnostics,
        }
        .documents(sources);
        if self.arena.nodes.len() >= MOST {
            diagnostics.error(
                code::SCHEMA_SIZE,
                first.unwrap_or_default(),
                format!("the policy has more than {MOST} schemas, counting those inside others"),
                Some("put what is written more than once into `schemas`".to_owned()),
            );
            return None;
        }
        let fine = self.graph.extend(&self.arena, diagnostics);
        read.filter(|_| fine)
    }
}

impl Debug for Schemas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schemas")
            .field("nodes", &self.arena.nodes.len())
            .finish_non_exhaustive()
    }
}

struct Compiled {
    plan: Rc<RefCell<Plan>>,
    root: Link,
    /// How deep a value may be nested, where the schema sets no bound itself.
    deepest: Option<usize>,
}

impl Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compiled")
            .field("root", &self.root)
            .field("deepest", &self.deepest)
            .finish_non_exhaustive()
    }
}

impl Compiled {
    /// What is wrong with a value, and where in it.
    fn findings(&self, value: &Value) -> Vec<Finding> {
        if let Some(deepest) = self.deepest.filter(|deepest| is_deeper(value, *deepest)) {
            return vec![Finding::of_all(message::too_deep(deepest))];
        }
        let plan = self.plan.borrow();
        let mut judge = Judge::new(&plan, value);
        let holds = judge.holds(self.root, value);
        if judge.budget.is_dry() {
            return vec![Finding::of_all(message::too_branched())];
        }
        match holds {
            true => Vec::new(),
            false => report::findings(&plan, self.root, value),
        }
    }
}

impl Schema for Compiled {
    fn judge(&self, value: &Value, place: Place, at: &[Token], found: &mut Violations) {
        for Finding { path, said, .. } in self.findings(value) {
            if found.is_full() {
                return;
            }
            found.push(Violation {
                place,
                path: at.iter().cloned().chain(path).collect(),
                keyword: said.keyword,
                kind: said.kind,
                message: said.message,
            });
        }
    }
}

/// Whether arrays and objects stand in each other more than this deep.
fn is_deeper(value: &Value, deepest: usize) -> bool {
    let left = deepest.checked_sub(1);
    let inner = |value| left.is_none_or(|left| is_deeper(value, left));
    match value {
        Value::Array(list) => left.is_none() || list.iter().any(inner),
        Value::Object(members) => left.is_none() || members.values().any(inner),
        _ => false,
    }
}
