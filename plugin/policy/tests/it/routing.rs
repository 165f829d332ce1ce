//! Routing against the rule as it is written down.

use std::rc::Rc;

use portcullis_policy::{Edit, ResponseHead, load};
use proptest::prelude::*;

use super::{Seen, judged};

/// A route as the oracle sees it: host, segments, tail, methods.
type Plain = (
    Option<&'static str>,
    Vec<&'static str>,
    bool,
    Option<Vec<&'static str>>,
);

fn plain_route() -> impl Strategy<Value = Plain> {
    let host = prop::option::of(prop::sample::select(vec!["a.test", "*.test", "*.a.test"]));
    let segment = prop::sample::select(vec!["x", "y", "{t}"]);
    let segments = prop::collection::vec(segment, 0..4);
    let methods = prop::sample::subsequence(vec!["GET", "POST"], 1..=2);
    (host, segments, any::<bool>(), prop::option::of(methods)).prop_map(
        |(host, mut segments, tail, methods)| {
            // Each template has a name of its own.
            let templates = segments.iter_mut().filter(|s| s.starts_with('{'));
            for (segment, name) in templates.zip(["{t}", "{u}", "{v}"]) {
                *segment = name;
            }
            (host, segments, tail, methods)
        },
    )
}

/// How well a route matches, smaller is better; `None` if host or path do not.
fn rank(route: &Plain, host: &str, path: &[&str]) -> Option<(usize, Vec<u8>, bool)> {
    let (pattern, segments, tail, methods) = route;
    let host_rank = match pattern {
        None => usize::MAX,
        Some(exact) if *exact == host => 0,
        Some(pattern) => {
            let suffix = pattern.strip_prefix('*')?;
            host.strip_suffix(suffix)
                .filter(|front| !front.is_empty())?;
            usize::MAX - suffix.len()
        }
    };
    let long_enough = if *tail {
        path.len() > segments.len()
    } else {
        path.len() == segments.len()
    };
    let fits = segments
        .iter()
        .zip(path)
        .all(|(s, p)| s.starts_with('{') || s == p);
    let mut kinds: Vec<u8> = segments
        .iter()
        .map(|s| u8::from(s.starts_with('{')))
        .collect();
    kinds.push(if *tail { 2 } else { 0 });
    (long_enough && fits).then_some((host_rank, kinds, methods.is_none()))
}

proptest! {
    /// The tree of routes against the rule written down: host, then segment by segment, then method.
    #[test]
    fn the_route_is_the_one_that_the_rule_names(
        routes in prop::collection::vec(plain_route(), 1..8),
        path in prop::collection::vec(prop::sample::select(vec!["x", "y", "z"]), 0..4),
        host in prop::sample::select(vec!["a.test", "b.a.test", "b.test", "other"]),
        method in prop::sample::select(vec!["GET", "POST", "HEAD", "PUT"]),
    ) {
        let list: Vec<serde_json::Value> = routes
            .iter()
            .enumerate()
            .map(|(n, (host, segments, tail, methods))| {
                let tail = if *tail { "/*" } else { "" };
                let path = match format!("/{}{tail}", segments.join("/")).as_str() {
                    "//*" => "/*".to_owned(),
                    path => path.to_owned(),
                };
                let mut route = serde_json::json!({"name": format!("r{n}"), "path": path, "headers": {"set": {"x-route": format!("r{n}")}}});
                if let Some(host) = host {
                    route["hosts"] = serde_json::json!([host]);
                }
                if let Some(methods) = methods {
                    route["methods"] = serde_json::json!(methods);
                }
                route
            })
            .collect();
        let text = serde_json::json!({"version": 1, "routes": list, "unmatched": "reject"}).to_string();
        let verdict = load(text.as_bytes());
        // Routes that cannot be told apart are refused, as another test holds.
        prop_assume!(verdict.policy.is_some());
        let policy = Rc::new(verdict.policy.unwrap());

        let takes = |methods: &Option<Vec<&str>>| methods.as_ref().is_none_or(|listed| {
            listed.contains(&method) || (method == "HEAD" && listed.contains(&"GET"))
        });
        let mut matching: Vec<_> = routes
            .iter()
            .enumerate()
            .filter_map(|(n, route)| Some((rank(route, host, &path)?, n, takes(&route.3))))
            .collect();
        matching.sort();
        let best = matching.iter().find(|(_, _, takes)| *takes).map(|(_, n, _)| *n);

        let target = format!("/{}", path.join("/"));
        let head = [(":method", method), (":path", target.as_str()), (":authority", host)];
        let (seen, exchange) = judged(&policy, &head);
        match (best, seen) {
            (Some(n), Seen::Continue(_)) => {
                let edits = exchange.on_response_head(&ResponseHead::new(&[]), &crate::Gateway::default());
                let name = format!("r{n}").into_bytes();
                let is_route = |edit: &Edit<'_>| matches!(edit, Edit::Add(header, value) if **header == *b"x-route" && **value == *name);
                prop_assert!(edits.iter().any(is_route), "{n} of {text} for {head:?}: {edits:?}");
            }
            (None, Seen::Reply(reply)) => {
                let expected = if matching.is_empty() { 404 } else { 405 };
                prop_assert_eq!(reply.status, expected);
            }
            (best, seen) => prop_assert!(false, "{best:?} of {text} for {head:?}: {seen:?}"),
        }
    }
}
