//! A path template of the document (OpenAPI 3.1 section 4.8.8) as a path of the policy.

use super::importer::text;
use super::legal::refusal;
use super::name::Names;
use super::reference::percent_decoded;

/// A path of the policy.
#[derive(Clone, Debug, Default)]
pub(super) struct Path {
    /// As the policy has it: `/match/{match_id}`.
    pub(super) text: String,
    /// What matching sees of it: two paths with one shape cannot be told apart.
    pub(super) shape: String,
    /// The templates that are whole segments, by the document's name and the policy's.
    pub(super) templates: Vec<(String, String)>,
    /// The documents' names of those that are parts of a segment, and how the whole segment must look, by its template.
    pub(super) parts: Vec<Part>,
    /// The document's name of the template that takes all that is left of a path.
    pub(super) tail: Option<String>,
}

/// A segment that is text and templates at once: `{name}.json`.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// The document's names of its templates.
    pub(super) names: Vec<String>,
    /// The policy's template for the whole segment.
    pub(super) template: String,
    /// What the whole segment must match.
    pub(super) pattern: String,
}

impl Path {
    /// Reads a template. `tails` are the parameters that may hold slashes.
    ///
    /// # Errors
    /// Why a policy cannot have such a path.
    pub(super) fn read(template: &str, tails: &[String]) -> Result<Self, String> {
        let Some(rest) = template.strip_prefix('/') else {
            return Err("a path begins with `/`".to_owned());
        };
        let mut path = Self::default();
        let mut names = Names::default();
        let mut segments = rest.split('/').peekable();
        while let Some(segment) = segments.next() {
            let is_last = segments.peek().is_none();
            if is_last && segment.is_empty() {
                break;
            }
            path.segment(segment, is_last, tails, &mut names)?;
        }
        if path.text.is_empty() {
            path.text.push('/');
        }
        match refusal("path", text(&*path.text)) {
            None => Ok(path),
            Some(why) => Err(why),
        }
    }

    fn segment(
        &mut self,
        segment: &str,
        is_last: bool,
        tails: &[String],
        names: &mut Names,
    ) -> Result<(), String> {
        let pieces = pieces(segment)?;
        match pieces.as_slice() {
            [Piece::Template(inner)] => {
                let (name, is_tail) = convertor(inner);
                if is_tail || tails.iter().any(|tail| tail == name) {
                    if !is_last {
                        return Err(format!(
                            "`{name}` may hold slashes, and is not the last segment"
                        ));
                    }
                    self.tail = Some(name.to_owned());
                    self.push("*", "*");
                } else {
                    let template = names.take_template(name);
                    self.push(&format!("{{{template}}}"), "{}");
                    self.templates.push((name.to_owned(), template));
                }
            }
            [Piece::Text(literal)] => {
                let literal = percent_decoded(literal).ok_or("its escapes are broken")?;
                // Each would be a word of the policy's own.
                if literal.contains(['*', '{', '}', '/']) {
                    return Err("it has `*`, a brace or an encoded slash in its text".to_owned());
                }
                self.push(&literal, &literal.to_ascii_lowercase());
            }
            [] => return Err("a segment is empty".to_owned()),
            pieces => {
                let part = Part::of(pieces, names)?;
                self.push(&format!("{{{}}}", part.template), "{}");
                self.parts.push(part);
            }
        }
        Ok(())
    }

    fn push(&mut self, segment: &str, shape: &str) {
        for (text, segment) in [(&mut self.text, segment), (&mut self.shape, shape)] {
            text.push('/');
            text.push_str(segment);
        }
    }
}

impl Part {
    fn of(pieces: &[Piece<'_>], names: &mut Names) -> Result<Self, String> {
        let mut pattern = String::from("^");
        let mut inner = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Text(literal) => {
                    let literal = percent_decoded(literal).ok_or("its escapes are broken")?;
                    pattern.push_str(&regex::escape(&literal));
                }
                Piece::Template(name) => {
                    pattern.push_str(".+");
                    inner.push(convertor(name).0.to_owned());
                }
            }
        }
        pattern.push('$');
        Ok(Self {
            template: names.take_template(&inner.join("-")),
            names: inner,
            pattern,
        })
    }
}

enum Piece<'t> {
    Text(&'t str),
    Template(&'t str),
}

/// A segment's texts and templates in turn.
fn pieces(segment: &str) -> Result<Vec<Piece<'_>>, String> {
    let unbalanced = || "its braces do not match".to_owned();
    let mut pieces = Vec::new();
    let mut rest = segment;
    while !rest.is_empty() {
        let (literal, after) = rest
            .split_once('{')
            .map_or((rest, None), |(a, b)| (a, Some(b)));
        if literal.contains('}') {
            return Err(unbalanced());
        }
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal));
        }
        let Some(after) = after else {
            break;
        };
        let (name, next) = after.split_once('}').ok_or_else(unbalanced)?;
        if name.contains('{') {
            return Err(unbalanced());
        }
        pieces.push(Piece::Template(name));
        rest = next;
    }
    Ok(pieces)
}

/// A template's name, and whether it says that it may hold slashes: `{path:path}` (Starlette), `{proxy+}` (AWS),
/// `{+path}` (RFC 6570), `{path*}`.
fn convertor(inner: &str) -> (&str, bool) {
    if let Some((name, convertor)) = inner.split_once(':') {
        return (name, convertor == "path");
    }
    let name = inner.trim_matches(['+', '*']);
    (name, name.len() != inner.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let check = |template: &str, expected: &str| {
            let path = Path::read(template, &["rest".to_owned()]).unwrap();
            assert_eq!(path.text, expected, "{template}");
        };
        check("/", "/");
        check("/users/{id}", "/users/{id}");
        check("/users/{id}/", "/users/{id}");
        check("/users/{user id}/x", "/users/{user-id}/x");
        check("/{id}/{id}", "/{id}/{id-2}");
        check("/files/{path:path}", "/files/*");
        check("/files/{rest}", "/files/*");
        check("/{proxy+}", "/*");
        check("/{+path}", "/*");
        check("/items/{id:int}", "/items/{id}");
        check("/a/{x}.json", "/a/{x}");
        check("/a/{x}-{y}", "/a/{x-y}");
        check("/caf%C3%A9", "/café");
        let refused = |template: &str, expected: &str| {
            let why = Path::read(template, &["rest".to_owned()]).unwrap_err();
            assert!(why.contains(expected), "{template}: {why}");
        };
        refused("users", "begins with");
        refused("/a//b", "empty");
        refused("/a?x=1", "no spaces");
        refused("/a%20b", "no spaces");
        refused("/a%2Fb", "encoded slash");
        refused("/%7Bid%7D", "a brace");
        refused("/a/%zz", "escapes");
        refused("/{rest}/x", "slashes");
        refused("/{id", "braces");
        refused("/id}", "braces");
        refused("/{{id}}", "braces");
        refused("/a/*", "`*`");
        refused("/../x", "dot segments");
    }

    #[test]
    fn a_segment_that_is_text_and_template_at_once_is_held_by_a_pattern() {
        let path = Path::read("/v1/{name}.{kind}.json", &[]).unwrap();
        let part = path.parts.first().unwrap();
        assert_eq!(part.pattern, r"^.+\..+\.json$");
        assert_eq!(part.names, ["name", "kind"]);
    }
}
