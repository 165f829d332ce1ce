//! What looking for profanity costs: a body that is read, with and without a look at its one string.

use std::time::Instant;

use anyhow::Context;
use portcullis_host_test::message::Request;
use portcullis_host_test::module::Module;
use portcullis_host_test::vm::Vm;
use serde_json::{Value, json};

use crate::spread::{median, quantile};
use crate::{ROUNDS, ask, post, vm};

/// A name of 20 bytes, a comment of 500, and the most that looking at each shall cost, in µs.
fn texts() -> [(&'static str, String, f64, u32); 2] {
    let comment = "Played this with my sister all weekend, and the third round is where it gets good. The cards look \
                   lovely, even on the small screen; only the timer could be kinder to people who read slowly. We lost \
                   against two strangers from Finland, who said nothing at all and grinned (I think), and then won the \
                   next seven matches in a row! My only wish: let us choose who starts. Five stars, or four and a half \
                   if that is a thing here. See you in the league, Thursday at eight, table nine. Bring snacks. Ok?";
    [
        ("20 bytes", "Captain Marmalade 07".to_owned(), 0.5, 400),
        ("500 bytes", comment.chars().take(500).collect(), 6.0, 400),
    ]
}

struct Case {
    request: Request,
    vm: Vm,
    costs: Vec<f64>,
}

/// Shows it, beside what it shall cost at most.
pub(crate) fn words(module: &Module) -> anyhow::Result<()> {
    println!(
        "µs that a look for profanity adds in wasmtime, median of {ROUNDS} turns and of the lowest twentieths"
    );
    for (name, text, most, requests) in texts() {
        let body = json!({"text": text}).to_string();
        let reads = json!({"body": {"schema": true}});
        let mut cases = [json!({}), json!({"fields": ["/text"]})]
            .into_iter()
            .map(|profanity| {
                let policy = policy(&reads, &profanity);
                Ok(Case {
                    request: post("application/json", &body),
                    vm: vm(module, &policy).context(name)?,
                    costs: Vec::new(),
                })
            })
            .collect::<anyhow::Result<Vec<Case>>>()?;
        for round in 0..=ROUNDS {
            for case in &mut cases {
                let begun = Instant::now();
                for _ in 0..requests {
                    ask(&mut case.vm, &case.request, 200)?;
                }
                // The first is for warmth.
                if round > 0 {
                    let spent = begun.elapsed().as_secs_f64();
                    case.costs.push(spent * 1e6 / f64::from(requests));
                }
            }
        }
        if let [without, with] = cases.as_slice() {
            let pairs = with.costs.iter().zip(&without.costs);
            let added: Vec<f64> = pairs.map(|(with, without)| with - without).collect();
            let low = quantile(&with.costs, 0.05) - quantile(&without.costs, 0.05);
            println!(
                "  {name:<34}{:>10.2}{low:>10.2}   of {most}",
                median(&added)
            );
        }
    }
    println!();
    Ok(())
}

fn policy(validate: &Value, profanity: &Value) -> Value {
    json!({"version": 1, "routes": [{"name": "asked", "path": "/asked", "validate": validate, "profanity": profanity}]})
}
