//! What is said of a value that a keyword refuses: what would be right, and pydantic's name for it.

use serde_json::{Number, Value};

use super::format::Format;
use super::types::{Type, Types};

/// So many allowed values are shown, in so many bytes.
const SHOWN: usize = 8;
const SHOWN_BYTES: usize = 200;

/// The words of a violation.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) keyword: &'static str,
    pub(super) kind: &'static str,
    pub(super) message: String,
}

fn said(keyword: &'static str, kind: &'static str, message: impl Into<String>) -> Said {
    Said {
        keyword,
        kind,
        message: message.into(),
    }
}

pub(super) fn chosen(keyword: &'static str, values: &[Value]) -> Said {
    said(keyword, "literal_error", one_of(values))
}

pub(super) fn format(format: &Format) -> Said {
    said("format", format.kind, format!("must be {}", format.what))
}

pub(super) fn multiple(divisor: f64) -> Said {
    said(
        "multipleOf",
        "multiple_of",
        format!("must be a multiple of {divisor}"),
    )
}

pub(super) fn wide() -> Said {
    said("type", "int_type", "must be an integer of at most 64 bits")
}

pub(super) fn minimum(bound: &Number) -> Said {
    let message = format!("must be at least {bound}");
    said("minimum", "greater_than_equal", message)
}

pub(super) fn maximum(bound: &Number) -> Said {
    let message = format!("must be at most {bound}");
    said("maximum", "less_than_equal", message)
}

pub(super) fn above(bound: &Number) -> Said {
    let message = format!("must be greater than {bound}");
    said("exclusiveMinimum", "greater_than", message)
}

pub(super) fn below(bound: &Number) -> Said {
    let message = format!("must be less than {bound}");
    said("exclusiveMaximum", "less_than", message)
}

pub(super) fn short(least: usize) -> Said {
    let message = format!("must be at least {}", count(least, "character"));
    said("minLength", "string_too_short", message)
}

pub(super) fn long(most: usize) -> Said {
    let message = format!("must be at most {}", count(most, "character"));
    said("maxLength", "string_too_long", message)
}

/// Of what is counted in arrays and objects.
pub(super) fn few(keyword: &'static str, least: usize, what: &str) -> Said {
    let message = format!("must have at least {}", count(least, what));
    said(keyword, "too_short", message)
}

pub(super) fn many(keyword: &'static str, most: usize, what: &str) -> Said {
    let message = format!("must have at most {}", count(most, what));
    said(keyword, "too_long", message)
}

pub(super) fn repeated() -> Said {
    said(
        "uniqueItems",
        "list_unique",
        "must not have two equal items",
    )
}

pub(super) fn contains_none() -> Said {
    said(
        "contains",
        "value_error",
        "must have an item as `contains` describes it",
    )
}

pub(super) fn contains_few(least: usize) -> Said {
    let mut said = few("minContains", least, "item");
    said.message.push_str(" as `contains` describes them");
    said
}

pub(super) fn contains_many(most: usize) -> Said {
    let mut said = many("maxContains", most, "item");
    said.message.push_str(" as `contains` describes them");
    said
}

pub(super) fn ruled_out() -> Said {
    said(
        "not",
        "value_error",
        "must not be what the schema rules out",
    )
}

pub(super) fn ambiguous() -> Said {
    said(
        "oneOf",
        "union_ambiguous",
        "must match only one of the alternatives",
    )
}

/// Where nothing better is known.
pub(super) fn unmatched() -> Said {
    said("$ref", "value_error", "must match its schema")
}

pub(super) fn missing() -> Said {
    said("required", "missing", "is required")
}

pub(super) fn dependent(on: &str) -> Said {
    said(
        "dependentRequired",
        "dependent_required",
        format!("is required beside `{on}`"),
    )
}

fn extra(keyword: &'static str) -> Said {
    said(keyword, "extra_forbidden", "is not allowed")
}

pub(super) fn pattern(pattern: &str) -> Said {
    said(
        "pattern",
        "string_pattern_mismatch",
        format!("must match the pattern `{pattern}`"),
    )
}

/// A schema that is `false`, by the keyword that applies it.
pub(super) fn refused(keyword: &str) -> Said {
    match keyword {
        "properties" => extra("properties"),
        "patternProperties" => extra("patternProperties"),
        "unevaluatedProperties" => extra("unevaluatedProperties"),
        "items" => extra("items"),
        "prefixItems" => extra("prefixItems"),
        "unevaluatedItems" => extra("unevaluatedItems"),
        "dependentSchemas" => extra("dependentSchemas"),
        "then" | "else" => said("if", "value_error", "must meet a condition of its schema"),
        _ => extra("additionalProperties"),
    }
}

/// What is wrong with a member's name.
pub(super) fn name(inner: Option<Said>) -> Said {
    let (kind, message) = inner.map_or(("value_error", "is not allowed".to_owned()), |said| {
        (said.kind, said.message)
    });
    said("propertyNames", kind, format!("the name {message}"))
}

/// A union without an alternative that holds, and the types that it is of if that says it all.
pub(super) fn no_alternative(keyword: &'static str, of: usize, types: Option<Types>) -> Said {
    if let Some(types) = types {
        let said = typed(types);
        if types.iter().filter(|one| *one != Type::Null).count() == 1 {
            return said;
        }
        return Said {
            keyword,
            kind: "union_error",
            ..said
        };
    }
    said(
        keyword,
        "union_error",
        format!("must match one of {}", count(of, "alternative")),
    )
}

/// Past what may be nested in this many ways: no verdict.
pub(super) fn too_branched() -> Said {
    said(
        "$ref",
        "recursion_loop",
        "is nested in more ways than can be judged",
    )
}

pub(super) fn too_deep(deepest: usize) -> Said {
    said(
        "$ref",
        "recursion_loop",
        format!("must not be nested more than {deepest} deep"),
    )
}

pub(super) fn typed(want: Types) -> Said {
    let mut words = Vec::new();
    let mut kind = "none_required";
    let integer = want.contains(Type::Integer) && !want.contains(Type::Number);
    for one in want.iter() {
        let (its, word) = match one {
            Type::Null => continue,
            Type::Boolean => ("bool_type", "a boolean"),
            Type::Integer if integer => ("int_type", "an integer"),
            Type::Integer => continue,
            Type::Number => ("float_type", "a number"),
            Type::String => ("string_type", "a string"),
            Type::Array => ("list_type", "a list"),
            Type::Object => ("dict_type", "an object"),
        };
        if words.is_empty() {
            kind = its;
        }
        words.push(word);
    }
    if want.contains(Type::Null) {
        words.push("null");
    }
    said("type", kind, format!("must be {}", words.join(" or ")))
}

fn one_of(values: &[Value]) -> String {
    let shown: Vec<String> = values
        .iter()
        .take(SHOWN + 1)
        .map(Value::to_string)
        .collect();
    let bytes: usize = shown.iter().map(String::len).sum();
    if shown.len() > SHOWN || bytes > SHOWN_BYTES {
        return match values.len() {
            1 => "must be the one value that is allowed".to_owned(),
            all => format!("must be one of {all} values"),
        };
    }
    match shown.as_slice() {
        [one] => format!("must be {one}"),
        all => format!("must be one of {}", all.join(", ")),
    }
}

fn count(n: usize, what: &str) -> String {
    if n == 1 {
        format!("1 {what}")
    } else {
        format!("{n} {what}s")
    }
}
