//! The rules about the form of a head, each asked with a head that only it can refuse.

use portcullis_config::Mode;

use super::rules::Rules;
use crate::message::{Line, RequestHead};
use crate::refusal::Refusal;
use crate::rule::lines::{LineLimits, refuse_lines};
use crate::rule::request::RequestRule;
use crate::rule::target;

impl Rules {
    /// The rules about the form of a head, each with a head that only it can refuse.
    #[cold]
    pub(super) fn form(&mut self, rule: &RequestRule, mode: Mode, head: &RequestHead<'_>) {
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
        if rule.max_body_bytes().is_none() {
            self.off(name, "no `max_body_bytes` is written");
        } else if !counts_body(head) {
            let found = rule.refuse_announced(head);
            let why = "the announced length is within the limit";
            self.add(name, mode, found, why);
        }
    }
}

/// Whether the length of the body shows only as it comes, after all that the head can be refused for.
#[cold]
pub(super) fn counts_body(head: &RequestHead<'_>) -> bool {
    head.content_length().is_none() && !head.is_tunnel()
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
pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}")
}
