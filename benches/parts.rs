//! A program of several parts, of which arguments name those to run.

use anyhow::bail;

/// One part.
pub(crate) type Part<C> = (&'static str, fn(&C) -> anyhow::Result<()>);

/// Runs the parts that the program's arguments name; all of them by default.
pub(crate) fn run<C>(context: &C, parts: &[Part<C>]) -> anyhow::Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let names: Vec<&str> = parts.iter().map(|(name, _)| *name).collect();
    if let Some(unknown) = wanted.iter().find(|one| !names.contains(&one.as_str())) {
        bail!(
            "no part is named `{unknown}`: there are {}",
            names.join(", ")
        );
    }
    for (name, part) in parts {
        if wanted.is_empty() || wanted.iter().any(|one| one == name) {
            part(context)?;
        }
    }
    Ok(())
}
