//! Which gateway this is, told by the properties that only one of them has, and how it is asked for what each of them
//! tells in its own way.

use portcullis_policy::Line;

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

    /// The request's target as the client sent it, where `:path` is not that: Kong has it decoded and normalised, and
    /// passes on what was sent. `Err` is the host's status, 0 if that is empty for a path that is not.
    pub(crate) fn sent_target(self, lines: &[Line<'_>]) -> Result<Option<Vec<u8>>, host::Status> {
        match self {
            Self::Kong => match host::property("request\0path") {
                Ok(target) if target.is_empty() && !lines.contains(&(b":path", b"")) => Err(0),
                target => target.map(Some),
            },
            Self::Envoy | Self::Apisix => Ok(None),
        }
    }

    /// Gives the client's word on the host the place that Envoy gives it: nginx has a line for that, and in `:authority`
    /// in part its own.
    pub(crate) fn put_host_in_its_place(self, lines: &mut Vec<Line<'_>>) {
        let is_host = |(name, _): &Line<'_>| name.eq_ignore_ascii_case(b"host");
        if self == Self::Envoy || lines.iter().filter(|line| is_host(line)).count() != 1 {
            return;
        }
        lines.retain(|(name, _)| *name != b":authority");
        if let Some((name, _)) = lines.iter_mut().find(|line| is_host(line)) {
            *name = b":authority";
        }
    }

    /// Whether header callbacks are told the end of the message. The others always say the same.
    pub(crate) fn tells_end(self) -> bool {
        self == Self::Envoy
    }

    /// The address at the other end of the connection.
    pub(crate) fn source(self) -> Option<Vec<u8>> {
        let property = match self {
            Self::Envoy | Self::Kong => "source\0address",
            // nginx's variables, and not the attributes of the ABI.
            Self::Apisix => "remote_addr",
        };
        host::property(property).ok()
    }

    /// Has the body of this request shown, where it is not unasked.
    pub(crate) fn ask_for_body(self) {
        if self == Self::Apisix {
            host::set_property("wasm_process_req_body", "1");
        }
    }

    /// Whether request headers can be changed when the body is there, though they were not held back.
    pub(crate) fn gathers_request(self) -> bool {
        self != Self::Envoy
    }
}
