//! Why a document was not read, and at which byte.

/// What was wrong first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The offset of the byte that cannot stand where it stands; of the opening quote or bracket of what is too much;
    /// the length of the text where it ends too early.
    pub(crate) at: usize,
    /// What is wrong there.
    pub(crate) kind: FaultKind,
}

/// Every way in which a document is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// No byte that is not white space.
    Empty,
    /// U+FEFF before the value (RFC 8259 section 8.1).
    ByteOrderMark,
    /// Not UTF-8: overlong forms, encoded surrogates and bytes that UTF-8 never has.
    NotUtf8,
    /// The text ends within a value.
    Truncated,
    /// Not RFC 8259's grammar.
    Syntax,
    /// More than white space after the value.
    Trailing,
    /// A byte below 0x20 in a string (RFC 8259 section 7).
    Control,
    /// A backslash before what it cannot escape.
    Escape,
    /// `\ud800` to `\udfff` without its other half.
    LoneSurrogate,
    /// A number that no finite double stands for.
    NumberRange,
    /// A member's name that the object has already, unescaped.
    DuplicateKey,
    /// Arrays and objects within each other.
    Depth,
    /// Members of one object.
    Keys,
    /// Items of one array.
    Items,
    /// Values in all.
    Nodes,
    /// A member's name.
    KeyBytes,
    /// A string.
    StringBytes,
}

/// What a fault is refused as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultClass {
    /// Not JSON, or JSON that parsers read differently.
    Malformed,
    /// A name that stands twice.
    DuplicateKey,
    /// Past a limit.
    TooComplex,
}

impl FaultKind {
    /// What a document with this fault is refused as.
    pub(crate) fn class(self) -> FaultClass {
        match self {
            Self::Empty
            | Self::ByteOrderMark
            | Self::NotUtf8
            | Self::Truncated
            | Self::Syntax
            | Self::Trailing
            | Self::Control
            | Self::Escape
            | Self::LoneSurrogate
            | Self::NumberRange => FaultClass::Malformed,
            Self::DuplicateKey => FaultClass::DuplicateKey,
            Self::Depth
            | Self::Keys
            | Self::Items
            | Self::Nodes
            | Self::KeyBytes
            | Self::StringBytes => FaultClass::TooComplex,
        }
    }

    /// What a client is told of the document: the rest of a sentence that begins with what the document is.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Empty => "is empty",
            Self::ByteOrderMark => "begins with a byte order mark",
            Self::NotUtf8 => "is not valid UTF-8",
            Self::Truncated => "ends too early",
            Self::Syntax => "is not valid JSON",
            Self::Trailing => "goes on after its value",
            Self::Control => "has a control character in a string",
            Self::Escape => "has an invalid escape in a string",
            Self::LoneSurrogate => "has half a surrogate pair in a string",
            Self::NumberRange => "has a number out of range",
            Self::DuplicateKey => "has an object that names a member twice",
            Self::Depth => "is nested too deep",
            Self::Keys => "has an object with too many members",
            Self::Items => "has an array with too many items",
            Self::Nodes => "has too many values",
            Self::KeyBytes => "has a member with too long a name",
            Self::StringBytes => "has a string that is too long",
        }
    }
}
