//! Scenarios against the module in this crate's own host: real VMs over one shared store, a virtual clock, no network.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail, ensure};
use serde_json::Value;

use super::target::{
    ClockKind, GuestUse, HttpVersion, Observed, Reloaded, Request, Respond, Runner, Scheme,
    SeenRequest, Support, Target, UpstreamSeen,
};
use crate::exchange;
use crate::header_map::HeaderMap;
use crate::host::Host;
use crate::host::clock::Clock;
use crate::host::log::Level;
use crate::message;
use crate::module::Module;
use crate::profile::Profile;
use crate::vm::{Vm, VmConfig};

/// When scenarios begin: 2026-01-01T00:00:00Z. A fixed time, so that nothing depends on the day.
const START: Duration = Duration::from_secs(1_767_225_600);
/// The port of every client: not 0, which is what Envoy shows for an address that it took from a header.
const CLIENT_PORT: u16 = 50_000;
/// More ticks than this are not made in one `advance`.
const MAX_TICKS: u32 = 100_000;

/// Workers that share one host; requests go round robin.
pub struct WasmTarget {
    host: Arc<Host>,
    workers: Vec<Vm>,
    next: usize,
    runner: Runner,
}

impl WasmTarget {
    /// Starts the workers and gives each the policy, as a gateway does that holds request headers until the verdict.
    ///
    /// # Errors
    /// If the module does not start, or does not take the policy; then with what it logged.
    pub fn open(
        module: &Module,
        profile: Profile,
        policy: &Value,
        workers: usize,
    ) -> anyhow::Result<Self> {
        let runner = runner(&profile);
        let host = Host::new(profile, Clock::stopped_at(START));
        let policy = policy.to_string();
        let mut target = Self {
            host: Arc::clone(&host),
            workers: Vec::new(),
            next: 0,
            runner,
        };
        for _ in 0..workers {
            let config = VmConfig {
                plugin_name: "portcullis".to_owned(),
                environment: BTreeMap::from([(
                    "PORTCULLIS_HOLD_HEADERS".to_owned(),
                    "1".to_owned(),
                )]),
                allow_on_headers_stop_iteration: true,
                ..VmConfig::default()
            };
            let mut vm = Vm::start(module, Arc::clone(&host), config)
                .context("the module does not start")?;
            if !vm
                .configure(policy.as_bytes())
                .context("the module stopped on the policy")?
            {
                let said: Vec<String> = vm
                    .take_logs()
                    .into_iter()
                    .filter(|log| log.level >= Level::Warn)
                    .map(|log| log.message)
                    .collect();
                bail!("the policy is refused: {}", said.join("; "));
            }
            target.workers.push(vm);
        }
        Ok(target)
    }

    /// A VM that has its configuration already: any module, started in any way.
    pub fn of(vm: Vm) -> Self {
        Self {
            host: Arc::clone(vm.host()),
            runner: runner(vm.host().profile()),
            workers: vec![vm],
            next: 0,
        }
    }

    /// Takes what the workers logged outside of exchanges: while they were configured, in ticks.
    pub fn take_logs(&mut self) -> Vec<String> {
        self.workers
            .iter_mut()
            .flat_map(Vm::take_root_logs)
            .map(|log| log.message)
            .collect()
    }

    fn next_worker(&mut self) -> anyhow::Result<&mut Vm> {
        let count = self.workers.len();
        let index = self.next % count.max(1);
        self.next = index + 1;
        self.workers.get_mut(index).context("there is no worker")
    }
}

/// Who runs scenarios with these habits.
pub fn runner(profile: &Profile) -> Runner {
    let named = Runner::ALL
        .into_iter()
        .find(|runner| runner.name() == profile.name);
    named.unwrap_or(Runner::Wasm)
}

impl Target for WasmTarget {
    fn runner(&self) -> Runner {
        self.runner
    }

    fn exchange(&mut self, request: &Request, respond: &Respond) -> anyhow::Result<Observed> {
        let host = Arc::clone(&self.host);
        let vm = self.next_worker()?;
        let exchanged = exchange::run(vm, &to_message(request), &mut |_| {
            host.clock().advance(respond.delay);
            to_response(respond)
        });
        let memory = u64::try_from(vm.memory_bytes()).unwrap_or(u64::MAX);
        if let Some(trap) = exchanged.trap {
            return Err(anyhow!(trap).context("the filter stopped"));
        }
        if exchanged.reset {
            bail!("the stream was reset after the response had begun");
        }
        let response = exchanged
            .response
            .context("no response: the filter paused and never went on")?;
        Ok(Observed {
            status: response.status().context("a response without a status")?,
            headers: lines(response.headers),
            body: response.body,
            upstream: match exchanged.upstream {
                Some(seen) => UpstreamSeen::Called(Box::new(to_seen(seen))),
                None => UpstreamSeen::NotCalled,
            },
            logs: Some(exchanged.logs.into_iter().map(|log| log.message).collect()),
            guest: Some(GuestUse {
                host_calls: exchanged.host_calls.values().sum(),
                memory,
            }),
        })
    }

    /// Ticks come as often as the filter asked for them.
    fn advance(&mut self, by: Duration) -> anyhow::Result<Support> {
        let period = self
            .workers
            .iter()
            .filter_map(Vm::tick_period)
            .filter(|p| !p.is_zero())
            .min();
        let mut left = by;
        if let Some(period) = period {
            for _ in 0..MAX_TICKS {
                if left < period {
                    break;
                }
                self.host.clock().advance(period);
                left = left.saturating_sub(period);
                for vm in &mut self.workers {
                    vm.tick().context("the filter stopped in a tick")?;
                }
            }
        }
        self.host.clock().advance(left);
        Ok(Support::Done)
    }

    fn reload(&mut self, policy: &Value) -> anyhow::Result<Reloaded> {
        let policy = policy.to_string();
        let mut taken = Vec::new();
        for vm in &mut self.workers {
            taken.push(
                vm.configure(policy.as_bytes())
                    .context("the filter stopped on the policy")?,
            );
        }
        match taken.split_first() {
            Some((first, rest)) if rest.iter().all(|other| other == first) => Ok(if *first {
                Reloaded::Accepted
            } else {
                Reloaded::Refused
            }),
            _ => bail!("some workers took the policy and some refused it"),
        }
    }

    fn restart_worker(&mut self, worker: usize) -> anyhow::Result<Support> {
        let vm = self
            .workers
            .get_mut(worker)
            .with_context(|| format!("there is no worker {worker}"))?;
        if !vm.restart().context("the worker does not start again")? {
            bail!("the worker refused the policy that it had before");
        }
        Ok(Support::Done)
    }

    fn step_clock(&mut self, clock: ClockKind, milliseconds: i64) -> anyhow::Result<Support> {
        let by = milliseconds
            .checked_mul(1_000_000)
            .context("no clock goes so far")?;
        let moved = match clock {
            ClockKind::Wall => self.host.clock().step_wall(by),
            ClockKind::Monotonic => self.host.clock().step_monotonic(by),
        };
        let name = clock.name();
        ensure!(
            moved,
            "the {name} clock cannot be set to before its beginning"
        );
        Ok(Support::Done)
    }

    fn conflict(&mut self, writes: u32) -> anyhow::Result<Support> {
        let plan = vec![true; usize::try_from(writes)?];
        self.host.let_others_write_first(plan);
        Ok(Support::Done)
    }

    fn set_statuses(&mut self, statuses: &BTreeMap<String, u32>) -> anyhow::Result<Support> {
        for vm in &mut self.workers {
            let unknown = statuses.keys().find(|call| !vm.imports(call));
            ensure!(unknown.is_none(), "the filter makes no call {unknown:?}");
            vm.set_faults(statuses.clone());
        }
        Ok(Support::Done)
    }

    fn metric(&mut self, name: &str) -> Option<i64> {
        // Where nothing can be defined, nothing was counted.
        let none = self.host.profile().instead("proxy_define_metric");
        let value = self.host.metrics().number(name).or(none.map(|_| 0));
        value.and_then(|value| i64::try_from(value).ok())
    }
}

/// With the lines that a client's own HTTP library adds for a body.
fn to_message(request: &Request) -> message::Request {
    let mut headers = HeaderMap::new();
    headers.push(":method", request.method.as_str());
    headers.push(":path", request.path.as_str());
    headers.push(":authority", request.host.as_str());
    headers.push(":scheme", request.scheme.name());
    for (name, value) in request.headers.iter() {
        headers.push(name, value);
    }
    let http1 = request.http_version == HttpVersion::Http11;
    let framed = headers.contains("content-length") || headers.contains("transfer-encoding");
    if let (Some(first), false) = (request.body.first(), framed) {
        if request.body.len() == 1 && request.trailers.is_empty() {
            headers.push("content-length", first.len().to_string());
        } else if http1 {
            headers.push("transfer-encoding", "chunked");
        }
    }
    message::Request {
        headers,
        chunks: request.body.clone(),
        trailers: (!request.trailers.is_empty()).then(|| request.trailers.clone()),
        peer: Some(SocketAddr::new(request.client, CLIENT_PORT)),
        protocol: if http1 {
            message::Protocol::Http1
        } else {
            message::Protocol::Http2
        },
        tls: request.scheme == Scheme::Https,
    }
}

fn to_response(respond: &Respond) -> message::Response {
    let mut response = message::Response::new(respond.status, respond.body.clone());
    for (name, value) in respond.headers.iter() {
        response.headers.push(name.to_ascii_lowercase(), value);
    }
    let bodiless = matches!(respond.status, 204 | 304);
    if !bodiless && !respond.headers.contains("content-length") {
        response
            .headers
            .push("content-length", respond.body.len().to_string());
    }
    response
}

fn to_seen(request: message::Request) -> SeenRequest {
    let text = |name: &str| request.headers.get_text(name).unwrap_or_default();
    SeenRequest {
        method: text(":method"),
        path: text(":path"),
        host: text(":authority"),
        body: request.body(),
        headers: lines(request.headers),
    }
}

/// Without the pseudo headers.
fn lines(headers: HeaderMap) -> HeaderMap {
    headers
        .into_iter()
        .filter(|(name, _)| !name.starts_with(b":"))
        .collect()
}
