//! Paths and operations (OpenAPI 3.1 sections 4.8.8 to 4.8.10) as routes, one each.

use std::collections::BTreeMap;

use portcullis_config::{Document as Tree, Unmatched};

use super::importer::{Importer, member, text};
use super::name::{Names, of_operation};
use super::node::Node;
use super::path::Path;

const METHODS: &[&str] = &[
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];
/// What a path has beside its operations.
const BESIDE: &[&str] = &["$ref", "summary", "description", "servers", "parameters"];

/// The routes so far.
#[derive(Default)]
struct Routes {
    list: Vec<Tree>,
    names: Names,
    /// Shape and method, and where in the document they stand.
    taken: BTreeMap<(String, String), String>,
}

impl<'d> Importer<'d> {
    /// A route for each operation that a policy can tell from the others.
    pub(super) fn routes(&mut self) -> Vec<Tree> {
        if let Some(dialect) = self.root.get("jsonSchemaDialect") {
            self.dialect(&dialect);
        }
        let mut routes = Routes::default();
        let paths = self.root.get("paths");
        for (template, item) in paths.iter().flat_map(Node::children) {
            if template.starts_with("x-") || self.is_full() {
                continue;
            }
            self.item(template, item, &mut routes);
        }
        routes.list
    }

    fn item(&mut self, template: &str, written: Node<'d>, routes: &mut Routes) {
        let is_reference = written.text_of("$ref").is_some();
        let Some(item) = self.resolved(written.clone()) else {
            return;
        };
        for (key, value) in written.children() {
            if is_reference && !matches!(key, "$ref" | "summary" | "description") {
                let message = format!("`{key}` beside a `$ref` is not read");
                self.gap(&value.pointer, message, None);
            }
        }
        let mut operations: Vec<(&str, Node<'d>)> = Vec::new();
        for (key, value) in item.children() {
            if METHODS.contains(&key) && value.is_object() {
                operations.push((key, value));
            } else if !BESIDE.contains(&key) && !key.starts_with("x-") {
                let message = format!("`{key}` is no operation");
                self.gap(&value.pointer, message, None);
            }
        }
        // A route for GET takes HEAD too, unless one of its own stands before it.
        operations.sort_by_key(|(method, _)| *method != "head");
        for (method, operation) in operations {
            self.operation(method, template, &item, &operation, routes);
        }
    }

    fn operation(
        &mut self,
        method: &str,
        template: &str,
        item: &Node<'d>,
        operation: &Node<'d>,
        routes: &mut Routes,
    ) {
        let base = self.base_path(item, operation);
        let path = match Path::read(&format!("{base}{template}"), &self.options.tails) {
            Ok(path) => path,
            Err(why) => {
                let message = format!("no route is made of `{template}`: {why}{}", self.refused());
                self.gap(
                    &operation.pointer,
                    message,
                    Some("write a route by hand that takes it"),
                );
                return;
            }
        };
        let key = (path.shape.clone(), method.to_owned());
        if let Some(other) = routes.taken.get(&key) {
            let message =
                format!("no route is made of this: no request can tell it from `{other}`");
            self.gap(&operation.pointer, message, None);
            return;
        }
        routes.taken.insert(key, operation.pointer.clone());
        self.hint_of_a_tail(&path, operation);
        let name = match operation.text_of("operationId") {
            Some(id) if !id.is_empty() => routes.names.take(id),
            _ => routes.names.take(&of_operation(method, template)),
        };
        let mut parameters = self.parameters(item, operation, &path);
        self.security(operation, &mut parameters);
        let mut validate = parameters.into_members();
        validate.extend(self.body(operation).map(|body| member("body", body)));
        let mut route = vec![
            member("name", text(name)),
            member("path", text(path.text)),
            member(
                "methods",
                Tree::Array(vec![text(method.to_ascii_uppercase())]),
            ),
        ];
        if !validate.is_empty() {
            let strictness = self.strictness().into_iter();
            route.push(member(
                "validate",
                Tree::Object(strictness.chain(validate).collect()),
            ));
        }
        self.count(&Tree::Array(vec![Tree::Null; 8]));
        routes.list.push(Tree::Object(route));
    }

    /// What becomes of requests that have no route.
    fn refused(&self) -> &'static str {
        match self.options.unmatched {
            Unmatched::Reject => "; requests to it are refused",
            Unmatched::Allow => "; requests to it pass unjudged",
        }
    }

    /// FastAPI's `{file_path:path}` is `{file_path}` in its document, and then takes one segment only.
    fn hint_of_a_tail(&mut self, path: &Path, operation: &Node<'d>) {
        let is_last = |template: &str| path.text.ends_with(&format!("{{{template}}}"));
        let last = path
            .templates
            .iter()
            .find(|(_, template)| is_last(template));
        if let Some((name, _)) = last.filter(|(name, _)| name.ends_with("path")) {
            let message = format!("`{{{name}}}` takes one segment");
            let help = format!(
                "if it may hold slashes (`{{{name}:path}}` in FastAPI), import with `--tail {name}`"
            );
            self.note(&operation.pointer, message, Some(&help));
        }
    }
}
