//! What OpenAPI's schemas have of their own: `nullable`, boolean `exclusiveMinimum`, `discriminator`, dialects.

use portcullis_config::Document as Tree;

use crate::openapi::importer::{Importer, text};
use crate::openapi::keyword::Wants;
use crate::openapi::node::Node;

use super::{Inside, Keywords};

/// Keywords that a value must pass whatever its type.
const COMPOSITION: &[&str] = &["allOf", "anyOf", "oneOf", "not", "if", "const"];

/// The dialects that are read, without `#` at their ends.
const DIALECTS: &[&str] = &[
    "https://json-schema.org/draft/2020-12/schema",
    "https://spec.openapis.org/oas/3.1/dialect/base",
];

impl<'d> Importer<'d> {
    /// The schema that also takes `null`, where it says so.
    ///
    /// OpenAPI 3.0.3 lets `nullable` count only beside `type`; generators write it beside `allOf` and mean the same.
    pub(super) fn nullable(&mut self, schema: &Node<'d>, mut keywords: Keywords) -> Keywords {
        let Some(flag) = schema.get("nullable").filter(|_| schema.flag("nullable")) else {
            return keywords;
        };
        if !self.is_v30() {
            let message = "OpenAPI 3.1 has no `nullable`: `null` is refused here";
            self.note(
                &flag.pointer,
                message,
                Some("write `type: [..., \"null\"]`"),
            );
            return keywords;
        }
        let null = || text("null");
        if COMPOSITION.iter().any(|name| keywords.has(name)) {
            let null = Tree::Object(vec![("type".to_owned(), null())]);
            let mut either = Keywords::default();
            either.push("anyOf", Tree::Array(vec![keywords.into_tree(), null]));
            return either;
        }
        if let Some((_, kind)) = keywords.list.iter_mut().find(|(name, _)| name == "type") {
            match kind {
                Tree::Array(names) if !names.contains(&null()) => names.push(null()),
                Tree::String(name) if name != "null" => {
                    *kind = Tree::Array(vec![text(name.clone()), null()]);
                }
                _ => {}
            }
        }
        if let Some((_, Tree::Array(values))) =
            keywords.list.iter_mut().find(|(name, _)| name == "enum")
            && !values.contains(&Tree::Null)
        {
            values.push(Tree::Null);
        }
        keywords
    }

    /// `exclusiveMinimum` and its like: a number since JSON Schema draft-06, before it a word about `minimum`.
    pub(super) fn exclusive(
        &mut self,
        name: &str,
        bound: &str,
        value: &Node<'d>,
        schema: &Node<'d>,
        inside: &Inside<'d>,
        keywords: &mut Keywords,
    ) {
        let limit = match value.value {
            Tree::Bool(false) => return,
            Tree::Bool(true) => schema
                .get(bound)
                .filter(|limit| matches!(limit.value, Tree::Number(_))),
            _ => Some(value.clone()),
        };
        // Without a bound beside it the word says nothing.
        let kept =
            limit.and_then(|limit| self.assertion(name, Wants::Number, &limit, schema, inside));
        if let Some(kept) = kept {
            keywords.push(name, kept);
        }
    }

    /// A `discriminator` is a hint (OpenAPI 3.1 section 4.8.25): it never changes what is valid.
    pub(super) fn discriminator(&mut self, value: &Node<'d>, schema: &Node<'d>) {
        let judge = ["oneOf", "anyOf"]
            .into_iter()
            .find(|name| schema.get(name).is_some());
        match judge {
            Some(name) => {
                let message =
                    format!("`discriminator` is a hint: `{name}` judges, and nothing is lost");
                self.note(&value.pointer, message, None);
            }
            None => self.gap(
                &value.pointer,
                "`discriminator` without `oneOf`: which schema is meant is not judged",
                Some("list the schemas in a `oneOf`"),
            ),
        }
    }

    /// The dialect that a schema or the document says it is written in.
    pub(in crate::openapi) fn dialect(&mut self, value: &Node<'d>) {
        let name = value.text().unwrap_or_default();
        if !DIALECTS.contains(&name.trim_end_matches('#')) {
            let message = format!("`{name}` is read as JSON Schema draft 2020-12");
            self.gap(&value.pointer, message, None);
        }
    }
}
