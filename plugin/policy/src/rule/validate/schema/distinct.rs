//! Whether the items of an array differ, in time that a hostile array cannot choose.
//!
//! By sorting: a hash that a client can foresee is a hash whose collisions it can send.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::number;

/// `uniqueItems`: no two items are equal, 1 and 1.0 being so.
pub(super) fn are_distinct(list: &[Value]) -> bool {
    let mut items: Vec<&Value> = list.iter().collect();
    items.sort_unstable_by(|a, b| order(a, b));
    items
        .windows(2)
        .all(|pair| !matches!(pair, [a, b] if is_equal(a, b)))
}

/// Whether two values are equal (JSON Schema Core, section 4.2.2): numbers by what they are, not how they are written.
pub(super) fn is_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => a == b,
        (a, b) => order(a, b) == Ordering::Equal,
    }
}

/// A total order; which one is of no account.
fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => number::order(a, b),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Array(a), Value::Array(b)) => a.len().cmp(&b.len()).then_with(|| {
            let pairs = a.iter().zip(b);
            first_difference(pairs.map(|(a, b)| order(a, b)))
        }),
        (Value::Object(a), Value::Object(b)) => a.len().cmp(&b.len()).then_with(|| {
            let pairs = members(a).into_iter().zip(members(b));
            first_difference(pairs.map(|(a, b)| a.0.cmp(b.0).then_with(|| order(a.1, b.1))))
        }),
        (a, b) => rank(a).cmp(&rank(b)),
    }
}

/// By name. They come so already, unless some crate of the build has maps keep their order.
fn members(object: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut members: Vec<_> = object.iter().collect();
    members.sort_unstable_by_key(|(name, _)| *name);
    members
}

fn first_difference(mut orders: impl Iterator<Item = Ordering>) -> Ordering {
    orders
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_items_are_found() {
        let check = |text: &str, expected: bool| {
            let list: Vec<Value> = serde_json::from_str(text).unwrap();
            assert_eq!(are_distinct(&list), expected, "{text}");
        };
        check("[]", true);
        check("[1]", true);
        check(
            "[1, true, \"1\", null, [], {}, [1], {\"a\": 1}, false, 0, \"\"]",
            true,
        );
        check("[[1, 2], [2, 1], [1], [1, 2, 3]]", true);
        check(
            "[{\"a\": 1, \"b\": 2}, {\"a\": 2, \"b\": 1}, {\"a\": 1, \"c\": 2}]",
            true,
        );
        check("[9007199254740992, 9007199254740993]", true);
        check("[1, 2, 1.0]", false);
        check(
            "[{\"a\": 1, \"b\": [2]}, 3, {\"b\": [2.0], \"a\": 1}]",
            false,
        );
        check("[[], 1, []]", false);
        check("[null, 0, null]", false);
    }
}
