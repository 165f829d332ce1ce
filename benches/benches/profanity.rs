//! What looking for profanity costs, in the filter and in those of other people: a player's name, a comment, a large text, and the
//! letter that would be slow in a filter whose time grows with the square.

mod best;
#[expect(dead_code, reason = "nothing is masked here")]
#[path = "../profanity/engines.rs"]
mod engines;

use std::hint::black_box;

use best::measure;

const NAME: &str = "SwiftPenguin_of_2031";
const SENTENCES: &str = "The new map is great, but the third assassin mission still drops frames on my machine. \
    I passed the class exam at last and had a grapefruit cocktail in Essex, so excuse the late answer! \
    Has anyone else tried to assemble the cockpit before the basement door closes? ";

/// Clean texts, so that nobody may stop at the first match.
fn texts() -> [(&'static str, String); 4] {
    let long = |bytes: usize| SENTENCES.chars().cycle().take(bytes).collect();
    [
        ("name, 20 B", NAME.to_owned()),
        ("comment, 500 B", long(500)),
        ("text, 64 KiB", long(64 << 10)),
        ("a, 1 MiB", "a".repeat(1 << 20)),
    ]
}

fn main() {
    let mut criterion = best::criterion();
    let mut rows = Vec::new();
    for mut engine in engines::all() {
        let times = texts().map(|(text, bytes)| {
            let label = format!("{}: {text}", engine.name());
            measure(&mut criterion, &label, || engine.flags(black_box(&bytes)))
        });
        rows.push((engine.name(), times));
    }
    println!();
    print!("{:<22}", "µs");
    for (text, _) in texts() {
        print!("{text:>16}");
    }
    println!();
    for (engine, times) in rows {
        print!("{engine:<22}");
        for nanoseconds in times {
            print!("{:>16.2}", nanoseconds / 1e3);
        }
        println!();
    }
}
