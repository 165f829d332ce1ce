//! Patterns of JSON Schema in the words of the `regex` crate.
//!
//! A schema's pattern is ECMA-262 (its `u` mode). The crate is linear and speaks another dialect: its `\d`, `\b` and `.`
//! take other characters, `[a&&b]` and `[[a]]` mean something else there, and `a++` is legal. What both read alike is
//! kept, what they read differently is written out, and what one of them lacks is a fault that says what to write.

use std::fmt::Write;
use std::iter::Peekable;
use std::str::Chars;

use regex::Regex;

/// No pattern that a person wrote is longer, in bytes.
const LONGEST: usize = 4096;

const DIGIT: &str = "0-9";
const WORD: &str = "A-Za-z0-9_";
/// White space and line terminators (ECMA-262, `CharacterClassEscape :: s`).
const SPACE: &str =
    r"\t\n\x0B\x0C\r \xA0\u{1680}\u{2000}-\u{200A}\u{2028}\u{2029}\u{202F}\u{205F}\u{3000}\u{FEFF}";
const ANY_BUT_LINE_ENDS: &str = r"[^\n\r\u{2028}\u{2029}]";
const ANYTHING: &str = r"[\x00-\u{10FFFF}]";
const NOTHING: &str = r"[^\x00-\u{10FFFF}]";

/// Why a pattern cannot be run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Whether it is only too large.
    pub(super) size: bool,
    pub(super) message: String,
    pub(super) help: Option<&'static str>,
}

impl Fault {
    fn new(message: impl Into<String>, help: &'static str) -> Self {
        Self {
            size: false,
            message: message.into(),
            help: Some(help),
        }
    }
}

/// A pattern that runs.
#[derive(Debug)]
pub(super) struct Pattern {
    /// As the schema has it.
    pub(super) written: String,
    regex: Regex,
}

impl Pattern {
    /// Whether it matches somewhere in the text (JSON Schema Validation, section 6.3.3).
    pub(super) fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

/// Makes a pattern ready to run.
pub(super) fn compile(pattern: &str) -> Result<Pattern, Fault> {
    match Regex::new(&translate(pattern)?) {
        Ok(regex) => Ok(Pattern {
            written: pattern.to_owned(),
            regex,
        }),
        Err(regex::Error::CompiledTooBig(limit)) => Err(Fault {
            size: true,
            message: format!(
                "the pattern takes more than {} MiB once compiled",
                limit >> 20
            ),
            help: Some(
                "say how long a string may be with `maxLength`, and take `*` or `+` in the pattern",
            ),
        }),
        Err(error) => Err(Fault {
            size: false,
            message: format!("the pattern is not a regular expression: {}", last(&error)),
            help: None,
        }),
    }
}

/// What the crate says is wrong, without the drawing of where.
fn last(error: &regex::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next_back().unwrap_or_default();
    line.trim_start_matches("error: ").to_owned()
}

/// The pattern as the `regex` crate would write it; the crate itself has not seen it yet.
pub(super) fn translate(pattern: &str) -> Result<String, Fault> {
    if pattern.len() > LONGEST {
        return Err(Fault {
            size: true,
            message: format!("the pattern is longer than {LONGEST} bytes"),
            help: Some("write a list of words as an `enum`"),
        });
    }
    let mut translator = Translator {
        rest: pattern.chars().peekable(),
        out: String::with_capacity(pattern.len() + 16),
        repeatable: false,
        open: 0,
    };
    while let Some(c) = translator.rest.next() {
        translator.term(c)?;
    }
    if translator.open > 0 {
        return Err(unbalanced());
    }
    Ok(translator.out)
}

struct Translator<'p> {
    rest: Peekable<Chars<'p>>,
    out: String,
    /// Whether a quantifier may follow.
    repeatable: bool,
    /// Groups that are not closed yet.
    open: usize,
}

/// One element of a class, or one escape.
enum Atom {
    Char(char),
    /// Written as the crate reads it inside a class.
    Set(String),
}

impl Translator<'_> {
    fn term(&mut self, c: char) -> Result<(), Fault> {
        match c {
            '\\' => self.escape(),
            '[' => self.class(),
            '(' => self.group(),
            '*' | '+' | '?' => self.quantifier(&c.to_string()),
            '{' => {
                let count = self.count()?;
                self.quantifier(&count)
            }
            '.' => self.atom(ANY_BUT_LINE_ENDS),
            ')' => {
                self.open = self.open.checked_sub(1).ok_or_else(unbalanced)?;
                self.atom(")")
            }
            '^' | '$' | '|' => {
                self.out.push(c);
                self.repeatable = false;
                Ok(())
            }
            c => {
                literal(&mut self.out, c);
                self.repeatable = true;
                Ok(())
            }
        }
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "each arm of `term` gives the same type"
    )]
    fn atom(&mut self, text: &str) -> Result<(), Fault> {
        self.out.push_str(text);
        self.repeatable = true;
        Ok(())
    }

    fn group(&mut self) -> Result<(), Fault> {
        self.repeatable = false;
        self.open += 1;
        self.out.push('(');
        if self.rest.next_if_eq(&'?').is_none() {
            return Ok(());
        }
        self.out.push('?');
        let unknown = || {
            Fault::new(
                "the pattern has a group of a kind that ECMA-262 does not have",
                "groups are `(...)`, `(?:...)` and `(?<name>...)`",
            )
        };
        match self.rest.next() {
            Some(':') => self.out.push(':'),
            Some('=' | '!') => return Err(looks_around()),
            Some('P') if self.rest.next_if_eq(&'<').is_some() => self.out.push_str("P<"),
            Some('<') => {
                if self.rest.next_if(|c| matches!(c, '=' | '!')).is_some() {
                    return Err(looks_around());
                }
                self.out.push('<');
            }
            // Not of ECMA-262, but pydantic's users write `(?i)`, and every engine that has it reads it alike.
            Some(c @ ('i' | '-')) => {
                self.out.push(c);
                while let Some(c) = self.rest.next_if(|c| matches!(c, 'i' | '-')) {
                    self.out.push(c);
                }
                let end = self.rest.next_if(|c| matches!(c, ':' | ')'));
                let end = end.ok_or_else(unknown)?;
                self.open -= usize::from(end == ')');
                self.out.push(end);
            }
            _ => return Err(unknown()),
        }
        // A group's name goes as it is: the crate has the same rules.
        if self.out.ends_with('<') {
            while let Some(c) = self.rest.next_if(|c| *c != '>' && *c != ')') {
                self.out.push(c);
            }
            self.out.extend(self.rest.next_if_eq(&'>'));
        }
        Ok(())
    }

    fn quantifier(&mut self, text: &str) -> Result<(), Fault> {
        if !self.repeatable {
            return Err(Fault::new(
                format!("the pattern has a `{text}` that repeats nothing"),
                "write a backslash before a character that stands for itself; `a++` and `a**` are not of ECMA-262",
            ));
        }
        self.repeatable = false;
        self.out.push_str(text);
        self.out.extend(self.rest.next_if_eq(&'?'));
        Ok(())
    }

    /// `{3}`, `{3,}` or `{3,7}`, whose brace is taken already.
    fn count(&mut self) -> Result<String, Fault> {
        let mut text = String::from("{");
        let mut commas = 0;
        while let Some(c) = self.rest.next_if(|c| c.is_ascii_digit() || *c == ',') {
            commas += usize::from(c == ',');
            text.push(c);
        }
        let closed = self.rest.next_if_eq(&'}').is_some();
        if !closed || commas > 1 || text.len() < 2 || text.starts_with("{,") {
            return Err(Fault::new(
                "the pattern has a `{` that counts nothing",
                "a count is `{3}`, `{3,}` or `{3,7}`; a brace that stands for itself is `\\{`",
            ));
        }
        text.push('}');
        Ok(text)
    }

    fn escape(&mut self) -> Result<(), Fault> {
        match self.rest.peek() {
            Some(c @ ('b' | 'B')) => {
                // ASCII words, as ECMA-262 has them.
                let _ = write!(self.out, r"(?-u:\{c})");
                self.rest.next();
                self.repeatable = false;
                return Ok(());
            }
            Some('1'..='9' | 'k') => {
                return Err(Fault::new(
                    "the pattern refers back to a group, which takes backtracking",
                    "write out what may stand there; a pattern here takes time in the length of the text only",
                ));
            }
            _ => {}
        }
        match self.escaped()? {
            Atom::Char(c) => literal(&mut self.out, c),
            Atom::Set(set) => {
                let _ = write!(self.out, "[{set}]");
            }
        }
        self.repeatable = true;
        Ok(())
    }

    /// What follows a backslash, inside a class or outside.
    fn escaped(&mut self) -> Result<Atom, Fault> {
        let set = |text: &str| Ok(Atom::Set(text.to_owned()));
        let Some(c) = self.rest.next() else {
            return Err(Fault::new(
                "the pattern ends in a backslash",
                "a backslash that stands for itself is `\\\\`",
            ));
        };
        let c = match c {
            'd' => return set(DIGIT),
            'w' => return set(WORD),
            's' => return set(SPACE),
            'D' => return set(&format!("[^{DIGIT}]")),
            'W' => return set(&format!("[^{WORD}]")),
            'S' => return set(&format!("[^{SPACE}]")),
            'p' | 'P' => return self.property(c),
            't' => '\t',
            'n' => '\n',
            'v' => '\u{B}',
            'f' => '\u{C}',
            'r' => '\r',
            '0' if !self.rest.peek().is_some_and(char::is_ascii_digit) => '\0',
            'c' => self.control()?,
            'x' => self
                .hex(2)
                .and_then(char::from_u32)
                .ok_or_else(|| unknown_escape('x'))?,
            'u' => self.code_point()?,
            c if c.is_ascii_alphanumeric() => return Err(unknown_escape(c)),
            c => c,
        };
        Ok(Atom::Char(c))
    }

    /// `\cJ`
    fn control(&mut self) -> Result<char, Fault> {
        let letter = self.rest.next_if(char::is_ascii_alphabetic);
        letter
            .and_then(|c| char::from_u32(u32::from(c) % 32))
            .ok_or_else(|| unknown_escape('c'))
    }

    fn hex(&mut self, digits: u32) -> Option<u32> {
        let mut number = 0;
        for _ in 0..digits {
            number = number * 16 + self.rest.next_if(char::is_ascii_hexdigit)?.to_digit(16)?;
        }
        Some(number)
    }

    /// `\u00e9`, `\ud83d\ude00` or `\u{1f600}`
    fn code_point(&mut self) -> Result<char, Fault> {
        let number = if self.rest.next_if_eq(&'{').is_some() {
            let mut digits = String::new();
            while let Some(c) = self.rest.next_if(char::is_ascii_hexdigit) {
                digits.push(c);
            }
            let closed = self.rest.next_if_eq(&'}');
            closed.and_then(|_| u32::from_str_radix(&digits, 16).ok())
        } else {
            self.hex(4)
        };
        let mut number = number.ok_or_else(|| unknown_escape('u'))?;
        if (0xD800..0xDC00).contains(&number) {
            let mut ahead = self.rest.clone();
            if ahead.next() == Some('\\') && ahead.next() == Some('u') {
                self.rest = ahead;
                let low = self.hex(4).filter(|low| (0xDC00..0xE000).contains(low));
                let low = low.ok_or_else(half)?;
                number = 0x10000 + ((number - 0xD800) << 10) + (low - 0xDC00);
            }
        }
        char::from_u32(number).ok_or_else(half)
    }

    /// `\p{Letter}`
    fn property(&mut self, p: char) -> Result<Atom, Fault> {
        let fault = || {
            Fault::new(
                format!("the pattern has a `\\{p}` without the name of a property"),
                "write `\\p{Letter}` or `\\p{Script=Greek}`",
            )
        };
        self.rest.next_if_eq(&'{').ok_or_else(fault)?;
        let mut text = format!("\\{p}{{");
        while let Some(c) = self
            .rest
            .next_if(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '='))
        {
            text.push(c);
        }
        text.push(self.rest.next_if_eq(&'}').ok_or_else(fault)?);
        Ok(Atom::Set(text))
    }

    /// A class whose bracket is taken already.
    fn class(&mut self) -> Result<(), Fault> {
        let negated = self.rest.next_if_eq(&'^').is_some();
        let mut set = String::new();
        while let Some(atom) = self.class_atom()? {
            let dash = self.rest.peek() == Some(&'-');
            let ranges = dash && {
                let mut ahead = self.rest.clone();
                ahead.next();
                ahead.peek().is_some_and(|c| *c != ']')
            };
            if !ranges {
                push(&mut set, &atom);
                continue;
            }
            self.rest.next();
            let end = self.class_atom()?;
            match (&atom, &end) {
                (Atom::Char(from), Some(Atom::Char(to))) => {
                    if from > to {
                        return Err(Fault::new(
                            "the pattern has a range that ends before it begins",
                            "write the lower character first, and `\\-` for a dash that stands for itself",
                        ));
                    }
                    class_literal(&mut set, *from);
                    set.push('-');
                    class_literal(&mut set, *to);
                }
                // `[\w-.]` cannot be a range: every engine that takes it reads the dash as itself.
                (atom, end) => {
                    push(&mut set, atom);
                    class_literal(&mut set, '-');
                    if let Some(end) = end {
                        push(&mut set, end);
                    }
                }
            }
        }
        match (set.is_empty(), negated) {
            (true, true) => self.atom(ANYTHING),
            (true, false) => self.atom(NOTHING),
            (false, true) => self.atom(&format!("[^{set}]")),
            (false, false) => self.atom(&format!("[{set}]")),
        }
    }

    /// The next element of a class; `None` at its end, which is taken.
    fn class_atom(&mut self) -> Result<Option<Atom>, Fault> {
        match self.rest.next() {
            Some(']') => Ok(None),
            Some('[') if self.rest.peek() == Some(&':') => Err(Fault::new(
                "the pattern has a class such as `[:alpha:]`, which ECMA-262 does not have",
                "write `A-Za-z`, or `\\p{Letter}` for every alphabet",
            )),
            Some('\\') if self.rest.next_if_eq(&'b').is_some() => Ok(Some(Atom::Char('\u{8}'))),
            Some('\\') => self.escaped().map(Some),
            Some(c) => Ok(Some(Atom::Char(c))),
            None => Err(Fault::new(
                "the pattern has a `[` that is not closed",
                "a bracket that stands for itself is `\\[`",
            )),
        }
    }
}

fn push(set: &mut String, atom: &Atom) {
    match atom {
        Atom::Char(c) => class_literal(set, *c),
        Atom::Set(text) => set.push_str(text),
    }
}

fn literal(out: &mut String, c: char) {
    // The crate reads `\<` and `\>` as the ends of a word.
    if c.is_ascii_punctuation() && !matches!(c, '<' | '>') {
        out.push('\\');
        out.push(c);
    } else if c.is_control() {
        let _ = write!(out, "\\x{{{:X}}}", u32::from(c));
    } else {
        out.push(c);
    }
}

/// As outside of a class: what stands for itself there does so inside, escaped or not.
fn class_literal(out: &mut String, c: char) {
    literal(out, c);
}

fn unknown_escape(c: char) -> Fault {
    let help = match c {
        'A' | 'Z' | 'z' | 'G' => "the ends of the text are `^` and `$`",
        'x' => "write two digits, as in `\\x41`",
        'u' => "write `\\u0041` or `\\u{41}`",
        'c' => "write `\\cJ` for a control character",
        'h' => "write `[ \\t]`",
        'a' | 'e' => "write `\\x07` or `\\x1b`",
        _ => "leave the backslash out if the character stands for itself",
    };
    Fault::new(
        format!("the pattern has a `\\{c}` that ECMA-262 does not have"),
        help,
    )
}

fn looks_around() -> Fault {
    Fault::new(
        "the pattern looks ahead or behind, which takes backtracking",
        "split it: several patterns in an `allOf` must all match, one in a `not` must not, and `minLength` and `maxLength` count",
    )
}

fn unbalanced() -> Fault {
    Fault::new(
        "the pattern has a parenthesis without its other half",
        "a parenthesis that stands for itself is `\\(` or `\\)`",
    )
}

fn half() -> Fault {
    Fault::new(
        "the pattern has half of a surrogate pair",
        "write both halves, or `\\u{1f600}`",
    )
}
