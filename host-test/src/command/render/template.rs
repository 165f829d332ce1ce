//! A configuration file of which some places are written anew.
//!
//! Places are found by what stands in the file, and each must be there exactly as often as it is looked for: a template
//! that was changed under this code is an error, not a configuration that says something else.

use std::fmt::Write as _;

use anyhow::{Context as _, ensure};

/// The text so far.
pub(super) struct Template(String);

impl Template {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }

    /// Puts these lines, as comments, in place of the file's first comment, which speaks of the file itself.
    pub(super) fn head(mut self, lines: &[&str]) -> anyhow::Result<Self> {
        let (_, rest) = self.0.split_once("\n\n").context("no first comment")?;
        let mut text = String::new();
        for line in lines {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}", format!("# {line}").trim_end());
        }
        self.0 = format!("{text}\n{rest}");
        Ok(self)
    }

    /// Puts `new` in place of `old`, which stands there `times` times.
    pub(super) fn put(mut self, old: &str, times: usize, new: &str) -> anyhow::Result<Self> {
        let found = self.0.matches(old).count();
        ensure!(found == times, "`{old}` stands there {found} times");
        self.0 = self.0.replace(old, new);
        Ok(self)
    }

    /// Takes out what begins with the one line that is `first` and ends before the next blank line, and puts `new` there.
    pub(super) fn paragraph(mut self, first: &str, new: &str) -> anyhow::Result<(Self, String)> {
        let found = self.0.matches(first).count();
        ensure!(found == 1, "`{first}` stands there {found} times");
        let (before, rest) = self.0.split_once(first).context("no such line")?;
        let (paragraph, after) = rest.split_once("\n\n").context("no end of it")?;
        let paragraph = format!("{first}{paragraph}\n");
        self.0 = format!("{before}{new}\n{after}");
        Ok((self, paragraph))
    }

    /// Puts these lines in place of the block below the one line that is `key`, indented as it is.
    pub(super) fn block(mut self, key: &str, lines: &str) -> anyhow::Result<Self> {
        let indent = |line: &str| line.len() - line.trim_start().len();
        let mut text = String::new();
        let mut inside = None;
        let mut found = 0;
        for line in self.0.lines() {
            if inside.is_some_and(|outer| line.trim().is_empty() || indent(line) > outer) {
                continue;
            }
            inside = None;
            text.push_str(line);
            text.push('\n');
            if line.trim() == key {
                let outer = indent(line);
                for line in lines.lines() {
                    let _ = writeln!(text, "{:1$}{line}", "", outer + 2);
                }
                inside = Some(outer);
                found += 1;
            }
        }
        ensure!(found == 1, "`{key}` stands there {found} times");
        self.0 = text;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "# a file\n# of its own\n\na:\n  b: |\n    {\n      1\n    }\n  c: 2\nd: 2\n";

    #[test]
    fn places_are_written_anew() {
        let template = Template::new(TEXT);
        let template = template.head(&["one", "", "two"]).unwrap();
        let template = template.block("b: |", "{\n  3\n}").unwrap();
        let template = template.put(": 2", 2, ": 4").unwrap();
        let expected = "# one\n#\n# two\n\na:\n  b: |\n    {\n      3\n    }\n  c: 4\nd: 4\n";
        assert_eq!(template.into_text(), expected);
    }

    #[test]
    fn a_paragraph_is_taken_out() {
        let text = "a:\n  - b\n    c\n\n  - d\n";
        let (template, taken) = Template::new(text).paragraph("  - b\n", "  - e\n").unwrap();
        assert_eq!(template.into_text(), "a:\n  - e\n\n  - d\n");
        assert_eq!(taken, "  - b\n    c\n");
        assert!(Template::new(text).paragraph("  - d\n", "").is_err());
    }

    #[test]
    fn a_place_that_is_not_there_is_an_error() {
        assert!(Template::new(TEXT).put(": 2", 1, "").is_err());
        assert!(Template::new(TEXT).put("e: 2", 1, "").is_err());
        assert!(Template::new(TEXT).block("e:", "").is_err());
        assert!(Template::new("a: 1").head(&[]).is_err());
    }
}
