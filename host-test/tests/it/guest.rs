//! Guests in WebAssembly text for the tests of the host: `guests/prelude.wat` and a few functions of their own.

use std::sync::Arc;
use std::time::Duration;

use portcullis_host_test::exchange::{self, Exchanged};
use portcullis_host_test::host::Host;
use portcullis_host_test::host::clock::Clock;
use portcullis_host_test::host::log::Log;
use portcullis_host_test::message::{Request, Response};
use portcullis_host_test::module::Module;
use portcullis_host_test::profile::Profile;
use portcullis_host_test::vm::{Limits, Vm, VmConfig};

/// The text of a guest that has these functions beside the prelude.
pub(crate) fn text(functions: &str) -> String {
    format!(
        "(module\n{}\n{functions})",
        include_str!("guests/prelude.wat")
    )
}

pub(crate) fn module(functions: &str) -> Module {
    Module::from_bytes(text(functions).as_bytes()).expect("the guest loads")
}

/// A host whose clock stands at 1,000 s.
pub(crate) fn host() -> Arc<Host> {
    Host::new(
        Profile::ENVOY,
        Clock::stopped_at(Duration::from_secs(1_000)),
    )
}

/// Little time and memory: these guests misbehave.
pub(crate) fn config() -> VmConfig {
    VmConfig {
        vm_id: "readers".to_owned(),
        limits: Limits {
            callback: Duration::from_millis(200),
            memory: 4 * 1024 * 1024,
        },
        ..VmConfig::default()
    }
}

/// A configured VM.
pub(crate) fn start(functions: &str, policy: &str) -> Vm {
    start_in(host(), config(), functions, policy)
}

pub(crate) fn start_in(host: Arc<Host>, config: VmConfig, functions: &str, policy: &str) -> Vm {
    let mut vm = Vm::start(&module(functions), host, config).expect("the guest starts");
    assert_eq!(
        vm.configure(policy.as_bytes()),
        Ok(true),
        "the guest accepts its policy"
    );
    vm.take_logs();
    vm
}

/// A request whose upstream answers 200 `hello`.
pub(crate) fn run(vm: &mut Vm, request: &Request) -> Exchanged {
    exchange::run(vm, request, &mut |_| Response::new(200, "hello"))
}

pub(crate) fn get() -> Request {
    Request::new("GET", "api.example", "/")
}

pub(crate) fn messages(logs: &[Log]) -> Vec<&str> {
    logs.iter().map(|log| log.message.as_str()).collect()
}
