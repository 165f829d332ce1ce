//! An answer of our own in the place of the upstream's, given when that is there already.
//!
//! Envoy takes it as it takes any answer. Kong would keep the upstream's headers, its length among them, and leave the client
//! waiting for the rest: there head and body are written over, each in its phase. APISIX shows no body to be written over,
//! and takes an answer for a few more headers: there the upstream's response passes, and the log says so.

use portcullis_policy::{Line, Reply};

use crate::host::{self, Buffer, Level, Map};

/// Says that there is no masking here.
pub(crate) fn tell_of_none() {
    host::log(
        Level::Error,
        "portcullis: this gateway lets no filter replace a response: what upstreams say of their failures is not masked",
    );
}

/// A body that takes the place of the response's.
pub(crate) struct Mask {
    /// What of it has not been written.
    body: Vec<u8>,
}

impl Mask {
    /// Makes the head of the response that of the reply; `None`, and nothing of it changed, if that cannot be.
    pub(crate) fn put_on(lines: &[Line<'_>], reply: &Reply) -> Option<Self> {
        let status = reply.status.to_string();
        if host::replace_header(Map::Response, b":status", status.as_bytes()) != 0 {
            host::log(Level::Error, "portcullis: a response was not masked");
            return None;
        }
        for (name, _) in lines {
            if !name.starts_with(b":") {
                host::remove_header(Map::Response, name);
            }
        }
        for (name, value) in &reply.headers {
            host::replace_header(Map::Response, name, value);
        }
        Some(Self {
            body: reply.body.clone().into_bytes(),
        })
    }

    /// Writes the reply's body over the first piece of the response's, and nothing over the others.
    pub(crate) fn cover(&mut self, size: usize) {
        let body = std::mem::take(&mut self.body);
        let status = host::set_buffer(Buffer::ResponseBody, size, &body);
        if status != 0 {
            let message = format!("portcullis: a response was not masked (status {status})");
            host::log(Level::Error, &message);
        }
    }
}
