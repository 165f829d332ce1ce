//! The keywords that hold schemas: each is read where it stands, and joined to the one that it stands in.

use portcullis_config::{Document, pointer_child};

use super::values::names;
use super::{Half, Reader};
use crate::rule::validate::schema::arena::{Assert, Step};
use crate::rule::validate::schema::keyword::Keyword;

impl Reader<'_> {
    /// The schema of a keyword that takes one.
    pub(super) fn child(&mut self, name: &str, value: &Document, local: &str, half: &mut Half) {
        let step = match name {
            "additionalItems" => {
                half.rest = self.schema(value, local, half.depth + 1);
                return;
            }
            "contentSchema" => {
                self.schema(value, local, half.depth + 1);
                return;
            }
            "not" => Step::Not,
            "if" => Step::If,
            "then" => Step::Then,
            "else" => Step::Else,
            "contains" => Step::Contains,
            "propertyNames" => Step::PropertyNames,
            "additionalProperties" => Step::AdditionalProperties,
            "unevaluatedProperties" => Step::UnevaluatedProperties,
            _ => Step::UnevaluatedItems,
        };
        self.attach(step, value, local, half);
    }

    pub(super) fn attach(&mut self, step: Step, value: &Document, local: &str, half: &mut Half) {
        if let Some(id) = self.schema(value, local, half.depth + 1) {
            half.rules.children.push((step, id));
        }
    }

    pub(super) fn children(
        &mut self,
        list: &[Document],
        step: &Step,
        local: &str,
        half: &mut Half,
    ) {
        for (index, value) in list.iter().enumerate() {
            let local = pointer_child(local, &index.to_string());
            self.attach(step.clone(), value, &local, half);
        }
    }

    pub(super) fn map(
        &mut self,
        keyword: &Keyword,
        members: &[(String, Document)],
        local: &str,
        half: &mut Half,
    ) {
        for (name, value) in self.distinct(members, local) {
            let local = pointer_child(local, name);
            let step = match keyword.name {
                "properties" => Step::Property(name.to_owned()),
                "dependentSchemas" => Step::Dependent(name.to_owned()),
                "patternProperties" => match self.pattern(name, &local) {
                    Some(pattern) => Step::Pattern(pattern),
                    None => continue,
                },
                _ => {
                    self.schema(value, &local, half.depth + 1);
                    continue;
                }
            };
            self.attach(step, value, &local, half);
        }
    }

    pub(super) fn dependencies(
        &mut self,
        members: &[(String, Document)],
        local: &str,
        half: &mut Half,
    ) {
        let (lists, schemas): (Vec<_>, Vec<_>) = members
            .iter()
            .cloned()
            .partition(|(_, value)| matches!(value, Document::Array(_)));
        self.names_map(&lists, local, half);
        for (name, value) in self.distinct(&schemas, local) {
            let local = pointer_child(local, name);
            self.attach(Step::Dependent(name.to_owned()), value, &local, half);
        }
    }

    pub(super) fn names_map(
        &mut self,
        members: &[(String, Document)],
        local: &str,
        half: &mut Half,
    ) {
        for (name, value) in self.distinct(members, local) {
            match names(value) {
                Some(names) => {
                    let assert = Assert::DependentRequired(name.to_owned(), names);
                    half.rules.asserts.push(assert);
                }
                None => {
                    let local = pointer_child(local, name);
                    self.invalid(&local, "a member takes a list of distinct names");
                }
            }
        }
    }
}
