//! The filter, and those of other people beside it.

use std::ops::ControlFlow;

use portcullis_profanity::{Filter, Scratch, Severity, Wanted, is_opaque, mask};
use rustrict::{CensorStr, Type};

/// One filter, set up in one way.
pub(crate) trait Engine {
    fn name(&self) -> &'static str;

    /// Whether the text is refused.
    fn flags(&mut self, text: &str) -> bool;

    /// Whether the text is refused where every string of a body is looked at, and not only those that people write.
    fn flags_value(&mut self, text: &str) -> bool {
        self.flags(text)
    }

    /// The text with what is profane covered.
    fn masked(&mut self, text: &str) -> String;
}

/// All of them, ours first.
pub(crate) fn all() -> Vec<Box<dyn Engine>> {
    vec![
        Box::new(Portcullis::new("portcullis", Severity::Moderate)),
        Box::new(Portcullis::new("portcullis, mild+", Severity::Mild)),
        Box::new(Rustrict {
            name: "rustrict",
            threshold: Type::INAPPROPRIATE,
        }),
        Box::new(Rustrict {
            name: "rustrict, moderate+",
            threshold: Type::INAPPROPRIATE & Type::MODERATE_OR_HIGHER,
        }),
        Box::new(Censor {
            name: "censor",
            words: censor::Standard,
        }),
        Box::new(Censor {
            name: "censor + sex",
            words: censor::Standard + censor::Sex,
        }),
    ]
}

/// Ours, with the English list.
pub(crate) struct Portcullis {
    name: &'static str,
    filter: Filter,
    scratch: Scratch,
}

impl Portcullis {
    pub(crate) fn new(name: &'static str, threshold: Severity) -> Self {
        let (filter, _) = Filter::compile(&Wanted {
            lists: &["en"],
            words: &[],
            allow: &[],
            threshold,
        });
        Self {
            name,
            filter,
            scratch: Scratch::default(),
        }
    }
}

impl Engine for Portcullis {
    fn name(&self) -> &'static str {
        self.name
    }

    fn flags(&mut self, text: &str) -> bool {
        let mut found = false;
        self.filter.find(text, &mut self.scratch, &mut |_| {
            found = true;
            ControlFlow::Break(())
        });
        found
    }

    fn flags_value(&mut self, text: &str) -> bool {
        !is_opaque(text) && self.flags(text)
    }

    fn masked(&mut self, text: &str) -> String {
        let mut spans = Vec::new();
        self.filter.find(text, &mut self.scratch, &mut |found| {
            spans.push((found.start, found.end));
            ControlFlow::Continue(())
        });
        mask(text, &spans)
    }
}

struct Rustrict {
    name: &'static str,
    threshold: Type,
}

impl Engine for Rustrict {
    fn name(&self) -> &'static str {
        self.name
    }

    fn flags(&mut self, text: &str) -> bool {
        text.is(self.threshold)
    }

    fn masked(&mut self, text: &str) -> String {
        rustrict::Censor::from_str(text)
            .with_censor_threshold(self.threshold)
            .censor()
    }
}

struct Censor {
    name: &'static str,
    words: censor::Censor,
}

impl Engine for Censor {
    fn name(&self) -> &'static str {
        self.name
    }

    fn flags(&mut self, text: &str) -> bool {
        self.words.check(text)
    }

    fn masked(&mut self, text: &str) -> String {
        self.words.censor(text)
    }
}
