//! Workers that write at the same time: nothing is counted twice, and nothing is lost.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use portcullis_policy::{
    Ambient, Decision, Line, LocalStore, Policy, RequestHead, Store, Unavailable, Versioned,
};
use proptest::prelude::*;

use super::limits;

/// A store in which somebody else is faster, so many times, at chosen writes.
struct Raced {
    store: LocalStore,
    /// Before which writes another worker admits a request of its own.
    others: RefCell<Vec<bool>>,
    is_other: Cell<bool>,
    theirs: Cell<usize>,
    policy: Rc<Policy>,
}

impl Store for Raced {
    fn get(&self, key: &[u8]) -> Result<Option<Versioned>, Unavailable> {
        self.store.get(key)
    }

    fn set(&self, key: &[u8], value: &[u8], version: Option<u32>) -> Result<bool, Unavailable> {
        if !self.is_other.get() && self.others.borrow_mut().pop() == Some(true) {
            self.is_other.set(true);
            if admitted(self) {
                self.theirs.set(self.theirs.get() + 1);
            }
            self.is_other.set(false);
        }
        self.store.set(key, value, version)
    }
}

impl Ambient for Raced {
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

impl Raced {
    fn new(text: &str, others: Vec<bool>) -> Self {
        Self {
            store: LocalStore::default(),
            others: RefCell::new(others),
            is_other: Cell::new(false),
            theirs: Cell::new(0),
            policy: limits(text),
        }
    }
}

fn admitted(raced: &Raced) -> bool {
    let head: [Line<'_>; 2] = [(b":method", b"GET"), (b":path", b"/")];
    let mut exchange = raced.policy.begin();
    let decision = exchange.on_request_head(&RequestHead::new(&head), raced);
    matches!(decision, Decision::Continue(_))
}

proptest! {
    /// Whoever interleaves how, exactly the burst is admitted, of all limits together.
    #[test]
    fn exactly_the_burst_is_admitted(
        narrow in 1usize..20,
        wide in 1usize..20,
        algorithm in prop::sample::select(vec!["gcra", "fixed-window"]),
        others in prop::collection::vec(any::<bool>(), 0..60),
    ) {
        let text = format!(
            r#"[{{"name":"narrow","quota":"{narrow}/1h","algorithm":"{algorithm}"}},
                {{"name":"wide","quota":"{wide}/1h","algorithm":"{algorithm}","key":["all"]}}]"#
        );
        let raced = Raced::new(&text, others);
        let ours = (0..50).filter(|_| admitted(&raced)).count();
        prop_assert_eq!(ours + raced.theirs.get(), narrow.min(wide));
    }
}

#[test]
fn who_never_gets_a_word_in_is_refused_and_charged_nothing() {
    let raced = Raced::new(r#"[{"name":"a","quota":"1000/1h"}]"#, vec![true; 16]);
    assert!(!admitted(&raced), "sixteen others were faster");
    assert_eq!(raced.theirs.get(), 16);
    let rest = (0..1000).filter(|_| admitted(&raced)).count();
    assert_eq!(rest, 984);
}
