//! Objects whose members are parameters of their own: `style: form` with `explode`, the default in queries and cookies.

use std::collections::{BTreeMap, BTreeSet};

use super::declared::{Declared, Place};
use super::importer::Importer;
use super::node::Node;

/// Schemas that are put together of more than this many are read as far as that.
const MAX_PARTS: usize = 256;

impl<'d> Importer<'d> {
    /// Leaves out the parameters whose members another parameter claims too: of a pair `a=1` it could not be told whose it is.
    pub(super) fn told_apart(&mut self, declared: Vec<Declared<'d>>) -> Vec<Declared<'d>> {
        let mut claimed: BTreeMap<Place, BTreeSet<String>> = BTreeMap::new();
        let mut objects: BTreeSet<Place> = BTreeSet::new();
        // What has a name of its own comes before what only has members.
        let (whole, exploded): (Vec<_>, Vec<_>) = declared
            .into_iter()
            .partition(|one| self.exploded_names(one).is_none());
        for one in &whole {
            claimed
                .entry(one.place)
                .or_default()
                .insert(one.name.clone());
        }
        let mut kept = whole;
        for one in exploded {
            let members = self.exploded_names(&one).unwrap_or_default();
            let names = claimed.entry(one.place).or_default();
            // Members of any name are claimed by one object alone.
            if objects.insert(one.place) && names.is_disjoint(&members) {
                names.extend(members);
                kept.push(one);
            } else {
                let message = format!(
                    "`{}` is not judged: another parameter may have the names of its members",
                    one.name
                );
                self.gap(&one.node.pointer, message, None);
            }
        }
        kept
    }

    /// The names of a parameter's members, if those are parameters of their own.
    fn exploded_names(&self, one: &Declared<'d>) -> Option<BTreeSet<String>> {
        let node = &one.node;
        let schema = node.get("schema")?;
        let is_form = node.text_of("style").is_none_or(|style| style == "form");
        let is_exploded = matches!(one.place, Place::Query | Place::Cookie)
            && is_form
            && node.flag_of("explode") != Some(false);
        let names = self.property_names(&schema);
        let is_object =
            self.is_object_alone(&schema) || (!names.is_empty() && self.may_be_object(&schema));
        (is_exploded && is_object).then_some(names)
    }

    fn property_names(&self, schema: &Node<'d>) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut parts = vec![schema.clone()];
        while let Some(part) = parts.pop() {
            if seen.len() >= MAX_PARTS || !seen.insert(part.pointer.clone()) {
                continue;
            }
            let properties = part.get("properties");
            let properties = properties.iter().flat_map(Node::children);
            names.extend(properties.map(|(name, _)| name.to_owned()));
            for composed in ["allOf", "anyOf", "oneOf"] {
                parts.extend(part.get(composed).iter().flat_map(Node::items));
            }
            let reference = part.text_of("$ref");
            parts.extend(reference.and_then(|reference| self.target(reference, None).ok()));
        }
        names
    }
}
