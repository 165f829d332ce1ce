//! YAML 1.2 through serde-saphyr's event parser: events in, value and spans out.
//!
//! The events carry what a deserializer drops and this crate needs: the style of each scalar (a quoted `"no"` is text),
//! the place of each key, and both of two equal keys. The walk keeps its own stack, so depth is memory, not call frames.

use std::collections::HashMap;
use std::ops::Range;

use portcullis_config::pointer_child;
use serde_json::{Map, Value};
use serde_saphyr::granit_parser::{self, Event, Parser, ScalarStyle, ScanError, Span as EventSpan};

use crate::spans::{Span, Spans};
use crate::{Flaw, MAX_DEPTH, MAX_VALUES, scalar};

/// More flaws than this are not collected.
const MAX_FLAWS: usize = 50;

/// Reads one YAML document.
pub(super) fn read(text: &str) -> Result<(Value, Spans), Vec<Flaw>> {
    let options = granit_parser::options! {
        disallow_directives: true,
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let mut walk = Walk::default();
    for next in Parser::new_from_str_with_options(text, options) {
        let step = match next {
            Ok((event, span)) => walk.event(event, bytes_of(&span, text)),
            Err(error) => Err(scan_flaw(&error, text)),
        };
        if let Err(flaw) = step {
            walk.flaws.push(flaw);
            break;
        }
    }
    if walk.flaws.is_empty() {
        Ok((walk.root.unwrap_or_default(), walk.spans))
    } else {
        Err(walk.flaws)
    }
}

fn scan_flaw(error: &ScanError, text: &str) -> Flaw {
    let at = error
        .marker()
        .byte_offset()
        .unwrap_or(text.len())
        .min(text.len());
    let mut message = error.info();
    // The parser's sentences start upper-case here and there.
    if let Some(first) = message.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    let flaw = Flaw::new(message, at..at);
    match text.get(at..).and_then(|rest| rest.chars().next()) {
        Some('\t') => flaw.help("YAML is indented with spaces"),
        Some('*' | '&' | '%' | '@' | '`') => {
            flaw.help("a text that starts with this character must be quoted")
        }
        _ => flaw,
    }
}

fn bytes_of(span: &EventSpan, text: &str) -> Range<usize> {
    let start = span.start.byte_offset().unwrap_or(0).min(text.len());
    let end = span
        .end
        .byte_offset()
        .unwrap_or(start)
        .clamp(start, text.len());
    start..end
}

/// A collection whose end has not come yet.
struct Open {
    pointer: String,
    key: Option<Range<usize>>,
    start: usize,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Value>),
    /// The members so far, and the key whose value comes next.
    Object(Map<String, Value>, Option<(String, Range<usize>)>),
}

impl Content {
    /// Whether the next node is a key.
    fn wants_key(&self) -> bool {
        matches!(self, Self::Object(_, None))
    }
}

/// What an anchor stands for, and how many values each use of it counts for.
struct Anchored {
    value: Value,
    size: usize,
}

#[derive(Default)]
struct Walk {
    stack: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    root: Option<Value>,
    documents: usize,
    values: usize,
    spans: Spans,
    flaws: Vec<Flaw>,
}

impl Walk {
    fn event(&mut self, event: Event<'_>, at: Range<usize>) -> Result<(), Flaw> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(Flaw::new("a second document starts here", at)
                        .help("one file holds one document; remove what follows `---`"));
                }
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.is_some(), &at);
                if self.key_is_next() {
                    return self.key(&text, style, at);
                }
                let value = self.scalar(&text, style, &at);
                if anchor != 0 {
                    let value = value.clone();
                    let size = size_of(&value);
                    self.anchors.insert(anchor, Anchored { value, size });
                }
                self.count(1, &at)?;
                self.value(value, at, false)
            }
            Event::Alias(anchor) => self.alias(anchor, at),
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_tag(tag.is_some(), &at);
                self.open(Content::List(Vec::new()), anchor, at)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_tag(tag.is_some(), &at);
                self.open(Content::Object(Map::new(), None), anchor, at)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(at),
            _ => Ok(()),
        }
    }

    fn key_is_next(&self) -> bool {
        self.stack
            .last()
            .is_some_and(|open| open.content.wants_key())
    }

    fn key(&mut self, text: &str, style: ScalarStyle, at: Range<usize>) -> Result<(), Flaw> {
        if text == "<<" && style == ScalarStyle::Plain {
            return Err(
                Flaw::new("`<<` merges in YAML 1.1 and is a key in YAML 1.2", at)
                    .help("write the keys out"),
            );
        }
        let Some(Open {
            content: Content::Object(members, next),
            ..
        }) = self.stack.last_mut()
        else {
            return Ok(());
        };
        let taken = members.contains_key(text);
        *next = Some((text.to_owned(), at.clone()));
        if taken {
            self.flaw(
                Flaw::new(format!("the key `{text}` stands twice"), at)
                    .help("readers disagree on which of them counts; keep one"),
            );
        }
        Ok(())
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, at: &Range<usize>) -> Value {
        if style != ScalarStyle::Plain {
            return Value::String(text.to_owned());
        }
        // The one key that takes the word; a reader that makes a boolean of it gives `false`, which is read as `off` too.
        let under_mode = matches!(
            self.stack.last().map(|open| &open.content),
            Some(Content::Object(_, Some((key, _)))) if key == "mode"
        );
        if under_mode && text == "off" {
            return Value::String(text.to_owned());
        }
        match scalar::resolve(text) {
            Ok(value) => value,
            Err((message, help)) => {
                self.flaw(Flaw::new(message, at.clone()).help(help));
                Value::Null
            }
        }
    }

    fn alias(&mut self, anchor: usize, at: Range<usize>) -> Result<(), Flaw> {
        if self.key_is_next() {
            return Err(Flaw::new("an alias cannot be a key here", at).help("write the key out"));
        }
        // An anchor is complete only when its node is: inside itself it is not there yet.
        let Some(anchored) = self.anchors.get(&anchor) else {
            return Err(Flaw::new("this alias stands inside what it names", at));
        };
        let (value, size) = (anchored.value.clone(), anchored.size);
        self.count(size, &at)?;
        // The inside of an alias stands elsewhere in the file: messages about it point at the alias.
        let is_collection = value.is_object() || value.is_array();
        self.value(value, at, is_collection)
    }

    fn open(&mut self, content: Content, anchor: usize, at: Range<usize>) -> Result<(), Flaw> {
        if self.key_is_next() {
            return Err(Flaw::new(
                "a key must be a plain text, not a list or an object",
                at,
            ));
        }
        if self.stack.len() >= MAX_DEPTH {
            return Err(Flaw::new(
                format!("more than {MAX_DEPTH} levels of nesting"),
                at,
            ));
        }
        self.count(1, &at)?;
        let (pointer, key) = self.next_pointer();
        self.stack.push(Open {
            pointer,
            key,
            start: at.start,
            anchor,
            content,
        });
        Ok(())
    }

    fn close(&mut self, at: Range<usize>) -> Result<(), Flaw> {
        let Some(open) = self.stack.pop() else {
            return Ok(());
        };
        let value = match open.content {
            Content::List(list) => Value::Array(list),
            Content::Object(members, _) => Value::Object(members),
        };
        if open.anchor != 0 {
            let anchored = Anchored {
                value: value.clone(),
                size: size_of(&value),
            };
            self.anchors.insert(open.anchor, anchored);
        }
        let span = Span {
            key: open.key,
            value: open.start..at.end.max(open.start),
            is_collection: true,
        };
        self.spans.insert(open.pointer, span);
        self.place(value);
        Ok(())
    }

    /// Records where a complete value stands, and puts it there.
    fn value(&mut self, value: Value, at: Range<usize>, is_collection: bool) -> Result<(), Flaw> {
        let (pointer, key) = self.next_pointer();
        let span = Span {
            key,
            value: at,
            is_collection,
        };
        self.spans.insert(pointer, span);
        self.place(value);
        Ok(())
    }

    /// The pointer of the value that comes next, and the bytes of its key.
    fn next_pointer(&self) -> (String, Option<Range<usize>>) {
        match self.stack.last() {
            None => (String::new(), None),
            Some(open) => match &open.content {
                Content::List(list) => (format!("{}/{}", open.pointer, list.len()), None),
                Content::Object(_, next) => {
                    let (key, at) = next.clone().unzip();
                    (pointer_child(&open.pointer, &key.unwrap_or_default()), at)
                }
            },
        }
    }

    fn place(&mut self, value: Value) {
        match self.stack.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(value),
            Some(Content::List(list)) => list.push(value),
            Some(Content::Object(members, next)) => {
                if let Some((key, _)) = next.take() {
                    members.insert(key, value);
                }
            }
        }
    }

    fn count(&mut self, values: usize, at: &Range<usize>) -> Result<(), Flaw> {
        self.values = self.values.saturating_add(values);
        if self.values > MAX_VALUES {
            return Err(
                Flaw::new(format!("more than {MAX_VALUES} values"), at.clone())
                    .help("an alias counts as all that it stands for"),
            );
        }
        Ok(())
    }

    fn refuse_tag(&mut self, tagged: bool, at: &Range<usize>) {
        if tagged {
            self.flaw(
                Flaw::new("tags such as `!!str` are not read", at.clone())
                    .help("quote the value if it is text"),
            );
        }
    }

    fn flaw(&mut self, flaw: Flaw) {
        if self.flaws.len() < MAX_FLAWS {
            self.flaws.push(flaw);
        }
    }
}

/// How many values a copy of a value counts for: long texts count for several, or a few aliases of one would fill the
/// memory. Its depth is bounded by the walk that built it.
fn size_of(value: &Value) -> usize {
    let text = |text: &str| text.len() / 32;
    1 + match value {
        Value::Array(list) => list.iter().map(size_of).sum(),
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| text(key) + size_of(value))
            .sum(),
        Value::String(string) => text(string),
        _ => 0,
    }
}
