//! A browser's side of CORS, after the Fetch standard and nothing else: what it asks, and what a page may then read.
//!
//! Each function is one algorithm of the standard, under the standard's name, so that the two can be read side by
//! side. Left out is what no gateway can see: the preflight cache, redirects that are followed, service workers.

use std::collections::BTreeSet;

/// Header lines, pseudo-headers among them.
pub(super) type Lines = Vec<(Vec<u8>, Vec<u8>)>;

/// What a page asks of its browser: `fetch(url, {mode: "cors", …})`.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    /// The page's origin as it is serialised: `https://app.example.com`, or `null`.
    pub(super) origin: String,
    pub(super) method: String,
    /// Names of headers, each with a value that may not be sent unasked.
    pub(super) headers: Vec<String>,
    /// The credentials mode is `include`.
    pub(super) credentials: bool,
    /// An `XMLHttpRequest` with a listener on its upload: the use-CORS-preflight flag.
    pub(super) upload: bool,
}

/// Where it is sent.
pub(super) struct Url {
    pub(super) scheme: &'static str,
    pub(super) authority: &'static str,
    pub(super) path: &'static str,
}

/// What came back over the network.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Lines,
}

/// What the page may read.
#[derive(Clone, Debug)]
pub(super) struct Readable {
    pub(super) status: u16,
    /// The names, lower case.
    pub(super) names: BTreeSet<String>,
}

/// A network error, or an exception before anything was sent: the step that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blocked(pub(super) &'static str);

/// Fetches as a page of another origin does.
pub(super) fn fetch(
    wish: &Wish,
    url: &Url,
    server: &mut dyn FnMut(&Lines) -> Answer,
) -> Result<Readable, Blocked> {
    let request = leave(wish)?;
    if let Some(preflight) = preflight(&request, url) {
        judge_preflight(&request, &server(&preflight))?;
    }
    judge_response(&request, &server(&cross_origin(&request, url)))
}

/// The Request constructor: what is forbidden never leaves, and some methods are normalised.
pub(super) fn leave(wish: &Wish) -> Result<Wish, Blocked> {
    if !is_token(wish.method.as_bytes()) {
        return Err(Blocked("the method is no token"));
    }
    if is_one_of(&wish.method, &["CONNECT", "TRACE", "TRACK"]) {
        return Err(Blocked("the method is forbidden"));
    }
    if !wish.headers.iter().all(|name| is_token(name.as_bytes())) {
        return Err(Blocked("a header name is no token"));
    }
    let normalised = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"];
    let mut request = wish.clone();
    if is_one_of(&wish.method, &normalised) {
        request.method = wish.method.to_ascii_uppercase();
    }
    request.headers.retain(|name| !is_forbidden(name));
    Ok(request)
}

/// The CORS-preflight request, if one is made.
pub(super) fn preflight(request: &Wish, url: &Url) -> Option<Lines> {
    let names = unsafe_names(request);
    if is_safelisted(&request.method) && names.is_empty() && !request.upload {
        return None;
    }
    let mut lines = head("OPTIONS", url);
    push(&mut lines, "accept", "*/*");
    push(
        &mut lines,
        "access-control-request-method",
        &request.method.clone(),
    );
    if !names.is_empty() {
        let names: Vec<String> = names.into_iter().collect();
        push(
            &mut lines,
            "access-control-request-headers",
            &names.join(","),
        );
    }
    push(&mut lines, "origin", &request.origin);
    Some(lines)
}

/// The request itself, tainted by CORS.
pub(super) fn cross_origin(request: &Wish, url: &Url) -> Lines {
    let mut lines = head(&request.method, url);
    for name in &request.headers {
        push(&mut lines, name, "(unsafe)");
    }
    push(&mut lines, "origin", &request.origin);
    if request.credentials {
        push(&mut lines, "cookie", "session=1");
    }
    lines
}

/// The request of a page of the URL's own origin: it says `Origin` only where it may change something. `hides` is a
/// navigation from a page with the referrer policy `no-referrer`, which says `null` even then.
pub(super) fn same_origin(method: &str, url: &Url, hides: bool) -> Lines {
    let mut lines = head(method, url);
    if !matches!(method, "GET" | "HEAD") {
        let own = format!("{}://{}", url.scheme, url.authority);
        push(&mut lines, "origin", if hides { "null" } else { &own });
    }
    // Fetch Metadata goes to potentially trustworthy URLs only.
    if url.scheme == "https" {
        push(&mut lines, "sec-fetch-site", "same-origin");
    }
    lines
}

/// The CORS-preflight fetch from its seventh step on.
pub(super) fn judge_preflight(request: &Wish, answer: &Answer) -> Result<(), Blocked> {
    cors_check(request, answer)?;
    if !(200..300).contains(&answer.status) {
        return Err(Blocked("the preflight's status is not ok"));
    }
    let methods = extract(answer, "access-control-allow-methods")
        .map_err(|()| Blocked("access-control-allow-methods is malformed"))?;
    let names = extract(answer, "access-control-allow-headers")
        .map_err(|()| Blocked("access-control-allow-headers is malformed"))?
        .unwrap_or_default();
    let methods = match methods {
        None if request.upload => vec![request.method.clone()],
        methods => methods.unwrap_or_default(),
    };
    let any = |list: &[String]| !request.credentials && list.iter().any(|item| item == "*");
    if !methods.contains(&request.method) && !is_safelisted(&request.method) && !any(&methods) {
        return Err(Blocked("the method is not allowed"));
    }
    let listed = |name: &str| names.iter().any(|item| item.eq_ignore_ascii_case(name));
    let asked = unsafe_names(request);
    if asked.contains("authorization") && !listed("authorization") {
        return Err(Blocked("authorization is not allowed"));
    }
    if !any(&names) && !asked.iter().all(|name| listed(name)) {
        return Err(Blocked("a header is not allowed"));
    }
    Ok(())
}

/// The response as a CORS filtered response.
pub(super) fn judge_response(request: &Wish, answer: &Answer) -> Result<Readable, Blocked> {
    cors_check(request, answer)?;
    // A malformed list exposes nothing.
    let exposed = extract(answer, "access-control-expose-headers")
        .unwrap_or_default()
        .unwrap_or_default();
    let all = !request.credentials && exposed.iter().any(|name| name == "*");
    let safelisted = [
        "cache-control",
        "content-language",
        "content-length",
        "content-type",
        "expires",
        "last-modified",
        "pragma",
    ];
    let names = answer
        .headers
        .iter()
        .map(|(name, _)| String::from_utf8_lossy(name).to_ascii_lowercase())
        .filter(|name| !matches!(name.as_str(), "set-cookie" | "set-cookie2"))
        .filter(|name| {
            let listed = exposed.iter().any(|item| item.eq_ignore_ascii_case(name));
            all || listed || safelisted.contains(&name.as_str())
        });
    Ok(Readable {
        status: answer.status,
        names: names.collect(),
    })
}

/// The CORS check.
fn cors_check(request: &Wish, answer: &Answer) -> Result<(), Blocked> {
    let Some(origin) = get(answer, "access-control-allow-origin") else {
        return Err(Blocked("no access-control-allow-origin"));
    };
    if !request.credentials && origin == b"*" {
        return Ok(());
    }
    if origin != request.origin.as_bytes() {
        return Err(Blocked("access-control-allow-origin is another's"));
    }
    if request.credentials
        && get(answer, "access-control-allow-credentials").as_deref() != Some(b"true")
    {
        return Err(Blocked("access-control-allow-credentials is not true"));
    }
    Ok(())
}

/// CORS-unsafe request-header names, as a sorted set in lower case.
fn unsafe_names(request: &Wish) -> BTreeSet<String> {
    let names = request.headers.iter();
    names.map(|name| name.to_ascii_lowercase()).collect()
}

/// "Get" a header: all its values in one, `None` if there is none.
fn get(answer: &Answer, name: &str) -> Option<Vec<u8>> {
    let values: Vec<&[u8]> = values(answer, name).collect();
    (!values.is_empty()).then(|| values.join(&b", "[..]))
}

/// "Extract header list values" of a `#token`: `None` if there is none, an error if one line is malformed.
fn extract(answer: &Answer, name: &str) -> Result<Option<Vec<String>>, ()> {
    let mut items = None;
    for value in values(answer, name) {
        let items = items.get_or_insert_with(Vec::new);
        for item in value.split(|b| *b == b',').map(trimmed) {
            if is_token(item) {
                items.push(String::from_utf8_lossy(item).into_owned());
            } else if !item.is_empty() {
                return Err(());
            }
        }
    }
    Ok(items)
}

fn values<'a>(answer: &'a Answer, wanted: &str) -> impl Iterator<Item = &'a [u8]> {
    let lines = answer.headers.iter();
    lines
        .filter(move |(name, _)| name.eq_ignore_ascii_case(wanted.as_bytes()))
        .map(|(_, value)| trimmed(value))
}

/// Without the white space that HTTP drops around values.
fn trimmed(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// RFC 9110 section 5.6.2.
pub(super) fn is_token(text: &[u8]) -> bool {
    let legal = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
    !text.is_empty() && text.iter().all(legal)
}

/// A CORS-safelisted method.
fn is_safelisted(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "POST")
}

/// A forbidden request-header.
fn is_forbidden(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let names = [
        "accept-charset",
        "accept-encoding",
        "access-control-request-headers",
        "access-control-request-method",
        "connection",
        "content-length",
        "cookie",
        "cookie2",
        "date",
        "dnt",
        "expect",
        "host",
        "keep-alive",
        "origin",
        "referer",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
    ];
    names.contains(&name.as_str()) || name.starts_with("proxy-") || name.starts_with("sec-")
}

fn is_one_of(method: &str, list: &[&str]) -> bool {
    list.iter().any(|one| one.eq_ignore_ascii_case(method))
}

fn head(method: &str, url: &Url) -> Lines {
    let mut lines = Vec::new();
    push(&mut lines, ":method", method);
    push(&mut lines, ":path", url.path);
    push(&mut lines, ":authority", url.authority);
    push(&mut lines, ":scheme", url.scheme);
    lines
}

fn push(lines: &mut Lines, name: &str, value: &str) {
    lines.push((name.to_ascii_lowercase().into_bytes(), value.into()));
}
