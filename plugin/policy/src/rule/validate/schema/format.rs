//! What the engine checks under the name of a format: formats, and the assertions that it would get wrong itself.
//!
//! The engine's hook is a plain function of the value. Assertions that take a number (`multipleOf`) therefore have a
//! table, and a function for each place in it.

use std::cell::RefCell;
use std::error::Error;

use serde_json::Value;

use super::uri::{self, Letters};
use super::{budget, distinct, instant, mail, number, pattern};

type Check = fn(&Value) -> Result<(), Box<dyn Error>>;

/// `uniqueItems`; the engine's own takes time in the square of a hostile array's length.
pub(super) const DISTINCT: &str = "portcullis-distinct";
/// `type: integer`: one of more than 64 bits comes as a float that lost digits.
pub(super) const WHOLE: &str = "portcullis-whole";
/// See [`budget`].
pub(super) const REASONS: &str = "portcullis-reasons";
/// See [`budget`].
pub(super) const FUEL: &str = "portcullis-fuel";
/// The engine cannot be given another `regex`.
const REGEX: &str = "portcullis-regex";

/// What a number has to be below, without its sign, to fit 64 bits.
pub(super) const WIDEST: f64 = 18_446_744_073_709_551_616.0;

/// What is known of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Checked, under this name.
    Checked(&'static str),
    /// Checked where the text is ASCII; refused where it is not.
    Ascii(&'static str),
    /// A note for people.
    Noted,
}

/// What a format of this name means.
pub(super) fn known(name: &str) -> Option<Known> {
    FORMATS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, known)| *known)
}

/// The names of all known formats.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FORMATS.iter().map(|(name, _)| *name)
}

const FORMATS: &[(&str, Known)] = &[
    ("date-time", Known::Checked("date-time")),
    ("date", Known::Checked("date")),
    ("time", Known::Checked("time")),
    ("duration", Known::Checked("duration")),
    ("email", Known::Checked("email")),
    ("idn-email", Known::Ascii("email")),
    ("hostname", Known::Checked("hostname")),
    ("idn-hostname", Known::Ascii("hostname")),
    ("ipv4", Known::Checked("ipv4")),
    ("ipv6", Known::Checked("ipv6")),
    ("uri", Known::Checked("uri")),
    ("uri-reference", Known::Checked("uri-reference")),
    ("iri", Known::Checked("iri")),
    ("iri-reference", Known::Checked("iri-reference")),
    ("uri-template", Known::Checked("uri-template")),
    ("uuid", Known::Checked("uuid")),
    ("uuid1", Known::Checked("uuid1")),
    ("uuid3", Known::Checked("uuid3")),
    ("uuid4", Known::Checked("uuid4")),
    ("uuid5", Known::Checked("uuid5")),
    ("uuid6", Known::Checked("uuid6")),
    ("uuid7", Known::Checked("uuid7")),
    ("uuid8", Known::Checked("uuid8")),
    ("json-pointer", Known::Checked("json-pointer")),
    (
        "relative-json-pointer",
        Known::Checked("relative-json-pointer"),
    ),
    ("regex", Known::Checked(REGEX)),
    ("int32", Known::Checked("int32")),
    ("int64", Known::Checked("int64")),
    ("byte", Known::Checked("byte")),
    ("float", Known::Noted),
    ("double", Known::Noted),
    ("binary", Known::Noted),
    ("password", Known::Noted),
];

/// Gives the engine every check of ours.
pub(super) fn register(compiler: &mut boon::Compiler) {
    for &(name, func) in CHECKS.iter().chain(MULTIPLES) {
        compiler.register_format(boon::Format { name, func });
    }
}

const CHECKS: &[(&str, Check)] = &[
    ("date-time", |value| text(value, instant::is_date_time)),
    ("date", |value| text(value, instant::is_date)),
    ("time", |value| text(value, instant::is_time)),
    ("duration", |value| text(value, instant::is_duration)),
    ("hostname", |value| text(value, mail::is_host_name)),
    ("email", |value| text(value, mail::is_email)),
    ("uri", |value| {
        text(value, |text| uri::is_uri(text, Letters::Ascii))
    }),
    ("iri", |value| {
        text(value, |text| uri::is_uri(text, Letters::All))
    }),
    ("uri-reference", |value| {
        text(value, |text| uri::is_reference(text, Letters::Ascii))
    }),
    ("iri-reference", |value| {
        text(value, |text| uri::is_reference(text, Letters::All))
    }),
    ("uri-template", |value| text(value, uri::is_template)),
    ("uuid1", |value| text(value, |text| is_uuid(text, b'1'))),
    ("uuid3", |value| text(value, |text| is_uuid(text, b'3'))),
    ("uuid4", |value| text(value, |text| is_uuid(text, b'4'))),
    ("uuid5", |value| text(value, |text| is_uuid(text, b'5'))),
    ("uuid6", |value| text(value, |text| is_uuid(text, b'6'))),
    ("uuid7", |value| text(value, |text| is_uuid(text, b'7'))),
    ("uuid8", |value| text(value, |text| is_uuid(text, b'8'))),
    (REGEX, |value| {
        text(value, |text| pattern::translate(text).is_ok())
    }),
    ("byte", |value| text(value, is_base64)),
    ("int32", |value| {
        integer(value, -2_147_483_648.0, 2_147_483_648.0)
    }),
    ("int64", |value| {
        integer(
            value,
            -9_223_372_036_854_775_808.0,
            9_223_372_036_854_775_808.0,
        )
    }),
    (WHOLE, |value| {
        let lost = value.is_f64() && value.as_f64().is_none_or(|float| float.abs() >= WIDEST);
        verdict(!lost)
    }),
    (DISTINCT, |value| match value {
        Value::Array(list) => verdict(distinct::are_distinct(list)),
        _ => Ok(()),
    }),
    (REASONS, |_| verdict(budget::take_reason())),
    (FUEL, |_| verdict(budget::take_fuel())),
];

fn verdict(right: bool) -> Result<(), Box<dyn Error>> {
    // Nobody reads the words: what is told is ours.
    if right { Ok(()) } else { Err("".into()) }
}

/// Formats of text leave other values alone.
fn text(value: &Value, right: impl Fn(&str) -> bool) -> Result<(), Box<dyn Error>> {
    verdict(value.as_str().is_none_or(right))
}

/// An integer from `from` to below `to`.
fn integer(value: &Value, from: f64, to: f64) -> Result<(), Box<dyn Error>> {
    let Value::Number(number) = value else {
        return Ok(());
    };
    if let Some(whole) = number.as_i64() {
        let whole = i128::from(whole);
        return verdict(whole >= from as i128 && whole < to as i128);
    }
    let number = number.as_f64().unwrap_or(f64::INFINITY);
    // A float at the lower bound of 64 bits may be an integer below it that was rounded.
    let above = number > from || (number == from && from > -9_007_199_254_740_992.0);
    verdict(number.fract() == 0.0 && above && number < to)
}

/// RFC 9562, section 4, of one version.
fn is_uuid(text: &str, version: u8) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            14 => byte == version,
            _ => byte.is_ascii_hexdigit(),
        })
}

/// RFC 4648, section 4, with its padding.
fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    text.len().is_multiple_of(4)
        && padding <= 2
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

thread_local! {
    /// The divisors of all `multipleOf`, in the order of [`MULTIPLES`].
    static DIVISORS: RefCell<Vec<f64>> = const { RefCell::new(Vec::new()) };
}

/// The name under which multiples of this number are checked, unless there are too many different ones.
pub(super) fn multiple(divisor: f64) -> Option<&'static str> {
    DIVISORS.with_borrow_mut(|divisors| {
        let known = divisors
            .iter()
            .position(|known| known.to_bits() == divisor.to_bits());
        let place = known.unwrap_or(divisors.len());
        let (name, _) = MULTIPLES.get(place)?;
        if known.is_none() {
            divisors.push(divisor);
        }
        Some(*name)
    })
}

/// The divisor that is checked under this name.
pub(super) fn divisor(name: &str) -> Option<f64> {
    let place = MULTIPLES.iter().position(|(known, _)| *known == name)?;
    divisor_at(place)
}

fn divisor_at(place: usize) -> Option<f64> {
    DIVISORS.with_borrow(|divisors| divisors.get(place).copied())
}

fn is_multiple<const PLACE: usize>(value: &Value) -> Result<(), Box<dyn Error>> {
    let (Value::Number(number), Some(divisor)) = (value, divisor_at(PLACE)) else {
        return Ok(());
    };
    verdict(number::is_multiple(number, divisor))
}

macro_rules! multiples {
    ($($place:literal)*) => {
        const MULTIPLES: &[(&str, Check)] =
            &[$((concat!("portcullis-multiple-", $place), is_multiple::<$place>)),*];
    };
}

multiples! {
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
    32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(format: &str, value: &Value) -> bool {
        let check = CHECKS.iter().find(|(name, _)| *name == format).unwrap().1;
        check(value).is_ok()
    }

    #[test]
    fn formats_take_what_they_say() {
        let check = |format: &str, value: Value, expected: bool| {
            assert_eq!(passes(format, &value), expected, "{format} {value}");
        };
        for (format, right, wrong) in [
            (
                "int32",
                "[-2147483648, 2147483647, 1.0, 1e3, \"x\", null]",
                "[2147483648, -2147483649, 1.5, 1e300, 18446744073709551615]",
            ),
            (
                "int64",
                "[-9223372036854775808, 9223372036854775807, 9e18]",
                "[9223372036854775808, 1e19, -1e19, 0.5]",
            ),
            (
                "byte",
                r#"["", "QQ==", "QUI=", "QUJD", 5]"#,
                r#"["Q", "QQ", "QQ=", "Q===", "====", "Q-==", "QQ==\n", "é==="]"#,
            ),
            (
                "uuid4",
                r#"["123e4567-e89b-42d3-a456-426614174000"]"#,
                r#"["123e4567-e89b-12d3-a456-426614174000", "123e4567e89b42d3a456426614174000", ""]"#,
            ),
            (
                REGEX,
                r#"["^a+$", "\\p{Letter}", "[^]"]"#,
                r#"["a(?=b)", "\\1", "^*", "\\a"]"#,
            ),
        ] {
            for (list, expected) in [(right, true), (wrong, false)] {
                let list: Vec<Value> = serde_json::from_str(list).unwrap();
                for value in list {
                    check(format, value, expected);
                }
            }
        }
    }

    #[test]
    fn divisors_are_told_apart_and_counted() {
        let places: Vec<_> = (0..64).map(|n| multiple(f64::from(n) + 0.5)).collect();
        assert!(places.iter().all(Option::is_some));
        assert_eq!(multiple(0.5), places[0]);
        assert_eq!(multiple(1000.0), None);
        assert_eq!(divisor(places[3].unwrap()), Some(3.5));
        let check = MULTIPLES[3].1;
        assert!(
            check(&7.into()).is_ok() && check(&8.into()).is_err() && check(&"8".into()).is_ok()
        );
    }
}
