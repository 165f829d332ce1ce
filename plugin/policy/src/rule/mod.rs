//! One protection or setting a file.

pub(crate) mod client;
pub(crate) mod headers;
pub(crate) mod preset;
pub(crate) mod request;
