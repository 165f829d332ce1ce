//! `validate`: what a route's parameters and body must look like.
//!
//! Everything is compiled when the policy loads: a schema, a pattern or a pointer that cannot be enforced is an error
//! there. A request is judged in two steps, since its head comes first: the parameters, and what the head says of the
//! body; then the body, whole.

mod body;
mod coerce;
mod form;
mod inflate;
mod media_type;
mod multipart;
mod normalize;
mod parameters;
mod query;
mod schema;
mod schema_at;
mod shape;
mod style;
mod violation;

use portcullis_config::{Config, Diagnostics, Route, Validate};

use self::body::{Announced, BodyRule, Trouble};
use self::parameters::Parameters;
use self::schema::{Formats, Schemas};
pub(crate) use self::violation::{Loc, Violation, Violations, summary};
#[cfg(test)]
pub(crate) use self::violation::{Place, Token};
use crate::compile::moded;
use crate::message::RequestHead;
use crate::policy::Moded;
use crate::refusal::{self, Refusal};

/// A route's `validate`.
#[derive(Debug)]
pub(crate) struct ValidateRule {
    parameters: Option<Parameters>,
    body: Option<BodyRule>,
}

/// A body that its head lets come, and how it is to be read.
#[derive(Debug)]
pub(crate) struct Admitted {
    announced: Announced,
    pub(crate) may_be_rewritten: bool,
}

/// Why an input is refused.
#[derive(Debug)]
pub(crate) struct Objection {
    pub(crate) refusal: &'static Refusal,
    /// What breaks the schema.
    pub(crate) violations: Violations,
    /// What keeps a body from being read, as a sentence, and at which byte.
    pub(crate) fault: Option<String>,
}

/// Compiles what every route says of its input; a route that says nothing, or is off, has `None`. What is wrong is
/// reported for those that are off, too.
pub(crate) fn compile(
    config: &Config,
    diagnostics: &mut Diagnostics,
) -> Vec<Option<Moded<ValidateRule>>> {
    let named = config.schemas.as_deref().unwrap_or_default();
    let mut schemas = Schemas::new(config.schemas.as_deref(), Formats::Assert, diagnostics);
    let mut rule = |route: &Route, validate: &Validate| {
        let at = format!("/routes/{}/validate", route.index);
        let mut compile = |schema: &_, pointer: &str, diagnostics: &mut Diagnostics| {
            schemas.compile(schema, pointer, diagnostics)
        };
        let parameters =
            Parameters::compile(validate, &route.path, named, &mut compile, &at, diagnostics);
        let body = validate.body.as_ref().map(|body| {
            let at = format!("{at}/body");
            let schema = body
                .schema
                .as_ref()
                .and_then(|schema| schemas.compile(schema, &format!("{at}/schema"), diagnostics));
            BodyRule::compile(body, validate.strictness, schema, named, &at, diagnostics)
        });
        ValidateRule { parameters, body }
    };
    let mut of_route = |route: &Route| {
        let validate = route.validate.as_ref()?;
        let rule = rule(route, validate);
        let mode = validate.mode.capped_by(route.mode).capped_by(config.mode);
        moded(mode, || rule)
    };
    config.routes.iter().map(&mut of_route).collect()
}

impl ValidateRule {
    /// Judges the parameters of a request.
    pub(crate) fn judge_parameters(&self, head: &RequestHead<'_>) -> Result<(), Objection> {
        let mut violations = Violations::default();
        if let Some(parameters) = &self.parameters {
            parameters.judge(head, &mut violations);
        }
        match violations.is_empty() {
            true => Ok(()),
            false => Err(Objection::invalid(violations)),
        }
    }

    /// The bytes that a body may have, where that is said.
    pub(crate) fn max_bytes(&self) -> Option<usize> {
        self.body.as_ref()?.max_bytes()
    }

    /// Judges what a request's head says of its body; `None` if nothing of it is to be read.
    pub(crate) fn admit(&self, head: &RequestHead<'_>) -> Result<Option<Admitted>, Objection> {
        let Some(rule) = &self.body else {
            return Ok(None);
        };
        if rule.reads() && head.is_tunnel() && head.is_open() {
            // Nothing of a tunnel is a body, and an upstream that takes it for none reads it all the same.
            return Err(Objection::plain(&refusal::BODY_UNREADABLE));
        }
        let announced = rule.admit(head)?;
        if !head.has_body() {
            rule.judge(&announced, b"")?;
        }
        let reads = rule.reads() && head.may_have_body();
        Ok(reads.then(|| Admitted {
            announced,
            may_be_rewritten: rule.rewrites(),
        }))
    }

    /// Judges a whole body. Gives the bytes that are to go on in its place, if these are others.
    pub(crate) fn judge_body(
        &self,
        admitted: &Admitted,
        body: &[u8],
    ) -> Result<Option<Vec<u8>>, Objection> {
        match &self.body {
            Some(rule) => Ok(rule.judge(&admitted.announced, body)?),
            None => Ok(None),
        }
    }
}

impl Objection {
    fn invalid(violations: Violations) -> Self {
        Self {
            refusal: &refusal::INPUT_INVALID,
            violations,
            fault: None,
        }
    }

    fn plain(refusal: &'static Refusal) -> Self {
        Self {
            refusal,
            violations: Violations::default(),
            fault: None,
        }
    }
}

impl From<Trouble> for Objection {
    fn from(trouble: Trouble) -> Self {
        let (refusal, said) = match trouble {
            Trouble::Malformed(said) => (&refusal::BODY_MALFORMED, said),
            Trouble::DuplicateKey(said) => (&refusal::BODY_DUPLICATE_KEY, said),
            Trouble::TooComplex(said) => (&refusal::BODY_TOO_COMPLEX, said),
            Trouble::TooLarge => return Self::plain(&refusal::ROUTE_BODY_TOO_LARGE),
            Trouble::ContentType => return Self::plain(&refusal::CONTENT_TYPE_NOT_ALLOWED),
            Trouble::ContentEncoding => {
                return Self::plain(&refusal::CONTENT_ENCODING_NOT_ALLOWED);
            }
            Trouble::Invalid(violations) => return Self::invalid(violations),
        };
        Self {
            fault: Some(said.to_string()),
            ..Self::plain(refusal)
        }
    }
}
