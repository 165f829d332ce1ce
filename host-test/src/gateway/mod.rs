//! A local gateway: real HTTP on loopback through the filter to an upstream.
//!
//! Built as Envoy is: each worker is one thread with one VM, and a connection stays with the worker that accepted it, so that
//! no lock stands between requests. What workers share, they share through the [`Host`].

mod body;
mod head;
mod pump;

use std::cell::{Cell, RefCell};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use http::uri::Authority;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::sync::{Semaphore, watch};
use tokio::task::LocalSet;

use crate::host::Host;
use crate::host::log::Log;
use crate::module::Module;
use crate::trap::Trap;
use crate::vm::{StartError, Vm, VmConfig};
use body::Body;

/// Connections of one worker at once; more wait to be accepted.
const MAX_CONNECTIONS: usize = 1_024;
/// How long a client may take for the head of a request.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);
/// A filter that cannot be restarted is not tried again sooner.
const RESTART_PAUSE: Duration = Duration::from_secs(1);
/// How often a worker looks whether a tick is due or a queue has an entry.
const TICK_STEP: Duration = Duration::from_millis(50);

/// What a gateway is made of.
pub struct GatewayConfig {
    /// Where it listens; port 0 lets the kernel choose.
    pub listen: SocketAddr,
    /// `host:port` that requests go on to, over HTTP/1.1.
    pub upstream: Authority,
    /// Threads, each with a VM of its own.
    pub workers: usize,
    /// The filter.
    pub module: Module,
    /// What the workers share.
    pub host: Arc<Host>,
    /// How each VM is started.
    pub vm: VmConfig,
    /// The filter's policy, as it is delivered.
    pub policy: Vec<u8>,
    /// Hears of everything that happens, on the worker's thread.
    pub report: Arc<dyn Fn(Event) + Send + Sync>,
}

/// Something that happened in a gateway.
#[derive(Clone, Debug)]
pub enum Event {
    /// A request has come to its end.
    Served(Served),
    /// The filter logged this outside of any request.
    Logged(Log),
    /// The filter stopped.
    Trapped(Trap),
}

/// A request that has come to its end.
#[derive(Clone, Debug)]
pub struct Served {
    /// The client's address.
    pub peer: SocketAddr,
    /// As the client sent it.
    pub method: String,
    /// As the client sent it, with the query.
    pub path: String,
    /// What the client got; `None` when it went away or was cut off before.
    pub status: Option<u16>,
    /// Was the upstream called?
    pub upstream: bool,
    /// From the request's head to the end of the response.
    pub took: Duration,
    /// What the filter logged.
    pub logs: Vec<Log>,
}

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The system has no thread or no runtime left.
    #[error("cannot start a worker: {0}")]
    Worker(io::Error),
    /// The filter does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The filter stopped when it was given its policy.
    #[error(transparent)]
    Trap(#[from] Trap),
    /// The filter refuses its policy; these are its words.
    #[error("the filter refuses the policy{}", .0.iter().map(|line| format!("\n  {line}")).collect::<String>())]
    Refused(Vec<String>),
}

/// A running gateway; it stops when it is dropped.
pub struct Gateway {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

impl Gateway {
    /// Starts all workers, each with the policy accepted.
    ///
    /// # Errors
    /// If the address is taken, or the filter does not start or refuses its policy.
    pub fn start(config: GatewayConfig) -> Result<Self, GatewayError> {
        let listen = |source| GatewayError::Listen {
            address: config.listen,
            source,
        };
        let listener = TcpListener::bind(config.listen).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let (stop, stopped) = watch::channel(false);
        let mut gateway = Self {
            address,
            stop,
            threads: Vec::new(),
        };
        for number in 0..config.workers.max(1) {
            let vm = configured(&config)?;
            let listener = listener.try_clone().map_err(listen)?;
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(GatewayError::Worker)?;
            let (upstream, report) = (config.upstream.clone(), Arc::clone(&config.report));
            let stopped = stopped.clone();
            let thread = std::thread::Builder::new()
                .name(format!("worker {number}"))
                .spawn(move || {
                    let worker = Rc::new(Worker {
                        vm: RefCell::new(vm),
                        client: Client::builder(TokioExecutor::new())
                            .set_host(false)
                            .build_http(),
                        upstream,
                        report,
                        dead_since: Cell::new(None),
                    });
                    LocalSet::new().block_on(&runtime, worker.run(listener, stopped));
                });
            gateway.threads.push(thread.map_err(GatewayError::Worker)?);
        }
        Ok(gateway)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        for thread in self.threads.drain(..) {
            // A worker that panicked has said so already.
            let _ = thread.join();
        }
    }
}

fn configured(config: &GatewayConfig) -> Result<Vm, GatewayError> {
    let mut vm = Vm::start(&config.module, Arc::clone(&config.host), config.vm.clone())?;
    let accepted = vm.configure(&config.policy)?;
    let logs = vm.take_logs();
    if !accepted {
        return Err(GatewayError::Refused(
            logs.into_iter().map(|log| log.message).collect(),
        ));
    }
    for log in logs {
        (config.report)(Event::Logged(log));
    }
    Ok(vm)
}

/// One thread's share of a gateway. The VM is borrowed for one callback at a time, never across an `await`.
struct Worker {
    vm: RefCell<Vm>,
    client: Client<HttpConnector, Body>,
    upstream: Authority,
    report: Arc<dyn Fn(Event) + Send + Sync>,
    /// When the filter last could not be restarted.
    dead_since: Cell<Option<Instant>>,
}

impl Worker {
    async fn run(self: Rc<Self>, listener: TcpListener, mut stopped: watch::Receiver<bool>) {
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
                _ = stopped.changed() => break,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let worker = Rc::clone(&self);
                    tokio::task::spawn_local(async move {
                        worker.connection(stream, peer).await;
                        drop(permit);
                    });
                }
                // The process is out of descriptors, or the client is gone again: neither ends the gateway.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
        ticks.abort();
    }

    async fn connection(self: Rc<Self>, stream: tokio::net::TcpStream, peer: SocketAddr) {
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
        // A client that breaks off or talks nonsense concerns nobody else.
        let _ = builder
            .serve_connection(TokioIo::new(stream), service)
            .await;
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
    fn revive(&self) -> bool {
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
