//! A place in a schema as it is written, and where its references lead.

use portcullis_config::Document;

use crate::path::percent_decoded;

/// The policy's named schemas.
pub(crate) type Named = [(String, Document)];

/// A schema, and the document that it stands in.
#[derive(Clone, Copy)]
pub(super) struct At<'d> {
    pub(super) schema: &'d Document,
    root: &'d Document,
}

impl<'d> At<'d> {
    pub(super) fn root(document: &'d Document) -> Self {
        Self {
            schema: document,
            root: document,
        }
    }

    pub(super) fn inside(self, schema: &'d Document) -> Self {
        Self { schema, ..self }
    }

    pub(super) fn get(self, keyword: &str) -> Option<Self> {
        get(self.schema, keyword).map(|schema| self.inside(schema))
    }

    pub(super) fn list(self, keyword: &str) -> impl Iterator<Item = Self> {
        let items = match get(self.schema, keyword) {
            Some(Document::Array(items)) => items.as_slice(),
            _ => &[],
        };
        items.iter().map(move |item| self.inside(item))
    }

    pub(super) fn members(self, keyword: &str) -> impl Iterator<Item = (&'d str, Self)> {
        let members = match get(self.schema, keyword) {
            Some(Document::Object(members)) => members.as_slice(),
            _ => &[],
        };
        members
            .iter()
            .map(move |(name, schema)| (name.as_str(), self.inside(schema)))
    }

    /// In draft-07 a `$ref` stands alone, whatever is written beside it.
    pub(super) fn refers_alone(self) -> bool {
        matches!(get(self.root, "$schema"), Some(Document::String(draft)) if draft.contains("draft-07"))
    }

    /// Where this leads, if it is the value of a `$ref`: in its own document, or to a schema of the policy.
    pub(super) fn target(self, named: &'d Named) -> Option<Self> {
        let Document::String(reference_text) = self.schema else {
            return None;
        };
        let pointer = percent_decoded(reference_text.strip_prefix('#')?.as_bytes()).into_owned();
        let pointer = String::from_utf8(pointer).ok()?;
        let of_policy = pointer.strip_prefix("/schemas/").and_then(|rest| {
            let (name, inner) = rest
                .split_once('/')
                .map_or((rest, None), |(name, inner)| (name, Some(inner)));
            let name = unescaped(name);
            let (_, document) = named.iter().find(|(other, _)| *other == name)?;
            Some((Self::root(document), inner))
        });
        let (mut at, rest) = match of_policy {
            Some(of_policy) => of_policy,
            None if pointer.is_empty() => (Self::root(self.root), None),
            None => (Self::root(self.root), Some(pointer.strip_prefix('/')?)),
        };
        for token in rest.into_iter().flat_map(|rest| rest.split('/')) {
            at.schema = match at.schema {
                Document::Array(items) => items.get(token.parse::<usize>().ok()?)?,
                object => get(object, &unescaped(token))?,
            };
        }
        Some(at)
    }
}

/// The member of an object that counts where a name stands twice.
pub(super) fn get<'d>(object: &'d Document, name: &str) -> Option<&'d Document> {
    let Document::Object(members) = object else {
        return None;
    };
    let found = members.iter().rfind(|(other, _)| other == name);
    found.map(|(_, value)| value)
}

/// A pointer's token (RFC 6901 section 4).
fn unescaped(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}
