use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use portcullis_config::{Document, read};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::rule::validate::violation::Token;

/// A schema as the `jsonschema` crate judges it.
#[derive(Debug)]
struct Oracle(jsonschema::Validator);

impl Schema for Oracle {
    fn judge(&self, value: &Value, place: Place, at: &[Token], found: &mut Violations) {
        for error in self.0.iter_errors(value) {
            let pointer = error.instance_path().to_string();
            let tokens = pointer.split('/').skip(1).map(|token| match token.parse() {
                Ok(index) => Token::Index(index),
                Err(_) => Token::Name(token.to_owned()),
            });
            found.push(Violation {
                place,
                path: at.iter().cloned().chain(tokens).collect(),
                keyword: "schema",
                kind: "schema",
                message: String::new(),
            });
        }
    }
}

/// The rule of a `validate.body`, or what is wrong with it.
fn compiled(body: &Value, strictness: Strictness) -> Result<BodyRule, Vec<String>> {
    let policy = json!({
        "version": 1, "name": "p",
        "routes": [{"name": "r", "path": "/", "validate": {"body": body}}],
    });
    let document = Document::from_bytes(policy.to_string().as_bytes()).unwrap();
    let (config, found) = read(&document);
    let found = found.into_list();
    assert!(found.is_empty(), "{found:?}");
    let validate = config.unwrap().routes.remove(0).validate.unwrap();
    let written = validate.body.unwrap();
    let schema = body.get("schema").map(|schema| {
        let oracle = jsonschema::validator_for(schema).unwrap();
        Rc::new(Oracle(oracle)) as Rc<dyn Schema>
    });
    let mut diagnostics = Diagnostics::default();
    let written = Written {
        body: &written,
        strictness,
        schema,
        fields: None,
    };
    let rule = BodyRule::compile(written, &[], "/r", &mut diagnostics);
    let found = diagnostics.into_list();
    if found.is_empty() {
        return Ok(rule);
    }
    Err(found
        .iter()
        .map(|d| format!("{} {}", d.code, d.pointer))
        .collect())
}

fn rule(body: Value) -> BodyRule {
    compiled(&body, Strictness::Schema).unwrap()
}

/// What becomes of a request: the bytes that go on, or why none do.
fn outcome(rule: &BodyRule, lines: &[(&str, &str)], body: &[u8]) -> String {
    let lines: Vec<_> = lines
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect();
    let head = RequestHead::new(&lines);
    let judged = rule
        .announced(&head)
        .and_then(|admitted| rule.judge(&admitted, body));
    match judged.map(|judged| judged.rewritten) {
        Ok(None) => "passes".to_owned(),
        Ok(Some(bytes)) => format!("becomes {}", String::from_utf8_lossy(&bytes)),
        Err(Trouble::Malformed(said)) => format!("400 {said}"),
        Err(Trouble::DuplicateKey(said)) => format!("400 key: {said}"),
        Err(Trouble::TooComplex(said)) => format!("400 complex: {said}"),
        Err(Trouble::TooLarge) => "413".to_owned(),
        Err(Trouble::ContentType) => "415 type".to_owned(),
        Err(Trouble::ContentEncoding) => "415 encoding".to_owned(),
        Err(Trouble::Profane(seen)) => format!("422 {:?}", seen.input),
        Err(Trouble::Invalid(found)) => {
            let mut told = "422".to_owned();
            for violation in found.as_slice() {
                write!(told, " {} {}", violation.kind, violation.pointer()).unwrap();
            }
            told
        }
    }
}

const JSON: (&str, &str) = ("content-type", "application/json");
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_json_body_is_held_to_its_schema() {
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}});
    let limited = rule(json!({"schema": schema, "max_bytes": "40B", "max_depth": 2}));
    let check = |body: &str, expected: &str| {
        assert_eq!(
            outcome(&limited, &[JSON], body.as_bytes()),
            expected,
            "{body}"
        );
    };
    check("{\"n\": 5}", "passes");
    check("{\"n\": \"5\"}", "422 schema /n");
    check("[]", "422 schema ");
    check("", "422 missing ");
    check(" ", "400 the body is empty, at byte 1");
    check("{\"n\": 5", "400 the body ends too early, at byte 7");
    check(
        "{\"n\": 5, \"n\": 5}",
        "400 key: the body has an object that names a member twice, at byte 9",
    );
    check(
        "[[[]]]",
        "400 complex: the body is nested too deep, at byte 2",
    );
    check(&format!("{{\"n\": 5}}{}", " ".repeat(32)), "passes");
    check(&format!("{{\"n\": 5}}{}", " ".repeat(33)), "413");
    let optional = rule(json!({"schema": schema, "required": false}));
    assert_eq!(outcome(&optional, &[], b""), "passes");
    assert_eq!(outcome(&optional, &[JSON], b""), "passes");
    assert_eq!(
        outcome(&optional, &[JSON], b" "),
        "400 the body is empty, at byte 1"
    );
    let lax = compiled(&json!({"schema": schema}), Strictness::Pydantic).unwrap();
    assert_eq!(outcome(&lax, &[JSON], b"{\"n\": \"5\"}"), "passes");
    let twice = rule(json!({"schema": schema, "duplicate_keys": "allow"}));
    assert_eq!(
        outcome(&twice, &[JSON], b"{\"n\": \"\", \"n\": 5}"),
        "passes"
    );
}

#[test]
fn the_head_has_to_say_what_is_read() {
    let strict = rule(json!({"schema": true}));
    let check = |lines: &[(&str, &str)], expected: &str| {
        assert_eq!(outcome(&strict, lines, b"{}"), expected, "{lines:?}");
    };
    check(&[JSON], "passes");
    check(&[JSON, ("content-encoding", "Identity")], "passes");
    check(&[JSON, ("content-length", "65536")], "passes");
    check(&[JSON, ("content-length", "65537")], "413");
    check(
        &[JSON, ("content-length", "99999999999999999999999")],
        "413",
    );
    check(&[], "415 type");
    check(&[("content-length", "2")], "415 type");
    check(&[("transfer-encoding", "chunked")], "415 type");
    check(&[JSON, JSON], "415 type");
    check(&[FORM], "415 type");
    check(
        &[("content-type", "application/json; charset=utf-16")],
        "415 type",
    );
    check(&[("content-type", "")], "415 type");
    check(&[JSON, ("content-encoding", "gzip")], "415 encoding");
    check(&[JSON, ("content-encoding", "")], "415 encoding");
    check(
        &[
            JSON,
            ("content-encoding", "identity"),
            ("content-encoding", "identity"),
        ],
        "415 encoding",
    );
    // What cannot be read is refused, though the list lets it in.
    let wide = rule(json!({"schema": true, "content_types": ["application/*"]}));
    assert_eq!(
        outcome(&wide, &[("content-type", "application/xml")], b"{}"),
        "415 type"
    );
    assert_eq!(outcome(&wide, &[JSON], b"{}"), "passes");
    // A type that is not taken is refused before anybody sends the body.
    assert_eq!(outcome(&strict, &[FORM], b""), "415 type");
}

#[test]
fn a_body_that_nobody_reads_is_counted_only() {
    let free = rule(json!({}));
    assert!(!free.reads() && !free.rewrites());
    let any = [
        ("content-type", "x"),
        ("content-encoding", "br"),
        ("content-length", "99999999"),
    ];
    assert_eq!(outcome(&free, &any, b"anything"), "passes");
    let counted = rule(json!({"max_bytes": "10B", "content_types": ["image/*"]}));
    let image = [("content-type", "image/png")];
    assert_eq!(outcome(&counted, &image, b"anything"), "passes");
    assert_eq!(outcome(&counted, &[JSON], b"anything"), "415 type");
    let long = [image[0], ("content-length", "11")];
    assert_eq!(outcome(&counted, &long, b""), "413");
}

#[test]
fn an_opened_body_is_what_goes_on() {
    let schema = json!({"type": "object"});
    let opens = rule(json!({"schema": schema, "encodings": ["gzip"], "max_bytes": "5000B"}));
    assert!(opens.rewrites());
    let packed = [JSON, ("content-encoding", "GZIP")];
    let check = |body: &[u8], expected: &str| {
        assert_eq!(outcome(&opens, &packed, body), expected);
    };
    check(&gzip(b"{}"), "becomes {}");
    check(&gzip(b"[]"), "422 schema ");
    check(&gzip(b""), "400 the body is empty, at byte 0");
    check(
        &gzip(b"{} x"),
        "400 the body goes on after its value, at byte 3",
    );
    check(
        b"{}",
        "400 the body is not whole and valid in its content encoding, at byte 2",
    );
    check(&gzip(&[b' '; 5001]), "413");
    check(&gzip(&[b' '; 4999]), "413");
    check(
        &zlib(b"{}"),
        "400 the body is not whole and valid in its content encoding, at byte 0",
    );
    assert_eq!(outcome(&opens, &[JSON], b"{}"), "passes");
    let deflate = [JSON, ("content-encoding", "deflate")];
    assert_eq!(outcome(&opens, &deflate, &zlib(b"{}")), "415 encoding");
    let both = rule(json!({"schema": schema, "encodings": ["gzip", "deflate"]}));
    assert_eq!(outcome(&both, &deflate, &zlib(b"{}")), "becomes {}");
    let twice = [JSON, ("content-encoding", "gzip, deflate")];
    assert_eq!(outcome(&both, &twice, b"{}"), "415 encoding");
}

#[test]
fn what_is_normalised_is_what_is_judged_and_what_goes_on() {
    let schema =
        json!({"properties": {"a": {"type": "string", "maxLength": 1}, "n": {"type": "integer"}}});
    let types = [JSON.1, FORM.1, "text/plain"];
    let trims = rule(json!({
        "schema": schema, "content_types": types, "encodings": ["gzip"],
        "normalize": {"/a": ["trim"], "/n": ["trim"]},
    }));
    let check = |lines: &[(&str, &str)], body: &[u8], expected: &str| {
        assert_eq!(outcome(&trims, lines, body), expected);
    };
    check(&[JSON], b"{\"a\" : \"x\", \"b\": \" \"}", "passes");
    check(
        &[JSON],
        b"{\"a\" : \" x \", \"b\": 1.0}",
        "becomes {\"a\" : \"x\", \"b\": 1.0}",
    );
    check(&[JSON], b"{\"a\" : \" xy \"}", "422 schema /a");
    let packed = [JSON, ("content-encoding", "gzip")];
    check(&packed, &gzip(b"{\"a\":\" x\"}"), "becomes {\"a\":\"x\"}");
    check(&[FORM], b"a=x&b=+", "passes");
    check(&[FORM], b"b=%20&a=+x+&n=+5", "becomes b=%20&a=x&n=5");
    check(&[FORM], b"a=+xy", "422 schema /a");
    check(&[FORM], b"a=x&a=y", "422 repeated /a");
    check(&[FORM], b"n=x&a=xy", "422 int_parsing /n schema /a");
    let text = rule(json!({
        "schema": {"type": "string", "maxLength": 3}, "content_types": ["text/plain"],
        "max_string_bytes": "5B",
    }));
    let check = |body: &[u8], expected: &str| {
        assert_eq!(
            outcome(&text, &[("content-type", "text/plain")], body),
            expected
        );
    };
    check(b"abc", "passes");
    check(b"abcd", "422 schema ");
    check(b"ab\xff", "400 the body is not valid UTF-8, at byte 2");
    check(
        b"abcdef",
        "400 complex: the body has a string that is too long, at byte 0",
    );
}

#[test]
fn multipart_bodies_are_judged_as_objects() {
    let parts = rule(json!({
        "content_types": ["multipart/form-data"], "max_keys": 2, "max_string_bytes": "4B",
        "schema": {
            "required": ["n", "f"],
            "properties": {"n": {"type": "integer"}, "f": {"contentMediaType": "image/png"}},
        },
    }));
    let check = |body: &str, expected: &str| {
        let lines = [("content-type", "multipart/form-data; boundary=\"b\"")];
        assert_eq!(outcome(&parts, &lines, body.as_bytes()), expected, "{body}");
    };
    let part = |name: &str, more: &str, text: &str| {
        format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"{more}\r\n\r\n{text}\r\n")
    };
    let png = "; filename=\"x\"\r\ncontent-type: image/png";
    let (n, f) = (part("n", "", "5"), part("f", png, "more than four"));
    check(&format!("{n}{f}--b--\r\n"), "passes");
    check(&format!("{f}--b--\r\n"), "422 schema ");
    check(
        &format!("{n}{}--b--", part("f", "", "x")),
        "422 content_type /f",
    );
    check(
        &format!("{}{f}--b--", part("n", "", "x")),
        "422 int_parsing /n",
    );
    check(
        &n,
        "400 the body is not valid multipart/form-data: it ends before its last boundary, at byte 52",
    );
    check(
        &format!("{n}{n}{f}--b--"),
        "400 complex: the body is not valid multipart/form-data: there are too many parts, at byte 109",
    );
    let bare = [("content-type", "multipart/form-data")];
    assert_eq!(outcome(&parts, &bare, b"--b--"), "415 type");
}

#[test]
fn what_cannot_be_enforced_is_not_loaded() {
    let check = |body: Value, expected: &[&str]| {
        let found = compiled(&body, Strictness::Schema)
            .err()
            .unwrap_or_default();
        assert_eq!(found, expected, "{body}");
    };
    check(json!({"content_types": ["image/png"]}), &[]);
    check(
        json!({"content_types": ["image/png", "text/*"], "schema": true}),
        &["validate-content-type /r/validate/body/content_types/0"],
    );
    let normalize = json!({"/a": ["trim"]});
    check(json!({"normalize": normalize}), &[]);
    check(
        json!({"normalize": normalize, "content_types": ["multipart/form-data"]}),
        &["validate-normalize-parts /r/validate/body/normalize"],
    );
    check(
        json!({"normalize": normalize, "content_types": ["multipart/*"]}),
        &["validate-normalize-parts /r/validate/body/normalize"],
    );
}

proptest! {
    #[test]
    fn no_request_breaks_it(body: Vec<u8>, kind in 0usize..4, encoding in 0usize..3, raw: bool) {
        let rule = rule(json!({
            "schema": {"properties": {"a": {"type": "integer"}}},
            "content_types": ["application/json", FORM.1, "multipart/form-data", "text/*"],
            "encodings": ["gzip", "deflate"],
        }));
        let kinds = ["application/json", FORM.1, "multipart/form-data; boundary=b", "text/plain"];
        let encodings = ["identity", "gzip", "deflate"];
        let lines = [("content-type", kinds[kind]), ("content-encoding", encodings[encoding])];
        let packed = match encoding {
            1 if !raw => gzip(&body),
            2 if !raw => zlib(&body),
            _ => body.clone(),
        };
        let told = outcome(&rule, &lines, &packed);
        // How a body was packed says nothing of what it is.
        if !raw && encoding > 0 && !body.is_empty() {
            let plain = outcome(&rule, &lines[..1], &body);
            let plain = match plain.as_str() {
                "passes" => format!("becomes {}", String::from_utf8_lossy(&body)),
                _ => plain,
            };
            prop_assert_eq!(told, plain);
        }
    }
}
