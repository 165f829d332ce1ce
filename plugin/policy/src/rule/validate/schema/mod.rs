//! JSON Schemas behind one small trait.
//!
//! A library judges (`boon`: both drafts, linear patterns); what is here is what it lacks at the edge of a network. A
//! schema is read strictly, all its mistakes at once (`read`, `keyword`, `pattern`, `resolve`), bounded (`graph`,
//! `budget`), handed over in a form that the library judges rightly (`emit`, `format`), and what it finds is said
//! without the value (`explain`, `message`).

mod arena;
mod budget;
mod distinct;
mod emit;
mod explain;
mod format;
mod graph;
mod instant;
mod keyword;
mod mail;
mod message;
mod number;
mod pattern;
mod read;
mod resolve;
#[cfg(test)]
mod tests;
mod uri;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::{self, Debug};
use std::rc::Rc;

use portcullis_config::{Diagnostics, Document, code, pointer_child};
use serde_json::Value;

use self::arena::{Arena, Id, MOST};
use self::emit::{Emitter, address};
use self::explain::Leaf;
use self::graph::Graph;
use self::read::Patterns;
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
    compiler: boon::Compiler,
    engine: Rc<Engine>,
    /// How many nodes the engine has.
    emitted: BTreeSet<Id>,
    /// Whether a named schema is wrong, so that nothing that refers to it can be compiled.
    broken: bool,
}

/// What all compiled schemas of a policy share.
#[derive(Default)]
struct Engine {
    schemas: RefCell<boon::Schemas>,
    /// Patterns as the policy has them, by those that the library runs.
    written: RefCell<BTreeMap<String, String>>,
}

/// The library reads no file and asks no network.
struct Refuse;

impl boon::UrlLoader for Refuse {
    fn load(&self, _: &str) -> Result<Value, Box<dyn Error>> {
        Err("a schema is not fetched".into())
    }
}

impl Schemas {
    /// Reads the named schemas of a policy, which stand at `/schemas`.
    pub(crate) fn new(
        named: Option<&[(String, Document)]>,
        formats: Formats,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let mut compiler = boon::Compiler::new();
        compiler.enable_format_assertions();
        compiler.use_loader(Box::new(Refuse));
        format::register(&mut compiler);
        let mut schemas = Self {
            documents: Documents::default(),
            arena: Arena::default(),
            graph: Graph::default(),
            patterns: Patterns::default(),
            formats,
            compiler,
            engine: Rc::default(),
            emitted: BTreeSet::new(),
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
        self.arena.targets.insert(root);
        self.arena
            .targets
            .extend(self.graph.gated.iter().map(|(_, to)| *to));
        let Ok(deepest) = self.graph.deepest(&self.arena, root) else {
            let message = "one value would be judged by too many schemas within each other";
            let help = "refer to schemas, not to schemas that only refer to others";
            diagnostics.error(code::SCHEMA_SIZE, pointer, message, Some(help.to_owned()));
            return None;
        };
        let Some(index) = self.hand_over(root) else {
            // Not to be: what the library is given is well formed. It must not pass unjudged if it is not. What the
            // library would say of it costs the module more than all messages of its own.
            let message = "the schema cannot be compiled";
            diagnostics.error(code::SCHEMA_INVALID, pointer, message, None);
            return None;
        };
        Some(Rc::new(Compiled {
            engine: Rc::clone(&self.engine),
            index,
            deepest,
            gated: self.graph.is_gated(&self.arena, root),
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

    /// Gives the library the documents that it does not have yet, and compiles one.
    fn hand_over(&mut self, root: Id) -> Option<boon::SchemaIndex> {
        let emitter = Emitter {
            arena: &self.arena,
            graph: &self.graph,
        };
        // Those of a document that is wrong are never reached: it may lead in circles.
        for id in graph::reached(&self.arena, root) {
            if self.arena.targets.contains(&id) && self.emitted.insert(id) {
                self.compiler
                    .add_resource(&address(id), emitter.document(id))
                    .ok()?;
            }
        }
        self.engine
            .written
            .borrow_mut()
            .append(&mut self.patterns.written);
        let mut schemas = self.engine.schemas.borrow_mut();
        self.compiler.compile(&address(root), &mut schemas).ok()
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
    engine: Rc<Engine>,
    index: boon::SchemaIndex,
    /// How deep a value may be nested, where the schema sets no bound itself.
    deepest: Option<usize>,
    /// Whether judging it spends of the budget.
    gated: bool,
}

impl Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compiled")
            .field("index", &self.index)
            .field("deepest", &self.deepest)
            .finish_non_exhaustive()
    }
}

impl Compiled {
    /// What is wrong with a value, and where in it.
    fn reasons(&self, value: &Value) -> Vec<Leaf> {
        if let Some(deepest) = self.deepest.filter(|deepest| is_deeper(value, *deepest)) {
            return vec![Leaf::of_all(message::too_deep(deepest))];
        }
        if self.gated {
            budget::refill(value);
        }
        let schemas = self.engine.schemas.borrow();
        let verdict = schemas.validate(value, self.index);
        if self.gated && budget::ran_dry() {
            return vec![Leaf::of_all(message::too_branched())];
        }
        match verdict {
            Ok(()) => Vec::new(),
            Err(error) => explain::leaves(&error, value, &self.engine.written.borrow()),
        }
    }
}

impl Schema for Compiled {
    fn judge(&self, value: &Value, place: Place, at: &[Token], found: &mut Violations) {
        for Leaf { path, said } in self.reasons(value) {
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
