//! What hostile CORS traffic makes the engine allocate, counted: memory is where a small request can become a large one.

#![expect(
    clippy::panic,
    reason = "shared with the benches: a policy that is refused is a mistake here"
)]

mod hostile;
mod traffic;

use allocation_counter::{AllocationInfo, measure};
use hostile::{ALL, Hostile, STEPS};
use portcullis_policy::{Decision, RequestHead, ResponseHead};
use traffic::{Gateway, borrowed, compiled};

/// What the engine allocates for one exchange: on the request, and on the response if there is one.
fn cost(kind: &Hostile, size: usize) -> (AllocationInfo, AllocationInfo) {
    let traffic = (kind.make)(size);
    let policy = compiled(&traffic.policy);
    let (request, response) = (borrowed(&traffic.request), borrowed(&traffic.response));
    let mut exchange = policy.begin();
    let mut status = None;
    let on_request = measure(|| {
        let decision = exchange.on_request_head(&RequestHead::new(&request), &Gateway);
        if let Decision::Reply(reply) = decision {
            status = Some(reply.status);
        }
    });
    assert_eq!(status, kind.status, "{size} {}", kind.name);
    let on_response = measure(|| {
        exchange.on_response_head(&ResponseHead::new(&response), &Gateway);
    });
    (on_request, on_response)
}

fn with_status(status: Option<u16>) -> impl Iterator<Item = Hostile> {
    let kinds = ALL.into_iter().filter(move |kind| kind.status == status);
    let mut kinds = kinds.peekable();
    assert!(kinds.peek().is_some(), "nothing has status {status:?}");
    kinds
}

#[test]
fn a_refusal_costs_the_same_however_large_the_request() {
    for kind in with_status(Some(403)) {
        let [one, two, four] = STEPS.map(|step| cost(&kind, kind.most / 4 * step).0);
        assert_eq!(one, two, "{}", kind.name);
        assert_eq!(one, four, "{}", kind.name);
        assert!(four.bytes_total < 2560, "{}: {four:?}", kind.name);
    }
}

#[test]
fn names_are_granted_without_an_allocation_each() {
    for kind in with_status(Some(204)) {
        let (one, _) = cost(&kind, 1);
        let (all, _) = cost(&kind, kind.most);
        // Joining lines takes a byte more than they have, so that the one buffer may grow once.
        assert!(
            all.count_total <= one.count_total + 1,
            "{}: {one:?} {all:?}",
            kind.name
        );
        // The names themselves are 4096 bytes.
        assert!(all.bytes_max < 4 * 4096, "{}: {all:?}", kind.name);
    }
}

#[test]
fn a_response_costs_in_proportion_to_its_size() {
    for kind in with_status(None) {
        let [one, two, four] = STEPS.map(|step| cost(&kind, kind.most / 4 * step));
        assert_eq!(one.0, four.0, "{}, on the request", kind.name);
        let (one, two, four) = (one.1, two.1, four.1);
        for (times, more) in [(2, two), (4, four)] {
            assert!(
                more.bytes_total <= times * one.bytes_total + 1024,
                "{}: {one:?}, {times} times that {more:?}",
                kind.name
            );
        }
        // A vector that grows doubles.
        assert!(
            four.count_total <= one.count_total + 2,
            "{}: {four:?}",
            kind.name
        );
    }
}
