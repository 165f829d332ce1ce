//! `validate`: what a route's parameters and body must look like.

use crate::diagnostic::{code, pointer_child};
use crate::document::Document;
use crate::headers::HeaderName;
use crate::scalar::{Mode, is_token_byte, mode, pointer, size};
use crate::walk::{Node, shown};

/// A route's `validate`.
#[derive(Clone, Debug, PartialEq)]
pub struct Validate {
    /// Default enforce.
    pub mode: Mode,
    /// Default schema.
    pub strictness: Strictness,
    /// Path parameters by template name.
    pub path: Vec<(String, Parameter)>,
    /// Query parameters.
    pub query: Vec<(String, Parameter)>,
    /// Header parameters.
    pub headers: Vec<(String, Parameter)>,
    /// Cookies.
    pub cookies: Vec<(String, Parameter)>,
    /// Default allow.
    pub unknown_query: UnknownQuery,
    /// The body; `None` leaves it alone.
    pub body: Option<Body>,
}

/// `validate.strictness`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strictness {
    /// As the schema says.
    #[default]
    Schema,
    /// As pydantic's lax mode coerces.
    Pydantic,
}

/// `validate.unknown_query`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownQuery {
    /// Passed.
    #[default]
    Allow,
    /// Refused.
    Reject,
}

/// One parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its JSON Schema.
    pub schema: Document,
    /// Whether it must be there; `None` is the default of where it stands.
    pub required: Option<bool>,
    /// OpenAPI's `explode`.
    pub explode: Option<bool>,
    /// OpenAPI's `style`.
    pub style: Option<Style>,
}

/// OpenAPI's `style`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `a=1&a=2`, `a=1,2`
    Form,
    /// `1,2`
    Simple,
    /// `a[b]=1`
    DeepObject,
}

/// `validate.body`. A limit of `None` is not written: the default stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    /// Whether a body must be there. Default true.
    pub required: Option<bool>,
    /// Default `application/json`.
    pub content_types: Option<Vec<String>>,
    /// Default 64 KiB.
    pub max_bytes: Option<u64>,
    /// Default 32.
    pub max_depth: Option<u32>,
    /// In one object. Default 1000.
    pub max_keys: Option<u32>,
    /// In one array. Default 10000.
    pub max_items: Option<u32>,
    /// Default 100000.
    pub max_nodes: Option<u32>,
    /// Default 64 KiB.
    pub max_string_bytes: Option<u64>,
    /// Default reject.
    pub duplicate_keys: Option<DuplicateKeys>,
    /// Content encodings that are opened. Default none.
    pub encodings: Vec<Encoding>,
    /// What is done to strings before they are judged, by JSON Pointer.
    pub normalize: Vec<(String, Vec<Normalize>)>,
    /// The body's JSON Schema.
    pub schema: Option<Document>,
}

/// `body.duplicate_keys`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DuplicateKeys {
    /// 400.
    Reject,
    /// The last one counts.
    Allow,
}

/// A content encoding (RFC 9110 section 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Encoding {
    /// gzip
    Gzip,
    /// deflate
    Deflate,
}

/// One step of `body.normalize`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normalize {
    /// White space at the ends goes.
    Trim,
    /// Runs of white space become one space.
    CollapseWhitespace,
    /// Lower case.
    Lowercase,
    /// Upper case.
    Uppercase,
    /// Control characters go.
    StripControl,
}

pub(crate) fn read(node: &Node<'_>) -> Option<Validate> {
    let mut object = node.object()?;
    // The engine says which names the route's path has.
    let template = |_: &Node<'_>, name: &str| Some(name.to_owned());
    let validate = Validate {
        mode: object.read("mode", mode).unwrap_or_default(),
        strictness: object
            .read("strictness", |n| {
                n.word(&[
                    ("schema", Strictness::Schema),
                    ("pydantic", Strictness::Pydantic),
                ])
            })
            .unwrap_or_default(),
        path: object
            .read("path", |n| n.map(template, path_parameter))
            .unwrap_or_default(),
        query: object
            .read("query", |n| n.map(query_name, parameter))
            .unwrap_or_default(),
        headers: object
            .read("headers", |n| n.map(header_name, parameter))
            .unwrap_or_default(),
        cookies: object
            .read("cookies", |n| n.map(cookie_name, parameter))
            .unwrap_or_default(),
        unknown_query: object
            .read("unknown_query", |n| {
                n.word(&[
                    ("allow", UnknownQuery::Allow),
                    ("reject", UnknownQuery::Reject),
                ])
            })
            .unwrap_or_default(),
        body: object.read("body", body),
    };
    object.finish();
    Some(validate)
}

/// A query parameter's name. One without any is nothing that a form sends.
fn query_name(node: &Node<'_>, name: &str) -> Option<String> {
    if !name.is_empty() {
        return Some(name.to_owned());
    }
    node.error(code::NAME_SYNTAX, "a parameter has a name", None);
    None
}

/// A header's name, in lower case.
fn header_name(node: &Node<'_>, name: &str) -> Option<String> {
    HeaderName::named(node, name).map(|name| name.to_string())
}

/// A cookie's name. RFC 6265 section 4.1.1 wants a token, and many are none: what ends a name is all that cannot be.
fn cookie_name(node: &Node<'_>, name: &str) -> Option<String> {
    let ends = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '=' | ';');
    if !name.is_empty() && !name.contains(ends) {
        return Some(name.to_owned());
    }
    node.error(
        code::NAME_SYNTAX,
        format!("`{}` is not a cookie's name", shown(name)),
        None,
    );
    None
}

fn path_parameter(node: &Node<'_>) -> Option<Parameter> {
    let parameter = parameter(node)?;
    if parameter.required == Some(false) {
        let pointer = pointer_child(&node.pointer, "required");
        node.error_at(
            &pointer,
            code::VALIDATE_PATH_PARAMETER,
            "a path parameter is always there",
            Some("leave `required` out"),
        );
    }
    Some(parameter)
}

fn parameter(node: &Node<'_>) -> Option<Parameter> {
    let mut object = node.object()?;
    let schema = object.required("schema", schema);
    let required = object.read("required", Node::boolean);
    let explode = object.read("explode", Node::boolean);
    let style = object.read("style", |n| {
        n.word(&[
            ("form", Style::Form),
            ("simple", Style::Simple),
            ("deepObject", Style::DeepObject),
        ])
    });
    object.finish();
    Some(Parameter {
        schema: schema?,
        required,
        explode,
        style,
    })
}

/// A JSON Schema: an object or a boolean. What stands in it is the engine's to judge.
pub(crate) fn schema(node: &Node<'_>) -> Option<Document> {
    match node.value {
        Document::Object(_) | Document::Bool(_) => Some(node.value.clone()),
        _ => node.wrong_type("a JSON Schema"),
    }
}

fn body(node: &Node<'_>) -> Option<Body> {
    let mut object = node.object()?;
    let body = Body {
        required: object.read("required", Node::boolean),
        content_types: object.read("content_types", |n| n.set(content_type)),
        max_bytes: object.read("max_bytes", size),
        max_depth: object.read("max_depth", |n| n.count(1, 128)),
        max_keys: object.read("max_keys", |n| n.count(1, 10_000_000)),
        max_items: object.read("max_items", |n| n.count(1, 10_000_000)),
        max_nodes: object.read("max_nodes", |n| n.count(1, 10_000_000)),
        max_string_bytes: object.read("max_string_bytes", size),
        duplicate_keys: object.read("duplicate_keys", |n| {
            n.word(&[
                ("reject", DuplicateKeys::Reject),
                ("allow", DuplicateKeys::Allow),
            ])
        }),
        encodings: object
            .read("encodings", |n| {
                n.distinct(|n| n.word(&[("gzip", Encoding::Gzip), ("deflate", Encoding::Deflate)]))
            })
            .unwrap_or_default(),
        normalize: object
            .read("normalize", |n| n.map(pointer, normalize))
            .unwrap_or_default(),
        schema: object.read("schema", schema),
    };
    object.finish();
    Some(body)
}

fn normalize(node: &Node<'_>) -> Option<Vec<Normalize>> {
    node.list(|n| {
        n.word(&[
            ("trim", Normalize::Trim),
            ("collapse-whitespace", Normalize::CollapseWhitespace),
            ("lowercase", Normalize::Lowercase),
            ("uppercase", Normalize::Uppercase),
            ("strip-control", Normalize::StripControl),
        ])
    })
}

/// `type/subtype`, `type/*` or `*+suffix`-like patterns, lower case, without parameters.
fn content_type(node: &Node<'_>) -> Option<String> {
    let text = node.string()?;
    let token = |part: &str| !part.is_empty() && part.bytes().all(is_token_byte);
    let legal = match text.split_once('/') {
        Some((kind, subtype)) => token(kind) && token(subtype) && kind != "*",
        None => text.strip_prefix('+').is_some_and(token),
    };
    if legal {
        return Some(text.to_ascii_lowercase());
    }
    node.error(
        code::NAME_SYNTAX,
        format!("`{}` is not a content type", shown(text)),
        Some("`application/json`, `text/*` or `+json`, without parameters"),
    );
    None
}

#[cfg(test)]
mod tests {
    use crate::{Document, read};

    #[test]
    fn parameters_have_names_that_requests_can_have() {
        let check = |validate: &str, expected: &[&str]| {
            let text = format!(
                r#"{{"version":1,"routes":[{{"name":"r","path":"/","validate":{validate}}}]}}"#
            );
            let document = Document::from_bytes(text.as_bytes()).unwrap();
            let (_, diagnostics) = read(&document);
            let found = diagnostics.into_list().into_iter();
            let found: Vec<String> = found.map(|d| format!("{} {}", d.code, d.pointer)).collect();
            assert_eq!(found, expected, "{validate}");
        };
        let at = "/routes/0/validate";
        check(
            r#"{"query":{"a[b]":{"schema":{}}},"headers":{"X-A":{"schema":true}},"cookies":{"a[b],":{"schema":{}}}}"#,
            &[],
        );
        check(
            r#"{"query":{"":{"schema":{}}}}"#,
            &[&format!("name-syntax {at}/query/")],
        );
        check(
            r#"{"headers":{":path":{"schema":{}},"a b":{"schema":{}},"X-A":{"schema":{}},"x-a":{"schema":{}}}}"#,
            &[
                &format!("header-name {at}/headers/:path"),
                &format!("header-name {at}/headers/a b"),
                &format!("duplicate-key {at}/headers/x-a"),
            ],
        );
        for name in ["", "a b", "a=b", "a;", "a\\u0000"] {
            let pointer = name.replace("\\u0000", "\0");
            check(
                &format!(r#"{{"cookies":{{"{name}":{{"schema":{{}}}}}}}}"#),
                &[&format!("name-syntax {at}/cookies/{pointer}")],
            );
        }
        check(
            r#"{"path":{"x":{"required":false,"schema":{}},"y":{"required":true,"schema":{}}}}"#,
            &[&format!("validate-path-parameter {at}/path/x/required")],
        );
    }
}
