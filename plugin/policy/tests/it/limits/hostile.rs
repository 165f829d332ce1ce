//! Requests, clocks and stores that do their worst: nothing panics, nothing passes uncounted, and nobody stays shut out.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use portcullis_policy::{
    Ambient, Decision, Line, LocalStore, Policy, RequestHead, Store, Unavailable, Versioned,
};
use proptest::prelude::*;

use super::{SECOND, limits, policy};

/// What a store makes of one call.
#[derive(Clone, Debug)]
enum Whim {
    /// What it should.
    Works,
    /// It does not answer.
    Fails,
    /// A read finds nothing.
    Forgets,
    /// A read finds these bytes.
    Finds(Vec<u8>),
    /// A read finds the bytes that were written this many writes ago, wherever that was.
    Replays(usize),
    /// A write finds that somebody else was faster.
    Loses,
}

/// A gateway of which each thing can be absurd.
struct Absurd {
    store: LocalStore,
    whims: RefCell<Vec<Whim>>,
    calls: Cell<usize>,
    /// Writes that were done.
    written: RefCell<Vec<Vec<u8>>>,
    now: Cell<u64>,
    source: RefCell<Option<Vec<u8>>>,
}

impl Default for Absurd {
    fn default() -> Self {
        Self {
            store: LocalStore::default(),
            whims: RefCell::default(),
            calls: Cell::default(),
            written: RefCell::default(),
            now: Cell::new(SECOND),
            source: RefCell::new(Some(b"203.0.113.7:4711".to_vec())),
        }
    }
}

impl Absurd {
    fn whim(&self) -> Whim {
        self.calls.set(self.calls.get() + 1);
        self.whims.borrow_mut().pop().unwrap_or(Whim::Works)
    }

    /// The status, 0 if the request went on; and the codes that were found.
    fn sent(&self, policy: &Rc<Policy>, lines: &[Line<'_>]) -> (u16, Vec<&'static str>) {
        let mut exchange = policy.begin();
        let status = match exchange.on_request_head(&RequestHead::new(lines), self) {
            Decision::Continue(_) | Decision::NeedBody(_) => 0,
            Decision::Reply(reply) => reply.status,
        };
        let findings = exchange
            .finish(&crate::Gateway::default())
            .map(|record| record.findings);
        let codes = findings.iter().flatten().map(|one| one.refusal.code);
        (status, codes.collect())
    }
}

impl Store for Absurd {
    fn get(&self, key: &[u8]) -> Result<Option<Versioned>, Unavailable> {
        let whim = self.whim();
        let found = self.store.get(key)?;
        let other = |value: Vec<u8>| {
            let version = found.as_ref().map_or(1, |found| found.version);
            Some(Versioned { value, version })
        };
        Ok(match whim {
            Whim::Works | Whim::Loses => found,
            Whim::Fails => return Err(Unavailable(10)),
            Whim::Forgets => None,
            Whim::Finds(value) => other(value),
            Whim::Replays(ago) => {
                let written = self.written.borrow();
                let value = written.iter().rev().nth(ago).cloned();
                value.map_or(found.clone(), other)
            }
        })
    }

    fn set(&self, key: &[u8], value: &[u8], version: Option<u32>) -> Result<bool, Unavailable> {
        match self.whim() {
            Whim::Fails => return Err(Unavailable(10)),
            Whim::Loses => return Ok(false),
            _ => {}
        }
        let done = self.store.set(key, value, version)?;
        if done {
            self.written.borrow_mut().push(value.to_vec());
        }
        Ok(done)
    }
}

impl Ambient for Absurd {
    fn source(&self) -> Option<Vec<u8>> {
        self.source.borrow().clone()
    }

    fn fresh_id(&self) -> u128 {
        0
    }

    fn now(&self) -> u64 {
        self.now.get()
    }

    fn store(&self) -> &dyn Store {
        self
    }
}

const GET: [Line<'static>; 2] = [(b":method", b"GET"), (b":path", b"/")];

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    let likely = prop::sample::select(b"/?&=;%\"|, aq\0\xff2f:[]".to_vec());
    prop::collection::vec(prop_oneof![likely, any::<u8>()], 0..most)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// The same request is the same client, whatever it holds: the second finds nothing left.
    #[test]
    fn any_request_is_counted(
        method in bytes(8),
        path in bytes(60),
        source in prop::option::of(bytes(30)),
        headers in prop::collection::vec(
            (
                prop_oneof![
                    prop::sample::select(vec![
                        &b"host"[..], b":authority", b"cookie", b"Cookie", b"x-key", b"X-KEY",
                        b"x-forwarded-for", b"origin", b"access-control-request-method",
                    ])
                    .prop_map(<[u8]>::to_vec),
                    bytes(10),
                ],
                bytes(60),
            ),
            0..8,
        ),
        key in prop::sample::select(vec![
            r#"["ip"]"#, r#"["header:x-key"]"#, r#"["cookie:q"]"#, r#"["query:q"]"#, r#"["host"]"#,
            r#"["path"]"#, r#"["route"]"#, r#"["all"]"#,
            r#"["ip","header:x-key","cookie:q","query:q","host","path","route","all"]"#,
        ]),
    ) {
        let policy = policy(&format!(
            r#"{{"version":1,"client":{{"trusted_proxies":["0.0.0.0/0"]}},
                "rate_limits":[{{"name":"a","quota":"1/1h","key":{key}}}],
                "routes":[{{"name":"r","path":"/q/{{x}}","hosts":["a"]}}]}}"#
        ));
        let here = Absurd::default();
        *here.source.borrow_mut() = source;
        let mut lines: Vec<Line<'_>> = vec![(b":method", &method), (b":path", &path)];
        lines.extend(headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice())));
        prop_assert_eq!(here.sent(&policy, &lines).0, 0);
        prop_assert_eq!(here.sent(&policy, &lines).0, 429);
    }

    /// A clock that goes where it likes: whoever is refused gets in again once the limit's time has passed.
    #[test]
    fn any_clock_is_borne(
        clock in prop::collection::vec(
            prop_oneof![0..=1u64 << 62, 0..100 * SECOND, Just(0), Just(1u64 << 62)],
            1..30,
        ),
        algorithm in prop::sample::select(vec!["gcra", "fixed-window"]),
        cost in 1u64..3,
        ban in any::<bool>(),
    ) {
        let ban_of = |lasting| match ban {
            true => format!(r#","ban":{{"after":2,"within":"1m","for":"{lasting}"}}"#),
            false => String::new(),
        };
        let policy = limits(&format!(
            r#"[{{"name":"a","quota":"4/40s","cost":{cost},"algorithm":"{algorithm}"{}}}]"#,
            ban_of("2m")
        ));
        let here = Absurd::default();
        for now in clock {
            here.now.set(now);
            here.sent(&policy, &GET);
        }
        let admitted = (0..9).filter(|_| here.sent(&policy, &GET).0 == 0).count() as u64;
        prop_assert!(admitted * cost <= 4);
        // Long enough for the ban that the nine may have brought about. Twice: a denial that is known already mends
        // nothing, so what the bucket holds may be of a time that comes again.
        for _ in 0..2 {
            here.now.set(here.now.get() + 200 * SECOND);
            here.sent(&policy, &GET);
        }
        here.now.set(here.now.get() + 200 * SECOND);
        prop_assert_eq!(here.sent(&policy, &GET).0, 0);
    }

    /// Whatever a store does, nothing passes that was not written down: once for each limit.
    #[test]
    fn any_store_is_borne(
        whims in prop::collection::vec(
            prop_oneof![
                4 => Just(Whim::Works),
                1 => Just(Whim::Fails),
                1 => Just(Whim::Forgets),
                1 => bytes(300).prop_map(Whim::Finds),
                1 => prop::collection::vec(any::<u8>(), 136).prop_map(Whim::Finds),
                1 => Just(Whim::Finds(vec![0; 1 << 14])),
                2 => (0usize..12).prop_map(Whim::Replays),
                1 => Just(Whim::Loses),
            ],
            0..80,
        ),
        window in any::<bool>(),
    ) {
        let kind = if window { "fixed-window" } else { "gcra" };
        let policy = limits(&format!(
            r#"[{{"name":"a","quota":"5/1h","algorithm":"{kind}","ban":{{"after":3,"within":"1m","for":"1m"}}}},
                {{"name":"b","quota":"6/1h","key":["all"]}},
                {{"name":"c","quota":"7/1h","algorithm":"fixed-window","capacity":8}}]"#
        ));
        let here = Absurd::default();
        *here.whims.borrow_mut() = whims;
        while !here.whims.borrow().is_empty() {
            let before = here.written.borrow().len();
            let (calls, left) = (here.calls.get(), here.whims.borrow().len());
            let (status, codes) = here.sent(&policy, &GET);
            let written = here.written.borrow().len() - before;
            match status {
                0 => prop_assert!(written >= 3, "{written} writes"),
                429 => prop_assert!(codes[0].starts_with("rate-limit-")),
                503 => prop_assert_eq!(codes, ["rate-limit-unchecked"]),
                other => prop_assert!(false, "{other}"),
            }
            if here.calls.get() == calls {
                // Nothing is asked about who is known to be refused.
                prop_assert_eq!((status, here.whims.borrow().len()), (429, left));
                here.now.set(here.now.get() + 3600 * SECOND);
            }
        }
        here.now.set(here.now.get() + 3700 * SECOND);
        let healthy: Vec<u16> = (0..6).map(|_| here.sent(&policy, &GET).0).collect();
        prop_assert_eq!(healthy, [0, 0, 0, 0, 0, 429]);
    }
}

/// Runs a request in each state that some requests before it leave, with a store that fails at its n-th call, for every n.
fn check_every_failure(text: &str, whim: &Whim, expected: &[(u16, &str)]) {
    for before in 0..8 {
        for nth in 0.. {
            let policy = limits(text);
            let here = Absurd::default();
            for _ in 0..before {
                here.sent(&policy, &GET);
            }
            // Another worker knows nothing of who was refused.
            let policy = limits(text);
            let calls = here.calls.get();
            let mut whims = vec![whim.clone()];
            whims.resize(nth + 1, Whim::Works);
            *here.whims.borrow_mut() = whims;
            let (status, codes) = here.sent(&policy, &GET);
            let whole = here.calls.get() - calls <= nth;
            here.whims.borrow_mut().clear();
            if whole {
                break;
            }
            let code = codes.last().copied().unwrap_or_default();
            assert!(
                expected.contains(&(status, code)),
                "{text}: {status} {code} where call {nth} fails after {before} requests"
            );
            here.now.set(3601 * SECOND);
            assert_eq!(here.sent(&policy, &GET).0, 0, "{text}: {before} {nth}");
        }
    }
}

#[test]
fn whatever_call_fails_nothing_passes() {
    let unchecked = &[(503, "rate-limit-unchecked")][..];
    let one = r#"[{"name":"a","quota":"3/1h"}]"#;
    let three = r#"[{"name":"a","quota":"5/1h"},{"name":"b","quota":"3/1h","algorithm":"fixed-window"},{"name":"c","quota":"4/1h","key":["all"]}]"#;
    let ban = r#"[{"name":"a","quota":"3/1h","ban":{"after":3,"within":"1m","for":"1h"}},{"name":"b","quota":"9/1h"}]"#;
    let report = r#"[{"name":"a","quota":"3/1h","mode":"report"},{"name":"b","quota":"9/1h"}]"#;
    for text in [one, three, ban, report] {
        check_every_failure(text, &Whim::Fails, unchecked);
    }
}

#[test]
fn a_store_that_takes_no_writes_lets_nobody_in() {
    let policy =
        limits(r#"[{"name":"a","quota":"3/1h"},{"name":"b","quota":"3/1h","key":["all"]}]"#);
    let here = Absurd::default();
    *here.whims.borrow_mut() = vec![Whim::Loses; 33];
    assert_eq!(here.sent(&policy, &GET), (429, vec!["rate-limit-exceeded"]));
    assert!(here.calls.get() <= 40, "{} calls", here.calls.get());
    here.whims.borrow_mut().clear();
    let admitted = (0..5).filter(|_| here.sent(&policy, &GET).0 == 0).count();
    assert_eq!(admitted, 3, "who could not be counted has spent nothing");
}

#[test]
fn the_largest_limits_count_at_any_time() {
    let check = |members: &str, admitted: usize| {
        for now in [0, 1, SECOND, 1 << 61, 1 << 62] {
            for ban in [
                "",
                r#","ban":{"after":1000,"within":"30d","for":"30d"}"#,
                r#","ban":{"after":1,"within":"30d","for":"30d"}"#,
            ] {
                let policy = limits(&format!(r#"[{{"name":"a",{members}{ban}}}]"#));
                let here = Absurd::default();
                here.now.set(now);
                let sent = (0..20).filter(|_| here.sent(&policy, &GET).0 == 0).count();
                assert_eq!(sent, admitted, "{members}{ban} at {now}");
            }
        }
    };
    check(r#""quota":"1/30d","burst":1779,"cost":1779"#, 1);
    check(r#""quota":"1/30d","burst":1779,"cost":800"#, 2);
    check(r#""quota":"1/4s","burst":1000000000,"cost":300000000"#, 3);
    check(r#""quota":"1000000000/30d","cost":1000000000"#, 1);
    check(r#""quota":"1000000000/1s","cost":100000000"#, 10);
    check(
        r#""quota":"1000000000/30d","algorithm":"fixed-window","cost":300000000"#,
        3,
    );
}

#[test]
fn stores_that_hold_what_is_not_ours_are_as_empty_ones() {
    for value in [
        vec![],
        vec![0; 136],
        vec![0xff; 136],
        vec![1; 135],
        vec![7; 1 << 20],
    ] {
        let policy = limits(r#"[{"name":"a","quota":"2/1h"}]"#);
        let here = Absurd::default();
        // Both reads of the first request see it.
        *here.whims.borrow_mut() = vec![Whim::Finds(value.clone()); 2];
        let admitted = (0..5).filter(|_| here.sent(&policy, &GET).0 == 0).count();
        assert_eq!(admitted, 2, "{} bytes", value.len());
    }
}
