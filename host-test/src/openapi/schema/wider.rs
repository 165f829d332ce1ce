//! What stands around a schema that is wider than the document says.
//!
//! Wider is safe to say of a value that must match. It is not where a match counts against the value: there what leans on
//! the schema goes too, so that nothing is refused which the document allows.

use portcullis_config::Document as Tree;

use crate::openapi::importer::Importer;
use crate::openapi::node::Node;

use super::Keywords;

/// A keyword in which something is wider, and those that then refuse what they should not.
const LEANING: &[(&str, &[&str])] = &[
    ("not", &["not"]),
    ("if", &["if", "then", "else"]),
    ("contains", &["maxContains"]),
    ("patternProperties", &["additionalProperties"]),
];

impl<'d> Importer<'d> {
    /// Makes sure that a schema with something wider in it is itself wider, not narrower.
    pub(super) fn settle(&mut self, schema: &Node<'d>, keywords: &mut Keywords) {
        for (wide, leaning) in LEANING {
            if keywords.wider.iter().any(|name| name == wide) {
                self.leave_out(leaning, schema, keywords);
            }
        }
        // A value is evaluated by whatever keyword there was; which one is lost cannot be told.
        let unevaluated = ["unevaluatedProperties", "unevaluatedItems"];
        self.leave_out(&unevaluated, schema, keywords);
        if keywords.wider.iter().any(|name| name == "oneOf") {
            self.any_of_one(schema, keywords);
        }
    }

    fn leave_out(&mut self, names: &[&str], schema: &Node<'d>, keywords: &mut Keywords) {
        for name in names {
            if keywords.take(name).is_some() {
                let message = format!(
                    "`{name}` is left out: what it leans on is wider than the document says"
                );
                self.gap(&format!("{}/{name}", schema.pointer), message, None);
            }
        }
    }

    fn any_of_one(&mut self, schema: &Node<'d>, keywords: &mut Keywords) {
        let Some(branches) = keywords.take("oneOf") else {
            return;
        };
        self.gap(
            &format!("{}/oneOf", schema.pointer),
            "`oneOf` is judged as `anyOf`: a branch of it is wider than the document says",
            None,
        );
        if !keywords.has("anyOf") {
            keywords.push("anyOf", branches);
            return;
        }
        let mut all = match keywords.take("allOf") {
            Some(Tree::Array(all)) => all,
            _ => Vec::new(),
        };
        all.push(Tree::Object(vec![("anyOf".to_owned(), branches)]));
        keywords.push("allOf", Tree::Array(all));
    }
}
