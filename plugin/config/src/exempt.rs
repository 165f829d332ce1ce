//! `exempt`: requests that a rule leaves alone.

use crate::client::Network;
use crate::path_pattern::PathPattern;
use crate::walk::Node;

/// Requests that a rule leaves alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exempt {
    /// By raw path, byte for byte.
    pub paths: Vec<PathPattern>,
    /// By client address.
    pub clients: Vec<Network>,
}

pub(crate) fn read(node: &Node<'_>) -> Option<Exempt> {
    let mut object = node.object()?;
    let exempt = Exempt {
        paths: object
            .read("paths", |n| n.set(PathPattern::exempt))
            .unwrap_or_default(),
        clients: object
            .read("clients", |n| n.set(Network::read))
            .unwrap_or_default(),
    };
    object.finish();
    Some(exempt)
}
