//! `health`: paths that the gateway answers for itself.

use crate::limiter::upstream;
use crate::path_pattern::PathPattern;
use crate::scalar::{duration, long_name_of};
use crate::walk::Node;

/// The `health` section.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    /// Answers 200 while the filter runs.
    pub live: Option<PathPattern>,
    /// Answers 200 while every check passes, else 503.
    pub ready: Option<PathPattern>,
    /// What readiness asks, by name.
    pub checks: Vec<(String, Check)>,
}

/// One check of `health.checks`.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Handed to the host as it is.
    pub upstream: String,
    /// The path asked for.
    pub path: PathPattern,
    /// Milliseconds between two rounds. Default 10 s.
    pub every_ms: u64,
    /// Milliseconds to wait. Default 1 s.
    pub timeout_ms: u64,
}

pub(crate) fn read(node: &Node<'_>) -> Option<Health> {
    let mut object = node.object()?;
    let health = Health {
        live: object.read("live", PathPattern::exempt),
        ready: object.read("ready", PathPattern::exempt),
        checks: object
            .read("checks", |n| n.map(long_name_of, check))
            .unwrap_or_default(),
    };
    object.finish();
    Some(health)
}

fn check(node: &Node<'_>) -> Option<Check> {
    let mut object = node.object()?;
    let upstream = object.required("upstream", upstream);
    let path = object.required("path", PathPattern::exempt);
    let every = object.read("every", |n| duration(n, 1000, 3_600_000));
    let timeout = object.read("timeout", |n| duration(n, 1, 60_000));
    object.finish();
    Some(Check {
        upstream: upstream?,
        path: path?,
        every_ms: every.unwrap_or(10_000),
        timeout_ms: timeout.unwrap_or(1000),
    })
}
