//! Finds the benign words, names and places that hold an entry.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use portcullis_profanity::packing::pattern;

use crate::lists::{lines, opinions, plain};

const NOTE: &str = "# Made by `portcullis-lexicon gather`; see SOURCE.\n";

/// The spellings of all candidates of all languages, of three letters and more.
struct Candidates {
    words: BTreeSet<String>,
    by_pattern: BTreeMap<Vec<u8>, Vec<String>>,
}

impl Candidates {
    fn of(lists: &Path) -> anyhow::Result<Self> {
        let mut words = BTreeSet::new();
        for language in portcullis_profanity::PACKS {
            words.extend(
                opinions(lists, language)?
                    .into_keys()
                    .filter(|word| word.len() > 2),
            );
        }
        let mut by_pattern: BTreeMap<Vec<u8>, Vec<String>> = BTreeMap::new();
        for word in &words {
            by_pattern
                .entry(pattern(word))
                .or_default()
                .push(word.clone());
        }
        Ok(Self { words, by_pattern })
    }

    /// Whether `word` holds a candidate, of three letters at its beginning or end only unless `deep`.
    fn within(&self, word: &str, deep: bool) -> bool {
        let pattern = pattern(word);
        (0..pattern.len()).any(|from| {
            (from + 2..=pattern.len().min(from + 30)).any(|to| {
                let held = pattern
                    .get(from..to)
                    .and_then(|held| self.by_pattern.get(held));
                held.is_some_and(|words| {
                    deep || to - from > 3
                        || from == 0
                        || to == pattern.len()
                        || words.iter().any(|word| word.len() > 4)
                })
            })
        })
    }
}

/// The words of a file in a to z, one a line; possessives left out.
fn read(path: &Path) -> anyhow::Result<BTreeSet<String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
    Ok(text
        .lines()
        .filter(|line| !line.ends_with("'s") && !line.is_empty())
        .filter_map(plain)
        .collect())
}

fn write(path: &Path, words: impl IntoIterator<Item = String>) -> anyhow::Result<()> {
    let mut out = String::from(NOTE);
    for word in words {
        out.push_str(&word);
        out.push('\n');
    }
    Ok(std::fs::write(path, out)?)
}

/// From dictionaries: the words that hold a candidate (`standard.txt`, `large.txt`), the words that candidates fall into (`halves.txt`)
/// and a dictionary of common words (`common.txt`).
pub(crate) fn gather_words(
    common: &Path,
    standard_path: &Path,
    large: &[PathBuf],
    lists: &Path,
) -> anyhow::Result<()> {
    let candidates = Candidates::of(lists)?;
    let (common, standard) = (read(common)?, read(standard_path)?);
    let mut all = BTreeSet::new();
    for path in large {
        all.extend(read(path)?);
    }
    let into = lists.join("scowl");
    write(
        &into.join("standard.txt"),
        standard
            .iter()
            .filter(|word| candidates.within(word, true))
            .cloned(),
    )?;
    write(
        &into.join("large.txt"),
        all.iter()
            .filter(|word| {
                word.len() > 2 && !standard.contains(*word) && candidates.within(word, false)
            })
            .cloned(),
    )?;
    // Names and symbols ("Cu", "NT") are no halves.
    let text = std::fs::read_to_string(standard_path)?;
    let lower: BTreeSet<&str> = text
        .lines()
        .filter(|line| line.bytes().all(|byte| byte.is_ascii_lowercase()))
        .collect();
    let mut halves = BTreeSet::new();
    for word in &candidates.words {
        for (left, right) in (1..word.len()).filter_map(|at| word.split_at_checked(at)) {
            halves.extend(
                [left, right]
                    .into_iter()
                    .filter(|half| lower.contains(*half) && is_half(half))
                    .map(str::to_owned),
            );
        }
    }
    write(&into.join("halves.txt"), halves)?;
    let inflected = |word: &str| {
        ["s", "es", "ed", "d", "ing", "ly"].iter().any(|end| {
            word.strip_suffix(end)
                .is_some_and(|stem| common.contains(stem) || common.contains(&format!("{stem}e")))
        })
    };
    write(
        &into.join("common.txt"),
        common
            .iter()
            .filter(|word| word.len() > 2 && word.len() < 15 && !inflected(word))
            .cloned(),
    )
}

/// From dictionaries that hold next to everything: the words that hold a candidate and are in no smaller dictionary (`rare.txt`).
pub(crate) fn gather_rare(files: &[PathBuf], lists: &Path) -> anyhow::Result<()> {
    let candidates = Candidates::of(lists)?;
    let into = lists.join("scowl");
    let mut rare = BTreeSet::new();
    for path in files {
        rare.extend(read(path)?);
    }
    for smaller in ["standard.txt", "large.txt"] {
        for word in lines(&into.join(smaller))? {
            rare.remove(&word);
        }
    }
    rare.retain(|word| word.len() > 3 && candidates.within(word, false));
    write(&into.join("rare.txt"), rare)
}

/// Of single letters only these are words, whatever a dictionary has.
fn is_half(half: &str) -> bool {
    half.len() > 1 || half == "a" || half == "i"
}

/// From files of names, one a line: those of which a word holds a candidate.
pub(crate) fn gather_names(files: &[PathBuf], lists: &Path, kind: &str) -> anyhow::Result<()> {
    let candidates = Candidates::of(lists)?;
    let mut names = BTreeSet::new();
    for path in files {
        let text = std::fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
        let words = text
            .split(|c: char| c.is_whitespace() || matches!(c, '-' | ',' | '/' | '(' | ')'))
            .filter_map(plain);
        names.extend(words.filter(|name| name.len() > 3 && candidates.within(name, false)));
    }
    write(&lists.join(kind).join("names.txt"), names)
}
