//! The pictures in the README: what the command really prints on a terminal. `PORTCULLIS_BLESS=1` draws them anew.

use std::path::{Path, PathBuf};
use std::process::Command;

use anstyle_svg::Term;

fn check(name: &str, folder: &str, arguments: &[&str]) {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(arguments)
        .env("CLICOLOR_FORCE", "1")
        .env_remove("NO_COLOR")
        .current_dir(home.join(folder))
        .output()
        .unwrap();
    let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    let prompt = format!("$ portcullis {}\n", arguments.join(" "));
    let drawn = Term::new().render_svg(&format!("{prompt}{}", printed.trim_end()));
    let path: PathBuf = home.join("pictures").join(format!("{name}.svg"));
    if std::env::var_os("PORTCULLIS_BLESS").is_some() {
        std::fs::write(&path, &drawn).unwrap();
    }
    let shown = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        shown == drawn,
        "{} is not what the command prints: `PORTCULLIS_BLESS=1 cargo test -p portcullis-host-test --test it pictures` draws it anew",
        path.display()
    );
}

#[test]
fn they_show_what_the_command_prints() {
    check("check", "tests/it/readme", &["check", "policy.yaml"]);
    check(
        "explain",
        "../envoy",
        &[
            "explain",
            "readme.yaml",
            "-X",
            "POST",
            "http://api.example.com/players/7",
        ],
    );
}
