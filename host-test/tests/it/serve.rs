//! `portcullis serve` as a user meets it: a process, real HTTP over loopback, and a policy file that changes under it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use portcullis_host_test::header_map::HeaderMap;
use portcullis_host_test::scenario::target::Respond;
use portcullis_host_test::upstream::Upstream;

const PATIENCE: Duration = Duration::from_secs(20);

fn policy(name: &str, host: &str) -> String {
    format!("version: 1\nname: {name}\nrequest: {{hosts: [{host}]}}\n")
}

/// The process, and the lines that it prints.
pub(crate) struct Serve {
    child: Child,
    pub(crate) address: SocketAddr,
    printed: Receiver<String>,
}

impl Serve {
    pub(crate) fn start(folder: &Path, upstream: SocketAddr, workers: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_portcullis"))
            .args(["serve", "policy.yaml", "--listen", "127.0.0.1:0"])
            .args(["--workers", workers, "--upstream"])
            .arg(format!("http://{upstream}"))
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, printed) = mpsc::channel();
        let streams: [Box<dyn Read + Send>; 2] = [
            Box::new(child.stdout.take().unwrap()),
            Box::new(child.stderr.take().unwrap()),
        ];
        for stream in streams {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    // The test may have seen enough.
                    let _ = sender.send(line);
                }
            });
        }
        let mut serve = Self {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            printed,
        };
        let line = serve.wait("listening on http://");
        let address = line.trim_start_matches("listening on http://");
        serve.address = address.split(',').next().unwrap().parse().unwrap();
        serve.wait(" is serving");
        serve
    }

    /// The next line that holds this.
    pub(crate) fn wait(&self, holds: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let line = self.printed.recv_timeout(left);
            let line = line.unwrap_or_else(|_| panic!("no line holds `{holds}`"));
            if line.contains(holds) {
                return line;
            }
        }
    }

    pub(crate) fn status(&self, host: &str) -> String {
        status(self.address, host)
    }
}

fn status(address: SocketAddr, host: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!("GET /a HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap_or("none").to_owned()
}

impl Drop for Serve {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn upstream(delay: Duration) -> Upstream {
    let upstream = Upstream::start().unwrap();
    upstream.respond(Respond {
        status: 200,
        headers: HeaderMap::new(),
        body: b"hello".to_vec(),
        delay,
    });
    upstream
}

#[test]
fn a_changed_policy_is_taken_over_and_a_bad_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.yaml");
    std::fs::write(&file, policy("one", "a.test")).unwrap();
    let upstream = upstream(Duration::from_secs(2));
    let serve = Serve::start(folder.path(), upstream.address(), "3");
    std::thread::scope(|scope| {
        // Under way from before the change until after it.
        let address = serve.address;
        let under_way = scope.spawn(move || status(address, "a.test"));
        let begun = Instant::now() + PATIENCE;
        while upstream.take().is_none() {
            assert!(Instant::now() < begun, "the upstream is not called");
            std::thread::sleep(Duration::from_millis(5));
        }
        // As editors do it: another file in its place.
        let other = folder.path().join("new");
        std::fs::write(&other, policy("two", "b.test")).unwrap();
        std::fs::rename(&other, &file).unwrap();
        serve.wait("policy `two` is serving");
        assert!(!under_way.is_finished(), "the change came in time");
        assert_eq!(under_way.join().unwrap(), "200");
    });
    // Every worker has it: connections come to any of them.
    for _ in 0..12 {
        assert_eq!(serve.status("a.test"), "421");
    }
    let line = serve.wait("GET /a  refused");
    assert!(
        line.starts_with("421 GET /a  refused: host-not-allowed  ")
            && line.ends_with("  127.0.0.1"),
        "{line}"
    );
    std::fs::write(&file, policy("three", "b.test").replace("hosts", "hots")).unwrap();
    serve.wait("unknown-key");
    serve.wait("policy.yaml:3:11");
    serve.wait("policy.yaml: invalid, 1 error");
    serve.wait("policy `two` goes on serving");
    assert_eq!(serve.status("a.test"), "421");
    assert_eq!(serve.status("b.test"), "200");
}

#[test]
fn http2_comes_through_and_ctrl_c_is_a_clean_end() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("policy.yaml"), policy("p", "a.test")).unwrap();
    let upstream = upstream(Duration::ZERO);
    let mut serve = Serve::start(folder.path(), upstream.address(), "2");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let statuses = runtime.block_on(async {
        use hyper_util::rt::{TokioExecutor, TokioIo};
        let stream = tokio::net::TcpStream::connect(serve.address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                .await
                .unwrap();
        tokio::spawn(connection);
        let mut statuses = Vec::new();
        for host in ["a.test", "b.test"] {
            let request = http::Request::get(format!("http://{host}/h2"))
                .body(String::new())
                .unwrap();
            statuses.push(
                sender
                    .send_request(request)
                    .await
                    .unwrap()
                    .status()
                    .as_u16(),
            );
        }
        statuses
    });
    assert_eq!(statuses, [200, 421]);
    serve.wait("200 GET /h2  passed");
    serve.wait("421 GET /h2  refused: host-not-allowed");
    let interrupted = Command::new("kill")
        .args(["-INT", &serve.child.id().to_string()])
        .status()
        .unwrap();
    assert!(interrupted.success());
    serve.wait("stopped");
    assert_eq!(serve.child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_cannot_serve_says_why() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.yaml"), "version: 1\nhots: {}\n").unwrap();
    let run = |arguments: &[&str]| {
        let output = crate::check::run(folder.path(), arguments);
        (output.status.code(), crate::check::text(&output.stderr))
    };
    let (code, said) = run(&["serve", "bad.yaml", "--upstream", "http://127.0.0.1:1"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(
        said.contains("bad.yaml:2:1") && said.contains("invalid, 1 error"),
        "{said}"
    );
    let (code, said) = run(&["serve", "none.yaml", "--upstream", "http://127.0.0.1:1"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.starts_with("error: cannot read `none.yaml`: "),
        "{said}"
    );
    let (code, said) = run(&["serve", "bad.yaml", "--upstream", "https://a.test"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("plain http"), "{said}");
}
