//! Why a request is decided as it is: every rule's own answer, also of those that an earlier refusal kept from being asked.
//!
//! The rules know nothing of being explained, and nothing of them is repeated here. Each is asked through the function
//! that judges requests, with a head that holds only what it looks at, so that no rule hides another; and what
//! decided who the client is, is found by leaving headers out until the answer changes. All this costs time, which is
//! why serving never comes here (all of it is marked cold, so that it is small in place of fast): an [`Exchange`](crate::Exchange) beside this one takes the decision that counts.

use std::rc::Rc;

use portcullis_config::Mode;

use crate::ambient::Ambient;
use crate::decision::Edit;
use crate::host::host_of;
use crate::message::{Line, RequestHead};
use crate::policy::{Moded, Policy};
use crate::record::kept;
use crate::refusal::Refusal;
use crate::route::Lookup;
use crate::rule::client::Caller;
use crate::rule::cors::CorsRule;
use crate::rule::lines::{LineLimits, refuse_lines};
use crate::rule::request::RequestRule;
use crate::rule::target;

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
    /// The policy that counts the body, and the bytes so far.
    counting: Option<(Rc<Policy>, usize)>,
}

/// The members of a JSON object, without its braces.
#[derive(Debug, Default)]
struct Members(String);

impl Members {
    /// Adds a string, or null.
    #[cold]
    fn text(&mut self, name: &str, value: Option<&str>) {
        // A string cannot fail to be one.
        let value = value.and_then(|value| serde_json::to_string(value).ok());
        self.raw(name, value.as_deref().unwrap_or("null"));
    }

    /// Adds what is JSON already.
    #[cold]
    fn raw(&mut self, name: &str, value: &str) {
        let separator = if self.0.is_empty() { "\"" } else { ",\"" };
        for part in [separator, name, "\":", value] {
            self.0.push_str(part);
        }
    }

    /// What was decided, and the status and the code of the answer, if there is one.
    #[cold]
    fn end(&mut self, decision: &str, status: Option<u16>, code: Option<&str>) {
        let status = status.map(|status| status.to_string());
        self.text("decision", Some(decision));
        self.raw("status", status.as_deref().unwrap_or("null"));
        self.text("code", code);
    }

    #[cold]
    fn object(&self) -> String {
        ["{", &self.0, "}"].concat()
    }
}

impl Policy {
    /// Explains a request by its head; the body's bytes and the changes that were made are told to it later.
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
        let route = route_at.and_then(|at| self.routes.get(at));
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
        let counts = hygiene.is_some_and(|moded| moded.rule.counts_body(head));
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
            counting: counts.then(|| (Rc::clone(self), 0)),
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
}

/// What the rules say, in their order, and what ended the request here.
#[derive(Debug, Default)]
struct Rules {
    /// Objects between commas.
    said: String,
    ended: Option<End>,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Refused(&'static Refusal),
    /// A preflight, granted.
    Answered(u16),
}

impl Rules {
    /// A rule that is not there.
    #[cold]
    fn off(&mut self, rule: &'static str, why: &str) {
        self.push(rule, Mode::Off, "off", None, why);
    }

    /// What a rule finds, and the reason if that is nothing.
    #[cold]
    fn add(
        &mut self,
        rule: &'static str,
        mode: Mode,
        found: Option<&'static Refusal>,
        passed: &str,
    ) {
        let why = found.map_or(passed, |refusal| refusal.detail);
        self.found(rule, mode, found, why);
    }

    #[cold]
    fn found(
        &mut self,
        rule: &'static str,
        mode: Mode,
        found: Option<&'static Refusal>,
        why: &str,
    ) {
        let decision = match (found, mode) {
            _ if self.ended.is_some() => "not-reached",
            (None, _) => "passed",
            (Some(refusal), Mode::Enforce) => {
                self.ended = Some(End::Refused(refusal));
                "refused"
            }
            (Some(_), _) => "would-refuse",
        };
        self.push(rule, mode, decision, found, why);
    }

    #[cold]
    fn push(
        &mut self,
        rule: &str,
        mode: Mode,
        decision: &str,
        found: Option<&'static Refusal>,
        why: &str,
    ) {
        let mut members = Members::default();
        members.text("rule", Some(rule));
        members.text("mode", Some(mode.as_str()));
        members.end(
            decision,
            found.map(|refusal| refusal.status),
            found.map(|refusal| refusal.code),
        );
        members.text("why", Some(why));
        append(&mut self.said, &members);
    }

    /// The rules about the form of a head, each with a head that only it can refuse.
    #[cold]
    fn form(&mut self, rule: &RequestRule, mode: Mode, head: &RequestHead<'_>) {
        const UNLIMITED: LineLimits = LineLimits {
            count: usize::MAX,
            bytes: usize::MAX,
        };
        let target = head.path();
        let is_field = |line: &&Line<'_>| line.0.first() != Some(&b':');
        let fields = || head.lines().iter().filter(is_field);
        let ask = |name, target: &[u8], lines: &[Line<'_>]| ask(rule, name, target, lines);

        let lines = refuse_lines(head.lines(), UNLIMITED);
        self.add("request", mode, lines, "the header lines are well formed");

        let count = fields().count();
        let nameless = vec![(&b"x"[..], &b""[..]); count];
        let name = "request.max_headers";
        self.add(
            name,
            mode,
            ask(name, b"/", &nameless),
            &counted(count, "header lines"),
        );

        let bytes: usize = fields().map(|(name, value)| name.len() + value.len()).sum();
        // One line as long as all of them: it has one end of a line, and they have `count`.
        let filler = vec![b'x'; (bytes + 4 * count).saturating_sub(5)];
        let name = "request.max_header_bytes";
        let found = match count {
            0 => None,
            _ => ask(name, b"/", &[(b"x", &filler)]),
        };
        self.add(
            name,
            mode,
            found,
            &counted(bytes, "bytes in names and values"),
        );

        let authority = head.authority().map(|host| (&b":authority"[..], host));
        let found = ask("request", b"/", authority.as_slice());
        self.add("request", mode, found, "it names one host");

        let mut path = vec![b'x'; target.len()];
        if let Some(first) = path.first_mut() {
            *first = b'/';
        }
        let name = "request.max_path_bytes";
        self.add(
            name,
            mode,
            ask(name, &path, &[]),
            &counted(target.len(), "bytes of path and query"),
        );

        self.add(
            "request",
            mode,
            target::refuse_malformed(target),
            "the path is well formed",
        );

        // The target itself may be refused for another reason; a short one tells whether ambiguity is.
        let name = "request.ambiguous";
        match ask(name, b"/;", &[]) {
            None => self.off(name, "`ambiguous: allow`"),
            found => {
                let found = found.filter(|_| target::is_ambiguous(target));
                self.add(name, mode, found, "the path reads in one way");
            }
        }

        let parameters = target::query_parameters(target);
        let query = [b"/?", vec![&b"x"[..]; parameters].join(&b'&').as_slice()].concat();
        let name = "request.max_query_params";
        let found = ask(name, &query, &[]);
        if found.is_none() && ask("request.max_path_bytes", &query, &[]).is_some() {
            // No shorter path has as many.
            let why = "the path is too long for them to be counted";
            self.push(name, mode, "not-reached", None, why);
        } else {
            self.add(name, mode, found, &counted(parameters, "query parameters"));
        }

        let name = "request.max_body_bytes";
        let announced = head.get("content-length");
        match (rule.refuse_body(u64::MAX), announced) {
            (None, _) => self.off(name, "no `max_body_bytes` is written"),
            // Counted as it comes, after all that the head can be refused for.
            (Some(_), _) if rule.counts_body(head) => {}
            (Some(_), length) => {
                let length = length.unwrap_or_default();
                let found = ask(name, b"/", &[(b"content-length", length)]);
                self.add(
                    name,
                    mode,
                    found,
                    "the announced length is within the limit",
                );
            }
        }
    }

    /// What cors says to a preflight.
    #[cold]
    fn preflight(&mut self, cors: Option<&Moded<Rc<CorsRule>>>, head: &RequestHead<'_>) {
        let name = "cors";
        let Some(moded) = cors else {
            return self.off(name, "`cors` is not written, or off");
        };
        let Some(method) = head.preflight() else {
            return self.add(name, moded.mode, None, "this is no preflight");
        };
        match moded.rule.judge_preflight(head, method) {
            (_, Some(step)) => {
                let refusal = step.refusal(moded.rule.debug());
                // Here the operator is asking, not the page.
                let why = step.refusal(true).detail;
                self.found(refusal.rule, moded.mode, Some(refusal), why);
            }
            (_, None) if moded.mode == Mode::Enforce && self.ended.is_none() => {
                self.ended = Some(End::Answered(moded.rule.preflight_status()));
                let why = "all that the preflight asks for is granted";
                self.push(name, moded.mode, "answered", None, why);
            }
            (_, None) => {
                let why = "all that the preflight asks for would be granted";
                self.add(name, moded.mode, None, why);
            }
        }
    }

    /// What cors says to a request that is no preflight.
    #[cold]
    fn origin(
        &mut self,
        cors: Option<&Moded<Rc<CorsRule>>>,
        head: &RequestHead<'_>,
        caller: &Caller,
    ) {
        if let Some(moded) = cors
            && head.preflight().is_none()
        {
            let found = moded.rule.refuse_origin(head, caller.https);
            let why = match moded.rule.grants_reading(head) {
                true => "pages of this origin may read the response",
                false => "no page of another origin may read the response",
            };
            self.add("cors.on_disallowed", moded.mode, found, why);
        }
    }

    #[cold]
    fn https(
        &mut self,
        rule: &RequestRule,
        mode: Mode,
        head: &RequestHead<'_>,
        caller: &Caller,
        host: Option<&str>,
    ) {
        let name = "request.https";
        let Some(https) = &rule.https else {
            return self.off(name, "`https` is not written");
        };
        let preflight = head.preflight().is_some();
        let found = match https.refuse(head, caller, host) {
            Some((refusal, _)) if !preflight => Some(refusal),
            _ => None,
        };
        let why = if caller.https {
            "the client came over https"
        } else if preflight {
            "a preflight is never redirected"
        } else {
            "the path or the client is exempt"
        };
        self.add(name, mode, found, why);
    }
}

/// What that rule finds in this target and these lines; not what another does.
#[cold]
fn ask(
    rule: &RequestRule,
    name: &str,
    target: &[u8],
    lines: &[Line<'_>],
) -> Option<&'static Refusal> {
    let lines = [&[(&b":path"[..], target)], lines].concat();
    rule.refuse_form(&RequestHead::new(&lines))
        .filter(|refusal| refusal.rule == name)
}

#[cold]
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}")
}

impl Explanation {
    /// Counts bytes of the body, as [`Exchange::on_request_body`](crate::Exchange::on_request_body) does.
    #[cold]
    pub fn on_request_body(&mut self, bytes: usize) {
        if let Some((_, counted)) = &mut self.counting {
            *counted = counted.saturating_add(bytes);
        }
    }

    /// The changes that were made to the request.
    #[cold]
    pub fn request_changed(&mut self, edits: &[Edit<'_>]) {
        self.request_changes = changes(edits);
    }

    /// The changes that were made to the response.
    #[cold]
    pub fn response_changed(&mut self, edits: &[Edit<'_>]) {
        self.response_changes = changes(edits);
    }

    /// The explanation as one line of JSON, once the exchange is over.
    #[cold]
    pub fn log_line(mut self) -> String {
        if let Some((policy, bytes)) = &self.counting
            && let Some(moded) = &policy.request
        {
            let found = moded
                .rule
                .refuse_body(u64::try_from(*bytes).unwrap_or(u64::MAX));
            let passed = counted(*bytes, "bytes have come");
            let name = "request.max_body_bytes";
            self.rules.add(name, moded.mode, found, &passed);
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

/// Adds an object to those of a list.
#[cold]
fn append(list: &mut String, members: &Members) {
    if !list.is_empty() {
        list.push(',');
    }
    list.push_str(&members.object());
}

#[cold]
fn changes(edits: &[Edit<'_>]) -> String {
    let mut list = String::new();
    for edit in edits {
        let (change, name, value) = match edit {
            Edit::Add(name, value) => ("add", name.as_ref(), Some(value)),
            Edit::Replace(name, value) => ("replace", name.as_ref(), Some(value)),
            Edit::Remove(name) => ("remove", *name, None),
        };
        let mut members = Members::default();
        members.text("change", Some(change));
        members.text("name", Some(&text(name).to_ascii_lowercase()));
        members.text("value", value.map(|value| text(value)).as_deref());
        append(&mut list, &members);
    }
    list
}

/// What is kept of bytes that the client chose.
#[cold]
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&kept(bytes)).into_owned()
}

#[cfg(test)]
mod tests;
