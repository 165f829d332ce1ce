//! Charges that are taken back: when workers meet, what is left in each bucket is what the admitted requests left.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use portcullis_policy::{
    Ambient, Decision, Line, LocalStore, Policy, RequestHead, Store, Unavailable, Versioned,
};
use proptest::prelude::*;

use super::{SECOND, added, limits};

/// Other requests come while a request writes, and others while those do, this deep.
const DEPTH: usize = 3;

/// A limit: what it holds, what a request costs, how it counts, and which requests it applies to.
#[derive(Clone, Debug)]
struct Limit {
    holds: u32,
    cost: u32,
    algorithm: &'static str,
    /// Applies to `POST` alone.
    posts: bool,
    /// Counts by a header, else everybody together.
    by_header: bool,
}

impl Limit {
    fn text(&self, name: usize, cost: u32) -> String {
        let Self {
            holds, algorithm, ..
        } = self;
        let methods = if self.posts {
            r#","methods":["POST"]"#
        } else {
            ""
        };
        let key = if self.by_header {
            "header:x-key"
        } else {
            "all"
        };
        // Small tables: buckets of one slot are written together.
        format!(
            r#"{{"name":"l{name}","quota":"{holds}/1h","cost":{cost},"algorithm":"{algorithm}","capacity":8,"key":["{key}"]{methods}}}"#
        )
    }
}

fn limit() -> impl Strategy<Value = Limit> {
    let algorithm = prop::sample::select(vec!["gcra", "fixed-window"]);
    (1u32..12, 1u32..4, algorithm, any::<bool>(), any::<bool>()).prop_map(
        |(holds, cost, algorithm, posts, by_header)| Limit {
            holds,
            cost: cost.min(holds),
            algorithm,
            posts,
            by_header,
        },
    )
}

/// Which method and key a request has.
type Sent = (bool, u8);

/// Workers at one store, each with a policy of its own: what one knows to be refused, the next has to find out.
struct Workers {
    store: LocalStore,
    /// Who comes before each write.
    others: RefCell<Vec<Option<Sent>>>,
    depth: Cell<usize>,
    policies: Vec<Rc<Policy>>,
    admitted: RefCell<BTreeMap<Sent, u32>>,
}

impl Store for Workers {
    fn get(&self, key: &[u8]) -> Result<Option<Versioned>, Unavailable> {
        self.store.get(key)
    }

    fn set(&self, key: &[u8], value: &[u8], version: Option<u32>) -> Result<bool, Unavailable> {
        if self.depth.get() < DEPTH {
            let other = self.others.borrow_mut().pop().flatten();
            if let Some(sent) = other {
                self.send(sent);
            }
        }
        self.store.set(key, value, version)
    }
}

impl Ambient for Workers {
    fn source(&self) -> Option<Vec<u8>> {
        Some(b"203.0.113.7:4711".to_vec())
    }

    fn fresh_id(&self) -> u128 {
        0
    }

    fn now(&self) -> u64 {
        7
    }

    fn store(&self) -> &dyn Store {
        self
    }
}

const KEYS: [&[u8]; 3] = [b"a", b"b", b"c"];

fn head((posts, key): Sent) -> [Line<'static>; 3] {
    let method: &[u8] = if posts { b"POST" } else { b"GET" };
    let key = KEYS.get(usize::from(key)).copied().unwrap_or_default();
    [(b":method", method), (b":path", b"/"), (b"x-key", key)]
}

impl Workers {
    fn send(&self, sent: Sent) -> bool {
        let depth = self.depth.get();
        let Some(policy) = self.policies.get(depth) else {
            return false;
        };
        self.depth.set(depth + 1);
        let mut exchange = policy.begin();
        let head = head(sent);
        let decision = exchange.on_request_head(&RequestHead::new(&head), self);
        self.depth.set(depth);
        let admitted = matches!(decision, Decision::Continue(_));
        if admitted {
            *self.admitted.borrow_mut().entry(sent).or_default() += 1;
        }
        admitted
    }

    /// What is left in a limit's bucket for these requests: found by one request of cost 1, which that limit alone judges.
    fn left(&self, at: usize, limit: &Limit, sent: Sent) -> u32 {
        let policy = limits(&format!("[{}]", limit.text(at, 1)));
        let mut exchange = policy.begin();
        let quiet = self.depth.replace(DEPTH);
        let head = head(sent);
        let decision = exchange.on_request_head(&RequestHead::new(&head), self);
        self.depth.set(quiet);
        if !matches!(decision, Decision::Continue(_)) {
            return 0;
        }
        let told = added(&exchange);
        let told = told
            .get("ratelimit")
            .and_then(|value| value.split_once(";r="));
        let left = told.and_then(|(_, rest)| rest.split(';').next()?.parse::<u32>().ok());
        left.map_or(u32::MAX, |left| left + 1)
    }
}

fn workers(all: &[Limit], others: Vec<Option<Sent>>) -> Workers {
    let text: Vec<String> = all
        .iter()
        .enumerate()
        .map(|(at, limit)| limit.text(at, limit.cost))
        .collect();
    let text = format!("[{}]", text.join(","));
    Workers {
        store: LocalStore::default(),
        others: RefCell::new(others),
        depth: Cell::new(0),
        policies: (0..=DEPTH).map(|_| limits(&text)).collect(),
        admitted: RefCell::default(),
    }
}

fn sent() -> impl Strategy<Value = Sent> {
    (any::<bool>(), 0u8..3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Different requests under three limits, others between their writes: every bucket holds what the admitted ones took,
    /// and not a unit more or less.
    #[test]
    fn every_bucket_holds_what_was_admitted(
        all in prop::collection::vec(limit(), 3),
        ours in prop::collection::vec(sent(), 1..25),
        others in prop::collection::vec(prop::option::of(sent()), 0..60),
    ) {
        let workers = workers(&all, others);
        for one in ours {
            workers.send(one);
        }
        let admitted = workers.admitted.borrow().clone();
        for (at, limit) in all.iter().enumerate() {
            for key in 0..3u8 {
                let taken = admitted.iter().filter(|((posts, own), _)| {
                    (*posts || !limit.posts) && (!limit.by_header || *own == key)
                });
                let taken: u32 = taken.map(|(_, times)| times * limit.cost).sum();
                prop_assert!(taken <= limit.holds, "limit {at}, key {key}: {taken}");
                // Asking takes one itself, so a bucket that all keys share is asked once.
                if limit.by_header || key == 0 {
                    let left = workers.left(at, limit, (true, key));
                    prop_assert_eq!(left, limit.holds - taken, "limit {}, key {}", at, key);
                }
            }
        }
    }

    /// Like requests: as many are admitted as the tightest limit has room for, whoever meets whom.
    #[test]
    fn as_many_are_admitted_as_the_tightest_limit_holds(
        all in prop::collection::vec(limit(), 3),
        others in prop::collection::vec(prop::option::weighted(0.4, Just((true, 0))), 0..60),
    ) {
        let workers = workers(&all, others);
        for _ in 0..40 {
            workers.send((true, 0));
        }
        let admitted: u32 = workers.admitted.borrow().values().sum();
        let room = all.iter().map(|limit| limit.holds / limit.cost).min();
        prop_assert_eq!(Some(admitted), room);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn no_worker_keeps_out_whom_the_buckets_have_room_for(
        all in prop::collection::vec(limit(), 3),
        ours in prop::collection::vec(sent(), 1..25),
        others in prop::collection::vec(prop::option::of(sent()), 0..60),
    ) {
        let workers = workers(&all, others);
        for one in &ours {
            workers.send(*one);
        }
        let admitted = workers.admitted.borrow().clone();
        for posts in [true, false] {
            for key in 0..3u8 {
                let room = all.iter().filter(|limit| posts || !limit.posts).all(|limit| {
                    let taken = admitted.iter().filter(|((p, own), _)| {
                        (*p || !limit.posts) && (!limit.by_header || *own == key)
                    });
                    taken.map(|(_, times)| times * limit.cost).sum::<u32>() + limit.cost <= limit.holds
                });
                if !room { continue; }
                workers.others.borrow_mut().clear();
                for at in 0..=DEPTH {
                    // Judged over a copy: nothing is written.
                    let ok = {
                        let head = head((posts, key));
                        let mut exchange = workers.policies.get(at).map(|one| one.begin()).unwrap_or_else(|| panic!("no worker"));
                        let copy = Copy(&workers.store, RefCell::default());
                        matches!(exchange.on_request_head(&RequestHead::new(&head), &copy), Decision::Continue(_))
                    };
                    prop_assert!(ok, "worker {} posts {} key {}", at, posts, key);
                }
            }
        }
    }
}

struct Copy<'a>(&'a LocalStore, RefCell<BTreeMap<Vec<u8>, Versioned>>);
impl Store for Copy<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Versioned>, Unavailable> {
        match self.1.borrow().get(key) {
            Some(v) => Ok(Some(v.clone())),
            None => self.0.get(key),
        }
    }
    fn set(&self, key: &[u8], value: &[u8], version: Option<u32>) -> Result<bool, Unavailable> {
        let version = version.unwrap_or(0) + 1;
        self.1.borrow_mut().insert(
            key.to_vec(),
            Versioned {
                value: value.to_vec(),
                version,
            },
        );
        Ok(true)
    }
}
impl Ambient for Copy<'_> {
    fn source(&self) -> Option<Vec<u8>> {
        Some(b"203.0.113.7:4711".to_vec())
    }
    fn fresh_id(&self) -> u128 {
        0
    }
    fn now(&self) -> u64 {
        // What a worker knows is believed for a second.
        7 + SECOND
    }
    fn store(&self) -> &dyn Store {
        self
    }
}
