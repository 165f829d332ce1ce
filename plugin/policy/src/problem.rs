//! A refusal as its client reads it: a problem document (RFC 9457), what FastAPI writes, or a gRPC message.

use portcullis_config::ErrorFormat;
use serde::Serialize;

use crate::decision::Reply;
use crate::refusal::{Refusal, UNCHECKED, reason};
use crate::rule::observe::RequestId;
use crate::rule::validate::Violation;

/// The problem type of a 429 (draft-ietf-httpapi-ratelimit-headers-10, "Quota Exceeded").
const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";
/// Violations are told up to this many bytes: their pointers hold names that the client chose.
const MAX_BYTES: usize = 8 * 1024;

/// A header that belongs to a refusal: `Allow` for a 405, `Location` for a redirect, `Retry-After` for a 429 (RFC 9110
/// sections 15.5.6, 15.4 and 10.2.3).
pub(crate) type Extra = Option<(&'static str, Vec<u8>)>;

/// What is said of one refusal beside what is said of all of its kind.
#[derive(Default)]
pub(crate) struct Told<'a> {
    pub(crate) header: Extra,
    /// The rate limit that refuses.
    pub(crate) limit: Option<&'a str>,
    /// What is wrong with the input.
    pub(crate) violations: &'a [Violation],
    /// The status, where it is the upstream's own.
    pub(crate) status: Option<u16>,
    /// What is wrong with a body that cannot be read, and at which byte, in place of the refusal's own sentence.
    pub(crate) fault: Option<String>,
}

/// A problem document (RFC 9457 section 3).
#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    request_id: &'a str,
    #[serde(rename = "violated-policies", skip_serializing_if = "Option::is_none")]
    violated_policies: Option<[&'a str; 1]>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [Violation],
}

/// What FastAPI writes, with what it has no place for beside it.
#[derive(Serialize)]
struct Detail<'a> {
    detail: Details<'a>,
    code: &'a str,
    request_id: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Details<'a> {
    Sentence(&'a str),
    List(Vec<PydanticError<'a>>),
}

/// One error as pydantic lists it.
#[derive(Serialize)]
struct PydanticError<'a> {
    r#type: &'static str,
    loc: crate::rule::validate::Loc<'a>,
    msg: &'a str,
}

impl Refusal {
    /// The reply before the policy's header rules are applied to it.
    pub(crate) fn reply(
        &self,
        format: ErrorFormat,
        grpc: bool,
        request_id: &str,
        told: Told<'_>,
    ) -> Reply {
        let code = self.code;
        let status = told.status.unwrap_or(self.status);
        let detail = told.fault.as_deref().unwrap_or(self.detail);
        // Caches may keep a 404 or a 405 unasked (RFC 9110 section 15.1): a refusal is about this request only.
        let mut headers = vec![(b"cache-control".to_vec(), b"no-store".to_vec())];
        if let Some((name, value)) = told.header {
            headers.push((name.into(), value));
        }
        if grpc {
            // The host makes the gRPC response and its content type: a second one would be joined to it.
            return Reply {
                status,
                grpc_status: Some(self.grpc_status),
                headers,
                body: format!("{detail} ({code}, request {request_id})"),
            };
        }
        let violations = bounded(told.violations);
        let (content_type, body) = match format {
            ErrorFormat::Problem => {
                let problem = Problem {
                    r#type: match status {
                        429 => QUOTA_EXCEEDED,
                        _ => "about:blank",
                    },
                    title: reason(status),
                    status,
                    detail,
                    code,
                    request_id,
                    violated_policies: told.limit.map(|name| [name]),
                    errors: violations,
                };
                ("application/problem+json", serde_json::to_string(&problem))
            }
            ErrorFormat::Fastapi => {
                let error = Detail {
                    detail: match violations {
                        [] => Details::Sentence(detail),
                        list => Details::List(list.iter().map(pydantic).collect()),
                    },
                    code,
                    request_id,
                };
                ("application/json", serde_json::to_string(&error))
            }
        };
        headers.push((b"content-type".to_vec(), content_type.into()));
        Reply {
            status,
            grpc_status: None,
            headers,
            // Strings and numbers: this cannot fail, and a reply without its body still refuses.
            body: body.unwrap_or_default(),
        }
    }
}

impl Reply {
    /// The reply where no policy can judge: what cannot be checked does not pass. `id` is the request's.
    pub fn unchecked(id: u128) -> Self {
        UNCHECKED.reply(
            ErrorFormat::Problem,
            false,
            &RequestId::Made(id).to_string(),
            Told::default(),
        )
    }
}

fn pydantic(violation: &Violation) -> PydanticError<'_> {
    PydanticError {
        r#type: violation.kind,
        loc: violation.loc(),
        msg: &violation.message,
    }
}

/// As many of them as are told.
fn bounded(violations: &[Violation]) -> &[Violation] {
    let mut left = MAX_BYTES;
    let fit = violations.iter().take_while(|violation| {
        let written = serde_json::to_string(violation).map_or(usize::MAX, |text| text.len());
        let fits = written < left;
        left = left.saturating_sub(written.saturating_add(1));
        fits
    });
    violations.get(..fit.count()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal;
    use crate::rule::validate::{Place, Token};

    fn violation(name: &str) -> Violation {
        Violation {
            place: Place::Body,
            path: vec![Token::Name(name.to_owned())],
            keyword: "maxLength",
            kind: "string_too_long",
            message: "must be at most 3 characters".to_owned(),
        }
    }

    fn told(violations: &[Violation]) -> Told<'_> {
        Told {
            violations,
            ..Told::default()
        }
    }

    #[test]
    fn a_405_says_what_is_allowed() {
        let told = Told {
            header: Some(("allow", b"GET".to_vec())),
            ..Told::default()
        };
        let reply = refusal::METHOD_NOT_ALLOWED.reply(ErrorFormat::Fastapi, false, "id", told);
        assert!(
            reply
                .headers
                .contains(&(b"allow".to_vec(), b"GET".to_vec()))
        );
        assert_eq!(
            reply.body,
            r#"{"detail":"this method is not allowed here","code":"method-not-allowed","request_id":"id"}"#
        );
    }

    #[test]
    fn violations_stand_where_frontends_look_for_them() {
        let found = [violation("name")];
        let check = |format, expected: &str| {
            let reply = refusal::INPUT_INVALID.reply(format, false, "id", told(&found));
            assert!(reply.body.contains(expected), "{}", reply.body);
            assert_eq!(reply.status, 422);
        };
        check(
            ErrorFormat::Problem,
            r#""errors":[{"in":"body","pointer":"/name","loc":["body","name"],"type":"string_too_long","keyword":"maxLength","message":"must be at most 3 characters"}]"#,
        );
        check(
            ErrorFormat::Fastapi,
            r#"{"detail":[{"type":"string_too_long","loc":["body","name"],"msg":"must be at most 3 characters"}],"code":"input-invalid""#,
        );
    }

    #[test]
    fn names_that_the_client_chose_do_not_make_a_reply_long() {
        let found: Vec<Violation> = (0..20)
            .map(|n| violation(&"\u{1}".repeat(n * 40)))
            .collect();
        for format in [ErrorFormat::Problem, ErrorFormat::Fastapi] {
            let reply = refusal::INPUT_INVALID.reply(format, false, "id", told(&found));
            assert!(reply.body.len() < MAX_BYTES + 512, "{}", reply.body.len());
        }
        assert_eq!(bounded(&[violation(&"\u{1}".repeat(4000))]), []);
    }

    #[test]
    fn a_fault_says_which_byte() {
        let told = Told {
            fault: Some("the body is not valid UTF-8, at byte 17".to_owned()),
            ..Told::default()
        };
        let reply = refusal::BODY_MALFORMED.reply(ErrorFormat::Fastapi, false, "id", told);
        assert!(
            reply
                .body
                .starts_with(r#"{"detail":"the body is not valid UTF-8, at byte 17""#),
            "{}",
            reply.body
        );
    }
}
