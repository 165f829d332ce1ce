//! Which parts of a multipart body are files, as its schema says: shapes know nothing but types.

use portcullis_config::Document;

use crate::rule::validate::schema_at::{At, Named, get};

/// Schemas that are looked at, references followed: a schema that leads back to itself has no end.
const STEPS: usize = 10_000;
/// How deep they stand in each other.
const DEPTH: usize = 16;

/// The properties that are files, with the types that their content may have: none is any.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files(Vec<(String, Vec<String>)>);

impl Files {
    /// Looks through a body's schema.
    pub(crate) fn compile(schema: &Document, named: &Named) -> Self {
        let mut walk = Walk {
            named,
            steps: STEPS,
        };
        let mut properties = Vec::new();
        walk.each(At::root(schema), DEPTH, false, &mut |at| {
            properties.extend(at.members("properties"));
        });
        let files = properties.into_iter().filter_map(|(name, property)| {
            let mut file = None;
            walk.each(property, DEPTH, true, &mut |at| {
                let text = |keyword| match get(at.schema, keyword) {
                    Some(Document::String(text)) => Some(text.to_ascii_lowercase()),
                    _ => None,
                };
                // Encoded as text, it is a text (base64 in JSON, as in a form).
                let content =
                    text("contentMediaType").filter(|_| text("contentEncoding").is_none());
                if content.is_some() || text("format").as_deref() == Some("binary") {
                    let types: &mut Vec<String> = file.get_or_insert_default();
                    // Bytes of any kind, which is what FastAPI says of every upload.
                    types.extend(content.filter(|content| content != "application/octet-stream"));
                }
            });
            Some((name.to_owned(), file?))
        });
        Self(files.collect())
    }

    /// The types of which a file of this name has to be one. `None` is no file.
    pub(crate) fn wanted(&self, name: &str) -> Option<&[String]> {
        let file = self.0.iter().find(|(other, _)| other == name);
        file.map(|(_, types)| types.as_slice())
    }
}

struct Walk<'d> {
    named: &'d Named,
    steps: usize,
}

impl<'d> Walk<'d> {
    /// Calls `meet` with the schema, and with those that speak of the same value, or of its items.
    fn each(&mut self, at: At<'d>, depth: usize, items: bool, meet: &mut impl FnMut(At<'d>)) {
        let Some(steps) = self.steps.checked_sub(1).filter(|_| depth > 0) else {
            return;
        };
        self.steps = steps;
        meet(at);
        let branches = ["allOf", "anyOf", "oneOf"];
        let branches = branches.into_iter().flat_map(|keyword| at.list(keyword));
        for below in branches.chain(at.get("items").filter(|_| items)) {
            self.each(below, depth - 1, items, meet);
        }
        if let Some(target) = at
            .get("$ref")
            .and_then(|reference| reference.target(self.named))
        {
            self.each(target, depth - 1, items, meet);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document::from_bytes(text.as_bytes()).unwrap()
    }

    #[test]
    fn files_are_found_wherever_the_schema_says_so() {
        let schema = document(
            r##"{
                "allOf": [{"$ref": "#/$defs/Form"}, {"$ref": "#/schemas/a~1b"}],
                "properties": {
                    "any": {"type": "string", "contentMediaType": "application/octet-stream"},
                    "text": {"type": "string", "contentMediaType": "image/png", "contentEncoding": "base64"},
                    "binary": {"type": "string", "format": "binary"},
                    "word": {"type": "string", "format": "uuid"}
                },
                "$defs": {
                    "Form": {"properties": {
                        "list": {"type": "array", "items": {"$ref": "#/$defs/Picture"}},
                        "either": {"anyOf": [{"$ref": "#/$defs/Picture"}, {"type": "null"}]},
                        "loop": {"$ref": "#/$defs/Loop"}
                    }},
                    "Picture": {"oneOf": [{"contentMediaType": "Image/PNG"}, {"contentMediaType": "image/gif"}]},
                    "Loop": {"anyOf": [{"$ref": "#/$defs/Loop"}, {"$ref": "#/$defs/Loop"}, {"$ref": "#/$defs/none"}]}
                }
            }"##,
        );
        let named = [(
            "a/b".to_owned(),
            document(
                r##"{"properties": {"named": {"$ref": "#/x/0"}}, "x": [{"contentMediaType": "text/csv"}]}"##,
            ),
        )];
        let files = Files::compile(&schema, &named);
        let check = |name: &str, expected: Option<&[&str]>| {
            let wanted = files.wanted(name);
            assert_eq!(
                wanted
                    .map(|types| types.iter().map(String::as_str).collect::<Vec<_>>())
                    .as_deref(),
                expected,
                "{name}"
            );
        };
        check("any", Some(&[]));
        check("binary", Some(&[]));
        check("text", None);
        check("word", None);
        check("none", None);
        check("loop", None);
        check("list", Some(&["image/png", "image/gif"]));
        check("either", Some(&["image/png", "image/gif"]));
        check("named", Some(&["text/csv"]));
    }
}
