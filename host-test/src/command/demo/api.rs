//! The API behind the demo: a card game as a web framework would serve it, with the headers that frameworks leak.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The longest body that is read, in bytes.
const MAX_BODY: usize = 64 * 1024;
/// Matches that are remembered; the oldest goes first.
const MAX_MATCHES: usize = 1_000;

/// The matches by their number.
#[derive(Default)]
struct Game {
    matches: BTreeMap<u64, Match>,
    created: u64,
}

struct Match {
    player: String,
    cards: Vec<Value>,
}

/// Starts the API on a port of its own, on the runtime that this is called in; it ends with it.
pub(super) async fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let game = Arc::new(Mutex::new(Game::default()));
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                continue;
            };
            let game = Arc::clone(&game);
            tokio::spawn(async move {
                let service = service_fn(|request| answer(Arc::clone(&game), request));
                // A client that breaks off concerns nobody else.
                let _ = http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    Ok(address)
}

async fn answer(
    game: Arc<Mutex<Game>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let (status, document) = match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => {
            let mut game = game.lock().unwrap_or_else(PoisonError::into_inner);
            game.route(&head.method, head.uri.path(), &body.to_bytes())
        }
        Err(_) => (
            StatusCode::PAYLOAD_TOO_LARGE,
            json!({"detail": "Payload Too Large"}),
        ),
    };
    let mut response = Response::new(Full::from(format!("{document}\n")));
    *response.status_mut() = status;
    for (name, value) in [
        ("content-type", "application/json"),
        ("server", "uvicorn"),
        ("x-powered-by", "demo/1.0"),
    ] {
        response
            .headers_mut()
            .insert(name, http::HeaderValue::from_static(value));
    }
    Ok(response)
}

impl Game {
    fn route(&mut self, method: &Method, path: &str, body: &[u8]) -> (StatusCode, Value) {
        let steps: Vec<&str> = path.split('/').skip(1).collect();
        match (method.as_str(), steps.as_slice()) {
            ("GET" | "HEAD", ["health"]) => (StatusCode::OK, json!({"status": "ok"})),
            // What a framework serves without being asked, and nobody meant to publish.
            ("GET" | "HEAD", ["admin", "players"]) => {
                let players: Vec<&str> =
                    self.matches.values().map(|it| it.player.as_str()).collect();
                (StatusCode::OK, json!({"players": players}))
            }
            ("POST", ["match", "create"]) => self.create(body),
            ("GET" | "HEAD", ["match", id]) => match self.find(id) {
                Some(found) => (
                    StatusCode::OK,
                    json!({"player_name": found.player, "cards": found.cards}),
                ),
                None => not_found(),
            },
            ("POST", ["match", id, "submit"]) => {
                match (self.find(id), serde_json::from_slice(body)) {
                    (None, _) => not_found(),
                    (_, Err(_)) => unprocessable("card"),
                    (Some(found), Ok(card)) => {
                        found.cards.truncate(99);
                        found.cards.push(card);
                        (StatusCode::OK, json!({"cards": found.cards.len()}))
                    }
                }
            }
            _ => not_found(),
        }
    }

    fn create(&mut self, body: &[u8]) -> (StatusCode, Value) {
        let document: Option<Value> = serde_json::from_slice(body).ok();
        let Some(player) = document
            .as_ref()
            .and_then(|it| it.get("player_name"))
            .and_then(Value::as_str)
        else {
            return unprocessable("player_name");
        };
        self.created += 1;
        self.matches.insert(
            self.created,
            Match {
                player: player.to_owned(),
                cards: Vec::new(),
            },
        );
        if self.matches.len() > MAX_MATCHES {
            self.matches.pop_first();
        }
        (
            StatusCode::CREATED,
            json!({"match_id": self.created, "player_name": player}),
        )
    }

    fn find(&mut self, id: &str) -> Option<&mut Match> {
        self.matches.get_mut(&id.parse().ok()?)
    }
}

fn not_found() -> (StatusCode, Value) {
    (StatusCode::NOT_FOUND, json!({"detail": "Not Found"}))
}

fn unprocessable(field: &str) -> (StatusCode, Value) {
    let error = json!({"loc": ["body", field], "msg": "field required", "type": "missing"});
    (StatusCode::UNPROCESSABLE_ENTITY, json!({"detail": [error]}))
}
