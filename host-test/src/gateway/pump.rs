//! One exchange between a client, the filter and the upstream, as a loop over what happens next on either side.
//!
//! Nothing is read from one side before there is room on the other, so that a slow reader slows the writer down instead of
//! filling memory. What the filter holds back is bounded by the host.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode, Version};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Frame, Incoming};
use tokio::sync::oneshot;

use super::body::{Body, Writer};
use super::worker::Worker;
use super::{Event, Served, head};
use crate::exchange::after_trap;
use crate::header_map::HeaderMap;
use crate::message::Protocol;
use crate::stream::{Part, Peer, Stream};
use crate::trap::Trap;
use crate::wire;

/// How long nothing may happen in an exchange.
const PATIENCE: Duration = Duration::from_secs(60);

/// Answers one request. An error cuts the connection off: there is no answer to be had.
pub(super) async fn serve(
    worker: Rc<Worker>,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response<Body>, io::Error> {
    let headers = match head::from_client(&request, peer) {
        Ok(headers) => headers,
        Err(reason) => return Ok(refused(reason)),
    };
    let (answer, answered) = oneshot::channel();
    // A task of its own: the exchange goes on while hyper already sends the response's head.
    worker.under_way.set(worker.under_way.get() + 1);
    tokio::task::spawn_local(async move {
        let exchange = Exchange::begin(Rc::clone(&worker), peer, &request, answer);
        exchange.run(headers, request.into_body()).await;
        worker.under_way.set(worker.under_way.get() - 1);
    });
    answered
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::ConnectionReset))
}

/// The gateway's own word on a request that no filter is to see. The connection ends with it: where this request ends and
/// the next begins may be what is in doubt.
fn refused(reason: &str) -> Response<Body> {
    let (writer, body) = Body::channel();
    writer.write(Part::Body {
        bytes: format!("{reason}\n").into_bytes(),
        end: true,
    });
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::BAD_REQUEST;
    for (name, value) in [(CONTENT_TYPE, "text/plain"), (CONNECTION, "close")] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

/// What happens next.
enum Happening {
    FromClient(Option<Result<Frame<Bytes>, hyper::Error>>),
    Head(Result<Response<Incoming>, hyper_util::client::legacy::Error>),
    FromUpstream(Option<Result<Frame<Bytes>, hyper::Error>>),
    ClientGone,
    /// The filter may have let something go on in another stream's callback.
    Glance,
}

/// Why an exchange ends before its response does.
enum Stop {
    Trap(Trap),
    CutOff,
}

impl From<Trap> for Stop {
    fn from(trap: Trap) -> Self {
        Self::Trap(trap)
    }
}

type Pending = std::pin::Pin<
    Box<dyn Future<Output = Result<Response<Incoming>, hyper_util::client::legacy::Error>>>,
>;

struct Exchange {
    worker: Rc<Worker>,
    served: Served,
    started: Instant,
    protocol: Protocol,
    /// Where the response goes, until its head is known.
    answer: Option<oneshot::Sender<Response<Body>>>,
    to_client: Option<Writer>,
    to_upstream: Option<Writer>,
    /// The upstream's head is awaited.
    pending: Option<Pending>,
    from_upstream: Option<Incoming>,
    /// The response has gone out whole.
    done: bool,
}

impl Exchange {
    fn begin(
        worker: Rc<Worker>,
        peer: SocketAddr,
        request: &Request<Incoming>,
        answer: oneshot::Sender<Response<Body>>,
    ) -> Self {
        let served = Served {
            peer,
            method: request.method().to_string(),
            path: request
                .uri()
                .path_and_query()
                .map_or_else(String::new, ToString::to_string),
            status: None,
            upstream: false,
            took: Duration::ZERO,
            logs: Vec::new(),
        };
        let protocol = if request.version() == Version::HTTP_2 {
            Protocol::Http2
        } else {
            Protocol::Http1
        };
        Self {
            worker,
            served,
            started: Instant::now(),
            protocol,
            answer: Some(answer),
            to_client: None,
            to_upstream: None,
            pending: None,
            from_upstream: None,
            done: false,
        }
    }

    async fn run(mut self, headers: HeaderMap, body: Incoming) {
        let worker = Rc::clone(&self.worker);
        let opened = if worker.revive() {
            let peer = Peer {
                address: Some(self.served.peer),
                protocol: self.protocol,
                tls: false,
            };
            Stream::open(&mut worker.vm.borrow_mut(), peer)
        } else {
            Err(Trap::new("start", "the filter cannot be restarted"))
        };
        match opened {
            Err(trap) => self.trapped(trap),
            Ok(stream) => {
                let stopped = self.pump(&stream, headers, body).await.err();
                let mut vm = worker.vm.borrow_mut();
                let trap = match stopped {
                    Some(Stop::Trap(trap)) => {
                        self.served.logs = stream.abandon(&mut vm).logs;
                        Some(trap)
                    }
                    None | Some(Stop::CutOff) => match stream.close(&mut vm) {
                        Ok(ended) => {
                            self.served.logs = ended.logs;
                            None
                        }
                        Err(trap) => Some(trap),
                    },
                };
                drop(vm);
                if let Some(trap) = trap {
                    self.trapped(trap);
                }
            }
        }
        self.served.took = self.started.elapsed();
        (worker.report)(Event::Served(self.served));
    }

    fn trapped(&mut self, trap: Trap) {
        (self.worker.report)(Event::Trapped(trap));
        let headers = after_trap(&self.worker.vm.borrow()).headers;
        if let (Some(answer), Ok(response)) = (self.answer.take(), head::to_client(&headers)) {
            self.served.status = Some(response.status().as_u16());
            // The client may be gone.
            let _ = answer.send(response.map(|()| Body::empty()));
        }
    }

    async fn pump(
        &mut self,
        stream: &Stream,
        headers: HeaderMap,
        mut body: Incoming,
    ) -> Result<(), Stop> {
        let worker = Rc::clone(&self.worker);
        let mut reading = !body.is_end_stream();
        stream.request_headers(&mut worker.vm.borrow_mut(), &headers, !reading)?;
        self.pass_on(stream)?;
        let mut last_event = Instant::now();
        while !self.done {
            let limit = worker.vm.borrow().host().profile().buffer_limit;
            let full = stream.held_bytes(&mut worker.vm.borrow_mut()) > limit;
            let happening = self.next(&mut body, reading && !full).await;
            if !matches!(happening, Happening::Glance) {
                last_event = Instant::now();
            } else if last_event.elapsed() >= PATIENCE {
                return self.give_up(stream);
            }
            match happening {
                Happening::FromClient(Some(Ok(frame))) => {
                    // Over HTTP/1 the end comes by itself, over HTTP/2 with the last piece, as in Envoy.
                    let end = self.protocol == Protocol::Http2 && body.is_end_stream();
                    reading = !end;
                    let mut vm = worker.vm.borrow_mut();
                    match frame.into_data() {
                        Ok(bytes) if bytes.is_empty() && !end => {}
                        Ok(bytes) => stream.request_body(&mut vm, &bytes, end)?,
                        Err(frame) => {
                            reading = false;
                            let trailers = frame.into_trailers().unwrap_or_default();
                            stream.request_trailers(&mut vm, &wire::header_map(&trailers))?;
                        }
                    }
                }
                Happening::FromClient(None) => {
                    reading = false;
                    stream.request_body(&mut worker.vm.borrow_mut(), &[], true)?;
                }
                Happening::FromClient(Some(Err(_))) | Happening::ClientGone => {
                    return Err(Stop::CutOff);
                }
                Happening::Head(Ok(response)) => self.on_head(stream, response)?,
                Happening::Head(Err(_)) => {
                    let text = "upstream connect error or disconnect/reset before headers";
                    stream.reply(&mut worker.vm.borrow_mut(), 503, text)?;
                }
                Happening::FromUpstream(frame) => self.on_upstream(stream, frame)?,
                Happening::Glance => {}
            }
            self.pass_on(stream)?;
        }
        Ok(())
    }

    /// Waits for what happens next. The client is read only while the upstream keeps up, and the other way round.
    async fn next(&mut self, body: &mut Incoming, reading: bool) -> Happening {
        /// A stream may be resumed in a callback of another.
        const GLANCE: Duration = Duration::from_millis(50);
        let Self {
            answer,
            to_client,
            to_upstream,
            pending,
            from_upstream,
            ..
        } = self;
        let (to_client, to_upstream) = (to_client.as_ref(), to_upstream.as_ref());
        tokio::select! {
            frame = async {
                if let Some(writer) = to_upstream {
                    writer.room().await;
                }
                body.frame().await
            }, if reading => Happening::FromClient(frame),
            head = async {
                match pending.as_mut() {
                    Some(pending) => pending.await,
                    None => std::future::pending().await,
                }
            } => Happening::Head(head),
            frame = async {
                if let Some(writer) = to_client {
                    writer.room().await;
                }
                match from_upstream.as_mut() {
                    Some(upstream) => upstream.frame().await,
                    None => std::future::pending().await,
                }
            } => Happening::FromUpstream(frame),
            () = async {
                match (answer.as_mut(), to_client) {
                    (Some(answer), _) => answer.closed().await,
                    (None, Some(writer)) => writer.closed().await,
                    (None, None) => std::future::pending().await,
                }
            } => Happening::ClientGone,
            () = tokio::time::sleep(GLANCE) => Happening::Glance,
        }
    }

    fn on_head(&mut self, stream: &Stream, response: Response<Incoming>) -> Result<(), Stop> {
        self.pending = None;
        let headers = head::from_upstream(&response);
        let end = response.body().is_end_stream();
        self.from_upstream = (!end).then(|| response.into_body());
        let worker = Rc::clone(&self.worker);
        Ok(stream.response_headers(&mut worker.vm.borrow_mut(), &headers, end)?)
    }

    fn on_upstream(
        &mut self,
        stream: &Stream,
        frame: Option<Result<Frame<Bytes>, hyper::Error>>,
    ) -> Result<(), Stop> {
        let worker = Rc::clone(&self.worker);
        let mut vm = worker.vm.borrow_mut();
        match frame {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => stream.response_body(&mut vm, &bytes, false)?,
                Err(frame) => {
                    self.from_upstream = None;
                    let trailers = frame.into_trailers().unwrap_or_default();
                    stream.response_trailers(&mut vm, &wire::header_map(&trailers))?;
                }
            },
            Some(Err(_)) => return Err(Stop::CutOff),
            None => {
                self.from_upstream = None;
                stream.response_body(&mut vm, &[], true)?;
            }
        }
        Ok(())
    }

    /// Nothing has happened for too long: whoever is at fault, the client is told while it can be.
    fn give_up(&mut self, stream: &Stream) -> Result<(), Stop> {
        let worker = Rc::clone(&self.worker);
        stream.reply(&mut worker.vm.borrow_mut(), 504, "stream timeout")?;
        self.pass_on(stream)?;
        if self.done { Ok(()) } else { Err(Stop::CutOff) }
    }

    /// Sends what the filter has let go on.
    fn pass_on(&mut self, stream: &Stream) -> Result<(), Stop> {
        let worker = Rc::clone(&self.worker);
        let mut vm = worker.vm.borrow_mut();
        if stream.replied(&mut vm) {
            // Dropped without an end, so that the upstream sees that the rest will not come.
            (self.to_upstream, self.pending, self.from_upstream) = (None, None, None);
        }
        for part in stream.to_upstream(&mut vm) {
            if let Err(text) = self.send_upstream(part) {
                stream.reply(&mut vm, 503, text)?;
                break;
            }
        }
        for part in stream.to_client(&mut vm) {
            self.send_client(part)?;
        }
        if stream.is_reset(&mut vm) {
            Err(Stop::CutOff)
        } else {
            Ok(())
        }
    }

    fn send_upstream(&mut self, part: Part) -> Result<(), &'static str> {
        let Part::Headers { headers, end } = part else {
            // An upstream that reads no further may still answer.
            if let Some(writer) = &self.to_upstream
                && !writer.write(part)
            {
                self.to_upstream = None;
            }
            return Ok(());
        };
        let request = head::to_upstream(&headers, &self.worker.upstream)
            .map_err(|_| "the filter made a request that HTTP cannot carry")?;
        let body = if end {
            Body::empty()
        } else {
            let (writer, body) = Body::channel();
            self.to_upstream = Some(writer);
            body
        };
        self.served.upstream = true;
        self.pending = Some(Box::pin(self.worker.client.request(request.map(|()| body))));
        Ok(())
    }

    fn send_client(&mut self, part: Part) -> Result<(), Stop> {
        let ends = matches!(
            part,
            Part::Headers { end: true, .. } | Part::Body { end: true, .. } | Part::Trailers(_)
        );
        match part {
            Part::Headers { headers, end } => {
                let response = head::to_client(&headers).map_err(|_| Stop::CutOff)?;
                self.served.status = Some(response.status().as_u16());
                let body = if end {
                    Body::empty()
                } else {
                    let (writer, body) = Body::channel();
                    self.to_client = Some(writer);
                    body
                };
                let Some(answer) = self.answer.take() else {
                    return Err(Stop::CutOff);
                };
                answer
                    .send(response.map(|()| body))
                    .map_err(|_| Stop::CutOff)?;
            }
            part => {
                let taken = self
                    .to_client
                    .as_ref()
                    .is_some_and(|writer| writer.write(part));
                if !taken {
                    return Err(Stop::CutOff);
                }
            }
        }
        self.done |= ends;
        Ok(())
    }
}
