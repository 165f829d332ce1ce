//! Lets a request pass if a server that it asks first throws an even number.

use std::time::Duration;

use log::info;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

/// What the SDK makes public here is for the host alone.
mod entry {
    proxy_wasm::main! {{
        proxy_wasm::set_log_level(proxy_wasm::types::LogLevel::Info);
        proxy_wasm::set_http_context(|_, _| Box::new(super::Gambler));
    }}
}

struct Gambler;

impl Gambler {
    fn refuse(&self, why: &str) {
        self.send_http_response(
            403,
            vec![("x-refused-by", "the dice")],
            Some(why.as_bytes()),
        );
    }
}

impl HttpContext for Gambler {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let dice = self.get_http_request_header("x-dice");
        let dice = dice.as_deref().unwrap_or("dice");
        let headers = vec![
            (":method", "GET"),
            (":path", "/throw?dice=1"),
            (":authority", "dice.example"),
            ("x-player", "gambler"),
        ];
        match self.dispatch_http_call(dice, headers, None, vec![], Duration::from_millis(500)) {
            Ok(_) => {}
            Err(status) => self.refuse(&format!("no dice: {status:?}\n")),
        }
        Action::Pause
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        self.set_http_response_header("x-luck", Some("tried"));
        Action::Continue
    }
}

impl Context for Gambler {
    fn on_http_call_response(&mut self, _: u32, headers: usize, size: usize, _: usize) {
        for (name, value) in self.get_http_call_response_headers() {
            info!("answer {name}: {value}");
        }
        if headers == 0 {
            return self.refuse("the dice fell from the table\n");
        }
        let status = self.get_http_call_response_header(":status");
        if status.as_deref() != Some("200") {
            let said = self
                .get_http_call_response_body(0, size)
                .unwrap_or_default();
            return self.refuse(&format!("no throw: {}\n", String::from_utf8_lossy(&said)));
        }
        let thrown = self
            .get_http_call_response_body(0, size)
            .and_then(|body| body.first().copied());
        info!("thrown: {thrown:?}");
        match thrown {
            Some(number) if number % 2 == 0 => self.resume_http_request(),
            Some(_) => self.refuse("an odd number\n"),
            None => self.refuse("an empty hand\n"),
        }
    }
}
