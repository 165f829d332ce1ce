//! Scenarios against a live gateway, over real HTTP/1.1 and HTTP/2.
//!
//! Either any gateway that has a URL, where only the answer can be seen, or an Envoy of our own with a recording upstream behind
//! it, where the upstream's side and the filter's log lines can be seen too. The address and the scheme of a scenario's client
//! are told to the gateway as a trusted proxy would tell it (`X-Forwarded-For`, `X-Forwarded-Proto`): every real connection here
//! comes from loopback, without TLS.

use std::net::{SocketAddr, ToSocketAddrs};

use anyhow::{Context, anyhow, bail};
use serde_json::{Value, json};

use super::target::{Observed, Reloaded, Request, Respond, Runner, Scheme, Target, UpstreamSeen};
use crate::envoy::{Configuration, Envoy};
use crate::upstream::Upstream;
use crate::wire::Outgoing;

/// A gateway under one policy.
pub struct HttpTarget<'a> {
    gateway: SocketAddr,
    behind: Option<Behind<'a>>,
    runtime: tokio::runtime::Runtime,
}

/// What can be watched if the gateway is ours.
struct Behind<'a> {
    envoy: &'a Envoy,
    plugin: String,
    upstream: &'a Upstream,
}

impl<'a> HttpTarget<'a> {
    /// The gateway at this URL, under whatever policy it has: `http://HOST[:PORT][/]`.
    ///
    /// # Errors
    /// If the URL is another, or its host has no address.
    pub fn against(url: &str) -> anyhow::Result<Self> {
        let uri: http::Uri = url
            .parse()
            .with_context(|| format!("`{url}` is not a URL"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some(other) => bail!("`{url}`: the scheme is `{other}`, only `http` can be tested"),
            None => bail!("`{url}` has no scheme; did you mean `http://{url}`?"),
        }
        if uri.path() != "/" || uri.query().is_some() {
            bail!("`{url}` has a path; the scenarios bring their own");
        }
        let host = uri.host().with_context(|| format!("`{url}` has no host"))?;
        let gateway = (
            host.trim_start_matches('[').trim_end_matches(']'),
            uri.port_u16().unwrap_or(80),
        )
            .to_socket_addrs()
            .with_context(|| format!("`{host}` cannot be resolved"))?
            .next()
            .ok_or_else(|| anyhow!("`{host}` has no address"))?;
        Self::new(gateway, None)
    }

    /// A listener of our own Envoy, with a filter and this upstream behind it.
    ///
    /// # Errors
    /// If there is no such listener.
    pub fn behind(
        envoy: &'a Envoy,
        listener: &str,
        upstream: &'a Upstream,
    ) -> anyhow::Result<Self> {
        Self::new(
            envoy.address(listener)?,
            Some(Behind {
                envoy,
                plugin: listener.to_owned(),
                upstream,
            }),
        )
    }

    fn new(gateway: SocketAddr, behind: Option<Behind<'a>>) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(Self {
            gateway,
            behind,
            runtime,
        })
    }
}

impl Target for HttpTarget<'_> {
    fn runner(&self) -> Runner {
        Runner::Http
    }

    fn exchange(&mut self, request: &Request, respond: &Respond) -> anyhow::Result<Observed> {
        let outgoing = Outgoing::new(&forwarded(request))?;
        let place = self.behind.as_ref().map(|behind| behind.prepare(respond));
        let answer = self.runtime.block_on(outgoing.send(self.gateway))?;
        let (upstream, logs) = match (&self.behind, place) {
            (Some(behind), Some(place)) => behind.saw(place)?,
            _ => (UpstreamSeen::Unknown, None),
        };
        Ok(Observed {
            status: answer.status,
            headers: answer.headers,
            body: answer.body,
            upstream,
            logs,
            guest: None,
        })
    }

    fn reload(&mut self, policy: &Value) -> anyhow::Result<Reloaded> {
        match &self.behind {
            Some(Behind { envoy, plugin, .. }) if envoy.is_reloadable(plugin) => {
                let policy = Configuration::Text(as_deployed(policy).to_string());
                let accepted = envoy.reconfigure(plugin, policy)?;
                Ok(if accepted {
                    Reloaded::Accepted
                } else {
                    Reloaded::Refused
                })
            }
            _ => Ok(Reloaded::Unsupported(
                "the gateway's policy is not ours to change".to_owned(),
            )),
        }
    }
}

impl Behind<'_> {
    /// Makes ready for one exchange; returns the place in the log where it starts.
    fn prepare(&self, respond: &Respond) -> u64 {
        self.upstream.respond(respond.clone());
        self.upstream.take();
        self.envoy.log_end()
    }

    /// What the upstream and the log have to say about the exchange since that place.
    fn saw(&self, place: u64) -> anyhow::Result<(UpstreamSeen, Option<Vec<String>>)> {
        self.envoy.settle()?;
        let upstream = self
            .upstream
            .take()
            .map_or(UpstreamSeen::NotCalled, |seen| {
                UpstreamSeen::Called(Box::new(seen.request))
            });
        Ok((
            upstream,
            Some(logged(&self.envoy.log_since(place), &self.plugin)),
        ))
    }
}

/// The policy as a gateway needs it that has resolved the client by itself: where it leaves open who the client is, the gateway says.
pub fn as_deployed(policy: &Value) -> Value {
    let mut policy = policy.clone();
    if let Some(members) = policy.as_object_mut() {
        members
            .entry("client")
            .or_insert_with(|| json!({"forwarded": "host"}));
    }
    policy
}

/// The request as it leaves the proxy in front of the gateway, which knows the client and its scheme.
fn forwarded(request: &Request) -> Request {
    let mut request = request.clone();
    request
        .headers
        .push("x-forwarded-for", request.client.to_string());
    if request.scheme == Scheme::Https && !request.headers.contains("x-forwarded-proto") {
        request.headers.push("x-forwarded-proto", "https");
    }
    request
}

/// The lines that this plugin wrote, out of Envoy's log: `wasm log PLUGIN [MORE NAMES]: MESSAGE`.
fn logged(log: &str, plugin: &str) -> Vec<String> {
    let message = |line: &str| {
        let (names, message) = line.split_once("wasm log ")?.1.split_once(": ")?;
        (names.split(' ').next() == Some(plugin)).then(|| message.to_owned())
    };
    log.lines().filter_map(message).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_is_named_by_a_plain_url() {
        for url in [
            "http://127.0.0.1",
            "http://127.0.0.1:8080/",
            "http://[::1]:8080",
        ] {
            assert!(HttpTarget::against(url).is_ok(), "{url}");
        }
        for (url, help) in [
            ("127.0.0.1:8080", "did you mean `http://127.0.0.1:8080`"),
            ("localhost", "did you mean `http://localhost`"),
            ("https://127.0.0.1", "only `http` can be tested"),
            ("http://127.0.0.1/api", "has a path"),
            ("http://", "not a URL"),
        ] {
            let error = HttpTarget::against(url)
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default();
            assert!(error.contains(help), "`{url}`: `{error}`");
        }
    }

    #[test]
    fn only_the_plugins_own_lines_are_its_log() {
        let log = "warning wasm wasm log edge v: one: two\n\
                   info wasm wasm log other v: not mine\n\
                   warning main wasm starts\n\
                   info wasm wasm log edge: {\"a\": 1}\n\
                   info wasm wasm log edgeless v: nor this\n";
        assert_eq!(logged(log, "edge"), ["one: two", "{\"a\": 1}"]);
    }
}
