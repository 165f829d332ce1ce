//! `cargo run -p portcullis-js-pack`: the package for JavaScript in `target/js`, and the playground as a static site in
//! `target/playground`, with their sizes.

#[path = "../../../../host-test/nested.rs"]
mod nested;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context as _, Result, anyhow};
use flate2::Compression;
use flate2::write::GzEncoder;
use portcullis_js_pack::{BUILD, ENGINE, TARGET, package};

fn main() -> Result<()> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let workspace = workspace.canonicalize()?;
    let target = env::var_os("CARGO_TARGET_DIR");
    let target = target.map_or_else(|| workspace.join("target"), PathBuf::from);
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // Where the build script of `host-test` builds it too.
    let built = nested::build(&cargo, &workspace, &target.join("module"), TARGET, &BUILD);
    let built = built.map_err(|said| anyhow!("the engine does not compile:\n{said}"))?;
    let out = target.join("js");
    package(&workspace, &built.join(ENGINE), &out)?;
    let site = target.join("playground");
    let _ = fs::remove_dir_all(&site);
    copy(&workspace.join("plugin/js/playground"), &site)?;
    copy(&out, &site.join("package"))?;
    println!("{}\n{}", out.display(), site.display());
    for name in ["engine_bg.wasm", "engine.js", "index.js"] {
        let bytes = fs::read(out.join(name))?;
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&bytes)?;
        let zipped = gzip.finish()?.len();
        println!("{name}: {} bytes, {zipped} with gzip", bytes.len());
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read `{}`", from.display()))? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}
