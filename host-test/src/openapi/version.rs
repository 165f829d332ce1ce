//! Which version of OpenAPI a document is written in: the two that are read differ in their schemas.

use portcullis_config::{Diagnostic, Document as Tree};

use super::finding::invalid;
use super::node::Node;

/// A version that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// Schemas are a dialect of their own, near to JSON Schema draft-04.
    V30,
    /// Schemas are JSON Schema draft 2020-12.
    V31,
}

/// The version of a document.
pub(super) fn of(tree: &Tree) -> Result<Version, Diagnostic> {
    let root = Node::root(tree);
    let convert = Some("convert it to OpenAPI 3.1 first");
    if root.get("swagger").is_some() {
        return Err(invalid(
            "/swagger",
            "this is Swagger 2.0; OpenAPI 3.0 and 3.1 are read",
            convert,
        ));
    }
    let Some(stated) = root.get("openapi") else {
        return Err(invalid(
            "",
            "this is no OpenAPI document: it has no `openapi`",
            Some("the first key of one is `openapi: 3.1.0`"),
        ));
    };
    let Some(text) = stated.text() else {
        return Err(invalid(
            &stated.pointer,
            "the version must be text",
            Some("quote it: \"3.1.0\""),
        ));
    };
    match text.split('.').collect::<Vec<_>>().as_slice() {
        ["3", "0", ..] => Ok(Version::V30),
        ["3", "1", ..] => Ok(Version::V31),
        _ => Err(invalid(
            &stated.pointer,
            &format!("OpenAPI `{text}` is not read; 3.0 and 3.1 are"),
            convert,
        )),
    }
}
