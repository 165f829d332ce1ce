//! Which properties only responses hold: `readOnly` (OpenAPI 3.0 schema object, JSON Schema validation section 9.4).
//!
//! A request need not have them, whoever requires them: one part of an `allOf` may call read-only what another asks for.

use std::collections::BTreeSet;

use crate::openapi::importer::Importer;
use crate::openapi::node::Node;

/// Schemas that are put together of more than this many are read as far as that.
const MAX_PARTS: usize = 256;

impl<'d> Importer<'d> {
    /// The names of an object's read-only properties, those of its parts among them.
    pub(super) fn read_only_names(
        &self,
        schema: &Node<'d>,
        base: Option<&Node<'d>>,
    ) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut parts = vec![schema.clone()];
        let mut seen = BTreeSet::new();
        while let Some(part) = parts.pop() {
            if seen.len() >= MAX_PARTS || !seen.insert(part.pointer.clone()) {
                continue;
            }
            let properties = part.get("properties");
            let properties = properties.iter().flat_map(Node::children);
            for (name, property) in properties {
                if self.is_read_only(&property, base) {
                    names.insert(name.to_owned());
                }
            }
            let all = part.get("allOf");
            parts.extend(all.iter().flat_map(Node::items));
            let reference = part.text_of("$ref");
            parts.extend(reference.and_then(|reference| self.target(reference, base).ok()));
        }
        names
    }

    /// Whether a property is read-only, by itself or by what it refers to.
    pub(super) fn is_read_only(&self, property: &Node<'d>, base: Option<&Node<'d>>) -> bool {
        let target = || self.target(property.text_of("$ref")?, base).ok();
        property.flag("readOnly") || target().is_some_and(|schema| schema.flag("readOnly"))
    }
}
