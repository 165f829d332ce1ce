//! Numbers of JSON text (RFC 8259 section 6): an integer where one holds it, the nearest double otherwise.
//!
//! The digits are summed while their end is looked for: most numbers are then made without a second look, which is a
//! third of what a body full of them costs.

use serde_json::Number;

use super::fault::{Fault, FaultKind};

/// So many digits never exceed a u64.
const SURE_DIGITS: usize = 19;
/// Up to here every integer is a double.
const EXACT: u64 = 1 << 53;
/// The powers of ten that are doubles and that [`SURE_DIGITS`] can ask for.
const POWERS: [f64; SURE_DIGITS + 1] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19,
];

/// The number that begins at `from`, with a digit or a minus, and the offset behind it. `-0` is the double, which
/// alone has a sign there.
///
/// # Errors
/// If it is not a number, or none that a finite double is near.
pub(super) fn number(text: &str, from: usize) -> Result<(Number, usize), Fault> {
    let bytes = text.as_bytes();
    let negative = bytes.get(from) == Some(&b'-');
    let whole = from + usize::from(negative);
    let mut significand = 0;
    let mut at = digits(bytes, whole, &mut significand)?;
    if at > whole + 1 && bytes.get(whole) == Some(&b'0') {
        let kind = FaultKind::Syntax;
        return Err(Fault {
            at: whole + 1,
            kind,
        });
    }
    let mut count = at - whole;
    let mut places = None;
    if bytes.get(at) == Some(&b'.') {
        let behind = digits(bytes, at + 1, &mut significand)?;
        let after = behind - at - 1;
        (at, count, places) = (behind, count + after, Some(after));
    }
    let has_exponent = matches!(bytes.get(at), Some(b'e' | b'E'));
    if has_exponent {
        let signed = matches!(bytes.get(at + 1), Some(b'+' | b'-'));
        at = digits(bytes, at + 1 + usize::from(signed), &mut 0)?;
    } else if count <= SURE_DIGITS
        && let Some(number) = exact(negative, significand, places)
    {
        return Ok((number, at));
    }
    let written = text.get(from..at).unwrap_or_default();
    let number = if has_exponent || places.is_some() || negative {
        None
    } else {
        written.parse::<u64>().ok().map(Number::from)
    };
    number
        .or_else(|| written.parse().ok().and_then(Number::from_f64))
        .map(|number| (number, at))
        .ok_or(Fault {
            at: from,
            kind: FaultKind::NumberRange,
        })
}

/// The offset behind the digits at `at`, of which there is at least one, with their value added to `sum`, which is of
/// no use after more than [`SURE_DIGITS`].
fn digits(bytes: &[u8], at: usize, sum: &mut u64) -> Result<usize, Fault> {
    let mut behind = at;
    while let Some(digit @ b'0'..=b'9') = bytes.get(behind) {
        *sum = sum
            .wrapping_mul(10)
            .wrapping_add(u64::from(digit.wrapping_sub(b'0')));
        behind += 1;
    }
    if behind > at {
        return Ok(behind);
    }
    let kind = match bytes.get(at) {
        Some(_) => FaultKind::Syntax,
        None => FaultKind::Truncated,
    };
    Err(Fault { at, kind })
}

/// The number, if no rounding but that of one division lies between it and its digits: both are doubles then, and IEEE
/// 754 gives the double that is nearest to their quotient.
fn exact(negative: bool, significand: u64, places: Option<usize>) -> Option<Number> {
    let Some(places) = places else {
        return match (negative, significand) {
            (false, _) => Some(significand.into()),
            (true, 0) => Number::from_f64(-0.0),
            (true, _) => 0_i64.checked_sub_unsigned(significand).map(Number::from),
        };
    };
    if significand > EXACT {
        return None;
    }
    let quotient = significand as f64 / POWERS.get(places)?;
    Number::from_f64(if negative { -quotient } else { quotient })
}
