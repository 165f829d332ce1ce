//! What one gateway does differently from another, as data that the host reads.
//!
//! The values are measured in the gateways themselves, not taken from the ABI's text, which leaves most of this open.

/// The habits of one gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// `envoy`.
    pub name: &'static str,
    /// Bytes of a paused body that are kept, in each direction; one more and the host answers by itself (413 for a
    /// request, 500 for a response).
    pub buffer_limit: usize,
    /// Does `proxy_set_shared_data` with a cas of 0 overwrite an existing value?
    pub zero_cas_overwrites: bool,
    /// Does `proxy_set_shared_data` with a cas other than 0 create a missing value?
    pub any_cas_creates: bool,
    /// Does defining a metric again give a new id?
    pub metric_ids_repeat: bool,
}

impl Profile {
    /// Envoy 1.40 with V8, which is also Istio's data plane.
    pub const ENVOY: Self = Self {
        name: "envoy",
        buffer_limit: 1024 * 1024,
        zero_cas_overwrites: true,
        any_cas_creates: true,
        metric_ids_repeat: false,
    };
}

impl Default for Profile {
    fn default() -> Self {
        Self::ENVOY
    }
}
