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
    /// What workers share; `None`: status 12 (unimplemented) to each call of shared data.
    pub shared_data: Option<Sharing>,
    /// Is there `proxy_get_current_time_nanoseconds`? Where not, it answers 12; WASI's clocks are there in any case.
    pub current_time: bool,
    /// Does defining a metric again give a new id?
    pub metric_ids_repeat: bool,
}

/// How shared data is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sharing {
    /// Is a key the CRC-32 of what the guest says, and nothing else? Two keys of one CRC-32 are then one, and filters of
    /// any `vm_id` share them.
    pub keys_by_crc32: bool,
    /// Does `proxy_set_shared_data` with a cas of 0 overwrite an existing value?
    pub zero_cas_overwrites: bool,
    /// Does `proxy_set_shared_data` with a cas other than 0 create a missing value?
    pub any_cas_creates: bool,
    /// Does a null pointer for the value delete it? Elsewhere it is an empty value.
    pub null_deletes: bool,
}

impl Profile {
    /// Envoy 1.40 with V8, which is also Istio's data plane.
    pub const ENVOY: Self = Self {
        name: "envoy",
        buffer_limit: 1024 * 1024,
        shared_data: Some(Sharing {
            keys_by_crc32: false,
            zero_cas_overwrites: true,
            any_cas_creates: true,
            null_deletes: false,
        }),
        current_time: true,
        metric_ids_repeat: false,
    };

    /// Kong's ngx_wasm_module (3bed2783) with a zone for shared data, as far as shared data goes: the rest is Envoy's.
    ///
    /// Not shown: a zone that is full, where others' values make room, and values that are read while they are replaced.
    pub const KONG: Self = Self {
        name: "kong",
        shared_data: Some(Sharing {
            keys_by_crc32: true,
            zero_cas_overwrites: false,
            any_cas_creates: false,
            null_deletes: true,
        }),
        ..Self::ENVOY
    };

    /// APISIX' wasm-nginx-module (0b4b31d), as far as shared data and the current time go, which it does not have: the
    /// rest is Envoy's.
    pub const APISIX: Self = Self {
        name: "apisix",
        shared_data: None,
        current_time: false,
        ..Self::ENVOY
    };
}

impl Default for Profile {
    fn default() -> Self {
        Self::ENVOY
    }
}
