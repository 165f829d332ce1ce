//! Logs the header lines of requests and responses, and answers one path by itself.

use log::info;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType};

/// What the SDK makes public here is for the host alone.
mod entry {
    proxy_wasm::main! {{
        proxy_wasm::set_log_level(proxy_wasm::types::LogLevel::Trace);
        proxy_wasm::set_root_context(|_| Box::new(super::Root));
    }}
}

struct Root;

impl Context for Root {}

impl RootContext for Root {
    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Witness))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct Witness;

impl Context for Witness {}

impl HttpContext for Witness {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        for (name, value) in self.get_http_request_headers() {
            info!("request {name}: {value}");
        }
        if self.get_http_request_header(":path").as_deref() == Some("/witness") {
            let headers = vec![("X-Witness", "present"), ("x-seen", "1"), ("x-seen", "2")];
            self.send_http_response(200, headers, Some(b"i saw you\n"));
            return Action::Pause;
        }
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        for (name, value) in self.get_http_response_headers() {
            info!("response {name}: {value}");
        }
        Action::Continue
    }

    fn on_log(&mut self) {
        let status = self.get_http_response_header(":status");
        info!("done with {}", status.as_deref().unwrap_or("nothing"));
    }
}
