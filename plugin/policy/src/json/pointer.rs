//! Pointers into a document (RFC 6901) whose segments may be `*`: which of its strings a policy means.

use serde_json::Value;

/// A pointer, compiled. A segment of `*` is any member and any item; a member that is named `*` cannot be meant alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pointer(Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Any,
    /// A member's name, and the array index that the same text is.
    One(String, Option<usize>),
}

/// One step of the way to a value, with those before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step<'a> {
    before: Option<&'a Step<'a>>,
    token: Token<'a>,
}

/// What one step goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    Name(&'a str),
    Index(usize),
}

impl<'a> Step<'a> {
    /// The tokens of the way, from the document's root on.
    pub(crate) fn way(last: Option<&Self>) -> Vec<Token<'a>> {
        let mut way: Vec<Token<'a>> =
            std::iter::successors(last.copied(), |step| step.before.copied())
                .map(|step| step.token)
                .collect();
        way.reverse();
        way
    }
}

impl Pointer {
    /// Compiles a pointer, whose syntax is the policy's to judge: the empty text is the whole document.
    pub(crate) fn compile(text: &str) -> Self {
        let segments = text.split('/').skip(1).map(|segment| match segment {
            "*" => Segment::Any,
            _ => {
                let name = segment.replace("~1", "/").replace("~0", "~");
                let index = index(&name);
                Segment::One(name, index)
            }
        });
        Self(segments.collect())
    }

    /// Calls `meet` with every string that is meant, and the way to it: where the pointer leads to an array or an
    /// object, with every string below. Nothing is allocated, and nothing visited that the pointer does not lead to.
    pub(crate) fn visit<F>(&self, document: &mut Value, meet: &mut F)
    where
        F: FnMut(Option<&Step<'_>>, &mut String),
    {
        visit(document, &self.0, None, meet);
    }

    /// Whether a string at the end of this way is meant.
    pub(crate) fn means(&self, way: &[Token<'_>]) -> bool {
        let mut steps = self.0.iter().zip(way);
        way.len() >= self.0.len()
            && steps.all(|(segment, token)| match (segment, token) {
                (Segment::Any, _) => true,
                (Segment::One(name, _), Token::Name(other)) => name == other,
                (Segment::One(_, index), Token::Index(at)) => *index == Some(*at),
            })
    }
}

/// An array index: digits without leading zeros (RFC 6901 section 4).
fn index(text: &str) -> Option<usize> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = text == "0" || !text.starts_with('0');
    text.parse().ok().filter(|_| digits && plain)
}

fn visit<F>(value: &mut Value, segments: &[Segment], before: Option<&Step<'_>>, meet: &mut F)
where
    F: FnMut(Option<&Step<'_>>, &mut String),
{
    let every = (&Segment::Any, segments);
    let (segment, rest) = segments.split_first().unwrap_or(every);
    let mut below = |token: Token<'_>, value: &mut Value| {
        visit(value, rest, Some(&Step { before, token }), meet);
    };
    match (value, segment) {
        (Value::Array(items), Segment::Any) => {
            for (index, item) in items.iter_mut().enumerate() {
                below(Token::Index(index), item);
            }
        }
        (Value::Array(items), Segment::One(_, index)) => {
            if let Some((index, item)) = index.and_then(|at| Some((at, items.get_mut(at)?))) {
                below(Token::Index(index), item);
            }
        }
        (Value::Object(members), Segment::Any) => {
            for (name, member) in members {
                below(Token::Name(name), member);
            }
        }
        (Value::Object(members), Segment::One(name, _)) => {
            if let Some(member) = members.get_mut(name) {
                below(Token::Name(name), member);
            }
        }
        (Value::String(text), _) if segments.is_empty() => meet(before, text),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pointers_mean_strings() {
        let document = json!({
            "a": "1", "": "2", "a/b": "3", "m~n": "4", "01": "5", "0": "6", "-": "7", "*": "8",
            "list": ["9", {"x": "10", "y": ["11", 12]}, ["13"]],
            "more": {"x": {"x": "14"}, "0": "15"}
        });
        let check = |pointer: &str, expected: &[&str]| {
            let mut met = Vec::new();
            let compiled = Pointer::compile(pointer);
            compiled.visit(&mut document.clone(), &mut |way, text| {
                let way = Step::way(way);
                let found = way.iter().try_fold(&document, |value, token| match token {
                    Token::Name(name) => value.get(*name),
                    Token::Index(index) => value.get(*index),
                });
                assert_eq!(found, Some(&json!(text)), "{pointer}");
                assert!(compiled.means(&way), "{pointer} {way:?}");
                met.push(text.clone());
            });
            met.sort_by_key(|text| text.parse::<u32>().unwrap());
            assert_eq!(met, expected, "{pointer}");
            Pointer::compile("").visit(&mut document.clone(), &mut |way, text| {
                let means = compiled.means(&Step::way(way));
                assert_eq!(means, met.contains(text), "{pointer} {way:?}");
            });
        };
        check("/a", &["1"]);
        check("/", &["2"]);
        check("/a~1b", &["3"]);
        check("/m~0n", &["4"]);
        check("/01", &["5"]);
        check("/0", &["6"]);
        check("/-", &["7"]);
        check("/list/0", &["9"]);
        check("/list/00", &[]);
        check("/list/-", &[]);
        check("/list/3", &[]);
        check("/list/+0", &[]);
        check("/list/99999999999999999999999", &[]);
        check("/list/1/y/1", &[]);
        check("/list", &["9", "10", "11", "13"]);
        check("/list/1", &["10", "11"]);
        check("/list/*", &["9", "10", "11", "13"]);
        check("/list/*/x", &["10"]);
        check("/*/*/x", &["10", "14"]);
        check("/*/0", &["9", "15"]);
        check("/*/x", &["14"]);
        check("/a/b", &[]);
        check("/none", &[]);
        let strings = 1..=15;
        let all: Vec<String> = strings
            .filter(|n| *n != 12)
            .map(|n| n.to_string())
            .collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        check("", &all);
        check("/*", &all);
    }
}
