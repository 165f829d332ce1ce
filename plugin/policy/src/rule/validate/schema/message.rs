//! What is said of a value that a keyword refuses: what would be right, and pydantic's name for it.

use boon::{ErrorKind, Type, Types};
use serde_json::Value;

use super::format;

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

/// What one keyword says of the value itself.
pub(super) fn of(kind: &ErrorKind<'_, '_>) -> Said {
    match kind {
        ErrorKind::Type { want, .. } => typed(*want),
        ErrorKind::Enum { want } => said("enum", "literal_error", one_of(want)),
        ErrorKind::Const { want } => said(
            "const",
            "literal_error",
            one_of(std::slice::from_ref(*want)),
        ),
        ErrorKind::Format { want, .. } => formatted(want),
        ErrorKind::MinLength { want, .. } => said(
            "minLength",
            "string_too_short",
            format!("must be at least {}", count(*want, "character")),
        ),
        ErrorKind::MaxLength { want, .. } => said(
            "maxLength",
            "string_too_long",
            format!("must be at most {}", count(*want, "character")),
        ),
        ErrorKind::Minimum { want, .. } => said(
            "minimum",
            "greater_than_equal",
            format!("must be at least {want}"),
        ),
        ErrorKind::Maximum { want, .. } => said(
            "maximum",
            "less_than_equal",
            format!("must be at most {want}"),
        ),
        ErrorKind::ExclusiveMinimum { want, .. } => said(
            "exclusiveMinimum",
            "greater_than",
            format!("must be greater than {want}"),
        ),
        ErrorKind::ExclusiveMaximum { want, .. } => said(
            "exclusiveMaximum",
            "less_than",
            format!("must be less than {want}"),
        ),
        ErrorKind::MinItems { want, .. } => said(
            "minItems",
            "too_short",
            format!("must have at least {}", count(*want, "item")),
        ),
        ErrorKind::MaxItems { want, .. } => said(
            "maxItems",
            "too_long",
            format!("must have at most {}", count(*want, "item")),
        ),
        ErrorKind::MinProperties { want, .. } => said(
            "minProperties",
            "too_short",
            format!("must have at least {}", count(*want, "member")),
        ),
        ErrorKind::MaxProperties { want, .. } => said(
            "maxProperties",
            "too_long",
            format!("must have at most {}", count(*want, "member")),
        ),
        ErrorKind::Contains => said(
            "contains",
            "value_error",
            "must have an item as `contains` describes it",
        ),
        ErrorKind::MinContains { want, .. } => said(
            "minContains",
            "too_short",
            format!(
                "must have at least {} as `contains` describes them",
                count(*want, "item")
            ),
        ),
        ErrorKind::MaxContains { want, .. } => said(
            "maxContains",
            "too_long",
            format!(
                "must have at most {} as `contains` describes them",
                count(*want, "item")
            ),
        ),
        ErrorKind::Not => said(
            "not",
            "value_error",
            "must not be what the schema rules out",
        ),
        ErrorKind::OneOf(_) => said(
            "oneOf",
            "union_ambiguous",
            "must match only one of the alternatives",
        ),
        // Kinds that the documents given to the engine cannot come to.
        _ => said("$ref", "value_error", "must match its schema"),
    }
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

pub(super) fn extra(keyword: &'static str) -> Said {
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
pub(super) fn refused(keyword: Option<&str>) -> Said {
    match keyword {
        Some("properties") => extra("properties"),
        Some("patternProperties") => extra("patternProperties"),
        Some("unevaluatedProperties") => extra("unevaluatedProperties"),
        Some("items") => extra("items"),
        Some("prefixItems") => extra("prefixItems"),
        Some("unevaluatedItems") => extra("unevaluatedItems"),
        Some("dependentSchemas") => extra("dependentSchemas"),
        Some("then" | "else") => said("if", "value_error", "must meet a condition of its schema"),
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

fn typed(want: Types) -> Said {
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

fn formatted(name: &str) -> Said {
    if name == format::DISTINCT {
        return said(
            "uniqueItems",
            "list_unique",
            "must not have two equal items",
        );
    }
    if name == format::WHOLE {
        return said("type", "int_type", "must be an integer of at most 64 bits");
    }
    if let Some(divisor) = format::divisor(name) {
        return said(
            "multipleOf",
            "multiple_of",
            format!("must be a multiple of {divisor}"),
        );
    }
    let (kind, what) = match name {
        "date-time" => (
            "datetime_parsing",
            "a date and time such as 2024-05-31T09:30:00Z",
        ),
        "date" => ("date_parsing", "a date such as 2024-05-31"),
        "time" => ("time_parsing", "a time such as 09:30:00Z"),
        "duration" => ("time_delta_parsing", "a duration such as P1DT12H"),
        "email" => ("value_error", "an e-mail address"),
        "hostname" => ("value_error", "a host name"),
        "ipv4" => ("ip_v4_address", "an IPv4 address"),
        "ipv6" => ("ip_v6_address", "an IPv6 address"),
        "uri" | "iri" => ("url_parsing", "a URL with its scheme"),
        "uri-reference" | "iri-reference" => ("url_parsing", "a URL or a part of one"),
        "uri-template" => ("value_error", "a URI template"),
        "json-pointer" => ("value_error", "a JSON Pointer"),
        "relative-json-pointer" => ("value_error", "a relative JSON Pointer"),
        "int32" => ("value_error", "an integer of 32 bits"),
        "int64" => ("value_error", "an integer of 64 bits"),
        "byte" => ("value_error", "base64"),
        "uuid" => ("uuid_parsing", "a UUID"),
        _ if name.starts_with("uuid") => ("uuid_version", "a UUID of the version asked for"),
        _ => ("value_error", "a regular expression"),
    };
    said("format", kind, format!("must be {what}"))
}

fn count(n: usize, what: &str) -> String {
    if n == 1 {
        format!("1 {what}")
    } else {
        format!("{n} {what}s")
    }
}
