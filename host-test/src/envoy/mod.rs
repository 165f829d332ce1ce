//! A real Envoy as a child process: installed on first use, configured here, watched through its admin port and its log.
//!
//! What this crate's own host claims about Envoy is worth what a real one says to the same scenario. Everything that two runs at
//! once could quarrel about is avoided: the kernel chooses every port, hot restart (a socket with a fixed name) is off, each run
//! has a directory of its own. All of it blocks, and all of it is bounded in time.

mod config;
mod flood;

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};
use serde_json::Value;

pub use config::{Configuration, Filter, Listener};
pub use flood::{Answered, flood};

use crate::header_map::HeaderMap;
use crate::scenario::target::{HttpVersion, Request, Scheme};
use crate::wire::{Answer, Outgoing};

/// How long a start may take: most of it is compiling the module, once a VM.
const START: Duration = Duration::from_secs(120);

/// How long it may take until a changed filter serves or has been refused.
const RELOAD: Duration = Duration::from_secs(30);

/// How long Envoy gets to stop by itself.
const STOP: Duration = Duration::from_secs(5);

/// The most that is kept of a log, in bytes; the end is kept.
const MAX_LOG: u64 = 8 << 20;

/// A running Envoy; it is stopped when this is dropped.
pub struct Envoy {
    child: Child,
    directory: PathBuf,
    admin: SocketAddr,
    listeners: Vec<(String, SocketAddr)>,
    /// The filters that can be changed, by listener.
    reloadable: Vec<(String, Filter)>,
    runtime: tokio::runtime::Runtime,
    ready_after: Duration,
}

/// Is a real Envoy wanted? Not if `PORTCULLIS_NO_ENVOY` is set; then says on stderr that `what` is skipped, past the capture of the
/// test harness, so that nobody takes the silence for a pass.
pub fn wanted(what: &str) -> bool {
    let unwanted = std::env::var_os("PORTCULLIS_NO_ENVOY")
        .is_some_and(|value| !value.is_empty() && value != "0");
    if unwanted {
        let _ = writeln!(io::stderr(), "PORTCULLIS_NO_ENVOY is set: skipped {what}");
    }
    !unwanted
}

/// The path of the Envoy binary; installs it first if it is not there.
///
/// # Errors
/// If it cannot be installed, with what `envoy/install` has to say about it.
pub fn install() -> anyhow::Result<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../envoy/install");
    let output = Command::new(&script)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run `{}`", script.display()))?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim()))
}

impl Envoy {
    /// Starts one with one worker thread and these listeners, and waits until it is ready.
    ///
    /// # Errors
    /// If it cannot be installed, or refuses to start: the error then ends with its log.
    pub fn start(listeners: &[Listener]) -> anyhow::Result<Self> {
        Self::start_with(listeners, 1)
    }

    /// [`Envoy::start`] with this many worker threads.
    ///
    /// # Errors
    /// As there.
    pub fn start_with(listeners: &[Listener], workers: u32) -> anyhow::Result<Self> {
        let directory = directory()?;
        let configuration = config::bootstrap(listeners, &directory);
        let reloadable: Vec<(String, Filter)> = listeners
            .iter()
            .filter_map(|listener| Some((listener.name.clone(), listener.filter.clone()?)))
            .filter(|(_, filter)| filter.reloadable)
            .collect();
        for (listener, filter) in &reloadable {
            fs::write(
                config::watched(&directory, listener),
                config::discovered(listener, filter).to_string(),
            )?;
        }
        Self::spawn(&configuration, workers, directory, reloadable)
    }

    /// Starts one with a whole configuration of somebody else's, and waits until it is ready. It has no listener of this crate's:
    /// [`Envoy::settle`] does not work.
    ///
    /// # Errors
    /// As [`Envoy::start`].
    pub fn start_configured(configuration: &Value, workers: u32) -> anyhow::Result<Self> {
        Self::spawn(configuration, workers, directory()?, Vec::new())
    }

    fn spawn(
        configuration: &Value,
        workers: u32,
        directory: PathBuf,
        reloadable: Vec<(String, Filter)>,
    ) -> anyhow::Result<Self> {
        let binary = install()?;
        let written = directory.join("envoy.json");
        fs::write(&written, serde_json::to_vec_pretty(configuration)?)?;
        let log = File::create(directory.join("log"))?;
        let started = Instant::now();
        let child = Command::new(binary)
            .args([
                "--disable-hot-restart",
                "--concurrency",
                &workers.to_string(),
            ])
            .args([
                "--log-level",
                "warning",
                "--component-log-level",
                "wasm:info",
            ])
            // No time and no thread id: what is left of a line is what was said.
            .args(["--log-format", "%l %n %v"])
            .arg("--config-path")
            .arg(&written)
            .arg("--admin-address-path")
            .arg(directory.join("admin"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot run envoy")?;
        // From here on a failure drops this, and with it the process.
        let mut envoy = Self {
            child,
            directory,
            admin: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            listeners: Vec::new(),
            reloadable,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?,
            ready_after: Duration::ZERO,
        };
        while !envoy.is_ready() {
            if let Some(status) = envoy.child.try_wait()? {
                bail!(
                    "envoy stopped while it was starting ({status}); its log:\n{}",
                    envoy.log()
                );
            }
            if started.elapsed() > START {
                bail!(
                    "envoy was not ready after {} s; its log:\n{}",
                    START.as_secs(),
                    envoy.log()
                );
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        envoy.ready_after = started.elapsed();
        envoy.listeners = envoy.listening()?;
        Ok(envoy)
    }

    /// Where the listener of this name listens.
    ///
    /// # Errors
    /// If there is none of that name.
    pub fn address(&self, listener: &str) -> anyhow::Result<SocketAddr> {
        self.listeners
            .iter()
            .find_map(|(name, address)| (name == listener).then_some(*address))
            .with_context(|| format!("envoy has no listener `{listener}`"))
    }

    /// Where the admin port is.
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// How long it took from the start of the process until it was ready.
    pub fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// The id of the process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Is the process still there?
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The statistics whose names contain `part`, as (name, value); histograms are left out.
    ///
    /// # Errors
    /// If the admin port does not answer.
    pub fn stats(&self, part: &str) -> anyhow::Result<Vec<(String, u64)>> {
        let answer = self.ask("GET", "/stats")?;
        Ok(String::from_utf8_lossy(&answer.body)
            .lines()
            .filter_map(|line| line.split_once(": "))
            .filter(|(name, _)| name.contains(part))
            .filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
            .collect())
    }

    /// How many histograms there are whose names contain `part`.
    ///
    /// # Errors
    /// If the admin port does not answer.
    pub fn histograms(&self, part: &str) -> anyhow::Result<usize> {
        let answer = self.ask("GET", "/stats?type=Histograms")?;
        let text = String::from_utf8_lossy(&answer.body);
        let named = |line: &&str| {
            line.split_once(": ")
                .is_some_and(|(name, _)| name.contains(part))
        };
        Ok(text.lines().filter(named).count())
    }

    /// What Prometheus is told: all metrics, with their labels. Histograms lag behind by up to five seconds.
    ///
    /// # Errors
    /// If the admin port does not answer.
    pub fn prometheus(&self) -> anyhow::Result<String> {
        let answer = self.ask("GET", "/stats/prometheus")?;
        Ok(String::from_utf8_lossy(&answer.body).into_owned())
    }

    /// Everything logged so far, or the last 8 MiB of it.
    pub fn log(&self) -> String {
        self.log_since(0)
    }

    /// How far the log has come, in bytes: for [`Envoy::log_since`].
    pub fn log_end(&self) -> u64 {
        fs::metadata(self.directory.join("log")).map_or(0, |metadata| metadata.len())
    }

    /// What was logged after that place, or the last 8 MiB of it.
    pub fn log_since(&self, place: u64) -> String {
        let read = || -> io::Result<Vec<u8>> {
            let mut file = File::open(self.directory.join("log"))?;
            let start = place.max(file.metadata()?.len().saturating_sub(MAX_LOG));
            file.seek(SeekFrom::Start(start))?;
            let mut bytes = Vec::new();
            file.take(MAX_LOG).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
    }

    /// Can the filter of this listener be changed while it serves?
    pub fn is_reloadable(&self, listener: &str) -> bool {
        self.reloadable.iter().any(|(name, _)| name == listener)
    }

    /// Offers the filter of this listener another configuration and waits until it serves under it, or has refused it: then it goes
    /// on under the one that it had, and this is `false`.
    ///
    /// # Errors
    /// If the listener's filter was not started as reloadable, or neither comes of it.
    pub fn reconfigure(
        &self,
        listener: &str,
        configuration: Configuration,
    ) -> anyhow::Result<bool> {
        let filter = self
            .reloadable
            .iter()
            .find_map(|(name, filter)| (name == listener).then_some(filter));
        let filter =
            filter.with_context(|| format!("the filter of `{listener}` cannot be changed"))?;
        let filter = Filter {
            configuration,
            ..filter.clone()
        };
        let counts = |envoy: &Self| -> anyhow::Result<(u64, u64)> {
            let stats = envoy.stats(&format!(
                "extension_config_discovery.http_filter.{listener}."
            ))?;
            let count = |end: &str| {
                stats
                    .iter()
                    .filter(|(name, _)| name.ends_with(end))
                    .map(|(_, value)| value)
                    .sum()
            };
            Ok((count(".update_success"), count(".update_rejected")))
        };
        let before = counts(self)?;
        // A rename, because that is what Envoy watches for: it never sees half a file.
        let new = self.directory.join("new");
        fs::write(&new, config::discovered(listener, &filter).to_string())?;
        fs::rename(&new, config::watched(&self.directory, listener))?;
        let deadline = Instant::now() + RELOAD;
        loop {
            let (taken, rejected) = counts(self)?;
            if (taken, rejected) != before {
                self.settle()?;
                return Ok(taken > before.0);
            }
            ensure!(
                Instant::now() < deadline,
                "envoy did not take notice of a new policy; its log:\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until the worker thread has done what it had to do before this call, such as logging the end of a request: a request
    /// of our own, which no filter sees, is answered after it. Holds only with one worker.
    ///
    /// # Errors
    /// If Envoy does not answer.
    pub fn settle(&self) -> anyhow::Result<()> {
        self.request(self.address(config::FENCE)?, "GET", "/")
            .map(drop)
    }

    fn is_ready(&mut self) -> bool {
        let Some(admin) = fs::read_to_string(self.directory.join("admin"))
            .ok()
            .and_then(|text| text.trim().parse().ok())
        else {
            return false;
        };
        self.admin = admin;
        self.ask("GET", "/ready")
            .is_ok_and(|answer| answer.status == 200)
    }

    /// The addresses of all listeners, by name.
    fn listening(&self) -> anyhow::Result<Vec<(String, SocketAddr)>> {
        let answer: Value =
            serde_json::from_slice(&self.ask("GET", "/listeners?format=json")?.body)?;
        let address = |status: &Value| -> Option<(String, SocketAddr)> {
            let socket = status.pointer("/local_address/socket_address")?;
            let address = format!(
                "{}:{}",
                socket.get("address")?.as_str()?,
                socket.get("port_value")?
            );
            Some((
                status.get("name")?.as_str()?.to_owned(),
                address.parse().ok()?,
            ))
        };
        answer
            .get("listener_statuses")
            .and_then(Value::as_array)
            .and_then(|statuses| statuses.iter().map(address).collect())
            .ok_or_else(|| anyhow!("envoy's list of listeners is not understood: {answer}"))
    }

    fn ask(&self, method: &str, path: &str) -> anyhow::Result<Answer> {
        self.request(self.admin, method, path)
    }

    fn request(&self, to: SocketAddr, method: &str, path: &str) -> anyhow::Result<Answer> {
        let request = Request {
            method: method.into(),
            path: path.into(),
            host: "localhost".into(),
            scheme: Scheme::Http,
            client: Ipv4Addr::LOCALHOST.into(),
            http_version: HttpVersion::Http11,
            headers: HeaderMap::new(),
            body: Vec::new(),
            trailers: HeaderMap::new(),
        };
        self.runtime.block_on(Outgoing::new(&request)?.send(to))
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let asked = self.ask("POST", "/quitquitquit").is_ok();
        let deadline = Instant::now() + STOP;
        while asked && self.is_running() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        // A process that is gone cannot be killed, and a directory that cannot be removed is in the system's temporary one.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A new directory that nobody else uses.
fn directory() -> anyhow::Result<PathBuf> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!(
        "portcullis-envoy-{}-{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    );
    let path = std::env::temp_dir().join(name);
    // Left by a process of the same id that could not clean up.
    let _ = fs::remove_dir_all(&path);
    fs::create_dir(&path).with_context(|| format!("cannot create `{}`", path.display()))?;
    Ok(path)
}
