//! `portcullis render istio`: the resources that put the filter into an Istio ingress gateway.

use std::path::PathBuf;

use clap::Args;

use super::Valid;
use super::envoy::Limits;
use super::policy_text::{policy_text, quoted};
use super::template::Template;

const TEMPLATE: &str = include_str!("../../../../envoy/istio.yaml");

/// Where the template has the module.
const MODULE: &str = "oci://registry.example.com/portcullis:0.1.0";

/// A WasmPlugin for Istio 1.27 or later, and the EnvoyFilter beside it: `kubectl apply -f FILE`
#[derive(Debug, Args)]
pub(crate) struct Istio {
    /// The policy, YAML or JSON
    #[arg(value_name = "POLICY")]
    pub(super) policy: PathBuf,
    /// Where the gateway finds the module: an oci://, https:// or file:// address, or a file in the proxy's container
    #[arg(long, value_name = "ADDRESS", default_value = MODULE)]
    wasm: String,
}

impl Istio {
    pub(super) fn render(&self, policy: &Valid) -> anyhow::Result<String> {
        let limits = Limits::of(&policy.config);
        let module = match self.wasm.starts_with('/') {
            true => format!("file://{}", self.wasm),
            false => self.wasm.clone(),
        };
        let template = Template::new(TEMPLATE)
            .put("`example`", 1, &format!("`{}`", policy.config.name))?
            .block("pluginConfig:", &policy_text(&policy.value))?
            .put(&quoted(MODULE), 1, &quoted(&module))?
            .put(
                "max_headers_count: 100",
                1,
                &format!("max_headers_count: {}", limits.headers),
            )?
            .put(
                "max_request_headers_kb: 32",
                1,
                &format!("max_request_headers_kb: {}", limits.kilobytes),
            )?;
        Ok(template.into_text())
    }
}
