//! Greets when its VM starts, and tells the time and a lucky number at every tick. It has no context for requests.

use std::time::{Duration, UNIX_EPOCH};

use log::info;
use proxy_wasm::traits::{Context, RootContext};

const PERIOD: Duration = Duration::from_secs(2);

/// What the SDK makes public here is for the host alone.
mod entry {
    proxy_wasm::main! {{
        proxy_wasm::set_log_level(proxy_wasm::types::LogLevel::Info);
        proxy_wasm::set_root_context(|_| Box::new(super::Greeter));
    }}
}

struct Greeter;

impl Context for Greeter {}

impl RootContext for Greeter {
    fn on_vm_start(&mut self, _: usize) -> bool {
        info!("hello, world");
        self.set_tick_period(PERIOD);
        true
    }

    fn on_tick(&mut self) {
        let seconds = self
            .get_current_time()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        match getrandom::u32() {
            Ok(number) => info!("at {seconds} s your lucky number is {number}"),
            Err(error) => info!("at {seconds} s there is no lucky number: {error}"),
        }
    }
}
