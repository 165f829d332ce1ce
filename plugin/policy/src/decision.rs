//! What the engine wants done: go on with these header changes, or answer at once.

use std::borrow::Cow;

use crate::message::Line;

/// What is to become of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Decision<'a> {
    /// It goes on to the upstream, with these changes to its headers.
    Continue(Vec<Edit<'a>>),
    /// As `Continue`, but not before its body is judged: nothing of it may reach the upstream before.
    NeedBody(Vec<Edit<'a>>),
    /// It is answered here, and the upstream never sees it.
    Reply(Reply),
}

/// One change to a message's headers. Applied in order, the changes leave each named header on at most one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit<'a> {
    /// A line that is not there yet, or, after a `Remove` of its name, one of several.
    Add(Cow<'a, [u8]>, Cow<'a, [u8]>),
    /// The value of the one line that is there.
    Replace(Cow<'a, [u8]>, Cow<'a, [u8]>),
    /// All lines of this name, which is as the message has it.
    Remove(&'a [u8]),
}

impl Edit<'_> {
    /// The name of the header that is changed.
    pub(crate) fn name(&self) -> &[u8] {
        match self {
            Self::Add(name, _) | Self::Replace(name, _) => name,
            Self::Remove(name) => name,
        }
    }
}

/// An answer of the gateway's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The status for a gRPC request, which hosts deliver in a trailer-only response with HTTP status 200
    /// (gRPC over HTTP2, "Responses"); `None` for every other request.
    pub grpc_status: Option<u8>,
    /// All headers but those that frame the message, lower case, each once.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// The body; for a gRPC request the message.
    pub body: String,
}

impl Reply {
    /// The headers as the lines that rules look at.
    pub(crate) fn lines(&self) -> Vec<Line<'_>> {
        let lines = self.headers.iter();
        lines
            .map(|(name, value)| (name.as_slice(), value.as_slice()))
            .collect()
    }

    /// The headers after these edits.
    pub(crate) fn edited(&self, edits: &[Edit<'_>]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let lines = edited(&self.lines(), edits).into_iter();
        lines
            .map(|(name, value)| (name.to_vec(), value.to_vec()))
            .collect()
    }
}

/// A message's lines after these edits.
pub fn edited<'a>(lines: &[Line<'a>], edits: &'a [Edit<'a>]) -> Vec<Line<'a>> {
    let mut lines = lines.to_vec();
    for edit in edits {
        match edit {
            Edit::Add(name, value) => lines.push((name, value)),
            Edit::Replace(name, value) => {
                for line in lines.iter_mut().filter(|(other, _)| *other == &**name) {
                    line.1 = value;
                }
            }
            Edit::Remove(name) => lines.retain(|(other, _)| other != name),
        }
    }
    lines
}

/// What a message holds of a header that is to stand on one line.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen<'a> {
    pub(crate) lines: usize,
    /// The name as the message has it.
    name: &'a [u8],
    /// The value of the first line.
    value: &'a [u8],
}

impl<'a> Seen<'a> {
    pub(crate) fn see(&mut self, (name, value): Line<'a>) {
        if self.lines == 0 {
            (self.name, self.value) = (name, value);
        }
        self.lines += 1;
    }

    /// Makes it this one line; `name` is lower case.
    pub(crate) fn write(
        self,
        name: impl Into<Cow<'a, [u8]>>,
        value: Cow<'a, [u8]>,
        edits: &mut Vec<Edit<'a>>,
    ) {
        match self.lines {
            0 => edits.push(Edit::Add(name.into(), value)),
            1 if self.value == value.as_ref() => {}
            1 => edits.push(Edit::Replace(name.into(), value)),
            // Some hosts replace the first of several lines and leave the rest.
            _ => {
                edits.push(Edit::Remove(self.name));
                edits.push(Edit::Add(name.into(), value));
            }
        }
    }

    /// Removes it, if it is there.
    pub(crate) fn remove(self, edits: &mut Vec<Edit<'a>>) {
        if self.lines > 0 {
            edits.push(Edit::Remove(self.name));
        }
    }
}

/// Removes all lines of a header, if that is not among the edits already.
pub(crate) fn remove_once<'a>(edits: &mut Vec<Edit<'a>>, name: &'a [u8]) {
    let again = edits.iter().any(|edit| match edit {
        Edit::Remove(other) => other.eq_ignore_ascii_case(name),
        _ => false,
    });
    if !again {
        edits.push(Edit::Remove(name));
    }
}
