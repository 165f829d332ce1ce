//! What hostile bodies make the engine allocate, counted: a gateway's memory, once grown, stays.

#![expect(
    clippy::panic,
    reason = "shared with the benches: a policy that is refused is a mistake here"
)]

#[path = "../module/bodies.rs"]
#[expect(dead_code, reason = "only hostile bodies are judged here")]
mod bodies;
mod body;
mod hostile_bodies;
#[expect(dead_code, reason = "no response is judged here")]
mod traffic;

use allocation_counter::{AllocationInfo, measure};
use bodies::policy;
use body::ask;
use hostile_bodies::{ALL, Hostile, STEPS};
use traffic::{borrowed, compiled};

/// What the engine allocates for one request.
fn cost(kind: &Hostile, size: usize) -> AllocationInfo {
    let traffic = (kind.make)(size);
    let policy = compiled(&policy(&traffic.validate));
    let head = borrowed(&traffic.head);
    // The first makes what a pattern remembers.
    let outcome = ask(&policy, &head, &traffic.body);
    assert_eq!(outcome, kind.outcome, "{size} {}", kind.name);
    measure(|| {
        ask(&policy, &head, &traffic.body);
    })
}

#[test]
fn a_request_costs_in_proportion_to_its_size() {
    for kind in ALL {
        let [one, two, four] = STEPS.map(|step| cost(&kind, kind.most / 4 * step));
        for (times, more) in [(2, two), (4, four)] {
            // A vector that grows doubles, and what it grows from is counted too.
            assert!(
                more.bytes_total <= times * one.bytes_total * 3 / 2 + 4096,
                "{}: {one:?}, {times} times that {more:?}",
                kind.name
            );
            assert_eq!(more.bytes_current, 0, "{} leaks", kind.name);
        }
    }
}
