//! One protection or setting a file.

pub(crate) mod client;
pub(crate) mod cookies;
pub(crate) mod cors;
pub(crate) mod exempt;
pub(crate) mod forwarded;
pub(crate) mod headers;
pub(crate) mod health;
pub(crate) mod https;
pub(crate) mod lines;
pub(crate) mod mask;
pub(crate) mod observe;
pub(crate) mod origin;
pub(crate) mod preset;
pub(crate) mod profanity;
pub(crate) mod rate_limit;
pub(crate) mod request;
pub(crate) mod target;
pub(crate) mod validate;
