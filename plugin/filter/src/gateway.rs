//! Which gateway this is: told by the properties that only one of them has, since what they can do differs.

use crate::host;

/// A gateway whose ways are known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gateway {
    /// Envoy, Istio, and whatever else keeps to the ABI.
    Envoy,
    /// Kong's ngx_wasm_module.
    Kong,
    /// APISIX's wasm-nginx-module.
    Apisix,
}

impl Gateway {
    /// Asks the host, which must be in the middle of a request: earlier, asking is fatal to some.
    pub(crate) fn ask() -> Self {
        if host::property("ngx\0nginx_version").is_ok() {
            Self::Kong
        } else if host::property("nginx_version").is_ok() {
            Self::Apisix
        } else {
            Self::Envoy
        }
    }
}
