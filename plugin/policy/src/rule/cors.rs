//! CORS: which pages of other origins may read what this gateway answers (Fetch standard, "CORS protocol").
//!
//! A request's head decides a [`Grant`], and the grant is written on whatever answers it, the upstream's response or a
//! refusal of our own. Nothing is granted in part: what a page may not do, it is told nothing about.

mod preflight;
mod vary;

use std::borrow::Cow;

use portcullis_config::{Cors, MaxAge, OnDisallowed};

use super::origin::{OriginSet, is_own};
use crate::decision::{Edit, Seen, remove_once};
use crate::message::{Line, RequestHead, begins, is};
use crate::refusal::{self, Refusal};

/// The compiled `cors` section.
#[derive(Clone, Debug)]
pub(crate) struct CorsRule {
    origins: OriginSet,
    methods: Vec<String>,
    any_method: bool,
    /// Lower case, sorted.
    request_headers: Vec<String>,
    /// The length of the longest of them.
    longest_header: usize,
    any_header: bool,
    /// The value of `Access-Control-Expose-Headers`; empty if there is none.
    exposed: String,
    credentials: bool,
    max_age: Option<String>,
    preflight_status: u16,
    rejects: bool,
    debug: bool,
}

/// What a request may be told across origins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Grant {
    reader: Reader,
    /// The answer is to a preflight.
    preflight: bool,
    /// The method that a preflight asked for and may have, if that has to be said.
    method: Option<Vec<u8>>,
    /// The headers that a preflight asked for and may send.
    headers: Option<Vec<u8>>,
    /// Everything that a preflight asked for is granted.
    whole: bool,
}

/// Who may read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Reader {
    #[default]
    Nobody,
    Anybody,
    /// Pages of this origin, as the request has it.
    Origin(Vec<u8>),
}

/// Who wrote a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Author {
    Upstream,
    /// The upstream, and what is said of limits is ours.
    LimitedUpstream,
    Gateway,
}

/// The headers of the protocol's answers, in the order in which they are written.
const NAMES: [&str; 6] = [
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-max-age",
    "access-control-expose-headers",
];

/// What every header of the protocol begins with.
const PREFIX: &str = "access-control-";

/// Headers that pages may read unasked (Fetch standard, "CORS-safelisted response-header name").
const SAFELISTED: [&str; 7] = [
    "cache-control",
    "content-language",
    "content-length",
    "content-type",
    "expires",
    "last-modified",
    "pragma",
];

/// What our own answers say about themselves, exposed wherever it stands: a page that may read the refusal may learn
/// when to come again. The fields of limits come first: those are ours on the upstream's responses too.
const OPERATIONAL: [&str; 7] = [
    "ratelimit",
    "ratelimit-policy",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "retry-after",
    "x-request-id",
];
const OF_LIMITS: usize = 5;

impl CorsRule {
    pub(crate) fn compile(cors: &Cors) -> Self {
        let mut request_headers: Vec<String> = cors
            .request_headers
            .listed
            .iter()
            .map(|name| name.as_str().to_owned())
            .collect();
        request_headers.sort_unstable();
        let mut exposed: Vec<&str> = Vec::new();
        for name in cors.expose_headers.listed.iter().map(|name| name.as_str()) {
            if !SAFELISTED.contains(&name) && !exposed.contains(&name) {
                exposed.push(name);
            }
        }
        Self {
            origins: OriginSet::compile(&cors.origins),
            methods: cors.methods.listed.clone(),
            any_method: cors.methods.any,
            longest_header: request_headers.iter().map(String::len).max().unwrap_or(0),
            request_headers,
            any_header: cors.request_headers.any,
            exposed: if cors.expose_headers.any {
                "*".to_owned()
            } else {
                exposed.join(",")
            },
            credentials: cors.credentials,
            max_age: cors.max_age.map(|age| match age {
                MaxAge::Disabled => "0".to_owned(),
                MaxAge::Seconds(seconds) => seconds.to_string(),
            }),
            preflight_status: cors.preflight_status,
            rejects: cors.on_disallowed == OnDisallowed::Reject,
            debug: cors.debug,
        }
    }

    /// Whether the rule has to know the scheme of the client's own connection.
    pub(crate) fn reads_scheme(&self) -> bool {
        self.rejects
    }

    /// Whether a refused preflight is told which step failed.
    pub(crate) fn debug(&self) -> bool {
        self.debug
    }

    /// The status of an answered preflight.
    pub(crate) fn preflight_status(&self) -> u16 {
        self.preflight_status
    }

    /// What the answer to a request may be told; to a preflight nothing, before it is judged.
    pub(crate) fn grant(&self, head: &RequestHead<'_>) -> Grant {
        let preflight = head.preflight().is_some();
        Grant {
            reader: if preflight {
                Reader::Nobody
            } else {
                self.reader(head)
            },
            preflight,
            ..Grant::default()
        }
    }

    fn reader(&self, head: &RequestHead<'_>) -> Reader {
        match self.origins {
            OriginSet::Any => Reader::Anybody,
            OriginSet::Listed(_) => head
                .only("origin")
                .filter(|origin| self.origins.has(origin))
                .map_or(Reader::Nobody, |origin| Reader::Origin(origin.to_vec())),
        }
    }

    /// Whether the page that makes the request may read what comes of it.
    #[cold]
    pub(crate) fn grants_reading(&self, head: &RequestHead<'_>) -> bool {
        self.reader(head) != Reader::Nobody
    }

    /// Judges a request that is no preflight: one of a page whose origin may not read, where such are rejected. A
    /// request without an origin passes, and so does one of the page's own. `grant` is what has been found out about it
    /// already, `https` the scheme of the client's own connection.
    pub(crate) fn refuse_origin(
        &self,
        head: &RequestHead<'_>,
        grant: Option<&Grant>,
        https: bool,
    ) -> Option<&'static Refusal> {
        let may_not_read = || match grant {
            Some(grant) => grant.reader == Reader::Nobody,
            None => self.reader(head) == Reader::Nobody,
        };
        let foreign =
            self.rejects && head.get("origin").is_some() && may_not_read() && !is_own(head, https);
        foreign.then_some(&refusal::CORS_ORIGIN_NOT_ALLOWED)
    }

    /// Writes the grant on a response, and drops what the upstream says of it: two answers to one question fail in the
    /// browser, or say what the policy does not. `edits` are the changes so far.
    pub(crate) fn edits<'a>(
        &'a self,
        grant: &'a Grant,
        lines: &[Line<'a>],
        by: Author,
        edits: &mut Vec<Edit<'a>>,
    ) {
        edits.retain(|edit| !is_protocol(edit.name()));
        let mut seen = [Seen::default(); NAMES.len()];
        for &(name, value) in lines.iter().filter(|(name, _)| is_protocol(name)) {
            let at = NAMES.iter().zip(&mut seen);
            let found = at
                .filter(|(one, _)| is(name, one))
                .map(|(_, seen)| seen.see((name, value)))
                .next();
            if found.is_none() {
                remove_once(edits, name);
            }
        }
        let values = self.values(grant, lines, by, edits);
        for ((name, seen), value) in NAMES.iter().zip(seen).zip(values) {
            match value {
                Some(value) => seen.write(name.as_bytes(), value, edits),
                None => seen.remove(edits),
            }
        }
        let asked = matches!(self.origins, OriginSet::Listed(_));
        vary::edits(asked, grant.preflight, lines, edits);
    }

    /// The values of [`NAMES`].
    fn values<'a>(
        &'a self,
        grant: &'a Grant,
        lines: &[Line<'a>],
        by: Author,
        edits: &[Edit<'_>],
    ) -> [Option<Cow<'a, [u8]>>; NAMES.len()] {
        let origin: &[u8] = match &grant.reader {
            Reader::Nobody => return Default::default(),
            Reader::Anybody => b"*",
            Reader::Origin(origin) => origin,
        };
        let max_age = self.max_age.as_deref().filter(|_| grant.whole);
        [
            Some(origin.into()),
            self.credentials.then_some(b"true"[..].into()),
            grant.method.as_deref().map(Cow::Borrowed),
            grant.headers.as_deref().map(Cow::Borrowed),
            max_age.map(|seconds| seconds.as_bytes().into()),
            if grant.preflight {
                None
            } else {
                self.exposed(lines, by, edits)
            },
        ]
    }

    /// The names of the headers that the page may read beyond those that it always may.
    fn exposed<'a>(
        &'a self,
        lines: &[Line<'a>],
        by: Author,
        edits: &[Edit<'_>],
    ) -> Option<Cow<'a, [u8]>> {
        let mut exposed = Cow::Borrowed(self.exposed.as_bytes());
        let ours = by == Author::Gateway;
        let names = OPERATIONAL.get(
            ..match by {
                Author::Upstream => 0,
                Author::LimitedUpstream => OF_LIMITS,
                Author::Gateway => OPERATIONAL.len(),
            },
        );
        if self.exposed != "*" {
            let standing = names.into_iter().flatten().filter(|name| {
                let is_it = |other: &[u8]| is(other, name);
                let written = edits.iter().any(|edit| match edit {
                    Edit::Add(name, _) | Edit::Replace(name, _) => is_it(name),
                    Edit::Remove(_) => false,
                });
                (written || ours && lines.iter().any(|(name, _)| is_it(name)))
                    && !self.exposed.split(',').any(|one| one == **name)
            });
            for name in standing {
                let exposed = exposed.to_mut();
                if !exposed.is_empty() {
                    exposed.push(b',');
                }
                exposed.extend_from_slice(name.as_bytes());
            }
        }
        (!exposed.is_empty()).then_some(exposed)
    }
}

fn is_protocol(name: &[u8]) -> bool {
    begins(name, PREFIX)
}

#[cfg(test)]
pub(crate) mod tests {
    use portcullis_config::{Cors, Document};

    /// The section as it is read.
    pub(crate) fn section(cors: &str) -> Cors {
        let text = format!(r#"{{"version":1,"cors":{cors}}}"#);
        let document = Document::from_bytes(text.as_bytes()).unwrap();
        let (config, diagnostics) = portcullis_config::read(&document);
        assert!(!diagnostics.has_errors(), "{diagnostics:?}");
        config.unwrap().cors.unwrap()
    }
}
