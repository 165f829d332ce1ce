//! A request's head as a gateway shows it to the filter, and as it goes on to the upstream.

use crate::header_map::HeaderMap;
use crate::host::context::Half;
use crate::profile::{Headers, Profile, Target};

/// The lines that the filter is shown.
pub(super) fn shown(habits: &Headers, sent: &HeaderMap) -> HeaderMap {
    let name = |name: &[u8]| match habits.lower_case {
        true => name.to_ascii_lowercase(),
        false => name.to_vec(),
    };
    let (server, normal) = match habits.target {
        Target::AsSent => {
            return sent.iter().map(|(key, value)| (name(key), value)).collect();
        }
        Target::HostApart => (None, false),
        Target::Normalized { server } => (Some(server), true),
    };
    let authority = sent.get(":authority").unwrap_or_default();
    let mut pseudo = HeaderMap::new();
    for (key, value) in sent.iter().filter(|(key, _)| key.starts_with(b":")) {
        match (key, server) {
            (b":path", _) if normal => pseudo.push(key, normalized(value)),
            (b":authority", Some(server)) => pseudo.push(key, server),
            _ => pseudo.push(key, value),
        }
    }
    let mut lines = HeaderMap::new();
    if sent.contains(":authority") && !sent.contains("host") {
        lines.push(name(b"Host"), authority);
    }
    for (key, value) in sent.iter().filter(|(key, _)| !key.starts_with(b":")) {
        lines.push(name(key), value);
    }
    match server {
        Some(_) => pseudo.into_iter().chain(lines).collect(),
        None => lines.into_iter().chain(pseudo).collect(),
    }
}

/// The lines that go on to the upstream from a gateway that has gathered the whole request: what the filter made of them,
/// framed anew, under the target that the client sent.
pub(super) fn sent(profile: &Profile, half: &Half) -> HeaderMap {
    let none = HeaderMap::new();
    let shown = half.headers.as_ref().unwrap_or(&none);
    let mut sent = HeaderMap::new();
    for name in [":method", ":path", ":authority", ":scheme"] {
        let value = match name {
            // Nobody rewrites it here.
            ":path" => half.target.as_deref().or(shown.get(name)),
            ":authority" => shown.get("host"),
            _ => shown.get(name),
        };
        if let Some(value) = value {
            sent.push(name, value);
        }
    }
    let own = |name: &[u8]| {
        name.starts_with(b":")
            || ["host", "content-length", "transfer-encoding"]
                .iter()
                .any(|other| name.eq_ignore_ascii_case(other.as_bytes()))
    };
    let kept = half
        .still_sent
        .iter()
        .filter(|_| !profile.headers.removes_from_request);
    for (name, value) in shown.iter().chain(kept).filter(|(name, _)| !own(name)) {
        sent.push(name, value);
    }
    let framed = ["content-length", "transfer-encoding"];
    if !half.body.is_empty() || framed.iter().any(|name| shown.contains(name)) {
        sent.push("content-length", half.body.len().to_string());
    }
    sent
}

/// A target as nginx normalises it: decoded, slashes merged, dots resolved; the query stays.
pub(crate) fn normalized(target: &[u8]) -> Vec<u8> {
    let end = target
        .iter()
        .position(|byte| *byte == b'?')
        .unwrap_or(target.len());
    let (path, query) = target.split_at(end);
    if path.first() != Some(&b'/') {
        return target.to_vec();
    }
    let path = decoded(path);
    let mut steps: Vec<&[u8]> = Vec::new();
    let mut folder = false;
    for step in path.split(|byte| *byte == b'/') {
        folder = matches!(step, b"" | b"." | b"..");
        match step {
            b"" | b"." => {}
            b".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    let mut normal: Vec<u8> = steps
        .iter()
        .flat_map(|step| [b"/", *step].concat())
        .collect();
    if folder || normal.is_empty() {
        normal.push(b'/');
    }
    normal.extend_from_slice(query);
    normal
}

fn decoded(path: &[u8]) -> Vec<u8> {
    let digit = |byte: &u8| {
        char::from(*byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((byte, after)) = rest.split_first() {
        let escaped = match (byte, after) {
            (b'%', [high, low, after @ ..]) => digit(high)
                .zip(digit(low))
                .map(|(high, low)| (high << 4 | low, after)),
            _ => None,
        };
        let (byte, after) = escaped.unwrap_or((*byte, after));
        decoded.push(byte);
        rest = after;
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_normalised_as_nginx_does() {
        let check = |target: &str, expected: &str| {
            let normal = normalized(target.as_bytes());
            assert_eq!(String::from_utf8_lossy(&normal), expected, "{target}");
        };
        check("/a%2Fb/../c//d;x?q=%20a&b", "/a/c/d;x?q=%20a&b");
        check("/a%20b", "/a b");
        check("/", "/");
        check("/a/", "/a/");
        check("/a/..", "/");
        check("/../..", "/");
        check("/a/.?x", "/a/?x");
        check("/%zz%4", "/%zz%4");
        check("*", "*");
    }
}
