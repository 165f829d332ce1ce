//! The engine of Portcullis: a policy is parsed, compiled once, and then decides.
//!
//! ```text
//! load       bytes -> Config (collecting walk) -> Policy, or every diagnostic at once
//! request    RequestHead -> Exchange::on_request_head  -> Decision: go on, or this Reply
//! response   ResponseHead -> Exchange::on_response_head -> Edits
//! done       Exchange::finish -> Record: what happened, for the log
//! ```
//!
//! The engine is pure. It reads no clock, does no I/O, writes no log and cannot panic: all that it needs is an
//! argument (what only the gateway knows comes through [`Ambient`]), and all that it wants done is in what it returns.
//!
//! ```
//! use std::rc::Rc;
//! use portcullis_policy::{Ambient, Decision, LocalStore, RequestHead, Store, load};
//!
//! struct Laptop(LocalStore);
//! impl Ambient for Laptop {
//!     fn source(&self) -> Option<Vec<u8>> { Some(b"203.0.113.7:4711".to_vec()) }
//!     fn fresh_id(&self) -> u128 { 7 }
//!     fn now(&self) -> u64 { 0 }
//!     fn store(&self) -> &dyn Store { &self.0 }
//! }
//!
//! let verdict = load(br#"{"version": 1, "request": {"hosts": ["api.example.com"]}}"#);
//! let policy = Rc::new(verdict.policy.expect("the policy is valid"));
//! let mut exchange = policy.begin();
//! let head = [(&b":method"[..], &b"GET"[..]), (b":path", b"/"), (b":authority", b"evil.example")];
//! let (head, laptop) = (RequestHead::new(&head), Laptop(LocalStore::default()));
//! let Decision::Reply(reply) = exchange.on_request_head(&head, &laptop) else {
//!     panic!("the host is not served");
//! };
//! assert_eq!(reply.status, 421);
//! ```

mod ambient;
mod compile;
mod decision;
mod exchange;
mod explain;
mod host;
mod json;
mod message;
mod path;
mod policy;
mod problem;
mod record;
mod refusal;
mod review;
mod route;
mod rule;
mod store;

pub use ambient::{Ambient, Checked};
pub use compile::{Verdict, load};
pub use decision::{Decision, Edit, Reply, edited};
pub use exchange::{BodyDecision, BodyNeed, Exchange};
pub use explain::Explanation;
pub use message::{Line, RequestHead, ResponseHead};
pub use policy::Policy;
pub use portcullis_config::{Diagnostic, Mode, Severity};
pub use record::{Finding, Outcome, Record, Tally};
pub use refusal::Refusal;
pub use rule::health::HealthCheck;
pub use rule::rate_limit::{Contention, Opened};
pub use store::{LocalStore, Store, Unavailable, Versioned};

/// Every way in which a request can be refused.
pub const REFUSALS: &[&Refusal] = refusal::ALL;
