//! One finding about a policy file, and the list that collects them.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// More findings than this are counted, not kept: a hostile file cannot make the list grow without end.
const KEPT: usize = 200;

/// How bad a [`Diagnostic`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The policy is not loaded.
    Error,
    /// The policy is loaded; what it says is probably not what was meant.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// One finding about a policy.
///
/// `message` and `help` are lower case without a full stop, with the user's input in backticks. `pointer` is a JSON
/// Pointer (RFC 6901) into the document as written; a key that is missing is reported at the object that lacks it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Stable and kebab-case; one of [`code::ALL`].
    pub code: Cow<'static, str>,
    /// Whether the policy still loads.
    pub severity: Severity,
    /// Where, as a JSON Pointer; the empty string is the whole document.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl fmt::Display for Diagnostic {
    /// One line: `error[unknown-key] at /request/hots: unknown key ... (help: ...)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = if self.pointer.is_empty() {
            "the top"
        } else {
            &self.pointer
        };
        write!(
            f,
            "{}[{}] at {at}: {}",
            self.severity, self.code, self.message
        )?;
        match &self.help {
            Some(help) => write!(f, " (help: {help})"),
            None => Ok(()),
        }
    }
}

/// The findings of one reading, in the order of the document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    dropped: usize,
}

impl Diagnostics {
    /// Records an error.
    pub fn error(
        &mut self,
        code: &'static str,
        pointer: impl Into<String>,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        self.add(Severity::Error, code, pointer.into(), message.into(), help);
    }

    /// Records a warning.
    pub fn warning(
        &mut self,
        code: &'static str,
        pointer: impl Into<String>,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        self.add(
            Severity::Warning,
            code,
            pointer.into(),
            message.into(),
            help,
        );
    }

    fn add(
        &mut self,
        severity: Severity,
        code: &'static str,
        pointer: String,
        message: String,
        help: Option<String>,
    ) {
        let code = Cow::Borrowed(code);
        self.push(Diagnostic {
            code,
            severity,
            pointer,
            message,
            help,
        });
    }

    fn push(&mut self, diagnostic: Diagnostic) {
        // An error is never lost behind warnings: the policy must not load because the list was full.
        let room = self.list.len() < KEPT
            || (diagnostic.severity == Severity::Error && !self.has_errors());
        if room {
            self.list.push(diagnostic);
        } else {
            self.dropped += 1;
        }
    }

    /// Whether a policy with these findings must not load.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|d| d.severity == Severity::Error)
    }

    /// Whether an error stands at `pointer` or below it.
    pub fn error_within(&self, pointer: &str) -> bool {
        self.list
            .iter()
            .filter(|d| d.severity == Severity::Error)
            .filter_map(|d| d.pointer.strip_prefix(pointer))
            .any(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The findings, closed by one that counts those that were not kept.
    pub fn into_list(mut self) -> Vec<Diagnostic> {
        if self.dropped > 0 {
            self.list.push(Diagnostic {
                code: Cow::Borrowed(code::TOO_MANY),
                severity: Severity::Warning,
                pointer: String::new(),
                message: format!("{} more findings are not shown", self.dropped),
                help: Some("mend the first ones and check again".to_owned()),
            });
        }
        self.list
    }
}

/// The JSON Pointer of `key` below `parent`, escaped as RFC 6901 section 3 asks.
pub fn pointer_child(parent: &str, key: &str) -> String {
    let mut pointer = String::with_capacity(parent.len() + key.len() + 1);
    pointer.push_str(parent);
    pointer.push('/');
    for c in key.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c => pointer.push(c),
        }
    }
    pointer
}

/// The candidate that `written` was probably meant to be, if one is near enough.
pub fn suggest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // The distance takes time in the product of the lengths, and nothing so long was meant to be a key.
    if written.len() > 64 {
        return None;
    }
    let written = written.to_ascii_lowercase();
    let allowed = (written.chars().count() / 3).clamp(1, 4);
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::osa_distance(&written, &candidate.to_ascii_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Every code that a diagnostic can carry.
pub mod code {
    macro_rules! codes {
        ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
            $($(#[$doc])* pub const $name: &str = $text;)*
            /// All codes, in the order of their declaration.
            pub const ALL: &[&str] = &[$($text),*];
        };
    }

    codes! {
        /// The document is not JSON, nor the bytes of a `google.protobuf.Struct`.
        SYNTAX = "syntax",
        /// An object names a key twice.
        DUPLICATE_KEY = "duplicate-key",
        /// A key that the policy file does not have.
        UNKNOWN_KEY = "unknown-key",
        /// A key that must be there is not.
        MISSING_KEY = "missing-key",
        /// A value of another type than the key takes.
        WRONG_TYPE = "wrong-type",
        /// `null` outside a merge patch.
        NULL_VALUE = "null-value",
        /// An empty list where leaving the key out means "all".
        EMPTY_LIST = "empty-list",
        /// The same entry twice in a list.
        DUPLICATE_ENTRY = "duplicate-entry",
        /// A word that is none of those the key takes.
        UNKNOWN_VALUE = "unknown-value",
        /// A number outside the key's range, or no whole one.
        NUMBER_RANGE = "number-range",
        /// Not a duration such as `10s`.
        DURATION_SYNTAX = "duration-syntax",
        /// Not a size such as `64KiB`.
        SIZE_SYNTAX = "size-syntax",
        /// Not a quota such as `60/1m`.
        QUOTA_SYNTAX = "quota-syntax",
        /// Not an IP address or a CIDR block.
        NETWORK_SYNTAX = "network-syntax",
        /// Not a header name (RFC 9110 section 5.1).
        HEADER_NAME = "header-name",
        /// A header value with a byte that is not visible ASCII, space or tab.
        HEADER_VALUE = "header-value",
        /// Not a method in the form that requests carry (RFC 9110 section 9.1).
        METHOD_SYNTAX = "method-syntax",
        /// Not a host name, an address, or `*.` before a host name.
        HOST_PATTERN = "host-pattern",
        /// Not a path pattern.
        PATH_PATTERN = "path-pattern",
        /// Not a name of the allowed characters and length.
        NAME_SYNTAX = "name-syntax",
        /// Not a JSON Pointer (RFC 6901).
        POINTER_SYNTAX = "pointer-syntax",
        /// `version` is one that this module does not know.
        VERSION_UNKNOWN = "version-unknown",
        /// A rate limit's `cost` is above its `burst`.
        RATE_LIMIT_COST = "rate-limit-cost",
        /// `burst` beside `algorithm: fixed-window`.
        RATE_LIMIT_BURST = "rate-limit-burst",
        /// A quota so long and so large that its times cannot be counted in nanoseconds.
        RATE_LIMIT_OVERFLOW = "rate-limit-overflow",
        /// All tables of limits together are larger than they may be.
        RATE_LIMIT_MEMORY = "rate-limit-memory",
        /// A limit whose key a client chooses alone.
        RATE_LIMIT_KEY_CHOSEN = "rate-limit-key-chosen",
        /// A limit by address, and nothing said of who the client is.
        RATE_LIMIT_WITHOUT_CLIENT = "rate-limit-without-client",
        /// An exempt client among the trusted proxies.
        RATE_LIMIT_EXEMPTS_PROXY = "rate-limit-exempts-proxy",
        /// Two rate limits of one name that are not the same.
        RATE_LIMIT_NAME = "rate-limit-name",
        /// A section that this version of the module does not enforce yet.
        NOT_SUPPORTED = "not-supported",
        /// A header both set (or defaulted) and removed.
        HEADERS_SET_AND_REMOVED = "headers-set-and-removed",
        /// A header both in `set` and in `default`.
        HEADERS_SET_AND_DEFAULTED = "headers-set-and-defaulted",
        /// A header that the gateway itself keeps.
        HEADERS_RESERVED = "headers-reserved",
        /// Not an origin as browsers send it: scheme, host and port, in lower case and nothing else.
        CORS_ORIGIN_SYNTAX = "cors-origin-syntax",
        /// `null` or `file:`: no origin tells such pages apart.
        CORS_ORIGIN_PROHIBITED = "cors-origin-prohibited",
        /// A port that browsers leave out, or none at all.
        CORS_ORIGIN_PORT = "cors-origin-port",
        /// A `*` that is not the first label or the whole port.
        CORS_ORIGIN_WILDCARD = "cors-origin-wildcard",
        /// Plain http with credentials.
        CORS_ORIGIN_INSECURE = "cors-origin-insecure",
        /// Plain http with credentials, because the policy says that it may be.
        CORS_INSECURE_ORIGINS = "cors-insecure-origins",
        /// `*` with credentials: every page on earth would act for its visitor.
        CORS_WILDCARD_CREDENTIALS = "cors-wildcard-credentials",
        /// `expose_headers: ["*"]` with credentials: browsers then take the `*` for a name.
        CORS_EXPOSE_WILDCARD = "cors-expose-wildcard",
        /// A method that no page may send (Fetch standard, "forbidden method").
        CORS_METHOD_FORBIDDEN = "cors-method-forbidden",
        /// A header that no page may send, or read (Fetch standard, "forbidden request-header").
        CORS_HEADER_FORBIDDEN = "cors-header-forbidden",
        /// A method that `cors` lets pages use and `request.methods` refuses.
        CORS_METHOD_UNREACHABLE = "cors-method-unreachable",
        /// `debug` tells strangers what the policy allows.
        CORS_DEBUG = "cors-debug",
        /// `same_site: none` without `secure`: browsers drop such cookies.
        COOKIES_NONE_INSECURE = "cookies-none-insecure",
        /// A redirect to https without a list of hosts to redirect to.
        HTTPS_WITHOUT_HOSTS = "https-without-hosts",
        /// Two routes of one name.
        ROUTE_NAME_TAKEN = "route-name-taken",
        /// Two routes that no request can tell apart.
        ROUTE_AMBIGUOUS = "route-ambiguous",
        /// `unmatched: reject` without a route: everything would be refused.
        UNMATCHED_WITHOUT_ROUTES = "unmatched-without-routes",
        /// Not a JSON Schema: a keyword with a value that it does not take.
        SCHEMA_INVALID = "schema-invalid",
        /// A keyword that the schema's draft does not have, and that would not be enforced.
        SCHEMA_KEYWORD = "schema-keyword",
        /// `$schema` names a draft other than 2020-12 and draft-07.
        SCHEMA_DRAFT = "schema-draft",
        /// `$id`, or another keyword that gives a schema an address of its own.
        SCHEMA_ID = "schema-id",
        /// A `$ref` that leads nowhere.
        SCHEMA_REF = "schema-ref",
        /// A `$ref` out of the policy.
        SCHEMA_REF_REMOTE = "schema-ref-remote",
        /// A schema that refers to itself before it comes to another value.
        SCHEMA_REF_CYCLE = "schema-ref-cycle",
        /// A pattern that is not ECMA-262, or that takes backtracking.
        SCHEMA_PATTERN = "schema-pattern",
        /// A pattern that is too long, or too large once compiled.
        SCHEMA_PATTERN_SIZE = "schema-pattern-size",
        /// A `format` that is not known, and not checked.
        SCHEMA_FORMAT = "schema-format",
        /// A number that cannot be compared exactly.
        SCHEMA_NUMBER = "schema-number",
        /// A schema that is too deep, too large or too branched.
        SCHEMA_SIZE = "schema-size",
        /// What no route matches passes, beside routes that judge what they match.
        UNMATCHED_ALLOWED = "unmatched-allowed",
        /// A policy that protects nothing.
        POLICY_EMPTY = "policy-empty",
        /// A built-in word list that is none.
        PROFANITY_LIST = "profanity-list",
        /// `mask` where nothing can be masked.
        PROFANITY_MASK = "profanity-mask",
        /// `profanity` that looks at nothing.
        PROFANITY_NOWHERE = "profanity-nowhere",
        /// A path parameter that the route's path does not have.
        PROFANITY_PATH_PARAMETER = "profanity-path-parameter",
        /// A word without letters.
        PROFANITY_WORD = "profanity-word",
        /// A word that other words hold.
        PROFANITY_WORD_WHOLE = "profanity-word-whole",
        /// More words, or longer ones, than are taken.
        PROFANITY_WORDS = "profanity-words",
        /// More findings than are shown.
        TOO_MANY = "too-many",
        /// A path parameter that the route's path does not have, or that need not be there.
        VALIDATE_PATH_PARAMETER = "validate-path-parameter",
        /// A style that has no meaning where its parameter stands.
        VALIDATE_STYLE = "validate-style",
        /// A content type that no schema can judge.
        VALIDATE_CONTENT_TYPE = "validate-content-type",
        /// `normalize` beside bodies whose parts it cannot change.
        VALIDATE_NORMALIZE_PARTS = "validate-normalize-parts",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_kebab_case() {
        let mut seen = std::collections::BTreeSet::new();
        for code in code::ALL {
            assert!(seen.insert(code), "{code} stands twice");
            assert!(
                code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
                "{code} is not kebab-case"
            );
        }
    }

    #[test]
    fn pointers_are_escaped() {
        assert_eq!(pointer_child("/a", "b/c~d"), "/a/b~1c~0d");
    }

    #[test]
    fn suggestions_are_near_or_none() {
        let check = |written: &str, expected: Option<&str>| {
            assert_eq!(
                suggest(written, ["hosts", "methods", "https"]),
                expected,
                "{written}"
            );
        };
        check("hots", Some("hosts"));
        check("Hosts", Some("hosts"));
        check("method", Some("methods"));
        check("colour", None);
        check(&"h".repeat(100_000), None);
    }

    #[test]
    fn an_error_is_kept_behind_any_number_of_warnings() {
        let mut diagnostics = Diagnostics::default();
        for _ in 0..10_000 {
            diagnostics.warning(code::POLICY_EMPTY, "", "w", None);
        }
        diagnostics.error(code::UNKNOWN_KEY, "/a", "e", None);
        assert!(diagnostics.has_errors());
        assert!(diagnostics.error_within("/a") && !diagnostics.error_within("/aa"));
        assert!(diagnostics.into_list().len() <= KEPT + 2);
    }
}
