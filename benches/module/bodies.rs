//! The bodies that validation is measured with: a card of 126 bytes, predictions of 1,823 with 170 numbers in them, and 300 records in
//! 92,250. Each as its schema asks, in breach of it, and untidy in strings that a policy would put in order.

use serde_json::{Value, json};

/// One size of body with its schema.
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) schema: Value,
    /// What the schema asks for.
    pub(crate) valid: String,
    /// A valid one in several places of which something is wrong.
    pub(crate) bad: String,
    /// `normalize` that leaves the valid one as it is, and makes it of the untidy one.
    pub(crate) normalize: Value,
    pub(crate) untidy: String,
}

/// All sizes, the smallest first.
pub(crate) fn samples() -> [Sample; 3] {
    [small(), medium(), large()]
}

/// A `validate.body` that has room for each of them; `members` are added.
pub(crate) fn section(members: &Value) -> Value {
    let mut section = json!({"max_bytes": "128KiB"});
    if let (Some(section), Value::Object(members)) = (section.as_object_mut(), members) {
        section.extend(members.clone());
    }
    section
}

/// A policy with one route, which validates so.
pub(crate) fn policy(validate: &Value) -> Value {
    json!({"version": 1, "routes": [{"name": "asked", "path": "/asked", "validate": validate}]})
}

fn small() -> Sample {
    let text = padded(126, |note| {
        json!({"joker": {"kind": "double", "round": 3}, "note": note, "player_name": "Ada", "token": TOKEN}).to_string()
    });
    Sample {
        name: "small",
        schema: json!({
            "$defs": {"Double": {
                "type": "object",
                "additionalProperties": false,
                "required": ["kind", "round"],
                "properties": {"kind": {"const": "double"}, "round": {"type": "integer", "minimum": 1, "maximum": 20}},
            }},
            "type": "object",
            "additionalProperties": false,
            "required": ["player_name", "token", "joker"],
            "properties": {
                "player_name": {"type": "string", "minLength": 1, "maxLength": 40},
                "token": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
                "joker": {"$ref": "#/$defs/Double"},
                "note": {"type": "string", "maxLength": 140},
            },
        }),
        bad: changed(
            &text,
            &[
                ("/player_name", json!("")),
                ("/token", json!("no token")),
                ("/joker/kind", json!("triple")),
                ("/joker/round", json!(0)),
            ],
        ),
        normalize: json!({"/token": ["trim", "lowercase"]}),
        untidy: text.replace(TOKEN, &TOKEN.to_uppercase()),
        valid: text,
    }
}

fn medium() -> Sample {
    let mut random = Random(7);
    let numbers: Vec<f64> = (0..170).map(|_| random.decimal()).collect();
    let text = padded(1_823, |note| {
        json!({
            "match_id": random_id(1),
            "player": {"name": "Ada", "token": TOKEN},
            "prediction": {"note": note, "round": 3, "values": numbers},
        })
        .to_string()
    });
    let wrong: Vec<(String, Value)> = (0..4)
        .map(|at| (format!("/prediction/values/{}", at * 40), json!("much")))
        .chain((1..4).map(|at| (format!("/prediction/values/{}", at * 50), json!(1000.5))))
        .chain([("/player/name".to_owned(), json!(""))])
        .collect();
    let wrong: Vec<(&str, Value)> = wrong
        .iter()
        .map(|(at, value)| (at.as_str(), value.clone()))
        .collect();
    Sample {
        name: "medium",
        schema: json!({
            "$defs": {
                "Player": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["name", "token"],
                    "properties": {"name": {"$ref": "#/$defs/Name"}, "token": {"type": "string", "pattern": "^[0-9a-f]{32}$"}},
                },
                "Name": {"type": "string", "minLength": 1, "maxLength": 40},
                "Prediction": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["round", "values"],
                    "properties": {
                        "round": {"type": "integer", "minimum": 1, "maximum": 20},
                        "values": {"type": "array", "minItems": 1, "maxItems": 1000, "items": {"$ref": "#/$defs/Value"}},
                        "note": {"type": "string", "maxLength": 500},
                    },
                },
                "Value": {"type": "number", "minimum": -1000, "maximum": 1000},
            },
            "type": "object",
            "additionalProperties": false,
            "required": ["match_id", "player", "prediction"],
            "properties": {
                "match_id": {"type": "string", "format": "uuid"},
                "player": {"$ref": "#/$defs/Player"},
                "prediction": {"$ref": "#/$defs/Prediction"},
            },
        }),
        bad: changed(&text, &wrong),
        normalize: json!({"/player/token": ["trim", "lowercase"]}),
        untidy: text.replace(TOKEN, &TOKEN.to_uppercase()),
        valid: text,
    }
}

fn large() -> Sample {
    const RECORDS: u64 = 300;
    let mut random = Random(11);
    let records: Vec<String> = (0..RECORDS)
        .map(|at| {
            let (confidence, score) = (random.share(), random.decimal());
            padded(305, |note| {
                json!({
                    "confidence": confidence,
                    "final": at % 2 == 0,
                    "id": random_id(2 * at),
                    "made": format!("2026-05-{:02}T{:02}:{:02}:56.789Z", at % 28 + 1, at % 24, at % 60),
                    "note": note,
                    "player_id": random_id(2 * at + 1),
                    "round": at % 20 + 1,
                    "score": score,
                })
                .to_string()
            })
        })
        .collect();
    let text = padded(92_250, |source| {
        format!(
            r#"{{"records":[{}],"source":"{source}"}}"#,
            records.join(",")
        )
    });
    let ids: Vec<(String, String)> = (0..RECORDS)
        .map(|at| (format!("/records/{at}/id"), random_id(2 * at)))
        .collect();
    let shouted: Vec<(&str, Value)> = ids
        .iter()
        .map(|(at, id)| (at.as_str(), json!(id.to_uppercase())))
        .collect();
    let wrong: Vec<(&str, Value)> = ids
        .iter()
        .step_by(10)
        .map(|(at, _)| (at.as_str(), json!("no id")))
        .collect();
    Sample {
        name: "large",
        schema: json!({
            "$defs": {"Record": {
                "type": "object",
                "additionalProperties": false,
                "required": ["id", "player_id", "made", "round", "score"],
                "properties": {
                    "confidence": {"type": "number", "minimum": 0, "maximum": 1},
                    "final": {"type": "boolean"},
                    "id": {"type": "string", "format": "uuid"},
                    "made": {"type": "string", "format": "date-time"},
                    "note": {"type": "string", "maxLength": 500},
                    "player_id": {"type": "string", "format": "uuid"},
                    "round": {"type": "integer", "minimum": 1, "maximum": 20},
                    "score": {"type": "number", "minimum": -1000, "maximum": 1000},
                },
            }},
            "type": "object",
            "additionalProperties": false,
            "required": ["records"],
            "properties": {
                "records": {"type": "array", "maxItems": 1000, "items": {"$ref": "#/$defs/Record"}},
                "source": {"type": "string", "maxLength": 1000},
            },
        }),
        bad: changed(&text, &wrong),
        normalize: json!({"/records/*/id": ["trim", "lowercase"]}),
        untidy: changed(&text, &shouted),
        valid: text,
    }
}

const TOKEN: &str = "b1946ac92492d2347c6235b4d2611184";

/// A text with a member of as many bytes as make the whole so long.
fn padded(length: usize, text: impl Fn(&str) -> String) -> String {
    let missing = length.saturating_sub(text("").len());
    text(&"n".repeat(missing))
}

/// The text with other values at these pointers.
fn changed(text: &str, changes: &[(&str, Value)]) -> String {
    let mut value: Value = serde_json::from_str(text).unwrap_or_default();
    for (pointer, other) in changes {
        if let Some(member) = value.pointer_mut(pointer) {
            *member = other.clone();
        }
    }
    value.to_string()
}

/// Always the same numbers (Knuth's MMIX generator), so that runs on two days are of the same bodies.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 11
    }

    /// Of three decimals, from 0 to 1.
    fn share(&mut self) -> f64 {
        (self.next() % 1000) as f64 / 1000.0
    }

    /// Of three decimals, from -1000 to 1000.
    fn decimal(&mut self) -> f64 {
        ((self.next() % 2_000_000) as f64 - 1_000_000.0) / 1000.0
    }
}

/// A UUID that is always the same.
fn random_id(seed: u64) -> String {
    let mut random = Random(seed);
    let mut digits = |count: usize| -> String {
        let number = format!("{:016x}", random.next());
        number.chars().rev().take(count).collect()
    };
    format!(
        "{}-{}-4{}-a{}-{}",
        digits(8),
        digits(4),
        digits(3),
        digits(3),
        digits(12)
    )
}
