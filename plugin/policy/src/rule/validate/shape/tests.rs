use portcullis_config::Document;
use proptest::prelude::*;

use super::*;

fn document(text: &str) -> Document {
    if let Ok(boolean) = text.parse() {
        return Document::Bool(boolean);
    }
    Document::from_bytes(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn shape(schema: &str) -> Rc<Shape> {
    let named = [
        ("Level".to_owned(), document(r#"{"type":"integer"}"#)),
        (
            "a/b c".to_owned(),
            document(
                r##"{"$defs":{"x":{"type":"boolean"}},"type":"object","properties":{"x":{"$ref":"#/$defs/x"}}}"##,
            ),
        ),
    ];
    compile(&document(schema), &named)
}

const INTEGER: Types = Types::INTEGER;
const NUMBER: Types = Types::NUMBER;
const STRING: Types = Types::STRING;
const BOOLEAN: Types = Types::BOOLEAN;
const NULL: Types = Types::NULL;
const ARRAY: Types = Types::ARRAY;
const OBJECT: Types = Types::OBJECT;

#[test]
fn types_are_gathered() {
    let check = |schema: &str, expected: Types| {
        assert_eq!(shape(schema).reads(), expected, "{schema}");
    };
    check(r#"{"type":"integer"}"#, INTEGER);
    check(r#"{"type":"number"}"#, NUMBER);
    check(r#"{"type":["boolean","null"]}"#, BOOLEAN | NULL);
    check(r#"{"enum":["a",1,null]}"#, STRING | NUMBER | NULL);
    check(r#"{"type":"integer","enum":[1,2]}"#, INTEGER);
    check(r#"{"const":true}"#, BOOLEAN);
    check(
        r#"{"allOf":[{"type":["integer","string"]},{"type":"number"}]}"#,
        INTEGER,
    );
    check(
        r#"{"anyOf":[{"type":"integer"},{"type":"null"}]}"#,
        INTEGER | NULL,
    );
    check(
        r#"{"oneOf":[{"type":"integer"},{"type":"boolean"}]}"#,
        INTEGER | BOOLEAN,
    );
    check(
        r#"{"type":"string","anyOf":[{"type":"integer"},{"type":"string"}]}"#,
        STRING,
    );
    check(
        r##"{"$ref":"#/$defs/n","$defs":{"n":{"type":"integer"}}}"##,
        INTEGER,
    );
    check(r##"{"$ref":"#/schemas/Level"}"##, INTEGER);
    check(r##"{"$ref":"#/schemas/a~1b%20c"}"##, OBJECT);
    check(r##"{"$ref":"#/schemas/a~1b%20c/properties/x"}"##, BOOLEAN);
    // Beside a `$ref` keywords count, but in draft-07.
    check(
        r##"{"$ref":"#/$defs/n","type":"integer","$defs":{"n":{"type":["integer","null"]}}}"##,
        INTEGER,
    );
    check(
        r##"{"$schema":"http://json-schema.org/draft-07/schema#","$ref":"#/$defs/n","type":"integer","$defs":{"n":{"type":["integer","null"]}}}"##,
        INTEGER | NULL,
    );
    check(
        r#"{"if":{"minimum":5},"then":{"type":"integer"},"else":{"type":"boolean"}}"#,
        INTEGER | BOOLEAN,
    );
    // Where no type is asked for, text stays text, unless other types are spoken of.
    check("{}", STRING);
    check("true", STRING);
    check("false", STRING);
    check(r#"{"minLength":3}"#, STRING);
    check(r#"{"pattern":"^a"}"#, STRING);
    check(r#"{"minimum":3}"#, NUMBER | STRING);
    check(r#"{"format":"int32"}"#, NUMBER | STRING);
    check(r#"{"not":{"const":5}}"#, NUMBER | STRING);
    check(r#"{"not":{"enum":["5"]}}"#, STRING);
    check(r#"{"items":{"type":"integer"}}"#, ARRAY | STRING);
    check(r#"{"anyOf":[{"type":"integer"},{}]}"#, INTEGER | STRING);
    // What leads nowhere, and what leads back to itself, is open.
    check(r##"{"$ref":"#/$defs/none"}"##, STRING);
    check(r##"{"$ref":"https://example.com/x.json"}"##, STRING);
    check(r##"{"$ref":"#"}"##, STRING);
    check(r##"{"$ref":"#","type":"integer"}"##, INTEGER);
    check(
        r##"{"allOf":[{"$ref":"#"},{"$ref":"#"}],"type":"integer"}"##,
        INTEGER,
    );
}

#[test]
fn parts_are_gathered() {
    let check = |schema: &str, way: &[&str], expected: Types| {
        let mut at: &Shape = &shape(schema);
        for step in way {
            at = match step.parse() {
                Ok(index) => at.item(index),
                Err(_) => at.member(step),
            };
        }
        assert_eq!(at.reads(), expected, "{schema} {way:?}");
    };
    check(
        r#"{"type":"array","items":{"type":"integer"}}"#,
        &["7"],
        INTEGER,
    );
    check(r#"{"type":"array"}"#, &["7"], STRING);
    let pair = r#"{"prefixItems":[{"type":"integer"}],"items":{"type":"boolean"}}"#;
    check(pair, &["0"], INTEGER);
    check(pair, &["1"], BOOLEAN);
    let old = r#"{"items":[{"type":"integer"}],"additionalItems":{"type":"boolean"}}"#;
    check(old, &["0"], INTEGER);
    check(old, &["1"], BOOLEAN);
    let object = r#"{"properties":{"b":{"type":"boolean"},"a":{"type":"integer"}},"additionalProperties":{"type":"number"}}"#;
    check(object, &["a"], INTEGER);
    check(object, &["b"], BOOLEAN);
    check(object, &["c"], NUMBER);
    let all = r#"{"allOf":[{"properties":{"a":{"type":["integer","string"]}}},{"properties":{"a":{"type":"number"},"b":{"type":"boolean"}}}]}"#;
    check(all, &["a"], INTEGER);
    check(all, &["b"], BOOLEAN);
    let nullable =
        r#"{"anyOf":[{"type":"object","properties":{"a":{"type":"integer"}}},{"type":"null"}]}"#;
    check(nullable, &["a"], INTEGER);
    // One of two objects says nothing of the other's members: they may be anything.
    let either = r#"{"anyOf":[{"type":"object","properties":{"a":{"type":"integer"}}},{"type":"object","properties":{"b":{"type":"string"},"a":{"type":"boolean"}}}]}"#;
    check(either, &["a"], INTEGER | BOOLEAN);
    check(either, &["b"], STRING);
    let open =
        r#"{"anyOf":[{"type":"object","properties":{"a":{"type":"integer"}}},{"type":"object"}]}"#;
    check(open, &["a"], INTEGER | STRING);
    check(
        r#"{"patternProperties":{"^x":{"type":"integer"}},"additionalProperties":false}"#,
        &["x1"],
        INTEGER,
    );
    check(
        r#"{"patternProperties":{"^x":{"type":"integer"}}}"#,
        &["x1"],
        INTEGER | STRING,
    );
    let tree = r##"{"type":"object","properties":{"v":{"type":"integer"},"l":{"$ref":"#"},"r":{"$ref":"#"}}}"##;
    check(tree, &["l", "r", "l", "v"], INTEGER);
    check(tree, &["l"; 200], STRING);
}

#[test]
fn whatever_a_schema_is_its_shape_is_soon_made() {
    let refs = |count: usize| vec![r##"{"$ref":"#"}"##; count].join(",");
    let properties: Vec<String> = (0..50)
        .map(|n| format!(r##""p{n}":{{"$ref":"#"}}"##))
        .collect();
    for schema in [
        format!(r#"{{"anyOf":[{}]}}"#, refs(100)),
        format!(
            r#"{{"allOf":[{}],"items":{{"oneOf":[{}]}}}}"#,
            refs(30),
            refs(30)
        ),
        format!(r#"{{"properties":{{{}}}}}"#, properties.join(",")),
        format!(
            r#"{{"anyOf":[{}],"properties":{{{}}},"additionalProperties":{{"allOf":[{}]}}}}"#,
            refs(5),
            properties.join(","),
            refs(5)
        ),
        format!("{}{{}}{}", r#"{"items":"#.repeat(120), "}".repeat(120)),
        format!("{}{{}}{}", r#"{"not":"#.repeat(120), "}".repeat(120)),
    ] {
        let start = std::time::Instant::now();
        shape(&schema);
        let took = start.elapsed();
        assert!(took.as_secs() < 5, "{took:?}: {schema}");
    }
}

proptest! {
    #[test]
    fn no_document_panics(text in r##"\{("(type|enum|items|\$ref|anyOf|properties|prefixItems|not|if|then)":("integer"|"#"|"#/items"|"#/schemas/"|\[\]|\[\{"type":"null"\},1\]|\{"a":\{"\$ref":"#"\}\}|null|7|true),){0,6}"x":0\}"##) {
        shape(&text);
    }
}
