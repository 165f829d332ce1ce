//! Schemas at random, and values that nearly fit them.

use serde_json::{Map, Value, json};

use super::super::keyword::Draft;

/// A sequence that is the same on every run.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Splitmix.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub(super) fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn of<'t, T>(&mut self, list: &'t [T]) -> &'t T {
        &list[self.below(list.len())]
    }
}

const NAMES: &[&str] = &["a", "b", "c", "ab", "x_1", "$ref", "é", "a/b~c"];
const DEFINED: &[&str] = &["p", "q", "r"];
/// Patterns with a text that matches.
const PATTERNS: &[(&str, &str)] = &[
    ("^[a-z]+$", "ab"),
    ("\\d", "x1"),
    ("^\\w{1,3}$", "a_1"),
    ("^\\S+$", "é"),
    ("\\s", "a b"),
    ("a|b", "b"),
    ("^(?:ab)?c?$", ""),
    ("\\p{Letter}", "é"),
    ("[^a-c]", "d"),
    ("^\\$ref$", "$ref"),
    ("^.b", "ab"),
];
const TEXTS: &[&str] = &[
    "",
    "a",
    "ab",
    "abc",
    "b",
    "x1",
    "a b",
    "é",
    "\u{661}",
    "\u{a0}",
    "A",
    "hello",
    "$ref",
    "1.2.3.4",
    "2024-02-29",
    "2023-02-29",
    "2024-05-05T12:34:56Z",
    "123e4567-e89b-12d3-a456-426614174000",
    "::1",
];
const FORMATS: &[(&str, &str)] = &[
    ("uuid", "123e4567-e89b-12d3-a456-426614174000"),
    ("date", "2024-02-29"),
    ("date-time", "2024-05-05T12:34:56Z"),
    ("ipv4", "1.2.3.4"),
    ("ipv6", "::1"),
];
const NUMBERS: &[f64] = &[
    -7.0, -1.0, -0.5, 0.0, 0.1, 0.3, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0, 19.99, 1e3,
];

/// Makes schemas of one draft.
pub(super) struct Generator<'d> {
    pub(super) dice: &'d mut Dice,
    pub(super) draft: Draft,
    /// References from here lead to definitions after this one only, so that they end.
    defined: usize,
}

impl<'d> Generator<'d> {
    pub(super) fn new(dice: &'d mut Dice, draft: Draft) -> Self {
        Self {
            dice,
            draft,
            defined: 0,
        }
    }

    /// A whole document.
    pub(super) fn document(&mut self) -> Value {
        let mut definitions = Map::new();
        for (index, name) in DEFINED.iter().enumerate() {
            self.defined = index + 1;
            let mut schema = self.members(2);
            if self.draft == Draft::Latest {
                let keyword = *self.dice.of(&["$anchor", "$dynamicAnchor"]);
                schema.insert(keyword.into(), format!("at_{name}").into());
            }
            definitions.insert((*name).into(), schema.into());
        }
        self.defined = 0;
        let mut root = match self.schema(3, true) {
            Value::Object(members) => members,
            _ => self.members(3),
        };
        let keyword = *self.dice.of(&["$defs", "definitions"]);
        root.insert(keyword.into(), Value::Object(definitions));
        if self.draft == Draft::Seven {
            root.insert(
                "$schema".into(),
                "http://json-schema.org/draft-07/schema#".into(),
            );
        }
        let mut root = Value::Object(root);
        aim(&mut root, &format!("#/{keyword}/"));
        root
    }

    /// `apart`: whether it judges another value than the schema around it.
    fn schema(&mut self, depth: usize, apart: bool) -> Value {
        if self.dice.once_in(40) {
            return Value::Bool(!self.dice.once_in(4));
        }
        let refers = self.dice.once_in(6);
        if let Some(reference) = refers.then(|| self.reference(apart)).flatten() {
            return reference;
        }
        Value::Object(self.members(depth))
    }

    fn reference(&mut self, apart: bool) -> Option<Value> {
        let from = if apart { 0 } else { self.defined };
        let name = *DEFINED.get(from + self.dice.below(3))?;
        let anchor = self.draft == Draft::Latest && self.dice.once_in(4);
        let target = if anchor {
            format!("#at_{name}")
        } else {
            format!("#/DEFINED/{name}")
        };
        let mut reference = json!({ "$ref": target });
        if self.draft == Draft::Latest && self.dice.once_in(3) {
            reference["maxProperties"] = 3.into();
            reference["description"] = "more beside it".into();
        }
        Some(reference)
    }

    fn members(&mut self, depth: usize) -> Map<String, Value> {
        let mut map = Map::new();
        if self.dice.once_in(12) {
            let values: Vec<Value> = (0..=self.dice.below(3)).map(|_| self.value(1)).collect();
            if self.dice.once_in(2) {
                map.insert("const".into(), values[0].clone());
            } else {
                map.insert("enum".into(), values.into());
            }
            return map;
        }
        let kinds = [
            "integer", "number", "string", "array", "object", "boolean", "null",
        ];
        let kind = if depth == 0 {
            *self
                .dice
                .of(&["integer", "number", "string", "string", "boolean", "null"])
        } else {
            *self.dice.of(&[
                "integer", "number", "string", "array", "array", "object", "object", "object",
            ])
        };
        if !self.dice.once_in(5) {
            let types = if self.dice.once_in(5) {
                let other = *self.dice.of(&kinds);
                if other == kind {
                    json!([kind])
                } else {
                    json!([kind, other])
                }
            } else {
                json!(kind)
            };
            map.insert("type".into(), types);
        }
        match kind {
            "integer" | "number" => self.number(&mut map),
            "string" => self.string(&mut map),
            "array" => self.array(&mut map, depth),
            "object" => self.object(&mut map, depth),
            _ => {}
        }
        if depth > 0 && self.dice.once_in(5) {
            self.combined(&mut map, depth);
        }
        if self.dice.once_in(8) {
            self.noted(&mut map);
        }
        map
    }

    fn number(&mut self, map: &mut Map<String, Value>) {
        for keyword in ["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"] {
            if self.dice.once_in(5) {
                let low = keyword.ends_with("inimum");
                let at = self.dice.below(8) + if low { 0 } else { 7 };
                map.insert(keyword.into(), NUMBERS[at].into());
            }
        }
        if self.dice.once_in(4) {
            let by = *self.dice.of(&[1.0, 2.0, 3.0, 0.5, 0.1, 0.01, 1.5]);
            map.insert("multipleOf".into(), by.into());
        }
    }

    fn string(&mut self, map: &mut Map<String, Value>) {
        if self.dice.once_in(4) {
            map.insert("minLength".into(), self.dice.below(3).into());
        }
        if self.dice.once_in(4) {
            map.insert("maxLength".into(), (1 + self.dice.below(5)).into());
        }
        if self.dice.once_in(3) {
            map.insert("pattern".into(), self.dice.of(PATTERNS).0.into());
        } else if self.dice.once_in(4) {
            // The oracle has no UUIDs in draft-07.
            let from = usize::from(self.draft == Draft::Seven);
            map.insert("format".into(), self.dice.of(&FORMATS[from..]).0.into());
        }
    }

    fn array(&mut self, map: &mut Map<String, Value>, depth: usize) {
        let list = |this: &mut Self| -> Value {
            (0..=this.dice.below(2))
                .map(|_| this.schema(depth - 1, true))
                .collect()
        };
        if self.dice.once_in(3) {
            let prefix = list(self);
            let (first, rest) = match self.draft {
                Draft::Latest => ("prefixItems", "items"),
                Draft::Seven => ("items", "additionalItems"),
            };
            map.insert(first.into(), prefix);
            if self.dice.once_in(2) {
                map.insert(rest.into(), self.schema(depth - 1, true));
            }
        } else if !self.dice.once_in(5) {
            map.insert("items".into(), self.schema(depth - 1, true));
        }
        if self.dice.once_in(4) {
            map.insert("minItems".into(), self.dice.below(3).into());
        }
        if self.dice.once_in(4) {
            map.insert("maxItems".into(), (1 + self.dice.below(4)).into());
        }
        if self.dice.once_in(4) {
            map.insert("uniqueItems".into(), (!self.dice.once_in(5)).into());
        }
        if self.dice.once_in(5) {
            map.insert("contains".into(), self.schema(depth - 1, true));
            if self.draft == Draft::Latest {
                if self.dice.once_in(2) {
                    map.insert("minContains".into(), self.dice.below(3).into());
                }
                if self.dice.once_in(2) {
                    map.insert("maxContains".into(), (1 + self.dice.below(2)).into());
                }
            }
        }
        if self.draft == Draft::Latest && self.dice.once_in(6) {
            map.insert("unevaluatedItems".into(), self.schema(depth - 1, true));
        }
    }

    fn object(&mut self, map: &mut Map<String, Value>, depth: usize) {
        let by_name = |this: &mut Self, most: usize, apart: bool| -> Value {
            let members: Map<String, Value> = (0..=this.dice.below(most))
                .map(|_| ((*this.dice.of(NAMES)).into(), this.schema(depth - 1, apart)))
                .collect();
            members.into()
        };
        let names = |this: &mut Self| -> Value {
            let mut names: Vec<&str> = (0..this.dice.below(3))
                .map(|_| *this.dice.of(NAMES))
                .collect();
            names.sort_unstable();
            names.dedup();
            json!(names)
        };
        if !self.dice.once_in(6) {
            map.insert("properties".into(), by_name(self, 3, true));
        }
        if self.dice.once_in(3) {
            map.insert("required".into(), names(self));
        }
        if self.dice.once_in(4) {
            let rest = if self.dice.once_in(2) {
                json!(false)
            } else {
                self.schema(depth - 1, true)
            };
            map.insert("additionalProperties".into(), rest);
        }
        if self.dice.once_in(5) {
            let pattern = self.dice.of(PATTERNS).0;
            map.insert(
                "patternProperties".into(),
                json!({ pattern: self.schema(depth - 1, true) }),
            );
        }
        if self.dice.once_in(8) {
            let mut inner = Map::new();
            self.string(&mut inner);
            map.insert("propertyNames".into(), inner.into());
        }
        if self.dice.once_in(8) {
            map.insert("minProperties".into(), self.dice.below(3).into());
        }
        if self.dice.once_in(8) {
            map.insert("maxProperties".into(), (1 + self.dice.below(3)).into());
        }
        let on = *self.dice.of(NAMES);
        match self.draft {
            Draft::Latest => {
                if self.dice.once_in(8) {
                    map.insert("dependentRequired".into(), json!({ on: names(self) }));
                }
                if self.dice.once_in(8) {
                    map.insert(
                        "dependentSchemas".into(),
                        json!({ on: self.schema(depth - 1, false) }),
                    );
                }
                if self.dice.once_in(6) {
                    map.insert("unevaluatedProperties".into(), self.schema(depth - 1, true));
                }
            }
            Draft::Seven if self.dice.once_in(5) => {
                let on_schema = self.dice.once_in(2);
                let what = if on_schema {
                    self.schema(depth - 1, false)
                } else {
                    names(self)
                };
                map.insert("dependencies".into(), json!({ on: what }));
            }
            Draft::Seven => {}
        }
    }

    fn combined(&mut self, map: &mut Map<String, Value>, depth: usize) {
        let keyword = *self
            .dice
            .of(&["allOf", "anyOf", "anyOf", "oneOf", "oneOf", "not", "if"]);
        match keyword {
            "not" => drop(map.insert("not".into(), self.schema(depth - 1, false))),
            "if" => {
                for keyword in ["if", "then", "else"] {
                    if keyword == "if" || !self.dice.once_in(4) {
                        map.insert(keyword.into(), self.schema(depth - 1, false));
                    }
                }
            }
            "oneOf" | "anyOf" if self.dice.once_in(2) => {
                // As pydantic writes a tagged union.
                let alternatives: Vec<Value> = ["k", "l", "m"]
                    .into_iter()
                    .map(|tag| {
                        let mut schema = json!({ "type": "object", "properties": { "a": { "const": tag }, "b": self.schema(depth - 1, true) } });
                        if self.dice.once_in(2) {
                            schema["required"] = json!(["a"]);
                        }
                        schema
                    })
                    .collect();
                map.clear();
                map.insert(keyword.into(), alternatives.into());
            }
            keyword => {
                let schemas: Vec<Value> = (0..=1 + self.dice.below(2))
                    .map(|_| self.schema(depth - 1, false))
                    .collect();
                map.insert(keyword.into(), schemas.into());
            }
        }
    }

    fn noted(&mut self, map: &mut Map<String, Value>) {
        let note = match self.dice.below(9) {
            0 => ("title", json!("a title")),
            1 => ("description", json!("what it is")),
            2 => ("$comment", json!("a comment")),
            3 => ("default", json!({ "$ref": "no reference" })),
            4 => ("examples", json!([{ "type": 3 }])),
            5 => ("readOnly", json!(true)),
            6 => ("writeOnly", json!(false)),
            7 => ("contentEncoding", json!("x-none")),
            _ => ("contentMediaType", json!("text/plain")),
        };
        map.insert(note.0.into(), note.1);
        if self.dice.once_in(4) {
            map.insert("deprecated".into(), true.into());
        }
        if self.draft == Draft::Latest && self.dice.once_in(4) {
            map.insert("contentSchema".into(), json!({ "type": "string" }));
        }
    }

    /// Any value.
    pub(super) fn value(&mut self, depth: usize) -> Value {
        match self.dice.below(if depth == 0 { 6 } else { 9 }) {
            0 => Value::Null,
            1 => self.dice.once_in(2).into(),
            2 => number(*self.dice.of(NUMBERS)),
            3 => (self.dice.below(8) as i64 - 2).into(),
            4 | 5 => (*self.dice.of(TEXTS)).into(),
            6 => (0..self.dice.below(4))
                .map(|_| self.value(depth - 1))
                .collect(),
            _ => (0..self.dice.below(4))
                .map(|_| ((*self.dice.of(NAMES)).to_owned(), self.value(depth - 1)))
                .collect(),
        }
    }

    /// A value that has a fair chance to fit.
    pub(super) fn fitting(&mut self, schema: &Value, root: &Value, depth: usize) -> Value {
        let Value::Object(members) = schema else {
            return self.value(1);
        };
        if depth == 0 {
            return self.value(0);
        }
        if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
            let target = match reference.strip_prefix("#at_") {
                Some(name) => ["$defs", "definitions"]
                    .iter()
                    .find_map(|keyword| root.get(keyword)?.get(name)),
                None => root.pointer(reference.trim_start_matches('#')),
            };
            return self.fitting(target.unwrap(), root, depth - 1);
        }
        if let Some(value) = members.get("const") {
            return value.clone();
        }
        if let Some(values) = members.get("enum").and_then(Value::as_array) {
            return self.dice.of(values).clone();
        }
        for keyword in ["oneOf", "anyOf", "allOf"] {
            if let Some(list) = members.get(keyword).and_then(Value::as_array) {
                let one = self.dice.of(list);
                return self.fitting(one, root, depth - 1);
            }
        }
        let kind = match members.get("type") {
            Some(Value::String(kind)) => kind.clone(),
            Some(Value::Array(kinds)) => self.dice.of(kinds).as_str().unwrap().to_owned(),
            _ if members.contains_key("properties") => "object".into(),
            _ if members.contains_key("items") => "array".into(),
            _ => return self.value(1),
        };
        let count = |keyword: &str| members.get(keyword).and_then(Value::as_u64);
        match kind.as_str() {
            "null" => Value::Null,
            "boolean" => self.dice.once_in(2).into(),
            "integer" | "number" => self.fitting_number(members, kind == "integer"),
            "string" => self.fitting_text(members).into(),
            "array" => {
                let prefix = ["prefixItems", "items"]
                    .iter()
                    .find_map(|keyword| members.get(*keyword)?.as_array())
                    .map_or(&[][..], Vec::as_slice);
                let rest = ["additionalItems", "items"]
                    .iter()
                    .find_map(|keyword| members.get(*keyword).filter(|schema| !schema.is_array()));
                let least = count("minItems").unwrap_or(0) as usize;
                let wanted = least
                    .max(self.dice.below(4))
                    .min(count("maxItems").unwrap_or(9) as usize);
                (0..wanted)
                    .map(|index| match prefix.get(index).or(rest) {
                        Some(schema) => self.fitting(schema, root, depth - 1),
                        None => self.value(0),
                    })
                    .collect()
            }
            _ => {
                let mut object = Map::new();
                if let Some(Value::Object(properties)) = members.get("properties") {
                    for (name, schema) in properties {
                        if !self.dice.once_in(3) {
                            object.insert(name.clone(), self.fitting(schema, root, depth - 1));
                        }
                    }
                }
                for name in members
                    .get("required")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                {
                    let name = name.as_str().unwrap();
                    if !object.contains_key(name) {
                        let schema = members.get("properties").and_then(|all| all.get(name));
                        let value =
                            self.fitting(schema.unwrap_or(&Value::Bool(true)), root, depth - 1);
                        object.insert(name.into(), value);
                    }
                }
                object.into()
            }
        }
    }

    fn fitting_number(&mut self, members: &Map<String, Value>, whole: bool) -> Value {
        for _ in 0..8 {
            let n = if whole {
                self.dice.below(14) as f64 - 4.0
            } else {
                *self.dice.of(NUMBERS)
            };
            let bound = |keyword: &str| members.get(keyword).and_then(Value::as_f64);
            let fits = bound("minimum").is_none_or(|low| n >= low)
                && bound("maximum").is_none_or(|high| n <= high)
                && bound("exclusiveMinimum").is_none_or(|low| n > low)
                && bound("exclusiveMaximum").is_none_or(|high| n < high);
            if fits {
                return number(n);
            }
        }
        self.value(0)
    }

    fn fitting_text(&mut self, members: &Map<String, Value>) -> String {
        let known = |keyword: &str, list: &[(&str, &'static str)]| {
            let name = members.get(keyword)?.as_str()?;
            list.iter()
                .find(|(known, _)| *known == name)
                .map(|(_, text)| *text)
        };
        if let Some(text) = known("pattern", PATTERNS).or_else(|| known("format", FORMATS)) {
            return text.into();
        }
        let count = |keyword: &str| members.get(keyword).and_then(Value::as_u64);
        let (least, most) = (
            count("minLength").unwrap_or(0),
            count("maxLength").unwrap_or(99),
        );
        for _ in 0..8 {
            let text = *self.dice.of(TEXTS);
            if (least..=most).contains(&(text.chars().count() as u64)) {
                return text.into();
            }
        }
        "abcde".chars().take(most as usize).collect()
    }

    /// The value with something changed somewhere.
    pub(super) fn spoilt(&mut self, value: &Value) -> Value {
        match value {
            Value::Array(list) if !list.is_empty() && !self.dice.once_in(4) => {
                let mut list = list.clone();
                let at = self.dice.below(list.len());
                match self.dice.below(4) {
                    0 => drop(list.remove(at)),
                    1 => list.push(list[at].clone()),
                    _ => list[at] = self.spoilt(&list[at]),
                }
                list.into()
            }
            Value::Object(members) if !members.is_empty() && !self.dice.once_in(4) => {
                let mut members = members.clone();
                let name = members
                    .keys()
                    .nth(self.dice.below(members.len()))
                    .unwrap()
                    .clone();
                match self.dice.below(4) {
                    0 => drop(members.remove(&name)),
                    1 => drop(members.insert((*self.dice.of(NAMES)).into(), self.value(1))),
                    _ => {
                        let inner = self.spoilt(&members[&name]);
                        members.insert(name, inner);
                    }
                }
                members.into()
            }
            _ => self.value(1),
        }
    }
}

/// As JSON text would have it: whole numbers without a fraction.
fn number(n: f64) -> Value {
    if n.fract() == 0.0 {
        return (n as i64).into();
    }
    n.into()
}

/// Writes where the definitions stand into the references.
fn aim(value: &mut Value, at: &str) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|value| aim(value, at)),
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(target) if name == "$ref" => {
                        *target = target.replace("#/DEFINED/", at)
                    }
                    value => aim(value, at),
                }
            }
        }
        _ => {}
    }
}
