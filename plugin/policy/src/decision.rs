//! What the engine wants done: go on with these header changes, or answer at once.

use std::borrow::Cow;

use crate::message::Line;

/// What is to become of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Decision<'a> {
    /// It goes on to the upstream, with these changes to its headers.
    Continue(Vec<Edit<'a>>),
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
    pub(crate) fn edited(&self, edits: Vec<Edit<'_>>) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut headers = self.headers.clone();
        for edit in edits {
            match edit {
                Edit::Add(name, value) => {
                    headers.push((name.into_owned(), value.into_owned()));
                }
                Edit::Replace(name, value) => {
                    for (_, old) in headers.iter_mut().filter(|(other, _)| **other == *name) {
                        value.as_ref().clone_into(old);
                    }
                }
                Edit::Remove(name) => headers.retain(|(other, _)| other != name),
            }
        }
        headers
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
