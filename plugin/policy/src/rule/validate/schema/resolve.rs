//! Documents read together, and what their references lead to.

use std::collections::BTreeMap;
use std::rc::Rc;

use portcullis_config::{Diagnostics, Document, code, pointer_child, suggest};

use super::Formats;
use super::arena::{Arena, Id};
use super::keyword::{self, Draft};
use super::read::{self, Loose, Patterns, Reader, Reference, shown};

/// One schema document, and where it stands in the policy.
pub(super) struct Source {
    /// Under which others refer to it.
    pub(super) name: Option<String>,
    pub(super) pointer: String,
    pub(super) document: Rc<Document>,
}

/// All documents so far.
#[derive(Default)]
pub(super) struct Documents {
    list: Vec<Known>,
    names: BTreeMap<String, usize>,
}

struct Known {
    pointer: String,
    document: Rc<Document>,
    draft: Draft,
}

/// Reads documents into the arena.
pub(super) struct Resolve<'r> {
    pub(super) documents: &'r mut Documents,
    pub(super) arena: &'r mut Arena,
    pub(super) patterns: &'r mut Patterns,
    pub(super) formats: Formats,
    pub(super) diagnostics: &'r mut Diagnostics,
}

/// Why a reference leads nowhere.
struct Lost {
    code: &'static str,
    message: String,
    help: Option<String>,
}

impl Resolve<'_> {
    /// The roots of the documents if nothing is wrong with any.
    pub(super) fn documents(mut self, sources: Vec<Source>) -> Option<Vec<Id>> {
        let mut loose = Loose::default();
        let mut fine = true;
        let first = self.documents.list.len();
        for source in sources {
            let draft = read::draft(&source.document, &source.pointer, self.diagnostics);
            fine &= draft.is_some();
            let number = self.documents.list.len();
            self.documents.list.push(Known {
                pointer: source.pointer,
                document: source.document,
                draft: draft.unwrap_or_default(),
            });
            if let Some(name) = source.name {
                self.documents.names.insert(name, number);
            }
        }
        let mut roots = Vec::new();
        for number in first..self.documents.list.len() {
            let root = self
                .document(number)
                .and_then(|document| self.read(number, &document, "", &mut loose, &mut fine));
            roots.extend(root);
        }
        // Reading what a reference leads to may find more references.
        while let Some(reference) = loose.references.pop() {
            match self.follow(&reference, &mut loose, &mut fine) {
                Ok(Some(to)) => self.arena.refer(reference.from, to),
                Ok(None) => {}
                Err(lost) => {
                    fine = false;
                    self.diagnostics
                        .error(lost.code, reference.pointer, lost.message, lost.help);
                }
            }
        }
        self.warn_of_unknown(&loose);
        fine.then_some(roots)
    }

    fn document(&self, number: usize) -> Option<Rc<Document>> {
        let known = self.documents.list.get(number)?;
        Some(Rc::clone(&known.document))
    }

    fn read(
        &mut self,
        number: usize,
        value: &Document,
        local: &str,
        loose: &mut Loose,
        fine: &mut bool,
    ) -> Option<Id> {
        let known = self.documents.list.get(number)?;
        let mut reader = Reader {
            arena: self.arena,
            loose,
            patterns: self.patterns,
            diagnostics: self.diagnostics,
            formats: self.formats,
            draft: known.draft,
            document: number,
            base: &known.pointer,
            failed: false,
        };
        let id = reader.schema(value, local, 0);
        *fine &= !reader.failed;
        id
    }

    /// What a reference leads to; `None` where that is wrong in itself, and was said.
    fn follow(
        &mut self,
        reference: &Reference,
        loose: &mut Loose,
        fine: &mut bool,
    ) -> Result<Option<Id>, Lost> {
        let Some(fragment) = reference.target.strip_prefix('#') else {
            return Err(Lost {
                code: code::SCHEMA_REF_REMOTE,
                message: format!(
                    "`{}` is outside of the policy, and nothing is fetched",
                    shown(&reference.target)
                ),
                help: Some(
                    "put a copy into `schemas` and refer to it as `#/schemas/NAME`".to_owned(),
                ),
            });
        };
        let nowhere = |help: Option<String>| Lost {
            code: code::SCHEMA_REF,
            message: format!("`{}` leads nowhere", shown(&reference.target)),
            help,
        };
        let fragment = decode(fragment)
            .ok_or_else(|| nowhere(Some("an escape is `%` and two digits".to_owned())))?;
        let Some(path) = fragment.strip_prefix('/') else {
            if fragment.is_empty() {
                return self.at(reference.document, &[], loose, fine, nowhere);
            }
            let key = (reference.document, fragment);
            let anchor = self.arena.anchors.get(&key).copied();
            return anchor.map(Some).ok_or_else(|| {
                nowhere(Some(
                    "a place in the schema is written `#/$defs/NAME`".to_owned(),
                ))
            });
        };
        let tokens: Option<Vec<String>> = path.split('/').map(unescape).collect();
        let tokens = tokens.ok_or_else(|| {
            nowhere(Some(
                "in a JSON Pointer `~` is `~0` and `/` is `~1`".to_owned(),
            ))
        })?;
        match tokens.as_slice() {
            [schemas, name, rest @ ..] if schemas == "schemas" => {
                let Some(number) = self.documents.names.get(name).copied() else {
                    let names = self.documents.names.keys().map(String::as_str);
                    let near = suggest(name, names).map_or_else(
                        || format!("the policy's `schemas` has no `{}`", shown(name)),
                        |near| format!("did you mean `#/schemas/{near}`?"),
                    );
                    return Err(nowhere(Some(near)));
                };
                self.at(number, rest, loose, fine, nowhere)
            }
            tokens => self.at(reference.document, tokens, loose, fine, nowhere),
        }
    }

    /// The schema at a place of a document, which may be one that only references lead to.
    fn at(
        &mut self,
        number: usize,
        tokens: &[String],
        loose: &mut Loose,
        fine: &mut bool,
        nowhere: impl Fn(Option<String>) -> Lost,
    ) -> Result<Option<Id>, Lost> {
        let local = tokens
            .iter()
            .fold(String::new(), |local, token| pointer_child(&local, token));
        if let Some(id) = self.arena.places.get(&(number, local.clone())) {
            return Ok(Some(*id));
        }
        let document = self.document(number).ok_or_else(|| nowhere(None))?;
        let mut value = document.as_ref();
        let mut above: Option<&Document> = None;
        for token in tokens {
            above = Some(value);
            let inner = child(value, token);
            value = inner.ok_or_else(|| nowhere(above.and_then(|above| near(above, token))))?;
        }
        let _ = above;
        match value {
            Document::Object(_) | Document::Bool(_) => {
                Ok(self.read(number, value, &local, loose, fine))
            }
            other => Err(nowhere(Some(format!(
                "there is {}, and no schema",
                other.kind()
            )))),
        }
    }

    /// Keywords that are none, unless they hold what references lead to.
    fn warn_of_unknown(&mut self, loose: &Loose) {
        for unknown in &loose.unknown {
            let below = format!("{}/", unknown.local);
            let from = (unknown.document, below.clone());
            let holds =
                self.arena
                    .places
                    .range(from..)
                    .next()
                    .is_some_and(|((document, local), _)| {
                        *document == unknown.document && local.starts_with(&below)
                    });
            if holds {
                continue;
            }
            let help = match unknown.name.as_str() {
                "nullable" => Some(
                    "that is OpenAPI 3.0: write `type: [string, null]`, or an `anyOf`".to_owned(),
                ),
                name => suggest(name, keyword::names(unknown.draft))
                    .map(|near| format!("did you mean `{near}`?")),
            };
            self.diagnostics.warning(
                code::SCHEMA_KEYWORD,
                unknown.pointer.clone(),
                format!(
                    "there is no keyword `{}`, and nothing is refused by it",
                    shown(&unknown.name)
                ),
                help,
            );
        }
    }
}

fn child<'d>(value: &'d Document, token: &str) -> Option<&'d Document> {
    match value {
        Document::Object(members) => members
            .iter()
            .find(|(name, _)| name == token)
            .map(|(_, value)| value),
        Document::Array(list) => {
            let index: usize = token.parse().ok()?;
            list.get(index).filter(|_| index.to_string() == token)
        }
        _ => None,
    }
}

fn near(above: &Document, token: &str) -> Option<String> {
    let Document::Object(members) = above else {
        return None;
    };
    let names = members.iter().map(|(name, _)| name.as_str());
    suggest(token, names).map(|near| format!("did you mean `{near}`?"))
}

/// Percent-decodes a fragment (RFC 3986, section 2.1).
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let value = digit()? * 16 + digit()?;
        bytes.push(u8::try_from(value).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// One token of a JSON Pointer (RFC 6901, section 4).
fn unescape(token: &str) -> Option<String> {
    let mut text = String::with_capacity(token.len());
    let mut rest = token.chars();
    while let Some(c) = rest.next() {
        text.push(match c {
            '~' => match rest.next()? {
                '0' => '~',
                '1' => '/',
                _ => return None,
            },
            c => c,
        });
    }
    Some(text)
}
