//! Builds the filter for WebAssembly and hands it to the crate, which embeds it.
//!
//! The nested cargo has a target directory of its own, so that it never waits for the outer one's lock, and an environment
//! of its own, so that flags and wrappers meant for the host do not reach the module.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};

const TARGET: &str = "wasm32-wasip1";

fn main() {
    if let Err(message) = build() {
        // Not a panic: its backtrace would bury the one line that helps.
        println!("cargo::error={message}");
        exit(1);
    }
}

fn build() -> Result<(), String> {
    let manifest = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let workspace = manifest
        .parent()
        .ok_or("the crate has no parent directory")?
        .to_path_buf();
    let out = PathBuf::from(variable("OUT_DIR")?);
    let target = target_directory(&out)?;
    for path in [
        "plugin/config",
        "plugin/policy",
        "plugin/filter",
        "Cargo.toml",
        "Cargo.lock",
    ] {
        println!("cargo::rerun-if-changed={}", workspace.join(path).display());
    }
    println!(
        "cargo::rustc-env=PORTCULLIS_CACHE={}",
        target.join("portcullis-cache").display()
    );
    install_target(&workspace)?;
    let nested = target.join("module");
    compile(&workspace, &nested)?;
    let built = nested.join(TARGET).join("module").join("portcullis.wasm");
    let embedded = out.join("portcullis.wasm");
    std::fs::copy(&built, &embedded)
        .map_err(|error| format!("cannot copy `{}`: {error}", built.display()))?;
    Ok(())
}

/// Cargo does not tell a build script the target directory; it is where `OUT_DIR` begins:
/// `TARGET[/TRIPLE]/PROFILE/build/CRATE-HASH/out`, and the tag that cargo leaves there says which of the two it is.
fn target_directory(out: &Path) -> Result<PathBuf, String> {
    out.ancestors()
        .skip(4)
        .find(|directory| directory.join("CACHEDIR.TAG").exists())
        .or_else(|| out.ancestors().nth(4))
        .map(Path::to_path_buf)
        .ok_or_else(|| format!("`{}` is not below a target directory", out.display()))
}

/// Adds the standard library for the module's target through rustup where it is missing.
fn install_target(workspace: &Path) -> Result<(), String> {
    let help = format!("the target {TARGET} is missing; run `rustup target add {TARGET}`");
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let printed = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .map_err(|error| format!("cannot run rustc: {error}"))?;
    let directory = String::from_utf8_lossy(&printed.stdout);
    if printed.status.success() && Path::new(directory.trim()).exists() {
        return Ok(());
    }
    let added = Command::new("rustup")
        .args(["target", "add", TARGET])
        .current_dir(workspace)
        .status();
    if added.is_ok_and(|status| status.success()) {
        Ok(())
    } else {
        Err(help)
    }
}

fn compile(workspace: &Path, nested: &Path) -> Result<(), String> {
    let mut cargo = Command::new(variable("CARGO")?);
    cargo.current_dir(workspace).args([
        "build",
        "--profile",
        "module",
        "--package",
        "portcullis-filter",
    ]);
    cargo.args(["--target", TARGET, "--target-dir"]).arg(nested);
    if workspace.join("Cargo.lock").exists() {
        cargo.arg("--locked");
    }
    for (name, _) in env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        if is_for_the_host(text) {
            cargo.env_remove(&name);
        }
    }
    let built = cargo
        .output()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if built.status.success() {
        return Ok(());
    }
    // Each line by itself: cargo shows a build script's error messages one line at a time.
    for line in String::from_utf8_lossy(&built.stderr).lines() {
        println!("cargo::error={line}");
    }
    Err("the filter does not compile; the compiler's words are above".to_owned())
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

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| format!("the variable {name} of cargo is missing: {error}"))
}
