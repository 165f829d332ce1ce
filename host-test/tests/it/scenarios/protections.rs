//! The proof that the corpus would notice: with each protection switched off, scenarios go red.

mod client;
mod cors;
mod headers;
mod limits;
mod modes;
mod operations;
mod profanity;
mod request;
mod validate;

use portcullis_host_test::module::Module;
use portcullis_host_test::scenario::run::{Verdict, run};
use serde_json::Value;

use super::{corpus, target};

/// One protection, how it is switched off, and scenarios that must notice.
struct Protection {
    name: &'static str,
    off: fn(&mut Value),
    noticed_by: &'static [&'static str],
}

fn section(
    policy: &mut Value,
    key: &str,
    change: impl FnOnce(&mut serde_json::Map<String, Value>),
) {
    if let Some(section) = policy.get_mut(key).and_then(Value::as_object_mut) {
        change(section);
    }
}

fn drop_key(policy: &mut Value, section_key: &str, key: &str) {
    section(policy, section_key, |section| {
        section.remove(key);
    });
}

fn routes(policy: &mut Value, change: impl Fn(&mut serde_json::Map<String, Value>)) {
    for route in policy
        .get_mut("routes")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        route.as_object_mut().map(&change);
    }
}

#[test]
fn with_each_protection_off_scenarios_go_red() {
    let corpus = corpus();
    let module = Module::embedded().unwrap();
    let protections = [
        modes::MODES,
        request::REQUEST,
        headers::HEADERS,
        cors::CORS,
        client::CLIENT,
        limits::LIMITS,
        validate::VALIDATE,
        profanity::PROFANITY,
        operations::OPERATIONS,
    ];
    for protection in protections.into_iter().flatten() {
        let mut red = Vec::new();
        for (name, scenario) in &corpus.scenarios {
            let mut weaker = scenario.clone();
            (protection.off)(&mut weaker.policy);
            if weaker.policy == scenario.policy {
                continue;
            }
            let mut target = target(&module, &weaker)
                .unwrap_or_else(|error| panic!("{name} without {}: {error:#}", protection.name));
            if run(&weaker, &mut target).verdict == Verdict::Failed {
                red.push(name.as_str());
            }
        }
        println!("{}: {} scenarios go red", protection.name, red.len());
        for name in protection.noticed_by {
            assert!(
                red.contains(name),
                "{name} does not notice that {} is off",
                protection.name
            );
        }
    }
}
