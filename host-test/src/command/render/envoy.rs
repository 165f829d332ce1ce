//! `portcullis render envoy`: the bootstrap configuration of an Envoy in front of one API.

use std::net::IpAddr;
use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use portcullis_config::Config;

use super::Valid;
use super::policy_text::{policy_text, quoted};
use super::template::Template;
use super::upstream::Upstream;

const TEMPLATE: &str = include_str!("../../../../envoy/envoy.yaml");

/// A whole configuration for Envoy 1.40: `envoy --disable-hot-restart -c FILE`
#[derive(Debug, Args)]
pub(crate) struct Envoy {
    /// The policy, YAML or JSON
    #[arg(value_name = "POLICY")]
    pub(super) policy: PathBuf,
    /// Where the API listens, over plain http
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8000")]
    upstream: Upstream,
    /// Where Envoy finds the module
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/etc/envoy/portcullis.wasm"
    )]
    wasm: String,
    /// Take the filter from this file, which `render envoy-filter` makes: Envoy watches it, and a policy changes without a restart
    #[arg(long, value_name = "FILE")]
    filter_from: Option<String>,
}

/// The filter alone, as Envoy takes it from a file that it watches (`render envoy --filter-from FILE`): move it there
#[derive(Debug, Args)]
pub(crate) struct EnvoyFilter {
    /// The policy, YAML or JSON
    #[arg(value_name = "POLICY")]
    pub(super) policy: PathBuf,
    /// Where Envoy finds the module
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/etc/envoy/portcullis.wasm"
    )]
    wasm: String,
}

/// The first line of the filter in the template.
const FILTER: &str = "                  - name: portcullis\n";

/// The template with this policy and this module, under these first lines.
fn filled(policy: &Valid, wasm: &str, head: &[&str]) -> anyhow::Result<Template> {
    if wasm.contains("://") {
        bail!("envoy takes the module from a file, not from `{wasm}`");
    }
    Template::new(TEMPLATE)
        .head(head)?
        .block("value: |", &policy_text(&policy.value))?
        .put("/etc/envoy/portcullis.wasm", 1, &quoted(wasm))
}

impl EnvoyFilter {
    pub(super) fn render(&self, policy: &Valid) -> anyhow::Result<String> {
        let (_, filter) = filled(policy, &self.wasm, &[])?.paragraph(FILTER, "")?;
        let name = &policy.config.name;
        let mut text = format!(
            "# The filter with the policy `{name}`, as Envoy takes it from a file that it watches. Made by `portcullis render envoy-filter`:\n\
             # write it beside that file and move it over it, since half a file is not to be seen.\n\
             resources:\n"
        );
        for line in filter.lines() {
            // From the depth of the list of filters to that of the resources.
            text.push_str(line.strip_prefix("                ").unwrap_or(line));
            text.push('\n');
            if line == FILTER.trim_end() {
                text.push_str("    \"@type\": type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig\n");
            }
        }
        Ok(text)
    }
}

impl Envoy {
    pub(super) fn render(&self, policy: &Valid) -> anyhow::Result<String> {
        let name = &policy.config.name;
        let limits = Limits::of(&policy.config);
        let first = format!(
            "Envoy 1.40 in front of one HTTP API, with Portcullis in the filter chain, for the policy `{name}`."
        );
        let last = match &self.filter_from {
            None => "Made by `portcullis render envoy`: change the policy and make it again.",
            Some(_) => {
                "Made by `portcullis render envoy --filter-from`: the policy stands in the file that `render envoy-filter` makes."
            }
        };
        let head = [
            first.as_str(),
            "",
            "  envoy --disable-hot-restart -c envoy.yaml",
            "",
            last,
        ];
        let template = filled(policy, &self.wasm, &head)?
            .put(
                "max_headers_count: 100",
                1,
                &format!("max_headers_count: {}", limits.headers),
            )?
            .put(
                "max_request_headers_kb: 32",
                1,
                &format!("max_request_headers_kb: {}", limits.kilobytes),
            )?
            .put(
                "{address: 127.0.0.1, port_value: 8000}",
                1,
                &format!(
                    "{{address: {}, port_value: {}}}",
                    quoted(&self.upstream.host),
                    self.upstream.port
                ),
            )?;
        let template = match &self.filter_from {
            None => template,
            Some(file) => watching(template, file)?,
        };
        let found_by_name = self.upstream.host.parse::<IpAddr>().is_err();
        let template = match found_by_name {
            true => template.put("type: STATIC", 1, "type: STRICT_DNS")?,
            false => template,
        };
        Ok(template.into_text())
    }
}

/// With the filter out of this file in place of the one that stands there.
fn watching(template: Template, file: &str) -> anyhow::Result<Template> {
    let discovery = format!(
        "{FILTER}\
         {:20}config_discovery:\n\
         {:20}  config_source:\n\
         {:20}    # Taken up when another file is moved over it; one that the filter refuses changes nothing, and Envoy's log says why.\n\
         {:20}    path_config_source: {{path: {}}}\n\
         {:20}    resource_api_version: V3\n\
         {:20}  type_urls: [type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm]\n",
        "",
        "",
        "",
        "",
        quoted(file),
        "",
        ""
    );
    let (template, _) = template.paragraph(FILTER, &discovery)?;
    // Envoy wants a name before it takes anything from elsewhere.
    template.put(
        "\nadmin:\n",
        1,
        "\nnode: {id: portcullis, cluster: portcullis}\n\nadmin:\n",
    )
}

/// What Envoy itself lets in of a request's head: never less than the policy does, whose refusals say why.
pub(super) struct Limits {
    pub(super) headers: u32,
    pub(super) kilobytes: u64,
}

impl Limits {
    pub(super) fn of(config: &Config) -> Self {
        let request = config.request.as_ref();
        let headers = request.and_then(|r| r.max_headers).unwrap_or(0);
        let bytes = request.map_or(0, |r| {
            r.max_header_bytes
                .unwrap_or(0)
                .max(r.max_path_bytes.unwrap_or(0))
        });
        Self {
            headers: headers.max(100),
            // 8192 is the most that Envoy takes.
            kilobytes: bytes.div_ceil(1024).clamp(32, 8192),
        }
    }
}
