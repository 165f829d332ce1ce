//! An ordered list of header lines, as the proxy-wasm ABI carries them.
//!
//! A list and not a map: order, duplicates and raw bytes are what a filter can get wrong, so none of them may be lost on
//! the way. Names keep the bytes they came with and are compared without ASCII case (RFC 9110 5.1). Pseudo headers
//! (`:method`, `:path`, `:authority`, `:scheme`, `:status`) are ordinary lines.

use std::fmt;

/// Header lines in order; names and values are bytes, nothing is validated.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HeaderMap(Vec<(Vec<u8>, Vec<u8>)>);

impl HeaderMap {
    /// No lines.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of the first line of that name.
    pub fn get(&self, name: impl AsRef<[u8]>) -> Option<&[u8]> {
        let name = name.as_ref();
        self.iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// [`HeaderMap::get`] as text, bytes that are not UTF-8 replaced by U+FFFD: for messages and expectations, not for
    /// decisions.
    pub fn get_text(&self, name: impl AsRef<[u8]>) -> Option<String> {
        self.get(name)
            .map(|value| String::from_utf8_lossy(value).into_owned())
    }

    /// The values of all lines of that name, in order.
    pub fn get_all<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        self.iter()
            .filter(move |(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Is there a line of that name?
    pub fn contains(&self, name: impl AsRef<[u8]>) -> bool {
        self.get(name).is_some()
    }

    /// Adds a line at the end, whether or not the name is there.
    pub fn push(&mut self, name: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.0.push((name.into(), value.into()));
    }

    /// Makes the name stand on exactly one line, in place of its first one, or at the end.
    pub fn set(&mut self, name: impl AsRef<[u8]>, value: impl Into<Vec<u8>>) {
        let name = name.as_ref();
        let mut value = Some(value.into());
        self.0.retain_mut(|(other, slot)| {
            if !other.eq_ignore_ascii_case(name) {
                return true;
            }
            match value.take() {
                Some(new) => {
                    *slot = new;
                    true
                }
                None => false,
            }
        });
        if let Some(new) = value {
            self.push(name, new);
        }
    }

    /// Removes every line of that name; says whether there was one.
    pub fn remove(&mut self, name: impl AsRef<[u8]>) -> bool {
        let name = name.as_ref();
        let before = self.0.len();
        self.0
            .retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self.0.len() != before
    }

    /// All lines in order, as (name, value).
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_slice(), value.as_slice()))
    }

    /// The number of lines.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Is there no line?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<Vec<u8>>, V: Into<Vec<u8>>> FromIterator<(N, V)> for HeaderMap {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(lines: I) -> Self {
        Self(
            lines
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

impl<N: Into<Vec<u8>>, V: Into<Vec<u8>>, const COUNT: usize> From<[(N, V); COUNT]> for HeaderMap {
    fn from(lines: [(N, V); COUNT]) -> Self {
        lines.into_iter().collect()
    }
}

impl IntoIterator for HeaderMap {
    type Item = (Vec<u8>, Vec<u8>);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Debug for HeaderMap {
    /// One `name: value` string a line, bytes that are not ASCII escaped: readable in a failed assertion.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(
                self.iter().map(|(name, value)| {
                    format!("{}: {}", name.escape_ascii(), value.escape_ascii())
                }),
            )
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_ignore_case_and_duplicates_keep_their_order() {
        let map = HeaderMap::from([("Set-Cookie", "a=1"), ("X-Id", "7"), ("set-cookie", "b=2")]);
        assert_eq!(map.get("SET-COOKIE"), Some(&b"a=1"[..]));
        assert_eq!(
            map.get_all(b"set-cookie").collect::<Vec<_>>(),
            [b"a=1", b"b=2"]
        );
        assert_eq!(map.len(), 3);
    }

    #[test]
    fn set_leaves_one_line_where_the_first_was() {
        let mut map = HeaderMap::from([("a", "1"), ("b", "2"), ("A", "3")]);
        map.set("a", "new");
        map.set("c", "4");
        assert_eq!(map, HeaderMap::from([("a", "new"), ("b", "2"), ("c", "4")]));
    }

    #[test]
    fn remove_takes_every_line_and_says_so() {
        let mut map = HeaderMap::from([("a", "1"), ("b", "2"), ("A", "3")]);
        assert!(map.remove("a"));
        assert!(!map.remove("a"));
        assert_eq!(map, HeaderMap::from([("b", "2")]));
    }
}
