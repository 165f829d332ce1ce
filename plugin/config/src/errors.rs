//! `errors`: what a refusal looks like.

use crate::walk::Node;

/// The `errors` section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Errors {
    /// Default problem.
    pub format: ErrorFormat,
    /// A 5xx body of the upstream never reaches the client. Default false.
    pub mask_upstream: bool,
}

/// `errors.format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorFormat {
    /// `application/problem+json` (RFC 9457).
    #[default]
    Problem,
    /// FastAPI's `{"detail": …}`.
    Fastapi,
}

pub(crate) fn read(node: &Node<'_>) -> Option<Errors> {
    let mut object = node.object()?;
    let errors = Errors {
        format: object
            .read("format", |n| {
                n.word(&[
                    ("problem", ErrorFormat::Problem),
                    ("fastapi", ErrorFormat::Fastapi),
                ])
            })
            .unwrap_or_default(),
        mask_upstream: object.read("mask_upstream", Node::boolean).unwrap_or(false),
    };
    object.finish();
    Some(errors)
}
