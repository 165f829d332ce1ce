//! `portcullis serve`: a local gateway before any upstream, with a policy that may be changed while it serves.

pub(super) mod line;
mod watch;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use http::Uri;
use http::uri::{Authority, Scheme};
use portcullis_config::Severity;
use portcullis_host_test::document::Document;
use portcullis_host_test::gateway::{Event, Gateway, GatewayConfig, GatewayError};
use portcullis_host_test::host::Host;
use portcullis_host_test::host::clock::Clock;
use portcullis_host_test::module::Module;
use portcullis_host_test::profile::Profile;
use portcullis_host_test::report;
use portcullis_host_test::verdict::verdict;
use portcullis_host_test::vm::VmConfig;
use serde_json::Value;

use super::{Exit, module};
use watch::{Change, Watched};

/// How often the policy file is looked at. A change counts once two looks in a row have seen it.
const LOOK: Duration = Duration::from_millis(250);

/// A local gateway before an upstream; takes a changed policy over while it serves
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The policy file, YAML or JSON
    #[arg(value_name = "POLICY")]
    policy: PathBuf,
    /// Where requests go that the policy lets through, as `http://127.0.0.1:3000`
    #[arg(long, value_name = "URL", value_parser = upstream)]
    upstream: Authority,
    /// Where the gateway listens
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Threads, each with a filter of its own
    #[arg(long, value_name = "COUNT", default_value = "2", value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: u16,
    /// Another module than the one built with this command
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
}

impl Serve {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let module = module(self.wasm.as_deref())?;
        let (mut file, bytes) = open(&self.policy)?;
        let judged = judge(&module, file.name(), &bytes)?;
        anstream::eprint!("{}", judged.findings);
        let Some(policy) = judged.policy else {
            anstream::eprintln!("{}: {}", file.name(), judged.summary);
            return Ok(Exit::PolicyInvalid);
        };
        // What the filter says of the policy that it is given has just been shown, with places.
        let talks = Arc::new(AtomicBool::new(false));
        let config = GatewayConfig {
            listen: self.listen,
            upstream: self.upstream.clone(),
            workers: self.workers.into(),
            module: module.clone(),
            host: Host::new(Profile::ENVOY, Clock::system()),
            vm: vm(),
            policy: policy.bytes,
            report: Arc::new({
                let talks = Arc::clone(&talks);
                move |event| match event {
                    Event::Logged(_) if !talks.load(Ordering::Relaxed) => {}
                    event => line::show(&event),
                }
            }),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        // Before anybody is told to send requests: from here on a ctrl-c is an end and not an accident.
        let mut stop = runtime.block_on(async { Stop::listen() })?;
        let gateway = start(config)?;
        talks.store(true, Ordering::Relaxed);
        if !self.listen.ip().is_loopback() {
            anstream::eprintln!(
                "warning: `{}` can be reached from other machines; this gateway is made for trying things out",
                self.listen
            );
        }
        anstream::println!(
            "listening on http://{}, upstream http://{}, {}; ctrl-c stops",
            gateway.address(),
            self.upstream,
            count(self.workers),
        );
        anstream::println!("policy `{}` is serving", policy.name);
        let mut serving = policy.name;
        runtime.block_on(async {
            loop {
                tokio::select! {
                    () = stop.asked() => break,
                    () = tokio::time::sleep(LOOK) => {}
                }
                match file.look() {
                    None => {}
                    Some(Change::Lost(error)) => anstream::eprintln!(
                        "error: cannot read `{}`: {error}\npolicy `{serving}` goes on serving",
                        file.name()
                    ),
                    Some(Change::Bytes(bytes)) => {
                        match reload(&gateway, &module, file.name(), &bytes) {
                            Ok(name) => serving = name,
                            Err(error) => {
                                anstream::eprintln!("{error:#}\npolicy `{serving}` goes on serving")
                            }
                        }
                    }
                }
            }
        });
        drop(gateway);
        anstream::println!("stopped");
        Ok(Exit::Ok)
    }
}

/// Takes a changed file over, and gives the policy's name; the error is a whole line.
fn reload(gateway: &Gateway, module: &Module, name: &str, bytes: &[u8]) -> anyhow::Result<String> {
    let judged = judge(module, name, bytes).map_err(|error| anyhow!("error: {error:#}"))?;
    anstream::eprint!("{}", judged.findings);
    let Some(policy) = judged.policy else {
        bail!("{name}: {}", judged.summary);
    };
    gateway
        .reload(&policy.bytes)
        .map_err(|error| anyhow!("error: {error}"))?;
    anstream::println!("policy `{}` is serving", policy.name);
    Ok(policy.name)
}

/// What is known of a file before any worker is given it.
pub(super) struct Judged {
    /// The findings with their places, colours and all.
    pub(super) findings: String,
    /// The same for machines.
    pub(super) diagnostics: Value,
    /// `invalid, 2 errors`.
    pub(super) summary: String,
    /// `None` if a gateway would refuse it.
    pub(super) policy: Option<Policy>,
}

pub(super) struct Policy {
    name: String,
    /// As a gateway is given it.
    pub(super) bytes: Vec<u8>,
}

/// The first content of a policy file.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    Ok(open(path)?.1)
}

fn open(path: &Path) -> anyhow::Result<(Watched, Vec<u8>)> {
    Watched::open(path.to_owned()).with_context(|| format!("cannot read `{}`", path.display()))
}

/// What the module says of a policy, before any worker is given it.
pub(super) fn judge(module: &Module, name: &str, bytes: &[u8]) -> anyhow::Result<Judged> {
    let invalid = |errors: usize| {
        let plural = if errors == 1 { "" } else { "s" };
        format!("invalid, {errors} error{plural}")
    };
    let document = match Document::read(name, bytes) {
        Ok(document) => document,
        Err(unreadable) => {
            return Ok(Judged {
                findings: report::unreadable(&unreadable, true),
                diagnostics: unreadable.findings(),
                summary: invalid(unreadable.flaws.len()),
                policy: None,
            });
        }
    };
    let mut verdict = verdict(module, Profile::ENVOY, &document.value)?;
    document.sort(&mut verdict.diagnostics);
    let errors = verdict.diagnostics.iter();
    let errors = errors.filter(|d| d.severity == Severity::Error).count();
    Ok(Judged {
        findings: report::diagnostics(&document, &verdict.diagnostics, true),
        diagnostics: document.findings(&verdict.diagnostics),
        summary: invalid(errors),
        policy: verdict.ok.then(|| Policy {
            name: verdict.policy.unwrap_or_default(),
            bytes: document.value.to_string().into_bytes(),
        }),
    })
}

/// How a local gateway starts its filters.
pub(super) fn vm() -> VmConfig {
    VmConfig {
        vm_id: "portcullis".to_owned(),
        plugin_name: "portcullis".to_owned(),
        // The headers wait for the verdict on the body, as in the Envoy configuration of this project.
        environment: [("PORTCULLIS_HOLD_HEADERS".to_owned(), "1".to_owned())].into(),
        allow_on_headers_stop_iteration: true,
        ..VmConfig::default()
    }
}

/// Starts a gateway, and says what to do about an address that is taken.
pub(super) fn start(config: GatewayConfig) -> anyhow::Result<Gateway> {
    Gateway::start(config).map_err(|error| match &error {
        GatewayError::Listen { source, .. } if source.kind() == ErrorKind::AddrInUse => {
            anyhow!("{error}\nhelp: something else is there; choose another port, `--listen 127.0.0.1:0` for any")
        }
        _ => error.into(),
    })
}

fn upstream(text: &str) -> Result<Authority, String> {
    const HELP: &str = "help: write it as `http://127.0.0.1:3000`";
    let wrong = |what: &str| Err(format!("{what}\n{HELP}"));
    let Ok(parts) = text.parse::<Uri>().map(Uri::into_parts) else {
        return wrong("not a URL");
    };
    match (parts.scheme, parts.authority) {
        (Some(scheme), _) if scheme != Scheme::HTTP => {
            wrong("this gateway speaks plain http to its upstream")
        }
        (None, _) | (_, None) => wrong("not a URL with a scheme and a host"),
        (_, Some(authority)) if authority.as_str().contains('@') => {
            wrong("an upstream has no user name")
        }
        (_, Some(authority)) => match parts.path_and_query {
            Some(path) if path != "/" => {
                wrong("an upstream has no path of its own: paths are passed on as they are")
            }
            _ => Ok(authority),
        },
    }
}

fn count(workers: u16) -> String {
    match workers {
        1 => "1 worker".to_owned(),
        more => format!("{more} workers"),
    }
}

/// What ends the command from outside: ctrl-c, and the signal that process supervisors send.
pub(super) struct Stop {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 2],
}

impl Stop {
    /// Listens from now on; in a runtime.
    #[cfg(unix)]
    pub(super) fn listen() -> anyhow::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).context("cannot wait for ctrl-c");
        Ok(Self {
            signals: [
                listen(SignalKind::interrupt())?,
                listen(SignalKind::terminate())?,
            ],
        })
    }

    /// Listens from now on; in a runtime.
    #[cfg(not(unix))]
    pub(super) fn listen() -> anyhow::Result<Self> {
        Ok(Self {})
    }

    /// Comes back when the command is to end.
    pub(super) async fn asked(&mut self) {
        #[cfg(unix)]
        {
            let [interrupt, terminate] = &mut self.signals;
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
        #[cfg(not(unix))]
        // An error means that nobody can ask.
        let _ = tokio::signal::ctrl_c().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstreams() {
        let check = |text: &str, expected: Result<&str, &str>| {
            let found = upstream(text);
            let found = found.as_ref().map(Authority::as_str);
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{text}"),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{text}: {found}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        };
        check("http://127.0.0.1:3000", Ok("127.0.0.1:3000"));
        check("http://[::1]:3000/", Ok("[::1]:3000"));
        check("http://api.internal", Ok("api.internal"));
        check("https://api.internal", Err("plain http"));
        check("127.0.0.1:3000", Err("with a scheme"));
        check("http://", Err("not a URL"));
        check("http://a/b", Err("no path"));
        check("http://a/?b", Err("no path"));
        check("http://me@a/", Err("no user name"));
    }
}
