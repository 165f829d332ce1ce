//! What the user wrote: the policy file's types, scalars and defaults, and the one walk that reads them.
//!
//! Reading never stops at the first mistake. [`read`] walks the whole document, records every unknown key, wrong type
//! and bad scalar with its JSON Pointer (RFC 6901), and goes on with what was legible, so that one run shows all that
//! is to be mended. A derive over the types would stop at the first, and could not say where in the file it stood.
//! Nothing is decided here: what a section *does* is the engine's business.

mod client;
mod cors;
mod diagnostic;
mod document;
mod errors;
mod exempt;
mod headers;
mod health;
mod host_pattern;
mod limiter;
mod merge;
mod observe;
mod origin_pattern;
mod path_pattern;
mod policy;
mod profanity;
mod protobuf;
mod rate_limit;
mod request;
mod route;
mod scalar;
mod schema;
mod validate;
mod walk;

pub use client::{Client, Forwarded, Network};
pub use cors::{Cors, FORBIDDEN_METHODS, MaxAge, OnDisallowed, OrAny, Origins};
pub use diagnostic::{Diagnostic, Diagnostics, Severity, code, pointer_child, suggest};
pub use document::Document;
pub use errors::{ErrorFormat, Errors};
pub use exempt::Exempt;
pub use headers::{Cookies, HeaderName, HeaderPattern, Headers, Preset, SameSite};
pub use health::{Check, Health};
pub use host_pattern::HostPattern;
pub use limiter::{Limiter, OnFailure, Protocol};
pub use observe::{LogPolicy, Observe, Timing};
pub use origin_pattern::{OriginPattern, OriginPort, written_port};
pub use path_pattern::{PathPattern, Segment, Tail};
pub use policy::{Config, Unmatched, read};
pub use profanity::{Fields, Profanity, ProfanityAction, ProfanityTarget, Threshold};
pub use rate_limit::{Algorithm, Ban, KeyPart, Quota, RateLimit, RateLimitHeaders, Scope};
pub use request::{Ambiguous, Https, Request};
pub use route::Route;
pub use scalar::{Mode, is_token_byte};
pub use schema::POLICY_SCHEMA;
pub use validate::{
    Body, DuplicateKeys, Encoding, Normalize, Parameter, Strictness, Style, UnknownQuery, Validate,
};
