//! What nginx itself lets in of a request, below Kong and APISIX: never less than the policy does, whose refusals say why.

use portcullis_config::Config;

use crate::command::check::when;

/// In KiB.
pub(super) struct Nginx {
    /// The longest body that a rule reads.
    pub(super) read: u64,
    /// The longest body of all.
    pub(super) body: u64,
    /// The longest request line or header.
    pub(super) header: u64,
}

impl Nginx {
    pub(super) fn of(config: &Config) -> Self {
        let kibibytes = |bytes: u64| bytes.div_ceil(1024);
        let request = when::request(config);
        let read = when::longest_read(config).map_or(0, kibibytes);
        let counted = request.and_then(|request| request.max_body_bytes);
        let header = request.map_or(0, |request| {
            let path = request.max_path_bytes.unwrap_or(0);
            request.max_header_bytes.unwrap_or(0).max(path)
        });
        Self {
            read: read.max(64),
            // One more, so that a body of just too many bytes is the policy's to refuse.
            body: (counted.map_or(0, kibibytes).max(read) + 1).max(1024),
            header: kibibytes(header).max(32),
        }
    }

    /// A size as nginx writes it.
    pub(super) fn size(kibibytes: u64) -> String {
        match kibibytes % 1024 {
            0 => format!("{}m", kibibytes / 1024),
            _ => format!("{kibibytes}k"),
        }
    }

    /// The value of `large_client_header_buffers`.
    pub(super) fn headers(&self) -> String {
        format!("8 {}k", self.header)
    }
}
