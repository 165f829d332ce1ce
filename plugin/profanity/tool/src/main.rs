//! Packs what `portcullis-profanity` carries: lexicons with their allow words, the dictionary, and the fold table.
//!
//! `gather` reads what is too large to check in (dictionaries, names, places, Unicode) and leaves the part that matters in `lists/`;
//! `pack` makes `data/*.bin` of `lists/` alone, so what is shipped can be made again from what is checked in.

mod collide;
mod fold;
mod grade;
mod likeness;
mod lists;
mod place;
mod write;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

fn main() -> anyhow::Result<()> {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("the tool lies in the crate's directory")?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["pack"] => {
            for (name, bytes) in packed(&crate_dir.join("lists"))? {
                println!("{name} {}", bytes.len());
                std::fs::write(crate_dir.join("data").join(name), bytes)?;
            }
        }
        ["gather", "unicode", data, confusables] => fold::gather(
            data.as_ref(),
            confusables.as_ref(),
            &crate_dir.join("lists/unicode"),
        )?,
        ["gather", "words", common, standard, rest @ ..] if !rest.is_empty() => {
            collide::gather_words(
                common.as_ref(),
                standard.as_ref(),
                &paths(rest),
                &crate_dir.join("lists"),
            )?;
        }
        ["gather", "rare", files @ ..] if !files.is_empty() => {
            collide::gather_rare(&paths(files), &crate_dir.join("lists"))?;
        }
        ["gather", kind @ ("names" | "geonames"), files @ ..] if !files.is_empty() => {
            collide::gather_names(&paths(files), &crate_dir.join("lists"), kind)?;
        }
        _ => bail!(
            "usage: portcullis-lexicon pack | gather unicode UNICODE_DATA CONFUSABLES | gather words COMMON STANDARD LARGE... | gather rare FILE... | gather names|geonames FILE..."
        ),
    }
    Ok(())
}

fn paths(names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(PathBuf::from).collect()
}

/// The packed files, by name, that the lists under `lists` come to.
fn packed(lists: &Path) -> anyhow::Result<Vec<(&'static str, Vec<u8>)>> {
    let mut common = lists::lines(&lists.join("scowl/common.txt"))?;
    common.extend(lists::lines(&lists.join("portcullis/affixes.txt"))?);
    common.sort_unstable();
    common.dedup();
    let mut files = vec![
        ("fold.bin", fold::pack(lists)?),
        ("words.bin", write::words(&common)),
    ];
    for (name, file) in [("en", "en.bin"), ("es", "es.bin"), ("de", "de.bin")] {
        files.push((file, write::pack(&grade::lexicon(lists, name)?)?));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_files_are_what_the_lists_come_to() {
        let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for (name, bytes) in packed(&crate_dir.join("lists")).unwrap() {
            let shipped = std::fs::read(crate_dir.join("data").join(name)).unwrap();
            assert!(
                shipped == bytes,
                "{name} is not what the lists come to: run `cargo run -p portcullis-lexicon pack`"
            );
        }
    }
}
