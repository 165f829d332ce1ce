//! What `check` alone says of `cors`: it has the list of public suffixes, for which the module has no room.
//!
//! Warnings go by what is written, so that a list with mistakes in it is warned of as well, and an entry once, however
//! many routes inherit it.

use portcullis_config::{Config, Cors, Diagnostic, Diagnostics, Mode, OnDisallowed, pointer_child};
use serde_json::Value;

use super::when::routes;

/// An origin pattern takes in every name below a public suffix.
const PUBLIC_SUFFIX: &str = "cors-public-suffix";

const SIDE_EFFECTS: &str = "`on_disallowed: strip` hides the answers to other origins, it does not stop their requests: with `credentials` a foreign page's form still acts as its visitor, and `on_disallowed: reject` refuses it";

/// What is to be known of this policy's `cors` on every gateway.
pub(super) fn note(config: &Config) -> Option<&'static str> {
    let shared = config.cors.iter().filter(|_| config.mode != Mode::Off);
    let own = routes(config).filter_map(|route| route.cors.as_ref());
    let acts = |cors: &Cors| {
        cors.mode != Mode::Off && cors.credentials && cors.on_disallowed == OnDisallowed::Strip
    };
    shared.chain(own).any(acts).then_some(SIDE_EFFECTS)
}

/// A warning for each entry of `cors.origins`, shared and routes', whose names anybody can have.
pub(super) fn warnings(policy: &Value) -> Vec<Diagnostic> {
    let mut warnings = Diagnostics::default();
    let shared = policy.get("cors").unwrap_or(&Value::Null);
    let shared_credentials = credentials(shared).unwrap_or(false);
    let mut inherited_with_credentials = shared_credentials;
    let routes = policy.get("routes").and_then(Value::as_array);
    let patches = routes.into_iter().flatten().enumerate();
    for (index, patch) in patches.filter_map(|(index, route)| Some((index, route.get("cors")?))) {
        let credentials = credentials(patch).unwrap_or(shared_credentials);
        inherited_with_credentials |= credentials && patch.get("origins").is_none();
        warn(
            &mut warnings,
            patch,
            &format!("/routes/{index}/cors"),
            credentials,
        );
    }
    warn(&mut warnings, shared, "/cors", inherited_with_credentials);
    warnings.into_list()
}

/// `credentials`, if it is written; what is no boolean is not `true`.
fn credentials(cors: &Value) -> Option<bool> {
    Some(*cors.get("credentials")? == Value::Bool(true))
}

fn warn(warnings: &mut Diagnostics, cors: &Value, pointer: &str, credentials: bool) {
    let origins = cors.get("origins").and_then(Value::as_array);
    for (index, origin) in origins.into_iter().flatten().enumerate() {
        let Some(suffix) = origin.as_str().and_then(open_suffix) else {
            continue;
        };
        let harm = if credentials {
            "read the responses and act with their visitors' credentials"
        } else {
            "read the responses"
        };
        warnings.warning(
            PUBLIC_SUFFIX,
            pointer_child(&pointer_child(pointer, "origins"), &index.to_string()),
            format!("anybody can have a name below `{suffix}`, and its pages would {harm}"),
            Some(format!(
                "name what is yours below it, as in `*.example.{suffix}`"
            )),
        );
    }
}

/// The host below which a pattern takes every name, if anybody can have one there: `co.uk` of `https://*.co.uk:8443`.
fn open_suffix(origin: &str) -> Option<&str> {
    let (_, authority) = origin.split_once("://*.")?;
    let suffix = authority.split(':').next()?;
    // A rule such as `*.kawasaki.jp` says of every name below that it is a public suffix.
    (is_public(suffix) || is_public(&format!("*.{suffix}"))).then_some(suffix)
}

/// Whether the list (publicsuffix.org, both sections) names this domain. What it does not name is not public: the
/// implicit rule for unknown top-level domains would make one of every intranet's.
fn is_public(domain: &str) -> bool {
    psl::suffix(domain.as_bytes())
        .is_some_and(|suffix| suffix.is_known() && suffix.as_bytes().len() == domain.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_are_public_as_the_list_says() {
        let check = |origin: &str, expected: Option<&str>| {
            assert_eq!(open_suffix(origin), expected, "{origin}");
        };
        check("https://*.com", Some("com"));
        check("https://*.co.uk", Some("co.uk"));
        check("http://*.com:8080", Some("com"));
        check("capacitor://*.com:*", Some("com"));
        // The private section.
        check("https://*.github.io", Some("github.io"));
        check("https://*.s3.amazonaws.com", Some("s3.amazonaws.com"));
        // A rule with a wildcard, and an exception from it.
        check("https://*.kawasaki.jp", Some("kawasaki.jp"));
        check(
            "https://*.anything.kawasaki.jp",
            Some("anything.kawasaki.jp"),
        );
        check("https://*.city.kawasaki.jp", None);
        check("https://*.xn--p1ai", Some("xn--p1ai"));

        check("https://*.example.com", None);
        check("https://*.example.co.uk", None);
        check("https://*.octocat.github.io", None);
        check("https://com", None);
        check("https://github.io", None);
        check("https://*.intranet", None);
        check("https://*.test", None);
        check("http://*.localhost", None);
        check("http://localhost:*", None);
        // What is no pattern, and another finding.
        for origin in [
            "",
            "*",
            "*.com",
            "https://*.",
            "https://*",
            "https://*.com/",
            "https://*..com",
        ] {
            check(origin, None);
        }
    }
}
