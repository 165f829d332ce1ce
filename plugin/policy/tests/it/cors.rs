//! CORS from the browser's side: what a page ends with, after the Fetch standard, against what the policy says.
//!
//! `fetch` is the browser and `permits` the policy read a second time, both without the engine; `properties`, `cache`
//! and `hostile` set them against it. `preflights`, `asked`, `origins`, `responses` and `rejection` are tables
//! of single decisions, `refusals` one over every refusal that there is; `requirements` says which test holds what.

mod arbitrary;
mod asked;
mod cache;
mod fetch;
mod hostile;
mod origins;
mod permits;
mod preflights;
mod properties;
mod provoked;
mod refusals;
mod rejection;
mod requirements;
mod responses;

use std::rc::Rc;

use portcullis_policy::{Decision, Edit, Exchange, Line, Policy, Reply, RequestHead, ResponseHead};

use self::fetch::{Answer, Lines, Url};
use super::{Gateway, policy};

const URL: Url = Url {
    scheme: "https",
    authority: "api.example.com",
    path: "/a",
};

/// What became of a request.
struct Exchanged {
    answer: Answer,
    /// Whether the upstream saw it.
    forwarded: bool,
    exchange: Exchange,
}

/// One request through the gateway, with this upstream behind it.
fn exchanged(policy: &Rc<Policy>, upstream: &Answer, request: &Lines) -> Exchanged {
    exchanged_in(&Gateway::default(), policy, upstream, request)
}

fn exchanged_in(
    gateway: &Gateway,
    policy: &Rc<Policy>,
    upstream: &Answer,
    request: &Lines,
) -> Exchanged {
    let mut exchange = policy.begin();
    let lines = borrowed(request);
    match exchange.on_request_head(&RequestHead::new(&lines), gateway) {
        Decision::Reply(reply) => Exchanged {
            answer: answer(&reply),
            forwarded: false,
            exchange,
        },
        Decision::Continue(_) | Decision::NeedBody(_) => Exchanged {
            answer: Answer {
                status: upstream.status,
                headers: responded(&exchange, &upstream.headers),
            },
            forwarded: true,
            exchange,
        },
    }
}

fn answer(reply: &Reply) -> Answer {
    Answer {
        status: reply.status,
        headers: reply.headers.clone(),
    }
}

/// The lines after the exchange's edits to them.
fn responded(exchange: &Exchange, lines: &Lines) -> Lines {
    let borrowed = borrowed(lines);
    let mut edited = lines.clone();
    for edit in exchange.on_response_head(&ResponseHead::new(&borrowed), &Gateway::default()) {
        match edit {
            Edit::Add(name, value) => edited.push((name.into_owned(), value.into_owned())),
            Edit::Replace(name, value) => {
                let mut there = edited
                    .iter_mut()
                    .filter(|(other, _)| other.eq_ignore_ascii_case(&name));
                match (there.next(), there.next()) {
                    (Some((_, old)), None) => *old = value.into_owned(),
                    _ => panic!("not one line of {} in {lines:?}", name.escape_ascii()),
                }
            }
            Edit::Remove(name) => edited.retain(|(other, _)| !other.eq_ignore_ascii_case(name)),
        }
    }
    edited
}

fn borrowed(lines: &Lines) -> Vec<Line<'_>> {
    let lines = lines.iter();
    lines
        .map(|(name, value)| (name.as_slice(), value.as_slice()))
        .collect()
}

fn owned(lines: &[(&str, &str)]) -> Lines {
    let lines = lines.iter();
    lines
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect()
}

/// An upstream that answers 200 with these headers.
fn upstream(lines: &[(&str, &str)]) -> Answer {
    Answer {
        status: 200,
        headers: owned(lines),
    }
}

/// A policy with this `cors` section alone.
fn cors(section: &str) -> Rc<Policy> {
    policy(&format!(r#"{{"version":1,"cors":{section}}}"#))
}

/// A request with these lines beside the pseudo-headers.
fn request(method: &str, lines: &[(&str, &str)]) -> Lines {
    let mut all = owned(&[
        (":method", method),
        (":path", URL.path),
        (":authority", URL.authority),
        (":scheme", URL.scheme),
    ]);
    all.extend(owned(lines));
    all
}

/// The gateway's answer to OPTIONS with these lines, which is not to be forwarded.
fn preflighted(policy: &Rc<Policy>, lines: &[(&str, &str)]) -> Answer {
    let seen = exchanged(policy, &upstream(&[]), &request("OPTIONS", lines));
    assert!(!seen.forwarded, "forwarded: {lines:?}");
    seen.answer
}

/// The value of a header that stands on one line at most.
fn value(answer: &Answer, wanted: &str) -> Option<String> {
    let lines = answer.headers.iter();
    let mut values = lines
        .filter(|(name, _)| name.eq_ignore_ascii_case(wanted.as_bytes()))
        .map(|(_, value)| String::from_utf8_lossy(value).into_owned());
    let value = values.next();
    assert_eq!(values.next(), None, "a second {wanted}: {answer:?}");
    value
}

/// The members of `Vary`, lower case.
fn varies_by(answer: &Answer) -> Vec<String> {
    let vary = answer
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case(b"vary"));
    let members = vary.flat_map(|(_, value)| value.split(|b| *b == b','));
    members
        .map(|member| String::from_utf8_lossy(member.trim_ascii()).to_lowercase())
        .filter(|member| !member.is_empty())
        .collect()
}

/// The names of the CORS headers, lower case.
fn cors_names(answer: &Answer) -> Vec<String> {
    let names = answer.headers.iter();
    names
        .map(|(name, _)| String::from_utf8_lossy(name).to_lowercase())
        .filter(|name| name.starts_with("access-control-"))
        .collect()
}
