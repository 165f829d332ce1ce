//! Request hygiene: what is judged before anybody asks what the request wants.

use portcullis_config::{Ambiguous, Request};

use super::forwarded::ForwardedRule;
use super::https::HttpsRule;
use super::lines::{LineLimits, refuse_lines};
use super::target;
use crate::host::HostMap;
use crate::message::RequestHead;
use crate::refusal::{self, Refusal};

/// The compiled `request` section.
#[derive(Clone, Debug)]
pub(crate) struct RequestRule {
    hosts: Option<HostMap<()>>,
    methods: Vec<String>,
    lines: LineLimits,
    max_path_bytes: usize,
    max_query_params: usize,
    max_body_bytes: Option<u64>,
    refuses_ambiguous: bool,
    pub(crate) https: Option<HttpsRule>,
    pub(crate) forwarded: ForwardedRule,
}

impl RequestRule {
    pub(crate) fn compile(request: &Request) -> Self {
        let hosts = request.hosts.as_ref().map(|patterns| {
            let entries = patterns.iter().map(|pattern| (pattern.clone(), ()));
            HostMap::new(entries, || (), |(), ()| ())
        });
        let limit = |written: Option<u64>, default: usize| {
            written.map_or(default, |n| usize::try_from(n).unwrap_or(usize::MAX))
        };
        Self {
            hosts,
            methods: request.methods.clone(),
            lines: LineLimits {
                count: limit(request.max_headers.map(u64::from), 100),
                bytes: limit(request.max_header_bytes, 16 << 10),
            },
            max_path_bytes: limit(request.max_path_bytes, 8 << 10),
            max_query_params: limit(request.max_query_params.map(u64::from), 128),
            max_body_bytes: request.max_body_bytes,
            refuses_ambiguous: request.ambiguous != Some(Ambiguous::Allow),
            https: request.https.as_ref().map(HttpsRule::compile),
            forwarded: ForwardedRule::compile(&request.strip),
        }
    }

    /// Whether the rule looks at hosts at all.
    pub(crate) fn reads_host(&self) -> bool {
        self.hosts.is_some() || self.https.is_some()
    }

    /// Judges the form of the head: its lines and its target.
    pub(crate) fn refuse_form(&self, head: &RequestHead<'_>) -> Option<&'static Refusal> {
        let target = head.path();
        refuse_lines(head.lines(), self.lines)
            .or_else(|| {
                // Envoy joins two hosts to one name; where hosts are listed, it is not on the list.
                let joined = self.hosts.is_none()
                    && head.authority().is_some_and(|host| host.contains(&b','));
                joined.then_some(&refusal::HEADER_REPEATED)
            })
            .or_else(|| (target.len() > self.max_path_bytes).then_some(&refusal::PATH_TOO_LONG))
            .or_else(|| {
                // `*` asks about the server, and only OPTIONS does (RFC 9112 section 3.2.4).
                let nowhere = target == b"*" && head.method() != b"OPTIONS";
                nowhere.then_some(&refusal::PATH_MALFORMED)
            })
            .or_else(|| target::refuse_malformed(target))
            .or_else(|| {
                let refused = self.refuses_ambiguous && target::is_ambiguous(target);
                refused.then_some(&refusal::PATH_AMBIGUOUS)
            })
            .or_else(|| {
                let refused = target::query_parameters(target) > self.max_query_params;
                refused.then_some(&refusal::QUERY_TOO_MANY)
            })
    }

    /// The bytes that a body may have, if there is a limit.
    pub(crate) fn max_body_bytes(&self) -> Option<u64> {
        self.max_body_bytes
    }

    /// Judges the length of the body that the head announces.
    pub(crate) fn refuse_announced(&self, head: &RequestHead<'_>) -> Option<&'static Refusal> {
        let limit = self.max_body_bytes?;
        (head.content_length()? > limit).then_some(&refusal::BODY_TOO_LARGE)
    }

    /// Judges the host; `None` is one that is not valid.
    pub(crate) fn refuse_host(&self, host: Option<&str>) -> Option<&'static Refusal> {
        let hosts = self.hosts.as_ref()?;
        let Some(host) = host else {
            return Some(&refusal::HOST_MALFORMED);
        };
        match hosts.get(host).next() {
            Some(()) => None,
            None => Some(&refusal::HOST_NOT_ALLOWED),
        }
    }

    /// Judges the method.
    pub(crate) fn refuse_method(&self, method: &[u8]) -> Option<&'static Refusal> {
        let listed = self.methods.iter().any(|one| one.as_bytes() == method);
        (!listed).then_some(&refusal::METHOD_NOT_ALLOWED)
    }

    /// The value of `Allow`.
    pub(crate) fn allow(&self) -> String {
        self.methods.join(", ")
    }
}
