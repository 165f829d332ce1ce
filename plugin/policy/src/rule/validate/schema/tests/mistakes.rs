//! What is found in schemas, all at once: code, place and words.

use portcullis_config::{Diagnostics, Document, code};

use super::super::{Formats, Schemas};
use super::violations;

/// Each finding as it is printed.
fn findings(named: &[(&str, &str)], schema: &str) -> Vec<String> {
    let document = |text: &str| serde_json::from_str::<Document>(text).unwrap();
    let named: Vec<_> = named
        .iter()
        .map(|(name, text)| ((*name).to_owned(), document(text)))
        .collect();
    let mut diagnostics = Diagnostics::default();
    let mut schemas = Schemas::new(Some(&named), Formats::Assert, &mut diagnostics);
    let compiled = schemas.compile(&document(schema), "/s", &mut diagnostics);
    assert_eq!(compiled.is_none(), diagnostics.has_errors(), "{schema}");
    diagnostics
        .into_list()
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn check(schema: &str, expected: &[&str]) {
    assert_eq!(findings(&[], schema), expected, "{schema}");
}

#[test]
fn what_is_no_schema() {
    for (schema, expected) in [
        (
            r#"{"type": "strnig"}"#,
            "/type: `type` takes one of `null`, `boolean`, `integer`, `number`, `string`, `array` and `object`, or a list of them",
        ),
        (
            r#"{"type": []}"#,
            "/type: `type` takes one of `null`, `boolean`, `integer`, `number`, `string`, `array` and `object`, or a list of them",
        ),
        (
            r#"{"minLength": -1}"#,
            "/minLength: `minLength` takes an integer that is not negative",
        ),
        (
            r#"{"maxItems": 1.5}"#,
            "/maxItems: `maxItems` takes an integer that is not negative",
        ),
        (r#"{"minimum": "1"}"#, "/minimum: `minimum` takes a number"),
        (
            r#"{"multipleOf": 0}"#,
            "/multipleOf: `multipleOf` takes a number above zero",
        ),
        (
            r#"{"uniqueItems": 1}"#,
            "/uniqueItems: `uniqueItems` takes `true` or `false`",
        ),
        (r#"{"pattern": 1}"#, "/pattern: `pattern` takes a string"),
        (r#"{"enum": 1}"#, "/enum: `enum` takes a list"),
        (
            r#"{"required": true}"#,
            "/required: `required` takes a list of distinct names",
        ),
        (
            r#"{"required": ["a", "a"]}"#,
            "/required: `required` takes a list of distinct names",
        ),
        (
            r#"{"properties": []}"#,
            "/properties: `properties` takes an object of schemas",
        ),
        (
            r#"{"properties": {"a/b": 1}}"#,
            "/properties/a~1b: a schema is an object or a boolean, not a number",
        ),
        (
            r#"{"allOf": []}"#,
            "/allOf: `allOf` takes a list of at least one schema",
        ),
        (
            r#"{"not": null}"#,
            "/not: a schema is an object or a boolean, not null",
        ),
        (
            r#"{"dependentRequired": {"a": "b"}}"#,
            "/dependentRequired/a: a member takes a list of distinct names",
        ),
        (
            r#"{"$anchor": "a", "not": {"$anchor": "a"}}"#,
            "/not/$anchor: another schema has the same anchor",
        ),
        (
            r#"{"items": []}"#,
            "/items: `items` takes one schema (help: a list of schemas is `prefixItems` since draft 2020-12)",
        ),
        (
            r#"{"exclusiveMinimum": true}"#,
            "/exclusiveMinimum: `exclusiveMinimum` takes a number (help: since draft-06 it is the bound itself, not a word on another)",
        ),
    ] {
        check(schema, &[&format!("error[schema-invalid] at /s{expected}")]);
    }
}

#[test]
fn references() {
    let check = |schema: &str, expected: &[&str]| {
        let named = [
            (
                "Player",
                r##"{"$defs": {"Name": {"type": "string"}}, "properties": {"next": {"$ref": "#"}, "team": {"$ref": "#/schemas/Team"}}}"##,
            ),
            ("Team", r##"{"items": {"$ref": "#/schemas/Player"}}"##),
        ];
        assert_eq!(findings(&named, schema), expected, "{schema}");
    };
    for right in [
        "#",
        "#/$defs/a",
        "#/%24defs/a",
        "#/$defs/b~1c",
        "#at",
        "#/schemas/Player",
        "#/schemas/Player/$defs/Name",
        "#/x/components/deep/0",
    ] {
        let document = format!(
            r#"{{"items": {{"$ref": "{right}"}}, "$defs": {{"a": {{"$anchor": "at"}}, "b/c": true}}, "x": {{"components": {{"deep": [{{"minLength": 1}}]}}}}}}"#
        );
        let unknown: &[&str] = &[
            "warning[schema-keyword] at /s/x: there is no keyword `x`, and nothing is refused by it",
        ];
        check(&document, if right.contains("/x/") { &[] } else { unknown });
    }
    check(
        r##"{"items": {"$ref": "#/$defs/Nmae"}, "$defs": {"Name": true}}"##,
        &[
            "error[schema-ref] at /s/items/$ref: `#/$defs/Nmae` leads nowhere (help: did you mean `Name`?)",
        ],
    );
    check(
        r##"{"items": {"$ref": "#/schemas/Plyer"}}"##,
        &[
            "error[schema-ref] at /s/items/$ref: `#/schemas/Plyer` leads nowhere (help: did you mean `#/schemas/Player`?)",
        ],
    );
    check(
        r##"{"items": {"$ref": "#/title"}, "title": "x"}"##,
        &[
            "error[schema-ref] at /s/items/$ref: `#/title` leads nowhere (help: there is a string, and no schema)",
        ],
    );
    check(
        r##"{"items": {"$ref": "#Name"}}"##,
        &[
            "error[schema-ref] at /s/items/$ref: `#Name` leads nowhere (help: a place in the schema is written `#/$defs/NAME`)",
        ],
    );
    check(
        r##"{"items": {"$ref": "#/%zz"}}"##,
        &[
            "error[schema-ref] at /s/items/$ref: `#/%zz` leads nowhere (help: an escape is `%` and two digits)",
        ],
    );
    check(
        r##"{"items": {"$ref": "#/~2"}}"##,
        &[
            "error[schema-ref] at /s/items/$ref: `#/~2` leads nowhere (help: in a JSON Pointer `~` is `~0` and `/` is `~1`)",
        ],
    );
    for remote in [
        "https://example.com/s",
        "other.json",
        "/schemas/Player",
        "portcullis:/0",
    ] {
        let schema = format!(r#"{{"items": {{"$ref": "{remote}"}}}}"#);
        let expected = format!(
            "error[schema-ref-remote] at /s/items/$ref: `{remote}` is outside of the policy, and nothing is fetched (help: put a copy into `schemas` and refer to it as `#/schemas/NAME`)"
        );
        check(&schema, &[&expected]);
    }
}

#[test]
fn references_are_not_looked_for_in_data() {
    check(
        r#"{
            "properties": {"$ref": {"type": "string"}, "$id": {"type": "string"}},
            "const": {"$ref": "x", "$id": "y"},
            "enum": [{"$ref": "x", "pattern": "("}],
            "default": {"$ref": "x"},
            "examples": [{"$ref": 1, "type": "strnig"}],
            "x-other": {"$ref": 1}
        }"#,
        &[],
    );
}

#[test]
fn circles() {
    let circle = |at: &str| {
        format!(
            "error[schema-ref-cycle] at /s{at}/$ref: the schema refers to itself before it comes to another value (help: a recursive schema refers to itself from a member or an item)"
        )
    };
    check(r##"{"$ref": "#"}"##, &[&circle("")]);
    check(
        r##"{"anyOf": [{"type": "null"}, {"$ref": "#"}]}"##,
        &[&circle("/anyOf/1")],
    );
    check(
        r##"{"$ref": "#/$defs/a", "$defs": {"a": {"not": {"$ref": "#/$defs/b"}}, "b": {"if": {"$ref": "#/$defs/a"}}}}"##,
        &[&circle("/$defs/b/if")],
    );
    check(
        r##"{"properties": {"a": {"$ref": "#"}}, "items": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}"##,
        &[],
    );
}

#[test]
fn addresses_and_drafts() {
    for keyword in ["$id", "$dynamicRef", "$recursiveRef"] {
        let schema = format!(r#"{{"not": {{"{keyword}": "x"}}}}"#);
        let expected = format!(
            "error[schema-id] at /s/not/{keyword}: `{keyword}` is not supported: a schema has no address of its own here (help: leave it out, and refer to what `schemas` holds as `#/schemas/NAME`)"
        );
        check(&schema, &[&expected]);
    }
    for right in [
        "https://json-schema.org/draft/2020-12/schema",
        "http://json-schema.org/draft-07/schema#",
        "http://json-schema.org/draft-07/schema",
    ] {
        check(&format!(r#"{{"$schema": "{right}"}}"#), &[]);
    }
    for wrong in [
        "http://json-schema.org/draft-04/schema#",
        "https://json-schema.org/draft/2019-09/schema",
        "https://spec.openapis.org/oas/3.1/dialect/base",
        "x",
    ] {
        check(
            &format!(r#"{{"$schema": "{wrong}"}}"#),
            &[
                "error[schema-draft] at /s/$schema: the schema is of a draft that is not known (help: take `https://json-schema.org/draft/2020-12/schema` (the default) or `http://json-schema.org/draft-07/schema#`)",
            ],
        );
    }
    check(
        r#"{"not": {"$schema": "http://json-schema.org/draft-07/schema#"}}"#,
        &[
            "error[schema-draft] at /s/not/$schema: one document is of one draft (help: put the schema into `schemas`)",
        ],
    );
}

#[test]
fn keywords_that_would_not_be_enforced() {
    check(
        r#"{"maxlength": 3}"#,
        &[
            "warning[schema-keyword] at /s/maxlength: there is no keyword `maxlength`, and nothing is refused by it (help: did you mean `maxLength`?)",
        ],
    );
    check(
        r#"{"nullable": true}"#,
        &[
            "warning[schema-keyword] at /s/nullable: there is no keyword `nullable`, and nothing is refused by it (help: that is OpenAPI 3.0: write `type: [string, null]`, or an `anyOf`)",
        ],
    );
    check(
        r#"{"additionalItems": false}"#,
        &[
            "error[schema-keyword] at /s/additionalItems: draft 2020-12 has no `additionalItems` (help: write `prefixItems` for the first places and `items` for the rest)",
        ],
    );
    let seven = r#""$schema": "http://json-schema.org/draft-07/schema#""#;
    check(
        &format!(r#"{{{seven}, "prefixItems": [true]}}"#),
        &[
            "error[schema-keyword] at /s/prefixItems: draft-07 has no `prefixItems` (help: leave `$schema` out: without it a schema is of draft 2020-12)",
        ],
    );
    check(
        &format!(
            r##"{{{seven}, "title": "t", "$ref": "#/definitions/a", "maxLength": 3, "definitions": {{"a": true}}}}"##
        ),
        &[
            "warning[schema-keyword] at /s/maxLength: `maxLength` is ignored beside `$ref` in draft-07 (help: put the `$ref` into an `allOf`, or leave `$schema` out)",
        ],
    );
    check(
        r#"{"format": "emial"}"#,
        &[
            "warning[schema-format] at /s/format: the format `emial` is not known, and not checked (help: did you mean `email`?)",
        ],
    );
    check(
        r#"{"format": "google-datetime"}"#,
        &[
            "warning[schema-format] at /s/format: the format `google-datetime` is not known, and not checked (help: write a `pattern` for what has to be checked)",
        ],
    );
    check(
        r#"{"format": "idn-hostname"}"#,
        &[
            "warning[schema-format] at /s/format: the format `idn-hostname` is checked in part (help: only names in ASCII pass: others are refused, whatever their alphabet)",
        ],
    );
    check(
        r#"{"x-a": 1, "discriminator": {"propertyName": "a"}, "example": 3, "xml": {}, "externalDocs": {}, "title": "t", "description": "d", "readOnly": true}"#,
        &[],
    );
}

#[test]
fn patterns() {
    let ahead = "the pattern looks ahead or behind, which takes backtracking (help: split it: several patterns in an `allOf` must all match, one in a `not` must not, and `minLength` and `maxLength` count)";
    for pattern in ["^(?=.*a)", "(?!a)b", "(?<=a)b", "(?<!a)b"] {
        check(
            &format!(r#"{{"pattern": "{pattern}"}}"#),
            &[&format!("error[schema-pattern] at /s/pattern: {ahead}")],
        );
        check(
            &format!(r#"{{"patternProperties": {{"{pattern}": true}}}}"#),
            &[&format!(
                "error[schema-pattern] at /s/patternProperties/{pattern}: {ahead}"
            )],
        );
    }
    for (pattern, expected) in [
        (
            r"(a)\\1",
            "the pattern refers back to a group, which takes backtracking (help: write out what may stand there; a pattern here takes time in the length of the text only)",
        ),
        (
            r"\\p{Alnum}",
            "the pattern is not a regular expression: Unicode property not found",
        ),
        (
            r"^\\A",
            "the pattern has a `\\A` that ECMA-262 does not have (help: the ends of the text are `^` and `$`)",
        ),
        (
            "a{1-70}",
            "the pattern has a `{` that counts nothing (help: a count is `{3}`, `{3,}` or `{3,7}`; a brace that stands for itself is `\\{`)",
        ),
        (
            "[[:alpha:]]",
            "the pattern has a class such as `[:alpha:]`, which ECMA-262 does not have (help: write `A-Za-z`, or `\\p{Letter}` for every alphabet)",
        ),
        (
            "a++",
            "the pattern has a `+` that repeats nothing (help: write a backslash before a character that stands for itself; `a++` and `a**` are not of ECMA-262)",
        ),
        (
            "(a",
            "the pattern has a parenthesis without its other half (help: a parenthesis that stands for itself is `\\(` or `\\)`)",
        ),
    ] {
        check(
            &format!(r#"{{"pattern": "{pattern}"}}"#),
            &[&format!("error[schema-pattern] at /s/pattern: {expected}")],
        );
    }
    let size = "error[schema-pattern-size] at /s/pattern";
    check(
        &format!(r#"{{"pattern": "{}"}}"#, "a".repeat(4097)),
        &[&format!(
            "{size}: the pattern is longer than 4096 bytes (help: write a list of words as an `enum`)"
        )],
    );
    check(
        r#"{"pattern": "^.{0,404600}$"}"#,
        &[&format!(
            "{size}: the pattern takes more than 10 MiB once compiled (help: say how long a string may be with `maxLength`, and take `*` or `+` in the pattern)"
        )],
    );
}

#[test]
fn names_that_stand_twice() {
    check(
        r#"{"type": "null", "type": "string", "const": {"a": 1, "a": 2}, "properties": {"b": true, "b": false}}"#,
        &[
            "error[duplicate-key] at /s/type: the key stands twice",
            "error[duplicate-key] at /s/const/a: the key stands twice",
            "error[duplicate-key] at /s/properties/b: the key stands twice",
        ],
    );
}

#[test]
fn numbers() {
    check(
        r#"{"enum": [1, 9007199254740993]}"#,
        &[
            "error[schema-number] at /s/enum/1: an integer from 2^53 cannot be compared exactly (help: let it be a string, or bound it with `minimum` and `maximum`)",
        ],
    );
    check(
        r#"{"maximum": 18446744073709551615, "minimum": -9223372036854775808}"#,
        &[],
    );
}

#[test]
fn sizes() {
    let deep = |depth: usize| {
        (0..depth).fold(Document::Bool(true), |inner, _| {
            Document::Object(vec![("not".to_owned(), inner)])
        })
    };
    let document = |text: &str| serde_json::from_str::<Document>(text).unwrap();
    let found = |document: &Document| {
        let mut diagnostics = Diagnostics::default();
        Schemas::new(None, Formats::Assert, &mut diagnostics).compile(
            document,
            "/s",
            &mut diagnostics,
        );
        diagnostics.into_list()
    };
    assert_eq!(found(&deep(64)), []);
    let deeper = found(&deep(65));
    assert_eq!(deeper.len(), 1);
    assert_eq!(deeper[0].code, code::SCHEMA_SIZE);
    assert_eq!(deeper[0].pointer.len(), "/s".len() + 65 * "/not".len());
    let many = format!(
        r#"{{"properties": {{{}}}}}"#,
        (0..20_000)
            .map(|i| format!(r#""p{i}": true"#))
            .collect::<Vec<_>>()
            .join(",")
    );
    let many = found(&document(&many));
    assert_eq!(many.len(), 1);
    assert_eq!(
        (&*many[0].code, &*many[0].pointer),
        (code::SCHEMA_SIZE, "/s")
    );
    // So many schemas within each other that no stack is sure to hold them.
    let chain: Vec<String> = (0..300)
        .map(|i| {
            format!(
                r##""d{i}": {{"allOf": [{{"$ref": "#/$defs/d{}"}}]}}"##,
                i + 1
            )
        })
        .collect();
    let chain = format!(
        r##"{{"$ref": "#/$defs/d0", "$defs": {{{}, "d300": true}}}}"##,
        chain.join(",")
    );
    let chain = found(&document(&chain));
    assert_eq!(chain.len(), 1);
    assert_eq!(
        (&*chain[0].code, &*chain[0].pointer),
        (code::SCHEMA_SIZE, "/s")
    );
    // Each refers twice to the next: two to the power of 20 judgements.
    let doubling: Vec<String> = (0..20).map(|i| format!(r##""d{i}": {{"allOf": [{{"$ref": "#/$defs/d{0}"}}, {{"$ref": "#/$defs/d{0}"}}]}}"##, i + 1)).collect();
    let doubling = format!(
        r##"{{"$ref": "#/$defs/d0", "$defs": {{{}, "d20": true}}}}"##,
        doubling.join(",")
    );
    let doubling = found(&document(&doubling));
    assert_eq!(doubling.len(), 1);
    assert_eq!(doubling[0].code, code::SCHEMA_SIZE);
}

#[test]
fn all_mistakes_are_found_at_once() {
    let named = [
        ("A", r#"{"type": 1}"#),
        ("B", r##"{"$ref": "#/schemas/C", "pattern": "("}"##),
    ];
    let found = findings(
        &named,
        r##"{"$ref": "#/schemas/A", "minLength": "x", "properties": {"a": {"$id": "x"}, "b": {"pattern": "\\1", "format": "zzz"}}}"##,
    );
    let codes: Vec<&str> = found
        .iter()
        .map(|found| found.split(':').next().unwrap())
        .collect();
    assert_eq!(
        codes,
        [
            "error[schema-invalid] at /schemas/A/type",
            "error[schema-pattern] at /schemas/B/pattern",
            "error[schema-ref] at /schemas/B/$ref",
            "error[schema-invalid] at /s/minLength",
            "error[schema-id] at /s/properties/a/$id",
            "error[schema-pattern] at /s/properties/b/pattern",
            "warning[schema-format] at /s/properties/b/format",
        ]
    );
}

#[test]
fn one_schema_that_is_wrong_leaves_the_others_alone() {
    let document = |text: &str| serde_json::from_str::<Document>(text).unwrap();
    let mut diagnostics = Diagnostics::default();
    let named = [(
        "A".to_owned(),
        document(r#"{"$defs": {"B": {"type": "null"}}}"#),
    )];
    let mut schemas = Schemas::new(Some(&named), Formats::Assert, &mut diagnostics);
    let mut compile = |text: &str| schemas.compile(&document(text), "/s", &mut diagnostics);
    let circle = r##"{"oneOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}], "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}"##;
    assert!(compile(circle).is_none());
    assert!(compile(r##"{"$ref": "#/schemas/A"}"##).is_some());
    // A part of a named schema that nothing referred to before.
    let late = compile(r##"{"$ref": "#/schemas/A/$defs/B"}"##).unwrap();
    assert_eq!(violations(&*late, &1.into()).len(), 1);
    assert_eq!(violations(&*late, &serde_json::Value::Null), []);
}

#[test]
fn every_code_of_schemas_is_shown_above() {
    let this = include_str!("mistakes.rs");
    let codes = code::ALL.iter().filter(|code| code.starts_with("schema-"));
    for code in codes {
        let constant = code.to_uppercase().replace('-', "_");
        assert!(
            this.contains(&format!("[{code}]")) || this.contains(&format!("code::{constant}")),
            "{code}"
        );
    }
}
