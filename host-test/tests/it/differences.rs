//! The corpus with the habits of other gateways than Envoy.

use portcullis_host_test::profile::Profile;

use crate::scenarios::{corpus, in_wasm_as};

#[test]
fn the_corpus_holds_in_kong() {
    check(&Profile::KONG);
}

#[test]
fn the_corpus_holds_in_apisix() {
    check(&Profile::APISIX);
}

fn check(profile: &Profile) {
    let tally = in_wasm_as(profile, &corpus());
    println!("{tally}");
    tally
        .verdict()
        .unwrap_or_else(|complaints| panic!("{complaints}"));
}
