//! What judging may cost, whatever is sent.

use serde_json::{Value, json};

use super::super::Formats;
use super::{compiled, violations};

fn said(schema: &Value, value: &Value) -> Vec<String> {
    let schema = compiled(schema, Formats::Assert).unwrap_or_else(|found| panic!("{found:?}"));
    violations(&*schema, value)
        .iter()
        .map(|v| format!("{} {} {}", v.pointer(), v.kind, v.message))
        .collect()
}

const BRANCHED: &str = " recursion_loop is nested in more ways than can be judged";

/// An expression, as pydantic writes a union of models that hold it again.
fn expression(tagged: bool) -> Value {
    let node = |kind: &str| {
        let mut node = json!({"type": "object", "properties": {"inner": {"$ref": "#/$defs/Expression"}}, "required": ["inner"]});
        if tagged {
            node["properties"]["kind"] = json!({ "const": kind });
            node["required"] = json!(["inner", "kind"]);
        } else {
            node["description"] = kind.into();
        }
        node
    };
    json!({
        "$ref": "#/$defs/Expression",
        "$defs": {"Expression": {"oneOf": [node("not"), node("plus"), node("minus"), {"type": "null"}]}},
    })
}

fn nested(depth: usize, innermost: Value) -> Value {
    (0..depth).fold(
        innermost,
        |inner, _| json!({"kind": "minus", "inner": inner}),
    )
}

#[test]
fn a_tagged_union_takes_time_in_the_length_of_its_input() {
    // By every alternative it would be three to the power of 30.
    assert_eq!(said(&expression(true), &nested(30, Value::Null)), [""; 0]);
    let wrong = format!(
        "{} dict_type must be an object or null",
        "/inner".repeat(30)
    );
    assert_eq!(said(&expression(true), &nested(30, json!(3))), [wrong]);
}

#[test]
fn an_untagged_union_is_refused_where_it_would_take_too_long() {
    assert_eq!(said(&expression(false), &nested(30, json!(3))), [BRANCHED]);
    // What is turned around does not pass for that.
    let not = json!({"not": expression(false)["$defs"]["Expression"], "$defs": expression(false)["$defs"]});
    assert_eq!(said(&not, &nested(30, json!(3))), [BRANCHED]);
    // The next value is judged for itself.
    let schema = compiled(&expression(false), Formats::Assert).unwrap();
    assert_eq!(violations(&*schema, &nested(30, json!(3))).len(), 1);
    assert_eq!(violations(&*schema, &Value::Null), []);
}

#[test]
fn a_long_list_of_a_wide_union_says_what_is_wrong() {
    let model = |n: usize| json!({"type": "object", "required": [format!("k{n}")], "properties": {format!("k{n}"): {"type": "string"}}});
    let schema = json!({"items": {"anyOf": (0..20).map(model).collect::<Vec<_>>()}});
    let list = |right: usize, wrong: &Value| -> Value {
        (0..right)
            .map(|n| json!({format!("k{}", n % 20): "x"}))
            .chain([wrong.clone()])
            .collect()
    };
    assert_eq!(said(&schema, &list(20_000, &json!({"k7": "x"}))), [""; 0]);
    assert_eq!(
        said(&schema, &list(20_000, &json!({"k7": 1}))),
        ["/20000/k7 string_type must be a string"]
    );
    let all_wrong: Value = vec![json!({}); 20_000].into();
    assert_eq!(said(&schema, &all_wrong).len(), 20);
}

#[test]
fn recursion_ends_where_the_stack_might() {
    let depth = |value: &Value, steps: usize| {
        // A list of lists, with so many schemas at each level.
        let mut defs: serde_json::Map<String, Value> = (1..steps)
            .map(|n| {
                let next = json!({"$ref": format!("#/$defs/d{}", n + 1)});
                (format!("d{n}"), json!({ "allOf": [next] }))
            })
            .collect();
        defs.insert(
            format!("d{steps}"),
            json!({"items": {"$ref": "#/$defs/d1"}}),
        );
        said(&json!({"$ref": "#/$defs/d1", "$defs": defs}), value)
    };
    let lists = |depth: usize| (0..depth).fold(json!([]), |inner, _| json!([inner]));
    assert_eq!(depth(&lists(127), 1), [""; 0]);
    assert_eq!(depth(&lists(81), 3), [""; 0]);
    assert_eq!(
        depth(&lists(82), 3),
        [" recursion_loop must not be nested more than 82 deep"]
    );
    let too_deep = [" recursion_loop must not be nested more than 5 deep"];
    assert_eq!(depth(&lists(127), 40), too_deep);
    assert_eq!(depth(&lists(5), 40), too_deep);
    assert_eq!(depth(&lists(4), 40), [""; 0]);
    // Without recursion only as much is judged as the schema has.
    let flat = json!({"items": {"items": {"type": "array"}}});
    assert_eq!(said(&flat, &lists(127)), [""; 0]);
}

#[test]
fn what_recurses_in_common_may_be_as_deep_as_bodies_are_by_default() {
    let check = |schema: Value, innermost: Value, wrap: fn(Value) -> Value| {
        let value = (0..32).fold(innermost, |inner, _| wrap(inner));
        assert_eq!(said(&schema, &value), [""; 0], "{schema}");
    };
    // A linked list, with pydantic's `Optional`.
    let node = json!({"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}], "default": null}}, "required": ["next"]});
    check(
        json!({"$ref": "#/$defs/Node", "$defs": {"Node": node}}),
        json!({"next": null}),
        |inner| json!({ "next": inner }),
    );
    // A tree.
    let node = json!({"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#/$defs/Node"}}}});
    check(
        json!({"$ref": "#/$defs/Node", "$defs": {"Node": node}}),
        json!({}),
        |inner| json!({"children": [inner]}),
    );
    // Any JSON.
    let any = json!({"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}, {"type": "array", "items": {"$ref": "#/$defs/Any"}}, {"type": "object", "additionalProperties": {"$ref": "#/$defs/Any"}}]});
    check(
        json!({"$ref": "#/$defs/Any", "$defs": {"Any": any}}),
        json!(1),
        |inner| json!([inner]),
    );
    // A tagged union that holds itself.
    check(
        expression(true),
        Value::Null,
        |inner| json!({"kind": "not", "inner": inner}),
    );
}

#[test]
fn items_are_told_apart_in_time_that_a_client_cannot_choose() {
    // Numbers whose floats are equal, in pairs: what a hash of them would collide on.
    let from = u64::MAX - 100;
    let list: Value = (0..10_000_u64)
        .map(|n| json!([from + n % 100, from + n / 100]))
        .collect();
    assert_eq!(said(&json!({"uniqueItems": true}), &list), [""; 0]);
}

#[test]
fn a_long_chain_of_references_is_followed_without_a_stack() {
    let mut defs: serde_json::Map<String, Value> = (0..3_000)
        .map(|n| {
            (
                format!("d{n}"),
                json!({"properties": {"a": {"$ref": format!("#/$defs/d{}", n + 1)}}}),
            )
        })
        .collect();
    defs.insert("d3000".to_owned(), json!({"type": "null"}));
    let schema = json!({"$ref": "#/$defs/d0", "$defs": defs});
    assert_eq!(said(&schema, &json!({"a": {"a": {"a": 1}}})), [""; 0]);
}
