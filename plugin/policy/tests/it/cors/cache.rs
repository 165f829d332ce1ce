//! A cache between browser and gateway never turns one page's answer into another's.

use proptest::prelude::*;

use super::arbitrary::{plan_and_origins, upstream};
use super::fetch::{
    Answer, Lines, Wish, cross_origin, judge_preflight, judge_response, preflight, same_origin,
};
use super::{URL, cors, exchanged, value, varies_by};

/// A shared cache (RFC 9111 section 4.1) that keeps all it may, and OPTIONS too, which it may not: some do.
#[derive(Default)]
struct Cache {
    stored: Vec<(Lines, Answer)>,
}

impl Cache {
    fn answer(&mut self, request: &Lines, fresh: impl FnOnce() -> Answer) -> Answer {
        let hit = self.stored.iter().find(|(stored, answer)| {
            let same = |name: &str| all(stored, name) == all(request, name);
            let by = varies_by(answer);
            same(":method") && !by.contains(&"*".to_owned()) && by.iter().all(|name| same(name))
        });
        if let Some((_, answer)) = hit {
            return answer.clone();
        }
        let answer = fresh();
        if value(&answer, "cache-control").as_deref() != Some("no-store") {
            self.stored.push((request.clone(), answer.clone()));
        }
        answer
    }
}

fn all<'a>(lines: &'a Lines, wanted: &str) -> Vec<&'a [u8]> {
    let lines = lines.iter();
    lines
        .filter(|(name, _)| name.eq_ignore_ascii_case(wanted.as_bytes()))
        .map(|(_, value)| value.as_slice())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn a_stored_response_gives_every_page_its_own_verdict(
        (plan, origins) in plan_and_origins(2..=5), credentials in any::<bool>(), upstream in upstream(),
        own_at in 0usize..5,
    ) {
        let policy = cors(&plan.section().to_string());
        let mut cache = Cache::default();
        for (at, origin) in origins.iter().enumerate() {
            // An image, a link, the site's own page: stored, and nobody's verdict.
            if at == own_at {
                let lines = same_origin("GET", &URL, false);
                cache.answer(&lines, || exchanged(&policy, &upstream, &lines).answer);
            }
            let wish = wish(origin, "GET", &[], credentials);
            let lines = cross_origin(&wish, &URL);
            let answer = cache.answer(&lines, || exchanged(&policy, &upstream, &lines).answer);
            let verdict = judge_response(&wish, &answer);
            prop_assert_eq!(verdict.is_ok(), plan.permits(&wish), "{:?} of {:?}", verdict, origin);
        }
    }

    #[test]
    fn a_stored_preflight_gives_every_page_its_own_verdict(
        (plan, origins) in plan_and_origins(2..=5), credentials in any::<bool>(),
        methods in prop::collection::vec(prop::sample::select(vec!["PUT", "DELETE", "PATCH", "POST"]), 5),
        names in prop::collection::vec(prop::sample::select(vec!["x-api-key", "content-type", "x-other"]), 5),
    ) {
        let policy = cors(&plan.section().to_string());
        let upstream = super::upstream(&[]);
        let mut cache = Cache::default();
        for (origin, (method, name)) in origins.iter().zip(methods.into_iter().zip(names)) {
            let wish = wish(origin, method, &[name], credentials);
            let lines = preflight(&wish, &URL).unwrap();
            let answer = cache.answer(&lines, || exchanged(&policy, &upstream, &lines).answer);
            let verdict = judge_preflight(&wish, &answer);
            prop_assert_eq!(verdict.is_ok(), plan.permits(&wish), "{:?} of {:?}", verdict, origin);
        }
    }
}

fn wish(origin: &str, method: &str, headers: &[&str], credentials: bool) -> Wish {
    Wish {
        origin: origin.to_owned(),
        method: method.to_owned(),
        headers: headers.iter().map(|&name| name.to_owned()).collect(),
        credentials,
        upload: false,
    }
}
