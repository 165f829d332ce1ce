//! One worker: a thread, its filter, and the connections that it accepted.
//!
//! Everything stays on the thread, so that the filter is borrowed and never locked. A policy comes to the worker as an event
//! among others: between two callbacks, and so under nobody's feet.

use std::cell::{Cell, RefCell};
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::uri::Authority;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::sync::{Semaphore, mpsc, watch};

use super::body::Body;
use super::{Delivery, Event, GatewayError, pump};
use crate::host::log::Log;
use crate::vm::{StartError, Vm};

/// Connections of one worker at once; more wait to be accepted.
const MAX_CONNECTIONS: usize = 1_024;
/// How long a client may take for the head of a request.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);
/// A filter that cannot be restarted is not tried again sooner.
const RESTART_PAUSE: Duration = Duration::from_secs(1);
/// How often a worker looks whether a tick is due or a queue has an entry.
const TICK_STEP: Duration = Duration::from_millis(50);
/// How long what is under way may go on after the gateway was told to stop.
const FAREWELL: Duration = Duration::from_secs(3);

/// One thread's share of a gateway. The VM is borrowed for one callback at a time, never across an `await`.
pub(super) struct Worker {
    pub(super) vm: RefCell<Vm>,
    pub(super) client: Client<HttpConnector, Body>,
    pub(super) upstream: Authority,
    pub(super) report: Arc<dyn Fn(Event) + Send + Sync>,
    /// When the filter last could not be restarted.
    dead_since: Cell<Option<Instant>>,
    /// Exchanges that have not come to their end.
    pub(super) under_way: Cell<usize>,
}

/// How long a connection to the upstream is kept without a request. Node.js and uvicorn close one after five seconds: a
/// request that is sent on it just then is lost.
const IDLE: Duration = Duration::from_secs(3);

impl Worker {
    pub(super) fn new(
        vm: Vm,
        upstream: Authority,
        report: Arc<dyn Fn(Event) + Send + Sync>,
    ) -> Self {
        Self {
            vm: RefCell::new(vm),
            client: Client::builder(TokioExecutor::new())
                .set_host(false)
                .pool_idle_timeout(IDLE)
                .build_http(),
            upstream,
            report,
            dead_since: Cell::new(None),
            under_way: Cell::new(0),
        }
    }

    pub(super) async fn run(
        self: Rc<Self>,
        listener: TcpListener,
        mut stopped: watch::Receiver<bool>,
        mut delivered: mpsc::Receiver<Delivery>,
    ) {
        let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
            return;
        };
        let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let ticks = tokio::task::spawn_local(Rc::clone(&self).tick());
        loop {
            let accepted = async {
                let permit = Arc::clone(&room).acquire_owned().await;
                (listener.accept().await, permit)
            };
            let (accepted, permit) = tokio::select! {
                accepted = accepted => accepted,
                Some(delivery) = delivered.recv() => {
                    // Whoever asked may have stopped waiting.
                    let _ = delivery.answer.send(self.take_policy(&delivery.policy));
                    continue;
                }
                _ = stopped.changed() => break,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let worker = Rc::clone(&self);
                    let stopped = stopped.clone();
                    tokio::task::spawn_local(async move {
                        worker.connection(stream, peer, stopped).await;
                        drop(permit);
                    });
                }
                // The process is out of descriptors, or the client is gone again: neither ends the gateway.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
        drop(listener);
        ticks.abort();
        // What has not ended by then is cut off.
        let _ = tokio::time::timeout(FAREWELL, self.idle(&room)).await;
    }

    /// Waits until no connection is open and every exchange has been reported.
    async fn idle(&self, room: &Semaphore) {
        let connections = u32::try_from(MAX_CONNECTIONS).unwrap_or(u32::MAX);
        // The semaphore is never closed.
        let _ = room.acquire_many(connections).await;
        while self.under_way.get() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn connection(
        self: Rc<Self>,
        stream: tokio::net::TcpStream,
        peer: SocketAddr,
        mut stopped: watch::Receiver<bool>,
    ) {
        // Not fatal: an answer would only wait a little longer.
        let _ = stream.set_nodelay(true);
        let service = service_fn(|request| pump::serve(Rc::clone(&self), peer, request));
        let mut builder = auto::Builder::new(OnThisThread);
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_PATIENCE)
            // Above what a policy asks for by default, so that it is the filter that says no.
            .max_headers(256);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_header_list_size(64 * 1024);
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        // A client that breaks off or talks nonsense concerns nobody else.
        tokio::select! {
            _ = connection.as_mut() => return,
            _ = stopped.changed() => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    }

    fn take_policy(&self, policy: &[u8]) -> Result<Vec<Log>, GatewayError> {
        let mut vm = self.vm.borrow_mut();
        if vm.failed() {
            vm.restart()?;
        }
        super::accepted(&mut vm, policy)
    }

    /// Ticks the filter when it is due, and tells it of entries in its queues.
    async fn tick(self: Rc<Self>) {
        let mut last = Instant::now();
        loop {
            tokio::time::sleep(TICK_STEP).await;
            let mut vm = self.vm.borrow_mut();
            if vm.failed() {
                continue;
            }
            let due = vm
                .tick_period()
                .is_some_and(|period| last.elapsed() >= period);
            let outcome = if due {
                last = Instant::now();
                vm.tick()
            } else {
                vm.deliver()
            };
            if let Err(trap) = outcome {
                (self.report)(Event::Trapped(trap));
            }
            let logs = vm.take_root_logs();
            drop(vm);
            for log in logs {
                (self.report)(Event::Logged(log));
            }
        }
    }

    /// Lets a VM that has trapped begin anew; says whether there is one to serve with.
    pub(super) fn revive(&self) -> bool {
        let mut vm = self.vm.borrow_mut();
        if !vm.failed() {
            return true;
        }
        if self
            .dead_since
            .get()
            .is_some_and(|since| since.elapsed() < RESTART_PAUSE)
        {
            return false;
        }
        let restarted = vm.restart();
        let serves = matches!(restarted, Ok(true));
        self.dead_since.set((!serves).then(Instant::now));
        if let Err(StartError::Trap(trap)) = restarted {
            (self.report)(Event::Trapped(trap));
        }
        serves
    }
}

/// Spawns what stays on this thread, which is everything: a VM is not shared.
#[derive(Clone, Copy, Debug)]
struct OnThisThread;

impl<F: Future<Output: 'static> + 'static> hyper::rt::Executor<F> for OnThisThread {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}
