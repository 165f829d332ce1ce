//! What a `cors` section permits, said a second time in the plainest string code there is.
//!
//! Nothing here is fast, compiled or shared with the engine: it is to be believed at a glance, and the engine is
//! judged by it.

use super::fetch::Wish;

/// A `cors` section, before it is text.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) origins: Vec<String>,
    pub(super) methods: Vec<String>,
    pub(super) request_headers: Vec<String>,
    pub(super) expose_headers: Vec<String>,
    pub(super) credentials: bool,
    pub(super) reject: bool,
    pub(super) debug: bool,
}

impl Plan {
    /// The section as it is written.
    pub(super) fn section(&self) -> serde_json::Value {
        let mut section = serde_json::json!({
            "origins": self.origins,
            "credentials": self.credentials,
            "on_disallowed": if self.reject { "reject" } else { "strip" },
            "debug": self.debug,
            "dangerously_allow_insecure_origins": self.credentials,
        });
        // An empty list is no way to say none.
        let lists = [
            ("methods", &self.methods),
            ("request_headers", &self.request_headers),
            ("expose_headers", &self.expose_headers),
        ];
        if let Some(members) = section.as_object_mut() {
            for (key, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
                members.insert(key.to_owned(), serde_json::json!(list));
            }
        }
        section
    }

    /// Whether every page may read, and none with credentials.
    pub(super) fn is_public(&self) -> bool {
        self.origins == ["*"]
    }

    /// Whether pages of this origin may read responses.
    pub(super) fn lets_in(&self, origin: &str) -> bool {
        let named = self.origins.iter().any(|pattern| names(pattern, origin));
        self.is_public() || (named && origin.len() <= 326)
    }

    /// Whether a page may make this request, as it leaves the browser, and read the response.
    pub(super) fn permits(&self, wish: &Wish) -> bool {
        let asks = wish.upload
            || !["GET", "HEAD", "POST"].contains(&wish.method.as_str())
            || !wish.headers.is_empty();
        self.lets_in(&wish.origin)
            && (self.credentials || !wish.credentials)
            && (!asks || (self.permits_method(&wish.method) && self.permits_headers(&wish.headers)))
    }

    fn permits_method(&self, asked: &str) -> bool {
        let simple = ["GET", "HEAD", "POST"].contains(&asked);
        let usual = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"];
        simple
            || self.methods.iter().any(|listed| {
                // What browsers write in capitals may be listed in small letters.
                let upper = listed.to_uppercase();
                let as_sent = if usual.contains(&upper.as_str()) {
                    &upper
                } else {
                    listed
                };
                listed == "*" || as_sent == asked
            })
    }

    fn permits_headers(&self, asked: &[String]) -> bool {
        let mut asked: Vec<String> = asked.iter().map(|name| name.to_lowercase()).collect();
        asked.sort();
        asked.dedup();
        asked.len() <= 128
            && asked.join(",").len() <= 4096
            && asked.iter().all(|name| {
                let named = |listed: &String| listed.to_lowercase() == *name;
                let any = self.request_headers.iter().any(|listed| listed == "*");
                self.request_headers.iter().any(named) || (any && name != "authorization")
            })
    }

    /// Whether a page that may read the response may read this header of it.
    pub(super) fn exposes(&self, name: &str) -> bool {
        let always = [
            "cache-control",
            "content-language",
            "content-length",
            "content-type",
            "expires",
            "last-modified",
            "pragma",
        ];
        let named = |listed: &String| listed == "*" || listed.to_lowercase() == name;
        name != "set-cookie" && (always.contains(&name) || self.expose_headers.iter().any(named))
    }
}

/// Whether a pattern names an origin. No host is longer than a name can be in the DNS (RFC 1035 section 2.3.4).
fn names(pattern: &str, origin: &str) -> bool {
    if !pattern.contains('*') {
        return pattern == origin;
    }
    let parts = |text: &str| {
        let (scheme, rest) = text.split_once("://")?;
        let (host, port) = match rest.rsplit_once(':') {
            // The last colon of an IPv6 address stands inside its brackets.
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (rest, None),
        };
        Some((scheme.to_owned(), host.to_owned(), port.map(str::to_owned)))
    };
    let (Some((scheme, host, port)), Some(origin)) = (parts(pattern), parts(origin)) else {
        return false;
    };
    let host_fits = match host.strip_prefix('*') {
        Some(domain) => {
            origin.1.len() <= 253 && origin.1.strip_suffix(domain).is_some_and(is_labels)
        }
        None => origin.1 == host,
    };
    let port_fits = match port.as_deref() {
        Some("*") => origin.2.is_none_or(|port| is_port(&port, &scheme)),
        _ => origin.2 == port,
    };
    origin.0 == scheme && host_fits && port_fits
}

/// One or more labels.
fn is_labels(text: &str) -> bool {
    text.split('.').all(|label| {
        !label.is_empty()
            && label
                .chars()
                .all(|c| "abcdefghijklmnopqrstuvwxyz0123456789-_".contains(c))
    })
}

/// A port as it is serialised: never the scheme's own.
fn is_port(text: &str, scheme: &str) -> bool {
    let own = match scheme {
        "http" => "80",
        "https" => "443",
        _ => "",
    };
    let canonical = |port: u16| port != 0 && port.to_string() == text;
    text != own && text.parse().is_ok_and(canonical)
}
