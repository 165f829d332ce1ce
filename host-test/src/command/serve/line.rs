//! What a local gateway prints of what happens in it: one line a request, and whatever else needs to be known.

use portcullis_host_test::gateway::{Event, Served};
use portcullis_host_test::host::log::Level;
use portcullis_host_test::scenario::matcher::show as printable;
use serde_json::Value;

/// Prints an event.
pub(crate) fn show(event: &Event) {
    match event {
        Event::Served(served) => anstream::println!("{}", line(served)),
        Event::Logged(log) if log.level >= Level::Warn => {
            anstream::eprintln!("{}: {}", log.level, visible(&log.message));
        }
        Event::Logged(_) => {}
        Event::Trapped(trap) => anstream::eprintln!("error: {trap}"),
    }
}

/// Status, method, path, verdict, duration, client; what the client sent cannot move the cursor.
fn line(served: &Served) -> String {
    const RED: &str = "\x1b[31m";
    const YELLOW: &str = "\x1b[33m";
    const DIM: &str = "\x1b[2m";
    const END: &str = "\x1b[0m";
    let status = served
        .status
        .map_or_else(|| "---".to_owned(), |status| status.to_string());
    let found = served.logs.iter().find_map(|log| decision(&log.message));
    let peer = served.peer.ip().to_string();
    let (verdict, client) = match found {
        Some(found) => {
            let color = if found.decision == "refused" {
                RED
            } else {
                YELLOW
            };
            let verdict = format!("{color}{}: {}{END}", found.decision, found.code);
            (verdict, found.client)
        }
        None if served.upstream => ("passed".to_owned(), peer),
        None => (format!("{RED}not passed{END}"), peer),
    };
    let (method, path) = (visible(&served.method), visible(&served.path));
    let took = served.took.as_secs_f64() * 1e3;
    format!("{status} {method} {path}  {verdict}  {DIM}{took:.1} ms  {client}{END}")
}

/// What the filter says of a request that it refused, or would have.
struct Found {
    decision: String,
    code: String,
    /// As the policy sees it: not the proxy in front.
    client: String,
}

fn decision(message: &str) -> Option<Found> {
    let document: Value = serde_json::from_str(message).ok()?;
    let text = |name: &str| Some(visible(document.get(name)?.as_str()?));
    (text("portcullis")? == "decision").then_some(())?;
    Some(Found {
        decision: text("decision")?,
        code: text("code")?,
        client: text("client")?,
    })
}

/// A text that somebody else wrote, on one line and without what a terminal might obey.
pub(crate) fn visible(text: &str) -> String {
    printable(text.as_bytes()).replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use portcullis_host_test::host::log::Log;

    use super::*;

    fn served(status: Option<u16>, upstream: bool, log: &str) -> Served {
        Served {
            peer: SocketAddr::from(([127, 0, 0, 1], 1)),
            method: "GET".to_owned(),
            path: "/a".to_owned(),
            status,
            upstream,
            took: Duration::from_micros(1_550),
            logs: vec![Log {
                level: Level::Warn,
                message: log.to_owned(),
                context: 2,
            }],
        }
    }

    fn check(served: &Served, expected: &str) {
        let plain = anstream::adapter::strip_str(&line(served)).to_string();
        assert_eq!(plain, expected);
    }

    #[test]
    fn a_request_is_one_line() {
        check(
            &served(Some(200), true, "hello"),
            "200 GET /a  passed  1.6 ms  127.0.0.1",
        );
        check(
            &served(None, true, ""),
            "--- GET /a  passed  1.6 ms  127.0.0.1",
        );
        check(
            &served(Some(503), false, ""),
            "503 GET /a  not passed  1.6 ms  127.0.0.1",
        );
        let refused = r#"{"portcullis":"decision","decision":"refused","code":"host-not-allowed","client":"203.0.113.7"}"#;
        check(
            &served(Some(421), false, refused),
            "421 GET /a  refused: host-not-allowed  1.6 ms  203.0.113.7",
        );
        let reported = r#"{"portcullis":"decision","decision":"would-refuse","code":"path-ambiguous","client":"unknown"}"#;
        check(
            &served(Some(200), true, reported),
            "200 GET /a  would-refuse: path-ambiguous  1.6 ms  unknown",
        );
    }

    #[test]
    fn a_request_cannot_write_to_the_terminal() {
        let mut nasty = served(Some(200), true, "");
        nasty.path = "/\x1b[2J\n200 GET /forged".to_owned();
        check(
            &nasty,
            "200 GET /\\u{1b}[2J\\n200 GET /forged  passed  1.6 ms  127.0.0.1",
        );
    }
}
