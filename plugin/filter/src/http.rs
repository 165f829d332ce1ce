//! One HTTP exchange: the host's callbacks to the engine's phases, the engine's answers to host calls.

use std::rc::Rc;

use portcullis_policy::{
    Ambient, BodyDecision, BodyNeed, Checked, Decision, Exchange, Line, Reply, RequestHead,
    ResponseHead, Store,
};
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use crate::edits;
use crate::explain::Explain;
use crate::gateway::Gateway;
use crate::host::{self, Buffer, Level, Map};
use crate::mask::{self, Mask};
use crate::metrics::{Metrics, count_failure};
use crate::wire;
use crate::worker::Worker;

/// The context of one exchange.
pub(crate) struct Http {
    /// `None` if no policy was ever loaded, or once the exchange is done.
    exchange: Option<Exchange>,
    worker: Rc<Worker>,
    metrics: Option<Rc<Metrics>>,
    /// Where somebody wants to know why.
    explain: Option<Explain>,
    /// Bytes of the request's body that the host holds back.
    held: usize,
    /// Whether the request's headers are held back too.
    holds_headers: bool,
    /// Those of them that are about the body's bytes, where these may be replaced.
    stale: Vec<&'static str>,
    /// What takes the place of the response's body.
    mask: Option<Mask>,
}

impl Ambient for Worker {
    fn source(&self) -> Option<Vec<u8>> {
        self.gateway().source()
    }

    fn fresh_id(&self) -> u128 {
        self.ids.fresh()
    }

    fn now(&self) -> u64 {
        host::now()
    }

    fn wall(&self) -> u64 {
        host::wall()
    }

    fn check(&self, at: usize) -> Checked {
        self.checks
            .borrow()
            .get(at)
            .copied()
            .unwrap_or(Checked::NotHere)
    }

    fn store(&self) -> &dyn Store {
        &self.shared
    }
}

impl Http {
    pub(crate) fn new(
        exchange: Option<Exchange>,
        worker: Rc<Worker>,
        metrics: Option<Rc<Metrics>>,
        explain: Option<Explain>,
    ) -> Self {
        Self {
            exchange,
            worker,
            metrics,
            explain,
            held: 0,
            holds_headers: false,
            stale: Vec::new(),
            mask: None,
        }
    }

    /// Answers where the request cannot be judged: what cannot be checked does not pass.
    fn refuse_unchecked(&mut self, why: &str) -> Action {
        host::log(
            Level::Error,
            &format!("portcullis: refused unchecked: {why}"),
        );
        if self.exchange.is_none() || self.metrics.is_some() {
            count_failure();
        }
        let worker = &*self.worker;
        answer(&match &mut self.exchange {
            Some(exchange) => exchange.unchecked(worker),
            None => Reply::unchecked(worker.fresh_id()),
        })
    }
}

impl Http {
    /// Judges the body that the host holds back.
    fn judge_body(&mut self) -> Action {
        let Some(exchange) = &mut self.exchange else {
            return Action::Continue;
        };
        let body = match self.held {
            0 => Vec::new(),
            size => match host::buffer(Buffer::RequestBody, size) {
                Ok(body) if body.len() == size => body,
                // Kong shows none that it has put on the disk.
                _ => return answer(&exchange.unreadable(&*self.worker)),
            },
        };
        let decision = exchange.on_request_whole(&body, &*self.worker);
        if let BodyDecision::Reply(reply) = &decision {
            return answer(reply);
        }
        if let Some(tag) = exchange.body_tag() {
            // Headers that have gone on tell nobody anything.
            let gateway = self.worker.gateway();
            let waits = self.holds_headers || gateway.gathers_request();
            let tag = [tag];
            if !waits || edits::change_request(gateway, &[], &tag) != 0 {
                return answer(&exchange.untagged(&*self.worker));
            }
            if let Some(explain) = &mut self.explain {
                explain.request_changed(&tag);
            }
        }
        let BodyDecision::Replace(body) = decision else {
            return Action::Continue;
        };
        let fits = match self.worker.gateway() {
            Gateway::Envoy if self.holds_headers => fit(&self.stale, body.len()),
            // They are gone already.
            Gateway::Envoy => true,
            // The length is the gateway's to tell; what else is about the other bytes cannot be taken back here.
            Gateway::Kong | Gateway::Apisix => self.stale.iter().all(|name| *name == LENGTH),
        };
        match fits && host::set_buffer(Buffer::RequestBody, self.held, &body) == 0 {
            true => Action::Continue,
            false => answer(&exchange.unreplaced(&*self.worker)),
        }
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
        if let Some(metrics) = &self.metrics
            && let Some(tally) = exchange.tally(&*self.worker)
        {
            metrics.count(&tally);
        }
        // What is not logged is explained all the same.
        if let Some(explain) = &mut self.explain {
            explain.log(exchange.findings());
        }
        if let Some(record) = exchange.finish(&*self.worker)
            && let Some(line) = record.log_line()
        {
            let level = match record.findings.is_empty() {
                true => Level::Info,
                false => Level::Warn,
            };
            host::log(level, &line);
        }
        true
    }
}

impl HttpContext for Http {
    fn on_http_request_headers(&mut self, _: usize, end: bool) -> Action {
        let Some(exchange) = &mut self.exchange else {
            return self.refuse_unchecked("there is no policy");
        };
        let bytes = match host::header_map(Map::Request) {
            Ok(bytes) => bytes,
            Err(status) => {
                let why = format!("the request's headers cannot be read (status {status})");
                return self.refuse_unchecked(&why);
            }
        };
        let gateway = self.worker.gateway();
        let Some(mut lines) = wire::lines(&bytes) else {
            return self.refuse_unchecked("the request's headers are no header map");
        };
        let target = match gateway.sent_target(&lines) {
            Ok(target) => target,
            Err(status) => {
                let why = format!("the request's target cannot be read (status {status})");
                return self.refuse_unchecked(&why);
            }
        };
        gateway.put_host_in_its_place(&mut lines);
        if let Some(target) = &target {
            let path = lines.iter_mut().filter(|(name, _)| *name == b":path");
            path.for_each(|(_, value)| *value = target);
        }
        #[cfg(feature = "trap")]
        if lines.iter().any(|(name, _)| *name == b"x-portcullis-trap") {
            std::process::abort();
        }
        let mut head = RequestHead::new(&lines);
        if gateway.tells_end() {
            head = head.with_end(end);
        }
        if let Some(explain) = &mut self.explain {
            explain.request(&head, &*self.worker);
        }
        let (edits, needs_body) = match exchange.on_request_head(&head, &*self.worker) {
            Decision::Reply(reply) => return answer(&reply),
            Decision::NeedBody(edits) => (edits, true),
            Decision::Continue(edits) => (edits, false),
        };
        if let Some(explain) = &mut self.explain {
            explain.request_changed(&edits);
        }
        if exchange.body_need() != BodyNeed::Nothing {
            gateway.ask_for_body();
        }
        self.stale = exchange.stale(&head);
        self.holds_headers = needs_body && self.worker.holds_headers();
        let mut status = edits::change_request(gateway, &lines, &edits);
        if gateway == Gateway::Kong
            && let Some(tag) = exchange.body_tag()
        {
            // A body that is empty is not shown; one that is shown has the last word.
            status = status.max(edits::change_request(gateway, &[], &[tag]));
        }
        if gateway == Gateway::Envoy && !self.holds_headers {
            // Once they have gone on, nobody can make the length fit another body.
            status = status.max(remove(&self.stale));
        }
        if status != 0 {
            let why = format!("a request header cannot be changed (status {status})");
            return self.refuse_unchecked(&why);
        }
        match self.holds_headers {
            true => Action::Pause,
            false => Action::Continue,
        }
    }

    fn on_http_request_body(&mut self, size: usize, end: bool) -> Action {
        let Some(exchange) = &mut self.exchange else {
            return Action::Continue;
        };
        let need = exchange.body_need();
        // What is held back is shown again each time.
        let fresh = size.saturating_sub(self.held);
        if need == BodyNeed::Whole {
            self.held = size;
        }
        if need == BodyNeed::Pieces {
            let piece = host::buffer(Buffer::RequestBody, size);
            exchange.on_request_piece(
                piece.ok().filter(|piece| piece.len() == size).as_deref(),
                end,
                &*self.worker,
            );
        }
        if let Some(reply) = exchange.on_request_body(fresh, &*self.worker) {
            return answer(&reply);
        }
        match need {
            BodyNeed::Whole if end => self.judge_body(),
            BodyNeed::Whole => Action::Pause,
            _ => Action::Continue,
        }
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        let Some(exchange) = &mut self.exchange else {
            return Action::Continue;
        };
        // A body with trailers behind it is never said to end.
        match exchange.body_need() {
            BodyNeed::Whole => self.judge_body(),
            BodyNeed::Pieces => {
                exchange.on_request_piece(Some(&[]), true, &*self.worker);
                Action::Continue
            }
            BodyNeed::Length | BodyNeed::Nothing => Action::Continue,
        }
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        let Some(exchange) = &mut self.exchange else {
            return Action::Continue;
        };
        if !exchange.reads_response() {
            if exchange.reads_status() {
                exchange.on_response_status(host::status());
            }
            return Action::Continue;
        }
        let bytes = host::header_map(Map::Response);
        let Some(lines) = bytes.as_ref().ok().and_then(|bytes| wire::lines(bytes)) else {
            host::log(
                Level::Error,
                "portcullis: the response's headers cannot be read",
            );
            return Action::Continue;
        };
        let head = ResponseHead::new(&lines);
        let gateway = self.worker.gateway();
        if gateway == Gateway::Apisix && exchange.masks() {
            exchange.on_response_status(head.status());
            if !self.worker.told_of_no_mask.replace(true) {
                mask::tell_of_none();
            }
        } else if let Some(reply) = exchange.mask(&head, &*self.worker) {
            if gateway == Gateway::Envoy {
                return answer(&reply);
            }
            self.mask = Mask::put_on(&lines, &reply);
            return Action::Continue;
        }
        let edits = exchange.on_response_head(&head, &*self.worker);
        if let Some(explain) = &mut self.explain {
            explain.response_changed(&edits);
        }
        let status = edits::change_response(gateway, &lines, &edits);
        if status != 0 {
            let message =
                format!("portcullis: a response header was not changed (status {status})");
            host::log(Level::Error, &message);
        }
        Action::Continue
    }

    fn on_http_response_body(&mut self, size: usize, _: bool) -> Action {
        if let Some(mask) = &mut self.mask {
            mask.cover(size);
        }
        Action::Continue
    }
}

const LENGTH: &str = "content-length";

/// Makes the headers, still held back, those of a body of so many bytes.
fn fit(stale: &[&str], length: usize) -> bool {
    let length = length.to_string();
    remove(stale) == 0 && host::add_header(Map::Request, LENGTH.as_bytes(), length.as_bytes()) == 0
}

/// Removes request headers, and answers a status that was not ok, if one was.
fn remove(names: &[&str]) -> host::Status {
    let statuses = names
        .iter()
        .map(|name| host::remove_header(Map::Request, name.as_bytes()));
    statuses.max().unwrap_or(0)
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
