//! `profanity`: what counts as profane, and, on a route, where it is looked for.

use crate::document::Document;
use crate::headers::HeaderName;
use crate::scalar::{Mode, long_name, mode, pointer};
use crate::walk::{Node, Object};

/// What counts as profane: the shared section, or what a route's merge patch made of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profanity {
    /// Default enforce.
    pub mode: Mode,
    /// Built-in word lists. Default `en`.
    pub lists: Option<Vec<String>>,
    /// Words added.
    pub words: Vec<String>,
    /// Words never flagged.
    pub allow: Vec<String>,
    /// The least severity that counts. Default moderate.
    pub threshold: Threshold,
    /// Default reject.
    pub action: ProfanityAction,
}

/// `profanity.threshold`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Threshold {
    /// Everything.
    Mild,
    /// Moderate and severe.
    #[default]
    Moderate,
    /// Severe only.
    Severe,
}

/// `profanity.action`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProfanityAction {
    /// 422.
    #[default]
    Reject,
    /// The word becomes asterisks.
    Mask,
    /// A header to the upstream.
    Tag,
}

/// A route's `profanity`.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfanityTarget {
    /// What counts there.
    pub profanity: Profanity,
    /// Where in the body.
    pub fields: Fields,
    /// Query parameters.
    pub query: Vec<String>,
    /// Path parameters.
    pub path: Vec<String>,
    /// Request headers.
    pub headers: Vec<HeaderName>,
}

/// Which strings of a body are looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Fields {
    /// None: the body is not read for this.
    #[default]
    None,
    /// Those at and below these JSON Pointers, whose segments may be `*`.
    At(Vec<String>),
    /// All.
    All,
}

/// The section's keys, to judge a `null` in a merge patch by.
pub(crate) const KEYS: &[&str] = &[
    "mode",
    "lists",
    "words",
    "allow",
    "threshold",
    "action",
    "fields",
    "query",
    "path",
    "headers",
];

pub(crate) fn read(node: &Node<'_>) -> Option<Profanity> {
    let mut object = node.object()?;
    let profanity = section(&mut object);
    object.finish();
    Some(profanity)
}

/// The section with what only a route has.
pub(crate) fn read_target(node: &Node<'_>) -> Option<ProfanityTarget> {
    let mut object = node.object()?;
    let target = ProfanityTarget {
        profanity: section(&mut object),
        fields: object.read("fields", fields).unwrap_or_default(),
        query: object
            .read("query", |n| n.distinct(text))
            .unwrap_or_default(),
        path: object
            .read("path", |n| n.distinct(text))
            .unwrap_or_default(),
        headers: object
            .read("headers", |n| n.distinct(HeaderName::read))
            .unwrap_or_default(),
    };
    object.finish();
    Some(target)
}

fn section(object: &mut Object<'_>) -> Profanity {
    Profanity {
        mode: object.read("mode", mode).unwrap_or_default(),
        lists: object.read("lists", |n| n.distinct(long_name)),
        words: object
            .read("words", |n| n.distinct(text))
            .unwrap_or_default(),
        allow: object
            .read("allow", |n| n.distinct(text))
            .unwrap_or_default(),
        threshold: object
            .read("threshold", |n| {
                n.word(&[
                    ("mild", Threshold::Mild),
                    ("moderate", Threshold::Moderate),
                    ("severe", Threshold::Severe),
                ])
            })
            .unwrap_or_default(),
        action: object
            .read("action", |n| {
                n.word(&[
                    ("reject", ProfanityAction::Reject),
                    ("mask", ProfanityAction::Mask),
                    ("tag", ProfanityAction::Tag),
                ])
            })
            .unwrap_or_default(),
    }
}

fn fields(node: &Node<'_>) -> Option<Fields> {
    match node.value {
        Document::String(_) => node.word(&[("all", ())]).map(|()| Fields::All),
        _ => node
            .set(|n| n.string().and_then(|text| pointer(n, text)))
            .map(Fields::At),
    }
}

fn text(node: &Node<'_>) -> Option<String> {
    node.string().map(str::to_owned)
}
