//! The module as it is shipped, freshly built: what a real Envoy loads in the tests and the benches.
//!
//! The module embedded in this crate keeps its function names, so that a trap can say where it was. The file that people deploy
//! does not, and it is that file which has to work and whose size counts.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

/// Builds it, which takes no time if it is up to date, and returns its path: `target/wasm32-wasip1/shipped/portcullis.wasm`.
///
/// # Errors
/// With what cargo has to say, if it does not build.
pub fn build() -> anyhow::Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--profile", "shipped", "--target", "wasm32-wasip1"])
        .args(["--package", "portcullis-filter"])
        .current_dir(&root)
        .stdin(Stdio::null())
        .output()
        .context("cannot run cargo")?;
    ensure!(
        output.status.success(),
        "the module does not build:\n{}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let file = target.join("wasm32-wasip1/shipped/portcullis.wasm");
    file.canonicalize()
        .with_context(|| format!("cargo has not built `{}`", file.display()))
}
