//! The engine of Portcullis for browsers and JavaScript runtimes.
//!
//! The same code that serves in the gateway judges policies and requests here, so that an editor in a page shows what the
//! gateway would say, and a fetch handler does what it would do. Only text and bytes cross over: the values of JavaScript are
//! read, and made, by `package/index.js`, so that nothing here runs a caller's code. Headers are byte strings, each character
//! one byte, as in the Fetch standard.

mod exchange;

use std::rc::Rc;

use portcullis_document::Document;
use portcullis_policy::{LocalStore, Policy, load};
use serde_json::{Value, json};
use wasm_bindgen::prelude::wasm_bindgen;

/// What is counted takes no more: twice what the limits of one policy may, so that another can be loaded.
const MOST_BYTES: usize = 128 << 20;

/// Judges a policy, YAML or JSON, and gives a JSON array of what was found, in the order of the text and with places.
#[wasm_bindgen]
pub fn check(policy: &str) -> String {
    read(policy).1.to_string()
}

/// A policy that decides, and what it counts in.
#[wasm_bindgen]
pub struct Engine {
    policy: Rc<Policy>,
    warnings: Value,
    store: Rc<LocalStore>,
}

#[wasm_bindgen]
impl Engine {
    /// Throws what [`check`] gives if the policy is invalid.
    #[wasm_bindgen(constructor)]
    pub fn new(policy: &str) -> Result<Self, String> {
        let (policy, found) = read(policy);
        Ok(Self {
            policy: Rc::new(policy.ok_or_else(|| found.to_string())?),
            warnings: found,
            store: Rc::new(LocalStore::bounded(MOST_BYTES)),
        })
    }

    /// Another policy that counts in the same store.
    pub fn succeed(&self, policy: &str) -> Result<Self, String> {
        let store = Rc::clone(&self.store);
        Self::new(policy).map(|other| Self { store, ..other })
    }

    /// The name, the hash and the warnings.
    pub fn about(&self) -> String {
        let (name, hash) = (self.policy.name(), self.policy.hash());
        json!({"name": name, "hash": hash, "diagnostics": self.warnings}).to_string()
    }

    /// Opens the tables of its limits, before the first request; `random` is a number that nobody can guess.
    pub fn open(&mut self, random: u128) -> Result<(), String> {
        let policy = Rc::get_mut(&mut self.policy).ok_or("a request has begun already")?;
        let opened = policy.open(&*self.store, random);
        let full = |_| "there is no memory left to count in".to_owned();
        opened.map(drop).map_err(full)
    }
}

fn read(policy: &str) -> (Option<Policy>, Value) {
    match Document::read("policy", policy.as_bytes()) {
        Ok(document) => {
            let mut verdict = load(document.value.to_string().as_bytes());
            document.sort(&mut verdict.diagnostics);
            (verdict.policy, document.findings(&verdict.diagnostics))
        }
        Err(unreadable) => (None, unreadable.findings()),
    }
}
