//! What is wrong with a multipart body.

/// What is wrong with a multipart body, and the byte where that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    pub(crate) flaw: Flaw,
}

/// What can be wrong with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It does not begin with the boundary.
    Preamble,
    /// A line begins like the boundary and is none.
    Boundary,
    /// It ends before its last boundary.
    Unfinished,
    /// Something follows the last boundary.
    Epilogue,
    /// A line of a header ends otherwise than with CR LF, or holds a control character.
    LineEnd,
    /// A header line that goes on in the next.
    Folded,
    /// A header line without a name and a colon, or one that is not UTF-8.
    Line,
    /// A header stands twice.
    Repeated,
    /// Too many header lines, or too many bytes of them.
    Header,
    /// No `content-disposition`, or one that is not `form-data` with a name in plain quotes.
    Disposition,
    /// A parameter of it stands twice.
    ParameterRepeated,
    /// `name*` or `filename*`: which of two names is meant, readers differ on (RFC 7578 section 4.2).
    Extended,
    /// A name or file name that ends in a backslash, or a name that is another's once its escapes are undone: some readers
    /// undo them.
    Escape,
    /// A content type that is malformed, or whose charset is not UTF-8.
    ContentType,
    /// `_charset_`, by which a part changes what the others say (RFC 7578 section 4.6).
    Charset,
    /// A multipart body in a part (RFC 7578 section 4.3).
    Nested,
    /// Bytes that are not those of the field (RFC 7578 section 4.7).
    TransferEncoding,
    /// More parts than there may be.
    Parts,
}

impl Flaw {
    /// For the client, after `the body is not valid multipart/form-data: `.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Preamble => "it does not begin with its boundary",
            Self::Boundary => "a line begins like the boundary and is none",
            Self::Unfinished => "it ends before its last boundary",
            Self::Epilogue => "something follows its last boundary",
            Self::LineEnd => "a header line does not end with CR LF or holds a control character",
            Self::Folded => "a header line is folded",
            Self::Line => "a header line has no valid name and value",
            Self::Repeated => "a header of a part stands twice",
            Self::Header => "the header of a part is too large",
            Self::Disposition => "a part has no `form-data` disposition with a name in quotes",
            Self::ParameterRepeated => "a parameter of a part's disposition stands twice",
            Self::Extended => "a part's disposition has a parameter with `*`",
            Self::Escape => "a part's name or file name holds an escape",
            Self::ContentType => "the content type of a part is malformed or not of UTF-8",
            Self::Charset => "a part sets the character set",
            Self::Nested => "a part is multipart itself",
            Self::TransferEncoding => "a part has a transfer encoding",
            Self::Parts => "there are too many parts",
        }
    }

    /// Whether the body is well formed and only has too much of something.
    pub(crate) fn is_excess(self) -> bool {
        matches!(self, Self::Header | Self::Parts)
    }
}
