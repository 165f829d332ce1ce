//! Builds the filter for WebAssembly and hands it to the crate, which embeds it.

mod nested;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};

use nested::TARGET;

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
        "plugin/profanity",
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
    let built = nested::build(
        variable("CARGO")?.as_ref(),
        &workspace,
        &target.join("module"),
        &["--package", "portcullis-filter", "--profile", "module"],
    )
    .map_err(|said| {
        // Each line by itself: cargo shows a build script's error messages one line at a time.
        for line in said.lines() {
            println!("cargo::error={line}");
        }
        "the filter does not compile; the compiler's words are above"
    })?
    .join("module/portcullis.wasm");
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

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| format!("the variable {name} of cargo is missing: {error}"))
}
