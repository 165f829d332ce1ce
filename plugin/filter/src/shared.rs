//! Shared data of the host as the store that limits count in, and what stands in for it where there is none.

use std::cell::Cell;
use std::rc::Rc;

use portcullis_policy::{LocalStore, Store, Unavailable, Versioned};

use crate::host;

const OK: u32 = 0;
const NOT_FOUND: u32 = 1;
const CAS_MISMATCH: u32 = 8;
const UNIMPLEMENTED: u32 = 12;

/// No value has this CAS number: hosts count up from one.
const NO_CAS: u32 = 0xffff_fff1;

thread_local! {
    /// What a worker counts in for itself: one for all policies that its VM ever loads.
    static OWN: Rc<LocalStore> = Rc::default();
}

/// The shared data of the host. Where it has none, each worker counts for itself.
#[derive(Debug)]
pub(crate) struct Shared {
    own: Rc<LocalStore>,
    is_own: Cell<bool>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            own: OWN.with(Rc::clone),
            is_own: Cell::new(false),
        }
    }
}

impl Shared {
    /// Whether this worker counts for itself.
    pub(crate) fn is_own(&self) -> bool {
        self.is_own.get()
    }
}

impl Store for Shared {
    fn get(&self, key: &[u8]) -> Result<Option<Versioned>, Unavailable> {
        if self.is_own.get() {
            return self.own.get(key);
        }
        match host::shared(key) {
            Ok((value, version)) => Ok(Some(Versioned { value, version })),
            Err(NOT_FOUND) => Ok(None),
            // wasm-nginx-module has none, and says so to the first call.
            Err(UNIMPLEMENTED) => {
                self.is_own.set(true);
                self.own.get(key)
            }
            Err(status) => Err(Unavailable(status)),
        }
    }

    fn set(&self, key: &[u8], value: &[u8], version: Option<u32>) -> Result<bool, Unavailable> {
        if self.is_own.get() {
            return self.own.set(key, value, version);
        }
        let status = match version {
            Some(version) => host::set_shared(key, value, version),
            // Envoy overwrites whatever stands there if it is given no CAS number, and lets any other create a value;
            // ngx_wasm_module creates one only without.
            None => match host::set_shared(key, value, NO_CAS) {
                CAS_MISMATCH if self.get(key)?.is_none() => host::set_shared(key, value, 0),
                status => status,
            },
        };
        match status {
            OK => Ok(true),
            CAS_MISMATCH => Ok(false),
            UNIMPLEMENTED => {
                self.is_own.set(true);
                self.own.set(key, value, version)
            }
            status => Err(Unavailable(status)),
        }
    }
}
