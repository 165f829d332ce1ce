//! What `check` says of limits: what their tables hold and take, and what each gateway makes of them.
//!
//! The module itself says how large its tables are, when it makes them: nobody else has to know how.

use portcullis_config::{Config, Forwarded, KeyPart};
use portcullis_host_test::host::Host;
use portcullis_host_test::host::clock::Clock;
use portcullis_host_test::module::Module;
use portcullis_host_test::profile::Profile;
use portcullis_host_test::vm::{Vm, VmConfig};
use serde_json::Value;

use super::notes::Gateway;
use super::when::limits;

/// What a slot of eight keys takes in ngx_wasm_module's zone: a node of 96 bytes, its key and its value, 264 in all, and
/// nginx' slabs double from 256 bytes.
const KONG_SLOT: u64 = 512;
/// Keys in a slot.
const WAYS: u64 = 8;

/// The tables of a policy's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tables {
    /// How many keys they hold.
    keys: u64,
    /// What they take in a gateway's memory.
    kibibytes: u64,
}

impl Tables {
    /// Has the module make them; `None` for a policy without limits, or one that it does not take.
    pub(super) fn of(module: &Module, policy: &Value) -> Option<Self> {
        let host = Host::new(Profile::ENVOY, Clock::system());
        let mut vm = Vm::start(module, host, VmConfig::default()).ok()?;
        let accepted = vm.configure(policy.to_string().as_bytes()).ok()?;
        let logs = vm.take_logs();
        logs.iter()
            .filter(|_| accepted)
            .find_map(|log| Self::said(&log.message))
    }

    /// `limits count in 2 tables for 262144 keys, 8704 KiB of shared data in all`.
    fn said(line: &str) -> Option<Self> {
        let (_, said) = line.split_once("limits count in ")?;
        let mut numbers = said
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|number| number.parse().ok());
        let (_tables, keys, kibibytes) = (numbers.next()?, numbers.next()?, numbers.next()?);
        Some(Self { keys, kibibytes })
    }

    fn memory(self) -> String {
        match self.kibibytes.max(1) {
            below @ 0..1024 => format!("{below} KiB"),
            more => {
                let tenths = more.saturating_mul(10).div_ceil(1024);
                format!("{}.{} MiB", tenths / 10, tenths % 10)
            }
        }
    }

    /// The smallest zone for them, in MiB: with the slab pages' own descriptions, and room for what is small.
    pub(super) fn zone(self) -> u64 {
        let bytes = self.keys.div_ceil(WAYS).saturating_mul(KONG_SLOT);
        let whole = bytes.saturating_add(bytes / 64).saturating_add(64 << 10);
        whole.div_ceil(1 << 20)
    }
}

/// What is to be known of this policy's limits, on any gateway or on this one.
pub(super) fn notes(gateway: Option<Gateway>, config: &Config, tables: Tables) -> Vec<String> {
    let (keys, memory, zone) = (tables.keys, tables.memory(), tables.zone());
    let size = match gateway {
        Some(Gateway::Kong) => format!(
            "limits need `nginx_wasm_shm_kv = {zone}m` or more: a smaller zone forgets clients that were counted, and without one kong's workers end"
        ),
        Some(Gateway::Apisix) => format!(
            "nothing is shared between workers on apisix: each counts for itself, for {keys} keys in {memory} of its own, and a limit admits so many times as much as there are workers"
        ),
        None | Some(Gateway::Envoy | Gateway::Istio) => format!(
            "limits count for {keys} keys at once, in {memory} of the gateway's memory, however many clients there are"
        ),
    };
    let of_address = gateway.filter(|_| goes_by_address(config));
    let address = of_address.and_then(|gateway| address(gateway, &config.client.forwarded));
    [Some(size), address.map(str::to_owned)]
        .into_iter()
        .flatten()
        .collect()
}

/// Whose address the gateway shows.
fn address(gateway: Gateway, forwarded: &Forwarded) -> Option<&'static str> {
    let by_host = *forwarded == Forwarded::Host;
    Some(match gateway {
        Gateway::Envoy if by_host => {
            "clients are counted by the address that envoy resolves: without `use_remote_address: true` they choose it themselves, in X-Forwarded-For; behind proxies of yours set `xff_num_trusted_hops` too"
        }
        Gateway::Envoy => {
            "clients are counted by the address of their connection, which envoy shows with `use_remote_address: true` alone: without, whoever sends X-Forwarded-For is counted in one bucket with all others who do"
        }
        Gateway::Istio if by_host => {
            "clients are counted by the address that istio's gateway resolves: behind proxies of yours set `gatewayTopology.numTrustedProxies`"
        }
        // What nginx shows is told of every policy.
        Gateway::Istio | Gateway::Kong | Gateway::Apisix => return None,
    })
}

/// Does a limit tell clients apart by their address? What a client leaves out of its request is its address, too.
fn goes_by_address(config: &Config) -> bool {
    let by_address = |part: &KeyPart| {
        !matches!(
            part,
            KeyPart::Host | KeyPart::Path | KeyPart::Route | KeyPart::All
        )
    };
    limits(config).any(|limit| limit.key.iter().any(by_address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_modules_line_is_read() {
        let line =
            "portcullis: limits count in 2 tables for 262144 keys, 8704 KiB of shared data in all";
        let tables = Tables {
            keys: 262_144,
            kibibytes: 8_704,
        };
        assert_eq!(Tables::said(line), Some(tables));
        assert_eq!(
            Tables::said("portcullis: policy `2` is serving, 3 routes, 4"),
            None
        );
        assert_eq!(Tables::said("limits count in 2 tables for 3 keys"), None);
    }

    #[test]
    fn sizes_are_told_in_the_words_of_who_reads_them() {
        let check = |keys: u64, memory: &str, zone: u64| {
            let kibibytes = (keys / WAYS * 272) >> 10;
            let tables = Tables { keys, kibibytes };
            let told = (tables.memory(), tables.zone());
            assert_eq!(told, (memory.to_owned(), zone), "{keys}");
        };
        check(8, "1 KiB", 1);
        check(64, "2 KiB", 1);
        check(30_000, "996 KiB", 2);
        check(131_072, "4.3 MiB", 9);
        check(2 * 131_072, "8.5 MiB", 17);
    }
}
