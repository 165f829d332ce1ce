//! Names that the policy takes, made of names that it may not.

use std::collections::BTreeSet;

/// The longest name of a route or a schema.
const MAX_LONG: usize = 128;
/// The longest name of a template in a path.
const MAX_TEMPLATE: usize = 64;
/// The longest name of a policy.
const MAX_POLICY: usize = 32;

/// Names that are taken.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// The name of a route or a schema: `[A-Za-z0-9_.-]{1,128}`, unlike all before it.
    pub(super) fn take(&mut self, wanted: &str) -> String {
        self.unique(&legal(wanted, MAX_LONG), MAX_LONG)
    }

    /// The name of a template: `[A-Za-z0-9_.-]{1,64}`, unlike all before it.
    pub(super) fn take_template(&mut self, wanted: &str) -> String {
        self.unique(&legal(wanted, MAX_TEMPLATE), MAX_TEMPLATE)
    }

    fn unique(&mut self, name: &str, longest: usize) -> String {
        let mut unique = name.to_owned();
        let mut count = 1_usize;
        while !self.0.insert(unique.clone()) {
            count += 1;
            let suffix = format!("-{count}");
            unique = name.chars().take(longest - suffix.len()).collect();
            unique.push_str(&suffix);
        }
        unique
    }
}

fn legal(wanted: &str, longest: usize) -> String {
    let byte = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '.' | '-' => c,
        _ => '-',
    };
    let name: String = wanted.chars().take(longest).map(byte).collect();
    if name.is_empty() {
        "unnamed".to_owned()
    } else {
        name
    }
}

/// The name of a policy, `[a-z0-9_-]{1,32}`, made of an API's title.
pub(super) fn policy_name(title: &str) -> String {
    let mut name = String::new();
    for c in title.chars().map(|c| c.to_ascii_lowercase()) {
        match c {
            'a'..='z' | '0'..='9' | '_' => name.push(c),
            _ if name.is_empty() || name.ends_with('-') => {}
            _ => name.push('-'),
        }
    }
    name.truncate(MAX_POLICY);
    let name = name.trim_end_matches('-');
    if name.is_empty() { "api" } else { name }.to_owned()
}

/// The name of an operation that has none of its own: `get-users-id`.
pub(super) fn of_operation(method: &str, path: &str) -> String {
    let words = path
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty());
    let mut name = method.to_owned();
    for word in words {
        name.push('-');
        name.push_str(word);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_legal_and_unique() {
        let mut names = Names::default();
        let mut check = |wanted: &str, expected: &str| assert_eq!(names.take(wanted), expected);
        check("read_item", "read_item");
        check("read_item", "read_item-2");
        check("read_item-2", "read_item-2-2");
        check("Page[int]", "Page-int-");
        check("größe", "gr--e");
        check("", "unnamed");
        check("a/b c", "a-b-c");
        let long = "x".repeat(200);
        assert_eq!(names.take(&long).len(), 128);
        let again = names.take(&long);
        assert!(again.len() == 128 && again.ends_with("-2"), "{again}");
        assert_eq!(names.take_template(&long).len(), 64);
    }

    #[test]
    fn a_title_names_the_policy() {
        let check = |title: &str, expected: &str| assert_eq!(policy_name(title), expected);
        check("Game API", "game-api");
        check(
            "Swagger Petstore - OpenAPI 3.0",
            "swagger-petstore-openapi-3-0",
        );
        check("Ünïcode", "n-code");
        check("", "api");
        check("!!!", "api");
        check(&"ab ".repeat(40), "ab-ab-ab-ab-ab-ab-ab-ab-ab-ab-ab");
        assert_eq!(
            of_operation("get", "/users/{id}/x.json"),
            "get-users-id-x-json"
        );
        assert_eq!(of_operation("get", "/"), "get");
    }
}
