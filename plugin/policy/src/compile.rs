//! A policy file to a [`Policy`], or to everything that is wrong with it.

use std::rc::Rc;

use portcullis_config::{
    Config, Diagnostic, Diagnostics, Document, Mode, Route, Unmatched, code, read,
};

use siphasher::sip::SipHasher13;

use crate::policy::{Moded, Patched, Policy, RouteRules};
use crate::review::review;
use crate::route::RouteTable;
use crate::rule::client::ClientRule;
use crate::rule::cors::CorsRule;
use crate::rule::headers::HeadersRule;
use crate::rule::health::HealthRule;
use crate::rule::mask::{self, MaskRule};
use crate::rule::observe::ObserveRule;
use crate::rule::profanity::{self, ProfanityRule};
use crate::rule::rate_limit::{self, Limits};
use crate::rule::request::RequestRule;
use crate::rule::validate::{self, Inputs};

/// What became of a policy file.
#[derive(Debug)]
pub struct Verdict {
    /// The policy's name, if the file was legible that far.
    pub name: Option<String>,
    /// The policy; `None` if any diagnostic is an error.
    pub policy: Option<Policy>,
    /// Everything that was found, errors and warnings.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads and compiles a policy: JSON text, or the bytes of a `google.protobuf.Struct`. All that is wrong is found at
/// once, and no policy is built from a file with an error.
pub fn load(bytes: &[u8]) -> Verdict {
    let (config, mut diagnostics) = match Document::from_bytes(bytes) {
        Ok(document) => read(&document),
        Err(message) => {
            let mut diagnostics = Diagnostics::default();
            let help =
                "the filter reads JSON: `portcullis check` reads YAML and says where a mistake is";
            diagnostics.error(code::SYNTAX, "", message, Some(help.to_owned()));
            (None, diagnostics)
        }
    };
    let mut policy = config.as_ref().and_then(|config| {
        review(config, &mut diagnostics);
        let table = RouteTable::compile(&config.routes, &mut diagnostics);
        let limits = rate_limit::compile(config, &mut diagnostics);
        let profanities = profanity::compile(config, &mut diagnostics);
        let inputs = validate::compile(config, &profanities, &mut diagnostics);
        let rules = inputs.into_iter().zip(profanities);
        (!diagnostics.has_errors()).then(|| compile(config, table, limits, rules))
    });
    if let Some(policy) = &mut policy {
        policy.hash = format!("{:016x}", SipHasher13::new().hash(bytes));
    }
    // The default stands in for a name that is none; nobody gave the policy that.
    let named = !diagnostics.error_within("/name");
    Verdict {
        name: config.filter(|_| named).map(|config| config.name),
        policy,
        diagnostics: diagnostics.into_list(),
    }
}

fn compile(
    config: &Config,
    table: RouteTable,
    limits: Option<rate_limit::Compiled>,
    rules: impl Iterator<Item = (Inputs, Option<Moded<ProfanityRule>>)>,
) -> Policy {
    let (limits, mut own) = limits.map_or_else(Default::default, |compiled| {
        (Some(compiled.limits), compiled.routes)
    });
    own.resize(config.routes.len(), Vec::new());
    let request = config.request.as_ref().and_then(|request| {
        moded(request.mode.capped_by(config.mode), || {
            RequestRule::compile(request)
        })
    });
    let patched = patches(config);
    let routes: Vec<RouteRules> = config
        .routes
        .iter()
        .zip(own)
        .zip(rules)
        .map(|((route, limits), (inputs, profanity))| RouteRules {
            name: route.name.clone(),
            template: route.path.text.clone(),
            limits,
            inputs,
            profanity,
            methods: route.methods.clone().unwrap_or_default(),
            patched: patched(Some(route)),
        })
        .collect();
    let unrouted = patched(None);
    let refuses_unmatched = config.unmatched == Unmatched::Reject && config.mode != Mode::Off;
    let redirects = request
        .as_ref()
        .is_some_and(|moded| moded.rule.https.is_some());
    let reads_scheme = redirects
        || unrouted.reads_scheme()
        || routes.iter().any(|route| route.patched.reads_scheme());
    Policy {
        name: config.name.clone(),
        client: ClientRule::compile(&config.client),
        reads_host: request.as_ref().is_some_and(|r| r.rule.reads_host())
            || config.routes.iter().any(|route| route.hosts.is_some())
            || limits.as_ref().is_some_and(Limits::read_host),
        reads_scheme,
        request,
        unrouted,
        limits,
        table,
        routes,
        unmatched: refuses_unmatched.then_some(config.mode),
        errors: config.errors.format,
        mask: mask::mode(config).map(|mode| Moded {
            rule: MaskRule::compile(config),
            mode,
        }),
        health: config.health.as_ref().map(HealthRule::compile),
        hash: String::new(),
        observe: ObserveRule::compile(&config.observe.clone().unwrap_or_default()),
    }
}

/// The sections that routes may patch: what holds for a route, or for requests that none matches.
fn patches(config: &Config) -> impl Fn(Option<&Route>) -> Patched {
    let headers = section(
        config.headers.as_ref(),
        |route: &Route| route.headers.as_ref(),
        |headers| (headers.mode, HeadersRule::compile(headers)),
    );
    let cors = section(
        config.cors.as_ref(),
        |route: &Route| route.cors.as_ref(),
        |cors| (cors.mode, CorsRule::compile(cors)),
    );
    let top = config.mode;
    move |route| {
        let outer = route.map_or(top, |route| route.mode.capped_by(top));
        let headers = headers(route, outer).filter(|moded| moded.mode == Mode::Enforce);
        Patched {
            headers: headers.map(|moded| moded.rule),
            cors: cors(route, outer),
        }
    }
}

/// One such section, compiled once for all that share it.
fn section<C, R>(
    shared: Option<&C>,
    patch: impl Fn(&Route) -> Option<&C>,
    compile: impl Fn(&C) -> (Mode, R),
) -> impl Fn(Option<&Route>, Mode) -> Option<Moded<Rc<R>>> {
    let compile = move |section: &C| {
        let (mode, rule) = compile(section);
        (mode, Rc::new(rule))
    };
    let shared = shared.map(&compile);
    move |route, outer| {
        let own = route.and_then(&patch).map(&compile);
        let (mode, rule) = own.or_else(|| shared.clone())?;
        moded(mode.capped_by(outer), || rule)
    }
}

pub(crate) fn moded<T>(mode: Mode, compile: impl FnOnce() -> T) -> Option<Moded<T>> {
    (mode != Mode::Off).then(|| Moded {
        rule: compile(),
        mode,
    })
}
