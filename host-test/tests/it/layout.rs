//! Which crate may know which: the direction of dependencies, read from cargo itself.

use std::collections::BTreeMap;

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Each crate and the crates of this workspace that it may depend on, outside tests.
const ALLOWED: [(&str, &[&str]); 11] = [
    ("portcullis-config", &[]),
    ("portcullis-profanity", &[]),
    ("portcullis-lexicon", &["portcullis-profanity"]),
    (
        "portcullis-policy",
        &["portcullis-config", "portcullis-profanity"],
    ),
    ("portcullis-filter", &["portcullis-policy"]),
    (
        "portcullis-js",
        &["portcullis-document", "portcullis-policy"],
    ),
    ("portcullis-js-pack", &[]),
    ("portcullis-document", &["portcullis-config"]),
    // It builds the package, and carries it for the playground.
    (
        "portcullis-host-test",
        &[
            "portcullis-config",
            "portcullis-document",
            "portcullis-js-pack",
        ],
    ),
    ("portcullis-guests", &[]),
    (
        "portcullis-benches",
        &[
            "portcullis-policy",
            "portcullis-profanity",
            "portcullis-host-test",
        ],
    ),
];

#[test]
fn crates_depend_in_one_direction() {
    let metadata = MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .no_deps()
        .exec()
        .unwrap();
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.into_iter().collect();
    let members = metadata.workspace_packages();
    assert_eq!(members.len(), allowed.len(), "a crate is not listed here");
    for package in members {
        let own: Vec<&str> = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.path.is_some())
            .filter(|dependency| dependency.kind != DependencyKind::Development)
            .map(|dependency| dependency.name.as_str())
            .collect();
        for name in own {
            let may = allowed[package.name.as_str()].contains(&name);
            assert!(may, "{} must not depend on {name}", package.name);
        }
    }
}

/// The module pays for each of its crates: none comes in unseen.
#[test]
fn the_module_has_few_crates() {
    let metadata = MetadataCommand::new()
        .manifest_path(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../plugin/filter/Cargo.toml"
        ))
        .other_options(vec!["--filter-platform".into(), "wasm32-wasip1".into()])
        .exec()
        .unwrap();
    let resolve = metadata.resolve.unwrap();
    let nodes: BTreeMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let filter = metadata
        .packages
        .iter()
        .find(|package| package.name.as_str() == "portcullis-filter")
        .unwrap();
    let mut found = BTreeMap::new();
    let mut open = vec![&filter.id];
    while let Some(id) = open.pop() {
        let name = metadata.packages.iter().find(|p| p.id == *id).unwrap();
        if found.insert(id, name.name.to_string()).is_some() {
            continue;
        }
        let normal = nodes[id].deps.iter().filter(|dependency| {
            dependency
                .dep_kinds
                .iter()
                .any(|k| k.kind == DependencyKind::Normal)
        });
        open.extend(normal.map(|dependency| &dependency.pkg));
    }
    let mut names: Vec<&str> = found.values().map(String::as_str).collect();
    names.sort_unstable();
    // Derives and their own crates run at build time.
    names.retain(|name| {
        ![
            "serde_derive",
            "proc-macro2",
            "quote",
            "syn",
            "unicode-ident",
        ]
        .contains(name)
    });
    assert_eq!(
        names,
        [
            "adler2",
            "aho-corasick",
            "allocator-api2",
            "cfg-if",
            "equivalent",
            "foldhash",
            "governor",
            "hashbrown",
            "itoa",
            "lock_api",
            "log",
            "memchr",
            "miniz_oxide",
            "nonzero_ext",
            "portable-atomic",
            "portcullis-config",
            "portcullis-filter",
            "portcullis-policy",
            "portcullis-profanity",
            "proxy-wasm",
            "regex",
            "regex-automata",
            "regex-syntax",
            "rustc-std-workspace-alloc",
            "scopeguard",
            "serde",
            "serde_core",
            "serde_json",
            "simd-adler32",
            "siphasher",
            "smallvec",
            "spinning_top",
            "strsim",
            "web-time",
            "zmij",
        ]
    );
}
