//! A cargo inside of cargo: builds packages of this workspace for WebAssembly, for the build script and for tests.
//!
//! It has a target directory of its own, so that it never waits for the outer one's lock, and an environment of its own, so that
//! flags and wrappers meant for the host do not reach the modules.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs `cargo build ARGUMENTS` for that platform into that target directory, and gives the directory in it that has one for
/// each profile.
///
/// # Errors
/// With what cargo has to say, if it cannot be run or something does not compile.
pub(crate) fn build(
    cargo: &OsStr,
    workspace: &Path,
    target: &Path,
    platform: &str,
    arguments: &[&str],
) -> Result<PathBuf, String> {
    let mut command = Command::new(cargo);
    command
        .current_dir(workspace)
        .stdin(Stdio::null())
        .arg("build")
        .args(arguments);
    command
        .args(["--target", platform, "--target-dir"])
        .arg(target);
    if workspace.join("Cargo.lock").exists() {
        command.arg("--locked");
    }
    for (name, _) in env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        if is_for_the_host(text) {
            command.env_remove(&name);
        }
    }
    let built = command
        .output()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if built.status.success() {
        Ok(target.join(platform))
    } else {
        Err(String::from_utf8_lossy(&built.stderr).into_owned())
    }
}

/// What the outer cargo and clippy set, and what would change how the module is compiled. Where cargo gets crates from stays.
fn is_for_the_host(name: &str) -> bool {
    const KEPT: [&str; 6] = [
        "CARGO_HOME",
        "CARGO_HTTP_",
        "CARGO_NET_",
        "CARGO_REGISTR",
        "CARGO_SOURCE_",
        "CARGO_TERM_",
    ];
    match name {
        "RUSTC_WRAPPER" => env::var(name).is_ok_and(|wrapper| wrapper.contains("clippy")),
        "RUSTFLAGS" | "RUSTC" | "RUSTC_WORKSPACE_WRAPPER" | "CLIPPY_ARGS" | "TARGET" | "HOST" => {
            true
        }
        _ => name.starts_with("CARGO") && !KEPT.iter().any(|kept| name.starts_with(kept)),
    }
}
