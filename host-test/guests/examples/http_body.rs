//! Keeps a response back until it is whole, and replaces it if it tells a secret.

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType};

const MARKER: &[u8] = b"secret";

/// What the SDK makes public here is for the host alone.
mod entry {
    proxy_wasm::main! {{
        proxy_wasm::set_root_context(|_| Box::new(super::Root));
    }}
}

struct Root;

impl Context for Root {}

impl RootContext for Root {
    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Censor))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct Censor;

impl Context for Censor {}

impl HttpContext for Censor {
    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        // The length is not known yet.
        self.set_http_response_header("content-length", None);
        Action::Continue
    }

    fn on_http_response_body(&mut self, size: usize, end: bool) -> Action {
        if !end {
            return Action::Pause;
        }
        if let Some(body) = self.get_http_response_body(0, size)
            && body.windows(MARKER.len()).any(|part| part == MARKER)
        {
            let instead = format!("there were {size} bytes here that are not for you\n");
            self.set_http_response_body(0, size, instead.as_bytes());
        }
        Action::Continue
    }
}
