//! Host, method and path to a route.
//!
//! Hosts first (the exact one, then suffixes from the longest, then routes for any host), then the path segment by
//! segment (a literal before a template before a tail), then the method (a route that lists it before one that takes
//! all). A route that matches but for its method is passed over and remembered.

use std::collections::BTreeMap;

use portcullis_config::{Diagnostics, PathPattern, Route, Segment, Tail, code};

use crate::host::HostMap;
use crate::path::{decoded, next_segment};

/// What routing found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// The route's place in the list of routes.
    Route(usize),
    /// Host and path match; these routes take other methods.
    OtherMethods(Vec<usize>),
    /// Nothing.
    Nothing,
}

/// All routes, ready to be matched.
#[derive(Clone, Debug)]
pub(crate) struct RouteTable {
    hosts: HostMap<Node>,
    any_host: Node,
}

/// One step of a path. The tree is as deep as the longest pattern, so a request cannot make a search deep.
#[derive(Clone, Debug, Default)]
struct Node {
    /// Lower case, sorted.
    literals: Vec<(Box<[u8]>, Node)>,
    template: Option<Box<Node>>,
    /// Routes that end here.
    ends: Vec<End>,
    /// Routes whose tail begins here.
    tails: Vec<End>,
}

#[derive(Clone, Debug)]
struct End {
    /// `None` is all.
    methods: Option<Vec<Box<[u8]>>>,
    route: usize,
}

impl RouteTable {
    /// Builds the table. Routes that no request can tell apart are reported at the later one.
    pub(crate) fn compile(routes: &[Route], diagnostics: &mut Diagnostics) -> Self {
        refuse_twins(routes, diagnostics);
        let mut any_host = Node::default();
        let mut by_host = Vec::new();
        for (index, route) in routes.iter().enumerate() {
            match &route.hosts {
                None => any_host.insert(route, index),
                Some(hosts) => by_host.extend(hosts.iter().map(|host| (host.clone(), index))),
            }
        }
        let insert = |node: &mut Node, index: usize| {
            if let Some(route) = routes.get(index) {
                node.insert(route, index);
            }
        };
        Self {
            hosts: HostMap::new(by_host, Node::default, insert),
            any_host,
        }
    }

    /// Finds the route for a request. `host` is `None` if the request names none that is valid.
    pub(crate) fn find(&self, host: Option<&str>, target: &[u8], method: &[u8]) -> Lookup {
        let path = decoded(target);
        let mut passed_over = Vec::new();
        let nodes = host.into_iter().flat_map(|host| self.hosts.get(host));
        for node in nodes.chain([&self.any_host]) {
            if let Some(route) = node.find(&path, method, &mut passed_over) {
                return Lookup::Route(route);
            }
        }
        if passed_over.is_empty() {
            Lookup::Nothing
        } else {
            Lookup::OtherMethods(passed_over)
        }
    }
}

impl Node {
    fn insert(&mut self, route: &Route, index: usize) {
        let mut node = self;
        for segment in &route.path.segments {
            node = match segment {
                Segment::Template(_) => node.template.get_or_insert_default(),
                Segment::Literal(text) => node.literal(text.to_ascii_lowercase().into_bytes()),
            };
        }
        let list = match route.path.tail {
            Tail::None => &mut node.ends,
            Tail::Any => &mut node.tails,
        };
        let methods = route.methods.as_ref().map(|methods| {
            let bytes = methods.iter().map(|m| m.clone().into_bytes().into());
            bytes.collect()
        });
        // Those that list the method come first; the order of the file otherwise stays.
        let at = match methods {
            Some(_) => list.partition_point(|end| end.methods.is_some()),
            None => list.len(),
        };
        list.insert(
            at,
            End {
                methods,
                route: index,
            },
        );
    }

    fn literal(&mut self, key: Vec<u8>) -> &mut Self {
        let at = match self
            .literals
            .binary_search_by(|(other, _)| (**other).cmp(&key))
        {
            Ok(at) => at,
            Err(at) => {
                self.literals.insert(at, (key.into(), Self::default()));
                at
            }
        };
        #[expect(
            clippy::indexing_slicing,
            reason = "`at` was found or inserted just now"
        )]
        &mut self.literals[at].1
    }

    /// Walks the tree; each of its nodes is visited at most once, whatever the path.
    fn find(&self, path: &[u8], method: &[u8], passed_over: &mut Vec<usize>) -> Option<usize> {
        let Some((segment, rest)) = next_segment(path) else {
            return choose(&self.ends, method, passed_over);
        };
        let lower = |key: &[u8]| {
            let written = segment.iter().map(u8::to_ascii_lowercase);
            key.iter().copied().cmp(written)
        };
        let literal = self
            .literals
            .binary_search_by(|(key, _)| lower(key))
            .ok()
            .and_then(|at| self.literals.get(at));
        literal
            .and_then(|(_, node)| node.find(rest, method, passed_over))
            .or_else(|| {
                let node = self.template.as_ref()?;
                node.find(rest, method, passed_over)
            })
            .or_else(|| choose(&self.tails, method, passed_over))
    }
}

fn choose(ends: &[End], method: &[u8], passed_over: &mut Vec<usize>) -> Option<usize> {
    let takes = |end: &&End| {
        end.methods
            .as_ref()
            .is_none_or(|listed| listed.iter().any(|one| lists(one, method)))
    };
    let found = ends.iter().find(takes).map(|end| end.route);
    if found.is_none() {
        passed_over.extend(ends.iter().map(|end| end.route));
    }
    found
}

/// Whether a listed method lets in a request's. HEAD is GET without the body (RFC 9110 section 9.3.2).
pub(crate) fn lists(listed: &[u8], method: &[u8]) -> bool {
    listed == method || (listed == b"GET" && method == b"HEAD")
}

/// The value of `Allow` for these routes: the union of their methods, HEAD where GET is.
pub(crate) fn allow(routes: impl Iterator<Item = impl AsRef<[String]>>) -> String {
    let mut union: Vec<String> = Vec::new();
    for methods in routes {
        for method in methods.as_ref() {
            if !union.contains(method) {
                union.push(method.clone());
            }
        }
    }
    let get = union.iter().position(|method| method == "GET");
    if let Some(at) = get.filter(|_| !union.iter().any(|method| method == "HEAD")) {
        union.insert(at + 1, "HEAD".to_owned());
    }
    union.join(", ")
}

/// Reports routes that differ only in what matching ignores.
fn refuse_twins(routes: &[Route], diagnostics: &mut Diagnostics) {
    let mut seen: BTreeMap<Key, &Route> = BTreeMap::new();
    for route in routes {
        let twin = keys(route).find_map(|key| match seen.get(&key) {
            Some(other) => Some(*other),
            None => {
                seen.insert(key, route);
                None
            }
        });
        // A route may name a host or a method that it shares with itself, never with another.
        if let Some(other) = twin.filter(|other| other.index != route.index) {
            diagnostics.error(
                code::ROUTE_AMBIGUOUS,
                format!("/routes/{}", route.index),
                format!(
                    "no request can tell route `{}` from route `{}`",
                    route.name, other.name
                ),
                Some("let them differ in path, host or method: letter case and the names of templates do not count".to_owned()),
            );
        }
    }
}

/// Host, shape of the path, method: what makes a route this one for matching.
type Key = (Option<String>, String, Option<String>);

fn keys(route: &Route) -> impl Iterator<Item = Key> {
    let shape = shape(&route.path);
    let hosts: Vec<Option<String>> = match &route.hosts {
        None => vec![None],
        Some(hosts) => hosts.iter().map(|host| Some(format!("{host:?}"))).collect(),
    };
    let methods: Vec<Option<String>> = match &route.methods {
        None => vec![None],
        Some(methods) => methods.iter().cloned().map(Some).collect(),
    };
    hosts.into_iter().flat_map(move |host| {
        let shape = shape.clone();
        let methods = methods.clone();
        methods
            .into_iter()
            .map(move |method| (host.clone(), shape.clone(), method))
    })
}

fn shape(path: &PathPattern) -> String {
    let mut shape = String::new();
    for segment in &path.segments {
        shape.push('/');
        match segment {
            Segment::Literal(text) => shape.push_str(&text.to_ascii_lowercase()),
            // Neither byte can stand in a literal.
            Segment::Template(_) => shape.push_str("{}"),
        }
    }
    if path.tail == Tail::Any {
        shape.push_str("/*");
    }
    shape
}
