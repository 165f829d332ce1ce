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
pub(crate) mod query;
mod schema;
mod schema_at;
mod shape;
mod style;
mod violation;

use std::rc::Rc;

use portcullis_config::{Body, Config, Diagnostics, Mode, Route, Strictness};
use portcullis_profanity::Entry;

pub(crate) use self::body::{Admitted, BodyRule};
use self::body::{Trouble, Written};
use self::parameters::Parameters;
pub(crate) use self::parameters::segments;
use self::schema::{Formats, Schemas};
pub(crate) use self::violation::{Loc, Place, Token, Violation, Violations, summary};
use crate::compile::moded;
use crate::message::RequestHead;
use crate::policy::Moded;
use crate::refusal::{self, Refusal};
use crate::rule::profanity::{ProfanityRule, Seen};

/// What a route's `validate` says of parameters.
#[derive(Debug)]
pub(crate) struct ValidateRule {
    parameters: Option<Parameters>,
}

/// What a route asks of its input.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    pub(crate) validate: Option<Moded<ValidateRule>>,
    /// How bodies are read, once for each mode that a rule about them runs in.
    pub(crate) bodies: Vec<Moded<BodyRule>>,
}

/// Why an input is refused.
#[derive(Debug)]
pub(crate) struct Objection {
    pub(crate) refusal: &'static Refusal,
    /// What breaks the schema.
    pub(crate) violations: Violations,
    /// What keeps a body from being read, as a sentence, and at which byte.
    pub(crate) fault: Option<String>,
    /// What the log says of it: where, and by which keyword or entry; never the value.
    pub(crate) input: Vec<String>,
    /// The words that were found, as `input` has them.
    pub(crate) entries: Vec<Option<Entry>>,
}

/// Compiles what every route asks of its input, where `profanities` are the routes' own. What is wrong is reported for
/// what is off, too.
pub(crate) fn compile(
    config: &Config,
    profanities: &[Option<Moded<ProfanityRule>>],
    diagnostics: &mut Diagnostics,
) -> Vec<Inputs> {
    let named = config.schemas.as_deref().unwrap_or_default();
    let mut schemas = Schemas::new(config.schemas.as_deref(), Formats::Assert, diagnostics);
    let mut of_route = |(route, profanity): (&Route, &Option<Moded<ProfanityRule>>)| {
        let at = format!("/routes/{}", route.index);
        let fields = profanity.as_ref().and_then(|moded| {
            let fields = Rc::clone(moded.rule.fields.as_ref()?);
            Some((fields, moded.mode))
        });
        let written = route.validate.as_ref();
        let mode = written.map_or(Mode::Off, |validate| {
            validate.mode.capped_by(route.mode).capped_by(config.mode)
        });
        let mut compile = |schema: &_, pointer: &str, diagnostics: &mut Diagnostics| {
            schemas.compile(schema, pointer, diagnostics)
        };
        let validate = written.map(|validate| ValidateRule {
            parameters: Parameters::compile(
                validate,
                &route.path,
                named,
                &mut compile,
                &format!("{at}/validate"),
                diagnostics,
            ),
        });
        let mut inputs = Inputs {
            validate: validate.and_then(|rule| moded(mode, || rule)),
            bodies: Vec::new(),
        };
        let body =
            written.and_then(|validate| Some((validate.body.as_ref()?, validate.strictness)));
        // A body is read once for all that run in one mode.
        let mut alone = fields.as_ref();
        if let Some((body, strictness)) = body {
            let schema = body.schema.as_ref().and_then(|schema| {
                compile(schema, &format!("{at}/validate/body/schema"), diagnostics)
            });
            let shared = alone.filter(|(_, other)| *other == mode);
            let rule = BodyRule::compile(
                Written {
                    body,
                    strictness,
                    schema,
                    fields: shared.map(|(fields, _)| Rc::clone(fields)),
                },
                named,
                &at,
                diagnostics,
            );
            alone = alone.filter(|_| shared.is_none());
            inputs.bodies.extend(moded(mode, || rule));
        }
        if let Some((fields, mode)) = alone {
            let limits = body.map(|(body, _)| body.clone()).unwrap_or_default();
            let body = Body {
                // Where there is none, nothing is said.
                required: Some(false),
                normalize: Vec::new(),
                schema: None,
                ..limits
            };
            let written = Written {
                body: &body,
                strictness: Strictness::Schema,
                schema: None,
                fields: Some(Rc::clone(fields)),
            };
            let rule = BodyRule::compile(written, named, &at, diagnostics);
            inputs.bodies.extend(moded(*mode, || rule));
        }
        inputs
    };
    config
        .routes
        .iter()
        .zip(profanities)
        .map(&mut of_route)
        .collect()
}

impl ValidateRule {
    /// Judges the parameters of a request.
    pub(crate) fn judge(&self, head: &RequestHead<'_>) -> Result<(), Objection> {
        let mut violations = Violations::default();
        if let Some(parameters) = &self.parameters {
            parameters.judge(head, &mut violations);
        }
        match violations.is_empty() {
            true => Ok(()),
            false => Err(Objection::of(&refusal::INPUT_INVALID, violations)),
        }
    }
}

impl Objection {
    fn of(refusal: &'static Refusal, violations: Violations) -> Self {
        Self {
            input: violations.as_slice().iter().map(summary).collect(),
            violations,
            ..Self::plain(refusal)
        }
    }

    fn unreadable() -> Self {
        Self::plain(&refusal::BODY_UNREADABLE)
    }

    fn plain(refusal: &'static Refusal) -> Self {
        Self {
            refusal,
            violations: Violations::default(),
            fault: None,
            input: Vec::new(),
            entries: Vec::new(),
        }
    }
}

impl From<Seen> for Objection {
    fn from(seen: Seen) -> Self {
        Self {
            violations: seen.violations,
            input: seen.input,
            entries: seen.entries,
            ..Self::plain(&refusal::PROFANITY_FOUND)
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
            Trouble::Invalid(violations) => return Self::of(&refusal::INPUT_INVALID, violations),
            Trouble::Profane(seen) => return Self::from(*seen),
        };
        Self {
            fault: Some(said.to_string()),
            ..Self::plain(refusal)
        }
    }
}
