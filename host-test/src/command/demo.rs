//! `portcullis demo`: a gateway before a small API, with a policy that is built in; the shortest way to see what the filter does.

mod api;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Args;
use portcullis_host_test::document::Document;
use portcullis_host_test::gateway::{Gateway, GatewayConfig};
use portcullis_host_test::host::Host;
use portcullis_host_test::host::clock::Clock;
use portcullis_host_test::profile::Profile;

use super::{Exit, module, serve};

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
        let mut stop = runtime.block_on(async { serve::Stop::listen() })?;
        let gateway = self.start(upstream)?;
        anstream::println!("{}", welcome(gateway.address(), upstream));
        runtime.block_on(stop.asked());
        drop(gateway);
        anstream::println!("stopped");
        Ok(Exit::Ok)
    }

    fn start(&self, upstream: SocketAddr) -> anyhow::Result<Gateway> {
        serve::start(GatewayConfig {
            listen: self.listen,
            upstream: upstream.to_string().parse()?,
            workers: self.workers.into(),
            module: module(self.wasm.as_deref())?,
            host: Host::new(Profile::ENVOY, Clock::system()),
            vm: serve::vm(),
            policy: policy()?,
            report: Arc::new(|event| serve::line::show(&event)),
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
the same again:
  curl -i http://{gateway}/match/create -H 'content-type: application/json' -d '{{"player_name": "Ann"}}'
and once more, which is one too many, 429:
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

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_policy_is_one() {
        let policy: Value = serde_json::from_slice(&policy().unwrap()).unwrap();
        assert_eq!(policy["name"], "demo");
    }
}
