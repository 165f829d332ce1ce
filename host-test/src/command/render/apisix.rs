//! `portcullis render apisix`: the configuration of an APISIX in front of one API.

use std::path::PathBuf;

use clap::Args;

use super::Valid;
use super::nginx::Nginx;
use super::policy_text::{policy_text, quoted};
use super::template::Template;
use super::upstream::Upstream;

const TEMPLATE: &str = include_str!("../../../../envoy/apisix.yaml");

/// A configuration for APISIX 3 without etcd, and what its config.yaml needs
#[derive(Debug, Args)]
pub(crate) struct Apisix {
    /// The policy, YAML or JSON
    #[arg(value_name = "POLICY")]
    pub(super) policy: PathBuf,
    /// Where the API listens, over plain http
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8000")]
    upstream: Upstream,
    /// Where APISIX finds the module
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/etc/apisix/portcullis.wasm"
    )]
    wasm: String,
}

impl Apisix {
    pub(super) fn render(&self, policy: &Valid) -> anyhow::Result<String> {
        let nginx = Nginx::of(&policy.config);
        let template = Template::new(TEMPLATE)
            .put("`example`", 1, &format!("`{}`", policy.config.name))?
            .block("conf: |", &policy_text(&policy.value))?
            .put(
                &quoted("/etc/apisix/portcullis.wasm"),
                1,
                &quoted(&self.wasm),
            )?
            .put(
                "body_size: 1m",
                1,
                &format!("body_size: {}", Nginx::size(nginx.body)),
            )?
            .put("buffers 8 32k", 1, &format!("buffers {}", nginx.headers()))?
            .put(
                &quoted("127.0.0.1:8000"),
                1,
                &quoted(&self.upstream.to_string()),
            )?;
        Ok(template.into_text())
    }
}
