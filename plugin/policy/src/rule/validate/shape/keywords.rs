//! What keywords say of types.

use std::ops::BitOr;

use portcullis_config::Document;

use super::Types;

/// The value of `type`.
pub(super) fn typed(value: &Document) -> Types {
    match value {
        Document::Array(words) => words.iter().map(typed).fold(Types::NONE, Types::bitor),
        Document::String(word) => match word.as_str() {
            "null" => Types::NULL,
            "boolean" => Types::BOOLEAN,
            "integer" => Types::INTEGER,
            "number" => Types::NUMBER,
            "string" => Types::STRING,
            "array" => Types::ARRAY,
            "object" => Types::OBJECT,
            _ => Types::NONE,
        },
        _ => Types::NONE,
    }
}

/// The type of a value.
pub(super) fn type_of(value: &Document) -> Types {
    match value {
        Document::Null => Types::NULL,
        Document::Bool(_) => Types::BOOLEAN,
        // 5 and 5.0 are one number.
        Document::Number(_) => Types::NUMBER,
        Document::String(_) => Types::STRING,
        Document::Array(_) => Types::ARRAY,
        Document::Object(_) => Types::OBJECT,
    }
}

/// The types that a keyword says something of.
pub(super) fn spoken_of(keyword: &str, value: &Document) -> Types {
    match keyword {
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => {
            Types::NUMBER
        }
        "format" => match value {
            Document::String(name)
                if matches!(name.as_str(), "int32" | "int64" | "float" | "double") =>
            {
                Types::NUMBER
            }
            _ => Types::STRING,
        },
        "minLength" | "maxLength" | "pattern" | "contentEncoding" | "contentMediaType" => {
            Types::STRING
        }
        "items" | "prefixItems" | "additionalItems" | "unevaluatedItems" | "minItems"
        | "maxItems" | "uniqueItems" | "contains" => Types::ARRAY,
        "properties"
        | "patternProperties"
        | "additionalProperties"
        | "unevaluatedProperties"
        | "required"
        | "minProperties"
        | "maxProperties"
        | "propertyNames"
        | "dependentRequired"
        | "dependentSchemas"
        | "dependencies" => Types::OBJECT,
        _ => Types::NONE,
    }
}
