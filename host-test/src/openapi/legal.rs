//! What the policy's own reader takes: asked, not written down again.

use portcullis_config::{Document as Tree, read};

use super::declared::Place;
use super::importer::{member, text};

/// Why a route cannot have a key with this value, if it cannot.
pub(super) fn refusal(key: &str, value: Tree) -> Option<String> {
    let mut route = vec![member("name", text("x"))];
    if key != "path" {
        route.push(member("path", text("/")));
    }
    route.push(member(key, value));
    let policy = Tree::Object(vec![
        member("version", Tree::Number(1.0)),
        member("routes", Tree::Array(vec![Tree::Object(route)])),
    ]);
    let mut found = read(&policy).1.into_list().into_iter();
    let at_key = found.find(|finding| finding.pointer.starts_with("/routes/0/"))?;
    Some(at_key.help.unwrap_or(at_key.message))
}

/// Whether a parameter can have this name.
pub(super) fn is_name(place: Place, name: &str) -> bool {
    let parameter = Tree::Object(vec![member("schema", Tree::Bool(true))]);
    let parameters = Tree::Object(vec![member(name, parameter)]);
    let validate = Tree::Object(vec![member(place.key(), parameters)]);
    refusal("validate", validate).is_none()
}

/// Whether a body can have this content type.
pub(super) fn is_content_type(name: &str) -> bool {
    let body = Tree::Object(vec![member("content_types", Tree::Array(vec![text(name)]))]);
    let validate = Tree::Object(vec![member("body", body)]);
    refusal("validate", validate).is_none()
}
