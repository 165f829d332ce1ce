//! The playground: its examples are what they say, and the command serves the page and nothing else.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use http::Uri;
use portcullis_host_test::document::Document;
use portcullis_host_test::explain::explain;
use portcullis_host_test::message::{Request, Response};
use portcullis_host_test::module::Module;
use portcullis_host_test::profile::Profile;
use portcullis_host_test::verdict::verdict;
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugin/js/playground")
}

#[test]
fn its_examples_are_decided_as_they_say() {
    let folder = root().join("examples");
    let index = std::fs::read_to_string(folder.join("index.json")).unwrap();
    let examples: Vec<Value> = serde_json::from_str(&index).unwrap();
    assert!(examples.len() >= 3);
    let module = Module::embedded().unwrap();
    for example in &examples {
        let title = &example["title"];
        let field = |name: &str| example["request"][name].as_str().unwrap();
        let file = folder.join(example["policy"].as_str().unwrap());
        let policy = Document::read_file(&file).unwrap().value;
        let said = verdict(&module, Profile::ENVOY, &policy).unwrap();
        assert!(
            said.ok && said.diagnostics.is_empty(),
            "{title}: {:?}",
            said.diagnostics
        );
        let url: Uri = field("url").parse().unwrap();
        let path = url.path_and_query().unwrap().as_str();
        let mut request = Request::new(field("method"), url.authority().unwrap().as_str(), path);
        request.headers.set(":scheme", url.scheme_str().unwrap());
        request.tls = url.scheme_str() == Some("https");
        request.peer = Some(format!("{}:50000", field("client")).parse().unwrap());
        for line in field("headers").lines() {
            let (name, value) = line.split_once(": ").unwrap();
            request = request.with_header(name, value);
        }
        let body = field("body");
        if !body.is_empty() {
            request = request
                .with_header("content-length", body.len().to_string())
                .with_body(body);
        }
        let response = Response::new(field("status").parse().unwrap(), "");
        let explained = explain(&module, Profile::ENVOY, &policy, &request, &response).unwrap();
        assert_eq!(
            example["decision"], explained.explanation.decision,
            "{title}"
        );
        assert_eq!(
            example["code"].as_str(),
            explained.explanation.code.as_deref(),
            "{title}"
        );
    }
}

#[test]
fn its_first_policy_is_the_readme_s() {
    let readme = std::fs::read(root().join("../../../envoy/readme.yaml")).unwrap();
    assert_eq!(
        std::fs::read(root().join("examples/game.yaml")).unwrap(),
        readme
    );
}

#[test]
fn the_command_serves_the_page() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(["playground", "--port", "0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line
        .split("http://")
        .nth(1)
        .and_then(|rest| rest.split('/').next())
        .unwrap();
    let ask = |request: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "{request}\r\nhost: {address}\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    };
    let page = ask("GET / HTTP/1.1");
    let engine = ask("HEAD /package/engine_bg.wasm HTTP/1.1");
    let rebound = ask("GET / HTTP/1.1\r\nhost: evil.example");
    let posted = ask("POST / HTTP/1.1");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        page.starts_with("HTTP/1.1 200 OK\r\n")
            && page.contains("<title>Portcullis playground</title>"),
        "{page}"
    );
    assert!(
        page.contains("frame-ancestors 'none'") && page.contains("x-content-type-options: nosniff"),
        "{page}"
    );
    assert!(
        engine.contains("content-type: application/wasm\r\n") && engine.ends_with("\r\n\r\n"),
        "{engine}"
    );
    assert!(rebound.starts_with("HTTP/1.1 4"), "{rebound}");
    assert!(
        posted.starts_with("HTTP/1.1 405 ") && posted.contains("allow: GET, HEAD\r\n"),
        "{posted}"
    );
}
