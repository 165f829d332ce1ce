//! `http_auth_random`: a guest that asks another server, which may answer, be late, or go away.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portcullis_host_test::header_map::HeaderMap;
use portcullis_host_test::host::callout::{Callouts, HttpCall, HttpCallResult};
use portcullis_host_test::scenario::target::{Observed, Request, Respond, Target, UpstreamSeen};
use portcullis_host_test::scenario::wasm::WasmTarget;
use portcullis_host_test::upstream::Upstream;

use super::{over_both_versions, request, respond, start};

/// The server that `http_auth_random` asks.
pub(super) trait Dice {
    /// From now on it answers with this body, or not in time.
    fn show(&self, body: Option<&[u8]>);
    /// What it was asked since the last call of this: method, authority, path, and a header of the guest's.
    fn asked(&self) -> Option<[String; 4]>;
}

#[derive(Clone, Debug, Default)]
struct Mocked(Arc<Mutex<Throw>>);

#[derive(Debug, Default)]
struct Throw {
    body: Option<Vec<u8>>,
    asked: Option<HttpCall>,
}

impl Callouts for Mocked {
    fn http_call(&self, call: &HttpCall) -> Option<HttpCallResult> {
        let mut state = self.0.lock().unwrap();
        state.asked = Some(call.clone());
        match (call.upstream.as_str(), &state.body) {
            ("dice", Some(body)) => Some(HttpCallResult::Answered {
                headers: HeaderMap::from([(":status", "200"), ("content-type", "text/plain")]),
                body: body.clone(),
                trailers: HeaderMap::new(),
            }),
            ("dice", None) => Some(HttpCallResult::TimedOut),
            ("silent-dice", _) => Some(HttpCallResult::Unreachable),
            ("broken-dice", _) => Some(HttpCallResult::Broken),
            _ => None,
        }
    }
}

impl Dice for Mocked {
    fn show(&self, body: Option<&[u8]>) {
        self.0.lock().unwrap().body = body.map(<[u8]>::to_vec);
    }

    fn asked(&self) -> Option<[String; 4]> {
        let call = self.0.lock().unwrap().asked.take()?;
        assert_eq!(call.timeout, Duration::from_millis(500));
        Some(
            [":method", ":authority", ":path", "x-player"]
                .map(|name| call.headers.get_text(name).unwrap_or_default()),
        )
    }
}

impl Dice for Upstream {
    fn show(&self, body: Option<&[u8]>) {
        self.respond(Respond {
            delay: Duration::from_secs(if body.is_some() { 0 } else { 2 }),
            ..respond(body.unwrap_or_default())
        });
    }

    fn asked(&self) -> Option<[String; 4]> {
        let seen = self.take()?.request;
        let player = seen.headers.get_text("x-player").unwrap_or_default();
        Some([seen.method, seen.host, seen.path, player])
    }
}

#[test]
fn even_numbers_pass() {
    let dice = Mocked::default();
    let vm = start("http_auth_random", b"", Box::new(dice.clone())).unwrap();
    judge(&mut WasmTarget::of(vm), &dice);
}

pub(super) fn judge(target: &mut dyn Target, dice: &dyn Dice) {
    let mut posted = request("POST", "/match");
    posted.body = vec![b"half and ".to_vec(), b"half".to_vec()];
    let mut trailing = posted.clone();
    trailing.trailers.push("x-last", "word");
    for request in [request("GET", "/match"), posted, trailing]
        .iter()
        .flat_map(over_both_versions)
    {
        for (shown, why) in [
            (&[4, 1][..], None),
            (&[7, 2][..], Some("an odd number\n")),
            (&[][..], Some("an empty hand\n")),
        ] {
            let what = format!("{} {:?} {shown:?}", request.method, request.http_version);
            dice.show(Some(shown));
            let observed = target.exchange(&request, &respond("welcome")).unwrap();
            let asked = dice.asked().expect("the dice were asked");
            assert_eq!(
                asked,
                ["GET", "dice.example", "/throw?dice=1", "gambler"],
                "{what}"
            );
            judge_throw(&observed, &request, why, &what);
            let said = observed.logs.unwrap();
            assert!(
                said.contains(&"answer :status: 200".into()),
                "{what}: {said:?}"
            );
            assert!(
                said.contains(&"answer content-type: text/plain".into()),
                "{what}: {said:?}"
            );
            let thrown = format!("thrown: {:?}", shown.first());
            assert_eq!(said.last(), Some(&thrown), "{what}");
        }
    }
    dice.show(None);
    for (name, why, answer) in [
        (
            "dice",
            "no throw: upstream request timeout\n",
            &[
                "answer :status: 504",
                "answer content-length: 24",
                "answer content-type: text/plain",
            ][..],
        ),
        (
            "silent-dice",
            "no throw: upstream connect error or disconnect/reset before headers. reset reason: connection termination\n",
            &[
                "answer :status: 503",
                "answer content-length: 95",
                "answer content-type: text/plain",
            ],
        ),
        ("broken-dice", "the dice fell from the table\n", &[]),
        ("no-such-dice", "no dice: BadArgument\n", &[]),
    ] {
        let mut request = request("GET", "/match");
        request.headers.push("x-dice", name);
        let observed = target.exchange(&request, &respond("welcome")).unwrap();
        judge_throw(&observed, &request, Some(why), name);
        let mut said = observed.logs.unwrap();
        said.sort();
        assert_eq!(said, answer, "{name}");
    }
}

/// Whether the request has passed, or was refused and told why.
fn judge_throw(observed: &Observed, request: &Request, why: Option<&str>, what: &str) {
    let status = if why.is_some() { 403 } else { 200 };
    assert_eq!(observed.status, status, "{what}");
    let body = String::from_utf8_lossy(&observed.body);
    assert_eq!(body, why.unwrap_or("welcome"), "{what}");
    let refused_by = observed.headers.get_text("x-refused-by");
    assert_eq!(refused_by.as_deref(), why.map(|_| "the dice"), "{what}");
    let luck = observed.headers.get_text("x-luck");
    assert_eq!(luck.as_deref(), Some("tried"), "{what}");
    match (&observed.upstream, why) {
        (UpstreamSeen::Called(seen), None) => {
            assert_eq!(seen.body, request.body.concat(), "{what}");
            assert!(!seen.headers.contains("x-player"), "{what}");
        }
        (UpstreamSeen::NotCalled, Some(_)) => {}
        (upstream, _) => panic!("{what}: {upstream:?}"),
    }
}

/// A server that reads a request, writes these bytes and hangs up, once.
pub(super) fn hang_up_after(bytes: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    // Nobody waits for it: should it never be called, it ends with the process.
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        assert!(stream.read(&mut request).unwrap() > 0);
        stream.write_all(bytes).unwrap();
    });
    address
}
