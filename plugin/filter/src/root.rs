//! The root context: holds the policy that serves, and takes a new one only if it is without an error.

use std::rc::Rc;

use portcullis_policy::{Opened, Policy, Severity, Unavailable, load};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;
use serde::Deserialize;

use crate::check;
use crate::checks::Checks;
use crate::explain::{self, Explain};
use crate::host::{self, Buffer, Level};
use crate::http::Http;
use crate::metrics::{Metrics, count_rejected};
use crate::worker::Worker;

/// The root context.
#[derive(Default)]
pub(crate) struct Root {
    purpose: Purpose,
    policy: Option<Rc<Policy>>,
    worker: Rc<Worker>,
    checks: Checks,
    metrics: Option<Rc<Metrics>>,
}

/// What the VM is there for.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Purpose {
    #[default]
    Serve,
    /// To say what it thinks of a policy.
    Check,
    /// To serve, and to say why it decides as it does.
    Explain,
}

impl Purpose {
    fn of(configuration: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Asked<'a> {
            portcullis: &'a str,
        }
        match serde_json::from_slice::<Asked<'_>>(configuration) {
            Ok(asked) if asked.portcullis == check::WORD => Self::Check,
            Ok(asked) if asked.portcullis == explain::WORD => Self::Explain,
            _ => Self::Serve,
        }
    }
}

impl Root {
    fn log_opened(&self, opened: Opened) {
        let message = format!(
            "portcullis: limits count in {} tables for {} keys, {} KiB of shared data in all",
            opened.tables,
            opened.buckets,
            opened.bytes >> 10
        );
        host::log(Level::Info, &message);
        if self.worker.shared.is_own() {
            host::log(
                Level::Warn,
                "portcullis: this gateway shares no data between its workers: each counts for itself, so that a limit \
                 admits so many times as much as there are workers",
            );
        }
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, _: usize, _: usize, _: usize) {
        self.checks.answered(token, &self.worker);
    }
}

impl RootContext for Root {
    fn on_vm_start(&mut self, size: usize) -> bool {
        let configuration = host::buffer(Buffer::VmConfiguration, size).unwrap_or_default();
        self.purpose = Purpose::of(&configuration);
        true
    }

    fn on_configure(&mut self, size: usize) -> bool {
        let bytes = match host::buffer(Buffer::PluginConfiguration, size) {
            Ok(bytes) => bytes,
            Err(status) => {
                let message =
                    format!("portcullis: the configuration cannot be read (status {status})");
                host::log(Level::Error, &message);
                return false;
            }
        };
        let verdict = load(&bytes);
        if self.purpose == Purpose::Check {
            host::log(Level::Info, &check::document(&verdict));
            return verdict.policy.is_some();
        }
        for diagnostic in &verdict.diagnostics {
            let level = match diagnostic.severity {
                Severity::Error => Level::Error,
                Severity::Warning => Level::Warn,
            };
            host::log(level, &format!("portcullis: {diagnostic}"));
        }
        let Some(mut policy) = verdict.policy else {
            // Hosts give each policy a root context of its own: what served before goes on in the old one.
            count_rejected();
            host::log(
                Level::Error,
                "portcullis: the policy is not loaded, for the errors above; one that serves already goes on serving",
            );
            return false;
        };
        match policy.open(&self.worker.shared, self.worker.ids.fresh()) {
            Ok(None) => {}
            Ok(Some(opened)) => self.log_opened(opened),
            Err(Unavailable(status)) => {
                let message = format!(
                    "portcullis: the policy is not loaded: its limits cannot be counted (status {status})"
                );
                host::log(Level::Error, &message);
                return false;
            }
        }
        host::log(
            Level::Info,
            &format!(
                "portcullis {}: policy `{}` ({}) is serving, {} routes",
                env!("CARGO_PKG_VERSION"),
                policy.name(),
                policy.hash(),
                policy.routes()
            ),
        );
        self.checks = Checks::start(&policy, &self.worker);
        self.metrics = policy
            .has_metrics()
            .then(|| Rc::new(Metrics::start(&policy)));
        self.policy = Some(Rc::new(policy));
        true
    }

    fn on_tick(&mut self) {
        self.checks.make(&self.worker);
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        let exchange = self.policy.as_ref().map(Policy::begin);
        let policy = self.policy.as_ref();
        let explained = policy.filter(|_| self.purpose == Purpose::Explain);
        let explain = explained.map(|policy| Explain::new(Rc::clone(policy)));
        let worker = Rc::clone(&self.worker);
        let metrics = self.metrics.clone();
        Some(Box::new(Http::new(exchange, worker, metrics, explain)))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
