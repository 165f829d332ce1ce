//! Why a request is decided as it is: every rule's own answer, also of those that an earlier refusal kept from being asked.
//!
//! The rules know nothing of being explained, and nothing of them is repeated here. Each is asked through the function
//! that judges requests, with a head that holds only what it looks at, so that no rule hides another; and what
//! decided who the client is, is found by leaving headers out until the answer changes. All this costs time, which is
//! why serving never comes here (all of it is marked cold, so that it is small in place of fast): an
//! [`Exchange`](crate::Exchange) beside this one takes the decision that counts.

mod form;
mod members;
mod rules;

use std::rc::Rc;

use portcullis_config::Mode;

use self::form::counts_body;
use self::members::{Members, changes, text};
use self::rules::{End, Rules};
use crate::ambient::Ambient;
use crate::decision::Edit;
use crate::host::host_of;
use crate::message::{Line, RequestHead};
use crate::policy::Policy;
use crate::record::Finding;
use crate::route::Lookup;
use crate::rule::client::Caller;
use crate::rule::profanity::Finder;
use crate::rule::rate_limit::Asker;
use crate::store::{NoStore, Store};

/// One request explained, and the line of JSON that says so. Text that the client chose is cut at 1024 bytes, and what
/// of it is not UTF-8 replaced by U+FFFD.
///
/// Written as it comes: derived serializers would cost the module more than everything else here.
#[derive(Debug)]
pub struct Explanation {
    /// What is known from the head.
    members: Members,
    rules: Rules,
    request_changes: String,
    response_changes: String,
    /// Rules that are asked later than this, and what they say of a request that they find nothing wrong with.
    waiting: Vec<(&'static str, Mode, &'static str)>,
    /// What knows the words that were found: the person who runs this may see them.
    finder: Option<Rc<Finder>>,
}

impl Policy {
    /// Explains a request by its head; what was found after that, and the changes that were made, are told to it later.
    #[cold]
    pub fn explain(
        self: &Rc<Self>,
        head: &RequestHead<'_>,
        ambient: &dyn Ambient,
    ) -> Box<Explanation> {
        let caller = self.client.resolve(head, ambient);
        let preflight = head.preflight();
        let method = preflight.unwrap_or(head.method());
        let host = head.authority().and_then(host_of);
        let judged_host = host.as_deref().filter(|_| self.reads_host);
        let lookup = self.table.find(judged_host, head.path(), method);
        let route_at = match lookup {
            Lookup::Route(at) => Some(at),
            _ => None,
        };
        let route = self.route(route_at);
        let mut rules = Rules::default();
        let hygiene = self.request.as_ref();
        let mode = hygiene.map_or(Mode::Off, |moded| moded.mode);
        match hygiene {
            None => rules.off("request", "`request` is not written, or off"),
            Some(moded) => {
                let rule = &moded.rule;
                rules.form(rule, mode, head);
                match rule.refuse_host(None) {
                    None => rules.off("request.hosts", "no `hosts` are listed"),
                    Some(_) => rules.add(
                        "request.hosts",
                        mode,
                        rule.refuse_host(host.as_deref()),
                        "the host is listed",
                    ),
                }
            }
        }
        let cors = self.patched(route_at).cors.as_ref();
        rules.preflight(cors, head);
        if let Some(moded) = hygiene {
            rules.https(&moded.rule, mode, head, &caller, judged_host);
        }
        rules.origin(cors, head, &caller);
        match hygiene {
            None => {}
            Some(moded) => {
                let rule = &moded.rule;
                rules.add(
                    "request.methods",
                    mode,
                    rule.refuse_method(method),
                    "the method is listed",
                );
            }
        }
        match self.unmatched {
            None => rules.off("unmatched", "what no route matches may pass"),
            Some(mode) => {
                let refusal = match lookup {
                    Lookup::Route(_) => None,
                    Lookup::Nothing => Some(&crate::refusal::ROUTE_NOT_FOUND),
                    Lookup::OtherMethods(_) => Some(&crate::refusal::ROUTE_METHOD_NOT_ALLOWED),
                };
                rules.add("unmatched", mode, refusal, "a route matches");
            }
        }
        if let Some(limits) = &self.limits {
            let asker = Asker {
                head,
                caller: &caller,
                prefixes: limits.prefixes(),
                host: judged_host,
                route: route.map(|route| route.name.as_str()),
            };
            let own = route.map_or(&[][..], |route| &route.limits);
            rules.limits(limits, own, method, &asker, ambient);
        }
        let mut waiting = Vec::new();
        let validate = route.and_then(|route| Some(route.inputs.validate.as_ref()?.mode));
        let profanity = route.and_then(|route| route.profanity.as_ref());
        for (rule, mode, off, passed) in [
            (
                "validate",
                // What reads bodies refuses those that cannot be read, whatever it reads them for.
                validate.or_else(|| Some(route?.inputs.bodies.first()?.mode)),
                "the route has no `validate`, or it is off",
                "parameters and body are as the route asks for them",
            ),
            (
                "profanity",
                profanity.map(|moded| moded.mode),
                "the route has no `profanity`, or it is off",
                "nothing was found where the route looks for it",
            ),
        ] {
            match mode {
                None => rules.off(rule, off),
                Some(_) if preflight.is_some() => rules.off(rule, "this is a preflight"),
                Some(mode) => waiting.push((rule, mode, passed)),
            }
        }
        if hygiene.is_some_and(|moded| moded.rule.max_body_bytes().is_some()) && counts_body(head) {
            let why = "the body stayed within the limit";
            waiting.push(("request.max_body_bytes", mode, why));
        }
        let mut members = Members::default();
        members.text("portcullis", Some("explain"));
        members.text("policy", Some(&self.name));
        members.text("method", Some(&text(head.method())));
        members.text("path", Some(&text(head.path())));
        members.text("preflight_for", preflight.map(text).as_deref());
        members.raw("client", &self.client(head, ambient, &caller).object());
        members.raw("scheme", &self.scheme(head, ambient, &caller).object());
        members.text("host", host.as_deref());
        members.text("route", route.map(|route| route.name.as_str()));
        Box::new(Explanation {
            members,
            rules,
            request_changes: String::new(),
            response_changes: String::new(),
            waiting,
            finder: profanity.map(|moded| Rc::clone(moded.rule.finder())),
        })
    }

    #[cold]
    fn client(&self, head: &RequestHead<'_>, ambient: &dyn Ambient, caller: &Caller) -> Members {
        let peer = ambient.source().map(|peer| text(&peer));
        let header = self.decisive(head, ambient, &|other| other.address != caller.address);
        let because = if caller.hidden {
            "hidden"
        } else if header.is_some() {
            "header"
        } else if caller.trusted {
            "trusted-peer"
        } else if peer.is_none() {
            "unknown"
        } else if !self.client.resolve(head, &PortZero).hidden {
            "host"
        } else {
            "peer"
        };
        let address = caller.address.map(|address| address.to_string());
        let mut members = Members::default();
        members.text("address", address.as_deref());
        members.text("peer", peer.as_deref());
        members.text("because", Some(because));
        members.text("header", header.as_deref());
        members
    }

    #[cold]
    fn scheme(&self, head: &RequestHead<'_>, ambient: &dyn Ambient, caller: &Caller) -> Members {
        let header = self.decisive(head, ambient, &|other| other.https != caller.https);
        let name = if caller.https { "https" } else { "http" };
        let because = header.as_ref().map_or("connection", |_| "header");
        let mut members = Members::default();
        members.text("name", Some(name));
        members.text("because", Some(because));
        members.text("header", header.as_deref());
        members
    }

    /// The first header without which another caller comes out.
    #[cold]
    fn decisive(
        &self,
        head: &RequestHead<'_>,
        ambient: &dyn Ambient,
        changed: &dyn Fn(&Caller) -> bool,
    ) -> Option<String> {
        let is_field = |line: &&Line<'_>| line.0.first() != Some(&b':');
        let mut lines = head.lines().iter().filter(is_field);
        let found = lines.find(|(name, _)| {
            let others: Vec<Line<'_>> = head
                .lines()
                .iter()
                .filter(|(other, _)| !other.eq_ignore_ascii_case(name))
                .copied()
                .collect();
            changed(&self.client.resolve(&RequestHead::new(&others), ambient))
        });
        found.map(|(name, _)| text(name).to_ascii_lowercase())
    }
}

/// A gateway that took the client's address from a header, by which it is known whether the policy lets it.
struct PortZero;

impl Ambient for PortZero {
    fn source(&self) -> Option<Vec<u8>> {
        Some(b"192.0.2.1:0".to_vec())
    }

    fn fresh_id(&self) -> u128 {
        0
    }

    fn now(&self) -> u64 {
        0
    }

    fn store(&self) -> &dyn Store {
        &NoStore
    }
}

impl Explanation {
    /// Changes that were made to the request, after those that are known already.
    #[cold]
    pub fn request_changed(&mut self, edits: &[Edit<'_>]) {
        if !self.request_changes.is_empty() && !edits.is_empty() {
            self.request_changes.push(',');
        }
        self.request_changes.push_str(&changes(edits));
    }

    /// The changes that were made to the response.
    #[cold]
    pub fn response_changed(&mut self, edits: &[Edit<'_>]) {
        self.response_changes = changes(edits);
    }

    /// The explanation as one line of JSON, once the exchange is over, and with what was found in it.
    #[cold]
    pub fn log_line(mut self, findings: &[Finding]) -> String {
        for (rule, mode, passed) in self.waiting {
            let mut found = findings
                .iter()
                .filter(|finding| finding.refusal.rule.starts_with(rule))
                .peekable();
            if found.peek().is_none() {
                self.rules.add(rule, mode, None, passed);
            }
            for finding in found {
                let words = self.finder.as_deref().map(|finder| {
                    let words = finding.entries.iter();
                    words.map(|entry| match entry {
                        Some(entry) => format!(" `{}`", finder.spelled(*entry)),
                        None => String::new(),
                    })
                });
                let mut words = words.into_iter().flatten();
                let input = finding.input.iter();
                let said: Vec<String> = input
                    .map(|input| [input, words.next().as_deref().unwrap_or_default()].concat())
                    .collect();
                let said = said.join("; ");
                let why = if said.is_empty() {
                    finding.refusal.detail
                } else {
                    &said
                };
                self.rules.told(finding, why);
            }
        }
        let mut members = self.members;
        match self.rules.ended {
            None => members.end("passed", None, None),
            Some(End::Refused(refusal)) => {
                members.end("refused", Some(refusal.status), Some(refusal.code));
            }
            Some(End::Answered(status)) => members.end("answered", Some(status), None),
        }
        for (name, objects) in [
            ("rules", &self.rules.said),
            ("request_changes", &self.request_changes),
            ("response_changes", &self.response_changes),
        ] {
            members.raw(name, &["[", objects, "]"].concat());
        }
        members.object()
    }
}

#[cfg(test)]
mod tests;
