//! The proxy-wasm filter: it hands the engine what the host says, and does what the engine answers.
//!
//! Thin by design. There is no `if` about policy here; all host calls stand in `host.rs`; and no status that a host
//! may answer, no header byte and no missing call takes the VM down.

mod check;
mod checks;
mod edits;
mod explain;
mod gateway;
mod host;
mod http;
mod mask;
mod metrics;
mod root;
mod shared;
mod wire;
mod worker;

/// The entry point that the ABI asks for.
mod entry {
    proxy_wasm::main! {{
        // The SDK logs nothing itself; the level only says what it would let through.
        proxy_wasm::set_log_level(proxy_wasm::types::LogLevel::Info);
        proxy_wasm::set_root_context(|_| Box::new(crate::root::Root::default()));
    }}
}
