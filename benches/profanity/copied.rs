//! The sets in `data`: the matcher was tuned on them, so what they show is how well it remembers.

use anyhow::Context;
use serde_json::Value;

use crate::samples::{Group, Sample, Sets, lines};

macro_rules! data {
    ($file:literal) => {
        include_str!(concat!("data/", $file))
    };
}

/// Reads them.
pub(crate) fn sets() -> anyhow::Result<Sets> {
    Ok(Sets {
        evasions: rows("evasion", data!("evasion.jsonl"))?,
        styled: rows("styled", data!("benign_styled.jsonl"))?,
        names: rows("names", data!("usernames.jsonl"))?,
        clean: vec![
            plain("dictionary", data!("dict_clean.txt")),
            plain("world names", data!("names_world.txt")),
            Group {
                values: true,
                ..plain("identifiers", data!("identifiers.txt"))
            },
            rows("hard negatives", data!("hard_negatives.jsonl"))?,
            rows("joins", data!("two_word_boundary.jsonl"))?,
        ],
        disputed: Some(rows("disputed", data!("ambiguous_context.jsonl"))?),
    })
}

/// A file of a text a line, all clean.
fn plain(name: &'static str, text: &'static str) -> Group {
    let samples = lines(text)
        .into_iter()
        .map(|line| Sample::clean(line, name))
        .collect();
    Group::new(name, samples)
}

/// A file of `{"text", "profane", "kind"}`, one a line. Rows that nobody could decide on (`"profane": null`) are left out.
fn rows(name: &'static str, text: &'static str) -> anyhow::Result<Group> {
    let mut samples = Vec::new();
    for line in lines(text) {
        let row: Value = serde_json::from_str(line).with_context(|| format!("in {name}"))?;
        let member = |name: &str| row.get(name).and_then(Value::as_str);
        let text = member("text").with_context(|| format!("no text: {line}"))?;
        // The names have tiers in the place of kinds, and the benign ones neither.
        let kind = member("kind").or_else(|| member("tier")).unwrap_or("clean");
        let sample = match row.get("profane").and_then(Value::as_u64) {
            Some(0) => Sample::clean(text, kind),
            Some(_) => Sample::profane(text, kind),
            None => continue,
        };
        samples.push(match member("word") {
            Some(word) => sample.of(word),
            None => sample,
        });
    }
    Ok(Group::new(name, samples))
}
