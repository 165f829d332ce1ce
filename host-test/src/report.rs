//! Findings and outcomes as text: the place in the user's file underlined, what is wrong, what to do about it.
//!
//! Everything shown may come from a file that somebody else wrote, so control characters never reach the terminal.

use std::fmt::Write;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use portcullis_config::{Diagnostic, Severity, code};
use similar::{ChangeTag, TextDiff};

use crate::document::{Document, ReadError, Source, Unreadable};
use crate::scenario::file::{Scenario, ScenarioError};
use crate::scenario::judge::Mismatch;
use crate::scenario::matcher::show;
use crate::scenario::run::Outcome;

/// The findings about a document, each with the lines that it is about.
pub fn diagnostics(document: &Document, list: &[Diagnostic], color: bool) -> String {
    let mut text = String::new();
    for diagnostic in list {
        let finding = Finding {
            severity: diagnostic.severity,
            code: &diagnostic.code,
            message: &diagnostic.message,
            help: diagnostic.help.as_deref(),
            range: document.range_of(diagnostic),
        };
        text.push_str(&finding.render(&document.source, color));
        text.push_str("\n\n");
    }
    text
}

/// What keeps a file from being read, each with its line.
pub fn unreadable(unreadable: &Unreadable, color: bool) -> String {
    let mut text = String::new();
    for flaw in &unreadable.flaws {
        let finding = Finding {
            severity: Severity::Error,
            code: code::SYNTAX,
            message: &flaw.message,
            help: flaw.help.as_deref(),
            range: flaw.range.clone(),
        };
        text.push_str(&finding.render(&unreadable.source, color));
        text.push_str("\n\n");
    }
    text
}

/// Why a file is no scenario.
pub fn scenario_error(error: &ScenarioError, color: bool) -> String {
    match error {
        ScenarioError::Read(ReadError::Unreadable(broken)) => unreadable(broken, color),
        ScenarioError::Read(error) => format!("error: {error}\n"),
        ScenarioError::Refused {
            document,
            diagnostics: list,
        } => diagnostics(document, list, color),
    }
}

struct Finding<'a> {
    severity: Severity,
    code: &'a str,
    message: &'a str,
    help: Option<&'a str>,
    range: Range<usize>,
}

impl Finding<'_> {
    fn render(&self, source: &Source, color: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let range = first_line(source.text(), &self.range);
        let snippet = Snippet::source(visible(source.text()))
            .path(show(source.name().as_bytes()))
            .annotation(AnnotationKind::Primary.span(range));
        let mut group: Group<'_> = level
            .primary_title(one_line(self.message))
            .id(show(self.code.as_bytes()))
            .element(snippet);
        if let Some(help) = self.help {
            group = group.element(Level::HELP.message(one_line(help)));
        }
        let renderer = if color {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        renderer.render(&[group])
    }
}

/// The text with another character of the same length for each that a terminal might obey.
fn visible(text: &str) -> String {
    let replace = |c: char| match (c, c.len_utf8()) {
        ('\n' | '\t' | '\r', _) => c,
        (c, 1) if c.is_control() => '?',
        // The only control characters beyond ASCII are of two bytes.
        (c, _) if c.is_control() => '\u{bf}',
        (c, _) => c,
    };
    text.chars().map(replace).collect()
}

fn one_line(text: &str) -> String {
    show(text.as_bytes()).replace('\n', " ")
}

/// The part of a range that stands on its first line: a list of forty lines need not be shown to say that it is one.
fn first_line(text: &str, range: &Range<usize>) -> Range<usize> {
    let start = range.start.min(text.len());
    let end = range.end.clamp(start, text.len());
    let line = text
        .get(start..end)
        .and_then(|part| part.find('\n'))
        .map_or(end, |at| start + at);
    start..line
}

/// The failed steps of a scenario, with what was expected and what came, and the command that runs it alone.
pub fn failures(scenario: &Scenario, outcome: &Outcome, color: bool) -> String {
    let (red, green, dim, bold, end) = if color {
        ("\x1b[31m", "\x1b[32m", "\x1b[2m", "\x1b[1m", "\x1b[0m")
    } else {
        ("", "", "", "", "")
    };
    let file = show(scenario.path.display().to_string().as_bytes());
    let mut text = String::new();
    for failure in &outcome.failures {
        let (count, of) = failure.repetition;
        let repetition = if of > 1 {
            format!(" (repetition {count} of {of})")
        } else {
            String::new()
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{bold}{file}:{}{end} {}{repetition} {dim}[{}]{end}",
            failure.place.line,
            one_line(&scenario.title),
            outcome.runner.name(),
        );
        for mismatch in &failure.mismatches {
            let _ = writeln!(text, "  {}", one_line(&mismatch.what));
            for (tag, line) in difference(mismatch) {
                let _ = match tag {
                    ChangeTag::Delete => writeln!(text, "    {red}- {line}{end}"),
                    ChangeTag::Insert => writeln!(text, "    {green}+ {line}{end}"),
                    ChangeTag::Equal => writeln!(text, "      {line}"),
                };
            }
        }
        let _ = writeln!(
            text,
            "  {dim}- expected, + observed; alone: portcullis test {file}{end}"
        );
    }
    text
}

fn difference(mismatch: &Mismatch) -> Vec<(ChangeTag, String)> {
    let (expected, observed) = (
        show(mismatch.expected.as_bytes()),
        show(mismatch.observed.as_bytes()),
    );
    TextDiff::from_lines(expected.as_str(), observed.as_str())
        .iter_all_changes()
        .map(|change| {
            (
                change.tag(),
                change.value().trim_end_matches('\n').to_owned(),
            )
        })
        .collect()
}
