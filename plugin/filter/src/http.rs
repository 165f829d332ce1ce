//! One HTTP exchange: the host's callbacks to the engine's phases, the engine's answers to host calls.

use std::rc::Rc;

use portcullis_policy::{
    Ambient, Decision, Edit, Exchange, Line, Reply, RequestHead, ResponseHead, Store, edited,
};
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use crate::explain::Explain;
use crate::gateway::Gateway;
use crate::host::{self, Level, Map};
use crate::wire;
use crate::worker::Worker;

/// The context of one exchange.
pub(crate) struct Http {
    /// `None` if no policy was ever loaded, or once the exchange is done.
    exchange: Option<Exchange>,
    worker: Rc<Worker>,
    /// Where somebody wants to know why.
    explain: Option<Explain>,
}

impl Ambient for Worker {
    fn source(&self) -> Option<Vec<u8>> {
        // APISIX knows nginx's variables and not the attributes of the ABI.
        host::property("source\0address")
            .or_else(|_| host::property("remote_addr"))
            .ok()
    }

    fn fresh_id(&self) -> u128 {
        self.ids.fresh()
    }

    fn now(&self) -> u64 {
        host::now()
    }

    fn store(&self) -> &dyn Store {
        &self.shared
    }
}

impl Http {
    pub(crate) fn new(
        exchange: Option<Exchange>,
        worker: Rc<Worker>,
        explain: Option<Explain>,
    ) -> Self {
        Self {
            exchange,
            worker,
            explain,
        }
    }

    /// Answers where the request cannot be judged: what cannot be checked does not pass.
    fn refuse_unchecked(&mut self, why: &str) -> Action {
        host::log(
            Level::Error,
            &format!("portcullis: refused unchecked: {why}"),
        );
        let worker = &*self.worker;
        answer(&match &mut self.exchange {
            Some(exchange) => exchange.unchecked(worker),
            None => Reply::unchecked(worker.fresh_id()),
        })
    }
}

impl Http {
    /// Makes the changes, and answers a status that was not ok, if one was.
    fn change_response(&self, lines: &[Line<'_>], edits: &[Edit<'_>]) -> host::Status {
        // One call costs as much as two or three; on the others it is not known to keep every line.
        if edits.len() > 3 && self.worker.gateway() == Gateway::Envoy {
            let map = wire::bytes(&edited(lines, edits));
            if host::set_header_map(Map::ResponseHeaders, &map) == 0 {
                return 0;
            }
        }
        let statuses = edits.iter().map(|edit| apply(Map::ResponseHeaders, edit));
        statuses.max().unwrap_or(0)
    }
}

impl Context for Http {
    fn on_done(&mut self) -> bool {
        let Some(exchange) = self.exchange.take() else {
            return true;
        };
        if exchange.hides_client() && !self.worker.told_of_hidden_clients.replace(true) {
            host::log(
                Level::Warn,
                "portcullis: the gateway takes clients' addresses from a header, so they are not known here: \
                 if it may, say `client: {forwarded: host}`",
            );
        }
        if let Some(line) = exchange.finish().and_then(|record| record.log_line()) {
            host::log(Level::Warn, &line);
        }
        if let Some(explain) = &mut self.explain {
            explain.log();
        }
        true
    }
}

impl HttpContext for Http {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let Some(exchange) = &mut self.exchange else {
            return self.refuse_unchecked("there is no policy");
        };
        let bytes = match host::header_map(Map::RequestHeaders) {
            Ok(bytes) => bytes,
            Err(status) => {
                let why = format!("the request's headers cannot be read (status {status})");
                return self.refuse_unchecked(&why);
            }
        };
        let Some(lines) = wire::lines(&bytes) else {
            return self.refuse_unchecked("the request's headers are no header map");
        };
        let head = RequestHead::new(&lines);
        if let Some(explain) = &mut self.explain {
            explain.request(&head, &*self.worker);
        }
        let edits = match exchange.on_request_head(&head, &*self.worker) {
            Decision::Reply(reply) => return answer(&reply),
            Decision::Continue(edits) => edits,
        };
        if let Some(explain) = &mut self.explain {
            explain.request_changed(&edits);
        }
        if exchange.reads_request_body() {
            // APISIX shows no body unasked; the others know nothing of this and say so.
            host::set_property("wasm_process_req_body", "1");
        }
        for edit in &edits {
            let status = apply(Map::RequestHeaders, edit);
            if status != 0 {
                let why = format!("a request header cannot be changed (status {status})");
                return self.refuse_unchecked(&why);
            }
        }
        Action::Continue
    }

    fn on_http_request_body(&mut self, size: usize, _: bool) -> Action {
        if let Some(explain) = &mut self.explain {
            explain.request_body(size);
        }
        let reply = self.exchange.as_mut().and_then(|e| e.on_request_body(size));
        reply.map_or(Action::Continue, |reply| answer(&reply))
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
        let edits = exchange.on_response_head(&ResponseHead::new(&lines));
        if let Some(explain) = &mut self.explain {
            explain.response_changed(&edits);
        }
        let status = self.change_response(&lines, &edits);
        if status != 0 {
            let message =
                format!("portcullis: a response header was not changed (status {status})");
            host::log(Level::Error, &message);
        }
        Action::Continue
    }
}

fn apply(map: Map, edit: &Edit<'_>) -> host::Status {
    match edit {
        Edit::Add(name, value) => host::add_header(map, name, value),
        Edit::Replace(name, value) => host::replace_header(map, name, value),
        Edit::Remove(name) => host::remove_header(map, name),
    }
}

/// Answers a request. Answered or not, it goes no further.
fn answer(reply: &Reply) -> Action {
    let lines: Vec<Line<'_>> = reply
        .headers
        .iter()
        .map(|(name, value)| (name.as_slice(), value.as_slice()))
        .collect();
    let status = host::reply(
        reply.status,
        "portcullis",
        reply.body.as_bytes(),
        &wire::bytes(&lines),
        reply.grpc_status.map_or(-1, i32::from),
    );
    if status != 0 {
        let message = format!("portcullis: the reply was not taken (status {status})");
        host::log(Level::Error, &message);
    }
    Action::Pause
}
