//! A cargo inside of cargo: builds packages of this workspace for WebAssembly, for the build script and for tests.
//!
//! It has a target directory of its own, so that it never waits for the outer one's lock, and an environment of its own, so that
//! flags and wrappers meant for the host do not reach the modules.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs `cargo build ARGUMENTS` for that platform, whose standard library is installed where it is missing, into that target
/// directory, and gives the directory in it that has one for each profile.
///
/// # Errors
/// With what cargo has to say, if it cannot be run or something does not compile, or with what there is to do where the standard
/// library cannot be installed.
pub(crate) fn build(
    cargo: &OsStr,
    workspace: &Path,
    target: &Path,
    platform: &str,
    arguments: &[&str],
) -> Result<PathBuf, String> {
    install_target(workspace, platform)?;
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

/// Adds the standard library for a platform through rustup where it is missing.
fn install_target(workspace: &Path, platform: &str) -> Result<(), String> {
    let help = format!("the target {platform} is missing; run `rustup target add {platform}`");
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let printed = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", platform])
        .output()
        .map_err(|error| format!("cannot run rustc: {error}"))?;
    let directory = String::from_utf8_lossy(&printed.stdout);
    if printed.status.success() && Path::new(directory.trim()).exists() {
        return Ok(());
    }
    let added = Command::new("rustup")
        .args(["target", "add", platform])
        .current_dir(workspace)
        .status();
    if added.is_ok_and(|status| status.success()) {
        Ok(())
    } else {
        Err(help)
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
