//! What gateways do differently: one table a subject, a column a gateway.

mod filter;
mod messages;
mod statuses;

use portcullis_host_test::exchange::Exchanged;
use portcullis_host_test::host::Host;
use portcullis_host_test::host::clock::Clock;
use portcullis_host_test::module::Module;
use portcullis_host_test::profile::Profile;
use portcullis_host_test::vm::{StartError, Vm};

use crate::guest::{config, text};

/// The prelude's guest, without the import that one of the gateways does not load.
fn portable(functions: &str) -> String {
    let import =
        r#"  (import "env" "proxy_get_metric" (func $get_metric (param i32 i32) (result i32)))"#;
    let text = text(functions);
    assert!(text.contains(import));
    text.replace(import, "")
}

/// A guest in a gateway, with a policy.
fn start(profile: &Profile, functions: &str, policy: &str) -> Result<Vm, StartError> {
    let host = Host::new(profile.clone(), Clock::system());
    let module = Module::from_bytes(portable(functions).as_bytes()).unwrap();
    let mut vm = Vm::start(&module, host, config())?;
    vm.configure(policy.as_bytes())?;
    Ok(vm)
}

/// What the guest logged, or that it was stopped.
fn said(exchanged: &Exchanged) -> String {
    match &exchanged.trap {
        Some(_) => "trap".to_owned(),
        None => exchanged
            .logs
            .iter()
            .map(|log| log.message.as_str())
            .filter(|line| !line.starts_with("host: "))
            .collect::<Vec<_>>()
            .join(", "),
    }
}
