//! How policies and instances come and go: when a filter is started and configured, and what is left of it after a trap.

use std::sync::Arc;

use super::{StartError, Vm, size};
use crate::abi::exports::Callback;
use crate::host::worker::Root;
use crate::profile::{Configures, VmStart};
use crate::stream;
use crate::trap::Trap;

impl Vm {
    /// Gives the filter a policy; called again it is a reload. `Ok(false)` when the filter refuses it; the policy that
    /// served before goes on serving then. A trap leaves the VM [failed](Vm::failed).
    ///
    /// As in Envoy each policy has a root context of its own, and streams stay with the one that they began under. Where
    /// the profile says so, a policy gets a worker of its own, or comes with the next request only: then this is always
    /// `Ok(true)`.
    pub fn configure(&mut self, policy: &[u8]) -> Result<bool, Trap> {
        match self.host.profile().life.configures {
            Configures::InPlace => self.give_policy(policy),
            Configures::AtNextRequest => {
                self.to_come = Some(policy.to_vec());
                Ok(true)
            }
            Configures::InNewWorker => {
                if self.serving.is_some() || self.failed {
                    let failed = |error: StartError| Trap::new("start", error.to_string());
                    self.renew().map_err(failed)?;
                    self.started = false;
                }
                let accepted = self.give_policy(policy)?;
                self.failed |= !accepted;
                Ok(accepted)
            }
        }
    }

    /// Gives the filter the policy that waits for a request.
    pub(crate) fn take_policy_to_come(&mut self) -> Result<(), Trap> {
        let Some(policy) = self.to_come.clone() else {
            return Ok(());
        };
        if !self.give_policy(&policy)? {
            return Err(Trap::new(
                Callback::Configure.name(),
                "the filter refused its policy",
            ));
        }
        self.to_come = None;
        Ok(())
    }

    fn give_policy(&mut self, policy: &[u8]) -> Result<bool, Trap> {
        let id = self.next_context();
        self.worker().roots.insert(
            id,
            Root {
                configuration: policy.to_vec(),
                tick_period: None,
            },
        );
        self.call(Callback::ContextCreate, id, &[0])?;
        let vm_configuration = size(self.config.configuration.len());
        let starts = match self.host.profile().life.vm_start {
            VmStart::EachPolicy => true,
            VmStart::FirstInstance => !std::mem::replace(&mut self.started, true),
            VmStart::Never => false,
        };
        let accepted = (!starts
            || self.call(Callback::VmStart, id, &[vm_configuration])? != Some(0))
            && self.call(Callback::Configure, id, &[size(policy.len())])? != Some(0);
        if accepted {
            self.serving = Some((id, policy.to_vec()));
        }
        self.retire_roots()?;
        stream::settle(self)?;
        Ok(accepted)
    }

    /// A fresh instance with the last policy that was accepted: what Envoy's FAIL_RELOAD does after a trap. Streams of
    /// the old instance are gone, log lines that nobody has taken stay. `Ok(false)` when the filter now refuses the policy.
    pub fn restart(&mut self) -> Result<bool, StartError> {
        let policy = self.serving.take().map(|(_, policy)| policy);
        let to_come = self.to_come.take();
        // A worker that has trapped goes on with another instance; one that has not is another worker.
        let started = self.started && self.failed;
        self.renew()?;
        self.started = started;
        if let Some(policy) = to_come {
            self.to_come = Some(policy);
            return Ok(true);
        }
        let Some(policy) = policy else {
            return Ok(true);
        };
        if self.host.profile().life.configures == Configures::AtNextRequest {
            self.to_come = Some(policy);
            return Ok(true);
        }
        let accepted = self.give_policy(&policy);
        if !matches!(accepted, Ok(true)) {
            self.failed = true;
            // Without a root context; the next restart tries the same policy again.
            self.serving = Some((0, policy));
        }
        Ok(accepted?)
    }

    /// A fresh instance in this one's place, without a policy.
    fn renew(&mut self) -> Result<(), StartError> {
        let mut fresh = Self::instantiate(
            self.module.clone(),
            Arc::clone(&self.host),
            Arc::clone(&self.config),
        )?;
        let old = self.worker();
        (fresh.worker().logs, fresh.worker().faults) = (
            std::mem::take(&mut old.logs),
            std::mem::take(&mut old.faults),
        );
        // Streams of the old instance may still be held by somebody: their ids must not be met again.
        fresh.last_context = self.last_context;
        *self = fresh;
        Ok(())
    }

    /// Ends the root contexts that serve no longer and have no stream left.
    pub(crate) fn retire_roots(&mut self) -> Result<(), Trap> {
        let serving = self.serving.as_ref().map(|(root, _)| *root);
        let worker = self.worker();
        let in_use: Vec<u32> = worker
            .contexts
            .values()
            .map(|context| context.root)
            .chain(serving)
            .collect();
        let idle: Vec<u32> = worker
            .roots
            .keys()
            .copied()
            .filter(|root| !in_use.contains(root))
            .collect();
        for root in idle {
            self.call(Callback::Done, root, &[])?;
            self.call(Callback::Delete, root, &[])?;
            self.worker().roots.remove(&root);
        }
        Ok(())
    }
}
