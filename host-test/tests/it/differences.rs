//! The corpus with the habits of other gateways than Envoy, and the README's table of what these cannot do.

use std::path::Path;

use portcullis_host_test::profile::Profile;
use portcullis_host_test::scenario::corpus::Difference;
use portcullis_host_test::scenario::target::Runner;

use crate::scenarios::{corpus, in_wasm_as};

/// What the table stands between.
const BEGIN: &str = "<!-- differences: made of host-test/scenarios/differences.yaml -->\n";
const END: &str = "<!-- end of differences -->\n";

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

/// A row for each class of differences, a column for each gateway: why, and how many scenarios show it.
fn table() -> String {
    let differences = corpus().differences;
    let mut classes: Vec<&str> = Vec::new();
    for class in differences.iter().filter_map(|it| it.class.as_deref()) {
        if !classes.contains(&class) {
            classes.push(class);
        }
    }
    let cell = |class: &str, runner: Runner| {
        let of_cell = |it: &&Difference| it.class.as_deref() == Some(class) && it.runner == runner;
        let cell: Vec<&Difference> = differences.iter().filter(of_cell).collect();
        let Some(first) = cell.first() else {
            return "as in Envoy".to_owned();
        };
        assert!(
            cell.iter().all(|other| other.reason == first.reason),
            "two reasons for {class}"
        );
        format!("{} ({})", first.reason, cell.len())
    };
    let mut table = "| differs from Envoy | Kong 3.4 to 3.9 | APISIX |\n|---|---|---|\n".to_owned();
    for class in classes {
        let (kong, apisix) = (cell(class, Runner::Kong), cell(class, Runner::Apisix));
        table += &format!("| {class} | {kong} | {apisix} |\n");
    }
    table
}

#[test]
fn every_difference_of_these_gateways_has_a_class() {
    for known in corpus().differences {
        let classed = matches!(known.runner, Runner::Kong | Runner::Apisix);
        assert_eq!(known.class.is_some(), classed, "{}", known.scenario);
    }
}

/// `PORTCULLIS_BLESS=1` writes it anew.
#[test]
fn the_readme_has_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("where the table begins");
    let (shown, after) = rest.split_once(END).expect("where the table ends");
    let table = table();
    if std::env::var_os("PORTCULLIS_BLESS").is_some() {
        std::fs::write(&path, [before, BEGIN, &table, END, after].concat()).unwrap();
        return;
    }
    assert_eq!(shown, table, "PORTCULLIS_BLESS=1 writes it anew");
}
