//! Heads between hyper and the filter: pseudo headers put in and taken out, what concerns one connection only left out.
//!
//! RFC 9110 7.6.1 names what an intermediary must not pass on, RFC 9112 3.2 what it must refuse. How long a body is, hyper
//! has settled before (RFC 9112 6.3): contradicting lengths are refused, `transfer-encoding` outranks a `content-length`, which
//! is gone then.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use http::header::{CONNECTION, HOST, TE};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Method, Request, Response, StatusCode, Uri, Version};

use crate::header_map::HeaderMap;
use crate::wire;

/// What concerns one connection only, whether or not `connection` names it.
const HOP_BY_HOP: [&str; 6] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
    "te",
];

/// A client's head for the filter; or why no proxy may pass it on, for a 400.
pub(super) fn from_client<B>(
    request: &Request<B>,
    peer: SocketAddr,
) -> Result<HeaderMap, &'static str> {
    let fields = request.headers();
    if request.method() == Method::CONNECT {
        return Err("this gateway opens no tunnels");
    }
    let mut hosts = fields.get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err("more than one host");
    }
    // A target in absolute form names the host by itself (RFC 9112 3.2.2), and so does HTTP/2.
    let authority = match (request.uri().authority(), host) {
        (Some(authority), _) => authority.as_str().as_bytes(),
        (None, Some(host)) => host.as_bytes(),
        (None, None) if request.version() == Version::HTTP_10 => b"",
        (None, None) => return Err("no host"),
    };
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", PathAndQuery::as_str);
    let mut headers = HeaderMap::new();
    headers.push(":method", request.method().as_str());
    headers.push(":path", path);
    headers.push(":authority", authority);
    headers.push(":scheme", "http");
    for (name, value) in end_to_end(fields) {
        if name != b"host" {
            headers.push(name, value);
        }
    }
    if fields
        .get(TE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"trailers"))
    {
        headers.push("te", "trailers");
    }
    headers.push("x-forwarded-for", peer.ip().to_string());
    headers.set("x-forwarded-proto", "http");
    Ok(headers)
}

/// The filter's head for the upstream, without a body.
pub(super) fn to_upstream(
    headers: &HeaderMap,
    upstream: &Authority,
) -> anyhow::Result<Request<()>> {
    let pseudo = |name: &str| {
        headers
            .get(name)
            .with_context(|| format!("the request has no {name}"))
    };
    let path =
        PathAndQuery::try_from(pseudo(":path")?).context("the request's :path is no target")?;
    let mut fields = wire::field_lines(&plain(headers))?;
    if fields.contains_key(TE) {
        fields.insert(CONNECTION, http::HeaderValue::from_static("te"));
    }
    fields.insert(HOST, http::HeaderValue::from_bytes(pseudo(":authority")?)?);
    let mut request = Request::new(());
    *request.method_mut() = Method::from_bytes(pseudo(":method")?)?;
    *request.uri_mut() = Uri::builder()
        .scheme(Scheme::HTTP)
        .authority(upstream.clone())
        .path_and_query(path)
        .build()?;
    *request.headers_mut() = fields;
    Ok(request)
}

/// The upstream's head for the filter.
pub(super) fn from_upstream<B>(response: &Response<B>) -> HeaderMap {
    let status = (
        ":status".as_bytes().to_vec(),
        response.status().as_str().as_bytes().to_vec(),
    );
    std::iter::once(status)
        .chain(end_to_end(response.headers()))
        .collect()
}

/// The filter's head for the client, without a body.
pub(super) fn to_client(headers: &HeaderMap) -> anyhow::Result<Response<()>> {
    let status = StatusCode::from_bytes(
        headers
            .get(":status")
            .context("the response has no :status")?,
    )?;
    if status.is_informational() {
        bail!("{status} ends no response");
    }
    let mut response = Response::new(());
    *response.status_mut() = status;
    *response.headers_mut() = wire::field_lines(&plain(headers))?;
    Ok(response)
}

fn end_to_end(fields: &http::HeaderMap) -> Vec<(Vec<u8>, Vec<u8>)> {
    let named: Vec<String> = fields
        .get_all(CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(|name| String::from_utf8_lossy(name.trim_ascii()).to_ascii_lowercase())
        .collect();
    fields
        .iter()
        .filter(|(name, _)| {
            let name = name.as_str();
            !HOP_BY_HOP.contains(&name) && !named.iter().any(|other| other == name)
        })
        .map(|(name, value)| (name.as_str().as_bytes().to_vec(), value.as_bytes().to_vec()))
        .collect()
}

/// The lines that are fields; a filter cannot bring back what concerns the connection.
fn plain(headers: &HeaderMap) -> HeaderMap {
    headers
        .iter()
        .filter(|(name, value)| {
            let te = name.eq_ignore_ascii_case(b"te") && value.eq_ignore_ascii_case(b"trailers");
            let hop = HOP_BY_HOP
                .iter()
                .any(|hop| name.eq_ignore_ascii_case(hop.as_bytes()));
            !name.starts_with(b":") && (te || !hop)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer() -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], 4711))
    }

    fn request(lines: &[(&str, &str)]) -> Request<()> {
        let builder = Request::builder().uri("/a?b");
        lines
            .iter()
            .fold(builder, |builder, (name, value)| {
                builder.header(*name, *value)
            })
            .body(())
            .unwrap()
    }

    #[test]
    fn what_concerns_the_connection_stays_on_it() {
        let request = request(&[
            ("host", "api.example"),
            ("connection", "close, X-Hop"),
            ("x-hop", "1"),
            ("keep-alive", "timeout=5"),
            ("upgrade", "h2c"),
            ("te", "trailers"),
            ("x-forwarded-for", "203.0.113.9"),
            ("x-end", "2"),
        ]);
        let expected = [
            (":method", "GET"),
            (":path", "/a?b"),
            (":authority", "api.example"),
            (":scheme", "http"),
            ("x-forwarded-for", "203.0.113.9"),
            ("x-end", "2"),
            ("te", "trailers"),
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-proto", "http"),
        ];
        assert_eq!(from_client(&request, peer()), Ok(HeaderMap::from(expected)));
    }

    #[test]
    fn an_ambiguous_head_is_refused() {
        fn check(lines: &[(&str, &str)], expected: &str) {
            assert_eq!(from_client(&request(lines), peer()), Err(expected));
        }
        check(&[], "no host");
        check(&[("host", "a"), ("host", "b")], "more than one host");
    }

    #[test]
    fn a_target_in_absolute_form_outranks_the_host() {
        let request = Request::builder()
            .uri("http://real.example/x")
            .header("host", "other.example")
            .body(())
            .unwrap();
        let headers = from_client(&request, peer()).unwrap();
        assert_eq!(headers.get(":authority"), Some(&b"real.example"[..]));
        assert_eq!(headers.get_all(b"host").count(), 0);
    }

    #[test]
    fn the_filters_head_goes_to_the_upstream_under_the_clients_host() {
        let headers = HeaderMap::from([
            (":method", "POST"),
            (":path", "/a%20b//c?d"),
            (":authority", "api.example"),
            (":scheme", "http"),
            ("x-a", "1"),
            ("x-a", "2"),
            ("transfer-encoding", "chunked"),
        ]);
        let request = to_upstream(&headers, &Authority::from_static("127.0.0.1:9")).unwrap();
        assert_eq!(request.uri(), "http://127.0.0.1:9/a%20b//c?d");
        assert_eq!(request.headers().get(HOST).unwrap(), "api.example");
        assert_eq!(request.headers().get_all("x-a").iter().count(), 2);
        assert!(!request.headers().contains_key("transfer-encoding"));
    }

    #[test]
    fn a_head_that_http_cannot_carry_is_an_error() {
        for headers in [
            HeaderMap::from([(":status", "200"), ("x-a", "1\r\nx-b: 2")]),
            HeaderMap::from([("x-a", "1")]),
            HeaderMap::from([(":status", "99")]),
            HeaderMap::from([(":status", "101")]),
        ] {
            assert!(to_client(&headers).is_err(), "{headers:?}");
        }
    }
}
