//! The keywords about an object's members.

use portcullis_config::Document as Tree;

use crate::openapi::ReadOnly;
use crate::openapi::importer::Importer;
use crate::openapi::keyword::{self, Wants};
use crate::openapi::node::Node;
use crate::openapi::pattern;

use super::{Inside, Keywords};

impl<'d> Importer<'d> {
    /// `required`, less what only responses hold.
    pub(super) fn required(
        &mut self,
        value: &Node<'d>,
        inside: &Inside<'d>,
        keywords: &mut Keywords,
    ) {
        let Some(Tree::Array(names)) = keyword::value(Wants::Names, value.value) else {
            self.not_what_it_should_be("required", value);
            return;
        };
        let is_asked =
            |name: &Tree| !matches!(name, Tree::String(name) if inside.read_only.contains(name));
        let names: Vec<Tree> = names.into_iter().filter(is_asked).collect();
        if !names.is_empty() {
            let names = Tree::Array(names);
            self.count(&names);
            keywords.push("required", names);
        }
    }

    pub(super) fn properties(
        &mut self,
        value: &Node<'d>,
        inside: &Inside<'d>,
        keywords: &mut Keywords,
    ) {
        let before = self.widened;
        if !value.is_object() {
            self.not_what_it_should_be("properties", value);
            return;
        }
        let mut members = Vec::new();
        for (name, property) in value.children() {
            let refused = self.options.read_only == ReadOnly::Reject
                && self.is_read_only(&property, inside.base.as_ref());
            let schema = if refused {
                Tree::Bool(false)
            } else {
                self.subschema(&property, inside.within())
            };
            members.push((name.to_owned(), schema));
        }
        self.keep("properties", Tree::Object(members), before, keywords);
    }

    /// `patternProperties`, less those whose name cannot be matched.
    pub(super) fn pattern_properties(
        &mut self,
        value: &Node<'d>,
        inside: &Inside<'d>,
        keywords: &mut Keywords,
    ) {
        if !value.is_object() {
            self.not_what_it_should_be("patternProperties", value);
            return;
        }
        let mut members = Vec::new();
        for (name, property) in value.children() {
            match pattern::judge(name) {
                Ok(()) => {
                    members.push((name.to_owned(), self.subschema(&property, inside.within())))
                }
                Err(why) => {
                    self.left_out_pattern(&property, name, &why);
                    keywords.wider.push("patternProperties".to_owned());
                }
            }
        }
        keywords.push("patternProperties", Tree::Object(members));
    }
}
