//! `portcullis explain`: one request, and why the module decides it as it does.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use anyhow::{anyhow, bail};
use clap::{Args, ValueEnum};
use http::Uri;
use portcullis_host_test::explain::{Change, Explained, Explanation, explain};
use portcullis_host_test::message::{Request, Response};
use portcullis_host_test::profile::Profile;
use serde_json::{Value, json};

use super::serve::judge;
use super::serve::line::visible;
use super::{Exit, module};

/// One request: what each rule decides and why, who the client is, what is changed on the way
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The policy file, YAML or JSON
    #[arg(value_name = "POLICY")]
    policy: PathBuf,
    /// `/path?query` or a whole URL
    #[arg(value_name = "PATH-OR-URL")]
    target: String,
    /// The method; GET without it, POST with a body
    #[arg(short = 'X', value_name = "METHOD")]
    method: Option<String>,
    /// A header line, `name: value`; a `host` line names the host
    #[arg(short = 'H', value_name = "LINE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// The body
    #[arg(short = 'd', value_name = "BODY")]
    body: Option<String>,
    /// The other end of the connection: the client, or the proxy in front
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    client: IpAddr,
    /// The connection's scheme; a URL has its own
    #[arg(long, value_name = "SCHEME")]
    scheme: Option<Scheme>,
    /// A header line of the upstream's response
    #[arg(long, value_name = "LINE", value_parser = header)]
    respond_header: Vec<(String, String)>,
    /// How to show it
    #[arg(long, default_value = "human")]
    format: Format,
    /// Another module than the one built with this command
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Scheme {
    Http,
    Https,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// One JSON document
    Json,
}

impl Explain {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let request = self.request()?;
        let mut response = Response::new(200, "");
        for (name, value) in &self.respond_header {
            response = response.with_header(name, value.as_str());
        }
        let module = module(self.wasm.as_deref())?;
        let name = self.policy.display().to_string();
        let bytes = super::serve::read(&self.policy)?;
        let judged = judge(&module, &name, &bytes)?;
        let Some(policy) = judged.policy else {
            match self.format {
                Format::Human => {
                    anstream::print!("{}", judged.findings);
                    anstream::println!("{name}: {}", judged.summary);
                }
                Format::Json => {
                    let document = json!({"ok": false, "diagnostics": judged.diagnostics});
                    anstream::println!("{}", serde_json::to_string_pretty(&document)?);
                }
            }
            return Ok(Exit::PolicyInvalid);
        };
        let policy: Value = serde_json::from_slice(&policy.bytes)?;
        let explained = explain(&module, Profile::ENVOY, &policy, &request, &response)?;
        match self.format {
            Format::Human => anstream::print!("{}", human(&explained)),
            Format::Json => {
                anstream::println!("{}", serde_json::to_string_pretty(&explained.document)?);
            }
        }
        Ok(Exit::Ok)
    }

    fn request(&self) -> anyhow::Result<Request> {
        let mut scheme = self.scheme.unwrap_or(Scheme::Http);
        let mut host = None;
        let mut path = self.target.clone();
        if !path.starts_with('/') && path != "*" {
            let url: Uri = path
                .parse()
                .ok()
                .filter(|url: &Uri| url.authority().is_some())
                .ok_or_else(|| {
                    anyhow!("`{path}` is neither a path nor a URL\nhelp: a path begins with `/`")
                })?;
            scheme = match (url.scheme_str(), self.scheme) {
                (_, Some(asked)) => asked,
                (Some("https"), None) => Scheme::Https,
                (Some("http"), None) => Scheme::Http,
                _ => bail!("`{path}` has no scheme that a gateway speaks\nhelp: http or https"),
            };
            host = url.authority().map(ToString::to_string);
            path = url
                .path_and_query()
                .map_or_else(|| "/".to_owned(), ToString::to_string);
        }
        let mut lines = Vec::new();
        for (name, value) in &self.headers {
            // The first names the host, as gateways show it; a second is what it is: a second.
            if name.eq_ignore_ascii_case("host") && host.is_none() {
                host = Some(value.clone());
            } else {
                lines.push((name, value));
            }
        }
        let method = self.method.as_deref().unwrap_or(match self.body {
            Some(_) => "POST",
            None => "GET",
        });
        let mut request = Request::new(method, host.as_deref().unwrap_or("localhost"), &path);
        request.peer = Some(SocketAddr::new(self.client, 49152));
        request.tls = scheme == Scheme::Https;
        request.headers.set(
            ":scheme",
            match scheme {
                Scheme::Http => "http",
                Scheme::Https => "https",
            },
        );
        for (name, value) in lines {
            request = request.with_header(name, value.as_str());
        }
        if let Some(body) = &self.body {
            let framed = ["content-length", "transfer-encoding"]
                .iter()
                .any(|name| request.headers.get(name).is_some());
            if !framed {
                request = request.with_header("content-length", body.len().to_string());
            }
            request = request.with_body(body.as_str());
        }
        Ok(request)
    }
}

fn header(line: &str) -> Result<(String, String), String> {
    match line.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("not a header line\nhelp: write it as `name: value`".to_owned()),
    }
}

const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const DIM: &str = "\x1b[2m";
const BOLD: &str = "\x1b[1m";
const END: &str = "\x1b[0m";

/// Everything, with colours; what came from a request cannot move the cursor.
fn human(explained: &Explained) -> String {
    let said = &explained.explanation;
    let mut text = String::new();
    // Writing to a string cannot fail.
    let mut fact = |name: &str, value: &str, why: &str| {
        let (value, why) = (visible(value), visible(why));
        let _ = writeln!(text, "{name:<9}{value}  {DIM}{why}{END}");
    };
    let member = |name: &str| explained.document.get(name).and_then(Value::as_str);
    let (method, path) = (member("method"), member("path"));
    let judged_as = match &said.preflight_for {
        Some(method) => format!("a preflight, judged as {method}"),
        None => String::new(),
    };
    let asked = format!("{} {}", method.unwrap_or("?"), path.unwrap_or("?"));
    fact("request", &asked, &judged_as);
    let client = said.client.address.as_deref().unwrap_or("unknown");
    fact("client", client, &client_because(said));
    let scheme_because = match &said.scheme.header {
        Some(header) => format!("a trusted proxy says so in `{header}`"),
        None => "the connection's".to_owned(),
    };
    fact("scheme", &said.scheme.name, &scheme_because);
    fact(
        "host",
        said.host.as_deref().unwrap_or("none that is valid"),
        "",
    );
    fact("route", said.route.as_deref().unwrap_or("none"), "");
    text.push('\n');
    let width = said.rules.iter().map(|rule| rule.rule.len()).max();
    let width = width.unwrap_or_default();
    for rule in &said.rules {
        let (color, decision) = match rule.decision.as_str() {
            "passed" => (GREEN, "passed"),
            "answered" => (GREEN, "answered"),
            "refused" => (RED, "refused"),
            "masked" => (YELLOW, "masked"),
            "tagged" => (YELLOW, "tagged"),
            "would-refuse" => (YELLOW, "would refuse"),
            "would-mask" => (YELLOW, "would mask"),
            "would-tag" => (YELLOW, "would tag"),
            "not-reached" => (DIM, "not reached"),
            other => (DIM, other),
        };
        let code = match (rule.status, &rule.code) {
            (Some(status), Some(code)) => format!("{status} {code}: "),
            _ => String::new(),
        };
        let _ = writeln!(
            text,
            "{:<width$}  {:<7}  {color}{:<12}{END}  {}",
            visible(&rule.rule),
            visible(&rule.mode),
            decision,
            visible(&format!("{code}{}", rule.why)),
        );
    }
    if explained.exchanged.upstream.is_some() {
        changes(&mut text, "to the upstream", &said.request_changes);
        changes(&mut text, "to the client", &said.response_changes);
    } else if let Some(response) = &explained.exchanged.response {
        let _ = writeln!(text, "\n{BOLD}to the client, from the gateway itself{END}");
        for (name, value) in response.headers.iter() {
            let line = [name, b": ", value].concat();
            let line = String::from_utf8_lossy(&line);
            let _ = writeln!(text, "  {}", visible(&line));
        }
    }
    let verdict = match (said.status, &said.code) {
        (Some(status), Some(code)) => format!("{RED}refused{END}, {status} {code}"),
        (Some(status), None) => format!("{GREEN}answered{END}, {status}"),
        _ => format!("{GREEN}passed{END}"),
    };
    let _ = writeln!(text, "\npolicy `{}`: {verdict}", said.policy);
    text
}

fn client_because(said: &Explanation) -> String {
    let peer = said.client.peer.as_deref().unwrap_or("unknown");
    match (said.client.because.as_str(), &said.client.header) {
        ("header", Some(header)) => format!("the trusted proxy {peer} says so in `{header}`"),
        ("trusted-peer", _) => "a trusted proxy, which speaks for nobody else".to_owned(),
        ("host", _) => "the gateway has resolved it".to_owned(),
        ("hidden", _) => {
            "the gateway took it from a header, and the policy does not say `forwarded: host`"
                .to_owned()
        }
        ("peer", _) => "the other end of the connection, which is no trusted proxy".to_owned(),
        _ => "the gateway does not say".to_owned(),
    }
}

fn changes(text: &mut String, title: &str, changes: &[Change]) {
    let _ = writeln!(text, "\n{BOLD}changed on the way {title}{END}");
    if changes.is_empty() {
        let _ = writeln!(text, "  {DIM}nothing{END}");
    }
    for change in changes {
        let (sign, color) = match change.change.as_str() {
            "add" => ('+', GREEN),
            "replace" => ('~', YELLOW),
            _ => ('-', RED),
        };
        let value = match &change.value {
            Some(value) => format!("{}: {value}", change.name),
            None => change.name.clone(),
        };
        let _ = writeln!(text, "  {color}{sign} {}{END}", visible(&value));
    }
}
