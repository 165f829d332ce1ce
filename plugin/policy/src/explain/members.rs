//! JSON as it comes: the members of an object, one after the other.

use crate::decision::Edit;
use crate::record::kept;

/// The members of a JSON object, without its braces.
#[derive(Debug, Default)]
pub(super) struct Members(String);

impl Members {
    /// Adds a string, or null.
    #[cold]
    pub(super) fn text(&mut self, name: &str, value: Option<&str>) {
        // A string cannot fail to be one.
        let value = value.and_then(|value| serde_json::to_string(value).ok());
        self.raw(name, value.as_deref().unwrap_or("null"));
    }

    /// Adds what is JSON already.
    #[cold]
    pub(super) fn raw(&mut self, name: &str, value: &str) {
        let separator = if self.0.is_empty() { "\"" } else { ",\"" };
        for part in [separator, name, "\":", value] {
            self.0.push_str(part);
        }
    }

    /// What was decided, and the status and the code of the answer, if there is one.
    #[cold]
    pub(super) fn end(&mut self, decision: &str, status: Option<u16>, code: Option<&str>) {
        let status = status.map(|status| status.to_string());
        self.text("decision", Some(decision));
        self.raw("status", status.as_deref().unwrap_or("null"));
        self.text("code", code);
    }

    #[cold]
    pub(super) fn object(&self) -> String {
        ["{", &self.0, "}"].concat()
    }
}

/// Adds an object to those of a list.
#[cold]
pub(super) fn append(list: &mut String, members: &Members) {
    if !list.is_empty() {
        list.push(',');
    }
    list.push_str(&members.object());
}

#[cold]
pub(super) fn changes(edits: &[Edit<'_>]) -> String {
    let mut list = String::new();
    for edit in edits {
        let (change, name, value) = match edit {
            Edit::Add(name, value) => ("add", name.as_ref(), Some(value)),
            Edit::Replace(name, value) => ("replace", name.as_ref(), Some(value)),
            Edit::Remove(name) => ("remove", *name, None),
        };
        let mut members = Members::default();
        members.text("change", Some(change));
        members.text("name", Some(&text(name).to_ascii_lowercase()));
        members.text("value", value.map(|value| text(value)).as_deref());
        append(&mut list, &members);
    }
    list
}

/// What is kept of bytes that the client chose.
#[cold]
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&kept(bytes)).into_owned()
}
