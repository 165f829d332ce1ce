//! Rate limits: how often, over state that all workers of a gateway share.
//!
//! All limits that apply to a request are judged before any is charged, and all are charged only if every one in
//! `enforce` has room. Each charge replaces one value of a fixed table, and only if nobody has in the meantime.

mod algorithm;
mod charge;
mod denied;
mod fields;
mod judge;
mod key;
mod standing;
mod table;

use std::num::NonZeroU32;

use portcullis_config::{Config, Diagnostics, KeyPart, Mode, RateLimit, RateLimitHeaders, code};

use self::algorithm::Algorithm;
pub use self::charge::Contention;
use self::denied::Denied;
pub(crate) use self::fields::edits;
use self::key::identity;
pub(crate) use self::key::{Asker, Seed};
pub(crate) use self::standing::Standing;
use self::table::Table;
use super::client::Caller;
use super::exempt::Exemption;
use crate::message::RequestHead;
use crate::route::lists;
use crate::store::{Store, Unavailable};

/// Buckets of a limit that does not say how many.
const CAPACITY: u32 = 131_072;
/// What all tables may take in a host's memory together.
const MEMORY: u64 = 64 << 20;
const SECOND: u64 = 1_000_000_000;

/// The limits of a policy, and the tables that they count in.
#[derive(Debug)]
pub(crate) struct Limits {
    limits: Vec<Limit>,
    tables: Vec<Table>,
    /// For every request, in the file's order.
    pub(crate) shared: Vec<Applied>,
    style: RateLimitHeaders,
    prefixes: (u8, u8),
    seed: Seed,
    denied: Denied,
}

/// A limit where it applies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Applied {
    /// Its place in the list of limits.
    at: usize,
    mode: Mode,
}

impl Applied {
    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }
}

/// One limit.
#[derive(Debug)]
struct Limit {
    name: String,
    /// Of its buckets: policy, name, algorithm and key.
    identity: u64,
    algorithm: Algorithm,
    /// The item of `RateLimit-Policy`. Names are `[a-z0-9_-]`, so as strings of structured fields (RFC 9651 section 3.3.3)
    /// they need no escaping.
    announced: String,
    cost: NonZeroU32,
    key: Vec<KeyPart>,
    methods: Option<Vec<String>>,
    exempt: Exemption,
    table: usize,
    ban: Option<Ban>,
}

/// So many refusals in a time shut a key out for another; times in nanoseconds.
#[derive(Clone, Copy, Debug)]
struct Ban {
    after: NonZeroU32,
    within: u64,
    lasting: u64,
    /// Where refusals are counted.
    table: usize,
}

/// What opening the tables came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// How many tables there are.
    pub tables: usize,
    /// How many buckets they hold.
    pub buckets: u64,
    /// What they take in the host's memory, in bytes.
    pub bytes: u64,
}

/// Everything that rate limits of a policy are made into.
pub(crate) struct Compiled {
    pub(crate) limits: Limits,
    /// A route's own, by its place in the list of routes.
    pub(crate) routes: Vec<Vec<Applied>>,
}

/// Compiles the limits; `None` if there are none.
pub(crate) fn compile(config: &Config, diagnostics: &mut Diagnostics) -> Option<Compiled> {
    let mut draft = Draft {
        config,
        limits: Vec::new(),
        tables: Vec::new(),
        told: Vec::new(),
    };
    let shared = config.rate_limits.iter().flatten();
    let shared = shared
        .filter_map(|limit| draft.add(limit, config.mode, false))
        .collect();
    let routes: Vec<Vec<Applied>> = config
        .routes
        .iter()
        .map(|route| {
            let outer = route.mode.capped_by(config.mode);
            let limits = route.rate_limits.iter();
            limits
                .filter_map(|limit| draft.add(limit, outer, true))
                .collect()
        })
        .collect();
    draft.refuse_too_much(diagnostics);
    if draft.limits.is_empty() {
        return None;
    }
    let client = &config.client;
    Some(Compiled {
        limits: Limits {
            limits: draft.limits,
            tables: draft.tables,
            shared,
            style: config.rate_limit_headers.unwrap_or_default(),
            prefixes: (client.ipv4_prefix, client.ipv6_prefix),
            seed: Seed::default(),
            denied: Denied::default(),
        },
        routes,
    })
}

struct Draft<'c> {
    config: &'c Config,
    limits: Vec<Limit>,
    tables: Vec<Table>,
    /// What each table is for.
    told: Vec<String>,
}

impl Draft<'_> {
    /// `None` if the limit is off.
    fn add(&mut self, limit: &RateLimit, outer: Mode, on_route: bool) -> Option<Applied> {
        let mode = limit.mode.capped_by(outer);
        if mode == Mode::Off {
            return None;
        }
        // The same definition on several routes is one limit.
        let at = self.limits.iter().position(|one| one.name == limit.name);
        let at = at.unwrap_or_else(|| {
            let compiled = self.compile(limit, on_route);
            self.limits.push(compiled);
            self.limits.len() - 1
        });
        Some(Applied { at, mode })
    }

    fn compile(&mut self, limit: &RateLimit, on_route: bool) -> Limit {
        let policy = self.config.name.as_str();
        let burst = NonZeroU32::new(limit.burst.unwrap_or(limit.quota.count));
        let window = u64::from(limit.quota.seconds) * SECOND;
        let (kind, algorithm) = match limit.algorithm {
            portcullis_config::Algorithm::Gcra => {
                let algorithm = Algorithm::Gcra {
                    // Rounded up: never more than the quota.
                    period: window.div_ceil(limit.quota.count.max(1).into()),
                    burst: burst.unwrap_or(NonZeroU32::MIN),
                };
                ("gcra", algorithm)
            }
            portcullis_config::Algorithm::FixedWindow => {
                let algorithm = Algorithm::Window {
                    count: limit.quota.count,
                    length: window,
                };
                ("fixed-window", algorithm)
            }
        };
        let key = format!("{:?}", limit.key);
        let (table_of, capacity) = match (limit.capacity, limit.key.as_slice()) {
            (Some(capacity), _) => (limit.name.as_str(), capacity),
            (None, [KeyPart::All]) => (limit.name.as_str(), 1),
            (None, [KeyPart::Route]) => {
                let routes = u32::try_from(self.config.routes.len()).unwrap_or(u32::MAX);
                (limit.name.as_str(), routes.saturating_add(1))
            }
            // No limit has such a name. Windows make room by their counts, so they are among themselves.
            (None, _) if on_route && kind != "gcra" => ("routes' windows", CAPACITY),
            (None, _) if on_route => ("routes'", CAPACITY),
            (None, _) => (limit.name.as_str(), CAPACITY),
        };
        let table = self.table(table_of, capacity);
        let ban = limit.ban.map(|ban| Ban {
            after: NonZeroU32::new(ban.after).unwrap_or(NonZeroU32::MIN),
            within: ban.within_ms * 1_000_000,
            lasting: ban.for_ms * 1_000_000,
            table: self.table(&format!("{table_of} refusals"), capacity),
        });
        Limit {
            identity: identity(&[policy, &limit.name, kind, &key]),
            name: limit.name.clone(),
            algorithm,
            announced: format!(
                "\"{}\";q={};w={}",
                limit.name, limit.quota.count, limit.quota.seconds
            ),
            cost: NonZeroU32::new(limit.cost).unwrap_or(NonZeroU32::MIN),
            key: limit.key.clone(),
            methods: limit.methods.clone(),
            exempt: Exemption::compile(&limit.exempt),
            table,
            ban,
        }
    }

    fn table(&mut self, of: &str, capacity: u32) -> usize {
        let parts = [self.config.name.as_str(), of, &capacity.to_string()];
        let table = Table::new(identity(&parts), capacity);
        let at = self.tables.iter().position(|one| *one == table);
        at.unwrap_or_else(|| {
            let mebibytes = table.bytes() as f64 / f64::from(1 << 20);
            self.told.push(format!("`{of}` {mebibytes:.1} MiB"));
            self.tables.push(table);
            self.tables.len() - 1
        })
    }

    fn refuse_too_much(&self, diagnostics: &mut Diagnostics) {
        let bytes: u64 = self.tables.iter().map(Table::bytes).sum();
        if bytes > MEMORY {
            diagnostics.error(
                code::RATE_LIMIT_MEMORY,
                match self.config.rate_limits {
                    Some(_) => "/rate_limits",
                    None => "/routes",
                },
                format!(
                    "the tables take {} MiB, and 64 is all they may",
                    bytes >> 20
                ),
                Some(format!("lower `capacity`: {}", self.told.join(", "))),
            );
        }
    }
}

impl Limits {
    /// Creates the tables, and agrees with the other workers on the seed; `fresh` is 16 random bytes.
    ///
    /// # Errors
    /// If the store does not work.
    pub(crate) fn open(&mut self, store: &dyn Store, fresh: u128) -> Result<Opened, Unavailable> {
        const SEED: &[u8] = b"pc/seed";
        // Whoever is faster decides; the second look sees it.
        store.set(SEED, &fresh.to_le_bytes(), None)?;
        let agreed = store.get(SEED)?.and_then(|found| {
            let (low, high) = found.value.split_first_chunk::<8>()?;
            let high: [u8; 8] = high.try_into().ok()?;
            Some(Seed(u64::from_le_bytes(*low), u64::from_le_bytes(high)))
        });
        // A seed that cannot be read is one that nobody else has: counted is then by worker, and not without one.
        self.seed = agreed.unwrap_or(Seed(fresh as u64, (fresh >> 64) as u64));
        for table in &self.tables {
            table.create(store)?;
        }
        Ok(Opened {
            tables: self.tables.len(),
            buckets: self
                .tables
                .iter()
                .map(|table| u64::from(table.capacity()))
                .sum(),
            bytes: self.tables.iter().map(Table::bytes).sum(),
        })
    }

    /// Whether a key is made of the host.
    pub(crate) fn read_host(&self) -> bool {
        let keys = self.limits.iter().map(|limit| &limit.key);
        keys.flatten().any(|part| *part == KeyPart::Host)
    }

    pub(crate) fn prefixes(&self) -> (u8, u8) {
        self.prefixes
    }

    /// The strictest mode of the limits that apply to a request.
    pub(crate) fn mode(&self, own: &[Applied], method: &[u8], asker: &Asker<'_, '_>) -> Mode {
        let all = self.shared.iter().chain(own).filter(|applied| {
            let limit = self.limits.get(applied.at);
            limit.is_some_and(|limit| self.applies(limit, asker.head, method, asker.caller))
        });
        all.map(Applied::mode).max().unwrap_or(Mode::Enforce)
    }

    /// Whether a limit applies.
    fn applies(
        &self,
        limit: &Limit,
        head: &RequestHead<'_>,
        method: &[u8],
        caller: &Caller,
    ) -> bool {
        let listed = limit
            .methods
            .as_ref()
            .is_none_or(|methods| methods.iter().any(|one| lists(one.as_bytes(), method)));
        listed && !limit.exempt.covers_path(head.path()) && !limit.exempt.covers_client(caller)
    }
}
