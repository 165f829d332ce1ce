//! What a route's body has to be: its type, its encoding, its size, its form, and what its schema says.
//!
//! A body is held only where something has to be read in it. From then on what cannot be read whole, in exactly one
//! way, is refused; and where anything was changed (opened, normalised), what goes on is what was judged.

mod trouble;

use std::rc::Rc;

use portcullis_config::{
    Body, Diagnostics, DuplicateKeys, Encoding, ProfanityAction, Strictness, code,
};
use serde_json::Value;

pub(crate) use self::trouble::Trouble;
use super::Objection;
use super::coerce::lax;
use super::form;
use super::inflate::inflate;
use super::media_type::{MediaTypes, Read};
use super::multipart::{self, Files};
use super::normalize::Normalizer;
use super::schema::Schema;
use super::shape::{self, Named, Shape};
use super::violation::{Place, Violation, Violations};
use crate::json::{self, Changes, FaultKind, Limits};
use crate::message::RequestHead;
use crate::rule::profanity::{Fields, Seen};

/// UTF-8 bytes of a member's name.
const KEY_BYTES: usize = 256;

/// The compiled `validate.body`.
#[derive(Clone, Debug)]
pub(crate) struct BodyRule {
    required: bool,
    /// `None`: every type, as nothing is read and nobody said which.
    types: Option<MediaTypes>,
    /// `None`: any size, likewise.
    max_bytes: Option<usize>,
    limits: Limits,
    encodings: Vec<Encoding>,
    /// `None`: bodies are not read, only counted.
    reader: Option<Reader>,
}

/// What is done with a body that is read.
#[derive(Clone, Debug)]
struct Reader {
    schema: Option<Rc<dyn Schema>>,
    shape: Rc<Shape>,
    files: Files,
    strictness: Strictness,
    normalizer: Normalizer,
    fields: Option<Rc<Fields>>,
}

/// What a route writes of its bodies.
pub(crate) struct Written<'w> {
    /// `validate.body`, or its defaults.
    pub(crate) body: &'w Body,
    pub(crate) strictness: Strictness,
    /// The body's own, compiled.
    pub(crate) schema: Option<Rc<dyn Schema>>,
    /// The strings that are looked at for profanity.
    pub(crate) fields: Option<Rc<Fields>>,
}

/// A body that its head lets come, and how it is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Admitted {
    /// `None`: nothing is said, so there must be no body; or bodies are not read.
    read: Option<Read>,
    encoding: Option<Encoding>,
}

/// What became of a body that passes.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    /// The bytes that go on in its place, if these are others.
    pub(crate) rewritten: Option<Vec<u8>>,
    /// The profanity that it held, where that does not refuse it.
    pub(crate) seen: Seen,
}

impl BodyRule {
    /// Compiles what the route at `route`, a pointer, writes. `named` are the policy's schemas.
    pub(crate) fn compile(
        written: Written<'_>,
        named: &Named,
        route: &str,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let Written {
            body,
            strictness,
            schema,
            fields,
        } = written;
        let normalizes = !body.normalize.is_empty();
        let reads = body.schema.is_some() || normalizes || fields.is_some();
        let default = ["application/json".to_owned()];
        let types = match (&body.content_types, reads) {
            (Some(types), _) => Some(types.as_slice()),
            (None, true) => Some(default.as_slice()),
            (None, false) => None,
        };
        let types = types.map(|types| {
            let pointer = format!("{route}/validate/body/content_types");
            MediaTypes::compile(types, reads, &pointer, diagnostics)
        });
        let takes = |name| types.as_ref().is_some_and(|types| types.allow(name));
        let (takes_parts, takes_forms) = (takes(FORM_DATA), takes(URL_ENCODED));
        let masks = fields.as_ref().is_some_and(|fields| fields.masks());
        for (key, at, changes, code) in [
            (
                "normalize",
                "validate/body/normalize",
                normalizes,
                code::VALIDATE_NORMALIZE_PARTS,
            ),
            ("mask", "profanity/action", masks, code::PROFANITY_MASK),
        ] {
            if changes && takes_parts {
                diagnostics.error(
                    code,
                    format!("{route}/{at}"),
                    format!("`{key}` cannot change the parts of a `{FORM_DATA}` body"),
                    Some(
                        "list the content types without it, or leave the strings as they are"
                            .to_owned(),
                    ),
                );
            }
        }
        let size = |written: u64| usize::try_from(written).unwrap_or(usize::MAX);
        let limit = |written: Option<u32>, default: u64| size(written.map_or(default, u64::from));
        let most = 64 << 10;
        Self {
            required: body.required.unwrap_or(true),
            types,
            max_bytes: body.max_bytes.or(reads.then_some(most)).map(size),
            limits: Limits {
                depth: limit(body.max_depth, 32),
                keys: limit(body.max_keys, 1000),
                items: limit(body.max_items, 10_000),
                nodes: limit(body.max_nodes, 100_000),
                key_bytes: KEY_BYTES,
                string_bytes: size(body.max_string_bytes.unwrap_or(most)),
                duplicate_keys: body.duplicate_keys.unwrap_or(DuplicateKeys::Reject),
            },
            encodings: body.encodings.clone(),
            reader: reads.then(|| {
                let written = body.schema.as_ref();
                // What is sent as JSON has its types.
                let coerces = takes_parts || takes_forms || strictness == Strictness::Pydantic;
                Reader {
                    schema,
                    shape: written.filter(|_| coerces).map_or_else(
                        || Rc::new(Shape::ANY.clone()),
                        |schema| shape::compile(schema, named),
                    ),
                    files: written
                        .filter(|_| takes_parts)
                        .map_or_else(Files::default, |schema| Files::compile(schema, named)),
                    strictness,
                    normalizer: Normalizer::compile(&body.normalize),
                    fields,
                }
            }),
        }
    }

    /// Whether bodies are held and read. Otherwise they are counted and pass as they come.
    pub(crate) fn reads(&self) -> bool {
        self.reader.is_some()
    }

    /// Whether a body may go on with other bytes than it came with.
    pub(crate) fn rewrites(&self) -> bool {
        let reader = self.reader.as_ref();
        reader.is_some_and(|reader| {
            let masks = reader.fields.as_ref().is_some_and(|fields| fields.masks());
            masks || !reader.normalizer.is_empty() || !self.encodings.is_empty()
        })
    }

    /// The most bytes that a body may have as it comes.
    pub(crate) fn max_bytes(&self) -> Option<usize> {
        self.max_bytes
    }

    /// Judges what a request's head says of its body; `None` if nothing of it is to be read.
    pub(crate) fn admit(&self, head: &RequestHead<'_>) -> Result<Option<Admitted>, Objection> {
        if self.reads() && head.is_tunnel() && head.is_open() {
            // Nothing of a tunnel is a body, and an upstream that takes it for none reads it all the same.
            return Err(Objection::unreadable());
        }
        let admitted = self.announced(head)?;
        if !head.has_body() {
            self.judge(&admitted, b"")?;
        }
        Ok((self.reads() && head.may_have_body()).then_some(admitted))
    }

    /// How the body is to be read, as its head says.
    ///
    /// # Errors
    /// Its content type or encoding is not taken, or its length is past the limit.
    fn announced(&self, head: &RequestHead<'_>) -> Result<Admitted, Trouble> {
        let read = self.content_type(head)?;
        let encoding = match self.reads() {
            true => self.content_encoding(head)?,
            false => None,
        };
        let length = head.content_length().unwrap_or_default();
        let fits = |max| usize::try_from(length).is_ok_and(|length| length <= max);
        if !self.max_bytes.is_none_or(fits) {
            return Err(Trouble::TooLarge);
        }
        Ok(Admitted { read, encoding })
    }

    fn content_type(&self, head: &RequestHead<'_>) -> Result<Option<Read>, Trouble> {
        let Some(types) = &self.types else {
            return Ok(None);
        };
        let mut lines = head.all("content-type");
        match (lines.next(), lines.next()) {
            // A request without a body has no type.
            (None, _) if !head.has_body() => Ok(None),
            (Some(line), None) => {
                let media_type = types.admit(line).ok_or(Trouble::ContentType)?;
                let read = media_type.read();
                if self.reads() && read.is_none() {
                    return Err(Trouble::ContentType);
                }
                Ok(read)
            }
            _ => Err(Trouble::ContentType),
        }
    }

    fn content_encoding(&self, head: &RequestHead<'_>) -> Result<Option<Encoding>, Trouble> {
        let mut lines = head.all("content-encoding");
        let (first, second) = (lines.next(), lines.next());
        let encoding = match first.map(<[u8]>::to_ascii_lowercase).as_deref() {
            None | Some(b"identity") => None,
            Some(b"gzip") => Some(Encoding::Gzip),
            Some(b"deflate") => Some(Encoding::Deflate),
            Some(_) => return Err(Trouble::ContentEncoding),
        };
        let opened = encoding.is_none_or(|encoding| self.encodings.contains(&encoding));
        if !opened || second.is_some() {
            return Err(Trouble::ContentEncoding);
        }
        Ok(encoding)
    }

    /// Judges a whole body.
    ///
    /// # Errors
    /// The first thing that is wrong with its form, or all that is wrong with what it says.
    pub(crate) fn judge(&self, admitted: &Admitted, bytes: &[u8]) -> Result<Judged, Trouble> {
        let Some(reader) = &self.reader else {
            return Ok(Judged::default());
        };
        let max = self.max_bytes.unwrap_or(usize::MAX);
        if bytes.len() > max {
            return Err(Trouble::TooLarge);
        }
        if bytes.is_empty() {
            return match self.required {
                true => Err(missing()),
                false => Ok(Judged::default()),
            };
        }
        let read = admitted.read.as_ref().ok_or(Trouble::ContentType)?;
        let opened = admitted
            .encoding
            .map(|encoding| inflate(encoding, bytes, max))
            .transpose()?;
        let body = opened.as_deref().unwrap_or(bytes);
        let mut judged = reader.judge(read, body, &self.limits)?;
        judged.rewritten = judged.rewritten.or(opened);
        Ok(judged)
    }
}

impl Reader {
    fn judge(&self, read: &Read, body: &[u8], limits: &Limits) -> Result<Judged, Trouble> {
        // What the schema would say again of a text that is not what it asks for.
        let mut found = Violations::default();
        let mut changes = Changes::default();
        let mut judged = Judged::default();
        let value = match read {
            Read::Json => {
                let mut value = json::read(body, limits)?;
                self.normalizer.apply(&mut value, &mut changes);
                judged.seen = self.look(&mut value, &mut changes);
                judged.rewritten = changes.applied(body, &value);
                if self.strictness == Strictness::Pydantic {
                    lax(&mut value, &self.shape);
                }
                value
            }
            Read::Text => {
                let mut value = Value::from(text(body, limits)?);
                judged.seen = self.look(&mut value, &mut changes);
                judged.rewritten = value
                    .as_str()
                    .filter(|_| !changes.is_empty())
                    .map(|text| text.as_bytes().to_vec());
                value
            }
            Read::Form => {
                let pairs = form::read(body, limits)?;
                let fields = pairs
                    .iter()
                    .map(|pair| (pair.name.as_ref(), Value::from(pair.text.as_ref()), pair.at));
                let mut value = form::object(fields, &self.shape, limits, &mut found)?;
                self.normalizer.apply(&mut value, &mut changes);
                judged.seen = self.look(&mut value, &mut changes);
                if !changes.is_empty() {
                    judged.rewritten = form::rewritten(body, &pairs, &value);
                }
                form::coerce(&mut value, &self.shape, self.strictness, &mut found);
                value
            }
            Read::Multipart { boundary } => {
                let parts = multipart::read(body, boundary, limits.keys)?;
                let asked = multipart::Asked {
                    shape: &self.shape,
                    files: &self.files,
                    strictness: self.strictness,
                    limits,
                };
                let mut value = asked.object(&parts, &mut found)?;
                judged.seen = self.look(&mut value, &mut changes);
                value
            }
        };
        self.schema(&value, found)?;
        let rejects = |fields: &Rc<Fields>| fields.action == ProfanityAction::Reject;
        if !judged.seen.is_empty() && self.fields.as_ref().is_some_and(rejects) {
            return Err(Trouble::Profane(Box::new(judged.seen)));
        }
        Ok(judged)
    }

    fn look(&self, value: &mut Value, changes: &mut Changes) -> Seen {
        let fields = self.fields.as_ref();
        fields.map_or_else(Seen::default, |fields| fields.look(value, changes))
    }

    /// Judges what was read. `found` is what is wrong already: the schema's word on the same values is not wanted.
    fn schema(&self, value: &Value, found: Violations) -> Result<(), Trouble> {
        let mut all = Violations::default();
        let mut judged = Violations::default();
        if let Some(schema) = &self.schema {
            schema.judge(value, Place::Body, &[], &mut judged);
        }
        let known = found.as_slice();
        let news = judged.as_slice().iter().filter(|violation| {
            !known
                .iter()
                .any(|known| violation.path.starts_with(&known.path))
        });
        for violation in known.iter().chain(news) {
            all.push(violation.clone());
        }
        match all.is_empty() {
            true => Ok(()),
            false => Err(Trouble::Invalid(all)),
        }
    }
}

/// A body that is one text.
fn text<'a>(body: &'a [u8], limits: &Limits) -> Result<&'a str, Trouble> {
    if body.len() > limits.string_bytes {
        return Err(Trouble::too_complex(FaultKind::StringBytes.text(), 0));
    }
    std::str::from_utf8(body)
        .map_err(|error| Trouble::malformed(FaultKind::NotUtf8.text(), error.valid_up_to()))
}

/// No body where there must be one.
fn missing() -> Trouble {
    let mut found = Violations::default();
    found.push(Violation {
        place: Place::Body,
        path: Vec::new(),
        keyword: "required",
        kind: "missing",
        message: "is required".to_owned(),
    });
    Trouble::Invalid(found)
}

const FORM_DATA: &str = "multipart/form-data";
const URL_ENCODED: &str = "application/x-www-form-urlencoded";

#[cfg(test)]
mod tests;
