//! Answers that do not come from the upstream, completed as Envoy completes them.
//!
//! A body gets `content-length`, and `content-type: text/plain` where the filter named none. A gRPC client gets HTTP 200
//! without a body, the status in `grpc-status` and the body's text, percent-encoded, in `grpc-message` (gRPC over HTTP/2,
//! "Responses"), for it does not look at the HTTP status.

use std::fmt::Write as _;

use crate::header_map::HeaderMap;
use crate::message::Response;
use crate::profile::{Pages, Replies};

/// An answer as the filter or the host gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u32,
    /// Without `:status`.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// `None` derives it from the HTTP status.
    pub(crate) grpc_status: Option<u32>,
}

impl Reply {
    /// The host's own, in plain text.
    pub(crate) fn plain(status: u32, text: &str) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: text.as_bytes().to_vec(),
            grpc_status: None,
        }
    }

    /// What is sent to the client.
    pub(crate) fn complete(self, habits: &Replies, grpc: bool) -> Response {
        let Self {
            status,
            headers: own,
            mut body,
            grpc_status,
        } = self;
        let mut headers = HeaderMap::from([(":status", status.to_string())]);
        for (name, value) in own.iter() {
            // The status is an argument of its own; a second one would make the response ambiguous.
            if name.eq_ignore_ascii_case(b":status") {
                continue;
            }
            if habits.one_line_a_name {
                headers.remove(name);
            }
            headers.push(name.to_ascii_lowercase(), value);
        }
        headers.remove("content-length");
        if grpc {
            headers.set(":status", "200");
            headers.set("content-type", "application/grpc");
            if !headers.contains("grpc-status") {
                headers.push(
                    "grpc-status",
                    grpc_status.unwrap_or(grpc_status_of(status)).to_string(),
                );
            }
            if !body.is_empty() {
                headers.set("grpc-message", percent_encoded(&body));
            }
            body.clear();
        } else if body.is_empty() && !(habits.pages == Pages::HtmlForEmpty && has_page(status)) {
            headers.remove("content-type");
        } else {
            if body.is_empty() {
                headers.set("content-type", "text/html");
                body = html(status);
            }
            if habits.tells_length {
                headers.push("content-length", body.len().to_string());
            }
            if !headers.contains("content-type") {
                headers.push("content-type", "text/plain");
            }
        }
        Response {
            headers,
            body,
            trailers: None,
        }
    }
}

impl Replies {
    /// The host's own answer.
    pub(crate) fn page(&self, status: u32) -> Reply {
        let words = title(status);
        match self.pages {
            Pages::Text if status == 413 => Reply::plain(status, "Payload Too Large"),
            Pages::Text => Reply::plain(status, words),
            Pages::Html | Pages::HtmlForEmpty => Reply {
                headers: HeaderMap::from([("content-type", "text/html")]),
                ..Reply::plain(status, &String::from_utf8_lossy(&html(status)))
            },
        }
    }
}

/// Does nginx say something of its own for that status?
fn has_page(status: u32) -> bool {
    status >= 300 && status != 304
}

/// nginx's page for a status.
fn html(status: u32) -> Vec<u8> {
    let title = format!("{status} {}", title(status));
    format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
         <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
    .into_bytes()
}

fn title(status: u32) -> &'static str {
    match status {
        // nginx has the old name.
        413 => "Request Entity Too Large",
        _ => u16::try_from(status)
            .ok()
            .and_then(|status| http::StatusCode::from_u16(status).ok()?.canonical_reason())
            .unwrap_or("Unknown"),
    }
}

/// Is this the content type of a gRPC request? `application/grpc-web` is another protocol.
pub(crate) fn is_grpc(content_type: Option<&[u8]>) -> bool {
    let rest = content_type.and_then(|value| value.strip_prefix(b"application/grpc"));
    rest.is_some_and(|rest| rest.first().is_none_or(|next| *next == b'+'))
}

/// gRPC's table of HTTP statuses ("HTTP to gRPC Status Code Mapping").
fn grpc_status_of(http: u32) -> u32 {
    match http {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502 | 503 | 504 => 14,
        _ => 2,
    }
}

fn percent_encoded(text: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for &byte in text {
        if (b' '..=b'~').contains(&byte) && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;

    fn reply(status: u32, headers: HeaderMap, body: &str) -> Reply {
        Reply {
            status,
            headers,
            body: body.into(),
            grpc_status: None,
        }
    }

    #[test]
    fn a_body_gets_its_length_and_a_type() {
        let response = reply(
            403,
            HeaderMap::from([("X-A", "1"), ("content-length", "99")]),
            "no",
        )
        .complete(&Profile::ENVOY.replies, false);
        let expected = [
            (":status", "403"),
            ("x-a", "1"),
            ("content-length", "2"),
            ("content-type", "text/plain"),
        ];
        assert_eq!(response.headers, HeaderMap::from(expected));
        let typed = reply(
            403,
            HeaderMap::from([("content-type", "application/json")]),
            "{}",
        )
        .complete(&Profile::ENVOY.replies, false);
        assert_eq!(
            typed.headers.get_all(b"content-type").collect::<Vec<_>>(),
            [b"application/json"]
        );
    }

    #[test]
    fn no_body_has_neither() {
        let response = reply(204, HeaderMap::from([("content-type", "a/b")]), "")
            .complete(&Profile::ENVOY.replies, false);
        assert_eq!(response.headers, HeaderMap::from([(":status", "204")]));
    }

    #[test]
    fn a_grpc_client_is_told_in_its_own_words() {
        let response =
            reply(403, HeaderMap::new(), "50 % \n").complete(&Profile::ENVOY.replies, true);
        let expected = [
            (":status", "200"),
            ("content-type", "application/grpc"),
            ("grpc-status", "7"),
            ("grpc-message", "50 %25 %0A"),
        ];
        assert_eq!(
            (response.headers, response.body.len()),
            (HeaderMap::from(expected), 0)
        );
        let told = Reply {
            grpc_status: Some(9),
            ..reply(403, HeaderMap::new(), "")
        }
        .complete(&Profile::ENVOY.replies, true);
        assert_eq!(told.headers.get("grpc-status"), Some(&b"9"[..]));
    }

    #[test]
    fn grpc_is_told_from_its_neighbours() {
        for (content_type, expected) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc-web", false),
            ("application/json", false),
        ] {
            assert_eq!(
                is_grpc(Some(content_type.as_bytes())),
                expected,
                "{content_type}"
            );
        }
        assert!(!is_grpc(None));
    }
}
