//! Counters, gauges and histograms, by name over all VMs.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::lock;
use crate::abi::status::Status;
use crate::profile::{Metering, Profile};

/// Ids and recorded values that are kept at most. Envoy has no such bound.
const MAX_IDS: usize = 65_536;
const MAX_SAMPLES: usize = 4_096;

/// What a metric stands at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Only rises.
    Counter(u64),
    /// Rises and falls.
    Gauge(u64),
    /// The last values recorded, at most 4096, oldest first.
    Histogram(Vec<u64>),
}

/// The metrics of one process.
#[derive(Debug)]
pub struct Metrics {
    habits: Metering,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    names: Vec<String>,
    values: BTreeMap<String, Value>,
}

impl Metrics {
    pub(crate) fn new(profile: &Profile) -> Self {
        Self {
            habits: profile.metrics,
            inner: Mutex::default(),
        }
    }

    /// All metrics by name.
    pub fn all(&self) -> BTreeMap<String, Value> {
        lock(&self.inner).values.clone()
    }

    /// A counter's or gauge's value; `None` for a name that is not defined, or a histogram.
    pub fn number(&self, name: &str) -> Option<u64> {
        match lock(&self.inner).values.get(name)? {
            Value::Counter(value) | Value::Gauge(value) => Some(*value),
            Value::Histogram(_) => None,
        }
    }

    /// `kind` is the ABI's: 0 counter, 1 gauge, 2 histogram. An id is its kind in the two lowest bits and never below 4, as in
    /// Envoy.
    pub(crate) fn define(&self, kind: u32, name: &str) -> Result<u32, Status> {
        let value = match kind {
            0 => Value::Counter(0),
            1 => Value::Gauge(0),
            2 => Value::Histogram(Vec::new()),
            _ => return Err(Status::BadArgument),
        };
        let mut inner = lock(&self.inner);
        // A name keeps the kind it had first; the same name as another kind would be another metric in Envoy.
        let known = inner
            .values
            .entry(name.to_owned())
            .or_insert_with(|| value.clone());
        if std::mem::discriminant(known) != std::mem::discriminant(&value) {
            return Err(Status::BadArgument);
        }
        let before = if self.habits.ids_repeat {
            inner.names.iter().position(|other| other == name)
        } else {
            None
        };
        let index = before.unwrap_or(inner.names.len());
        if index >= MAX_IDS {
            return Err(Status::InternalFailure);
        }
        if before.is_none() {
            inner.names.push(name.to_owned());
        }
        u32::try_from(index)
            .map(|index| (index + 1) * 4 + kind)
            .map_err(|_| Status::InternalFailure)
    }

    /// A counter takes no offset below 1.
    pub(crate) fn increment(&self, id: u32, offset: i64) -> Result<(), Status> {
        if self.habits.misuse_traps && !id.is_multiple_of(4) {
            return Err(Status::BadArgument);
        }
        self.change(id, |value| match value {
            Value::Counter(count) if offset > 0 => {
                *count = count.saturating_add_signed(offset);
                Ok(())
            }
            Value::Gauge(level) => {
                *level = level.saturating_add_signed(offset);
                Ok(())
            }
            _ => Err(Status::BadArgument),
        })
    }

    /// Sets a gauge, adds to a counter (as Envoy does), adds a sample to a histogram.
    pub(crate) fn record(&self, id: u32, recorded: u64) -> Result<(), Status> {
        if self.habits.misuse_traps && id.is_multiple_of(4) {
            return Err(Status::BadArgument);
        }
        self.change(id, |value| {
            match value {
                Value::Counter(count) => *count = count.saturating_add(recorded),
                Value::Gauge(level) => *level = recorded,
                Value::Histogram(samples) => {
                    if samples.len() >= MAX_SAMPLES {
                        samples.remove(0);
                    }
                    samples.push(recorded);
                }
            }
            Ok(())
        })
    }

    pub(crate) fn get(&self, id: u32) -> Result<u64, Status> {
        self.change(id, |value| match value {
            Value::Counter(value) | Value::Gauge(value) => Ok(*value),
            Value::Histogram(_) => Err(Status::BadArgument),
        })
    }

    fn change<R>(
        &self,
        id: u32,
        change: impl FnOnce(&mut Value) -> Result<R, Status>,
    ) -> Result<R, Status> {
        let kind = id % 4;
        let mut guard = lock(&self.inner);
        let inner = &mut *guard;
        let name = usize::try_from(id / 4)
            .ok()
            .and_then(|place| place.checked_sub(1))
            .and_then(|index| inner.names.get(index));
        match name.and_then(|name| inner.values.get_mut(name)) {
            Some(value) if number_of(value) == kind => change(value),
            // Envoy looks the id up among those of its kind; no metric is of kind 3.
            _ if kind == 3 => Err(Status::BadArgument),
            _ => Err(Status::NotFound),
        }
    }
}

fn number_of(value: &Value) -> u32 {
    match value {
        Value::Counter(_) => 0,
        Value::Gauge(_) => 1,
        Value::Histogram(_) => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_answer_as_envoy_does() {
        let metrics = Metrics::new(&Profile::ENVOY);
        let counter = metrics.define(0, "requests").unwrap();
        let gauge = metrics.define(1, "open").unwrap();
        let histogram = metrics.define(2, "seconds").unwrap();
        let again = metrics.define(0, "requests").unwrap();
        assert_ne!(counter, again, "each definition gives an id of its own");
        assert_eq!(counter, 4, "no id is 0");
        assert_eq!(metrics.define(3, "x"), Err(Status::BadArgument));

        assert_eq!(metrics.increment(counter, 2), Ok(()));
        assert_eq!(metrics.increment(again, 3), Ok(()));
        assert_eq!(metrics.increment(counter, -1), Err(Status::BadArgument));
        assert_eq!(
            metrics.record(counter, 1),
            Ok(()),
            "recording on a counter adds"
        );
        assert_eq!(metrics.get(counter), Ok(6));

        assert_eq!(metrics.increment(gauge, 5), Ok(()));
        assert_eq!(metrics.increment(gauge, -2), Ok(()));
        assert_eq!(metrics.get(gauge), Ok(3));
        assert_eq!(metrics.record(gauge, 9), Ok(()));
        assert_eq!(metrics.number("open"), Some(9));

        assert_eq!(metrics.record(histogram, 4), Ok(()));
        assert_eq!(metrics.increment(histogram, 4), Err(Status::BadArgument));
        assert_eq!(
            metrics.all().get("seconds"),
            Some(&Value::Histogram(vec![4]))
        );

        assert_eq!(
            metrics.get(999),
            Err(Status::BadArgument),
            "no metric is of kind 3"
        );
        assert_eq!(metrics.get(1000), Err(Status::NotFound));
    }
}
