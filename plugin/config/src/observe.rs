//! `observe`: what can be seen of it.

use crate::headers::{HeaderName, written_name};
use crate::walk::Node;

/// The `observe` section.
#[derive(Clone, Debug, PartialEq)]
pub struct Observe {
    /// Default blocked.
    pub log: LogPolicy,
    /// With `log: all`: of requests in which nothing was found, one in so many. Default 1.
    pub one_in: u32,
    /// Default true.
    pub metrics: bool,
    /// The header that carries the request id up and back; `None` is none.
    pub request_id: Option<HeaderName>,
    /// The header that carries the time taken; `None` is none.
    pub timing: Option<Timing>,
}

impl Default for Observe {
    fn default() -> Self {
        Self {
            log: LogPolicy::Blocked,
            one_in: 1,
            metrics: true,
            request_id: None,
            timing: None,
        }
    }
}

/// `observe.log`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogPolicy {
    /// One line a request.
    All,
    /// One line a refused request.
    Blocked,
    /// None.
    None,
}

/// `observe.timing`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Timing {
    /// Seconds with six decimals in a header of this name.
    Header(HeaderName),
    /// `Server-Timing`.
    ServerTiming,
}

pub(crate) fn read(node: &Node<'_>) -> Option<Observe> {
    let mut object = node.object()?;
    let default = Observe::default();
    let observe = Observe {
        log: object
            .read("log", |n| {
                n.word(&[
                    ("all", LogPolicy::All),
                    ("blocked", LogPolicy::Blocked),
                    ("none", LogPolicy::None),
                ])
            })
            .unwrap_or(default.log),
        one_in: object
            .read("log_one_in", |n| n.count(1, 1_000_000))
            .unwrap_or(default.one_in),
        metrics: object
            .read("metrics", Node::boolean)
            .unwrap_or(default.metrics),
        request_id: object.read("request_id", name),
        timing: object.read("timing", |n| {
            name(n).map(|name| match name.as_str() {
                "server-timing" => Timing::ServerTiming,
                _ => Timing::Header(name),
            })
        }),
    };
    object.finish();
    Some(observe)
}

/// The name of a header that is written on messages.
fn name(node: &Node<'_>) -> Option<HeaderName> {
    written_name(node, node.string()?)
}
