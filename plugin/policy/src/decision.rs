//! What the engine wants done: go on with these header changes, or answer at once.

use std::borrow::Cow;

use crate::message::Line;

/// What is to become of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Decision {
    /// It goes on to the upstream.
    Continue,
    /// It is answered here, and the upstream never sees it.
    Reply(Reply),
}

/// One change to a message's headers. Applied in order, the changes leave each named header on at most one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit<'a> {
    /// A line that is not there yet.
    Add(Cow<'a, str>, Cow<'a, str>),
    /// The value of the one line that is there.
    Replace(Cow<'a, str>, Cow<'a, str>),
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
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// The body; for a gRPC request the message.
    pub body: String,
}

impl Reply {
    /// The headers as the lines that rules look at.
    pub(crate) fn lines(&self) -> Vec<Line<'_>> {
        let lines = self.headers.iter();
        lines
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .collect()
    }

    /// The headers after these edits.
    pub(crate) fn edited(&self, edits: Vec<Edit<'_>>) -> Vec<(Cow<'static, str>, String)> {
        let mut headers = self.headers.clone();
        for edit in edits {
            match edit {
                Edit::Add(name, value) => {
                    headers.push((Cow::Owned(name.into_owned()), value.into_owned()));
                }
                Edit::Replace(name, value) => {
                    for (_, old) in headers.iter_mut().filter(|(other, _)| *other == name) {
                        value.as_ref().clone_into(old);
                    }
                }
                Edit::Remove(name) => headers.retain(|(other, _)| other.as_bytes() != name),
            }
        }
        headers
    }
}
