//! Path patterns: what routes match, and, without templates, what exemptions name.

use crate::diagnostic::code;
use crate::walk::{Node, shown};

/// A path in segments. `/match/{id}/submit` has three; `/static/*` has one and a tail; `/` has none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PathPattern {
    /// As written.
    pub text: String,
    /// The segments in front of the tail.
    pub segments: Vec<Segment>,
    /// What may follow them.
    pub tail: Tail,
}

/// One segment of a [`PathPattern`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Segment {
    /// These bytes, as written.
    Literal(String),
    /// `{name}`: any one segment that is not empty.
    Template(String),
}

/// What may follow the segments of a [`PathPattern`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tail {
    /// Nothing.
    None,
    /// `/*`: one segment or more.
    Any,
}

impl PathPattern {
    fn parse(text: &str, templates: bool) -> Result<Self, &'static str> {
        let Some(rest) = text.strip_prefix('/') else {
            return Err("a path begins with `/`");
        };
        if text.len() > 1024 {
            return Err("at most 1024 bytes");
        }
        if text
            .chars()
            .any(|c| c.is_control() || " ?#\\;%".contains(c))
        {
            return Err(
                "no spaces, control characters, `?`, `#`, `\\`, `;` or `%`: paths are matched decoded",
            );
        }
        let (rest, tail) = match rest.strip_suffix('*') {
            Some("") => ("", Tail::Any),
            Some(front) => match front.strip_suffix('/') {
                Some(front) => (front, Tail::Any),
                None => return Err("`*` stands alone in the last segment, as in `/static/*`"),
            },
            // Requests match with and without one trailing slash, so patterns need none.
            None => (rest.strip_suffix('/').unwrap_or(rest), Tail::None),
        };
        let mut segments: Vec<Segment> = Vec::new();
        for part in rest.split('/').filter(|_| !rest.is_empty()) {
            let segment = Self::segment(part, templates)?;
            let again = matches!(segment, Segment::Template(_)) && segments.contains(&segment);
            if again {
                return Err("each template has a name of its own");
            }
            segments.push(segment);
        }
        Ok(Self {
            text: text.to_owned(),
            segments,
            tail,
        })
    }

    fn segment(part: &str, templates: bool) -> Result<Segment, &'static str> {
        if part.is_empty() {
            return Err("a segment is empty: repeated slashes match as one");
        }
        if part == "." || part == ".." {
            return Err("dot segments never reach the matching");
        }
        if let Some(name) = part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
            let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
            return if !templates {
                Err("no templates here")
            } else if (1..=64).contains(&name.len()) && name.bytes().all(legal) {
                Ok(Segment::Template(name.to_owned()))
            } else {
                Err("a template is a whole segment, as in `/match/{match_id}`")
            };
        }
        if part.contains(['{', '}']) {
            return Err("a template is a whole segment, as in `/match/{match_id}`");
        }
        if part.contains('*') {
            return Err("`*` stands alone in the last segment, as in `/static/*`");
        }
        Ok(Segment::Literal(part.to_owned()))
    }

    /// A pattern with templates: a route's path.
    pub(crate) fn route(node: &Node<'_>) -> Option<Self> {
        Self::read(node, true)
    }

    /// A pattern without templates: an exemption's path.
    pub(crate) fn exempt(node: &Node<'_>) -> Option<Self> {
        Self::read(node, false)
    }

    fn read(node: &Node<'_>, templates: bool) -> Option<Self> {
        let text = node.string()?;
        match Self::parse(text, templates) {
            Ok(pattern) => Some(pattern),
            Err(help) => {
                node.error(
                    code::PATH_PATTERN,
                    format!("`{}` is not a path pattern", shown(text)),
                    Some(help),
                );
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let check = |text: &str, segments: usize, tail: Tail| {
            let pattern = PathPattern::parse(text, true).unwrap();
            assert_eq!(
                (pattern.segments.len(), pattern.tail),
                (segments, tail),
                "{text}"
            );
        };
        check("/", 0, Tail::None);
        check("/*", 0, Tail::Any);
        check("/a", 1, Tail::None);
        check("/a/", 1, Tail::None);
        check("/match/{id}/submit", 3, Tail::None);
        check("/static/*", 1, Tail::Any);
        check("/münchen", 1, Tail::None);
        let refused = |text: &str| assert!(PathPattern::parse(text, true).is_err(), "{text}");
        refused("");
        refused("a");
        refused("/a//b");
        refused("/a*");
        refused("/*/a");
        refused("/{id");
        refused("/x{id}");
        refused("/{}");
        refused("/{id}/{id}");
        refused("/../a");
        refused("/a?b");
        refused("/a%20b");
        refused("/a b");
        assert!(PathPattern::parse("/{id}", false).is_err());
    }
}
