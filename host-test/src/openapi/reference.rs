//! `$ref`: JSON References (RFC 3986 fragments that are JSON Pointers, RFC 6901) within the document.
//!
//! What stands in another document is never fetched: an import that depends on the network means something else tomorrow.

use super::importer::Importer;
use super::node::Node;
use super::version::Version;

/// A reference to a reference, and so on: a chain longer than this leads nowhere.
const MAX_CHAIN: usize = 16;

impl<'d> Importer<'d> {
    /// What a `$ref` names. `base` is the schema with an `$id` that it stands in, if it does.
    ///
    /// # Errors
    /// Why it names nothing, as the rest of the sentence that begins with the reference.
    pub(super) fn target(
        &self,
        reference: &str,
        base: Option<&Node<'d>>,
    ) -> Result<Node<'d>, &'static str> {
        let Some(fragment) = reference.strip_prefix('#') else {
            return Err("is in another document, which is not fetched");
        };
        let Some(fragment) = percent_decoded(fragment) else {
            return Err("is no reference: its escapes are broken");
        };
        if !fragment.is_empty() && !fragment.starts_with('/') {
            return Err("names an anchor, which is not read");
        }
        let inside = |start: Node<'d>, from: usize| {
            let mut tokens = fragment.split('/').skip(from).map(unescaped);
            tokens.try_fold(start, |node, token| node.step(&token))
        };
        // Nearly all references are of this form, and there may be thousands of them.
        let named = fragment.strip_prefix("/components/schemas/");
        let named = named.and_then(|path| path.split('/').next());
        base.and_then(|base| inside(base.clone(), 1))
            .or_else(|| match named {
                Some(name) => inside(self.component(&unescaped(name))?, 4),
                None => inside(self.root.clone(), 1),
            })
            .ok_or("leads nowhere")
    }

    /// The parameter, request body or path item that this is or refers to; `None` if it leads nowhere, which is told.
    pub(super) fn resolved(&mut self, node: Node<'d>) -> Option<Node<'d>> {
        let mut node = node;
        for _ in 0..MAX_CHAIN {
            let Some(reference) = node.text_of("$ref") else {
                return Some(node);
            };
            match self.target(reference, None) {
                Ok(target) => node = target,
                Err(why) => {
                    self.gap(&node.pointer, format!("`{reference}` {why}"), None);
                    return None;
                }
            }
        }
        self.gap(&node.pointer, "this reference leads in a circle", None);
        None
    }

    /// The schema that a schema's `$ref` names, if it is one; otherwise that is told, and the schema is wider for it.
    pub(super) fn referred(
        &mut self,
        schema: &Node<'d>,
        base: Option<&Node<'d>>,
    ) -> Option<Node<'d>> {
        let reference = schema.text_of("$ref")?;
        let pointer = format!("{}/$ref", schema.pointer);
        let target = self.target(reference, base).and_then(|target| {
            // The document as a whole is an object too, and no schema.
            let is_schema =
                target.is_object() || matches!(target.value, portcullis_config::Document::Bool(_));
            if is_schema && !target.pointer.is_empty() {
                Ok(target)
            } else {
                Err("names no schema")
            }
        });
        match target {
            Ok(target) => Some(target),
            Err(why) => {
                self.widen(&pointer, format!("`{reference}` {why}"), None);
                None
            }
        }
    }

    /// Whether the schemas are those of OpenAPI 3.0.
    pub(super) fn is_v30(&self) -> bool {
        self.version == Version::V30
    }
}

/// A token of a JSON Pointer (RFC 6901 section 4).
pub(super) fn unescaped(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

/// The text of a fragment (RFC 3986 section 2.1); `None` for a bad escape or what is not UTF-8.
pub(super) fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let value = digit(rest.next())? * 16 + digit(rest.next())?;
        bytes.push(u8::try_from(value).ok()?);
    }
    String::from_utf8(bytes).ok()
}
