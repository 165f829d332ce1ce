//! The keywords of draft-07 and draft 2020-12, and what each takes: the metaschemas as a table.
//!
//! A table, because what it finds has the pointer of the mistake and a sentence of ours, which a metaschema's
//! alternatives cannot give.

use serde_json::Number;

use super::arena::Assert;

/// A draft that schemas may be of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Draft {
    /// `http://json-schema.org/draft-07/schema#`
    Seven,
    /// `https://json-schema.org/draft/2020-12/schema`
    #[default]
    Latest,
}

impl Draft {
    /// The draft of a `$schema`.
    pub(super) fn of(uri: &str) -> Option<Self> {
        let uri = uri.strip_suffix('#').unwrap_or(uri);
        let path = uri
            .strip_prefix("https://")
            .or_else(|| uri.strip_prefix("http://"))?;
        match path {
            "json-schema.org/draft-07/schema" => Some(Self::Seven),
            "json-schema.org/draft/2020-12/schema" => Some(Self::Latest),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Seven => "draft-07",
            Self::Latest => "draft 2020-12",
        }
    }
}

/// What a keyword takes, and what becomes of it where that is one of several.
#[derive(Clone, Copy, Debug)]
pub(super) enum Takes {
    Schema,
    /// At least one.
    Schemas,
    /// By name.
    SchemaMap,
    /// By pattern.
    PatternMap,
    /// One, or in draft-07 one for each place.
    Items,
    /// Schemas or names, by name.
    Dependencies,
    Types,
    /// Any value, compared with.
    Value,
    /// Values, compared with.
    Values,
    /// An integer from zero.
    Count(fn(usize) -> Assert),
    Number(fn(Number) -> Assert),
    /// A number above zero.
    Positive,
    Boolean,
    Pattern,
    /// Distinct strings.
    Names,
    /// The same, by name.
    NamesMap,
    Format,
    Reference,
    Anchor,
    /// `$schema`
    Dialect,
    Text,
    /// Values that are only shown.
    Note,
    Notes,
    /// What gives a schema an address of its own, or looks its references up while it runs.
    Address,
}

/// One row of the table.
#[derive(Debug)]
pub(super) struct Keyword {
    pub(super) name: &'static str,
    pub(super) takes: Takes,
    /// The one draft that has it; both do where none is named.
    only: Option<Draft>,
}

impl Keyword {
    pub(super) fn is_of(&self, draft: Draft) -> bool {
        self.only.is_none_or(|only| only == draft)
    }

    /// Whether leaving it out lets more values pass.
    pub(super) fn asserts(&self) -> bool {
        !matches!(
            self.takes,
            Takes::Text
                | Takes::Note
                | Takes::Notes
                | Takes::Anchor
                | Takes::Dialect
                | Takes::Reference
        ) && !matches!(
            self.name,
            "$defs" | "definitions" | "contentSchema" | "readOnly" | "writeOnly" | "deprecated"
        )
    }
}

/// The keyword of this name in either draft.
pub(super) fn find(name: &str) -> Option<&'static Keyword> {
    TABLE.iter().find(|keyword| keyword.name == name)
}

/// What other vocabularies write into schemas, and nothing is refused by.
pub(super) fn is_foreign(name: &str) -> bool {
    name.starts_with("x-")
        || matches!(
            name,
            "discriminator" | "xml" | "externalDocs" | "example" | "$vocabulary"
        )
}

/// The names of a draft's keywords.
pub(super) fn names(draft: Draft) -> impl Iterator<Item = &'static str> {
    TABLE
        .iter()
        .filter(move |keyword| keyword.is_of(draft))
        .map(|keyword| keyword.name)
}

macro_rules! table {
    ($($name:literal $takes:ident $(($becomes:ident))? $($only:ident)?;)*) => {
        const TABLE: &[Keyword] = &[
            $(Keyword { name: $name, takes: Takes::$takes $((Assert::$becomes))?, only: table!(@ $($only)?) },)*
        ];
    };
    (@) => { None };
    (@ $only:ident) => { Some(Draft::$only) };
}

table! {
    "$schema" Dialect;
    "$id" Address;
    "$dynamicRef" Address Latest;
    "$recursiveRef" Address Latest;
    "$ref" Reference;
    "$anchor" Anchor Latest;
    "$dynamicAnchor" Anchor Latest;
    "$comment" Text;
    "$defs" SchemaMap;
    "definitions" SchemaMap;
    "title" Text;
    "description" Text;
    "default" Note;
    "examples" Notes;
    "readOnly" Boolean;
    "writeOnly" Boolean;
    "deprecated" Boolean;
    "contentEncoding" Text;
    "contentMediaType" Text;
    "contentSchema" Schema Latest;
    "type" Types;
    "const" Value;
    "enum" Values;
    "format" Format;
    "multipleOf" Positive;
    "minimum" Number(Minimum);
    "maximum" Number(Maximum);
    "exclusiveMinimum" Number(ExclusiveMinimum);
    "exclusiveMaximum" Number(ExclusiveMaximum);
    "minLength" Count(MinLength);
    "maxLength" Count(MaxLength);
    "pattern" Pattern;
    "minItems" Count(MinItems);
    "maxItems" Count(MaxItems);
    "uniqueItems" Boolean;
    "items" Items;
    "additionalItems" Schema Seven;
    "prefixItems" Schemas Latest;
    "contains" Schema;
    "minContains" Count(MinContains) Latest;
    "maxContains" Count(MaxContains) Latest;
    "unevaluatedItems" Schema Latest;
    "minProperties" Count(MinProperties);
    "maxProperties" Count(MaxProperties);
    "required" Names;
    "properties" SchemaMap;
    "patternProperties" PatternMap;
    "additionalProperties" Schema;
    "propertyNames" Schema;
    "unevaluatedProperties" Schema Latest;
    "dependentRequired" NamesMap Latest;
    "dependentSchemas" SchemaMap Latest;
    "dependencies" Dependencies;
    "allOf" Schemas;
    "anyOf" Schemas;
    "oneOf" Schemas;
    "not" Schema;
    "if" Schema;
    "then" Schema;
    "else" Schema;
}
