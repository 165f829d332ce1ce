//! Every way in which a request is refused.

/// One way in which a request is refused. The codes are stable: clients and alerts are written against them.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    /// `<rule>-<what>`, kebab-case.
    pub code: &'static str,
    /// The rule that refuses, as its place in the policy file.
    pub rule: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The gRPC status that means the same (google.rpc.Code).
    pub grpc_status: u8,
    /// A sentence for the client. It tells nothing of the policy that the client could not find out by asking.
    pub detail: &'static str,
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $rule:literal, $status:literal, $grpc:literal, $detail:literal;)*) => {
        $($(#[$doc])* pub(crate) const $name: Refusal = Refusal {
            code: $code, rule: $rule, status: $status, grpc_status: $grpc, detail: $detail,
        };)*
        /// All of them.
        pub(crate) const ALL: &[&Refusal] = &[$(&$name),*];
    };
}

refusals! {
    /// A header with a control byte (RFC 9110 section 5.5).
    HEADER_MALFORMED = "header-malformed", "request", 400, 3, "a header holds a control character";
    /// A second line, or a second value, of a header that has one.
    HEADER_REPEATED = "header-repeated", "request", 400, 3, "a header that has one value stands twice";
    /// The message's length is told in two ways (RFC 9112 section 6.3).
    FRAMING_CONFLICT = "framing-conflict", "request", 400, 3, "the length of the body is not told in one valid way";
    /// More header lines than the policy allows (RFC 6585 section 5).
    HEADERS_TOO_MANY = "headers-too-many", "request.max_headers", 431, 8, "the request has too many headers";
    /// More bytes of headers than the policy allows (RFC 6585 section 5).
    HEADERS_TOO_LARGE = "headers-too-large", "request.max_header_bytes", 431, 8, "the headers are too large";
    /// A longer path and query than the policy allows.
    PATH_TOO_LONG = "path-too-long", "request.max_path_bytes", 414, 8, "the path and its query are too long";
    /// A target that no reading agrees on.
    PATH_MALFORMED = "path-malformed", "request", 400, 3, "the path or its query is malformed";
    /// A target that readings differ on.
    PATH_AMBIGUOUS = "path-ambiguous", "request.ambiguous", 400, 3, "the path can be read in more than one way";
    /// More query parameters than the policy allows.
    QUERY_TOO_MANY = "query-too-many", "request.max_query_params", 400, 3, "the query has too many parameters";
    /// A larger body than the policy allows.
    BODY_TOO_LARGE = "body-too-large", "request.max_body_bytes", 413, 8, "the body is too large";
    /// A larger body than its route allows.
    ROUTE_BODY_TOO_LARGE = "body-too-large", "validate.body.max_bytes", 413, 8, "the body is too large";
    /// A body that its route has to read, and that the gateway does not show whole.
    BODY_UNREADABLE = "body-unreadable", "validate.body", 413, 8, "the body cannot be read whole";
    /// A body of another type, or none, than its route takes (RFC 9110 section 15.5.16).
    CONTENT_TYPE_NOT_ALLOWED = "content-type-not-allowed", "validate.body.content_types", 415, 3, "the body is of no type that is taken here";
    /// A body that is coded as its route does not take it (RFC 9110 section 15.5.16).
    CONTENT_ENCODING_NOT_ALLOWED = "content-encoding-not-allowed", "validate.body.encodings", 415, 3, "the body is encoded in a way that is not taken here";
    /// A body that is not what its content type says.
    BODY_MALFORMED = "body-malformed", "validate.body", 400, 3, "the body cannot be read";
    /// A name that stands twice in an object.
    BODY_DUPLICATE_KEY = "body-duplicate-key", "validate.body.duplicate_keys", 400, 3, "the body has a name twice";
    /// A body that is nested, split or stretched beyond its route's limits.
    BODY_TOO_COMPLEX = "body-too-complex", "validate.body", 400, 3, "the body is too complex";
    /// A well-formed input that breaks its schema.
    INPUT_INVALID = "input-invalid", "validate", 422, 3, "the request does not have the form that is asked for";
    /// A body that would have to be changed, behind a gateway that changes none.
    BODY_NOT_NORMALIZED = "body-not-normalized", "validate.body.normalize", 422, 3, "the body would have to be changed before it is passed on";
    /// A well-formed input that holds words that it must not hold.
    PROFANITY_FOUND = "profanity-found", "profanity", 422, 3, "the request holds words that are not taken here";
    /// A preflight from an origin that may not read.
    CORS_PREFLIGHT_ORIGIN = "cors-preflight-not-allowed", "cors.origins", 403, 7, "this cross-origin request is not allowed";
    /// A preflight for a method that pages may not use.
    CORS_PREFLIGHT_METHOD = "cors-preflight-not-allowed", "cors.methods", 403, 7, "this cross-origin request is not allowed";
    /// A preflight for a header that pages may not send.
    CORS_PREFLIGHT_HEADERS = "cors-preflight-not-allowed", "cors.request_headers", 403, 7, "this cross-origin request is not allowed";
    /// As the first of them, while somebody looks for the reason: browsers go on to the next step only from a success.
    CORS_DEBUG_ORIGIN = "cors-preflight-not-allowed", "cors.origins", 200, 7, "the preflight failed at `cors.origins`: the origin is not among them";
    /// As the second.
    CORS_DEBUG_METHOD = "cors-preflight-not-allowed", "cors.methods", 200, 7, "the preflight failed at `cors.methods`: the method is not among them";
    /// As the third.
    CORS_DEBUG_HEADERS = "cors-preflight-not-allowed", "cors.request_headers", 200, 7, "the preflight failed at `cors.request_headers`: a header is not among them, or there are too many";
    /// A request of a page whose origin may not read, where such are rejected.
    CORS_ORIGIN_NOT_ALLOWED = "cors-origin-not-allowed", "cors.on_disallowed", 403, 7, "requests of this origin's pages are not allowed";
    /// Plain http, with a method that a redirect would come too late for.
    HTTPS_REQUIRED = "https-required", "request.https", 403, 7, "this request must be made over https";
    /// Plain http, redirected permanently, the method kept.
    HTTPS_REDIRECT_308 = "https-redirect", "request.https", 308, 7, "this is served over https";
    /// Plain http, redirected permanently.
    HTTPS_REDIRECT_301 = "https-redirect", "request.https", 301, 7, "this is served over https";
    /// Plain http, redirected for now.
    HTTPS_REDIRECT_302 = "https-redirect", "request.https", 302, 7, "this is served over https";
    /// Plain http, redirected for now, the method kept.
    HTTPS_REDIRECT_307 = "https-redirect", "request.https", 307, 7, "this is served over https";
    /// No host, or one that is none (RFC 9110 section 7.2).
    HOST_MALFORMED = "host-malformed", "request.hosts", 400, 3, "the request names no valid host";
    /// A host that this gateway does not answer for (RFC 9110 section 15.5.20).
    HOST_NOT_ALLOWED = "host-not-allowed", "request.hosts", 421, 7, "this host is not served here";
    /// A method that is not let in at all.
    METHOD_NOT_ALLOWED = "method-not-allowed", "request.methods", 405, 12, "this method is not allowed here";
    /// A path that no route matches.
    ROUTE_NOT_FOUND = "route-not-found", "unmatched", 404, 12, "there is nothing at this path";
    /// A limit without room. Which one, and until when, is told beside it (RFC 6585 section 4).
    RATE_LIMIT_EXCEEDED = "rate-limit-exceeded", "rate_limits", 429, 8, "too many requests: a limit is used up";
    /// A key that came again too often after that.
    RATE_LIMIT_BANNED = "rate-limit-banned", "rate_limits", 429, 8, "too many requests were refused: nothing is let in for a while";
    /// What requests have to be counted in does not answer.
    RATE_LIMIT_UNCHECKED = "rate-limit-unchecked", "rate_limits", 503, 14, "the request could not be counted";
    /// The request could not be looked at, or there is no policy to look at it with.
    UNCHECKED = "unchecked", "portcullis", 503, 14, "the request could not be checked";
    /// A path with routes, none of them for the method.
    ROUTE_METHOD_NOT_ALLOWED = "route-method-not-allowed", "unmatched", 405, 12, "this path does not take this method";
}

/// A failure of the upstream, whose status stays. It is no refusal: the request was let in.
pub(crate) const UPSTREAM_FAILED: Refusal = Refusal {
    code: "upstream-failed",
    rule: "errors.mask_upstream",
    status: 502,
    grpc_status: 14,
    detail: "the service behind this gateway failed",
};

/// The reason phrase, which RFC 9457 section 4.2.1 asks for as the title of an `about:blank` problem.
pub(crate) fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        301 => "Moved Permanently",
        302 => "Found",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_every_status_has_its_phrase() {
        let mut seen = std::collections::BTreeSet::new();
        for refusal in ALL {
            assert!(
                seen.insert((refusal.code, refusal.status, refusal.rule)),
                "{} stands twice",
                refusal.code
            );
            assert_ne!(reason(refusal.status), "Error", "{}", refusal.status);
        }
    }
}
