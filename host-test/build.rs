//! Builds the filter for WebAssembly, and the engine for JavaScript, and hands them to the crate, which embeds them.

mod nested;

use std::env;
use std::path::{Path, PathBuf};
use std::process::exit;

/// What the filter is built for.
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
        "plugin/profanity",
        "plugin/filter",
        "plugin/js",
        "host-test/document",
        "Cargo.toml",
        "Cargo.lock",
    ] {
        println!("cargo::rerun-if-changed={}", workspace.join(path).display());
    }
    println!(
        "cargo::rustc-env=PORTCULLIS_CACHE={}",
        target.join("portcullis-cache").display()
    );
    let built = nested::build(
        variable("CARGO")?.as_ref(),
        &workspace,
        &target.join("module"),
        TARGET,
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
    let js = out.join("js");
    if let Err(why) = package(&workspace, &target, &js) {
        // All else works without, and the command that needs it says so.
        let help = "`portcullis playground` and the tests of the package need it";
        println!("cargo::warning=there is no package for JavaScript: {why}; {help}");
        for name in [
            "engine_bg.wasm",
            "engine.js",
            "index.js",
            "node.js",
            "package.json",
        ] {
            std::fs::create_dir_all(&js)
                .and_then(|()| std::fs::write(js.join(name), ""))
                .map_err(|error| format!("cannot write to `{}`: {error}", js.display()))?;
        }
    }
    Ok(())
}

/// The package for JavaScript.
fn package(workspace: &Path, target: &Path, out: &Path) -> Result<(), String> {
    use portcullis_js_pack::{BUILD, ENGINE, TARGET, package};

    let cargo = variable("CARGO")?;
    let built = nested::build(
        cargo.as_ref(),
        workspace,
        &target.join("module"),
        TARGET,
        &BUILD,
    )?;
    package(workspace, &built.join(ENGINE), out).map_err(|error| format!("{error:#}"))
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

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| format!("the variable {name} of cargo is missing: {error}"))
}
