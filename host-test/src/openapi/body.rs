//! A request body (OpenAPI 3.1 section 4.8.13) as a route's.
//!
//! A policy judges a body by one schema, whatever type it comes in. Where a document has several, JSON's is taken: the
//! types that share its schema pass with it, and the others are refused, which is told.

use portcullis_config::Document as Tree;

use super::importer::{Importer, member, text};
use super::legal::is_content_type;
use super::node::Node;

/// What the module reads a content type as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// `application/json`.
    Json,
    /// Its relatives.
    LikeJson,
    Form,
    Multipart,
    /// A text, judged as a string.
    Text,
    /// Nothing that is read.
    Other,
}

struct MediaType<'d> {
    /// Lower case, without parameters, as a policy lists it.
    name: String,
    kind: Kind,
    node: Node<'d>,
}

impl MediaType<'_> {
    /// The schema as it is written.
    fn written(&self) -> Option<&Tree> {
        self.node.get("schema").map(|schema| schema.value)
    }
}

impl<'d> Importer<'d> {
    /// `validate.body`; `None` if the body is not to be read.
    pub(super) fn body(&mut self, operation: &Node<'d>) -> Option<Tree> {
        let body = operation.get("requestBody")?;
        let body = self.resolved(body)?;
        let content = body.get("content").filter(Node::is_object);
        let Some(content) = content else {
            self.gap(
                &body.pointer,
                "this request body has no `content`: it is not judged",
                None,
            );
            return None;
        };
        let mut types: Vec<MediaType<'d>> = Vec::new();
        for (name, node) in content.children() {
            types.push(self.media_type(name, node));
        }
        let chosen = types
            .iter()
            .filter(|one| one.kind != Kind::Other)
            .min_by_key(|one| one.kind);
        let Some(chosen) = chosen else {
            let message = "no content type here is one that is read: the body is not judged, whatever its type";
            self.gap(&content.pointer, message, None);
            return None;
        };
        let mut listed: Vec<&str> = Vec::new();
        for one in &types {
            let is_same = one.kind != Kind::Other && one.written() == chosen.written();
            if is_same && !listed.contains(&&*one.name) {
                listed.push(&one.name);
                self.encoding(one);
            } else if !is_same {
                let message = format!(
                    "bodies of `{}` are refused: a policy judges a body by one schema, here that of `{}`",
                    one.name, chosen.name
                );
                self.gap(&one.node.pointer, message, None);
            }
        }
        let schema = match chosen.node.get("schema") {
            Some(schema) => self.schema(&schema),
            None => Tree::Bool(true),
        };
        let mut members = Vec::new();
        if !body.flag("required") {
            members.push(member("required", Tree::Bool(false)));
        }
        if listed != ["application/json"] {
            let listed = listed.into_iter().map(text).collect();
            members.push(member("content_types", Tree::Array(listed)));
        }
        members.push(member("schema", schema));
        self.count(&Tree::Array(vec![Tree::Null; 2]));
        Some(Tree::Object(members))
    }

    fn media_type(&self, name: &str, node: Node<'d>) -> MediaType<'d> {
        let name = name
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        // A policy has a word for the suffix.
        let name = match name.strip_prefix("application/*+") {
            Some(suffix) => format!("+{suffix}"),
            None => name,
        };
        let is_text = || {
            node.get("schema")
                .is_none_or(|schema| self.may_be_text(&schema))
        };
        let kind = match &*name {
            _ if !is_content_type(&name) => Kind::Other,
            "application/json" => Kind::Json,
            "text/json" | "+json" => Kind::LikeJson,
            "application/x-www-form-urlencoded" => Kind::Form,
            "multipart/form-data" => Kind::Multipart,
            _ if name.starts_with("application/") && name.ends_with("+json") => Kind::LikeJson,
            _ if name.starts_with("text/") && is_text() => Kind::Text,
            _ => Kind::Other,
        };
        MediaType { name, kind, node }
    }

    /// How the properties of a form are written: only the default way is read.
    fn encoding(&mut self, one: &MediaType<'d>) {
        let encoding = one.node.get("encoding");
        for (name, property) in encoding.iter().flat_map(Node::children) {
            let message = format!("how `{name}` is encoded is not judged");
            self.gap(&property.pointer, message, None);
        }
        if one.kind == Kind::Multipart {
            let message = "a body of more than 64 KiB is refused, files included";
            self.note(
                &one.node.pointer,
                message,
                Some("raise `max_bytes` at the route's body"),
            );
        }
    }
}
