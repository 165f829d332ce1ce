//! A local gateway: real HTTP on loopback through the filter to an upstream.
//!
//! Built as Envoy is: each worker is one thread with one VM, and a connection stays with the worker that accepted it, so that
//! no lock stands between requests. What workers share, they share through the [`Host`].

mod body;
mod head;
mod pump;
mod worker;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc as answers;
use std::thread::JoinHandle;
use std::time::Duration;

use http::uri::Authority;
use tokio::sync::{mpsc, watch};
use tokio::task::LocalSet;

use crate::host::Host;
use crate::host::log::Log;
use crate::module::Module;
use crate::trap::Trap;
use crate::vm::{StartError, Vm, VmConfig};
use worker::Worker;

/// How long a worker may take to accept a policy: it may be in a callback, and a filter has its own limit.
const RELOAD_PATIENCE: Duration = Duration::from_secs(10);

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
    /// A worker has gone, or is busy for longer than any filter may be.
    #[error("a worker does not answer")]
    Silent,
}

/// A policy on its way to a worker, and where the worker says what became of it.
struct Delivery {
    policy: Arc<[u8]>,
    answer: answers::Sender<Result<Vec<Log>, GatewayError>>,
}

/// A running gateway. Dropped it stops: it accepts nothing more, and gives what is under way a few seconds.
pub struct Gateway {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    deliveries: Vec<mpsc::Sender<Delivery>>,
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
            deliveries: Vec::new(),
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
            let (deliver, delivered) = mpsc::channel(1);
            gateway.deliveries.push(deliver);
            let thread = std::thread::Builder::new()
                .name(format!("worker {number}"))
                .spawn(move || {
                    let worker = Rc::new(Worker::new(vm, upstream, report));
                    let running = worker.run(listener, stopped, delivered);
                    LocalSet::new().block_on(&runtime, running);
                });
            gateway.threads.push(thread.map_err(GatewayError::Worker)?);
        }
        Ok(gateway)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Gives every worker another policy, and what the filter logged about it (one worker's lines: all say the same).
    /// Requests under way end under the policy that they began with.
    ///
    /// # Errors
    /// If a worker's filter refuses the policy, stops, or does not answer; the worker then goes on with the old one.
    /// Workers are asked one after the other, so a policy that the filter refuses has reached none.
    pub fn reload(&self, policy: &[u8]) -> Result<Vec<Log>, GatewayError> {
        let policy: Arc<[u8]> = policy.into();
        let mut said = Vec::new();
        for worker in &self.deliveries {
            let (answer, answered) = answers::channel();
            let delivery = Delivery {
                policy: Arc::clone(&policy),
                answer,
            };
            worker
                .try_send(delivery)
                .map_err(|_| GatewayError::Silent)?;
            said = answered
                .recv_timeout(RELOAD_PATIENCE)
                .map_err(|_| GatewayError::Silent)??;
        }
        Ok(said)
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
    for log in accepted(&mut vm, &config.policy)? {
        (config.report)(Event::Logged(log));
    }
    Ok(vm)
}

/// Gives a VM a policy, and what the filter logged about one that it accepts.
fn accepted(vm: &mut Vm, policy: &[u8]) -> Result<Vec<Log>, GatewayError> {
    let accepted = vm.configure(policy);
    let logs = vm.take_root_logs();
    if accepted? {
        Ok(logs)
    } else {
        let lines = logs.into_iter().map(|log| log.message);
        Err(GatewayError::Refused(lines.collect()))
    }
}
