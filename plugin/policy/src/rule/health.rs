//! `health`: paths that are answered here, before any rule that could refuse who asks for them.

use portcullis_config::{Exempt, Health, PathPattern};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::exempt::Exemption;
use crate::ambient::{Ambient, Checked};
use crate::decision::Reply;
use crate::message::RequestHead;

/// The compiled section.
#[derive(Clone, Debug)]
pub(crate) struct HealthRule {
    live: Exemption,
    ready: Exemption,
    pub(crate) checks: Vec<HealthCheck>,
}

/// One check that readiness asks about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// As the policy names it.
    pub name: String,
    /// Handed to the host as it is.
    pub upstream: String,
    /// The path asked for.
    pub path: String,
    /// Milliseconds between two rounds.
    pub every_ms: u64,
    /// Milliseconds to wait.
    pub timeout_ms: u64,
}

#[derive(serde::Serialize)]
struct Alive {
    status: &'static str,
}

#[derive(serde::Serialize)]
struct Ready<'a> {
    status: &'static str,
    version: &'static str,
    policy: &'a str,
    policy_hash: &'a str,
    checks: Checks<'a>,
}

struct Checks<'a>(&'a [(&'a str, bool)]);

impl Serialize for Checks<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, ok) in self.0 {
            map.serialize_entry(name, if *ok { "ok" } else { "failed" })?;
        }
        map.end()
    }
}

impl HealthRule {
    pub(crate) fn compile(health: &Health) -> Self {
        let checks = health.checks.iter().map(|(name, check)| HealthCheck {
            name: name.clone(),
            upstream: check.upstream.clone(),
            path: check.path.text.clone(),
            every_ms: check.every_ms,
            timeout_ms: check.timeout_ms,
        });
        Self {
            live: only(health.live.as_ref()),
            ready: only(health.ready.as_ref()),
            checks: checks.collect(),
        }
    }

    /// The answer to a request for one of the paths, matched byte for byte: 200, or 503 where a check failed or has
    /// not been made yet. A gateway that makes none says so at load, and its answer has none.
    pub(crate) fn answer(
        &self,
        head: &RequestHead<'_>,
        policy: &str,
        hash: &str,
        ambient: &dyn Ambient,
    ) -> Option<Reply> {
        if !matches!(head.method(), b"GET" | b"HEAD") {
            return None;
        }
        if self.live.covers_path(head.path()) {
            return Some(reply(200, &Alive { status: "alive" }));
        }
        if !self.ready.covers_path(head.path()) {
            return None;
        }
        let checks = self.checks.iter().enumerate();
        let checked: Vec<(&str, bool)> = checks
            .filter_map(|(at, HealthCheck { name, .. })| match ambient.check(at) {
                Checked::NotHere => None,
                Checked::Ok => Some((name.as_str(), true)),
                Checked::NotYet | Checked::Failed => Some((name.as_str(), false)),
            })
            .collect();
        let failed = checked.iter().filter(|(_, ok)| !ok).count();
        let (code, status) = match failed {
            0 => (200, "ready"),
            _ if failed < checked.len() => (503, "degraded"),
            _ => (503, "failed"),
        };
        Some(reply(
            code,
            &Ready {
                status,
                version: env!("CARGO_PKG_VERSION"),
                policy,
                policy_hash: hash,
                checks: Checks(&checked),
            },
        ))
    }
}

fn only(path: Option<&PathPattern>) -> Exemption {
    Exemption::compile(&Exempt {
        paths: path.into_iter().cloned().collect(),
        clients: Vec::new(),
    })
}

fn reply(status: u16, body: &impl Serialize) -> Reply {
    let line = |name: &str, value: &str| (name.into(), value.into());
    Reply {
        status,
        grpc_status: None,
        headers: vec![
            line("cache-control", "no-store"),
            line("content-type", "application/json"),
        ],
        // Strings alone: this cannot fail.
        body: serde_json::to_string(body).unwrap_or_default(),
    }
}
