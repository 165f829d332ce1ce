//! The JSON Schema of the policy file, for editors.
//!
//! Written by hand, because it is documentation: each title and description is a sentence for the person who types.
//! The walk decides; a test holds the two together, key by key and word by word.

/// The JSON Schema (draft 2020-12) of the whole policy file, as JSON text.
///
/// It takes what the walk takes. What only relates several keys (a cost above its burst) is left to the walk.
pub const POLICY_SCHEMA: &str = include_str!("../policy.schema.json");
