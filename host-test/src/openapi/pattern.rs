//! Which regular expressions of a document a policy can hold.
//!
//! JSON Schema's are those of ECMA-262; the module runs linear ones, so that no input makes it think for long. Most are
//! both. Here only what is surely both passes: what is left out is told, what the module refuses would be no policy.

use std::iter::Peekable;
use std::str::Chars;

/// The module takes none that is longer, in bytes.
const LONGEST: usize = 4096;

/// Whether a policy can hold the expression.
///
/// # Errors
/// Why not, as a half-sentence.
pub(super) fn judge(pattern: &str) -> Result<(), String> {
    if pattern.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    let mut scan = Scan {
        rest: pattern.chars().peekable(),
        linear: String::with_capacity(pattern.len()),
        is_repeatable: false,
    };
    while let Some(c) = scan.rest.next() {
        scan.term(c)?;
    }
    match regex::Regex::new(&scan.linear) {
        Ok(_) => Ok(()),
        Err(regex::Error::CompiledTooBig(_)) => Err("it is too large".to_owned()),
        Err(error) => {
            // The lines above the last one draw the place.
            let message = error.to_string();
            let last = message.lines().next_back().unwrap_or_default();
            let reason = last.trim_start_matches("error:").trim();
            Err(format!("it is none that is run here: {reason}"))
        }
    }
}

/// Goes through an expression by the grammar of ECMA-262 (`Pattern` with `u`), as far as the two differ.
struct Scan<'p> {
    rest: Peekable<Chars<'p>>,
    /// The expression, what only ECMA-262 has replaced by as much of the other.
    linear: String,
    /// Whether a quantifier may follow.
    is_repeatable: bool,
}

impl Scan<'_> {
    fn term(&mut self, c: char) -> Result<(), &'static str> {
        let was_repeatable = std::mem::replace(&mut self.is_repeatable, true);
        match c {
            '\\' => return self.escape(),
            '[' => return self.class(),
            '(' => return self.group(),
            '^' | '$' | '|' => self.is_repeatable = false,
            '*' | '+' | '?' | '{' if !was_repeatable => {
                return Err("it repeats what cannot be repeated");
            }
            '*' | '+' | '?' => self.end_of_quantifier(),
            '{' => {
                self.linear.push('{');
                let counts = |c: &char| c.is_ascii_digit() || *c == ',';
                while let Some(c) = self.rest.next_if(counts) {
                    self.linear.push(c);
                }
                self.rest
                    .next_if_eq(&'}')
                    .ok_or("a brace in it counts nothing")?;
                self.linear.push('}');
                self.is_repeatable = false;
                self.linear.extend(self.rest.next_if_eq(&'?'));
                return Ok(());
            }
            _ => {}
        }
        self.linear.push(c);
        Ok(())
    }

    /// A lazy quantifier ends in `?`; what else follows one repeats nothing.
    fn end_of_quantifier(&mut self) {
        self.is_repeatable = false;
        // Lazy or not, the same texts match.
        self.rest.next_if_eq(&'?');
    }

    fn group(&mut self) -> Result<(), &'static str> {
        self.is_repeatable = false;
        self.linear.push('(');
        if self.rest.next_if_eq(&'?').is_none() {
            return Ok(());
        }
        self.linear.push('?');
        let around = Err("it looks around, which cannot be done in linear time");
        match self.rest.next() {
            Some(':') => self.linear.push(':'),
            Some('=' | '!') => return around,
            Some('<') if self.rest.peek().is_some_and(|c| matches!(c, '=' | '!')) => return around,
            Some('<') => self.linear.push('<'),
            Some('P') if self.rest.next_if_eq(&'<').is_some() => self.linear.push_str("P<"),
            _ => return Err("it has a group of a kind that ECMA-262 does not have"),
        }
        Ok(())
    }

    fn escape(&mut self) -> Result<(), &'static str> {
        let unknown = "it has an escape that ECMA-262 does not have";
        let Some(c) = self.rest.next() else {
            return Err("it ends in a backslash");
        };
        match c {
            '1'..='9' | 'k' => return Err("it refers back, which cannot be done in linear time"),
            '0' => self.linear.push_str(r"\x00"),
            'c' => {
                self.rest
                    .next_if(char::is_ascii_alphabetic)
                    .ok_or(unknown)?;
                self.linear.push_str(r"\x01");
            }
            'x' | 'u' => {
                self.linear.extend(['\\', c]);
                let is_braced = c == 'u' && self.rest.peek() == Some(&'{');
                for _ in 0..if c == 'x' { 2 } else { 4 } {
                    let digit = self.rest.next_if(|c| is_braced || c.is_ascii_hexdigit());
                    self.linear.push(digit.ok_or(unknown)?);
                    if is_braced && digit == Some('}') {
                        break;
                    }
                }
            }
            'p' | 'P' => {
                self.linear.extend(['\\', c]);
                self.linear.push(self.rest.next_if_eq(&'{').ok_or(unknown)?);
                let named = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '=');
                while let Some(c) = self.rest.next_if(named) {
                    self.linear.push(c);
                }
                self.linear.push(self.rest.next_if_eq(&'}').ok_or(unknown)?);
            }
            'b' | 'B' => {
                self.is_repeatable = false;
                self.linear.extend(['\\', c]);
            }
            'd' | 'D' | 'w' | 'W' | 's' | 'S' | 't' | 'n' | 'v' | 'f' | 'r' => {
                self.linear.extend(['\\', c]);
            }
            c if c.is_ascii_alphanumeric() => return Err(unknown),
            c => self.linear.push_str(&regex::escape(&c.to_string())),
        }
        Ok(())
    }

    fn class(&mut self) -> Result<(), &'static str> {
        self.linear.push('[');
        self.linear.extend(self.rest.next_if_eq(&'^'));
        let mut is_empty = true;
        loop {
            match self.rest.next().ok_or("a bracket in it is not closed")? {
                ']' => break,
                '[' if self.rest.peek() == Some(&':') => {
                    return Err("it has a class such as `[:alpha:]`, which ECMA-262 does not have");
                }
                '\\' if self.rest.next_if_eq(&'b').is_some() => self.linear.push_str(r"\x08"),
                '\\' if self.rest.next_if_eq(&'-').is_some() => self.linear.push_str(r"\-"),
                '\\' => self.escape()?,
                '-' if self.rest.peek() == Some(&'-') => return Err("it has `--` within `[...]`"),
                // What has a meaning in the sets of the linear engine, and none here.
                c @ ('[' | '&' | '~' | '^') => self.linear.extend(['\\', c]),
                c => self.linear.push(c),
            }
            is_empty = false;
        }
        // `[]` is nothing and `[^]` anything.
        self.linear.push_str(if is_empty { r"\s\S]" } else { "]" });
        self.is_repeatable = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for taken in [
            "^[a-z]+$",
            r"^\d{3}-\w+$",
            r"\/v1\/",
            r"[\w\-.]",
            r"\cA",
            r"\p{Letter}+",
            "(?<name>x)",
            "(?P<name>x)",
            "",
            "[^^]",
            r"[\[a]",
            "^[-a]$",
            r"\u0041\u{1f600}",
            r"\x41",
            "[a-z[]",
            "[a&&b]",
            "[]",
            "[^]",
            "(?:a|b)*?",
            r"\0",
            r"[\b]",
            r"\bword\b",
            "a{2}?",
            "é+",
            "[é-ü]",
        ] {
            assert_eq!(judge(taken), Ok(()), "{taken}");
        }
        let check = |pattern: &str, expected: &str| {
            let error = judge(pattern).unwrap_err();
            assert!(error.contains(expected), "{pattern}: {error}");
        };
        check("^(?!admin)", "looks around");
        check("(?<=a)b", "looks around");
        check("(?<!a)b", "looks around");
        check(r"(a)\1", "refers back");
        check(r"(?<n>a)\k<n>", "refers back");
        check("{1-70}", "cannot be repeated");
        check("a{1-70}", "counts nothing");
        check("(", "none that is run");
        check(r"\p{Alnum}", "none that is run");
        check(r"\pL", "escape");
        check("[[:alpha:]]", "[:alpha:]");
        check(r"\Aabc\z", "escape");
        check(r"\a", "escape");
        check("(?i)a", "of a kind");
        check("(?>a)", "of a kind");
        check("a++", "cannot be repeated");
        check("a{2}{3}", "cannot be repeated");
        check("^*", "cannot be repeated");
        check("[a--b]", "`--`");
        check("[a", "not closed");
        check("a\\", "backslash");
        check("(a{1000}){1000}", "too large");
        check(&"a".repeat(5000), "longer than 4096");
    }
}
