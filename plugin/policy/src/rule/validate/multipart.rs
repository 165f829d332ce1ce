//! `multipart/form-data` bodies (RFC 7578), taken apart.
//!
//! The format is one that every reader is lenient in, each in its own way: what this one lets through is what all of
//! them read alike. So there is no preamble and no epilogue, every line ends with CR LF, a line that begins like the
//! boundary is the boundary, and the one name of a part stands in quotes, without escapes of either kind.

use super::media_type::MediaType;

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

/// What is wrong with a multipart body, and the byte where that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    pub(crate) flaw: Flaw,
}

/// What can be wrong with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It does not begin with the boundary.
    Preamble,
    /// A line begins like the boundary and is none.
    Boundary,
    /// It ends before its last boundary.
    Unfinished,
    /// Something follows the last boundary.
    Epilogue,
    /// A line of a header ends otherwise than with CR LF, or holds a control character.
    LineEnd,
    /// A header line that goes on in the next.
    Folded,
    /// A header line without a name and a colon, or one that is not UTF-8.
    Line,
    /// A header stands twice.
    Repeated,
    /// Too many header lines, or too many bytes of them.
    Header,
    /// No `content-disposition`, or one that is not `form-data` with a name in plain quotes.
    Disposition,
    /// A parameter of it stands twice.
    ParameterRepeated,
    /// `name*` or `filename*`: which of two names is meant, readers differ on (RFC 7578 section 4.2).
    Extended,
    /// A backslash or percent sign in the name: escapes to some, themselves to others.
    Escape,
    /// A content type that is malformed, or whose charset is not UTF-8.
    ContentType,
    /// `_charset_`, by which a part changes what the others say (RFC 7578 section 4.6).
    Charset,
    /// A multipart body in a part (RFC 7578 section 4.3).
    Nested,
    /// Bytes that are not those of the field (RFC 7578 section 4.7).
    TransferEncoding,
    /// More parts than there may be.
    Parts,
}

impl Flaw {
    /// For the client, after `the body is not valid multipart/form-data: `.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Preamble => "it does not begin with its boundary",
            Self::Boundary => "a line begins like the boundary and is none",
            Self::Unfinished => "it ends before its last boundary",
            Self::Epilogue => "something follows its last boundary",
            Self::LineEnd => "a header line does not end with CR LF or holds a control character",
            Self::Folded => "a header line is folded",
            Self::Line => "a header line has no valid name and value",
            Self::Repeated => "a header of a part stands twice",
            Self::Header => "the header of a part is too large",
            Self::Disposition => "a part has no `form-data` disposition with a name in quotes",
            Self::ParameterRepeated => "a parameter of a part's disposition stands twice",
            Self::Extended => "a part's disposition has a parameter with `*`",
            Self::Escape => "a part's name or file name holds an escape",
            Self::ContentType => "the content type of a part is malformed or not of UTF-8",
            Self::Charset => "a part sets the character set",
            Self::Nested => "a part is multipart itself",
            Self::TransferEncoding => "a part has a transfer encoding",
            Self::Parts => "there are too many parts",
        }
    }

    /// Whether the body is well formed and only has too much of something.
    pub(crate) fn is_excess(self) -> bool {
        matches!(self, Self::Header | Self::Parts)
    }
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
        let Some(length) = rest
            .iter()
            .position(|b| b.is_ascii_control() && *b != b'\t')
        else {
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
            let repeated = if key.eq_ignore_ascii_case("name") {
                // Browsers write `%22` for a quote, others `\"`.
                if text.contains(['\\', '%']) {
                    return Err(Flaw::Escape);
                }
                name.replace(text).is_some()
            } else if key.eq_ignore_ascii_case("filename") {
                if text.contains('\\') {
                    return Err(Flaw::Escape);
                }
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
        let name = name.filter(|name| !name.is_empty());
        Ok(Self {
            name: name.ok_or(Flaw::Disposition)?,
            is_file: file.is_some(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A body as browsers write it.
    fn write(parts: &[(&str, Option<&str>, &[u8])], boundary: &str) -> Vec<u8> {
        let mut body = Vec::new();
        for (name, content_type, bytes) in parts {
            let head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"");
            body.extend(head.bytes());
            if let Some(content_type) = content_type {
                body.extend(format!("; filename=\"f\"\r\nContent-Type: {content_type}").bytes());
            }
            body.extend(b"\r\n\r\n");
            body.extend(*bytes);
            body.extend(b"\r\n");
        }
        body.extend(format!("--{boundary}--\r\n").bytes());
        body
    }

    fn outcome(body: &[u8]) -> Result<Vec<(String, Vec<u8>)>, (usize, Flaw)> {
        match read(body, "b", 3) {
            Ok(parts) => Ok(parts
                .iter()
                .map(|part| (part.name.to_owned(), part.bytes.to_vec()))
                .collect()),
            Err(fault) => Err((fault.at, fault.flaw)),
        }
    }

    /// A part's head, with `lines` in place of the usual one.
    fn with(lines: &str) -> String {
        format!("--b\r\n{lines}\r\n\r\ntext\r\n--b--\r\n")
    }

    const NAMED: &str = "content-disposition: form-data; name=\"a\"";

    #[test]
    fn parts_are_what_stands_between_the_boundaries() {
        let check = |body: &str, expected: &[(&str, &str)]| {
            let expected: Vec<_> = expected
                .iter()
                .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
                .collect();
            assert_eq!(outcome(body.as_bytes()), Ok(expected), "{body:?}");
        };
        check("--b--", &[]);
        check("--b--\r\n", &[]);
        let head = format!("--b\r\n{NAMED}\r\n\r\n");
        check(&format!("{head}\r\n--b--"), &[("a", "")]);
        check(&format!("{head}x\r\n--b--\r\n"), &[("a", "x")]);
        check(
            &format!("{head}\r\n\n--\r--c--b\r\r\n--b--"),
            &[("a", "\r\n\n--\r--c--b\r")],
        );
        check(
            &format!("{head}1\r\n{head}2\r\n{head}3\r\n--b--"),
            &[("a", "1"), ("a", "2"), ("a", "3")],
        );
        for lines in [
            "Content-Disposition:form-data ;\tName=\"a\"",
            "content-disposition: Form-Data; filename=\"100%.txt\"; name=\"a\"",
            "content-disposition: form-data; name=\"a\"; filename=\"\"",
            &format!("x-else: \u{e4}\r\n{NAMED}\r\nContent-Transfer-Encoding: Binary"),
            &format!("{NAMED}\r\ncontent-type: text/plain; charset=utf-8"),
        ] {
            check(&with(lines), &[("a", "text")]);
        }
        check(
            &with("content-disposition: form-data; name=\"\u{e4}=;[]\""),
            &[("\u{e4}=;[]", "text")],
        );
    }

    #[test]
    fn what_readers_differ_on_is_refused() {
        let check = |body: &str, at: usize, flaw: Flaw| {
            assert_eq!(outcome(body.as_bytes()), Err((at, flaw)), "{body:?}");
        };
        check("", 0, Flaw::Preamble);
        check("\r\n--b--", 0, Flaw::Preamble);
        check("text\r\n--b--", 0, Flaw::Preamble);
        check("--B--", 0, Flaw::Preamble);
        check("--b", 3, Flaw::Unfinished);
        check("--b-", 3, Flaw::Unfinished);
        check("--b\r", 3, Flaw::Unfinished);
        check("--b\r\n", 5, Flaw::Unfinished);
        check("--b\n", 3, Flaw::Boundary);
        check("--b \r\n", 3, Flaw::Boundary);
        check("--bx\r\n", 3, Flaw::Boundary);
        check("--b--\n", 5, Flaw::Epilogue);
        check("--b--\r\n\r\n", 7, Flaw::Epilogue);
        check("--b--x", 5, Flaw::Epilogue);
        check("--b----b--", 5, Flaw::Epilogue);
        let head = format!("--b\r\n{NAMED}\r\n\r\n");
        let at = head.len();
        check(&head, at, Flaw::Unfinished);
        check(&format!("{head}--b--"), at, Flaw::Boundary);
        check(&format!("{head}x"), at + 1, Flaw::Unfinished);
        check(&format!("{head}x\r\n--"), at + 5, Flaw::Unfinished);
        check(&format!("{head}x\n--b--"), at + 2, Flaw::Boundary);
        check(&format!("{head}x\r--b--"), at + 2, Flaw::Boundary);
        check(&format!("{head}\n--b--"), at + 1, Flaw::Boundary);
        check(&format!("{head}x\r\n--bc\r\n--b--"), at + 6, Flaw::Boundary);
        check(&format!("{head}x\r\n--b\t\r\n"), at + 6, Flaw::Boundary);
        check(&format!("{head}x\r\n--b--\r\nx"), at + 10, Flaw::Epilogue);
        let four = format!("{head}\r\n").repeat(4);
        check(&format!("{four}--b--"), 3 * (at + 2) + 5, Flaw::Parts);
    }

    #[test]
    fn headers_that_readers_differ_on_are_refused() {
        // `line` counts from the part's first, and `flaw` is seen at its beginning.
        let check = |lines: &str, line: usize, flaw: Flaw| {
            let at: usize = lines.split_inclusive("\r\n").take(line).map(str::len).sum();
            assert_eq!(
                outcome(with(lines).as_bytes()),
                Err((5 + at, flaw)),
                "{lines:?}"
            );
        };
        let disposed = |value: &str, flaw: Flaw| {
            check(&format!("content-disposition: {value}"), 0, flaw);
        };
        disposed("form-data", Flaw::Disposition);
        disposed("form-data; name=\"\"", Flaw::Disposition);
        disposed("form-data; name=a", Flaw::Disposition);
        disposed("form-data; name='a'", Flaw::Disposition);
        disposed("form-data; name=\"a", Flaw::Disposition);
        disposed("form-data; name=\"a\";", Flaw::Disposition);
        disposed("form-data; name=\"a\"x", Flaw::Disposition);
        disposed("form-data; name =\"a\"", Flaw::Disposition);
        disposed("form-data; name=\"a\" filename=\"b\"", Flaw::Disposition);
        disposed("form-data; name=\"a\"; size=\"1\"", Flaw::Disposition);
        disposed("form-data; filename=\"a\"", Flaw::Disposition);
        disposed("attachment; name=\"a\"", Flaw::Disposition);
        disposed("; name=\"a\"", Flaw::Disposition);
        disposed("form-data; name=\"a\\\"b\"", Flaw::Escape);
        disposed("form-data; name=\"a%22b\"", Flaw::Escape);
        disposed("form-data; name=\"a\"; filename=\"C:\\b\"", Flaw::Escape);
        disposed("form-data; name=\"a\"; name=\"b\"", Flaw::ParameterRepeated);
        disposed("form-data; name=\"a\"; Name=\"a\"", Flaw::ParameterRepeated);
        disposed(
            "form-data; name=\"a\"; filename=\"b\"; filename=\"c\"",
            Flaw::ParameterRepeated,
        );
        disposed("form-data; name=\"a\"; filename*=UTF-8''b", Flaw::Extended);
        disposed("form-data; name*=UTF-8''a", Flaw::Extended);
        disposed("form-data; name=\"_charset_\"", Flaw::Charset);
        check("content-type: text/plain", 0, Flaw::Disposition);
        check(&format!("{NAMED}\r\n{NAMED}"), 1, Flaw::Repeated);
        let types = "content-type: text/plain\r\ncontent-type: text/plain";
        check(&format!("{NAMED}\r\n{types}"), 2, Flaw::Repeated);
        let typed = |value: &str, flaw: Flaw| {
            check(&format!("{NAMED}\r\ncontent-type: {value}"), 1, flaw);
        };
        typed("text", Flaw::ContentType);
        typed("text/plain; charset=utf-16", Flaw::ContentType);
        typed("multipart/mixed; boundary=c", Flaw::Nested);
        let encoded = "content-transfer-encoding: base64";
        check(&format!("{NAMED}\r\n{encoded}"), 1, Flaw::TransferEncoding);
        check(
            &format!("{NAMED};\r\n filename=\"b\""),
            0,
            Flaw::Disposition,
        );
        check(&format!("{NAMED}\r\n\tx: y"), 1, Flaw::Folded);
        check(&format!("{NAMED}\r\nx"), 1, Flaw::Line);
        check(&format!("{NAMED}\r\nx : y"), 1, Flaw::Line);
        check(&format!("{NAMED}\r\n: y"), 1, Flaw::Line);
        check(&format!("{NAMED}\r\n--b: y"), 1, Flaw::Line);
        check(&format!("{NAMED}\r\n--b--"), 1, Flaw::Line);
        let many = "x: y\r\n".repeat(8);
        check(&format!("{many}{NAMED}"), 8, Flaw::Header);
        let long = "x".repeat(4 << 10);
        check(&format!("{NAMED}\r\nx: {long}"), 1, Flaw::Header);
        let middle = |lines: &str, offset: usize, flaw: Flaw| {
            let body = with(lines);
            assert_eq!(
                outcome(body.as_bytes()),
                Err((5 + NAMED.len() + offset, flaw)),
                "{lines:?}"
            );
        };
        middle(&format!("{NAMED}\nx: y"), 0, Flaw::LineEnd);
        middle(&format!("{NAMED}\rx: y"), 0, Flaw::LineEnd);
        middle(&format!("{NAMED}\0"), 0, Flaw::LineEnd);
        middle(&format!("{NAMED}\n\n"), 0, Flaw::LineEnd);
        let mut wrong = with(&format!("{NAMED}\r\nx: y")).into_bytes();
        let at = 5 + NAMED.len() + 2;
        wrong[at + 3] = 0xff;
        assert_eq!(outcome(&wrong), Err((at, Flaw::Line)));
    }

    fn part() -> impl Strategy<Value = (String, bool, Vec<u8>)> {
        let content = prop_oneof![
            any::<Vec<u8>>(),
            "[-b\r\n]{0,12}".prop_map(String::into_bytes),
        ];
        ("[a-z=;\\[\\] \u{e4}]{1,9}", any::<bool>(), content)
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_or_refused(parts in prop::collection::vec(part(), 0..4)) {
            let written: Vec<_> = parts
                .iter()
                .map(|(name, file, bytes)| (name.as_str(), file.then_some("image/png"), bytes.as_slice()))
                .collect();
            let body = write(&written, "boundary");
            let read = read(&body, "boundary", 4).unwrap();
            prop_assert_eq!(read.len(), parts.len());
            for (part, (name, file, bytes)) in read.iter().zip(&parts) {
                prop_assert_eq!(part.name, name);
                prop_assert_eq!(part.is_file, *file);
                prop_assert_eq!(part.content_type.is_some(), *file);
                prop_assert_eq!(part.bytes, bytes);
                prop_assert_eq!(&body[part.at..][..bytes.len()], bytes);
            }
        }

        #[test]
        fn no_content_smuggles_a_part(content in "(\r|\n|\r\n|--b|--|b|x|content-disposition: form-data; name=\"z\"){0,12}") {
            let body = write(&[("a", None, content.as_bytes())], "b");
            match read(&body, "b", 9) {
                Ok(parts) => {
                    // Either the content came back, or it held a whole body of its own making.
                    let whole = parts.len() == 1 && parts[0].bytes == content.as_bytes();
                    prop_assert!(whole || content.contains("\r\n--b"), "{parts:?}");
                }
                Err(fault) => prop_assert!(fault.at <= body.len() && content.contains("--b"), "{fault:?}"),
            }
        }

        #[test]
        fn no_bytes_break_it(body: Vec<u8>, at: usize, cut: usize) {
            let mut written = write(&[("a", Some("text/plain"), &body), ("b", None, b"x")], "b");
            let at = at % written.len();
            written.splice(at..at, body.iter().copied());
            for body in [&written[..], &written[..cut % written.len()], &body] {
                if let Err(fault) = read(body, "b", 9) {
                    prop_assert!(fault.at <= body.len());
                }
            }
        }
    }
}
