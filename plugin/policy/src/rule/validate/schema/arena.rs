//! Schemas as a graph: one node for each schema object, its keywords in the words of draft 2020-12.
//!
//! References lead from node to node here, so that what follows (cycles, gates, the plan that is judged by) sees one
//! graph, and neither drafts nor pointers nor duplicate names.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Number, Value};

use super::format::Format;
use super::pattern::Pattern;
use super::types::Types;

/// Schemas of one policy, all together: past this they are a mistake or an attack.
pub(super) const MOST: usize = 20_000;

/// The place of a node in [`Arena::nodes`].
pub(super) type Id = usize;

/// One schema.
#[derive(Debug)]
pub(super) struct Node {
    /// Where it stands in the policy.
    pub(super) pointer: String,
    pub(super) body: Body,
}

#[derive(Debug)]
pub(super) enum Body {
    /// `true` or `false`
    Always(bool),
    Rules(Rules),
}

/// The keywords of a schema object.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// Those that hold no schema.
    pub(super) asserts: Vec<Assert>,
    /// Those that do.
    pub(super) children: Vec<(Step, Id)>,
}

/// A keyword that holds no schema, and what it holds (JSON Schema Validation, section 6).
#[derive(Clone, Debug)]
pub(super) enum Assert {
    Types(Types),
    Const(Value),
    Enum(Vec<Value>),
    Format(&'static Format),
    MultipleOf(f64),
    Minimum(Number),
    Maximum(Number),
    ExclusiveMinimum(Number),
    ExclusiveMaximum(Number),
    MinLength(usize),
    MaxLength(usize),
    Pattern(Rc<Pattern>),
    MinItems(usize),
    MaxItems(usize),
    UniqueItems,
    MinContains(usize),
    MaxContains(usize),
    MinProperties(usize),
    MaxProperties(usize),
    Required(Vec<String>),
    /// The names that have to be there beside this one.
    DependentRequired(String, Vec<String>),
}

impl Node {
    pub(super) fn rules(&self) -> Option<&Rules> {
        match &self.body {
            Body::Rules(rules) => Some(rules),
            Body::Always(_) => None,
        }
    }

    /// What the schema refers to, if it does nothing else.
    pub(super) fn only_reference(&self) -> Option<Id> {
        let rules = self.rules()?;
        match rules.children.as_slice() {
            [(Step::Reference, to)] if rules.asserts.is_empty() => Some(*to),
            _ => None,
        }
    }

    pub(super) fn children(&self) -> &[(Step, Id)] {
        self.rules().map_or(&[], |rules| &rules.children)
    }
}

/// How a schema is applied by the one that holds it.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Reference,
    AllOf,
    AnyOf,
    OneOf,
    Not,
    If,
    Then,
    Else,
    /// To the whole object, if it has a member of this name.
    Dependent(String),
    Property(String),
    /// Members whose names match.
    Pattern(Rc<Pattern>),
    AdditionalProperties,
    PropertyNames,
    UnevaluatedProperties,
    /// The next place of an array.
    Prefix,
    Items,
    Contains,
    UnevaluatedItems,
}

impl Step {
    /// Whether it judges the same value.
    pub(super) fn stays(&self) -> bool {
        matches!(
            self,
            Self::Reference
                | Self::AllOf
                | Self::AnyOf
                | Self::OneOf
                | Self::Not
                | Self::If
                | Self::Then
                | Self::Else
                | Self::Dependent(_)
        )
    }
}

/// Where a schema stands: which document, and the pointer in it.
pub(super) type Place = (usize, String);

/// All schemas that were read.
#[derive(Debug, Default)]
pub(super) struct Arena {
    pub(super) nodes: Vec<Node>,
    pub(super) places: BTreeMap<Place, Id>,
    /// `$anchor`, by document and name.
    pub(super) anchors: BTreeMap<(usize, String), Id>,
}

impl Arena {
    pub(super) fn node(&self, id: Id) -> Option<&Node> {
        self.nodes.get(id)
    }

    pub(super) fn children(&self, id: Id) -> &[(Step, Id)] {
        self.node(id).map_or(&[], Node::children)
    }

    /// A new node that takes everything, until more is known of it.
    pub(super) fn add(&mut self, pointer: String) -> Option<Id> {
        let id = self.nodes.len();
        (id < MOST).then(|| {
            self.nodes.push(Node {
                pointer,
                body: Body::Always(true),
            });
            id
        })
    }

    pub(super) fn fill(&mut self, id: Id, body: Body) {
        if let Some(node) = self.nodes.get_mut(id) {
            node.body = body;
        }
    }

    /// Makes `to` what the reference of `from` leads to.
    pub(super) fn refer(&mut self, from: Id, to: Id) {
        if let Some(Node {
            body: Body::Rules(rules),
            ..
        }) = self.nodes.get_mut(from)
        {
            rules.children.push((Step::Reference, to));
        }
    }
}
