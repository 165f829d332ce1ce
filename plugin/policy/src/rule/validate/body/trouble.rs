//! Why a body is refused.
//!
//! The rules of the body know what is wrong; which status and code that is stands with all other refusals.

use std::borrow::Cow;
use std::fmt;

use crate::json::{self, FaultClass};
use crate::rule::profanity::Seen;
use crate::rule::validate::violation::Violations;
use crate::rule::validate::{inflate, multipart};

/// Why a body is refused.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// 400: not in the form that it says it is in, or in one that readers differ on.
    Malformed(Said),
    /// 400: a name stands twice in an object.
    DuplicateKey(Said),
    /// 400: past a limit other than its size.
    TooComplex(Said),
    /// 413: too many bytes, as they come or when opened.
    TooLarge,
    /// 415: no content type that the route takes.
    ContentType,
    /// 415: a content encoding that is not opened.
    ContentEncoding,
    /// 422: its schema says otherwise.
    Invalid(Violations),
    /// 422: it holds words that it must not hold.
    Profane(Box<Seen>),
}

/// What is wrong with a body, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    /// The rest of a sentence that begins with `the body`.
    what: Cow<'static, str>,
    /// The byte, counted from 0 in the body after it was opened, or before where that is what failed.
    pub(crate) at: usize,
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the body {}, at byte {}", self.what, self.at)
    }
}

impl Trouble {
    /// `what` goes on after `the body`.
    pub(crate) fn malformed(what: impl Into<Cow<'static, str>>, at: usize) -> Self {
        Self::Malformed(Said {
            what: what.into(),
            at,
        })
    }

    /// As [`Trouble::malformed`].
    pub(crate) fn too_complex(what: impl Into<Cow<'static, str>>, at: usize) -> Self {
        Self::TooComplex(Said {
            what: what.into(),
            at,
        })
    }
}

impl From<json::Fault> for Trouble {
    fn from(fault: json::Fault) -> Self {
        let said = Said {
            what: fault.kind.text().into(),
            at: fault.at,
        };
        match fault.kind.class() {
            FaultClass::Malformed => Self::Malformed(said),
            FaultClass::DuplicateKey => Self::DuplicateKey(said),
            FaultClass::TooComplex => Self::TooComplex(said),
        }
    }
}

impl From<multipart::Fault> for Trouble {
    fn from(fault: multipart::Fault) -> Self {
        let what = format!("is not valid multipart/form-data: {}", fault.flaw.text());
        match fault.flaw.is_excess() {
            true => Self::too_complex(what, fault.at),
            false => Self::malformed(what, fault.at),
        }
    }
}

impl From<inflate::Refused> for Trouble {
    fn from(refused: inflate::Refused) -> Self {
        match refused {
            inflate::Refused::TooLarge | inflate::Refused::Ratio => Self::TooLarge,
            inflate::Refused::Malformed(at) => {
                Self::malformed("is not whole and valid in its content encoding", at)
            }
        }
    }
}
