//! What clients are told, read back as the draft writes it: lists of strings with integers for parameters
//! (draft-ietf-httpapi-ratelimit-headers-10 sections 3 and 4, RFC 9651).

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use sfv::{BareItem, List, ListEntry, Parser};

use super::{Clocked, Outcome, SECOND, policy};

/// A member of a list: a name, and its parameters.
type Member = (String, BTreeMap<String, i64>);

/// The members of a list: each name with its parameters, all of which are integers.
fn members(value: &str) -> Result<Vec<Member>, String> {
    let list: List = Parser::new(value)
        .parse()
        .map_err(|error| format!("{value}: {error}"))?;
    let members = list.into_iter().map(|entry| {
        let ListEntry::Item(item) = entry else {
            return Err(format!("{value}: an inner list"));
        };
        let BareItem::String(name) = item.bare_item else {
            return Err(format!("{value}: a name that is no string"));
        };
        let parameters = item.params.into_iter().map(|(key, value)| match value {
            BareItem::Integer(number) => Ok((key.to_string(), number.into())),
            other => Err(format!("{key} is {other:?}")),
        });
        let parameters: Result<BTreeMap<String, i64>, String> = parameters.collect();
        Ok((name.to_string(), parameters?))
    });
    members.collect()
}

/// A limit of a policy.
#[derive(Clone, Debug)]
struct Limit {
    name: String,
    count: u32,
    seconds: u32,
    burst: Option<u32>,
    cost: u32,
    mode: &'static str,
    ban: bool,
}

impl Limit {
    fn burst(&self) -> u32 {
        self.burst.unwrap_or(self.count)
    }

    fn text(&self) -> String {
        let Self {
            name,
            count,
            seconds,
            cost,
            mode,
            ..
        } = self;
        let kind = match self.burst {
            Some(burst) => format!(r#""burst":{burst}"#),
            None => r#""algorithm":"fixed-window""#.to_owned(),
        };
        let ban = match self.ban {
            true => r#","ban":{"after":2,"within":"1m","for":"30d"}"#,
            false => "",
        };
        format!(
            r#"{{"name":"{name}","quota":"{count}/{seconds}s","cost":{cost},"mode":"{mode}",{kind}{ban}}}"#
        )
    }
}

fn limit() -> impl Strategy<Value = Limit> {
    let count = prop_oneof![4 => 1u32..9, 1 => 1u32..=1_000_000_000];
    let seconds = prop_oneof![4 => 1u32..60, 1 => 1u32..=2_592_000];
    let burst = prop::option::of(prop_oneof![4 => 1u32..9, 1 => 1u32..1700]);
    let mode = prop::sample::select(vec!["enforce", "enforce", "enforce", "report", "off"]);
    (
        "[a-z0-9_-]{1,32}",
        count,
        seconds,
        burst,
        1u32..4,
        mode,
        prop::bool::weighted(0.2),
    )
        .prop_map(|(name, count, seconds, burst, cost, mode, ban)| {
            let cost = cost.min(burst.unwrap_or(count));
            Limit {
                name,
                count,
                seconds,
                burst,
                cost,
                mode,
                ban,
            }
        })
}

fn check(outcome: &Outcome, limits: &[Limit]) -> Result<(), TestCaseError> {
    let enforced: Vec<&Limit> = limits.iter().filter(|one| one.mode == "enforce").collect();
    let header = |name: &str| outcome.headers.get(name);
    if enforced.is_empty() {
        prop_assert_eq!(header("ratelimit"), None);
        prop_assert_eq!(header("ratelimit-policy"), None);
        prop_assert_eq!(outcome.status, 0);
        return Ok(());
    }
    let read = |name: &str| {
        let value = header(name).ok_or_else(|| TestCaseError::fail(format!("no {name}")))?;
        members(value).map_err(TestCaseError::fail)
    };
    let (policies, states) = (read("ratelimit-policy")?, read("ratelimit")?);
    let names =
        |list: &[Member]| -> Vec<String> { list.iter().map(|(name, _)| name.clone()).collect() };
    prop_assert_eq!(names(&policies), names(&states));
    let mut rest = enforced.iter();
    let mut seconds_of = BTreeMap::new();
    for ((name, policy), (_, state)) in policies.iter().zip(&states) {
        // In the file's order, and none that is only reported.
        let limit = rest.find(|one| one.name == *name);
        let limit = limit.ok_or_else(|| TestCaseError::fail(format!("{name} is out of place")))?;
        let expected = BTreeMap::from([
            ("q".to_owned(), i64::from(limit.count)),
            ("w".to_owned(), i64::from(limit.seconds)),
        ]);
        prop_assert_eq!(policy, &expected);
        let (left, reset) = (state.get("r").copied(), state.get("t").copied());
        prop_assert_eq!(state.len(), 2);
        prop_assert!(left.is_some_and(|r| (0..=i64::from(limit.burst())).contains(&r)));
        prop_assert!(reset.is_some_and(|t| t >= 0));
        // Whoever has used something is told when more comes.
        prop_assert!(left == Some(i64::from(limit.burst())) || reset > Some(0));
        seconds_of.insert(name.clone(), reset.unwrap_or(0));
    }
    // The other style says the same.
    let number = |name: &str| header(name).and_then(|value| value.parse::<u32>().ok());
    let all = [
        number("x-ratelimit-limit"),
        number("x-ratelimit-remaining"),
        number("x-ratelimit-reset"),
    ];
    prop_assert!(all.iter().all(Option::is_some), "{:?}", outcome.headers);
    prop_assert!(all[1] <= all[0]);
    if outcome.status == 0 {
        prop_assert_eq!(header("retry-after"), None);
        prop_assert_eq!(names(&policies).len(), enforced.len());
        return Ok(());
    }
    prop_assert_eq!(outcome.status, 429);
    let body: serde_json::Value = serde_json::from_str(&outcome.body).unwrap_or_default();
    let named = body.pointer("/violated-policies/0");
    let named = named
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default();
    let wait: i64 = header("retry-after")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    prop_assert!(wait >= 1);
    prop_assert!(
        Some(&wait) >= seconds_of.get(named),
        "{:?}",
        outcome.headers
    );
    prop_assert!(
        seconds_of.contains_key(named),
        "{named}: {:?}",
        outcome.headers
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_told_is_what_the_draft_says(
        mut limits in prop::collection::vec(limit(), 1..4),
        pauses in prop::collection::vec(prop_oneof![Just(0), 0..SECOND, 0..100 * SECOND], 1..40),
    ) {
        let mut seen = BTreeSet::new();
        limits.retain(|one| seen.insert(one.name.clone()));
        let text: Vec<String> = limits.iter().map(Limit::text).collect();
        let policy = policy(&format!(
            r#"{{"version":1,"rate_limit_headers":"both","rate_limits":[{}]}}"#,
            text.join(",")
        ));
        let here = Clocked::default();
        for pause in pauses {
            here.pass(pause);
            check(&here.send(&policy, &super::ROOT), &limits)?;
        }
    }
}

#[test]
fn a_reader_of_lists_refuses_what_is_none() {
    for wrong in [
        r#""a";r=1,"#,
        "a;r=1",
        r#""a";r=1.5"#,
        r#"("a");r=1"#,
        r#""a";r"#,
        "a b",
    ] {
        assert!(members(wrong).is_err(), "{wrong}");
    }
    let good = members(r#""a";r=1;t=2, "b";r=0;t=3"#).unwrap();
    assert_eq!(good.len(), 2);
}
