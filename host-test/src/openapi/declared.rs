//! The parameters that are declared for an operation: the path's, and its own in their stead.

use std::collections::HashMap;

use portcullis_config::Document as Tree;

use super::importer::Importer;
use super::node::Node;

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Place {
    Path,
    Query,
    Header,
    Cookie,
}

impl Place {
    /// As `in` has it.
    pub(super) fn of(word: &str) -> Option<Self> {
        match word {
            "path" => Some(Self::Path),
            "query" => Some(Self::Query),
            "header" => Some(Self::Header),
            "cookie" => Some(Self::Cookie),
            _ => None,
        }
    }

    /// The key under `validate`.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "headers",
            Self::Cookie => "cookies",
        }
    }

    /// How its values are written where nothing else is said.
    pub(super) fn default_style(self) -> &'static str {
        match self {
            Self::Path | Self::Header => "simple",
            Self::Query | Self::Cookie => "form",
        }
    }
}

/// The name by which a parameter is found: headers know no case.
pub(super) fn named(place: Place, name: &str) -> String {
    match place {
        Place::Header => name.to_ascii_lowercase(),
        _ => name.to_owned(),
    }
}

/// A parameter as declared.
pub(super) struct Declared<'d> {
    pub(super) place: Place,
    pub(super) name: String,
    pub(super) node: Node<'d>,
}

impl<'d> Importer<'d> {
    /// All of them, each name in each place once, those of the path first.
    pub(super) fn declared(&mut self, item: &Node<'d>, operation: &Node<'d>) -> Vec<Declared<'d>> {
        let mut declared: Vec<Declared<'d>> = Vec::new();
        // Where in that list a parameter is, and whether the operation itself declares it.
        let mut known: HashMap<(Place, String), (usize, bool)> = HashMap::new();
        for (holder, is_own) in [(item, false), (operation, true)] {
            for one in self.declared_by(holder) {
                let known = known
                    .entry((one.place, one.name.clone()))
                    .or_insert((declared.len(), is_own));
                match declared.get_mut(known.0) {
                    None => declared.push(one),
                    Some(above) if is_own && !known.1 => {
                        known.1 = true;
                        *above = one;
                    }
                    Some(_) => {
                        let message = format!(
                            "the parameter `{}` stands twice; the first counts",
                            one.name
                        );
                        self.gap(&one.node.pointer, message, None);
                    }
                }
            }
        }
        declared
    }

    fn declared_by(&mut self, holder: &Node<'d>) -> Vec<Declared<'d>> {
        let Some(list) = holder.get("parameters") else {
            return Vec::new();
        };
        if !matches!(list.value, Tree::Array(_)) {
            self.gap(&list.pointer, "`parameters` is no list", None);
        }
        let mut declared = Vec::new();
        for entry in list.items() {
            let Some(node) = self.resolved(entry) else {
                continue;
            };
            let place = node.text_of("in").and_then(Place::of);
            let (Some(place), Some(name)) = (place, node.text_of("name")) else {
                self.gap(
                    &node.pointer,
                    "this is no parameter: it lacks `name` or `in`",
                    None,
                );
                continue;
            };
            let name = named(place, name);
            declared.push(Declared { place, name, node });
        }
        declared
    }
}
