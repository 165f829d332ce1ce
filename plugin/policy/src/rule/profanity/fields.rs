//! The strings of a body that are looked at.

use std::rc::Rc;

use portcullis_config::{self as config, ProfanityAction};
use portcullis_profanity::is_opaque;
use serde_json::Value;

use super::finder::Finder;
use super::seen::Seen;
use crate::json::{self, Changes, Pointer, Step};
use crate::rule::validate::{Place, Token};

/// `profanity.fields`, compiled.
#[derive(Debug)]
pub(crate) struct Fields {
    finder: Rc<Finder>,
    pointers: Vec<Pointer>,
    /// Whether these are all strings, so that those which nobody writes by hand are among them.
    all: bool,
    pub(crate) action: ProfanityAction,
}

impl Fields {
    /// `None` if no string is looked at.
    pub(super) fn compile(
        fields: &config::Fields,
        finder: &Rc<Finder>,
        action: ProfanityAction,
    ) -> Option<Self> {
        let pointers = match fields {
            config::Fields::None => return None,
            config::Fields::At(pointers) => pointers.iter().map(|p| Pointer::compile(p)).collect(),
            config::Fields::All => vec![Pointer::compile("")],
        };
        Some(Self {
            finder: Rc::clone(finder),
            pointers,
            all: *fields == config::Fields::All,
            action,
        })
    }

    /// Whether strings are changed.
    pub(crate) fn masks(&self) -> bool {
        self.action == ProfanityAction::Mask
    }

    /// Looks at a document's strings. Those that are masked are changed in it, and noted as changed.
    pub(crate) fn look(&self, document: &mut Value, changes: &mut Changes) -> Seen {
        let mut seen = Seen::default();
        for (nth, pointer) in self.pointers.iter().enumerate() {
            let earlier = self.pointers.get(..nth).unwrap_or_default();
            pointer.visit(document, &mut |way, text| {
                if self.all && is_opaque(text) {
                    return;
                }
                let hit = if self.masks() {
                    self.finder.masked(text).map(|(hit, masked)| {
                        changes.set(way, masked.clone());
                        *text = masked;
                        hit
                    })
                } else {
                    self.finder.find(text)
                };
                if let Some(hit) = hit {
                    let way = Step::way(way);
                    // Pointers may lead to one string in several ways.
                    if !earlier.iter().any(|pointer| pointer.means(&way)) {
                        seen.hit(Place::Body, || self.tokens(&way), &hit, &self.finder);
                    }
                }
            });
        }
        seen
    }

    /// The way as it is told: a member's name is the client's to choose, and is masked if it holds a word itself.
    fn tokens(&self, way: &[json::Token<'_>]) -> Vec<Token> {
        let tokens = way.iter().map(|token| match *token {
            json::Token::Name(name) => {
                let masked = self.finder.masked(name);
                Token::Name(masked.map_or_else(|| name.to_owned(), |(_, masked)| masked))
            }
            json::Token::Index(index) => Token::Index(index),
        });
        tokens.collect()
    }
}
