//! The shipped module as a file: what it asks of a gateway, what it offers, and how large it is.

use std::collections::BTreeSet;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use portcullis_host_test::shipped;
use wasmparser::{Parser, Payload, TypeRef};

/// The budget, in bytes. A change that needs more says why here.
const MOST_RAW: usize = 2_000_000;
const MOST_GZIP: usize = 800_000;

/// The calls of WASI preview 1 that Envoy, ngx_wasm_module and wasm-nginx-module all have, and that mean the same there. What reads
/// files or sleeps is not among them: those calls fail, trap or return at once, each host in its own way.
const WASI: [&str; 8] = [
    "args_get",
    "args_sizes_get",
    "clock_time_get",
    "environ_get",
    "environ_sizes_get",
    "fd_write",
    "proc_exit",
    "random_get",
];

/// Host calls of the ABI with which a module does not load, or traps, in one of the hosts: wasm-nginx-module declares
/// `proxy_get_metric` with another type and has no `proxy_get_log_level`.
const NOT_EVERYWHERE: [&str; 2] = ["proxy_get_metric", "proxy_get_log_level"];

/// The names of the imports and exports, and the bytes.
fn shipped() -> (Vec<(String, String)>, BTreeSet<String>, Vec<u8>) {
    let bytes = std::fs::read(shipped::build().unwrap()).unwrap();
    let (mut imports, mut exports) = (Vec::new(), BTreeSet::new());
    for payload in Parser::new(0).parse_all(&bytes) {
        match payload.unwrap() {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import.unwrap();
                    assert!(
                        matches!(import.ty, TypeRef::Func(_)),
                        "`{}` is no function",
                        import.name
                    );
                    imports.push((import.module.to_owned(), import.name.to_owned()));
                }
            }
            Payload::ExportSection(section) => {
                exports.extend(
                    section
                        .into_iter()
                        .map(|export| export.unwrap().name.to_owned()),
                );
            }
            _ => {}
        }
    }
    (imports, exports, bytes)
}

#[test]
fn it_imports_only_what_every_gateway_has() {
    let (imports, ..) = shipped();
    assert!(!imports.is_empty());
    let refused: Vec<_> = imports
        .iter()
        .filter(|(module, name)| match module.as_str() {
            "env" => !name.starts_with("proxy_") || NOT_EVERYWHERE.contains(&name.as_str()),
            "wasi_snapshot_preview1" => !WASI.contains(&name.as_str()),
            _ => true,
        })
        .collect();
    assert_eq!(refused, Vec::<&(String, String)>::new());
}

#[test]
fn it_cannot_be_made_to_trap_by_asking() {
    let (.., bytes) = shipped();
    let word = b"x-portcullis-trap";
    assert!(!bytes.windows(word.len()).any(|part| part == word));
}

#[test]
fn it_exports_what_a_gateway_calls() {
    let (_, exports, _) = shipped();
    for name in [
        "memory",
        "_initialize",
        "proxy_abi_version_0_2_1",
        "proxy_on_memory_allocate",
        "proxy_on_context_create",
        "proxy_on_vm_start",
        "proxy_on_configure",
        "proxy_on_request_headers",
        "proxy_on_request_body",
        "proxy_on_request_trailers",
        "proxy_on_response_headers",
    ] {
        assert!(
            exports.contains(name),
            "no export `{name}` among {exports:?}"
        );
    }
}

#[test]
fn it_stays_within_its_size() {
    let (imports, _, bytes) = shipped();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&bytes).unwrap();
    let gzip = gzip.finish().unwrap().len();
    let _ = writeln!(
        std::io::stderr(),
        "portcullis.wasm: {} bytes, {gzip} with gzip, {} imports",
        bytes.len(),
        imports.len()
    );
    assert!(
        bytes.len() <= MOST_RAW,
        "{} bytes are more than {MOST_RAW}",
        bytes.len()
    );
    assert!(
        gzip <= MOST_GZIP,
        "{gzip} bytes with gzip are more than {MOST_GZIP}"
    );
}
