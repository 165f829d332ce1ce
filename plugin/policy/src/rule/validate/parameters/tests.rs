use std::cell::RefCell;

use portcullis_config::{Config, read};
use serde_json::json;

use super::*;
use crate::message::Line;
use crate::rule::validate::violation::Violation;

mod round;

/// A schema that remembers what it judges, and judges as another crate does.
#[derive(Debug)]
struct Spy {
    seen: Rc<RefCell<Vec<(String, Value)>>>,
    judge: jsonschema::Validator,
}

impl Schema for Spy {
    fn judge(&self, value: &Value, place: Place, at: &[Token], found: &mut Violations) {
        if let [Token::Name(name)] = at {
            let seen = (format!("{}.{name}", place.as_str()), value.clone());
            self.seen.borrow_mut().push(seen);
        }
        for error in self.judge.iter_errors(value) {
            let inner = error.instance_path().to_string();
            let inner = inner
                .split('/')
                .skip(1)
                .map(|token| Token::Name(token.to_owned()));
            found.push(Violation {
                place,
                path: at.iter().cloned().chain(inner).collect(),
                keyword: "schema",
                kind: "schema",
                message: String::new(),
            });
        }
    }
}

fn json_of(document: &Document) -> Value {
    match document {
        Document::Null => Value::Null,
        Document::Bool(value) => json!(value),
        Document::Number(value) if value.fract() == 0.0 => json!(*value as i64),
        Document::Number(value) => json!(value),
        Document::String(value) => json!(value),
        Document::Array(items) => items.iter().map(json_of).collect(),
        Document::Object(members) => {
            let members = members.iter();
            members
                .map(|(name, value)| (name.clone(), json_of(value)))
                .collect()
        }
    }
}

struct Tested {
    parameters: Option<Parameters>,
    seen: Rc<RefCell<Vec<(String, Value)>>>,
    diagnostics: Vec<String>,
}

fn compile(path: &str, validate: &str) -> Tested {
    let text = format!(
        r#"{{"version":1,"routes":[{{"name":"r","path":"{path}","validate":{validate}}}]}}"#
    );
    let document = Document::from_bytes(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"));
    let (config, mut diagnostics) = read(&document);
    let config: Config = config.unwrap();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let mut schema = |schema: &Document, _: &str, _: &mut Diagnostics| {
        let judge = jsonschema::validator_for(&json_of(schema)).unwrap();
        let seen = seen.clone();
        Some(Rc::new(Spy { seen, judge }) as Rc<dyn Schema>)
    };
    let parameters = config.routes.first().and_then(|route| {
        Parameters::compile(
            route.validate.as_ref()?,
            &route.path,
            &[],
            &mut schema,
            "/routes/0/validate",
            &mut diagnostics,
        )
    });
    let diagnostics = diagnostics.into_list().into_iter();
    Tested {
        parameters,
        seen,
        diagnostics: diagnostics.map(|d| d.to_string()).collect(),
    }
}

impl Tested {
    /// The values that were judged, and what was found, as `place pointer kind`.
    fn judge(&self, lines: &[Line<'_>]) -> (Vec<(String, Value)>, Vec<String>) {
        let mut found = Violations::default();
        let parameters = self.parameters.as_ref();
        let parameters = parameters.unwrap_or_else(|| panic!("{:?}", self.diagnostics));
        parameters.judge(&RequestHead::new(lines), &mut found);
        let found = found.as_slice().iter().map(|one| {
            assert!(!one.message.is_empty() || one.kind == "schema");
            format!("{} {} {}", one.place.as_str(), one.pointer(), one.kind)
        });
        (self.seen.take(), found.collect())
    }
}

/// What a single query parameter `p` is read as, or what is wrong.
fn query(parameter: &str, query: &str) -> Result<Value, String> {
    let validate = format!(r#"{{"query":{{"p":{parameter}}}}}"#);
    let target = format!("/?{query}");
    single(&validate, "/", &[(b":path", target.as_bytes())])
}

fn header(parameter: &str, lines: &[&str]) -> Result<Value, String> {
    let validate = format!(r#"{{"headers":{{"X-P":{parameter}}}}}"#);
    let lines: Vec<Line<'_>> = lines
        .iter()
        .map(|value| (&b"X-p"[..], value.as_bytes()))
        .collect();
    single(&validate, "/", &lines)
}

fn cookie(parameter: &str, lines: &[&str]) -> Result<Value, String> {
    let validate = format!(r#"{{"cookies":{{"p":{parameter}}}}}"#);
    let lines: Vec<Line<'_>> = lines
        .iter()
        .map(|value| (&b"Cookie"[..], value.as_bytes()))
        .collect();
    single(&validate, "/", &lines)
}

fn path(parameter: &str, target: &str) -> Result<Value, String> {
    let validate = format!(r#"{{"path":{{"p":{parameter}}}}}"#);
    single(&validate, "/a/{p}/b", &[(b":path", target.as_bytes())])
}

/// `Null` beside no violation is a parameter that is not there.
fn single(validate: &str, path: &str, lines: &[Line<'_>]) -> Result<Value, String> {
    let (mut seen, found) = compile(path, validate).judge(lines);
    match (seen.pop(), found.is_empty()) {
        (Some((_, value)), true) => Ok(json!({ "is": value })),
        (None, true) => Ok(Value::Null),
        _ => Err(found.join(", ")),
    }
}

fn is(value: Value) -> Result<Value, String> {
    Ok(json!({ "is": value }))
}

fn refused(found: &str) -> Result<Value, String> {
    Err(found.to_owned())
}

const INTEGER: &str = r#"{"schema":{"type":"integer","minimum":1,"maximum":100}}"#;
const STRING: &str = r#"{"schema":{"type":"string"}}"#;
const INTEGERS: &str = r#"{"schema":{"type":"array","items":{"type":"integer"},"maxItems":3}}"#;
const STRINGS: &str = r#"{"schema":{"type":"array","items":{"type":"string"}}}"#;

#[test]
fn oddities_of_a_scalar_in_a_query() {
    let check = |sent: &str, expected: Result<Value, String>| {
        assert_eq!(query(INTEGER, sent), expected, "{sent}");
    };
    let parsing = || refused("query /p int_parsing");
    check("", Ok(Value::Null));
    check("q=5", Ok(Value::Null));
    check("P=5", Ok(Value::Null));
    check("p=5", is(json!(5)));
    check("%70=%35", is(json!(5)));
    check("&p=5&&q", is(json!(5)));
    check("p=101", refused("query /p schema"));
    check("p=-0", refused("query /p schema"));
    check("p=5.0", parsing());
    check("p=1_0", parsing());
    check("p=%205", parsing());
    check("p=+5", parsing());
    check("p=%2B5", parsing());
    check("p=05", parsing());
    check("p=1e2", parsing());
    check("p=yes", parsing());
    check("p=null", parsing());
    check("p=", parsing());
    check("p", parsing());
    check("p=123456789012345678901234567890", parsing());
    check("p=5;q=6", parsing());
    check("p=5,6", parsing());
    check("p=%2535", parsing());
    check("p=5%00", parsing());
    check("p=5&p=5", refused("query /p repeated"));
    check("p=5&p", refused("query /p repeated"));
    check("p=5&%70=6", refused("query /p repeated"));
    check("p=5%", refused("query /p string_unicode"));
    check("p=%zz", refused("query /p string_unicode"));
    check("p=%ff", refused("query /p string_unicode"));
    // What is not declared may be anything.
    check("p=5&q=%zz&%zz=%ff", is(json!(5)));

    let string = |sent: &str, expected: Result<Value, String>| {
        assert_eq!(query(STRING, sent), expected, "{sent}");
    };
    string("p", is(json!("")));
    string("p=", is(json!("")));
    string("p=5", is(json!("5")));
    string("p=null", is(json!("null")));
    string("p=a+b%2Bc%26d=e", is(json!("a b+c&d=e")));
    string("p=a;q=b", is(json!("a;q=b")));
    string("p=%00", is(json!("\0")));
    string("p=a&p=b", refused("query /p repeated"));

    let maybe = r#"{"schema":{"anyOf":[{"type":"integer"},{"type":"null"}]}}"#;
    assert_eq!(query(maybe, "p=null"), is(Value::Null));
    assert_eq!(query(maybe, "p="), refused("query /p int_parsing"));
    let required = r#"{"required":true,"schema":{"type":"integer"}}"#;
    assert_eq!(query(required, "q=1"), refused("query /p missing"));
    assert_eq!(query(required, ""), refused("query /p missing"));
    assert_eq!(query(r#"{"schema":{}}"#, "p=1&p=2"), is(json!(["1", "2"])));
    let short = r#"{"schema":{"maxLength":1}}"#;
    assert_eq!(query(short, "p=1&p=2"), refused("query /p repeated"));
    assert_eq!(query(short, "p=12"), refused("query /p schema"));
}

#[test]
fn pydantic_takes_more_of_them() {
    let check = |schema: &str, sent: &str, expected: Result<Value, String>| {
        let validate = format!(
            r#"{{"strictness":"pydantic","query":{{"p":{{"schema":{{"type":"{schema}"}}}}}}}}"#
        );
        let target = format!("/?{sent}");
        let read = single(&validate, "/", &[(b":path", target.as_bytes())]);
        assert_eq!(read, expected, "{sent}");
    };
    check("integer", "p=5.0", is(json!(5)));
    check("integer", "p=1_0", is(json!(10)));
    check("integer", "p=%205", is(json!(5)));
    check("integer", "p=+5", is(json!(5)));
    check("integer", "p=05", is(json!(5)));
    check("integer", "p=1e2", refused("query /p int_parsing"));
    check("integer", "p=", refused("query /p int_parsing"));
    check("integer", "p=5&p=6", refused("query /p repeated"));
    check("boolean", "p=yes", is(json!(true)));
    check("boolean", "p=OFF", is(json!(false)));
    check("boolean", "p=2", refused("query /p bool_parsing"));
    check("number", "p=.5", is(json!(0.5)));
    check("number", "p=nan", refused("query /p float_parsing"));
    check("string", "p=yes", is(json!("yes")));
}

#[test]
fn lists_and_objects_in_a_query() {
    let check = |parameter: &str, sent: &str, expected: Result<Value, String>| {
        assert_eq!(query(parameter, sent), expected, "{parameter} {sent}");
    };
    check(INTEGERS, "p=1&q=0&p=2", is(json!([1, 2])));
    check(INTEGERS, "p=1", is(json!([1])));
    check(INTEGERS, "p=1,2", refused("query /p/0 int_parsing"));
    check(
        INTEGERS,
        "p=1&p=x&p=",
        refused("query /p/1 int_parsing, query /p/2 int_parsing"),
    );
    check(INTEGERS, "p=1&p=2&p=3&p=4", refused("query /p schema"));
    check(INTEGERS, "p=%zz&p=1", refused("query /p/0 string_unicode"));
    check(INTEGERS, "p[]=1", Ok(Value::Null));
    check(STRINGS, "p=", is(json!([""])));
    check(STRINGS, "p=a,b&p=", is(json!(["a,b", ""])));
    let joined =
        r#"{"explode":false,"schema":{"type":"array","items":{"type":["integer","string"]}}}"#;
    check(joined, "p=1,b,,3", is(json!([1, "b", "", 3])));
    check(joined, "p=1", is(json!([1])));
    // Servers decode before they split.
    check(joined, "p=1%2C2", is(json!([1, 2])));
    check(joined, "p=1&p=2", refused("query /p repeated"));
    let nullable =
        r#"{"schema":{"anyOf":[{"type":"array","items":{"type":"integer"}},{"type":"null"}]}}"#;
    check(nullable, "p=null", is(Value::Null));
    check(nullable, "p=1&p=2", is(json!([1, 2])));
    let nullable =
        r#"{"schema":{"anyOf":[{"type":"array","items":{"type":"string"}},{"type":"null"}]}}"#;
    check(nullable, "p=null", is(json!(["null"])));
    let mixed =
        r#"{"schema":{"anyOf":[{"type":"integer"},{"type":"array","items":{"type":"integer"}}]}}"#;
    check(mixed, "p=1", is(json!(1)));
    check(mixed, "p=1&p=2", is(json!([1, 2])));

    let object = r#"{"type":"object","properties":{"a":{"type":"integer"},"l":{"type":"array","items":{"type":"integer"}}}}"#;
    let exploded = format!(r#"{{"schema":{object}}}"#);
    check(
        &exploded,
        "a=1&l=2&b=9&l=3",
        is(json!({"a": 1, "l": [2, 3]})),
    );
    check(&exploded, "p=1", Ok(Value::Null));
    check(&exploded, "a=1&a=2", refused("query /p/a repeated"));
    check(
        &exploded,
        "a=x&l=1&l=y",
        refused("query /p/a int_parsing, query /p/l/1 int_parsing"),
    );
    let open = r#"{"schema":{"type":"object","additionalProperties":{"type":"integer"}}}"#;
    check(open, "b=1&c=2", is(json!({"b": 1, "c": 2})));
    check(open, "b=x", refused("query /p/b int_parsing"));
    let flat = format!(r#"{{"explode":false,"schema":{object}}}"#);
    check(&flat, "p=a,1,b,2", is(json!({"a": 1, "b": "2"})));
    check(&flat, "p=a,1,b", refused("query /p dict_type"));
    check(&flat, "p=a", refused("query /p dict_type"));
    check(&flat, "p=a,1,a,2", refused("query /p/a repeated"));
    check(&flat, "p=a,%2541", refused("query /p/a int_parsing"));
    let deep = format!(r#"{{"style":"deepObject","schema":{object}}}"#);
    check(
        &deep,
        "p[a]=1&p%5Bl%5D=2&p[l]=3&p[x]=y",
        is(json!({"a": 1, "l": [2, 3], "x": "y"})),
    );
    check(&deep, "q[a]=1&a=1", Ok(Value::Null));
    check(&deep, "p[a]=1&p[a]=2", refused("query /p/a repeated"));
    check(&deep, "p[a]=x", refused("query /p/a int_parsing"));
    for odd in [
        "p=1",
        "p[]=1",
        "p[a][b]=1",
        "p[a=1",
        "p[a]]=1",
        "p[[a]=1",
        "p[a]x=1",
        "p[",
    ] {
        check(&deep, odd, refused("query /p dict_type"));
        check(
            &deep,
            &format!("p[a]=1&{odd}"),
            refused("query /p dict_type"),
        );
    }
}

#[test]
fn values_in_a_path() {
    let check = |parameter: &str, target: &str, expected: Result<Value, String>| {
        assert_eq!(path(parameter, target), expected, "{target}");
    };
    check(INTEGER, "/a/5/b", is(json!(5)));
    check(INTEGER, "//a//%35/b/?p=7", is(json!(5)));
    check(INTEGER, "/A/5/B/", is(json!(5)));
    check(INTEGER, "/a/+5/b", refused("path /p int_parsing"));
    check(INTEGER, "/a/5%20/b", refused("path /p int_parsing"));
    check(INTEGER, "/a/5;v=1/b", refused("path /p int_parsing"));
    check(INTEGER, "/a/5%3Bv/b", refused("path /p int_parsing"));
    check(INTEGER, "/a/%zz/b", refused("path /p string_unicode"));
    check(INTEGER, "/a/%C3/b", refused("path /p string_unicode"));
    check(INTEGER, "/a", refused("path /p missing"));
    check(STRING, "/a/a+b%2525/b", is(json!("a+b%25")));
    check(STRING, "/a/x;y/b", is(json!("x;y")));
    // Matching splits there too.
    check(STRING, "/a/x%2Fb", is(json!("x")));
    check(INTEGERS, "/a/1,2%2C3/b", is(json!([1, 2, 3])));
    let object = r#"{"schema":{"type":"object","properties":{"a":{"type":"integer"}}}}"#;
    check(object, "/a/a,1,b,x/b", is(json!({"a": 1, "b": "x"})));
    let exploded =
        r#"{"explode":true,"schema":{"type":"object","properties":{"a":{"type":"integer"}}}}"#;
    check(exploded, "/a/a=1,b=x=y/b", is(json!({"a": 1, "b": "x=y"})));
    check(exploded, "/a/a,1/b", refused("path /p dict_type"));

    let two = compile(
        "/{x}/to/{y}/*",
        r#"{"path":{"y":{"schema":{"type":"integer"}},"x":{"schema":{"type":"integer"}}}}"#,
    );
    let (seen, found) = two.judge(&[(b":path", b"//1/;/to/2/3/4")]);
    assert_eq!(
        seen,
        [("path.x".into(), json!(1)), ("path.y".into(), json!(2))]
    );
    assert_eq!(found, [""; 0]);
}

#[test]
fn values_in_headers() {
    let check = |parameter: &str, lines: &[&str], expected: Result<Value, String>| {
        assert_eq!(header(parameter, lines), expected, "{lines:?}");
    };
    check(INTEGER, &[], Ok(Value::Null));
    check(INTEGER, &["5"], is(json!(5)));
    check(INTEGER, &[""], refused("header /x-p int_parsing"));
    check(INTEGER, &["%35"], refused("header /x-p int_parsing"));
    check(INTEGER, &["5", "5"], refused("header /x-p repeated"));
    check(STRING, &["a,b"], is(json!("a,b")));
    check(STRING, &["a+b%20"], is(json!("a+b%20")));
    check(INTEGERS, &["1, 2"], is(json!([1, 2])));
    check(INTEGERS, &["1", "2,\t3"], is(json!([1, 2, 3])));
    check(INTEGERS, &["1,", "2"], refused("header /x-p/1 int_parsing"));
    let required = r#"{"required":true,"schema":{"type":"string"}}"#;
    check(required, &[], refused("header /x-p missing"));
    check(required, &[""], is(json!("")));
    let object =
        r#"{"schema":{"type":"object","properties":{"a":{"type":"integer"}}},"explode":true}"#;
    check(object, &["a=1", "b=2"], is(json!({"a": 1, "b": "2"})));
    let validate = format!(r#"{{"headers":{{"x-p":{STRING}}}}}"#);
    let latin = single(&validate, "/", &[(b"x-p", b"caf\xe9")]);
    assert_eq!(latin, refused("header /x-p string_unicode"));
}

#[test]
fn values_in_cookies() {
    let check = |parameter: &str, lines: &[&str], expected: Result<Value, String>| {
        assert_eq!(cookie(parameter, lines), expected, "{lines:?}");
    };
    check(INTEGER, &[], Ok(Value::Null));
    check(INTEGER, &["a=1; p=5; q"], is(json!(5)));
    check(INTEGER, &["a=1;p=5"], is(json!(5)));
    check(INTEGER, &["a=1", "p=5"], is(json!(5)));
    check(INTEGER, &["P=5"], Ok(Value::Null));
    check(INTEGER, &["%70=5"], Ok(Value::Null));
    check(INTEGER, &["p"], refused("cookie /p int_parsing"));
    check(INTEGER, &["p=\"5\""], refused("cookie /p int_parsing"));
    check(INTEGER, &["p=%35"], refused("cookie /p int_parsing"));
    check(INTEGER, &["p=5; p=5"], refused("cookie /p repeated"));
    check(INTEGER, &["p=5", "p=6"], refused("cookie /p repeated"));
    check(STRING, &["p=a=b+c%20"], is(json!("a=b+c%20")));
    check(INTEGERS, &["p=1; p=2"], is(json!([1, 2])));
    let joined = r#"{"explode":false,"schema":{"type":"array","items":{"type":"integer"}}}"#;
    check(joined, &["p=1,2"], is(json!([1, 2])));
    let object = r#"{"schema":{"type":"object","properties":{"a":{"type":"integer"}}}}"#;
    check(object, &["a=1; b=2"], is(json!({"a": 1})));
}

#[test]
fn unknown_names_are_refused_once_each() {
    let validate = |more: &str| {
        format!(
            r#"{{"unknown_query":"reject","query":{{"p":{{"schema":{{"type":"integer"}}}},
                "f":{{"schema":{{"type":"object","properties":{{"m":{{}}}}}}}},
                "d":{{"style":"deepObject","schema":{{"type":"object"}}}}{more}}}}}"#
        )
    };
    let check = |validate: &str, target: &str, expected: &[&str]| {
        let (_, found) = compile("/", validate).judge(&[(b":path", target.as_bytes())]);
        assert_eq!(found, expected, "{target}");
    };
    let closed = validate("");
    check(&closed, "/", &[]);
    check(&closed, "/?p=1&m=2&d[a]=3&d[b]=4", &[]);
    let extra = |name: &str| format!("query /{name} extra_forbidden");
    check(&closed, "/?x=1&p=2&x=3&%78", &[&extra("x")]);
    check(
        &closed,
        "/?f=1&P=1&m[a]=1",
        &[&extra("f"), &extra("P"), &extra("m[a]")],
    );
    check(
        &closed,
        "/?p=x&a~/b",
        &["query /p int_parsing", &extra("a~0~1b")],
    );
    check(
        &closed,
        "/?=1&%zz=2&%ff",
        &[&extra(""), &extra("%zz"), &extra("%ff")],
    );
    let open = validate(r#","o":{"schema":{"type":"object","additionalProperties":true}}"#);
    check(&open, "/?p=1&whatever=2", &[]);
    check(r#"{"unknown_query":"reject"}"#, "/?a", &[&extra("a")]);
    let many: String = (0..100).map(|n| format!("&n{n}=1")).collect();
    let (_, found) = compile("/", &closed).judge(&[(b":path", format!("/?{many}").as_bytes())]);
    assert_eq!(found.len(), 20);
}

#[test]
fn what_no_request_could_mean_is_no_policy() {
    let check = |path: &str, validate: &str, expected: &[&str]| {
        let tested = compile(path, validate);
        assert!(tested.parameters.is_none(), "{validate}");
        assert_eq!(
            tested.diagnostics.len(),
            expected.len(),
            "{:?}",
            tested.diagnostics
        );
        for (diagnostic, expected) in tested.diagnostics.iter().zip(expected) {
            assert!(diagnostic.contains(expected), "{diagnostic}");
        }
    };
    check("/", "{}", &[]);
    check(
        "/match/{match_id}",
        r#"{"path":{"matchid":{"schema":{"type":"integer"}},"x":{"schema":{}}}}"#,
        &[
            "error[validate-path-parameter] at /routes/0/validate/path/matchid: the route's path has no `{matchid}` (help: did you mean `match_id`?)",
            "at /routes/0/validate/path/x: the route's path has no `{x}` (help: it has `match_id`)",
        ],
    );
    check(
        "/match",
        r#"{"path":{"id":{"schema":{}}}}"#,
        &["(help: `/match` has no templates)"],
    );
    let style = |place: &str, style: &str, schema: &str| {
        format!(r#"{{"{place}":{{"x":{{"style":"{style}","schema":{schema}}}}}}}"#)
    };
    for (place, word) in [
        ("path", "form"),
        ("path", "deepObject"),
        ("query", "simple"),
        ("headers", "form"),
        ("headers", "deepObject"),
        ("cookies", "simple"),
        ("cookies", "deepObject"),
    ] {
        let at = format!("error[validate-style] at /routes/0/validate/{place}/x/style: ");
        check("/{x}", &style(place, word, r#"{"type":"object"}"#), &[&at]);
    }
    check(
        "/",
        &style("query", "deepObject", r#"{"type":"integer"}"#),
        &["at /routes/0/validate/query/x/schema: `deepObject` spreads objects"],
    );
    check(
        "/",
        r#"{"query":{"x":{"style":"deepObject","explode":false,"schema":{"type":"object"}}}}"#,
        &["at /routes/0/validate/query/x/explode: "],
    );
    check(
        "/",
        r#"{"query":{"m":{"schema":{}},"x":{"schema":{"type":"object","properties":{"m":{}}}}}}"#,
        &["at /routes/0/validate/query/x: another parameter takes `m`"],
    );
    check(
        "/",
        r#"{"query":{"x":{"schema":{"type":"object"}},"y":{"schema":{"type":"object"}}}}"#,
        &["at /routes/0/validate/query/y: another parameter takes members of any name"],
    );
}

#[test]
fn no_more_is_looked_for_than_is_told() {
    let tested = compile(
        "/",
        &format!(r#"{{"query":{{"p":{STRINGS}}},"headers":{{"h":{INTEGERS}}}}}"#),
    );
    let bad = vec!["p=%zz"; 10_000].join("&");
    let (seen, found) = tested.judge(&[(b":path", format!("/?{bad}").as_bytes()), (b"h", b"x")]);
    assert_eq!((seen.len(), found.len()), (0, 20));
}
