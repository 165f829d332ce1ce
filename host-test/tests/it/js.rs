//! The package for JavaScript, in Node.js: the corpus holds for it as it holds for the engine, and so it does, as far as `fetch`
//! can say its requests, for the fetch handler of the example.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use portcullis_host_test::header_map::HeaderMap;
use portcullis_host_test::package;
use portcullis_host_test::scenario::corpus::Corpus;
use portcullis_host_test::scenario::run::{self, Verdict};
use portcullis_host_test::scenario::target::{
    Observed, Reloaded, Request, Respond, Runner, SeenRequest, Support, Target, UpstreamSeen,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// Is Node.js wanted? Not if `PORTCULLIS_NO_NODE` is set; then says that `what` is skipped.
fn is_wanted(what: &str) -> bool {
    let unwanted = std::env::var_os("PORTCULLIS_NO_NODE")
        .is_some_and(|value| !value.is_empty() && value != "0");
    if unwanted {
        // Past the capture of the test's own output.
        let _ = writeln!(
            std::io::stderr(),
            "PORTCULLIS_NO_NODE is set: skipped {what}"
        );
    }
    !unwanted
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn node() -> PathBuf {
    let found = Command::new(root().join("plugin/js/node"))
        .output()
        .unwrap();
    assert!(
        found.status.success(),
        "{}",
        String::from_utf8_lossy(&found.stderr)
    );
    String::from_utf8(found.stdout).unwrap().trim().into()
}

/// The package in a folder, as npm would put it there.
fn unpacked() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in package::FILES {
        assert!(
            !file.bytes.is_empty(),
            "the package was not built: cargo has said why"
        );
        std::fs::write(folder.path().join(file.name), file.bytes).unwrap();
    }
    folder
}

/// What the driver answers: bytes are carried as text, each a character.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    error: Option<String>,
    ok: bool,
    diagnostics: Value,
    unsupported: Option<String>,
    #[serde(flatten)]
    message: Message,
    status: u16,
    upstream: Option<Message>,
    logs: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Message {
    headers: Vec<(String, String)>,
    body: String,
}

/// One Node.js with the package, spoken to in lines of JSON.
struct Node {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    _package: tempfile::TempDir,
}

impl Node {
    fn start(way: &str) -> Rc<RefCell<Self>> {
        let package = unpacked();
        let mut child = Command::new(node())
            .arg(root().join("host-test/tests/it/js/runner.mjs"))
            .arg(package.path())
            .arg(root().join("plugin/js/examples/fetch-handler.mjs"))
            .arg(way)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Rc::new(RefCell::new(Self {
            to: child.stdin.take(),
            from: BufReader::new(child.stdout.take().unwrap()),
            child,
            _package: package,
        }))
    }

    fn ask(&mut self, question: &Value) -> anyhow::Result<Answer> {
        let to = self.to.as_mut().context("node was ended")?;
        writeln!(to, "{question}")?;
        let mut line = String::new();
        self.from.read_line(&mut line)?;
        let answer: Answer = serde_json::from_str(&line).context("node has ended")?;
        if let Some(error) = &answer.error {
            bail!("{error}");
        }
        Ok(answer)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.to.take());
        let _ = self.child.wait();
    }
}

struct JsTarget {
    node: Rc<RefCell<Node>>,
    now: Duration,
    /// Why a request cannot be made here.
    unsupported: Rc<RefCell<Option<String>>>,
}

/// Each byte as a character, as the driver has them.
fn text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn bytes(text: &str) -> Vec<u8> {
    let bytes = text.chars().map(u8::try_from);
    bytes.collect::<Result<_, _>>().unwrap()
}

fn lines(headers: &HeaderMap) -> Value {
    headers
        .iter()
        .map(|(name, value)| json!([text(name), text(value)]))
        .collect()
}

fn read_lines(lines: &[(String, String)]) -> HeaderMap {
    let lines = lines.iter();
    lines
        .map(|(name, value)| (bytes(name), bytes(value)))
        .collect()
}

impl JsTarget {
    fn at(&self) -> u64 {
        // 2026-01-01T00:00:00Z
        1_767_225_600_000 + u64::try_from(self.now.as_millis()).unwrap()
    }
}

impl Target for JsTarget {
    fn runner(&self) -> Runner {
        Runner::Engine
    }

    fn exchange(&mut self, request: &Request, respond: &Respond) -> anyhow::Result<Observed> {
        let mut headers = request.headers.clone();
        // As the client's own HTTP library frames a body.
        if !headers.contains("content-length") && !headers.contains("transfer-encoding") {
            match request.body.as_slice() {
                [] => {}
                [whole] if request.trailers.is_empty() => {
                    headers.push("content-length", whole.len().to_string())
                }
                _ => headers.push("transfer-encoding", "chunked"),
            }
        }
        let mut answered = respond.headers.clone();
        if !matches!(respond.status, 204 | 304) && !answered.contains("content-length") {
            answered.push("content-length", respond.body.len().to_string());
        }
        let chunks: Vec<String> = request.body.iter().map(|chunk| text(chunk)).collect();
        let answer = self.node.borrow_mut().ask(&json!({
            "act": "exchange",
            "at": self.at(),
            "request": {
                "method": text(request.method.as_bytes()),
                "path": text(request.path.as_bytes()),
                "host": text(request.host.as_bytes()),
                "scheme": request.scheme.name(),
                "client": format!("{}", std::net::SocketAddr::new(request.client, 50_000)),
                "headers": lines(&headers),
                "chunks": chunks,
                "trailers": !request.trailers.is_empty(),
            },
            "respond": {"status": respond.status, "headers": lines(&answered), "body": text(&respond.body)},
        }))?;
        if let Some(why) = answer.unsupported {
            *self.unsupported.borrow_mut() = Some(why.clone());
            bail!("{why}");
        }
        let upstream = match answer.upstream {
            None => UpstreamSeen::NotCalled,
            Some(seen) => UpstreamSeen::Called(Box::new(SeenRequest {
                method: request.method.clone(),
                path: request.path.clone(),
                host: request.host.clone(),
                headers: read_lines(&seen.headers),
                body: bytes(&seen.body),
            })),
        };
        Ok(Observed {
            status: answer.status,
            headers: read_lines(&answer.message.headers),
            body: match request.method.as_str() {
                "HEAD" => Vec::new(),
                _ => bytes(&answer.message.body),
            },
            upstream,
            logs: Some(answer.logs),
            guest: None,
        })
    }

    fn advance(&mut self, by: Duration) -> anyhow::Result<Support> {
        self.now += by;
        Ok(Support::Done)
    }

    fn reload(&mut self, policy: &Value) -> anyhow::Result<Reloaded> {
        let answer = self
            .node
            .borrow_mut()
            .ask(&json!({"act": "reload", "policy": policy}))?;
        Ok(match answer.ok {
            true => Reloaded::Accepted,
            false => Reloaded::Refused,
        })
    }
}

fn open(node: &Rc<RefCell<Node>>, policy: &Value) -> anyhow::Result<JsTarget> {
    let answer = node
        .borrow_mut()
        .ask(&json!({"act": "open", "policy": policy}))?;
    if !answer.ok {
        bail!("the policy is refused: {}", answer.diagnostics);
    }
    Ok(JsTarget {
        node: Rc::clone(node),
        now: Duration::ZERO,
        unsupported: Rc::default(),
    })
}

fn corpus() -> Corpus {
    Corpus::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")).unwrap()
}

#[test]
fn the_corpus_holds_in_node() {
    if !is_wanted("the corpus in Node.js") {
        return;
    }
    let node = Node::start("direct");
    let tally = corpus().run(Runner::Engine, |_, scenario| {
        Ok(Box::new(open(&node, &scenario.policy)?))
    });
    eprintln!("in Node.js, as the {tally}");
    tally.verdict().unwrap();
}

#[test]
fn the_corpus_holds_for_the_fetch_handler() {
    if !is_wanted("the corpus through the fetch handler in Node.js") {
        return;
    }
    let node = Node::start("fetch");
    let (corpus, mut passed, mut skipped, mut wrong) = (corpus(), 0, Vec::new(), Vec::new());
    for (name, scenario) in &corpus.scenarios {
        if let Some(reason) = run::skip_reason(scenario, Runner::Engine) {
            skipped.push(format!("{name}: {reason}"));
            continue;
        }
        let mut target = open(&node, &scenario.policy).unwrap();
        let outcome = run::run(scenario, &mut target);
        match (outcome.verdict, target.unsupported.take()) {
            (_, Some(why)) => skipped.push(format!("{name}: {why}")),
            (Verdict::Passed, None) => passed += 1,
            (Verdict::Skipped(why), None) => skipped.push(format!("{name}: {why}")),
            (Verdict::Failed, None) => wrong.push(format!("{name}: {:?}", outcome.failures)),
        }
    }
    eprintln!(
        "through the fetch handler: {passed} passed, {} skipped\n  skipped {}",
        skipped.len(),
        skipped.join("\n  skipped ")
    );
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(passed * 2 > corpus.scenarios.len(), "only {passed} passed");
}

#[test]
fn whatever_is_passed_it_goes_on() {
    if !is_wanted("hostile values in Node.js") {
        return;
    }
    let package = unpacked();
    let output = Command::new(node())
        .arg(root().join("host-test/tests/it/js/hostile.mjs"))
        .arg(package.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complained}");
    assert!(said.ends_with(" calls\n"), "{said}{complained}");
}
