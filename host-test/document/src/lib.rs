//! YAML and JSON files as one JSON value that remembers where in the file each key and value stood.
//!
//! What checks a policy or reads a scenario speaks of JSON Pointers (RFC 6901); people look at lines and columns. The
//! map between the two is made while reading, by one walk over the parser's events, because no deserializer keeps it.
//! Scalars that YAML readers disagree about (`no`, `0755`, `12:30`) are refused here, at the place where they stand:
//! the same file may be pasted into a gateway's configuration, where another reader would give it another meaning.

mod findings;
mod json;
mod scalar;
mod source;
mod spans;
mod yaml;

use std::fmt;
use std::ops::Range;
use std::path::Path;

use serde_json::Value;

pub use source::{Place, Source};
pub use spans::{Span, Spans};

/// A file larger than this is not read.
pub const MAX_BYTES: usize = 4 << 20;
/// Collections nested deeper than this are refused; `serde_json` stops at 128 by itself.
pub const MAX_DEPTH: usize = 100;
/// More values than this, aliases counted as often as they are used, are refused.
pub const MAX_VALUES: usize = 200_000;
/// The largest integer that every reader of JSON keeps exactly (RFC 8259 section 6).
pub const MAX_INTEGER: u64 = 1 << 53;

/// A file that was read.
#[derive(Clone, Debug)]
pub struct Document {
    /// The file's name and text.
    pub source: Source,
    /// What it says.
    pub value: Value,
    /// Where it says so.
    pub spans: Spans,
}

/// One thing in a file that keeps it from being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The bytes concerned; empty at a place where something is missing.
    pub range: Range<usize>,
}

impl Flaw {
    fn new(message: impl Into<String>, range: Range<usize>) -> Self {
        Self {
            message: message.into(),
            help: None,
            range,
        }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A file that is not a document, with all that is wrong with it.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// The file's name, and its text as far as it is text.
    pub source: Source,
    /// At least one.
    pub flaws: Vec<Flaw>,
}

impl fmt::Display for Unreadable {
    /// One line a flaw: `policy.yaml:3:9: ...`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, flaw) in self.flaws.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            let place = self.source.place(flaw.range.start);
            write!(f, "{}:{place}: {}", self.source.name(), flaw.message)?;
            if let Some(help) = &flaw.help {
                write!(f, " (help: {help})")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Unreadable {}

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be had.
    #[error("cannot read `{name}`: {error}")]
    Io {
        /// The path as given.
        name: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// The file is there and is no document.
    #[error(transparent)]
    Unreadable(#[from] Box<Unreadable>),
}

impl Document {
    /// Reads a file. A text whose first character is `{` is JSON (RFC 8259), any other is YAML 1.2.
    ///
    /// # Errors
    /// If there is no such file, or it is not one document.
    pub fn read_file(path: &Path) -> Result<Self, ReadError> {
        let name = path.display().to_string();
        match read_bounded(path) {
            Ok(bytes) => Ok(Self::read(&name, &bytes)?),
            Err(error) => Err(ReadError::Io { name, error }),
        }
    }

    /// Reads a text; `name` is what messages call it.
    ///
    /// # Errors
    /// All that is wrong with it, as far as the parser got.
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, Box<Unreadable>> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let unreadable = |text: String, flaws| {
            Box::new(Unreadable {
                source: Source::new(name, text),
                flaws,
            })
        };
        if bytes.len() > MAX_BYTES {
            let flaw = Flaw::new(format!("the file is larger than {MAX_BYTES} bytes"), 0..0);
            return Err(unreadable(String::new(), vec![flaw]));
        }
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let at = error.valid_up_to();
                let flaw = Flaw::new("the file is not UTF-8", at..at);
                return Err(unreadable(
                    String::from_utf8_lossy(bytes).into_owned(),
                    vec![flaw],
                ));
            }
        };
        let read = if text.trim_start().starts_with('{') {
            json::read(text)
        } else {
            yaml::read(text)
        };
        match read {
            Ok((value, spans)) => Ok(Self {
                source: Source::new(name, text.to_owned()),
                value,
                spans,
            }),
            Err(flaws) => Err(unreadable(text.to_owned(), flaws)),
        }
    }
}

/// Can this text stand in a file without quotes, and be the same text to every reader of YAML?
pub fn is_plain_text(text: &str) -> bool {
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '=' | '+');
    text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/')
        && text.chars().all(plain)
        && scalar::resolve(text) == Ok(Value::String(text.to_owned()))
}

/// Stops one byte past the bound, so that a device or a mistake does not fill the memory.
fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read;

    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    std::fs::File::open(path)?
        .take(limit + 4)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}
