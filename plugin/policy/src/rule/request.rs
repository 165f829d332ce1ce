//! Request hygiene: the hosts that are answered for, and the methods that are let in.

use portcullis_config::Request;

use crate::host::HostMap;
use crate::refusal::{self, Refusal};

/// The compiled `request` section.
#[derive(Clone, Debug)]
pub(crate) struct RequestRule {
    hosts: Option<HostMap<()>>,
    methods: Vec<String>,
}

impl RequestRule {
    pub(crate) fn compile(request: &Request) -> Self {
        let hosts = request.hosts.as_ref().map(|patterns| {
            let entries = patterns.iter().map(|pattern| (pattern.clone(), ()));
            HostMap::new(entries, || (), |(), ()| ())
        });
        Self {
            hosts,
            methods: request.methods.clone(),
        }
    }

    /// Whether the rule looks at hosts at all.
    pub(crate) fn reads_host(&self) -> bool {
        self.hosts.is_some()
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
