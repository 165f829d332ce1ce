//! `limiter`: the existing engine behind `scope: global`.

use crate::diagnostic::code;
use crate::scalar::{duration, long_name};
use crate::walk::{Node, shown};

/// The `limiter` section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limiter {
    /// How the engine is spoken to.
    pub protocol: Protocol,
    /// Handed to the host as it is: an Envoy cluster, or host:port.
    pub upstream: String,
    /// Default `portcullis`.
    pub domain: String,
    /// Milliseconds. Default 20.
    pub timeout_ms: u64,
    /// Tokens fetched ahead. Default 100.
    pub lease: u32,
    /// Default local.
    pub on_failure: OnFailure,
}

/// `limiter.protocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Envoy's rate limit service over gRPC.
    RlsGrpc,
    /// The same as JSON over HTTP.
    RlsHttp,
}

/// `limiter.on_failure`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// The full quota for this gateway alone.
    #[default]
    Local,
    /// Everything passes.
    Allow,
    /// 503.
    Deny,
}

pub(crate) fn read(node: &Node<'_>) -> Option<Limiter> {
    let mut object = node.object()?;
    let protocol = object.required("protocol", |n| {
        n.word(&[
            ("rls-grpc", Protocol::RlsGrpc),
            ("rls-http", Protocol::RlsHttp),
        ])
    });
    let upstream = object.required("upstream", upstream);
    let domain = object.read("domain", long_name);
    let timeout = object.read("timeout", |n| duration(n, 1, 10_000));
    let lease = object.read("lease", |n| n.count(1, 1_000_000));
    let on_failure = object.read("on_failure", |n| {
        n.word(&[
            ("local", OnFailure::Local),
            ("allow", OnFailure::Allow),
            ("deny", OnFailure::Deny),
        ])
    });
    object.finish();
    Some(Limiter {
        protocol: protocol?,
        upstream: upstream?,
        domain: domain.unwrap_or_else(|| "portcullis".to_owned()),
        timeout_ms: timeout.unwrap_or(20),
        lease: lease.unwrap_or(100),
        on_failure: on_failure.unwrap_or_default(),
    })
}

/// A cluster's name or host:port: what the host makes of it is the host's.
pub(crate) fn upstream(node: &Node<'_>) -> Option<String> {
    let text = node.string()?;
    if (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
        return Some(text.to_owned());
    }
    node.error(
        code::NAME_SYNTAX,
        format!("`{}` names no upstream", shown(text)),
        Some("the name of a cluster, or host:port"),
    );
    None
}
