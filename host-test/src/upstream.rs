//! A real upstream on loopback: answers what it is told, remembers what it was last asked.
//!
//! It stands behind a real gateway, so "the upstream was not called" is a fact about a socket here and not about a mock. A request
//! counts from its head on, since an upstream that reads `DELETE /players/7` may act before the body is there. It runs on a thread
//! of its own, and may be used with or without an async runtime.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::header_map::HeaderMap;
use crate::scenario::target::{Respond, SeenRequest};
use crate::wire;

/// The most that is kept of one request's body, in bytes; a longer one is answered 413.
const MAX_BODY: usize = 64 << 20;

/// What arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The request; its body is empty until all of it is there.
    pub request: SeenRequest,
    /// The trailer lines, announced or not.
    pub trailers: HeaderMap,
    /// Did the request come to its end?
    pub complete: bool,
}

/// A running upstream; it stops when it is dropped.
pub struct Upstream {
    address: SocketAddr,
    state: Arc<State>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct State {
    respond: Mutex<Respond>,
    last: Mutex<Option<Seen>>,
}

impl Upstream {
    /// Starts one on a port that the kernel chooses; it answers 200 with an empty body until told otherwise.
    ///
    /// # Errors
    /// If loopback has no port or the system no thread left.
    pub fn start() -> io::Result<Self> {
        Self::start_on(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
    }

    /// Starts one on this address.
    ///
    /// # Errors
    /// If the address is taken, or there is no thread left.
    pub fn start_on(address: SocketAddr) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let state = Arc::new(State {
            respond: Mutex::new(nothing()),
            last: Mutex::new(None),
        });
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("upstream".into()).spawn({
            let state = Arc::clone(&state);
            move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = accept(listener, state) => {}
                        _ = stopped => {}
                    }
                });
            }
        })?;
        Ok(Self {
            address,
            state,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every answer from now on. Lines that HTTP does not allow are left out; `content-length` is made from the body.
    pub fn respond(&self, respond: Respond) {
        *lock(&self.state.respond) = respond;
    }

    /// The last request since the last call of this, if there was one.
    pub fn take(&self) -> Option<Seen> {
        lock(&self.state.last).take()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        // Either end may be gone already, which is what is wanted.
        let _ = self.stop.take().map(|stop| stop.send(()));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// 200 and nothing else.
fn nothing() -> Respond {
    Respond {
        status: 200,
        headers: HeaderMap::new(),
        body: Vec::new(),
        delay: Duration::ZERO,
    }
}

/// A value behind a lock stays usable after a panic elsewhere: each is replaced whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: std::net::TcpListener, state: Arc<State>) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: wait for some to come back instead of spinning.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&state), request));
            // A connection that ends in an error is the gateway's business; what arrived has been recorded.
            let _ = http1::Builder::new()
                .timer(TokioTimer::new())
                .max_headers(4096)
                .auto_date_header(false)
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    state: Arc<State>,
    request: http::Request<Incoming>,
) -> Result<http::Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let mut headers = wire::header_map(&head.headers);
    let host = headers.get_text("host").unwrap_or_default();
    headers.remove("host");
    let mut seen = Seen {
        request: SeenRequest {
            method: head.method.to_string(),
            path: head
                .uri
                .path_and_query()
                .map_or_else(|| head.uri.to_string(), ToString::to_string),
            host,
            headers,
            body: Vec::new(),
        },
        trailers: HeaderMap::new(),
        complete: false,
    };
    *lock(&state.last) = Some(seen.clone());
    let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
        let mut response = http::Response::default();
        *response.status_mut() = http::StatusCode::PAYLOAD_TOO_LARGE;
        return Ok(response);
    };
    seen.trailers = body.trailers().map(wire::header_map).unwrap_or_default();
    seen.request.body = body.to_bytes().into();
    seen.complete = true;
    *lock(&state.last) = Some(seen);

    let respond = lock(&state.respond).clone();
    // Even no time at all is rounded up to a millisecond.
    if !respond.delay.is_zero() {
        tokio::time::sleep(respond.delay).await;
    }
    let mut response = http::Response::new(Full::new(Bytes::from(respond.body)));
    *response.status_mut() = http::StatusCode::from_u16(respond.status)
        .unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in respond.headers.iter() {
        if let (Ok(name), Ok(value)) = (
            http::HeaderName::from_bytes(name),
            http::HeaderValue::from_bytes(value),
        ) {
            response.headers_mut().append(name, value);
        }
    }
    Ok(response)
}
