//! Workers that read the clock, and are then held up before they read the store: their time is behind that of others.

use super::{Clocked, SECOND, limits};

const MILLISECOND: u64 = SECOND / 1000;

#[test]
fn who_is_held_up_gives_nothing_away() {
    let check = |text: &str, full: usize| {
        // Each worker has a memory of denials of its own.
        let (ours, theirs) = (limits(text), limits(text));
        let clocked = Clocked::default();
        clocked.gateway.now.set(1000 * SECOND);
        assert_eq!(clocked.admitted(&ours, &[], full + 1), full, "{text}");
        // Another worker read the clock 5 ms earlier.
        clocked.gateway.now.set(1000 * SECOND - 5 * MILLISECOND);
        assert_eq!(clocked.admitted(&theirs, &[], 1), 0, "{text}");
        // A third sees what the two left behind.
        clocked.gateway.now.set(1000 * SECOND);
        let third = limits(text);
        assert_eq!(clocked.admitted(&third, &[], full), 0, "{text}");
    };
    check(r#"[{"name":"a","quota":"1000/1s","burst":100}]"#, 100);
    check(
        r#"[{"name":"a","quota":"1000/1s","algorithm":"fixed-window"}]"#,
        1000,
    );
}
