//! Rewrites what a scenario expects to what really came: complete header lists and whole bodies, nothing else.
//!
//! Only the bytes of those values change; comments, order and style of the rest of the file stay. Every rewriting is read
//! again and compared with what it should say before anything is written, so that a file is either right or untouched.
//! Matchers that fit are kept as they are written: a pattern is a decision, and no observation can replace it.

use std::ops::Range;

use anyhow::{Context, bail};
use serde_json::Value;

use super::file::{Action, Exchange, Scenario};
use super::judge::compared;
use super::matcher::Matcher;
use super::run::happen;
use super::target::{Observed, Reloaded, Support, Target};
use crate::document::{Document, is_plain_text};

/// A part of the text and what takes its place.
struct Replacement {
    range: Range<usize>,
    text: String,
}

/// Runs a scenario and gives its new text; `None` if everything that can be rewritten is as it came.
///
/// # Errors
/// If the target fails, or a value stands in the file in a way that cannot be rewritten safely.
pub fn bless(
    document: &Document,
    scenario: &Scenario,
    target: &mut dyn Target,
) -> anyhow::Result<Option<String>> {
    let mut replacements = Vec::new();
    for (index, step) in scenario.steps.iter().enumerate() {
        let Some(observed) = perform(&step.action, target)? else {
            continue;
        };
        let Action::Exchange(exchange) = &step.action else {
            continue;
        };
        let pointer = format!("/steps/{index}/expect");
        rewrite(document, &pointer, exchange, &observed, &mut replacements)
            .with_context(|| format!("the step on line {}", step.place.line))?;
    }
    if replacements.is_empty() {
        return Ok(None);
    }
    // From the end, so that the earlier ranges stay where they are.
    replacements.sort_by_key(|replacement| std::cmp::Reverse(replacement.range.start));
    let mut text = document.source.text().to_owned();
    for replacement in &replacements {
        if text.get(replacement.range.clone()).is_none() {
            bail!("the places of the old values are not clear");
        }
        text.replace_range(replacement.range.clone(), &replacement.text);
    }
    verify(document, &text)?;
    Ok(Some(text))
}

/// Does what a step says; an exchange gives what came of its last repetition.
fn perform(action: &Action, target: &mut dyn Target) -> anyhow::Result<Option<Observed>> {
    let done = match action {
        Action::Exchange(exchange) => {
            let mut last = None;
            for _ in 0..exchange.repeat {
                last = Some(target.exchange(&exchange.request, &exchange.respond)?);
            }
            return Ok(last);
        }
        Action::Reload { policy, .. } => match target.reload(policy)? {
            Reloaded::Unsupported(reason) => Support::Unsupported(reason),
            Reloaded::Accepted | Reloaded::Refused => Support::Done,
        },
        Action::Happen(event) => happen(event, target)?,
    };
    match done {
        Support::Done => Ok(None),
        Support::Unsupported(reason) => bail!("a step cannot be done: {reason}"),
    }
}

fn rewrite(
    document: &Document,
    pointer: &str,
    exchange: &Exchange,
    observed: &Observed,
    replacements: &mut Vec<Replacement>,
) -> anyhow::Result<()> {
    if let Some(expected) = &exchange.expect.headers_exactly {
        let pointer = format!("{pointer}/headers_exactly");
        let (lines, changed) = new_lines(document, &pointer, expected, observed);
        if changed {
            replacements.push(list(document, &pointer, &lines)?);
        }
    }
    let exact = exchange.expect.body.as_ref().and_then(Matcher::exact);
    if let Some([body]) = exact
        && *body != observed.body
    {
        let pointer = format!("{pointer}/body");
        if document
            .value
            .pointer(&pointer)
            .is_none_or(|value| !value.is_string())
        {
            bail!("only a `body` that is a text can be rewritten");
        }
        let range = document.spans.at(&pointer).value;
        let old = document
            .source
            .text()
            .get(range.clone())
            .unwrap_or_default();
        if old.starts_with(['|', '>']) || old.contains('\n') {
            bail!("a `body` of several lines cannot be rewritten");
        }
        let text = std::str::from_utf8(&observed.body).context("the body is not UTF-8")?;
        replacements.push(Replacement {
            range,
            text: Value::from(text).to_string(),
        });
    }
    Ok(())
}

/// The list as it should be, each line as it is to be written, and whether that is another than it was.
fn new_lines(
    document: &Document,
    pointer: &str,
    expected: &[(String, Matcher)],
    observed: &Observed,
) -> (Vec<String>, bool) {
    let mut found = compared(&observed.headers);
    let mut lines = Vec::new();
    let mut changed = false;
    for (index, (name, matcher)) in expected.iter().enumerate() {
        let next = found
            .get_mut(name)
            .filter(|lines| !lines.is_empty())
            .map(|lines| lines.remove(0));
        match next {
            Some(value) if matcher.fits(&[value]) => {
                let range = document.spans.at(&format!("{pointer}/{index}")).value;
                let old = document.source.text().get(range).unwrap_or_default();
                lines.push(old.trim().to_owned());
            }
            Some(value) => {
                lines.push(line(name, value));
                changed = true;
            }
            None => changed = true,
        }
    }
    for (name, values) in found {
        for value in values {
            lines.push(line(&name, value));
            changed = true;
        }
    }
    (lines, changed)
}

fn line(name: &str, value: &[u8]) -> String {
    let name = scalar(name);
    match std::str::from_utf8(value) {
        Ok(text) => format!("[{name}, {}]", scalar(text)),
        Err(_) => {
            let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("[{name}, {{equals: {{hex: \"{hex}\"}}}}]")
        }
    }
}

/// Plain where no reader can mistake it; JSON's quotes and escapes are YAML's too.
fn scalar(text: &str) -> String {
    if is_plain_text(text) {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}

/// Puts the lines in place of the old list, in its style: below each other if it stood so or stood empty after a key that
/// begins its line, else in brackets.
fn list(document: &Document, pointer: &str, lines: &[String]) -> anyhow::Result<Replacement> {
    let text = document.source.text();
    let span = document.spans.at(pointer);
    let key = span.key.context("the list has no key")?;
    let indent = text
        .get(..key.start)
        .and_then(|before| before.rsplit('\n').next())
        .unwrap_or_default();
    let begins_line = indent.bytes().all(|b| b == b' ');
    let in_brackets = text
        .get(span.value.clone())
        .is_some_and(|old| old.starts_with('['));
    let old_lines = document
        .value
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    // The end of a list of lines is only known by its last item, and that only if the item ends with a bracket.
    let last = document
        .spans
        .at(&format!("{pointer}/{}", old_lines.saturating_sub(1)))
        .value;
    let range = if in_brackets {
        span.value.clone()
    } else {
        span.value.start..last.end
    };
    let old = text.get(range.clone()).unwrap_or_default();
    if old.contains('#') {
        bail!("a list with comments in it cannot be rewritten");
    }
    if !old.ends_with(']') {
        bail!("a list whose lines are not each `[name, value]` cannot be rewritten");
    }
    if begins_line && (!in_brackets || old_lines == 0) && !lines.is_empty() {
        let item = format!("\n{indent}  - ");
        let below = format!("{item}{}", lines.join(&item));
        // From the end of the key: between it and the list is white space that the new list brings along.
        let colon = text
            .get(key.end..range.start)
            .and_then(|between| between.find(':'));
        let start = key.end + colon.context("the key has no colon")? + 1;
        return Ok(Replacement {
            range: start..range.end,
            text: below,
        });
    }
    if !in_brackets {
        bail!("a list of lines that would become empty cannot be rewritten");
    }
    Ok(Replacement {
        range,
        text: format!("[{}]", lines.join(", ")),
    })
}

/// The new text says the same as the old but for the values that were to change.
fn verify(old: &Document, text: &str) -> anyhow::Result<()> {
    let new = Document::read(old.source.name(), text.as_bytes())
        .context("the rewritten file would not be readable")?;
    let blank = |value: &Value| {
        let mut value = value.clone();
        let steps = value.get_mut("steps").and_then(Value::as_array_mut);
        for step in steps.into_iter().flatten() {
            if let Some(expect) = step.get_mut("expect").and_then(Value::as_object_mut) {
                for key in ["headers_exactly", "body"] {
                    expect.entry(key).and_modify(|value| *value = Value::Null);
                }
            }
        }
        value
    };
    if blank(&old.value) != blank(&new.value) {
        bail!("the rewritten file would say something else in another place");
    }
    Ok(())
}
