//! What a schema's values are, as far as it says: whether `explode` or `style` mean anything depends on it.

use portcullis_config::Document as Tree;

use super::importer::Importer;
use super::node::Node;

/// Schemas that are put together of more than this many are taken for anything.
const MAX_PARTS: usize = 64;

impl<'d> Importer<'d> {
    /// Whether a value may be a list or an object.
    pub(super) fn may_be_collection(&self, schema: &Node<'d>) -> bool {
        self.may_be(schema, |kind| matches!(kind, "array" | "object"), &mut 0)
    }

    /// Whether a value can be nothing but an object, or null.
    pub(super) fn is_object_alone(&self, schema: &Node<'d>) -> bool {
        self.may_be(schema, |kind| kind == "object", &mut 0)
            && !self.may_be(schema, |kind| !matches!(kind, "object" | "null"), &mut 0)
    }

    /// Whether a value may be an object.
    pub(super) fn may_be_object(&self, schema: &Node<'d>) -> bool {
        self.may_be(schema, |kind| kind == "object", &mut 0)
    }

    /// Whether a value may be a text.
    pub(super) fn may_be_text(&self, schema: &Node<'d>) -> bool {
        self.may_be(schema, |kind| kind == "string", &mut 0)
    }

    fn may_be(&self, schema: &Node<'d>, is: fn(&str) -> bool, parts: &mut usize) -> bool {
        *parts += 1;
        if *parts > MAX_PARTS {
            return true;
        }
        match schema.get("type").map(|kind| kind.value) {
            Some(Tree::String(kind)) => return is(kind),
            Some(Tree::Array(kinds)) => {
                return kinds
                    .iter()
                    .any(|kind| matches!(kind, Tree::String(kind) if is(kind)));
            }
            _ => {}
        }
        if let Some(reference) = schema.text_of("$ref") {
            let target = self.target(reference, None).ok();
            return target.is_none_or(|target| self.may_be(&target, is, parts));
        }
        if let Some(all) = schema.get("allOf") {
            return all.items().all(|part| self.may_be(&part, is, parts));
        }
        for name in ["anyOf", "oneOf"] {
            if let Some(either) = schema.get(name) {
                return either.items().any(|part| self.may_be(&part, is, parts));
            }
        }
        let values = schema.get("enum").into_iter().flat_map(|list| list.items());
        let values: Vec<Node<'d>> = values.chain(schema.get("const")).collect();
        values.is_empty() || values.iter().any(|value| is(kind_of(value.value)))
    }
}

fn kind_of(value: &Tree) -> &'static str {
    match value {
        Tree::Null => "null",
        Tree::Bool(_) => "boolean",
        Tree::Number(_) => "number",
        Tree::String(_) => "string",
        Tree::Array(_) => "array",
        Tree::Object(_) => "object",
    }
}
