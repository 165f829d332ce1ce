//! How much profanity the filter catches and how much else, beside the filters of other people.
//!
//! Two origins of sets, which are told apart since the matcher was tuned on the first: `data` (copied) and `fresh`, which this program
//! makes of other words. See the README beside each for what they are. `cargo run --release -p portcullis-benches --bin profanity`.

mod copied;
mod dice;
mod engines;
mod fresh;
mod identifiers;
mod identity;
mod player_names;
mod samples;
mod score;
mod table;
#[cfg(test)]
mod tests;
mod tricks;

use clap::Parser;
use engines::Engine;
use samples::{Sample, Sets};
use score::Score;

/// Scores the profanity filter and its peers
#[derive(Parser)]
struct Arguments {
    /// Show the rates by trick and by kind of text as well
    #[arg(long)]
    kinds: bool,
    /// List so many texts of each group that the filter gets wrong; of the copied sets alone
    #[arg(long, value_name = "N", default_value_t = 0)]
    misses: usize,
    /// List those of the fresh sets too: what is tuned after reading them is tuned on them
    #[arg(long)]
    fresh: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let copied = copied::sets()?;
    let fresh = fresh::sets();
    let mut engines = engines::all();
    report("tuned on", &copied, &mut engines, &arguments, true);
    report("fresh", &fresh, &mut engines, &arguments, arguments.fresh);
    let altered: Vec<_> = engines
        .iter_mut()
        .map(|engine| {
            let (scripts, clean) = identity::check(engine.as_mut(), &[&copied, &fresh]);
            (engine.name(), scripts, clean)
        })
        .collect();
    table::altered(&altered).print();
    Ok(())
}

/// The tables of one origin. Texts are listed only where `listed`.
fn report(
    origin: &str,
    sets: &Sets,
    engines: &mut [Box<dyn Engine>],
    arguments: &Arguments,
    listed: bool,
) {
    println!("## {origin}\n");
    let scores: Vec<Score<'_>> = engines
        .iter_mut()
        .map(|engine| Score::new(engine.as_mut(), sets))
        .collect();
    table::accuracy(&scores).print();
    table::false_positives(sets, &scores).print();
    let hidden = sets
        .evasions
        .samples
        .iter()
        .chain(&sets.names.samples)
        .filter(|sample| sample.profane && portcullis_profanity::is_opaque(&sample.text));
    println!(
        "profane texts taken for identifiers, and so not looked at where every string is: {}\n",
        hidden.count()
    );
    if arguments.kinds {
        kinds(sets, &scores);
    }
    if listed && let Some(ours) = scores.first() {
        list(ours, arguments.misses);
    }
}

/// The rates by trick, and by kind of text.
fn kinds(sets: &Sets, scores: &[Score<'_>]) {
    let any = |_: &Sample| true;
    table::by_kind("evasions", scores, |score| {
        Some(score.evasions.by_kind(any))
    })
    .print();
    table::by_kind("evasions of known words", scores, |score| {
        Some(score.evasions.by_kind(|sample| score.knows(sample)))
    })
    .print();
    table::by_kind("benign styled", scores, |score| {
        Some(score.styled.by_kind(any))
    })
    .print();
    table::by_kind("names", scores, |score| Some(score.names.by_kind(any))).print();
    for (at, group) in sets.clean.iter().enumerate() {
        // Most have one kind.
        if group.kinds().len() > 1 {
            table::by_kind(group.name, scores, |score| {
                Some(score.clean.get(at)?.by_kind(any))
            })
            .print();
        }
    }
}

/// So many of each group, spread over it.
fn list(score: &Score<'_>, most: usize) {
    for verdicts in score.groups() {
        let wrong: Vec<_> = verdicts.wrong().collect();
        let step = wrong.len().div_ceil(most.max(1)).max(1);
        for sample in wrong.iter().step_by(step).take(most) {
            let verdict = if sample.profane { "missed" } else { "flagged" };
            let group = verdicts.group.name;
            println!("{group}, {}, {verdict}: {}", sample.kind, sample.text);
        }
    }
}
