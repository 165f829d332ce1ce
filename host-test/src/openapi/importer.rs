//! What the parts of an import share: the document, what was found, and the schemas that are to be named.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use portcullis_config::{Document as Tree, Strictness, Unmatched, pointer_child};

use crate::document::MAX_VALUES;

use super::Options;
use super::finding::Findings;
use super::graph::{Known, Reference};
use super::name::{Names, policy_name};
use super::node::Node;
use super::reference::unescaped;
use super::version::Version;

/// Texts count for one value more each so many bytes, as the document reader counts aliases.
const BYTES_A_VALUE: usize = 32;

/// One reading of a document.
pub(super) struct Importer<'d> {
    pub(super) root: Node<'d>,
    pub(super) version: Version,
    pub(super) options: &'d Options,
    pub(super) findings: Findings,
    /// What the readings before this one found out.
    known: &'d Known,
    /// Schemas, by pointer, that turned out to be wider.
    loose: BTreeSet<String>,
    references: Vec<Reference>,
    /// How often a schema was widened.
    pub(super) widened: usize,
    /// The names of the schemas that are referred to, by pointer.
    names_of_schemas: BTreeMap<String, String>,
    schema_names: Names,
    /// Those schemas in the order of their first use.
    wanted: Vec<Node<'d>>,
    /// The document's named schemas, which references look up one by one.
    components: HashMap<&'d str, &'d Tree>,
    /// Whether any schema has an `$id`, in which references would begin.
    has_ids: bool,
    values: usize,
}

impl<'d> Importer<'d> {
    pub(super) fn new(
        tree: &'d Tree,
        version: Version,
        options: &'d Options,
        known: &'d Known,
    ) -> Self {
        let root = Node::root(tree);
        let components = root.get("components").and_then(|it| it.get("schemas"));
        let components = components.iter().flat_map(Node::children);
        Self {
            components: components.map(|(name, node)| (name, node.value)).collect(),
            has_ids: has_id(tree),
            root,
            version,
            options,
            findings: Findings::default(),
            known,
            loose: BTreeSet::new(),
            references: Vec::new(),
            widened: 0,
            names_of_schemas: BTreeMap::new(),
            schema_names: Names::default(),
            wanted: Vec::new(),
            values: 0,
        }
    }

    /// The whole policy; `None` if it would be larger than a policy can be.
    pub(super) fn policy(&mut self) -> Option<Tree> {
        let routes = self.routes();
        let schemas = self.named_schemas();
        if self.is_full() {
            return None;
        }
        let name = match &self.options.name {
            Some(name) => name.clone(),
            None => policy_name(&self.info("title")),
        };
        let mut members = vec![
            member("version", Tree::Number(1.0)),
            member("name", text(name)),
        ];
        if !schemas.is_empty() {
            members.push(member("schemas", Tree::Object(schemas)));
        }
        if !routes.is_empty() {
            members.push(member("routes", Tree::Array(routes)));
        }
        if self.options.unmatched == Unmatched::Reject {
            members.push(member("unmatched", text("reject")));
        }
        let policy = Tree::Object(members);
        (size_of(&policy) <= MAX_VALUES).then_some(policy)
    }

    /// What is known after this reading.
    pub(super) fn learnt(&mut self) -> Known {
        let mut known = self.known.clone();
        known.loose.append(&mut self.loose);
        known.learn(&self.references);
        known
    }

    /// The API's title and version: `Game API 1.2.0`.
    pub(super) fn title(&self) -> String {
        let words = [self.info("title"), self.info("version")];
        words.join(" ").trim().to_owned()
    }

    fn info(&self, key: &str) -> String {
        let info = self.root.get("info");
        let text = info.as_ref().and_then(|info| info.text_of(key));
        text.unwrap_or_default().to_owned()
    }

    /// The name under which the policy holds the schema that stands there.
    fn name_of_schema(&mut self, schema: Node<'d>) -> String {
        if let Some(name) = self.names_of_schemas.get(&schema.pointer) {
            return name.clone();
        }
        let place = schema.pointer.trim_start_matches('/');
        let own = place.strip_prefix("components/schemas/").unwrap_or(place);
        let name = self.schema_names.take(&unescaped(&own.replace('/', ".")));
        self.names_of_schemas
            .insert(schema.pointer.clone(), name.clone());
        self.wanted.push(schema);
        name
    }

    /// One of the document's named schemas.
    pub(super) fn component(&self, name: &str) -> Option<Node<'d>> {
        Some(Node {
            value: self.components.get(name)?,
            pointer: pointer_child("/components/schemas", name),
        })
    }

    /// The innermost schema with an `$id` around a place.
    pub(super) fn base_of(&self, node: &Node<'d>) -> Option<Node<'d>> {
        let mut at = self.root.clone();
        let mut base = None;
        let tokens = node.pointer.split('/').skip(1);
        for token in tokens.filter(|_| self.has_ids) {
            at = at.step(&unescaped(token))?;
            if at.text_of("$id").is_some() {
                base = Some(at.clone());
            }
        }
        base
    }

    /// The policy's reference for a schema's `$ref`; `None` if it leads back to what is judged already, which is told.
    pub(super) fn refer(&mut self, reference: Reference, target: Node<'d>) -> Option<String> {
        if self.known.circular.contains(&reference.at) {
            let pointer = format!("{}/$ref", reference.at);
            let message =
                "this leads back to a schema that judges the same value: there it is left out";
            self.widen(&pointer, message, None);
            return None;
        }
        if self.known.loose.contains(&reference.to) {
            self.widened += 1;
        }
        self.references.push(reference);
        Some(format!("#/schemas/{}", self.name_of_schema(target)))
    }

    /// Schemas that are referred to may refer to more of them.
    fn named_schemas(&mut self) -> Vec<(String, Tree)> {
        let mut schemas = Vec::new();
        let mut next = 0;
        while let Some(node) = self.wanted.get(next).cloned() {
            next += 1;
            let before = self.widened;
            let schema = self.schema(&node);
            if self.widened != before {
                self.loose.insert(node.pointer.clone());
            }
            if let Some(name) = self.names_of_schemas.get(&node.pointer) {
                schemas.push((name.clone(), schema));
            }
        }
        schemas
    }

    /// Counts what goes into the policy: components are written out wherever they are used.
    pub(super) fn count(&mut self, tree: &Tree) {
        self.values = self.values.saturating_add(size_of(tree));
    }

    /// Whether the policy is as large as a policy can be. Nothing more is read then.
    pub(super) fn is_full(&self) -> bool {
        self.values > MAX_VALUES
    }

    /// Something that a schema says and the policy does not: the schema lets more through than it should.
    pub(super) fn widen(&mut self, pointer: &str, message: impl Into<String>, help: Option<&str>) {
        self.widened += 1;
        self.findings.gap(pointer, message, help);
    }

    /// Something else that the document says and the policy does not.
    pub(super) fn gap(&mut self, pointer: &str, message: impl Into<String>, help: Option<&str>) {
        self.findings.gap(pointer, message, help);
    }

    /// A decision that loses nothing.
    pub(super) fn note(&mut self, pointer: &str, message: impl Into<String>, help: Option<&str>) {
        self.findings.note(pointer, message, help);
    }

    /// `strictness`, where it is not the default.
    pub(super) fn strictness(&self) -> Option<(String, Tree)> {
        match self.options.strictness {
            Strictness::Schema => None,
            Strictness::Pydantic => Some(member("strictness", text("pydantic"))),
        }
    }
}

fn has_id(tree: &Tree) -> bool {
    match tree {
        Tree::Array(items) => items.iter().any(has_id),
        Tree::Object(members) => members
            .iter()
            .any(|(name, value)| name == "$id" || has_id(value)),
        _ => false,
    }
}

/// How many values of a policy these are.
fn size_of(tree: &Tree) -> usize {
    1 + match tree {
        Tree::Array(items) => items.iter().map(size_of).sum(),
        Tree::Object(members) => members
            .iter()
            .map(|(name, value)| name.len() / BYTES_A_VALUE + size_of(value))
            .sum(),
        Tree::String(text) => text.len() / BYTES_A_VALUE,
        _ => 0,
    }
}

/// A member of an object.
pub(super) fn member(name: &str, value: Tree) -> (String, Tree) {
    (name.to_owned(), value)
}

/// A text.
pub(super) fn text(text: impl Into<String>) -> Tree {
    Tree::String(text.into())
}
