//! The package for JavaScript, as it was built with this crate: the engine for browsers and JavaScript runtimes.

/// One file of the package.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// Its name; the package has no folders.
    pub name: &'static str,
    /// What is in it; nothing, if the package could not be built.
    pub bytes: &'static [u8],
}

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(File { name: $name, bytes: include_bytes!(concat!(env!("OUT_DIR"), "/js/", $name)) }),*]
    };
}

/// Everything that runs; the types are for editors.
pub const FILES: &[File] = files![
    "engine_bg.wasm",
    "engine.js",
    "index.js",
    "node.js",
    "package.json"
];
