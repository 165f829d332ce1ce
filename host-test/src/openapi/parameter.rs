//! The parameters of an operation (OpenAPI 3.1 section 4.8.12) as those of a route.

use std::collections::BTreeMap;

use portcullis_config::Document as Tree;

use super::declared::{Declared, Place, named};
use super::importer::{Importer, member, text};
use super::legal::is_name;
use super::node::Node;
use super::path::Path;

/// What a route asks of its parameters, in the order of the document.
#[derive(Debug, Default)]
pub(super) struct Parameters(Vec<(Place, String, Tree)>);

impl Parameters {
    /// The sections of `validate`.
    pub(super) fn into_members(self) -> Vec<(String, Tree)> {
        let mut sections: BTreeMap<Place, Vec<(String, Tree)>> = BTreeMap::new();
        for (place, name, parameter) in self.0 {
            sections.entry(place).or_default().push((name, parameter));
        }
        let section =
            |(place, parameters): (Place, _)| member(place.key(), Tree::Object(parameters));
        sections.into_iter().map(section).collect()
    }

    /// Asks for a text that is not empty, or for what is asked for already.
    pub(super) fn require(&mut self, place: Place, name: &str) {
        let required = || member("required", Tree::Bool(true));
        let name = named(place, name);
        let there = self
            .0
            .iter_mut()
            .find(|(at, other, _)| *at == place && *other == name);
        if let Some((_, _, Tree::Object(members))) = there {
            if !members.iter().any(|(key, _)| key == "required") {
                members.push(required());
            }
            return;
        }
        let some_text = vec![
            member("type", text("string")),
            member("minLength", Tree::Number(1.0)),
        ];
        let parameter = vec![member("schema", Tree::Object(some_text)), required()];
        self.0.push((place, name, Tree::Object(parameter)));
    }
}

impl<'d> Importer<'d> {
    /// The parameters of a path and of one of its operations; the operation's own stand in for the path's.
    pub(super) fn parameters(
        &mut self,
        item: &Node<'d>,
        operation: &Node<'d>,
        path: &Path,
    ) -> Parameters {
        let mut parameters = Parameters::default();
        let declared = self.declared(item, operation);
        let declared = self.told_apart(declared);
        for (name, template) in &path.templates {
            let is_declared = |one: &Declared<'_>| one.place == Place::Path && one.name == *name;
            if !declared.iter().any(is_declared) {
                let message = format!("no parameter declares `{{{template}}}`: any value passes");
                self.note(&operation.pointer, message, None);
            }
        }
        for one in &declared {
            if one.place == Place::Path {
                self.path_parameter(one, path, &mut parameters);
            } else if self.is_read(one)
                && let Some(parameter) = self.parameter(one)
            {
                parameters.0.push((one.place, one.name.clone(), parameter));
            }
        }
        for part in &path.parts {
            let whole = vec![
                member("type", text("string")),
                member("pattern", text(&*part.pattern)),
            ];
            let parameter = Tree::Object(vec![member("schema", Tree::Object(whole))]);
            parameters
                .0
                .push((Place::Path, part.template.clone(), parameter));
        }
        parameters
    }

    fn path_parameter(&mut self, one: &Declared<'d>, path: &Path, parameters: &mut Parameters) {
        let name = &one.name;
        let mut templates = path
            .templates
            .iter()
            .filter(|(theirs, _)| theirs == name)
            .peekable();
        if templates.peek().is_none() {
            let message = if path.tail.as_ref() == Some(name) {
                format!("`{name}` may hold slashes: its value is not judged")
            } else if path.parts.iter().any(|part| part.names.contains(name)) {
                format!(
                    "`{name}` is a part of a segment: its value is not judged, only that there is one"
                )
            } else {
                format!("the path has no `{{{name}}}`")
            };
            self.gap(&one.node.pointer, message, None);
            return;
        }
        for (_, template) in templates {
            if let Some(parameter) = self.parameter(one) {
                parameters
                    .0
                    .push((Place::Path, template.clone(), parameter));
            }
        }
    }

    /// Whether a parameter is one that OpenAPI describes, and that can be there.
    fn is_read(&mut self, one: &Declared<'d>) -> bool {
        let pointer = &one.node.pointer;
        if !is_name(one.place, &one.name) {
            self.gap(
                pointer,
                format!("`{}` is no name that a request can have", one.name),
                None,
            );
            return false;
        }
        if one.place == Place::Header
            && matches!(&*one.name, "accept" | "content-type" | "authorization")
        {
            let message = format!("OpenAPI ignores a header parameter named `{}`", one.name);
            self.note(
                pointer,
                message,
                Some("content types stand at the body, credentials at `security`"),
            );
            return false;
        }
        true
    }

    /// One parameter; `None` if nothing can be asked of it.
    fn parameter(&mut self, one: &Declared<'d>) -> Option<Tree> {
        let Declared { place, node, .. } = one;
        self.asides(one);
        let schema = node.get("schema");
        let is_collection = schema
            .as_ref()
            .is_some_and(|schema| self.may_be_collection(schema));
        let default_style = place.default_style();
        let style = node.text_of("style").unwrap_or(default_style);
        // Of a single value `pipeDelimited` and its like say nothing.
        let is_delimited = matches!(style, "spaceDelimited" | "pipeDelimited");
        let is_default =
            style == default_style || (*place == Place::Query && is_delimited && !is_collection);
        let is_deep = *place == Place::Query
            && style == "deepObject"
            && node.flag_of("explode") != Some(false)
            && schema
                .as_ref()
                .is_some_and(|schema| self.is_object_alone(schema));
        let judged = match &schema {
            _ if !is_default && !is_deep => {
                let message = format!(
                    "the style `{style}` is not read: the value of `{}` is not judged",
                    one.name
                );
                self.gap(&format!("{}/style", node.pointer), message, None);
                None
            }
            None => {
                let message = match node.get("content") {
                    Some(_) => format!("`{}` holds a document: its value is not judged", one.name),
                    None => format!("`{}` has no schema: its value is not judged", one.name),
                };
                self.gap(&node.pointer, message, None);
                None
            }
            Some(schema) => Some(self.schema(schema)),
        };
        if judged.is_none() && *place == Place::Path {
            return None;
        }
        let explode = node.flag_of("explode").filter(|explode| {
            judged.is_some() && is_collection && !is_deep && *explode != (style == "form")
        });
        let mut members = vec![member("schema", judged.unwrap_or(Tree::Bool(true)))];
        if *place != Place::Path && node.flag("required") {
            members.push(member("required", Tree::Bool(true)));
        }
        members.extend(explode.map(|explode| member("explode", Tree::Bool(explode))));
        if is_deep {
            members.push(member("style", text("deepObject")));
        }
        self.count(&Tree::Null);
        Some(Tree::Object(members))
    }

    fn asides(&mut self, one: &Declared<'d>) {
        if one.node.flag("allowEmptyValue") {
            let message = format!(
                "`allowEmptyValue` is not read: an empty `{}` is judged by its schema",
                one.name
            );
            self.note(
                &format!("{}/allowEmptyValue", one.node.pointer),
                message,
                None,
            );
        }
        if one.node.flag("allowReserved") {
            let message = format!(
                "`allowReserved` changes nothing: `{}` is judged decoded",
                one.name
            );
            self.note(
                &format!("{}/allowReserved", one.node.pointer),
                message,
                None,
            );
        }
    }
}
