//! One HTTP exchange: the host's callbacks to the engine's phases, the engine's answers to host calls.

use std::rc::Rc;

use portcullis_policy::{
    Ambient, Decision, Edit, Exchange, Line, Reply, RequestHead, ResponseHead,
};
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use crate::host::{self, Level, Map};
use crate::id::Ids;
use crate::wire;

/// The context of one exchange.
pub(crate) struct Http {
    /// `None` if no policy was ever loaded, or once the exchange is done.
    exchange: Option<Exchange>,
    gateway: Gateway,
}

/// What the engine may ask of the gateway.
struct Gateway {
    ids: Rc<Ids>,
}

impl Ambient for Gateway {
    fn source(&self) -> Option<Vec<u8>> {
        // APISIX knows nginx's variables and not the attributes of the ABI.
        host::property("source\0address")
            .or_else(|_| host::property("remote_addr"))
            .ok()
    }

    fn fresh_id(&self) -> u128 {
        self.ids.fresh()
    }
}

impl Http {
    pub(crate) fn new(exchange: Option<Exchange>, ids: Rc<Ids>) -> Self {
        Self {
            exchange,
            gateway: Gateway { ids },
        }
    }

    /// Answers where no policy can: what cannot be checked does not pass.
    fn refuse_unchecked(&self, why: &str) -> Action {
        host::log(
            Level::Error,
            &format!("portcullis: refused unchecked: {why}"),
        );
        send(&Reply::unchecked(self.gateway.fresh_id()));
        Action::Pause
    }
}

impl Context for Http {
    fn on_done(&mut self) -> bool {
        let record = self.exchange.take().and_then(Exchange::finish);
        if let Some(line) = record.and_then(|record| record.log_line()) {
            host::log(Level::Warn, &line);
        }
        true
    }
}

impl HttpContext for Http {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let Some(exchange) = &mut self.exchange else {
            return self.refuse_unchecked("there is no policy");
        };
        let decision = match host::header_map(Map::RequestHeaders) {
            Ok(bytes) => wire::lines(&bytes)
                .map(|lines| exchange.on_request_head(&RequestHead::new(&lines), &self.gateway))
                .ok_or(0),
            Err(status) => Err(status),
        };
        match decision {
            Ok(Decision::Continue) => Action::Continue,
            Ok(Decision::Reply(reply)) => {
                let status = send(&reply);
                if status != 0 {
                    let message = format!("portcullis: the reply was not taken (status {status})");
                    host::log(Level::Error, &message);
                }
                // Answered or not, the request goes no further.
                Action::Pause
            }
            Err(status) => self.refuse_unchecked(&format!(
                "the request's headers cannot be read (status {status})"
            )),
        }
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        let Some(exchange) = self.exchange.as_ref().filter(|e| e.reads_response()) else {
            return Action::Continue;
        };
        let bytes = host::header_map(Map::ResponseHeaders);
        let Some(lines) = bytes.as_ref().ok().and_then(|bytes| wire::lines(bytes)) else {
            host::log(
                Level::Error,
                "portcullis: the response's headers cannot be read",
            );
            return Action::Continue;
        };
        for edit in exchange.on_response_head(&ResponseHead::new(&lines)) {
            let status = apply(&edit);
            if status != 0 {
                let message =
                    format!("portcullis: a response header was not changed (status {status})");
                host::log(Level::Error, &message);
            }
        }
        Action::Continue
    }
}

fn apply(edit: &Edit<'_>) -> host::Status {
    match edit {
        Edit::Add(name, value) => host::add_header(Map::ResponseHeaders, name, value),
        Edit::Replace(name, value) => host::replace_header(Map::ResponseHeaders, name, value),
        Edit::Remove(name) => host::remove_header(Map::ResponseHeaders, name),
    }
}

fn send(reply: &Reply) -> host::Status {
    let lines: Vec<Line<'_>> = reply
        .headers
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect();
    host::reply(
        reply.status,
        "portcullis",
        reply.body.as_bytes(),
        &wire::bytes(&lines),
        reply.grpc_status.map_or(-1, i32::from),
    )
}
