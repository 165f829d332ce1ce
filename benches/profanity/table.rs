//! The tables that are printed, as Markdown has them.

use crate::samples::Sets;
use crate::score::{Flagged, OfKind, Score};

/// A head and rows, of as many cells each.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    fn new(head: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut table = Self { rows: Vec::new() };
        table.row(head);
        table
    }

    fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// With the columns in line.
    pub(crate) fn print(&self) {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                cells.map(String::len).max().unwrap_or(0)
            })
            .collect();
        for (index, row) in self.rows.iter().enumerate() {
            let mut line = String::from("|");
            for (column, width) in widths.iter().enumerate() {
                let cell = row.get(column).map_or("", String::as_str);
                line += &if column == 0 {
                    format!(" {cell:<width$} |")
                } else {
                    format!(" {cell:>width$} |")
                };
            }
            println!("{line}");
            if index == 0 {
                let rule: String = widths
                    .iter()
                    .map(|width| "-".repeat(width + 2) + "|")
                    .collect();
                println!("|{rule}");
            }
        }
        println!();
    }
}

fn percent(rate: f64) -> String {
    format!("{:.1}%", rate * 100.0)
}

fn rate(flagged: Flagged) -> String {
    percent(flagged.rate())
}

/// How many, and the rate with as many places as rates of some thousandths need.
fn few(flagged: Flagged) -> String {
    format!("{} ({:.2}%)", flagged.flagged, flagged.rate() * 100.0)
}

/// Recall, and what it costs.
pub(crate) fn accuracy(scores: &[Score<'_>]) -> Table {
    let mut table = Table::new([
        "engine",
        "plain",
        "evasions",
        "of known words",
        "benign styled FP",
        "names P / R / F1",
        "names FP",
    ]);
    for score in scores {
        let names = score.names();
        table.row([
            score.engine.to_owned(),
            rate(score.plain()),
            rate(score.disguised()),
            rate(score.disguised_known()),
            rate(score.styled()),
            format!(
                "{:.3} / {:.3} / {:.3}",
                names.precision(),
                names.recall(),
                names.f1()
            ),
            few(names.clean),
        ]);
    }
    table
}

/// What is flagged of clean text.
pub(crate) fn false_positives(sets: &Sets, scores: &[Score<'_>]) -> Table {
    let columns = sets
        .clean
        .iter()
        .map(|group| format!("{} {}", group.name, group.samples.len()));
    let disputed = sets.disputed.iter().map(|group| group.name.to_owned());
    let mut table = Table::new(
        std::iter::once("false positives of".to_owned())
            .chain(columns)
            .chain(disputed),
    );
    for score in scores {
        let columns = score.clean.iter().chain(&score.disputed);
        let cells = columns.map(|verdicts| few(verdicts.total(|_| true).clean));
        table.row(std::iter::once(score.engine.to_owned()).chain(cells));
    }
    table
}

/// The rates of each kind: recall of what is profane, and of benign text what is flagged.
pub(crate) fn by_kind(
    title: &str,
    scores: &[Score<'_>],
    of: impl Fn(&Score<'_>) -> Option<Vec<OfKind>>,
) -> Table {
    let names = scores.iter().map(|score| score.engine.to_owned());
    let mut table = Table::new(std::iter::once(title.to_owned()).chain(names));
    let columns: Vec<_> = scores.iter().filter_map(of).collect();
    let Some(first) = columns.first() else {
        return table;
    };
    for (at, (kind, _)) in first.iter().enumerate() {
        let cells = columns.iter().map(|column| {
            let Some((_, mixed)) = column.get(at) else {
                return String::new();
            };
            rate(if mixed.profane.of > 0 {
                mixed.profane
            } else {
                mixed.clean
            })
        });
        table.row(std::iter::once(kind.clone()).chain(cells));
    }
    table
}

/// Texts that came back otherwise than they went in, though nothing in them was flagged.
pub(crate) fn altered(rows: &[(&'static str, Flagged, Flagged)]) -> Table {
    let mut table = Table::new([
        "masking alters",
        "texts in many scripts",
        "clean texts not flagged",
    ]);
    for (engine, scripts, clean) in rows {
        let count = |altered: &Flagged| format!("{} of {}", altered.flagged, altered.of);
        table.row([(*engine).to_owned(), count(scripts), count(clean)]);
    }
    table
}
