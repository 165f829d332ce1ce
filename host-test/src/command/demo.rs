//! `portcullis demo`: a gateway before a small API, with a policy that is built in; the shortest way to see what the filter does.

mod api;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use portcullis_host_test::document::Document;
use portcullis_host_test::gateway::{Event, Gateway, GatewayConfig, GatewayError, Served};
use portcullis_host_test::host::Host;
use portcullis_host_test::host::clock::Clock;
use portcullis_host_test::host::log::Level;
use portcullis_host_test::profile::Profile;
use portcullis_host_test::vm::VmConfig;
use serde_json::Value;

use super::{Exit, module};

const POLICY: &str = include_str!("demo/policy.yaml");

/// A local gateway before a built-in API, with a built-in policy: prints curl lines to try
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Where the gateway listens
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Threads, each with a filter of its own
    #[arg(long, value_name = "COUNT", default_value = "2", value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: u16,
    /// Print the policy and stop
    #[arg(long)]
    print_policy: bool,
    /// Another module than the one built with this command
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
}

impl Demo {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        if self.print_policy {
            anstream::print!("{POLICY}");
            return Ok(Exit::Ok);
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let upstream = runtime
            .block_on(api::start())
            .context("cannot start the demo's API")?;
        let gateway = self.start(upstream)?;
        anstream::println!("{}", welcome(gateway.address(), upstream));
        runtime
            .block_on(tokio::signal::ctrl_c())
            .context("cannot wait for ctrl-c")?;
        anstream::println!("\nstopped");
        Ok(Exit::Ok)
    }

    fn start(&self, upstream: SocketAddr) -> anyhow::Result<Gateway> {
        let config = GatewayConfig {
            listen: self.listen,
            upstream: upstream.to_string().parse()?,
            workers: self.workers.into(),
            module: module(self.wasm.as_deref())?,
            host: Host::new(Profile::ENVOY, Clock::system()),
            vm: VmConfig {
                vm_id: "portcullis".to_owned(),
                plugin_name: "portcullis".to_owned(),
                // The headers wait for the verdict on the body, as in the Envoy configuration of this project.
                environment: [("PORTCULLIS_HOLD_HEADERS".to_owned(), "1".to_owned())].into(),
                allow_on_headers_stop_iteration: true,
                ..VmConfig::default()
            },
            policy: policy()?,
            report: Arc::new(|event| show(&event)),
        };
        Gateway::start(config).map_err(|error| match &error {
            GatewayError::Listen { source, .. } if source.kind() == ErrorKind::AddrInUse => {
                anyhow!("{error}\nhelp: something else is there; choose another port, `--listen 127.0.0.1:0` for any")
            }
            _ => error.into(),
        })
    }
}

/// The policy as a gateway is given it.
fn policy() -> anyhow::Result<Vec<u8>> {
    match Document::read("demo policy", POLICY.as_bytes()) {
        Ok(document) => Ok(document.value.to_string().into_bytes()),
        Err(_) => bail!("the demo's policy is not YAML"),
    }
}

fn welcome(gateway: SocketAddr, upstream: SocketAddr) -> String {
    format!(
        r#"a game's API stands on http://{upstream}, portcullis before it on http://{gateway}

what the API says, and what it gives away:
  curl -i http://{upstream}/health
the same through the gate, with hardened headers:
  curl -i http://{gateway}/health
a request with a body:
  curl -i http://{gateway}/match/create -H 'content-type: application/json' -d '{{"player_name": "Ann"}}'
a host that is not ours, 421:
  curl -i http://{gateway}/health -H 'host: evil.example'
a method that nobody needs, 405:
  curl -i -X DELETE http://{gateway}/match/1
what the API has and the policy does not name, 404:
  curl -i http://{gateway}/admin/players

`portcullis demo --print-policy` shows the policy; ctrl-c stops
"#
    )
}

/// One line for each request, and whatever else needs to be known.
fn show(event: &Event) {
    match event {
        Event::Served(served) => anstream::println!("{}", line(served)),
        Event::Logged(log) if log.level >= Level::Warn => {
            anstream::eprintln!("{}: {}", log.level, log.message)
        }
        Event::Logged(_) => {}
        Event::Trapped(trap) => anstream::eprintln!("error: {trap}"),
    }
}

fn line(served: &Served) -> String {
    let status = served
        .status
        .map_or_else(|| "---".to_owned(), |status| status.to_string());
    let verdict = match served.logs.iter().find_map(|log| decision(&log.message)) {
        Some((decision, code)) => format!("{decision}: {code}"),
        None if served.upstream => "passed".to_owned(),
        None => "not passed".to_owned(),
    };
    let (method, path) = (served.method.escape_debug(), served.path.escape_debug());
    format!(
        "{status} {method} {path}  {verdict}  {:.1} ms",
        served.took.as_secs_f64() * 1e3
    )
}

/// What the filter says of a request that it refused, or would have.
fn decision(message: &str) -> Option<(String, String)> {
    let document: Value = serde_json::from_str(message).ok()?;
    let text = |name: &str| Some(document.get(name)?.as_str()?.to_owned());
    (text("portcullis")? == "decision").then_some(())?;
    Some((text("decision")?, text("code")?))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use portcullis_host_test::host::log::Log;

    use super::*;

    fn served(status: Option<u16>, upstream: bool, log: &str) -> Served {
        Served {
            peer: SocketAddr::from(([127, 0, 0, 1], 1)),
            method: "GET".to_owned(),
            path: "/a".to_owned(),
            status,
            upstream,
            took: Duration::from_micros(1_550),
            logs: vec![Log {
                level: Level::Warn,
                message: log.to_owned(),
                context: 2,
            }],
        }
    }

    #[test]
    fn a_request_is_one_line() {
        assert_eq!(
            line(&served(Some(200), true, "hello")),
            "200 GET /a  passed  1.6 ms"
        );
        assert_eq!(line(&served(None, true, "")), "--- GET /a  passed  1.6 ms");
        let refused = r#"{"portcullis":"decision","decision":"refused","code":"host-not-allowed"}"#;
        assert_eq!(
            line(&served(Some(421), false, refused)),
            "421 GET /a  refused: host-not-allowed  1.6 ms"
        );
    }

    #[test]
    fn the_policy_is_one() {
        let policy: Value = serde_json::from_slice(&policy().unwrap()).unwrap();
        assert_eq!(policy["name"], "demo");
    }
}
