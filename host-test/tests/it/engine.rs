//! The corpus against the engine itself, without a module and without a gateway: what the adapter and the hosts add
//! shows as a difference to this.

use std::cell::Cell;
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use portcullis_host_test::header_map::HeaderMap;
use portcullis_host_test::scenario::corpus::Corpus;
use portcullis_host_test::scenario::target::{
    Observed, Reloaded, Request, Respond, Runner, SeenRequest, Support, Target, UpstreamSeen,
};
use portcullis_policy::{
    Ambient, BodyDecision, BodyNeed, Decision, Edit, Exchange, Line, LocalStore, Policy, Reply,
    RequestHead, ResponseHead, Store, Unavailable, load,
};
use serde_json::Value;

#[test]
fn the_corpus_holds_for_the_engine() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let corpus = Corpus::read(&root).unwrap();
    let tally = corpus.run(Runner::Engine, |_, scenario| {
        Ok(Box::new(EngineTarget::open(&scenario.policy)?))
    });
    eprintln!("{tally}");
    tally.verdict().unwrap();
}

struct EngineTarget {
    policy: Rc<Policy>,
    ids: Cell<u128>,
    store: LocalStore,
    now: u64,
}

struct Gateway<'a> {
    request: &'a Request,
    id: u128,
    store: &'a LocalStore,
    now: u64,
}

impl Ambient for Gateway<'_> {
    fn source(&self) -> Option<Vec<u8>> {
        let peer = SocketAddr::new(self.request.client, 50_000);
        Some(peer.to_string().into_bytes())
    }

    fn fresh_id(&self) -> u128 {
        self.id
    }

    fn now(&self) -> u64 {
        self.now
    }

    fn wall(&self) -> u64 {
        // 2026-01-01T00:00:00Z
        1_767_225_600_000_000_000
    }

    fn store(&self) -> &dyn Store {
        self.store
    }
}

/// Makes the tables of its limits.
fn open(policy: &mut Policy, store: &LocalStore) -> anyhow::Result<()> {
    match policy.open(store, 0xabc) {
        Ok(_) => Ok(()),
        Err(Unavailable(status)) => anyhow::bail!("the store does not answer: {status}"),
    }
}

impl EngineTarget {
    fn open(policy: &Value) -> anyhow::Result<Self> {
        let verdict = load(policy.to_string().as_bytes());
        let Some(mut policy) = verdict.policy else {
            anyhow::bail!("the policy is refused: {:?}", verdict.diagnostics);
        };
        let store = LocalStore::default();
        open(&mut policy, &store)?;
        Ok(Self {
            policy: Rc::new(policy),
            ids: Cell::new(1),
            store,
            now: 0,
        })
    }

    /// The upstream's answer with the policy's edits, or the one in its place.
    fn answered(
        exchange: &mut Exchange,
        respond: &Respond,
        gateway: &Gateway<'_>,
    ) -> (u16, HeaderMap, Vec<u8>) {
        let status = respond.status.to_string();
        let mut headers: HeaderMap = respond
            .headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_vec()))
            .collect();
        let bodiless = matches!(respond.status, 204 | 304);
        if !bodiless && !headers.contains("content-length") {
            headers.push("content-length", respond.body.len().to_string());
        }
        let before = headers.clone();
        let status: Line<'_> = (b":status", status.as_bytes());
        let lines: Vec<Line<'_>> = std::iter::once(status).chain(before.iter()).collect();
        let head = ResponseHead::new(&lines);
        if let Some(reply) = exchange.mask(&head, gateway) {
            return replied(reply);
        }
        apply(&mut headers, exchange.on_response_head(&head, gateway));
        (respond.status, headers, respond.body.clone())
    }
}

fn apply(headers: &mut HeaderMap, edits: Vec<Edit<'_>>) {
    for edit in edits {
        match edit {
            Edit::Add(name, value) => headers.push(name, value),
            Edit::Replace(name, value) => headers.set(name, value),
            Edit::Remove(name) => {
                headers.remove(name);
            }
        }
    }
}

/// The line that a client's own HTTP library adds for a body.
fn framing(request: &Request) -> Option<(&'static str, String)> {
    let headers = &request.headers;
    if headers.contains("content-length") || headers.contains("transfer-encoding") {
        return None;
    }
    match request.body.as_slice() {
        [] => None,
        [whole] if request.trailers.is_empty() => Some(("content-length", whole.len().to_string())),
        _ => Some(("transfer-encoding", "chunked".to_owned())),
    }
}

/// What a gateway makes of a reply: it adds the body's length.
fn replied(reply: Reply) -> (u16, HeaderMap, Vec<u8>) {
    let mut headers: HeaderMap = reply.headers.into_iter().collect();
    if let Some(status) = reply.grpc_status {
        headers.push("content-type", "application/grpc");
        headers.push("grpc-status", status.to_string());
        headers.push("grpc-message", reply.body);
        return (200, headers, Vec::new());
    }
    headers.push("content-length", reply.body.len().to_string());
    (reply.status, headers, reply.body.into_bytes())
}

impl Target for EngineTarget {
    fn runner(&self) -> Runner {
        Runner::Engine
    }

    fn exchange(&mut self, request: &Request, respond: &Respond) -> anyhow::Result<Observed> {
        let pseudo: [Line<'_>; 4] = [
            (b":method", request.method.as_bytes()),
            (b":path", request.path.as_bytes()),
            (b":authority", request.host.as_bytes()),
            (b":scheme", request.scheme.name().as_bytes()),
        ];
        let framing = framing(request);
        let framing = framing
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let headers = request.headers.iter().chain(framing);
        let lines: Vec<Line<'_>> = pseudo.into_iter().chain(headers).collect();
        let gateway = Gateway {
            request,
            id: self.ids.replace(self.ids.get() + 1),
            store: &self.store,
            now: self.now,
        };
        let mut exchange = self.policy.begin();
        let is_head = request.method == "HEAD";
        let nothing_follows = request.body.is_empty() && request.trailers.is_empty();
        let head = RequestHead::new(&lines).with_end(nothing_follows);
        let decision = exchange.on_request_head(&head, &gateway);
        let seen = |edits: Vec<Edit<'_>>| {
            let mut headers = request.headers.clone();
            apply(&mut headers, edits);
            SeenRequest {
                method: request.method.clone(),
                path: request.path.clone(),
                host: request.host.clone(),
                headers,
                body: request.body.concat(),
            }
        };
        let (mut upstream, mut reply) = match decision {
            Decision::Reply(reply) => (None, Some(reply)),
            Decision::Continue(edits) | Decision::NeedBody(edits) => (Some(seen(edits)), None),
        };
        let (need, stale) = (exchange.body_need(), exchange.stale(&head));
        for chunk in &request.body {
            if need == BodyNeed::Pieces {
                exchange.on_request_piece(Some(chunk), false, &gateway);
            }
            reply = reply.or_else(|| exchange.on_request_body(chunk.len(), &gateway));
        }
        if need == BodyNeed::Pieces {
            exchange.on_request_piece(Some(&[]), true, &gateway);
        }
        if need == BodyNeed::Whole && reply.is_none() {
            match exchange.on_request_whole(&request.body.concat(), &gateway) {
                BodyDecision::Continue => {}
                BodyDecision::Reply(refused) => reply = Some(refused),
                BodyDecision::Replace(body) => {
                    if let Some(seen) = &mut upstream {
                        for name in stale {
                            seen.headers.remove(name);
                        }
                        seen.headers.push("content-length", body.len().to_string());
                        seen.body = body;
                    }
                }
            }
        }
        if need == BodyNeed::Whole && reply.is_some() {
            upstream = None;
        }
        if let (Some(seen), Some(tag)) = (&mut upstream, exchange.body_tag())
            && need == BodyNeed::Whole
        {
            apply(&mut seen.headers, vec![tag]);
        }
        let upstream = upstream.map_or(UpstreamSeen::NotCalled, |seen| {
            UpstreamSeen::Called(Box::new(seen))
        });
        let (status, headers, body) = match reply {
            Some(reply) => replied(reply),
            None => Self::answered(&mut exchange, respond, &gateway),
        };
        let line = exchange
            .finish(&gateway)
            .and_then(|record| record.log_line());
        Ok(Observed {
            status,
            headers,
            body: if is_head { Vec::new() } else { body },
            upstream,
            logs: Some(line.into_iter().collect()),
            guest: None,
        })
    }

    fn advance(&mut self, by: Duration) -> anyhow::Result<Support> {
        self.now += u64::try_from(by.as_nanos())?;
        Ok(Support::Done)
    }

    fn reload(&mut self, policy: &Value) -> anyhow::Result<Reloaded> {
        Ok(match load(policy.to_string().as_bytes()).policy {
            Some(mut policy) => {
                open(&mut policy, &self.store)?;
                self.policy = Rc::new(policy);
                Reloaded::Accepted
            }
            None => Reloaded::Refused,
        })
    }
}
