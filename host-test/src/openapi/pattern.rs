//! Which regular expressions of a document a policy can hold.
//!
//! JSON Schema's are those of ECMA-262; the module runs linear ones, so that no input makes it think for long. Most are
//! both. What is only the former is left out and told; so is the rare one that the two read differently.

use regex::RegexBuilder;

/// What a compiled expression may take, as the engine has it by default.
const MAX_COMPILED: usize = 10 << 20;

/// Whether a policy can hold the expression.
///
/// # Errors
/// Why not, as a half-sentence.
pub(super) fn judge(pattern: &str) -> Result<(), String> {
    if let Some(oddity) = read_otherwise(pattern) {
        return Err(format!("{oddity}, which is read otherwise here"));
    }
    // Control characters by letter are the one escape of ECMA-262 that is translated before the engine sees it.
    let without_letters = without_control_letters(pattern);
    let compiled = RegexBuilder::new(&without_letters)
        .size_limit(MAX_COMPILED)
        .build();
    match compiled {
        Ok(_) => Ok(()),
        Err(regex::Error::CompiledTooBig(_)) => Err("it is too large".to_owned()),
        Err(_)
            if ["(?=", "(?!", "(?<=", "(?<!"]
                .iter()
                .any(|look| pattern.contains(look)) =>
        {
            Err("it looks around, which cannot be done in linear time".to_owned())
        }
        Err(error) => Err(reason(&error.to_string())),
    }
}

/// The last line of the engine's message is its reason; the lines above draw the place.
fn reason(message: &str) -> String {
    let last = message.lines().last().unwrap_or_default();
    let reason = last.trim_start_matches("error:").trim();
    if reason.contains("backreference") {
        "it refers back, which cannot be done in linear time".to_owned()
    } else {
        format!("it is none that is run here: {reason}")
    }
}

fn without_control_letters(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match rest.next() {
            Some('c') if rest.peek().is_some_and(char::is_ascii_alphabetic) => {
                rest.next();
                text.push_str("\\x01");
            }
            Some(escaped) => text.extend(['\\', escaped]),
            None => text.push('\\'),
        }
    }
    text
}

/// What is legal to both and means two things: sets within sets, and `\a`.
fn read_otherwise(pattern: &str) -> Option<&'static str> {
    let mut in_set = false;
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => {
                let escaped = rest.next();
                if escaped == Some('a') {
                    return Some("it has `\\a`");
                }
            }
            '[' if !in_set => {
                in_set = true;
                if rest.peek() == Some(&'^') {
                    rest.next();
                }
            }
            ']' if in_set => in_set = false,
            '[' => return Some("it has a `[` within `[...]`"),
            '&' | '-' | '~' if in_set && rest.peek() == Some(&c) => {
                return Some("it has `&&`, `--` or `~~` within `[...]`");
            }
            _ => {}
        }
    }
    None
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
            r"\p{Letter}",
            "(?<name>x)",
            "",
            "[^^]",
            r"[\[a]",
            "^[-a]$",
            r"\u0041",
        ] {
            assert_eq!(judge(taken), Ok(()), "{taken}");
        }
        let check = |pattern: &str, expected: &str| {
            let error = judge(pattern).unwrap_err();
            assert!(error.contains(expected), "{pattern}: {error}");
        };
        check("^(?!admin)", "looks around");
        check("(?<=a)b", "looks around");
        check(r"(a)\1", "refers back");
        check("{1-70}", "none that is run");
        check("(", "none that is run");
        check(r"\p{Alnum}", "none that is run");
        check("[a-z[]", "within `[...]`");
        check("[a&&b]", "`&&`");
        check(r"\a", r"\a");
        check("(a{1000}){1000}", "too large");
    }
}
