//! Exemptions: the narrow side of matching. A path is exempt only byte for byte, and never in an ambiguous spelling.

use portcullis_config::{Exempt, Network, Tail};

use super::client::Caller;
use super::target::is_ambiguous;
use crate::path::path_of;

/// The compiled `exempt`.
#[derive(Clone, Debug)]
pub(crate) struct Exemption {
    paths: Vec<(String, Tail)>,
    clients: Vec<Network>,
}

impl Exemption {
    pub(crate) fn compile(exempt: &Exempt) -> Self {
        let paths = exempt.paths.iter().map(|pattern| {
            let path = pattern.text.trim_end_matches('*').to_owned();
            (path, pattern.tail)
        });
        Self {
            paths: paths.collect(),
            clients: exempt.clients.clone(),
        }
    }

    /// Whether the path is exempt; `target` is as sent.
    pub(crate) fn covers_path(&self, target: &[u8]) -> bool {
        let path = path_of(target);
        let named = self.paths.iter().any(|(exempt, tail)| match tail {
            Tail::None => path == exempt.as_bytes(),
            Tail::Any => path
                .strip_prefix(exempt.as_bytes())
                .is_some_and(|rest| !rest.is_empty()),
        });
        named && !is_ambiguous(target)
    }

    /// Whether the client is exempt.
    pub(crate) fn covers_client(&self, caller: &Caller) -> bool {
        caller
            .address
            .is_some_and(|address| self.clients.iter().any(|one| one.contains(address)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_exempt_byte_for_byte() {
        let text = br#"{"version":1,"request":{"https":{"exempt":{"paths":["/","/health","/.well-known/acme-challenge/*"]}}}}"#;
        let document = portcullis_config::Document::from_bytes(text).unwrap();
        let https = portcullis_config::read(&document)
            .0
            .unwrap()
            .request
            .unwrap()
            .https
            .unwrap();
        let exemption = Exemption::compile(&https.exempt);
        let check = |target: &str, expected: bool| {
            assert_eq!(
                exemption.covers_path(target.as_bytes()),
                expected,
                "{target}"
            );
        };
        check("/", true);
        check("/health", true);
        check("/health?x=1", true);
        check("/health/", false);
        check("/Health", false);
        check("//health", false);
        check("/%68ealth", false);
        check("/healthy", false);
        check("/.well-known/acme-challenge/x", true);
        check("/.well-known/acme-challenge/", false);
        check("/.well-known/acme-challenge/../../admin", false);
        check("/.well-known/acme-challenge/a%2fb", false);
    }
}
