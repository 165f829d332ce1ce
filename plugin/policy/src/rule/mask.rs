//! `errors.mask_upstream`: what an upstream says of its own failures is for its operators.

use portcullis_config::{Config, Exempt, Mode};

use super::exempt::Exemption;
use crate::message::{RequestHead, ResponseHead};

/// The compiled setting.
#[derive(Clone, Debug)]
pub(crate) struct MaskRule {
    /// Where a 503 with a body of JSON is an answer.
    readable: Exemption,
}

impl MaskRule {
    /// Paths that some rule leaves alone, or that a check asks for, are not an API's: a 503 there tells how a service
    /// is, to those who asked for that.
    pub(crate) fn compile(config: &Config) -> Self {
        let https = config
            .request
            .iter()
            .filter_map(|request| request.https.as_ref());
        let routes = config.routes.iter().flat_map(|route| &route.rate_limits);
        let limits = config.rate_limits.iter().flatten().chain(routes);
        let exempt = https
            .map(|https| &https.exempt)
            .chain(limits.map(|limit| &limit.exempt));
        let checks = config.health.iter().flat_map(|health| &health.checks);
        let paths = exempt.flat_map(|exempt| exempt.paths.iter());
        let paths = paths.chain(checks.map(|(_, check)| &check.path));
        Self {
            readable: Exemption::compile(&Exempt {
                paths: paths.cloned().collect(),
                clients: Vec::new(),
            }),
        }
    }

    /// Whether a 503 may be read that answers this request.
    pub(crate) fn lets_read(&self, head: &RequestHead<'_>) -> bool {
        self.readable.covers_path(head.path())
    }

    /// Whether a response is a failure that its client is to know nothing of.
    pub(crate) fn masks(head: &ResponseHead<'_>, lets_read: bool) -> bool {
        let json = |value: &[u8]| {
            let essence = value.split(|b| *b == b';').next().unwrap_or_default();
            let essence = essence.trim_ascii().to_ascii_lowercase();
            essence == b"application/json" || essence.ends_with(b"+json")
        };
        match head.status() {
            Some(503) if lets_read => !head.get("content-type").is_some_and(json),
            Some(status) => status >= 500,
            None => false,
        }
    }
}

/// The mode that it runs in; `None` where it is not asked for.
pub(crate) fn mode(config: &Config) -> Option<Mode> {
    (config.errors.mask_upstream && config.mode != Mode::Off).then_some(config.mode)
}
