//! `multipart/form-data` bodies (RFC 7578), taken apart.
//!
//! The format is one that every reader is lenient in, each in its own way: what this one lets through is what all of
//! them read alike. So there is no preamble and no epilogue, every line ends with CR LF, a line that begins like the
//! boundary is the boundary, and the one name of a part stands in quotes, without escapes of either kind.

use super::fault::{Fault, Flaw};
use crate::rule::validate::media_type::MediaType;

/// Header lines of one part, at most.
const MAX_LINES: usize = 8;
/// Bytes of one part's header, at most.
const MAX_HEADER: usize = 4 << 10;

/// Optional white space (RFC 9110 section 5.6.3).
const WHITE: [char; 2] = [' ', '\t'];

/// One part; its texts are the body's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    pub(crate) name: &'a str,
    /// Whether it names a file: then it is one, whatever it holds.
    pub(crate) is_file: bool,
    pub(crate) content_type: Option<MediaType>,
    pub(crate) bytes: &'a [u8],
    /// Where the bytes begin in the body.
    pub(crate) at: usize,
}

/// Takes a body apart into its parts, `max_parts` at most.
pub(crate) fn read<'a>(
    body: &'a [u8],
    boundary: &str,
    max_parts: usize,
) -> Result<Vec<Part<'a>>, Fault> {
    let delimiter = format!("--{boundary}");
    let mut reader = Reader {
        body,
        at: 0,
        delimiter: delimiter.as_bytes(),
    };
    if !reader.take(delimiter.as_bytes()) {
        return Err(reader.fault(Flaw::Preamble));
    }
    let mut parts = Vec::new();
    while reader.goes_on()? {
        if parts.len() == max_parts {
            return Err(reader.fault(Flaw::Parts));
        }
        parts.push(reader.part()?);
    }
    Ok(parts)
}

struct Reader<'a, 'b> {
    body: &'a [u8],
    at: usize,
    delimiter: &'b [u8],
}

impl<'a> Reader<'a, '_> {
    fn fault(&self, flaw: Flaw) -> Fault {
        Fault { at: self.at, flaw }
    }

    fn rest(&self) -> &'a [u8] {
        self.body.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, bytes: &[u8]) -> bool {
        let found = self.rest().starts_with(bytes);
        if found {
            self.at += bytes.len();
        }
        found
    }

    /// After a delimiter: whether a part follows, or the end.
    fn goes_on(&mut self) -> Result<bool, Fault> {
        if self.take(b"\r\n") {
            return Ok(true);
        }
        if !self.take(b"--") {
            let cut = matches!(self.rest(), [] | [b'-' | b'\r']);
            return Err(self.fault(if cut {
                Flaw::Unfinished
            } else {
                Flaw::Boundary
            }));
        }
        // Most clients end the last line too.
        self.take(b"\r\n");
        if self.rest().is_empty() {
            return Ok(false);
        }
        Err(self.fault(Flaw::Epilogue))
    }

    fn part(&mut self) -> Result<Part<'a>, Fault> {
        let start = self.at;
        let mut disposition = None;
        let mut content_type = None;
        let mut encoded = false;
        let mut lines = 0;
        loop {
            let from = self.at;
            let line = self.line(start)?;
            if line.is_empty() {
                break;
            }
            let fail = |flaw| Err(Fault { at: from, flaw });
            lines += 1;
            if lines > MAX_LINES {
                return fail(Flaw::Header);
            }
            let (name, value) = field(line).map_err(|flaw| Fault { at: from, flaw })?;
            let repeated = if name.eq_ignore_ascii_case("content-disposition") {
                let read = Disposition::parse(value).map_err(|flaw| Fault { at: from, flaw })?;
                disposition.replace(read).is_some()
            } else if name.eq_ignore_ascii_case("content-type") {
                let Some(read) = MediaType::parse(value.as_bytes()) else {
                    return fail(Flaw::ContentType);
                };
                if read.name.starts_with("multipart/") {
                    return fail(Flaw::Nested);
                }
                content_type.replace(read).is_some()
            } else if name.eq_ignore_ascii_case("content-transfer-encoding") {
                let plain = ["binary", "8bit", "7bit"];
                if !plain.iter().any(|word| value.eq_ignore_ascii_case(word)) {
                    return fail(Flaw::TransferEncoding);
                }
                std::mem::replace(&mut encoded, true)
            } else {
                // RFC 7578 section 4.8: every other header is ignored.
                false
            };
            if repeated {
                return fail(Flaw::Repeated);
            }
        }
        let Some(Disposition { name, is_file }) = disposition else {
            return Err(Fault {
                at: start,
                flaw: Flaw::Disposition,
            });
        };
        if name == "_charset_" {
            return Err(Fault {
                at: start,
                flaw: Flaw::Charset,
            });
        }
        let at = self.at;
        let bytes = self.content()?;
        Ok(Part {
            name,
            is_file,
            content_type,
            bytes,
            at,
        })
    }

    /// One line of the header that began at `start`, without its end.
    fn line(&mut self, start: usize) -> Result<&'a [u8], Fault> {
        let rest = self.rest();
        let Some(length) = rest.iter().position(|b| matches!(b, b'\r' | b'\n')) else {
            return Err(self.fault(Flaw::Unfinished));
        };
        let (line, end) = rest.split_at(length);
        if self.at + length - start > MAX_HEADER {
            return Err(self.fault(Flaw::Header));
        }
        self.at += length;
        if !self.take(b"\r\n") {
            let cut = end == b"\r";
            return Err(self.fault(if cut { Flaw::Unfinished } else { Flaw::LineEnd }));
        }
        Ok(line)
    }

    /// The bytes up to the next delimiter, which is passed.
    fn content(&mut self) -> Result<&'a [u8], Fault> {
        let content = self.rest();
        let start = self.at;
        if content.starts_with(self.delimiter) {
            return Err(self.fault(Flaw::Boundary));
        }
        // Only a line's beginning is looked at, wherever some reader sees one: that is linear, as boundaries have no
        // line ends in them.
        for (index, byte) in content.iter().enumerate() {
            if !matches!(byte, b'\r' | b'\n') {
                continue;
            }
            let after = content.get(index + 1..).unwrap_or_default();
            if !after.starts_with(self.delimiter) {
                continue;
            }
            self.at = start + index + 1;
            let bytes = content
                .get(..=index)
                .and_then(|text| text.strip_suffix(b"\r\n"));
            let Some(bytes) = bytes else {
                return Err(self.fault(Flaw::Boundary));
            };
            self.at += self.delimiter.len();
            return Ok(bytes);
        }
        self.at = self.body.len();
        Err(self.fault(Flaw::Unfinished))
    }
}

/// A header line's name and value.
fn field(line: &[u8]) -> Result<(&str, &str), Flaw> {
    if matches!(line.first(), Some(b' ' | b'\t')) {
        return Err(Flaw::Folded);
    }
    let line = std::str::from_utf8(line).map_err(|_| Flaw::Line)?;
    let (name, value) = line.split_once(':').ok_or(Flaw::Line)?;
    // No letter at the front, and it may be somebody's boundary.
    let legal = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(portcullis_config::is_token_byte);
    legal
        .then(|| (name, value.trim_matches(WHITE)))
        .ok_or(Flaw::Line)
}

/// What a part's `content-disposition` says.
struct Disposition<'a> {
    name: &'a str,
    is_file: bool,
}

impl<'a> Disposition<'a> {
    fn parse(value: &'a str) -> Result<Self, Flaw> {
        let (kind, mut rest) = value.split_once(';').ok_or(Flaw::Disposition)?;
        if !kind
            .trim_end_matches(WHITE)
            .eq_ignore_ascii_case("form-data")
        {
            return Err(Flaw::Disposition);
        }
        let mut name = None;
        let mut file = None;
        loop {
            let (key, text) = rest.split_once('=').ok_or(Flaw::Disposition)?;
            let key = key.trim_start_matches(WHITE);
            if key.ends_with('*') {
                return Err(Flaw::Extended);
            }
            let text = text.strip_prefix('"').ok_or(Flaw::Disposition)?;
            let (text, after) = text.split_once('"').ok_or(Flaw::Disposition)?;
            // Browsers write `%22` for a quote; for those who write `\"` it has not ended the text.
            if text.ends_with('\\') && !after.is_empty() {
                return Err(Flaw::Escape);
            }
            let repeated = if key.eq_ignore_ascii_case("name") {
                name.replace(text).is_some()
            } else if key.eq_ignore_ascii_case("filename") {
                file.replace(()).is_some()
            } else {
                return Err(Flaw::Disposition);
            };
            if repeated {
                return Err(Flaw::ParameterRepeated);
            }
            let after = after.trim_start_matches(WHITE);
            if after.is_empty() {
                break;
            }
            rest = after.strip_prefix(';').ok_or(Flaw::Disposition)?;
        }
        Ok(Self {
            name: name.ok_or(Flaw::Disposition)?,
            is_file: file.is_some(),
        })
    }
}

#[cfg(test)]
mod tests;
