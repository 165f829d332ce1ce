//! What stands before every path: the path of the first server (OpenAPI 3.1 section 4.8.5).

use super::importer::Importer;
use super::node::Node;

impl<'d> Importer<'d> {
    /// The base path for an operation, without a slash at its end: of its own servers, the path's, or the document's.
    pub(super) fn base_path(&mut self, item: &Node<'d>, operation: &Node<'d>) -> String {
        if let Some(base) = &self.options.base_path {
            return base.trim_end_matches('/').to_owned();
        }
        let nearest = [operation, item, &self.root]
            .into_iter()
            .filter_map(|holder| holder.get("servers"))
            .find(|servers| servers.items().next().is_some());
        let Some(servers) = nearest else {
            return String::new();
        };
        let mut paths = servers.items().map(|server| path_of(&server));
        let Some(Some(first)) = paths.next() else {
            self.gap(
                &format!("{}/0", servers.pointer),
                "this server's path is relative to where the document is served",
                Some("say what it is with `--base-path`"),
            );
            return String::new();
        };
        let others: Vec<String> = paths.flatten().filter(|path| *path != first).collect();
        if let Some(other) = others.first() {
            let message = format!(
                "another server has the base path `{}`; routes are made for `{}` alone",
                shown(other),
                shown(&first)
            );
            self.gap(&servers.pointer, message, Some("choose with `--base-path`"));
        }
        first
    }
}

fn shown(path: &str) -> &str {
    if path.is_empty() { "/" } else { path }
}

/// The path of a server's URL, its variables at their defaults; `None` if it is relative to something unknown.
fn path_of(server: &Node<'_>) -> Option<String> {
    let mut url = server.text_of("url").unwrap_or("/").to_owned();
    let variables = server.get("variables");
    for (name, variable) in variables.iter().flat_map(Node::children) {
        if let Some(default) = variable.text_of("default") {
            url = url.replace(&format!("{{{name}}}"), default);
        }
    }
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let after_scheme = url.split_once("://").map(|(_, rest)| rest);
    let path = match after_scheme.or_else(|| url.strip_prefix("//")) {
        Some(rest) => rest
            .find('/')
            .and_then(|at| rest.get(at..))
            .unwrap_or_default(),
        None if url.starts_with('/') || url.is_empty() => url,
        None => return None,
    };
    Some(path.trim_end_matches('/').to_owned())
}
