//! Bodies and queries made to cost: each kind in sizes n, 2n and 4n, of which the last is the one to fear.
//!
//! The limits on bodies are far above their defaults, so that nothing but the judgement itself is in the way.

use serde_json::{Value, json};

use crate::body::{Outcome, head};
use crate::traffic::Lines;

/// How many times n the sizes are.
pub(crate) const STEPS: [usize; 3] = [1, 2, 4];

/// One kind of request.
pub(crate) struct Hostile {
    pub(crate) name: &'static str,
    /// The largest size, in what the name says.
    pub(crate) most: usize,
    /// The request of one size, and what it is judged by.
    pub(crate) make: fn(usize) -> Traffic,
    pub(crate) outcome: Outcome,
}

/// A `validate`, and a request that meets it.
pub(crate) struct Traffic {
    pub(crate) validate: Value,
    pub(crate) head: Lines,
    pub(crate) body: Vec<u8>,
}

impl Traffic {
    /// With more members of `validate.body`.
    fn with(mut self, members: &Value) -> Self {
        let body = self.validate.get_mut("body").and_then(Value::as_object_mut);
        if let (Some(body), Value::Object(members)) = (body, members) {
            body.extend(members.clone());
        }
        self
    }
}

fn typed(content_type: &str, schema: &Value, body: String) -> Traffic {
    let body = body.into_bytes();
    let media_type = content_type.split(';').next();
    Traffic {
        validate: json!({"body": {
            "schema": schema,
            "content_types": [media_type],
            "max_bytes": "8MiB",
            "max_depth": 128,
            "max_keys": 1_000_000,
            "max_items": 1_000_000,
            "max_nodes": 10_000_000,
            "max_string_bytes": "8MiB",
        }}),
        head: head(content_type, body.len()),
        body,
    }
}

/// A JSON text and its schema.
fn judged(schema: &Value, body: String) -> Traffic {
    typed("application/json", schema, body)
}

/// An array of these texts.
fn items(schema: &Value, items: impl Iterator<Item = String>) -> Traffic {
    let items: Vec<String> = items.collect();
    judged(schema, format!("[{}]", items.join(",")))
}

/// An object with these members, each the number 1.
fn members(schema: &Value, names: impl Iterator<Item = String>) -> Traffic {
    let members: Vec<String> = names.map(|name| format!(r#""{name}":1"#)).collect();
    judged(schema, format!("{{{}}}", members.join(",")))
}

/// A string that a keyword reads.
fn string(schema: &Value, text: &str) -> Traffic {
    judged(schema, json!(text).to_string())
}

fn formatted(format: &str, text: &str) -> Traffic {
    string(&json!({"type": "string", "format": format}), text)
}

fn form(schema: &Value, body: String) -> Traffic {
    typed("application/x-www-form-urlencoded", schema, body)
}

/// A query to a route that knows `limit`, which is a number.
fn query(query: &str) -> Traffic {
    let mut traffic = judged(&json!(true), "1".to_owned());
    traffic.validate = json!({"query": {"limit": {"schema": {"type": "integer"}}}});
    for (name, value) in &mut traffic.head {
        if name == ":path" {
            *value = format!("/asked?{query}");
        }
    }
    traffic
}

fn long_names() -> impl Iterator<Item = String> {
    (0..).map(|at| format!("{}{at:0>9}", "n".repeat(200)))
}

/// Texts of a's and b's that do not repeat soon.
fn letters(count: usize) -> String {
    (0u64..)
        .map(|at| match at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 63 {
            0 => 'a',
            _ => 'b',
        })
        .take(count)
        .collect()
}

const MEGABYTE: usize = 1 << 20;
const STRING: usize = 1 << 16;
const COUNT: usize = 10_000;

const PASSED: Outcome = Outcome::Passed;
const MALFORMED: Outcome = Outcome::Refused(400);
const INVALID: Outcome = Outcome::Refused(422);

/// All kinds.
pub(crate) const ALL: [Hostile; 31] = [
    Hostile {
        name: "bytes of opening brackets",
        most: MEGABYTE,
        make: |bytes| judged(&json!(true), "[".repeat(bytes)),
        outcome: MALFORMED,
    },
    Hostile {
        name: "bytes of arrays 30 deep, in a schema as deep",
        most: 1 << 17,
        make: |bytes| {
            let deep = format!("{}{}", "[".repeat(29), "]".repeat(29));
            items(
                &json!({"type": "array", "items": {"$ref": "#"}}),
                std::iter::repeat_n(deep, bytes / 59),
            )
        },
        outcome: PASSED,
    },
    Hostile {
        name: "items, and no end",
        most: COUNT,
        make: |count| judged(&json!(true), "[1".to_owned() + &",1".repeat(count)),
        outcome: MALFORMED,
    },
    Hostile {
        name: "names that differ in their last bytes of 209",
        most: COUNT,
        make: |count| {
            let schema = json!({"additionalProperties": {"type": "integer"}});
            members(&schema, long_names().take(count))
        },
        outcome: PASSED,
    },
    Hostile {
        name: "such names, the last of which stands twice",
        most: COUNT,
        make: |count| {
            let twice = long_names().take(count).chain(long_names().take(1));
            members(&json!(true), twice)
        },
        outcome: MALFORMED,
    },
    Hostile {
        name: "such names, none of them allowed",
        most: COUNT,
        make: |count| {
            let schema = json!({"additionalProperties": false});
            members(&schema, long_names().take(count))
        },
        outcome: INVALID,
    },
    Hostile {
        name: "such names, each of the wrong pattern",
        most: COUNT,
        make: |count| {
            let schema = json!({"propertyNames": {"pattern": "^(n+)+$"}});
            members(&schema, long_names().take(count))
        },
        outcome: INVALID,
    },
    Hostile {
        name: "such names, that three branches leave unevaluated",
        most: COUNT,
        make: |count| {
            let branch = json!({"properties": {"a": true}, "patternProperties": {"^b": true}});
            let schema = json!({"allOf": [branch, branch, branch], "unevaluatedProperties": false});
            members(&schema, long_names().take(count))
        },
        outcome: INVALID,
    },
    Hostile {
        name: "bytes of escapes in a string",
        most: MEGABYTE,
        make: |bytes| {
            let text = r"\u0061".repeat(bytes / 6);
            judged(&json!({"maxLength": MEGABYTE}), format!(r#""{text}""#))
        },
        outcome: PASSED,
    },
    Hostile {
        name: "bytes of a's for `^(a+)+$`, and a b",
        most: STRING,
        make: |bytes| {
            let schema = json!({"pattern": "^(a+)+$"});
            string(&schema, &("a".repeat(bytes) + "b"))
        },
        outcome: INVALID,
    },
    Hostile {
        name: "bytes for a pattern of 2^200 states",
        most: STRING,
        make: |bytes| string(&json!({"pattern": "^[ab]*a[ab]{200}c$"}), &letters(bytes)),
        outcome: INVALID,
    },
    Hostile {
        name: "digits of one number",
        most: MEGABYTE,
        make: |digits| {
            judged(
                &json!({"type": "number"}),
                format!("0.{}", "7".repeat(digits)),
            )
        },
        outcome: PASSED,
    },
    Hostile {
        name: "items, all wrong",
        most: COUNT,
        make: |count| {
            let schema = json!({"items": {"type": "string"}});
            items(&schema, std::iter::repeat_n("1".to_owned(), count))
        },
        outcome: INVALID,
    },
    Hostile {
        name: "items, all wrong in each of five branches",
        most: COUNT,
        make: |count| {
            let branch =
                |name: &str| json!({"required": [name], "properties": {"a": {"const": name}}});
            let branches = ["b", "c", "d", "e", "f"].map(branch);
            let schema = json!({"items": {"anyOf": branches}});
            items(&schema, std::iter::repeat_n(r#"{"a":1}"#.to_owned(), count))
        },
        outcome: INVALID,
    },
    Hostile {
        name: "unique integers, of which one double stands for 2048",
        most: COUNT,
        make: |count| {
            let numbers = (0..count as u64).map(|at| (u64::MAX - at).to_string());
            items(&json!({"uniqueItems": true}), numbers)
        },
        outcome: PASSED,
    },
    Hostile {
        name: "unique arrays of nothing but arrays",
        most: COUNT,
        make: |count| {
            let empty = |bit: bool| if bit { "[[]]" } else { "[]" };
            let array = |at: usize| {
                (0..14)
                    .map(|bit| empty(at >> bit & 1 == 1))
                    .collect::<Vec<_>>()
            };
            let arrays = (0..count).map(|at| format!("[{}]", array(at).join(",")));
            items(&json!({"uniqueItems": true}), arrays)
        },
        outcome: PASSED,
    },
    Hostile {
        name: "levels of a union of three that nests, and a wrong leaf",
        most: 120,
        make: |levels| {
            let branch = |kind: &str| {
                json!({
                    "type": "object",
                    "required": ["kind", "of"],
                    "properties": {"kind": {"const": kind}, "of": {"$ref": "#"}},
                })
            };
            let leaf = json!({"type": "integer"});
            let schema = json!({"oneOf": [branch("all"), branch("any"), branch("not"), leaf]});
            let (open, close) = (r#"{"kind":"all","of":"#.repeat(levels), "}".repeat(levels));
            judged(&schema, format!(r#"{open}"1"{close}"#))
        },
        outcome: INVALID,
    },
    Hostile {
        name: "bytes of a `regex` that is too large",
        most: STRING,
        make: |bytes| formatted("regex", &r"\d".repeat(bytes / 2)),
        outcome: INVALID,
    },
    Hostile {
        name: "bytes of a `uri`, all escapes",
        most: STRING,
        make: |bytes| formatted("uri", &format!("http://a/{}", "%41".repeat(bytes / 3))),
        outcome: PASSED,
    },
    Hostile {
        name: "bytes of a `uri-template`",
        most: STRING,
        make: |bytes| formatted("uri-template", &"{a}".repeat(bytes / 3)),
        outcome: PASSED,
    },
    Hostile {
        name: "bytes of an `idn-hostname`",
        most: STRING,
        make: |bytes| formatted("idn-hostname", &"ü".repeat(bytes / 2)),
        outcome: INVALID,
    },
    Hostile {
        name: "bytes of a `date-time`'s fraction",
        most: STRING,
        make: |digits| {
            formatted(
                "date-time",
                &format!("2026-05-06T12:34:56.{}X", "7".repeat(digits)),
            )
        },
        outcome: INVALID,
    },
    Hostile {
        name: "bytes of a `json-pointer`",
        most: STRING,
        make: |bytes| formatted("json-pointer", &"/~0".repeat(bytes / 3)),
        outcome: PASSED,
    },
    Hostile {
        name: "numbers written as strings, read as pydantic does",
        most: COUNT,
        make: |count| {
            let schema = json!({"items": {"type": "integer"}});
            let texts = std::iter::repeat_n(r#"" 12.0 ""#.to_owned(), count);
            let mut traffic = items(&schema, texts);
            if let Some(validate) = traffic.validate.as_object_mut() {
                validate.insert("strictness".to_owned(), json!("pydantic"));
            }
            traffic
        },
        outcome: PASSED,
    },
    Hostile {
        name: "strings to be put in order",
        most: COUNT,
        make: |count| {
            let untidy = std::iter::repeat_n(r#"" A\u0042  C ""#.to_owned(), count);
            items(&json!(true), untidy)
                .with(&json!({"normalize": {"/*": ["trim", "collapse-whitespace", "lowercase"]}}))
        },
        outcome: Outcome::Rewritten,
    },
    Hostile {
        name: "bytes of white space in a string to be put in order",
        most: MEGABYTE,
        make: |bytes| {
            items(&json!(true), std::iter::once(json!(" A".repeat(bytes / 2)).to_string())).with(
                &json!({"normalize": {"/*": ["collapse-whitespace", "trim", "strip-control", "uppercase", "lowercase"]}}),
            )
        },
        outcome: Outcome::Rewritten,
    },
    Hostile {
        name: "bytes of `&` in a form",
        most: MEGABYTE,
        make: |bytes| form(&json!({"type": "object"}), "&".repeat(bytes)),
        outcome: PASSED,
    },
    Hostile {
        name: "fields of one name in a form",
        most: COUNT,
        make: |count| {
            let schema =
                json!({"properties": {"a": {"type": "array", "items": {"type": "integer"}}}});
            form(&schema, "a=%31&".repeat(count))
        },
        outcome: PASSED,
    },
    Hostile {
        name: "bytes of what is nearly a boundary",
        most: MEGABYTE,
        make: |bytes| {
            let near = "\r\n--b".repeat(bytes / 5);
            let body = format!(
                "--bb\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n{near}\r\n--bb--\r\n"
            );
            typed(
                "multipart/form-data; boundary=bb",
                &json!({"type": "object"}),
                body,
            )
        },
        outcome: PASSED,
    },
    Hostile {
        name: "unknown names in a query",
        most: COUNT,
        make: |count| {
            let pairs: Vec<String> = (0..count).map(|at| format!("n{at}=%31")).collect();
            query(&pairs.join("&"))
        },
        outcome: PASSED,
    },
    Hostile {
        name: "values of one parameter",
        most: COUNT,
        make: |count| query(&"limit=1&".repeat(count)),
        outcome: INVALID,
    },
];
