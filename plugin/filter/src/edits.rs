//! The engine's header changes as host calls that have the same effect in each gateway.

use portcullis_policy::{Edit, Line, edited};

use crate::gateway::Gateway;
use crate::host::{self, Map};
use crate::wire;

/// What a request header's change came to that this gateway cannot make.
const CANNOT: host::Status = host::Status::MAX;

/// Makes the changes to a request, and answers a status that was not ok, if one was.
pub(crate) fn change_request(
    gateway: Gateway,
    lines: &[Line<'_>],
    edits: &[Edit<'_>],
) -> host::Status {
    let statuses = edits.iter().map(|edit| match gateway {
        Gateway::Kong => overwrite(lines, edit),
        Gateway::Envoy | Gateway::Apisix => apply(Map::Request, edit),
    });
    statuses.max().unwrap_or(0)
}

/// nginx sends on what ngx_wasm_module has removed, and of several lines of one name all but the first as they came. What
/// stands on one line can be overwritten, with nothing if need be; what stands on several is for nobody to change.
fn overwrite(lines: &[Line<'_>], edit: &Edit<'_>) -> host::Status {
    let (name, value): (&[u8], &[u8]) = match edit {
        Edit::Add(name, value) | Edit::Replace(name, value) => (name, value),
        Edit::Remove(name) => (name, b""),
    };
    let lines = lines
        .iter()
        .filter(|(other, _)| other.eq_ignore_ascii_case(name));
    match lines.count() {
        0 | 1 => host::replace_header(Map::Request, name, value),
        _ => CANNOT,
    }
}

/// Makes the changes to a response, and answers a status that was not ok, if one was.
pub(crate) fn change_response(
    gateway: Gateway,
    lines: &[Line<'_>],
    edits: &[Edit<'_>],
) -> host::Status {
    // One call costs as much as two or three; on the others it is not known to keep every line.
    if edits.len() > 3 && gateway == Gateway::Envoy {
        let map = wire::bytes(&edited(lines, edits));
        if host::set_header_map(Map::Response, &map) == 0 {
            return 0;
        }
    }
    let statuses = edits.iter().map(|edit| apply(Map::Response, edit));
    statuses.max().unwrap_or(0)
}

fn apply(map: Map, edit: &Edit<'_>) -> host::Status {
    match edit {
        Edit::Add(name, value) => host::add_header(map, name, value),
        Edit::Replace(name, value) => host::replace_header(map, name, value),
        Edit::Remove(name) => host::remove_header(map, name),
    }
}
