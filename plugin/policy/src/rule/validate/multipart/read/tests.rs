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

/// Names and contents; or where what is wrong.
type Outcome = Result<Vec<(String, Vec<u8>)>, (usize, Flaw)>;

fn outcome(body: &[u8]) -> Outcome {
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
    disposed("form-data; name=\"a\"; filename=\"C:\\\" ;", Flaw::Escape);
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
