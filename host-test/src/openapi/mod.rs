//! `portcullis import`: an OpenAPI document (3.0.x or 3.1.x) as a policy that a person can read and edit.
//!
//! The module never sees OpenAPI: what it enforces is the policy, so the policy must say all that is enforced, and the
//! import must say all that is not. Nothing of the document is passed over in silence but what no request can break
//! (titles, examples, responses); everything else that has no place in a policy is a finding with its pointer. Where a
//! constraint cannot be kept the policy is wider than the document, never narrower, unless a finding says so.
//!
//! References stay references: a component that operations use becomes a named schema of the policy, once, so that
//! recursion needs no care and a document cannot grow by being read.

mod body;
mod declared;
mod exploded;
mod finding;
mod graph;
mod importer;
mod keyword;
mod legal;
mod name;
mod node;
mod operation;
mod parameter;
mod path;
mod pattern;
mod read;
mod reference;
mod schema;
mod security;
mod server;
mod shape;
mod version;
mod write;

use portcullis_config::{Diagnostic, Document as Tree, Severity, Strictness, Unmatched};

use crate::document::{Document, MAX_VALUES};

pub use finding::{INVALID, NOT_ENFORCED, NOTE};
pub use read::{read, read_file};
pub use write::{Notation, text};

use graph::Known;
use importer::Importer;

/// Two readings say all of nearly every document, and a third that it was all.
const MAX_ROUNDS: usize = 16;

/// What the person who imports decides.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The policy's name; without one it is made of the document's title.
    pub name: Option<String>,
    /// What stands before every path, in place of what the document's `servers` say; empty for nothing.
    pub base_path: Option<String>,
    /// Path parameters that may hold slashes, where they end a path: OpenAPI has no word for them.
    pub tails: Vec<String>,
    /// Properties that only responses may hold.
    pub read_only: ReadOnly,
    /// Whether credentials must be there where the document asks for them. Who they belong to is not judged.
    pub require_security: bool,
    /// Requests that no operation describes.
    pub unmatched: Unmatched,
    /// How values are read as what their schema asks for.
    pub strictness: Strictness,
}

/// What is done about a `readOnly` property in a request. It is never required.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadOnly {
    /// It may be sent, and is then judged by its schema.
    #[default]
    Ignore,
    /// It must not be sent.
    Reject,
}

/// What an OpenAPI document became.
#[derive(Clone, Debug)]
pub struct Import {
    /// The policy, its keys in the order of the policy file. The document reader of `portcullis-config` takes it.
    pub policy: Tree,
    /// The API's title and version, as far as the document has them.
    pub title: String,
    /// What the policy does not enforce although the document says it, in the order of the document.
    pub not_enforced: Vec<Diagnostic>,
    /// What was decided on the way without anything being lost.
    pub notes: Vec<Diagnostic>,
}

impl Import {
    /// How many routes the policy has.
    pub fn routes(&self) -> usize {
        let routes = node::Node::root(&self.policy).get("routes");
        routes.map_or(0, |routes| routes.items().count())
    }
}

/// Turns an OpenAPI document into a policy.
///
/// # Errors
/// If it is no OpenAPI document of a version that is read, if no operation could become a route, or if the policy
/// would be larger than a policy can be.
pub fn import(document: &Document, options: &Options) -> Result<Import, Vec<Diagnostic>> {
    let tree = read::in_order(document);
    let version = version::of(&tree).map_err(|error| vec![error])?;
    let mut known = Known::default();
    for _ in 0..MAX_ROUNDS {
        let mut importer = Importer::new(&tree, version, options, &known);
        let Some(policy) = importer.policy() else {
            return Err(vec![too_large()]);
        };
        let learnt = importer.learnt();
        if learnt == known {
            return finished(importer, policy, document);
        }
        known = learnt;
    }
    Err(vec![finding::invalid(
        "",
        "the schemas lean on each other too deeply to be imported",
        None,
    )])
}

fn finished(
    importer: Importer<'_>,
    policy: Tree,
    document: &Document,
) -> Result<Import, Vec<Diagnostic>> {
    let title = importer.title();
    let (mut not_enforced, mut notes) = importer.findings.into_lists();
    let place = |finding: &Diagnostic| document.spans.at(&finding.pointer).head().start;
    not_enforced.sort_by_cached_key(place);
    notes.sort_by_cached_key(place);
    let (_, diagnostics) = portcullis_config::read(&policy);
    // What reads the policy is what says whether it is one: an option may be no name, or a path no path.
    if diagnostics.has_errors() {
        let errors = diagnostics.into_list().into_iter();
        let at_the_top = errors
            .filter(|error| error.severity == Severity::Error)
            .map(|error| finding::invalid("", &format!("in the policy: {error}"), None));
        return Err(at_the_top.collect());
    }
    let imported = Import {
        policy,
        title,
        not_enforced,
        notes,
    };
    if imported.routes() > 0 {
        return Ok(imported);
    }
    let why = imported.not_enforced.into_iter();
    let mut errors = vec![finding::invalid(
        "/paths",
        "no operation here can become a route",
        None,
    )];
    errors.extend(why);
    Err(errors)
}

fn too_large() -> Diagnostic {
    finding::invalid(
        "",
        &format!("the policy would have more than {MAX_VALUES} values"),
        Some("import a part of the document: one policy a service"),
    )
}
