//! `portcullis playground`: the page that judges policies and explains requests, served on loopback out of this binary.
//!
//! The page needs no server: all of it runs in the browser, and `target/playground` is the same as files. What is served here
//! is fixed, so nothing of a request is used but its path; a `Host` that is not this server's is refused, since a page of
//! somebody else's could have let its own name point here.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use clap::Args;
use http::header::{self, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use portcullis_host_test::package;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::{Exit, serve};

/// A page in the browser: a policy with its mistakes, a request, and what each rule makes of it
#[derive(Debug, Args)]
pub(crate) struct Playground {
    /// The port on 127.0.0.1; 0 for any that is free
    #[arg(long, value_name = "PORT", default_value = "8090")]
    port: u16,
}

/// More connections than this wait.
const MOST_CONNECTIONS: usize = 64;

macro_rules! page {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../../plugin/js/playground/", $name)))),*]
    };
}

/// The page, by the paths of its files.
const PAGE: &[(&str, &[u8])] = page![
    "index.html",
    "style.css",
    "main.mjs",
    "editor.mjs",
    "link.mjs",
    "result.mjs",
    "sending.mjs",
    "examples/index.json",
    "examples/game.yaml",
    "examples/first.yaml",
    "examples/cors.yaml",
    "examples/words.yaml",
    "examples/limits.yaml",
];

/// What every response says. The page's own `<meta>` says the same of sources where it is served as a file.
const HEADERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

impl Playground {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        if package::FILES.iter().any(|file| file.bytes.is_empty()) {
            bail!(
                "this `portcullis` was built without the engine for JavaScript\nhelp: build it again; cargo's warning says what \
                 is missing"
            );
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let mut stop = serve::Stop::listen()?;
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
            let listener = TcpListener::bind(address).await.with_context(|| {
                format!("cannot listen on {address}\nhelp: `--port 0` takes a free one")
            })?;
            let port = listener.local_addr()?.port();
            anstream::println!("the playground is on http://127.0.0.1:{port}/, ctrl-c stops");
            tokio::select! {
                () = listen(listener, port) => {}
                () = stop.asked() => {}
            }
            anstream::println!("stopped");
            Ok(Exit::Ok)
        })
    }
}

async fn listen(listener: TcpListener, port: u16) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        tokio::spawn(async move {
            let service =
                service_fn(|request| async move { Ok::<_, Infallible>(answer(&request, port)) });
            // A browser that breaks off concerns nobody else.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
            drop(place);
        });
    }
}

fn answer<B>(request: &Request<B>, port: u16) -> Response<Full<Bytes>> {
    let host = request.headers().get(header::HOST);
    let ours = ["127.0.0.1", "localhost"].map(|name| format!("{name}:{port}"));
    let is_ours =
        host.is_some_and(|host| ours.iter().any(|name| host.as_bytes() == name.as_bytes()));
    let (status, kind, bytes) = if !is_ours {
        (
            StatusCode::MISDIRECTED_REQUEST,
            "text/plain; charset=utf-8",
            &b"this host is not served here\n"[..],
        )
    } else if request.method() != Method::GET && request.method() != Method::HEAD {
        (
            StatusCode::METHOD_NOT_ALLOWED,
            "text/plain; charset=utf-8",
            &b"GET and HEAD are allowed\n"[..],
        )
    } else {
        match file(request.uri().path()) {
            Some((name, bytes)) => (StatusCode::OK, content_type(name), bytes),
            None => (
                StatusCode::NOT_FOUND,
                "text/plain; charset=utf-8",
                &b"there is no such file\n"[..],
            ),
        }
    };
    let mut response = Response::new(Full::from(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The file at a path, with its name.
fn file(path: &str) -> Option<(&'static str, &'static [u8])> {
    let name = match path.strip_prefix('/')? {
        "" => "index.html",
        name => name,
    };
    if let Some(name) = name.strip_prefix("package/") {
        let found = package::FILES.iter().find(|file| file.name == name)?;
        return Some((found.name, found.bytes));
    }
    PAGE.iter().find(|(other, _)| *other == name).copied()
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("wasm") => "application/wasm",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    #[test]
    fn every_file_of_the_page_is_served() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugin/js/playground");
        let mut open = vec![PathBuf::new()];
        let mut files = 0;
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(root.join(&folder)).unwrap() {
                let entry = entry.unwrap();
                let path = folder.join(entry.file_name());
                if entry.file_type().unwrap().is_dir() {
                    open.push(path);
                } else if path != Path::new("screenshot.png") {
                    files += 1;
                    assert!(
                        file(&format!("/{}", path.display())).is_some(),
                        "{}",
                        path.display()
                    );
                }
            }
        }
        assert_eq!(files, PAGE.len());
    }

    #[test]
    fn only_the_page_is_served_and_only_here() {
        let check = |method: Method, path: &str, host: &str, status: u16, kind: &str| {
            let request = Request::builder()
                .method(&method)
                .uri(path)
                .header("host", host)
                .body(())
                .unwrap();
            let response = answer(&request, 8090);
            let found = response.headers().get("content-type").unwrap();
            assert_eq!(
                (response.status().as_u16(), found.as_bytes()),
                (status, kind.as_bytes()),
                "{method} {path} {host}"
            );
            let csp = response.headers().get("content-security-policy").unwrap();
            assert!(csp.as_bytes().starts_with(b"default-src 'none'"));
        };
        const PLAIN: &str = "text/plain; charset=utf-8";
        let here = "127.0.0.1:8090";
        check(Method::GET, "/", here, 200, "text/html; charset=utf-8");
        check(
            Method::HEAD,
            "/?x",
            "localhost:8090",
            200,
            "text/html; charset=utf-8",
        );
        check(
            Method::GET,
            "/main.mjs",
            here,
            200,
            "text/javascript; charset=utf-8",
        );
        check(
            Method::GET,
            "/package/engine_bg.wasm",
            here,
            200,
            "application/wasm",
        );
        check(Method::GET, "/package/", here, 404, PLAIN);
        check(Method::GET, "/../Cargo.toml", here, 404, PLAIN);
        check(Method::POST, "/", here, 405, PLAIN);
        check(Method::GET, "/", "evil.example", 421, PLAIN);
        check(Method::GET, "/", "127.0.0.1", 421, PLAIN);
        check(Method::GET, "/", "127.0.0.1:8091", 421, PLAIN);
    }
}
