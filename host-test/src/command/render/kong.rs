//! `portcullis render kong`: the declarative configuration of a Kong in front of one API.

use std::path::PathBuf;

use clap::Args;

use super::Valid;
use super::nginx::Nginx;
use super::policy_text::{policy_text, quoted};
use super::template::Template;
use super::upstream::Upstream;
use crate::command::check::zone;

const TEMPLATE: &str = include_str!("../../../../envoy/kong.yml");

/// A zone that is large enough for what is small.
const ZONE: u64 = 12;

/// A declarative configuration for Kong 3.4 to 3.9, and the lines that kong.conf needs
#[derive(Debug, Args)]
pub(crate) struct Kong {
    /// The policy, YAML or JSON
    #[arg(value_name = "POLICY")]
    pub(super) policy: PathBuf,
    /// Where the API listens, over plain http
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8000")]
    upstream: Upstream,
    /// The folder that Kong takes filters from; the module is in it as `portcullis.wasm`
    #[arg(long, value_name = "FOLDER", default_value = "/etc/kong/filters")]
    filters: String,
}

impl Kong {
    pub(super) fn render(&self, policy: &Valid) -> anyhow::Result<String> {
        let nginx = Nginx::of(&policy.config);
        let zone = zone(&policy.value)?.unwrap_or(0).max(ZONE);
        let template = Template::new(TEMPLATE)
            .put("`example`", 1, &format!("`{}`", policy.config.name))?
            .block("config: |", &policy_text(&policy.value))?
            .put("shm_kv = 12m", 1, &format!("shm_kv = {zone}m"))?
            .put("= /etc/kong/filters", 1, &format!("= {}", self.filters))?
            .put(
                "buffer_size = 64k",
                1,
                &format!("buffer_size = {}", Nginx::size(nginx.read)),
            )?
            .put(
                "body_size = 1m",
                1,
                &format!("body_size = {}", Nginx::size(nginx.body)),
            )?
            .put(
                "buffers = 8 32k",
                1,
                &format!("buffers = {}", nginx.headers()),
            )?
            .put(
                &quoted("http://127.0.0.1:8000"),
                1,
                &quoted(&format!("http://{}", self.upstream)),
            )?;
        Ok(template.into_text())
    }
}
