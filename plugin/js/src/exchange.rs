//! One request and its response: heads come as JSON, decisions go as JSON.

use std::rc::Rc;

use portcullis_policy::{
    Ambient, BodyDecision, BodyNeed, Decision, Edit, Explanation, Line, LocalStore, Policy, Reply,
    RequestHead, ResponseHead, Store,
};
use serde::Deserialize;
use serde_json::{Value, from_str, json};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::Engine;

/// The head of a message: its lines as bytes, names in lower case, pseudo headers among them.
#[derive(Deserialize)]
struct Head {
    lines: Vec<(Vec<u8>, Vec<u8>)>,
    client: Option<String>,
    body: Option<bool>,
    /// There, if anybody asks for it.
    why: Option<bool>,
}

/// What a gateway knows, where there is none.
#[derive(Default)]
struct Gateway {
    client: Option<Vec<u8>>,
    random: u128,
    /// Since the Unix epoch; callers never set it back.
    nanos: u64,
    store: Rc<LocalStore>,
}

impl Ambient for Gateway {
    fn source(&self) -> Option<Vec<u8>> {
        self.client.clone()
    }

    fn fresh_id(&self) -> u128 {
        self.random
    }

    fn now(&self) -> u64 {
        self.nanos
    }

    fn wall(&self) -> u64 {
        self.nanos
    }

    fn store(&self) -> &dyn Store {
        &*self.store
    }
}

/// One request and its response. Each phase gives a decision; once one was a reply, none follows.
#[wasm_bindgen]
pub struct Exchange {
    policy: Rc<Policy>,
    exchange: portcullis_policy::Exchange,
    gateway: Gateway,
    why: Option<Box<Explanation>>,
    /// What came of a body that is judged whole.
    held: Vec<u8>,
}

#[wasm_bindgen]
impl Exchange {
    /// Begins one; `random` is a number that nobody can guess.
    #[wasm_bindgen(constructor)]
    pub fn new(engine: &Engine, random: u128) -> Self {
        let store = Rc::clone(&engine.store);
        Self {
            policy: Rc::clone(&engine.policy),
            exchange: engine.policy.begin(),
            gateway: Gateway {
                random,
                store,
                ..Gateway::default()
            },
            why: None,
            held: Vec::new(),
        }
    }

    /// Sets the clock: milliseconds since the Unix epoch.
    pub fn turn(&mut self, millis: f64) {
        self.gateway.nanos = (millis as u64).saturating_mul(1_000_000);
    }

    /// On the request's head: the decision, what has to be seen of the body, and the headers that are about its bytes if
    /// others may go on in their place.
    pub fn request(&mut self, head: &str) -> Result<String, String> {
        let read: Head = from_str(head).map_err(|error| error.to_string())?;
        let lines = lines(&read);
        let head = RequestHead::new(&lines);
        let head = read.body.map_or(head, |body| head.with_end(!body));
        self.gateway.client = read.client.clone().map(String::into_bytes);
        self.why = read.why.map(|_| self.policy.explain(&head, &self.gateway));
        let decision = match self.exchange.on_request_head(&head, &self.gateway) {
            Decision::Reply(reply) => replied(&reply),
            Decision::Continue(edits) | Decision::NeedBody(edits) => going(&edits),
        };
        let need = format!("{:?}", self.exchange.body_need());
        Ok(json!([decision, need, self.exchange.stale(&head)]).to_string())
    }

    /// On a piece of the request's body: the decision, and the body that goes on if another is to.
    pub fn body(&mut self, piece: &[u8], last: bool) -> String {
        let (exchange, gateway) = (&mut self.exchange, &self.gateway);
        let need = exchange.body_need();
        match need {
            BodyNeed::Pieces => exchange.on_request_piece(Some(piece), last, gateway),
            BodyNeed::Whole => self.held.extend_from_slice(piece),
            BodyNeed::Length | BodyNeed::Nothing => {}
        }
        if let Some(reply) = exchange.on_request_body(piece.len(), gateway) {
            return json!([replied(&reply)]).to_string();
        }
        if need != BodyNeed::Whole || !last {
            return json!([going(&[])]).to_string();
        }
        let body = match exchange.on_request_whole(&self.held, gateway) {
            BodyDecision::Reply(reply) => return json!([replied(&reply)]).to_string(),
            BodyDecision::Continue => None,
            BodyDecision::Replace(body) => Some(text(&body)),
        };
        json!([going(exchange.body_tag().as_slice()), body]).to_string()
    }

    /// On the head of the upstream's response.
    pub fn response(&mut self, head: &str) -> Result<String, String> {
        let read: Head = from_str(head).map_err(|error| error.to_string())?;
        let lines = lines(&read);
        let head = ResponseHead::new(&lines);
        let decision = match self.exchange.mask(&head, &self.gateway) {
            Some(reply) => replied(&reply),
            None => going(&self.exchange.on_response_head(&head, &self.gateway)),
        };
        Ok(decision.to_string())
    }

    /// What a gateway would log, and the explanation that was asked for, each JSON in a text.
    pub fn finish(self) -> String {
        let why = self.why.map(|it| it.log_line(self.exchange.findings()));
        let record = self.exchange.finish(&self.gateway);
        let log = record.and_then(|record| record.log_line());
        json!({"log": log, "explanation": why}).to_string()
    }
}

fn going(edits: &[Edit<'_>]) -> Value {
    let edit = |edit: &Edit<'_>| match edit {
        Edit::Add(name, value) => json!(["add", text(name), text(value)]),
        Edit::Replace(name, value) => json!(["replace", text(name), text(value)]),
        Edit::Remove(name) => json!(["remove", text(name)]),
    };
    let edits: Value = edits.iter().map(edit).collect();
    json!({"decision": "continue", "edits": edits})
}

fn replied(reply: &Reply) -> Value {
    let line = |(name, value): &(Vec<u8>, Vec<u8>)| json!([text(name), text(value)]);
    let headers: Value = reply.headers.iter().map(line).collect();
    let (status, grpc, body) = (reply.status, reply.grpc_status, &reply.body);
    json!({"decision": "reply", "status": status, "grpc": grpc, "headers": headers, "body": body})
}

/// Each byte as the character of its number.
fn text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn lines(head: &Head) -> Vec<Line<'_>> {
    let lines = head.lines.iter();
    lines.map(|(name, value)| (&**name, &**value)).collect()
}
