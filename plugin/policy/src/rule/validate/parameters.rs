//! Path, query, header and cookie parameters.
//!
//! Each is found where its place has it, read as its schema asks ([`super::style`], [`super::coerce`]), and judged by the
//! schema. Compiled once; a request whose parameters are right allocates the values that are judged, one list of the
//! pairs that they stand in, and nothing else.

mod named;
pub(crate) mod segments;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::rc::Rc;

use portcullis_config::{
    Diagnostics, Document, Parameter, PathPattern, Segment, Strictness, UnknownQuery, Validate,
    code, pointer_child, suggest,
};
use serde_json::Value;

use self::named::Named;
use super::query::{Spelling, pair, pairs, query_of};
use super::schema::Schema;
use super::shape::{self, Shape, Types};
use super::style::{Inside, Reader, Spread};
use super::violation::{Place, Token, Violations};
use crate::message::RequestHead;
use crate::path::path_of;

/// Compiles a schema that stands at a pointer; `None` if it told why not.
pub(crate) type CompileSchema<'c> =
    dyn FnMut(&Document, &str, &mut Diagnostics) -> Option<Rc<dyn Schema>> + 'c;

/// A route's parameters.
#[derive(Debug)]
pub(crate) struct Parameters {
    strictness: Strictness,
    /// By the segment of the path, in its order.
    path: Vec<(usize, Input)>,
    query: Named,
    headers: Vec<Input>,
    cookies: Named,
    rejects_unknown: bool,
}

/// One parameter.
#[derive(Debug)]
struct Input {
    place: Place,
    /// As declared; a header's in lower case.
    name: String,
    /// The way to it: its name.
    at: Vec<Token>,
    required: bool,
    spread: Spread,
    shape: Rc<Shape>,
    schema: Rc<dyn Schema>,
}

impl Parameters {
    /// Compiles what `validate`, which stands at `pointer`, says of parameters; `None` if that is nothing, or wrong.
    /// `named` is the policy's `schemas`.
    pub(crate) fn compile(
        validate: &Validate,
        path: &PathPattern,
        named: &shape::Named,
        schema: &mut CompileSchema<'_>,
        pointer: &str,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let mut draft = Draft {
            named,
            schema,
            pointer,
            diagnostics,
        };
        let by_segment = draft.path(&validate.path, path);
        let query = draft.inputs(Place::Query, "query", &validate.query);
        let headers = draft.inputs(Place::Header, "headers", &validate.headers);
        let cookies = draft.inputs(Place::Cookie, "cookies", &validate.cookies);
        let parameters = Self {
            strictness: validate.strictness,
            path: by_segment?,
            query: draft.named("query", query?)?,
            headers: headers?,
            cookies: draft.named("cookies", cookies?)?,
            rejects_unknown: validate.unknown_query == UnknownQuery::Reject,
        };
        let says_something = parameters.rejects_unknown
            || !parameters.path.is_empty()
            || !parameters.query.is_empty()
            || !parameters.headers.is_empty()
            || !parameters.cookies.is_empty();
        says_something.then_some(parameters)
    }

    /// Adds what is wrong with a request that the route matches.
    pub(crate) fn judge(&self, head: &RequestHead<'_>, found: &mut Violations) {
        self.judge_path(head, found);
        self.judge_query(head, found);
        self.judge_headers(head, found);
        if !self.cookies.is_empty() {
            // RFC 6265 section 5.4 puts `; ` between pairs; servers split at `;` and drop what is white.
            let lines = head.all("cookie");
            let pairs = lines
                .flat_map(|line| line.split(|b| *b == b';'))
                .map(<[u8]>::trim_ascii)
                .filter(|part| !part.is_empty())
                .map(pair);
            let claims = self.cookies.claims(pairs, Spelling::Plain);
            self.cookies.judge(claims, self.strictness, found);
        }
    }

    fn judge_path(&self, head: &RequestHead<'_>, found: &mut Violations) {
        if self.path.is_empty() {
            return;
        }
        let mut segments = segments::of(path_of(head.path()));
        let mut next = 0;
        for (at, input) in &self.path {
            let value = segments.nth(at - next);
            next = at + 1;
            let mut reader = input.reader(Spelling::Percent, self.strictness, found);
            let value = match value {
                Some(value) => reader.packed(value, &input.shape, input.spread),
                None => {
                    reader.refuse_missing();
                    None
                }
            };
            input.judge(value, found);
        }
    }

    fn judge_query(&self, head: &RequestHead<'_>, found: &mut Violations) {
        let query = query_of(head.path());
        if !self.query.is_empty() {
            let claims = self.query.claims(pairs(query), Spelling::Form);
            self.query.judge(claims, self.strictness, found);
        }
        if self.rejects_unknown {
            self.query.refuse_unknown(pairs(query), found);
        }
    }

    fn judge_headers(&self, head: &RequestHead<'_>, found: &mut Violations) {
        for input in &self.headers {
            if found.is_full() {
                return;
            }
            let mut lines = head.all(&input.name);
            let first = lines.next();
            let second = lines.next();
            let mut reader = input.reader(Spelling::Plain, self.strictness, found);
            let value = match (first, second) {
                (None, _) => {
                    if input.required {
                        reader.refuse_missing();
                    }
                    None
                }
                (Some(line), None) => reader.packed(line.trim_ascii(), &input.shape, input.spread),
                (Some(_), Some(_)) if !input.shape.reads().has(Types::ARRAY | Types::OBJECT) => {
                    reader.refuse_repeated(Inside::WHOLE)
                }
                // RFC 9110 section 5.2: the lines of a list are one list.
                (Some(_), Some(_)) => {
                    let lines: Vec<&[u8]> = head.all(&input.name).collect();
                    let joined = Cow::<[u8]>::Owned(lines.join(&b", "[..]));
                    reader.packed(joined.trim_ascii(), &input.shape, input.spread)
                }
            };
            input.judge(value, found);
        }
    }
}

impl Input {
    fn reader<'r>(
        &'r self,
        spelling: Spelling,
        strictness: Strictness,
        found: &'r mut Violations,
    ) -> Reader<'r> {
        Reader {
            strictness,
            place: self.place,
            spelling,
            at: &self.at,
            found,
        }
    }

    fn judge(&self, value: Option<Value>, found: &mut Violations) {
        if let Some(value) = value {
            self.schema.judge(&value, self.place, &self.at, found);
        }
    }
}

/// What is needed to compile parameters.
struct Draft<'d, 'c> {
    named: &'d shape::Named,
    schema: &'d mut CompileSchema<'c>,
    /// Of `validate`.
    pointer: &'d str,
    diagnostics: &'d mut Diagnostics,
}

impl Draft<'_, '_> {
    fn path(
        &mut self,
        parameters: &[(String, Parameter)],
        path: &PathPattern,
    ) -> Option<Vec<(usize, Input)>> {
        let segments = path.segments.iter().enumerate();
        let templates: Vec<(usize, &str)> = segments
            .filter_map(|(at, segment)| match segment {
                Segment::Template(name) => Some((at, name.as_str())),
                Segment::Literal(_) => None,
            })
            .collect();
        let mut all_stand = true;
        for (name, _) in parameters {
            if !templates.iter().any(|(_, template)| template == name) {
                all_stand = false;
                self.refuse_absent(name, &templates, path);
            }
        }
        let mut by_segment: Vec<(usize, Input)> = Vec::new();
        for input in self.inputs(Place::Path, "path", parameters)? {
            if let Some((at, _)) = templates.iter().find(|(_, name)| *name == input.name) {
                let place = by_segment.partition_point(|(other, _)| other < at);
                by_segment.insert(place, (*at, input));
            }
        }
        all_stand.then_some(by_segment)
    }

    fn refuse_absent(&mut self, name: &str, templates: &[(usize, &str)], path: &PathPattern) {
        let names: Vec<String> = templates
            .iter()
            .map(|(_, name)| format!("`{name}`"))
            .collect();
        let help = match suggest(name, templates.iter().map(|(_, name)| *name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None if names.is_empty() => format!("`{}` has no templates", path.text),
            None => format!("it has {}", names.join(", ")),
        };
        self.diagnostics.error(
            code::VALIDATE_PATH_PARAMETER,
            pointer_child(&format!("{}/path", self.pointer), name),
            format!("the route's path has no `{{{}}}`", name.escape_debug()),
            Some(help),
        );
    }

    /// The inputs of one place; `None` if any is wrong.
    fn inputs(
        &mut self,
        place: Place,
        key: &str,
        parameters: &[(String, Parameter)],
    ) -> Option<Vec<Input>> {
        // All are compiled before any is missed, so that all that is wrong is told.
        let inputs: Vec<Option<Input>> = parameters
            .iter()
            .map(|(name, parameter)| {
                let pointer = pointer_child(&format!("{}/{key}", self.pointer), name);
                self.input(place, name, parameter, &pointer)
            })
            .collect();
        inputs.into_iter().collect()
    }

    fn input(
        &mut self,
        place: Place,
        name: &str,
        parameter: &Parameter,
        pointer: &str,
    ) -> Option<Input> {
        let schema = (self.schema)(
            &parameter.schema,
            &pointer_child(pointer, "schema"),
            self.diagnostics,
        );
        let shape = shape::compile(&parameter.schema, self.named);
        let spread = Spread::of(place, parameter.style, parameter.explode, &shape);
        let spread = spread.map_err(|meaningless| {
            self.diagnostics.error(
                code::VALIDATE_STYLE,
                pointer_child(pointer, meaningless.key),
                meaningless.message,
                Some(meaningless.help.to_owned()),
            );
        });
        Some(Input {
            place,
            name: name.to_owned(),
            at: vec![Token::Name(name.to_owned())],
            required: parameter.required.unwrap_or(place == Place::Path),
            spread: spread.ok()?,
            shape,
            schema: schema?,
        })
    }

    fn named(&mut self, key: &str, inputs: Vec<Input>) -> Option<Named> {
        Named::compile(inputs, |input, message| {
            self.diagnostics.error(
                code::VALIDATE_STYLE,
                pointer_child(&format!("{}/{key}", self.pointer), input),
                message,
                Some("an exploded object's members are parameters of their own".to_owned()),
            );
        })
    }
}
