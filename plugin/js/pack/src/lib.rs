//! Makes the package for JavaScript of the engine as it was compiled: a folder as npm takes it.
//!
//! wasm-bindgen's own library does what its command does, so that nobody installs a tool of the right version: cargo does.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use wasm_bindgen_cli_support::Bindgen;

/// What to compile, and how: arguments to `cargo build`.
pub const BUILD: [&str; 4] = ["--package", "portcullis-js", "--profile", "module"];
/// For which platform.
pub const TARGET: &str = "wasm32-unknown-unknown";
/// Where that puts the engine, below the directory of the platform.
pub const ENGINE: &str = "module/portcullis_js.wasm";

/// What is written by hand of the package, in `plugin/js/package`; the version in `package.json` is the workspace's.
const WRITTEN: [&str; 5] = [
    "README.md",
    "index.d.ts",
    "index.js",
    "node.js",
    "package.json",
];

/// Writes the package to `out`, of the engine at `wasm` and the folder `plugin/js/package` of the workspace.
///
/// # Errors
/// If a file cannot be read or written, or the engine is not one that wasm-bindgen has prepared.
pub fn package(workspace: &Path, wasm: &Path, out: &Path) -> Result<()> {
    let _ = fs::remove_dir_all(out);
    Bindgen::new()
        .input_path(wasm)
        .web(true)
        .and_then(|bindgen| {
            bindgen
                .out_name("engine")
                // It stands beside the code.
                .omit_default_module_path(false)
                .typescript(false)
                .remove_name_section(true)
                .remove_producers_section(true)
                .generate(out)
        })
        .map_err(|error| anyhow!("wasm-bindgen: {error:#}"))?;
    for name in WRITTEN {
        let from = workspace.join("plugin/js/package").join(name);
        let text = fs::read_to_string(&from)
            .with_context(|| format!("cannot read `{}`", from.display()))?;
        let text = match name {
            "package.json" => text.replace("0.0.0", env!("CARGO_PKG_VERSION")),
            _ => text,
        };
        let to = out.join(name);
        fs::write(&to, text).with_context(|| format!("cannot write `{}`", to.display()))?;
    }
    Ok(())
}
