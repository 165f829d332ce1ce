//! `portcullis render`: a gateway's whole configuration for one policy, on stdout.
//!
//! The configurations to copy in `envoy/` are the templates: what people read there and what this prints cannot drift
//! apart. Only what depends on the policy and the place is written anew.

mod apisix;
mod envoy;
mod istio;
mod kong;
mod nginx;
mod policy_text;
mod template;
mod upstream;

use std::path::Path;

use clap::{Args, Subcommand};
use portcullis_config::Config;
use serde_json::Value;

use super::check::{check, config_of};
use super::{Exit, module};

/// A gateway's whole configuration for a policy, on stdout
#[derive(Debug, Args)]
pub(crate) struct Render {
    #[command(subcommand)]
    gateway: Gateway,
}

#[derive(Debug, Subcommand)]
enum Gateway {
    Envoy(envoy::Envoy),
    EnvoyFilter(envoy::EnvoyFilter),
    Istio(istio::Istio),
    Kong(kong::Kong),
    Apisix(apisix::Apisix),
}

/// A policy that the module takes.
struct Valid {
    /// As the file has it.
    value: Value,
    /// As the module reads it.
    config: Config,
}

impl Render {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let file = match &self.gateway {
            Gateway::Envoy(envoy) => &envoy.policy,
            Gateway::EnvoyFilter(filter) => &filter.policy,
            Gateway::Istio(istio) => &istio.policy,
            Gateway::Kong(kong) => &kong.policy,
            Gateway::Apisix(apisix) => &apisix.policy,
        };
        let Some(valid) = valid(file)? else {
            return Ok(Exit::PolicyInvalid);
        };
        let text = match &self.gateway {
            Gateway::Envoy(envoy) => envoy.render(&valid)?,
            Gateway::EnvoyFilter(filter) => filter.render(&valid)?,
            Gateway::Istio(istio) => istio.render(&valid)?,
            Gateway::Kong(kong) => kong.render(&valid)?,
            Gateway::Apisix(apisix) => apisix.render(&valid)?,
        };
        anstream::print!("{text}");
        Ok(Exit::Ok)
    }
}

/// The policy, if the module takes it; else what is wrong with it has been said on stderr, where it is no configuration.
fn valid(file: &Path) -> anyhow::Result<Option<Valid>> {
    let checked = check(&module(None)?, file)?;
    anstream::eprint!("{}", checked.text);
    let config = checked.value.as_ref().and_then(config_of);
    let (true, Some(value), Some(config)) = (checked.errors == 0, checked.value, config) else {
        anstream::eprintln!("`{}` is not rendered", checked.name);
        return Ok(None);
    };
    Ok(Some(Valid { value, config }))
}
